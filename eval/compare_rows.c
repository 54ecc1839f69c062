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
    bool catalogue;
    double *counts; /* how popular the items are, [items] */
};

static bool is_asked(const struct both *both, const struct compare_figure *f)
{
    return !f->by_query && f->catalogue == both->catalogue;
}

static void both_release(struct both *both)
{
    eval_weighted_free(both->weighted);
    eval_report_free(both->report);
    compare_join_release(&both->p);
    mem_free(both->unit);
    mem_free(both->counts);
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
    struct named *order = mem_calloc(a->query_count + 1, sizeof *order);
    uint32_t *rank = mem_calloc(a->query_count + 1, sizeof *rank);
    int rc = order && rank ? 0 : RECO_E_NOMEM;
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
    for (size_t i = 0; !rc && i < matches->count; i++) { /* as the rows are joined */
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

static int chosen_init(struct compare_chosen *rows, struct both *both, const struct compare_task *task)
{
    rows->a = mem_realloc_array(NULL, task->a->p->rows + 1, sizeof *rows->a);
    rows->b = mem_realloc_array(NULL, task->b->p->rows + 1, sizeof *rows->b);
    both->unit = mem_realloc_array(NULL, task->a->p->rows + task->b->p->rows + 1, sizeof *both->unit);
    return rows->a && rows->b && both->unit ? 0 : RECO_E_NOMEM;
}

/* The rows that both have, by their ids. */
static int choose_rows(struct compare_chosen *rows, struct both *both, struct compare_task *task)
{
    const struct predictions *a = task->a->p;
    const struct predictions *b = task->b->p;
    struct compare_matches matches = {0};
    int rc = compare_match_ids(&matches, a->row_ids, a->rows, b->row_ids, b->rows);
    if (!rc && !matches.count) {
        rc = err_set(RECO_E_DATA, "cannot compare '%s' and '%s': no row_id is in both", task->a->path, task->b->path);
    }
    task->pair->rows_only_a = matches.only_a;
    task->pair->rows_only_b = matches.only_b;
    rc = rc ? rc : check_rows(task, &matches);
    rc = rc ? rc : number_units(both, a, &matches);
    for (size_t i = 0; !rc && i < matches.count; i++) {
        rows->a[rows->count_a++] = matches.items[i].a;
        rows->b[rows->count_b++] = matches.items[i].b;
    }
    mem_free(matches.items);
    return rc;
}

static int unit_queries(uint32_t **unit_of_query, const struct predictions *p, const struct compare_matches *matches,
                        bool of_b)
{
    uint32_t *unit = mem_realloc_array(NULL, p->query_count + 1, sizeof *unit);
    *unit_of_query = unit;
    if (!unit) {
        return RECO_E_NOMEM;
    }
    for (size_t q = 0; q < p->query_count; q++) {
        unit[q] = UINT32_MAX;
    }
    for (size_t i = 0; i < matches->count; i++) {
        unit[of_b ? matches->items[i].b : matches->items[i].a] = (uint32_t)i;
    }
    return 0;
}

/* All rows of the queries that both have: what a list shows may be another item in each run. */
static int choose_lists(struct compare_chosen *rows, struct both *both, struct compare_task *task)
{
    const struct predictions *a = task->a->p;
    const struct predictions *b = task->b->p;
    struct compare_matches matches = {0};
    uint32_t *unit_a = NULL;
    uint32_t *unit_b = NULL;
    if (!a->query || !b->query) {
        return 0;
    }
    int rc = compare_match_ids(&matches, a->query_ids, a->query_count, b->query_ids, b->query_count);
    if (!rc && !matches.count) {
        rc = err_set(RECO_E_DATA, "cannot compare '%s' and '%s': no query is in both", task->a->path, task->b->path);
    }
    rc = rc ? rc : unit_queries(&unit_a, a, &matches, false);
    rc = rc ? rc : unit_queries(&unit_b, b, &matches, true);
    both->units = matches.count;
    for (size_t row = 0; !rc && row < a->rows; row++) {
        if (unit_a[a->query[row]] != UINT32_MAX) {
            both->unit[rows->count_a] = unit_a[a->query[row]];
            rows->a[rows->count_a++] = (uint32_t)row;
        }
    }
    for (size_t row = 0; !rc && row < b->rows; row++) {
        if (unit_b[b->query[row]] != UINT32_MAX) {
            both->unit[rows->count_a + rows->count_b] = (uint32_t)both->units + unit_b[b->query[row]];
            rows->b[rows->count_b++] = (uint32_t)row;
        }
    }
    mem_free(unit_a);
    mem_free(unit_b);
    mem_free(matches.items);
    return rc;
}

/* An item is as popular as it has rows in A, or in B where A has none: joined rows would count it twice. */
static int count_items(struct both *both, const struct compare_chosen *rows, struct eval_popularity *popularity)
{
    const struct predictions *p = &both->p;
    both->counts = mem_calloc(2 * p->item_count + 1, sizeof *both->counts);
    if (!both->counts) {
        return RECO_E_NOMEM;
    }
    double *of_b = both->counts + p->item_count;
    for (size_t row = 0; row < p->rows; row++) {
        *((row < rows->count_a ? both->counts : of_b) + p->item[row]) += 1;
    }
    for (size_t item = 0; item < p->item_count; item++) {
        both->counts[item] = both->counts[item] > 0 ? both->counts[item] : of_b[item];
    }
    *popularity = (struct eval_popularity){p->item_ids, both->counts, p->item_count};
    return 0;
}

static int both_new(struct both *both, struct compare_task *task)
{
    struct compare_chosen rows = {0};
    struct eval_popularity popularity;
    struct eval_options asked;
    const char **names = mem_calloc(task->figure_count + 1, sizeof *names);
    int rc = names ? chosen_init(&rows, both, task) : RECO_E_NOMEM;
    rc = rc ? rc : (both->catalogue ? choose_lists : choose_rows)(&rows, both, task);
    rc = rc ? rc : compare_join(&both->p, task->a->p, task->b->p, &rows);
    task->pair->both = task->pair->both ? task->pair->both : both->units;
    eval_options_init(&asked);
    if (task->options->eval) {
        asked = *task->options->eval;
    }
    asked.metric_count = asked.also_count = 0;
    asked.by_query = true;
    for (size_t f = 0; !rc && f < task->figure_count; f++) {
        if (is_asked(both, &task->figures[f])) {
            names[asked.metric_count++] = task->figures[f].metric;
        }
    }
    if (!rc && both->catalogue && both->p.item && !asked.popularity) {
        rc = count_items(both, &rows, &popularity);
        asked.popularity = &popularity;
    }
    both->figures = asked.metric_count;
    asked.metrics = names;
    rc = rc ? rc : eval_run(&both->report, &both->p, &asked);
    rc = rc ? rc : eval_weighted_new(&both->weighted, both->report, both->unit, 2 * both->units);
    mem_free(names);
    mem_free(rows.a);
    mem_free(rows.b);
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

static int evaluate(const struct both *both, struct evaluation *e, size_t count, double *values)
{
    return (both->catalogue ? eval_weighted_catalogue : eval_weighted_many)(both->weighted, e->scratch, count,
                                                                            e->weights, values);
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
        rc = evaluate(both, &e, 2 * now, out + first * 2 * both->figures);
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
        rc = evaluate(both, &e, 2 * count, e.values);
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

static const char *why_in_one(const struct compare_task *task, const char *metric)
{
    const struct eval_value *a = compare_value(task->a->report, metric);
    const struct eval_value *b = compare_value(task->b->report, metric);
    return a && a->reason ? a->reason : b && b->reason ? b->reason : "it is undefined in one of the runs";
}

static void fill_figure(const struct compare_task *task, struct compare_figure *f, const struct both *both,
                        const double *values, size_t place)
{
    const struct eval_value *v = compare_value(both->report, f->metric);
    f->pairs = both->units;
    f->a = values[place];
    f->b = values[both->figures + place];
    f->difference = f->b - f->a;
    if (isnan(f->difference)) {
        f->reason = v && v->reason ? v->reason : why_in_one(task, f->metric);
        f->no_test = f->reason;
        f->difference = NAN;
    } else if (task->options->test == COMPARE_T || task->options->test == COMPARE_WILCOXON) {
        f->no_test = both->catalogue ? "it is no mean over queries; --test randomisation can"
                                     : "it is no mean over queries; --test randomisation or bootstrap can";
    } else if (both->catalogue && task->options->test == COMPARE_BOOTSTRAP) {
        f->no_test = "resamples repeat lists, and so show fewer items; --test randomisation can";
    }
}

static int fill_figures(struct compare_task *task, struct both *both, struct bootstrap *b, double *values,
                        double *observed, double *p)
{
    size_t place = 0;
    int rc = 0;
    const struct bootstrap_options *options = &task->options->bootstrap;
    for (size_t f = 0; f < task->figure_count; f++) {
        if (is_asked(both, &task->figures[f])) {
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
        if (!is_asked(both, f)) {
            continue;
        }
        bool few = compare_too_few(task, f);
        if (!few && both->catalogue) {
            jackknife_interval(&f->interval, b, options, place, both->figures + place, f->difference);
        } else if (!few) {
            rc = bootstrap_interval_between(&f->interval, b, options, place, both->figures + place, f->difference);
        }
        if (!rc && !few && !f->no_test && task->options->test == COMPARE_BOOTSTRAP) {
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
        /* what all lists together show is not of a query, and more of them show more */
        f->sd = both->catalogue ? NAN : f->interval.se * sqrt((double)both->units);
        place++;
    }
    return rc;
}

int compare_rows(struct compare_task *task, bool catalogue)
{
    struct both both = {.catalogue = catalogue};
    struct bootstrap b = {0};
    struct bootstrap_options options = task->options->bootstrap;
    options.resamples = catalogue ? 0 : options.resamples;
    options.method = catalogue ? BOOTSTRAP_BCA : options.method;
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
    rc = rc ? rc : bootstrap_run(&b, &options, both.units, 2 * figures, resample, &both, task->pool);
    rc = rc ? rc : fill_figures(task, &both, &b, values, values + 2 * figures, values + 3 * figures);
    bootstrap_release(&b);
    mem_free(values);
    mem_free(ones);
    both_release(&both);
    return rc;
}
