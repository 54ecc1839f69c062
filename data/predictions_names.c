#include "data/predictions_names.h"

#include <string.h>

#include "core/mem.h"
#include "data/columns.h"

const char *const predictions_column_names[PREDICTIONS_COLUMN_COUNT] = {
    "row_id",  "query_id",  "item_id", "label", "predicted",  "score",  "tokens",  "truncated", "position",
    "clicked", "converted", "dwell_s", "depth", "propensity", "carted", "ordered", "revenue",   "delay_s"};
const char *const predictions_column_options[PREDICTIONS_COLUMN_COUNT] = {"id_column",
                                                                          "query_id_column",
                                                                          "item_id_column",
                                                                          "label_column",
                                                                          "predicted_column",
                                                                          "score_column",
                                                                          NULL,
                                                                          NULL,
                                                                          "position_column",
                                                                          "clicked_column",
                                                                          "converted_column",
                                                                          "dwell_column",
                                                                          "depth_column",
                                                                          "propensity_column",
                                                                          "carted_column",
                                                                          "ordered_column",
                                                                          "revenue_column",
                                                                          "delay_column"};
const char *const *const predictions_event_names = predictions_column_names + PREDICTIONS_FIXED_COUNT;
_Static_assert((int)PREDICTIONS_TRUNCATED == (int)COLUMN_TRUNCATED, "the kinds of columns come in the same order");
_Static_assert((int)PREDICTIONS_COLUMN_COUNT == (int)PREDICTIONS_FIXED_COUNT + (int)PREDICTIONS_EVENT_COUNT,
               "every event has a column");

struct naming {
    struct column *columns;
    bool *taken; /* [count] */
    struct columns names;
    const char *path;
};

static int take(struct naming *n, size_t at, const char *option)
{
    if (n->taken[at]) {
        return err_set(RECO_E_USAGE, "column '%s' of '%s' is asked for twice, the second time by --%s",
                       n->names.names[at], n->path, option);
    }
    n->taken[at] = true;
    return 0;
}

/* The column of one of reco's names; *at is count when there is none. */
static int find_one(const struct naming *n, const struct predictions_source *source, size_t which, size_t *at)
{
    const char *own = predictions_column_names[which];
    const char *given = source ? source->columns[which].name : NULL;
    const char *option = predictions_column_options[which];
    *at = n->names.count;
    if (given && (source->columns[which].asked || (!columns_have(&n->names, own) && columns_have(&n->names, given)))) {
        return columns_find(&n->names, option, given, at);
    }
    return columns_have(&n->names, own) ? columns_find(&n->names, option ? option : own, own, at) : 0;
}

static int take_probability(struct naming *n, size_t at, const char *label, size_t length)
{
    int rc = take(n, at, "probability_columns");
    n->columns[at].kind = COLUMN_P;
    if (!rc && label) {
        n->columns[at].label = mem_strndup(label, length);
        rc = n->columns[at].label ? 0 : RECO_E_NOMEM;
    }
    return rc;
}

/* All columns that fit the pattern and are nothing else; the number of them. */
static int take_pattern(struct naming *n, const char *pattern, size_t *found)
{
    size_t before = strcspn(pattern, "*");
    const char *end = pattern + before + 1;
    size_t behind = strlen(end);
    *found = 0;
    for (size_t i = 0; i < n->names.count; i++) {
        const char *name = n->names.names[i];
        size_t length = strlen(name);
        if (n->taken[i] || length <= before + behind || strncmp(name, pattern, before) != 0 ||
            strcmp(name + length - behind, end) != 0) {
            continue;
        }
        int rc = take_probability(n, i, name + before, length - before - behind);
        if (rc) {
            return rc;
        }
        ++*found;
    }
    return 0;
}

/* "label=column", a column called like its label, or a pattern. */
static int take_item(struct naming *n, const char *item, bool alone)
{
    static const char option[] = "probability_columns";
    size_t at;
    size_t found;
    if (columns_have(&n->names, item)) {
        int rc = columns_find(&n->names, option, item, &at);
        return rc ? rc : take_probability(n, at, alone ? NULL : item, strlen(item));
    }
    const char *last = NULL;
    for (const char *equals = strchr(item, '='); equals; equals = strchr(equals + 1, '=')) {
        last = equals;
        if (columns_have(&n->names, equals + 1)) {
            int rc = columns_find(&n->names, option, equals + 1, &at);
            return rc ? rc : take_probability(n, at, item, (size_t)(equals - item));
        }
    }
    if (strchr(item, '*')) {
        int rc = take_pattern(n, item, &found);
        return rc || found ? rc : err_set(RECO_E_USAGE, "no column of '%s' is like '%s' (--%s)", n->path, item, option);
    }
    return columns_find(&n->names, option, last ? last + 1 : item, &at);
}

static int take_probabilities(struct naming *n, const struct predictions_source *source)
{
    size_t found;
    if (!source || !source->probability_count) {
        return take_pattern(n, "p_*", &found);
    }
    for (size_t i = 0; i < source->probability_count; i++) {
        int rc = take_item(n, source->probabilities[i], source->probability_count == 1);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

static int check_doubled(const struct naming *n)
{
    for (size_t i = 0; i < n->names.count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (!strcmp(n->names.names[k], n->names.names[i])) {
                return err_set(RECO_E_DATA, "cannot parse '%s' line 1: doubled column '%.200s'", n->path,
                               n->names.names[i]);
            }
        }
    }
    return 0;
}

int predictions_name_columns(struct column *columns, char *const *names, size_t count, const char *path,
                             const struct predictions_source *source)
{
    char *label = mem_printf("'%s'", path);
    struct naming n = {.columns = columns,
                       .taken = mem_calloc(count + 1, sizeof *n.taken),
                       .names = {.names = (const char *const *)names, .count = count, .label = label},
                       .path = path};
    int rc = label && n.taken ? check_doubled(&n) : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < count; i++) {
        columns[i].kind = COLUMN_EXTRA;
    }
    for (size_t which = 0; !rc && which < PREDICTIONS_COLUMN_COUNT; which++) {
        size_t at;
        rc = find_one(&n, source, which, &at);
        if (!rc && at < count) {
            bool is_event = which >= PREDICTIONS_FIXED_COUNT;
            rc = take(&n, at, predictions_column_options[which] ? predictions_column_options[which] : "");
            columns[at].kind = is_event ? COLUMN_EVENT : (enum column_kind)which;
            columns[at].place = is_event ? which - PREDICTIONS_FIXED_COUNT : 0;
        }
    }
    rc = rc ? rc : take_probabilities(&n, source);
    mem_free(n.taken);
    mem_free(label);
    return rc;
}

void predictions_columns_free(struct column *columns, size_t count)
{
    for (size_t i = 0; columns && i < count; i++) {
        mem_free(columns[i].label);
    }
    mem_free(columns);
}
