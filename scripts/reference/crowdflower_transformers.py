#!/usr/bin/env python3
"""Fine-tunes a BERT with transformers' Trainer on CrowdFlower's pairs: the peer of configs/crowdflower.yaml.

The recipe: query and product_title as a pair of at most 128 tokens, the four values of median_relevance as classes, a fresh
classifier for each seed, 3 epochs, batch 16 padded to its longest, AdamW 5e-5 with weight decay 0.01 (none on biases and
LayerNorm), linear schedule with a warm-up of 6 % of the steps, clipping at 1.0, float32 on the CPU, weights of the last epoch.

For each seed OUTPUT_DIR/seed-<n>/ gets predictions.tsv (reco's format) and metrics.json (the figures of
crowdflower_metrics.py).

    crowdflower_split.py ../shared/data/crowdflower/train.csv split
    crowdflower_transformers.py --model_dir models/minilm --split_dir split --output_dir peers --seeds 1 2 3 4 5
"""
import argparse
import csv
import json
import os
import pathlib
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
import transformers
from transformers import (AutoTokenizer, BertForSequenceClassification, DataCollatorWithPadding, Trainer,
                          TrainerCallback, TrainingArguments, set_seed)

from crowdflower_metrics import GRADES, LABELS, evaluate

MAX_TOKENS = 128


def read_rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


class Pairs(torch.utils.data.Dataset):
    def __init__(self, tokenizer, rows):
        texts = [row["query"] for row in rows], [row["product_title"] for row in rows]
        self.features = tokenizer(*texts, truncation=True, max_length=MAX_TOKENS)
        self.full_lengths = [len(ids) for ids in tokenizer(*texts)["input_ids"]]
        self.labels = [LABELS.index(row["median_relevance"]) for row in rows]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        item = {key: values[index] for key, values in self.features.items()}
        return item | {"labels": self.labels[index]}


class EpochLosses(TrainerCallback):
    def __init__(self):
        self.losses = []

    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs and "loss" in logs:
            self.losses.append({"epoch": logs["epoch"], "loss": float(logs["loss"])})


def escape(text):
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def write_predictions(path, rows, dataset, p):
    columns = ["row_id", "query_id", "item_id", "label", "predicted"] + [f"p_{name}" for name in LABELS]
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write("\t".join(columns + ["score", "tokens", "truncated"]) + "\n")
        for index, row in enumerate(rows):
            full = dataset.full_lengths[index]
            fields = [escape(row["id"]), escape(row["query"]), "", row["median_relevance"], LABELS[p[index].argmax()]]
            fields += [f"{value:.9g}" for value in p[index]] + [f"{p[index] @ GRADES:.9g}"]
            fields += [str(min(full, MAX_TOKENS)), str(int(full > MAX_TOKENS))]
            file.write("\t".join(fields) + "\n")


def run_seed(args, seed, tokenizer, train, test, test_rows):
    directory = args.output_dir / f"seed-{seed}"
    directory.mkdir(parents=True, exist_ok=True)
    set_seed(seed)
    model = BertForSequenceClassification.from_pretrained(args.model_dir, num_labels=len(LABELS), dtype=torch.float32)
    callback = EpochLosses()
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(directory), num_train_epochs=3, max_steps=args.max_steps, per_device_train_batch_size=16,
            per_device_eval_batch_size=64, learning_rate=5e-5, weight_decay=0.01, optim="adamw_torch",
            lr_scheduler_type="linear", warmup_steps=0.06, max_grad_norm=1.0, seed=seed, use_cpu=True,
            save_strategy="no", logging_strategy="epoch", report_to=[], disable_tqdm=True),
        train_dataset=train,
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        callbacks=[callback])
    train_started = time.monotonic()
    result = trainer.train()
    train_s = time.monotonic() - train_started
    logits = trainer.predict(test).predictions
    p = torch.softmax(torch.from_numpy(logits).double(), dim=1).numpy()

    write_predictions(directory / "predictions.tsv", test_rows, test, p)
    metrics = evaluate([row["query"] for row in test_rows], [row["id"] for row in test_rows], test.labels, p) | {
        "seed": seed,
        "train_rows": len(train),
        "steps": result.global_step,
        "mean_train_loss": result.training_loss,
        "epoch_losses": callback.losses,
        "train_s": train_s,
        "threads": torch.get_num_threads(),
        "versions": {"transformers": transformers.__version__, "torch": torch.__version__},
    }
    (directory / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    print(json.dumps({key: metrics[key] for key in ("seed", "accuracy", "macro_f1", "ndcg_at_10", "train_s")}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model_dir", type=pathlib.Path, required=True)
    parser.add_argument("--split_dir", type=pathlib.Path, required=True, help="train.csv and test.csv of crowdflower_split.py")
    parser.add_argument("--output_dir", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0: its default")
    parser.add_argument("--max_steps", type=int, default=-1, help="a trial run of so many steps")
    args = parser.parse_args()

    if args.threads > 0:
        torch.set_num_threads(args.threads)
    tokenizer = AutoTokenizer.from_pretrained(args.model_dir)
    test_rows = read_rows(args.split_dir / "test.csv")
    train = Pairs(tokenizer, read_rows(args.split_dir / "train.csv"))
    test = Pairs(tokenizer, test_rows)
    for seed in args.seeds:
        run_seed(args, seed, tokenizer, train, test, test_rows)


if __name__ == "__main__":
    main()
