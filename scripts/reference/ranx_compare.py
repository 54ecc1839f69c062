#!/usr/bin/env python3
"""reco's ranking figures against ranx on random rankings, to the nine digits that the JSON has.

    python3 -m venv ranx-venv && ranx-venv/bin/pip install ranx      # its numba does not suit the other references' pins
    ranx-venv/bin/python scripts/reference/ranx_compare.py [reco]

Scores have no ties, since ranx leaves their order open. reco leaves queries without a relevant item out of its means,
so they are left out for ranx too. ranx weighs the hits of RBP by their grade, where reco (as the paper) asks whether an
item is relevant: those two are compared on grades of 0 and 1. Its bpref is not a number where all judged items are
relevant; trec_eval's C is the reference there (metrics_eval.py).
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import ranx

NAMES = {"map": "map", "map@10": "map@10", "mrr": "mrr", "precision@5": "precision@5", "recall@10": "recall@10",
         "hit_rate@3": "hit_rate@3", "r_precision": "r-precision",
         "rbp": "rbp.80", "rbp0.95": "rbp.95", "ndcg": "ndcg_burges", "ndcg@10": "ndcg_burges@10"}


def main():
    reco = sys.argv[1] if len(sys.argv) > 1 else "reco"
    rng = np.random.default_rng(5)
    qrels, run, lines = {}, {}, ["query_id\titem_id\tlabel\tp_0\tp_1\tp_2\tp_3\tscore"]
    for q in range(200):
        count = int(rng.integers(1, 80))
        grades = rng.choice(4, size=count, p=[0.7, 0.15, 0.1, 0.05])
        scores = rng.permutation(count) + 1.0
        if grades.any():
            qrels[f"q{q}"] = {f"d{i}": int(g) for i, g in enumerate(grades)}
            run[f"q{q}"] = {f"d{i}": float(s) for i, s in enumerate(scores)}
        lines += [f"q{q}\td{i}\t{g}\t1\t0\t0\t0\t{s:g}" for i, (g, s) in enumerate(zip(grades, scores))]
    theirs = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), list(NAMES.values()))
    binary = ranx.Qrels({q: {d: min(g, 1) for d, g in of_query.items()} for q, of_query in qrels.items()})
    theirs |= ranx.evaluate(binary, ranx.Run(run), ["rbp.80", "rbp.95"])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "predictions.tsv"
        path.write_text("\n".join(lines) + "\n")
        done = subprocess.run([reco, "eval", "--predictions", path, "--metrics", ",".join(NAMES), "--format", "json"],
                              capture_output=True, text=True, check=True)
    ours = json.loads(done.stdout)["metrics"]
    failed = False
    for name, of_ranx in NAMES.items():
        difference = abs(ours[name] - theirs[of_ranx])
        failed = failed or difference > 1e-9
        print(f"{name:14} reco {ours[name]:.9f}  ranx {theirs[of_ranx]:.9f}  {'' if difference <= 1e-9 else 'DIFFERS'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
