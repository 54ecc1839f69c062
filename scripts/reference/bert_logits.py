#!/usr/bin/env python3
"""What transformers makes of a model directory: one line of JSON.

    bert_logits.py MODEL_DIR [BATCHES.safetensors]

labels, problem_type, dtype and parameter count as AutoModelForSequenceClassification reads them, missing (parameters that the file
lacks), ids (AutoTokenizer's of a fixed pair), and with BATCHES (batch.0.ids, .types, .lengths as in README.md) the logits of
batch 0.
"""
import json
import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from bert_parity import forward


def main():
    model_dir = sys.argv[1]
    torch.set_num_threads(1)
    model, info = AutoModelForSequenceClassification.from_pretrained(model_dir, output_loading_info=True)
    model.eval()
    config = model.config
    result = {
        "labels": [config.id2label[i] for i in range(config.num_labels)],
        "label2id": config.label2id,
        "problem_type": config.problem_type,
        "dtype": str(model.dtype),
        "parameters": sum(p.numel() for p in model.parameters()),
        "missing": sorted(info["missing_keys"]),
        "ids": AutoTokenizer.from_pretrained(model_dir)("Red Shoe", "blue leather shoe, new")["input_ids"],
    }
    if len(sys.argv) > 2:
        batches = load_file(sys.argv[2])
        batch = {name: batches[f"batch.0.{name}"] for name in ("ids", "types", "lengths")}
        with torch.no_grad():
            result["logits"] = forward(model, batch).tolist()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
