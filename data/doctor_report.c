#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/doctor_internal.h"

enum { HISTOGRAM_BINS = 40, REPORT_VERSION = 1, LABELS_SHOWN = 200 };

static const char *column_name(const struct doctor *d, size_t column)
{
    return column == DOCTOR_NONE ? NULL : d->schema.names[column];
}

/* Takes value; NULL is out of memory. */
static int set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) < 0 ? err_nomem() : 0;
}

static json_t *integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0.0;
}

/* ---- files and columns ---- */

static json_t *file_json(const struct doctor *d, const struct doctor_file *file)
{
    static const char *const formats[] = {[TABLE_FORMAT_AUTO] = "csv",
                                          [TABLE_FORMAT_CSV] = "csv",
                                          [TABLE_FORMAT_TSV] = "tsv",
                                          [TABLE_FORMAT_JSONL] = "jsonl"};
    const struct table_facts *facts = &file->facts;
    const char delimiter[2] = {(unsigned char)facts->delimiter < 0x80 ? facts->delimiter : '?', '\0'};
    json_t *columns = json_array(), *path = json_string(file->path);

    if (path == NULL) /* no UTF-8 */
        path = json_string(file->name);
    for (size_t i = 0; columns != NULL && i < file->columns; i++)
        json_array_append_new(columns, json_string(d->schema.names[file->union_of[i]]));
    return json_pack("{s:s, s:o, s:s?, s:b, s:I, s:I, s:I, s:s, s:s, s:s, s:b, s:b, s:s, s:s, s:o}", "file", file->name,
                     "path", path, "role", file->role, "role_guessed", file->role_guessed, "rows",
                     (json_int_t)file->rows, "bad_rows", (json_int_t)file->bad_rows, "bytes", (json_int_t)file->bytes,
                     "format", facts->delimiter == '\t' ? "tsv" : formats[facts->format], "compression",
                     facts->compression, "encoding", facts->encoding, "byte_order_mark", facts->bom, "repaired",
                     facts->repaired, "delimiter", delimiter, "line_ends", facts->line_ends, "columns", columns);
}

static json_t *roles_json(const struct doctor *d)
{
    const struct doctor_schema *s = &d->schema;
    json_t *descriptions = json_array(), *guessed = json_array();
    const struct {
        const char *name;
        bool guessed;
    } roles[] = {{"query", s->query_guessed},
                 {"description", s->description_guessed},
                 {"label", s->label_guessed},
                 {"id", s->id_guessed},
                 {"item_id", s->item_guessed}};

    for (size_t i = 0; descriptions != NULL && i < s->description_count; i++)
        json_array_append_new(descriptions, json_string(column_name(d, s->descriptions[i])));
    for (size_t i = 0; guessed != NULL && i < sizeof roles / sizeof *roles; i++) {
        if (roles[i].guessed)
            json_array_append_new(guessed, json_string(roles[i].name));
    }
    return json_pack("{s:s?, s:o, s:s?, s:s?, s:s?, s:o}", "query", column_name(d, s->query), "description",
                     descriptions, "label", column_name(d, s->label), "id", column_name(d, s->id), "item_id",
                     column_name(d, s->item), "guessed", guessed);
}

static json_t *fields_json(const struct doctor *d)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < d->schema.count; i++) {
        const struct doctor_column *c = &d->lanes[0].columns[i];
        double distinct = doctor_distinct_estimate(&d->registers[i * DOCTOR_REGISTERS]);
        json_array_append_new(array, json_pack("{s:s, s:I, s:I, s:I, s:I, s:f}", "column", d->schema.names[i], "rows",
                                               (json_int_t)c->rows, "empty", (json_int_t)c->empty, "numbers",
                                               (json_int_t)c->numbers, "distinct_estimate",
                                               (json_int_t)llround(distinct), "tells_label", d->tells[i]));
    }
    return array;
}

/* ---- labels ---- */

static json_t *by_file(const struct doctor *d, const uint64_t *counts)
{
    json_t *array = json_array();

    for (size_t f = 0; array != NULL && f < d->file_count; f++)
        json_array_append_new(array, integer(counts[f]));
    return array;
}

static json_t *drifts_json(const struct doctor *d)
{
    const struct doctor_labels *l = d->labels;
    json_t *array = json_array();
    uint64_t *left = mem_calloc(2 * l->count + 2, sizeof *left), *right = left == NULL ? NULL : left + l->count + 1;

    for (size_t a = 0; left != NULL && a < d->file_count; a++) {
        for (size_t b = a + 1; b < d->file_count; b++) {
            struct doctor_drift drift;
            for (size_t i = 0; i < l->count; i++) {
                left[i] = l->counts[i][a];
                right[i] = l->counts[i][b];
            }
            doctor_drift(&drift, left, right, l->count);
            json_array_append_new(array,
                                  json_pack("{s:s, s:s, s:f, s:f, s:I, s:f}", "file", d->files[a].name, "other_file",
                                            d->files[b].name, "total_variation", drift.total_variation, "chi_square",
                                            drift.chi_square, "degrees", (json_int_t)drift.degrees, "p", drift.p));
        }
    }
    mem_free(left);
    return array;
}

static json_t *labels_json(const struct doctor *d)
{
    const struct doctor_labels *l = d->labels;
    uint16_t *order = doctor_labels_order(l);
    json_t *values = json_array();

    for (size_t i = 0; order != NULL && values != NULL && i < l->count && i < LABELS_SHOWN; i++)
        json_array_append_new(values, json_pack("{s:s, s:o}", "label", doctor_labels_name(l, order[i]), "rows",
                                                by_file(d, l->counts[order[i]])));
    mem_free(order);
    return json_pack("{s:I, s:b, s:b, s:o, s:o, s:o, s:o}", "distinct", (json_int_t)l->count, "more", l->overflow,
                     "numbers", l->all_numbers, "values", values, "missing", by_file(d, l->missing), "other",
                     by_file(d, l->other), "drift", drifts_json(d));
}

/* ---- texts ---- */

static json_t *lengths_json(const struct doctor_lengths *l)
{
    uint64_t end = doctor_lengths_quantile(l, 0.995) + 1, width = (end + HISTOGRAM_BINS - 1) / HISTOGRAM_BINS;
    uint64_t bins[HISTOGRAM_BINS + 1] = {0};
    json_t *counts = json_array();

    width = width > 0 ? width : 1;
    for (size_t i = 0; i < DOCTOR_LENGTH_BUCKETS; i++) {
        uint64_t bin = doctor_lengths_bucket_start(i) / width;
        bins[bin < HISTOGRAM_BINS ? bin : HISTOGRAM_BINS] += l->buckets[i];
    }
    for (size_t i = 0; counts != NULL && i <= HISTOGRAM_BINS; i++)
        json_array_append_new(counts, integer(bins[i]));
    return json_pack("{s:f, s:I, s:I, s:I, s:I, s:I, s:{s:I, s:o}}", "mean", share(l->total, l->count), "p50",
                     (json_int_t)doctor_lengths_quantile(l, 0.5), "p90", (json_int_t)doctor_lengths_quantile(l, 0.9),
                     "p95", (json_int_t)doctor_lengths_quantile(l, 0.95), "p99",
                     (json_int_t)doctor_lengths_quantile(l, 0.99), "max", (json_int_t)l->longest, "histogram", "width",
                     (json_int_t)width, "counts", counts);
}

static json_t *names_json(const uint64_t *counts, size_t count, const char *(*name)(size_t))
{
    json_t *object = json_object();

    for (size_t i = 0; object != NULL && i < count; i++) {
        if (counts[i] > 0)
            json_object_set_new(object, name(i), integer(counts[i]));
    }
    return object;
}

static json_t *text_json(const struct doctor *d, size_t t)
{
    const struct doctor_lane *lane = &d->lanes[0];
    json_t *json = json_pack("{s:s, s:o, s:o, s:o}", "column", column_name(d, d->schema.texts[t]), "characters",
                             lengths_json(&lane->characters[t]), "scripts",
                             names_json(&lane->scripts[t * script_count()], script_count(), script_name), "languages",
                             names_json(&lane->languages[t * language_count()], language_count(), language_name));

    if (json != NULL && d->wp != NULL) {
        json_object_set_new(json, "tokens", lengths_json(&lane->tokens[t]));
        json_object_set_new(json, "unknown_share", json_real(share(lane->unknown_tokens[t], lane->all_tokens[t])));
    }
    return json;
}

static json_t *cut_json(const struct doctor *d, size_t limit)
{
    const struct doctor_lane *lane = &d->lanes[0];
    const struct doctor_cut *cut = &lane->cuts[limit];
    uint64_t rows = lane->pair_tokens->count, tokens = 0;
    json_t *columns = json_array();

    for (size_t t = 0; t < d->schema.text_count; t++) {
        tokens += lane->all_tokens[t];
        json_array_append_new(columns,
                              json_pack("{s:s, s:I, s:f, s:I, s:f}", "column", column_name(d, d->schema.texts[t]),
                                        "rows", (json_int_t)cut->text_rows[t], "share", share(cut->text_rows[t], rows),
                                        "tokens", (json_int_t)cut->text_tokens[t], "tokens_share",
                                        share(cut->text_tokens[t], lane->all_tokens[t])));
    }
    return json_pack("{s:I, s:I, s:f, s:I, s:f, s:o}", "length", (json_int_t)d->limits[limit], "rows",
                     (json_int_t)cut->rows, "share", share(cut->rows, rows), "tokens", (json_int_t)cut->tokens,
                     "tokens_share", share(cut->tokens, tokens), "columns", columns);
}

static int add_texts(json_t *json, const struct doctor *d)
{
    json_t *texts = json_array(), *cuts = json_array();
    int rc = texts == NULL || cuts == NULL ? err_nomem() : 0;

    for (size_t t = 0; rc == 0 && t < d->schema.text_count; t++)
        rc = json_array_append_new(texts, text_json(d, t)) < 0 ? err_nomem() : 0;
    for (size_t i = 0; rc == 0 && d->wp != NULL && d->schema.text_count > 0 && i < d->limit_count; i++)
        rc = json_array_append_new(cuts, cut_json(d, i)) < 0 ? err_nomem() : 0;
    if (rc == 0)
        rc = set(json, "texts", json_incref(texts));
    if (rc == 0 && d->wp != NULL && d->schema.text_count > 0)
        rc = set(json, "row_tokens", lengths_json(d->lanes[0].pair_tokens));
    if (rc == 0)
        rc = set(json, "max_seq_length", json_incref(cuts));
    json_decref(texts);
    json_decref(cuts);
    return rc;
}

/* ---- queries and items ---- */

static json_t *queries_json(const struct doctor *d, const struct doctor_whole *w)
{
    json_t *array = json_array();

    for (size_t f = 0; d->schema.query != DOCTOR_NONE && array != NULL && f < d->file_count; f++) {
        const struct doctor_group_figures *g = &w->groups[f];
        json_array_append_new(
            array, json_pack("{s:s, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "file", d->files[f].name,
                             "queries", (json_int_t)g->queries, "rows", (json_int_t)g->rows, "items_mean",
                             share(g->items->total, g->items->count), "items_p50",
                             (json_int_t)doctor_lengths_quantile(g->items, 0.5), "items_max",
                             (json_int_t)g->items->longest, "of_one_item", (json_int_t)g->one_item, "comparable",
                             (json_int_t)g->labelled, "of_one_label", (json_int_t)g->one_label, "with_highest_label",
                             (json_int_t)g->with_positive, "highest_label_mean", share(g->positives, g->queries)));
    }
    return array;
}

static json_t *items_json(const struct doctor_whole *w)
{
    if (w->items == 0)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:f, s:f}", "items", (json_int_t)w->items, "rows", (json_int_t)w->item_rows,
                     "most_rows", (json_int_t)w->most_rows_of_item, "top_percent_share",
                     share(w->top_rows, w->item_rows), "gini", w->item_gini);
}

static json_t *overlaps_json(const struct doctor *d, const struct doctor_whole *w)
{
    json_t *array = json_array();

    for (size_t a = 0; array != NULL && a < d->file_count; a++) {
        for (size_t b = a + 1; b < d->file_count; b++) {
            const struct doctor_overlap *o = &w->overlaps[a][b];
            json_array_append_new(array, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "file", d->files[b].name,
                                                   "other_file", d->files[a].name, "pairs", (json_int_t)o->pairs,
                                                   "pair_rows", (json_int_t)o->pair_rows, "queries",
                                                   (json_int_t)o->queries, "query_rows", (json_int_t)o->query_rows));
        }
    }
    return array;
}

/* ---- all of it ---- */

static size_t count_severity(const json_t *findings, const char *severity)
{
    size_t count = 0, i;
    json_t *finding;

    json_array_foreach(findings, i, finding)
    {
        count += strcmp(json_string_value(json_object_get(finding, "severity")), severity) == 0;
    }
    return count;
}

size_t doctor_count(const json_t *report, const char *severity)
{
    return count_severity(json_object_get(report, "findings"), severity);
}

static json_t *verdict_json(const struct doctor *d)
{
    size_t errors = count_severity(d->findings, "error"), warnings = count_severity(d->findings, "warning");
    size_t infos = count_severity(d->findings, "info");
    const char *text = errors > 0                       ? "mend the errors first"
                       : d->schema.event_log            ? "an event log: make impressions of it first"
                       : d->schema.query == DOCTOR_NONE ? "no query column is known: general checks only"
                       : d->schema.label == DOCTOR_NONE ? "fit for prediction; there is no label to learn from"
                       : warnings > 0                   ? "fit for training; the warnings cost quality"
                       : infos > 0                      ? "fit for training"
                                                        : "nothing wrong was found";

    return json_pack("{s:I, s:I, s:I, s:s}", "errors", (json_int_t)errors, "warnings", (json_int_t)warnings, "infos",
                     (json_int_t)infos, "text", text);
}

static int add_command(json_t *json, const struct doctor *d)
{
    char *command;
    int rc = doctor_command(&command, d);

    rc = rc < 0 ? rc : set(json, "command", command == NULL ? json_null() : json_string(command));
    mem_free(command);
    return rc;
}

int doctor_report(json_t **out, const struct doctor *d, const struct doctor_whole *w)
{
    json_t *json = json_pack("{s:s, s:i}", "report", "doctor", "version", REPORT_VERSION), *files = json_array();
    int rc = json == NULL || files == NULL ? err_nomem() : 0;

    for (size_t f = 0; rc == 0 && f < d->file_count; f++)
        rc = json_array_append_new(files, file_json(d, &d->files[f])) < 0 ? err_nomem() : 0;
    rc = rc < 0 ? rc : set(json, "verdict", verdict_json(d));
    rc = rc < 0 ? rc : set(json, "files", json_incref(files));
    rc = rc < 0 ? rc : set(json, "columns", roles_json(d));
    rc = rc < 0 ? rc : set(json, "findings", json_incref(d->findings));
    rc = rc < 0 ? rc : add_command(json, d);
    rc = rc < 0 ? rc : set(json, "labels", d->schema.label == DOCTOR_NONE ? json_null() : labels_json(d));
    rc = rc < 0 ? rc : add_texts(json, d);
    rc = rc < 0 ? rc : set(json, "queries", queries_json(d, w));
    rc = rc < 0 ? rc : set(json, "items", items_json(w));
    rc = rc < 0 ? rc : set(json, "contradictory_pairs", integer(w->contradictory_pairs));
    rc = rc < 0 ? rc : set(json, "overlap", overlaps_json(d, w));
    rc = rc < 0 ? rc : set(json, "fields", fields_json(d));
    json_decref(files);
    if (rc < 0) {
        json_decref(json);
        return rc;
    }
    *out = json;
    return 0;
}
