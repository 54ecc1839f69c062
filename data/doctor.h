#ifndef RECO_DATA_DOCTOR_H
#define RECO_DATA_DOCTOR_H

/*
 * What is wrong with data files, and how to mend it: `reco doctor`. One streaming pass over the files given, in bounded
 * memory: what needs the whole (duplicates, contradictions, leakage, repeated ids) goes through an external sort. The
 * report is the same for any number of threads and any memory limit.
 *
 * The report is a JSON object with stable names; text and page are views of it. A finding is an object of "findings":
 * rule, severity ("error", "warning", "info"), column, count, of, share, what, mend, files, examples. What is shown of
 * the data in it is masked (e-mail addresses, phone and card numbers) and cut.
 *
 * To add a rule: one value in enum doctor_rule_id and one row of doctor_rules (doctor_rules.c), where it is found one
 * call of doctor_tally_add or doctor_finding_add, and a case in tests/data/test_doctor.c.
 */

#include <jansson.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/opt.h"
#include "data/table.h"
#include "data/wordpiece.h"

struct doctor_options {
    struct table_options table;
    char *query_column, *label_column, *id_column, *item_id_column; /* NULL: guessed from the names, if guess */
    struct opt_list description_column;
    bool guess;
    struct opt_list max_seq_length; /* lengths in tokens to try; need a tokeniser */
    int truncation;                 /* enum wordpiece_truncation */
    int64_t threads;                /* 0: all processors */
    int64_t max_memory;             /* bytes, for the external sort and its neighbours */
    char *tmp_dir;                  /* NULL: $TMPDIR, else /tmp */
    bool escape_special;
    const char *model_path; /* for the suggested command; NULL: not known */
};

struct doctor_input {
    const char *path; /* "-": stdin, once */
    const char *role; /* "train", "validation", "test"; NULL: by its name, else none */
};

/* What can be said of the options before a file is opened: RECO_E_USAGE. doctor_run calls it first. */
int doctor_options_check(const struct doctor_options *options) RECO_MUST_CHECK;

/*
 * *out is a new reference. wp: the tokeniser whose lengths are wanted, or NULL. Errors only where a file cannot be read
 * at all, or a column that was asked for is in none of the files (RECO_E_USAGE); bad rows are findings.
 */
int doctor_run(json_t **out, const struct doctor_input *inputs, size_t count, const struct doctor_options *options,
               const struct wordpiece *wp) RECO_MUST_CHECK;

/* The number of findings of a severity ("error") in a report. */
size_t doctor_count(const json_t *report, const char *severity);

struct doctor_text_style {
    int columns;  /* width of a line */
    int examples; /* of a finding, at most */
    bool colour;
};
/* The report for people, appended to b. */
int doctor_text(struct buf *b, const json_t *report, const struct doctor_text_style *style) RECO_MUST_CHECK;

#endif
