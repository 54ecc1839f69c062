/* Predictions of other tools: any table, any names, and what is not as reco writes it comes out the same. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/predictions.h"
#include "data/predictions_source.h"

static char scratch[] = "/tmp/reco-test-source-XXXXXX";

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

static int open_file(struct predictions **p, const char *name, const struct predictions_source *source)
{
    struct predictions_options options;
    predictions_options_init(&options);
    options.source = source;
    return predictions_open(p, path_of(name), &options);
}

static int open_text(struct predictions **p, const char *name, const char *text,
                     const struct predictions_source *source)
{
    assert_int_equal(file_write_all(path_of(name), text, strlen(text)), 0);
    return open_file(p, name, source);
}

static struct predictions *read_text(const char *name, const char *text, const struct predictions_source *source)
{
    struct predictions *p = NULL;
    if (open_text(&p, name, text, source)) {
        fail_msg("%s", err_message());
    }
    return p;
}

#define PLAIN "row_id\tquery_id\titem_id\tlabel\tp_no\tp_yes\tbrand\n"

/* The two rows that every form of the file holds. */
static void check_two_rows(const struct predictions *p)
{
    assert_int_equal(p->rows, 2);
    assert_int_equal(p->labels.count, 2);
    assert_string_equal(p->labels.names[1], "yes");
    assert_string_equal(p->row_ids[1], "b");
    assert_string_equal(p->query_ids[p->query[1]], "q, \"1\"");
    assert_string_equal(p->item_ids[p->item[0]], "i\\1");
    assert_int_equal(p->label[0], 0);
    assert_int_equal(p->label[1], -1);
    assert_true(predictions_p(p, 0, 1) == 0.25 && predictions_p(p, 1, 1) == 0.5);
    assert_int_equal(p->extra_count, 1);
    assert_string_equal(p->extra[0].name, "brand");
    assert_string_equal(p->extra[0].values[1], "x\ny\tz");
}

static void every_form_of_table_is_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } files[] = {
        {"own.tsv", PLAIN "a\tq, \"1\"\ti\\\\1\tno\t0.75\t0.25\tx\nb\tq, \"1\"\ti2\t\t0.5\t0.5\tx\\ny\\tz\n"},
        {"t.csv", "row_id,query_id,item_id,label,p_no,p_yes,brand\na,\"q, \"\"1\"\"\",i\\1,no,0.75,0.25,x\n"
                  "b,\"q, \"\"1\"\"\",i2,,0.5,0.5,\"x\ny\tz\"\n"},
        {"crlf.csv", "\xef\xbb\xbfrow_id,query_id,item_id,label,p_no,p_yes,brand\r\na,\"q, \"\"1\"\"\",i\\1,no,0.75,"
                     "0.25,x\r\n\r\nb,\"q, \"\"1\"\"\",i2,,0.5,0.5,\"x\ny\tz\"\r\n"},
        {"semicolon.txt", "row_id;query_id;item_id;label;p_no;p_yes;brand\na;\"q, \"\"1\"\"\";i\\1;no;0.75;0.25;x\n"
                          "b;\"q, \"\"1\"\"\";i2;;0.5;0.5;\"x\ny\tz\"\n"},
        {"quoted.tsv",
         "\"row_id\"\t\"query_id\"\t\"item_id\"\t\"label\"\t\"p_no\"\t\"p_yes\"\t\"brand\"\n\"a\"\t\"q, "
         "\"\"1\"\"\"\t\"i\\1\"\t\"no\"\t0.75\t0.25\tx\nb\t\"q, \"\"1\"\"\"\ti2\t\t0.5\t0.5\t\"x\ny\tz\"\n"},
        {"t.jsonl",
         "{\"row_id\":\"a\",\"query_id\":\"q, \\\"1\\\"\",\"item_id\":\"i\\\\1\",\"label\":\"no\",\"p_no\":0.75,"
         "\"p_yes\":0.25,\"brand\":\"x\"}\n{\"row_id\":\"b\",\"query_id\":\"q, \\\"1\\\"\",\"item_id\":\"i2\","
         "\"label\":null,\"p_no\":0.5,\"p_yes\":0.5,\"brand\":\"x\\ny\\tz\"}\n"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct predictions *p = read_text(files[i].name, files[i].text, NULL);
        check_two_rows(p);
        predictions_free(p);
        char packed[64];
        snprintf(packed, sizeof packed, "%s.gz", files[i].name);
        gzFile gz = gzopen(path_of(packed), "wb");
        assert_non_null(gz);
        assert_true(gzwrite(gz, files[i].text, (unsigned)strlen(files[i].text)) > 0);
        gzclose(gz);
        p = NULL;
        assert_int_equal(open_file(&p, packed, NULL), 0);
        check_two_rows(p);
        predictions_free(p);
    }
}

/* Names as scikit-learn's users choose them. */
static void columns_are_named(void **state)
{
    (void)state;
    static const char *const pattern[] = {"prob_*"};
    static const char *const pairs[] = {"yes=b", "no=a"};
    static const char *const plain[] = {"a", "b"};
    static const char *const order[] = {"no", "yes"};
    struct predictions_source source = {.columns[PREDICTIONS_LABEL] = {"y_true", true},
                                        .columns[PREDICTIONS_PREDICTED] = {"y_pred", true},
                                        .probabilities = pattern,
                                        .probability_count = 1};
    struct predictions *p =
        read_text("a.csv", "id,y_true,y_pred,prob_no,prob_yes,label\n1,yes,no,0.25,0.75,7\n", &source);
    assert_int_equal(p->label[0], 1);
    assert_int_equal(p->predicted[0], 0);
    assert_true(p->p[1] == 0.75);
    assert_int_equal(p->extra_count, 2); /* id, and a column that is called as reco calls the label */
    assert_string_equal(p->extra[1].name, "label");
    predictions_free(p);

    source.probabilities = pairs;
    source.probability_count = 2;
    source.labels = order;
    source.label_count = 2;
    p = read_text("a.csv", "y_true,y_pred,a,b\nyes,no,0.25,0.75\n", &source);
    assert_string_equal(p->labels.names[1], "yes");
    assert_true(p->p[1] == 0.75);
    predictions_free(p);

    source = (struct predictions_source){.probabilities = plain, .probability_count = 2};
    p = read_text("a.csv", "label,a,b\na,0.25,0.75\n", &source);
    assert_string_equal(p->labels.names[0], "a");
    assert_int_equal(p->predicted[0], 1);
    predictions_free(p);

    /* not asked for by a flag: only where the file has it and not reco's own name */
    source = (struct predictions_source){.columns[PREDICTIONS_LABEL] = {"relevance", false}};
    p = read_text("a.csv", "label,score,relevance\n1,0.5,0\n0,0.25,1\n", &source);
    assert_int_equal(p->label[0], 1);
    predictions_free(p);
    p = read_text("a.csv", "score,relevance\n0.5,0\n0.25,1\n", &source);
    assert_int_equal(p->label[0], 0);
    predictions_free(p);
}

static void one_probability_is_enough_for_two_labels(void **state)
{
    (void)state;
    static const char *const one[] = {"prob"};
    static const char *const no_of[] = {"no=prob"};
    static const char *const order[] = {"no", "yes"};
    struct predictions_source source = {.probabilities = one, .probability_count = 1};
    struct predictions *p = read_text("a.csv", "label,prob\n1,0.75\n0,0.125\n", &source);
    assert_string_equal(p->labels.names[1], "1");
    assert_true(predictions_p(p, 0, 1) == 0.75 && predictions_p(p, 0, 0) == 0.25);
    assert_int_equal(p->predicted[1], 0);
    assert_true(predictions_score(p, 1) == 0.125);
    predictions_free(p);

    source.labels = order;
    source.label_count = 2;
    p = read_text("a.csv", "label,prob\nyes,0.75\n", &source);
    assert_int_equal(p->label[0], 1);
    assert_true(predictions_p(p, 0, 1) == 0.75);
    predictions_free(p);

    source.positive_label = "no";
    p = read_text("a.csv", "label,prob\nyes,0.75\n", &source);
    assert_true(predictions_p(p, 0, 0) == 0.75 && predictions_score(p, 0) == 0.75);
    predictions_free(p);

    source.positive_label = NULL;
    source.probabilities = no_of;
    p = read_text("a.csv", "label,prob\nyes,0.75\n", &source);
    assert_true(predictions_p(p, 0, 0) == 0.75 && predictions_score(p, 0) == 0.25);
    predictions_free(p);

    /* by its own name: p_1 */
    p = read_text("a.csv", "label,p_1\n1,0.75\n", NULL);
    assert_true(predictions_p(p, 0, 0) == 0.25);
    predictions_free(p);
}

static void logits_become_probabilities(void **state)
{
    (void)state;
    static const char *const pattern[] = {"logit_*"};
    struct predictions_source source = {.probabilities = pattern, .probability_count = 1, .logits = true};
    struct predictions *p = read_text("a.csv", "label,logit_0,logit_1,logit_2\n2,1000,1001,-inf\n0,0,0,0\n", &source);
    double e = exp(1);
    assert_true(fabs(predictions_p(p, 0, 1) - e / (1 + e)) < 1e-15 && predictions_p(p, 0, 2) == 0);
    assert_true(fabs(predictions_p(p, 1, 2) - 1.0 / 3) < 1e-15);
    assert_int_equal(p->predicted[0], 1);
    predictions_free(p);
    p = read_text("a.csv", "label,logit_1\n1,2\n0,-1000\n", &source);
    assert_true(fabs(predictions_p(p, 0, 1) - 1 / (1 + exp(-2))) < 1e-15);
    assert_true(predictions_p(p, 1, 1) == 0 && predictions_p(p, 1, 0) == 1);
    predictions_free(p);
}

static void labels_are_what_is_said(void **state)
{
    (void)state;
    static const char *const grades[] = {"bad=0", "ok=1", "good=5"};
    static const char *const order[] = {"bad", "ok", "good"};
    struct predictions_source source = {.grades = grades, .grade_count = 3};
    struct predictions *p = read_text("a.csv", "label,predicted\ngood,ok\nbad,bad\n", &source);
    assert_true(p->labels.graded && p->labels.grades[label_map_find(&p->labels, "good", 4)] == 5);
    assert_int_equal(p->labels.positive, label_map_find(&p->labels, "good", 4));
    predictions_free(p);
    source = (struct predictions_source){.labels = order, .label_count = 3, .positive_label = "ok"};
    p = read_text("a.csv", "label,predicted\ngood,ok\nbad,bad\n", &source);
    assert_int_equal(p->label[0], 2);
    assert_int_equal(p->labels.positive, 1);
    predictions_free(p);
    /* from a config file: only where they fit */
    source = (struct predictions_source){.labels = order, .label_count = 3, .grades = grades, .grade_count = 3};
    p = read_text("a.csv", "label,p_yes,p_no\nno,1,0\n", &source);
    assert_string_equal(p->labels.names[0], "yes");
    predictions_free(p);
    p = read_text("a.csv", "label,p_ok,p_good,p_bad\nok,0,1,0\n", &source);
    assert_true(p->labels.graded && p->label[0] == 1 && p->predicted[0] == 2);
    predictions_free(p);
    source.labels_option = "labels";
    p = NULL;
    assert_int_equal(open_text(&p, "a.csv", "label,p_yes,p_no\nno,1,0\n", &source), RECO_E_DATA);
    source = (struct predictions_source){.regression = true, .columns[PREDICTIONS_PREDICTED] = {"y_hat", true}};
    p = read_text("a.csv", "label,y_hat\n1,2\n3,5\n", &source); /* whole numbers: not seen to be a regression */
    assert_int_equal(p->labels.task, LABEL_TASK_REGRESSION);
    assert_true(p->target[1] == 3 && p->value[1] == 5 && predictions_score(p, 1) == 5);
    predictions_free(p);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const char *const one[] = {"prob"};
    static const char *const typo[] = {"0=prob0", "1=porb1"};
    static const char *const pattern[] = {"x_*"};
    static const char *const label_twice[] = {"label", "b"};
    static const struct predictions_source sources[] = {
        {.columns[PREDICTIONS_LABEL] = {"y_ture", true}},
        {.columns = {[PREDICTIONS_LABEL] = {"y", true}, [PREDICTIONS_PREDICTED] = {"y", true}}},
        {.probabilities = typo, .probability_count = 2},
        {.probabilities = pattern, .probability_count = 1},
        {.probabilities = one, .probability_count = 1},
        {.probabilities = one, .probability_count = 1, .logits = true},
        {.logits = true},
        {.probabilities = label_twice, .probability_count = 2},
    };
    static const struct {
        const char *text;
        int source, rc;
        const char *message;
    } bad[] = {
        {"y_true,score\n1,2\n", -1, RECO_E_DATA,
         "no column 'label' (--label_column gives its name); its columns are "
         "'y_true', 'score'"},
        {"label,y_pred\n1,2\n", -1, RECO_E_DATA, "--predicted_column, --score_column and --probability_columns"},
        {"y_true,score\n1,2\n", 0, RECO_E_USAGE, "no column 'y_ture' (--label_column)"},
        {"y_true,score\n1,2\n", 0, RECO_E_USAGE, "did you mean 'y_true'?"},
        {"y,score\n1,2\n", 1, RECO_E_USAGE, "column 'y' of"},
        {"label,prob0,prob1\n1,0,1\n", 2, RECO_E_USAGE, "did you mean 'prob1'?"},
        {"label,prob0,prob1\n1,0,1\n", 3, RECO_E_USAGE, "is like 'x_*' (--probability_columns)"},
        {"label,prob\nyes,0.5\n", 4, RECO_E_DATA, "line 2: unknown label 'yes'"},
        {"label,prob\n1,1.5\n", 4, RECO_E_DATA, "line 2: probability is not in [0, 1]: '1.5' (--logits takes logits)"},
        {"label,prob\n1,nan\n", 5, RECO_E_DATA, "line 2: logit is not a number: 'nan'"},
        {"label,score\n1,1.5\n", 6, RECO_E_USAGE, "--logits goes with --probability_columns"},
        {"label,p_0,p_1\n1,inf,0\n", 6, RECO_E_DATA, "line 2: the greatest logit is inf"},
        {"label,b\na,1\n", 7, RECO_E_DATA, "no column 'label'"},
        {"label,score\n1,1\n\"0,2\n1,2\n", -1, RECO_E_DATA, "line 3: "},
        {"label,score\n1,1\n0\n", -1, RECO_E_DATA, "line 3: 1 field"},
        {"label,score\n1,1\nlabel,score\n", -1, RECO_E_DATA, "line 3: a second header"},
        {"row_id,label,score\n\"a\nb\",1,1\nc,0,2\n\"a\nb\",1,1\n", -1, RECO_E_DATA, "line 5: doubled row_id"},
        {"row_id,label,score\n\"a\nb\",1,1\nc,0,x\n", -1, RECO_E_DATA, "line 4: score is not a number: 'x'"},
        {"{\"label\":1,\"score\":2}\n[1]\n", -1, RECO_E_DATA, "line 2: "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct predictions *p = NULL;
        int rc = open_text(&p, "p.txt", bad[i].text, bad[i].source < 0 ? NULL : &sources[bad[i].source]);
        assert_null(p);
        if (rc != bad[i].rc || !strstr(err_message(), bad[i].message)) {
            fail_msg("case %zu gave %d '%s', want %d '%s'", i, rc, err_message(), bad[i].rc, bad[i].message);
        }
    }
}

static void a_sidecar_has_the_last_word(void **state)
{
    (void)state;
    static const char *const order[] = {"yes", "no"};
    struct label_map labels = {0};
    assert_int_equal(label_map_from_list(&labels, order, 2), 0);
    json_t *json = json_pack("{so}", "labels", label_map_to_json(&labels));
    char *text = json_dumps(json, 0);
    assert_int_equal(file_write_all(path_of("s.csv.json"), text, strlen(text)), 0);
    struct predictions_source source = {.labels = order, .label_count = 2};
    struct predictions *p = read_text("s.csv", "label,p_no,p_yes\nno,1,0\n", &source);
    assert_string_equal(p->labels.names[0], "yes");
    predictions_free(p);
    source.labels_option = "labels";
    p = NULL;
    assert_int_equal(open_file(&p, "s.csv", &source), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "--labels does not go with"));
    free(text);
    json_decref(json);
    label_map_release(&labels);
}

/* Through a pipe, of a table with rows over several lines. */
static void pipes_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {"row_id,label,score\n\"a\nb\",1,1\nc,0,2\nc,0,3\n",
                                        "row_id,label,score\na,1,1\nc,0,2\nc,0,3\n"};
    static const char *const messages[] = {"row 3: doubled row_id, as in row 2",
                                           "line 4: doubled row_id, as in line 3"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
        pid_t child = fork();
        if (!child) {
            int fd = open(path_of("pipe"), O_WRONLY);
            _exit(fd >= 0 && write(fd, texts[i], strlen(texts[i])) > 0 ? 0 : 1);
        }
        struct predictions *p = NULL;
        assert_int_equal(open_file(&p, "pipe", NULL), RECO_E_DATA);
        assert_non_null(strstr(err_message(), messages[i]));
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(unlink(path_of("pipe")), 0);
    }
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    static const char *const pattern[] = {"prob_*"};
    static const char *const grades[] = {"no=0", "yes=1"};
    const struct predictions_source source = {.columns[PREDICTIONS_LABEL] = {"y", true},
                                              .probabilities = pattern,
                                              .probability_count = 1,
                                              .grades = grades,
                                              .grade_count = 2};
    const char text[] = "row_id,y,prob_no,prob_yes,note\na,yes,0.25,0.75,\"x\ty\"\nb,no,0.5,0.5,\n";
    assert_int_equal(file_write_all(path_of("t.csv"), text, strlen(text)), 0);
    long failed = 0;
    for (long n = 1; n < 300; n++) { /* libcsv asks again for less, so that one that works is not the last */
        struct predictions *p = NULL;
        mem_fail_after(n);
        int rc = open_file(&p, "t.csv", &source);
        mem_fail_after(0);
        assert_true(rc == 0 ? p->rows == 2 && p->label[0] == 1 : rc == RECO_E_NOMEM);
        failed += rc != 0;
        predictions_free(p);
    }
    assert_true(failed > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_table_is_the_same),
        cmocka_unit_test(columns_are_named),
        cmocka_unit_test(one_probability_is_enough_for_two_labels),
        cmocka_unit_test(logits_become_probabilities),
        cmocka_unit_test(labels_are_what_is_said),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_sidecar_has_the_last_word),
        cmocka_unit_test(pipes_are_read),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
