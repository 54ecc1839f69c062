#include "eval/interval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/text_index.h"
#include "eval/report.h"
#include "eval/try.h"
#include "eval/weighted.h"

const char *interval_method_name(enum bootstrap_method method)
{
    return method == BOOTSTRAP_BCA ? "bca" : "percentile";
}

void eval_intervals_free(struct eval_intervals *intervals)
{
    if (intervals) {
        mem_free(intervals->unit);
        mem_free(intervals->of);
        mem_free(intervals);
    }
}

/* ---- units ---- */

struct named {
    const char *id;
    uint32_t number;
};

static int compare_named(const void *left, const void *right)
{
    return strcmp(((const struct named *)left)->id, ((const struct named *)right)->id);
}

/* Numbers units by the order of their names, those without a row left out; *count becomes that of the others. */
static int sort_units(uint32_t *unit, size_t rows, const char *const *names, size_t *count)
{
    struct named *order = mem_realloc_array(NULL, *count + 1, sizeof *order);
    uint32_t *rank = mem_calloc(*count + 1, sizeof *rank);
    if (!order || !rank) {
        mem_free(order);
        mem_free(rank);
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < rows; row++) {
        rank[unit[row]] = 1;
    }
    size_t used = 0;
    for (size_t i = 0; i < *count; i++) {
        if (rank[i]) {
            order[used++] = (struct named){names ? names[i] : "", (uint32_t)i};
        }
    }
    if (names) {
        qsort(order, used, sizeof *order, compare_named);
    }
    for (size_t i = 0; i < used; i++) {
        rank[order[i].number] = (uint32_t)i;
    }
    for (size_t row = 0; row < rows; row++) {
        unit[row] = rank[unit[row]];
    }
    *count = used;
    mem_free(order);
    mem_free(rank);
    return 0;
}

/* A unit for every distinct value of a carried column. */
static int units_of_column(uint32_t *unit, size_t *units, const struct predictions *p, const char *column)
{
    struct text_index index = {0};
    const char **names = NULL;
    size_t capacity = 0;
    const char *const *values = predictions_extra_find(p, column);
    if (!values) {
        return err_set(RECO_E_USAGE, "cannot resample by '%s': the predictions have no such column", column);
    }
    int rc = 0;
    *units = 0;
    for (size_t row = 0; !rc && row < p->rows; row++) {
        const char *value = values[row];
        uint32_t number;
        if (!*value) {
            rc = err_set(RECO_E_DATA, "cannot resample by '%s': row %zu has no value", column, row + 1);
            break;
        }
        rc = mem_grow((void **)&names, &capacity, *units + 1, sizeof *names);
        rc = rc ? rc : text_index_enter(&index, names, (uint32_t)*units, value, strlen(value), &number);
        if (!rc && number == TEXT_INDEX_NONE) {
            names[*units] = value;
            number = (uint32_t)(*units)++;
        }
        if (!rc) {
            unit[row] = number;
        }
    }
    if (!rc) {
        rc = sort_units(unit, p->rows, names, units);
    }
    text_index_release(&index);
    mem_free(names);
    return rc;
}

int eval_units_of(uint32_t **unit_of_row, size_t *units, const char **name, const struct predictions *p,
                  const char *column)
{
    *unit_of_row = NULL;
    *units = p->rows;
    *name = "row";
    if (!column && !p->query) {
        return 0;
    }
    uint32_t *unit = mem_realloc_array(NULL, p->rows + 1, sizeof *unit);
    if (!unit) {
        return RECO_E_NOMEM;
    }
    int rc;
    if (column) {
        *name = column;
        rc = units_of_column(unit, units, p, column);
    } else {
        *name = "query";
        *units = p->query_count;
        memcpy(unit, p->query, p->rows * sizeof *unit);
        rc = sort_units(unit, p->rows, p->query_ids, units);
    }
    if (rc) {
        mem_free(unit);
        return rc;
    }
    *unit_of_row = unit;
    return 0;
}

/* ---- all intervals ---- */

static int resample(void *arg, size_t count, const uint32_t *weights, double *out)
{
    const struct eval_weighted *weighted = arg;
    struct eval_scratch *scratch = NULL;
    int rc = eval_scratch_new(&scratch, weighted);
    if (!rc) {
        rc = eval_weighted_many(weighted, scratch, count, weights, out);
    }
    eval_scratch_free(scratch);
    return rc;
}

static int leave_out(void *arg, size_t count, const uint32_t *weights, double *out)
{
    const struct eval_weighted *weighted = arg;
    struct eval_scratch *scratch = NULL;
    int rc = eval_scratch_new(&scratch, weighted);
    if (!rc) {
        rc = eval_weighted_catalogue(weighted, scratch, count, weights, out);
    }
    eval_scratch_free(scratch);
    return rc;
}

/* The figures of the catalogue, which resamples would understate. */
static int fill_catalogue(struct eval_intervals *intervals, const struct eval_report *report,
                          struct eval_weighted *weighted, struct pool *pool)
{
    struct bootstrap b = {0};
    struct bootstrap_options options = intervals->bootstrap;
    options.resamples = 0;
    options.method = BOOTSTRAP_BCA;
    int rc = bootstrap_run(&b, &options, intervals->units, report->value_count, leave_out, weighted, pool);
    for (size_t i = 0; !rc && i < report->value_count; i++) {
        if (report->values[i].metric->catalogue) {
            struct interval *to = &intervals->of[i];
            jackknife_interval(to, &b, &options, SIZE_MAX, i, report->values[i].value);
            to->low = to->low < 0 ? 0 : to->low;
            to->high = report->values[i].metric->catalogue_share && to->high > 1 ? 1 : to->high;
        }
    }
    bootstrap_release(&b);
    return rc;
}

static int fill(struct eval_intervals *intervals, const struct eval_report *report, const uint32_t *unit_of_row,
                int threads)
{
    struct eval_weighted *weighted = NULL;
    struct bootstrap b = {0};
    struct pool *pool = NULL;
    int rc = eval_weighted_new(&weighted, report, unit_of_row, intervals->units);
    if (!rc) {
        rc = pool_new(&pool, threads);
    }
    if (!rc) {
        rc = bootstrap_run(&b, &intervals->bootstrap, intervals->units, report->value_count, resample, weighted, pool);
    }
    if (!rc && report->lists.depth) {
        rc = fill_catalogue(intervals, report, weighted, pool);
    }
    for (size_t i = 0; !rc && i < report->value_count; i++) {
        struct interval *to = &intervals->of[i];
        const struct eval_value *v = &report->values[i];
        bool few = intervals->units < INTERVAL_UNITS_MIN;
        few = few || (report_is_by_query(v) && !v->reason && v->queries < INTERVAL_UNITS_MIN);
        if (few) {
            *to = (struct interval){.low = NAN, .high = NAN, .se = NAN, .reason = "there are too few to resample"};
        } else if (!to->jackknife) {
            rc = bootstrap_interval(to, &b, &intervals->bootstrap, i, v->value);
        }
    }
    bootstrap_release(&b);
    pool_free(pool);
    eval_weighted_free(weighted);
    return rc;
}

int eval_intervals_new(struct eval_intervals **out, const struct eval_report *report,
                       const struct interval_options *options, int threads)
{
    uint32_t *unit_of_row = NULL;
    const char *name = "query";
    size_t units = report->query_count;
    *out = NULL;
    if (!report->p && options->unit_column) {
        return err_set(RECO_E_USAGE, "cannot resample by '%s': a TREC run has no columns", options->unit_column);
    }
    int rc = report->p ? eval_units_of(&unit_of_row, &units, &name, report->p, options->unit_column) : 0;
    struct eval_intervals *intervals = rc ? NULL : mem_calloc(1, sizeof *intervals);
    if (!rc && !intervals) {
        rc = RECO_E_NOMEM;
    }
    if (!rc) {
        *intervals =
            (struct eval_intervals){.bootstrap = options->bootstrap, .units = units, .count = report->value_count};
        intervals->unit = mem_strdup(name);
        intervals->of = mem_calloc(report->value_count + 1, sizeof *intervals->of);
        rc = intervals->unit && intervals->of ? fill(intervals, report, unit_of_row, threads) : RECO_E_NOMEM;
    }
    mem_free(unit_of_row);
    if (rc) {
        eval_intervals_free(intervals);
        return rc;
    }
    *out = intervals;
    return 0;
}

/* ---- output ---- */

/* A page shows one depth of a ranking: 10, else the deepest. */
static bool is_shown(const struct eval_report *report, const struct eval_value *v)
{
    if (v->reason) {
        return false;
    }
    if (!report_has_depth(v)) {
        return report_is_shown(report, v);
    }
    size_t wanted = 0;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *other = &report->values[i];
        if (report_has_depth(other) && report_same_row(v, other) && wanted != 10) {
            wanted = other->variant.k == 10 || other->variant.k > wanted ? other->variant.k : wanted;
        }
    }
    return v->variant.k == wanted;
}

int eval_intervals_text(const struct eval_report *report, const struct eval_intervals *intervals, struct buf *b)
{
    const struct bootstrap_options *o = &intervals->bootstrap;
    TRY(buf_printf(b, "\n%g %% intervals (%s, %zu resamples of %zu units: %s; seed %llu)\n", 100 * o->level,
                   o->method == BOOTSTRAP_BCA ? "BCa" : "percentile", o->resamples, intervals->units, intervals->unit,
                   (unsigned long long)o->seed));
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        const struct interval *of = &intervals->of[i];
        if (!is_shown(report, v)) {
            continue;
        }
        TRY(buf_printf(b, "  %-28s %.4f", v->name, v->value));
        TRY(of->reason
                ? buf_printf(b, "  no interval: %s\n", of->reason)
                : buf_printf(b, "  %.4f to %.4f%s\n", of->low, of->high, of->jackknife ? "  by the jackknife" : ""));
    }
    return 0;
}

int eval_intervals_markdown(const struct eval_report *report, const struct eval_intervals *intervals, struct buf *b)
{
    const struct bootstrap_options *o = &intervals->bootstrap;
    TRY(buf_printf(b, "\n## Intervals\n\n%g %%, %s, %zu resamples of %zu units (%s), seed %llu.\n\n", 100 * o->level,
                   o->method == BOOTSTRAP_BCA ? "BCa" : "percentile", o->resamples, intervals->units, intervals->unit,
                   (unsigned long long)o->seed));
    TRY(buf_add_str(b, "| metric | value | from | to |\n|---|--:|--:|--:|\n"));
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        const struct interval *of = &intervals->of[i];
        if (is_shown(report, v) && !of->reason) {
            TRY(buf_printf(b, "| %s%s | %.4f | %.4f | %.4f |\n", v->name, of->jackknife ? " (jackknife)" : "", v->value,
                           of->low, of->high));
        }
    }
    return 0;
}

static json_t *interval_json(const struct interval *of)
{
    if (of->reason) {
        return json_pack("{s:s}", "undefined", of->reason);
    }
    if (of->jackknife) {
        return json_pack("{s:s, s:f, s:f, s:f}", "method", "jackknife", "low", of->low, "high", of->high, "se", of->se);
    }
    return json_pack("{s:f, s:f, s:f, s:I}", "low", of->low, "high", of->high, "se", of->se, "resamples_undefined",
                     (json_int_t)of->undefined);
}

json_t *eval_intervals_json(const struct eval_report *report, const struct eval_intervals *intervals)
{
    const struct bootstrap_options *o = &intervals->bootstrap;
    json_t *of = json_object();
    json_t *json = json_pack("{s:s, s:f, s:I, s:I, s:s, s:I}", "method", interval_method_name(o->method), "level",
                             o->level, "resamples", (json_int_t)o->resamples, "seed", (json_int_t)o->seed, "unit",
                             intervals->unit, "units", (json_int_t)intervals->units);
    int bad = !json || json_object_set_new(json, "of", of);
    for (size_t i = 0; !bad && i < report->value_count; i++) {
        if (!report->values[i].reason) {
            bad = json_object_set_new(of, report->values[i].name, interval_json(&intervals->of[i]));
        }
    }
    if (bad) {
        json_decref(json);
        (void)err_nomem();
        return NULL;
    }
    return json;
}
