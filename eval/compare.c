#include "eval/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "data/text_index.h"
#include "eval/compare_internal.h"
#include "eval/interval.h"
#include "eval/paired.h"
#include "eval/report_provenance.h"

/* Of the size that is asked for when a difference is not sure: seen in 4 of 5 trials. */
#define POWER 0.8

const char *const compare_test_names[] = {"randomisation", "t", "wilcoxon", "bootstrap", NULL};

void compare_options_init(struct compare_options *options)
{
    *options = (struct compare_options){.test = COMPARE_RANDOMISATION, .samples = 10000, .listed = 5};
    bootstrap_options_init(&options->bootstrap);
}

void compare_release(struct compare *c)
{
    for (size_t i = 0; c->pairs && i < c->pair_count; i++) {
        for (size_t f = 0; c->pairs[i].figures && f < c->figure_count; f++) {
            mem_free(c->pairs[i].figures[f].best);
            mem_free(c->pairs[i].figures[f].worst);
        }
        mem_free(c->pairs[i].figures);
    }
    mem_free(c->pairs);
    json_decref(c->provenance);
    *c = (struct compare){0};
}

const char *compare_letter(size_t run)
{
    static _Thread_local char text[24];
    (void)snprintf(text, sizeof text, run < 26 ? "%c" : "%d", run < 26 ? (int)('A' + run) : (int)run + 1);
    return text;
}

int compare_verdict(const struct compare *c, const struct compare_figure *figure)
{
    bool sure = figure->p_holm < 1 - c->options.bootstrap.level;
    double better = figure->direction < 0 ? -figure->difference : figure->difference;
    return !sure || !figure->direction ? 0 : better > 0 ? 1 : better < 0 ? -1 : 0;
}

const struct eval_value *compare_value(const struct eval_report *report, const char *metric)
{
    for (size_t i = 0; i < report->value_count; i++) {
        if (!strcmp(report->values[i].name, metric)) {
            return &report->values[i];
        }
    }
    return NULL;
}

bool compare_too_few(const struct compare_task *task, struct compare_figure *figure)
{
    if (figure->reason || figure->pairs >= INTERVAL_UNITS_MIN) {
        return false;
    }
    figure->interval = (struct interval){.low = NAN, .high = NAN, .se = NAN, .reason = "there are too few to resample"};
    if (task->options->test == COMPARE_BOOTSTRAP) {
        figure->no_test = figure->interval.reason;
    }
    return true;
}

void compare_test_by_bootstrap(struct compare_figure *figure, const double *replicates, size_t count)
{
    struct paired_test test;
    paired_bootstrap(&test, replicates, count, figure->difference);
    figure->p = test.p;
    figure->p_least = 1 / (1 + (double)count);
    figure->no_test = test.reason;
}

/* ---- pairing ---- */

static int compare_ids(const void *left, const void *right)
{
    return strcmp(((const struct compare_match *)left)->id, ((const struct compare_match *)right)->id);
}

int compare_match_ids(struct compare_matches *out, const char *const *ids_a, size_t count_a, const char *const *ids_b,
                      size_t count_b)
{
    struct text_index index = {0};
    *out = (struct compare_matches){0};
    const char **known = mem_realloc_array(NULL, count_a + count_b + 1, sizeof *known);
    uint32_t *place = mem_realloc_array(NULL, count_a + 1, sizeof *place);
    out->items = mem_realloc_array(NULL, count_a + 1, sizeof *out->items);
    int rc = known && place && out->items ? 0 : RECO_E_NOMEM;
    uint32_t entered = 0;
    for (size_t i = 0; !rc && i < count_a; i++) {
        uint32_t found;
        if (ids_a[i]) {
            rc = text_index_enter(&index, known, entered, ids_a[i], strlen(ids_a[i]), &found);
            if (!rc && found == TEXT_INDEX_NONE) {
                place[entered] = (uint32_t)i;
                known[entered++] = ids_a[i];
            }
        }
    }
    uint32_t of_a = entered;
    for (size_t i = 0; !rc && i < count_b; i++) {
        uint32_t found;
        if (!ids_b[i]) {
            continue;
        }
        rc = text_index_enter(&index, known, entered, ids_b[i], strlen(ids_b[i]), &found);
        if (!rc && found < of_a) {
            out->items[out->count++] = (struct compare_match){known[found], place[found], (uint32_t)i};
        } else if (!rc && found == TEXT_INDEX_NONE) {
            known[entered++] = ids_b[i];
            out->only_b++;
        }
    }
    out->only_a = of_a - out->count;
    if (!rc && out->count) {
        qsort(out->items, out->count, sizeof *out->items, compare_ids);
    }
    text_index_release(&index);
    mem_free(known);
    mem_free(place);
    if (rc) {
        mem_free(out->items);
        *out = (struct compare_matches){0};
    }
    return rc;
}

/* ---- are they runs of the same data? ---- */

static const char *data_hash(const struct compare_run *run)
{
    return run->p ? json_string_value(json_object_get(json_object_get(run->p->sidecar, "hashes"), "data")) : NULL;
}

static int check_same(const struct compare_run *a, const struct compare_run *b)
{
    const char *data_a = data_hash(a);
    const char *data_b = data_hash(b);
    if (!a->p || !b->p) {
        return 0;
    }
    if (!a->p->label != !b->p->label) {
        return err_set(RECO_E_DATA, "cannot compare '%s' and '%s': one is a regression", a->path, b->path);
    }
    if (a->p->label) {
        char hash_a[HASH_HEX_SIZE];
        char hash_b[HASH_HEX_SIZE];
        label_map_hash(&a->p->labels, hash_a);
        label_map_hash(&b->p->labels, hash_b);
        if (strcmp(hash_a, hash_b) != 0) {
            return err_set(RECO_E_DATA,
                           "cannot compare '%s' and '%s': their label maps differ, in names, order or grades", a->path,
                           b->path);
        }
    }
    if (data_a && data_b && strcmp(data_a, data_b) != 0) {
        return err_set(RECO_E_DATA, "cannot compare '%s' and '%s': their sidecars name different data (%s, %s)",
                       a->path, b->path, data_a, data_b);
    }
    return 0;
}

/* ---- all pairs ---- */

static int compare_pair(struct compare *c, struct compare_pair *pair, struct pool *pool)
{
    const struct compare_run *a = &c->runs[pair->a];
    const struct compare_run *b = &c->runs[pair->b];
    pair->figures = mem_calloc(c->figure_count + 1, sizeof *pair->figures);
    if (!pair->figures) {
        return RECO_E_NOMEM;
    }
    struct compare_task task = {&c->options, a, b, pair->figures, c->figure_count, pair, pool};
    size_t over_rows = 0;
    size_t catalogue = 0;
    for (size_t f = 0; f < c->figure_count; f++) {
        const struct eval_value *v = &a->report->values[f];
        pair->figures[f] = (struct compare_figure){.metric = v->name,
                                                   .direction = v->metric->direction,
                                                   .by_query = report_is_by_query(v) && !v->metric->by_items,
                                                   .a = NAN,
                                                   .b = NAN,
                                                   .difference = NAN,
                                                   .p = NAN,
                                                   .p_holm = NAN,
                                                   .sd = NAN,
                                                   .effect = NAN,
                                                   .needed = NAN,
                                                   .interval = {.low = NAN, .high = NAN, .se = NAN}};
        pair->figures[f].catalogue = v->metric->catalogue != NULL;
        catalogue += pair->figures[f].catalogue;
        over_rows += !pair->figures[f].by_query && !pair->figures[f].catalogue;
    }
    int rc = check_same(a, b);
    if (!rc) {
        rc = compare_queries(&task);
    }
    if (!rc && over_rows && a->p && b->p) {
        rc = compare_rows(&task, false);
    }
    if (!rc && catalogue && a->p && b->p) {
        rc = compare_rows(&task, true);
    }
    for (size_t f = 0; f < c->figure_count && !a->p; f++) {
        struct compare_figure *figure = &pair->figures[f];
        if (!figure->by_query) {
            const char *why = a->report->values[f].reason;
            figure->reason = figure->no_test = why ? why : "it is no mean over queries, and a TREC run has no rows";
        }
    }
    return rc;
}

static int adjust(struct compare *c)
{
    size_t count = c->pair_count * c->figure_count;
    double *p = mem_realloc_array(NULL, 2 * count + 1, sizeof *p);
    if (!p) {
        return RECO_E_NOMEM;
    }
    double *share = p + count;
    for (size_t i = 0; i < count; i++) {
        p[i] = c->pairs[i / c->figure_count].figures[i % c->figure_count].p;
    }
    int rc = paired_holm(p, share, count);
    for (size_t i = 0; !rc && i < count; i++) {
        struct compare_figure *f = &c->pairs[i / c->figure_count].figures[i % c->figure_count];
        f->p_holm = p[i];
        if (!isnan(share[i]) && (f->difference == 0 || f->sd > 0)) {
            double alpha = (1 - c->options.bootstrap.level) * share[i];
            double needed = paired_queries_needed(f->difference, f->sd, alpha, POWER);
            bool by_signs = c->options.test == COMPARE_RANDOMISATION || c->options.test == COMPARE_WILCOXON;
            /* of n pairs there are 2^n signs, and with fewer of them no p is that small */
            f->needed = by_signs ? fmax(needed, floor(1 - log2(alpha)) + 1) : needed;
        }
    }
    mem_free(p);
    return rc;
}

int compare_set_provenance(struct compare *c, json_t *json)
{
    struct buf versions = {0};
    json_decref(c->provenance);
    c->provenance = json;
    int rc = json ? 0 : err_nomem();
    rc = rc ? rc : report_versions(c->runs[0].report, &versions);
    if (!rc && (json_object_set_new(json, "seed", json_integer((json_int_t)c->options.bootstrap.seed)) ||
                json_object_set_new(json, "metric_version", json_string(buf_str(&versions))))) {
        rc = err_nomem();
    }
    buf_release(&versions);
    return rc;
}

int compare_runs(struct compare *out, const struct compare_run *runs, size_t count, bool all_pairs,
                 const struct compare_options *options, struct pool *pool)
{
    *out = (struct compare){.options = *options, .runs = runs, .run_count = count};
    out->figure_count = runs[0].report->value_count;
    out->pairs = mem_calloc(count * count + 1, sizeof *out->pairs);
    int rc = out->pairs ? 0 : RECO_E_NOMEM;
    for (size_t b = 1; !rc && b < count; b++) {
        for (size_t a = 0; !rc && a < (all_pairs ? b : 1); a++) {
            struct compare_pair *pair = &out->pairs[out->pair_count++];
            pair->a = a;
            pair->b = b;
            rc = compare_pair(out, pair, pool);
        }
    }
    if (!rc) {
        rc = adjust(out);
    }
    if (rc) {
        compare_release(out);
    }
    return rc;
}
