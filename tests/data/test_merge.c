/*
 * One dataset, byte for byte, whatever the threads, the memory and the shards, with everything on that prepare can do;
 * shards that do not belong together or were damaged; failures at every step of prepare, of a shard and of a merge.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>

#include "core/hash.h"
#include "core/rng.h"
#include "data/dataset.h"
#include "data/merge.h"
#include "prepare_util.h"

enum { ROWS = 9000, SHARDS = 7 };

static char *all_rules[] = {"all"}, *shares[] = {"train=0.7", "validation=0.2", "test=0.1"}, *carried[] = {"note"};

/* Cleaning, masks, split, negatives, balance and weights. */
static struct prepare_options everything(void)
{
    struct prepare_options o = util_options();

    o.clean.clean = (struct opt_list){.items = all_rules, .count = 1};
    o.clean.mask = (struct opt_list){.items = all_rules, .count = 1};
    o.clean.contradictions = CLEAN_CONTRADICTIONS_MAJORITY;
    o.split.split = (struct opt_list){.items = shares, .count = 3};
    o.split.split_by = SPLIT_BY_ROW;
    o.negative.negatives = NEGATIVE_POPULARITY;
    o.negative.negatives_per_positive = 2;
    o.balance.balance = BALANCE_OVER;
    o.balance.balance_ratio = 1.5;
    o.balance.class_weights = "balanced";
    o.id_column = "id";
    o.item_id_column = "item";
    o.carry = (struct opt_list){.items = carried, .count = 1};
    o.max_bad_rows = (struct opt_amount){.value = 0.1, .is_frac = true};
    return o;
}

/* Few queries, many items; duplicates, contradictions, near duplicates, markup, e-mail addresses, bad rows. */
static void add_row(struct buf *b, struct rng *rng, size_t i, size_t id)
{
    uint64_t query = rng_below(rng, 60), item = rng_below(rng, 400), kind = rng_below(rng, 40);
    int rc = 0;

    if (kind == 0)
        rc = buf_printf(b, "%zu,broken\n", id);
    else if (kind == 1)
        rc = buf_printf(b, "%zu,\" \",a shoe,1,i%d,\n", id, (int)item);
    else
        rc = buf_printf(
            b, "%zu,red  Shoe %d,<b>hat</b> number %d for a blue shoe and a red hat of %d%s,%d,i%d,note%s %zu\n", id,
            (int)query, (int)item, (int)(item * 7 % 10), kind == 2 ? " more" : "",
            (int)(kind == 3 ? rng_below(rng, 2) : (query + item) % 3 != 0), (int)item, kind == 4 ? " a@b.org" : "", i);
    assert_int_equal(rc, 0);
}

static void add_rows(struct buf *b, size_t rows)
{
    struct rng rng;

    rng_init(&rng, 5, RNG_STREAM_SAMPLE, 0);
    assert_int_equal(buf_add_str(b, "id,q,d,l,item,note\n"), 0);
    for (size_t i = 0; i < rows; i++)
        add_row(b, &rng, i, i % 211 == 210 ? i - 1 : i + 1); /* an id twice now and then */
}

static char *read_input(const char *name, size_t rows)
{
    struct buf b = {0};

    add_rows(&b, rows);
    util_write(name, buf_str(&b));
    buf_release(&b);
    return mem_strdup(util_path(name));
}

static void expect_ok(int rc)
{
    if (rc != 0)
        fail_msg("%s", err_message());
}

static void expect_same_file(const char *one, const char *other, const char *name)
{
    char one_name[128], other_name[128];
    size_t one_length, other_length;

    snprintf(one_name, sizeof one_name, "%s/%s", one, name);
    snprintf(other_name, sizeof other_name, "%s/%s", other, name);
    char *one_bytes = util_read(one_name, &one_length), *other_bytes = util_read(other_name, &other_length);
    if (one_length != other_length || memcmp(one_bytes, other_bytes, one_length) != 0)
        fail_msg("%s differs from %s", one_name, other_name);
    mem_free(one_bytes);
    mem_free(other_bytes);
}

/* Every file of one is in other with the same bytes, and there are as many. */
static void expect_same(const char *one, const char *other)
{
    int files[2] = {0, 0};
    const char *const dirs[] = {one, other};

    for (int d = 0; d < 2; d++) {
        DIR *dir = opendir(util_path(dirs[d]));
        assert_non_null(dir);
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
            if (entry->d_name[0] == '.')
                continue;
            files[d]++;
            if (d == 0)
                expect_same_file(one, other, entry->d_name);
        }
        closedir(dir);
    }
    assert_int_equal(files[0], files[1]);
    assert_true(files[0] >= 8);
}

static const char *shard_name(size_t i)
{
    static char names[8][16];

    snprintf(names[i % 8], sizeof names[0], "part%zu", i);
    return names[i % 8];
}

static int merge_parts(size_t count, const char *output, int64_t max_memory)
{
    struct merge_options options = {.threads = 2, .max_memory = max_memory};
    char paths[SHARDS][160];
    const char *shards[SHARDS];

    for (size_t i = 0; i < count; i++) { /* in another order than they were made */
        snprintf(paths[i], sizeof paths[i], "%s", util_path(shard_name(i * 3 % count)));
        shards[i] = paths[i];
    }
    return merge_run(&options, shards, count, util_path(output), NULL);
}

static void test_one_dataset(void **state)
{
    struct prepare_options o = everything();
    struct prepare_summary summary;
    char *path = read_input("big.csv", ROWS);

    (void)state;
    o.train_file = util_file(path);
    expect_ok(prepare_run(&o, util_wp, NULL, util_path("one"), &summary));
    assert_true(summary.rows_bad > 200);
    assert_true(summary.rows_kept > 1000);
    o.threads = 4;
    expect_ok(prepare_run(&o, util_wp, NULL, util_path("four"), NULL));
    expect_same("one", "four");
    o.threads = 2;
    o.max_memory = 1; /* the sorters take 1 MiB at least, and spill */
    expect_ok(prepare_run(&o, util_wp, NULL, util_path("little"), NULL));
    expect_same("one", "little");
    o.max_memory = 0;
    for (size_t i = 0; i < SHARDS; i++)
        expect_ok(shard_run(&o, util_wp, NULL, i, SHARDS, util_path(shard_name(i)), NULL));
    expect_ok(merge_parts(SHARDS, "merged", 0));
    expect_same("one", "merged");
    expect_ok(merge_parts(SHARDS, "merged", 1));
    expect_same("one", "merged");
    mem_free(path);
}

/* One thing after the other on, so that a difference in one is not hidden by another; samples and several files. */
static void test_single_rules(void **state)
{
    char *path = read_input("big.csv", 3000), *other = read_input("other.csv", 1500);
    static char *rules[] = {"duplicates", "contradictions", "near_duplicates", "leaks", "whitespace"};

    (void)state;
    for (int variant = 0; variant < 9; variant++) {
        struct prepare_options o = util_options();
        o.train_file = util_file(path);
        o.max_bad_rows = (struct opt_amount){.value = 0.1, .is_frac = true};
        if (variant < 5)
            o.clean.clean = (struct opt_list){.items = &rules[variant], .count = 1};
        if (variant == 3 || variant == 5 || variant == 8)
            o.validation_file = util_file(other);
        if (variant == 6) {
            o.balance.balance = BALANCE_UNDER;
            o.balance.balance_ratio = 1;
        }
        if (variant == 7)
            o.negative.negatives = NEGATIVE_BM25;
        if (variant == 8) {
            o.max_train_samples = 1700;
            o.max_eval_samples = 20;
        }
        expect_ok(prepare_run(&o, util_wp, NULL, util_path("one"), NULL));
        for (size_t i = 0; i < 2; i++)
            expect_ok(shard_run(&o, util_wp, NULL, i, 2, util_path(shard_name(i)), NULL));
        expect_ok(merge_parts(2, "merged", 0));
        expect_same("one", "merged");
    }
    mem_free(path);
    mem_free(other);
}

/* ---- parts of stdin
 * ------------------------------------------------------------------------------------------------------ */

static int stdin_is(const char *name)
{
    int fd = open(util_path(name), O_RDONLY);

    return fd < 0 || dup2(fd, 0) < 0 || close(fd) != 0 ? -1 : 0;
}

/* Rows dealt out at random in another order: the ids put them in theirs. */
static void test_stdin_parts(void **state)
{
    struct prepare_options o = everything();
    struct buf parts[SHARDS] = {{0}}, whole = {0};
    struct rng rng, place;
    uint32_t *order = mem_calloc(ROWS, sizeof *order);

    (void)state;
    assert_non_null(order);
    rng_init(&rng, 9, RNG_STREAM_SAMPLE, 0);
    rng_init(&place, 9, RNG_STREAM_SAMPLE, 1);
    for (uint32_t i = 0; i < ROWS; i++)
        order[i] = i;
    rng_shuffle_u32(&place, order, ROWS);
    assert_int_equal(buf_add_str(&whole, "id,q,d,l,item,note\n"), 0);
    for (size_t s = 0; s < SHARDS; s++)
        assert_int_equal(buf_add_str(&parts[s], "id,q,d,l,item,note\n"), 0);
    for (size_t i = 0; i < ROWS; i++) {
        struct buf row = {0};
        do { /* bad rows have no id to be put in order by */
            buf_clear(&row);
            add_row(&row, &rng, i, 1 + order[i] - (order[i] % 100 == 99));
        } while (strstr(buf_str(&row), "broken") != NULL || strstr(buf_str(&row), "\" \"") != NULL);
        struct buf *to = &parts[rng_below(&place, SHARDS)];
        assert_int_equal(buf_add(&whole, row.data, row.length), 0);
        assert_int_equal(buf_add(to, row.data, row.length), 0);
        buf_release(&row);
    }
    o.train_file = util_file("-");
    util_write("part.csv", buf_str(&whole));
    assert_int_equal(stdin_is("part.csv"), 0);
    expect_ok(shard_run(&o, util_wp, NULL, 0, 1, util_path(shard_name(0)), NULL));
    o.max_bad_rows = (struct opt_amount){.value = 0.1, .is_frac = true};
    expect_ok(merge_parts(1, "one", 0));
    for (size_t s = 0; s < SHARDS; s++) {
        util_write("part.csv", buf_str(&parts[s]));
        assert_int_equal(stdin_is("part.csv"), 0);
        expect_ok(shard_run(&o, util_wp, NULL, s, SHARDS, util_path(shard_name(s)), NULL));
        buf_release(&parts[s]);
    }
    expect_ok(merge_parts(SHARDS, "merged", 0));
    /* A row whose id was there before is listed with its line, which its part alone knows. */
    static const char *const names[] = {"dataset.json",       "prepare.json", "texts.ids",     "texts.index",
                                        "texts.zst",          "train.pairs",  "train.columns", "validation.pairs",
                                        "validation.columns", "test.pairs",   "test.columns"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        expect_same_file("one", "merged", names[i]);
    buf_release(&whole);
    mem_free(order);
}

/* ---- what is refused
 * ----------------------------------------------------------------------------------------------------- */

static void expect_refused(const char *const *names, size_t count, const char *message)
{
    struct merge_options options = {.threads = 1};
    char paths[4][160];
    const char *shards[4];

    for (size_t i = 0; i < count; i++) {
        snprintf(paths[i], sizeof paths[i], "%s", util_path(names[i]));
        shards[i] = paths[i];
    }
    assert_int_equal(merge_run(&options, shards, count, util_path("refused"), NULL), RECO_E_DATA);
    if (strstr(err_message(), message) == NULL)
        fail_msg("'%s' is not in '%s'", message, err_message());
    assert_false(dir_exists(util_path("refused")));
}

static void test_refused(void **state)
{
    struct prepare_options o = util_options();

    (void)state;
    util_write("small.csv", "q,d,l\na,b,1\nc,d,0\ne,f,1\n");
    util_write("more.csv", "q,d,l\na,b,1\nc,d,0\n");
    o.train_file = util_file(mem_strdup(util_path("small.csv")));
    expect_ok(shard_run(&o, util_wp, NULL, 0, 2, util_path("a1"), NULL));
    expect_ok(shard_run(&o, util_wp, NULL, 1, 2, util_path("a2"), NULL));
    expect_ok(shard_run(&o, util_wp, NULL, 1, 3, util_path("of3"), NULL));
    o.table.trim_blanks = true;
    expect_ok(shard_run(&o, util_wp, NULL, 1, 2, util_path("b2"), NULL));
    o.table.trim_blanks = false;
    mem_free(o.train_file.items[0]);
    o.train_file = util_file(mem_strdup(util_path("more.csv")));
    expect_ok(shard_run(&o, util_wp, NULL, 1, 2, util_path("c2"), NULL));
    mem_free(o.train_file.items[0]);
    expect_refused((const char *const[]){"a1"}, 1, "shard 2 of 2 is missing");
    expect_refused((const char *const[]){"a1", "a1"}, 2, "shard 1 is there twice");
    expect_refused((const char *const[]){"a1", "a2", "a2"}, 3, "shard 2 is there twice");
    expect_refused((const char *const[]){"a1", "b2"}, 2, "they differ in --trim_blanks");
    expect_refused((const char *const[]){"a1", "c2"}, 2, "they differ in --train_file");
    expect_refused((const char *const[]){"a1", "of3"}, 2, "they differ in the shards");
    /* every byte of every file counts */
    DIR *dir = opendir(util_path("a1"));
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char name[300];
        size_t length;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "a1/%s", entry->d_name);
        char *bytes = util_read(name, &length);
        for (size_t at = 0; at < length; at += 1 + length / 40) {
            bytes[at] ^= 1;
            assert_int_equal(file_write_all(util_path(name), bytes, length), 0);
            bytes[at] ^= 1;
            struct merge_options options = {.threads = 1};
            char one[160], two[160];
            snprintf(one, sizeof one, "%s", util_path("a1"));
            snprintf(two, sizeof two, "%s", util_path("a2"));
            const char *shards[] = {one, two};
            int rc = merge_run(&options, shards, 2, util_path("refused"), NULL);
            /* in shard.json a blank may become another character that means nothing */
            if (rc != RECO_E_DATA && strcmp(entry->d_name, SHARD_JSON_FILE) != 0)
                fail_msg("%s byte %zu: %d", name, at, rc);
            assert_int_equal(dir_remove(util_path("refused")), 0);
        }
        assert_int_equal(file_write_all(util_path(name), bytes, length / 2), 0);
        expect_refused((const char *const[]){"a1", "a2"}, 2, "");
        assert_int_equal(file_write_all(util_path(name), bytes, length), 0);
        mem_free(bytes);
    }
    closedir(dir);
}

static void test_shard_parse(void **state)
{
    static const char *const bad[] = {"", "1", "0/2", "3/2", "1/0", "1/2x", "a/b", "-1/2", "1/99999999"};
    uint64_t shard = 9, shards = 9;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(shard_parse(bad[i], &shard, &shards), RECO_E_USAGE);
    assert_int_equal(shard_parse("3/7", &shard, &shards), 0);
    assert_int_equal(shard, 2);
    assert_int_equal(shards, 7);
}

/* ---- failures
 * ------------------------------------------------------------------------------------------------------------ */

static struct prepare_options torture_options;

static int make_prepare(void)
{
    return prepare_run(&torture_options, util_wp, NULL, util_path("out"), NULL);
}

static int make_shard(void)
{
    return shard_run(&torture_options, util_wp, NULL, 0, 1, util_path("out"), NULL);
}

static int make_merge(void)
{
    struct merge_options options = {.threads = 1, .max_memory = 1};
    const char *shards[] = {util_path("part0")};

    return merge_run(&options, shards, 1, util_path("out"), NULL);
}

/* The n-th call fails, for every n: the old output stays, nothing is left over. */
static void torture(int (*make)(void), void (*fail_after)(long), int code)
{
    static const char *const known[] = {"out", "part0", "tiny.csv"};
    bool finished = false;
    long step = 1;

    assert_int_equal(dir_remove(util_path("out")), 0);
    assert_int_equal(dir_make(util_path("out")), 0);
    util_write("out/old", "old");
    for (long n = 1; !finished; n += step) {
        err_clear();
        fail_after(n);
        int rc = make();
        fail_after(0);
        if (rc != 0 && rc != code)
            fail_msg("step %ld: %d: %s", n, rc, err_message());
        assert_true(rc == 0 || strlen(err_message()) > 0);
        assert_int_equal(util_count_except(known, 3), 0);
        if (file_exists(util_path("out/old")) != (rc != 0))
            fail_msg("step %ld: %d (%s), and the old output is %s", n, rc, err_message(), rc == 0 ? "there" : "gone");
        finished = rc == 0;
        assert_true(n < 100000);
    }
}

static void test_torture(void **state)
{
    static int (*const makes[])(void) = {make_prepare, make_shard, make_merge};
    struct prepare_options *o = &torture_options;

    (void)state;
    assert_int_equal(dir_remove(util_root), 0);
    assert_int_equal(dir_make(util_root), 0);
    util_write("vocab.txt", util_vocab);
    *o = everything();
    o->max_memory = 1;
    o->threads = 2;
    o->max_bad_rows = (struct opt_amount){.value = 0.5, .is_frac = true};
    char *path = read_input("tiny.csv", 60);
    o->train_file = util_file(path);
    expect_ok(shard_run(o, util_wp, NULL, 0, 1, util_path("part0"), NULL));
    for (size_t i = 0; i < 3; i++) {
        torture(makes[i], mem_fail_after, RECO_E_NOMEM);
        torture(makes[i], file_fail_after, RECO_E_IO);
    }
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_dataset), cmocka_unit_test(test_single_rules), cmocka_unit_test(test_stdin_parts),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_shard_parse),  cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, util_setup, util_teardown);
}
