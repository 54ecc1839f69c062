#include <string.h>

#include "core/mem.h"
#include "data/decimal.h"
#include "eval/report.h"

static const size_t default_at[] = {1, 3, 5, 10};

const char *report_label_name(const struct eval_report *report, int label)
{
    return label >= 0 && report->p ? report->p->labels.names[label] : "";
}

bool report_has_ranking(const struct eval_report *report)
{
    for (size_t i = 0; i < report->value_count; i++) {
        const struct metric *m = report->values[i].metric;
        if (m->catalogue || report_is_by_query(&report->values[i])) {
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
        return p->target || p->value ? "the task is a regression" : "there is no column 'label'";
    }
    if (needs & METRIC_NEEDS_CLASSES && !p->predicted) {
        return "there is no column 'predicted'";
    }
    if (needs & METRIC_NEEDS_PROBABILITY && !predictions_has_p(p)) {
        return "there are no columns 'p_<label>'";
    }
    if (needs & METRIC_NEEDS_SCORE && !predictions_has_p(p) &&
        !(predictions_has_score(p) && report->data.classes == 2)) {
        return "there are no columns 'p_<label>', nor a score of two classes";
    }
    if (needs & METRIC_NEEDS_TARGET && (classes || !p->value)) {
        return "the task is no regression";
    }
    if (needs & METRIC_NEEDS_QUERY && !p->label && !p->target) {
        return "there is no column 'label'";
    }
    if (needs & (METRIC_NEEDS_QUERY | METRIC_NEEDS_ITEM) && !p->query) {
        return "there is no column 'query_id'";
    }
    if (needs & (METRIC_NEEDS_QUERY | METRIC_NEEDS_ITEM) && !predictions_has_score(p)) {
        return "there is no column 'score'";
    }
    if (needs & METRIC_NEEDS_ITEM && !p->item) {
        return "there is no column 'item_id'";
    }
    const struct {
        unsigned need;
        const double *column;
        const char *reason;
    } events[] = {{METRIC_NEEDS_CLICKED, p->clicked, "there is no column 'clicked'"},
                  {METRIC_NEEDS_CONVERTED, p->converted, "there is no column 'converted'"},
                  {METRIC_NEEDS_DWELL, p->dwell_s, "there is no column 'dwell_s'"},
                  {METRIC_NEEDS_DEPTH, p->depth, "there is no column 'depth'"},
                  {METRIC_NEEDS_CARTED, p->carted, "there is no column 'carted'"},
                  {METRIC_NEEDS_ORDERED, p->ordered, "there is no column 'ordered'"},
                  {METRIC_NEEDS_REVENUE, p->revenue, "there is no column 'revenue'"}};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (needs & events[i].need && !events[i].column) {
            return events[i].reason;
        }
    }
    return NULL;
}

/* What a form needs beside the row. */
static const char *missing_for_form(const struct eval_report *report, const struct metric *row, enum metric_form form,
                                    size_t k)
{
    const struct predictions *p = report->p;
    if (!row->event || !p) {
        return NULL;
    }
    if (form == METRIC_FORM_LISTS && !p->query) {
        return "there is no column 'query_id'";
    }
    if (k != SIZE_MAX && !p->position) {
        return "there is no column 'position'";
    }
    if ((form == METRIC_FORM_IPS || form == METRIC_FORM_SNIPS) && !p->propensity) {
        return "there is no column 'propensity'";
    }
    return NULL;
}

bool report_applies(const struct eval_report *report, const struct eval_value *v, const char **reason)
{
    const unsigned labelled =
        METRIC_NEEDS_CLASSES | METRIC_NEEDS_PROBABILITY | METRIC_NEEDS_SCORE | METRIC_NEEDS_TARGET | METRIC_NEEDS_QUERY;
    *reason = missing_column(report, v->metric);
    if (!*reason) {
        *reason = missing_for_form(report, v->metric, v->variant.form, v->variant.k);
    }
    if (!*reason && v->metric->needs & labelled && report->p && !(report->data.rows > 0)) {
        *reason = "no row has a label";
    }
    return !*reason;
}

void report_refuse(struct eval_report *report)
{
    for (size_t i = 0; i < report->value_count; i++) {
        struct eval_value *v = &report->values[i];
        if (!v->metric->query && !report_applies(report, v, &v->reason)) {
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

/* A label may be called as a form is: f1_macro is the mean then, and f1_label_macro that of the label 'macro'. */
#define LABEL_MARK "label_"

static char *name_of_class(const struct metric *row, const char *parameter_text, const char *label)
{
    struct metric_variant variant;
    const char *read_label = NULL;
    char *name = mem_printf("%s%s_%s", row->name, parameter_text, label);
    if (name && (!metric_find(name, &variant, &read_label) || !read_label)) {
        mem_free(name);
        name = mem_printf("%s%s_" LABEL_MARK "%s", row->name, parameter_text, label);
    }
    return name;
}

static int find_class(const struct label_map *labels, const char *text)
{
    size_t mark = strlen(LABEL_MARK);
    int class = label_map_find(labels, text, strlen(text));
    return class < 0 && !strncmp(text, LABEL_MARK, mark) ? label_map_find(labels, text + mark, strlen(text + mark))
                                                         : class;
}

/* The names of one row, or of one of its numbers, on this data. */
static int add_forms(struct eval_report *report, const struct metric *row, const char *parameter_text, double parameter,
                     const size_t *at, size_t at_count)
{
    static const struct {
        enum metric_form form;
        const char *suffix;
    } plain[] = {{METRIC_FORM_PLAIN, ""},       {METRIC_FORM_MACRO, "_macro"},
                 {METRIC_FORM_MICRO, "_micro"}, {METRIC_FORM_WEIGHTED, "_weighted"},
                 {METRIC_FORM_OVO, "_ovo"},     {METRIC_FORM_IPS, "_ips"},
                 {METRIC_FORM_SNIPS, "_snips"}, {METRIC_FORM_LISTS, "_lists"}};
    int rc = 0;
    int base = (int)strcspn(row->name, "@");
    for (size_t i = 0; !rc && i < sizeof plain / sizeof plain[0]; i++) {
        struct metric_variant variant = {plain[i].form, -1, SIZE_MAX, parameter};
        if (row->forms & variant.form && !missing_for_form(report, row, variant.form, SIZE_MAX)) {
            rc = add_value(report, mem_printf("%.*s%s%s", base, row->name, parameter_text, plain[i].suffix), row,
                           &variant);
        }
    }
    for (int c = 0; !rc && row->forms & METRIC_FORM_LABEL && c < report->data.classes; c++) {
        struct metric_variant variant = {METRIC_FORM_LABEL, c, SIZE_MAX, parameter};
        rc = add_value(report, name_of_class(row, parameter_text, report_label_name(report, c)), row, &variant);
    }
    for (int lists = 0; lists < 2; lists++) {
        enum metric_form form = lists ? METRIC_FORM_LISTS : METRIC_FORM_AT;
        for (size_t i = 0; !rc && row->forms & METRIC_FORM_AT && row->forms & form && i < at_count; i++) {
            struct metric_variant variant = {form, -1, at[i], parameter};
            if (!missing_for_form(report, row, form, at[i])) {
                rc = add_value(
                    report, mem_printf("%.*s%s%s@%zu", base, row->name, parameter_text, lists ? "_lists" : "", at[i]),
                    row, &variant);
            }
        }
    }
    return rc;
}

/* Every name that row gives on this data. */
static int add_row(struct eval_report *report, const struct metric *row, const size_t *at, size_t at_count)
{
    int rc = 0;
    if (!row->parameters) {
        return add_forms(report, row, "", NAN, at, at_count);
    }
    for (size_t i = 0; !rc && row->parameters[i]; i++) {
        double parameter = NAN;
        if (!decimal_parse(row->parameters[i], strlen(row->parameters[i]), &parameter)) {
            return err_set(RECO_E_INTERNAL, "metric '%s' has a number '%s'", row->name, row->parameters[i]);
        }
        rc = add_forms(report, row, row->parameters[i], parameter, at, at_count);
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
        variant.label = report->data.classes ? find_class(&report->p->labels, label) : -1;
        if (variant.label < 0 && report->data.classes) {
            return err_set(RECO_E_USAGE, "unknown label '%s' in metric '%s'", label, name);
        }
    }
    return add_value(report, mem_strdup(metric_unalias(name)), row, &variant);
}

static bool is_planned(const struct eval_report *report, const char *name)
{
    for (size_t i = 0; i < report->value_count; i++) {
        if (!strcmp(report->values[i].name, metric_unalias(name))) {
            return true;
        }
    }
    return false;
}

int report_plan(struct eval_report *report, const struct eval_options *options)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < options->metric_count; i++) { /* one named twice is one figure, and one test */
        rc = is_planned(report, options->metrics[i]) ? 0 : add_named(report, options->metrics[i]);
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
