#include "data/dataset_writer.h"

#include "core/file.h"
#include "core/json_file.h"
#include "core/mem.h"
#include "core/temp_file.h"
#include "data/dataset_internal.h"

/* The parts of a .pairs file behind its header, each gathered in a temporary file of its own. */
enum part { PART_COLUMN_START, PART_TARGET, PART_QUERY, PART_DESCRIPTION, PART_LABEL, PART_WEIGHT, PARTS };

enum { MAX_SPLITS = 3 };

struct split {
    char *name;
    unsigned flags;
    json_t *column_names;
    struct dataset_file columns;
    uint64_t columns_bytes, rows;
    struct temp_file *parts[PARTS];
};

struct dataset_writer {
    char *dir, *tmp_dir;
    json_t *files, *splits;
    struct split split[MAX_SPLITS];
    size_t split_count;
};

int dataset_writer_open(struct dataset_writer **out, const char *dir, const char *tmp_dir)
{
    struct dataset_writer *w = mem_calloc(1, sizeof *w);

    if (w == NULL)
        return RECO_E_NOMEM;
    w->dir = mem_strdup(dir);
    w->tmp_dir = w->dir != NULL && tmp_dir != NULL ? mem_strdup(tmp_dir) : NULL;
    w->files = json_object();
    w->splits = json_array();
    if (w->dir == NULL || (tmp_dir != NULL && w->tmp_dir == NULL) || w->files == NULL || w->splits == NULL) {
        dataset_writer_free(w);
        return err_nomem();
    }
    *out = w;
    return 0;
}

void dataset_writer_free(struct dataset_writer *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < MAX_SPLITS; i++) {
        struct split *s = &w->split[i];
        dataset_file_release(&s->columns);
        for (int p = 0; p < PARTS; p++)
            temp_file_close(s->parts[p]);
        json_decref(s->column_names);
        mem_free(s->name);
    }
    json_decref(w->files);
    json_decref(w->splits);
    mem_free(w->dir);
    mem_free(w->tmp_dir);
    mem_free(w);
}

json_t *dataset_writer_files(struct dataset_writer *w)
{
    return w->files;
}

static bool has_part(const struct split *s, enum part part)
{
    return (part != PART_TARGET || (s->flags & DATASET_HAS_TARGET) != 0) &&
           (part != PART_WEIGHT || (s->flags & DATASET_HAS_WEIGHT) != 0);
}

int dataset_writer_begin_split(struct dataset_writer *w, const struct dataset_writer_split *split)
{
    static const uint64_t zero;
    struct split *s = &w->split[w->split_count];
    int rc = 0;

    if (w->split_count == MAX_SPLITS)
        return err_set(RECO_E_INTERNAL, "too many splits");
    w->split_count++;
    s->name = mem_strdup(split->name);
    s->column_names = json_array();
    if (s->name == NULL || s->column_names == NULL)
        return err_nomem();
    for (size_t i = 0; i < split->column_count; i++)
        if (json_array_append_new(s->column_names, json_string(split->column_names[i])) < 0)
            return err_set(RECO_E_DATA, "cannot keep column '%s': its name is not UTF-8", split->column_names[i]);
    s->flags =
        (split->has_target ? (unsigned)DATASET_HAS_TARGET : 0) | (split->has_weight ? (unsigned)DATASET_HAS_WEIGHT : 0);
    for (int p = 0; rc == 0 && p < PARTS; p++)
        if (has_part(s, (enum part)p))
            rc = temp_file_open(&s->parts[p], w->tmp_dir);
    if (rc == 0)
        rc = temp_file_write(s->parts[PART_COLUMN_START], &zero, sizeof zero);
    return rc < 0 ? rc
                  : dataset_file_open(&s->columns, w->dir, split->name, DATASET_COLUMNS_SUFFIX,
                                      (struct dataset_header){.kind = DATASET_KIND_COLUMNS});
}

int dataset_writer_add(struct dataset_writer *w, size_t split, const struct dataset_writer_row *row)
{
    struct split *s = &w->split[split];
    int rc = dataset_file_add(&s->columns, row->columns, row->columns_length);

    s->columns_bytes += row->columns_length;
    s->rows++;
    if (rc == 0)
        rc = temp_file_write(s->parts[PART_COLUMN_START], &s->columns_bytes, sizeof s->columns_bytes);
    if (rc == 0)
        rc = temp_file_write(s->parts[PART_QUERY], &row->query, sizeof row->query);
    if (rc == 0)
        rc = temp_file_write(s->parts[PART_DESCRIPTION], &row->description, sizeof row->description);
    if (rc == 0)
        rc = temp_file_write(s->parts[PART_LABEL], &row->label, sizeof row->label);
    if (rc == 0 && has_part(s, PART_WEIGHT))
        rc = temp_file_write(s->parts[PART_WEIGHT], &row->weight, sizeof row->weight);
    if (rc == 0 && has_part(s, PART_TARGET))
        rc = temp_file_write(s->parts[PART_TARGET], &row->target, sizeof row->target);
    return rc;
}

static int copy_part(struct dataset_file *to, struct temp_file *part)
{
    enum { COPY_BYTES = 128 * 1024 };
    struct temp_reader reader = {.file = part, .end = temp_file_bytes(part)};
    const unsigned char *bytes;
    int rc = temp_file_flush(part);

    for (uint64_t left = reader.end; rc == 0 && left > 0;) {
        size_t length = left < COPY_BYTES ? (size_t)left : COPY_BYTES;
        rc = temp_reader_get(&reader, length, &bytes);
        if (rc == 0)
            rc = dataset_file_add(to, bytes, length);
        left -= length;
    }
    temp_reader_release(&reader);
    return rc;
}

static int end_split(struct dataset_writer *w, struct split *s)
{
    struct dataset_file pairs = {0};
    int rc = dataset_file_commit(&s->columns, w->files);

    dataset_file_release(&s->columns);
    if (rc == 0)
        rc =
            dataset_file_open(&pairs, w->dir, s->name, DATASET_PAIRS_SUFFIX,
                              (struct dataset_header){.kind = DATASET_KIND_PAIRS, .count = s->rows, .flags = s->flags});
    for (int p = 0; rc == 0 && p < PARTS; p++)
        if (has_part(s, (enum part)p))
            rc = copy_part(&pairs, s->parts[p]);
    if (rc == 0)
        rc = dataset_file_commit(&pairs, w->files);
    dataset_file_release(&pairs);
    if (rc < 0)
        return rc;
    json_t *entry =
        json_pack("{s:s, s:I, s:O}", "name", s->name, "rows", (json_int_t)s->rows, "columns", s->column_names);
    return json_array_append_new(w->splits, entry) < 0 ? err_nomem() : 0;
}

/* ---- dataset.json
 * ------------------------------------------------------------------------------------------------------ */

json_t *dataset_tokenizer_json(const struct wordpiece *wp)
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
    char *path = path_join(w->dir, DATASET_JSON_FILE);
    int rc = path == NULL ? RECO_E_NOMEM : dataset_json_seal(json);

    if (rc == 0)
        rc = json_file_write(path, json, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    mem_free(path);
    return rc;
}

int dataset_writer_commit(struct dataset_writer *w, const struct dataset_writer_whole *whole)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < w->split_count; i++)
        if (w->split[i].rows > 0)
            rc = end_split(w, &w->split[i]);
    if (rc < 0)
        return rc;
    json_t *json =
        json_pack("{s:s, s:i, s:o, s:O, s:b, s:I, s:I, s:O, s:O, s:O}", "format", DATASET_FORMAT_NAME, "version",
                  DATASET_VERSION, "labels", label_map_to_json(whole->labels), "tokenizer", whole->tokenizer,
                  "has_description", (int)whole->has_description, "texts", (json_int_t)whole->texts, "tokens",
                  (json_int_t)whole->tokens, "splits", w->splits, "files", w->files, "options", whole->options);
    if (json == NULL)
        return err_nomem();
    rc = write_json(w, json);
    json_decref(json);
    return rc;
}
