#include "eval/report_provenance.h"

#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "eval/try.h"

/* ---- provenance ---- */

static bool is_first_of_metric(const struct eval_report *report, size_t value)
{
    for (size_t i = 0; i < value; i++) {
        if (report->values[i].metric == report->values[value].metric) {
            return false;
        }
    }
    return true;
}

int report_versions(const struct eval_report *report, struct buf *b)
{
    int common = report->values[0].metric->version;
    bool other = false;
    TRY(buf_printf(b, "%d", common));
    for (size_t i = 0; i < report->value_count; i++) {
        const struct metric *m = report->values[i].metric;
        if (m->version != common && is_first_of_metric(report, i)) {
            TRY(buf_printf(b, "%s%s %d", other ? ", " : ", but ", m->name, m->version));
            other = true;
        }
    }
    return 0;
}

int eval_report_set_provenance(struct eval_report *report, json_t *json)
{
    struct buf versions = {0};
    json_decref(report->provenance);
    report->provenance = json;
    if (!json || !report->value_count) {
        return json ? 0 : err_nomem();
    }
    int rc = report_versions(report, &versions);
    if (!rc && json_object_set_new(json, "metric_version", json_string(buf_str(&versions)))) {
        rc = err_nomem();
    }
    buf_release(&versions);
    return rc;
}

/* ---- what is undefined ---- */

bool report_has_unknown_truncation(const struct eval_report *report)
{
    const struct predictions *p = report->p;
    return p && !p->truncated && (report->data.classes || p->target);
}

int report_class_notes(const struct eval_report *report, note_line *line, void *arg)
{
    const struct metric_data *data = &report->data;
    for (int c = 0; data->confusion && c < data->classes; c++) {
        bool none = !(data->support[c] > 0) && !(data->predicted[c] > 0);
        if (none || (data->support[c] > 0 && data->predicted[c] > 0)) {
            continue;
        }
        struct buf text = {0};
        int rc = buf_printf(&text, "%s of '%s' is undefined (%s)", data->predicted[c] > 0 ? "recall" : "precision",
                            report_label_name(report, c),
                            data->predicted[c] > 0 ? "no row has the label" : "no row is predicted so");
        rc = rc ? rc : line(arg, buf_str(&text));
        buf_release(&text);
        TRY(rc);
    }
    return 0;
}

struct note {
    const char *text; /* NULL: nothing is to be said of the value */
    size_t number;
};

static bool is_same_note(const struct note *a, const struct note *b)
{
    return a->text && b->text && a->number == b->number && !strcmp(a->text, b->text);
}

/* The values that share the note of the i-th, which is the first of them, and the note. */
static int add_note(const struct eval_report *report, const struct note *notes, size_t i, const char *before,
                    bool counted, struct buf *b)
{
    TRY(buf_add_str(b, before));
    for (size_t j = i; j < report->value_count; j++) {
        const struct eval_value *v = &report->values[j];
        if (is_same_note(&notes[j], &notes[i])) {
            int length = counted ? (int)report_row_name_length(v) : (int)strlen(v->name);
            TRY(buf_printf(b, "%s%.*s", j > i ? ", " : "", length, v->name));
        }
    }
    TRY(buf_add_str(b, ": "));
    TRY(counted
            ? buf_printf(b, notes[i].number == 1 ? "%zu query left out: " : "%zu queries left out: ", notes[i].number)
            : 0);
    return buf_add_str(b, notes[i].text);
}

/* A line a note. counted: the names are those of rows of the table by depth, and the number is of queries. */
static int add_notes(const struct eval_report *report, const struct note *notes, const char *before, bool counted,
                     note_line *line, void *arg)
{
    for (size_t i = 0; i < report->value_count; i++) {
        bool told = !notes[i].text;
        for (size_t j = 0; !told && j < i; j++) {
            told = is_same_note(&notes[j], &notes[i]);
        }
        if (told) {
            continue;
        }
        struct buf text = {0};
        int rc = add_note(report, notes, i, before, counted, &text);
        rc = rc ? rc : line(arg, buf_str(&text));
        buf_release(&text);
        TRY(rc);
    }
    return 0;
}

/* Of a row of the table by depth its first value speaks, as in the text. */
static bool leaves_out(const struct eval_report *report, size_t i)
{
    const struct eval_value *v = &report->values[i];
    if (!report_has_depth(v) || !report_is_by_query(v) || v->reason || !v->left_out) {
        return false;
    }
    for (size_t j = 0; j < i; j++) {
        if (report_same_row(&report->values[j], v)) {
            return false;
        }
    }
    return true;
}

int report_left_out_notes(const struct eval_report *report, note_line *line, void *arg)
{
    struct note *notes = mem_calloc(report->value_count + 1, sizeof *notes);
    if (!notes) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        notes[i] = (struct note){leaves_out(report, i) ? v->metric->query_reason : NULL, v->left_out};
    }
    int rc = add_notes(report, notes, "", true, line, arg);
    mem_free(notes);
    return rc;
}

static int add_part_notes(const struct eval_report *report, const struct eval_report *part, const char *before,
                          note_line *line, void *arg)
{
    struct note *notes = mem_calloc(report->value_count + 1, sizeof *notes);
    if (!notes) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < report->value_count; i++) {
        bool told = !report_is_headline(&report->values[i]) || report->values[i].reason;
        notes[i].text = told ? NULL : part->values[i].reason;
    }
    int rc = add_notes(report, notes, before, false, line, arg);
    mem_free(notes);
    return rc;
}

int report_part_notes(const struct eval_report *report, note_line *line, void *arg)
{
    if (!report->truncated) {
        return 0;
    }
    TRY(add_part_notes(report, report->truncated, "undefined on truncated rows: ", line, arg));
    return add_part_notes(report, report->whole, "undefined on whole rows: ", line, arg);
}
