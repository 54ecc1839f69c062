#!/usr/bin/env python3
"""Predictions files with awkward content, and what other implementations make of them: tests/reference/metrics/.

Classification and regression by scikit-learn and scipy, ranking by trec_eval's C (pytrec_eval), clicks by counting.
Each <case>.tsv has a <case>.json with "metrics" (null: undefined), "options" of the evaluation and, for classes,
scikit-learn's "report". Seeded: the same versions write the same files.

    metrics_eval.py tests/reference/metrics
"""
import collections
import functools
import itertools
import json
import pathlib
import sys
import warnings

import numpy as np
import pytrec_eval
import scipy.stats
from sklearn import metrics as sk

warnings.filterwarnings("ignore")
EVENTS = ["clicked", "converted", "dwell_s", "depth"]


def number(value):
    value = float(value)
    return value if np.isfinite(value) else None


def classification(labels, y, predicted, p, positive):
    """By scikit-learn; y, predicted: class numbers; undefined (scikit-learn's silent 0 or nan) is null."""
    present = sorted(set(y) | set(predicted))
    out = {"accuracy": sk.accuracy_score(y, predicted)}
    out["balanced_accuracy"] = sk.balanced_accuracy_score(y, predicted)
    one_sided = len(set(y)) < 2 or len(set(predicted)) < 2
    out["mcc"] = None if one_sided else sk.matthews_corrcoef(y, predicted)
    for name, weights in (("kappa", None), ("kappa_linear", "linear"), ("kappa_quadratic", "quadratic")):
        out[name] = number(sk.cohen_kappa_score(y, predicted, labels=range(len(labels)), weights=weights))
    scores = [("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)]
    scores += [(f"f{beta}", functools.partial(sk.fbeta_score, beta=float(beta))) for beta in ("0.5", "2")]
    for name, score in scores:
        for average in ("macro", "micro", "weighted"):
            out[f"{name}_{average}"] = score(y, predicted, average=average, zero_division=0)
        by_class = score(y, predicted, labels=range(len(labels)), average=None, zero_division=np.nan)
        for c, label in enumerate(labels):
            out[f"{name}_{label}"] = number(by_class[c])
        out[name] = out[f"{name}_{labels[positive]}"] if len(labels) == 2 else out[f"{name}_macro"]
    auc, ap = [], []
    for c, label in enumerate(labels):
        truth = y == c
        both = 0 < truth.sum() < len(y)
        auc.append(sk.roc_auc_score(truth, p[:, c]) if both else None)
        ap.append(sk.average_precision_score(truth, p[:, c]) if both else None)
        out[f"auc_{label}"], out[f"average_precision_{label}"] = auc[-1], ap[-1]
    support = np.bincount(y, minlength=len(labels))
    for name, values in (("auc", auc), ("average_precision", ap)):
        out[f"{name}_macro"] = None if None in values else float(np.mean(values))
        out[f"{name}_weighted"] = None if None in values else float(np.average(values, weights=support))
        out[name] = values[positive] if len(labels) == 2 else out[f"{name}_macro"]
    out["log_loss"] = sk.log_loss(y, p, labels=range(len(labels)))
    out["brier"] = float(np.mean(np.sum((p - np.eye(len(labels))[y]) ** 2, axis=1))) / (2 if len(labels) == 2 else 1)
    if len(labels) > 2:
        every = 0 < support.min() and support.max() < len(y)
        out["auc_ovo"] = sk.roc_auc_score(y, p, multi_class="ovo", labels=range(len(labels))) if every else None
    out["ece"], out["ece_adaptive"] = calibration_errors(y, p)
    if len(labels) == 2:
        assert abs(out["brier"] - sk.brier_score_loss(y == positive, p[:, positive])) < 1e-12
    report = sk.classification_report(y, predicted, labels=present, target_names=[labels[c] for c in present], digits=4,
                                      zero_division=0)
    return out, report


def calibration_errors(y, p, bins=15):
    """By the definitions: bins (b/B, (b+1)/B] of confidence; bins of equally many rows, ties and edges shared out."""
    confidence, hit = p.max(axis=1), (p.argmax(axis=1) == y).astype(float)
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    ece = sum(abs((confidence - hit)[place == b].sum()) for b in range(bins)) / len(y)
    order = np.argsort(confidence)
    confidence, hit = confidence[order], hit[order]
    for value in np.unique(confidence):
        hit[confidence == value] = hit[confidence == value].mean()
    edges = np.arange(bins + 1) * len(y) / bins
    below = np.concatenate([[0], np.cumsum(confidence - hit)])
    at = np.interp(edges, np.arange(len(y) + 1), below)
    return ece, np.abs(np.diff(at)).sum() / len(y)


def by_formula(groups, level, depths, highest):
    """Of each query's grades in ranked order, best first: what trec_eval's C has not, straight from the papers."""
    out = {}
    values = {}
    for grades, scores in groups:
        discount = 1 / np.log2(np.arange(len(grades)) + 2)
        gain = 2.0 ** grades - 1
        stop = np.where(grades > 0, gain / 2.0 ** highest, 0)
        left = np.concatenate([[1], np.cumprod(1 - stop)[:-1]])
        err = left * stop / np.arange(1, len(grades) + 1)
        relevant = grades >= level
        rbp = 0.2 * 0.8 ** np.arange(len(grades)) * relevant
        for k in [*depths, None]:
            suffix = "" if k is None else f"@{k}"
            values.setdefault(f"dcg{suffix}", []).append((gain * discount)[:k].sum())
            values.setdefault(f"err{suffix}", []).append(err[:k].sum())
            if relevant.any():
                values.setdefault(f"rbp{suffix}", []).append(rbp[:k].sum())
    out = {name: np.mean(of_queries) for name, of_queries in values.items()}
    both = [(len(g), sk.roc_auc_score(g >= level, s)) for g, s in groups if 0 < (g >= level).sum() < len(g)]
    out["gauc"] = np.average([auc for _, auc in both], weights=[n for n, _ in both]) if both else None
    return out


def catalogue(lists, items, depths):
    """What the first k of all lists show; lists: items of each query, best first; items: of all rows."""
    out = {}
    popularity = collections.Counter(items)
    ids = sorted(popularity)
    sizes = sorted(popularity.values())
    size = int(0.8 * len(ids))
    border = sizes[size]  # the tail takes what is below, and a share of what is at the border
    tail = {item: 1.0 for item in ids if popularity[item] < border}
    at_border = [item for item in ids if popularity[item] == border]
    tail |= {item: (size - len(tail)) / len(at_border) for item in at_border}
    total = sum(popularity.values())
    for k in depths:
        shown = collections.Counter(item for ranked in lists for item in ranked[:k])
        counts = np.array([shown[item] for item in ids], dtype=float)
        share = counts[counts > 0] / counts.sum()
        out[f"coverage@{k}"] = len(share) / len(ids)
        out[f"popularity@{k}"] = sum(c * popularity[i] for i, c in shown.items()) / counts.sum()
        out[f"novelty@{k}"] = -sum(c * np.log2(popularity[i] / total) for i, c in shown.items()) / counts.sum()
        out[f"entropy@{k}"] = scipy.stats.entropy(share, base=2)
        ranked = np.sort(counts)
        out[f"gini@{k}"] = np.abs(ranked[:, None] - ranked).sum() / (2 * len(ids) ** 2 * ranked.mean())
        out[f"tail_share@{k}"] = sum(c * tail.get(i, 0) for i, c in shown.items()) / counts.sum()
        pairs = list(itertools.combinations([set(ranked[:k]) for ranked in lists], 2))
        most = sum(min(len(a), len(b)) for a, b in pairs)
        out[f"diversity@{k}"] = 1 - sum(len(a & b) for a, b in pairs) / most if pairs else None
    return out


def ranking(queries, items, grades, score, level, depths, highest):
    """By trec_eval's C. NDCG's gain 2^g - 1 stands in the qrels, so that the linear gain of trec_eval is it."""
    qrels, gains, run = {}, {}, {}
    for q, item, g, s in zip(queries, items, grades, score):
        qrels.setdefault(q, {})[item] = int(g)
        gains.setdefault(q, {})[item] = int(2 ** g - 1)
        run.setdefault(q, {})[item] = float(s)
    cuts = ",".join(map(str, depths))
    out = {}
    by_gain = pytrec_eval.RelevanceEvaluator(gains, {f"ndcg_cut.{cuts}", "ndcg"}).evaluate(run)
    kept = [q for q in gains if any(gains[q].values())]
    out["ndcg"] = np.mean([by_gain[q]["ndcg"] for q in kept])
    for k in depths:
        out[f"ndcg@{k}"] = np.mean([by_gain[q][f"ndcg_cut_{k}"] for q in kept])
    names = {"map": "map", "mrr": "recip_rank", "r_precision": "Rprec", "bpref": "bpref", "infap": "infAP"}
    for k in depths:
        names |= {f"success@{k}": f"success_{k}", f"hit_rate@{k}": f"success_{k}"}
        names |= {f"precision@{k}": f"P_{k}", f"recall@{k}": f"recall_{k}", f"map@{k}": f"map_cut_{k}"}
    wanted = {"map", "recip_rank", "Rprec", "bpref", "infAP", f"success.{cuts}", f"P.{cuts}", f"recall.{cuts}", f"map_cut.{cuts}"}
    by_level = pytrec_eval.RelevanceEvaluator(qrels, wanted, relevance_level=int(level)).evaluate(run)
    relevant = [q for q in qrels if any(g >= level for g in qrels[q].values())]
    for name, theirs in names.items():
        out[name] = np.mean([by_level[q][theirs] for q in relevant])
    for k in depths:  # recip_rank has no depth in trec_eval: cut the list by hand
        out[f"mrr@{k}"] = np.mean([r if (r := by_level[q]["recip_rank"]) * k >= 1 - 1e-12 else 0 for q in relevant])
    groups = []
    for q in qrels:
        ranked = sorted(run[q], key=lambda item: (run[q][item], item), reverse=True)
        groups.append((np.array([qrels[q][i] for i in ranked], dtype=float), np.array([run[q][i] for i in ranked])))
    return out | by_formula(groups, level, depths, highest)


def write(folder, name, columns, rows, expected):
    expected["metrics"] = {key: None if value is None else number(value) for key, value in expected["metrics"].items()}
    with open(folder / f"{name}.tsv", "w", encoding="utf-8", newline="") as file:
        file.write("\t".join(columns) + "\n")
        for row in rows:
            file.write("\t".join(row) + "\n")
    (folder / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n")


def soften(rng, y, classes, sharpness, digits):
    """Probabilities that lean to y, rounded so that there are ties, and summing to one within 1e-3."""
    logits = rng.normal(size=(len(y), classes)) + sharpness * np.eye(classes)[y]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p = np.round(p, digits)
    p[:, -1] = np.round(1 - p[:, :-1].sum(axis=1), digits)
    return np.clip(p, 0, 1)


def class_case(folder, rng, name, labels, rows, queries, level=None, events=False, keep=None, digits=2, drop=0.0):
    classes = len(labels)
    y = rng.choice(keep if keep is not None else classes, size=rows)
    p = soften(rng, y, classes, 1.5, digits)
    if name == "missing":
        p[:, 3] = 0
        p[:, 0] += 1 - p.sum(axis=1)
        p = np.round(p, digits)
    predicted = p.argmax(axis=1)
    graded = all(label.lstrip("-").isdigit() for label in labels)
    grades = np.array([float(label) for label in labels]) if graded else np.arange(classes) == classes - 1
    score = p @ grades if graded else p[:, classes - 1]
    score = np.round(score * 64) / 64  # exact in float32, as trec_eval's C keeps scores
    query = rng.integers(queries, size=rows)
    known = rng.random(rows) >= drop
    item = np.array([f"item{i % 97:03d}-{i}" for i in range(rows)])
    rng.shuffle(item)
    columns = ["row_id", "query_id", "item_id", "label", "predicted"] + [f"p_{label}" for label in labels]
    columns += ["score", "tokens", "truncated"] + (EVENTS if events else [])
    event = np.empty((rows, 4), dtype=object)
    lines = []
    for i in range(rows):
        line = [f"file.csv:{i}", f"q{query[i]}", item[i], labels[y[i]] if known[i] else "", labels[predicted[i]]]
        line += [f"{value:.9g}" for value in p[i]] + [f"{score[i]:.9g}", str(12 + i % 50), str(int(i % 7 == 0))]
        clicked = int(rng.random() < 0.3)
        converted = int(clicked and rng.random() < 0.4)
        event[i] = [clicked, converted, round(float(rng.gamma(2, 20)), 3) if clicked else None, int(rng.integers(1, 9))]
        if events:
            line += ["" if value is None else f"{value:.9g}" for value in event[i]]
        lines.append(line)
    expected, report = classification(labels, y[known], predicted[known], p[known], classes - 1)
    lowest = grades.min()
    if level is not None or lowest <= 0:
        expected |= ranking(query[known].astype(str), item[known], grades[y[known]], score[known],
                            1 if level is None else level, [1, 3, 5, 10], grades.max())
    if events:
        dwell = [v for v in event[:, 2] if v is not None]
        clicks, conversions = sum(event[:, 0]), sum(event[:, 1])
        expected |= {"ctr": clicks / rows, "cvr": conversions / clicks, "ctcvr": conversions / rows,
                     "dwell_mean_s": float(np.mean(dwell)), "depth_mean": float(np.mean(event[:, 3].astype(float)))}
    write(folder, name, columns, lines,
          {"options": {"relevance_level": level}, "metrics": expected, "report": report})


def behaviour_case(folder, rng):
    """Impressions in lists with positions and propensities: overall, at k, by list, by inverse propensity."""
    lists, length, depths = 25, 8, [1, 3, 5, 10]
    rows = []
    for u in range(lists):
        count = int(rng.integers(2, length + 1))
        items = rng.choice(40, size=count, replace=False, p=(w := 1 / np.arange(1, 41)) / w.sum())
        for position in range(1, count + 1):
            clicked = int(rng.random() < 0.6 / position)
            carted = int(clicked and rng.random() < 0.6)
            ordered = int(carted and rng.random() < 0.7)
            rows.append({"query_id": f"u{u}", "item_id": f"i{items[position - 1]}", "position": position,
                         "clicked": clicked, "converted": ordered, "carted": carted, "ordered": ordered,
                         "revenue": round(float(rng.gamma(2, 9)), 2) if ordered else 0.0,
                         "dwell_s": round(float(rng.gamma(2, 20)), 2) if clicked else None,
                         "depth": int(rng.integers(1, 9)), "propensity": round(1 / position ** 0.7, 6),
                         "score": round(float(rng.normal()), 3), "label": clicked})
    parts = {"ctr": ("clicked", None), "cvr": ("converted", "clicked"), "ctcvr": ("converted", None),
             "cart_rate": ("carted", None), "order_rate": ("ordered", None),
             "revenue_per_impression": ("revenue", None), "dwell_mean_s": ("dwell_s", "known"),
             "depth_mean": ("depth", None)}

    def pair(row, name):
        top, below = parts[name]
        if below == "known" and row[top] is None:
            return 0, 0
        return row[top], row[below] if below in row else 1

    def rate(some, name, weigh=(lambda row: 1, lambda row: 1)):
        top = sum(pair(row, name)[0] * weigh[0](row) for row in some)
        below = sum(pair(row, name)[1] * weigh[1](row) for row in some)
        return top / below if below else None

    def inverse(row):
        return 1 / row["propensity"]

    expected = {}
    for name in parts:
        expected[name] = rate(rows, name)
        # clicks and dwell times come of impressions too: a ratio of two estimates
        below = inverse if name in ("cvr", "dwell_mean_s") else lambda row: 1
        expected[f"{name}_ips"] = rate(rows, name, (inverse, below))
        expected[f"{name}_snips"] = rate(rows, name, (inverse, inverse))
        for k in [None, *depths]:
            some = [row for row in rows if k is None or row["position"] <= k]
            by_list = [rate([row for row in some if row["query_id"] == f"u{u}"], name) for u in range(lists)]
            expected[f"{name}_lists" + ("" if k is None else f"@{k}")] = np.mean([v for v in by_list if v is not None])
            if k:
                expected[f"{name}@{k}"] = rate(some, name)
    ranked = {}
    for row in sorted(rows, key=lambda row: (row["score"], row["item_id"]), reverse=True):
        ranked.setdefault(row["query_id"], []).append(row["item_id"])
    expected |= catalogue(list(ranked.values()), [row["item_id"] for row in rows], depths)
    columns = ["row_id", *rows[0]]
    lines = [[str(i), *("" if row[c] is None else str(row[c]) for c in columns[1:])] for i, row in enumerate(rows)]
    write(folder, "behaviour", columns, lines, {"options": {"relevance_level": None}, "metrics": expected})


def regression_case(folder, rng):
    rows = 300
    target = np.round(rng.normal(2, 1, size=rows), 1)
    value = np.round(target + rng.normal(0, 0.7, size=rows), 2)
    value[:20] = value[20:40]
    lines = [[str(i), f"q{i % 17}", "", f"{target[i]:.9g}", f"{value[i]:.9g}", f"{value[i]:.9g}", "9", "0"] for i in range(rows)]
    expected = {"mse": sk.mean_squared_error(target, value), "rmse": sk.root_mean_squared_error(target, value),
                "mae": sk.mean_absolute_error(target, value), "pearson": scipy.stats.pearsonr(value, target)[0],
                "spearman": scipy.stats.spearmanr(value, target)[0],
                "kendall": scipy.stats.kendalltau(value, target)[0]}
    write(folder, "regression", ["row_id", "query_id", "item_id", "label", "predicted", "score", "tokens", "truncated"],
          lines, {"options": {"relevance_level": None}, "metrics": expected})


def trec_case(folder, rng):
    """A run and qrels with ties, unjudged documents and a query without relevant ones; values of trec_eval's C."""
    qrels, run = {}, {}
    for q in range(12):
        docs = [f"d{i:03d}" for i in range(80)]
        judged = rng.choice(docs, size=30, replace=False)
        qrels[f"t{q}"] = {d: int(g) for d, g in zip(judged, rng.choice(4, p=[0.6, 0.2, 0.15, 0.05], size=30))}
        ranked = rng.choice(docs, size=int(rng.integers(1, 60)), replace=False)
        run[f"t{q}"] = {d: float(s) for d, s in zip(ranked, np.round(rng.normal(size=len(ranked)) * 4) / 4)}
    qrels["t3"] = {d: 0 for d in qrels["t3"]}
    with open(folder / "trec.qrels", "w") as file:
        for q, judged in qrels.items():
            file.writelines(f"{q} 0 {d} {g}\n" for d, g in judged.items())
    with open(folder / "trec.run", "w") as file:
        file.write("# a comment\n")
        for q, ranked in run.items():
            file.writelines(f"{q} Q0 {d} 1 {s:g} sample\n" for d, s in ranked.items())
    names = ["num_ret", "num_rel", "num_rel_ret", "map", "Rprec", "bpref", "recip_rank", "P.5,10", "recall.5,10", "infAP",
             "ndcg", "ndcg_cut.5,10", "map_cut.5", "success.1,5", "set_P", "set_recall", "set_map", "set_F"]
    values = pytrec_eval.RelevanceEvaluator(qrels, set(names)).evaluate(run)
    with open(folder / "trec.expected", "w") as file:
        for q in sorted(values):
            for name, value in sorted(values[q].items()):
                text = f"{value:.0f}" if name.startswith("num_") else f"{value:6.4f}"
                file.write(f"{name:<22}\t{q}\t{text}\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20260101)
    class_case(folder, rng, "binary", ["no", "yes"], 400, 30, events=True)
    class_case(folder, rng, "graded", ["0", "1", "2", "3"], 500, 40, drop=0.1)
    class_case(folder, rng, "graded_from_1", ["1", "2", "3", "4"], 300, 20, level=3, digits=6)
    class_case(folder, rng, "missing", ["a", "b", "c", "d", "e"], 120, 5, keep=[0, 1, 2, 3])
    class_case(folder, rng, "one_class", ["0", "1"], 50, 5, keep=[1])
    class_case(folder, rng, "utf8", ["gut", "schlecht", "weiß nicht genau"], 60, 6, digits=1)
    regression_case(folder, rng)
    trec_case(folder, rng)
    behaviour_case(folder, rng)


if __name__ == "__main__":
    main()
