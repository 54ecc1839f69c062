#include "data/predictions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/hash.h"
#include "core/json_file.h"
#include "core/mem.h"

#define PREDICTIONS_FORMAT_VERSION 1

struct predictions_writer {
    const struct label_map *labels;
    struct file_writer *file; /* NULL: stdout */
    struct hash_stream *hash; /* of what went into the file */
    char *path;
    struct buf line;
    struct buf names;    /* the labels, escaped, each with its NUL */
    size_t *name_offset; /* [labels->count] */
    size_t extra_count;
    uint64_t rows;
};

int predictions_escape(struct buf *b, const char *text, size_t length)
{
    int rc = buf_reserve(b, length);
    size_t start = 0;
    for (size_t i = 0; !rc && i < length; i++) {
        const char *code = NULL;
        switch (text[i]) {
        case '\t':
            code = "\\t";
            break;
        case '\n':
            code = "\\n";
            break;
        case '\r':
            code = "\\r";
            break;
        case '\\':
            code = "\\\\";
            break;
        default:
            continue;
        }
        rc = buf_add(b, text + start, i - start);
        if (!rc) {
            rc = buf_add(b, code, 2);
        }
        start = i + 1;
    }
    return rc ? rc : buf_add(b, text + start, length - start);
}

static int add_number(struct buf *b, double value)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%.9g", value);
    return buf_add(b, text, (size_t)length);
}

static int put_line(struct predictions_writer *w)
{
    int rc = buf_add_char(&w->line, '\n');
    if (rc) {
        return rc;
    }
    if (w->file) {
        hash_stream_add(w->hash, w->line.data, w->line.length);
        return file_write(w->file, w->line.data, w->line.length);
    }
    if (fwrite(w->line.data, 1, w->line.length, stdout) != w->line.length) {
        return err_set_errno("cannot write predictions to standard output");
    }
    return 0;
}

static void writer_free(struct predictions_writer *w)
{
    file_writer_abort(&w->file);
    hash_stream_free(w->hash);
    buf_release(&w->line);
    buf_release(&w->names);
    mem_free(w->name_offset);
    mem_free(w->path);
    mem_free(w);
}

static const char *label_name(const struct predictions_writer *w, int label)
{
    return w->names.data + w->name_offset[label];
}

static int keep_names(struct predictions_writer *w)
{
    size_t count = (size_t)w->labels->count;
    w->name_offset = mem_calloc(count + 1, sizeof *w->name_offset);
    int rc = w->name_offset ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < count; i++) {
        w->name_offset[i] = w->names.length;
        rc = predictions_escape(&w->names, w->labels->names[i], strlen(w->labels->names[i]));
        if (!rc) {
            rc = buf_add(&w->names, "", 1);
        }
    }
    return rc;
}

static int write_header(struct predictions_writer *w, const char *const *extra_names)
{
    int rc = buf_add_str(&w->line, "row_id\tquery_id\titem_id\tlabel\tpredicted");
    for (int i = 0; !rc && i < w->labels->count; i++) {
        rc = buf_printf(&w->line, "\tp_%s", label_name(w, i));
    }
    if (!rc) {
        rc = buf_add_str(&w->line, "\tscore\ttokens\ttruncated");
    }
    for (size_t i = 0; !rc && i < w->extra_count; i++) {
        rc = buf_add_char(&w->line, '\t');
        if (!rc) {
            rc = predictions_escape(&w->line, extra_names[i], strlen(extra_names[i]));
        }
    }
    return rc ? rc : put_line(w);
}

int predictions_writer_open(struct predictions_writer **out, const char *path, const struct label_map *labels,
                            const char *const *extra_names, size_t extra_count)
{
    *out = NULL;
    struct predictions_writer *w = mem_calloc(1, sizeof *w);
    if (!w) {
        return RECO_E_NOMEM;
    }
    w->labels = labels;
    w->extra_count = extra_count;
    w->path = mem_strdup(path);
    int rc = w->path ? keep_names(w) : RECO_E_NOMEM;
    if (!rc && strcmp(path, "-") != 0) {
        rc = hash_stream_new(&w->hash);
        rc = rc ? rc : file_writer_open(&w->file, path);
    }
    if (!rc) {
        rc = write_header(w, extra_names);
    }
    if (rc) {
        writer_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

/* Fields label, predicted, p..., score. */
static int add_outcome(struct predictions_writer *w, const struct predictions_row *row)
{
    struct buf *b = &w->line;
    const struct label_map *labels = w->labels;
    int rc = 0;
    if (!labels->count) {
        if (!isnan(row->target)) {
            rc = add_number(b, row->target);
        }
        for (int i = 0; !rc && i < 2; i++) { /* predicted and score are both the value */
            rc = buf_add_char(b, '\t');
            if (!rc) {
                rc = add_number(b, row->value);
            }
        }
        return rc;
    }
    int best = 0;
    for (int i = 0; i < labels->count; i++) {
        best = row->p[i] > row->p[best] ? i : best;
    }
    best = row->predicted ? *row->predicted : best;
    if (row->label >= 0) {
        rc = buf_add_str(b, label_name(w, row->label));
    }
    if (!rc) {
        rc = buf_printf(b, "\t%s", label_name(w, best));
    }
    for (int i = 0; !rc && i < labels->count; i++) {
        rc = buf_add_char(b, '\t');
        if (!rc) {
            rc = add_number(b, row->p[i]);
        }
    }
    if (!rc) {
        rc = buf_add_char(b, '\t');
    }
    return rc ? rc : add_number(b, label_map_score(labels, row->p, row->value));
}

int predictions_write(struct predictions_writer *w, const struct predictions_row *row)
{
    buf_clear(&w->line);
    int rc = buf_add(&w->line, row->ids, row->ids_length);
    if (!rc) {
        rc = buf_add_char(&w->line, '\t');
    }
    if (!rc) {
        rc = add_outcome(w, row);
    }
    if (!rc) {
        rc = buf_printf(&w->line, "\t%u\t%d", (unsigned)row->tokens, (int)row->truncated);
    }
    if (!rc && w->extra_count) {
        rc = buf_add_char(&w->line, '\t');
        if (!rc) {
            rc = buf_add(&w->line, row->extra, row->extra_length);
        }
    }
    if (!rc) {
        rc = put_line(w);
    }
    w->rows += !rc;
    return rc;
}

/* The hash of the file among the others, by which a reader sees whether it is still the one that this describes. */
static int add_file_hash(const struct predictions_writer *w, json_t *json)
{
    char hex[HASH_HEX_SIZE];
    json_t *hashes = json_object_get(json, "hashes");
    if (!json_is_object(hashes)) {
        hashes = json_object();
        if (json_object_set_new(json, "hashes", hashes)) {
            return err_nomem();
        }
    }
    hash_stream_hex(w->hash, hex);
    return json_object_set_new(hashes, "predictions", json_string(hex)) ? err_nomem() : 0;
}

static int write_sidecar(const struct predictions_writer *w, json_t *sidecar, const char *path)
{
    json_t *json = sidecar ? json_deep_copy(sidecar) : json_object();
    json_t *labels = label_map_to_json(w->labels);
    int rc = 0;
    if (!json || !labels || json_object_set_new(json, "format", json_string("reco predictions")) ||
        json_object_set_new(json, "version", json_integer(PREDICTIONS_FORMAT_VERSION)) ||
        json_object_set_new(json, "rows", json_integer((json_int_t)w->rows)) ||
        json_object_set(json, "labels", labels)) {
        rc = err_nomem();
    }
    if (!rc) {
        rc = add_file_hash(w, json);
    }
    if (!rc) {
        rc = json_file_write(path, json, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    }
    json_decref(labels);
    json_decref(json);
    return rc;
}

int predictions_writer_commit(struct predictions_writer **writer, json_t *sidecar)
{
    struct predictions_writer *w = *writer;
    *writer = NULL;
    int rc = 0;
    char *sidecar_path = NULL;
    if (!w->file) {
        if (fflush(stdout)) {
            rc = err_set_errno("cannot write predictions to standard output");
        }
        goto done;
    }
    /* The old sidecar goes first, so that a stop in between never leaves one that describes another file. */
    sidecar_path = mem_printf("%s.json", w->path);
    rc = sidecar_path ? file_remove(sidecar_path) : RECO_E_NOMEM;
    if (!rc) {
        rc = file_writer_commit(&w->file);
    }
    if (!rc) {
        rc = write_sidecar(w, sidecar, sidecar_path);
    }
done:
    mem_free(sidecar_path);
    writer_free(w);
    return rc;
}

void predictions_writer_abort(struct predictions_writer **writer)
{
    if (*writer) {
        writer_free(*writer);
        *writer = NULL;
    }
}
