#include "data/shard_internal.h"

#include <stdio.h>

#include "core/json_file.h"
#include "core/mem.h"
#include "data/dataset_internal.h"
#include "data/dataset_writer.h"
#include "data/merge.h"
#include "data/prepare_internal.h"
#include "data/text_set_internal.h"

/* Writing a shard. */

int shard_parse(const char *text, uint64_t *shard, uint64_t *shards)
{
    enum { MOST = 1000000 };
    unsigned long i = 0, n = 0;
    int end = 0;

    if (sscanf(text, "%7lu/%7lu%n", &i, &n, &end) != 2 || text[end] != '\0' || i < 1 || i > n || n > MOST)
        return err_set(RECO_E_USAGE, "'%s' is not a shard and their count, as 3/7", text);
    *shard = i - 1;
    *shards = n;
    return 0;
}

struct shard {
    const struct prepare_options *options;
    struct prepare_inputs in;
    struct prepare_labels labels;
    struct cleaner *cleaner;
    struct pool *pool;
    struct text_set_writer *texts;
    struct dataset_file rows_file;
    struct spool_writer *spool;
    json_t *files;
    char *stage;
};

static int map_all(struct shard *s, const struct wordpiece *wp, uint64_t shard, uint64_t shards)
{
    const struct prepare_map map = {.options = s->options,
                                    .labels = &s->labels,
                                    .cleaner = s->cleaner,
                                    .has_description = prepare_has_description(s->options),
                                    .first_split = s->in.files[0].split,
                                    .shard = shard,
                                    .shards = shards};
    int rc = text_set_writer_open(&s->texts, s->stage, wp, s->pool, s->options->tmp_dir, false);

    if (rc == 0)
        rc = dataset_file_open(&s->rows_file, s->stage, SHARD_ROWS_FILE, "",
                               (struct dataset_header){.kind = SHARD_KIND_ROWS});
    if (rc == 0)
        rc = spool_writer_open_file(&s->spool, &s->rows_file);
    if (rc == 0) {
        const struct prepare_sink sink = {.spool = s->spool, .texts = s->texts, .labels = &s->labels};
        rc = prepare_map_files(&map, &s->in, s->pool, &sink);
    }
    if (rc == 0)
        rc = text_set_commit(s->texts, s->files, true);
    return rc == 0 ? dataset_file_commit(&s->rows_file, s->files) : rc;
}

/* ---- shard.json
 * --------------------------------------------------------------------------------------------------------- */

static json_t *inputs_json(const struct prepare_inputs *in)
{
    json_t *json = json_array();

    for (size_t i = 0; json != NULL && i < in->count; i++) {
        const struct prepare_file *f = &in->files[i];
        json_t *entry = json_pack("{s:o, s:o, s:i}", "path", prepare_text_json(f->path), "label",
                                  prepare_text_json(f->label), "split", (int)f->split);
        if (json_array_append_new(json, entry) < 0) {
            json_decref(json);
            json = NULL;
        }
    }
    return json;
}

static int names_json(json_t **out, const struct prepare_names *names)
{
    json_t *json = json_array();

    for (size_t i = 0; json != NULL && i < names->count; i++)
        if (json_array_append_new(json, json_string(names->names[i])) < 0) {
            json_decref(json);
            return err_set(RECO_E_DATA, "cannot keep column '%s': its name is not UTF-8", names->names[i]);
        }
    *out = json;
    return json == NULL ? err_nomem() : 0;
}

static int plan_json(json_t **out, const struct shard *s, const struct wordpiece *wp, const struct label_map *given,
                     uint64_t shards)
{
    const struct prepare_inputs *in = &s->in;
    json_t *names[PREPARE_SPLITS] = {NULL};
    int rc = 0;

    for (int i = 0; rc == 0 && i < PREPARE_SPLITS; i++)
        rc = names_json(&names[i], &in->names[i]);
    if (rc == 0) {
        json_t *options = prepare_options_json(s->options);
        *out = json_pack("{s:I, s:o, s:o, s:o, s:o, s:[O,O,O], s:[b,b,b], s:[b,b,b]}", "shards", (json_int_t)shards,
                         "options", options, "tokenizer", dataset_tokenizer_json(wp), "labels",
                         given == NULL ? json_null() : label_map_to_json(given), "inputs", inputs_json(in), "names",
                         names[0], names[1], names[2], "has_weight", (int)in->has_weight[0], (int)in->has_weight[1],
                         (int)in->has_weight[2], "has_label", (int)in->has_label[0], (int)in->has_label[1],
                         (int)in->has_label[2]);
        rc = *out == NULL ? err_nomem() : 0;
    }
    for (int i = 0; i < PREPARE_SPLITS; i++)
        json_decref(names[i]);
    return rc;
}

static json_t *values_json(const struct prepare_labels *l)
{
    json_t *json = json_array();

    for (size_t i = 0; json != NULL && i < l->value_count; i++)
        if (json_array_append_new(json, json_string(l->values[i])) < 0) {
            json_decref(json);
            json = NULL;
        }
    return json;
}

static int write_json(struct shard *s, json_t *plan, uint64_t shard)
{
    char hex[HASH_HEX_SIZE], *path = path_join(s->stage, SHARD_JSON_FILE);
    json_t *json = json_pack("{s:s, s:i, s:I, s:I, s:I, s:o, s:O, s:O}", "format", SHARD_FORMAT_NAME, "version",
                             SHARD_VERSION, "shard", (json_int_t)shard + 1, "rows", (json_int_t)spool_rows(s->spool),
                             "texts", (json_int_t)text_set_writer_count(s->texts), "values", values_json(&s->labels),
                             "files", s->files, "plan", plan);
    int rc = json == NULL || path == NULL ? err_nomem() : dataset_json_checksum(json, hex);

    if (rc == 0 && json_object_set_new(json, "checksum", json_string(hex)) < 0)
        rc = err_nomem();
    if (rc == 0)
        rc = json_file_write(path, json, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    json_decref(json);
    mem_free(path);
    return rc;
}

int shard_run(const struct prepare_options *options, const struct wordpiece *wp, const struct label_map *labels,
              uint64_t shard, uint64_t shards, const char *output_dir, struct shard_summary *summary)
{
    struct shard s = {.options = options};
    json_t *plan = NULL;
    int rc = prepare_options_check(options);

    if (rc == 0)
        rc = prepare_inputs_open(&s.in, options);
    if (rc == 0)
        rc = prepare_labels_init(&s.labels, options, labels);
    if (rc == 0)
        rc = prepare_cleaner_new(&s.cleaner, options);
    if (rc == 0)
        rc = prepare_pool_of(&s.pool, options->threads);
    if (rc == 0 && (s.files = json_object()) == NULL)
        rc = err_nomem();
    if (rc == 0)
        rc = plan_json(&plan, &s, wp, labels, shards);
    if (rc == 0)
        rc = dir_stage_begin(&s.stage, output_dir);
    if (rc == 0)
        rc = map_all(&s, wp, shard, shards);
    if (rc == 0)
        rc = write_json(&s, plan, shard);
    if (rc == 0 && summary != NULL)
        *summary = (struct shard_summary){.rows = spool_rows(s.spool), .texts = text_set_writer_count(s.texts)};
    if (rc == 0)
        rc = dir_stage_commit(s.stage, output_dir);
    if (rc < 0)
        dir_stage_abort(s.stage);
    text_set_writer_free(s.texts);
    dataset_file_release(&s.rows_file);
    spool_writer_free(s.spool);
    prepare_labels_release(&s.labels);
    prepare_inputs_close(&s.in);
    cleaner_free(s.cleaner);
    pool_free(s.pool);
    json_decref(s.files);
    json_decref(plan);
    mem_free(s.stage);
    return rc;
}
