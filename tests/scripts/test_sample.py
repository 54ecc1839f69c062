"""The bundled sample: the generator writes the committed bytes, the splits share no query, and word overlap does not solve it."""

import csv
import filecmp
import os
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SAMPLE = os.path.join(ROOT, "data", "sample")
FILES = ["items.csv", "train.csv", "dev.csv", "test.csv", "impressions.csv"]
sys.path.insert(0, os.path.join(ROOT, "scripts", "sample"))
sys.dont_write_bytecode = True
import make_sample  # noqa: E402


def auc(scores, relevant):
    """Area under the ROC curve by ranks, ties at their mean rank."""
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    ranks, i = [0.0] * len(scores), 0
    while i < len(order):
        j = i
        while j < len(order) and scores[order[j]] == scores[order[i]]:
            j += 1
        for k in range(i, j):
            ranks[order[k]] = (i + j + 1) / 2
        i = j
    positives = sum(relevant)
    rank_sum = sum(r for r, is_relevant in zip(ranks, relevant) if is_relevant)
    return (rank_sum - positives * (positives + 1) / 2) / (positives * (len(scores) - positives))


def rows(name):
    with open(os.path.join(SAMPLE, name), encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def check(condition, message):
    if not condition:
        sys.exit("sample: " + message)


def main():
    with tempfile.TemporaryDirectory() as made:
        make_sample.main(["--output_dir", made])
        for name in FILES:
            check(filecmp.cmp(os.path.join(made, name), os.path.join(SAMPLE, name), shallow=False),
                  "the generator does not write the committed %s" % name)
    check(sum(os.path.getsize(os.path.join(SAMPLE, f)) for f in FILES) < 1 << 20, "the files are over 1 MiB")

    splits = {name: rows(name + ".csv") for name in ("train", "dev", "test")}
    items = {r["item_id"]: r for r in rows("items.csv")}
    for name, count in (("train", 2000), ("dev", 300), ("test", 500)):
        check(len(splits[name]) == count, "%s has %d pairs, not %d" % (name, len(splits[name]), count))
        check({r["label"] for r in splits[name]} == set("0123"), "%s lacks a grade" % name)
        for r in splits[name]:
            check(items[r["item_id"]]["title"] == r["title"], "%s is not in the item table" % r["id"])
            check(r["clicked"] == "1" or (r["converted"], r["dwell_s"]) == ("0", ""), "%s: events without a click" % r["id"])
    for key in ("query", "query_id"):
        train = {r[key] for r in splits["train"]}
        for name in ("dev", "test"):
            check(train.isdisjoint(r[key] for r in splits[name]), "%s shares a %s with train" % (name, key))
    log = rows("impressions.csv")
    check(all(r["item_id"] in items for r in log), "the log names an item that is not in the table")
    check(0.05 < sum(int(r["clicked"]) for r in log) / len(log) < 0.4, "the log's click rate is out of bounds")

    for name, pairs in splits.items():
        grades = [int(r["label"]) for r in pairs]
        texts = {"title": [dict(r, description="") for r in pairs], "title and description": pairs}
        for text, candidates in texts.items():
            overlap = [make_sample.overlap(r["query"], r) for r in candidates]
            for lowest in (1, 2, 3):
                area = auc(overlap, [g >= lowest for g in grades])
                print("%s, grade >= %d, overlap with %s: AUC %.3f" % (name, lowest, text, area))
                check(area < 0.85, "overlap solves %s at grade >= %d: AUC %.3f" % (name, lowest, area))


if __name__ == "__main__":
    main()
