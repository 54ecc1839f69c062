#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "data/dataset_format.h"
#include "data/prepare_internal.h"
#include "data/text_set_internal.h"

/*
 * Records are read into a batch while the one before is mapped: reading is the first task of the pool's run, shares of
 * the other batch are the rest. Then one thread takes the mapped records in their order.
 */

enum {
    BATCH_BYTES = 4 * 1024 * 1024,
    BATCH_RECORDS = 16384,
    SHARE_RECORDS = 256,
    RAW_BYTES = 256,     /* kept of a record as it stands in the file: more than is shown of a bad one */
    SHARD_RECORDS = 1024 /* of a file go to one shard, the next as many to the next shard */
};

struct record { /* read, in the bytes of its batch */
    uint64_t line, number;
    size_t first_field, count;
    struct prepare_span raw, bad;
    bool is_bad, raw_cut;
};

struct batch {
    struct buf bytes;
    struct prepare_span *fields; /* [field_count] */
    size_t field_count, fields_capacity;
    struct record *records;
    size_t count, capacity;
    bool last; /* the file ended */
};

struct share { /* of a batch, mapped */
    struct buf bytes;
    struct prepare_mapped rows[SHARE_RECORDS];
    size_t count;
};

struct mapping {
    const struct prepare_map *map;
    const struct prepare_file *file;
    uint32_t file_number;
    const struct prepare_sink *sink;
    struct pool *pool;
    struct batch batches[2], *reading, *working;
    struct share **shares;
    size_t shares_capacity, share_count;
    struct prepare_lane **lanes;
    struct csv_field **fields; /* of a lane: the record at hand */
    size_t lane_count, field_capacity;
    struct lane_stack free_lanes;
    uint64_t rows_read, rows_good, max_rows;
    struct progress progress;
};

/* ---- reading
 * ------------------------------------------------------------------------------------------------------------ */

static int add_bytes(struct batch *b, const char *text, size_t length, struct prepare_span *span)
{
    *span = (struct prepare_span){b->bytes.length, length};
    int rc = buf_add(&b->bytes, text, length);
    return rc < 0 ? rc : buf_add_char(&b->bytes, '\0');
}

static int add_record(struct batch *b, const struct csv_record *r)
{
    int rc = mem_grow((void **)&b->records, &b->capacity, b->count + 1, sizeof *b->records);

    if (rc == 0)
        rc = mem_grow((void **)&b->fields, &b->fields_capacity, b->field_count + r->count, sizeof *b->fields);
    if (rc < 0)
        return rc;
    struct record *record = &b->records[b->count++];
    *record = (struct record){.line = r->line,
                              .number = r->number,
                              .first_field = b->field_count,
                              .is_bad = r->bad != NULL,
                              .raw_cut = r->raw_length > RAW_BYTES};
    rc = add_bytes(b, r->raw, record->raw_cut ? RAW_BYTES : r->raw_length, &record->raw);
    if (rc == 0 && record->is_bad)
        return add_bytes(b, r->bad, strlen(r->bad), &record->bad);
    record->count = r->count;
    for (size_t i = 0; rc == 0 && i < r->count; i++)
        rc = add_bytes(b, r->fields[i].text, r->fields[i].length, &b->fields[b->field_count++]);
    return rc;
}

/* A file is dealt out in blocks of records; of stdin every part has its own. */
static bool is_ours(const struct mapping *m, uint64_t number)
{
    return m->map->shards == 0 || strcmp(m->file->path, "-") == 0 ||
           (number - 1) / SHARD_RECORDS % m->map->shards == m->map->shard;
}

static int read_batch(struct mapping *m)
{
    struct batch *b = m->reading;
    const struct csv_record *record = NULL;
    int rc = 0;

    buf_clear(&b->bytes);
    b->count = b->field_count = 0;
    b->last = false;
    for (size_t passed = 0; b->bytes.length < BATCH_BYTES && b->count < BATCH_RECORDS; passed++) {
        if (passed % BATCH_RECORDS == BATCH_RECORDS - 1 && stop_requested())
            break; /* many records of other shards */
        rc = table_reader_next(m->file->reader, &record);
        if (rc < 0)
            return rc;
        b->last = record == NULL;
        if (b->last)
            break;
        if (!is_ours(m, record->number))
            continue;
        rc = add_record(b, record);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- mapping
 * ------------------------------------------------------------------------------------------------------------ */

static int map_share(struct mapping *m, size_t number, size_t lane)
{
    const struct batch *b = m->working;
    struct share *share = m->shares[number];
    struct csv_field *fields = m->fields[lane];
    size_t first = number * SHARE_RECORDS;
    int rc = 0;

    buf_clear(&share->bytes);
    share->count = b->count - first < SHARE_RECORDS ? b->count - first : SHARE_RECORDS;
    for (size_t i = 0; rc == 0 && i < share->count; i++) {
        const struct record *r = &b->records[first + i];
        struct csv_record record = {.line = r->line,
                                    .number = r->number,
                                    .fields = r->is_bad ? NULL : fields,
                                    .count = r->count,
                                    .bad = r->is_bad ? b->bytes.data + r->bad.start : NULL,
                                    .raw = b->bytes.data + r->raw.start,
                                    .raw_length = r->raw.length};
        for (size_t f = 0; f < r->count; f++) {
            const struct prepare_span *span = &b->fields[r->first_field + f];
            fields[f] = (struct csv_field){b->bytes.data + span->start, span->length};
        }
        rc = prepare_row_map(m->lanes[lane], &record, r->raw_cut, &share->bytes, &share->rows[i]);
    }
    return rc;
}

static int work(void *arg, size_t task)
{
    struct mapping *m = arg;

    if (task == 0)
        return m->working != NULL && m->working->last ? 0 : read_batch(m);
    size_t lane = lane_stack_take(&m->free_lanes);
    int rc = map_share(m, task - 1, lane);
    lane_stack_give(&m->free_lanes, lane);
    return rc;
}

static int grow_shares(struct mapping *m, size_t need)
{
    size_t before = m->shares_capacity;
    int rc = mem_grow((void **)&m->shares, &m->shares_capacity, need, sizeof *m->shares);

    if (rc == 0 && m->shares_capacity > before)
        memset(m->shares + before, 0, (m->shares_capacity - before) * sizeof *m->shares);
    for (size_t i = 0; rc == 0 && i < need; i++)
        if (m->shares[i] == NULL) {
            m->shares[i] = mem_calloc(1, sizeof **m->shares);
            rc = m->shares[i] == NULL ? RECO_E_NOMEM : 0;
        }
    return rc;
}

/* ---- taking the mapped records, in order
 * -------------------------------------------------------------------------------- */

static struct spool_text text_of(const struct share *share, struct prepare_span span)
{
    return (struct spool_text){span.length > 0 ? share->bytes.data + span.start : "", span.length};
}

static int take_label(struct mapping *m, const struct share *share, struct prepare_mapped *mapped)
{
    struct prepare_labels *labels = m->sink->labels;
    struct spool_text text = text_of(share, mapped->label);
    struct spool_row *row = &mapped->row;

    if (!mapped->has_label)
        return 0;
    if (m->file->split == m->map->first_split)
        return prepare_labels_find(labels, text.text, text.length, &row->label);
    row->label = SPOOL_UNKNOWN_LABEL;
    row->reason = text;
    return 0;
}

static int take(struct mapping *m, const struct share *share, struct prepare_mapped *mapped)
{
    struct spool_row *row = &mapped->row;
    int rc = 0;

    row->file = m->file_number;
    row->order = text_of(share, mapped->order);
    row->columns = text_of(share, mapped->columns);
    row->reason = text_of(share, mapped->reason);
    row->raw = text_of(share, mapped->raw);
    row->description = DATASET_NO_TEXT;
    m->rows_read++;
    if (row->kind == SPOOL_ROW)
        rc = take_label(m, share, mapped);
    if (rc == 0 && row->kind == SPOOL_ROW) {
        struct spool_text query = text_of(share, mapped->query), description = text_of(share, mapped->description);
        rc = text_set_add(m->sink->texts, mapped->query_text, query.text, query.length, &row->query);
        if (rc == 0 && m->map->has_description)
            rc = text_set_add(m->sink->texts, mapped->description_text, description.text, description.length,
                              &row->description);
        /* A row that may turn out to be bad does not count towards the samples. */
        m->rows_good += row->raw.length == 0;
    }
    return rc < 0 ? rc : spool_write(m->sink->spool, row);
}

static int take_batch(struct mapping *m)
{
    int rc = 0;

    for (size_t s = 0; rc == 0 && s < m->share_count; s++)
        for (size_t i = 0; rc == 0 && i < m->shares[s]->count; i++) {
            if (m->max_rows > 0 && m->rows_good >= m->max_rows)
                return 0;
            rc = take(m, m->shares[s], &m->shares[s]->rows[i]);
        }
    return rc;
}

/* ---- a file, all files
 * -------------------------------------------------------------------------------------------------- */

static int begin_file(struct mapping *m)
{
    size_t columns = table_reader_columns(m->file->reader);

    if (columns > m->field_capacity) {
        for (size_t i = 0; i < m->lane_count; i++) {
            struct csv_field *fields = mem_realloc_array(m->fields[i], columns, sizeof *fields);
            if (fields == NULL)
                return RECO_E_NOMEM;
            m->fields[i] = fields;
        }
        m->field_capacity = columns;
    }
    m->rows_read = m->rows_good = 0;
    return 0;
}

/* How the file was read, some of it guessed, and what is wrong with its characters; also when its rows are refused. */
static int tell_facts(const struct prepare_file *file)
{
    struct table_facts facts;
    struct buf notes = {0}, warning = {0};

    table_reader_facts(file->reader, &facts);
    int rc = table_facts_notes(&facts, &notes);
    if (rc == 0)
        rc = table_facts_warning(&facts, &warning);
    if (rc == 0 && notes.length > 0)
        log_info("%s: %s", file->label, buf_str(&notes));
    if (rc == 0 && warning.length > 0)
        log_warn("%s: %s", file->label, buf_str(&warning));
    buf_release(&notes);
    buf_release(&warning);
    return rc;
}

static int map_file(struct mapping *m, const struct prepare_names *names)
{
    bool enough = false;
    int rc = begin_file(m);

    for (size_t i = 0; rc == 0 && i < m->lane_count; i++)
        rc = prepare_lane_file(m->lanes[i], m->file, names);
    m->working = NULL;
    m->reading = &m->batches[0];
    progress_start(&m->progress, m->file->label, (double)table_reader_total_bytes(m->file->reader), 0.0);
    while (rc == 0 && !enough) {
        if (stop_requested())
            rc = err_set(RECO_E_STOPPED, "stopped while reading %s", m->file->label);
        m->share_count = m->working == NULL ? 0 : (m->working->count + SHARE_RECORDS - 1) / SHARE_RECORDS;
        if (rc == 0)
            rc = grow_shares(m, m->share_count);
        if (rc == 0)
            rc = pool_run(m->pool, 1 + m->share_count, work, m);
        if (rc == 0)
            rc = take_batch(m);
        enough = m->max_rows > 0 && m->rows_good >= m->max_rows;
        if (m->working != NULL && m->working->last)
            break;
        m->working = m->reading;
        m->reading = m->reading == &m->batches[0] ? &m->batches[1] : &m->batches[0];
        progress_update(&m->progress, (double)table_reader_bytes_read(m->file->reader), "%llu rows",
                        (unsigned long long)m->rows_read);
    }
    progress_clear(&m->progress);
    int told = rc == 0 || rc == RECO_E_DATA ? tell_facts(m->file) : 0;
    return rc < 0 ? rc : told;
}

static int open_lanes(struct mapping *m)
{
    size_t threads = (size_t)pool_threads(m->pool);
    int rc = lane_stack_init(&m->free_lanes, threads);

    m->lanes = mem_calloc(threads, sizeof *m->lanes);
    m->fields = mem_calloc(threads, sizeof *m->fields);
    if (rc == 0 && (m->lanes == NULL || m->fields == NULL))
        rc = RECO_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < threads; i++) {
        rc = prepare_lane_new(&m->lanes[i], m->map);
        m->lane_count = i + 1;
    }
    return rc;
}

static void release(struct mapping *m)
{
    for (size_t i = 0; i < m->lane_count; i++) {
        prepare_lane_free(m->lanes[i]);
        mem_free(m->fields[i]);
    }
    for (size_t i = 0; i < m->shares_capacity; i++)
        if (m->shares[i] != NULL) {
            buf_release(&m->shares[i]->bytes);
            mem_free(m->shares[i]);
        }
    for (int i = 0; i < 2; i++) {
        buf_release(&m->batches[i].bytes);
        mem_free(m->batches[i].fields);
        mem_free(m->batches[i].records);
    }
    lane_stack_release(&m->free_lanes);
    mem_free(m->shares);
    mem_free(m->lanes);
    mem_free(m->fields);
}

int prepare_map_files(const struct prepare_map *map, struct prepare_inputs *in, struct pool *pool,
                      const struct prepare_sink *sink)
{
    struct mapping m = {.map = map, .sink = sink, .pool = pool};
    uint64_t good = 0;
    int rc = open_lanes(&m);

    for (size_t i = 0; rc == 0 && i < in->count; i++) {
        m.file = &in->files[i];
        m.file_number = (uint32_t)i;
        uint64_t most = (uint64_t)prepare_max_rows(map->options, m.file->split);
        if (i > 0 && in->files[i - 1].split != m.file->split)
            good = 0;
        if (most > 0 && good >= most)
            continue;
        m.max_rows = most > 0 ? most - good : 0;
        rc = map_file(&m, &in->names[m.file->split]);
        good += m.rows_good;
    }
    release(&m);
    return rc;
}
