/* The names of figures, as gates give them: "f1", "low(f1)", "worst(lang).f1", "high(gap(lang).exposure)". */

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/opt.h"
#include "eval/interval.h"
#include "eval/metric.h"
#include "eval/slice_internal.h"

void slice_name_release(struct slice_name *name)
{
    mem_free(name->slice);
    mem_free(name->metric);
    *name = (struct slice_name){0};
}

const char *slice_metric_name(const char *metric)
{
    return metric_unalias(metric);
}

/* ---- parsing ---- */

static int check_gap(const char *gap)
{
    size_t count = 0;
    for (; slice_gap_names[count]; count++) {
        if (!strcmp(slice_gap_names[count], gap)) {
            return 0;
        }
    }
    const char *near = opt_nearest(gap, slice_gap_names, count);
    return near ? err_set(RECO_E_USAGE, "unknown gap '%s'; did you mean '%s'?", gap, near)
                : err_set(RECO_E_USAGE,
                          "unknown gap '%s': it is demographic_parity, equal_opportunity, equalized_odds, exposure or "
                          "exposure_merit",
                          gap);
}

/* "low(" and the like before a metric that is none: which was meant? */
static int check_metric(const char *metric)
{
    static const char *const words[] = {"low", "high", "worst", "gap"};
    char word[16];
    int rc = eval_metric_check(metric);
    size_t length = strcspn(metric, "(");
    if (rc == RECO_E_USAGE && metric[length] && length && length < sizeof word) {
        memcpy(word, metric, length);
        word[length] = '\0';
        const char *near = opt_nearest(word, words, sizeof words / sizeof words[0]);
        if (near && strcmp(near, word) != 0) {
            rc = err_set(RECO_E_USAGE, "unknown figure '%s'; did you mean '%s%s'?", metric, near, metric + length);
        }
    }
    return rc;
}

static int check(const struct slice_name *name)
{
    int rc = name->slice ? slice_check(name->slice) : 0;
    if (!rc) {
        rc = name->kind == SLICE_NAME_GAP ? check_gap(name->metric) : check_metric(name->metric);
    }
    return rc;
}

/* "low(...)" to what is in the brackets. */
static bool take_bound(enum slice_name_bound *bound, const char **at, size_t *length)
{
    static const char *const prefixes[] = {NULL, "low(", "high("}; /* by enum slice_name_bound */
    for (size_t i = SLICE_NAME_LOW; i <= SLICE_NAME_HIGH; i++) {
        size_t prefix = strlen(prefixes[i]);
        if (*length > prefix && !strncmp(*at, prefixes[i], prefix) && (*at)[*length - 1] == ')') {
            *bound = (enum slice_name_bound)i;
            *at += prefix;
            *length -= prefix + 1;
            return true;
        }
    }
    return false;
}

static int take_parts(struct slice_name *out, const char *at, size_t length, size_t prefix, bool *fits)
{
    const char *end = at + length;
    int rc = 0;
    *fits = false;
    /* a column's name may hold ")." too: the first split that has a meaning */
    for (const char *close = at + prefix; !*fits && (close = memmem(close, (size_t)(end - close), ").", 2)); close++) {
        const char *metric = close + 2;
        size_t metric_length = (size_t)(end - metric);
        enum slice_name_bound bound = out->bound;
        if (out->kind == SLICE_NAME_WORST && !out->bound) {
            (void)take_bound(&bound, &metric, &metric_length);
        }
        if (close == at + prefix || !metric_length) {
            continue;
        }
        struct slice_name split = {out->kind, bound, mem_strndup(at + prefix, (size_t)(close - at) - prefix),
                                   mem_strndup(metric, metric_length)};
        rc = split.slice && split.metric ? check(&split) : RECO_E_NOMEM;
        *fits = !rc;
        if (rc) {
            slice_name_release(&split);
        } else {
            *out = split;
        }
        if (rc == RECO_E_NOMEM) {
            return rc;
        }
    }
    return rc;
}

int slice_name_parse(struct slice_name *out, const char *name)
{
    static const struct {
        const char *prefix;
        enum slice_name_kind kind;
    } kinds[] = {{"worst(", SLICE_NAME_WORST}, {"gap(", SLICE_NAME_GAP}};
    *out = (struct slice_name){0};
    const char *at = name;
    size_t length = strlen(name);
    (void)take_bound(&out->bound, &at, &length);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t prefix = strlen(kinds[i].prefix);
        if (length >= prefix && !strncmp(at, kinds[i].prefix, prefix)) {
            bool fits;
            out->kind = kinds[i].kind;
            int rc = take_parts(out, at, length, prefix, &fits);
            return fits || rc
                       ? rc
                       : err_set(RECO_E_USAGE, "cannot parse '%s': it is worst(slice).metric or gap(slice).name", name);
        }
    }
    out->metric = mem_strndup(at, length);
    int rc = out->metric ? check(out) : RECO_E_NOMEM;
    if (rc) {
        slice_name_release(out);
    }
    return rc;
}

/* ---- values ---- */

static double bound_of(const struct interval *interval, enum slice_name_bound bound)
{
    return bound == SLICE_NAME_LOW ? interval->low : interval->high;
}

static void find_gap(struct slice_found *out, const struct slice_name *name)
{
    out->gap = 0;
    while (strcmp(slice_gap_names[out->gap], name->metric) != 0) { /* it was checked when parsed */
        out->gap++;
    }
    out->value = out->of->gaps[out->gap];
    out->reason = isnan(out->value) ? "fewer than two groups of enough rows have a rate" : NULL;
    if (!out->reason && name->bound) {
        const struct interval *interval = out->of->gap_intervals ? &out->of->gap_intervals[out->gap] : NULL;
        out->reason = interval ? interval->reason : "there are no intervals";
        out->value = out->reason ? NAN : bound_of(interval, name->bound);
    }
}

static void find_worst(struct slice_found *out, const struct eval_slices *s, const struct slice_name *name)
{
    size_t m = 0;
    while (m < s->metric_count && strcmp(s->metrics[m], slice_metric_name(name->metric)) != 0) {
        m++;
    }
    out->reason = m < s->metric_count ? NULL : "it is no figure of the slices";
    for (size_t g = 0; !out->reason && g < out->of->groups.count; g++) {
        const struct slice_group *item = &out->of->items[g];
        double value = item->values[m];
        if (item->small || !item->rows) {
            continue;
        }
        out->groups++;
        if (isnan(value)) {
            out->undefined++;
            continue;
        }
        if (name->bound) {
            const struct interval *interval = item->intervals ? &item->intervals[m] : NULL;
            if (!interval || interval->reason) {
                out->reason = interval ? "a group has no interval" : "there are no intervals";
                out->item = item;
                out->value = NAN;
                return;
            }
            value = bound_of(interval, name->bound);
        }
        if (!out->item || (s->directions[m] < 0 ? value > out->value : value < out->value)) {
            out->item = item;
            out->value = value;
        }
    }
    if (!out->reason && !out->item) {
        out->reason = "no group of enough rows has a value";
    }
}

void eval_slices_find(struct slice_found *out, const struct eval_slices *s, const struct slice_name *name)
{
    *out = (struct slice_found){.value = NAN, .gap = SLICE_GAP_COUNT, .reason = "there are no slices"};
    if (!s) {
        return;
    }
    out->reason = "there is no such slice";
    for (size_t i = 0; i < s->count && !out->of; i++) {
        out->of = !strcmp(s->slices[i].name, name->slice) ? &s->slices[i] : NULL;
    }
    if (out->of && name->kind == SLICE_NAME_GAP) {
        find_gap(out, name);
    } else if (out->of) {
        find_worst(out, s, name);
    }
}

int eval_slices_explain(const struct slice_found *found, struct buf *b)
{
    int rc = 0;
    if (found->item) {
        rc = buf_printf(b, " (%s, %zu rows", found->item->name, found->item->rows);
        if (!rc && found->undefined) {
            rc = buf_printf(b, "; undefined in %zu of %zu groups", found->undefined, found->groups);
        }
        rc = rc ? rc : buf_add_char(b, ')');
    } else if (found->gap < SLICE_GAP_COUNT && !isnan(found->of->gaps[found->gap])) {
        const struct slice_gap_ends *ends = &found->of->gap_ends[found->gap];
        char *const *names = found->of->groups.names;
        rc = buf_printf(b, " (%s %.4g, %s %.4g)", names[ends->least], ends->low, names[ends->greatest], ends->high);
    }
    return rc;
}
