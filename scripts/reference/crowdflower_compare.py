#!/usr/bin/env python3
"""Compares two sets of runs on the same CrowdFlower split: a Markdown table for README.

    crowdflower_compare.py RECO_DIR PEER_DIR

Each holds seed-<n>/predictions.tsv. For each figure: mean and standard deviation over the seeds on both sides, and the 95 %
interval of reco minus peer by Welch's t (unequal variances). Exit status 1 when an interval lies wholly below 0. All figures are
the higher the better; crowdflower_metrics.py defines them.
"""
import math
import pathlib
import sys

import numpy as np
from scipy import stats

from crowdflower_metrics import evaluate_file

FIGURES = ["accuracy", "macro_f1", "quadratic_kappa", "ndcg_at_10", "auc_grade_4"]


def read_runs(directory):
    runs = [evaluate_file(path) for path in sorted(pathlib.Path(directory).glob("seed-*/predictions.tsv"))]
    if len(runs) < 2:
        sys.exit(f"{directory}: at least 2 runs are needed, found {len(runs)}")
    return runs


def welch_interval(a, b):
    """95 % interval of mean(a) - mean(b).     Source: Welch 1947."""
    va, vb = np.var(a, ddof=1) / len(a), np.var(b, ddof=1) / len(b)
    difference = np.mean(a) - np.mean(b)
    if va + vb == 0:
        return difference, difference
    freedom = (va + vb) ** 2 / (va ** 2 / (len(a) - 1) + vb ** 2 / (len(b) - 1))
    half = stats.t.ppf(0.975, freedom) * math.sqrt(va + vb)
    return difference - half, difference + half


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    reco, peer = read_runs(sys.argv[1]), read_runs(sys.argv[2])
    if {(run["rows"], run["queries_with_relevant"]) for run in reco + peer} != {(peer[0]["rows"], peer[0]["queries_with_relevant"])}:
        sys.exit("the runs were not tested on the same rows")
    print(f"{peer[0]['rows']} test rows, {peer[0]['queries_with_relevant']} queries with a relevant row; "
          f"{len(reco)} seeds of reco, {len(peer)} of transformers\n")
    print("| figure | reco | transformers | difference, 95 % |\n|---|---|---|---|")
    worse = []
    for name in FIGURES:
        a, b = [run[name] for run in reco], [run[name] for run in peer]
        low, high = welch_interval(a, b)
        if high < 0:
            worse.append(name)
        print(f"| {name} | {np.mean(a):.4f} ± {np.std(a, ddof=1):.4f} | {np.mean(b):.4f} ± {np.std(b, ddof=1):.4f} | "
              f"{low:+.4f} to {high:+.4f} |")
    if worse:
        sys.exit(f"\nreco is worse in: {', '.join(worse)}")


if __name__ == "__main__":
    main()
