#!/usr/bin/env python3
"""What reco doctor has to count on the real data sets, by plain Python.

usage: doctor.py DATA_DIR > tests/reference/doctor/real.json
"""
import collections
import csv
import json
import os
import sys

csv.field_size_limit(10**9)
SETS = [
    (["crowdflower/train.csv"], "query", ["product_title", "product_description"], "median_relevance"),
    (["amazon_google/amazon_google_train.csv", "amazon_google/amazon_google_valid.csv",
      "amazon_google/amazon_google_test.csv"], "left_title", ["right_title"], "label"),
    (["qbqtc_zh/dev.csv"], "query", ["title"], "label"),
    (["afqmc_zh/train.csv", "afqmc_zh/dev.csv"], "sentence1", ["sentence2"], "label"),
]


def fold(text):
    return " ".join(text.lower().split())


def read(directory, files, query, descriptions, label):
    rows = []
    for number, name in enumerate(files):
        with open(os.path.join(directory, name), encoding="utf-8", newline="") as f:
            for row in csv.DictReader(f):
                description = " ".join(row[d] for d in descriptions if row[d])
                rows.append((number, fold(row[query]), fold(description), row[label], tuple(row.values()), row[query]))
    return rows


def overlap(groups, a, b):
    """Rows of file b in groups that file a has too."""
    return sum(sum(r[0] == b for r in g) for g in groups.values() if any(r[0] == a for r in g))


def figures(directory, files, query, descriptions, label):
    rows = read(directory, files, query, descriptions, label)
    pairs, queries = collections.defaultdict(list), collections.defaultdict(list)
    for row in rows:
        pairs[row[1], row[2]].append(row)
        queries[row[1]].append(row)
    items = sorted(collections.Counter(row[2] for row in rows).values(), reverse=True)
    n, total = len(items), len(rows)
    lengths = sorted(len(row[5]) for row in rows)
    later = [(a, b) for a in range(len(files)) for b in range(a + 1, len(files))]
    return {
        "files": files,
        "rows": [sum(row[0] == f for row in rows) for f in range(len(files))],
        "contradictions": sum(len(g) for g in pairs.values() if len({r[3] for r in g}) > 1),
        "duplicate_rows": total - len({(row[0], row[4]) for row in rows}),
        "query_spellings": sum(len({r[5] for r in g}) > 1 for g in queries.values()),
        "pair_rows": [overlap(pairs, a, b) for a, b in later],
        "query_rows": [overlap(queries, a, b) for a, b in later],
        "queries": [sum(any(r[0] == f for r in g) for g in queries.values()) for f in range(len(files))],
        "items": n,
        "gini": 2 * sum((n - i) * count for i, count in enumerate(items)) / (n * total) - (n + 1) / n,
        "top_percent_share": sum(items[: max(1, n // 100)]) / total,
        "query_characters": {"mean": sum(lengths) / total, "p50": lengths[-(-total * 50 // 100) - 1],
                             "p99": lengths[-(-total * 99 // 100) - 1], "max": lengths[-1]},
    }


json.dump([figures(sys.argv[1], *s) for s in SETS], sys.stdout, indent=1)
print()
