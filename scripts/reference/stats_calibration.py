#!/usr/bin/env python3
"""Calibrations and reliability curves by scikit-learn and scipy: tests/reference/stats/calibration.json.

Temperature: the root of the derivative of the log likelihood by scipy.optimize.brentq, checked against scikit-learn's own.
Platt: scikit-learn's logistic regression without penalty on rows with smoothed targets as weights, checked against its
_sigmoid_calibration. Isotonic: IsotonicRegression. Reliability: calibration_curve. Seeded.

    stats_calibration.py tests/reference/stats
"""
import json
import pathlib
import sys

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit, softmax
from sklearn.calibration import _sigmoid_calibration, calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

GRID = np.array([0, 0.001, 0.05, 0.2, 0.333, 0.5, 0.61, 0.8, 0.93, 0.999, 1])
BINS = 15


def temperature(p, y):
    z = np.log(np.maximum(p, np.finfo(float).eps))

    def slope(beta):
        q = softmax(beta * z, axis=1)
        return np.mean((q * z).sum(axis=1) - z[np.arange(len(y)), y])

    beta = brentq(slope, 1e-4, 1e4, xtol=1e-16, rtol=1e-15, maxiter=1000)
    try:
        from sklearn.calibration import _TemperatureScaling

        theirs = _TemperatureScaling().fit(z, y)
        assert abs(theirs.beta_ - beta) < 1e-3 * beta, (theirs.beta_, beta)
    except ImportError:
        pass
    return 1 / beta


def platt(p, yes):
    eps = np.finfo(float).eps
    f = np.log(np.maximum(p, eps)) - np.log(np.maximum(1 - p, eps))
    positives, negatives = yes.sum(), len(yes) - yes.sum()
    target = np.where(yes, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-14, max_iter=1000)
    model.fit(np.concatenate([f, f])[:, None], np.repeat([1, 0], len(f)), sample_weight=np.concatenate([target, 1 - target]))
    a, b = -model.coef_[0, 0], -model.intercept_[0]
    loose_a, loose_b = _sigmoid_calibration(f, yes.astype(int))
    assert abs(a - loose_a) < 1e-3 and abs(b - loose_b) < 1e-3, (a, b, loose_a, loose_b)
    return a, b, expit(-(a * logit(np.clip(GRID, eps, 1 - eps)) + b))


def isotonic(p, yes):
    model = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(p, yes)
    return model.predict(GRID)


def ece(p, yes):
    observed, said = calibration_curve(yes, p, n_bins=BINS)
    count = np.bincount(np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], p), minlength=BINS)
    count = count[count > 0]
    return {"p": said.tolist(), "observed": observed.tolist(), "count": count.tolist(),
            "ece": float((count * np.abs(observed - said)).sum() / count.sum())}


def adaptive(p, yes):
    """Equal mass: bin b has the ranks from b N / B to (b + 1) N / B; rows of equal p share their ranks and mean outcome."""
    values, inverse, times = np.unique(p, return_inverse=True, return_counts=True)
    rate = np.bincount(inverse, weights=yes) / times
    end = np.cumsum(times)
    edges = np.arange(BINS + 1) * len(p) / BINS
    share = np.clip(np.minimum(end, edges[1:, None]) - np.maximum(end - times, edges[:-1, None]), 0, None)
    count, said, observed = share.sum(axis=1), share @ values, share @ rate
    return {"p": (said / count).tolist(), "observed": (observed / count).tolist(), "count": count.tolist(),
            "ece": float(np.abs(said - observed).sum() / len(p))}


def case(name, p, y):
    classes = p.shape[1]
    out = {"name": name, "p": p.tolist(), "label": y.tolist(), "temperature": temperature(p, y), "grid": GRID.tolist(), "classes": []}
    for c in range(classes):
        yes = y == c
        a, b, at = platt(p[:, c], yes)
        out["classes"].append({"a": a, "b": b, "platt": at.tolist(), "isotonic": isotonic(p[:, c], yes).tolist(),
                               "width": ece(p[:, c], yes)})
    top = p.argmax(axis=1)
    confidence = p[np.arange(len(y)), top]
    out["top"] = {"width": ece(confidence, top == y), "mass": adaptive(confidence, top == y)}
    return out


def main():
    rng = np.random.default_rng(8)
    cases = []
    for name, rows, classes, sharp, digits in (("binary", 300, 2, 2.5, 9), ("binary_ties", 250, 2, 1, 2), ("four", 400, 4, 2, 9)):
        truth = softmax(rng.normal(size=(rows, classes)) * 1.2, axis=1)
        y = np.array([rng.choice(classes, p=t) for t in truth])
        p = np.round(softmax(np.log(truth) * sharp, axis=1), digits)
        p[:, -1] = np.round(1 - p[:, :-1].sum(axis=1), digits)
        cases.append(case(name, np.clip(p, 0, 1), y))
    pathlib.Path(sys.argv[1], "calibration.json").write_text(json.dumps({"cases": cases}) + "\n")


main()
