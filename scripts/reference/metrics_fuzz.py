#!/usr/bin/env python3
"""Random predictions files: `reco eval` against scikit-learn and scipy, figure by figure.

Draws files with 2 to 7 classes or a regression, ties, missing and single classes, labels left out, infinite scores,
probabilities of 0, 1 and 1e-300, numbers of 17 digits, awkward label names and columns left out; evaluates each with a
built reco, once more with its rows in another order, and compares every figure. Exit status 1 when one differs.

    metrics_fuzz.py build/bin/reco [--cases 500] [--seed 1] [--keep FOLDER]

Where reco differs on purpose: scikit-learn answers 0 (or warns) where a figure is undefined, reco says that it is
undefined; that is what `expected_of_classes` and `expected_of_numbers` write as None.
"""
import argparse
import functools
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import scipy.stats
from scipy.stats import rankdata
from sklearn import metrics as sk

warnings.filterwarnings("ignore")
TOLERANCE = 1e-9
BINS = 15
NAMES = [["0", "1"], ["no", "yes"], ["b", "a"], ["1", "2", "3", "4"], ["4", "1", "3", "2"], ["irrelevant", "partial", "exact"],
         ["macro x", "weighted.", "a=b:c"], ["é", "ü", "日本"], ["x", "y", "z", "w", "v"], ["-1", "0", "1"], ["0.5", "1.5", "2"],
         ["a", "b", "c", "d", "e", "f"], ["1", "2", "3", "4", "5", "6", "7"]]


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def positive_of(names):
    grades = [number(name) for name in names]
    return int(np.argmax(grades)) if None not in grades else len(names) - 1


def defined(value):
    return float(value) if value is not None and np.isfinite(value) else None


def mean_of(values, weights=None):
    return None if None in values else float(np.average(values, weights=weights))


def expected_of_classes(names, y, predicted, p, score):
    """y, predicted: class numbers of the rows with a label; p [rows, classes] or None; score of the positive one or None."""
    positive, classes = positive_of(names), range(len(names))
    out = {}
    if predicted is not None:
        out["accuracy"] = sk.accuracy_score(y, predicted)
        out["balanced_accuracy"] = sk.balanced_accuracy_score(y, predicted)
        one_sided = len(set(y)) < 2 or len(set(predicted)) < 2
        out["mcc"] = None if one_sided else sk.matthews_corrcoef(y, predicted)
        same = len(set(y) | set(predicted)) < 2
        for name, weights in (("kappa", None), ("kappa_linear", "linear"), ("kappa_quadratic", "quadratic")):
            out[name] = None if same else defined(sk.cohen_kappa_score(y, predicted, labels=classes, weights=weights))
        scores = [("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)]
        scores += [(f"f{beta}", functools.partial(sk.fbeta_score, beta=float(beta))) for beta in ("0.5", "2")]
        for name, of in scores:
            for average in ("macro", "micro", "weighted"):
                out[f"{name}_{average}"] = of(y, predicted, average=average, zero_division=0)
            by_class = of(y, predicted, labels=classes, average=None, zero_division=np.nan)
            for c, label in enumerate(names):
                out[f"{name}_{label}"] = defined(by_class[c])
            out[name] = out[f"{name}_{names[positive]}"] if len(names) == 2 else out[f"{name}_macro"]
    if p is None and (score is None or len(names) > 2):
        return out
    auc, ap = [], []
    for c, label in enumerate(names):
        truth = y == c
        of_class = p[:, c] if p is not None else rankdata(score if c == positive else -score)  # infinities are ranks
        both = 0 < truth.sum() < len(y)
        auc.append(sk.roc_auc_score(truth, of_class) if both else None)
        ap.append(sk.average_precision_score(truth, of_class) if both else None)
        out[f"auc_{label}"], out[f"average_precision_{label}"] = auc[-1], ap[-1]
    support = np.bincount(y, minlength=len(names))
    for name, values in (("auc", auc), ("average_precision", ap)):
        out[f"{name}_macro"] = mean_of(values)
        out[f"{name}_weighted"] = mean_of(values, support)
        out[name] = values[positive] if len(names) == 2 else out[f"{name}_macro"]
    if p is None:
        return out
    out["auc_ovo"] = None if None in auc else one_against_one(y, p)
    out["log_loss"] = sk.log_loss(y, p, labels=classes)
    out["brier"] = float(np.mean(np.sum((p - np.eye(len(names))[y]) ** 2, axis=1))) / (2 if len(names) == 2 else 1)
    out["ece"], out["ece_adaptive"] = calibration_errors(y, p)
    return out


def one_against_one(y, p):
    """As roc_auc_score(multi_class="ovo"), which refuses rows whose p do not sum to one to 1e-8."""
    values = []
    for a in range(p.shape[1]):
        for b in range(p.shape[1]):
            if a != b:
                of_pair = (y == a) | (y == b)
                values.append(sk.roc_auc_score(y[of_pair] == a, p[of_pair, a]))
    return float(np.mean(values))


def calibration_errors(y, p):
    """By the definitions: bins (b / B, (b + 1) / B] of confidence; bins of equally many rows, ties and edges shared out."""
    confidence, hit = p.max(axis=1), (p.argmax(axis=1) == y).astype(float)
    place = np.clip(np.searchsorted(np.arange(BINS + 1) / BINS, confidence, side="left") - 1, 0, BINS - 1)
    ece = sum(abs((confidence - hit)[place == b].sum()) for b in range(BINS)) / len(y)
    values, inverse, times = np.unique(confidence, return_inverse=True, return_counts=True)
    gap = values - np.bincount(inverse, weights=hit) / times
    below = np.concatenate([[0], np.cumsum(times * gap)])
    at = np.interp(np.arange(BINS + 1) * len(y) / BINS, np.concatenate([[0], np.cumsum(times)]), below)
    return ece, np.abs(np.diff(at)).sum() / len(y)


def expected_of_numbers(target, value):
    """An infinite number makes an infinite error (scikit-learn refuses such), but has a rank."""
    if np.isfinite(target).all() and np.isfinite(value).all():
        out = {"mse": defined(sk.mean_squared_error(target, value)), "mae": sk.mean_absolute_error(target, value)}
        out["rmse"] = None if out["mse"] is None else sk.root_mean_squared_error(target, value)
    else:
        out = {"mse": None, "rmse": None, "mae": None}
    varies = len(set(target)) > 1 and len(set(value)) > 1
    for name, of in (("pearson", scipy.stats.pearsonr), ("spearman", scipy.stats.spearmanr), ("kendall", scipy.stats.kendalltau)):
        out[name] = defined(of(value, target)[0]) if varies else None
    return out


# ---- drawing ----


def draw_p(rng, y, classes):
    p = np.exp(rng.normal(size=(len(y), classes)) * rng.choice([0.1, 1, 5]) + rng.choice([0, 1, 3]) * np.eye(classes)[y])
    p /= p.sum(axis=1, keepdims=True)
    digits = rng.choice([1, 2, 3, 9, 17])
    if digits < 17:
        p = np.round(p, digits)
        p[:, -1] = np.round(1 - p[:, :-1].sum(axis=1), digits)
        p = np.clip(p, 0, 1)
    extreme = rng.random(len(y)) < rng.choice([0, 0.3, 1], p=[0.7, 0.2, 0.1])
    for row in np.flatnonzero(extreme):
        tiny = rng.choice([0, 1e-300, 1e-17, 1e-16, 1e-9])
        p[row] = tiny
        p[row, rng.integers(classes)] = 1 - (classes - 1) * tiny
    wrong = np.abs(p.sum(axis=1) - 1) > 9e-4  # clipping may leave more than reco takes
    p[wrong] = np.eye(classes)[rng.integers(classes, size=wrong.sum())]
    if rng.random() < 0.1:
        p *= 1 - 5e-4
    return p


def text_of(value):
    return repr(float(value))


def draw_classes(rng):
    names = NAMES[rng.integers(len(NAMES))]
    classes = len(names)
    rows = int(rng.choice([1, 2, 3, 10, 60, 400]))
    used = rng.permutation(classes)[: rng.integers(1, classes + 1)] if rng.random() < 0.4 else np.arange(classes)
    y = rng.choice(used, size=rows)
    p = draw_p(rng, y, classes)
    with_p = rng.random() < 0.8 or classes > 2 and rng.random() < 0.5
    with_predicted = not with_p or rng.random() < 0.5
    predicted = p.argmax(axis=1) if rng.random() < 0.5 or not with_predicted else rng.choice(used, size=rows)
    with_score = rng.random() < 0.5 or not (with_p or with_predicted)
    score = np.round(rng.normal(size=rows) + (y == positive_of(names)), rng.choice([0, 1, 15]))
    if rng.random() < 0.3:
        score[rng.random(rows) < 0.3] = np.inf
        score[rng.random(rows) < 0.3] = -np.inf
    labelled = rng.random(rows) < rng.choice([1, 0.7])
    labelled[rng.integers(rows)] = True
    columns = {"row_id": [f"r{i}" for i in range(rows)], "label": [names[c] if l else "" for c, l in zip(y, labelled)]}
    if with_predicted:
        columns["predicted"] = [names[c] for c in predicted]
    if with_p:
        for c in range(classes):
            columns[f"p_{names[c]}"] = [text_of(v) for v in p[:, c]]
    if with_score:
        columns["score"] = [text_of(v) for v in score]
    sidecar = None
    if not with_p:  # else the classes would be those that are seen
        sidecar = {"labels": {"task": "classification", "names": names, "positive": names[positive_of(names)]}}
    expected = expected_of_classes(names, y[labelled], predicted[labelled] if with_predicted or with_p else None,
                                   p[labelled] if with_p else None, score[labelled] if with_score else None)
    return columns, sidecar, expected


def draw_numbers(rng):
    rows = int(rng.choice([1, 2, 3, 10, 60, 400]))
    scale = rng.choice([1, 1e-3, 1e6, 1e-160, 1e100, 1e200])
    target = rng.normal(size=rows) * scale
    value = target * rng.choice([1, 0, -1, 0.3]) + rng.normal(size=rows) * scale * rng.choice([0, 0.1, 3])
    if rng.random() < 0.5:
        target, value = np.round(target / scale, 1) * scale, np.round(value / scale, 1) * scale
    if rng.random() < 0.3:
        target, value = target + 1e4 * scale, value + rng.choice([1e4, 1e6]) * scale
    if rng.random() < 0.1:
        value[:] = value[0]
    if rng.random() < 0.1:
        target[rng.random(rows) < 0.1] = np.inf
        value[rng.random(rows) < 0.1] = -np.inf
    labelled = rng.random(rows) < rng.choice([1, 0.7])
    labelled[rng.integers(rows)] = True
    columns = {"row_id": [f"r{i}" for i in range(rows)], "label": [text_of(v) if l else "" for v, l in zip(target, labelled)],
               "predicted": [text_of(v) for v in value]}
    return columns, {"labels": {"task": "regression"}}, expected_of_numbers(target[labelled], value[labelled])


# ---- comparing ----


def write(path, columns, sidecar, order):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write("\t".join(columns) + "\n")
        for row in order:
            file.write("\t".join(values[row] for values in columns.values()) + "\n")
    beside = pathlib.Path(f"{path}.json")
    beside.unlink(missing_ok=True)
    if sidecar:
        beside.write_text(json.dumps(sidecar))


def evaluate(reco, path):
    done = subprocess.run([reco, "eval", "--predictions", path, "--format", "json"], capture_output=True, text=True)
    if done.returncode:
        return None, f"exit {done.returncode}: {done.stderr.strip()}"
    return json.loads(done.stdout)["metrics"], None


def differences(ours, theirs):
    for name, value in theirs.items():
        if name not in ours:
            yield f"{name}: not in the report; reference {value}"
        elif (ours[name] is None) != (value is None):
            yield f"{name}: {ours[name]}, reference {value}"
        elif value is not None and not abs(ours[name] - value) <= TOLERANCE * max(1, abs(value)) + PRINTED * abs(value):
            yield f"{name}: {ours[name]!r}, reference {value!r}"
    for name in ours.keys() - theirs.keys():
        if ours[name] is not None:
            yield f"{name}: {ours[name]}, and no reference"


PRINTED = 5e-9  # nine digits are printed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("reco")
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="folder for the files that differ")
    options = parser.parse_args()
    wrong = figures = 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "p.tsv")
        for case in range(options.cases):
            rng = np.random.default_rng([options.seed, case])
            columns, sidecar, expected = (draw_numbers if rng.random() < 0.25 else draw_classes)(rng)
            rows = len(columns["row_id"])
            found = []
            for order in (np.arange(rows), rng.permutation(rows)):
                write(path, columns, sidecar, order)
                ours, error = evaluate(options.reco, path)
                found += [error] if error else differences(ours, expected)
            figures += len(expected)
            if found:
                wrong += 1
                print(f"case {case}, {rows} rows, columns {' '.join(columns)}:", *found, sep="\n  ")
                if options.keep:
                    write(pathlib.Path(options.keep, f"case-{case}.tsv"), columns, sidecar, np.arange(rows))
    print(f"{options.cases} files, {figures} figures, {wrong} files with differences")
    return 1 if wrong or not figures else 0


if __name__ == "__main__":
    sys.exit(main())
