/* The doctor's page: what it shows, that nothing of the data is taken for markup, and that a short report is enough. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/mem.h"
#include "eval/doctor_page.h"

static const char full[] =
    "{'verdict': {'errors': 1, 'warnings': 0, 'infos': 2, 'text': 'mend the errors first'},"
    " 'files': [{'file': '<a>.csv', 'role': 'train', 'rows': 10, 'bad_rows': 1, 'bytes': 1000, 'format': 'csv',"
    "            'encoding': 'utf-8'}, {'file': 'b.csv', 'role': null, 'rows': 5, 'bad_rows': 0}],"
    " 'columns': {'query': 'q&a', 'description': ['title', 'body'], 'label': 'y', 'guessed': ['query']},"
    " 'findings': [{'rule': 'html', 'severity': 'error', 'column': 'title', 'what': 'HTML tags in 1 of 10 rows',"
    "               'mend': '--clean html', 'examples': [{'file': '<a>.csv', 'line': 3, 'text': "
    "'<script>x</script>'}]}],"
    " 'command': 'reco prepare --train_file a.csv --clean html',"
    " 'labels': {'values': [{'label': '<0>', 'rows': [6, 3]}, {'label': '\\\"1', 'rows': [4, 2]}]},"
    " 'texts': [{'column': 'q&a', 'characters': {'mean': 3.5, 'p50': 3, 'max': 9,"
    "            'histogram': {'width': 1, 'counts': [0, 1, 2, 0]}}, 'scripts': {'latin': 5, 'han': 5},"
    "            'languages': {'en': 10}}],"
    " 'row_tokens': {'mean': 8, 'p50': 8, 'max': 20, 'histogram': {'width': 1, 'counts': [1, 2, 0]}},"
    " 'max_seq_length': [{'length': 8, 'share': 0.25, 'tokens_share': 0.1,"
    "                     'columns': [{'column': 'q&a', 'tokens_share': 0.1}]}],"
    " 'queries': [{'file': 'b.csv', 'queries': 4}], 'items': {'items': 3, 'rows': 10, 'gini': 0.1}}";

static json_t *load(const char *text)
{
    char copy[4096];

    assert_true(strlen(text) < sizeof copy);
    memcpy(copy, text, strlen(text) + 1);
    for (char *c = copy; *c != '\0'; c++) {
        if (*c == '\'')
            *c = '"';
    }
    json_t *json = json_loads(copy, 0, NULL);
    assert_non_null(json);
    return json;
}

static void whole_report(void **state)
{
    json_t *report = load(full);
    struct doctor_pictures pictures = {0};
    struct buf b = {0};

    (void)state;
    assert_int_equal(doctor_pictures_plan(&pictures, report), 0);
    assert_int_equal(pictures.count, 5);
    assert_int_equal(buf_add_str(&pictures.items[0].svg, "<?xml?><svg>labels</svg>"), 0);
    assert_int_equal(doctor_page(&b, report, &pictures, "reco doctor '<a>.csv'"), 0);
    const char *page = buf_str(&b);
    static const char *const wanted[] = {"&lt;script&gt;x&lt;/script&gt;",
                                         "&lt;a&gt;.csv",
                                         "q&amp;a",
                                         "<svg>labels</svg>",
                                         "4 pictures could not be drawn",
                                         "1 error, 0 warnings, 2 notes",
                                         "--clean html",
                                         "&lt;0&gt;",
                                         "25.0&nbsp;%",
                                         "latin 50.0&nbsp;%",
                                         "</html>"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_non_null(strstr(page, wanted[i]));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<a>"));
    /* gnuplot's double quotes know no escape: none may come from the data. */
    assert_null(strstr(buf_str(&pictures.items[0].program), "\"\"1"));
    buf_release(&b);
    doctor_pictures_release(&pictures);
    json_decref(report);
}

static void empty_report(void **state)
{
    json_t *report = load("{}");
    struct doctor_pictures pictures = {0};
    struct buf b = {0};

    (void)state;
    assert_int_equal(doctor_pictures_plan(&pictures, report), 0);
    assert_int_equal(pictures.count, 0);
    assert_int_equal(doctor_page(&b, report, &pictures, NULL), 0);
    assert_non_null(strstr(buf_str(&b), "</html>"));
    buf_release(&b);
    json_decref(report);
}

static void allocations(void **state)
{
    json_t *report = load(full);
    int rc = RECO_E_NOMEM;

    (void)state;
    for (long n = 1; rc != 0; n++) {
        struct doctor_pictures pictures = {0};
        struct buf b = {0};
        mem_fail_after(n);
        rc = doctor_pictures_plan(&pictures, report);
        if (rc == 0)
            rc = doctor_page(&b, report, &pictures, "reco doctor");
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        buf_release(&b);
        doctor_pictures_release(&pictures);
        assert_true(n < 10000);
    }
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_report),
        cmocka_unit_test(empty_report),
        cmocka_unit_test(allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
