#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "data/dataset_format.h"
#include "data/prepare_internal.h"
#include "data/utf8.h"

static const char *const truncation_names[] = {"longest_first", "only_second"};

json_t *prepare_text_json(const char *text)
{
    struct buf clean = {0};
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    json_t *json = NULL;
    int rc = 0;

    while (rc == 0 && p < end) {
        uint32_t c;
        unsigned char bytes[UTF8_MAX_BYTES];
        p += utf8_decode(p, end, &c);
        rc = buf_add(&clean, bytes, utf8_encode(c, bytes));
    }
    if (rc == 0)
        json = json_stringn(buf_str(&clean), clean.length);
    buf_release(&clean);
    return json;
}

/* ---- the options as they were
 * -------------------------------------------------------------------------------------------- */

static int set_text(json_t *json, const char *name, const char *value)
{
    return json_object_set_new(json, name, value == NULL ? json_null() : prepare_text_json(value));
}

static int set_list(json_t *json, const char *name, const struct opt_list *list)
{
    json_t *array = json_array();
    int rc = json_object_set_new(json, name, array);

    for (size_t i = 0; rc == 0 && i < list->count; i++)
        rc = json_array_append_new(array, prepare_text_json(list->items[i]));
    return rc;
}

json_t *prepare_options_json(const struct prepare_options *o)
{
    const struct {
        const char *name, *value;
    } texts[] = {{"train_file", o->train_file},
                 {"validation_file", o->validation_file},
                 {"test_file", o->test_file},
                 {"query_column", o->query_column},
                 {"label_column", o->label_column},
                 {"weight_column", o->weight_column},
                 {"id_column", o->id_column},
                 {"query_id_column", o->query_id_column},
                 {"item_id_column", o->item_id_column},
                 {"position_column", o->position_column},
                 {"clicked_column", o->clicked_column},
                 {"converted_column", o->converted_column},
                 {"dwell_column", o->dwell_column},
                 {"depth_column", o->depth_column},
                 {"propensity_column", o->propensity_column},
                 {"positive_label", o->positive_label},
                 {"delimiter", o->delimiter}};
    json_t *json = json_pack("{s:b, s:b, s:b, s:I, s:{s:f, s:b}, s:I, s:I, s:I}", "regression", (int)o->regression,
                             "trim_blanks", (int)o->trim_blanks, "escape_special", (int)o->escape_special,
                             "max_field_bytes", (json_int_t)o->max_field_bytes, "max_bad_rows", "value",
                             o->max_bad_rows.value, "is_frac", (int)o->max_bad_rows.is_frac, "max_train_samples",
                             (json_int_t)o->max_train_samples, "max_eval_samples", (json_int_t)o->max_eval_samples,
                             "max_predict_samples", (json_int_t)o->max_predict_samples);
    int rc = json == NULL ? -1 : 0;

    for (size_t i = 0; rc == 0 && i < sizeof texts / sizeof *texts; i++)
        rc = set_text(json, texts[i].name, texts[i].value);
    if (rc == 0)
        rc = set_list(json, "description_column", &o->description_column);
    if (rc == 0)
        rc = set_list(json, "carry", &o->carry);
    if (rc == 0)
        rc = set_list(json, "labels", &o->label_list);
    if (rc == 0)
        rc = set_list(json, "grades", &o->grades);
    if (rc < 0) {
        json_decref(json);
        err_nomem();
        return NULL;
    }
    return json;
}

/* ---- lengths
 * ------------------------------------------------------------------------------------------------------------- */

struct lengths {
    uint64_t *histogram; /* [longest + 1] rows with so many tokens, special ones included */
    size_t longest;
    uint64_t total, truncated, query_lost, description_lost, query_too_long;
};

static int measure(struct lengths *out, const struct dataset_writer *w, const struct prepare_options *o, bool pair)
{
    size_t specials = pair ? 3 : 2, rows = dataset_writer_rows(w), query, description;

    for (size_t i = 0; i < rows; i++) {
        dataset_writer_lengths(w, i, &query, &description);
        if (query + description + specials > out->longest)
            out->longest = query + description + specials;
    }
    out->histogram = mem_calloc(out->longest + 1, sizeof *out->histogram);
    if (out->histogram == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < rows; i++) {
        dataset_writer_lengths(w, i, &query, &description);
        out->histogram[query + description + specials]++;
        out->total += query + description + specials;
        if (o->max_seq_length <= 0)
            continue;
        size_t query_kept = query, description_kept = description;
        int rc = wordpiece_truncate(&query_kept, &description_kept, pair, (size_t)o->max_seq_length,
                                    (enum wordpiece_truncation)o->truncation);
        if (rc == RECO_E_DATA) { /* the query alone is too long: training will refuse the row */
            out->query_too_long++;
            continue;
        }
        if (rc < 0)
            return rc;
        out->truncated += query_kept + description_kept < query + description;
        out->query_lost += query - query_kept;
        out->description_lost += description - description_kept;
    }
    return 0;
}

/* The least length that at least percent of the rows do not exceed (nearest rank). */
static json_int_t percentile(const struct lengths *l, uint64_t rows, unsigned percent)
{
    uint64_t rank = (rows * percent + 99) / 100, seen = 0;

    for (size_t i = 0; i <= l->longest; i++) {
        seen += l->histogram[i];
        if (seen >= rank)
            return (json_int_t)i;
    }
    return (json_int_t)l->longest;
}

static json_t *lengths_json(const struct lengths *l, uint64_t rows)
{
    return json_pack("{s:f, s:I, s:I, s:I, s:I, s:I}", "mean", rows > 0 ? (double)l->total / (double)rows : 0.0, "p50",
                     percentile(l, rows, 50), "p90", percentile(l, rows, 90), "p95", percentile(l, rows, 95), "p99",
                     percentile(l, rows, 99), "max", (json_int_t)l->longest);
}

/* ---- prepare.json
 * -------------------------------------------------------------------------------------------------------- */

static json_t *label_counts_json(const struct dataset_writer *w, const struct label_map *map, json_int_t *unlabelled)
{
    uint64_t *counts = mem_calloc((size_t)map->count, sizeof *counts);
    json_t *json = counts == NULL ? NULL : json_array();
    size_t rows = dataset_writer_rows(w);

    *unlabelled = 0;
    for (size_t i = 0; counts != NULL && i < rows; i++) {
        int32_t label = dataset_writer_label(w, i);
        if (label >= 0)
            counts[label]++;
        else
            ++*unlabelled;
    }
    for (int i = 0; json != NULL && i < map->count; i++) {
        json_t *entry = json_pack("{s:s, s:I}", "label", map->names[i], "rows", (json_int_t)counts[i]);
        if (json_array_append_new(json, entry) < 0) {
            json_decref(json);
            json = NULL;
        }
    }
    mem_free(counts);
    return json;
}

int prepare_report_split(json_t *splits, const struct prepare_file *file, const struct prepare_counts *counts,
                         const struct dataset_writer *writer, const struct label_map *map,
                         const struct prepare_options *o, struct prepare_summary *summary)
{
    struct lengths lengths = {0};
    json_int_t unlabelled = 0;
    int rc = measure(&lengths, writer, o, file->schema.description_count > 0);

    if (rc == 0) {
        json_t *labels = label_counts_json(writer, map, &unlabelled);
        json_t *split = json_pack(
            "{s:s, s:o, s:I, s:I, s:I, s:o, s:I, s:o, s:I, s:s, s:I, s:I, s:I, s:I}", "name",
            prepare_split_names[file->split], "file", prepare_text_json(file->path), "rows_read",
            (json_int_t)counts->rows_read, "rows_kept", (json_int_t)counts->rows_kept, "rows_bad",
            (json_int_t)counts->rows_bad, "labels", labels, "rows_without_label",
            map->task == LABEL_TASK_REGRESSION ? 0 : unlabelled, "tokens_per_row",
            lengths_json(&lengths, counts->rows_kept), "max_seq_length", (json_int_t)o->max_seq_length, "truncation",
            truncation_names[o->truncation], "rows_truncated", (json_int_t)lengths.truncated, "query_tokens_lost",
            (json_int_t)lengths.query_lost, "description_tokens_lost", (json_int_t)lengths.description_lost,
            "rows_with_query_too_long", (json_int_t)lengths.query_too_long);
        rc = json_array_append_new(splits, split) < 0 ? err_nomem() : 0;
    }
    mem_free(lengths.histogram);
    summary->rows_read += counts->rows_read;
    summary->rows_kept += counts->rows_kept;
    summary->rows_bad += counts->rows_bad;
    summary->rows_truncated += lengths.truncated;
    summary->tokens_lost += lengths.query_lost + lengths.description_lost;
    return rc;
}

int prepare_report_write(json_t *splits, const char *dir, const struct dataset_writer *writer)
{
    struct buf text = {0};
    char *path = path_join(dir, PREPARE_JSON_FILE);
    json_t *json =
        json_pack("{s:O, s:I, s:I}", "splits", splits, "distinct_texts", (json_int_t)dataset_writer_texts(writer),
                  "tokens", (json_int_t)dataset_writer_tokens(writer));
    char *dump = json == NULL ? NULL : json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    int rc = path == NULL || dump == NULL ? err_nomem() : buf_printf(&text, "%s\n", dump);

    if (rc == 0)
        rc = file_write_all(path, text.data, text.length);
    buf_release(&text);
    json_decref(json);
    mem_free(dump);
    mem_free(path);
    return rc;
}

/* ---- for people
 * ------------------------------------------------------------------------------------------------------------ */

static long long number(const json_t *json, const char *name)
{
    return (long long)json_integer_value(json_object_get(json, name));
}

static int report_split(struct buf *b, const json_t *split)
{
    const json_t *labels = json_object_get(split, "labels"), *tokens = json_object_get(split, "tokens_per_row");
    long long kept = number(split, "rows_kept"), truncated = number(split, "rows_truncated");
    const char *file = json_string_value(json_object_get(split, "file"));
    int rc = buf_printf(b, "%s: %lld rows read from %s, %lld kept, %lld bad\n",
                        json_string_value(json_object_get(split, "name")), number(split, "rows_read"),
                        file != NULL && strcmp(file, "-") == 0 ? "stdin" : file, kept, number(split, "rows_bad"));

    for (size_t i = 0; rc == 0 && i < json_array_size(labels) && number(split, "rows_without_label") < kept; i++) {
        const json_t *label = json_array_get(labels, i);
        rc = buf_printf(b, "  label %-20s %10lld  %5.1f %%\n", json_string_value(json_object_get(label, "label")),
                        number(label, "rows"), kept > 0 ? 100.0 * (double)number(label, "rows") / (double)kept : 0.0);
    }
    if (rc == 0 && number(split, "rows_without_label") > 0)
        rc = buf_printf(b, "  %-26s %10lld\n", "without a label", number(split, "rows_without_label"));
    if (rc == 0)
        rc = buf_printf(
            b, "  tokens a row: mean %.1f, half up to %lld, 90 %% up to %lld, 99 %% up to %lld, at most %lld\n",
            json_number_value(json_object_get(tokens, "mean")), number(tokens, "p50"), number(tokens, "p90"),
            number(tokens, "p99"), number(tokens, "max"));
    if (rc == 0 && number(split, "max_seq_length") > 0)
        rc = buf_printf(
            b, "  at --max_seq_length %lld (%s): %lld rows cut (%.1f %%), tokens lost: query %lld, description %lld\n",
            number(split, "max_seq_length"), json_string_value(json_object_get(split, "truncation")), truncated,
            kept > 0 ? 100.0 * (double)truncated / (double)kept : 0.0, number(split, "query_tokens_lost"),
            number(split, "description_tokens_lost"));
    if (rc == 0 && number(split, "rows_with_query_too_long") > 0)
        rc = buf_printf(b, "  query alone too long, which training would refuse: %lld\n",
                        number(split, "rows_with_query_too_long"));
    return rc;
}

int prepare_report_text(const char *dataset_dir, struct buf *b)
{
    enum { MAX_BYTES = 64 * 1024 * 1024 };
    struct buf text = {0};
    json_t *json = NULL;
    json_error_t error;
    char *path = path_join(dataset_dir, PREPARE_JSON_FILE);
    int rc = path == NULL ? RECO_E_NOMEM : file_read_all(path, MAX_BYTES, &text);

    if (rc == 0) {
        json = json_loadb(buf_str(&text), text.length, 0, &error);
        if (json == NULL)
            rc = err_set(RECO_E_DATA, "cannot parse '%s' line %d: %s", path, error.line, error.text);
    }
    const json_t *splits = json_object_get(json, "splits");
    for (size_t i = 0; rc == 0 && i < json_array_size(splits); i++)
        rc = report_split(b, json_array_get(splits, i));
    if (rc == 0)
        rc =
            buf_printf(b, "%lld distinct texts, %lld tokens\n", number(json, "distinct_texts"), number(json, "tokens"));
    json_decref(json);
    buf_release(&text);
    mem_free(path);
    return rc;
}
