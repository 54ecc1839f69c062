#!/usr/bin/env python3
"""Behaviour by arm of an invented experiment, by scipy and numpy: tests/reference/arms/.

rows.tsv has no queries, so that rows are independent; lists.tsv has queries that are seen in every arm, and users that
are in one arm each. expected.json: for each file, unit and level the figures of each arm with bounds. Rates of single
rows by scipy (Wilson's interval, Katz' of the ratio), differences of rates by Newcombe's method 10 with the correlation
that common units make (Zou and Donner); all else from the covariance matrix of the sums by unit.

    arms_eval.py tests/reference/arms
"""
import json
import pathlib
import sys

import numpy as np
import scipy.stats
from scipy.stats import contingency

ARMS = ["control", "blue | bold", "red"]
COLUMNS = ["row_id", "query_id", "label", "score", "clicked", "converted", "carted", "revenue", "dwell_s", "propensity",
           "arm", "user"]
FIGURES = {"ctr": ("clicked", None), "cvr": ("converted", "clicked"), "ctcvr": ("converted", None),
           "cart_rate": ("carted", None), "revenue_per_impression": ("revenue", None),
           "dwell_mean_s": ("dwell_s", "known")}


def make(rng):
    rows = []
    for user in range(90):
        arm = ARMS[user % 3] if user % 15 != 14 else ""
        taste = rng.beta(1, 3)
        for _ in range(int(rng.integers(1, 9))):
            clicked = int(rng.random() < taste * (1.5 if arm == "red" else 1))
            converted = int(clicked and rng.random() < 0.35 and arm != "blue | bold")
            rows.append({"row_id": len(rows), "query_id": f"q{int(rng.integers(0, 25))}", "label": clicked,
                         "score": round(float(rng.random()), 3), "clicked": clicked, "converted": converted,
                         "carted": int(clicked and rng.random() < 0.5),
                         "revenue": round(float(rng.gamma(2, 10)) - 2, 2) if converted else 0.0,
                         "dwell_s": round(float(rng.gamma(2, 20)), 1) if clicked else None,
                         "propensity": round(float(rng.uniform(0.2, 1)), 3), "arm": arm, "user": f"u{user}"})
    return rows


def pair(row, name):
    """What a row adds to numerator and denominator."""
    figure, _, form = name.partition("_snips")
    ips = name.endswith("_ips")
    figure = figure.removesuffix("_ips") if ips else figure
    top, below = FIGURES[figure]
    if below == "known":
        n, d = (0.0, 0.0) if row[top] is None else (row[top], 1.0)
    else:
        n, d = float(row[top]), float(row[below]) if below else 1.0
    if ips or "_snips" in name:
        n /= row["propensity"]
        d /= row["propensity"] if "_snips" in name or below else 1
    return n, d


def sums_by_unit(rows, name, arm, units, key):
    out = np.zeros((len(units), 2))
    for row in rows:
        if row["arm"] == arm:
            out[units[key(row)]] += pair(row, name)
    return out


def linear(sums):
    """Of a ratio of sums: each unit's part of its deviation."""
    n, d = sums.sum(axis=0)
    return (sums[:, 0] - n / d * sums[:, 1]) / d


def around(value, variance, z):
    half = z * np.sqrt(variance)
    return [value, value - half, value + half]


def compare(rows, name, key, level):
    z = scipy.stats.norm.ppf(0.5 + level / 2)
    units = {u: i for i, u in enumerate(dict.fromkeys(key(row) for row in rows))}
    by_row = len(units) == len(rows)
    is_rate = name in ("ctr", "cvr", "ctcvr", "cart_rate")
    arms = {}
    for arm in ARMS:
        sums = sums_by_unit(rows, name, arm, units, key)
        sums_here = sums[sums[:, 1] > 0]
        n, d = sums.sum(axis=0)
        parts = linear(sums)
        count = len(sums_here)
        variance = (parts ** 2).sum() * (1 if is_rate and by_row else count / (count - 1))
        value = n / d
        if is_rate and by_row:
            ci = scipy.stats.binomtest(int(n), int(d)).proportion_ci(level, method="wilson")
            of_arm = [value, ci.low, ci.high]
        elif is_rate:
            rows_like = value * (1 - value) / variance if 0 < value < 1 else count
            middle = (value + z * z / (2 * rows_like)) / (1 + z * z / rows_like)
            half = z / (1 + z * z / rows_like) * np.sqrt(value * (1 - value) / rows_like + z * z / (4 * rows_like ** 2))
            of_arm = [value, middle - half, middle + half]
        else:
            of_arm = around(value, variance, z) if variance > 0 else [value, None, None]
        arms[arm] = {"n": n, "d": d, "value": of_arm, "parts": parts, "variance": variance,
                     "units": {u for u in range(len(units)) if sums[u, 1] > 0}}
    out, control = {}, arms[ARMS[0]]
    for arm, a in arms.items():
        out[arm] = {"value": a["value"]}
        if arm == ARMS[0]:
            continue
        shared = bool(a["units"] & control["units"])
        covariance = float(a["parts"] @ control["parts"]) if shared else 0.0
        x, y = a["value"], control["value"]
        difference = around(x[0] - y[0], a["variance"] + control["variance"] - 2 * covariance, z)
        if is_rate:
            scale = np.sqrt((a["parts"] ** 2).sum() * (control["parts"] ** 2).sum())
            shrink = -2 * covariance / scale if scale else 0
            for bound, sign, one, other in ((1, -1, x[0] - x[1], y[2] - y[0]), (2, 1, x[2] - x[0], y[0] - y[1])):
                difference[bound] = x[0] - y[0] + sign * np.sqrt(one ** 2 + other ** 2 + shrink * one * other)
        ratio = [x[0] / y[0], None, None]
        if x[0] > 0:
            if is_rate and by_row:
                ci = contingency.relative_risk(int(a["n"]), int(a["d"]), int(control["n"]),
                                               int(control["d"])).confidence_interval(level)
                ratio[1:] = [ci.low, ci.high]
            else:
                spread = a["variance"] / x[0] ** 2 + control["variance"] / y[0] ** 2 - 2 * covariance / (x[0] * y[0])
                half = z * np.sqrt(spread)
                ratio[1:] = [ratio[0] * np.exp(-half), ratio[0] * np.exp(half)]
        out[arm] |= {"difference": difference, "ratio": ratio}
    return out


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rows = make(np.random.default_rng(20260102))
    for name, columns in (("rows", [c for c in COLUMNS if c != "query_id"]), ("lists", COLUMNS)):
        lines = ["\t".join("" if row[c] is None else str(row[c]) for c in columns) for row in rows]
        (folder / f"{name}.tsv").write_text("\n".join(["\t".join(columns), *lines]) + "\n")
    cases = []
    for name, unit, key, level in (("rows", "row", lambda row: row["row_id"], 0.95),
                                   ("rows", "row", lambda row: row["row_id"], 0.8),
                                   ("rows", "user", lambda row: row["user"], 0.95),
                                   ("lists", "query", lambda row: row["query_id"], 0.95),
                                   ("lists", "user", lambda row: row["user"], 0.9)):
        figures = [f + form for f in FIGURES for form in ("", "_ips", "_snips")]
        cases.append({"file": name, "unit": unit, "level": level,
                      "figures": {f: compare(rows, f, key, level) for f in figures}})
    (folder / "expected.json").write_text(json.dumps({"arms": ARMS, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
