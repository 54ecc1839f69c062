/* Groups that are known without a column: how long and how frequent a query is, what training has seen. */

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/script_detect.h"
#include "data/utf8.h"
#include "eval/slice_internal.h"

static int add_groups(struct slice_groups *g, const char *const *names)
{
    int rc = 0;
    for (size_t i = 0; !rc && names[i]; i++) {
        rc = slice_add_group(g, names[i]);
    }
    return rc;
}

/* ---- length ---- */

static size_t script_number(const char *name)
{
    size_t script = 0;
    while (script < script_count() && strcmp(script_name(script), name) != 0) {
        script++;
    }
    return script;
}

static bool is_blank(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Words between blanks; a Chinese character or a kana is one of its own, as their scripts put no blanks. */
static size_t count_words(const char *text, size_t han, size_t kana)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + strlen(text);
    size_t words = 0;
    bool inside = false;
    while (at < end) {
        uint32_t c;
        at += utf8_decode(at, end, &c);
        size_t script = c < 0x2E80 ? 0 : script_of(c);
        bool alone = script && (script == han || script == kana);
        bool blank = is_blank(c);
        words += alone || (!blank && !inside);
        inside = !blank && !alone;
    }
    return words;
}

int slice_by_length(struct slice_groups *g, const struct predictions *p, const char *text_column)
{
    static const char *const names[] = {"1 word", "2 words", "3 to 4 words", "5 to 8 words", "9 words and more", NULL};
    size_t han = script_number("han");
    size_t kana = script_number("kana");
    struct slice_column column;
    int rc = slice_column_find(&column, p, text_column ? text_column : "query");
    if (rc) {
        return err_prepend(rc, "query_length needs the query's text (--query_text)");
    }
    rc = add_groups(g, names);
    for (size_t row = 0; !rc && row < p->rows; row++) {
        char space[SLICE_NUMBER_SIZE];
        size_t words = count_words(slice_column_text(&column, p, row, space), han, kana);
        g->of_row[row] = !words       ? SLICE_NO_GROUP
                         : words <= 2 ? (uint32_t)words - 1
                         : words <= 4 ? 2
                         : words <= 8 ? 3
                                      : 4;
    }
    return rc;
}

/* ---- truncation ---- */

int slice_by_truncation(struct slice_groups *g, const struct predictions *p)
{
    static const char *const names[] = {"whole", "truncated", NULL};
    if (!p->truncated) {
        return err_set(RECO_E_USAGE, "cannot slice by 'truncated': the predictions have no such column");
    }
    for (size_t row = 0; row < p->rows; row++) {
        g->of_row[row] = p->truncated[row];
    }
    return add_groups(g, names);
}

/* ---- training ---- */

int slice_by_seen(struct slice_groups *g, const struct predictions *p, const char *name,
                  const struct slice_training *training)
{
    static const char *const names[] = {"seen", "unseen", NULL};
    struct slice_column column;
    if (!training) {
        return err_set(RECO_E_USAGE, "what of '%s' was seen in training needs --train_dataset", name);
    }
    if (!slice_training_has(training, name)) {
        return err_set(RECO_E_USAGE,
                       "what was seen in training cannot be told: its dataset has no column '%s' (%s takes it along)",
                       name,
                       !strcmp(name, "query_id")  ? "reco prepare --query_id_column"
                       : !strcmp(name, "item_id") ? "reco prepare --item_id_column"
                                                  : "reco prepare --carry");
    }
    int rc = slice_column_find(&column, p, name);
    for (size_t row = 0; !rc && row < p->rows; row++) {
        char space[SLICE_NUMBER_SIZE];
        uint64_t count = 0;
        const char *value = slice_column_text(&column, p, row, space);
        rc = *value ? slice_training_count(&count, training, name, value) : 0;
        g->of_row[row] = *value ? !count : SLICE_NO_GROUP;
    }
    return rc ? rc : add_groups(g, names);
}

/* ---- frequency ---- */

struct frequent {
    uint64_t times;
    size_t rows;
    uint32_t query;
};

static int compare_frequent(const void *left, const void *right)
{
    const struct frequent *a = left;
    const struct frequent *b = right;
    return a->times > b->times ? -1 : a->times < b->times ? 1 : a->query < b->query ? -1 : a->query > b->query;
}

/* Queries of one frequency are in one group: that of the middle of their rows. */
int slice_by_frequency(struct slice_groups *g, const struct predictions *p, const struct slice_training *training)
{
    static const char *const names[] = {"head", "torso", "tail", NULL};
    bool trained = slice_training_has(training, "query_id");
    if (!p->query) {
        return err_set(RECO_E_USAGE, "cannot slice by 'query_frequency': the predictions have no column 'query_id'");
    }
    struct frequent *queries = mem_calloc(p->query_count + 1, sizeof *queries);
    uint32_t *group = mem_calloc(p->query_count + 1, sizeof *group);
    int rc = queries && group ? add_groups(g, names) : RECO_E_NOMEM;
    for (size_t row = 0; !rc && row < p->rows; row++) {
        queries[p->query[row]].rows++;
    }
    g->note = trained ? "the frequency of a query: its rows in training"
                      : "the frequency of a query: its rows in these predictions (--train_dataset: in training)";
    double total = 0;
    for (uint32_t q = 0; !rc && q < p->query_count; q++) {
        queries[q].query = q;
        queries[q].times = queries[q].rows;
        if (trained) {
            rc = slice_training_count(&queries[q].times, training, "query_id", p->query_ids[q]);
        }
        total += (double)queries[q].times;
    }
    if (!rc) {
        qsort(queries, p->query_count, sizeof *queries, compare_frequent);
    }
    double before = 0;
    for (size_t i = 0; !rc && i < p->query_count;) {
        size_t end = i;
        while (end < p->query_count && queries[end].times == queries[i].times) {
            end++;
        }
        double of_these = (double)queries[i].times * (double)(end - i);
        double middle = total > 0 ? (before + of_these / 2) / total : 1;
        for (; i < end; i++) {
            group[queries[i].query] = !queries[i].times || middle > 2.0 / 3 ? 2 : middle > 1.0 / 3 ? 1 : 0;
        }
        before += of_these;
    }
    for (size_t row = 0; !rc && row < p->rows; row++) {
        g->of_row[row] = group[p->query[row]];
    }
    mem_free(queries);
    mem_free(group);
    return rc;
}
