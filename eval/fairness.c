#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/slice.h"

const char *const slice_gap_names[] = {"demographic_parity", "equal_opportunity", "equalized_odds",
                                       "exposure",           "exposure_merit",    NULL};

/* ---- exposure ---- */

struct ranked {
    double score;
    const char *item;
    uint32_t query, row;
};

/* By query, best score first; equal scores by item id, the greater first, as rankings are. */
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

static double merit_of(const struct predictions *p, size_t row)
{
    if (p->target) {
        return fmax(p->target[row], 0);
    }
    int label = predictions_label(p, row);
    return label < 0 ? NAN : fmax(p->labels.graded ? p->labels.grades[label] : label == p->labels.positive, 0);
}

struct sums {
    double rows, selected;                           /* with a predicted class; of these positive */
    double positives, hits, negatives, false_alarms; /* with a label too */
    double items, exposure, judged, merit;
};

static int sum_exposure(struct sums *sums, const struct slice_groups *groups, const struct predictions *p)
{
    struct ranked *order = mem_realloc_array(NULL, p->rows + 1, sizeof *order);
    if (!order) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < p->rows; row++) {
        order[row] =
            (struct ranked){predictions_score(p, row), predictions_item_id(p, row), p->query[row], (uint32_t)row};
    }
    qsort(order, p->rows, sizeof *order, compare_ranked);
    size_t rank = 0;
    for (size_t i = 0; i < p->rows; i++) {
        rank = i && order[i].query == order[i - 1].query ? rank + 1 : 1;
        uint32_t group = groups->of_row[order[i].row];
        if (group == UINT32_MAX) {
            continue;
        }
        double merit = merit_of(p, order[i].row);
        sums[group].items++;
        sums[group].exposure += 1 / log2((double)rank + 1);
        if (!isnan(merit)) {
            sums[group].judged++;
            sums[group].merit += merit;
        }
    }
    mem_free(order);
    return 0;
}

static void sum_decisions(struct sums *sums, const struct slice_groups *groups, const struct predictions *p)
{
    for (size_t row = 0; row < p->rows; row++) {
        if (groups->of_row[row] == UINT32_MAX) {
            continue;
        }
        struct sums *s = &sums[groups->of_row[row]];
        bool selected = predictions_predicted(p, row) == p->labels.positive;
        int label = predictions_label(p, row);
        s->rows++;
        s->selected += selected;
        if (label >= 0) {
            bool positive = label == p->labels.positive;
            s->positives += positive;
            s->negatives += !positive;
            s->hits += positive && selected;
            s->false_alarms += !positive && selected;
        }
    }
}

int slice_rates_of(struct slice_rates *rates, const struct slice_groups *groups, const struct predictions *p)
{
    struct sums *sums = mem_calloc(groups->count + 1, sizeof *sums);
    int rc = sums ? 0 : RECO_E_NOMEM;
    if (!rc && p->label && p->predicted) {
        sum_decisions(sums, groups, p);
    }
    if (!rc && p->query && predictions_has_score(p) && (p->label || p->target)) {
        rc = sum_exposure(sums, groups, p);
    }
    for (size_t i = 0; !rc && i < groups->count; i++) {
        const struct sums *s = &sums[i];
        rates[i] = (struct slice_rates){s->selected / s->rows, s->hits / s->positives, s->false_alarms / s->negatives,
                                        s->exposure / s->items, s->merit / s->judged};
    }
    mem_free(sums);
    return rc;
}

/* ---- gaps ---- */

struct range {
    double low, high;
    size_t count;
};

static void range_add(struct range *r, double value)
{
    if (!isnan(value)) {
        r->low = r->count ? fmin(r->low, value) : value;
        r->high = r->count ? fmax(r->high, value) : value;
        r->count++;
    }
}

static double range_width(const struct range *r)
{
    return r->count < 2 ? NAN : r->high - r->low;
}

void slice_gaps_of(double *gaps, const struct slice_rates *rates, const bool *use, size_t count)
{
    struct range selected = {0};
    struct range hits = {0};
    struct range alarms = {0};
    struct range exposure = {0};
    struct range per_merit = {0};
    for (size_t i = 0; i < count; i++) {
        if (use[i]) {
            range_add(&selected, rates[i].selected);
            range_add(&hits, rates[i].true_positive);
            range_add(&alarms, rates[i].false_positive);
            range_add(&exposure, rates[i].exposure);
            range_add(&per_merit, rates[i].merit > 0 ? rates[i].exposure / rates[i].merit : NAN);
        }
    }
    gaps[SLICE_GAP_DEMOGRAPHIC_PARITY] = range_width(&selected);
    gaps[SLICE_GAP_EQUAL_OPPORTUNITY] = range_width(&hits);
    gaps[SLICE_GAP_EQUALIZED_ODDS] =
        hits.count < 2 || alarms.count < 2 ? NAN : fmax(range_width(&hits), range_width(&alarms));
    gaps[SLICE_GAP_EXPOSURE] = range_width(&exposure);
    gaps[SLICE_GAP_EXPOSURE_MERIT] = per_merit.count < 2 ? NAN : per_merit.low / per_merit.high;
}
