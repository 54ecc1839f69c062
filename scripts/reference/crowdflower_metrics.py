"""The figures of the CrowdFlower results table, from labels and probabilities: one code for both sides.

  accuracy, macro_f1, quadratic_kappa
  ndcg_at_10      of the expected grade, grades 0-3, gain 2^grade - 1, mean over queries with a grade above 0;
                  ties by row id descending, compared as text
  auc_grade_4     ROC AUC of class 4 against the rest, by the probability of class 4
  auc_grade_4_by_expected_grade   the same, by the expected grade (the score column)
"""
import csv
import math

import numpy as np
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score, roc_auc_score

LABELS = ["1", "2", "3", "4"]
GRADES = np.array([0.0, 1.0, 2.0, 3.0])


def ndcg_at_10(queries, row_ids, labels, score):
    by_query = {}
    for index, query in enumerate(queries):
        by_query.setdefault(query, []).append(index)

    def dcg(grades):
        return sum((2.0 ** g - 1.0) / math.log2(rank + 2) for rank, g in enumerate(grades[:10]))

    values = []
    for members in by_query.values():
        ideal = sorted((GRADES[labels[i]] for i in members), reverse=True)
        if ideal[0] <= 0:
            continue
        members.sort(key=lambda i: row_ids[i], reverse=True)
        members.sort(key=lambda i: -score[i])
        values.append(dcg([GRADES[labels[i]] for i in members]) / dcg(ideal))
    return float(np.mean(values)), len(values)


def evaluate(queries, row_ids, labels, p):
    """labels [rows]: class indices; p [rows, 4]."""
    labels = np.array(labels)
    predicted = p.argmax(axis=1)
    score = p @ GRADES
    ndcg, relevant = ndcg_at_10(queries, row_ids, labels, score)
    return {
        "accuracy": accuracy_score(labels, predicted),
        "macro_f1": f1_score(labels, predicted, average="macro", labels=range(len(LABELS)), zero_division=0),
        "quadratic_kappa": cohen_kappa_score(labels, predicted, weights="quadratic"),
        "ndcg_at_10": ndcg,
        "auc_grade_4": roc_auc_score(labels == 3, p[:, 3]),
        "auc_grade_4_by_expected_grade": roc_auc_score(labels == 3, score),
        "rows": len(labels),
        "queries_with_relevant": relevant,
    }


def evaluate_file(path):
    """The same of a predictions.tsv."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    p = np.array([[float(row[f"p_{label}"]) for label in LABELS] for row in rows])
    return evaluate([row["query_id"] for row in rows], [row["row_id"] for row in rows],
                    [LABELS.index(row["label"]) for row in rows], p)
