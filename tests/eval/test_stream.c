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
        assert_int_equal(open_in_parts(path, stream, &streamed), 0);
        if (!strcmp(cases[i], "behaviour")) { /* its labels are known by its last row only: its rows are held */
            assert_false(streamed->streamed || eval_stream_has_rows(stream));
            eval_stream_free(stream);
            assert_int_equal(eval_run(&in_parts, streamed, &options), 0);
            compare_texts(cases[i], report, in_parts);
        } else {
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

/* Many blocks, queries that come back, rows without labels, and events. first_item: the first row with an item id. */
static void write_rows(const char *path, bool doubled, unsigned first_item)
{
    struct buf b = {0};
    assert_int_equal(
        buf_add_str(&b, "row_id\tquery_id\titem_id\tlabel\tp_a\tp_b\tscore\ttruncated\tclicked\tposition\n"), 0);
    for (unsigned i = 0; i < 40000; i++) {
        unsigned x = i * 2654435761u >> 8;
        double p = (double)(x % 1000) / 1000;
        char item[16] = "";
        if (i >= first_item) {
            snprintf(item, sizeof item, "i%u", x % 997);
        }
        assert_int_equal(buf_printf(&b, "%u\tq%u\t%s\t%s\t%.9g\t%.9g\t%.9g\t%u\t%u\t%u\n",
                                    doubled && i == 39990 ? 17 : i, x % 700, item, i % 11 ? (x % 3 ? "a" : "b") : "",
                                    1 - p, p, p, x % 7 == 0, x % 5 == 0, i % 12 + 1),
                         0);
    }
    assert_int_equal(file_write_all(path, b.data, b.length), 0);
    buf_release(&b);
}

static void compare_in_parts(const char *name, const char *path, enum eval_ties ties, int threads)
{
    struct eval_options options;
    struct predictions *p = NULL;
    struct predictions *streamed = NULL;
    struct eval_report *report = NULL;
    struct eval_report *in_parts = NULL;
    struct eval_stream *stream = NULL;
    options_fill(&options);
    options.ties = ties;
    options.threads = threads;
    if (predictions_read(&p, path) || eval_run(&report, p, &options) || eval_stream_new(&stream, &options, 1, NULL) ||
        open_in_parts(path, stream, &streamed)) {
        fail_msg("%s: %s", name, err_message());
    }
    assert_true(streamed->streamed);
    assert_int_equal(eval_stream_end(&stream, streamed, &in_parts), 0);
    compare_texts(name, report, in_parts);
    eval_report_free(in_parts);
    eval_report_free(report);
    predictions_free(streamed);
    predictions_free(p);
}

static void many_blocks(void **state)
{
    (void)state;
    char path[] = "/tmp/reco-test-stream-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_rows(path, false, 0);
    compare_in_parts("many blocks", path, EVAL_TIES_DOCNO, 3);
    write_rows(path, false, 35000);
    compare_in_parts("first blocks without item ids", path, EVAL_TIES_DOCNO, 3);
    struct eval_options options;
    struct predictions *streamed = NULL;
    struct eval_stream *stream = NULL;
    options_fill(&options);
    write_rows(path, true, 0);
    assert_int_equal(eval_stream_new(&stream, &options, 1, NULL), 0);
    assert_int_equal(open_in_parts(path, stream, &streamed), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "line 39992: doubled row_id '17', as in line 19"));
    eval_stream_free(stream);
    unlink(path);
}

/* ---- files at random ---- */

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

enum { REGRESSION, GRADED, BINARY_SCORE, KINDS };
static const char *const sidecars[KINDS] = {
    "{\"labels\": {\"task\": \"regression\", \"names\": []}}",
    "{\"labels\": {\"task\": \"classification\", \"names\": [\"no\", \"so\", \"yes\"], \"grades\": [0, 1, 2]}}",
    "{\"labels\": {\"task\": \"classification\", \"names\": [\"no\", \"yes\"]}}",
};

/* A number of few values or of many, so that there are ties; now and then an infinite one. */
static void add_number(struct buf *b, uint64_t *state, unsigned values, bool infinite)
{
    uint64_t x = next_random(state);
    int rc = infinite && x % 97 == 0 ? buf_add_str(b, x & 1024 ? "inf" : "-inf")
                                     : buf_printf(b, "%.9g", (double)(x % values) / 7 - values / 20.0);
    assert_int_equal(rc, 0);
}

static void add_row(struct buf *b, uint64_t *state, int kind, size_t row, unsigned values, unsigned queries)
{
    static const char *const labels[] = {"no", "so", "yes"};
    uint64_t x = next_random(state);
    assert_int_equal(buf_printf(b, "r%zu\tq%u\t", row, (unsigned)(x % queries)), 0);
    x /= queries;
    if (x % 13 == 0) {
        assert_int_equal(buf_add_str(b, ""), 0); /* no label */
    } else if (kind == REGRESSION) {
        add_number(b, state, values / 2 + 1, false);
    } else {
        assert_int_equal(buf_add_str(b, kind == GRADED ? labels[x % 3] : labels[x % 2 * 2]), 0);
    }
    if (kind == REGRESSION) {
        assert_int_equal(buf_add_str(b, "\t"), 0);
        add_number(b, state, values, false);
    } else if (kind == GRADED) {
        unsigned a = (unsigned)(next_random(state) % 20);
        unsigned c = (unsigned)(next_random(state) % 20);
        double sum = a + c + 1;
        assert_int_equal(buf_printf(b, "\t%.9g\t%.9g\t%.9g", a / sum, c / sum, 1 / sum), 0);
    } else {
        assert_int_equal(buf_add_str(b, "\t"), 0);
        add_number(b, state, values, true);
    }
    x = next_random(state);
    assert_int_equal(buf_printf(b, "\t%u\t%s\t%s\t%u\t%.9g\n", x % 5 == 0, x % 7 ? (x % 3 ? "0" : "1") : "",
                                x % 11 ? "0" : "1", (unsigned)(x % 60), 0.5 + (double)(x % 10)),
                     0);
}

static char *write_file(const char *path, uint64_t seed, int kind)
{
    static const char *const columns[KINDS] = {"predicted", "p_no\tp_so\tp_yes", "score"};
    static const size_t rows[] = {1, 2, 50, 3000, 30000};
    struct buf b = {0};
    uint64_t state = seed * 7919 + (uint64_t)kind;
    size_t count = rows[seed % 5];
    unsigned values = (unsigned)(next_random(&state) % 3 ? 5 + next_random(&state) % 50 : 100000);
    unsigned queries = 1 + (unsigned)(next_random(&state) % (count + 1));
    assert_int_equal(buf_printf(&b,
                                "row_id\tquery_id\tlabel\t%s\ttruncated\tclicked\tconverted\tposition\tpropensity\n",
                                columns[kind]),
                     0);
    for (size_t row = 0; row < count; row++) {
        add_row(&b, &state, kind, row, values, queries);
    }
    assert_int_equal(file_write_all(path, b.data, b.length), 0);
    buf_release(&b);
    char *sidecar = mem_printf("%s.json", path);
    assert_non_null(sidecar);
    assert_int_equal(file_write_all(sidecar, sidecars[kind], strlen(sidecars[kind])), 0);
    return sidecar;
}

static void random_files(void **state)
{
    (void)state;
    char path[] = "/tmp/reco-test-stream-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (uint64_t seed = 0; seed < 10; seed++) {
        for (int kind = 0; kind < KINDS; kind++) {
            char name[64];
            char *sidecar = write_file(path, seed, kind);
            snprintf(name, sizeof name, "seed %u kind %d", (unsigned)seed, kind);
            compare_in_parts(name, path, seed % 2 ? EVAL_TIES_FILE : EVAL_TIES_DOCNO, 0);
            unlink(sidecar);
            mem_free(sidecar);
        }
    }
    unlink(path);
}

static int run_in_parts(const char *path)
{
    struct eval_options options;
    struct predictions *streamed = NULL;
    struct eval_report *report = NULL;
    struct eval_stream *stream = NULL;
    options_fill(&options);
    int rc = eval_stream_new(&stream, &options, 1, NULL);
    if (!rc) {
        rc = open_in_parts(path, stream, &streamed);
    }
    if (!rc) {
        rc = eval_stream_end(&stream, streamed, &report);
    }
    eval_stream_free(stream);
    eval_report_free(report);
    predictions_free(streamed);
    return rc;
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    char path[] = "/tmp/reco-test-stream-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (int kind = 0; kind < KINDS; kind++) {
        char *sidecar = write_file(path, 2, kind);
        int rc = RECO_E_NOMEM;
        for (long n = 1; rc; n++) {
            mem_fail_after(n);
            rc = run_in_parts(path);
            mem_fail_after(0);
            assert_true(!rc || rc == RECO_E_NOMEM);
        }
        unlink(sidecar);
        mem_free(sidecar);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_give_the_figures_of_all_rows),
        cmocka_unit_test(many_blocks),
        cmocka_unit_test(random_files),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
