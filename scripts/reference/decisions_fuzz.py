#!/usr/bin/env python3
"""Random validation predictions: `reco threshold` and `reco calibrate` against scikit-learn, scipy and trying every cut.

Thresholds: the objective that a cut reaches is the greatest (least) of all cuts, the figures that are told are those of the
rows, `reco eval --threshold` on other rows decides as the definition says, and the order of the rows changes nothing.
Calibrations: the parameters are those of scipy and scikit-learn, `reco eval --calibration` on other rows gives the log loss of
their probabilities. Exit status 1 when one differs.

    decisions_fuzz.py build/bin/reco [--cases 300] [--seed 1]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")
EPS = np.finfo(float).eps
PRINTED = 5e-9  # nine digits are printed


class Reco:
    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)

    def write(self, name, names, y, p=None, score=None, split="validation", order=None):
        columns = {"row_id": range(len(y)), "label": [names[c] if c >= 0 else "" for c in y]}
        if p is not None:
            columns |= {f"p_{name}": [repr(float(v)) for v in p[:, c]] for c, name in enumerate(names)}
        if score is not None:
            columns["score"] = [repr(float(v)) for v in score]
        rows = order if order is not None else range(len(y))
        values = list(columns.values())
        text = "\n".join("\t".join(str(column[row]) for column in values) for row in rows)
        path = self.folder / name
        path.write_text("\t".join(columns) + "\n" + text + "\n", encoding="utf-8")
        labels = {"task": "classification", "names": names, "positive": names[-1]}
        pathlib.Path(f"{path}.json").write_text(json.dumps({"split": split, "labels": labels}))
        return str(path)

    def run(self, *words):
        done = subprocess.run([self.program, *map(str, words)], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr.strip()


def near(a, b, tolerance=1e-9):
    return abs(a - b) <= tolerance * max(1, abs(b)) + PRINTED * abs(b)


# ---- thresholds ----


def figures(decided, yes, beta):
    hits, predicted, support = (decided & yes).sum(), decided.sum(), yes.sum()
    b = beta**2
    return {"precision": hits / predicted if predicted else None, "recall": hits / support,
            "f_beta": (1 + b) * hits / (b * support + predicted)}


def objective_of(objective, parameter, decided, yes, costs):
    """What is to be as great as can be; None: below the floor."""
    of = figures(decided, yes, parameter if objective == "f_beta" else 1)
    if objective == "f_beta":
        return of["f_beta"]
    if objective == "cost":
        return -float(costs[0] * (decided & ~yes).sum() + costs[1] * (~decided & yes).sum())
    mine, other = ("precision", "recall") if objective == "precision" else ("recall", "precision")
    return of[other] if of[mine] is not None and of[mine] >= parameter and of[other] is not None else None


def check_cut(reco, rng):
    rows = int(rng.choice([2, 5, 30, 300]))
    digits = rng.choice([1, 2, 9, 17])
    yes = rng.random(rows) < rng.choice([0.1, 0.5, 0.9])
    yes[rng.integers(rows)] = True
    of_score = rng.random() < 0.3
    number = rng.normal(size=rows) + yes if of_score else expit(rng.normal(size=rows) * 2 + yes)
    number = np.round(number, digits)
    if of_score and rng.random() < 0.4:
        number[rng.random(rows) < 0.3] = np.inf
        number[rng.random(rows) < 0.2] = -np.inf
    names = ["no", "yes"]
    p = None if of_score else np.stack([1 - number, number], axis=1)
    score = number if of_score else None
    objective = str(rng.choice(["f_beta", "precision", "recall", "cost"]))
    parameter = float(rng.choice([0.5, 1, 2])) if objective == "f_beta" else float(rng.choice([0.3, 0.5, 0.8, 1]))
    costs = rng.choice([0, 0.5, 1, 7], size=2)  # false alarm, missed
    words = {"f_beta": ["--beta", parameter], "cost": ["--costs", f"no:yes={costs[0]},yes:no={costs[1]}"]}
    words = words.get(objective, ["--floor", parameter])
    found = []
    cuts = [np.inf, *np.unique(number)]
    decided = [number >= cut for cut in cuts]
    decided[0] = np.zeros(rows, dtype=bool)
    reached = [objective_of(objective, parameter, d, yes, costs) for d in decided]
    best = max((r for r in reached if r is not None), default=None)
    chosen = []
    for order in (np.arange(rows), rng.permutation(rows)):
        path = reco.write("val.tsv", names, yes.astype(int), p, score, order=order)
        status, out, error = reco.run("threshold", "-p", path, "--objective", objective, *words, "-o", reco.folder / "t.json",
                                      "--format", "json")
        if best is None:
            return [] if status == 3 and "the greatest is" in error else [f"{objective} {parameter}: no cut reaches it: {status} {error}"]
        if status:
            return [f"{objective} {parameter}: exit {status}: {error}"]
        chosen.append(json.loads(out))
    t = chosen[0]
    if {k: v for k, v in t.items() if k != "fitted_on"} != {k: v for k, v in chosen[1].items() if k != "fitted_on"}:
        found.append("the order of the rows matters")
    # the written rule on the same rows, by its definition
    exact = json.loads((reco.folder / "t.json").read_text())["cuts"][0]
    by_rule = np.zeros(rows, dtype=bool) if exact is None else number >= exact if exact > -1e308 else np.ones(rows, dtype=bool)
    value = objective_of(objective, parameter, by_rule, yes, costs)
    if value is None or not near(value, best):
        found.append(f"{objective} {parameter}: cut {exact} reaches {value}, best {best}")
    for key, expected in figures(by_rule, yes, parameter if objective == "f_beta" else 1).items():
        told = t["chosen"][key]
        if (told is None) != (expected is None) or expected is not None and not near(told, expected):
            found.append(f"{objective} {key}: told {told}, is {expected}")
    if not near(t["chosen"]["accuracy"], (by_rule == yes).mean()):
        found.append(f"accuracy: told {t['chosen']['accuracy']}, is {(by_rule == yes).mean()}")
    # on test rows
    path = reco.write("test.tsv", names, yes.astype(int), p, score, split="test")
    status, out, error = reco.run("eval", "--predictions", path, "--threshold", reco.folder / "t.json", "--format", "json",
                                  "--metrics", "accuracy,recall_yes")
    if status:
        return found + [f"eval: exit {status}: {error}"]
    got = json.loads(out)["metrics"]
    if not near(got["accuracy"], (by_rule == yes).mean()) or not near(got["recall_yes"], (by_rule & yes).sum() / yes.sum()):
        found.append(f"applied to test: {got}, {(by_rule == yes).mean()}")
    return found


def draw_many(rng, classes, rows):
    truth = softmax(rng.normal(size=(rows, classes)) * 1.5, axis=1)
    y = np.array([rng.choice(classes, p=t) for t in truth])
    y[:classes] = np.arange(classes)
    p = softmax(np.log(truth) * rng.choice([0.5, 1, 3]) + rng.normal(size=(rows, classes)) * 0.5, axis=1)
    digits = rng.choice([2, 9, 17])
    if digits < 17:
        p = np.round(p, digits)
        p[:, -1] = np.round(1 - p[:, :-1].sum(axis=1), digits)
        p = np.clip(p, 0, 1)
        p[np.abs(p.sum(axis=1) - 1) > 5e-4] = 1 / classes
    return y, p


def check_many(reco, rng):
    classes = int(rng.integers(3, 7))
    rows = int(rng.choice([20, 200, 600]))
    names = [f"c{i}" for i in range(classes)]
    y, p = draw_many(rng, classes, rows)
    beta = float(rng.choice([0.5, 1, 2]))
    path = reco.write("val.tsv", names, y, p)
    found = []
    status, _, error = reco.run("threshold", "-p", path, "--beta", beta, "-o", reco.folder / "t.json")
    if status:
        return [f"many, beta {beta}: exit {status}: {error}"]
    t = json.loads((reco.folder / "t.json").read_text())
    decided = np.argmax(p / np.array(t["cuts"]), axis=1)
    of = lambda d: sk.fbeta_score(y, d, beta=beta, average="macro", zero_division=0)
    if not near(t["chosen"]["f_beta_macro"], of(decided)):
        found.append(f"many: told {t['chosen']['f_beta_macro']}, is {of(decided)}")
    if not near(t["chosen"]["without"]["f_beta_macro"], of(p.argmax(axis=1))):
        found.append(f"many: without told {t['chosen']['without']['f_beta_macro']}, is {of(p.argmax(axis=1))}")
    if of(decided) < of(p.argmax(axis=1)) - 1e-12:
        found.append(f"many: {of(decided)} is less than that of the most probable, {of(p.argmax(axis=1))}")
    costs = np.round(rng.random((classes, classes)) * 5, 1)
    words = ",".join(f"{names[i]}:{names[j]}={costs[i, j]}" for i in range(classes) for j in range(classes))
    status, _, error = reco.run("threshold", "-p", path, "--objective", "cost", "--costs", words, "-o", reco.folder / "t.json")
    if status:
        return found + [f"costs: exit {status}: {error}"]
    t = json.loads((reco.folder / "t.json").read_text())
    expected = p @ costs
    decided = expected.argmin(axis=1)
    apart = np.sort(expected, axis=1)
    if (apart[:, 1] - apart[:, 0] > 1e-12).all() and not near(t["chosen"]["cost"], costs[y, decided].sum()):
        found.append(f"costs: told {t['chosen']['cost']}, is {costs[y, decided].sum()}")
    return found


# ---- calibrations ----


def logit(p):
    return np.log(np.maximum(p, EPS)) - np.log(np.maximum(1 - p, EPS))


def temperature(p, y, other):
    z = np.log(np.maximum(p, EPS))
    loss = lambda log_beta: -np.mean(np.log(np.maximum(softmax(np.exp(log_beta) * z, axis=1)[np.arange(len(y)), y], 1e-300)))
    beta = np.exp(minimize_scalar(loss, bounds=(-12, 12), method="bounded", options={"xatol": 1e-12, "maxiter": 2000}).x)
    return 1 / beta, softmax(beta * np.log(np.maximum(other, EPS)), axis=1)


def platt(p, yes, other):
    f = logit(p)
    positives, negatives = yes.sum(), len(yes) - yes.sum()
    target = np.where(yes, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-14, max_iter=1000)
    model.fit(np.concatenate([f, f])[:, None], np.repeat([1, 0], len(f)), sample_weight=np.concatenate([target, 1 - target]))
    return model.predict_proba(logit(other)[:, None])[:, 1]


def isotonic(p, yes, other):
    return IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(p, yes).predict(other)


def check_calibration(reco, rng):
    classes = int(rng.choice([2, 2, 3, 5]))
    rows = int(rng.choice([30, 200, 600]))
    names = [f"c{i}" for i in range(classes)]
    y, p = draw_many(rng, classes, rows)
    test_y, test_p = draw_many(rng, classes, 200)
    method = str(rng.choice(["temperature", "platt", "isotonic"]))
    found, losses = [], []
    for order in (np.arange(rows), rng.permutation(rows)):
        path = reco.write("val.tsv", names, y, p, order=order)
        status, out, error = reco.run("calibrate", "-p", path, "--method", method, "-o", reco.folder / "c.json", "--format", "json")
        if status:
            return [f"{method}: exit {status}: {error}"]
        test = reco.write("test.tsv", names, test_y, test_p, split="test")
        status, result, error = reco.run("eval", "--predictions", test, "--calibration", reco.folder / "c.json", "--format", "json",
                                         "--metrics", "log_loss,brier")
        if status:
            return [f"{method}: eval exit {status}: {error}"]
        losses.append(json.loads(result)["metrics"]["log_loss"])
    if not near(losses[0], losses[1], 1e-7):
        found.append(f"{method}: the order of the rows matters: {losses}")
    if method == "temperature":
        theirs, calibrated = temperature(p, y, test_p)
        ours = json.loads(out)["temperature"]
        if 1e-3 < theirs < 1e3 and not near(ours, theirs, 1e-5):  # the search knows the minimum to the root of the precision
            found.append(f"temperature {ours}, reference {theirs}")
    else:
        of = platt if method == "platt" else isotonic
        if classes == 2:
            of_yes = of(p[:, 1], y == 1, test_p[:, 1])
            calibrated = np.stack([1 - of_yes, of_yes], axis=1)
        else:
            calibrated = np.stack([of(p[:, c], y == c, test_p[:, c]) for c in range(classes)], axis=1)
            sums = calibrated.sum(axis=1, keepdims=True)
            calibrated = np.where(sums > 0, calibrated / np.where(sums > 0, sums, 1), 1 / classes)
    expected = sk.log_loss(test_y, calibrated, labels=range(classes))
    if not near(losses[0], expected, 1e-6 if method != "isotonic" else 1e-9):
        found.append(f"{method}, {classes} classes, {rows} rows: log loss on test {losses[0]}, reference {expected}")
    figures_after = json.loads(out)["figures"]["log_loss"]
    if method == "temperature" and figures_after["after"] > figures_after["before"] + 1e-8:
        found.append(f"temperature makes it worse: {figures_after}")
    return found


def check_refusals(reco):
    found = []
    y, p = np.array([0, 1]), np.array([[0.4, 0.6], [0.3, 0.7]])
    for split in ("test", "train"):
        path = reco.write("split.tsv", ["no", "yes"], y, p, split=split)
        for command in ("threshold", "calibrate"):
            status, _, error = reco.run(command, "-p", path, "-o", reco.folder / "x.json")
            if status != 2 or f"the {split} split" not in error or (reco.folder / "x.json").exists():
                found.append(f"{command} on {split}: exit {status}: {error}")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("reco")
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        reco = Reco(options.reco, folder)
        found = check_refusals(reco)
        wrong += bool(found)
        print(*found, sep="\n", end="\n" if found else "")
        for case in range(options.cases):
            rng = np.random.default_rng([options.seed, case])
            check = rng.choice([check_cut, check_cut, check_many, check_calibration])
            found = check(reco, rng)
            wrong += bool(found)
            if found:
                print(f"case {case}, {check.__name__}:", *found, sep="\n  ")
    print(f"{options.cases} cases, {wrong} with differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
