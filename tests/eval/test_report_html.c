/* What the page shows besides the figures: the worst rows and queries, their texts, slices, gates; all escaped. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "eval/compare.h"
#include "eval/interval.h"
#include "eval/picture.h"
#include "eval/slice.h"

enum { ROWS = 400, QUERIES = 40 };

struct made {
    char path[40];
    struct predictions *p;
    struct eval_report *report;
};

static void make(struct made *m, const char *text)
{
    static const char *const slices[] = {"brand", "truncated"};
    struct slice_options parts;
    struct interval_options intervals = {0};
    struct eval_options options;
    const struct eval_arms_options arms = {.column = "brand", .control = "plain", .level = 0.95};
    (void)snprintf(m->path, sizeof m->path, "/tmp/reco-test-page-XXXXXX");
    int fd = mkstemp(m->path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write_all(m->path, text, strlen(text)), 0);
    slice_options_init(&parts);
    parts.slices = slices;
    parts.count = strstr(text, "brand") ? 2 : 0;
    bootstrap_options_init(&intervals.bootstrap);
    intervals.bootstrap.resamples = 50;
    eval_options_init(&options);
    options.by_query = true;
    options.by_truncation = true;
    options.slices = parts.count ? &parts : NULL;
    options.intervals = parts.count ? &intervals : NULL;
    if (predictions_read(&m->p, m->path) || eval_run(&m->report, m->p, &options) ||
        (parts.count && eval_report_add_arms(m->report, &arms))) {
        fail_msg("%s", err_message());
    }
}

static void made_release(struct made *m)
{
    eval_report_free(m->report);
    predictions_free(m->p);
    unlink(m->path);
}

/* Three classes, few distinct probabilities so that there are ties, and texts that would break a page. swapped: another
 * run, where the probabilities of the first and the last class are exchanged. */
static void make_run(struct made *m, bool swapped)
{
    static const char *const labels[] = {"a", "b", "c'<&"};
    static const char *const brands[] = {"O'Neil <b>", "plain", "\"$x\""};
    struct buf b = {0};
    struct rng rng;
    rng_init(&rng, 1, RNG_STREAM_SAMPLE, 0);
    assert_int_equal(buf_add_str(&b, "row_id\tquery_id\titem_id\tlabel\tp_a\tp_b\tp_c'<&\ttokens\ttruncated\tposition\t"
                                     "clicked\tquery\tbrand\n"),
                     0);
    for (size_t row = 0; row < ROWS; row++) {
        int sixths = (int)rng_below(&rng, 7);
        int rest = (int)rng_below(&rng, (uint64_t)(7 - sixths));
        int left = 6 - sixths - rest;
        unsigned tokens = 5 + (unsigned)rng_below(&rng, 60);
        unsigned query = (unsigned)rng_below(&rng, QUERIES);
        assert_int_equal(
            buf_printf(&b, "r%zu\tq%u\ti%zu\t%s\t%.9g\t%.9g\t%.9g\t%u\t%d\t%u\t%d\t<shoe>\\t%u & \\\\\t%s\n", row,
                       query, row, labels[rng_below(&rng, 3)], (swapped ? left : sixths) / 6.0, rest / 6.0,
                       (swapped ? sixths : left) / 6.0, tokens, tokens > 50, 1 + (unsigned)rng_below(&rng, 5),
                       (int)rng_below(&rng, 2), query, brands[rng_below(&rng, 3)]),
            0);
    }
    make(m, buf_str(&b));
    buf_release(&b);
}

static void make_classes(struct made *m)
{
    make_run(m, false);
}

/* Rows that are predicted wrong, the least p of the label first: by counting how many are worse. */
static void worst_rows_are_the_worst(void **state)
{
    (void)state;
    struct made m = {0};
    make_classes(&m);
    for (size_t limit = 1; limit < ROWS; limit += 37) {
        struct mistakes found = {0};
        assert_int_equal(mistakes_find(&found, m.report, limit, 3), 0);
        assert_int_equal(found.kind, MISTAKE_PROBABILITY);
        size_t all = 0;
        for (size_t row = 0; row < ROWS; row++) {
            int label = predictions_label(m.p, row);
            if (predictions_predicted(m.p, row) == label) {
                continue;
            }
            all++;
            size_t before = 0;
            for (size_t other = 0; other < ROWS; other++) {
                int of = predictions_label(m.p, other);
                double p = predictions_p(m.p, row, label);
                double q = predictions_p(m.p, other, of);
                before += predictions_predicted(m.p, other) != of && (q < p || (q == p && other < row));
            }
            if (before < found.count) {
                assert_int_equal(found.items[before].row, row);
            }
        }
        assert_int_equal(found.all, all);
        assert_int_equal(found.count, limit < all ? limit : all);
        assert_int_equal(found.query_count, 3);
        assert_true(found.queries[0].value <= found.queries[1].value);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(m.p->query[found.queries[i].row], found.queries[i].query);
        }
        mistakes_release(&found);
    }
    made_release(&m);
}

/* A second look at the file gives what the reader would have held. */
static void looks_up_the_rows(void **state)
{
    (void)state;
    struct made m = {0};
    struct mistakes found = {0};
    struct look file = {0};
    struct look memory = {0};
    make_classes(&m);
    assert_int_equal(mistakes_find(&found, m.report, 50, 5), 0);
    assert_int_equal(look_plan(&file, &found), 0);
    assert_int_equal(look_plan(&memory, &found), 0);
    assert_true(file.count > 50 && file.count <= 55);
    assert_int_equal(look_in_file(&file, m.path, NULL), 0);
    assert_int_equal(look_in_memory(&memory, m.p), 0);
    assert_int_equal(file.extra_count, 2);
    for (size_t i = 0; i < file.count; i++) {
        const struct look_row *a = &file.rows[i];
        const struct look_row *b = look_find(&memory, a->row);
        char id[24];
        (void)snprintf(id, sizeof id, "r%zu", a->row);
        assert_string_equal(a->row_id, id);
        assert_string_equal(a->query_id, b->query_id);
        assert_string_equal(a->item_id, b->item_id);
        assert_string_equal(a->extra[0], b->extra[0]);
        assert_string_equal(a->extra[1], b->extra[1]);
        assert_non_null(strstr(a->extra[0], "<shoe>\t"));
    }
    assert_null(look_find(&file, ROWS));
    look_release(&file);
    look_release(&memory);
    mistakes_release(&found);
    made_release(&m);
}

static void kinds_of_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum mistake_kind kind;
        size_t all, first;
    } cases[] = {
        {"row_id\tlabel\tpredicted\n1\t0.5\t0.75\n2\t1.5\t-1.25\n3\t\t9\n4\t2.5\t2.5\n", MISTAKE_VALUE, 3, 1},
        {"row_id\tlabel\tpredicted\n1\t1\t2\n2\t1\t4\n3\t2\t2\n4\t4\t2\n", MISTAKE_CLASS, 3, 1},
        {"row_id\tlabel\tpredicted\n1\tx\ty\n2\ty\tx\n3\tx\tx\n", MISTAKE_CLASS, 2, 0},
        {"row_id\tlabel\tscore\n1\t0\t-3\n2\t0\t2\n3\t1\t-2.5\n4\t1\t5\n", MISTAKE_SCORE, 2, 2},
        {"row_id\tlabel\tscore\n1\t0\t-3\n2\t2\t2\n3\t1\t-2.5\n", MISTAKE_NONE, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made m = {0};
        struct mistakes found = {0};
        make(&m, cases[i].text);
        assert_int_equal(mistakes_find(&found, m.report, 10, 10), 0);
        if (found.kind != cases[i].kind || found.all != cases[i].all) {
            fail_msg("case %zu: kind %d, %zu mistakes", i, (int)found.kind, found.all);
        }
        if (found.count) {
            assert_int_equal(found.items[0].row, cases[i].first);
        }
        mistakes_release(&found);
        made_release(&m);
    }
}

static size_t occurrences(const char *text, const char *word)
{
    size_t count = 0;
    for (; (text = strstr(text, word)); text += strlen(word)) {
        count++;
    }
    return count;
}

static int plan(const struct made *m, struct mistakes *found, struct look *look, struct eval_pictures *pictures,
                struct buf *html)
{
    static const char *const gates[] = {"pass f1 <0.5> >= 0.1", "FAIL auc 0.5 >= 0.9"};
    static const bool passed[] = {true, false};
    const struct eval_page page = {
        .mistakes = found, .look = look, .gates = gates, .gates_passed = passed, .gate_count = 2};
    int rc = mistakes_find(found, m->report, 7, 5);
    if (!rc) {
        rc = look_plan(look, found);
    }
    if (!rc) {
        rc = look_in_file(look, m->path, NULL);
    }
    if (!rc) {
        rc = eval_pictures_plan(pictures, m->report);
    }
    for (size_t i = 0; !rc && i < pictures->count; i++) {
        rc = buf_add_str(&pictures->items[i].svg, "<svg></svg>");
    }
    return rc ? rc : eval_report_html(m->report, pictures, &page, html);
}

static void page_shows_it_all(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "Gates: 1 of 2 met",
        "<li class=\"met\">pass f1 &lt;0.5&gt; &gt;= 0.1</li>",
        "<a href=\"#mistakes\">Worst mistakes</a>",
        "<a href=\"#gates\">Gates</a>",
        "query</span> <bdi>&lt;shoe&gt;\t",
        "O'Neil &lt;b&gt;",
        "aria-label=\"Reliability of the most probable class",
        "brand, the worst by f1 first",
        "Truncated rows and whole ones apart",
        "<th scope=\"col\">position</th><th scope=\"col\">rows</th><th scope=\"col\">ctr</th>",
        "c'&lt;&amp;",
        "7 of ",
        "aria-label=\"Lift over plain, with 95 % intervals. ctr, ",
    };
    struct made m = {0};
    struct mistakes found = {0};
    struct look look = {0};
    struct eval_pictures pictures = {0};
    struct buf html = {0};
    make_classes(&m);
    assert_int_equal(plan(&m, &found, &look, &pictures, &html), 0);
    const char *page = buf_str(&html);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (!strstr(page, wanted[i])) {
            fail_msg("the page lacks '%s'", wanted[i]);
        }
    }
    /* ROC, precision, reliability, queries, lengths, positions, arms, two slices */
    assert_int_equal(pictures.count, 9);
    assert_int_equal(occurrences(page, "<figure>"), 9);
    assert_int_equal(occurrences(page, "<div class=\"row\">"), 7);
    assert_int_equal(occurrences(page, "<div"), occurrences(page, "</div>"));
    assert_int_equal(occurrences(page, "<td"), occurrences(page, "</td>"));
    assert_int_equal(occurrences(page, "<tr>"), occurrences(page, "</tr>"));
    assert_null(strstr(page, "<b> "));
    assert_null(strstr(page, "<shoe"));
    assert_null(strstr(page, "nan"));
    for (size_t i = 0; i < pictures.count; i++) { /* the data's quotes are doubled, and none of its '$' are evaluated */
        const char *program = buf_str(&pictures.items[i].program);
        assert_null(strstr(program, "O'Neil"));
        assert_int_equal(occurrences(program, "'") % 2, 0);
    }
    assert_non_null(strstr(buf_str(&pictures.items[6].program), "'ctr, O''Neil <b>' "));
    assert_non_null(strstr(buf_str(&pictures.items[7].program), "'O''Neil <b>' "));
    eval_pictures_release(&pictures);
    look_release(&look);
    mistakes_release(&found);
    buf_release(&html);
    made_release(&m);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    struct made m = {0};
    make_classes(&m);
    int rc = -1;
    long n = 0;
    while (rc && n < 100000) {
        struct mistakes found = {0};
        struct look look = {0};
        struct eval_pictures pictures = {0};
        struct buf html = {0};
        mem_fail_after(++n);
        rc = plan(&m, &found, &look, &pictures, &html);
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        eval_pictures_release(&pictures);
        look_release(&look);
        mistakes_release(&found);
        buf_release(&html);
    }
    assert_true(n > 50);
    made_release(&m);
}

static int compare_page(const struct compare *c, struct eval_pictures *pictures, struct buf *html)
{
    int rc = compare_pictures_plan(pictures, c);
    for (size_t i = 0; !rc && i < pictures->count; i++) {
        rc = buf_add_str(&pictures->items[i].svg, "<svg></svg>");
    }
    return rc ? rc : compare_html(c, pictures, "pass f1: B>=A <x>\nFAIL f1: B>A\n", html);
}

static void comparison_is_a_page(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "<li class=\"met\">pass f1: B&gt;=A &lt;x&gt;</li>\n<li class=\"missed\">FAIL f1: B&gt;A</li>",
        "<h2>B against A</h2>",
        "B against A: 40 queries in both",
        "Where B wins most, by ndcg@10",
        "&lt;shoe&gt;\t",
        "reco compare 'a&amp;b'",
        "<dd>&lt;a&gt;.tsv</dd>",
        "aria-label=\"Differences with their intervals: B less A. ",
    };
    static const char *const metrics[] = {"ndcg@10", "f1"};
    struct made m[2] = {{{0}, NULL, NULL}, {{0}, NULL, NULL}};
    struct eval_options eval;
    struct compare_options options;
    struct compare c = {0};
    struct eval_report *reports[2];
    struct compare_run runs[2] = {{.path = "<a>.tsv"}, {.path = "b.tsv"}};
    make_run(&m[0], false);
    make_run(&m[1], true);
    eval_options_init(&eval);
    eval.metrics = metrics;
    eval.metric_count = 2;
    eval.by_query = true;
    compare_options_init(&options);
    options.eval = &eval;
    options.samples = options.bootstrap.resamples = 100;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(eval_run(&reports[i], m[i].p, &eval), 0);
        runs[i].report = reports[i];
        runs[i].p = m[i].p;
        runs[i].text_column = "query";
    }
    struct pool *pool;
    assert_int_equal(pool_new(&pool, 2), 0);
    assert_int_equal(compare_runs(&c, runs, 2, false, &options, pool), 0);
    pool_free(pool);
    assert_int_equal(compare_set_provenance(&c, json_pack("{ss}", "command", "reco compare 'a&b'")), 0);
    int rc = -1;
    for (long n = 0; rc; n++) { /* 0: none fails */
        struct eval_pictures pictures = {0};
        struct buf html = {0};
        mem_fail_after(n);
        rc = compare_page(&c, &pictures, &html);
        mem_fail_after(0);
        assert_true(rc == 0 || (n && rc == RECO_E_NOMEM));
        if (!n) {
            const char *page = buf_str(&html);
            for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
                if (!strstr(page, wanted[i])) {
                    fail_msg("the page lacks '%s'", wanted[i]);
                }
            }
            assert_int_equal(pictures.count, 2);
            assert_int_equal(occurrences(page, "<td"), occurrences(page, "</td>"));
            assert_null(strstr(page, "<shoe"));
            rc = -1;
        }
        eval_pictures_release(&pictures);
        buf_release(&html);
    }
    compare_release(&c);
    for (int i = 0; i < 2; i++) {
        eval_report_free(reports[i]);
        made_release(&m[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worst_rows_are_the_worst),
        cmocka_unit_test(looks_up_the_rows),
        cmocka_unit_test(kinds_of_mistakes),
        cmocka_unit_test(page_shows_it_all),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(comparison_is_a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
