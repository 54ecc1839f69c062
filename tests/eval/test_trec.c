/* TREC files: the text of trec_eval on its own test data (where present) and on a committed run, reading and writing.
 */

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

#include "core/file.h"
#include "core/mem.h"
#include "eval/trec.h"

#define FOLDER RECO_SOURCE_DIR "/tests/reference/metrics/"
#define MEASURES_MAX 16

static char scratch[] = "/tmp/reco-test-trec-XXXXXX";

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

static void scratch_path(char path[256], const char *name, const char *text)
{
    snprintf(path, 256, "%s/%s", scratch, name);
    if (text) {
        assert_int_equal(file_write_all(path, text, strlen(text)), 0);
    }
}

struct files {
    struct trec_qrels *qrels;
    struct trec_run *run;
};

static void open_files(struct files *f, const char *qrels, const char *run)
{
    if (trec_qrels_read(&f->qrels, qrels, 2) || trec_run_read(&f->run, run, 2)) {
        fail_msg("%s", err_message());
    }
}

static void close_files(struct files *f)
{
    trec_qrels_free(f->qrels);
    trec_run_free(f->run);
}

static const struct trec_options plain = {.relevance_level = 1};

/* ---- trec_eval's own test data ---- */

struct pair {
    const char *qrels, *run, *expected;
    struct trec_options options;
    const char *measures[MEASURES_MAX];
};

static const struct pair pairs[] = {
    {"qrels.test", "results.test", "out.test", {.relevance_level = 1}, {NULL}},
    {"qrels.comment.test", "results.comment.test", "out.comment.test", {.relevance_level = 1}, {NULL}},
    {"qrels.test", "results.test", "out.test.a", {.relevance_level = 1}, {"all_trec"}},
    {"qrels.test", "results.test", "out.test.aq", {.relevance_level = 1, .by_query = true}, {"all_trec"}},
    {"qrels.test",
     "results.trunc",
     "out.test.aqc",
     {.relevance_level = 1, .by_query = true, .complete = true},
     {"all_trec"}},
    {"qrels.test",
     "results.trunc",
     "out.test.aqcM",
     {.relevance_level = 1, .by_query = true, .complete = true, .max_results = 100},
     {"all_trec"}},
    {"qrels.rel_level",
     "results.test",
     "out.test.aql",
     {.relevance_level = 2, .by_query = true},
     {"all_trec", "relstring.20"}},
    {"qrels.test",
     "results.test",
     "out.test.meas_params",
     {.relevance_level = 1, .by_query = true},
     {"iprec_at_recall..10,.20,.25,.75,.50", "P.5,7,3", "recall.20,2000", "Rprec_mult.5.0,0.2,0.35", "utility.2,-1,0,0",
      "11pt_avg..25,.5,.75", "ndcg.1=3,2=9,4=4.5", "ndcg_cut.10,20,23.4", "success.2,5,20"}},
};

static void prints_what_trec_eval_prints(void **state)
{
    (void)state;
    const char *data = getenv("RECO_DATA_DIR");
    char folder[512];
    snprintf(folder, sizeof folder, "%s/trec_eval/test", data ? data : RECO_SOURCE_DIR "/../shared/data");
    if (!dir_exists(folder)) {
        print_message("skipped: no folder '%s'\n", folder);
        skip();
    }
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char qrels[600];
        char run[600];
        char expected[600];
        struct files f = {0};
        struct buf ours = {0};
        struct buf theirs = {0};
        snprintf(qrels, sizeof qrels, "%s/%s", folder, pairs[i].qrels);
        snprintf(run, sizeof run, "%s/%s", folder, pairs[i].run);
        snprintf(expected, sizeof expected, "%s/%s", folder, pairs[i].expected);
        open_files(&f, qrels, run);
        struct trec_options options = pairs[i].options;
        options.measures = pairs[i].measures;
        while (options.measure_count < MEASURES_MAX && pairs[i].measures[options.measure_count]) {
            options.measure_count++;
        }
        assert_int_equal(trec_eval_text(&ours, f.qrels, f.run, &options), 0);
        assert_int_equal(file_read_all(expected, 0, &theirs), 0);
        assert_string_equal(buf_str(&ours), buf_str(&theirs));
        buf_release(&ours);
        buf_release(&theirs);
        close_files(&f);
    }
}

/* ---- where trec_eval's ways are its own: the expected lines are its output ---- */

/* 7 of 16 documents are among the 10 relevant ones: 49 / 160 is printed as 0.3063 when it is one division. */
static const char sets_qrels[] = "q1 0 d0 1\nq1 0 d1 1\nq1 0 d2 1\nq1 0 d3 1\nq1 0 d4 1\nq1 0 d5 2\nq1 0 d6 1\n"
                                 "q1 0 e0 1\nq1 0 e1 1\nq1 0 e2 1\nq2 0 a 1\nq2 0 b 0\n";
static const char sets_run[] = "q1 Q0 d0 1 16 t\nq1 Q0 d1 1 15 t\nq1 Q0 x0 1 14 t\nq1 Q0 d2 1 13 t\n"
                               "q1 Q0 x1 1 12 t\nq1 Q0 d3 1 11 t\nq1 Q0 x2 1 10 t\nq1 Q0 d4 1 9 t\n"
                               "q1 Q0 x3 1 8 t\nq1 Q0 d5 1 7 t\nq1 Q0 x4 1 6 t\nq1 Q0 d6 1 5 t\n"
                               "q1 Q0 x5 1 4 t\nq1 Q0 x6 1 3 t\nq1 Q0 x7 1 2 t\nq1 Q0 x8 1 1 t\n";
static const struct {
    const char *measures[2], *expected;
    bool complete, judged_only;
} ways[] = {
    {{"set_map", NULL}, "set_map               \tall\t0.3063\n", false, false},
    {{"P.5", "P.10,15"}, "P_5                   \tall\t0.6000\n", false, false}, /* the first parameters count */
    {{"all_trec", "relstring.3"}, "relstring_3           \tq2\t'-'\n", true, false},
    {{"relstring", NULL}, "relstring             \tq2\t''\n", true, false},
    {{"relstring.3", NULL}, "relstring_3           \tq2\t''\n", true, true},
    {{"utility.1,-1,-1,0", NULL}, "utility_1,-1,-1,0     \tq2\t-2.0000\n", true, false},
    {{"utility", NULL}, "utility               \tq2\t0.0000\n", true, false},
    {{"rbp_resid.p=0.8", NULL}, "rbp_resid_p=0.8       \tq2\t1.0000\n", true, false},
    {{"rbp_resid.p=0.8", NULL}, "rbp_resid_p=0.8       \tq1\t0.3861\n", true, false},
    {{"rbp_resid", NULL}, "rbp_resid             \tq2\t0.0000\n", true, false},
    {{"rbp.p=0.5", NULL}, "rbp_p=0.5             \tall\t0.4171\n", false, false},
    {{"rbp.1=0.25,2=1,p=0.875", NULL}, "rbp_1=0.25,2=1,p=0.875\tall\t0.1526\n", false, false},
    {{"rbp.-1=1", NULL}, "rbp_-1=1              \tall\t0.4267\n", false, false},
};

static void prints_what_trec_eval_prints_where_it_is_odd(void **state)
{
    (void)state;
    char qrels[256];
    char run[256];
    struct files f = {0};
    scratch_path(qrels, "qrels", sets_qrels);
    scratch_path(run, "run", sets_run);
    open_files(&f, qrels, run);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct buf b = {0};
        struct trec_options options = {.relevance_level = 1,
                                       .by_query = true,
                                       .complete = ways[i].complete,
                                       .judged_only = ways[i].judged_only,
                                       .measures = ways[i].measures,
                                       .measure_count = ways[i].measures[1] ? 2 : 1};
        assert_int_equal(trec_eval_text(&b, f.qrels, f.run, &options), 0);
        if (!strstr(buf_str(&b), ways[i].expected)) {
            fail_msg("not there: %sin:\n%s", ways[i].expected, buf_str(&b));
        }
        buf_release(&b);
    }
    close_files(&f);
}

/* ---- large files are read in parts ---- */

/* 11 / 32 over 11 points is printed as 0.0312, and (5 + 1 / 4) / 24 as 0.2188, when sums are divided once. */
static void sums_are_divided_once(void **state)
{
    (void)state;
    static const char *const measures[] = {"11pt_avg", "binG"};
    struct buf text = {0};
    struct buf run = {0};
    char path[2][256];
    struct files f = {0};
    assert_int_equal(buf_add_str(&text, "a 0 r0 1\n"), 0);
    for (int i = 0; i < 32; i++) {
        if (i < 24) {
            assert_int_equal(buf_printf(&text, "b 0 r%d 1\n", i), 0);
        }
        assert_int_equal(buf_printf(&run, "a Q0 %c%d 0 %d t\n", i < 31 ? 'd' : 'r', i % 31, 100 - i), 0);
        if (i < 20) { /* five relevant ones, fourteen others, a relevant one */
            assert_int_equal(buf_printf(&run, "b Q0 %c%d 0 %d t\n", i < 5 || i == 19 ? 'r' : 'd', i, 100 - i), 0);
        }
    }
    scratch_path(path[0], "qrels", buf_str(&text));
    scratch_path(path[1], "run", buf_str(&run));
    buf_clear(&text);
    open_files(&f, path[0], path[1]);
    struct trec_options options = {.relevance_level = 1, .by_query = true, .measures = measures, .measure_count = 2};
    assert_int_equal(trec_eval_text(&text, f.qrels, f.run, &options), 0);
    assert_non_null(strstr(buf_str(&text), "11pt_avg              \ta\t0.0312\n"));
    assert_non_null(strstr(buf_str(&text), "binG                  \tb\t0.2188\n"));
    close_files(&f);
    buf_release(&text);
    buf_release(&run);
}

#define TOPICS 50
#define DOCUMENTS 400

static void add_run_line(struct buf *b, int topic, int document)
{
    assert_int_equal(buf_printf(b, "topic-%d Q0 document-%d %d %d.5 tag\n", topic, (document * 7919) % DOCUMENTS,
                                document, (document * 31) % 97),
                     0);
}

static void parts_of_a_file_make_no_difference(void **state)
{
    (void)state;
    static const char *const measures[] = {"all_trec"};
    struct buf qrels = {0};
    struct buf together = {0};
    struct buf apart = {0};
    struct buf text[2] = {{0}, {0}};
    char path[3][256];
    for (int topic = 0; topic < TOPICS; topic++) {
        for (int document = 0; document < DOCUMENTS; document++) {
            add_run_line(&together, topic, document);
        }
        for (int document = 0; document < DOCUMENTS; document += 3) {
            assert_int_equal(buf_printf(&qrels, "topic-%d 0 document-%d %d\n", topic, document, document % 4 - 1), 0);
        }
    }
    for (int document = 0; document < DOCUMENTS; document++) {
        for (int topic = TOPICS; topic-- > 0;) {
            add_run_line(&apart, topic, document);
        }
    }
    assert_true(apart.length > (size_t)1 << 19); /* several parts */
    scratch_path(path[0], "qrels", buf_str(&qrels));
    scratch_path(path[1], "together", buf_str(&together));
    scratch_path(path[2], "apart", buf_str(&apart));
    for (size_t i = 0; i < 2; i++) {
        struct files f = {0};
        struct trec_options options = {
            .relevance_level = 1, .by_query = true, .measures = measures, .measure_count = 1};
        open_files(&f, path[0], path[i + 1]);
        assert_int_equal(trec_eval_text(&text[i], f.qrels, f.run, &options), 0);
        close_files(&f);
    }
    assert_string_equal(buf_str(&text[0]), buf_str(&text[1]));

    struct trec_run *run = NULL;
    add_run_line(&apart, TOPICS - 1, 0); /* the first line once more */
    scratch_path(path[2], "twice", buf_str(&apart));
    assert_int_equal(trec_run_read(&run, path[2], 2), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "line 20001: query 'topic-49' has document 'document-0' twice, first on "
                                          "line 1"));
    apart.length -= 4;
    assert_int_equal(buf_add_str(&apart, "\ntopic-1 Q0 d 1 x tag\n"), 0);
    scratch_path(path[2], "bad", buf_str(&apart));
    assert_int_equal(trec_run_read(&run, path[2], 2), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "line 20001: 5 fields"));
    buf_release(&qrels);
    buf_release(&together);
    buf_release(&apart);
    buf_release(&text[0]);
    buf_release(&text[1]);
}

/* ---- the committed run: unjudged documents, ties, a query without a relevant document ---- */

static void agrees_on_the_committed_run(void **state)
{
    (void)state;
    static const char *const measures[] = {"set",           "all_trec",  "P.5,10",     "recall.5,10",
                                           "ndcg_cut.5,10", "map_cut.5", "success.1,5"};
    struct files f = {0};
    struct buf ours = {0};
    struct buf theirs = {0};
    open_files(&f, FOLDER "trec.qrels", FOLDER "trec.run");
    struct trec_options options = plain;
    options.by_query = true;
    options.measures = measures;
    options.measure_count = sizeof measures / sizeof measures[0];
    assert_int_equal(trec_eval_text(&ours, f.qrels, f.run, &options), 0);
    assert_int_equal(file_read_all(FOLDER "trec.expected", 0, &theirs), 0);
    size_t lines = 0;
    for (char *line = theirs.data; *line; lines++) {
        size_t length = strcspn(line, "\n") + 1;
        char one[256];
        snprintf(one, sizeof one, "%.*s", (int)length, line);
        if (!strstr(buf_str(&ours), one)) {
            fail_msg("missing: %s", one);
        }
        line += length;
    }
    assert_true(lines > 200);
    buf_release(&ours);
    buf_release(&theirs);
    close_files(&f);
}

static enum eval_ties value_ties = EVAL_TIES_DOCNO;

static void value_of(const struct files *f, const struct trec_options *trec, const char *name, double *value)
{
    struct eval_options options;
    struct eval_report *report = NULL;
    eval_options_init(&options);
    options.ties = value_ties;
    options.metrics = &name;
    options.metric_count = 1;
    options.by_query = true;
    assert_int_equal(trec_eval_run(&report, f->qrels, f->run, trec, &options), 0);
    if (!eval_report_get(report, name, value, NULL)) {
        *value = NAN;
    }
    struct buf b = {0};
    assert_int_equal(eval_report_text(report, &b), 0);
    assert_int_equal(eval_report_per_query(report, &b), 0);
    json_t *json = eval_report_json(report);
    assert_non_null(json);
    json_decref(json);
    buf_release(&b);
    eval_report_free(report);
}

/* Three queries; d is ranked, u is not judged; q3 has nothing relevant, q4 is not in the run. */
static const char small_qrels[] = "q1 0 a 1\nq1 0 b 0\nq1 0 c 2\nq2 0 a 1\nq3 0 a 0\nq4 0 z 1\n";
static const char small_run[] =
    "q1 Q0 u 1 3 t\nq1 Q0 c 2 2 t\nq1 Q0 b 3 2 t\nq2 Q0 b 1 1 t\nq3 Q0 a 1 1 t\nq9 Q0 a 1 1 t\n";

static void own_metrics_on_trec_files(void **state)
{
    (void)state;
    char qrels[256];
    char run[256];
    struct files f = {0};
    double value;
    scratch_path(qrels, "qrels", small_qrels);
    scratch_path(run, "run", small_run);
    open_files(&f, qrels, run);
    value_of(&f, &plain, "mrr", &value); /* q1: c before b by docno; q2: 0; q3 left out */
    assert_true(fabs(value - (1.0 / 2 + 0) / 2) < 1e-12);
    value_of(&f, &plain, "ndcg@3", &value);
    double ideal = 3 + 1 / log2(3);
    assert_true(fabs(value - (3 / log2(3) / ideal + 0) / 2) < 1e-12);
    struct trec_options complete = plain;
    complete.complete = true;
    value_of(&f, &complete, "mrr", &value); /* q4 counts as an empty list */
    assert_true(fabs(value - 0.5 / 3) < 1e-12);
    struct trec_options judged = plain;
    judged.judged_only = true;
    value_of(&f, &judged, "mrr", &value);
    assert_true(fabs(value - 0.5) < 1e-12);
    value_of(&f, &plain, "accuracy", &value);
    assert_true(isnan(value));
    close_files(&f);
}

/* The relevant one of three items of one score is the first of the file, and the last by docno. */
static void ties_of_trec_files(void **state)
{
    (void)state;
    static const struct {
        enum eval_ties ties;
        double mrr;
    } expected[] = {{EVAL_TIES_DOCNO, 1.0 / 3}, {EVAL_TIES_FILE, 1}, {EVAL_TIES_EXPECTED, (1 + 1.0 / 2 + 1.0 / 3) / 3}};
    char qrels[256];
    char run[256];
    struct files f = {0};
    scratch_path(qrels, "qrels", "q 0 a 1\nq 0 b 0\n");
    scratch_path(run, "run", "q Q0 a 1 2 t\nq Q0 c 2 2 t\nq Q0 b 3 2 t\n");
    open_files(&f, qrels, run);
    for (size_t i = 0; i < 3; i++) {
        double value;
        value_ties = expected[i].ties;
        value_of(&f, &plain, "mrr", &value);
        assert_true(fabs(value - expected[i].mrr) < 1e-12);
    }
    value_ties = EVAL_TIES_DOCNO;
    close_files(&f);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
        bool is_run;
    } bad[] = {
        {"q1 0 a\n", "line 1: 3 fields", false},
        {"q1 0 a 1\n\n# x\nq1 0 b x\n", "line 4: not a relevance: 'x'", false},
        {"q1 0 a 1.5\n", "line 1: not a whole relevance up to 1000: '1.5'", false},
        {"q1 0 a 1001\n", "line 1: not a whole relevance up to 1000: '1001'", false},
        {"q1 0 a 1\nq1 0 b 1\nq1 0 a 0\n", "line 3: query 'q1' has document 'a' twice, first on line 1", false},
        {"", "no entries", false},
        {"# only a comment\n", "no entries", false},
        {"q1 Q0 a 1 2\n", "line 1: 5 fields", true},
        {"q1 Q0 a 1 x t\n", "line 1: not a score: 'x'", true},
        {"q1 Q0 a 1 1 t\nq2 Q0 a 1 1\n", "line 2: 5 fields", true},
        {"q1 Q0 a 1 nan t\n", "line 1: not a score: 'nan'", true},
        {"q1 Q0 a 1 1 t\nq1 Q0 a 2 0 t\n", "query 'q1' has document 'a' twice", true},
    };
    char path[256];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct files f = {0};
        scratch_path(path, "bad", bad[i].text);
        int rc = bad[i].is_run ? trec_run_read(&f.run, path, 2) : trec_qrels_read(&f.qrels, path, 2);
        assert_int_equal(rc, RECO_E_DATA);
        if (!strstr(err_message(), bad[i].message)) {
            fail_msg("'%s' does not say '%s'", err_message(), bad[i].message);
        }
        assert_null(f.run);
        assert_null(f.qrels);
    }
    struct files f = {0};
    struct buf b = {0};
    char other[256];
    scratch_path(path, "qrels", "q1 0 a 1\n");
    scratch_path(other, "run", "q2 Q0 a 1 1 t\n");
    open_files(&f, path, other);
    assert_int_equal(trec_eval_text(&b, f.qrels, f.run, &plain), RECO_E_DATA);
    close_files(&f);
    buf_release(&b);
}

static void measures_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"map",
                                       "official",
                                       "set",
                                       "all_trec",
                                       "P.5",
                                       "P.1,2,3",
                                       "ndcg",
                                       "ndcg.1=2,3=.5",
                                       "set_F.0.5",
                                       "utility.1,2,3,4",
                                       "11pt_avg.0.5",
                                       "rbp.p=0.8",
                                       "rbp.p=0.5,1=0.25",
                                       "rbp_resid.p=1"};
    static const char *const bad[] = {"",       "maps",    "P.0",     "P.x",       "P.5,5",       "P.",
                                      "map.5",  "ndcg.1",  "ndcg.=1", "utility.1", "ndcg_cut.-1", "official.5",
                                      "P,5",    "P.1e300", "rbp.p=2", "rbp.p=nan", "rbp.p=",      "ndcg.p=0.5",
                                      "rbp.0.5"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (trec_measure_check(good[i])) {
            fail_msg("%s: %s", good[i], err_message());
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (trec_measure_check(bad[i]) != RECO_E_USAGE) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
    assert_int_equal(trec_measure_check("ndcg_cup"), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "did you mean 'ndcg_cut'?"));
}

/* Predictions written as TREC files and read back give the same figures. */
static void predictions_survive_as_trec_files(void **state)
{
    (void)state;
    static const char *const names[] = {"ndcg@10", "map", "mrr", "precision@5", "recall@3"};
    char qrels[256];
    char run[256];
    struct files f = {0};
    struct predictions *p = NULL;
    struct eval_options options;
    struct eval_report *report = NULL;
    assert_int_equal(predictions_read(&p, FOLDER "binary.tsv"), 0);
    scratch_path(qrels, "qrels.out", NULL);
    scratch_path(run, "run.out", NULL);
    assert_int_equal(trec_run_write(run, p, "tag"), 0);
    assert_int_equal(trec_qrels_write(qrels, p), 0);
    open_files(&f, qrels, run);
    eval_options_init(&options);
    assert_int_equal(eval_run(&report, p, &options), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        double ours;
        double back;
        assert_true(eval_report_get(report, names[i], &ours, NULL));
        value_of(&f, &plain, names[i], &back);
        assert_true(fabs(ours - back) < 1e-12);
    }
    eval_report_free(report);
    assert_int_equal(trec_run_write(run, p, "two words"), RECO_E_DATA);
    close_files(&f);
    predictions_free(p);
    assert_int_equal(predictions_read(&p, FOLDER "regression.tsv"), 0);
    assert_int_equal(trec_qrels_write(qrels, p), RECO_E_DATA); /* grades are not whole */
    predictions_free(p);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    static const char *const measures[] = {"all_trec", "ndcg.1=2", "P.5"};
    char qrels[256];
    char run[256];
    int rc = -1;
    long n = 0;
    scratch_path(qrels, "qrels", small_qrels);
    scratch_path(run, "run", small_run);
    while (rc && n < 100000) {
        struct files f = {0};
        struct buf b = {0};
        struct eval_report *report = NULL;
        struct eval_options own;
        struct trec_options options = plain;
        options.measures = measures;
        options.measure_count = 3;
        eval_options_init(&own);
        mem_fail_after(++n);
        rc = trec_qrels_read(&f.qrels, qrels, 2);
        if (!rc) {
            rc = trec_run_read(&f.run, run, 2);
        }
        if (!rc) {
            rc = trec_eval_text(&b, f.qrels, f.run, &options);
        }
        if (!rc) {
            rc = trec_eval_run(&report, f.qrels, f.run, &options, &own);
        }
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        eval_report_free(report);
        buf_release(&b);
        close_files(&f);
    }
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_what_trec_eval_prints),
        cmocka_unit_test(prints_what_trec_eval_prints_where_it_is_odd),
        cmocka_unit_test(parts_of_a_file_make_no_difference),
        cmocka_unit_test(sums_are_divided_once),
        cmocka_unit_test(agrees_on_the_committed_run),
        cmocka_unit_test(own_metrics_on_trec_files),
        cmocka_unit_test(ties_of_trec_files),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(measures_are_checked),
        cmocka_unit_test(predictions_survive_as_trec_files),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
