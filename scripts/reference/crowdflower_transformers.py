#!/usr/bin/env python3
"""Fine-tunes a BERT with transformers' Trainer on CrowdFlower's pairs: the peer of configs/crowdflower.yaml.

The recipe: query and product_title as a pair of at most 128 tokens, the four values of median_relevance as classes, a fresh
classifier for each seed, 3 epochs, batch 16 padded to its longest, AdamW 5e-5 with weight decay 0.01 (none on biases and
LayerNorm), linear schedule with a warm-up of 6 % of the steps, clipping at 1.0, float32 on the CPU, weights of the last epoch.

For each seed OUTPUT_DIR/seed-<n>/ gets predictions.tsv (reco's format) and metrics.json:
  accuracy, macro_f1, quadratic_kappa
  ndcg_at_10      of the expected grade, grades 0-3, gain 2^grade - 1, mean over queries with a grade above 0;
                  ties by row id descending, compared as text
  auc_grade_4     ROC AUC of class 4 against the rest, by the probability of class 4
  auc_grade_4_by_expected_grade   the same, by the expected grade (the score column)

    crowdflower_split.py ../shared/data/crowdflower/train.csv split
    crowdflower_transformers.py --model_dir models/minilm --split_dir split --output_dir peers --seeds 1 2 3 4 5
"""
import argparse
import csv
import json
import math
import os
import pathlib
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import torch
import transformers
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score, roc_auc_score
from transformers import (AutoTokenizer, BertForSequenceClassification, DataCollatorWithPadding, Trainer,
                          TrainerCallback, TrainingArguments, set_seed)

LABELS = ["1", "2", "3", "4"]
GRADES = np.array([0.0, 1.0, 2.0, 3.0])
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


def ndcg_at_10(rows, labels, score):
    """Mean over queries with a relevant row; gain 2^grade - 1, discount log2(rank + 1)."""
    by_query = {}
    for index, row in enumerate(rows):
        by_query.setdefault(row["query"], []).append(index)
    values = []
    for members in by_query.values():
        ideal = sorted((GRADES[labels[i]] for i in members), reverse=True)
        if ideal[0] <= 0:
            continue
        members.sort(key=lambda i: rows[i]["id"], reverse=True)
        members.sort(key=lambda i: -score[i])

        def dcg(grades):
            return sum((2.0 ** g - 1.0) / math.log2(rank + 2) for rank, g in enumerate(grades[:10]))

        values.append(dcg([GRADES[labels[i]] for i in members]) / dcg(ideal))
    return float(np.mean(values)), len(values)


def evaluate(rows, labels, p):
    labels = np.array(labels)
    predicted = p.argmax(axis=1)
    score = p @ GRADES
    ndcg, queries = ndcg_at_10(rows, labels, score)
    return {
        "accuracy": accuracy_score(labels, predicted),
        "macro_f1": f1_score(labels, predicted, average="macro", labels=range(len(LABELS)), zero_division=0),
        "quadratic_kappa": cohen_kappa_score(labels, predicted, weights="quadratic"),
        "ndcg_at_10": ndcg,
        "auc_grade_4": roc_auc_score(labels == 3, p[:, 3]),
        "auc_grade_4_by_expected_grade": roc_auc_score(labels == 3, score),
        "rows": len(rows),
        "queries_with_relevant": queries,
    }


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
    metrics = evaluate(test_rows, test.labels, p) | {
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
