#!/usr/bin/env python3
"""Random rankings: `reco eval` against the definitions written out in plain Python, figure by figure.

Draws predictions files with ties, infinite scores, queries without a relevant or a judged item, of one item, with an item
twice, grades of several kinds, named gains and popularities, and TREC files with unjudged documents; evaluates each with a
built reco in the three ways of ordering ties, the expected values by going through every order, and compares every figure
by query and of the catalogue. Where ties are not by file, once more with the lines of the files in another order. Exit
status 1 when one differs.

    ranking_fuzz.py build/bin/reco [--cases 300] [--seed 1] [--keep FOLDER]
"""
import argparse
import collections
import itertools
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

TOLERANCE = 1e-9
PRINTED = 5e-9  # nine digits are printed
DEPTHS = [1, 2, 3, 5, 10, 40]
ORDERS_MAX = 720  # of one query
LABELS = [["0", "1"], ["0", "1", "2", "3"], ["1", "2", "3", "4"], ["-1", "0", "1"], ["0", "0.5", "2.5"], ["bad", "good"]]
EPSILON = 1e-5  # of infAP


class Item:
    """score; id; place in the file; grade None: nobody judged it; pool: not judged, but to be judged."""

    def __init__(self, score, name, place, grade, gain, pool=False):
        self.score, self.name, self.place, self.grade, self.gain, self.pool = score, name, place, grade, gain, pool


def ordered(items, ties):
    by_name = lambda i: [-b for b in i.name.encode()] + [1]  # greater ids first, a prefix after what is longer
    if ties == "file":
        return sorted(items, key=lambda i: (-i.score, i.place))
    worse = lambda i: -math.inf if i.grade is None else i.grade  # the same item twice
    return sorted(items, key=lambda i: (-i.score, by_name(i), worse(i)))


def orders(items):
    """All orders of tied items; None: too many."""
    groups = [list(g) for _, g in itertools.groupby(sorted(items, key=lambda i: -i.score), key=lambda i: i.score)]
    if math.prod(math.factorial(min(len(g), 7)) for g in groups) > ORDERS_MAX:
        return None
    return [sum(map(list, choice), []) for choice in itertools.product(*(itertools.permutations(g) for g in groups))]


def of_list(ranked, judged, level, highest, everything):
    """Figures of one order; judged: (grade, gain) of all judged items, everything: the order with items left out too."""
    out = {}
    grades = [i.grade for i in ranked]
    hits = [g is not None and g >= level for g in grades]
    misses = [g is not None and g < level for g in grades]
    relevant = sum(g >= level for g, _ in judged)
    irrelevant = len(judged) - relevant
    best = sorted((gain for _, gain in judged), reverse=True)

    def dcg(gains):
        return math.fsum(gain / math.log2(i + 2) for i, gain in enumerate(gains))

    def at(name, k):
        return name if k is None else f"{name}@{k}"

    for k in [None, *DEPTHS]:
        gained, ideal = dcg([i.gain for i in ranked[:k]]), dcg(best[:k])
        out[at("dcg", k)] = gained if judged else None
        out[at("ndcg", k)] = gained / ideal if ideal > 0 else None
        stop = [(2 ** g - 1) / 2 ** highest if g is not None and g > 0 else 0 for g in grades[:k]]
        left, err = 1.0, 0.0
        for i, chance in enumerate(stop):
            err, left = err + left * chance / (i + 1), left * (1 - chance)
        out[at("err", k)] = err if judged and highest > 0 else None
        precisions = [sum(hits[:i + 1]) / (i + 1) for i in range(len(hits))]
        first = next((i for i, hit in enumerate(hits[:k]) if hit), None)
        by_relevant = {"map": sum(p for p, hit in list(zip(precisions, hits))[:k] if hit) / max(relevant, 1),
                       "mrr": 0 if first is None else 1 / (first + 1)}
        for p, name in ((0.8, "rbp"), (0.5, "rbp0.5")):
            by_relevant[name] = (1 - p) * math.fsum(p ** i for i, hit in enumerate(hits[:k]) if hit)
        if k is None:
            by_relevant["r_precision"] = sum(hits[:relevant]) / max(relevant, 1)
        else:
            by_relevant |= {"precision": sum(hits[:k]) / k, "recall": sum(hits[:k]) / max(relevant, 1),
                            "success": float(any(hits[:k])), "hit_rate": float(any(hits[:k]))}
            seen = everything[:k]
            out[at("judged", k)] = sum(i.grade is not None for i in seen) / len(seen) if seen else None
        out |= {at(name, k): value if relevant else None for name, value in by_relevant.items()}
    worth, inferred = 0.0, 0.0
    for i, hit in enumerate(hits):
        if not hit:
            continue
        above = sum(misses[:i])
        worth += 1 - min(above, relevant) / min(relevant, irrelevant) if above else 1
        pool = sum(j.grade is not None or j.pool for j in ranked[:i])
        inferred += 1 / (i + 1)
        if i:
            inferred += i / (i + 1) * pool / i * (sum(hits[:i]) + EPSILON) / (sum(hits[:i]) + above + 2 * EPSILON)
    out["bpref"] = worth / relevant if relevant else None
    out["infap"] = inferred / relevant if relevant else None
    return out


def gauc_of(ranked, level):
    pairs = [(a.score > b.score) + 0.5 * (a.score == b.score) for a in ranked for b in ranked
             if a.grade is not None and b.grade is not None and a.grade >= level > b.grade]
    return float(np.mean(pairs)) if pairs else None


def expected(queries, ties, level, highest, left_out):
    """Means over the queries; left_out: items without a judgment are in no list. queries: (items, judged)."""
    sums, weights = collections.defaultdict(list), collections.defaultdict(list)
    for items, judged in queries:
        if ties == "expected":
            every = orders(items)
            if every is None:
                return None
        else:
            every = [ordered(items, ties)]
        lists = [[i for i in ranked if not left_out or i.grade is not None] for ranked in every]
        figures = [of_list(ranked, judged, level, highest, all_of) for ranked, all_of in zip(lists, every)]
        for name in figures[0]:
            if figures[0][name] is not None:
                sums[name].append(math.fsum(f[name] for f in figures) / len(figures))
                weights[name].append(1)
            elif name not in sums:
                sums[name] = []
        auc = gauc_of(lists[0], level)
        sums["gauc"] += [auc] if auc is not None else []
        weights["gauc"] += [len(lists[0])] if auc is not None else []
    out = {name: float(np.average(values, weights=weights[name])) if values else None for name, values in sums.items()}
    if ties == "expected":  # these two have no closed form
        out |= {name: None for name in out if name.startswith(("err", "infap"))}
    return out


def expected_catalogue(queries, ties, popularity, rows):
    """What the first k of all lists show. popularity: of ids, or None: as many as an item has rows."""
    out = {}
    lists = [[i.name for i in ordered(items, "file" if ties == "file" else "docno")] for items, _ in queries if items]
    names = {name for ranked in lists for name in ranked}
    known = collections.Counter(rows) if popularity is None else popularity
    catalogue = sorted(names | set(known))
    values = {name: known.get(name, 0) for name in catalogue}
    total, size = sum(values.values()), int(0.8 * len(catalogue))
    border = sorted(values.values())[size]
    below, equal = [n for n in catalogue if values[n] < border], [n for n in catalogue if values[n] == border]
    tail = dict.fromkeys(below, 1.0) | dict.fromkeys(equal, (size - len(below)) / len(equal))
    for k in DEPTHS:
        firsts = [set(ranked[:k]) for ranked in lists]  # an item that a list has twice is shown once
        counts = collections.Counter(itertools.chain.from_iterable(firsts))
        shown = sum(counts.values())
        out[f"coverage@{k}"] = len(counts) / len(catalogue)
        out[f"popularity@{k}"] = sum(c * values[n] for n, c in counts.items()) / shown
        some = {n: c for n, c in counts.items() if values[n] > 0}
        bits = [-c * math.log2(values[n] / total) for n, c in some.items()]
        out[f"novelty@{k}"] = math.fsum(bits) / sum(some.values()) if some else None
        out[f"entropy@{k}"] = -math.fsum(c / shown * math.log2(c / shown) for c in counts.values())
        flat = [counts[n] for n in catalogue]
        out[f"gini@{k}"] = sum(abs(a - b) for a in flat for b in flat) / (2 * len(flat) * shown)
        out[f"tail_share@{k}"] = math.fsum(c * tail.get(n, 0) for n, c in counts.items()) / shown
        pairs = list(itertools.combinations(firsts, 2))
        most = sum(min(len(a), len(b)) for a, b in pairs)
        out[f"diversity@{k}"] = 1 - sum(len(a & b) for a, b in pairs) / most if pairs else None
    return out


# ---- drawing ----


def draw_scores(rng, count):
    kind = rng.choice(["normal", "few", "same", "infinite"], p=[0.3, 0.4, 0.1, 0.2])
    score = rng.normal(size=count)
    if kind == "few":
        score = np.round(score * rng.choice([1, 3])) / 4
    elif kind == "same":
        score[:] = 0.25
    elif kind == "infinite":
        score = np.where(rng.random(count) < 0.3, rng.choice([np.inf, -np.inf], size=count), np.round(score * 8) / 8)
    return score + 0.0  # no -0


def draw_predictions(rng, path):
    names = LABELS[rng.integers(len(LABELS))]
    graded = names[0] != "bad"
    grades = [float(n) for n in names] if graded else [0.0, 1.0]
    level = float(rng.choice(grades)) if grades[0] > 0 or rng.random() < 0.3 else None
    gains = [round(float(rng.gamma(1, 2)), 2) for _ in names] if rng.random() < 0.3 else None
    catalogue = [f"i{n}" for n in range(int(rng.choice([3, 12, 60])))]
    twice = rng.random() < 0.1
    rows, queries, place = [], [], 0
    for q in range(int(rng.choice([1, 2, 5, 12]))):
        count = int(rng.integers(1, min(len(catalogue), int(rng.choice([1, 4, 8, 30]))) + 1))
        ids = rng.choice(catalogue, size=count, replace=twice)
        share = rng.choice([0, 0.1, 0.6], p=[0.6, 0.3, 0.1])
        items = []
        for score, name in zip(draw_scores(rng, count), ids):
            label = int(rng.integers(len(names))) if rng.random() >= share else None
            gain = 0.0 if label is None else gains[label] if gains else 2 ** grades[label] - 1
            items.append(Item(float(score), str(name), place, None if label is None else grades[label], gain))
            rows.append([f"q{q}", str(name), "" if label is None else names[label], repr(float(score))])
            place += 1
        queries.append((items, [(i.grade, i.gain) for i in items if i.grade is not None]))
    if not any(judged for _, judged in queries):  # reco has no rankings then
        return None, {}
    with open(path, "w") as file:
        file.write("query_id\titem_id\tlabel\tscore\n" + "".join("\t".join(row) + "\n" for row in rows))
    pathlib.Path(f"{path}.json").write_text(json.dumps(
        {"labels": {"task": "classification", "names": names, "positive": names[-1],
                    **({"grades": grades} if graded else {})}}))
    arguments = ["--predictions", path]
    if level is not None:
        arguments += [f"--relevance_level={level!r}"]
    if gains:
        arguments += ["--gains", ",".join(f"{n}={g!r}" for n, g in zip(names, gains))]
    popularity = None
    if rng.random() < 0.3:
        popularity = {n: float(rng.integers(0, 5)) for n in [*catalogue[::2], "elsewhere", "nowhere"]}
        pathlib.Path(f"{path}.items").write_text("".join(f"{n}\t{v:g}\n" for n, v in popularity.items()))
        arguments += ["--item_popularity", f"{path}.items"]
    of_ties = {}
    for ties in ("docno", "file", "expected"):
        of_ties[ties] = expected(queries, ties, 1 if level is None else level, max(grades), True)
        if of_ties[ties] is not None:
            of_ties[ties] |= expected_catalogue(queries, ties, popularity, [row[1] for row in rows])
    return arguments, of_ties


def draw_trec(rng, path):
    qrels, run, queries, place = [], [], [], 0
    complete = bool(rng.random() < 0.5)
    highest = 0
    for q in range(int(rng.choice([1, 3, 8]))):
        docs = [f"d{n}" for n in range(int(rng.choice([2, 8, 40])))]
        ranked = rng.choice(docs, size=int(rng.integers(1, len(docs) + 1)), replace=False)
        judged = {str(d): int(rng.integers(-1, 4)) for d in rng.choice(docs, size=int(rng.integers(1, len(docs) + 1)), replace=False)}
        highest = max(highest, *judged.values())
        qrels += [f"q{q} 0 {d} {g}\n" for d, g in judged.items()]
        missing = rng.random() < 0.2 and q
        items = []
        for score, d in zip(draw_scores(rng, len(ranked)), map(str, ranked)):
            grade = judged.get(d)
            known = grade is not None and grade >= 0
            items.append(Item(float(np.float32(score)), d, place, grade if known else None, 2 ** grade - 1 if known else 0,
                              pool=grade is not None and grade < 0))
            run += [] if missing else [f"q{q} Q0 {d} 1 {float(score)!r} t\n"]
            place += 1
        if missing and not complete:
            continue
        queries.append(([] if missing else items, [(g, 2 ** g - 1) for g in judged.values() if g >= 0]))
    pathlib.Path(f"{path}.qrels").write_text("".join(qrels))
    pathlib.Path(f"{path}.run").write_text("".join(run))
    level = int(rng.choice([1, 2]))
    arguments = ["--qrels", f"{path}.qrels", "--run", f"{path}.run", "--relevance_level", str(level)]
    arguments += ["--complete"] if complete else []
    return arguments, {ties: expected(queries, ties, level, highest, False) for ties in ("docno", "file", "expected")}


# ---- comparing ----


def differences(ours, theirs):
    for name, value in theirs.items():
        if name not in ours:
            yield f"{name}: not in the report; reference {value}"
        elif (ours[name] is None) != (value is None):
            yield f"{name}: {ours[name]}, reference {value}"
        elif value is not None and not abs(ours[name] - value) <= TOLERANCE * max(1, abs(value)) + PRINTED * abs(value):
            yield f"{name}: {ours[name]!r}, reference {value!r}"


def shuffle(rng, path):
    for name in (path, f"{path}.run", f"{path}.qrels"):
        if pathlib.Path(name).exists():
            head, *lines = pathlib.Path(name).read_text().splitlines(keepends=True)
            if name != path:
                head, lines = "", [head, *lines]
            pathlib.Path(name).write_text(head + "".join(rng.permutation(lines)))


def evaluate(reco, arguments, ties, theirs):
    command = [reco, "eval", *arguments, "--ties", ties, "--format", "json", "--metrics", ",".join(theirs)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return [f"exit {done.returncode}: {done.stderr.strip()}"]
    return list(differences(json.loads(done.stdout)["metrics"], theirs))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("reco")
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="folder for the files, which otherwise are removed")
    options = parser.parse_args()
    wrong = figures = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in range(options.cases):
            rng = np.random.default_rng([options.seed, case])
            path = str(pathlib.Path(options.keep or folder, f"case-{case}.tsv" if options.keep else "p.tsv"))
            arguments, of_ties = (draw_trec if rng.random() < 0.3 else draw_predictions)(rng, path)
            of_ties = {ties: theirs for ties, theirs in of_ties.items() if theirs}
            runs = [(ties, False) for ties in of_ties] + [(ties, True) for ties in of_ties if ties != "file"]
            for ties, shuffled in runs:
                if shuffled:
                    shuffle(rng, path)
                found = evaluate(options.reco, arguments, ties, of_ties[ties])
                figures += len(of_ties[ties])
                if found:
                    wrong += 1
                    print(f"case {case}, ties {ties}, shuffled {shuffled}: {' '.join(arguments)}:", *found[:6], sep="\n  ")
    print(f"{options.cases} files, {figures} figures, {wrong} evaluations with differences")
    return 1 if wrong or not figures else 0


if __name__ == "__main__":
    sys.exit(main())
