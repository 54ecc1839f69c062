#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "eval/weighted_internal.h"

/*
 * A thousand weights ask for the same rows in the same order. What costs is to fetch the weight of each row's unit:
 * here one fetch, asked for some rows ahead, serves LANES weights, which lie side by side and are added by vector code.
 */
enum { LANES = 8, ROWS_AHEAD = 24 };
typedef double lanes_double __attribute__((vector_size(LANES * sizeof(double))));
typedef float lanes_float __attribute__((vector_size(LANES * sizeof(float))));

struct weighted_lanes {
    float *weight;                   /* [units, LANES] whole numbers below 2^24 */
    float *query_weight;             /* [query_count, LANES] */
    double *sums;                    /* [tally.length, LANES] */
    double *numerator, *denominator; /* [list_count, LANES] */
    double *auc, *average_precision; /* [classes, LANES] */
    double adaptive_gap[LANES];
};

void weighted_lanes_free(struct weighted_lanes *lanes)
{
    if (!lanes) {
        return;
    }
    mem_free(lanes->weight);
    mem_free(lanes->query_weight);
    mem_free(lanes->sums);
    mem_free(lanes->numerator);
    mem_free(lanes->denominator);
    mem_free(lanes->auc);
    mem_free(lanes->average_precision);
    mem_free(lanes);
}

static int lanes_new(struct weighted_lanes **out, const struct eval_weighted *w)
{
    struct weighted_lanes *l = mem_calloc(1, sizeof *l);
    size_t classes = (size_t)w->report->data.classes;
    *out = l;
    if (!l) {
        return RECO_E_NOMEM;
    }
    l->weight = mem_calloc(w->units + 1, LANES * sizeof *l->weight);
    l->query_weight = mem_calloc(w->report->query_count + 1, LANES * sizeof *l->query_weight);
    l->sums = mem_calloc(w->tally.length + 1, LANES * sizeof *l->sums);
    l->numerator = mem_calloc(w->list_count + 1, LANES * sizeof *l->numerator);
    l->denominator = mem_calloc(w->list_count + 1, LANES * sizeof *l->denominator);
    l->auc = mem_calloc(classes + 1, LANES * sizeof *l->auc);
    l->average_precision = mem_calloc(classes + 1, LANES * sizeof *l->average_precision);
    bool whole =
        l->weight && l->query_weight && l->sums && l->numerator && l->denominator && l->auc && l->average_precision;
    return whole ? 0 : RECO_E_NOMEM;
}

/* Missing lanes have weight 0. */
static void interleave(struct weighted_lanes *l, const struct eval_weighted *w, size_t count, const uint32_t *weight)
{
    for (size_t u = 0; u < w->units; u++) {
        for (size_t lane = 0; lane < LANES; lane++) {
            l->weight[u * LANES + lane] = lane < count ? (float)weight[lane * w->units + u] : 0;
        }
    }
    for (size_t q = 0; q < w->report->query_count; q++) {
        memcpy(l->query_weight + q * LANES, l->weight + (size_t)w->unit_of_query[q] * LANES,
               LANES * sizeof *l->query_weight);
    }
}

static inline void load(lanes_double *to, const float *from)
{
    lanes_float narrow;
    memcpy(&narrow, from, sizeof narrow);
    *to = __builtin_convertvector(narrow, lanes_double);
}

static inline void add_times(double *to, const lanes_double *weight, double value)
{
    lanes_double sum;
    memcpy(&sum, to, sizeof sum);
    sum += *weight * value;
    memcpy(to, &sum, sizeof sum);
}

static void weigh_sums(struct weighted_lanes *l, const struct eval_weighted *w)
{
    memset(l->sums, 0, w->tally.length * LANES * sizeof *l->sums);
    for (size_t u = 0; u < w->units; u++) {
        lanes_double weight;
        load(&weight, l->weight + u * LANES);
        for (size_t e = w->start[u]; e < w->start[u + 1]; e++) {
            add_times(l->sums + w->entries[e].at * LANES, &weight, w->entries[e].value);
        }
    }
}

static void weigh_lists(struct weighted_lanes *l, const struct eval_weighted *w)
{
    size_t count = w->list_count;
    memset(l->numerator, 0, count * LANES * sizeof *l->numerator);
    memset(l->denominator, 0, count * LANES * sizeof *l->denominator);
    for (size_t q = 0; count && q < w->report->query_count; q++) {
        lanes_double weight;
        load(&weight, l->query_weight + q * LANES);
        for (size_t i = 0; i < count; i++) {
            add_times(l->numerator + i * LANES, &weight, w->numerator[q * count + i]);
            add_times(l->denominator + i * LANES, &weight, w->denominator[q * count + i]);
        }
    }
}

/* The area and the average precision of a class against the rest; support and rows come from the sums. */
static void weigh_curve(struct weighted_lanes *l, const struct eval_weighted *w, int label)
{
    const struct curve_row *order = w->orders.of_class[label];
    size_t count = w->orders.rows;
    lanes_double own = {0};
    lanes_double rows = {0};
    lanes_double hits_below = {0};
    lanes_double below = {0};
    lanes_double hits = {0};
    lanes_double tied = {0};
    lanes_double right = {0};
    lanes_double sum = {0};
    for (size_t c = 0; c < w->tally.classes; c++) {
        lanes_double support;
        memcpy(&support, l->sums + (w->tally.support + c) * LANES, sizeof support);
        rows += support;
        own = c == (size_t)label ? support : own;
    }
    bool any_hit = false;
    for (size_t i = 0; i < count; i++) {
        lanes_double weight;
        size_t ahead = i + ROWS_AHEAD < count ? i + ROWS_AHEAD : i;
        __builtin_prefetch(l->weight + (size_t)order[ahead].unit * LANES);
        load(&weight, l->weight + (size_t)order[i].unit * LANES);
        tied += weight;
        if (order[i].label_end >> 1 == (uint32_t)label) {
            any_hit = true;
            hits += weight;
        }
        if (!(order[i].label_end & 1)) {
            continue;
        }
        if (any_hit) {
            right += hits * (below - hits_below + (tied - hits) * 0.5);
            /* a lane with nothing left has no hits either: what is added makes that 0 / 1e-300, and 1 and more is as it
             * was */
            sum += hits * ((own - hits_below) / (rows - below + 1e-300));
            hits_below += hits;
            hits -= hits;
            any_hit = false;
        }
        below += tied;
        tied -= tied;
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        l->auc[(size_t)label * LANES + lane] = right[lane] / (own[lane] * (rows[lane] - own[lane]));
        l->average_precision[(size_t)label * LANES + lane] = sum[lane] / own[lane];
    }
}

/* In lanes as long as a tie is within the bins of all, else each by itself. */
static void weigh_bins(struct weighted_lanes *l, const struct eval_weighted *w)
{
    const struct order_row *order = w->orders.of_bins;
    struct adaptive_run runs[LANES];
    lanes_double seen = {0};
    lanes_double confidence = {0};
    lanes_double hits = {0};
    lanes_double edge = {0};
    lanes_double tied = {0};
    lanes_double tied_hits = {0};
    lanes_double rows = {0};
    for (size_t c = 0; c < w->tally.classes; c++) {
        lanes_double support;
        memcpy(&support, l->sums + (w->tally.support + c) * LANES, sizeof support);
        rows += support;
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        adaptive_begin(&runs[lane], rows[lane]);
        edge[lane] = runs[lane].edge;
    }
    for (size_t i = 0; i < w->orders.rows; i++) {
        lanes_double weight;
        size_t ahead = i + ROWS_AHEAD < w->orders.rows ? i + ROWS_AHEAD : i;
        __builtin_prefetch(l->weight + (size_t)order[ahead].unit * LANES);
        load(&weight, l->weight + (size_t)order[i].unit * LANES);
        tied += weight;
        tied_hits += weight * (double)order[i].label;
        if (i + 1 < w->orders.rows && order[i + 1].number == order[i].number) {
            continue;
        }
        lanes_double over = seen + tied - edge;
        double most = over[0];
        for (size_t lane = 1; lane < LANES; lane++) {
            most = over[lane] > most ? over[lane] : most;
        }
        if (most < 0) {
            seen += tied;
            confidence += tied * order[i].number;
            hits += tied_hits;
        } else {
            for (size_t lane = 0; lane < LANES; lane++) {
                struct adaptive_run *run = &runs[lane];
                run->seen = seen[lane];
                run->confidence = confidence[lane];
                run->hits = hits[lane];
                adaptive_add(run, order[i].number, tied[lane], tied_hits[lane]);
                seen[lane] = run->seen;
                confidence[lane] = run->confidence;
                hits[lane] = run->hits;
                edge[lane] = run->edge;
            }
        }
        tied -= tied;
        tied_hits -= tied_hits;
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        runs[lane].confidence = confidence[lane];
        runs[lane].hits = hits[lane];
        l->adaptive_gap[lane] = adaptive_end(&runs[lane]);
    }
}

/* One class against one other of many is counted apart, a weight at a time. */
static bool has_lanes(const struct eval_weighted *w, int label)
{
    return w->orders.of_class && w->orders.of_class[label] && (!w->orders.with_pairs || w->report->data.classes == 2);
}

static int take_curve(struct eval_scratch *scratch, const struct eval_weighted *w, int label, size_t lane)
{
    const struct weighted_lanes *l = scratch->lanes;
    struct metric_curve *curve = &scratch->curves[label];
    size_t at = (size_t)label * LANES + lane;
    double own = scratch->sums[w->tally.support + (size_t)label];
    double rows = 0;
    for (size_t c = 0; c < w->tally.classes; c++) {
        rows += scratch->sums[w->tally.support + c];
    }
    curve->done = false;
    if (!(own > 0) || own == rows) {
        return 0; /* metric_curve_get knows the reason */
    }
    curve->auc = l->auc[at];
    curve->average_precision = l->average_precision[at];
    curve->reason = NULL;
    curve->done = true;
    if (w->orders.with_pairs) { /* of two classes there is one pair */
        if (!curve->right) {
            curve->right = mem_calloc(2, sizeof *curve->right);
        }
        if (!curve->right) {
            return RECO_E_NOMEM;
        }
        curve->right[1 - label] = curve->auc * own * (rows - own);
    }
    return 0;
}

static int take_lane(struct eval_scratch *scratch, const struct eval_weighted *w, size_t lane, const uint32_t *weight,
                     double *values)
{
    const struct weighted_lanes *l = scratch->lanes;
    for (size_t i = 0; i < w->report->value_count; i++) {
        values[i] = NAN;
    }
    for (size_t i = 0; i < w->list_count; i++) {
        double denominator = l->denominator[i * LANES + lane];
        values[w->list_value[i]] = denominator > 0 ? l->numerator[i * LANES + lane] / denominator : NAN;
    }
    if (!w->report->p) {
        return 0;
    }
    for (size_t i = 0; i < w->tally.length; i++) {
        scratch->sums[i] = l->sums[i * LANES + lane];
    }
    int rc = 0;
    for (int c = 0; !rc && c < scratch->classes; c++) {
        scratch->curves[c].done = false;
        rc = has_lanes(w, c) ? take_curve(scratch, w, c, lane) : 0;
    }
    scratch->has_known = w->orders.of_bins != NULL;
    scratch->known = (struct metric_known){l->adaptive_gap[lane], NAN, NAN};
    return rc ? rc : weighted_figures(w, scratch, weight, values);
}

int eval_weighted_many(const struct eval_weighted *w, struct eval_scratch *scratch, size_t count,
                       const uint32_t *weight, double *values)
{
    size_t figures = w->report->value_count;
    int rc = scratch->lanes ? 0 : lanes_new(&scratch->lanes, w);
    for (size_t first = 0; !rc && first < count; first += LANES) {
        size_t lanes = count - first < LANES ? count - first : LANES;
        interleave(scratch->lanes, w, lanes, weight + first * w->units);
        weigh_lists(scratch->lanes, w);
        if (w->report->p) {
            weigh_sums(scratch->lanes, w);
        }
        for (int c = 0; c < scratch->classes; c++) {
            if (has_lanes(w, c)) {
                weigh_curve(scratch->lanes, w, c);
            }
        }
        if (w->orders.of_bins) {
            weigh_bins(scratch->lanes, w);
        }
        for (size_t lane = 0; !rc && lane < lanes; lane++) {
            rc = take_lane(scratch, w, lane, weight + (first + lane) * w->units, values + (first + lane) * figures);
        }
    }
    return rc;
}
