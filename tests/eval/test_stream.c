/* Rows that arrive in parts give the figures of all rows at once. */

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
#include "eval/evaluate.h"
#include "eval/stream.h"

#define FOLDER RECO_SOURCE_DIR "/tests/reference/metrics/"

static const char *const cases[] = {"binary", "graded", "missing", "one_class", "utf8", "behaviour"};
#define CASE_COUNT (sizeof cases / sizeof cases[0])

static void options_fill(struct eval_options *options)
{
    eval_options_init(options);
    options->relevance_level = 1;
    options->by_truncation = true;
    options->by_query = true;
}

/* max_memory so small that every block of lines is a part of its own. */
static int open_in_parts(const char *path, struct eval_stream *stream, struct predictions **p)
{
    struct predictions_options options;
    predictions_options_init(&options);
    options.packed = true;
    options.row_ids = options.tokens = options.extra = false;
    options.max_memory = 1;
    options.take = eval_stream_take;
    options.take_arg = stream;
    return predictions_open(p, path, &options);
}

static void compare_texts(const char *name, const struct eval_report *a, const struct eval_report *b)
{
    struct buf texts[4] = {{0}, {0}, {0}, {0}};
    assert_int_equal(eval_report_text(a, &texts[0]), 0);
    assert_int_equal(eval_report_text(b, &texts[1]), 0);
    assert_int_equal(eval_report_per_query(a, &texts[2]), 0);
    assert_int_equal(eval_report_per_query(b, &texts[3]), 0);
    if (strcmp(buf_str(&texts[0]), buf_str(&texts[1])) != 0 || strcmp(buf_str(&texts[2]), buf_str(&texts[3])) != 0) {
        fail_msg("%s:\n%s\nin parts:\n%s", name, buf_str(&texts[0]), buf_str(&texts[1]));
    }
    for (int i = 0; i < 4; i++) {
        buf_release(&texts[i]);
    }
    for (size_t i = 0; i < eval_report_count(a); i++) {
        double left;
        double right;
        const char *figure = eval_report_value(a, i, &left, NULL);
        eval_report_value(b, i, &right, NULL);
        if (isnan(left) != isnan(right) || fabs(left - right) > 1e-12 * fmax(1, fabs(left))) {
            fail_msg("%s %s: %.17g, in parts %.17g", name, figure, left, right);
        }
    }
}

static void parts_give_the_figures_of_all_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        char path[512];
        struct eval_options options;
        struct predictions *p = NULL;
        struct predictions *streamed = NULL;
        struct eval_report *report = NULL;
        struct eval_report *in_parts = NULL;
        struct eval_stream *stream = NULL;
        snprintf(path, sizeof path, FOLDER "%s.tsv", cases[i]);
        options_fill(&options);
        assert_int_equal(predictions_read(&p, path), 0);
        assert_int_equal(eval_run(&report, p, &options), 0);
        assert_int_equal(eval_stream_new(&stream, &options, 1, NULL), 0);
        int rc = open_in_parts(path, stream, &streamed);
        if (!strcmp(cases[i], "behaviour")) { /* its labels are known by its last row only */
            assert_int_equal(rc, RECO_E_DATA);
            assert_non_null(strstr(err_message(), "--max_memory"));
            eval_stream_free(stream);
        } else {
            assert_int_equal(rc, 0);
            assert_true(streamed->streamed && eval_stream_has_rows(stream));
            assert_int_equal(streamed->rows, p->rows);
            assert_int_equal(eval_stream_end(&stream, streamed, &in_parts), 0);
            compare_texts(cases[i], report, in_parts);
        }
        eval_report_free(in_parts);
        eval_report_free(report);
        predictions_free(streamed);
        predictions_free(p);
    }
}

/* Many blocks, queries that come back, rows without labels, and events. */
static void write_rows(const char *path, bool doubled)
{
    struct buf b = {0};
    assert_int_equal(
        buf_add_str(&b, "row_id\tquery_id\titem_id\tlabel\tp_a\tp_b\tscore\ttruncated\tclicked\tposition\n"), 0);
    for (unsigned i = 0; i < 40000; i++) {
        unsigned x = i * 2654435761u >> 8;
        double p = (double)(x % 1000) / 1000;
        assert_int_equal(buf_printf(&b, "%u\tq%u\ti%u\t%s\t%.9g\t%.9g\t%.9g\t%u\t%u\t%u\n",
                                    doubled && i == 39990 ? 17 : i, x % 700, x % 997, i % 11 ? (x % 3 ? "a" : "b") : "",
                                    1 - p, p, p, x % 7 == 0, x % 5 == 0, i % 12 + 1),
                         0);
    }
    assert_int_equal(file_write_all(path, b.data, b.length), 0);
    buf_release(&b);
}

static void many_blocks(void **state)
{
    (void)state;
    char path[] = "/tmp/reco-test-stream-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_rows(path, false);
    struct eval_options options;
    struct predictions *p = NULL;
    struct predictions *streamed = NULL;
    struct eval_report *report = NULL;
    struct eval_report *in_parts = NULL;
    struct eval_stream *stream = NULL;
    options_fill(&options);
    assert_int_equal(predictions_read(&p, path), 0);
    options.threads = 3;
    assert_int_equal(eval_run(&report, p, &options), 0);
    assert_int_equal(eval_stream_new(&stream, &options, 1, NULL), 0);
    assert_int_equal(open_in_parts(path, stream, &streamed), 0);
    assert_int_equal(eval_stream_end(&stream, streamed, &in_parts), 0);
    compare_texts("many blocks", report, in_parts);
    eval_report_free(in_parts);
    eval_report_free(report);
    predictions_free(streamed);
    predictions_free(p);
    write_rows(path, true);
    streamed = NULL;
    assert_int_equal(eval_stream_new(&stream, &options, 1, NULL), 0);
    assert_int_equal(open_in_parts(path, stream, &streamed), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "line 39992: doubled row_id '17', as in line 19"));
    eval_stream_free(stream);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_give_the_figures_of_all_rows),
        cmocka_unit_test(many_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
