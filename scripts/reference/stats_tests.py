#!/usr/bin/env python3
"""Intervals and paired tests by scipy and numpy: tests/reference/stats/{bootstrap,paired}.json.

The resamples are reco's own (stats_philox.py), so that intervals agree to rounding. Seeded: the same versions write the
same files.

    stats_tests.py tests/reference/stats
"""
import json
import pathlib
import sys
import warnings

import numpy as np
import scipy.stats as st
from scipy.optimize import brentq

from stats_philox import resample_indices, signs

warnings.filterwarnings("ignore")


def interval(values, method, level, replicates):
    """scipy's own interval from replicates that are given to it."""
    known = st._resampling.BootstrapResult(confidence_interval=None, bootstrap_distribution=replicates, standard_error=None)
    found = st.bootstrap((values,), np.mean, n_resamples=0, method=method, confidence_level=level, bootstrap_result=known)
    return {"low": found.confidence_interval.low, "high": found.confidence_interval.high, "se": found.standard_error}


def bootstrap_cases(rng):
    cases = []
    for name, values in {"uniform": rng.random(40), "skewed": rng.exponential(size=150) ** 2, "binary": rng.random(300) < 0.07,
                         "two": np.array([0.25, 0.75]), "odd": rng.integers(-64, 65, 7) / 32}.items():
        values = np.asarray(values, float)
        seed, resamples = int(rng.integers(2**63)), 400
        replicates = np.array([values[resample_indices(len(values), seed, b)].mean() for b in range(resamples)])
        case = {"name": name, "values": values.tolist(), "seed": str(seed), "resamples": resamples, "intervals": []}
        for method in ("percentile", "BCa"):
            for level in (0.95, 0.8):
                case["intervals"].append({"method": method.lower(), "level": level} | interval(values, method, level, replicates))
        cases.append(case)
    return cases


def number(value):
    return float(value) if np.isfinite(value) else None


def randomisation(d, seed, samples):
    moving = d[d != 0]
    if len(moving) <= 20:
        if not 2 <= len(d) <= 16:
            return exact(moving)
        return st.permutation_test((d, np.zeros_like(d)), lambda x, y, axis: np.mean(x - y, axis=axis), vectorized=True,
                                   permutation_type="samples", n_resamples=np.inf).pvalue
    observed = abs(moving.sum())
    extreme = sum(abs((signs(len(moving), seed, s) * moving).sum()) >= observed * (1 - 1e-12) for s in range(samples))
    return (1 + extreme) / (1 + samples)


def exact(d):
    sums = np.zeros(1)
    for x in d:
        sums = np.concatenate([sums + x, sums - x])
    return np.mean(np.abs(sums) >= abs(d.sum()) - 1e-12 * np.abs(d).sum())


def wilcoxon(d):
    moving = d[d != 0]
    if len(moving) == 0:
        return None
    tied = len(set(np.abs(moving))) < len(moving)
    if len(moving) > 50:
        return st.wilcoxon(d, method="asymptotic").pvalue
    if not tied:
        return st.wilcoxon(moving, method="exact").pvalue
    ranks = st.rankdata(np.abs(moving))  # all signs, given the ties
    reach = np.zeros(int(2 * ranks.sum()) + 1)
    reach[0] = 1
    for r in (2 * ranks).astype(int):
        reach[r:] = reach[r:] + reach[:-r]
    w = int(2 * ranks[moving > 0].sum())
    return min(1, 2 * min(reach[: w + 1].sum(), reach[w:].sum()) / 2 ** len(moving))


def paired_cases(rng):
    cases = []
    shapes = {"small": rng.normal(0.3, 1, 9), "small_tied": rng.integers(-3, 5, 12) / 4, "exact_16": rng.normal(0.5, 1, 16),
              "exact_20": np.concatenate([rng.normal(0.4, 1, 20), np.zeros(11)]), "middle": rng.normal(0.1, 1, 45),
              "middle_tied": rng.integers(-4, 6, 48) / 8, "large": rng.normal(0.05, 1, 700), "large_tied": rng.integers(-3, 4, 500) / 8,
              "strong": rng.normal(1, 1, 200), "all_equal": np.full(12, 0.125), "all_zero": np.zeros(6), "one": np.array([0.5])}
    for name, d in shapes.items():
        seed, samples = int(rng.integers(2**63)), 500
        mean, sd = d.mean(), d.std(ddof=1) if len(d) > 1 else np.nan
        case = {"name": name, "differences": d.tolist(), "seed": str(seed), "samples": samples,
                "randomisation": number(randomisation(d, seed, samples)),
                "t": number(st.ttest_rel(d, np.zeros_like(d)).pvalue) if len(d) > 1 and sd > 0 else None,
                "wilcoxon": wilcoxon(d), "mean": mean, "sd": number(sd),
                "effect": number(mean / sd) if sd > 0 else None}
        if sd > 0 and mean != 0:
            case["needed"] = needed(abs(mean) / sd)
        cases.append(case)
    return cases


def needed(effect):
    """Pairs with which a t-test at 0.05 sees the effect in 4 of 5 trials, by the noncentral t distribution."""
    normal = ((st.norm.ppf(0.975) + st.norm.ppf(0.8)) / effect) ** 2
    return brentq(lambda n: st.nct.sf(st.t.ppf(0.975, n - 1), n - 1, effect * np.sqrt(n)) - 0.8, max(2.01, 0.9 * normal), normal + 9)


def holm(p):
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(np.minimum(1, (len(p) - np.arange(len(p))) * np.asarray(p)[order]))
    out = np.empty(len(p))
    out[order] = adjusted
    share = np.empty(len(p))
    share[order] = 1 / (len(p) - np.arange(len(p)))
    return out.tolist(), share.tolist()


def main():
    folder = pathlib.Path(sys.argv[1])
    rng = np.random.default_rng(5)
    (folder / "bootstrap.json").write_text(json.dumps({"cases": bootstrap_cases(rng)}, indent=1) + "\n")
    p = [0.01, 0.04, 0.03, 0.005, 0.5, 0.03, 0.9]
    x = [0.001, 0.02, 0.2, 0.5, 0.77, 0.999, 1 - 1e-9, 1e-12]
    t = [[0.0, 3], [1.5, 1], [-2.3, 7], [2.3, 40], [9.0, 12], [0.4, 99999], [40.0, 500]]
    distributions = {"normal_quantile": [[v, st.norm.ppf(v)] for v in x], "normal_cdf": [[v, st.norm.cdf(v)] for v in (-9, -3.1, 0, 0.7, 5)],
                     "student": [[a, df, 2 * st.t.sf(abs(a), df)] for a, df in t],
                     "student_quantile": [[p, df, st.t.isf(p / 2, df)] for p, df in ((0.05, 9), (0.05, 199), (0.2, 1), (1e-6, 3), (1, 5), (0.0001, 199))]}
    paired = {"cases": paired_cases(rng), "holm": {"p": p, "adjusted": holm(p)[0], "share": holm(p)[1]}, "distributions": distributions}
    (folder / "paired.json").write_text(json.dumps(paired, indent=1) + "\n")


main()
