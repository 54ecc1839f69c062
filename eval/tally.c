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

static double scale_of(double greatest)
{
    const int exponent_max = 1000;
    int exponent = greatest > 0 && isfinite(greatest) ? ilogb(greatest) : 0;
    return ldexp(1, exponent > exponent_max ? -exponent_max : exponent < -exponent_max ? exponent_max : -exponent);
}

static void find_means(struct tally *tally)
{
    const struct predictions *p = tally->p;
    struct tally_sum value = {0, 0};
    struct tally_sum target = {0, 0};
    double greatest_value = 0;
    double greatest_target = 0;
    double rows = 0;
    for (size_t row = 0; row < p->rows; row++) {
        if (!isnan(p->target[row]) && metric_keeps(&tally->filter, row)) {
            rows++;
            tally_add(&value, p->value[row]);
            tally_add(&target, p->target[row]);
            greatest_value = fmax(greatest_value, fabs(p->value[row]));
            greatest_target = fmax(greatest_target, fabs(p->target[row]));
        }
    }
    tally->scale_value = scale_of(greatest_value);
    tally->scale_target = scale_of(greatest_target);
    tally->mean_value = rows > 0 ? tally_total(&value) / rows : 0;
    tally->mean_target = rows > 0 ? tally_total(&target) / rows : 0;
}

int tally_init(struct tally *tally, const struct eval_report *report)
{
    const struct predictions *p = report->p;
    *tally = (struct tally){.p = p, .filter = report->data.filter, .classes = (size_t)report->data.classes};
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

#define ENTRIES_MAX 8 /* without the rates */

static struct tally_entry *add(struct tally_entry *to, size_t at, double value)
{
    *to = (struct tally_entry){at, value};
    return to + 1;
}

static struct tally_entry *add_probabilities(const struct tally *tally, struct tally_entry *to, size_t row, int label)
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
    size_t bin = tally->bins + 3 * metric_bin(highest, METRIC_BINS);
    to = add(to, METRIC_SUM_LOG_LOSS, -log(of_label > P_MIN ? of_label : P_MIN));
    to = add(to, METRIC_SUM_BRIER, brier);
    to = add(to, bin, 1);
    to = add(to, bin + 1, highest);
    return best == label ? add(to, bin + 2, 1) : to;
}

static struct tally_entry *add_class(const struct tally *tally, struct tally_entry *to, size_t row)
{
    const struct predictions *p = tally->p;
    int label = predictions_label(p, row);
    if (label < 0) {
        return to;
    }
    to = add(to, tally->support + (size_t)label, 1);
    if (tally->confusion) {
        size_t cell = (size_t)label * tally->classes + (size_t)predictions_predicted(p, row);
        to = add(to, tally->confusion + cell, 1);
    }
    return tally->bins ? add_probabilities(tally, to, row, label) : to;
}

static struct tally_entry *add_target(const struct tally *tally, struct tally_entry *to, size_t row)
{
    double value = tally->p->value[row];
    double target = tally->p->target[row];
    if (isnan(target)) {
        return to;
    }
    double miss = value - target;
    double x = (value - tally->mean_value) * tally->scale_value;
    double y = (target - tally->mean_target) * tally->scale_target;
    to = add(to, METRIC_SUM_COUNT, 1);
    to = add(to, METRIC_SUM_SQUARED, miss * miss);
    to = add(to, METRIC_SUM_ABSOLUTE, fabs(miss));
    to = add(to, METRIC_SUM_X, x);
    to = add(to, METRIC_SUM_Y, y);
    to = add(to, METRIC_SUM_XX, x * x);
    to = add(to, METRIC_SUM_YY, y * y);
    return add(to, METRIC_SUM_XY, x * y);
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

bool tally_rate_of_row(const struct eval_value *v, const struct predictions *p, size_t row,
                       const struct metric_event *event, double *numerator, double *denominator)
{
    *numerator = *denominator = 0;
    if (v->variant.k != SIZE_MAX && !(p->position[row] >= 1 && p->position[row] <= (double)v->variant.k)) {
        return false;
    }
    v->metric->event(event, numerator, denominator);
    if (v->variant.form == METRIC_FORM_IPS || v->variant.form == METRIC_FORM_SNIPS) {
        double propensity = p->propensity[row];
        if (isnan(propensity)) {
            return false;
        }
        *numerator /= propensity;
        *denominator /= v->variant.form == METRIC_FORM_SNIPS || v->metric->of_outcomes ? propensity : 1;
    }
    return true;
}

static struct tally_entry *add_rates(const struct tally *tally, struct tally_entry *to, size_t row)
{
    const struct predictions *p = tally->p;
    struct metric_event event;
    event_of_row(&event, p, row);
    for (size_t i = 0; i < tally->rate_count; i++) {
        double numerator;
        double denominator;
        if (!tally_rate_of_row(tally->rates[i], p, row, &event, &numerator, &denominator)) {
            continue;
        }
        if (numerator != 0) {
            to = add(to, tally->rate_at + 2 * i, numerator);
        }
        if (denominator != 0) {
            to = add(to, tally->rate_at + 2 * i + 1, denominator);
        }
    }
    return to;
}

size_t tally_entries_max(const struct tally *tally)
{
    return ENTRIES_MAX + 2 * tally->rate_count;
}

size_t tally_entries(const struct tally *tally, size_t row, struct tally_entry *entries)
{
    struct tally_entry *to = entries;
    if (tally->classes) {
        to = add_class(tally, to, row);
    } else if (tally->p->target) {
        to = add_target(tally, to, row);
    }
    if (tally->rate_count) {
        to = add_rates(tally, to, row);
    }
    return (size_t)(to - entries);
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
    double *sums = blocks->sums + block * tally->length;
    struct tally_entry *entries = mem_alloc(tally_entries_max(tally) * sizeof *entries);
    if (!entries) {
        return RECO_E_NOMEM;
    }
    for (size_t row = begin; row < end; row++) {
        size_t count = metric_keeps(&tally->filter, row) ? tally_entries(tally, row, entries) : 0;
        for (size_t i = 0; i < count; i++) {
            sums[entries[i].at] += entries[i].value;
        }
    }
    mem_free(entries);
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
    for (size_t i = 0; !rc && !pool && i < count; i++) {
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
