#!/usr/bin/env python3
"""The peer of train_speed.py: transformers' Trainer on the same pairs, timed between two of its steps.

Prints one JSON line: pairs_per_s (steps after the warm-up only), peak_bytes, first_step_s, and with --check the
probabilities of the first rows before any training, for the comparison that comes before any timing.
"""
import argparse
import csv
import json
import os
import resource
import time

STARTED = time.monotonic()
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch  # noqa: E402
from transformers import (AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding, Trainer,  # noqa: E402
                          TrainerCallback, TrainingArguments)


def read_pairs(path, query, descriptions, label):
    with open(path, newline="", encoding="utf-8") as f:
        return [(r[query], " ".join(r[d] for d in descriptions if r[d]), r[label]) for r in csv.DictReader(f)]


class Clock(TrainerCallback):
    """Seconds from the end of step `warmup` to the end of step `steps`, devices waited for."""

    def __init__(self, warmup, steps, cuda):
        self.warmup, self.steps, self.cuda = warmup, steps, cuda
        self.begin = self.end = self.first = None

    def on_step_end(self, args, state, control, **_):
        if state.global_step not in (1, self.warmup, self.steps):
            return
        if self.cuda:
            torch.cuda.synchronize()
        now = time.monotonic()
        if state.global_step == 1:
            self.first = now - STARTED
        if state.global_step == self.warmup:
            self.begin = now
        if state.global_step == self.steps:
            self.end = now


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--model", required=True)
    a.add_argument("--train_file", required=True)
    a.add_argument("--query_column", default="query")
    a.add_argument("--description_column", default="title")
    a.add_argument("--label_column", default="label")
    a.add_argument("--batch", type=int, default=16)
    a.add_argument("--steps", type=int, default=60)
    a.add_argument("--warmup", type=int, default=10, help="steps before the clock starts")
    a.add_argument("--max_seq_length", type=int, default=128)
    a.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    a.add_argument("--threads", type=int, default=0)
    a.add_argument("--bf16", action="store_true")
    a.add_argument("--compile", action="store_true")
    a.add_argument("--padding", choices=("longest", "max_length"), default="longest")
    a.add_argument("--group_by_length", action="store_true")
    a.add_argument("--check", type=int, default=0, help="rows whose probabilities are printed instead of training")
    a = a.parse_args()

    if a.threads:
        torch.set_num_threads(a.threads)
    rows = read_pairs(a.train_file, a.query_column, a.description_column.split(","), a.label_column)
    need = a.batch * a.steps
    tokenizer = AutoTokenizer.from_pretrained(a.model)
    model = AutoModelForSequenceClassification.from_pretrained(a.model, attn_implementation="sdpa")
    labels = {name: i for i, name in model.config.id2label.items()}

    if a.check:
        model.eval().to(a.device)
        probs = []
        for q, d, _ in rows[:a.check]:
            x = tokenizer(q, d, truncation="longest_first", max_length=a.max_seq_length, return_tensors="pt").to(a.device)
            with torch.no_grad():
                probs.append(torch.softmax(model(**x).logits.float(), -1)[0].tolist())
        print(json.dumps({"probabilities": probs}))
        return

    rows = (rows * (need // len(rows) + 1))[:need]
    data = []
    for q, d, label in rows:
        x = tokenizer(q, d, truncation="longest_first", max_length=a.max_seq_length)
        x["labels"] = labels[label]
        x["length"] = len(x["input_ids"])
        data.append(x)
    args = TrainingArguments(
        output_dir="/tmp/peer_trainer", max_steps=a.steps, per_device_train_batch_size=a.batch, learning_rate=5e-5,
        weight_decay=0.01, max_grad_norm=1.0, optim="adamw_torch_fused", bf16=a.bf16, use_cpu=a.device == "cpu",
        torch_compile=a.compile, save_strategy="no", logging_strategy="no", report_to="none", disable_tqdm=True,
        train_sampling_strategy="group_by_length" if a.group_by_length else "random", length_column_name="length",
        dataloader_pin_memory=a.device == "cuda")
    clock = Clock(a.warmup, a.steps, a.device == "cuda")
    collator = DataCollatorWithPadding(tokenizer, padding=a.padding, max_length=a.max_seq_length)
    Trainer(model=model, args=args, train_dataset=data, data_collator=collator, callbacks=[clock]).train()
    peak = (torch.cuda.max_memory_allocated() if a.device == "cuda"
            else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    tokens = sum(x["length"] for x in data) / len(data)
    print(json.dumps({"pairs_per_s": (a.steps - a.warmup) * a.batch / (clock.end - clock.begin), "peak_bytes": peak,
                      "first_step_s": clock.first, "tokens_per_pair": tokens, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
