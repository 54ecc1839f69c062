#!/usr/bin/env python3
"""Dumps what transformers computes for BERT classifiers: logits, losses, gradients and ten AdamW steps, in float32 on the CPU.

    bert_parity.py tiny tests/reference                 writes bert_tiny/, bert_tiny_regression/ and *_parity.safetensors
    bert_parity.py minilm tests/reference models/minilm writes bert_minilm_parity.safetensors

README.md beside this script describes every tensor in the files. Dropout is 0 throughout.
"""
import argparse
import json
import os
import pathlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification, get_linear_schedule_with_warmup

CLASSES = 4
STEPS, WARMUP_STEPS = 10, 2
TINY_WORDS = """red blue green black white large small wool leather steel wood cotton running hiking garden kitchen
shoe shirt lamp table chair phone case cable bottle knife for with and of the in set pack new mens womens kids""".split()


def write_vocabulary(path):
    """300 tokens: the special ones, printable ASCII without capitals, the pieces ##a-##z and ##0-##9, words, fillers."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens += [chr(c) for c in range(33, 127) if not chr(c).isupper()]
    tokens += ["##" + chr(c) for c in range(33, 127) if chr(c).isalnum() and not chr(c).isupper()]
    tokens += TINY_WORDS
    tokens += [f"[unused{i}]" for i in range(300 - len(tokens))]
    path.write_text("\n".join(tokens) + "\n")


def make_batch(generator, lengths, first_id, vocab_size):
    """Packed sequences [CLS] a [SEP] b [SEP]; every batch has a class, a number in [0, 1] and a weight for each."""
    ids, types = [], []
    for length in lengths:
        middle = length // 2
        row = torch.randint(first_id, vocab_size, (length,), generator=generator)
        row[0], row[middle], row[-1] = 2, 3, 3
        ids.append(row)
        types.append((torch.arange(length) > middle).long())
    count = len(lengths)
    return {
        "ids": torch.cat(ids),
        "types": torch.cat(types),
        "lengths": torch.tensor(lengths, dtype=torch.int32),
        "labels": torch.randint(0, CLASSES, (count,), generator=generator),
        "targets": torch.rand(count, generator=generator),
        "weights": torch.rand(count, generator=generator) + 0.5,
    }


def forward(model, batch):
    """Logits [B, K] of the packed batch, padded here for transformers."""
    lengths = batch["lengths"].tolist()
    pad = lambda rows: torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    ids = pad(batch["ids"].split(lengths))
    types = pad(batch["types"].split(lengths))
    mask = pad([torch.ones(n, dtype=torch.long) for n in lengths])
    return model(input_ids=ids, token_type_ids=types, attention_mask=mask).logits


def loss_of(kind, logits, batch, weighted):
    """Mean loss of the batch, or sum of w * loss over sum of w."""
    targets = batch["targets"].to(logits.dtype)
    if kind == "cross_entropy":
        loss = torch.nn.functional.cross_entropy(logits, batch["labels"], reduction="none")
    elif kind == "mse":
        loss = torch.nn.functional.mse_loss(logits.squeeze(1), targets, reduction="none")
    else:
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.squeeze(1), targets, reduction="none")
    weights = batch["weights"].to(logits.dtype) if weighted else torch.ones_like(loss)
    return (weights * loss).sum() / weights.sum()


def gradients(model, kind, batch):
    model.zero_grad()
    loss_of(kind, forward(model, batch), batch, weighted=True).backward()
    grads = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    return grads


def ten_steps(model, kind, batches, lr):
    """Trains model in place; step i takes batch i mod len(batches). The loss is the one before the step's update."""
    decayed = [p for name, p in model.named_parameters() if "bias" not in name and "LayerNorm" not in name]
    others = [p for name, p in model.named_parameters() if "bias" in name or "LayerNorm" in name]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.999), eps=1e-8)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP_STEPS, STEPS)
    losses, rates, norms = [], [], []
    for step in range(STEPS):
        batch = batches[step % len(batches)]
        loss = loss_of(kind, forward(model, batch), batch, weighted=True)
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    f64 = lambda values: torch.tensor(values, dtype=torch.float64)
    with torch.no_grad():
        return {"loss": f64(losses), "lr": f64(rates), "grad_norm": f64(norms), "logits": forward(model, batches[0])}


def dump(make_model, kind, batches, lr):
    """Everything about one loss. The double precision run shows how much of the tolerance float32 itself uses up."""
    model = make_model()
    out = {}
    with torch.no_grad():
        for i, batch in enumerate(batches):
            logits = forward(model, batch)
            out[f"logits.{i}"] = logits
            out[f"loss.{i}"] = loss_of(kind, logits, batch, weighted=False).reshape(1)
            out[f"weighted_loss.{i}"] = loss_of(kind, logits, batch, weighted=True).reshape(1)
    grads = gradients(model, kind, batches[0])
    steps = ten_steps(model, kind, batches, lr)
    exact = ten_steps(make_model().double(), kind, batches, lr)
    drift = float((steps["loss"] - exact["loss"]).abs().max())
    print(f"{kind}: losses {steps['loss'].tolist()}\n  gradient norms {steps['grad_norm'].tolist()}\n"
          f"  float32 against float64 after ten steps: {drift:.2e}")
    out |= {f"steps.{name}": values for name, values in steps.items()}
    return out, grads


def prefixed(prefix, tensors):
    return {f"{prefix}.{name}": tensor.contiguous() for name, tensor in tensors.items()}


def batches_of(batches):
    return {f"batch.{i}.{name}": tensor for i, batch in enumerate(batches) for name, tensor in batch.items()}


def tiny_model(num_labels, act="gelu", seed=7):
    config = BertConfig(
        vocab_size=300, hidden_size=48, num_hidden_layers=2, num_attention_heads=3, intermediate_size=96,
        max_position_embeddings=64, hidden_act=act, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        num_labels=num_labels, architectures=["BertForSequenceClassification"])
    if num_labels == CLASSES:
        config.id2label = {i: str(i + 1) for i in range(CLASSES)}
        config.label2id = {name: i for i, name in config.id2label.items()}
        config.problem_type = "single_label_classification"
    else:
        config.problem_type = "regression"
    model = BertForSequenceClassification(config).eval()
    # Nothing at 0 or 1: a forgotten bias or LayerNorm weight must change the result.
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            noise = torch.randn(p.shape, generator=generator)
            p.copy_(1 + 0.1 * noise if name.endswith("LayerNorm.weight") else 0.1 * noise)
    return model


def dump_tiny(out_dir):
    generator = torch.Generator().manual_seed(11)
    batches = [make_batch(generator, lengths, 5, 300) for lengths in ([17, 3, 64, 9, 30], [5, 5, 12], [40, 21, 8, 33])]
    tokenizer_config = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64}

    for name, num_labels, kinds in (("bert_tiny", CLASSES, ["cross_entropy"]), ("bert_tiny_regression", 1, ["mse", "bce"])):
        directory = out_dir / name
        tiny_model(num_labels).save_pretrained(directory)
        write_vocabulary(directory / "vocab.txt")
        (directory / "tokenizer_config.json").write_text(json.dumps(tokenizer_config, indent=2) + "\n")
        tensors = batches_of(batches)
        for kind in kinds:
            values, grads = dump(lambda: tiny_model(num_labels), kind, batches, lr=1e-3)
            tensors |= prefixed(kind, values)
            if kind != "bce":
                tensors |= prefixed(f"{kind}.grad", grads)
        if num_labels == CLASSES:
            for act in ("gelu_new", "relu"):
                with torch.no_grad():
                    tensors[f"act.{act}.logits.0"] = forward(tiny_model(num_labels, act), batches[0])
        save_file(tensors, out_dir / f"{name}_parity.safetensors", metadata={"format": "pt"})


def dump_minilm(out_dir, model_dir):
    def make_model():
        model = BertForSequenceClassification.from_pretrained(
            model_dir, num_labels=CLASSES, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, dtype=torch.float32)
        generator = torch.Generator().manual_seed(13)
        with torch.no_grad():
            model.classifier.weight.copy_(0.05 * torch.randn(model.classifier.weight.shape, generator=generator))
            model.classifier.bias.copy_(0.05 * torch.randn(model.classifier.bias.shape, generator=generator))
        return model.eval()

    generator = torch.Generator().manual_seed(17)
    batches = [make_batch(generator, lengths, 1000, 30522) for lengths in ([20, 128, 7, 33], [64, 11, 25], [3, 90, 40, 18])]
    for batch in batches:
        batch["ids"][batch["ids"] == 2], batch["ids"][batch["ids"] == 3] = 101, 102
    values, grads = dump(make_model, "cross_entropy", batches, lr=5e-5)
    tensors = batches_of(batches) | prefixed("cross_entropy", values)
    classifier = make_model().classifier
    tensors |= {"classifier.weight": classifier.weight.detach(), "classifier.bias": classifier.bias.detach()}
    for name, grad in grads.items():
        flat = grad.flatten()
        spread = torch.arange(12) * flat.numel() // 12
        index = torch.cat([flat.abs().topk(min(4, flat.numel())).indices, spread])
        tensors[f"cross_entropy.grad.{name}.index"] = index
        tensors[f"cross_entropy.grad.{name}.value"] = flat[index]
        wide = flat.double()
        tensors[f"cross_entropy.grad.{name}.summary"] = torch.stack([wide.abs().max(), wide.norm(), wide.sum()])
    save_file(tensors, out_dir / "bert_minilm_parity.safetensors", metadata={"format": "pt"})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["tiny", "minilm"])
    parser.add_argument("output_dir", type=pathlib.Path)
    parser.add_argument("model_dir", type=pathlib.Path, nargs="?")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.output_dir.mkdir(parents=True, exist_ok=True)
    if args.what == "tiny":
        dump_tiny(args.output_dir)
    elif args.model_dir is None:
        parser.error("minilm needs the model's directory")
    else:
        dump_minilm(args.output_dir, args.model_dir)


if __name__ == "__main__":
    main()
