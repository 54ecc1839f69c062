/* The name of a slice: "brand", "price:quartile", "lang+price:10|50", "seen:user". */

#include <math.h>
#include <string.h>

#include "data/decimal.h"
#include "eval/slice_internal.h"

const char *const slice_built_in[] = {"query_length", "query_frequency", "seen_query", "seen_item", "truncated", NULL};

/* "10|50": ascending numbers */
static bool parse_edges(struct slice_part *out, const char *text)
{
    while (out->edge_count < SLICE_BINS_MAX - 1) {
        size_t length = strcspn(text, "|");
        double edge;
        if (!decimal_parse(text, length, &edge) || !isfinite(edge) ||
            (out->edge_count && edge <= out->edges[out->edge_count - 1])) {
            return false;
        }
        out->edges[out->edge_count++] = edge;
        if (!text[length]) {
            return true;
        }
        text += length + 1;
    }
    return false;
}

static bool parse_bins(struct slice_part *out, const char *text)
{
    double bins;
    out->kind = SLICE_BINS;
    if (!strcmp(text, "quartile") || !strcmp(text, "decile")) {
        out->bins = strcmp(text, "decile") ? 4 : 10;
        return true;
    }
    if (strchr(text, '|')) {
        out->kind = SLICE_EDGES;
        return parse_edges(out, text);
    }
    if (!decimal_parse(text, strlen(text), &bins) || !(bins >= 2 && bins <= SLICE_BINS_MAX) || bins != floor(bins)) {
        return false;
    }
    out->bins = (size_t)bins;
    return true;
}

/* The built-in slice of that name. */
static bool parse_built_in(struct slice_part *out)
{
    static const struct {
        const char *name;
        enum slice_kind kind;
        const char *column;
    } rows[] = {{"query_length", SLICE_LENGTH, ""},
                {"query_frequency", SLICE_FREQUENCY, "query_id"},
                {"seen_query", SLICE_SEEN, "query_id"},
                {"seen_item", SLICE_SEEN, "item_id"},
                {"truncated", SLICE_TRUNCATED, ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!strcmp(out->column, rows[i].name)) {
            out->kind = rows[i].kind;
            memcpy(out->column, rows[i].column, strlen(rows[i].column) + 1);
            return true;
        }
    }
    return false;
}

static int parse_part(struct slice_part *out, const char *text, size_t length, const char *slice)
{
    static const char seen[] = "seen:";
    *out = (struct slice_part){0};
    if (!length || length >= sizeof out->column) {
        return err_set(RECO_E_USAGE, "slice '%s' names no column", slice);
    }
    memcpy(out->column, text, length);
    if (parse_built_in(out)) {
        return 0;
    }
    if (!strncmp(out->column, seen, sizeof seen - 1) && out->column[sizeof seen - 1]) {
        out->kind = SLICE_SEEN;
        memmove(out->column, out->column + sizeof seen - 1, length - (sizeof seen - 1) + 1);
        return 0;
    }
    char *colon = strrchr(out->column, ':');
    if (colon == out->column) {
        return err_set(RECO_E_USAGE, "slice '%s' names no column", slice);
    }
    if (colon && !parse_bins(out, colon + 1)) {
        return err_set(
            RECO_E_USAGE,
            "slice '%s': after the colon stands quartile, decile, a number of bins from 2 to %d, or ascending "
            "numbers as 10|50",
            slice, SLICE_BINS_MAX);
    }
    if (colon) {
        *colon = '\0';
    }
    return 0;
}

int slice_parse(struct slice_part *parts, size_t *count, const char *slice)
{
    const char *at = slice;
    int rc = 0;
    *count = 0;
    do {
        size_t length = strcspn(at, "+");
        if (*count == SLICE_PARTS_MAX) {
            return err_set(RECO_E_USAGE, "slice '%s': at most %d are put together", slice, SLICE_PARTS_MAX);
        }
        rc = parse_part(&parts[(*count)++], at, length, slice);
        at += length;
    } while (!rc && *at++);
    return rc;
}

int slice_check(const char *slice)
{
    struct slice_part parts[SLICE_PARTS_MAX];
    size_t count;
    return slice_parse(parts, &count, slice);
}

enum slice_training_use slice_training_use(const char *slice)
{
    struct slice_part parts[SLICE_PARTS_MAX];
    size_t count;
    enum slice_training_use use = SLICE_TRAINING_NO;
    if (slice_parse(parts, &count, slice)) {
        return use;
    }
    for (size_t i = 0; i < count; i++) {
        enum slice_training_use of_part = parts[i].kind == SLICE_SEEN        ? SLICE_TRAINING_MUST
                                          : parts[i].kind == SLICE_FREQUENCY ? SLICE_TRAINING_MAY
                                                                             : SLICE_TRAINING_NO;
        use = of_part > use ? of_part : use;
    }
    return use;
}

bool slice_training_wants(const char *slice, const char *column)
{
    struct slice_part parts[SLICE_PARTS_MAX];
    size_t count;
    bool wants = false;
    if (slice_parse(parts, &count, slice)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool training = parts[i].kind == SLICE_SEEN || parts[i].kind == SLICE_FREQUENCY;
        wants = wants || (training && !strcmp(parts[i].column, column));
    }
    return wants;
}
