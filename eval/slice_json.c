/* Slices as JSON with stable names. */

#include <math.h>

#include "core/json_file.h"
#include "eval/interval.h"
#include "eval/provenance.h"
#include "eval/slice.h"

static json_t *figure_json(const struct slice_group *g, size_t m)
{
    if (g->reasons[m]) {
        return json_pack("{s:n, s:s}", "value", "undefined", g->reasons[m]);
    }
    json_t *json = json_pack("{s:o}", "value", json_finite(g->values[m]));
    if (json && g->intervals && !g->intervals[m].reason) {
        const struct interval *i = &g->intervals[m];
        if (json_object_set_new(json, "low", json_finite(i->low)) ||
            json_object_set_new(json, "high", json_finite(i->high))) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static json_t *rates_json(const struct slice_rates *r)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "selected", json_finite(r->selected), "true_positive",
                     json_finite(r->true_positive), "false_positive", json_finite(r->false_positive), "exposure",
                     json_finite(r->exposure), "merit", json_finite(r->merit));
}

static json_t *group_json(const struct eval_slices *s, const struct slice_group *g, bool with_rates)
{
    json_t *metrics = json_object();
    json_t *json = json_pack("{s:s, s:I, s:I, s:b}", "group", g->name, "rows", (json_int_t)g->rows, "queries",
                             (json_int_t)g->queries, "small", g->small);
    int bad = !json || json_object_set_new(json, "metrics", metrics);
    if (!bad && with_rates) {
        bad = json_object_set_new(json, "rates", rates_json(&g->rates));
    }
    for (size_t m = 0; !bad && m < s->metric_count; m++) {
        bad = json_object_set_new(metrics, s->metrics[m], figure_json(g, m));
    }
    if (bad) {
        json_decref(json);
        return NULL;
    }
    return json;
}

/* Between which groups a gap is, and its interval. */
static json_t *ends_json(const struct slice_result *r, size_t i)
{
    const struct slice_gap_ends *ends = &r->gap_ends[i];
    json_t *json = json_pack("{s:{s:s, s:o}, s:{s:s, s:o}}", "least", "group", r->groups.names[ends->least], "rate",
                             json_finite(ends->low), "greatest", "group", r->groups.names[ends->greatest], "rate",
                             json_finite(ends->high));
    if (json && r->gap_intervals && !r->gap_intervals[i].reason &&
        (json_object_set_new(json, "low", json_finite(r->gap_intervals[i].low)) ||
         json_object_set_new(json, "high", json_finite(r->gap_intervals[i].high)))) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *slice_json(const struct eval_slices *s, const struct slice_result *r)
{
    json_t *groups = json_array();
    json_t *gaps = json_object();
    json_t *ends = json_object();
    json_t *json = json_pack("{s:o, s:I, s:I, s:I, s:I}", "slice", provenance_text(r->name), "rows_without_value",
                             (json_int_t)r->groups.missing, "values_pooled", (json_int_t)r->groups.pooled,
                             "queries_in_several_groups", (json_int_t)r->split, "min_rows", (json_int_t)s->min_rows);
    int bad = !json || json_object_set_new(json, "groups", groups);
    bad = (json && json_object_set_new(json, "gaps", gaps)) || bad;
    bad = (json && json_object_set_new(json, "gap_groups", ends)) || bad;
    if (!bad && r->missing) {
        bad = json_object_set_new(json, "without_value", group_json(s, r->missing, false));
    }
    if (!bad && r->groups.note) {
        bad = json_object_set_new(json, "note", json_string(r->groups.note));
    }
    for (size_t g = 0; !bad && g < r->groups.count && r->items[g].rows; g++) { /* the empty ones are last */
        bad = json_array_append_new(groups, group_json(s, &r->items[g], true));
    }
    for (size_t i = 0; !bad && i < SLICE_GAP_COUNT; i++) {
        bad = json_object_set_new(gaps, slice_gap_names[i], json_finite(r->gaps[i]));
        if (!bad && !isnan(r->gaps[i])) {
            bad = json_object_set_new(ends, slice_gap_names[i], ends_json(r, i));
        }
    }
    if (bad) {
        json_decref(json);
        return NULL;
    }
    return json;
}

json_t *eval_slices_json(const struct eval_slices *s)
{
    json_t *array = json_array();
    for (size_t i = 0; i < s->count; i++) {
        if (!array || json_array_append_new(array, slice_json(s, &s->slices[i]))) {
            json_decref(array);
            (void)err_nomem();
            return NULL;
        }
    }
    return array;
}
