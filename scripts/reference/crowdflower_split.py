#!/usr/bin/env python3
"""Splits CrowdFlower's train.csv by query into train.csv and test.csv, the same way on every machine.

A row goes to the test file when sha1(query) mod 6 is 0, with the query lower-cased and its blanks folded, so no query is on
both sides. All columns and the order of the rows are kept. Needs nothing but Python.

    crowdflower_split.py ../shared/data/crowdflower/train.csv OUTPUT_DIR
"""
import argparse
import csv
import hashlib
import pathlib


def in_test(query):
    normal = " ".join(query.lower().split())
    return int(hashlib.sha1(normal.encode("utf-8")).hexdigest(), 16) % 6 == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv_file", type=pathlib.Path)
    parser.add_argument("output_dir", type=pathlib.Path)
    args = parser.parse_args()

    with open(args.csv_file, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        columns = reader.fieldnames
        rows = list(reader)

    args.output_dir.mkdir(parents=True, exist_ok=True)
    for name, wanted in (("train", False), ("test", True)):
        part = [row for row in rows if in_test(row["query"]) == wanted]
        with open(args.output_dir / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(part)
        print(f"{name}: {len(part)} rows, {len({row['query'] for row in part})} queries")


if __name__ == "__main__":
    main()
