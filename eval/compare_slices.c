#include "eval/compare_slices.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/stop.h"

void compare_slices_free(struct compare_slices *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; s->slices && i < s->count; i++) {
        for (size_t g = 0; s->slices[i].groups && g < s->slices[i].count; g++) {
            mem_free(s->slices[i].groups[g].name);
            mem_free(s->slices[i].groups[g].figures);
        }
        mem_free(s->slices[i].groups);
    }
    mem_free(s->slices);
    mem_free(s);
}

/* ---- one group ---- */

struct side {
    struct predictions *p;
    struct eval_report *report;
};

static void side_release(struct side *side)
{
    eval_report_free(side->report);
    predictions_free(side->p);
}

/* The rows of group number, evaluated; *rows how many. */
static int side_new(struct side *side, const struct predictions *p, const struct slice_groups *groups, size_t number,
                    const struct eval_options *eval, size_t *rows)
{
    uint32_t *list = mem_realloc_array(NULL, p->rows + 1, sizeof *list);
    size_t count = 0;
    for (size_t row = 0; list && row < p->rows; row++) {
        if (groups->of_row[row] == number) {
            list[count++] = (uint32_t)row;
        }
    }
    int rc = list ? predictions_take_rows(&side->p, p, list, count) : RECO_E_NOMEM;
    mem_free(list);
    *rows = count;
    return rc || !count ? rc : eval_run(&side->report, side->p, eval);
}

static int compare_sides(struct compare_slice_group *to, const struct compare *of, const struct side *a,
                         const struct side *b, struct pool *pool)
{
    struct compare_options how = of->options;
    const struct compare_run runs[] = {{.path = "a", .report = a->report, .p = a->p},
                                       {.path = "b", .report = b->report, .p = b->p}};
    struct compare found = {0};
    how.test = COMPARE_T; /* nothing is tested: the test that costs nothing */
    how.listed = 0;
    int rc = compare_runs(&found, runs, 2, false, &how, pool);
    for (size_t f = 0; !rc && f < of->figure_count; f++) {
        const struct compare_figure *figure = &found.pairs[0].figures[f];
        to->figures[f] = (struct compare_slice_figure){figure->a, figure->b, figure->difference, figure->interval};
        if (figure->reason) {
            to->figures[f].a = to->figures[f].b = to->figures[f].difference = NAN;
        }
    }
    compare_release(&found);
    return rc == RECO_E_DATA ? 0 : rc; /* no query of the group is in both */
}

static size_t find_group(const struct slice_groups *groups, const char *name)
{
    size_t g = 0;
    while (g < groups->count && strcmp(groups->names[g], name) != 0) {
        g++;
    }
    return g;
}

static int group_new(struct compare_slice_group *to, const struct compare_slices *s, const struct compare_pair *pair,
                     const struct slice_groups *groups, size_t number, struct pool *pool)
{
    const struct compare *of = s->of;
    struct eval_options eval = *of->options.eval;
    struct side sides[2] = {0};
    size_t rows[2] = {0};
    eval.intervals = NULL;
    eval.slices = NULL;
    eval.by_query = true;
    to->name = mem_strdup(groups[0].names[number]);
    to->figures = mem_calloc(of->figure_count + 1, sizeof *to->figures);
    int rc = to->name && to->figures ? 0 : RECO_E_NOMEM;
    for (size_t f = 0; !rc && f < of->figure_count; f++) {
        to->figures[f].a = to->figures[f].b = to->figures[f].difference = NAN;
        to->figures[f].interval.reason = "the group is in one run only";
    }
    size_t other = rc ? 0 : find_group(&groups[1], to->name);
    if (!rc) {
        rc = side_new(&sides[0], of->runs[pair->a].p, &groups[0], number, &eval, &rows[0]);
    }
    if (!rc) {
        rc = side_new(&sides[1], of->runs[pair->b].p, &groups[1], other, &eval, &rows[1]);
    }
    to->rows = rows[0];
    to->small = rows[0] < s->min_rows;
    if (!rc && rows[0] && rows[1]) {
        rc = compare_sides(to, of, &sides[0], &sides[1], pool);
    }
    side_release(&sides[0]);
    side_release(&sides[1]);
    return rc;
}

/* ---- one slice ---- */

/* qsort has no context: the direction comes with the item. */
struct sorted {
    struct compare_slice_group group;
    double gain; /* of b; NaN: unknown */
};

static int compare_gains(const void *left, const void *right)
{
    const struct sorted *a = left;
    const struct sorted *b = right;
    int class_a = a->group.small ? 2 : isnan(a->gain);
    int class_b = b->group.small ? 2 : isnan(b->gain);
    int order = class_a != class_b ? class_a - class_b : isnan(a->gain) - isnan(b->gain);
    return order ? order : a->gain < b->gain ? -1 : a->gain > b->gain ? 1 : strcmp(a->group.name, b->group.name);
}

static int sort_groups(struct compare_slice *slice, int direction)
{
    struct sorted *order = mem_calloc(slice->count + 1, sizeof *order);
    if (!order) {
        return RECO_E_NOMEM;
    }
    for (size_t g = 0; g < slice->count; g++) {
        order[g] = (struct sorted){slice->groups[g], (direction < 0 ? -1 : 1) * slice->groups[g].figures[0].difference};
    }
    qsort(order, slice->count, sizeof *order, compare_gains);
    for (size_t g = 0; g < slice->count; g++) {
        slice->groups[g] = order[g].group;
    }
    mem_free(order);
    return 0;
}

static int slice_new(struct compare_slice *to, const struct compare_slices *s, const struct slice_options *options,
                     struct pool *pool)
{
    const struct compare_pair *pair = &s->of->pairs[to->pair];
    const size_t runs[] = {pair->a, pair->b};
    struct slice_groups groups[2] = {0};
    int rc = 0;
    for (size_t i = 0; !rc && i < 2; i++) {
        const struct compare_run *run = &s->of->runs[runs[i]];
        rc = slice_groups_new(&groups[i], to->name, run->p, options);
        rc = rc ? err_prepend(rc, "%s", run->path) : 0;
    }
    to->groups = rc ? NULL : mem_calloc(groups[0].count + 1, sizeof *to->groups);
    rc = rc || to->groups ? rc : RECO_E_NOMEM;
    for (size_t g = 0; !rc && g < groups[0].count; g++) {
        rc = stop_requested() ? err_set(RECO_E_STOPPED, "stopped in the slices") : 0;
        to->count++;
        rc = rc ? rc : group_new(&to->groups[g], s, pair, groups, g, pool);
    }
    if (!rc && s->of->figure_count) {
        rc = sort_groups(to, pair->figures[0].direction);
    }
    slice_groups_release(&groups[0]);
    slice_groups_release(&groups[1]);
    return rc;
}

int compare_slices_new(struct compare_slices **out, const struct compare *of, const struct slice_options *options,
                       struct pool *pool)
{
    *out = NULL;
    for (size_t i = 0; i < of->run_count; i++) {
        if (!of->runs[i].p) {
            return err_set(RECO_E_USAGE, "cannot slice '%s': a TREC run has no columns", of->runs[i].path);
        }
    }
    struct compare_slices *s = mem_calloc(1, sizeof *s);
    int rc = s ? 0 : RECO_E_NOMEM;
    if (!rc) {
        s->of = of;
        s->min_rows = options->min_rows;
        s->slices = mem_calloc(options->count * of->pair_count + 1, sizeof *s->slices);
        rc = s->slices ? 0 : RECO_E_NOMEM;
    }
    for (size_t pair = 0; !rc && pair < of->pair_count; pair++) {
        for (size_t i = 0; !rc && i < options->count; i++) {
            struct compare_slice *slice = &s->slices[s->count++];
            *slice = (struct compare_slice){.name = options->slices[i], .pair = pair};
            rc = slice_new(slice, s, options, pool);
        }
    }
    if (rc) {
        compare_slices_free(s);
        return rc;
    }
    *out = s;
    return 0;
}
