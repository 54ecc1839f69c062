/*
 * Bootstrap intervals of the gaps, each between the two groups that have it: the greatest difference of a resample is
 * one of other groups, and never below 0, so that its quantiles lie above the gap and say nothing of its sign. The sums
 * of which rates are made are kept by unit and group; a resample adds those of its units, so that one group's share of
 * a unit is drawn together with the others'.
 */

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "eval/interval.h"
#include "eval/slice_internal.h"

enum { ENDS_MAX = 2 * SLICE_GAP_COUNT };

/* What a unit adds to one of the groups at an end of a gap, which have places of their own. */
struct entry {
    uint32_t unit, place;
    struct slice_sums sums;
};

struct gaps {
    struct entry *entries; /* [count] by unit */
    size_t count, capacity;
    size_t units;
    uint32_t *place; /* [groups] SLICE_NO_GROUP: at no end */
    size_t places;
    const double *values;                        /* [SLICE_GAP_COUNT] NaN: undefined */
    struct slice_gap_ends ends[SLICE_GAP_COUNT]; /* by places */
};

static uint32_t take_place(struct gaps *gaps, size_t group)
{
    if (gaps->place[group] == SLICE_NO_GROUP) {
        gaps->place[group] = (uint32_t)gaps->places++;
    }
    return gaps->place[group];
}

static int place_ends(struct gaps *gaps, const struct slice_result *r)
{
    gaps->place = mem_realloc_array(NULL, r->groups.count + 1, sizeof *gaps->place);
    if (!gaps->place) {
        return RECO_E_NOMEM;
    }
    for (size_t g = 0; g < r->groups.count; g++) {
        gaps->place[g] = SLICE_NO_GROUP;
    }
    for (size_t i = 0; i < SLICE_GAP_COUNT; i++) {
        if (!isnan(r->gaps[i])) {
            gaps->ends[i] = r->gap_ends[i];
            gaps->ends[i].least = take_place(gaps, r->gap_ends[i].least);
            gaps->ends[i].greatest = take_place(gaps, r->gap_ends[i].greatest);
        }
    }
    return 0;
}

/* rows [p->rows] by unit, those of one unit in their order; NULL unit_of_row: as they stand. */
static int order_rows(uint32_t *rows, const uint32_t *unit_of_row, size_t count, size_t units)
{
    size_t *start = mem_calloc(units + 2, sizeof *start);
    if (!start) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < count; row++) {
        start[(unit_of_row ? unit_of_row[row] : row) + 1]++;
    }
    for (size_t u = 1; u <= units; u++) {
        start[u] += start[u - 1];
    }
    for (size_t row = 0; row < count; row++) {
        rows[start[unit_of_row ? unit_of_row[row] : row]++] = (uint32_t)row;
    }
    mem_free(start);
    return 0;
}

static int fill_entries(struct gaps *gaps, const struct slice_groups *groups, const struct predictions *p,
                        const uint32_t *unit_of_row, const double *exposure, const uint32_t *rows)
{
    size_t open[ENDS_MAX]; /* the entry of each place, if it is of the same unit */
    int rc = 0;
    for (size_t i = 0; i < ENDS_MAX; i++) {
        open[i] = SIZE_MAX;
    }
    for (size_t i = 0; !rc && i < p->rows; i++) {
        uint32_t row = rows[i];
        uint32_t group = groups->of_row[row];
        uint32_t unit = unit_of_row ? unit_of_row[row] : row;
        uint32_t place = group == SLICE_NO_GROUP ? SLICE_NO_GROUP : gaps->place[group];
        if (place == SLICE_NO_GROUP) {
            continue;
        }
        if (open[place] == SIZE_MAX || gaps->entries[open[place]].unit != unit) {
            rc = mem_grow((void **)&gaps->entries, &gaps->capacity, gaps->count + 1, sizeof *gaps->entries);
            if (rc) {
                break;
            }
            open[place] = gaps->count;
            gaps->entries[gaps->count++] = (struct entry){.unit = unit, .place = place};
        }
        slice_sums_add(&gaps->entries[open[place]].sums, p, row, exposure[row]);
    }
    return rc;
}

static int resample(void *arg, size_t count, const uint32_t *weights, double *out)
{
    const struct gaps *gaps = arg;
    struct slice_sums *sums = mem_calloc(count * ENDS_MAX, sizeof *sums);
    struct slice_rates rates[ENDS_MAX];
    if (!sums) {
        return RECO_E_NOMEM;
    }
    for (size_t e = 0; e < gaps->count; e++) {
        const struct entry *entry = &gaps->entries[e];
        for (size_t k = 0; k < count; k++) {
            double weight = weights[k * gaps->units + entry->unit];
            double *to = sums[k * ENDS_MAX + entry->place].of;
            for (size_t i = 0; weight > 0 && i < SLICE_SUM_COUNT; i++) {
                to[i] += weight * entry->sums.of[i];
            }
        }
    }
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < gaps->places; i++) {
            slice_rates_from(&rates[i], &sums[k * ENDS_MAX + i]);
        }
        for (size_t i = 0; i < SLICE_GAP_COUNT; i++) {
            double between = isnan(gaps->values[i]) ? NAN : slice_gap_between(&gaps->ends[i], rates);
            out[k * SLICE_GAP_COUNT + i] = isfinite(between) ? between : NAN;
        }
    }
    mem_free(sums);
    return 0;
}

static int run(struct slice_result *r, struct gaps *gaps, const struct eval_options *eval)
{
    const struct bootstrap_options *options = &eval->intervals->bootstrap;
    struct bootstrap b = {0};
    struct pool *pool = NULL;
    int rc = pool_new(&pool, eval->threads > 1 ? eval->threads : 1);
    if (!rc) {
        rc = bootstrap_run(&b, options, gaps->units, SLICE_GAP_COUNT, resample, gaps, pool);
    }
    for (size_t i = 0; !rc && i < SLICE_GAP_COUNT; i++) {
        const char *reason = isnan(r->gaps[i])                  ? "the gap is undefined"
                             : gaps->units < INTERVAL_UNITS_MIN ? "there are too few to resample"
                                                                : NULL;
        if (reason) {
            r->gap_intervals[i] = (struct interval){.low = NAN, .high = NAN, .se = NAN, .reason = reason};
        } else {
            rc = bootstrap_interval(&r->gap_intervals[i], &b, options, i, r->gaps[i]);
        }
    }
    bootstrap_release(&b);
    pool_free(pool);
    return rc;
}

int slice_gap_intervals(struct slice_result *r, const struct predictions *p, const struct eval_options *eval)
{
    struct gaps gaps = {.values = r->gaps};
    uint32_t *unit_of_row = NULL;
    double *exposure = NULL;
    const char *name;
    r->gap_intervals = mem_calloc(SLICE_GAP_COUNT, sizeof *r->gap_intervals);
    uint32_t *rows = mem_realloc_array(NULL, p->rows + 1, sizeof *rows);
    int rc = r->gap_intervals && rows ? place_ends(&gaps, r) : RECO_E_NOMEM;
    if (!rc) {
        rc = eval_units_of(&unit_of_row, &gaps.units, &name, p, eval->intervals->unit_column);
    }
    if (!rc) {
        rc = order_rows(rows, unit_of_row, p->rows, gaps.units);
    }
    if (!rc) {
        rc = slice_exposures(&exposure, p, eval->ties);
    }
    if (!rc) {
        rc = fill_entries(&gaps, &r->groups, p, unit_of_row, exposure, rows);
    }
    if (!rc) {
        rc = run(r, &gaps, eval);
    }
    mem_free(gaps.entries);
    mem_free(gaps.place);
    mem_free(unit_of_row);
    mem_free(exposure);
    mem_free(rows);
    return rc;
}
