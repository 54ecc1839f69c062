/* What the rows of metric_table.c say of themselves, for people and for programs. */

#include <jansson.h>
#include <string.h>

#include "eval/evaluate.h"
#include "eval/metric.h"
#include "eval/try.h"

enum { COLUMNS = 100, HELP_INDENT = 32, FIELD_INDENT = 12 };

static const struct {
    unsigned need;
    const char *text;
} needs[] = {
    {METRIC_NEEDS_CLASSES, "labels, and a column 'predicted' or 'p_<label>' columns"},
    {METRIC_NEEDS_PROBABILITY, "labels, 'p_<label>' columns"},
    {METRIC_NEEDS_SCORE, "labels, 'p_<label>' columns or, with two labels, a column 'score'"},
    {METRIC_NEEDS_TARGET, "a regression: numbers as labels and predictions"},
    {METRIC_NEEDS_QUERY, "labels, and the columns 'query_id' and 'score' (or what gives a score)"},
    {METRIC_NEEDS_ITEM, "the columns 'query_id', 'item_id' and 'score' (or what gives a score)"},
    {METRIC_NEEDS_RELEVANCE, "a relevance level"},
    {METRIC_NEEDS_CLICKED, "a column 'clicked'"},
    {METRIC_NEEDS_CONVERTED, "a column 'converted'"},
    {METRIC_NEEDS_CARTED, "a column 'carted'"},
    {METRIC_NEEDS_ORDERED, "a column 'ordered'"},
    {METRIC_NEEDS_REVENUE, "a column 'revenue'"},
    {METRIC_NEEDS_DWELL, "a column 'dwell_s'"},
    {METRIC_NEEDS_DEPTH, "a column 'depth'"},
};
enum { NEED_COUNT = sizeof needs / sizeof needs[0] };

static const struct {
    unsigned needs;
    const char *title;
} groups[] = {
    {METRIC_NEEDS_CLASSES | METRIC_NEEDS_PROBABILITY | METRIC_NEEDS_SCORE, "classification and calibration"},
    {METRIC_NEEDS_TARGET, "regression"},
    {METRIC_NEEDS_QUERY, "ranking by query"},
    {METRIC_NEEDS_ITEM, "recommendation: what all lists together show"},
    {METRIC_NEEDS_EVENTS, "behaviour"},
};

static const struct {
    enum metric_form form;
    const char *suffix;
} forms[] = {{METRIC_FORM_PLAIN, ""},       {METRIC_FORM_MACRO, "_macro"},
             {METRIC_FORM_MICRO, "_micro"}, {METRIC_FORM_WEIGHTED, "_weighted"},
             {METRIC_FORM_OVO, "_ovo"},     {METRIC_FORM_LABEL, "_<label>"},
             {METRIC_FORM_AT, "@<k>"},      {METRIC_FORM_LISTS, "_lists"},
             {METRIC_FORM_IPS, "_ips"},     {METRIC_FORM_SNIPS, "_snips"}};
enum { FORM_COUNT = sizeof forms / sizeof forms[0] };

static const char *better(const struct metric *m)
{
    return m->direction > 0 ? "higher" : m->direction < 0 ? "lower" : "neither";
}

/* A name with its suffix, behind a comma unless it is the first. */
static int add_name(const struct metric *m, const char *number, const char *suffix, bool *first, struct buf *b)
{
    TRY(buf_printf(b, "%s%.*s%s%s", *first ? "" : ", ", (int)strcspn(m->name, "@"), m->name, number, suffix));
    *first = false;
    return 0;
}

static int add_names(const struct metric *m, struct buf *b)
{
    bool first = true;
    /* without numbers of its own a row with a parameter has a default one: rbp is rbp0.8 */
    bool needs_number = m->parameters != NULL;
    for (int i = 0; i < FORM_COUNT; i++) {
        if (m->forms & forms[i].form) {
            TRY(add_name(m, needs_number ? "<number>" : "", forms[i].suffix, &first, b));
        }
        if (m->forms & forms[i].form && forms[i].form == METRIC_FORM_LISTS && m->forms & METRIC_FORM_AT) {
            TRY(add_name(m, "", "_lists@<k>", &first, b));
        }
    }
    return m->forms & METRIC_FORM_PARAMETER && !needs_number ? add_name(m, "<number>", "...", &first, b) : 0;
}

static int add_field(struct buf *b, const char *key, const char *text)
{
    TRY(buf_printf(b, "  %-10s", key));
    return buf_add_wrapped(b, text, FIELD_INDENT, COLUMNS);
}

static int add_row(const struct metric *m, struct buf *b)
{
    struct buf text = {0};
    int rc = buf_printf(b, "%s: version %d, %s is better\n  ", m->name, m->version, better(m));
    if (!rc) {
        rc = buf_add_wrapped(b, m->help, 2, COLUMNS);
    }
    if (!rc) {
        rc = add_names(m, &text);
    }
    if (!rc) {
        rc = add_field(b, "names", buf_str(&text));
    }
    if (!rc) {
        rc = add_field(b, "formula", m->formula);
    }
    if (!rc) {
        rc = add_field(b, "source", m->citation);
    }
    buf_clear(&text);
    for (int i = 0; !rc && i < NEED_COUNT; i++) {
        if (m->needs & needs[i].need) {
            rc = buf_printf(&text, "%s%s", text.length ? "; " : "", needs[i].text);
        }
    }
    if (!rc) {
        rc = add_field(b, "needs", buf_str(&text));
    }
    buf_release(&text);
    return rc;
}

static int add_group(size_t group, struct buf *b)
{
    TRY(buf_printf(b, "%s%s\n", group ? "\n" : "", groups[group].title));
    for (size_t i = 0; metric_table[i]; i++) {
        const struct metric *m = metric_table[i];
        if (m->needs & groups[group].needs) {
            TRY(buf_printf(b, "  %-22s%-8s", m->name, better(m)));
            TRY(buf_add_wrapped(b, m->help, HELP_INDENT, COLUMNS));
        }
    }
    return 0;
}

/* A row by its own name ("precision@k", "f") or by a name that it gives. */
static const struct metric *find_row(const char *name)
{
    struct metric_variant variant;
    const char *label;
    for (size_t i = 0; metric_table[i]; i++) {
        if (!strcmp(metric_table[i]->name, name)) {
            return metric_table[i];
        }
    }
    return metric_find(name, &variant, &label);
}

int eval_metrics_text(const char *const *names, size_t count, struct buf *b)
{
    if (!count) {
        for (size_t group = 0; group < sizeof groups / sizeof groups[0]; group++) {
            TRY(add_group(group, b));
        }
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const struct metric *m = find_row(names[i]);
        bool is_told = false; /* several names of one metric */
        if (!m) {
            return eval_metric_check(names[i]);
        }
        for (size_t k = 0; k < i; k++) {
            is_told = is_told || find_row(names[k]) == m;
        }
        if (!is_told) {
            TRY(i ? buf_add_char(b, '\n') : 0);
            TRY(add_row(m, b));
        }
    }
    return 0;
}

json_t *metric_definition(const struct metric *m)
{
    json_t *list = json_array();
    for (int i = 0; list && i < NEED_COUNT; i++) {
        if (m->needs & needs[i].need && json_array_append_new(list, json_string(needs[i].text))) {
            json_decref(list);
            return NULL;
        }
    }
    return json_pack("{sisssssssiso}", "version", m->version, "help", m->help, "formula", m->formula, "citation",
                     m->citation, "direction", m->direction, "needs", list);
}

int eval_metrics_json(json_t **out, const char *const *names, size_t count)
{
    json_t *all = json_object();
    int rc = all ? 0 : err_nomem();
    for (size_t i = 0; !rc && (count ? i < count : metric_table[i] != NULL); i++) {
        const struct metric *m = count ? find_row(names[i]) : metric_table[i];
        if (!m) {
            rc = eval_metric_check(names[i]);
        } else if (json_object_set_new(all, m->name, metric_definition(m))) {
            rc = err_nomem();
        }
    }
    if (rc) {
        json_decref(all);
        all = NULL;
    }
    *out = all;
    return rc;
}
