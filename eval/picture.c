#include "eval/picture.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "core/mem.h"
#include "data/utf8.h"
#include "eval/interval.h"
#include "eval/picture_internal.h"
#include "eval/try.h"

enum { CURVES_MAX = 8 /* more classes than this: the first ones */, NAME_SHOWN = 24, NAME_SHORT = 10, KEY_HEIGHT = 18 };
#define POINTS_MAX 400 /* of a bar chart; more cannot be seen */

struct buf *picture_add(struct eval_pictures *pictures, enum eval_picture_place place,
                        struct eval_picture_about **about)
{
    if (pictures->count == EVAL_PICTURES_MAX) {
        return NULL;
    }
    *about = &pictures->about[pictures->count];
    (*about)->place = place;
    return &pictures->items[pictures->count++].program;
}

int picture_begin(struct buf *b, const char *name, int height, const char *x, const char *y)
{
    TRY(page_plot_begin(b, name, x, y));
    /* As wide as a phone, so that the letters stay readable there. */
    return buf_printf(b,
                      "set terminal svg size 440,%d dynamic name '%s' font 'sans-serif,13' background '#ffffff'\n"
                      "set linetype 1 lc rgb '#0072b2'\nset linetype 2 lc rgb '#e69f00'\nset linetype 3 lc rgb "
                      "'#009e73'\nset linetype 4 lc rgb '#cc79a7'\nset linetype 5 lc rgb '#56b4e9'\nset linetype 6 lc "
                      "rgb '#d55e00'\nset linetype 7 lc rgb '#7a5c00'\nset linetype 8 lc rgb '#333333'\n",
                      height, name);
}

int picture_add_shortened(struct buf *b, const char *text, size_t columns)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + strlen(text);
    size_t seen = 0;
    while (at < end) {
        uint32_t code_point;
        size_t bytes = utf8_decode(at, end, &code_point);
        int width = utf8proc_charwidth((utf8proc_int32_t)code_point); /* a Chinese character takes the room of two */
        seen += width > 0 ? (size_t)width : 0;
        if (seen > columns) {
            return buf_add_str(b, "…");
        }
        TRY(buf_add(b, at, bytes));
        at += bytes;
    }
    return 0;
}

int picture_quoted(struct buf *b, const char *text, size_t columns)
{
    struct buf shown = {0};
    int rc = picture_add_shortened(&shown, text, columns);
    rc = rc ? rc : page_plot_quoted(b, buf_str(&shown));
    buf_release(&shown);
    return rc;
}

const struct interval *report_interval(const struct eval_report *report, size_t value)
{
    const struct eval_intervals *intervals = report->intervals;
    return intervals && value < intervals->count && !report->values[value].reason && !intervals->of[value].reason
               ? &intervals->of[value]
               : NULL;
}

/* ---- ROC and precision over recall, one class against the rest ---- */

enum curve_kind { CURVE_ROC, CURVE_PRECISION };

/* Points from the highest threshold down. */
static int add_points(struct buf *b, enum curve_kind kind, const struct metric_data *data, int label)
{
    const struct metric_curve *curve = &data->curves[label];
    double positives = data->support[label];
    double others = data->rows - positives;
    TRY(buf_printf(b, "$c%d << END\n", label));
    TRY(kind == CURVE_ROC ? buf_add_str(b, "0 0\n") : 0);
    for (size_t i = curve->point_count; i > 0; i--) {
        double hits = positives - curve->points[i - 1][0];
        double misses = others - curve->points[i - 1][1];
        if (kind == CURVE_ROC) {
            TRY(buf_printf(b, "%.5g %.5g\n", misses / others, hits / positives));
        } else if (hits + misses > 0) {
            TRY(buf_printf(b, "%.5g %.5g\n", hits / positives, hits / (hits + misses)));
        }
    }
    return buf_add_str(b, "END\n");
}

bool picture_has_curve(const struct eval_report *report, int label)
{
    const struct metric_data *data = &report->data;
    return (data->classes > 2 || label == data->positive) && data->support[label] > 0 &&
           data->support[label] < data->rows && data->curves[label].point_count;
}

/* The curve's key with its area, in the program; the same in words. */
static int add_curve(struct buf *plot, struct buf *says, const struct eval_report *report, enum curve_kind kind,
                     int label, size_t drawn)
{
    const struct metric_curve *curve = &report->data.curves[label];
    double area = kind == CURVE_ROC ? curve->auc : curve->average_precision;
    const char *name = report_label_name(report, label);
    struct buf key = {0};
    int rc = buf_printf(plot, "%s$c%d with lines lw 2 lt %zu title ", drawn || kind == CURVE_ROC ? ", " : "", label,
                        drawn + 1);
    if (!rc) {
        rc = picture_add_shortened(&key, name, NAME_SHOWN);
    }
    if (!rc) {
        rc = buf_printf(&key, ": %.3f", area);
    }
    if (!rc) {
        rc = page_plot_quoted(plot, buf_str(&key));
    }
    buf_release(&key);
    TRY(rc);
    TRY(buf_add_str(plot, " noenhanced"));
    return buf_printf(says, "%s%s %.3f",
                      drawn               ? ", "
                      : kind == CURVE_ROC ? " Area under the curve: "
                                          : " Average precision: ",
                      name, area);
}

static int count_curves(const struct eval_report *report)
{
    int count = 0;
    for (int c = 0; c < report->data.classes; c++) {
        count += picture_has_curve(report, c);
    }
    return count;
}

/* The keys stand above the curves: two side by side unless a name is long, which gnuplot would leave out with all the
 * others. */
static bool has_short_names(const struct eval_report *report)
{
    bool is_short = true;
    for (int c = 0, keys = 0; c < report->data.classes && keys < CURVES_MAX; c++) {
        if (picture_has_curve(report, c)) {
            keys++;
            is_short = is_short && strlen(report_label_name(report, c)) <= NAME_SHORT;
        }
    }
    return is_short;
}

static int plan_curves(struct eval_pictures *pictures, const struct eval_report *report, enum curve_kind kind)
{
    const struct metric_data *data = &report->data;
    struct eval_picture_about *about;
    struct buf *b = picture_add(pictures, PICTURE_OF_CLASSES, &about);
    bool roc = kind == CURVE_ROC;
    if (!b) {
        return 0;
    }
    TRY(buf_add_str(&about->title, roc ? "ROC" : "Precision over recall"));
    int all = count_curves(report);
    TRY(buf_printf(&about->title, "%s, with the %s", data->classes > 2 ? ", one class against the rest" : "",
                   roc ? "area under it" : "average precision"));
    TRY(all > CURVES_MAX ? buf_printf(&about->title, "; the first %d of %d classes", CURVES_MAX, all) : 0);
    int keys = all < CURVES_MAX ? all : CURVES_MAX;
    bool two_a_line = has_short_names(report);
    TRY(picture_begin(b, roc ? "roc" : "pr", 330 + KEY_HEIGHT * (two_a_line ? (keys + 1) / 2 : keys),
                      roc ? "false positive rate" : "recall", roc ? "true positive rate" : "precision"));
    TRY(buf_printf(b, "set xrange [0:1]\nset yrange [0:1.02]\nset key outside top center %s samplen 2\n",
                   two_a_line ? "horizontal" : "vertical maxcols 1"));
    struct buf plot = {0};
    int rc = buf_add_str(&plot, roc ? "plot x dt 2 lc rgb '#999999' notitle" : "plot ");
    size_t drawn = 0;
    for (int c = 0; !rc && c < data->classes && drawn < CURVES_MAX; c++) {
        if (!picture_has_curve(report, c)) {
            continue;
        }
        rc = add_points(b, kind, data, c);
        if (!rc) {
            rc = add_curve(&plot, &about->says, report, kind, c, drawn++);
        }
    }
    if (!rc) {
        rc = buf_printf(b, "%s\n", buf_str(&plot));
    }
    buf_release(&plot);
    return rc;
}

int picture_plan_curves(struct eval_pictures *pictures, const struct eval_report *report)
{
    for (int c = 0; c < report->data.classes; c++) {
        if (picture_has_curve(report, c)) {
            TRY(plan_curves(pictures, report, CURVE_ROC));
            return plan_curves(pictures, report, CURVE_PRECISION);
        }
    }
    return 0;
}

/* ---- a ranking metric over the queries, best first ---- */

static int compare_descending(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a > b ? -1 : a < b;
}

static int add_queries(const struct eval_report *report, size_t value, double *values, struct buf *says, struct buf *b)
{
    size_t count = 0;
    for (size_t q = 0; q < report->query_count; q++) {
        double of_query = report->by_query[q * report->value_count + value];
        if (!isnan(of_query)) {
            values[count++] = of_query;
        }
    }
    qsort(values, count, sizeof *values, compare_descending);
    size_t step = count / POINTS_MAX + 1;
    TRY(picture_begin(b, "queries", 330, "queries, best first", report->values[value].name));
    TRY(buf_printf(b, "set xrange [0:%.6g]\nset yrange [0:%s]\nset key off\nset style fill solid 1 noborder\n",
                   (double)count + 0.5, count && values[0] <= 1 ? "1.02" : "*"));
    TRY(count <= 12 ? buf_add_str(b, "set xtics 1\n") : 0);
    TRY(buf_add_str(b, "$q << END\n"));
    for (size_t i = 0; i < count; i += step) {
        TRY(buf_printf(b, "%zu %.5g\n", i + 1, values[i]));
    }
    TRY(buf_printf(b, "END\nset boxwidth %zu\nplot $q with boxes lc rgb '#66aad1', %.5g with lines dt 2 lw 2 lt 6\n",
                   step, report->values[value].value));
    return count ? buf_printf(says, " %zu queries from %.4f to %.4f, median %.4f, mean %.4f", count, values[count - 1],
                              values[0], values[count / 2], report->values[value].value)
                 : 0;
}

int picture_plan_queries(struct eval_pictures *pictures, const struct eval_report *report)
{
    size_t value = report_query_figure(report);
    struct eval_picture_about *about;
    struct buf *b = value < report->value_count ? picture_add(pictures, PICTURE_OF_QUERIES, &about) : NULL;
    if (!b) {
        return 0;
    }
    double *values = mem_alloc((report->query_count + 1) * sizeof *values);
    int rc = values ? buf_printf(&about->title, "%s by query; the line is the mean", report->values[value].name)
                    : RECO_E_NOMEM;
    if (!rc) {
        rc = add_queries(report, value, values, &about->says, b);
    }
    mem_free(values);
    return rc;
}

void pictures_name(struct eval_pictures *pictures)
{
    for (size_t i = 0; i < pictures->count; i++) {
        pictures->items[i].title = buf_str(&pictures->about[i].title);
    }
}

int eval_pictures_plan(struct eval_pictures *pictures, const struct eval_report *report)
{
    TRY(picture_plan_curves(pictures, report));
    TRY(picture_plan_reliability(pictures, report));
    TRY(picture_plan_values(pictures, report));
    TRY(picture_plan_queries(pictures, report));
    TRY(picture_plan_lengths(pictures, report));
    TRY(picture_plan_positions(pictures, report));
    TRY(picture_plan_arms(pictures, report));
    TRY(picture_plan_slices(pictures, report));
    pictures_name(pictures);
    return 0;
}

void eval_pictures_release(struct eval_pictures *pictures)
{
    for (size_t i = 0; i < pictures->count; i++) {
        page_picture_release(&pictures->items[i]);
        buf_release(&pictures->about[i].title);
        buf_release(&pictures->about[i].says);
    }
    pictures->count = 0;
}
