#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/stop.h"
#include "eval/compare_internal.h"
#include "eval/paired.h"
#include "eval/weighted.h"

/* Rows of both runs in one set, those of A first: weights then say whose rows count. */
struct both {
    struct predictions p;
    uint32_t *unit; /* [rows]: of A in [0, units), of B in [units, 2 units) */
    size_t units;
    struct eval_report *report;
    struct eval_weighted *weighted;
    size_t figures;
};

/* ---- the set ---- */

static int join(void **to, const void *a, const void *b, size_t size_bytes, const struct compare_matches *matches)
{
    if (!a || !b) {
        return 0;
    }
    char *column = mem_realloc_array(NULL, 2 * matches->count + 1, size_bytes);
    *to = column;
    if (!column) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < matches->count; i++) {
        memcpy(column + i * size_bytes, (const char *)a + matches->items[i].a * size_bytes, size_bytes);
        memcpy(column + (matches->count + i) * size_bytes, (const char *)b + matches->items[i].b * size_bytes,
               size_bytes);
    }
    return 0;
}

#define JOIN(member, factor)                                                                                           \
    (rc = rc ? rc : join((void **)&to->member, a->member, b->member, (size_t)(factor) * sizeof *a->member, matches))

/* The same query (item) is one of each run's own: numbers [2 rows] of B go behind those of A. */
static int join_names(const char ***to, size_t *count, uint32_t *numbers, const char **a, size_t count_a,
                      const char **b, size_t count_b, size_t rows)
{
    *count = count_a + count_b;
    *to = mem_calloc(*count + 1, sizeof **to);
    if (!*to) {
        return RECO_E_NOMEM;
    }
    memcpy(*to, a, count_a * sizeof **to);
    memcpy(*to + count_a, b, count_b * sizeof **to);
    for (size_t i = rows; i < 2 * rows; i++) {
        numbers[i] += (uint32_t)count_a;
    }
    return 0;
}

static int join_columns(struct predictions *to, const struct predictions *a, const struct predictions *b,
                        const struct compare_matches *matches)
{
    int rc = label_map_copy(&to->labels, &a->labels);
    to->rows = 2 * matches->count;
    JOIN(label, 1);
    JOIN(predicted, 1);
    JOIN(target, 1);
    JOIN(value, 1);
    JOIN(p, a->labels.count);
    JOIN(score, 1);
    JOIN(row_ids, 1);
    JOIN(item, 1);
    JOIN(position, 1);
    JOIN(clicked, 1);
    JOIN(converted, 1);
    JOIN(dwell_s, 1);
    JOIN(depth, 1);
    JOIN(propensity, 1);
    JOIN(carted, 1);
    JOIN(ordered, 1);
    JOIN(revenue, 1);
    JOIN(query, 1);
    to->derives_score = !to->score && a->derives_score && b->derives_score;
    if (!rc && to->query) {
        rc = join_names(&to->query_ids, &to->query_count, to->query, a->query_ids, a->query_count, b->query_ids,
                        b->query_count, matches->count);
    }
    if (!rc && to->item) {
        rc = join_names(&to->item_ids, &to->item_count, to->item, a->item_ids, a->item_count, b->item_ids,
                        b->item_count, matches->count);
    }
    return rc;
}

static void both_release(struct both *both)
{
    struct predictions *p = &both->p;
    eval_weighted_free(both->weighted);
    eval_report_free(both->report);
    label_map_release(&p->labels);
    mem_free(p->label);
    mem_free(p->predicted);
    mem_free(p->target);
    mem_free(p->value);
    mem_free(p->p);
    mem_free(p->score);
    mem_free(p->row_ids);
    mem_free(p->item);
    mem_free(p->item_ids);
    mem_free(p->carted);
    mem_free(p->ordered);
    mem_free(p->revenue);
    mem_free(p->position);
    mem_free(p->clicked);
    mem_free(p->converted);
    mem_free(p->dwell_s);
    mem_free(p->depth);
    mem_free(p->propensity);
    mem_free(p->query);
    mem_free(p->query_ids);
    mem_free(both->unit);
}

/* ---- units ---- */

struct named {
    const char *id;
    uint32_t query;
};

static int compare_named(const void *left, const void *right)
{
    return strcmp(((const struct named *)left)->id, ((const struct named *)right)->id);
}

/* A unit is a query of A, numbered by the order of the ids, so that the order of rows is nothing; else a row. */
static int number_units(struct both *both, const struct predictions *a, const struct compare_matches *matches)
{
    both->unit = mem_realloc_array(NULL, 2 * matches->count + 1, sizeof *both->unit);
    struct named *order = mem_calloc(a->query_count + 1, sizeof *order);
    uint32_t *rank = mem_calloc(a->query_count + 1, sizeof *rank);
    int rc = both->unit && order && rank ? 0 : RECO_E_NOMEM;
    both->units = matches->count;
    if (!rc && a->query) {
        for (size_t i = 0; i < matches->count; i++) {
            rank[a->query[matches->items[i].a]] = 1;
        }
        both->units = 0;
        for (uint32_t q = 0; q < a->query_count; q++) {
            if (rank[q]) {
                order[both->units++] = (struct named){a->query_ids[q], q};
            }
        }
        qsort(order, both->units, sizeof *order, compare_named);
        for (size_t i = 0; i < both->units; i++) {
            rank[order[i].query] = (uint32_t)i;
        }
    }
    for (size_t i = 0; !rc && i < matches->count; i++) {
        uint32_t unit = a->query ? rank[a->query[matches->items[i].a]] : (uint32_t)i;
        both->unit[i] = unit;
        both->unit[matches->count + i] = (uint32_t)both->units + unit;
    }
    mem_free(order);
    mem_free(rank);
    return rc;
}

/* Is the row of that id the same in both? Ids may be mere numbers of lines. */
static int check_rows(const struct compare_task *task, const struct compare_matches *matches)
{
    const struct predictions *a = task->a->p;
    const struct predictions *b = task->b->p;
    for (size_t i = 0; i < matches->count; i++) {
        const struct compare_match *m = &matches->items[i];
        bool same = a->label ? predictions_label(a, m->a) == predictions_label(b, m->b)
                             : a->target[m->a] == b->target[m->b] || (isnan(a->target[m->a]) && isnan(b->target[m->b]));
        const char *what =
            !same                                                                                        ? "label"
            : a->query && b->query && strcmp(a->query_ids[a->query[m->a]], b->query_ids[b->query[m->b]]) ? "query"
            : a->item && b->item && strcmp(a->item_ids[a->item[m->a]], b->item_ids[b->item[m->b]])       ? "item"
                                                                                                         : NULL;
        if (what) {
            return err_set(RECO_E_DATA, "cannot compare '%s' and '%s': row '%s' has another %s in each", task->a->path,
                           task->b->path, m->id, what);
        }
    }
    return 0;
}

static int both_new(struct both *both, struct compare_task *task)
{
    const struct predictions *a = task->a->p;
    const struct predictions *b = task->b->p;
    struct compare_matches matches = {0};
    struct eval_options asked;
    const char **names = mem_calloc(task->figure_count + 1, sizeof *names);
    int rc = names ? compare_match_ids(&matches, a->row_ids, a->rows, b->row_ids, b->rows) : RECO_E_NOMEM;
    if (!rc && !matches.count) {
        rc = err_set(RECO_E_DATA, "cannot compare '%s' and '%s': no row_id is in both", task->a->path, task->b->path);
    }
    task->pair->rows_only_a = matches.only_a;
    task->pair->rows_only_b = matches.only_b;
    rc = rc ? rc : check_rows(task, &matches);
    rc = rc ? rc : join_columns(&both->p, a, b, &matches);
    rc = rc ? rc : number_units(both, a, &matches);
    task->pair->both = task->pair->both ? task->pair->both : both->units;
    eval_options_init(&asked);
    if (task->options->eval) {
        asked = *task->options->eval;
    }
    asked.metric_count = asked.also_count = 0;
    asked.by_query = true;
    for (size_t f = 0; !rc && f < task->figure_count; f++) {
        if (!task->figures[f].by_query) {
            names[asked.metric_count++] = task->figures[f].metric;
        }
    }
    both->figures = asked.metric_count;
    asked.metrics = names;
    rc = rc ? rc : eval_run(&both->report, &both->p, &asked);
    rc = rc ? rc : eval_weighted_new(&both->weighted, both->report, both->unit, 2 * both->units);
    mem_free(names);
    mem_free(matches.items);
    return rc;
}

/* ---- figures under weights ---- */

/* weights [2 AT_ONCE, 2 units] at once, values [2 AT_ONCE, figures]: of A and of B. */
enum { AT_ONCE = 4 };

struct evaluation {
    struct eval_scratch *scratch;
    uint32_t *weights;
    double *values;
};

static int evaluation_init(struct evaluation *e, const struct both *both)
{
    *e = (struct evaluation){0};
    e->weights = mem_calloc(2 * AT_ONCE * 2 * both->units + 1, sizeof *e->weights);
    e->values = mem_calloc(2 * AT_ONCE * both->figures + 1, sizeof *e->values);
    return e->weights && e->values ? eval_scratch_new(&e->scratch, both->weighted) : RECO_E_NOMEM;
}

static void evaluation_release(struct evaluation *e)
{
    eval_scratch_free(e->scratch);
    mem_free(e->weights);
    mem_free(e->values);
}

/* out [count, 2 figures]: of A, then of B, with weights [count, units]. */
static int resample(void *arg, size_t count, const uint32_t *weights, double *out)
{
    const struct both *both = arg;
    struct evaluation e;
    size_t units = both->units;
    int rc = evaluation_init(&e, both);
    for (size_t first = 0; !rc && first < count; first += AT_ONCE) {
        size_t now = count - first < AT_ONCE ? count - first : AT_ONCE;
        for (size_t i = 0; i < now; i++) { /* the other halves stay 0 */
            const uint32_t *w = weights + (first + i) * units;
            memcpy(e.weights + 4 * i * units, w, units * sizeof *w);
            memcpy(e.weights + (4 * i + 3) * units, w, units * sizeof *w);
        }
        rc = eval_weighted_many(both->weighted, e.scratch, 2 * now, e.weights, out + first * 2 * both->figures);
    }
    evaluation_release(&e);
    return rc;
}

/* ---- randomisation: whole queries swap their runs ---- */

struct swaps {
    const struct both *both;
    const struct compare_task *task;
    const double *observed; /* [figures] differences */
    size_t samples;
    size_t *extreme; /* [tasks, figures] */
};

/* The weights of one sample: A's are 1 where its bit is 0, B's where it is 1; then the other way round. */
static void fill_swapped(uint32_t *weights, const uint32_t *bits, size_t units)
{
    for (size_t u = 0; u < units; u++) {
        uint32_t swapped = bits[u / 32] >> (u % 32) & 1;
        weights[u] = weights[3 * units + u] = !swapped;
        weights[units + u] = weights[2 * units + u] = swapped;
    }
}

static int swap_task(void *arg, size_t task)
{
    struct swaps *s = arg;
    const struct both *both = s->both;
    struct evaluation e;
    uint32_t *bits = mem_realloc_array(NULL, both->units / 32 + 1, sizeof *bits);
    int rc = evaluation_init(&e, both);
    rc = !rc && !bits ? RECO_E_NOMEM : rc;
    size_t first = task * AT_ONCE;
    size_t count = s->samples - first < AT_ONCE ? s->samples - first : AT_ONCE;
    for (size_t i = 0; !rc && i < count; i++) {
        paired_signs(bits, both->units, s->task->options->bootstrap.seed, first + i);
        fill_swapped(e.weights + 4 * i * both->units, bits, both->units);
    }
    if (!rc && stop_requested()) {
        rc = err_set(RECO_E_STOPPED, "stopped in the randomisation test");
    }
    if (!rc) {
        rc = eval_weighted_many(both->weighted, e.scratch, 2 * count, e.weights, e.values);
    }
    for (size_t i = 0; !rc && i < count; i++) {
        const double *of_a = e.values + 2 * i * both->figures;
        for (size_t f = 0; f < both->figures; f++) {
            double difference = of_a[both->figures + f] - of_a[f];
            /* a swapped pair without a value says nothing against the null hypothesis */
            s->extreme[task * both->figures + f] +=
                isnan(difference) || fabs(difference) >= fabs(s->observed[f]) * (1 - 1e-9);
        }
    }
    evaluation_release(&e);
    mem_free(bits);
    return rc;
}

static int randomise(struct compare_task *task, const struct both *both, const double *observed, double *p)
{
    struct swaps s = {.both = both, .task = task, .observed = observed};
    s.samples = task->options->bootstrap.resamples;
    size_t tasks = (s.samples + AT_ONCE - 1) / AT_ONCE;
    s.extreme = mem_calloc(tasks * both->figures + 1, sizeof *s.extreme);
    int rc = s.extreme ? pool_run(task->pool, tasks, swap_task, &s) : RECO_E_NOMEM;
    for (size_t f = 0; !rc && f < both->figures; f++) {
        size_t extreme = 0;
        for (size_t t = 0; t < tasks; t++) {
            extreme += s.extreme[t * both->figures + f];
        }
        p[f] = (1 + (double)extreme) / (1 + (double)s.samples);
    }
    mem_free(s.extreme);
    return rc;
}

/* ---- all ---- */

static void fill_figure(const struct compare_task *task, struct compare_figure *f, const struct both *both,
                        const double *values, size_t place)
{
    const struct eval_value *v = compare_value(both->report, f->metric);
    f->pairs = both->units;
    f->a = values[place];
    f->b = values[both->figures + place];
    f->difference = f->b - f->a;
    if (isnan(f->difference)) {
        f->reason = v && v->reason              ? v->reason
                    : v && v->metric->catalogue ? "it is one of the whole catalogue, not of queries"
                                                : "it is undefined in one of the runs";
        f->no_test = f->reason;
        f->difference = NAN;
    } else if (task->options->test == COMPARE_T || task->options->test == COMPARE_WILCOXON) {
        f->no_test = "it is no mean over queries; --test randomisation or bootstrap can";
    }
}

static int fill_figures(struct compare_task *task, struct both *both, struct bootstrap *b, double *values,
                        double *observed, double *p)
{
    size_t place = 0;
    int rc = 0;
    const struct bootstrap_options *options = &task->options->bootstrap;
    for (size_t f = 0; f < task->figure_count; f++) {
        if (!task->figures[f].by_query) {
            fill_figure(task, &task->figures[f], both, values, place);
            observed[place] = task->figures[f].difference;
            place++;
        }
    }
    if (task->options->test == COMPARE_RANDOMISATION) {
        rc = randomise(task, both, observed, p);
    }
    place = 0;
    for (size_t i = 0; !rc && i < task->figure_count; i++) {
        struct compare_figure *f = &task->figures[i];
        if (f->by_query) {
            continue;
        }
        bool few = compare_too_few(task, f);
        if (!few) {
            rc = bootstrap_interval_between(&f->interval, b, options, place, both->figures + place, f->difference);
        }
        if (!rc && !few && !f->reason && task->options->test == COMPARE_BOOTSTRAP) {
            double *difference = mem_realloc_array(NULL, b->resamples + 1, sizeof *difference);
            rc = difference ? 0 : RECO_E_NOMEM;
            for (size_t r = 0; !rc && r < b->resamples; r++) {
                difference[r] =
                    b->replicates[(both->figures + place) * b->resamples + r] - b->replicates[place * b->resamples + r];
            }
            if (!rc) {
                compare_test_by_bootstrap(f, difference, b->resamples);
            }
            mem_free(difference);
        } else if (!f->no_test) {
            f->p = p[place];
            f->p_least = 1 / (1 + (double)task->options->bootstrap.resamples);
        }
        f->sd = f->interval.se * sqrt((double)both->units);
        place++;
    }
    return rc;
}

int compare_rows(struct compare_task *task)
{
    struct both both = {0};
    struct bootstrap b = {0};
    double *values = NULL;
    uint32_t *ones = NULL;
    int rc = both_new(&both, task);
    size_t figures = both.figures;
    if (!rc) {
        values = mem_calloc(4 * figures + 1, sizeof *values); /* of A, of B, differences, p */
        ones = mem_realloc_array(NULL, both.units + 1, sizeof *ones);
        rc = values && ones ? 0 : RECO_E_NOMEM;
    }
    for (size_t u = 0; !rc && u < both.units; u++) {
        ones[u] = 1;
    }
    rc = rc ? rc : resample(&both, 1, ones, values);
    rc = rc ? rc : bootstrap_run(&b, &task->options->bootstrap, both.units, 2 * figures, resample, &both, task->pool);
    rc = rc ? rc : fill_figures(task, &both, &b, values, values + 2 * figures, values + 3 * figures);
    bootstrap_release(&b);
    mem_free(values);
    mem_free(ones);
    both_release(&both);
    return rc;
}
