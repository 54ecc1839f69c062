#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/slice_internal.h"

const char *const slice_gap_names[] = {"demographic_parity", "equal_opportunity", "equalized_odds",
                                       "exposure",           "exposure_merit",    NULL};

/* ---- exposure ---- */

struct ranked {
    double score;
    const char *item;
    uint32_t query, row;
};

/* By query, best score first; equal scores by item id, the greater first, or as they stand in the file. */
static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    if (a->query != b->query) {
        return a->query < b->query ? -1 : 1;
    }
    if (a->score != b->score) {
        return a->score > b->score ? -1 : 1;
    }
    int order = strcmp(b->item, a->item);
    return order ? order : a->row < b->row ? -1 : 1;
}

static double discount(double rank)
{
    return 1 / log2(rank + 1);
}

static int exposures_of_scores(double *exposure, const struct predictions *p, enum eval_ties ties)
{
    struct ranked *order = mem_realloc_array(NULL, p->rows + 1, sizeof *order);
    if (!order) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < p->rows; row++) {
        order[row] =
            (struct ranked){predictions_score(p, row), ties == EVAL_TIES_DOCNO ? predictions_item_id(p, row) : "",
                            p->query[row], (uint32_t)row};
    }
    qsort(order, p->rows, sizeof *order, compare_ranked);
    size_t rank = 0;
    for (size_t i = 0; i < p->rows;) {
        rank = i && order[i].query == order[i - 1].query ? rank : 0;
        size_t end = i + 1;
        double sum = discount((double)++rank);
        while (ties == EVAL_TIES_EXPECTED && end < p->rows && order[end].query == order[i].query &&
               order[end].score == order[i].score) {
            sum += discount((double)++rank);
            end++;
        }
        for (double mean = sum / (double)(end - i); i < end; i++) {
            exposure[order[i].row] = mean;
        }
    }
    mem_free(order);
    return 0;
}

int slice_exposures(double **out, const struct predictions *p, enum eval_ties ties)
{
    double *exposure = mem_realloc_array(NULL, p->rows + 1, sizeof *exposure);
    int rc = exposure ? 0 : RECO_E_NOMEM;
    bool ranks = p->query && predictions_has_score(p);
    for (size_t row = 0; !rc && !ranks && row < p->rows; row++) {
        bool shown = p->position && p->position[row] >= 1;
        exposure[row] = shown ? discount(p->position[row]) : NAN;
    }
    if (!rc && ranks) {
        rc = exposures_of_scores(exposure, p, ties);
    }
    if (rc) {
        mem_free(exposure);
        return rc;
    }
    *out = exposure;
    return 0;
}

/* ---- rates ---- */

/* NaN: unknown. */
static double merit_of(const struct predictions *p, size_t row)
{
    int label = p->label ? predictions_label(p, row) : -1;
    double grade = p->target          ? p->target[row]
                   : label < 0        ? NAN
                   : p->labels.graded ? p->labels.grades[label]
                                      : label == p->labels.positive;
    return grade < 0 ? 0 : grade; /* fmax would take what is missing for 0 */
}

void slice_sums_add(struct slice_sums *s, const struct predictions *p, size_t row, double exposure)
{
    if (p->label && p->predicted) {
        bool selected = predictions_predicted(p, row) == p->labels.positive;
        int label = predictions_label(p, row);
        bool positive = label == p->labels.positive;
        s->of[SLICE_SUM_ROWS] += 1;
        s->of[SLICE_SUM_SELECTED] += selected;
        if (label >= 0) {
            s->of[SLICE_SUM_POSITIVES] += positive;
            s->of[SLICE_SUM_NEGATIVES] += !positive;
            s->of[SLICE_SUM_HITS] += positive && selected;
            s->of[SLICE_SUM_FALSE_ALARMS] += !positive && selected;
        }
    }
    if (!isnan(exposure)) {
        double merit = merit_of(p, row);
        s->of[SLICE_SUM_ITEMS] += 1;
        s->of[SLICE_SUM_EXPOSURE] += exposure;
        if (!isnan(merit)) {
            s->of[SLICE_SUM_JUDGED] += 1;
            s->of[SLICE_SUM_MERIT] += merit;
        }
    }
}

void slice_rates_from(struct slice_rates *rates, const struct slice_sums *sums)
{
    const double *of = sums->of;
    *rates =
        (struct slice_rates){of[SLICE_SUM_SELECTED] / of[SLICE_SUM_ROWS], of[SLICE_SUM_HITS] / of[SLICE_SUM_POSITIVES],
                             of[SLICE_SUM_FALSE_ALARMS] / of[SLICE_SUM_NEGATIVES],
                             of[SLICE_SUM_EXPOSURE] / of[SLICE_SUM_ITEMS], of[SLICE_SUM_MERIT] / of[SLICE_SUM_JUDGED]};
}

int slice_rates_of(struct slice_rates *rates, const struct slice_groups *groups, const struct predictions *p,
                   enum eval_ties ties)
{
    struct slice_sums *sums = mem_calloc(groups->count + 1, sizeof *sums);
    double *exposure = NULL;
    int rc = sums ? slice_exposures(&exposure, p, ties) : RECO_E_NOMEM;
    for (size_t row = 0; !rc && row < p->rows; row++) {
        if (groups->of_row[row] != SLICE_NO_GROUP) {
            slice_sums_add(&sums[groups->of_row[row]], p, row, exposure[row]);
        }
    }
    for (size_t i = 0; !rc && i < groups->count; i++) {
        slice_rates_from(&rates[i], &sums[i]);
    }
    mem_free(sums);
    mem_free(exposure);
    return rc;
}

/* ---- gaps ---- */

double slice_rate(const struct slice_rates *rates, enum slice_rate rate)
{
    switch (rate) {
    case SLICE_RATE_SELECTED:
        return rates->selected;
    case SLICE_RATE_TRUE_POSITIVE:
        return rates->true_positive;
    case SLICE_RATE_FALSE_POSITIVE:
        return rates->false_positive;
    case SLICE_RATE_EXPOSURE:
        return rates->exposure;
    case SLICE_RATE_EXPOSURE_PER_MERIT:
        return rates->merit > 0 ? rates->exposure / rates->merit : NAN;
    }
    return NAN;
}

double slice_gap_between(const struct slice_gap_ends *ends, const struct slice_rates *rates)
{
    double least = slice_rate(&rates[ends->least], ends->rate);
    double greatest = slice_rate(&rates[ends->greatest], ends->rate);
    return ends->rate == SLICE_RATE_EXPOSURE_PER_MERIT ? least / greatest : greatest - least;
}

/* False: fewer than two groups have the rate. */
static bool find_ends(struct slice_gap_ends *ends, enum slice_rate rate, const struct slice_rates *rates,
                      const bool *use, size_t count)
{
    size_t found = 0;
    *ends = (struct slice_gap_ends){.rate = rate};
    for (size_t i = 0; i < count; i++) {
        double value = use[i] ? slice_rate(&rates[i], rate) : NAN;
        if (isnan(value)) {
            continue;
        }
        if (!found || value < ends->low) {
            ends->least = i;
            ends->low = value;
        }
        if (!found || value > ends->high) {
            ends->greatest = i;
            ends->high = value;
        }
        found++;
    }
    return found >= 2;
}

void slice_gaps_of(double *gaps, struct slice_gap_ends *ends, const struct slice_rates *rates, const bool *use,
                   size_t count)
{
    static const enum slice_rate of_gap[SLICE_GAP_COUNT] = {SLICE_RATE_SELECTED, SLICE_RATE_TRUE_POSITIVE,
                                                            SLICE_RATE_TRUE_POSITIVE, SLICE_RATE_EXPOSURE,
                                                            SLICE_RATE_EXPOSURE_PER_MERIT};
    for (size_t i = 0; i < SLICE_GAP_COUNT; i++) {
        bool there = find_ends(&ends[i], of_gap[i], rates, use, count);
        gaps[i] = there ? slice_gap_between(&ends[i], rates) : NAN;
    }
    struct slice_gap_ends alarms;
    double *odds = &gaps[SLICE_GAP_EQUALIZED_ODDS];
    if (!find_ends(&alarms, SLICE_RATE_FALSE_POSITIVE, rates, use, count)) {
        *odds = NAN;
    } else if (slice_gap_between(&alarms, rates) > *odds) {
        *odds = slice_gap_between(&alarms, rates);
        ends[SLICE_GAP_EQUALIZED_ODDS] = alarms;
    }
}
