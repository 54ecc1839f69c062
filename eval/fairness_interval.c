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

struct entry {
    uint32_t unit, group;
    struct slice_sums sums;
};

struct gaps {
    struct entry *entries; /* [count] by unit */
    size_t count, capacity;
    size_t groups, units;
    const double *values;              /* [SLICE_GAP_COUNT] NaN: undefined */
    const struct slice_gap_ends *ends; /* [SLICE_GAP_COUNT] */
    bool *use;                         /* [groups] is it at an end? */
};

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

/* place [groups]: where the open unit's entry of a group stands; those before first are of other units. */
static int fill_entries(struct gaps *gaps, const struct slice_groups *groups, const struct predictions *p,
                        const uint32_t *unit_of_row, const double *exposure, const uint32_t *rows, size_t *place)
{
    size_t first = 0;
    uint32_t open = UINT32_MAX;
    int rc = 0;
    for (size_t i = 0; !rc && i < p->rows; i++) {
        uint32_t row = rows[i];
        uint32_t group = groups->of_row[row];
        uint32_t unit = unit_of_row ? unit_of_row[row] : row;
        if (group == SLICE_NO_GROUP || !gaps->use[group]) {
            continue;
        }
        first = unit == open ? first : gaps->count;
        open = unit;
        if (place[group] < first || place[group] >= gaps->count || gaps->entries[place[group]].group != group) {
            rc = mem_grow((void **)&gaps->entries, &gaps->capacity, gaps->count + 1, sizeof *gaps->entries);
            if (rc) {
                break;
            }
            place[group] = gaps->count;
            gaps->entries[gaps->count++] = (struct entry){.unit = unit, .group = group};
        }
        slice_sums_add(&gaps->entries[place[group]].sums, p, row, exposure[row]);
    }
    return rc;
}

static int resample(void *arg, size_t count, const uint32_t *weights, double *out)
{
    const struct gaps *gaps = arg;
    struct slice_sums *sums = mem_calloc(count * gaps->groups + 1, sizeof *sums);
    struct slice_rates *rates = mem_calloc(gaps->groups + 1, sizeof *rates);
    int rc = sums && rates ? 0 : RECO_E_NOMEM;
    for (size_t e = 0; !rc && e < gaps->count; e++) {
        const struct entry *entry = &gaps->entries[e];
        for (size_t k = 0; k < count; k++) {
            double weight = weights[k * gaps->units + entry->unit];
            double *to = sums[k * gaps->groups + entry->group].of;
            for (size_t i = 0; weight > 0 && i < SLICE_SUM_COUNT; i++) {
                to[i] += weight * entry->sums.of[i];
            }
        }
    }
    for (size_t k = 0; !rc && k < count; k++) {
        for (size_t g = 0; g < gaps->groups; g++) {
            slice_rates_from(&rates[g], &sums[k * gaps->groups + g]);
        }
        for (size_t i = 0; i < SLICE_GAP_COUNT; i++) {
            double between = isnan(gaps->values[i]) ? NAN : slice_gap_between(&gaps->ends[i], rates);
            out[k * SLICE_GAP_COUNT + i] = isfinite(between) ? between : NAN;
        }
    }
    mem_free(sums);
    mem_free(rates);
    return rc;
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
    struct gaps gaps = {.groups = r->groups.count, .values = r->gaps, .ends = r->gap_ends};
    uint32_t *unit_of_row = NULL;
    double *exposure = NULL;
    const char *name;
    r->gap_intervals = mem_calloc(SLICE_GAP_COUNT, sizeof *r->gap_intervals);
    uint32_t *rows = mem_realloc_array(NULL, p->rows + 1, sizeof *rows);
    size_t *place = mem_calloc(gaps.groups + 1, sizeof *place);
    gaps.use = mem_calloc(gaps.groups + 1, sizeof *gaps.use);
    int rc = r->gap_intervals && rows && place && gaps.use ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < SLICE_GAP_COUNT; i++) {
        if (!isnan(r->gaps[i])) {
            gaps.use[r->gap_ends[i].least] = gaps.use[r->gap_ends[i].greatest] = true;
        }
    }
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
        rc = fill_entries(&gaps, &r->groups, p, unit_of_row, exposure, rows, place);
    }
    if (!rc) {
        rc = run(r, &gaps, eval);
    }
    mem_free(gaps.entries);
    mem_free(gaps.use);
    mem_free(unit_of_row);
    mem_free(exposure);
    mem_free(rows);
    mem_free(place);
    return rc;
}
