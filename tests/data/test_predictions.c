/* predictions.tsv: what is written reads back; what is wrong is refused with its line; nothing is half-written. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/decimal.h"
#include "data/predictions.h"

static char scratch[] = "/tmp/reco-test-predictions-XXXXXX";

static int make_scratch(void **state)
{
    (void)state;
    return mkdtemp(scratch) ? 0 : -1;
}

static int remove_scratch(void **state)
{
    (void)state;
    return dir_remove(scratch);
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    return path;
}

static const char *file_of(const char *text)
{
    const char *path = path_of("p.tsv");
    assert_int_equal(file_write_all(path, text, strlen(text)), 0);
    (void)!unlink(path_of("p.tsv.json"));
    return path_of("p.tsv");
}

static struct predictions *read_text(const char *text)
{
    struct predictions *p = NULL;
    if (predictions_read(&p, file_of(text))) {
        fail_msg("%s", err_message());
    }
    return p;
}

static const char *const label_names[] = {"bad", "a\tb", "good"};

static void make_labels(struct label_map *labels)
{
    assert_int_equal(label_map_from_list(labels, label_names, 3), 0);
}

static int write_some(const char *path, const struct label_map *labels, size_t rows)
{
    static const char *const extra[] = {"clicked", "brand"};
    struct predictions_writer *w = NULL;
    json_t *sidecar = json_pack("{ss}", "split", "test");
    int rc = predictions_writer_open(&w, path, labels, extra, 2);
    for (size_t i = 0; !rc && i < rows; i++) {
        char ids[64];
        double p[3] = {0.25, 1.0 / 3, 0};
        p[2] = 1 - p[0] - p[1];
        int length = snprintf(ids, sizeof ids, "f.csv:%zu\tq\\t%zu\t\\\\item%zu", i, i / 2, i);
        struct predictions_row row = {.ids = ids,
                                      .ids_length = (size_t)length,
                                      .extra = i % 2 ? "1\tx\\ny" : "\t",
                                      .extra_length = i % 2 ? 6 : 1,
                                      .label = (int)(i % 4) - 1,
                                      .target = NAN,
                                      .p = p,
                                      .tokens = (uint32_t)i + 3,
                                      .truncated = i == 1};
        rc = predictions_write(w, &row);
    }
    if (rc) {
        predictions_writer_abort(&w);
    } else {
        rc = predictions_writer_commit(&w, sidecar);
    }
    assert_null(w);
    json_decref(sidecar);
    return rc;
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    struct label_map labels = {0};
    struct predictions *p = NULL;
    make_labels(&labels);
    assert_int_equal(write_some(path_of("w.tsv"), &labels, 5), 0);
    assert_int_equal(predictions_read(&p, path_of("w.tsv")), 0);
    assert_int_equal(p->rows, 5);
    assert_int_equal(p->labels.count, 3);
    assert_string_equal(p->labels.names[1], "a\tb");
    assert_int_equal(p->query_count, 3);
    assert_string_equal(p->query_ids[0], "q\t0");
    assert_string_equal(p->item_ids[3], "\\item3");
    assert_string_equal(p->row_ids[4], "f.csv:4");
    assert_int_equal(p->query[3], 1);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(p->label[i], (int)(i % 4) - 1);
        assert_int_equal(p->predicted[i], 2);
        assert_true(p->p[3 * i] == 0.25 && fabs(p->p[3 * i + 1] - 1.0 / 3) < 1e-9);
        assert_true(fabs(p->score[i] - (1 - 0.25 - 1.0 / 3)) < 1e-9);
        assert_int_equal(p->tokens[i], i + 3);
        assert_int_equal(p->truncated[i], i == 1);
        assert_true(i % 2 ? p->clicked[i] == 1 : isnan(p->clicked[i]));
    }
    assert_null(p->converted);
    assert_int_equal(p->extra_count, 1);
    assert_string_equal(p->extra[0].name, "brand");
    assert_string_equal(p->extra[0].values[1], "x\ny");
    assert_string_equal(json_string_value(json_object_get(p->sidecar, "split")), "test");
    assert_int_equal(json_integer_value(json_object_get(p->sidecar, "rows")), 5);
    predictions_free(p);
    label_map_release(&labels);
}

static void regression_reads_back(void **state)
{
    (void)state;
    struct label_map labels = {.task = LABEL_TASK_REGRESSION};
    struct predictions_writer *w = NULL;
    struct predictions *p = NULL;
    assert_int_equal(predictions_writer_open(&w, path_of("r.tsv"), &labels, NULL, 0), 0);
    for (int i = 0; i < 3; i++) {
        char ids[] = "0\tq\t";
        ids[0] = (char)('0' + i);
        struct predictions_row row = {
            .ids = ids, .ids_length = 4, .label = -1, .target = i ? i : NAN, .value = i / 3.0};
        assert_int_equal(predictions_write(w, &row), 0);
    }
    assert_int_equal(predictions_writer_commit(&w, NULL), 0);
    assert_int_equal(predictions_read(&p, path_of("r.tsv")), 0);
    assert_null(p->label);
    assert_null(p->item_ids);
    assert_true(isnan(p->target[0]) && p->target[2] == 2);
    assert_true(fabs(p->value[1] - 1.0 / 3) < 1e-9 && p->score[1] == p->value[1]);
    predictions_free(p);
}

/* A file of another tool: few columns, any order, no sidecar. */
static void other_tools_files_are_read(void **state)
{
    (void)state;
    struct predictions *p = read_text("\xef\xbb\xbfscore\tlabel\r\n0.5\tyes\r\n0.25\tno\r\n");
    assert_int_equal(p->labels.count, 2);
    assert_string_equal(p->labels.names[1], "yes");
    assert_int_equal(p->label[0], 1);
    assert_null(p->predicted);
    assert_null(p->p);
    assert_null(p->query);
    assert_string_equal(p->row_ids[1], "2");
    predictions_free(p);

    p = read_text("label\tp_2\tp_10\n10\t0.25\t0.75\n\t0.5\t0.5"); /* no line end at the end of the file */
    assert_int_equal(p->rows, 2);
    assert_int_equal(p->label[1], -1);
    assert_int_equal(p->predicted[0], 1);
    assert_int_equal(p->predicted[1], 0);
    assert_true(p->labels.graded && p->score[0] == 2 * 0.25 + 10 * 0.75);
    predictions_free(p);

    p = read_text("label\tpredicted\n1\t2\n3\t1\n");
    assert_int_equal(p->labels.count, 3);
    predictions_free(p);

    p = read_text("label\tpredicted\n1.5\t2\n3\t1\n\t7\n");
    assert_int_equal(p->labels.task, LABEL_TASK_REGRESSION);
    assert_true(p->target[0] == 1.5 && isnan(p->target[2]) && p->value[2] == 7 && p->score[2] == 7);
    predictions_free(p);

    p = read_text("label\tscore\tclicked\tdwell_s\n1\t1\tTrue\t\n0\t-inf\tno\t2.5\n");
    assert_true(p->clicked[0] == 1 && p->clicked[1] == 0 && isnan(p->dwell_s[0]) && p->dwell_s[1] == 2.5);
    assert_true(isinf(p->score[1]));
    predictions_free(p);
}

/* NaN among numbers is a label that is missing, not a class and not a reason to see a regression. */
static void a_label_that_is_nan_is_missing(void **state)
{
    (void)state;
    static const char *const texts[] = {"label\tpredicted\n1\t1\nnan\t1\n0\t0\n", "label\tscore\n1\t1\nNaN\t1\n0\t0\n",
                                        "label\tp_0\tp_1\n1\t0\t1\nnan\t0\t1\n0\t1\t0\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct predictions *p = read_text(texts[i]);
        assert_int_equal(p->labels.task, LABEL_TASK_CLASSIFICATION);
        assert_int_equal(p->labels.count, 2);
        assert_int_equal(p->label[0], 1);
        assert_int_equal(p->label[1], -1);
        assert_int_equal(p->label[2], 0);
        predictions_free(p);
    }
    struct predictions *p = read_text("label\tpredicted\nnan\tno\nno\tnan\n"); /* a name among names */
    assert_int_equal(p->labels.count, 2);
    assert_int_equal(p->label[0], 0);
    predictions_free(p);
    p = read_text("label\tpredicted\nnan\t1.5\n2\t2\n");
    assert_true(isnan(p->target[0]) && p->target[1] == 2);
    predictions_free(p);
}

static void write_file(const char *name, const char *text)
{
    assert_int_equal(file_write_all(path_of(name), text, strlen(text)), 0);
}

static void sidecar_orders_the_labels(void **state)
{
    (void)state;
    static const char *const names[] = {"z", "a"};
    struct label_map labels = {0};
    struct predictions *p = NULL;
    assert_int_equal(label_map_from_list(&labels, names, 2), 0);
    json_t *json = json_pack("{sosi}", "labels", label_map_to_json(&labels), "rows", 1);
    char *text = json_dumps(json, 0);
    write_file("p.tsv", "label\tp_a\tp_z\na\t0.9\t0.1\n");
    write_file("p.tsv.json", text);
    assert_int_equal(predictions_read(&p, path_of("p.tsv")), 0);
    assert_int_equal(p->label[0], 1);
    assert_true(p->p[0] == 0.1 && p->p[1] == 0.9);
    predictions_free(p);
    write_file("p.tsv", "label\tp_a\tp_z\na\t1\t0\nz\t1\t0\n"); /* the sidecar is of another file */
    assert_int_equal(predictions_read(&p, path_of("p.tsv")), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "2 rows, its sidecar"));
    write_file("p.tsv", "label\tp_a\tp_y\na\t1\t0\n");
    assert_int_equal(predictions_read(&p, path_of("p.tsv")), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "no label for column 'p_y'"));
    char hex[HASH_HEX_SIZE];
    label_map_hash(&labels, hex);
    write_file("p.tsv", "label\tp_a\tp_z\na\t0.9\t0.1\n");
    for (int other = 0; other < 2; other++) { /* the hash that predict stamped is of these labels, or of others */
        char *stamped = NULL;
        hex[0] = (char)(other ? (hex[0] == '0' ? '1' : '0') : hex[0]);
        json_object_set_new(json, "hashes", json_pack("{ss}", "label_map", hex));
        stamped = json_dumps(json, 0);
        write_file("p.tsv.json", stamped);
        free(stamped);
        assert_int_equal(predictions_read(&p, path_of("p.tsv")), other ? RECO_E_DATA : 0);
        if (other)
            assert_non_null(strstr(err_message(), "its labels are not those of the predictions"));
        else
            predictions_free(p);
    }
    write_file("p.tsv.json", "[1]");
    assert_int_equal(predictions_read(&p, path_of("p.tsv")), RECO_E_DATA);
    write_file("p.tsv.json", "{");
    assert_int_equal(predictions_read(&p, path_of("p.tsv")), RECO_E_DATA);
    free(text);
    json_decref(json);
    label_map_release(&labels);
}

static void bad_files_are_refused_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "it is empty"},
        {"label\tscore\n", "no rows"},
        {"label\trow_id\n1\t2\n", "no column 'predicted', 'score' or 'p_<label>'"},
        {"score\trow_id\n1\t2\n", "no column 'label'"},
        {"label\tscore\tscore\n1\t2\t3\n", "line 1: doubled column 'score'"},
        {"label\tscore\n1\t2\n1\t2\t3\n", "line 3: 3 fields, the header has 2"},
        {"label\tscore\n1\n", "line 2: 1 field, the header has 2"},
        {"row_id\tlabel\tscore\na\t0\t1\nb\t1\t1\na\t1\t1\n", "line 4: doubled row_id 'a'"},
        {"query_id\tlabel\tscore\n\t0\t1\n", "line 2: empty query_id"},
        {"label\tp_a\tp_b\nc\t1\t0\n", "line 2: unknown label 'c': the labels are 'a', 'b'"},
        {"label\tscore\n1\t2\n\n", "line 3: 1 field, the header has 2 (the line is empty)"},
        {"label\tpredicted\n1.5\t2\n3\tnan\n", "line 3: predicted is not a number"},
        {"label\tp_0\tp_1\n0\t0\t1\nx\t1\t0\n", "line 3: unknown label 'x': the labels are '0', '1'"},
        {"label\tpredicted\tp_a\tp_b\na\tc\t1\t0\n", "line 2: unknown predicted label 'c'"},
        {"label\tscore\n1\tnan\n", "line 2: score is not a number: 'nan'"},
        {"label\tscore\n1\t1,5\n", "line 2: score is not a number: '1,5'"},
        {"label\tscore\n1\t0x10\n", "line 2: score is not a number: '0x10'"},
        {"label\tp_a\tp_b\na\t1.5\t-0.5\n", "line 2: probability is not in [0, 1]: '1.5'"},
        {"label\tp_a\tp_b\na\t0.5\t0.6\n", "line 2: the probabilities sum to 1.1, not 1"},
        {"label\tp_a\tp_b\na\tnan\t0.6\n", "line 2: probability is not in [0, 1]: 'nan'"},
        {"label\tp_a\na\t1\n", "it has the probability of one label alone, 'a': name both with --labels"},
        {"label\tscore\tclicked\n1\t1\tmaybe\n", "line 2: clicked 'maybe' is not a number"},
        {"label\tscore\ttokens\n1\t1\t-3\n", "line 2: tokens is not a count: '-3'"},
        {"label\tscore\ttruncated\n1\t1\t2\n", "line 2: truncated is not 0 or 1: '2'"},
        {"label\tpredicted\n1\t\n", "line 2: nothing is predicted"},
        {"label\tscore\na\t1\n\xff\t2\n", "line 3: not UTF-8: label"},
        {"label\tp_\xff\tp_a\na\t1\t0\n", "line 1: not UTF-8: the label of a column"},
        {"label\tscore\n1\t1\n1\t2\n", "cannot read"}, /* one class: no label map */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct predictions *p = NULL;
        int rc = predictions_read(&p, file_of(bad[i].text));
        assert_null(p);
        if (rc != RECO_E_DATA || !strstr(err_message(), bad[i].message)) {
            fail_msg("case %zu gave %d '%s', want '%s'", i, rc, err_message(), bad[i].message);
        }
    }
    struct predictions *p = NULL;
    assert_int_equal(file_write_all(path_of("p.tsv"), "label\tscore\n1\t\0\n", 16), 0);
    assert_int_equal(predictions_read(&p, path_of("p.tsv")), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "line 2: it holds a NUL byte"));
    assert_int_equal(predictions_read(&p, scratch), RECO_E_IO);
    assert_int_equal(predictions_read(&p, path_of("none.tsv")), RECO_E_IO);
}

static void long_lines_are_read(void **state)
{
    (void)state;
    enum { LENGTH = 3000000 };
    struct buf b = {0};
    assert_int_equal(buf_add_str(&b, "label\tscore\tnote\n"), 0);
    for (int row = 0; row < 3; row++) {
        assert_int_equal(buf_printf(&b, "%d\t1\t", row), 0);
        assert_int_equal(buf_reserve(&b, LENGTH), 0);
        memset(b.data + b.length, 'a' + row, LENGTH);
        b.length += LENGTH;
        assert_int_equal(buf_add_char(&b, '\n'), 0);
    }
    struct predictions *p = read_text(buf_str(&b));
    assert_int_equal(strlen(p->extra[0].values[2]), LENGTH);
    assert_int_equal(p->extra[0].values[2][LENGTH - 1], 'c');
    predictions_free(p);
    buf_release(&b);
}

static void many_ids_are_told_apart(void **state)
{
    (void)state;
    enum { ROWS = 20000 };
    struct buf b = {0};
    assert_int_equal(buf_add_str(&b, "row_id\tquery_id\tlabel\tscore\n"), 0);
    for (int row = 0; row < ROWS; row++) {
        assert_int_equal(buf_printf(&b, "r%d\tq%d\t%d\t1\n", row, row % 777, row % 2), 0);
    }
    struct predictions *p = read_text(buf_str(&b));
    assert_int_equal(p->query_count, 777);
    for (int row = 0; row < ROWS; row++) {
        assert_int_equal(p->query[row], row % 777);
    }
    predictions_free(p);
    buf_release(&b);
}

static bool nothing_is_left(const char *name)
{
    char command[512];
    snprintf(command, sizeof command, "test -z \"$(ls %s | grep '^%s')\"", scratch, name);
    return system(command) == 0;
}

static void a_full_disk_leaves_nothing(void **state)
{
    (void)state;
    struct label_map labels = {0};
    make_labels(&labels);
    int rc = -1;
    long n = 0;
    while (rc && n < 1000) {
        file_fail_after(++n);
        rc = write_some(path_of("full.tsv"), &labels, 40);
        file_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_IO);
        if (rc && file_exists(path_of("full.tsv"))) { /* the sidecar's write failed: the file itself is whole */
            struct predictions *p = NULL;
            assert_int_equal(predictions_read(&p, path_of("full.tsv")), 0);
            predictions_free(p);
            assert_int_equal(file_remove(path_of("full.tsv")), 0);
        }
        assert_true(!rc || nothing_is_left("full"));
    }
    assert_true(n > 2);
    label_map_release(&labels);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    struct label_map labels = {0};
    int rc = -1;
    long n = 0;
    make_labels(&labels);
    while (rc && n < 10000) {
        mem_fail_after(++n);
        rc = write_some(path_of("torture.tsv"), &labels, 3);
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
    }
    assert_true(n > 5);
    rc = -1;
    n = 0;
    while (rc && n < 10000) {
        struct predictions *p = NULL;
        mem_fail_after(++n);
        rc = predictions_read(&p, path_of("torture.tsv"));
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        predictions_free(p);
    }
    assert_true(n > 20);
    label_map_release(&labels);
}

static void decimals_are_rounded_right(void **state)
{
    (void)state;
    static const char *const good[] = {"0",
                                       "-0",
                                       "1",
                                       "1.",
                                       ".5",
                                       "123456789",
                                       "0.1",
                                       "1e5",
                                       "1E-5",
                                       "+2.50",
                                       "1.7976931348623157e308",
                                       "2.2250738585072014e-308",
                                       "4.9e-324",
                                       "1e-400",
                                       "0.30000000000000004",
                                       "9007199254740993",
                                       "123456789012345678901234567890",
                                       "1e22",
                                       "1e23",
                                       "8.41e21",
                                       "9.5367431640625e-07",
                                       "1e400",
                                       "-1e999"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double ours = 7;
        double theirs = strtod(good[i], NULL);
        assert_true(decimal_parse(good[i], strlen(good[i]), &ours));
        assert_memory_equal(&ours, &theirs, sizeof ours);
    }
    static const char *const bad[] = {"",   "-",     "+",     ".",   "e5",    "1e",   "1e+", "1 ",   " 1",
                                      "1x", "0x1p3", "1.2.3", "1,5", "infin", "nanx", "--1", "1e5.0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double ours = 7;
        if (decimal_parse(bad[i], strlen(bad[i]), &ours) || ours != 7) {
            fail_msg("'%s' was taken for %g", bad[i], ours);
        }
    }
    double value;
    assert_true(decimal_parse("-inf", 4, &value) && isinf(value) && value < 0);
    assert_true(decimal_parse("Infinity", 8, &value) && isinf(value) && value > 0);
    assert_true(decimal_parse("nan", 3, &value) && isnan(value));
    assert_true(decimal_parse("12junk", 2, &value) && value == 12);
}

static int open_with(struct predictions **p, const char *path, bool packed, int threads)
{
    struct predictions_options options;
    predictions_options_init(&options);
    options.packed = packed;
    options.threads = threads;
    return predictions_open(p, path, &options);
}

/* Short decimals, long ones, tiny ones and infinities; the labels and ids come in no order. */
static void write_many(const char *path, unsigned rows, unsigned bad_row)
{
    static const char *const odd[] = {"1e-30", "0.12345678901234567", "inf", "-2.5", "-0", "123456789012", "4.2e+10"};
    struct buf b = {0};
    assert_int_equal(buf_add_str(&b, "row_id\tquery_id\titem_id\tlabel\tp_a\tp_b\tscore\n"), 0);
    for (unsigned i = 0; i < rows; i++) {
        unsigned x = i * 2654435761u >> 7;
        double p = (double)(x % 100003) / 100003;
        char score[32];
        snprintf(score, sizeof score, "%.9g", p * 40 - 7);
        assert_int_equal(buf_printf(&b, "r%u\tq%u\ti%u\t%s\t%.*g\t%.9g\t%s\n", i, x % 5003, x % 9001,
                                    i == bad_row ? "c"
                                    : x % 3      ? "a"
                                                 : "b",
                                    x % 17 ? 9 : 17, 1 - p, p, x % 29 ? score : odd[x % 7]),
                         0);
    }
    assert_int_equal(file_write_all(path, b.data, b.length), 0);
    buf_release(&b);
}

static void threads_and_packing_change_nothing(void **state)
{
    (void)state;
    enum { NUMBER_ROWS = 60000 };
    char path[300];
    snprintf(path, sizeof path, "%s/many.tsv", scratch);
    write_many(path, NUMBER_ROWS, NUMBER_ROWS);
    struct predictions *wide = NULL;
    assert_int_equal(open_with(&wide, path, false, 1), 0);
    assert_int_equal(wide->rows, NUMBER_ROWS);
    for (int threads = 1; threads <= 4; threads += 3) {
        struct predictions *packed = NULL;
        assert_int_equal(open_with(&packed, path, true, threads), 0);
        assert_int_equal(packed->query_count, wide->query_count);
        assert_int_equal(packed->item_count, wide->item_count);
        assert_memory_equal(packed->label, wide->label, NUMBER_ROWS * sizeof *wide->label);
        assert_memory_equal(packed->query, wide->query, NUMBER_ROWS * sizeof *wide->query);
        assert_memory_equal(packed->item, wide->item, NUMBER_ROWS * sizeof *wide->item);
        for (size_t row = 0; row < NUMBER_ROWS; row++) {
            double numbers[] = {predictions_p(packed, row, 0), predictions_p(packed, row, 1),
                                predictions_score(packed, row)};
            double expected[] = {wide->p[2 * row], wide->p[2 * row + 1], wide->score[row]};
            assert_memory_equal(numbers, expected, sizeof numbers); /* the very same bits */
            assert_string_equal(packed->row_ids[row], wide->row_ids[row]);
        }
        assert_int_equal(predictions_widen(packed), 0);
        assert_memory_equal(packed->p, wide->p, 2 * NUMBER_ROWS * sizeof *wide->p);
        predictions_free(packed);
    }
    predictions_free(wide);
    write_many(path, NUMBER_ROWS, 45000);
    for (int threads = 1; threads <= 4; threads += 3) {
        struct predictions *p = NULL;
        assert_int_equal(open_with(&p, path, true, threads), RECO_E_DATA);
        assert_non_null(strstr(err_message(), "line 45002: unknown label 'c'"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back), cmocka_unit_test(regression_reads_back),
        cmocka_unit_test(other_tools_files_are_read), cmocka_unit_test(a_label_that_is_nan_is_missing),
        cmocka_unit_test(sidecar_orders_the_labels),  cmocka_unit_test(bad_files_are_refused_with_their_line),
        cmocka_unit_test(long_lines_are_read),        cmocka_unit_test(many_ids_are_told_apart),
        cmocka_unit_test(a_full_disk_leaves_nothing), cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(decimals_are_rounded_right), cmocka_unit_test(threads_and_packing_change_nothing),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
