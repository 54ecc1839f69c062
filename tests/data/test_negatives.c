/* Negatives: never a known positive and never twice, as many as the pool has, drawn with the right frequencies, and of
 * nothing but seed, query and pool. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "data/negatives.h"

enum { MAX_ITEMS = 60, MAX_QUERIES = 30, MAX_POSITIVES = 600, MAX_DRAWN = 8000 };

struct drawn {
    uint32_t query, ordinal, item;
    uint64_t positive;
};

struct world {
    struct negatives_input in;
    uint64_t item_rows[MAX_ITEMS], query_key[MAX_QUERIES], positive_start[MAX_QUERIES + 1];
    uint32_t item_category[MAX_ITEMS], positive_item[MAX_POSITIVES];
    bool known[MAX_QUERIES][MAX_ITEMS];
    const char *const *item_texts, *const *query_texts;
    struct drawn drawn[MAX_DRAWN];
    size_t count;
    int fail_after; /* 0: never */
};

static int emit(void *arg, uint32_t query, uint64_t positive, uint32_t ordinal, uint32_t item)
{
    struct world *w = arg;

    if (w->fail_after > 0 && --w->fail_after == 0)
        return err_set(RECO_E_IO, "full");
    assert_true(w->count < MAX_DRAWN);
    w->drawn[w->count++] = (struct drawn){query, ordinal, item, positive};
    return 0;
}

/* Item texts: words by the item's number where there are none of the world's own. */
static int item_text(void *arg, uint32_t item, struct buf *out)
{
    const struct world *w = arg;

    return w->item_texts != NULL ? buf_add_str(out, w->item_texts[item])
                                 : buf_printf(out, "word%u word%u all", item % 7, item % 5);
}

static int query_text(void *arg, uint32_t query, struct buf *out)
{
    const struct world *w = arg;

    return w->query_texts != NULL ? buf_add_str(out, w->query_texts[query])
                                  : buf_printf(out, "word%u word%u", query % 7, query % 3);
}

static bool is_known(void *arg, uint32_t query, uint32_t item)
{
    const struct world *w = arg;

    return w->known[query][item];
}

static struct negative_options options_of(int method)
{
    return (struct negative_options){.negatives = method,
                                     .negatives_per_positive = 3,
                                     .negative_power = 0.75,
                                     .negative_label = "0",
                                     .category_column = "category",
                                     .negative_rank_from = 2,
                                     .negative_rank_to = 10,
                                     .negative_seed = 1};
}

static void connect(struct world *w, size_t items, size_t queries)
{
    w->count = 0;
    w->in = (struct negatives_input){.item_count = items,
                                     .query_count = queries,
                                     .item_rows = w->item_rows,
                                     .item_category = w->item_category,
                                     .query_key = w->query_key,
                                     .positive_start = w->positive_start,
                                     .positive_item = w->positive_item,
                                     .item_text = item_text,
                                     .query_text = query_text,
                                     .arg = w};
}

static void make_world(struct world *w, struct rng *rng)
{
    size_t items = 1 + (size_t)rng_below(rng, MAX_ITEMS), queries = (size_t)rng_below(rng, MAX_QUERIES);
    uint64_t at = 0;

    memset(w, 0, sizeof *w);
    connect(w, items, queries);
    for (size_t i = 0; i < items; i++) {
        w->item_category[i] =
            rng_below(rng, 8) == 0 ? NEGATIVE_NO_CATEGORY : (uint32_t)rng_below(rng, items < 6 ? items : 6);
        w->item_rows[i] = rng_below(rng, 5);
    }
    for (size_t q = 0; q < queries; q++) {
        w->query_key[q] = (uint64_t)rng_next_u32(rng) << 32 | rng_next_u32(rng);
        w->positive_start[q] = at;
        for (uint64_t left = rng_below(rng, 20); left > 0; left--)
            w->positive_item[at++] = (uint32_t)rng_below(rng, items);
        w->positive_start[q + 1] = at;
    }
    if (rng_below(rng, 2) == 0)
        return;
    w->in.is_known = is_known;
    for (size_t q = 0; q < queries; q++)
        for (size_t i = 0; i < items; i++)
            w->known[q][i] = rng_below(rng, 4) == 0;
}

static void draw(struct world *w, const struct negative_options *o, struct negatives_counts *counts)
{
    w->count = 0;
    if (negatives_draw(o, &w->in, emit, w, counts) != 0)
        fail_msg("%s", err_message());
}

/* Or known in another way. */
static bool is_positive(const struct world *w, uint32_t query, uint32_t item)
{
    if (w->in.is_known != NULL && w->known[query][item])
        return true;
    for (uint64_t p = w->positive_start[query]; p < w->positive_start[query + 1]; p++)
        if (w->positive_item[p] == item)
            return true;
    return false;
}

/* Items that a query may get. */
static uint64_t pool_of(const struct world *w, const struct negative_options *o, uint32_t query)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < w->in.item_count; i++)
        count += !is_positive(w, query, i) && (o->negatives != NEGATIVE_POPULARITY || w->item_rows[i] > 0);
    return count;
}

static void test_properties(void **state)
{
    static struct world w;
    struct rng rng;

    (void)state;
    rng_init(&rng, 5, RNG_STREAM_SAMPLE, 0);
    for (int round = 0; round < 400; round++) {
        struct negative_options o = options_of(NEGATIVE_UNIFORM + round % 4);
        struct negatives_counts counts;
        uint64_t missing = 0, fallbacks = 0;
        make_world(&w, &rng);
        o.negatives_per_positive = 1 + (int64_t)rng_below(&rng, 5);
        o.negative_seed = round;
        draw(&w, &o, &counts);
        assert_int_equal(counts.drawn, w.count);
        bool seen[MAX_QUERIES][MAX_ITEMS] = {{false}};
        for (size_t i = 0; i < w.count; i++) {
            const struct drawn *d = &w.drawn[i], *before = &w.drawn[i - (i > 0)];
            assert_true(d->item < w.in.item_count);
            assert_true(d->positive >= w.positive_start[d->query] && d->positive < w.positive_start[d->query + 1]);
            assert_true(d->ordinal < (uint32_t)o.negatives_per_positive);
            assert_true(i == 0 || d->positive > before->positive ||
                        (d->positive == before->positive && d->ordinal > before->ordinal));
            assert_false(is_positive(&w, d->query, d->item));
            assert_false(seen[d->query][d->item]);
            seen[d->query][d->item] = true;
            fallbacks += o.negatives == NEGATIVE_CATEGORY &&
                         (w.item_category[d->item] != w.item_category[w.positive_item[d->positive]] ||
                          w.item_category[d->item] == NEGATIVE_NO_CATEGORY);
            if (o.negatives == NEGATIVE_POPULARITY)
                assert_true(w.item_rows[d->item] > 0);
        }
        for (uint32_t q = 0; q < w.in.query_count; q++) {
            uint64_t wanted = (w.positive_start[q + 1] - w.positive_start[q]) * (uint64_t)o.negatives_per_positive;
            uint64_t pool = pool_of(&w, &o, q);
            if (o.negatives == NEGATIVE_BM25 && pool > 0) /* at most as many fewer as ranks are skipped */
                continue;
            missing += wanted > pool ? wanted - pool : 0;
        }
        if (o.negatives == NEGATIVE_BM25)
            assert_true(counts.missing >= missing);
        else
            assert_int_equal(counts.missing, missing);
        if (o.negatives == NEGATIVE_CATEGORY)
            assert_int_equal(counts.fallbacks, fallbacks);
        if (o.negatives == NEGATIVE_UNIFORM || o.negatives == NEGATIVE_POPULARITY)
            assert_int_equal(counts.fallbacks, 0);
    }
}

/* A query's negatives are the same whatever other queries there are and whatever its number is. */
static void test_queries_do_not_matter_to_each_other(void **state)
{
    static struct world w, reversed;
    struct rng rng;

    (void)state;
    rng_init(&rng, 6, RNG_STREAM_SAMPLE, 0);
    for (int round = 0; round < 100; round++) {
        struct negative_options o = options_of(NEGATIVE_UNIFORM + round % 3);
        struct negatives_counts counts;
        make_world(&w, &rng);
        draw(&w, &o, &counts);
        size_t queries = w.in.query_count;
        reversed = w;
        connect(&reversed, w.in.item_count, queries);
        reversed.in.is_known = w.in.is_known;
        uint64_t at = 0;
        for (size_t q = 0; q < queries; q++) {
            size_t from = queries - 1 - q;
            reversed.query_key[q] = w.query_key[from];
            memcpy(reversed.known[q], w.known[from], sizeof reversed.known[q]);
            reversed.positive_start[q] = at;
            for (uint64_t p = w.positive_start[from]; p < w.positive_start[from + 1]; p++)
                reversed.positive_item[at++] = w.positive_item[p];
            reversed.positive_start[q + 1] = at;
        }
        struct negatives_counts again;
        draw(&reversed, &o, &again);
        assert_int_equal(again.drawn, counts.drawn);
        size_t i = 0;
        for (size_t q = queries; q-- > 0;)
            for (size_t j = 0; j < w.count; j++) {
                if (w.drawn[j].query != q)
                    continue;
                assert_int_equal(reversed.drawn[i].query, queries - 1 - q);
                assert_int_equal(reversed.drawn[i].item, w.drawn[j].item);
                assert_int_equal(reversed.drawn[i].ordinal, w.drawn[j].ordinal);
                i++;
            }
        /* another seed, other items */
        o.negative_seed = 2;
        draw(&reversed, &o, &again);
        bool same = true;
        for (size_t j = 0; j < reversed.count; j++)
            same = same && reversed.drawn[j].item == w.drawn[j].item;
        assert_true(w.count < 20 || !same);
    }
}

/* Frequencies over many queries, by chi-square; the 0.001 quantile at 9 degrees of freedom is 27.9. */
static void test_frequencies(void **state)
{
    enum { ITEMS = 11, QUERIES = 20000 };
    static uint64_t keys[QUERIES], starts[QUERIES + 1];
    static uint32_t positives[QUERIES];
    static struct world w;
    const int methods[] = {NEGATIVE_UNIFORM, NEGATIVE_POPULARITY};

    (void)state;
    for (size_t m = 0; m < 2; m++) {
        struct negative_options o = options_of(methods[m]);
        struct negatives_counts counts;
        double observed[ITEMS] = {0}, weights[ITEMS], all = 0, chi_square = 0;
        o.negatives_per_positive = 1;
        connect(&w, ITEMS, QUERIES);
        w.in.query_key = keys;
        w.in.positive_start = starts;
        w.in.positive_item = positives;
        for (size_t q = 0; q < QUERIES; q++) {
            keys[q] = q * 7919 + 13;
            starts[q + 1] = q + 1;
            positives[q] = 4; /* of all queries: the others share the draws */
        }
        for (size_t i = 0; i < ITEMS; i++) {
            w.item_rows[i] = i * i + 1;
            weights[i] = i == 4 ? 0 : m == 0 ? 1 : pow((double)w.item_rows[i], 0.75);
            all += weights[i];
        }
        /* In parts, as the list of what was drawn is short. */
        for (size_t first = 0; first < QUERIES; first += MAX_DRAWN / 2) {
            w.in.query_count = QUERIES - first < MAX_DRAWN / 2 ? QUERIES - first : MAX_DRAWN / 2;
            w.in.query_key = keys + first;
            draw(&w, &o, &counts);
            for (size_t i = 0; i < w.count; i++)
                observed[w.drawn[i].item]++;
        }
        assert_true(observed[4] == 0);
        for (size_t i = 0; i < ITEMS; i++)
            if (i != 4) {
                double expected = QUERIES * weights[i] / all;
                chi_square += (observed[i] - expected) * (observed[i] - expected) / expected;
            }
        assert_true(chi_square < 27.9);
    }
}

/* Every free item but few is used, so that draws are counted out: they must stay in proportion. */
static void test_crowded_pool(void **state)
{
    static struct world w;
    struct negative_options o = options_of(NEGATIVE_POPULARITY);
    struct negatives_counts counts;
    int heavy = 0;

    (void)state;
    o.negatives_per_positive = 1;
    for (int round = 0; round < 2000; round++) {
        o.negative_seed = round;
        connect(&w, 3, 1);
        w.item_rows[0] = 1000000000;
        w.item_rows[1] = 1;
        w.item_rows[2] = 81; /* to the power 0.75: 27 */
        w.positive_start[1] = 1;
        w.positive_item[0] = 0;
        draw(&w, &o, &counts);
        assert_int_equal(w.count, 1);
        heavy += w.drawn[0].item == 2;
    }
    assert_in_range(heavy, 2000 * 27 / 28 - 45, 2000 * 27 / 28 + 45); /* five standard deviations */
}

static void expect_items(struct world *w, const struct negative_options *o, const char *allowed, uint64_t fallbacks)
{
    struct negatives_counts counts;

    draw(w, o, &counts);
    for (size_t i = 0; i < w->count; i++) {
        char word[16];
        snprintf(word, sizeof word, " %u ", w->drawn[i].item);
        if (strstr(allowed, word) == NULL)
            fail_msg("item %u was drawn", w->drawn[i].item);
    }
    assert_int_equal(counts.fallbacks, fallbacks);
    assert_int_equal(w->count, w->positive_start[w->in.query_count] * (uint64_t)o->negatives_per_positive);
}

static void test_bm25(void **state)
{
    static const char *const items[] = {"red running shoe",
                                        "red shoe",
                                        "red shoe for men",
                                        "red leather shoe big",
                                        "blue running shirt",
                                        "kitchen lamp",
                                        "garden chair",
                                        "desk",
                                        "sofa",
                                        "a red thing of another kind"};
    static const char *const chinese[] = {
        "\xe7\xba\xa2\xe8\x89\xb2\xe8\xbf\x90\xe5\x8a\xa8\xe9\x9e\x8b", /* red sports shoe */
        "\xe8\xbf\x90\xe5\x8a\xa8\xe9\x9e\x8b\xe7\x94\xb7",             /* sports shoe, men */
        "\xe5\x8e\xa8\xe6\x88\xbf\xe7\x81\xaf",                         /* kitchen lamp */
        "\xe8\x8a\xb1\xe5\x9b\xad\xe6\xa4\x85",                         /* garden chair */
        "\xe7\x9a\xae\xe9\x9e\x8b",                                     /* leather shoe */
    };
    static const char *const queries[] = {"red shoe", "RED shoes?"};
    static const char *const chinese_queries[] = {"\xe8\xbf\x90\xe5\x8a\xa8\xe9\x9e\x8b"};
    static struct world w;
    struct negative_options o = options_of(NEGATIVE_BM25);

    (void)state;
    connect(&w, 10, 1);
    w.item_texts = items;
    w.query_texts = queries;
    w.positive_start[1] = 1;
    w.positive_item[0] = 1; /* the very best */
    o.negatives_per_positive = 2;
    o.negative_rank_from = 1;
    o.negative_rank_to = 3;
    expect_items(&w, &o, " 0 2 3 ", 0);
    o.negative_rank_to = 10; /* four match besides the positive */
    o.negatives_per_positive = 4;
    expect_items(&w, &o, " 0 2 3 9 ", 0);
    o.negative_rank_from = 3; /* two ranks are left out for good, two are drawn, and four come from elsewhere */
    o.negatives_per_positive = 6;
    expect_items(&w, &o, " 3 9 4 5 6 7 8 ", 4);

    connect(&w, 5, 1);
    w.item_texts = chinese;
    w.query_texts = chinese_queries;
    w.positive_item[0] = 0;
    o.negative_rank_from = 1;
    o.negatives_per_positive = 2;
    expect_items(&w, &o, " 1 4 ", 0);
    o.negatives_per_positive = 3;
    expect_items(&w, &o, " 1 4 2 3 ", 1);
}

static void test_threads_do_not_matter(void **state)
{
    static struct world w, again;
    struct negative_options o = options_of(NEGATIVE_BM25);
    struct negatives_counts counts, counts_again;
    struct pool *pool = NULL;
    struct rng rng;

    (void)state;
    assert_int_equal(pool_new(&pool, 3), 0);
    rng_init(&rng, 8, RNG_STREAM_SAMPLE, 0);
    for (int round = 0; round < 20; round++) {
        make_world(&w, &rng);
        draw(&w, &o, &counts);
        again = w;
        again.in.pool = pool;
        again.in.arg = &again;
        draw(&again, &o, &counts_again);
        assert_memory_equal(&counts, &counts_again, sizeof counts);
        assert_int_equal(w.count, again.count);
        for (size_t i = 0; i < w.count; i++)
            assert_memory_equal(&w.drawn[i], &again.drawn[i], sizeof w.drawn[i]);
    }
    pool_free(pool);
}

static void test_options(void **state)
{
    struct negative_options o = options_of(NEGATIVE_BM25);

    (void)state;
    assert_int_equal(negative_options_check(&o), 0);
    o.negative_rank_from = 11;
    assert_int_equal(negative_options_check(&o), RECO_E_USAGE);
    o = options_of(NEGATIVE_CATEGORY);
    o.category_column = NULL;
    assert_int_equal(negative_options_check(&o), RECO_E_USAGE);
    o.negatives = NEGATIVE_NONE;
    assert_int_equal(negative_options_check(&o), 0);
    o = options_of(NEGATIVE_UNIFORM);
    o.negatives_per_positive = 0;
    assert_int_equal(negative_options_check(&o), RECO_E_USAGE);
    o = options_of(NEGATIVE_UNIFORM);
    o.negative_label = "";
    assert_int_equal(negative_options_check(&o), RECO_E_USAGE);
}

static void test_torture(void **state)
{
    static struct world w;
    struct rng rng;

    (void)state;
    rng_init(&rng, 9, RNG_STREAM_SAMPLE, 0);
    do
        make_world(&w, &rng);
    while (w.positive_start[w.in.query_count] < 20);
    for (int method = NEGATIVE_UNIFORM; method <= NEGATIVE_BM25; method++) {
        struct negative_options o = options_of(method);
        struct negatives_counts counts;
        bool finished = false;
        for (long n = 1; !finished; n++) {
            w.count = 0;
            mem_fail_after(n);
            int rc = negatives_draw(&o, &w.in, emit, &w, &counts);
            mem_fail_after(0);
            assert_true(rc == 0 || rc == RECO_E_NOMEM);
            finished = rc == 0;
        }
        w.count = 0;
        w.fail_after = 5;
        assert_int_equal(negatives_draw(&o, &w.in, emit, &w, &counts), RECO_E_IO);
        assert_int_equal(w.count, 4);
        w.fail_after = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_properties),  cmocka_unit_test(test_queries_do_not_matter_to_each_other),
        cmocka_unit_test(test_frequencies), cmocka_unit_test(test_crowded_pool),
        cmocka_unit_test(test_bm25),        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_options),     cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
