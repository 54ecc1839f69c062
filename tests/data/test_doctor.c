/* Each defect gives its own finding and no other; a clean file gives none; nothing depends on threads or memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "data/doctor.h"

enum { QUERIES = 60, ITEMS = 5 };

static char *limits[] = {"8", "32", "512"};
static struct doctor_options options(void)
{
    return (struct doctor_options){
        .guess = true, .threads = 2, .max_memory = 64 << 20, .max_seq_length = {.items = limits, .count = 3}};
}

/* ---- files ---- */

struct data {
    struct buf files[3];
    char paths[3][96];
    size_t count;
};

static void add(struct buf *b, const char *text)
{
    assert_int_equal(buf_add_str(b, text), 0);
}

static void add_words(struct buf *b, struct rng *rng, size_t count)
{
    static const char *const syllables[] = {"ba", "co", "du", "fe", "gi", "ka", "lo", "mu", "ne", "ri"};

    for (size_t i = 0; i < count; i++) {
        add(b, i > 0 ? " " : "");
        for (int s = 0; s < 3; s++)
            add(b, syllables[rng_below(rng, 10)]);
    }
}

static const char header[] = "id,query,title,shop,label\n";

/* A file without fault: ids, queries of several items with both labels. first distinguishes the rows of two files. */
static void add_clean(struct buf *b, int first)
{
    struct rng rng;

    rng_init(&rng, (uint64_t)first, RNG_STREAM_SAMPLE, 0);
    add(b, header);
    for (int q = 0; q < QUERIES; q++) {
        struct buf query = {0};
        add_words(&query, &rng, 2);
        for (int i = 0; i < ITEMS; i++) {
            int label = i < 2 ? i : (int)rng_below(&rng, 2);
            assert_int_equal(buf_printf(b, "r%d,%s,", first + q * ITEMS + i, buf_str(&query)), 0);
            add_words(b, &rng, 5);
            assert_int_equal(buf_printf(b, ",s%d,%d\n", (int)rng_below(&rng, 9), label), 0);
        }
        buf_release(&query);
    }
}

static void data_write(struct data *data)
{
    for (size_t i = 0; i < data->count; i++) {
        snprintf(data->paths[i], sizeof data->paths[i], "/tmp/reco_doctor.%ld.%zu.csv", (long)getpid(), i);
        assert_int_equal(file_write_all(data->paths[i], buf_str(&data->files[i]), data->files[i].length), 0);
    }
}

static void data_release(struct data *data)
{
    for (size_t i = 0; i < data->count; i++) {
        assert_int_equal(file_remove(data->paths[i]), 0);
        buf_release(&data->files[i]);
    }
}

static int examine(json_t **report, const struct data *data, const struct doctor_options *o)
{
    struct doctor_input inputs[3];

    for (size_t i = 0; i < data->count; i++)
        inputs[i] = (struct doctor_input){.path = data->paths[i]};
    return doctor_run(report, inputs, data->count, o, NULL);
}

/* ---- findings as "severity rule column count", a line each ---- */

static void list_findings(struct buf *b, const json_t *report)
{
    size_t i;
    json_t *f;

    json_array_foreach(json_object_get(report, "findings"), i, f)
    {
        const char *column = json_string_value(json_object_get(f, "column"));
        assert_int_equal(buf_printf(b, "%s %s %s %lld\n", json_string_value(json_object_get(f, "severity")),
                                    json_string_value(json_object_get(f, "rule")), column != NULL ? column : "-",
                                    (long long)json_integer_value(json_object_get(f, "count"))),
                         0);
    }
}

static void expect(struct data *data, const struct doctor_options *o, const char *findings)
{
    const struct doctor_options defaults = options();
    struct buf got = {0};
    json_t *report = NULL;

    data_write(data);
    assert_int_equal(examine(&report, data, o != NULL ? o : &defaults), 0);
    list_findings(&got, report);
    assert_string_equal(buf_str(&got), findings);
    json_decref(report);
    buf_release(&got);
    data_release(data);
}

/* ---- one file ---- */

static void clean_file(void **state)
{
    (void)state;
    for (int first = 1; first < 20; first++) {
        struct data data = {.count = 1};
        add_clean(&data.files[0], first);
        expect(&data, NULL, "");
    }
}

/* Lines added to a clean file, and what is found then. A query of its own has to have several items and labels. */
static const struct {
    const char *lines, *findings;
} defects[] = {
    {"x1,lo,st row\nx2\n", "error bad_rows - 2\n"},
    {"x1,bad \xE9 byte,some title,s1,0\nx2,bad \xE9 byte,other title,s2,1\n", "error invalid_utf8 query 2\n"},
    {"x1,caf\xC3\x83\xC2\xA9 noir,some title,s1,0\nx2,caf\xC3\x83\xC2\xA9 noir,other title,s2,1\n",
     "error mojibake query 2\n"},
    {"x1,lost \xEF\xBF\xBD there,some title,s1,0\nx2,lost \xEF\xBF\xBD there,other title,s2,1\n",
     "warning replacement_character query 2\n"},
    {"x1,new words,some title,s1,\nx2,new words,other title,s2,1\n", "warning label_missing label 1\n"},
    {"x1,new words,some title,s1,2\nx2,new words,other title,s2,1\n", "warning label_rare label 1\n"
                                                                      "warning label_imbalance label 1\n"},
    {"x1,new words,some title,s1,0\nx2,new words,some title,s1,0\nx3,new words,other title,s1,1\n",
     "warning duplicate_pairs - 1\n"},
    {"x1,new words,some title,s1,0\nx2,New  Words,Some title,s1,0\nx3,new words,other title,s1,1\n",
     "warning duplicate_pairs - 1\ninfo query_spellings query 1\ninfo blanks query 1\n"},
    {"x1,new words,some title,s1,0\nx2,new words,some title,s1,1\n", "warning contradictions - 2\n"},
    {"x1,new words,some title,s1,0\nx1,new words,some title,s1,0\nx3,new words,other title,s1,1\n",
     "warning duplicate_rows - 1\nwarning repeated_ids id 1\n"},
    {"x1,,some title,s1,0\n", "warning empty_query query 1\n"},
    {"x1,new words,,s1,0\nx2,new words,other title,s2,1\n", "warning empty_description title 1\n"},
    {"x1,new words,<p>some</p> title,s1,0\nx2,new words,other title,s2,1\n", "warning html title 1\n"},
    {"x1,new words,some &amp; title,s1,0\nx2,new words,other title,s2,1\n", "warning entities title 1\n"},
    {"x1,new words,some ti\xC2\xADtle,s1,0\nx2,new words,other title,s2,1\n", "info control_characters title 1\n"},
    {"x1,new words,some   title,s1,0\nx2,new words,other title,s2,1\n", "info blanks title 1\n"},
    {"x1,new words,!!!!!!!!!!!!!!!!,s1,0\nx2,new words,other title,s2,1\n", "info repeated_text title 1\n"},
    {"x1,new words,ask jane.doe@example.com,s1,0\nx2,new words,other title,s2,1\n", "warning email title 1\n"},
    {"x1,new words,other title,jane.doe@example.com,0\nx2,new words,a title,s2,1\n", "warning email shop 1\n"},
    {"x1,new words,call +1 212-555-0187 now,s1,0\nx2,new words,other title,s2,1\n", "warning phone title 1\n"},
    {"x1,new words,pay 4111 1111 1111 1111 now,s1,0\nx2,new words,other title,s2,1\n", "warning card title 1\n"},
};

static void each_defect(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++) {
        struct data data = {.count = 1};
        add_clean(&data.files[0], 7);
        add(&data.files[0], defects[i].lines);
        expect(&data, NULL, defects[i].findings);
    }
}

/* Whole files with one fault, given by how each row of a clean one is written. */
static void rewrite(struct buf *out, const char *head,
                    const char *(*row)(char *to, size_t size, int number, char **fields))
{
    struct buf clean = {0};
    char line[400], *save = NULL;
    int number = 0;

    add_clean(&clean, 5);
    add(out, head);
    for (char *at = strtok_r(clean.data, "\n", &save); at != NULL; at = strtok_r(NULL, "\n", &save), number++) {
        char *fields[5], *inner = NULL;
        if (number == 0)
            continue;
        for (int f = 0; f < 5; f++)
            fields[f] = strtok_r(f == 0 ? at : NULL, ",", &inner);
        add(out, row(line, sizeof line, number, fields));
    }
    buf_release(&clean);
}

#define ROW(name, ...)                                                                                                 \
    static const char *name(char *to, size_t size, int n, char **f)                                                    \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        snprintf(to, size, __VA_ARGS__);                                                                               \
        return to;                                                                                                     \
    }
ROW(row_one_class, "%s,%s,%s,%s,1\n", f[0], f[1], f[2], f[3])
ROW(row_constant, "%s,%s,%s,same,%s\n", f[0], f[1], f[2], f[4])
ROW(row_empty_column, "%s,%s,%s,,%s\n", f[0], f[1], f[2], f[4])
ROW(row_missing, "%s,%s,%s,%s,%s\n", f[0], f[1], f[2], n % 4 ? "" : f[3], f[4])
ROW(row_tells, "%s,%s,%s,%s,%s\n", f[0], f[1], f[2], *f[4] == '1' ? "yes" : "no", f[4])
ROW(row_ids, "%s,%s,%s,%s,%d,%s\n", f[0], f[1], f[2], f[3], 100000 + n * 7, f[4])
ROW(row_fractions, "%s,%s,%s,%s,%s\n", f[0], f[1], f[2], f[3], n % 3 ? f[4] : "0.5")
ROW(row_spelt_labels, "%s,%s,%s,%s,%s\n", f[0], f[1], f[2], f[3], *f[4] == '1' ? n % 2 ? "Yes" : "yes" : "no")
ROW(row_number_labels, "%s,%s,%s,%s,%d.25\n", f[0], f[1], f[2], f[3], n)
ROW(row_text_labels, "%s,%s,%s,%s,class %d\n", f[0], f[1], f[2], f[3], n)
ROW(row_one_label_queries, "%s,%s,%s,%s,%d\n", f[0], f[1], f[2], f[3], (n - 1) / ITEMS % 2)
ROW(row_some_lists, "%s,%s%d,%s,%s,%s\n", f[0], f[1], n % 5 < 2 ? 0 : n, f[2], f[3], f[4])
ROW(row_latin_some, "%s,%s,%s,%s,%s\n", f[0], f[1], n % 5 ? f[2] : "красные туфли", f[3], f[4])
ROW(row_crlf_some, "%s,%s,%s,%s,%s%s\n", f[0], f[1], f[2], f[3], f[4], n % 2 ? "\r" : "")
ROW(row_same, "%s,%s,%s,%s,%s\n", f[0], f[1], f[2], f[3], f[4])
ROW(row_no_query, "%s,%s,%s,%s,%s\n", f[0], f[1], f[2], f[3], f[4])
ROW(row_imbalance, "%s,%s,%s,%s,%d\n", f[0], f[1], f[2], f[3], n % 12 == 0)

static const struct {
    const char *head;
    const char *(*row)(char *to, size_t size, int number, char **fields);
    const char *findings;
} whole_files[] = {
    {header, row_one_class, "error label_one_class label 300\nwarning queries_of_one_label query 60\n"},
    {header, row_constant, "info constant_column - 1\n"},
    {header, row_empty_column, "info empty_column - 1\n"},
    {header, row_missing, "info missing_values - 1\n"},
    {header, row_tells, "warning column_is_label shop 0\n"},
    {"id,query,title,shop,description,label\n", row_ids, "warning id_as_text description 0\n"},
    {header, row_fractions, "info label_fractions label 1\n"},
    {header, row_spelt_labels, "warning label_spellings label 1\n"},
    {header, row_number_labels, "info label_many_values label 300\n"},
    {header, row_text_labels, "warning label_many_values label 300\n"},
    {header, row_one_label_queries, "warning queries_of_one_label query 60\n"},
    {header, row_some_lists, "info queries_of_one_item query 180\n"},
    {header, row_crlf_some, "info mixed_line_ends - 0\n"},
    {"\xEF\xBB\xBFid,query,title,shop,label\n", row_same, "info byte_order_mark - 0\n"},
    {"id,a,b,shop,label\n", row_no_query, "info no_query - 0\n"},
    {"id,query,title,shop,mark\n", row_same, "info no_label - 0\n"},
    {"r0,cudulo,17,s3,1\n", row_same, "warning no_header - 0\ninfo no_query - 0\ninfo no_label - 0\n"},
    {"id,query,title,id,label\n", row_same, "error repeated_column id 0\n"},
    {"id,query,title,,label\n", row_same, ""},
};

static void each_whole_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof whole_files / sizeof *whole_files; i++) {
        struct data data = {.count = 1};
        rewrite(&data.files[0], whole_files[i].head, whole_files[i].row);
        expect(&data, NULL, whole_files[i].findings);
    }
}

static void mixed_scripts(void **state)
{
    struct data data = {.count = 1};
    struct buf got = {0};
    json_t *report = NULL;
    const struct doctor_options o = options();

    (void)state;
    rewrite(&data.files[0], header, row_latin_some);
    data_write(&data);
    assert_int_equal(examine(&report, &data, &o), 0);
    list_findings(&got, report);
    assert_non_null(strstr(buf_str(&got), "info mixed_scripts title 60\n"));
    json_decref(report);
    buf_release(&got);
    data_release(&data);
}

static void imbalance(void **state)
{
    struct data data = {.count = 1};

    (void)state;
    rewrite(&data.files[0], header, row_imbalance);
    expect(&data, NULL, "warning queries_of_one_label query 35\n");
}

static void header_only(void **state)
{
    struct data data = {.count = 1};

    (void)state;
    add(&data.files[0], header);
    expect(&data, NULL, "error no_rows - 0\n");
}

/* ---- several files ---- */

static void two_clean_files(void **state)
{
    struct data data = {.count = 2};

    (void)state;
    add_clean(&data.files[0], 1000);
    add_clean(&data.files[1], 2000);
    expect(&data, NULL, "");
}

static void leaks(void **state)
{
    struct data data = {.count = 2};

    (void)state;
    add_clean(&data.files[0], 1000);
    add_clean(&data.files[1], 2000);
    add(&data.files[0], "x1,new words,some title,s1,0\nx2,new words,other title,s1,1\nx3,more words,a title,s1,1\n"
                        "x4,more words,b title,s1,0\n");
    add(&data.files[1], "y1,New words,Some Title,s2,0\ny2,new words,third title,s1,1\ny3,new words,4th title,s1,1\n");
    expect(&data, NULL, "error leak_pairs - 1\nwarning leak_queries - 3\ninfo query_spellings query 1\n");
}

static void unseen_label_and_drift(void **state)
{
    struct data data = {.count = 2};

    (void)state;
    add_clean(&data.files[0], 1000);
    rewrite(&data.files[1], header, row_imbalance);
    add(&data.files[1], "y1,new words,some title,s2,7\ny2,new words,third title,s1,1\n");
    expect(&data, NULL,
           "error label_unseen label 1\nwarning label_drift label 0\n"
           "warning queries_of_one_label query 35\n");
}

static void lacking_columns(void **state)
{
    struct data data = {.count = 2};

    (void)state;
    add_clean(&data.files[0], 1000);
    rewrite(&data.files[1], "id,query,name,shop,label\n", row_same);
    expect(&data, NULL, "error columns_differ title 0\n");
}

/* ---- independence ---- */

static char *dump_report(const struct data *data, const struct doctor_options *o)
{
    json_t *report = NULL;

    assert_int_equal(examine(&report, data, o), 0);
    char *text = json_dumps(report, JSON_INDENT(1));
    json_decref(report);
    assert_non_null(text);
    return text;
}

static void threads_and_memory(void **state)
{
    struct data data = {.count = 2};
    struct doctor_options o = options();

    (void)state;
    add_clean(&data.files[0], 1);
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++)
        add(&data.files[0], defects[i].lines);
    for (int i = 0; i < 60; i++) /* several batches of every thread */
        add_clean(&data.files[1], 1000 * i);
    data_write(&data);
    o.threads = 1;
    char *first = dump_report(&data, &o);
    for (int i = 2; i < 6; i++) {
        o.threads = i;
        o.max_memory = i % 2 ? 1 << 20 : 256 << 20;
        char *other = dump_report(&data, &o);
        assert_string_equal(other, first);
        free(other);
    }
    free(first);
    data_release(&data);
}

/* An allocation fails, any of them: a clean error, or the report where it could be done without. */
static void allocations(void **state)
{
    struct data data = {.count = 2};
    struct doctor_options o = options();
    size_t failures = 0;

    (void)state;
    o.threads = 1;
    add_clean(&data.files[0], 1);
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++)
        add(&data.files[0], defects[i].lines);
    add(&data.files[1], header);
    add(&data.files[1], "y1,new words,some title,s2,7\ny2,new words,third title,s1,1\n");
    data_write(&data);
    long before = mem_allocation_count();
    free(dump_report(&data, &o));
    long all = mem_allocation_count() - before;
    for (long n = 1; n <= all; n += 1 + n / 16) {
        json_t *report = NULL;
        mem_fail_after(n);
        int rc = examine(&report, &data, &o);
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        assert_int_equal(report == NULL, rc != 0);
        failures += rc != 0;
        json_decref(report);
    }
    assert_true(all > 100 && failures > 50);
    data_release(&data);
}

static void usage(void **state)
{
    struct data data = {.count = 1};
    struct doctor_options o = options();
    json_t *report = NULL;
    char *bad[] = {"7x"};

    (void)state;
    add_clean(&data.files[0], 1);
    data_write(&data);
    o.query_column = (char *)"querry";
    assert_int_equal(examine(&report, &data, &o), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "query"));
    o = options();
    o.max_seq_length = (struct opt_list){.items = bad, .count = 1};
    assert_int_equal(examine(&report, &data, &o), RECO_E_USAGE);
    assert_int_equal(doctor_run(&report, NULL, 0, &o, NULL), RECO_E_USAGE);
    data_release(&data);
}

/* ---- what is shown ---- */

static void personal_data_is_masked(void **state)
{
    struct data data = {.count = 1};
    struct doctor_options o = options();
    const struct doctor_text_style style = {.columns = 200, .examples = 5};
    struct buf text = {0};
    json_t *report = NULL;

    (void)state;
    add_clean(&data.files[0], 1);
    add(&data.files[0], "x1,jane.doe@example.com,<b>4111 1111 1111 1111</b>,s1,0\n"
                        "x1,jane.doe@example.com,<b>4111 1111 1111 1111</b>,s1,1\n"
                        "x9,too,few jane.doe@example.com\n"
                        "jane.doe@example.com,a b,c d,s1,1\njane.doe@example.com,a b,d e,s1,0\n");
    data_write(&data);
    assert_int_equal(examine(&report, &data, &o), 0);
    char *json = json_dumps(report, 0);
    assert_non_null(json);
    assert_null(strstr(json, "jane"));
    assert_null(strstr(json, "4111"));
    assert_non_null(strstr(json, "[email]"));
    assert_int_equal(doctor_text(&text, report, &style), 0);
    assert_non_null(strstr(buf_str(&text), "verdict: "));
    free(json);
    json_decref(report);
    buf_release(&text);
    data_release(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_file),
        cmocka_unit_test(each_defect),
        cmocka_unit_test(each_whole_file),
        cmocka_unit_test(mixed_scripts),
        cmocka_unit_test(imbalance),
        cmocka_unit_test(header_only),
        cmocka_unit_test(two_clean_files),
        cmocka_unit_test(leaks),
        cmocka_unit_test(unseen_label_and_drift),
        cmocka_unit_test(lacking_columns),
        cmocka_unit_test(threads_and_memory),
        cmocka_unit_test(allocations),
        cmocka_unit_test(usage),
        cmocka_unit_test(personal_data_is_masked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
