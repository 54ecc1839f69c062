#include "data/negatives.h"

#include <math.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "core/stop.h"
#include "data/bm25.h"

const char *const negative_method_choices[] = {"none", "uniform", "popularity", "category", "bm25", NULL};

enum {
    MAX_TRIES = 64,   /* draws that may hit an item in use, before the free ones are counted out */
    MAX_BATCH = 1024, /* queries searched at a time */
    STOP_EVERY = 4096 /* queries or items between two looks for a signal */
};

int negative_options_check(const struct negative_options *o)
{
    if (o->negatives == NEGATIVE_NONE)
        return 0;
    if (o->negatives_per_positive < 1 || o->negatives_per_positive > 1000)
        return err_set(RECO_E_USAGE, "--negatives_per_positive is %lld: 1 to 1000 make sense",
                       (long long)o->negatives_per_positive);
    if (!(o->negative_power >= 0.0) || !isfinite(o->negative_power))
        return err_set(RECO_E_USAGE, "--negative_power is %g: it must be at least 0", o->negative_power);
    if (o->negative_label == NULL || o->negative_label[0] == '\0')
        return err_set(RECO_E_USAGE, "--negatives needs a --negative_label");
    if (o->negatives == NEGATIVE_CATEGORY && o->category_column == NULL)
        return err_set(RECO_E_USAGE, "--negatives category needs --category_column");
    if (o->negative_rank_from < 1 || o->negative_rank_to < o->negative_rank_from || o->negative_rank_to > 1000000)
        return err_set(RECO_E_USAGE, "--negative_rank_from %lld --negative_rank_to %lld: these are no ranks",
                       (long long)o->negative_rank_from, (long long)o->negative_rank_to);
    return 0;
}

struct draw {
    const struct negative_options *options;
    const struct negatives_input *in;
    struct negatives_counts *counts;
    uint32_t *used_by;        /* [item_count] query + 1 that has used the item */
    double *up_to;            /* popularity: [item_count + 1] sums of weights */
    uint32_t *by_category;    /* category: items, sorted by category */
    uint64_t *category_start; /* [item_count + 1] into by_category */

    /* the numbers of one negative */
    uint32_t query;
    uint64_t place, ordinal, tries;
};

/* ---- one draw
 * -------------------------------------------------------------------------------------------------------------- */

/* The next number in [0, 1) of this negative. */
static double next_uniform(struct draw *d)
{
    const uint64_t name[] = {(uint64_t)d->options->negative_seed, d->in->query_key[d->query], d->place, d->ordinal,
                             d->tries++};

    return (double)(hash_u64(name, sizeof name, 0) >> 11) * 0x1p-53;
}

static bool is_free(const struct draw *d, uint32_t item)
{
    return d->used_by[item] != d->query + 1 &&
           (d->in->is_known == NULL || !d->in->is_known(d->in->arg, d->query, item));
}

/* Uniform among the free ones of items [count] (NULL: all items). Few are free: they are counted out. */
static bool pick(struct draw *d, const uint32_t *items, size_t count, uint32_t *item)
{
    size_t unused = 0;

    for (int i = 0; count > 0 && i < MAX_TRIES; i++) {
        size_t at = (size_t)(next_uniform(d) * (double)count);
        *item = items != NULL ? items[at] : (uint32_t)at;
        if (is_free(d, *item))
            return true;
    }
    for (size_t i = 0; i < count; i++)
        unused += is_free(d, items != NULL ? items[i] : (uint32_t)i);
    if (unused == 0)
        return false;
    size_t wanted = (size_t)(next_uniform(d) * (double)unused);
    for (size_t i = 0;; i++) {
        *item = items != NULL ? items[i] : (uint32_t)i;
        if (is_free(d, *item) && wanted-- == 0)
            return true;
    }
}

/* The item in whose share of the sums a value lies. */
static uint32_t find_share(const double *up_to, size_t count, double value)
{
    size_t low = 0, high = count; /* up_to[low] <= value < up_to[high] */

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (up_to[middle] <= value)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

static bool pick_popular(struct draw *d, uint32_t *item)
{
    size_t count = d->in->item_count, last = count;
    double all = d->up_to[count], unused = 0;

    for (int i = 0; all > 0 && i < MAX_TRIES; i++) {
        *item = find_share(d->up_to, count, next_uniform(d) * all);
        if (is_free(d, *item))
            return true;
    }
    for (size_t i = 0; i < count; i++)
        if (is_free(d, (uint32_t)i) && d->up_to[i + 1] > d->up_to[i]) {
            unused += d->up_to[i + 1] - d->up_to[i];
            last = i;
        }
    if (last == count)
        return false;
    double wanted = next_uniform(d) * unused;
    for (size_t i = 0; i < last; i++)
        if (is_free(d, (uint32_t)i)) {
            double share = d->up_to[i + 1] - d->up_to[i];
            if (share > 0 && wanted < share) {
                *item = (uint32_t)i;
                return true;
            }
            wanted -= share;
        }
    *item = (uint32_t)last;
    return true;
}

/* candidates [count]: the ranks of the query, BM25 only. */
static bool draw_one(struct draw *d, uint32_t positive, const uint32_t *candidates, size_t count, uint32_t *item)
{
    switch ((enum negative_method)d->options->negatives) {
    case NEGATIVE_POPULARITY:
        return pick_popular(d, item);
    case NEGATIVE_CATEGORY: {
        uint32_t category = d->in->item_category[positive];
        if (category != NEGATIVE_NO_CATEGORY) {
            candidates = d->by_category + d->category_start[category];
            count = (size_t)(d->category_start[category + 1] - d->category_start[category]);
        }
        break;
    }
    case NEGATIVE_NONE:
    case NEGATIVE_UNIFORM:
    case NEGATIVE_BM25:
        break;
    }
    if (d->options->negatives != NEGATIVE_UNIFORM) {
        if (pick(d, candidates, count, item))
            return true;
        if (!pick(d, NULL, d->in->item_count, item))
            return false;
        d->counts->fallbacks++;
        return true;
    }
    return pick(d, NULL, d->in->item_count, item);
}

/*
 * All negatives of a query. ranked [ranked_count]: BM25, its items from the best on, at least negative_rank_to of them
 * besides the positives where there are so many.
 */
static int draw_query(struct draw *d, uint32_t query, uint32_t *ranked, size_t ranked_count, negatives_emit_fn *emit,
                      void *emit_arg)
{
    const struct negatives_input *in = d->in;
    size_t count = 0, skipped = (size_t)d->options->negative_rank_from - 1;
    size_t last = (size_t)d->options->negative_rank_to;
    int rc = 0;

    d->query = query;
    for (uint64_t p = in->positive_start[query]; p < in->positive_start[query + 1]; p++)
        d->used_by[in->positive_item[p]] = query + 1;
    for (size_t i = 0; i < ranked_count; i++)
        if (is_free(d, ranked[i]))
            ranked[count++] = ranked[i];
    count = count < last ? count : last;
    for (size_t i = 0; i < count && i < skipped; i++)
        d->used_by[ranked[i]] = query + 1;
    for (uint64_t p = in->positive_start[query]; rc == 0 && p < in->positive_start[query + 1]; p++) {
        d->place = p - in->positive_start[query];
        for (d->ordinal = 0; rc == 0 && d->ordinal < (uint64_t)d->options->negatives_per_positive; d->ordinal++) {
            uint32_t item;
            d->tries = 0;
            if (!draw_one(d, in->positive_item[p], count > skipped ? ranked + skipped : NULL,
                          count > skipped ? count - skipped : 0, &item)) {
                d->counts->missing++;
                continue;
            }
            d->used_by[item] = query + 1;
            d->counts->drawn++;
            rc = emit(emit_arg, query, p, (uint32_t)d->ordinal, item);
        }
    }
    return rc;
}

/* ---- the pool of items
 * ----------------------------------------------------------------------------------------------------- */

static int sum_popularity(struct draw *d)
{
    d->up_to = mem_calloc(d->in->item_count + 1, sizeof *d->up_to);
    if (d->up_to == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < d->in->item_count; i++)
        d->up_to[i + 1] = d->up_to[i] + pow((double)d->in->item_rows[i], d->options->negative_power);
    return 0;
}

static int sort_categories(struct draw *d)
{
    const struct negatives_input *in = d->in;

    d->by_category = mem_calloc(in->item_count + 1, sizeof *d->by_category);
    d->category_start = mem_calloc(in->item_count + 2, sizeof *d->category_start);
    if (d->by_category == NULL || d->category_start == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < in->item_count; i++) {
        if (in->item_category[i] == NEGATIVE_NO_CATEGORY)
            continue;
        if (in->item_category[i] >= in->item_count)
            return err_set(RECO_E_INTERNAL, "category %u of %zu items", in->item_category[i], in->item_count);
        d->category_start[in->item_category[i] + 2]++;
    }
    /* One place ahead of its use: filling the categories moves every start to the end of its category. */
    for (size_t i = 2; i < in->item_count + 2; i++)
        d->category_start[i] += d->category_start[i - 1];
    for (size_t i = 0; i < in->item_count; i++)
        if (in->item_category[i] != NEGATIVE_NO_CATEGORY)
            d->by_category[d->category_start[in->item_category[i] + 1]++] = (uint32_t)i;
    return 0;
}

static int index_items(const struct negatives_input *in, struct bm25 **out)
{
    struct bm25 *index = NULL;
    struct buf text = {0};
    int rc = bm25_new(&index, in->tmp_dir);

    for (size_t i = 0; rc == 0 && i < in->item_count; i++) {
        buf_clear(&text);
        rc = i % STOP_EVERY == 0 && stop_requested() ? err_set(RECO_E_STOPPED, "stopped while drawing negatives")
                                                     : in->item_text(in->arg, (uint32_t)i, &text);
        if (rc == 0)
            rc = bm25_add(index, buf_str(&text), text.length);
    }
    if (rc == 0)
        rc = bm25_finish(index, in->pool != NULL ? (size_t)pool_threads(in->pool) : 1);
    buf_release(&text);
    if (rc < 0)
        bm25_free(index);
    else
        *out = index;
    return rc;
}

/* ---- searching, many queries at a time
 * ------------------------------------------------------------------------------------- */

struct search {
    struct buf text;
    size_t limit, count;
    uint32_t *ranked; /* [limit] */
    size_t capacity;
};

struct batch {
    struct bm25 *index;
    size_t lanes, used;
    struct search searches[MAX_BATCH];
};

/* Task lane: every lanes-th query of the batch. */
static int search_share(void *arg, size_t lane)
{
    struct batch *b = arg;
    int rc = 0;

    for (size_t i = lane; rc == 0 && i < b->used; i += b->lanes) {
        struct search *s = &b->searches[i];
        rc = bm25_search(b->index, lane, buf_str(&s->text), s->text.length, s->limit, s->ranked, &s->count);
    }
    return rc;
}

static int fill_batch(struct batch *b, const struct negative_options *o, const struct negatives_input *in, size_t first)
{
    int rc = 0;

    b->used = in->query_count - first < MAX_BATCH ? in->query_count - first : MAX_BATCH;
    for (size_t i = 0; rc == 0 && i < b->used; i++) {
        struct search *s = &b->searches[i];
        size_t positives = (size_t)(in->positive_start[first + i + 1] - in->positive_start[first + i]);

        s->limit = positives == 0 ? 0 : (size_t)o->negative_rank_to + positives;
        s->limit = s->limit < in->item_count ? s->limit : in->item_count;
        buf_clear(&s->text);
        rc = mem_grow((void **)&s->ranked, &s->capacity, s->limit, sizeof *s->ranked);
        if (rc == 0)
            rc = in->query_text(in->arg, (uint32_t)(first + i), &s->text);
    }
    return rc;
}

static int draw_bm25(struct draw *d, negatives_emit_fn *emit, void *emit_arg)
{
    const struct negatives_input *in = d->in;
    struct batch *b = mem_calloc(1, sizeof *b);
    int rc = b == NULL ? RECO_E_NOMEM : index_items(in, &b->index);

    if (rc == 0)
        b->lanes = in->pool != NULL ? (size_t)pool_threads(in->pool) : 1;
    for (size_t first = 0; rc == 0 && first < in->query_count; first += b->used) {
        rc = stop_requested() ? err_set(RECO_E_STOPPED, "stopped while drawing negatives")
                              : fill_batch(b, d->options, in, first);
        if (rc == 0)
            rc = in->pool != NULL ? pool_run(in->pool, b->lanes, search_share, b) : search_share(b, 0);
        for (size_t i = 0; rc == 0 && i < b->used; i++)
            rc = draw_query(d, (uint32_t)(first + i), b->searches[i].ranked, b->searches[i].count, emit, emit_arg);
    }
    if (b != NULL) {
        for (size_t i = 0; i < MAX_BATCH; i++) {
            buf_release(&b->searches[i].text);
            mem_free(b->searches[i].ranked);
        }
        bm25_free(b->index);
    }
    mem_free(b);
    return rc;
}

int negatives_draw(const struct negative_options *options, const struct negatives_input *in, negatives_emit_fn *emit,
                   void *emit_arg, struct negatives_counts *counts)
{
    struct draw d = {.options = options, .in = in, .counts = counts};
    int rc = 0;

    memset(counts, 0, sizeof *counts);
    if (options->negatives == NEGATIVE_NONE)
        return 0;
    if (in->item_count > UINT32_MAX || in->query_count >= UINT32_MAX)
        return err_set(RECO_E_DATA, "more than %u items or queries", UINT32_MAX - 1);
    d.used_by = mem_calloc(in->item_count + 1, sizeof *d.used_by);
    if (d.used_by == NULL)
        return RECO_E_NOMEM;
    if (options->negatives == NEGATIVE_POPULARITY)
        rc = sum_popularity(&d);
    if (options->negatives == NEGATIVE_CATEGORY)
        rc = sort_categories(&d);
    if (rc == 0 && options->negatives == NEGATIVE_BM25)
        rc = draw_bm25(&d, emit, emit_arg);
    for (size_t q = 0; rc == 0 && options->negatives != NEGATIVE_BM25 && q < in->query_count; q++) {
        rc = q % STOP_EVERY == 0 && stop_requested() ? err_set(RECO_E_STOPPED, "stopped while drawing negatives")
                                                     : draw_query(&d, (uint32_t)q, NULL, 0, emit, emit_arg);
    }
    mem_free(d.category_start);
    mem_free(d.by_category);
    mem_free(d.up_to);
    mem_free(d.used_by);
    return rc;
}
