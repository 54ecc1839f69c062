#!/usr/bin/env python3
"""Encodes the pairs of real CSV files with transformers' BERT tokenizer and writes tests/reference/dataset_pairs.tsv.

    python3 scripts/reference/dataset_pairs.py MODEL_DIR DATA_DIR > tests/reference/dataset_pairs.tsv

Columns: file, query column, description columns, label column, truncation, maximum length, rows, and FNV-1a (64 bit) over each
row's ids (four bytes, least significant first) followed by its token types (one byte each) and 0xFF.
MODEL_DIR holds the vocabulary of all-MiniLM-L6-v2; several description columns are joined by one space, empty ones skipped.
"""
import csv
import sys

from transformers import AutoTokenizer

FILES = [
    ("crowdflower/train.csv", "query", "product_title,product_description", "median_relevance"),
    ("crowdflower/train_mojibake.csv", "query", "product_title", "median_relevance"),
    ("chorus_icecat/pairs.csv", "query", "title,description,supplier", "rating"),
    ("afqmc_zh/dev.csv", "sentence1", "sentence2", "label"),
]
CUTS = [("longest_first", 128), ("only_second", 128), ("longest_first", 20)]


def main() -> None:
    csv.field_size_limit(1 << 30)
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
    for name, query, descriptions, label in FILES:
        with open(f"{sys.argv[2]}/{name}", encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        firsts = [row[query] for row in rows]
        seconds = [" ".join(filter(None, (row[column] for column in descriptions.split(",")))) for row in rows]
        for truncation, length in CUTS:
            encoded = tokenizer(firsts, seconds, truncation=truncation, max_length=length)
            digest = 0xCBF29CE484222325
            for ids, types in zip(encoded["input_ids"], encoded["token_type_ids"]):
                for byte in b"".join(i.to_bytes(4, "little") for i in ids) + bytes(types) + b"\xff":
                    digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
            print(name, query, descriptions, label, truncation, length, len(rows), f"{digest:016x}", sep="\t")


if __name__ == "__main__":
    main()
