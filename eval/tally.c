#include "eval/tally.h"

#include <float.h>
#include <string.h>

#include "core/mem.h"

#define BLOCK_ROWS ((size_t)1 << 16)
#define P_MIN DBL_EPSILON /* as scikit-learn clips double probabilities */

static int find_rates(struct tally *tally, const struct eval_report *report)
{
    const struct eval_value **rates = mem_calloc(report->value_count + 1, sizeof *rates);
    if (!rates) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        const char *reason;
        if (v->metric->event && v->variant.form != METRIC_FORM_LISTS && report_applies(report, v, &reason)) {
            rates[tally->rate_count++] = v;
        }
    }
    tally->rates = rates;
    return 0;
}

static void find_means(struct tally *tally)
{
    const struct predictions *p = tally->p;
    struct tally_sum value = {0, 0};
    struct tally_sum target = {0, 0};
    double rows = 0;
    for (size_t row = 0; row < p->rows; row++) {
        if (!isnan(p->target[row])) {
            rows++;
            tally_add(&value, p->value[row]);
            tally_add(&target, p->target[row]);
        }
    }
    tally->mean_value = rows > 0 ? tally_total(&value) / rows : 0;
    tally->mean_target = rows > 0 ? tally_total(&target) / rows : 0;
}

int tally_init(struct tally *tally, const struct eval_report *report)
{
    const struct predictions *p = report->p;
    *tally = (struct tally){.p = p, .classes = (size_t)report->data.classes};
    size_t n = tally->classes;
    tally->length = METRIC_SUM_COUNT + 1; /* and the rows with a target */
    if (n) {
        tally->support = tally->length;
        tally->length += n;
        if (p->predicted) {
            tally->confusion = tally->length;
            tally->length += n * n;
        }
        if (predictions_has_p(p)) {
            tally->bins = tally->length;
            tally->length += 3 * (size_t)METRIC_BINS;
        }
    }
    int rc = find_rates(tally, report);
    tally->rate_at = tally->length;
    tally->length += 2 * tally->rate_count;
    if (!rc && p->target) {
        find_means(tally);
    }
    return rc;
}

void tally_release(struct tally *tally)
{
    mem_free((void *)tally->rates);
    *tally = (struct tally){0};
}

/* ---- one row ---- */

static void add_probabilities(const struct tally *tally, double *sums, size_t row, int label, double weight)
{
    double highest = -1;
    double of_label = 0;
    double brier = 0;
    int best = 0;
    for (int c = 0; c < (int)tally->classes; c++) {
        double of_class = predictions_p(tally->p, row, c);
        double miss = of_class - (c == label);
        brier += miss * miss;
        of_label = c == label ? of_class : of_label;
        if (of_class > highest) {
            highest = of_class;
            best = c;
        }
    }
    sums[METRIC_SUM_LOG_LOSS] -= weight * log(of_label > P_MIN ? of_label : P_MIN);
    sums[METRIC_SUM_BRIER] += weight * brier;
    double place = ceil(highest * METRIC_BINS) - 1; /* bin b holds (b / bins, (b + 1) / bins] */
    double *bin = sums + tally->bins + 3 * (size_t)fmin(fmax(place, 0), METRIC_BINS - 1);
    bin[0] += weight;
    bin[1] += weight * highest;
    bin[2] += weight * (best == label);
}

static void add_class(const struct tally *tally, double *sums, size_t row, double weight)
{
    const struct predictions *p = tally->p;
    int label = predictions_label(p, row);
    if (label < 0) {
        return;
    }
    sums[tally->support + (size_t)label] += weight;
    if (tally->confusion) {
        sums[tally->confusion + (size_t)label * tally->classes + (size_t)predictions_predicted(p, row)] += weight;
    }
    if (tally->bins) {
        add_probabilities(tally, sums, row, label, weight);
    }
}

static void add_target(const struct tally *tally, double *sums, size_t row, double weight)
{
    double value = tally->p->value[row];
    double target = tally->p->target[row];
    if (isnan(target)) {
        return;
    }
    double miss = value - target;
    double x = value - tally->mean_value;
    double y = target - tally->mean_target;
    sums[METRIC_SUM_COUNT] += weight;
    sums[METRIC_SUM_SQUARED] += weight * miss * miss;
    sums[METRIC_SUM_ABSOLUTE] += weight * fabs(miss);
    sums[METRIC_SUM_X] += weight * x;
    sums[METRIC_SUM_Y] += weight * y;
    sums[METRIC_SUM_XX] += weight * x * x;
    sums[METRIC_SUM_YY] += weight * y * y;
    sums[METRIC_SUM_XY] += weight * x * y;
}

void event_of_row(struct metric_event *event, const struct predictions *p, size_t row)
{
    *event = (struct metric_event){.clicked = p->clicked ? p->clicked[row] : NAN,
                                   .converted = p->converted ? p->converted[row] : NAN,
                                   .carted = p->carted ? p->carted[row] : NAN,
                                   .ordered = p->ordered ? p->ordered[row] : NAN,
                                   .revenue = p->revenue ? p->revenue[row] : NAN,
                                   .dwell_s = p->dwell_s ? p->dwell_s[row] : NAN,
                                   .depth = p->depth ? p->depth[row] : NAN};
}

static void add_rates(const struct tally *tally, double *sums, size_t row, double weight)
{
    const struct predictions *p = tally->p;
    struct metric_event event;
    event_of_row(&event, p, row);
    double propensity = p->propensity ? p->propensity[row] : NAN;
    double position = p->position ? p->position[row] : NAN;
    for (size_t i = 0; i < tally->rate_count; i++) {
        const struct eval_value *v = tally->rates[i];
        double numerator = 0;
        double denominator = 0;
        if (v->variant.k != SIZE_MAX && !(position <= (double)v->variant.k)) {
            continue;
        }
        v->metric->event(&event, &numerator, &denominator);
        if (v->variant.form == METRIC_FORM_IPS || v->variant.form == METRIC_FORM_SNIPS) {
            if (isnan(propensity)) {
                continue;
            }
            numerator /= propensity;
            denominator /= v->variant.form == METRIC_FORM_SNIPS ? propensity : 1;
        }
        sums[tally->rate_at + 2 * i] += weight * numerator;
        sums[tally->rate_at + 2 * i + 1] += weight * denominator;
    }
}

void tally_row(const struct tally *tally, double *sums, size_t row, double weight)
{
    if (tally->classes) {
        add_class(tally, sums, row, weight);
    } else if (tally->p->target) {
        add_target(tally, sums, row, weight);
    }
    if (tally->rate_count) {
        add_rates(tally, sums, row, weight);
    }
}

/* ---- all rows, in blocks that do not depend on the threads ---- */

struct blocks {
    const struct tally *tally;
    size_t rows;  /* of a block */
    double *sums; /* [blocks, length] */
};

static int run_block(void *arg, size_t block)
{
    const struct blocks *blocks = arg;
    const struct tally *tally = blocks->tally;
    size_t begin = block * blocks->rows;
    size_t end = begin + blocks->rows < tally->p->rows ? begin + blocks->rows : tally->p->rows;
    for (size_t row = begin; row < end; row++) {
        tally_row(tally, blocks->sums + block * tally->length, row, 1);
    }
    return 0;
}

int tally_run(const struct tally *tally, double *sums, struct pool *pool)
{
    struct blocks blocks = {.tally = tally, .rows = BLOCK_ROWS};
    while (blocks.rows < 16 * tally->length) { /* many classes: fewer blocks, so that they stay small beside the rows */
        blocks.rows *= 2;
    }
    size_t count = (tally->p->rows + blocks.rows - 1) / blocks.rows;
    blocks.sums = mem_calloc(count * tally->length + 1, sizeof *blocks.sums);
    if (!blocks.sums) {
        return RECO_E_NOMEM;
    }
    int rc = pool ? pool_run(pool, count, run_block, &blocks) : 0;
    for (size_t i = 0; !pool && i < count; i++) {
        rc = run_block(&blocks, i);
    }
    for (size_t s = 0; !rc && s < tally->length; s++) {
        struct tally_sum total = {0, 0};
        for (size_t i = 0; i < count; i++) {
            tally_add(&total, blocks.sums[i * tally->length + s]);
        }
        sums[s] = tally_total(&total);
    }
    mem_free(blocks.sums);
    return rc;
}

void tally_bind(const struct tally *tally, const double *sums, double *predicted, struct metric_data *data)
{
    size_t n = tally->classes;
    data->sum = sums;
    data->support = n ? sums + tally->support : NULL;
    data->confusion = tally->confusion ? sums + tally->confusion : NULL;
    data->predicted = tally->confusion ? predicted : NULL;
    data->bins = tally->bins ? sums + tally->bins : NULL;
    data->rows = sums[METRIC_SUM_COUNT];
    for (size_t c = 0; c < n; c++) {
        data->rows += data->support[c];
        predicted[c] = 0;
        for (size_t label = 0; label < n && data->confusion; label++) {
            predicted[c] += data->confusion[label * n + c];
        }
    }
}

double tally_rate(const struct tally *tally, const double *sums, size_t i)
{
    const double *of_rate = sums + tally->rate_at + 2 * i;
    return of_rate[1] > 0 ? of_rate[0] / of_rate[1] : NAN;
}
