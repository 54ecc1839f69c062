#include <string.h>

#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "data/doctor_internal.h"

/*
 * Reading and looking overlap: while the pool works on one set of batches, one of its tasks reads the next set. Where a
 * batch ends depends on the bytes alone, and what depends on the order is done by the calling thread, batch after
 * batch.
 */

enum { BATCH_BYTES = 256 * 1024, BATCHES_A_THREAD = 4 };

struct scan {
    struct doctor *d;
    struct doctor_batch *sets[2];
    size_t filled[2], set_size;
    int reading; /* the set being read; the other one is worked on */
    size_t file; /* being read */
    uint64_t bytes_before;
};

/* ---- reading ---- */

static int add_record(struct doctor_batch *batch, const struct csv_record *record)
{
    int rc = mem_grow((void **)&batch->fields, &batch->field_capacity, batch->field_count + record->count,
                      sizeof *batch->fields);
    if (rc == 0)
        rc = mem_grow((void **)&batch->lines, &batch->row_capacity, batch->row_count + 1, sizeof *batch->lines);
    for (size_t i = 0; rc == 0 && i < record->count; i++) {
        /* Where the text is comes when the buffer no longer moves. */
        batch->fields[batch->field_count++].length = record->fields[i].length;
        rc = buf_add(&batch->text, record->fields[i].text, record->fields[i].length + 1);
    }
    if (rc == 0)
        batch->lines[batch->row_count++] = record->line;
    return rc;
}

static int finish_batch(struct doctor_batch *batch, size_t columns)
{
    const char *at = buf_str(&batch->text);

    for (size_t i = 0; i < batch->field_count; i++) {
        batch->fields[i].text = at;
        at += batch->fields[i].length + 1;
    }
    int rc = mem_grow((void **)&batch->rows, &batch->result_capacity, batch->row_count, sizeof *batch->rows);
    return rc < 0 ? rc
                  : mem_grow((void **)&batch->hashes, &batch->hash_capacity, batch->row_count * columns,
                             sizeof *batch->hashes);
}

static int bad_record(struct doctor *d, size_t f, const struct csv_record *record)
{
    uint64_t place = doctor_place(f, record->line);
    struct buf text = {0};
    const char *masked = record->raw;
    size_t length = record->raw_length;

    d->files[f].bad_rows++;
    int rc = doctor_tally_add(&d->tallies, DOCTOR_BAD_ROWS, 1 + f, f, 1);
    if (rc < 0 || !doctor_tally_wants(&d->tallies, DOCTOR_BAD_ROWS, 1 + f, place))
        return rc;
    rc = clean_text(d->read_finder, CLEAN_SIDE_COLUMN, record->raw, record->raw_length, &masked, &length);
    if (rc == 0)
        rc = buf_printf(&text, "%s: ", record->bad);
    if (rc == 0)
        rc = doctor_excerpt(&text, masked, length, 0, DOCTOR_EXCERPT_COLUMNS);
    if (rc == 0)
        rc = doctor_tally_example(&d->tallies, DOCTOR_BAD_ROWS, 1 + f, place, buf_str(&text));
    buf_release(&text);
    return rc;
}

static void end_file(struct scan *s)
{
    struct doctor_file *file = &s->d->files[s->file];

    table_reader_facts(file->reader, &file->facts);
    file->bytes = table_reader_bytes_read(file->reader);
    s->bytes_before += file->bytes;
    s->file++;
}

/* Fills one batch from one file; *full is false when that file has ended. */
static int fill(struct scan *s, struct doctor_batch *batch, bool *full)
{
    struct doctor_file *file = &s->d->files[s->file];
    int rc = 0;

    batch->file = s->file;
    buf_clear(&batch->text);
    batch->field_count = batch->row_count = 0;
    *full = false;
    while (rc == 0 && !*full) {
        const struct csv_record *record;
        rc = table_reader_next(file->reader, &record);
        if (rc < 0 || record == NULL)
            break;
        if (record->bad != NULL) {
            rc = bad_record(s->d, s->file, record);
            continue;
        }
        rc = add_record(batch, record);
        *full = batch->text.length >= BATCH_BYTES;
    }
    return rc < 0 ? rc : finish_batch(batch, file->columns);
}

static int read_set(struct scan *s)
{
    struct doctor_batch *set = s->sets[s->reading];
    size_t *filled = &s->filled[s->reading];
    bool full;

    *filled = 0;
    while (*filled < s->set_size && s->file < s->d->file_count) {
        int rc = fill(s, &set[*filled], &full);
        if (rc < 0)
            return rc;
        *filled += set[*filled].row_count > 0;
        if (!full)
            end_file(s);
    }
    return 0;
}

static int work(void *arg, size_t task)
{
    struct scan *s = arg;

    if (task == 0)
        return read_set(s);
    return doctor_lane_batch(&s->d->lanes[task - 1], s->d, &s->sets[1 - s->reading][task - 1]);
}

/* ---- what depends on the order ---- */

enum { PAIR_KEY = 32, PAIR_VALUE = 6 };

static int add_row(struct doctor *d, const struct doctor_batch *batch, const struct doctor_row *row)
{
    unsigned char key[PAIR_KEY], value[PAIR_VALUE + 512];
    uint16_t class = DOCTOR_NO_CLASS;
    size_t file = batch->file, excerpt = row->excerpt_length;
    int rc = 0;

    if (row->label != NULL) {
        rc = doctor_labels_enter(d->labels, row->label->text, row->label->length, file, &class);
        if (rc == 0 && class != DOCTOR_NO_CLASS)
            rc = doctor_sample_add(&d->sample, &d->schema, row, class);
    }
    if (excerpt > sizeof value - PAIR_VALUE)
        excerpt = sizeof value - PAIR_VALUE;
    sorter_u64(key, row->query);
    sorter_u64(key + 8, row->description);
    sorter_u64(key + 16, row->row);
    sorter_u64(key + 24, row->place);
    memcpy(value, &row->spelling, 4);
    memcpy(value + 4, &class, 2);
    memcpy(value + PAIR_VALUE, buf_str(&batch->excerpts) + row->excerpt, excerpt);
    if (rc == 0)
        rc = sorter_add(d->pairs, key, sizeof key, value, PAIR_VALUE + excerpt);
    if (rc == 0 && (d->schema.item != DOCTOR_NONE || d->schema.description_count > 0)) {
        sorter_u64(key, row->item);
        rc = sorter_add(d->items, key, 8, NULL, 0);
    }
    if (rc == 0 && row->id != 0) {
        sorter_u64(key, (uint64_t)file);
        sorter_u64(key + 8, row->id);
        sorter_u64(key + 16, row->place);
        const struct csv_field *id = &row->fields[row->file->column_of[d->schema.id]];
        rc = sorter_add(d->ids, key, 24, id->text, id->length < 64 ? id->length : 64);
    }
    d->files[file].rows++;
    return rc;
}

static int absorb(struct scan *s)
{
    const struct doctor_batch *set = s->sets[1 - s->reading];
    int rc = 0;

    for (size_t b = 0; rc == 0 && b < s->filled[1 - s->reading]; b++) {
        for (size_t i = 0; rc == 0 && i < set[b].row_count; i++)
            rc = add_row(s->d, &set[b], &set[b].rows[i]);
    }
    return rc;
}

/* ---- the loop ---- */

static void progress(struct scan *s, struct progress *p)
{
    uint64_t bytes = s->bytes_before;

    if (s->file < s->d->file_count)
        bytes += table_reader_bytes_read(s->d->files[s->file].reader);
    progress_update(p, (double)bytes, "%.0f MB", (double)bytes / 1e6);
}

static double total_bytes(const struct doctor *d)
{
    double total = 0.0;

    for (size_t f = 0; f < d->file_count; f++) {
        uint64_t bytes = table_reader_total_bytes(d->files[f].reader);
        if (bytes == 0)
            return 0.0;
        total += (double)bytes;
    }
    return total;
}

static int run(struct scan *s)
{
    struct progress p = {0};

    progress_start(&p, "doctor", total_bytes(s->d), 0.0);
    int rc = read_set(s);
    while (rc == 0 && s->filled[s->reading] > 0) {
        s->reading = 1 - s->reading;
        rc = pool_run(s->d->pool, 1 + s->filled[1 - s->reading], work, s);
        if (rc == 0)
            rc = absorb(s);
        if (rc == 0 && stop_requested())
            rc = err_set(RECO_E_STOPPED, "stopped by a signal");
        progress(s, &p);
    }
    progress_clear(&p);
    return rc;
}

static void release_set(struct doctor_batch *set, size_t count)
{
    for (size_t i = 0; set != NULL && i < count; i++) {
        buf_release(&set[i].text);
        buf_release(&set[i].excerpts);
        mem_free(set[i].fields);
        mem_free(set[i].lines);
        mem_free(set[i].rows);
        mem_free(set[i].hashes);
    }
    mem_free(set);
}

int doctor_scan(struct doctor *d)
{
    struct scan s = {.d = d, .set_size = d->lane_count};
    int rc = 0;

    for (int i = 0; rc == 0 && i < 2; i++) {
        s.sets[i] = mem_calloc(s.set_size, sizeof *s.sets[i]);
        rc = s.sets[i] == NULL ? RECO_E_NOMEM : 0;
    }
    if (rc == 0)
        rc = run(&s);
    release_set(s.sets[0], s.set_size);
    release_set(s.sets[1], s.set_size);
    return rc;
}
