#include <string.h>

#include "core/mem.h"
#include "eval/report.h"

static const size_t default_at[] = {1, 3, 5, 10};

const char *report_label_name(const struct eval_report *report, int label)
{
    return label >= 0 && report->p ? report->p->labels.names[label] : "";
}

bool report_has_ranking(const struct eval_report *report)
{
    for (size_t i = 0; i < report->value_count; i++) {
        if (report->values[i].metric->query) {
            return true;
        }
    }
    return false;
}

/* The first of row's needs that the file's columns or the task cannot meet: such a metric is not even listed. */
static const char *missing_column(const struct eval_report *report, const struct metric *row)
{
    const struct predictions *p = report->p;
    bool classes = report->data.classes > 0;
    unsigned needs = row->needs;
    if (!p) {
        return needs & METRIC_NEEDS_QUERY ? NULL : "a TREC run has no labels";
    }
    if (needs & (METRIC_NEEDS_CLASSES | METRIC_NEEDS_PROBABILITY | METRIC_NEEDS_SCORE) && !classes) {
        return "the task is a regression";
    }
    if (needs & METRIC_NEEDS_CLASSES && !p->predicted) {
        return "there is no column 'predicted'";
    }
    if (needs & METRIC_NEEDS_PROBABILITY && !p->p) {
        return "there are no columns 'p_<label>'";
    }
    if (needs & METRIC_NEEDS_SCORE && !p->p && !(p->score && report->data.classes == 2)) {
        return "there are no columns 'p_<label>', nor a score of two classes";
    }
    if (needs & METRIC_NEEDS_TARGET && (classes || !p->value)) {
        return "the task is no regression";
    }
    if (needs & METRIC_NEEDS_QUERY && !p->query) {
        return "there is no column 'query_id'";
    }
    if (needs & METRIC_NEEDS_QUERY && !p->score) {
        return "there is no column 'score'";
    }
    if (needs & METRIC_NEEDS_CLICKED && !p->clicked) {
        return "there is no column 'clicked'";
    }
    if (needs & METRIC_NEEDS_CONVERTED && !p->converted) {
        return "there is no column 'converted'";
    }
    if (needs & METRIC_NEEDS_DWELL && !p->dwell_s) {
        return "there is no column 'dwell_s'";
    }
    if (needs & METRIC_NEEDS_DEPTH && !p->depth) {
        return "there is no column 'depth'";
    }
    return NULL;
}

bool report_applies(const struct eval_report *report, const struct metric *row, const char **reason)
{
    const unsigned labelled =
        METRIC_NEEDS_CLASSES | METRIC_NEEDS_PROBABILITY | METRIC_NEEDS_SCORE | METRIC_NEEDS_TARGET | METRIC_NEEDS_QUERY;
    *reason = missing_column(report, row);
    if (!*reason && row->needs & labelled && report->p && !report->data.rows) {
        *reason = "no row has a label";
    }
    return !*reason;
}

void report_refuse(struct eval_report *report)
{
    for (size_t i = 0; i < report->value_count; i++) {
        struct eval_value *v = &report->values[i];
        if (!v->metric->query && !report_applies(report, v->metric, &v->reason)) {
            v->value = NAN;
        }
    }
}

/* Takes name. */
static int add_value(struct eval_report *report, char *name, const struct metric *row,
                     const struct metric_variant *variant)
{
    int rc = name ? mem_grow((void **)&report->values, &report->value_capacity, report->value_count + 1,
                             sizeof *report->values)
                  : RECO_E_NOMEM;
    if (rc) {
        mem_free(name);
        return rc;
    }
    report->values[report->value_count++] =
        (struct eval_value){.name = name, .metric = row, .variant = *variant, .value = NAN};
    return 0;
}

/* Every name that row gives on this data. */
static int add_row(struct eval_report *report, const struct metric *row, const size_t *at, size_t at_count)
{
    static const char *const suffix[] = {"", "_macro", "_micro", "_weighted"};
    int rc = 0;
    int base = (int)strcspn(row->name, "@");
    for (size_t i = 0; !rc && i < 4; i++) {
        struct metric_variant variant = {(enum metric_form)(1u << i), -1, SIZE_MAX};
        if (row->forms & variant.form) {
            rc = add_value(report, mem_printf("%.*s%s", base, row->name, suffix[i]), row, &variant);
        }
    }
    for (int c = 0; !rc && row->forms & METRIC_FORM_LABEL && c < report->data.classes; c++) {
        struct metric_variant variant = {METRIC_FORM_LABEL, c, SIZE_MAX};
        rc = add_value(report, mem_printf("%.*s_%s", base, row->name, report_label_name(report, c)), row, &variant);
    }
    for (size_t i = 0; !rc && row->forms & METRIC_FORM_AT && i < at_count; i++) {
        struct metric_variant variant = {METRIC_FORM_AT, -1, at[i]};
        rc = add_value(report, mem_printf("%.*s@%zu", base, row->name, at[i]), row, &variant);
    }
    return rc;
}

static int add_named(struct eval_report *report, const char *name)
{
    struct metric_variant variant;
    const char *label;
    const struct metric *row = metric_find(name, &variant, &label);
    if (!row) {
        return eval_metric_check(name);
    }
    if (label) {
        variant.label = report->data.classes ? label_map_find(&report->p->labels, label, strlen(label)) : -1;
        if (variant.label < 0 && report->data.classes) {
            return err_set(RECO_E_USAGE, "unknown label '%s' in metric '%s'", label, name);
        }
    }
    return add_value(report, mem_strdup(strcmp(name, "loss") != 0 ? name : "log_loss"), row, &variant);
}

static bool is_planned(const struct eval_report *report, const char *name)
{
    for (size_t i = 0; i < report->value_count; i++) {
        if (!strcmp(report->values[i].name, name)) {
            return true;
        }
    }
    return false;
}

int report_plan(struct eval_report *report, const struct eval_options *options)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < options->metric_count; i++) {
        rc = add_named(report, options->metrics[i]);
    }
    const size_t *at = options->at_count ? options->at : default_at;
    size_t at_count = options->at_count ? options->at_count : sizeof default_at / sizeof default_at[0];
    for (size_t i = 0; !rc && !options->metric_count && metric_table[i]; i++) {
        if (!missing_column(report, metric_table[i])) {
            rc = add_row(report, metric_table[i], at, at_count);
        }
    }
    for (size_t i = 0; !rc && i < options->also_count; i++) {
        if (!is_planned(report, options->also[i])) {
            rc = add_named(report, options->also[i]);
        }
    }
    return rc;
}
