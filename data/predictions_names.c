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

static const char probability_option[] = "probability_columns";

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

/* The column of one of reco's names, among those that were asked for or the others; *at is count when there is none. */
static int find_one(const struct naming *n, const struct predictions_source *source, size_t which, bool asked,
                    size_t *at)
{
    const char *own = predictions_column_names[which];
    const char *given = source ? source->columns[which].name : NULL;
    const char *option = predictions_column_options[which];
    *at = n->names.count;
    if (asked) {
        return given && source->columns[which].asked ? columns_find(&n->names, option, given, at) : 0;
    }
    if (given && source->columns[which].asked) {
        return 0;
    }
    const char *name = given && !columns_have(&n->names, own) ? given : own;
    int rc = columns_have(&n->names, name) ? columns_find(&n->names, own, name, at) : 0;
    if (!rc && *at < n->names.count && n->taken[*at]) { /* it was asked for as something else */
        *at = n->names.count;
    }
    return rc;
}

static int name_all(struct naming *n, const struct predictions_source *source, bool asked)
{
    int rc = 0;
    for (size_t which = 0; !rc && which < PREDICTIONS_COLUMN_COUNT; which++) {
        size_t at;
        rc = find_one(n, source, which, asked, &at);
        if (!rc && at < n->names.count) {
            bool is_event = which >= PREDICTIONS_FIXED_COUNT;
            rc = take(n, at, predictions_column_options[which]);
            n->columns[at].kind = is_event ? COLUMN_EVENT : (enum column_kind)which;
            n->columns[at].place = is_event ? which - PREDICTIONS_FIXED_COUNT : 0;
        }
    }
    return rc;
}

static int take_probability(struct naming *n, size_t at, const char *label, size_t length)
{
    int rc = take(n, at, probability_option);
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

static bool is_pattern(const struct naming *n, const char *item)
{
    return !columns_have(&n->names, item) && strchr(item, '*');
}

/* "label=column", or a column called like its label. */
static int take_item(struct naming *n, const char *item, bool alone)
{
    size_t at;
    if (columns_have(&n->names, item)) {
        int rc = columns_find(&n->names, probability_option, item, &at);
        return rc ? rc : take_probability(n, at, alone ? NULL : item, strlen(item));
    }
    const char *last = NULL;
    for (const char *equals = strchr(item, '='); equals; equals = strchr(equals + 1, '=')) {
        last = equals;
        if (columns_have(&n->names, equals + 1)) {
            int rc = columns_find(&n->names, probability_option, equals + 1, &at);
            return rc ? rc : take_probability(n, at, item, (size_t)(equals - item));
        }
    }
    return columns_find(&n->names, probability_option, last ? last + 1 : item, &at);
}

/* Single columns, which may also be those of reco's names, come before them, and patterns behind. */
static int take_probabilities(struct naming *n, const struct predictions_source *source, bool patterns)
{
    static const char *const own = "p_*";
    const char *const *items = source && source->probability_count ? source->probabilities : &own;
    size_t count = source && source->probability_count ? source->probability_count : 1;
    int rc = 0;
    for (size_t i = 0; !rc && i < count; i++) {
        size_t found = 1;
        if (is_pattern(n, items[i]) != patterns) {
            continue;
        }
        rc = patterns ? take_pattern(n, items[i], &found) : take_item(n, items[i], count == 1);
        if (!rc && !found && items != &own) {
            rc = err_set(RECO_E_USAGE, "no column of '%s' is like '%s' (--%s)", n->path, items[i], probability_option);
        }
    }
    return rc;
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
    rc = rc ? rc : name_all(&n, source, true);
    rc = rc ? rc : take_probabilities(&n, source, false);
    rc = rc ? rc : name_all(&n, source, false);
    rc = rc ? rc : take_probabilities(&n, source, true);
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
