#!/usr/bin/env python3
"""reco eval beside scikit-learn and trec_eval on the same data: figures compared first, then timed turn by turn.

    eval_speed.py [--reco PATH] [--rows N] [--queries N] [--rounds N] [--work DIR]

Classification: a predictions file of four classes, none of its rows truncated: where some are, reco gives every figure
again for those and for the others, which scikit-learn is not asked for here. Both sides compute the same figures, reco
by --metrics: accuracy, balanced accuracy, precision, recall, F1, F0.5 and F2 (by class, macro, micro, weighted), MCC,
kappa (plain, linear, quadratic), the confusion matrix, ROC AUC (each class against the rest, one against one), average
precision by class, log loss and the Brier score. "with reading": wall time of the whole reco process against
pandas.read_csv and the scikit-learn calls, Python's imports left out. "without reading": what reco --verbose says the
evaluation took against the scikit-learn calls alone.

Ranking: a run of 100 documents a query. TREC_EVAL=<binary> times whole processes, reading included, with -m all_trec,
and compares the whole texts. Without it trec_eval's C inside the pytrec-eval-terrier wheel is timed by its evaluate() alone, every measure that it
has, against what reco --verbose says -m all_trec took without reading.

Times are the best of the rounds. On a machine that does other work the processor time is the fairer ratio; it counts
reco's on all its threads, and Python's imports of the first round are left out by taking the best.
"""
import argparse
import os
import pathlib
import re
import resource
import subprocess
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
NAMES = ["accuracy", "balanced_accuracy", "mcc", "kappa", "kappa_linear", "kappa_quadratic", "log_loss", "brier",
         "auc_macro", "auc_ovo", "average_precision_macro"]
NAMES += [f"{name}_{average}" for name in ("precision", "recall", "f1", "f0.5", "f2")
          for average in ("macro", "micro", "weighted")]
NAMES += [f"{name}_{label}" for name in ("precision", "recall", "f1", "auc", "average_precision") for label in range(4)]


def make_predictions(path, rows, queries, classes=4):
    rng = np.random.default_rng(1)
    with open(path, "w") as file:
        file.write("\t".join(["row_id", "query_id", "item_id", "label", "predicted",
                              *(f"p_{c}" for c in range(classes)), "score", "tokens", "truncated"]) + "\n")
        for start in range(0, rows, 200_000):
            count = min(200_000, rows - start)
            y = rng.choice(classes, size=count, p=[0.5, 0.2, 0.2, 0.1])
            p = np.exp(rng.normal(size=(count, classes)) + 1.5 * np.eye(classes)[y])
            p /= p.sum(axis=1, keepdims=True)
            item = rng.integers(0, 1_000_000, size=count)
            score, best = p @ np.arange(classes), p.argmax(axis=1)
            tokens = rng.integers(10, 250, size=count)
            form = "\t".join(["%.9g"] * (classes + 1))
            file.writelines(
                f"t.csv:{start + i}\tq{(start + i) * queries // rows}\titem{item[i]}\t{y[i]}\t{best[i]}\t"
                + form % (*p[i], score[i]) + f"\t{tokens[i]}\t0\n" for i in range(count))


def make_trec(folder, queries, documents=100):
    rng = np.random.default_rng(2)
    with open(folder / "run", "w") as run, open(folder / "qrels", "w") as qrels:
        for q in range(queries):
            docs = rng.choice(1_000_000, size=documents, replace=False)
            score = np.sort(np.round(rng.normal(size=documents) * 8, 4))[::-1]
            run.writelines(f"q{q} Q0 d{d} {i + 1} {s:.4f} tag\n" for i, (d, s) in enumerate(zip(docs, score)))
            judged = np.concatenate([rng.choice(docs, 30, replace=False), rng.integers(1_000_000, 2_000_000, 10)])
            grades = rng.choice(4, size=40, p=[0.6, 0.2, 0.15, 0.05])
            qrels.writelines(f"q{q} 0 d{d} {g}\n" for d, g in dict(zip(judged, grades)).items())


def run_process(*command):
    """What it did, wall seconds, processor seconds."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run_reco(reco, *arguments):
    """Standard output, wall seconds, seconds of the evaluation alone, processor seconds."""
    done, wall, used = run_process(reco, "eval", "--verbose", *arguments)
    return done.stdout, wall, float(re.search(r"evaluated in ([0-9.]+) s", done.stderr)[1]), used


def by_sklearn(path):
    """Values, seconds of reading, seconds of computing."""
    import pandas
    from sklearn import metrics as sk
    start = time.perf_counter()
    data = pandas.read_csv(path, sep="\t")
    read = time.perf_counter() - start
    start = time.perf_counter()
    y, predicted = data["label"].to_numpy(), data["predicted"].to_numpy()
    p = data[[f"p_{c}" for c in range(4)]].to_numpy()
    out = {"accuracy": sk.accuracy_score(y, predicted), "balanced_accuracy": sk.balanced_accuracy_score(y, predicted),
           "mcc": sk.matthews_corrcoef(y, predicted), "kappa": sk.cohen_kappa_score(y, predicted),
           "kappa_linear": sk.cohen_kappa_score(y, predicted, weights="linear"),
           "kappa_quadratic": sk.cohen_kappa_score(y, predicted, weights="quadratic"),
           "log_loss": sk.log_loss(y, p), "brier": sk.brier_score_loss(y, p, scale_by_half=False)}
    sk.confusion_matrix(y, predicted)
    for beta, name in ((1, "f1"), (0.5, "f0.5"), (2, "f2")):
        for average in (None, "macro", "micro", "weighted"):
            values = sk.precision_recall_fscore_support(y, predicted, beta=beta, average=average)
            for key, value in zip(("precision", "recall", name), values):
                if average is None:
                    out |= {f"{key}_{c}": v for c, v in enumerate(value)}
                else:
                    out[f"{key}_{average}"] = value
    for c in range(4):
        out[f"auc_{c}"] = sk.roc_auc_score(y == c, p[:, c])
        out[f"average_precision_{c}"] = sk.average_precision_score(y == c, p[:, c])
    out["auc_macro"] = np.mean([out[f"auc_{c}"] for c in range(4)])
    out["average_precision_macro"] = np.mean([out[f"average_precision_{c}"] for c in range(4)])
    out["auc_ovo"] = sk.roc_auc_score(y, p, multi_class="ovo")
    return out, read, time.perf_counter() - start


def compare_figures(ours, theirs):
    """Largest difference; ours: reco's JSON."""
    import json
    values = json.loads(ours)["metrics"]
    worst = max(abs(values[name] - theirs[name]) for name in NAMES)
    if worst > 1e-8:  # the JSON has nine digits
        sys.exit(f"figures differ by {worst}")
    return worst


def trec_values(text):
    return {line.split("\t")[0].strip(): line.split("\t")[2] for line in text.splitlines()}


def compare_summaries(summary, values):
    """Means are added up in trec_eval's order, the queries' ids: another one rounds 0.11875 the other way."""
    for name in ("map", "ndcg", "bpref", "Rprec", "recip_rank", "P_10", "ndcg_cut_10", "infAP", "recall_100"):
        total = 0.0
        for query in sorted(values):
            total += values[query][name]
        mean = f"{total / len(values):.4f}"
        if mean != summary[name].strip():
            sys.exit(f"{name}: reco {summary[name]}, trec_eval {mean}")


def best(times):
    return min(times)


def classification(args, reco, folder):
    path = folder / f"predictions-{args.rows}.tsv"
    if not path.exists():
        make_predictions(path, args.rows, args.queries)
    ask = ["--predictions", str(path), "--metrics", ",".join(NAMES), "--format", "json"]
    walls, evaluations, reads, computings, ours, theirs_cpu = [], [], [], [], [], []
    for turn in range(args.rounds):
        text, wall, evaluation, used = run_reco(reco, *ask)
        before = time.process_time()
        theirs, read, computing = by_sklearn(path)
        theirs_cpu.append(time.process_time() - before), ours.append(used)
        if not turn:
            print(f"classification: {args.rows} rows, none truncated; reco with --metrics for the {len(NAMES)} figures "
                  f"that scikit-learn computes; largest difference {compare_figures(text, theirs):.1e}")
        walls.append(wall), evaluations.append(evaluation), reads.append(read), computings.append(computing)
    whole = best([r + c for r, c in zip(reads, computings)])
    print(f"  with reading     reco {best(walls):8.3f} s   pandas + scikit-learn {whole:8.3f} s   "
          f"ratio {whole / best(walls):6.1f}")
    print(f"  without reading  reco {best(evaluations):8.3f} s   scikit-learn          {best(computings):8.3f} s   "
          f"ratio {best(computings) / best(evaluations):6.1f}")
    print(f"  processor time   reco {best(ours):8.3f} s   pandas + scikit-learn {best(theirs_cpu):8.3f} s   "
          f"ratio {best(theirs_cpu) / best(ours):6.1f}")
    _, wall, evaluation, _ = run_reco(reco, "--predictions", str(path))
    print(f"  all metrics of reco, rankings and catalogue included: {wall:.3f} s, {evaluation:.3f} s of them evaluating")


def ranking(args, reco, folder):
    folder = folder / f"trec-{args.queries}"
    folder.mkdir(exist_ok=True)
    if not (folder / "run").exists():
        make_trec(folder, args.queries)
    ask = ["--qrels", str(folder / "qrels"), "--run", str(folder / "run"), "-m", "all_trec"]
    binary = os.environ.get("TREC_EVAL")
    ours, theirs, ours_cpu, theirs_cpu = [], [], [], []
    if binary:
        for turn in range(args.rounds):
            text, wall, _, used = run_reco(reco, *ask)
            done, seconds, cpu = run_process(binary, "-m", "all_trec", folder / "qrels", folder / "run")
            ours.append(wall), ours_cpu.append(used), theirs.append(seconds), theirs_cpu.append(cpu)
            if not turn and text != done.stdout:
                sys.exit("the texts differ")
        what = "whole processes; the texts are equal"
    else:
        import pytrec_eval
        qrels, run = {}, {}
        for line in open(folder / "qrels"):
            query, _, doc, grade = line.split()
            qrels.setdefault(query, {})[doc] = int(grade)
        for line in open(folder / "run"):
            query, _, doc, _, score, _ = line.split()
            run.setdefault(query, {})[doc] = float(score)
        evaluator = pytrec_eval.RelevanceEvaluator(qrels, pytrec_eval.supported_measures)
        for turn in range(args.rounds):
            text, _, evaluation, _ = run_reco(reco, *ask)
            start = time.perf_counter()
            values = evaluator.evaluate(run)
            theirs.append(time.perf_counter() - start)
            ours.append(evaluation)
            if not turn:
                compare_summaries(trec_values(text), values)
        what = "evaluation alone; nine summaries have the same digits"
    print(f"ranking: {args.queries} queries of 100 documents; {what}")
    print(f"  wall time        reco {best(ours):8.4f} s   trec_eval {best(theirs):8.4f} s   "
          f"ratio {best(theirs) / best(ours):6.1f}")
    if binary:
        print(f"  processor time   reco {best(ours_cpu):8.4f} s   trec_eval {best(theirs_cpu):8.4f} s   "
              f"ratio {best(theirs_cpu) / best(ours_cpu):6.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reco", default="reco")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", default="eval_speed", help="folder of the data, made when it is not there")
    args = parser.parse_args()
    folder = pathlib.Path(args.work)
    folder.mkdir(parents=True, exist_ok=True)
    classification(args, args.reco, folder)
    ranking(args, args.reco, folder)


if __name__ == "__main__":
    main()
