#include "data/dataset_writer.h"

#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/dataset_internal.h"

struct dataset_writer {
    char *dir;
    const struct wordpiece *wp;
    struct dataset_texts *texts;
    json_t *files, *splits;

    /* the split being written, or last ended */
    char *split_name;
    unsigned split_flags;
    json_t *column_names;
    struct dataset_file columns_file;
    uint64_t columns_bytes;
    size_t rows;
    uint64_t *column_start; /* [rows + 1] */
    uint32_t *query, *description;
    int32_t *label;
    float *weight;  /* only with DATASET_HAS_WEIGHT */
    double *target; /* only with DATASET_HAS_TARGET */
    size_t column_start_capacity, query_capacity, description_capacity, label_capacity, weight_capacity,
        target_capacity;
};

int dataset_writer_open(struct dataset_writer **out, const char *dir, const struct wordpiece *wp, struct pool *pool)
{
    struct dataset_writer *w = mem_calloc(1, sizeof *w);

    if (w == NULL)
        return RECO_E_NOMEM;
    w->wp = wp;
    w->dir = mem_strdup(dir);
    w->files = json_object();
    w->splits = json_array();
    int rc = w->dir == NULL || w->files == NULL || w->splits == NULL ? err_nomem() : 0;
    if (rc == 0)
        rc = dataset_texts_open(&w->texts, dir, wp, pool);
    if (rc < 0) {
        dataset_writer_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

void dataset_writer_free(struct dataset_writer *w)
{
    if (w == NULL)
        return;
    dataset_texts_free(w->texts);
    dataset_file_release(&w->columns_file);
    json_decref(w->files);
    json_decref(w->splits);
    json_decref(w->column_names);
    mem_free(w->dir);
    mem_free(w->split_name);
    mem_free(w->column_start);
    mem_free(w->query);
    mem_free(w->description);
    mem_free(w->label);
    mem_free(w->weight);
    mem_free(w->target);
    mem_free(w);
}

int dataset_writer_text(struct dataset_writer *w, const char *text, size_t length, uint32_t *number)
{
    return dataset_texts_add(w->texts, text, length, number);
}

int dataset_writer_begin_split(struct dataset_writer *w, const struct dataset_writer_split *split)
{
    mem_free(w->split_name);
    w->split_name = mem_strdup(split->name);
    json_decref(w->column_names);
    w->column_names = json_array();
    if (w->split_name == NULL || w->column_names == NULL)
        return err_nomem();
    for (size_t i = 0; i < split->column_count; i++)
        if (json_array_append_new(w->column_names, json_string(split->column_names[i])) < 0)
            return err_set(RECO_E_DATA, "cannot keep column '%s': its name is not UTF-8", split->column_names[i]);
    w->split_flags =
        (split->has_target ? (unsigned)DATASET_HAS_TARGET : 0) | (split->has_weight ? (unsigned)DATASET_HAS_WEIGHT : 0);
    w->rows = 0;
    w->columns_bytes = 0;
    return dataset_file_open(&w->columns_file, w->dir, split->name, DATASET_COLUMNS_SUFFIX,
                             (struct dataset_header){.kind = DATASET_KIND_COLUMNS});
}

static int grow_rows(struct dataset_writer *w)
{
    size_t need = w->rows + 1;
    int rc = mem_grow((void **)&w->column_start, &w->column_start_capacity, need + 1, sizeof *w->column_start);

    if (rc == 0)
        rc = mem_grow((void **)&w->query, &w->query_capacity, need, sizeof *w->query);
    if (rc == 0)
        rc = mem_grow((void **)&w->description, &w->description_capacity, need, sizeof *w->description);
    if (rc == 0)
        rc = mem_grow((void **)&w->label, &w->label_capacity, need, sizeof *w->label);
    if (rc == 0 && (w->split_flags & DATASET_HAS_WEIGHT))
        rc = mem_grow((void **)&w->weight, &w->weight_capacity, need, sizeof *w->weight);
    if (rc == 0 && (w->split_flags & DATASET_HAS_TARGET))
        rc = mem_grow((void **)&w->target, &w->target_capacity, need, sizeof *w->target);
    return rc;
}

int dataset_writer_add(struct dataset_writer *w, const struct dataset_writer_row *row)
{
    int rc = grow_rows(w);

    if (rc == 0)
        rc = dataset_file_add(&w->columns_file, row->columns, row->columns_length);
    if (rc < 0)
        return rc;
    w->column_start[w->rows] = w->columns_bytes;
    w->columns_bytes += row->columns_length;
    w->column_start[w->rows + 1] = w->columns_bytes;
    w->query[w->rows] = row->query;
    w->description[w->rows] = row->description;
    w->label[w->rows] = row->label;
    if (w->split_flags & DATASET_HAS_WEIGHT)
        w->weight[w->rows] = row->weight;
    if (w->split_flags & DATASET_HAS_TARGET)
        w->target[w->rows] = row->target;
    w->rows++;
    return 0;
}

static int write_pairs(struct dataset_writer *w)
{
    struct dataset_file pairs = {0};
    const uint64_t zero = 0;
    int rc = dataset_file_open(
        &pairs, w->dir, w->split_name, DATASET_PAIRS_SUFFIX,
        (struct dataset_header){.kind = DATASET_KIND_PAIRS, .count = w->rows, .flags = w->split_flags});

    if (rc == 0)
        rc = w->rows > 0 ? dataset_file_add(&pairs, w->column_start, (w->rows + 1) * sizeof *w->column_start)
                         : dataset_file_add(&pairs, &zero, sizeof zero);
    if (rc == 0 && (w->split_flags & DATASET_HAS_TARGET))
        rc = dataset_file_add(&pairs, w->target, w->rows * sizeof *w->target);
    if (rc == 0)
        rc = dataset_file_add(&pairs, w->query, w->rows * sizeof *w->query);
    if (rc == 0)
        rc = dataset_file_add(&pairs, w->description, w->rows * sizeof *w->description);
    if (rc == 0)
        rc = dataset_file_add(&pairs, w->label, w->rows * sizeof *w->label);
    if (rc == 0 && (w->split_flags & DATASET_HAS_WEIGHT))
        rc = dataset_file_add(&pairs, w->weight, w->rows * sizeof *w->weight);
    if (rc == 0)
        rc = dataset_file_commit(&pairs, w->files);
    dataset_file_release(&pairs);
    return rc;
}

int dataset_writer_end_split(struct dataset_writer *w, const int32_t *label_of)
{
    int rc = dataset_texts_flush(w->texts);

    if (rc < 0)
        return rc;
    for (size_t i = 0; label_of != NULL && i < w->rows; i++)
        if (w->label[i] >= 0)
            w->label[i] = label_of[w->label[i]];
    rc = dataset_file_commit(&w->columns_file, w->files);
    dataset_file_release(&w->columns_file);
    if (rc == 0)
        rc = write_pairs(w);
    if (rc < 0)
        return rc;
    json_t *entry =
        json_pack("{s:s, s:I, s:O}", "name", w->split_name, "rows", (json_int_t)w->rows, "columns", w->column_names);
    return json_array_append_new(w->splits, entry) < 0 ? err_nomem() : 0;
}

size_t dataset_writer_rows(const struct dataset_writer *w)
{
    return w->rows;
}

int32_t dataset_writer_label(const struct dataset_writer *w, size_t row)
{
    return w->label[row];
}

void dataset_writer_lengths(const struct dataset_writer *w, size_t row, size_t *query_tokens,
                            size_t *description_tokens)
{
    uint32_t description = w->description[row];

    *query_tokens = (size_t)dataset_texts_tokens(w->texts, w->query[row]);
    *description_tokens = description == DATASET_NO_TEXT ? 0 : (size_t)dataset_texts_tokens(w->texts, description);
}

uint64_t dataset_writer_texts(const struct dataset_writer *w)
{
    return dataset_texts_count(w->texts);
}

uint64_t dataset_writer_tokens(const struct dataset_writer *w)
{
    return dataset_texts_all_tokens(w->texts);
}

/* ---- dataset.json
 * ------------------------------------------------------------------------------------------------------ */

static json_t *tokenizer_json(const struct wordpiece *wp)
{
    const struct wordpiece_special *ids = wordpiece_special_ids(wp);
    const struct wordpiece_options *options = wordpiece_get_options(wp);

    return json_pack("{s:s, s:i, s:{s:i, s:i, s:i, s:i, s:i}, s:b, s:o, s:b, s:b, s:i}", "hash", wordpiece_hash(wp),
                     "vocab_size", wordpiece_vocab_size(wp), "special_ids", "pad", (int)ids->pad, "unk", (int)ids->unk,
                     "cls", (int)ids->cls, "sep", (int)ids->sep, "mask", (int)ids->mask, "do_lower_case",
                     (int)options->do_lower_case, "strip_accents",
                     options->strip_accents < 0 ? json_null() : json_boolean(options->strip_accents),
                     "tokenize_chinese_chars", (int)options->tokenize_chinese_chars, "escape_special",
                     (int)options->escape_special, "max_word_chars", options->max_word_chars);
}

static int write_json(const struct dataset_writer *w, json_t *json)
{
    char *text = NULL, *path = NULL;
    int rc = dataset_json_seal(json);

    if (rc == 0) {
        text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
        path = path_join(w->dir, DATASET_JSON_FILE);
        rc = text == NULL || path == NULL ? err_nomem() : file_write_all(path, text, strlen(text));
    }
    mem_free(path);
    mem_free(text);
    return rc;
}

int dataset_writer_commit(struct dataset_writer *w, const struct label_map *labels, bool has_description,
                          json_t *options)
{
    int rc = dataset_texts_commit(w->texts, w->dir, w->files);

    if (rc < 0)
        return rc;
    json_t *json = json_pack(
        "{s:s, s:i, s:o, s:o, s:b, s:I, s:I, s:O, s:O, s:O}", "format", DATASET_FORMAT_NAME, "version", DATASET_VERSION,
        "labels", label_map_to_json(labels), "tokenizer", tokenizer_json(w->wp), "has_description",
        (int)has_description, "texts", (json_int_t)dataset_texts_count(w->texts), "tokens",
        (json_int_t)dataset_texts_all_tokens(w->texts), "splits", w->splits, "files", w->files, "options", options);
    if (json == NULL)
        return err_nomem();
    rc = write_json(w, json);
    json_decref(json);
    return rc;
}
