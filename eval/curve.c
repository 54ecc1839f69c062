#include "eval/curve.h"

#include <string.h>

#include "core/mem.h"
#include "eval/sort.h"

void curve_release(struct metric_curve *curve)
{
    mem_free(curve->right);
    mem_free(curve->points);
    *curve = (struct metric_curve){0};
}

/* ---- a class against the rest, fed with ties in ascending order ---- */

struct curve_run {
    struct metric_curve *curve;
    const struct metric_data *data;
    size_t label, classes;
    double *below, *tied; /* [classes] rows below the tie, and in it */
    size_t *touched;      /* [touched_count] classes in the tie */
    size_t touched_count;
    double all_below, all_tied, others_right, sum;
    double point_step;
};

static int curve_begin(struct curve_run *run, struct metric_curve *curve, const struct metric_data *data, int label,
                       bool with_points)
{
    size_t n = (size_t)data->classes;
    *run = (struct curve_run){.curve = curve, .data = data, .label = (size_t)label, .classes = n};
    if (!curve->right) {
        curve->right = mem_alloc(n * sizeof *curve->right);
    }
    if (with_points && !curve->points) {
        curve->points = mem_alloc((size_t)METRIC_POINTS_MAX * sizeof *curve->points);
    }
    run->point_step = data->rows / METRIC_POINTS_MAX;
    run->below = mem_calloc(2 * n, sizeof *run->below);
    run->tied = run->below ? run->below + n : NULL;
    run->touched = mem_alloc(n * sizeof *run->touched);
    if (!curve->right || !run->below || !run->touched || (with_points && !curve->points)) {
        mem_free(run->below);
        mem_free(run->touched);
        *run = (struct curve_run){0};
        return RECO_E_NOMEM;
    }
    for (size_t c = 0; c < n; c++) {
        curve->right[c] = 0;
    }
    curve->point_count = 0;
    return 0;
}

static void curve_add(struct curve_run *run, size_t label, double weight)
{
    if (weight > 0 && !(run->tied[label] > 0)) {
        run->touched[run->touched_count++] = label;
    }
    run->tied[label] += weight;
    run->all_tied += weight;
}

static void curve_end_tie(struct curve_run *run)
{
    struct metric_curve *curve = run->curve;
    size_t own = run->label;
    double tied = run->tied[own];
    double hits_below = run->below[own];
    double others_below = run->all_below - hits_below;
    if (curve->points && curve->point_count < METRIC_POINTS_MAX &&
        run->all_below >= (double)curve->point_count * run->point_step) {
        curve->points[curve->point_count][0] = hits_below;
        curve->points[curve->point_count++][1] = others_below;
    }
    if (tied > 0) {
        for (size_t c = 0; c < run->classes; c++) {
            curve->right[c] += tied * (run->below[c] + run->tied[c] / 2);
        }
        run->others_right += tied * (others_below + (run->all_tied - tied) / 2);
        run->sum += tied * ((run->data->support[own] - hits_below) / (run->data->rows - run->all_below));
    }
    while (run->touched_count) {
        size_t c = run->touched[--run->touched_count];
        run->below[c] += run->tied[c];
        run->tied[c] = 0;
    }
    run->all_below += run->all_tied;
    run->all_tied = 0;
}

/* fed: all rows, or else not, after a failure */
static void curve_end(struct curve_run *run, bool fed)
{
    if (fed) {
        double own = run->data->support[run->label];
        run->curve->auc = run->others_right / (own * (run->data->rows - own));
        run->curve->average_precision = run->sum / own;
        run->curve->done = true;
    }
    mem_free(run->below);
    mem_free(run->touched);
}

/* ---- from columns: the keys of each label sorted for themselves, then merged ---- */

static void feed_curve(struct curve_run *run, struct key_merge *m)
{
    uint64_t key;
    uint64_t tie = 0;
    size_t list;
    size_t count;
    while (key_merge_next(m, &key, &list, &count)) {
        if (key != tie && run->all_tied > 0) {
            curve_end_tie(run);
        }
        tie = key;
        curve_add(run, list, (double)count);
    }
    if (run->all_tied > 0) {
        curve_end_tie(run);
    }
}

static int fill_curve(struct metric_data *data, struct metric_curve *curve, int label)
{
    struct key_pieces pieces;
    struct curve_run run = {0};
    int rc = curve_keys_cut(&pieces, data, label, data->support, (size_t)data->classes);
    if (!rc) {
        rc = curve_begin(&run, curve, data, label, true);
    }
    for (size_t i = 0; !rc && i < pieces.count; i++) {
        struct key_merge m;
        rc = curve_keys_load(&m, &pieces, i, data, label);
        if (!rc) {
            feed_curve(&run, &m);
        }
        key_merge_release(&m);
    }
    curve_end(&run, !rc);
    key_pieces_release(&pieces);
    return rc;
}

/* ---- under weights ---- */

/* The area and the average precision alone. */
static void weigh_against_rest(struct metric_data *data, struct metric_curve *curve, int label)
{
    const struct curve_row *order = data->orders->of_class[label];
    const uint32_t *weight = data->weight;
    double own = data->support[label];
    double hits_below = 0;
    double below = 0;
    double hits = 0;
    double tied = 0;
    double right = 0;
    double sum = 0;
    for (size_t i = 0, rows = data->orders->rows; i < rows; i++) {
        double w = (double)weight[order[i].unit];
        tied += w;
        hits += order[i].label_end >> 1 == (uint32_t)label ? w : 0;
        if (!(order[i].label_end & 1)) {
            continue;
        }
        if (hits > 0) {
            right += hits * (below - hits_below + (tied - hits) / 2);
            sum += hits * ((own - hits_below) / (data->rows - below));
        }
        below += tied;
        hits_below += hits;
        tied = hits = 0;
    }
    curve->auc = right / (own * (data->rows - own));
    curve->average_precision = sum / own;
    curve->done = true;
}

static int weigh_curve(struct metric_data *data, struct metric_curve *curve, int label)
{
    const struct curve_row *order = data->orders->of_class[label];
    struct curve_run run;
    if (!data->orders->with_pairs) {
        weigh_against_rest(data, curve, label);
        return 0;
    }
    int rc = curve_begin(&run, curve, data, label, false);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < data->orders->rows; i++) {
        curve_add(&run, order[i].label_end >> 1, (double)data->weight[order[i].unit]);
        if (order[i].label_end & 1 && run.all_tied > 0) {
            curve_end_tie(&run);
        }
    }
    curve_end(&run, true);
    return 0;
}

/* A class that no row has, or all have, is done without a value. */
static bool refuse_curve(struct metric_data *data, int label)
{
    struct metric_curve *curve = &data->curves[label];
    double support = data->support[label];
    curve->auc = curve->average_precision = NAN;
    curve->reason = !(support > 0) ? "no row has the label" : support == data->rows ? "every row has the label" : NULL;
    curve->done = curve->reason != NULL;
    return curve->done;
}

int curve_prepare(struct metric_data *data, int label)
{
    const struct metric_curve *curve;
    return metric_curve_get(data, label, &curve);
}

int metric_curve_get(struct metric_data *data, int label, const struct metric_curve **out)
{
    struct metric_curve *curve = &data->curves[label];
    *out = curve;
    if (curve->done) {
        return 0;
    }
    if (refuse_curve(data, label)) {
        return 0;
    }
    return data->weight ? weigh_curve(data, curve, label) : fill_curve(data, curve, label);
}

/* ---- bins of equally many rows; ties are shared out, so that the order of rows changes nothing ---- */

void adaptive_begin(struct adaptive_run *run, double rows)
{
    *run = (struct adaptive_run){.rows = rows, .edge = rows / METRIC_BINS};
}

static void keep_bin(struct metric_adaptive_bin *bin, double confidence, double rows, double hits)
{
    bin->low = bin->rows > 0 ? bin->low : confidence;
    bin->high = confidence;
    bin->rows += rows;
    bin->confidence += rows * confidence;
    bin->hits += hits;
}

void adaptive_add(struct adaptive_run *run, double confidence, double rows, double hits)
{
    for (double left = rows; left > 0;) {
        bool last = run->bin + 1 == METRIC_BINS;
        double room = run->edge - run->seen;
        double taken = last || left < room ? left : room;
        run->confidence += taken * confidence;
        run->hits += taken * (hits / rows);
        if (run->bins) {
            keep_bin(&run->bins[run->bin], confidence, taken, taken * (hits / rows));
        }
        run->seen += taken;
        left -= taken;
        if (!last && run->seen >= run->edge) {
            run->gap += fabs(run->confidence - run->hits);
            run->confidence = run->hits = 0;
            run->bin++;
            run->edge = run->rows * (run->bin + 1) / METRIC_BINS;
        }
    }
}

double adaptive_end(struct adaptive_run *run)
{
    run->gap += fabs(run->confidence - run->hits);
    return run->rows > 0 ? run->gap / run->rows : NAN;
}

/* With the bins kept. */
static void begin_kept(struct adaptive_run *run, const struct metric_data *data)
{
    *data->adaptive = (struct metric_adaptive){0};
    adaptive_begin(run, data->rows);
    run->bins = data->adaptive->bins;
}

static void end_kept(struct adaptive_run *run, const struct metric_data *data)
{
    data->adaptive->gap = adaptive_end(run);
    data->adaptive->done = true;
}

static void feed_adaptive(struct adaptive_run *run, struct key_merge *m)
{
    uint64_t key;
    uint64_t tie = 0;
    size_t list;
    size_t count;
    double tied[2] = {0, 0};
    while (key_merge_next(m, &key, &list, &count)) {
        if (key != tie) {
            adaptive_add(run, sort_number(tie), tied[0] + tied[1], tied[1]);
            tied[0] = tied[1] = 0;
        }
        tie = key;
        tied[list] += (double)count;
    }
    adaptive_add(run, sort_number(tie), tied[0] + tied[1], tied[1]);
}

static int fill_adaptive(struct metric_data *data)
{
    struct key_pieces pieces;
    struct adaptive_run run;
    double sizes[2] = {data->rows, 0};
    for (size_t b = 0; b < METRIC_BINS; b++) { /* the bins of equal width know how many hits there are */
        sizes[0] -= data->bins[3 * b + 2];
        sizes[1] += data->bins[3 * b + 2];
    }
    begin_kept(&run, data);
    int rc = curve_keys_cut(&pieces, data, CURVE_CONFIDENCE, sizes, 2);
    for (size_t i = 0; !rc && i < pieces.count; i++) {
        struct key_merge m;
        rc = curve_keys_load(&m, &pieces, i, data, CURVE_CONFIDENCE);
        if (!rc) {
            feed_adaptive(&run, &m);
        }
        key_merge_release(&m);
    }
    if (!rc) {
        end_kept(&run, data);
    }
    key_pieces_release(&pieces);
    return rc;
}

int metric_adaptive_gap_get(struct metric_data *data, double *value)
{
    const struct metric_orders *orders = data->orders;
    if (data->known) {
        *value = data->known->adaptive_gap;
        return 0;
    }
    if (!data->weight) {
        int rc = data->adaptive->done ? 0 : fill_adaptive(data);
        *value = data->adaptive->gap;
        return rc;
    }
    struct adaptive_run run;
    double rows = 0;
    double hits = 0;
    adaptive_begin(&run, data->rows);
    for (size_t i = 0; i < orders->rows; i++) {
        const struct order_row *row = &orders->of_bins[i];
        double weight = (double)data->weight[row->unit];
        rows += weight;
        hits += weight * row->label;
        if (i + 1 == orders->rows || row[1].number != row->number) {
            adaptive_add(&run, row->number, rows, hits);
            rows = hits = 0;
        }
    }
    *value = adaptive_end(&run);
    return 0;
}

/* ---- from external sorters ---- */

int curve_next(const struct metric_data *data, struct sorter *sorter, const struct sorter_record **record)
{
    int rc;
    do {
        rc = sorter_next(sorter, record);
    } while (!rc && *record && data->filter.flags &&
             (*record)->value[(*record)->value_length - 1] != (unsigned char)data->filter.is);
    return rc;
}

int curve_from_sorter(struct metric_data *data, int label, struct sorter *sorter)
{
    struct curve_run run;
    const struct sorter_record *record;
    uint64_t tie = 0;
    if (refuse_curve(data, label)) {
        return 0;
    }
    int rc = curve_begin(&run, &data->curves[label], data, label, true);
    if (rc) {
        return rc;
    }
    while (!(rc = curve_next(data, sorter, &record)) && record) {
        uint64_t key = sorter_get_u64(record->key);
        uint16_t of_row;
        memcpy(&of_row, record->value, sizeof of_row);
        if (key != tie && run.all_tied > 0) {
            curve_end_tie(&run);
        }
        tie = key;
        curve_add(&run, of_row, 1);
    }
    curve_end_tie(&run);
    curve_end(&run, !rc);
    return rc;
}

int adaptive_from_sorter(struct metric_data *data, struct sorter *sorter)
{
    struct adaptive_run run;
    const struct sorter_record *record;
    uint64_t tie = 0;
    double tied[2] = {0, 0};
    int rc = 0;
    begin_kept(&run, data);
    while (!rc && !(rc = curve_next(data, sorter, &record)) && record) {
        uint64_t key = sorter_get_u64(record->key);
        if (key != tie) {
            adaptive_add(&run, sort_number(tie), tied[0] + tied[1], tied[1]);
            tied[0] = tied[1] = 0;
        }
        tie = key;
        tied[*record->value]++;
    }
    adaptive_add(&run, sort_number(tie), tied[0] + tied[1], tied[1]);
    if (!rc) {
        end_kept(&run, data);
    }
    return rc;
}
