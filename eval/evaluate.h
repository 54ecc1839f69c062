#ifndef RECO_EVAL_EVALUATE_H
#define RECO_EVAL_EVALUATE_H

/*
 * Every metric over one set of predictions, in one pass. Used by `reco eval` on files and by training on the dev set
 * (which fills a struct predictions itself). Metrics are descriptors in a table (metric.h): to add one, one file and
 * one row.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "data/predictions.h"

/*
 * Items of equal score in a ranking: by id, the greater first, as trec_eval does; in the order of the file; or the
 * expected value over all their orders (McSherry and Najork 2008).
 */
enum eval_ties { EVAL_TIES_DOCNO, EVAL_TIES_FILE, EVAL_TIES_EXPECTED };

/* How popular items are, for the figures of the catalogue, which is these items and those of the predictions. */
struct eval_popularity {
    const char *const *ids; /* [count] distinct */
    const double *counts;   /* [count] */
    size_t count;
};

struct interval_options; /* interval.h */
struct slice_options;    /* slice.h */

struct eval_options {
    const char *const *metrics; /* names as in metric_table ("accuracy", "f1", "ndcg@10"); count 0: all that apply */
    size_t metric_count;
    const char *const *also; /* names to compute besides, as gates need them */
    size_t also_count;
    const size_t *at; /* depths of the ranking metrics when metric_count is 0; at_count 0: 1, 3, 5, 10 */
    size_t at_count;
    /* Grade from which an item is relevant; NaN: 1, or unknown when the lowest grade is above 0. */
    double relevance_level;
    bool need_relevance; /* an unknown level is RECO_E_USAGE when a metric needs it; false: that metric is undefined */
    const double *gains; /* [labels.count] NDCG gain of a class; NULL: 2^grade - 1 */
    bool by_query;       /* keep the values by query, for per_query.tsv */
    enum eval_ties ties;
    const struct eval_popularity *popularity; /* NULL: an item is as popular as it has rows */
    bool by_truncation;                       /* the figures once more on truncated rows and on whole ones */
    int threads;                              /* 0: this one alone; the values are the same for any number */
    const struct interval_options *intervals; /* bootstrap intervals of all figures; NULL: none */
    const struct slice_options *slices;       /* the figures again by slice, and the gaps between them; NULL: none */
};
void eval_options_init(struct eval_options *options); /* everything that applies, at 1, 3, 5, 10, level unset */

/*
 * gains [labels->count] from "label=gain" texts; every label must be named. RECO_E_USAGE otherwise.
 */
int eval_gains_parse(double *gains, const struct label_map *labels, const char *const *assignments,
                     size_t count) RECO_MUST_CHECK;

struct eval_report; /* opaque; report.h shows it to eval/ */

/*
 * p is borrowed until eval_report_free. Metrics that do not apply to the data are undefined with their reason, not
 * errors. Rows without a label (target) are left out, except for the behaviour metrics. An item's grade is its label's;
 * without grades the positive class has grade 1 and the others 0; in regression it is the target. RECO_E_USAGE: a
 * metric's name or label is unknown.
 */
int eval_run(struct eval_report **out, const struct predictions *p, const struct eval_options *options) RECO_MUST_CHECK;
void eval_report_free(struct eval_report *report);

/* Value of a metric; false when it was not computed or is undefined, then *reason (may be NULL) says why. */
bool eval_report_get(const struct eval_report *report, const char *name, double *value, const char **reason);

/* Checks a metric name while options are parsed: RECO_E_USAGE with the nearest name. */
int eval_metric_check(const char *name) RECO_MUST_CHECK;
/*
 * What the metrics are: all of them, a line each; those named, with names, formula, source, version, what they need and
 * which way is better. As JSON by the row's name, *out a new reference. RECO_E_USAGE: an unknown name.
 */
int eval_metrics_text(const char *const *names, size_t count, struct buf *b) RECO_MUST_CHECK;
int eval_metrics_json(json_t **out, const char *const *names, size_t count) RECO_MUST_CHECK;
/* Is it a figure by query, or of the items that lists show? */
bool eval_metric_needs_lists(const char *name);
/* +1 higher is better, -1 lower is better, 0 unknown name or no direction. "loss" (the mean log loss) is an alias of
 * log_loss. */
int eval_metric_direction(const char *name);

/* Where the figures come from (command, versions, hashes): shown in every output. json is an object, whose reference is
 * taken also on failure; the versions of the metrics are added to it. NULL: out of memory. */
int eval_report_set_provenance(struct eval_report *report, json_t *json) RECO_MUST_CHECK;
const json_t *eval_report_provenance(const struct eval_report *report); /* NULL: none was set */

/* How many values there are, and one: its name, borrowed; NaN where undefined, then *reason (may be NULL) says why. */
size_t eval_report_count(const struct eval_report *report);
const char *eval_report_value(const struct eval_report *report, size_t i, double *value, const char **reason);

/* The report for people, and the same as JSON with stable names. per_query: TSV, one line a query. */
int eval_report_text(const struct eval_report *report, struct buf *b) RECO_MUST_CHECK;
json_t *eval_report_json(const struct eval_report *report); /* new reference; NULL: out of memory */
int eval_report_markdown(const struct eval_report *report, struct buf *b) RECO_MUST_CHECK;
int eval_report_per_query(const struct eval_report *report, struct buf *b) RECO_MUST_CHECK;

/* May dir be written? RECO_E_USAGE for a non-empty one, unless overwrite and it holds a report. */
int eval_report_dir_check(const char *dir, bool overwrite) RECO_MUST_CHECK;
/* Makes dir (staged; an existing one is replaced) with report.txt, report.json, report.html and, if kept,
 * per_query.tsv, and arms.tsv and by_position.tsv where there are such. */
int eval_report_write(const struct eval_report *report, const char *dir, const char *text, const char *json,
                      const char *html) RECO_MUST_CHECK;

/* A gate: "f1>=0.8", also > <= < ==. check parses alone; eval_gate appends a line ("pass f1 0.83 >= 0.8") to b and
 * returns 0 or RECO_E_GATE (an undefined value fails the gate). */
int eval_gate_check(const char *gate) RECO_MUST_CHECK;
char *eval_gate_metric(const char *gate) RECO_MUST_CHECK; /* the name in it; the caller frees. NULL: see err_message */
int eval_gate(const struct eval_report *report, const char *gate, struct buf *b) RECO_MUST_CHECK;

/* What was done to the events before they were counted: part of every output. window is borrowed. */
struct eval_attributed {
    const char *window;         /* as it was asked for; NULL: none */
    size_t late, without_delay; /* conversions that do not count any more; that count as nothing is known of them */
    double max_weight;          /* 0: weights are as they were */
    size_t weights_cut;
};
void eval_report_set_attributed(struct eval_report *report, const struct eval_attributed *attributed);

/* The behaviour figures by the arms of an experiment, with lifts over a control arm (arms.h): part of every output. */
struct eval_arms_options {
    const char *column;      /* of the extra columns of the predictions; rows where it is empty are of no arm */
    const char *control;     /* NULL: the first arm in order of bytes */
    const char *unit_column; /* names what is independent, as a user; NULL: the query, else the row */
    double level;            /* of the intervals, in (0, 1) */
};
int eval_report_add_arms(struct eval_report *report, const struct eval_arms_options *options) RECO_MUST_CHECK;

#endif
