/* The rows of each query, sorted outside. */

#include <string.h>

#include "core/mem.h"
#include "eval/rank.h"
#include "eval/stream_internal.h"

/* What a row of a list is sorted with. The id follows where items have none of their own. */
struct list_row {
    double score, grade, position;
    struct metric_event event;
    int32_t label;
    uint32_t item;
    bool judged, truncated;
};

int stream_lists_add(const struct eval_stream *stream, const struct predictions *p, size_t row, struct buf *value)
{
    unsigned char key[16];
    struct list_row r = {.grade = NAN, .position = p->position ? p->position[row] : NAN, .label = -1};
    r.truncated = p->truncated && p->truncated[row];
    r.judged = rank_is_judged(p, row);
    r.grade = r.judged ? rank_grade(p, row) : NAN;
    r.label = r.judged && p->label ? predictions_label(p, row) : -1;
    r.score = predictions_has_score(p) ? predictions_score(p, row) : NAN;
    r.item = p->item ? p->item[row] : 0;
    event_of_row(&r.event, p, row);
    sorter_u64(key, p->query[row]);
    sorter_u64(key + 8, stream->rows + row);
    if (p->item) {
        return sorter_add(stream->lists, key, sizeof key, &r, sizeof r);
    }
    const char *id = predictions_item_id(p, row);
    buf_clear(value);
    int rc = buf_add(value, &r, sizeof r);
    if (!rc) {
        rc = buf_add(value, id, strlen(id) + 1);
    }
    return rc ? rc : sorter_add(stream->lists, key, sizeof key, value->data, value->length);
}

/* ---- sorted rows come back ---- */

struct list_reader {
    const struct eval_stream *stream;
    struct stream_part *part;
    const struct predictions *p;
    const double *gains;
    const struct sorter_record *record; /* the next row */
    struct buf ids;
    size_t *id_at;
    size_t id_capacity;
};

static int load_row(struct list_reader *reader, struct rank_work *work, bool ranks, bool events)
{
    struct list_row r;
    memcpy(&r, reader->record->value, sizeof r);
    double level = reader->part->report->ranking.relevance_level;
    if (events) {
        work->events[work->event_count] = r.event;
        work->positions[work->event_count++] = r.position;
    }
    if (!ranks) {
        return 0;
    }
    size_t at = work->item_count++;
    struct rank_item *item = &work->items[at];
    *item = (struct rank_item){.score = r.score, .grade = NAN, .item = r.item};
    item->order = sorter_get_u64(reader->record->key + 8);
    item->id = reader->p->item_ids ? reader->p->item_ids[r.item] : NULL;
    if (r.judged) {
        item->grade = r.grade;
        item->gain = reader->gains && r.label >= 0 ? reader->gains[r.label] : exp2(r.grade) - 1;
        work->ideal[work->ideal_count++] = item->gain;
        work->relevant += r.grade >= level;
        work->irrelevant += r.grade < level;
    }
    if (item->id) {
        return 0;
    }
    int rc = mem_grow((void **)&reader->id_at, &reader->id_capacity, at + 1, sizeof *reader->id_at);
    if (!rc) {
        reader->id_at[at] = reader->ids.length;
        rc = buf_add(&reader->ids, (const char *)reader->record->value + sizeof r,
                     reader->record->value_length - sizeof r);
    }
    return rc;
}

/* The next row that the part keeps. */
static int next_row(struct list_reader *reader)
{
    const struct metric_filter *filter = &reader->part->report->data.filter;
    struct list_row r;
    int rc;
    do {
        rc = sorter_next(reader->stream->lists, &reader->record);
        if (!rc && reader->record) {
            memcpy(&r, reader->record->value, sizeof r);
        }
    } while (!rc && reader->record && filter->flags && r.truncated != filter->is);
    return rc;
}

/* Queries are asked for in their order. */
static int load(const void *arg, struct rank_work *work, size_t query)
{
    struct list_reader *reader = *(struct list_reader *const *)arg;
    const struct stream_part *part = reader->part;
    size_t count = part->list_rows[query];
    bool ranks = predictions_has_score(reader->p);
    int rc = rank_reserve(work, count, count, count);
    buf_clear(&reader->ids);
    work->id = reader->p->query_ids[query];
    while (!rc && reader->record && sorter_get_u64(reader->record->key) == query) {
        rc = load_row(reader, work, ranks, true);
        if (!rc) {
            rc = next_row(reader);
        }
    }
    for (size_t i = 0; !rc && i < work->item_count; i++) {
        work->items[i].id = work->items[i].id ? work->items[i].id : reader->ids.data + reader->id_at[i];
    }
    return rc;
}

int stream_lists_rank(struct eval_stream *stream, struct stream_part *part, const struct predictions *p)
{
    struct eval_report *report = part->report;
    struct list_reader reader = {.stream = stream, .part = part, .p = p, .gains = stream->options->gains};
    const struct list_reader *arg = &reader;
    struct rank_source source = {
        .query_count = stream->lists ? p->query_count : 0, .unjudged_left_out = true, .load = load, .arg = &arg};
    rank_grades(p, stream->lowest_target, stream->highest_target, &source);
    report->item_rows = part->item_rows;
    int rc = rank_begin(report, stream->options, &source);
    for (size_t q = 0; !rc && report->lists.depth && q < source.query_count; q++) {
        size_t count = part->list_rows[q] < report->lists.depth ? part->list_rows[q] : report->lists.depth;
        report->lists.start[q + 1] = report->lists.start[q] + count;
    }
    if (!rc && stream->lists) {
        rc = sorter_rewind(stream->lists);
    }
    if (!rc && stream->lists) {
        rc = next_row(&reader);
    }
    if (!rc) {
        rc = rank_run(report, &source, NULL);
    }
    report->item_rows = NULL;
    buf_release(&reader.ids);
    mem_free(reader.id_at);
    return rc;
}
