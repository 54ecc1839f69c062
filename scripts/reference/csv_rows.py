#!/usr/bin/env python3
"""Reads the real CSV files with Python's csv module in strict mode and prints tests/reference/csv_rows.tsv.

Columns: file below the data directory, delimiter, rows without the header, columns, and FNV-1a (64 bit) over the fields, each
followed by 0x1F and each record by 0x1E. Usage: csv_rows.py DATA_DIR > tests/reference/csv_rows.tsv
"""
import csv
import sys

FILES = [
    ("crowdflower/train.csv", ","),
    ("crowdflower/train_mojibake.csv", ","),
    ("chorus_icecat/pairs.csv", ","),
    ("amazon_google/amazon_google_train.csv", ","),
    ("amazon_google/amazon_google_valid.csv", ","),
    ("amazon_google/amazon_google_test.csv", ","),
    ("qbqtc_zh/dev.csv", ","),
    ("lcqmc_zh/dev.csv", ","),
    ("afqmc_zh/train.csv", ","),
    ("afqmc_zh/dev.csv", ","),
    ("esci_ubi/judgments.csv", ","),
    ("shopee_titles/train.csv", ","),
    ("ml-100k/ml-100k.item", "tab"),
]


def main() -> None:
    csv.field_size_limit(1 << 30)
    for name, delimiter in FILES:
        digest, rows, columns = 0xCBF29CE484222325, 0, None
        path = f"{sys.argv[1]}/{name}"
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            for record in csv.reader(file, delimiter="\t" if delimiter == "tab" else delimiter, strict=True):
                if not record:
                    continue
                if columns is None:
                    columns = len(record)
                    continue
                assert len(record) == columns, (path, rows, record)
                rows += 1
                text = "".join(field + "\x1f" for field in record) + "\x1e"
                for byte in text.encode("utf-8", "surrogateescape"):
                    digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
        print(name, delimiter, rows, columns, f"{digest:016x}", sep="\t")


if __name__ == "__main__":
    main()
