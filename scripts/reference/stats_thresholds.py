#!/usr/bin/env python3
"""Thresholds from scikit-learn's precision_recall_curve and, for costs, by trying every cut: tests/reference/stats/threshold.json.

Equal objectives: the highest cut, as reco. Of many classes the mean F-beta of the most probable class, of each class cut for
itself, and the greatest that scipy's differential evolution finds. Seeded.

    stats_thresholds.py tests/reference/stats
"""
import json
import pathlib
import sys

import numpy as np
from scipy.optimize import differential_evolution
from scipy.special import softmax
from sklearn.metrics import fbeta_score, precision_recall_curve


def best(objective, parameter, p, yes):
    precision, recall, cuts = precision_recall_curve(yes, p)
    precision, recall = precision[:-1], recall[:-1]
    if objective == "f_beta":
        b = parameter**2
        with np.errstate(invalid="ignore"):
            value = np.nan_to_num((1 + b) * precision * recall / (b * precision + recall))
        value = np.round(value, 12)
    elif objective == "precision":
        value = np.where(precision >= parameter, recall + 1e-6 * precision, -1)
    else:
        value = np.where(recall >= parameter, precision, -1)
    i = len(value) - 1 - np.argmax(value[::-1])
    if value[i] < 0:
        return {"objective": objective, "parameter": parameter, "cut": None}
    return {"objective": objective, "parameter": parameter, "cut": cuts[i], "precision": precision[i], "recall": recall[i]}


def least_cost(p, yes, missed, alarm):
    cuts = np.concatenate([[np.inf], np.unique(p)[::-1]])
    costs = [float(missed * (yes & (p < c)).sum() + alarm * (~yes & (p >= c)).sum()) for c in cuts]
    i = int(np.argmin(costs))
    return {"missed": missed, "alarm": alarm, "cut": None if np.isinf(cuts[i]) else cuts[i], "cost": costs[i]}


def main():
    rng = np.random.default_rng(13)
    out = {"binary": [], "many": []}
    for name, rows, digits in (("smooth", 300, 9), ("ties", 250, 2), ("few", 12, 3)):
        truth = rng.random(rows)
        yes = rng.random(rows) < truth
        p = np.round(np.clip(truth + rng.normal(0, 0.15, rows), 0, 1), digits)
        item = {"name": name, "p": p.tolist(), "label": yes.astype(int).tolist()}
        item["cases"] = [best(o, v, p, yes) for o, v in (("f_beta", 1.0), ("f_beta", 0.5), ("f_beta", 2.0), ("precision", 0.8),
                                                          ("precision", 0.9), ("recall", 0.9), ("recall", 1.0), ("precision", 0.999))]
        item["costs"] = [least_cost(p, yes, m, a) for m, a in ((1, 1), (5, 1), (1, 7), (0.001, 50))]
        out["binary"].append(item)
    truth = softmax(rng.normal(size=(300, 3)) * 1.5, axis=1)
    y = np.array([rng.choice(3, p=t) for t in truth])
    p = np.round(truth**0.8 / (truth**0.8).sum(axis=1, keepdims=True), 9)
    costs = np.array([[0, 1, 4.0], [2, 0, 1], [9, 3, 0]])
    f_beta = []
    for beta in (0.5, 1.0, 2.0):
        def reached(weights):
            return fbeta_score(y, np.argmax(p * weights, axis=1), beta=beta, average="macro", zero_division=0)

        alone = [best("f_beta", beta, p[:, c], y == c)["cut"] for c in range(3)]
        found = differential_evolution(lambda log: -reached(np.exp([0, *log])), [(-4, 4)] * 2, seed=1, tol=1e-9, maxiter=300)
        f_beta.append({"beta": beta, "most_probable": reached(np.ones(3)), "alone": reached(1 / np.array(alone)), "searched": -found.fun})
    out["many"] = {"p": p.tolist(), "label": y.tolist(), "costs": costs.tolist(), "by_cost": np.argmin(p @ costs, axis=1).tolist(),
                   "f_beta": f_beta}
    pathlib.Path(sys.argv[1], "threshold.json").write_text(json.dumps(out) + "\n")


main()
