/* What all outputs say of what is undefined, and how a page holds many classes, long names and texts of any script. */

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
#include "eval/picture_internal.h"
#include "eval/report.h"

struct outputs {
    char path[40];
    struct predictions *p;
    struct eval_report *report;
    struct eval_pictures pictures;
    struct buf text, markdown, html;
    json_t *json;
};

/* Every picture counts as drawn. */
static void make(struct outputs *o, const char *file)
{
    static const char svg[] = "<svg></svg>\n";
    const struct eval_page page = {0};
    struct eval_options options;
    eval_options_init(&options);
    options.by_query = true;
    options.by_truncation = true;
    *o = (struct outputs){0};
    (void)snprintf(o->path, sizeof o->path, "/tmp/reco-test-report-XXXXXX");
    int fd = mkstemp(o->path);
    assert_true(fd >= 0);
    close(fd);
    if (file_write_all(o->path, file, strlen(file)) || predictions_read(&o->p, o->path) ||
        eval_run(&o->report, o->p, &options) || eval_pictures_plan(&o->pictures, o->report)) {
        fail_msg("%s", err_message());
    }
    for (size_t i = 0; i < o->pictures.count; i++) {
        assert_int_equal(buf_add_str(&o->pictures.items[i].svg, svg), 0);
    }
    assert_int_equal(eval_report_text(o->report, &o->text), 0);
    assert_int_equal(eval_report_markdown(o->report, &o->markdown), 0);
    assert_int_equal(eval_report_html(o->report, &o->pictures, &page, &o->html), 0);
    o->json = eval_report_json(o->report);
    assert_non_null(o->json);
}

static void outputs_release(struct outputs *o)
{
    eval_pictures_release(&o->pictures);
    buf_release(&o->text);
    buf_release(&o->markdown);
    buf_release(&o->html);
    json_decref(o->json);
    eval_report_free(o->report);
    predictions_free(o->p);
    unlink(o->path);
}

static void assert_holds(const struct buf *b, const char *part)
{
    if (!strstr(buf_str(b), part)) {
        fail_msg("'%s' is not in:\n%s", part, buf_str(b));
    }
}

static size_t count_of(const struct buf *b, const char *part)
{
    size_t count = 0;
    for (const char *at = buf_str(b); (at = strstr(at, part)); at += strlen(part)) {
        count++;
    }
    return count;
}

/* Class c is never predicted, class d has no row; q1 has no relevant item, and all of its rows are truncated. */
static const char with_gaps[] = "query_id\titem_id\tlabel\tpredicted\tp_a\tp_b\tp_c\tp_d\tscore\ttokens\ttruncated\n"
                                "q1\ti1\ta\ta\t0.7\t0.1\t0.1\t0.1\t0.1\t9\t1\n"
                                "q1\ti2\ta\td\t0.1\t0.1\t0.1\t0.7\t0.2\t9\t1\n"
                                "q2\ti3\tb\tb\t0.1\t0.7\t0.1\t0.1\t0.3\t5\t0\n"
                                "q2\ti4\tc\ta\t0.7\t0.1\t0.1\t0.1\t0.4\t6\t0\n";

static void undefined_figures_say_why(void **state)
{
    (void)state;
    struct outputs o;
    make(&o, with_gaps);

    assert_holds(&o.text, "note: precision of 'c' is undefined (no row is predicted so); shown and averaged as 0\n");
    assert_holds(&o.markdown, "\n- precision of 'c' is undefined (no row is predicted so); averaged as 0\n");
    assert_holds(&o.markdown, "\n- recall of 'd' is undefined (no row has the label); averaged as 0\n");
    assert_holds(&o.html, ">precision of 'c' is undefined (no row is predicted so); averaged as 0.</p>");
    assert_int_equal(json_array_size(json_object_get(o.json, "notes")), 2);

    /* A confusion matrix has no share of a label without rows. */
    assert_holds(&o.html, "<td style=\"background:rgba(40,120,70,0.00)\">0<small>&ndash;</small></td>");

    /* Parts: undefined there, and why. */
    const json_t *truncated = json_object_get(o.json, "truncated");
    const char *name;
    json_t *value;
    size_t undefined = 0;
    json_object_foreach(json_object_get(truncated, "metrics"), name, value)
    {
        bool is_null = json_is_null(value);
        assert_true(is_null == (json_object_get(json_object_get(truncated, "undefined"), name) != NULL));
        undefined += is_null;
    }
    assert_true(undefined > 0);
    assert_holds(&o.text, "  note: undefined on truncated rows: ");
    assert_holds(&o.markdown, "\n- undefined on truncated rows: ");
    assert_holds(&o.html, "<p class=\"note\">undefined on truncated rows: ");
    outputs_release(&o);
}

static const char graded[] = "query_id\titem_id\tlabel\tscore\n"
                             "q1\ti1\t0\t0.1\nq1\ti2\t0\t0.2\n"
                             "q2\ti1\t1\t0.9\nq2\ti2\t0\t0.1\n"
                             "q3\ti1\t1\t0.1\nq3\ti2\t0\t0.3\n";

static void queries_left_out_are_told(void **state)
{
    (void)state;
    struct outputs o;
    make(&o, graded);
    assert_holds(&o.markdown, ": 1 query left out: no relevant item\n");
    assert_holds(&o.html, ": 1 query left out: no relevant item</p>");
    const json_t *map = json_object_get(json_object_get(o.json, "queries"), "map");
    assert_int_equal(json_integer_value(json_object_get(map, "used")), 2);
    assert_int_equal(json_integer_value(json_object_get(map, "left_out")), 1);
    assert_string_equal(json_string_value(json_object_get(map, "reason")), "no relevant item");
    outputs_release(&o);
}

/* JSON knows no infinity. */
static void infinite_values_are_no_silent_null(void **state)
{
    (void)state;
    struct outputs o;
    make(&o, "row_id\tlabel\tpredicted\nr1\t1\t1e200\nr2\t2\t-1e200\nr3\t2.5\t3\n");
    char *text = json_dumps(o.json, JSON_REAL_PRECISION(9));
    assert_non_null(text);
    assert_null(strstr(text, "inf\""));
    free(text);
    const char *name;
    json_t *value;
    size_t undefined = 0;
    json_object_foreach(json_object_get(o.json, "metrics"), name, value)
    {
        const json_t *reason = json_object_get(json_object_get(o.json, "undefined"), name);
        assert_true(json_is_null(value) == json_is_string(reason));
        undefined += json_is_null(value);
    }
    assert_true(undefined > 0);
    outputs_release(&o);
}

/* count classes, each predicted right twice and once taken for the next. */
static void make_classes(struct outputs *o, int count, const char *name)
{
    struct buf b = {0};
    assert_int_equal(buf_add_str(&b, "row_id\tlabel\tpredicted"), 0);
    for (int c = 0; c < count; c++) {
        assert_int_equal(buf_printf(&b, "\tp_%s%02d", name, c), 0);
    }
    assert_int_equal(buf_add_char(&b, '\n'), 0);
    for (int row = 0; row < 3 * count; row++) {
        int label = row / 3;
        int predicted = row % 3 ? label : (label + 1) % count;
        assert_int_equal(buf_printf(&b, "r%d\t%s%02d\t%s%02d", row, name, label, name, predicted), 0);
        for (int c = 0; c < count; c++) {
            assert_int_equal(buf_add_str(&b, c == predicted ? "\t1" : "\t0"), 0);
        }
        assert_int_equal(buf_add_char(&b, '\n'), 0);
    }
    make(o, buf_str(&b));
    buf_release(&b);
}

static void many_classes_have_numbers(void **state)
{
    (void)state;
    struct outputs o;
    make_classes(&o, 12, "c");
    assert_holds(&o.html, "<th scope=\"col\">12</th></tr></thead>");
    assert_holds(&o.html, "<th scope=\"row\" class=\"long\">12 <bdi>c11</bdi></th>");
    assert_holds(&o.html, "; the first 8 of 12 classes</figcaption>");
    outputs_release(&o);

    make_classes(&o, 3, "c");
    assert_holds(&o.html, "<th scope=\"col\" dir=\"auto\">c02</th></tr></thead>");
    assert_null(strstr(buf_str(&o.html), "the first 8"));
    outputs_release(&o);

    /* Long names would make it as wide. */
    make_classes(&o, 3, "<b>a long name of a class</b> ");
    assert_holds(&o.html,
                 "<th scope=\"row\" class=\"long\">3 <bdi>&lt;b&gt;a long name of a class&lt;/b&gt; 02</bdi></th>");
    outputs_release(&o);
}

static void pages_stand_alone(void **state)
{
    (void)state;
    struct outputs o;
    make(&o, with_gaps);
    assert_holds(&o.html, "default-src 'none'");
    assert_int_equal(count_of(&o.html, "src="), 0);
    assert_int_equal(count_of(&o.html, "<script"), 0);
    assert_int_equal(count_of(&o.html, "<thead>"), count_of(&o.html, "</thead>"));
    assert_int_equal(count_of(&o.html, "<h1"), 1);
    /* Every picture has words. */
    assert_int_equal(count_of(&o.html, "<figure>"), count_of(&o.html, "role=\"img\" aria-label=\""));
    outputs_release(&o);

    /* Nothing is said to be whole where no column tells. */
    make(&o, "label\tpredicted\nx\tx\ny\tx\n");
    assert_holds(&o.text, "2 rows, unknown how many are truncated\n");
    assert_holds(&o.html, ", unknown how many are truncated");
    assert_holds(&o.markdown, ", unknown how many are truncated");
    outputs_release(&o);
}

/* Control characters, which neither HTML nor XML may hold. */
static void texts_are_escaped(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_int_equal(page_add_escaped(&b, "a\x01<b>&\"\t\x1b[0m"), 0);
    assert_string_equal(buf_str(&b), "a\xEF\xBF\xBD&lt;b&gt;&amp;&quot;\t\xEF\xBF\xBD[0m");
    buf_release(&b);
}

static void names_are_cut_by_their_width(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t columns;
        const char *shown;
    } cases[] = {{"shoe", 4, "shoe"},
                 {"shoes", 4, "shoe…"},
                 {"童装外套", 8, "童装外套"},
                 {"童装外套", 7, "童装外…"},
                 {"e\xCC\x81te\xCC\x81", 3, "e\xCC\x81te\xCC\x81"},
                 {"", 3, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf b = {0};
        assert_int_equal(picture_add_shortened(&b, cases[i].text, cases[i].columns), 0);
        assert_string_equal(buf_str(&b), cases[i].shown);
        buf_release(&b);
    }
}

/* The versions of the metrics are part of the provenance of every output. */
static void provenance_holds_versions(void **state)
{
    (void)state;
    struct outputs o;
    make(&o, graded);
    struct metric other = *o.report->values[0].metric;
    other.version += 1;
    other.name = "other";
    assert_int_equal(eval_report_set_provenance(o.report, json_pack("{ss}", "command", "x")), 0);
    char *common = mem_printf("%d", o.report->values[0].metric->version);
    const char *all = json_string_value(json_object_get(o.report->provenance, "metric_version"));
    assert_int_equal(strncmp(all, common, strlen(common)), 0);
    const struct metric *before = o.report->values[o.report->value_count - 1].metric;
    o.report->values[o.report->value_count - 1].metric = &other;
    assert_int_equal(eval_report_set_provenance(o.report, json_pack("{ss}", "command", "x")), 0);
    all = json_string_value(json_object_get(o.report->provenance, "metric_version"));
    assert_non_null(strstr(all, ", but "));
    assert_non_null(strstr(all, "other "));
    o.report->values[o.report->value_count - 1].metric = before;
    assert_int_equal(eval_report_set_provenance(o.report, NULL), RECO_E_NOMEM);
    mem_free(common);
    outputs_release(&o);
}

/* The program of the picture in the section of figures; NULL: there is none. */
static const char *values_program(const struct outputs *o)
{
    for (size_t i = 0; i < o->pictures.count; i++) {
        if (o->pictures.about[i].place == PICTURE_OF_VALUES) {
            return buf_str(&o->pictures.items[i].program);
        }
    }
    return NULL;
}

/* 15 bins from 0 to 15: the mean target of the values of each. */
static void regression_has_a_picture(void **state)
{
    (void)state;
    static const char *const without[] = {"label\tpredicted\n0.5\t2.5\n1.5\t2.5\n", "label\tpredicted\n\t2.5\n\t3.5\n"};
    struct outputs o;
    make(&o, "label\tpredicted\n0.5\t0\n1.5\t0.5\n2.5\t15\n3.5\t7.25\n\t7.5\n9.5\t15\n");
    const char *program = values_program(&o);
    assert_non_null(program);
    assert_non_null(strstr(program, "$d << END\n0.25 1 0.5 2\n7.25 3.5 7.5 1\n15 6 14.5 2\nEND\n"));
    assert_holds(&o.html, "mean target 1 at 0.25, 3.5 at 7.25, 6 at 15");
    outputs_release(&o);
    make(&o, "label\tpredicted\n0.5\t-1e308\n1.5\t1e308\n2.5\t0\n");
    assert_non_null(values_program(&o));
    assert_null(strstr(values_program(&o), "inf"));
    outputs_release(&o);
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        make(&o, without[i]);
        assert_null(values_program(&o));
        outputs_release(&o);
    }
}

/* The names of report.json that others read stand in the README. */
static void names_are_documented(void **state)
{
    (void)state;
    struct outputs o;
    struct buf readme = {0};
    assert_int_equal(file_read_all(RECO_SOURCE_DIR "/README.md", 0, &readme), 0);
    make(&o, with_gaps);
    const char *name;
    json_t *value;
    json_object_foreach(o.json, name, value)
    {
        char *quoted = mem_printf("`%s`", name);
        if (!strstr(buf_str(&readme), quoted)) {
            fail_msg("%s is not in the README", quoted);
        }
        mem_free(quoted);
    }
    buf_release(&readme);
    outputs_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undefined_figures_say_why),
        cmocka_unit_test(queries_left_out_are_told),
        cmocka_unit_test(infinite_values_are_no_silent_null),
        cmocka_unit_test(many_classes_have_numbers),
        cmocka_unit_test(pages_stand_alone),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(names_are_cut_by_their_width),
        cmocka_unit_test(provenance_holds_versions),
        cmocka_unit_test(regression_has_a_picture),
        cmocka_unit_test(names_are_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
