#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/doctor_internal.h"

/* Limits of judgement. A class of fewer rows than RARE_ROWS cannot be measured to better than some 20 points. */
enum {
    CLASSES_MAX = 50,
    RARE_ROWS = 20,
    IMBALANCE_RATIO = 20,
    IMBALANCE_WARNING = 100,
    SAMPLE_MIN = 100,
    HINTS_MAX = 8
};
static const double drift_distance = 0.05, drift_p = 0.001, hints_share = 0.1, tells_share = 0.5, is_share = 0.995;

bool doctor_labels_are_classes(const struct doctor *d)
{
    return !d->labels->overflow && d->labels->count <= CLASSES_MAX;
}

static int add(struct doctor *d, struct doctor_finding f, const struct buf *what)
{
    f.column = f.column == 0 ? d->schema.label : f.column - 1;
    f.what = buf_str(what);
    return doctor_finding_add(d, &f);
}

/* A finding on the label column over all files. */
static struct doctor_finding of_rule(enum doctor_rule_id rule)
{
    return (struct doctor_finding){
        .rule = rule, .severity = doctor_rules[rule].severity, .file = DOCTOR_NONE, .other_file = DOCTOR_NONE};
}

static int judge_missing(struct doctor *d, size_t f)
{
    uint64_t missing = d->labels->missing[f], rows = d->files[f].rows;
    struct doctor_finding finding = of_rule(DOCTOR_LABEL_MISSING);
    struct buf what = {0};

    if (missing == 0 || (d->files[f].role != NULL && strcmp(d->files[f].role, "test") == 0))
        return 0;
    finding.severity = missing > 1 && missing * 1000 > rows ? DOCTOR_ERROR : DOCTOR_WARNING;
    finding.file = f;
    finding.count = missing;
    finding.of = rows;
    int rc =
        buf_printf(&what, "%llu of %llu rows have no label", (unsigned long long)missing, (unsigned long long)rows);
    if (rc == 0)
        rc = add(d, finding, &what);
    buf_release(&what);
    return rc;
}

/* ---- the values ---- */

static int judge_number(struct doctor *d, const uint16_t *order)
{
    const struct doctor_labels *l = d->labels;
    size_t fractions = 0;
    struct buf what = {0};
    int rc = 0;

    for (size_t i = 0; i < l->count; i++)
        fractions += l->all_numbers && l->numbers[i] != floor(l->numbers[i]);
    if (!doctor_labels_are_classes(d)) {
        struct doctor_finding f = of_rule(DOCTOR_LABEL_MANY);
        f.count = l->count;
        f.severity = l->all_numbers ? DOCTOR_INFO : DOCTOR_WARNING;
        f.mend = l->all_numbers ? "predict the number with --regression, or make classes with --label_threshold" : NULL;
        rc = buf_printf(&what, "label '%s' has %s%zu values%s", d->schema.names[d->schema.label],
                        l->overflow ? "more than " : "", l->count,
                        l->all_numbers ? ", all numbers" : ": an id or a text rather than classes");
        rc = rc < 0 ? rc : add(d, f, &what);
    } else if (fractions > 0) {
        struct doctor_finding f = of_rule(DOCTOR_LABEL_FRACTIONS);
        f.count = fractions;
        f.of = l->count;
        rc = buf_printf(&what, "labels are numbers with fractions: %zu values from %s to %s", l->count,
                        doctor_labels_name(l, order[0]), doctor_labels_name(l, order[l->count - 1]));
        rc = rc < 0 ? rc : add(d, f, &what);
    }
    buf_release(&what);
    return rc;
}

/* Equal but for case and blanks? */
static bool same_spelling(const char *a, const char *b)
{
    for (;;) {
        while (isspace((unsigned char)*a))
            a++;
        while (isspace((unsigned char)*b))
            b++;
        if (*a == '\0' || *b == '\0' || tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return *a == *b;
        a++;
        b++;
    }
}

static int judge_spellings(struct doctor *d)
{
    const struct doctor_labels *l = d->labels;
    struct doctor_finding f = of_rule(DOCTOR_LABEL_SPELLINGS);
    struct buf what = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < l->count && doctor_labels_are_classes(d); i++) {
        for (size_t j = i + 1; rc == 0 && j < l->count; j++) {
            if (!same_spelling(doctor_labels_name(l, i), doctor_labels_name(l, j)))
                continue;
            rc = buf_printf(&what, "%s'%s' and '%s'",
                            f.count++ > 0 ? ", " : "labels differ only in case or blanks: ", doctor_labels_name(l, i),
                            doctor_labels_name(l, j));
        }
    }
    if (rc == 0 && f.count > 0)
        rc = add(d, f, &what);
    buf_release(&what);
    return rc;
}

/* ---- how often ---- */

static int judge_counts(struct doctor *d, const uint16_t *order, size_t train)
{
    const struct doctor_labels *l = d->labels;
    uint64_t most = 0, least = UINT64_MAX, rows = 0;
    size_t classes = 0, rare = 0;
    struct buf what = {0}, rare_text = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < l->count; i++) {
        uint64_t count = l->counts[order[i]][train];
        if (count == 0)
            continue;
        classes++;
        rows += count;
        most = count > most ? count : most;
        least = count < least ? count : least;
        if (count < RARE_ROWS)
            rc = buf_printf(&rare_text, "%s'%s' (%llu)", rare++ > 0 ? ", " : "", doctor_labels_name(l, order[i]),
                            (unsigned long long)count);
    }
    if (rc == 0 && classes == 1 && rows > 1) {
        struct doctor_finding f = of_rule(DOCTOR_LABEL_ONE_CLASS);
        f.file = train;
        f.count = f.of = rows;
        rc = buf_printf(&what, "all labels of %s are the same: there is nothing to learn", d->files[train].name);
        rc = rc < 0 ? rc : add(d, f, &what);
    } else if (rc == 0 && rare > 0 && rows >= SAMPLE_MIN) {
        struct doctor_finding f = of_rule(DOCTOR_LABEL_RARE);
        f.file = train;
        f.count = rare;
        f.of = classes;
        rc = buf_printf(&what, "label%s of few rows in %s: %s", rare > 1 ? "s" : "", d->files[train].name,
                        buf_str(&rare_text));
        rc = rc < 0 ? rc : add(d, f, &what);
    }
    buf_clear(&what);
    if (rc == 0 && classes > 1 && rows >= SAMPLE_MIN && most >= IMBALANCE_RATIO * least) {
        struct doctor_finding f = of_rule(DOCTOR_LABEL_IMBALANCE);
        f.file = train;
        f.severity = most >= IMBALANCE_WARNING * least ? DOCTOR_WARNING : DOCTOR_INFO;
        f.count = least;
        f.of = rows;
        rc = buf_printf(&what, "the largest class of %s has %.0f times the rows of the smallest (%llu and %llu)",
                        d->files[train].name, (double)most / (double)least, (unsigned long long)most,
                        (unsigned long long)least);
        rc = rc < 0 ? rc : add(d, f, &what);
    }
    buf_release(&rare_text);
    buf_release(&what);
    return rc;
}

static int judge_unseen(struct doctor *d, const uint16_t *order, size_t train, size_t f)
{
    const struct doctor_labels *l = d->labels;
    struct doctor_finding finding = of_rule(DOCTOR_LABEL_UNSEEN);
    struct buf what = {0};
    int rc = 0;

    finding.file = f;
    finding.other_file = train;
    finding.of = d->files[f].rows;
    for (size_t i = 0; rc == 0 && i < l->count; i++) {
        uint64_t count = l->counts[order[i]][f];
        if (count == 0 || l->counts[order[i]][train] > 0)
            continue;
        rc = buf_printf(&what, "%s'%s' (%llu)", finding.count > 0 ? ", " : "", doctor_labels_name(l, order[i]),
                        (unsigned long long)count);
        finding.count += count;
    }
    if (rc == 0 && finding.count > 0)
        rc = buf_printf(&what, " in %s %s not in %s", d->files[f].name,
                        finding.count == 1 ? "is a label" : "are labels", d->files[train].name);
    if (rc == 0 && finding.count > 0)
        rc = add(d, finding, &what);
    buf_release(&what);
    return rc;
}

static int judge_drift(struct doctor *d, size_t a, size_t b)
{
    const struct doctor_labels *l = d->labels;
    uint64_t left[CLASSES_MAX], right[CLASSES_MAX];
    struct doctor_finding f = of_rule(DOCTOR_LABEL_DRIFT);
    struct doctor_drift drift;
    struct buf what = {0};

    for (size_t i = 0; i < l->count; i++) {
        left[i] = l->counts[i][a];
        right[i] = l->counts[i][b];
    }
    doctor_drift(&drift, left, right, l->count);
    if (drift.total_variation < drift_distance || drift.p > drift_p)
        return 0;
    f.file = a;
    f.other_file = b;
    int rc = buf_printf(&what,
                        "labels of %s and %s are distributed otherwise: %.1f %% of the rows would have to change "
                        "(chi-square p %.2g)",
                        d->files[a].name, d->files[b].name, 100.0 * drift.total_variation, drift.p);
    rc = rc < 0 ? rc : add(d, f, &what);
    buf_release(&what);
    return rc;
}

/* ---- columns that tell it ---- */

static int judge_one_telling(struct doctor *d, size_t column, double share)
{
    bool is = share >= is_share;
    struct doctor_finding f = of_rule(is ? DOCTOR_COLUMN_IS_LABEL : DOCTOR_COLUMN_TELLS_LABEL);
    struct buf what = {0};

    f.column = column + 1;
    for (size_t t = 0; is && t < d->schema.text_count; t++)
        f.severity = d->schema.texts[t] == column ? DOCTOR_ERROR : f.severity;
    int rc = is ? buf_printf(&what, "column '%s' is the label '%s' in other words", d->schema.names[column],
                             d->schema.names[d->schema.label])
                : buf_printf(&what, "column '%s' alone mends %.0f %% of the errors of guessing the most frequent label",
                             d->schema.names[column], 100.0 * share);
    rc = rc < 0 ? rc : add(d, f, &what);
    buf_release(&what);
    return rc;
}

/* Columns that tell little or something are named in one finding. Columns of features are there to tell the label:
 * where there are no texts, only what is the label is said. */
static int judge_telling(struct doctor *d)
{
    struct doctor_finding f = of_rule(DOCTOR_COLUMN_TELLS_LABEL);
    struct buf hints = {0}, what = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < d->schema.count; i++) {
        double share = 0.0;
        if (i != d->schema.label)
            rc = doctor_sample_explains(&d->sample, i, &share);
        d->tells[i] = share;
        if (i == d->schema.query || i == d->schema.id)
            continue;
        if (rc < 0 || share < hints_share || (share < is_share && d->schema.text_count == 0))
            continue;
        if (share >= tells_share)
            rc = judge_one_telling(d, i, share);
        else if (f.count++ < HINTS_MAX)
            rc =
                buf_printf(&hints, "%s'%s' (%.0f %%)", hints.length > 0 ? ", " : "", d->schema.names[i], 100.0 * share);
    }
    if (rc == 0 && f.count > 0) {
        f.severity = DOCTOR_INFO;
        f.column = DOCTOR_NONE;
        rc = buf_printf(&what, "column%s that mend%s errors of guessing the most frequent label: %s",
                        f.count == 1 ? "" : "s", f.count == 1 ? "s" : "", buf_str(&hints));
        f.what = buf_str(&what);
        rc = rc < 0 ? rc : doctor_finding_add(d, &f);
    }
    buf_release(&hints);
    buf_release(&what);
    return rc;
}

int doctor_judge_labels(struct doctor *d)
{
    size_t train = doctor_train_file(d);
    uint16_t *order = doctor_labels_order(d->labels);
    int rc = order == NULL ? RECO_E_NOMEM : 0;

    for (size_t f = 0; rc == 0 && f < d->file_count; f++)
        rc = judge_missing(d, f);
    if (rc == 0 && d->labels->count > 0)
        rc = judge_number(d, order);
    if (rc == 0)
        rc = judge_spellings(d);
    if (rc == 0 && doctor_labels_are_classes(d) && d->labels->count > 0) {
        rc = judge_counts(d, order, train);
        for (size_t f = 0; rc == 0 && f < d->file_count; f++)
            rc = f == train ? 0 : judge_unseen(d, order, train, f);
        for (size_t a = 0; rc == 0 && a < d->file_count; a++) {
            for (size_t b = a + 1; rc == 0 && b < d->file_count; b++)
                rc = judge_drift(d, a, b);
        }
    }
    if (rc == 0)
        rc = judge_telling(d);
    mem_free(order);
    return rc;
}
