#include "data/merge.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "core/temp_file.h"
#include "data/dataset_format.h"
#include "data/merge_internal.h"
#include "data/prepare_internal.h"
#include "data/shard_stream.h"

struct merge {
    const struct merge_options *merge_options;
    struct merge_shard *shards; /* [count] by number */
    size_t count;
    struct prepare_whole whole;
    struct prepare_options options;
    struct prepare_labels labels;
    struct cleaner *cleaner;
    struct pool *pool;
    struct prepare_file_facts *facts;
    struct prepare_names names[PREPARE_SPLITS];
    bool has_weight[PREPARE_SPLITS], has_label[PREPARE_SPLITS];
    struct sorter *sorter; /* key: file, order, content; value: shard, packed row */
    struct spool_writer *pack;
    struct text_keys keys; /* of the texts of all shards, by the order of the rows */
};

/* ---- what all shards have alike
 * ------------------------------------------------------------------------------------------ */

static int read_inputs(struct merge *m, const json_t *plan)
{
    const json_t *inputs = json_object_get(plan, "inputs");
    size_t count = json_array_size(inputs);

    m->facts = mem_calloc(count, sizeof *m->facts);
    if (m->facts == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(inputs, i);
        m->facts[i] = (struct prepare_file_facts){
            .path = json_string_value(json_object_get(entry, "path")),
            .label = json_string_value(json_object_get(entry, "label")),
            .split = (enum prepare_split)json_integer_value(json_object_get(entry, "split"))};
        if (m->facts[i].path == NULL || m->facts[i].label == NULL || (unsigned)m->facts[i].split >= PREPARE_SPLITS)
            return merge_damaged(&m->shards[0], SHARD_JSON_FILE, "a bad input file");
    }
    m->whole.files = m->facts;
    m->whole.file_count = count;
    return count > 0 ? 0 : merge_damaged(&m->shards[0], SHARD_JSON_FILE, "no input file");
}

static int read_names(struct merge *m, const json_t *plan)
{
    const json_t *names = json_object_get(plan, "names");

    for (int s = 0; s < PREPARE_SPLITS; s++) {
        const json_t *of = json_array_get(names, (size_t)s);
        m->names[s].names = mem_calloc(json_array_size(of), sizeof *m->names[s].names);
        if (m->names[s].names == NULL)
            return RECO_E_NOMEM;
        for (size_t i = 0; i < json_array_size(of); i++) {
            const char *name = json_string_value(json_array_get(of, i));
            m->names[s].names[i] = mem_strdup(name != NULL ? name : "");
            if (m->names[s].names[i] == NULL)
                return RECO_E_NOMEM;
            m->names[s].count++;
        }
        m->has_weight[s] = json_is_true(json_array_get(json_object_get(plan, "has_weight"), (size_t)s));
        m->has_label[s] = json_is_true(json_array_get(json_object_get(plan, "has_label"), (size_t)s));
    }
    return 0;
}

static int read_plan(struct merge *m)
{
    const json_t *plan = m->shards[0].plan, *given_json = json_object_get(plan, "labels");
    struct prepare_whole *w = &m->whole;
    struct label_map given = {0};
    bool has_given = json_is_object(given_json);
    int rc = prepare_options_from_json(&m->options, json_object_get(plan, "options"));

    if (rc < 0)
        return err_prepend(rc, "bad shard '%s'", m->shards[0].dir);
    m->options.threads = m->merge_options->threads;
    rc = prepare_options_check(&m->options);
    if (rc == 0)
        rc = read_inputs(m, plan);
    if (rc == 0)
        rc = read_names(m, plan);
    if (rc == 0 && has_given)
        rc = label_map_from_json(&given, given_json);
    if (rc == 0)
        rc = prepare_labels_init(&m->labels, &m->options, has_given ? &given : NULL);
    label_map_release(&given);
    if (rc == 0)
        rc = prepare_cleaner_new(&m->cleaner, &m->options);
    if (rc == 0)
        rc = prepare_split_of(&w->split, &m->options);
    if (rc == 0)
        rc = prepare_pool_of(&m->pool, m->merge_options->threads);
    w->options = &m->options;
    w->tokenizer = json_object_get(plan, "tokenizer");
    w->id_bytes = text_set_width(m->shards[0].texts);
    w->cleaner = m->cleaner;
    w->pool = m->pool;
    w->tmp_dir = m->merge_options->tmp_dir;
    w->sort_bytes = prepare_sort_bytes(m->merge_options->max_memory);
    w->names = m->names;
    w->has_weight = m->has_weight;
    w->has_label = m->has_label;
    w->labels = &m->labels;
    if (rc == 0)
        w->first_split = m->facts[0].split;
    return rc;
}

/* ---- the rows of all shards in their order
 * ------------------------------------------------------------------------------- */

/* Rows of one place (an id that several shards have) come in an order that does not depend on the shards either. */
static uint64_t content_of(const struct merge_shard *s, const struct spool_row *row)
{
    const char *label = row->label >= 0 ? json_string_value(json_array_get(s->values, (size_t)row->label)) : NULL;
    uint64_t parts[] = {hash_u64(row->columns.text, row->columns.length, 0),
                        hash_u64(row->raw.text, row->raw.length, 0), row->pair_key,
                        hash_u64(label != NULL ? label : "", label != NULL ? strlen(label) : 0, 0), 0};

    memcpy(&parts[4], &row->target, sizeof row->target);
    return hash_u64(parts, sizeof parts, 0);
}

static int sort_shard(struct merge *m, size_t number)
{
    const struct merge_shard *s = &m->shards[number];
    struct spool_reader reader = {0};
    struct spool_row row;
    struct buf key = {0}, value = {0};
    const uint32_t shard = (uint32_t)number;
    bool found = true;
    int rc = 0;

    spool_reader_open_file(&reader, s->rows, sizeof(struct dataset_header), s->rows_bytes);
    for (uint64_t i = 0; rc == 0; i++) {
        unsigned char number_key[8];
        const void *packed = NULL;
        size_t length = 0;
        rc = spool_next(&reader, &row, &found);
        if (rc < 0 || !found)
            break;
        if (row.file >= m->whole.file_count)
            rc = merge_damaged(s, SHARD_ROWS_FILE, "a wrong file number");
        buf_clear(&key);
        buf_clear(&value);
        sorter_u64(number_key, row.file);
        if (rc == 0)
            rc = buf_add(&key, number_key, sizeof number_key);
        if (rc == 0)
            rc = buf_add(&key, row.order.text, row.order.length);
        sorter_u64(number_key, content_of(s, &row));
        if (rc == 0)
            rc = buf_add(&key, number_key, sizeof number_key);
        row.order.length = 0;
        if (rc == 0)
            rc = spool_pack(m->pack, &row, &packed, &length);
        if (rc == 0)
            rc = buf_add(&value, &shard, sizeof shard);
        if (rc == 0)
            rc = buf_add(&value, packed, length);
        if (rc == 0)
            rc = sorter_add(m->sorter, key.data, key.length, value.data, value.length);
        if (rc == 0 && i % 65536 == 65535 && stop_requested())
            rc = err_set(RECO_E_STOPPED, "stopped while reading the shards");
    }
    spool_reader_release(&reader);
    buf_release(&key);
    buf_release(&value);
    return rc;
}

/* A text's number in all shards, from that in its shard. */
static int number_text(struct merge *m, size_t shard, uint32_t *text)
{
    bool is_new;

    if (*text == DATASET_NO_TEXT)
        return 0;
    const struct text_set *set = m->whole.texts.sets[shard];
    if (*text >= text_set_count(set))
        return merge_damaged(&m->shards[shard], SHARD_ROWS_FILE, "a wrong text number");
    uint32_t *number = &m->whole.texts.numbers[shard][*text];
    int rc = *number == TEXT_SET_NONE ? text_keys_enter(&m->keys, text_set_key(set, *text), number, &is_new) : 0;
    *text = *number;
    return rc;
}

static int take_row(struct merge *m, size_t shard, struct spool_row *row)
{
    const struct merge_shard *s = &m->shards[shard];
    int rc = 0;

    if (row->kind == SPOOL_ROW) {
        rc = number_text(m, shard, &row->query);
        if (rc == 0)
            rc = number_text(m, shard, &row->description);
    }
    if (rc == 0 && row->kind == SPOOL_ROW && row->label >= 0 && m->labels.known && row->label >= m->labels.map.count)
        rc = merge_damaged(s, SHARD_ROWS_FILE, "a wrong label");
    if (rc == 0 && row->kind == SPOOL_ROW && row->label >= 0 && !m->labels.known) {
        const char *value = json_string_value(json_array_get(s->values, (size_t)row->label));
        rc = value == NULL ? merge_damaged(s, SHARD_ROWS_FILE, "a wrong label")
                           : prepare_labels_find(&m->labels, value, strlen(value), &row->label);
    }
    return rc < 0 ? rc : spool_write(m->whole.spool, row);
}

static int open_texts(struct merge *m)
{
    struct prepare_texts *t = &m->whole.texts;

    t->sets = mem_calloc(m->count, sizeof *t->sets);
    t->numbers = mem_calloc(m->count, sizeof *t->numbers);
    if (t->sets == NULL || t->numbers == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < m->count; i++) {
        size_t texts = text_set_count(m->shards[i].texts);
        t->numbers[i] = mem_alloc(texts * sizeof **t->numbers);
        if (t->numbers[i] == NULL)
            return RECO_E_NOMEM;
        memset(t->numbers[i], 0xFF, texts * sizeof **t->numbers);
        t->sets[i] = m->shards[i].texts;
        m->shards[i].texts = NULL;
        t->set_count++;
    }
    return 0;
}

static int merge_rows(struct merge *m)
{
    const struct sorter_record *record;
    struct spool_row row;
    uint32_t shard;
    int rc = sorter_sort(m->sorter);

    while (rc == 0 && (rc = sorter_next(m->sorter, &record)) == 0 && record != NULL) {
        memcpy(&shard, record->value, sizeof shard);
        rc = spool_unpack(record->value + sizeof shard, record->value_length - sizeof shard, &row);
        if (rc == 0)
            rc = take_row(m, shard, &row);
    }
    return rc;
}

static int merge_all(struct merge *m)
{
    struct prepare_whole *w = &m->whole;
    int rc = sorter_new(&m->sorter, w->tmp_dir, w->sort_bytes);

    if (rc == 0)
        rc = spool_writer_open(&m->pack, w->tmp_dir);
    for (size_t i = 0; rc == 0 && i < m->count; i++)
        rc = sort_shard(m, i);
    if (rc == 0)
        rc = spool_writer_open(&w->spool, w->tmp_dir);
    if (rc == 0)
        rc = open_texts(m);
    if (rc == 0)
        rc = merge_rows(m);
    sorter_free(m->sorter);
    m->sorter = NULL;
    w->texts.count = m->keys.count;
    text_keys_release(&m->keys);
    return rc;
}

/* ---- the whole
 * ---------------------------------------------------------------------------------------------------------- */

static int by_number(const void *left, const void *right)
{
    const struct merge_shard *a = left, *b = right;

    return (a->number > b->number) - (a->number < b->number);
}

static void end(struct merge *m)
{
    prepare_whole_end(&m->whole);
    prepare_labels_release(&m->labels);
    cleaner_free(m->cleaner);
    pool_free(m->pool);
    sorter_free(m->sorter);
    spool_writer_free(m->pack);
    text_keys_release(&m->keys);
    for (int s = 0; s < PREPARE_SPLITS; s++) {
        for (size_t i = 0; i < m->names[s].count; i++)
            mem_free(m->names[s].names[i]);
        mem_free(m->names[s].names);
    }
    for (size_t i = 0; i < m->count; i++)
        merge_shard_close(&m->shards[i]);
    mem_free(m->shards);
    mem_free(m->facts);
    prepare_options_release(&m->options);
}

/* Shards that come as lines become directories in a folder that goes away again. */
struct unpacked {
    char *dir;
    char **dirs; /* [count] of all shards */
    size_t count, capacity;
};

static int add_dir(struct unpacked *u, char *dir)
{
    int rc = dir == NULL ? RECO_E_NOMEM : mem_grow((void **)&u->dirs, &u->capacity, u->count + 1, sizeof *u->dirs);

    if (rc < 0)
        mem_free(dir);
    else
        u->dirs[u->count++] = dir;
    return rc;
}

static int unpack_file(struct unpacked *u, const char *path, const char *tmp_dir)
{
    size_t count = 0, first = u->count;
    int rc = u->dir == NULL ? temp_dir_make(&u->dir, tmp_dir, "merge") : 0;

    if (rc == 0)
        rc = shard_stream_unpack(path, u->dir, first, &count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_dir(u, mem_printf("%s/%zu", u->dir, first + i));
    return rc;
}

static int unpack_all(struct unpacked *u, const char *const *shards, size_t count, const char *tmp_dir)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = shard_stream_is(shards[i]) ? unpack_file(u, shards[i], tmp_dir) : add_dir(u, mem_strdup(shards[i]));
    return rc;
}

static void unpacked_release(struct unpacked *u)
{
    for (size_t i = 0; i < u->count; i++)
        mem_free(u->dirs[i]);
    mem_free(u->dirs);
    if (u->dir != NULL && dir_remove(u->dir) < 0)
        log_warn("%s", err_message());
    mem_free(u->dir);
}

static int open_shards(struct merge *m, const struct unpacked *u)
{
    int rc = 0;

    m->shards = mem_calloc(u->count, sizeof *m->shards);
    if (m->shards == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < u->count; i++) {
        m->count++;
        rc = merge_shard_open(&m->shards[i], u->dirs[i]);
    }
    if (rc < 0)
        return rc;
    qsort(m->shards, m->count, sizeof *m->shards, by_number);
    return merge_check(m->shards, m->count);
}

int merge_run(const struct merge_options *options, const char *const *shards, size_t count, const char *output_dir,
              struct prepare_summary *summary)
{
    struct merge m = {.merge_options = options, .whole = {.output_dir = output_dir}};
    struct unpacked unpacked = {0};
    int rc = unpack_all(&unpacked, shards, count, options->tmp_dir);

    if (rc == 0 && unpacked.count == 0)
        rc = err_set(RECO_E_USAGE, "no shards to merge");
    if (rc == 0)
        rc = open_shards(&m, &unpacked);
    if (rc == 0)
        rc = read_plan(&m);
    if (rc == 0)
        rc = prepare_whole_begin(&m.whole);
    if (rc == 0)
        rc = merge_all(&m);
    if (rc == 0)
        rc = prepare_whole_finish(&m.whole);
    if (rc == 0 && summary != NULL)
        *summary = m.whole.summary;
    end(&m);
    unpacked_release(&unpacked);
    return rc;
}
