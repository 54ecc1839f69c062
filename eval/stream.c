#include "eval/stream_internal.h"

#include <string.h>

#include "core/mem.h"
#include "eval/curve.h"
#include "eval/sort.h"

int eval_stream_new(struct eval_stream **out, const struct eval_options *options, size_t max_memory,
                    const char *tmp_dir)
{
    struct eval_stream *stream = mem_calloc(1, sizeof *stream);
    *out = stream;
    if (!stream) {
        return RECO_E_NOMEM;
    }
    stream->options = options;
    stream->max_memory = max_memory;
    stream->tmp_dir = tmp_dir;
    stream->lowest_target = INFINITY;
    stream->highest_target = -INFINITY;
    return 0;
}

static void part_release(struct stream_part *part)
{
    tally_release(&part->tally);
    mem_free(part->totals);
    mem_free(part->sums);
    mem_free(part->list_rows);
    mem_free(part->item_rows);
    eval_report_free(part->report);
}

void eval_stream_free(struct eval_stream *stream)
{
    if (!stream) {
        return;
    }
    for (size_t i = 0; i < STREAM_PARTS; i++) {
        part_release(&stream->parts[i]);
    }
    for (int c = 0; stream->curves && c < stream->classes; c++) {
        sorter_free(stream->curves[c]);
    }
    mem_free(stream->curves);
    sorter_free(stream->bins);
    sorter_free(stream->ranks);
    sorter_free(stream->lists);
    mem_free(stream);
}

bool eval_stream_has_rows(const struct eval_stream *stream)
{
    return stream->rows > 0;
}

/* ---- the first rows tell what there is ---- */

static bool needs_lists(const struct eval_report *report)
{
    return report->p->query && report_has_ranking(report);
}

static int begin_part(struct eval_stream *stream, struct stream_part *part, const struct predictions *p,
                      const struct metric_filter *filter)
{
    part->report = mem_calloc(1, sizeof *part->report);
    if (!part->report) {
        return RECO_E_NOMEM;
    }
    struct eval_report *report = part->report;
    struct metric_data *data = &report->data;
    report->p = data->p = p;
    data->filter = *filter;
    data->classes = p->label ? p->labels.count : 0;
    data->positive = p->labels.positive;
    data->adaptive = &report->adaptive;
    data->rows = 1; /* until they are counted: so that what needs labels is not refused */
    int rc = report_plan(report, stream->options);
    if (!rc) {
        rc = tally_init(&part->tally, report);
    }
    part->totals = rc ? NULL : mem_calloc(part->tally.length, sizeof *part->totals);
    part->sums = rc ? NULL : mem_calloc(part->tally.length, sizeof *part->sums);
    return !rc && (!part->totals || !part->sums) ? RECO_E_NOMEM : rc;
}

static int begin_sorters(struct eval_stream *stream, const struct predictions *p)
{
    int classes = p->label ? p->labels.count : 0;
    bool scores = classes && (predictions_has_p(p) || (classes == 2 && predictions_has_score(p)));
    int rc = 0;
    stream->classes = classes;
    stream->share = stream->max_memory / ((size_t)classes + 3);
    stream->curves = mem_calloc((size_t)classes + 1, sizeof *stream->curves);
    if (!stream->curves) {
        return RECO_E_NOMEM;
    }
    for (int c = 0; !rc && scores && c < classes; c++) {
        rc = sorter_new(&stream->curves[c], stream->tmp_dir, stream->share);
    }
    if (!rc && classes && predictions_has_p(p)) {
        rc = sorter_new(&stream->bins, stream->tmp_dir, stream->share);
    }
    if (!rc && p->target) {
        rc = sorter_new(&stream->ranks, stream->tmp_dir, stream->share);
    }
    if (!rc && needs_lists(stream->parts[STREAM_ALL].report)) {
        rc = sorter_new(&stream->lists, stream->tmp_dir, stream->share);
    }
    return rc;
}

static int begin(struct eval_stream *stream, const struct predictions *p)
{
    const struct metric_filter filters[STREAM_PARTS] = {{NULL, false}, {p->truncated, true}, {p->truncated, false}};
    stream->part_count = p->truncated && stream->options->by_truncation ? STREAM_PARTS : 1;
    int rc = 0;
    for (size_t i = 0; !rc && i < stream->part_count; i++) {
        rc = begin_part(stream, &stream->parts[i], p, &filters[i]);
    }
    return rc ? rc : begin_sorters(stream, p);
}

/* ---- rows ---- */

/* What the curves, the bins and the ranks are made of. */
static int add_numbers(struct eval_stream *stream, const struct predictions *p, size_t row)
{
    const struct metric_data *data = &stream->parts[STREAM_ALL].report->data;
    unsigned char truncated = p->truncated && p->truncated[row];
    int label = p->label ? predictions_label(p, row) : -1;
    unsigned char key[16];
    uint16_t of_row = (uint16_t)label;
    unsigned char value[3];
    int rc = 0;
    memcpy(value, &of_row, sizeof of_row);
    value[2] = truncated;
    for (int c = 0; !rc && label >= 0 && c < stream->classes && stream->curves[c]; c++) {
        sorter_u64(key, sort_key(curve_score(data, row, c)));
        rc = sorter_add(stream->curves[c], key, 8, value, sizeof value);
    }
    if (!rc && label >= 0 && stream->bins) {
        bool hit;
        sorter_u64(key, sort_key(curve_confidence(data, row, &hit)));
        unsigned char hit_or_not[2] = {hit, truncated};
        rc = sorter_add(stream->bins, key, 8, hit_or_not, sizeof hit_or_not);
    }
    if (!rc && stream->ranks && !isnan(p->target[row])) {
        sorter_u64(key, sort_key(p->value[row]));
        sorter_u64(key + 8, sort_key(p->target[row]));
        rc = sorter_add(stream->ranks, key, sizeof key, &truncated, 1);
    }
    return rc;
}

static int grow_counts(struct stream_part *part, const struct predictions *p)
{
    int rc = 0;
    size_t before = part->query_capacity;
    if (p->query_count > before) {
        rc = mem_grow((void **)&part->list_rows, &part->query_capacity, p->query_count, sizeof *part->list_rows);
        if (!rc) {
            memset(part->list_rows + before, 0, (part->query_capacity - before) * sizeof *part->list_rows);
        }
    }
    before = part->item_capacity;
    if (!rc && p->item_count > before) {
        rc = mem_grow((void **)&part->item_rows, &part->item_capacity, p->item_count, sizeof *part->item_rows);
        if (!rc) {
            memset(part->item_rows + before, 0, (part->item_capacity - before) * sizeof *part->item_rows);
        }
    }
    return rc;
}

static int take_part(const struct eval_stream *stream, struct stream_part *part, const struct predictions *p)
{
    part->report->p = part->report->data.p = part->tally.p = p;
    if (part->tally.filter.flags) { /* the column may have moved */
        part->tally.filter.flags = part->report->data.filter.flags = p->truncated;
    }
    int rc = tally_run(&part->tally, part->sums, NULL);
    for (size_t i = 0; !rc && i < part->tally.length; i++) {
        tally_add(&part->totals[i], part->sums[i]);
    }
    if (!rc) {
        rc = report_sum_rows(part->report);
    }
    if (!rc) {
        rc = grow_counts(part, p);
    }
    for (size_t row = 0; !rc && row < p->rows; row++) {
        if (!metric_keeps(&part->tally.filter, row)) {
            continue;
        }
        part->report->rows++;
        if (stream->lists) {
            part->list_rows[p->query[row]]++;
        }
        if (stream->lists && p->item) {
            part->item_rows[p->item[row]]++;
        }
    }
    return rc;
}

int eval_stream_take(void *arg, const struct predictions *p)
{
    struct eval_stream *stream = arg;
    struct buf value = {0};
    int rc = stream->rows ? 0 : begin(stream, p);
    for (size_t i = 0; !rc && i < stream->part_count; i++) {
        rc = take_part(stream, &stream->parts[i], p);
    }
    for (size_t row = 0; !rc && row < p->rows; row++) {
        rc = add_numbers(stream, p, row);
        if (!rc && stream->lists) {
            rc = stream_lists_add(stream, p, row, &value);
        }
    }
    buf_release(&value);
    for (size_t row = 0; p->target && row < p->rows; row++) {
        stream->lowest_target = fmin(stream->lowest_target, p->target[row]); /* passes NaN over */
        stream->highest_target = fmax(stream->highest_target, p->target[row]);
    }
    stream->rows += p->rows;
    return rc;
}

/* ---- the end: sorted rows come back ---- */

/* Sums, and places for what is to come. */
static int bind_part(struct stream_part *part, const struct predictions *p)
{
    struct eval_report *report = part->report;
    struct metric_data *data = &report->data;
    report->p = data->p = p;
    for (size_t i = 0; i < part->tally.length; i++) {
        part->sums[i] = tally_total(&part->totals[i]);
    }
    report->sums = part->sums;
    part->sums = NULL;
    report->predicted = mem_calloc((size_t)data->classes + 1, sizeof *report->predicted);
    data->curves = mem_calloc((size_t)data->classes + 1, sizeof *data->curves);
    if (!report->predicted || !data->curves) {
        return RECO_E_NOMEM;
    }
    tally_bind(&part->tally, report->sums, report->predicted, data);
    part->known = (struct metric_known){NAN, NAN, NAN};
    return 0;
}

typedef int from_sorter_fn(const struct eval_stream *stream, struct stream_part *part, struct sorter *sorter,
                           int label);

static int curve_of(const struct eval_stream *stream, struct stream_part *part, struct sorter *sorter, int label)
{
    (void)stream;
    return curve_from_sorter(&part->report->data, label, sorter);
}

static int bins_of(const struct eval_stream *stream, struct stream_part *part, struct sorter *sorter, int label)
{
    (void)stream;
    (void)label;
    int rc = adaptive_from_sorter(&part->report->data, sorter);
    part->known.adaptive_gap = part->report->adaptive.gap;
    return rc;
}

static int ranks_of(const struct eval_stream *stream, struct stream_part *part, struct sorter *sorter, int label)
{
    (void)label;
    return orders_from_sorter(&part->report->data, sorter, stream->tmp_dir, stream->share, &part->known);
}

/* Sorts once, reads once for each part, frees. */
static int end_sorter(struct eval_stream *stream, struct sorter **sorter, from_sorter_fn *from_sorter, int label)
{
    int rc = *sorter ? sorter_sort(*sorter) : 0;
    for (size_t i = 0; !rc && *sorter && i < stream->part_count; i++) {
        rc = i ? sorter_rewind(*sorter) : 0;
        if (!rc) {
            rc = from_sorter(stream, &stream->parts[i], *sorter, label);
        }
    }
    sorter_free(*sorter);
    *sorter = NULL;
    return rc;
}

static int end_part(struct eval_stream *stream, struct stream_part *part, const struct predictions *p)
{
    struct eval_report *report = part->report;
    int rc = report_has_ranking(report) ? stream_lists_rank(stream, part, p) : 0;
    report->data.known = &part->known;
    if (!rc) {
        rc = report_compute(report, &part->tally);
    }
    report->data.known = NULL;
    report->data.filter = (struct metric_filter){NULL, false};
    return rc;
}

static int end_parts(struct eval_stream *stream, const struct predictions *p)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < stream->part_count; i++) {
        rc = bind_part(&stream->parts[i], p);
    }
    for (int c = 0; !rc && c < stream->classes; c++) {
        rc = end_sorter(stream, &stream->curves[c], curve_of, c);
    }
    if (!rc) {
        rc = end_sorter(stream, &stream->bins, bins_of, 0);
    }
    if (!rc) {
        rc = end_sorter(stream, &stream->ranks, ranks_of, 0);
    }
    if (!rc && stream->lists) {
        rc = sorter_sort(stream->lists);
    }
    for (size_t i = 0; !rc && i < stream->part_count; i++) {
        rc = end_part(stream, &stream->parts[i], p);
    }
    return rc;
}

int eval_stream_end(struct eval_stream **stream_at, const struct predictions *p, struct eval_report **out)
{
    struct eval_stream *stream = *stream_at;
    *stream_at = NULL;
    *out = NULL;
    struct eval_report *report = stream->parts[STREAM_ALL].report;
    report->rows_truncated = stream->part_count == STREAM_PARTS ? stream->parts[STREAM_TRUNCATED].report->rows : 0;
    bool apart = report->rows_truncated && report->rows_truncated < report->rows;
    stream->part_count = apart ? STREAM_PARTS : 1;
    int rc = end_parts(stream, p);
    if (!rc && apart) {
        report->truncated = stream->parts[STREAM_TRUNCATED].report;
        report->whole = stream->parts[STREAM_WHOLE].report;
        stream->parts[STREAM_TRUNCATED].report = stream->parts[STREAM_WHOLE].report = NULL;
    }
    if (!rc) {
        *out = report;
        stream->parts[STREAM_ALL].report = NULL;
    }
    eval_stream_free(stream);
    return rc;
}
