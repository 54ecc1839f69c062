#include <math.h>

#include "core/json_file.h"
#include "eval/compare_internal.h"
#include "eval/provenance.h"

static json_t *queries_json(const struct compare_query *queries, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct compare_query *q = &queries[i];
        json_t *query = json_pack("{s:o}", "query_id", provenance_text(q->id));
        if (json_array_append_new(array, query) ||
            (q->text && json_object_set_new(query, "text", provenance_text(q->text))) ||
            json_object_set_new(query, "a", json_finite(q->a)) || json_object_set_new(query, "b", json_finite(q->b))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *figure_json(const struct compare *c, const struct compare_figure *f)
{
    static const char *const verdicts[] = {"worse", "unsure", "better"};
    json_t *json = json_pack("{s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:b, s:o, s:I, s:I, s:s}", "a",
                             json_finite(f->a), "b", json_finite(f->b), "difference", json_finite(f->difference),
                             "direction", f->direction, "low", json_finite(f->interval.low), "high",
                             json_finite(f->interval.high), "p", json_finite(f->p), "p_holm", json_finite(f->p_holm),
                             "exact", f->exact, "effect", json_finite(f->effect), "pairs", (json_int_t)f->pairs,
                             "left_out", (json_int_t)f->left_out, "b_is", verdicts[compare_verdict(c, f) + 1]);
    int bad = json == NULL;
    if (!bad && f->by_query) {
        bad = json_object_set_new(json, "wins", json_integer((json_int_t)f->wins)) ||
              json_object_set_new(json, "losses", json_integer((json_int_t)f->losses)) ||
              json_object_set_new(json, "ties", json_integer((json_int_t)f->ties)) ||
              json_object_set_new(json, "b_wins_most", queries_json(f->best, f->best_count)) ||
              json_object_set_new(json, "b_loses_most", queries_json(f->worst, f->worst_count));
    }
    bad = bad || json_object_set_new(json, "queries_needed", json_finite(ceil(f->needed)));
    bad = bad || (f->interval.jackknife && json_object_set_new(json, "interval_method", json_string("jackknife")));
    bad = bad || (f->reason && json_object_set_new(json, "undefined", json_string(f->reason)));
    bad = bad || (f->no_test && json_object_set_new(json, "no_test", json_string(f->no_test)));
    bad = bad || (f->interval.reason && json_object_set_new(json, "no_interval", json_string(f->interval.reason)));
    if (bad) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *pair_json(const struct compare *c, const struct compare_pair *pair)
{
    json_t *json =
        json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "a", provenance_text(c->runs[pair->a].path), "b",
                  provenance_text(c->runs[pair->b].path), "queries", (json_int_t)pair->both, "queries_only_a",
                  (json_int_t)pair->only_a, "queries_only_b", (json_int_t)pair->only_b, "rows_only_a",
                  (json_int_t)pair->rows_only_a, "rows_only_b", (json_int_t)pair->rows_only_b);
    json_t *figures = json_object();
    int bad = !json || json_object_set_new(json, "metrics", figures);
    for (size_t f = 0; !bad && f < c->figure_count; f++) {
        bad = json_object_set_new(figures, pair->figures[f].metric, figure_json(c, &pair->figures[f]));
    }
    if (bad) {
        json_decref(json);
        return NULL;
    }
    return json;
}

json_t *compare_json(const struct compare *c)
{
    const struct bootstrap_options *o = &c->options.bootstrap;
    json_t *pairs = json_array();
    json_t *json =
        json_pack("{s:s, s:i, s:s, s:f, s:{s:s, s:I, s:I, s:I}, s:s}", "format", "reco comparison", "version", 1,
                  "test", compare_test_names[c->options.test], "level", o->level, "interval", "method",
                  o->method == BOOTSTRAP_BCA ? "bca" : "percentile", "resamples", (json_int_t)o->resamples, "samples",
                  (json_int_t)c->options.samples, "seed", (json_int_t)o->seed, "correction", "holm");
    int bad = !json || json_object_set_new(json, "pairs", pairs) ||
              (c->provenance && json_object_set(json, "provenance", c->provenance));
    for (size_t i = 0; !bad && i < c->pair_count; i++) {
        bad = json_array_append_new(pairs, pair_json(c, &c->pairs[i]));
    }
    if (bad) {
        json_decref(json);
        (void)err_nomem();
        return NULL;
    }
    return json;
}
