/* The page and its pictures: whole, escaped, and without the pictures where the data has none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "eval/picture.h"

#define FOLDER RECO_SOURCE_DIR "/tests/reference/metrics/"

static void evaluate(const char *path, struct predictions **p, struct eval_report **report)
{
    struct eval_options options;
    eval_options_init(&options);
    options.by_query = true;
    if (predictions_read(p, path) || eval_run(report, *p, &options)) {
        fail_msg("%s", err_message());
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

/* Every element that is opened is closed. */
static void check_balance(const char *html)
{
    static const char *const tags[] = {"table", "tr", "td", "th", "div", "dl", "dd", "dt", "figure", "h2", "p", "code"};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        char open[16];
        char open_with[16];
        char close[16];
        snprintf(open, sizeof open, "<%s>", tags[i]);
        snprintf(open_with, sizeof open_with, "<%s ", tags[i]);
        snprintf(close, sizeof close, "</%s>", tags[i]);
        if (occurrences(html, open) + occurrences(html, open_with) != occurrences(html, close)) {
            fail_msg("<%s> is not balanced", tags[i]);
        }
    }
}

static void pages_are_whole(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t pictures;
    } cases[] = {{"binary", 5}, {"graded", 5}, {"missing", 4}, {"one_class", 3}, {"regression", 3}, {"utf8", 5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[512];
        struct predictions *p = NULL;
        struct eval_report *report = NULL;
        struct eval_pictures pictures = {0};
        struct eval_page page = {0};
        struct buf html = {0};
        snprintf(path, sizeof path, FOLDER "%s.tsv", cases[i].name);
        evaluate(path, &p, &report);
        assert_int_equal(eval_report_set_provenance(
                             report, json_pack("{sss{ss}}", "command", "a <b> & \"c\"", "sidecar", "split", "x")),
                         0);
        assert_int_equal(eval_pictures_plan(&pictures, report), 0);
        if (pictures.count != cases[i].pictures) {
            fail_msg("%s: %zu pictures", cases[i].name, pictures.count);
        }
        assert_int_equal(buf_add_str(&pictures.items[0].svg, "<?xml?><svg id='drawn'></svg>"), 0);
        assert_int_equal(eval_report_html(report, &pictures, &page, &html), 0);
        check_balance(buf_str(&html));
        assert_int_equal(occurrences(buf_str(&html), "<svg"), 1);
        assert_int_equal(occurrences(buf_str(&html), "<?xml"), 0);
        assert_non_null(strstr(buf_str(&html), "a &lt;b&gt; &amp; &quot;c&quot;"));
        assert_non_null(strstr(buf_str(&html), "sidecar split"));
        assert_int_equal(occurrences(buf_str(&html), "could not be drawn"), cases[i].pictures > 1);
        eval_pictures_release(&pictures);
        buf_release(&html);
        eval_report_free(report);
        predictions_free(p);
    }
}

/* Labels are data: neither the page nor gnuplot's program may take them for their own. */
static void labels_are_quoted(void **state)
{
    (void)state;
    static const char text[] = "query_id\tlabel\tp_<script>\tp_it's \"x\"\tp_c\n"
                               "q\t<script>\t0.5\t0.25\t0.25\nq\tit's \"x\"\t0.5\t0.25\t0.25\nr\tc\t0\t0.25\t0.75\n";
    char path[] = "/tmp/reco-test-report-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write_all(path, text, strlen(text)), 0);
    struct predictions *p = NULL;
    struct eval_report *report = NULL;
    struct eval_pictures pictures = {0};
    struct eval_page page = {0};
    struct buf html = {0};
    evaluate(path, &p, &report);
    assert_int_equal(eval_pictures_plan(&pictures, report), 0);
    assert_non_null(strstr(buf_str(&pictures.items[0].program), "title 'it''s \"x\": 0."));
    assert_int_equal(eval_report_html(report, &pictures, &page, &html), 0);
    assert_null(strstr(buf_str(&html), "<script"));
    assert_non_null(strstr(buf_str(&html), "&lt;script&gt;"));
    check_balance(buf_str(&html));
    eval_pictures_release(&pictures);
    buf_release(&html);
    eval_report_free(report);
    predictions_free(p);
    unlink(path);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    struct predictions *p = NULL;
    struct eval_report *report = NULL;
    evaluate(FOLDER "utf8.tsv", &p, &report);
    int rc = -1;
    long n = 0;
    while (rc && n < 10000) {
        struct eval_pictures pictures = {0};
        struct eval_page page = {0};
        struct buf html = {0};
        mem_fail_after(++n);
        rc = eval_pictures_plan(&pictures, report);
        if (!rc) {
            rc = eval_report_html(report, &pictures, &page, &html);
        }
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        eval_pictures_release(&pictures);
        buf_release(&html);
    }
    assert_true(n > 20);
    eval_report_free(report);
    predictions_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_whole),
        cmocka_unit_test(labels_are_quoted),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
