#include "eval/picture.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/report.h"
#include "eval/try.h"

#define CURVES_MAX 8   /* more classes than this: the first ones */
#define POINTS_MAX 400 /* of a bar chart; more cannot be seen */

static struct page_picture *add_picture(struct eval_pictures *pictures, const char *title)
{
    struct page_picture *picture = &pictures->items[pictures->count++];
    picture->title = title;
    return picture;
}

/* ---- ROC and precision over recall, one class against the rest ---- */

enum curve_kind { CURVE_ROC, CURVE_PRECISION };

/* Points from the highest threshold down. */
static int add_points(struct buf *b, enum curve_kind kind, const struct metric_data *data, int label)
{
    const struct metric_curve *curve = &data->curves[label];
    double positives = data->support[label];
    double others = data->rows - positives;
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
    return 0;
}

static bool has_curve(const struct metric_data *data, int label)
{
    return data->support[label] > 0 && data->support[label] < data->rows && data->curves[label].point_count;
}

static int add_curves(const struct eval_report *report, enum curve_kind kind, struct buf *b)
{
    const struct metric_data *data = &report->data;
    int first = data->classes == 2 ? data->positive : 0;
    int last = data->classes == 2 ? first : data->classes - 1;
    TRY(page_plot_begin(b, kind == CURVE_ROC ? "roc" : "pr", kind == CURVE_ROC ? "false positive rate" : "recall",
                        kind == CURVE_ROC ? "true positive rate" : "precision"));
    TRY(buf_printf(b, "set xrange [0:1]\nset yrange [0:1.02]\nset key %s\n",
                   kind == CURVE_ROC ? "bottom right" : "bottom left"));
    struct buf plot = {0};
    int rc =
        kind == CURVE_ROC ? buf_add_str(&plot, "plot x dt 2 lc rgb '#999999' notitle") : buf_add_str(&plot, "plot ");
    size_t drawn = 0;
    for (int c = first; !rc && c <= last && drawn < CURVES_MAX; c++) {
        if (!has_curve(data, c)) {
            continue;
        }
        rc = buf_printf(b, "$c%d << END\n", c);
        if (!rc) {
            rc = add_points(b, kind, data, c);
        }
        if (!rc) {
            rc = buf_add_str(b, "END\n");
        }
        if (!rc) {
            rc = buf_printf(&plot, "%s$c%d with lines lw 2 lt %zu title ", drawn || kind == CURVE_ROC ? ", " : "", c,
                            drawn + 1);
            drawn++;
        }
        if (!rc) {
            rc = page_plot_quoted(&plot, report_label_name(report, c));
        }
        if (!rc) {
            rc = buf_add_str(&plot, " noenhanced");
        }
    }
    if (!rc) {
        rc = buf_printf(b, "%s\n", buf_str(&plot));
    }
    buf_release(&plot);
    return rc;
}

static bool can_draw_curves(const struct eval_report *report)
{
    const struct metric_data *data = &report->data;
    int first = data->classes == 2 ? data->positive : 0;
    int last = data->classes == 2 ? first : data->classes - 1;
    for (int c = first; c <= last; c++) {
        if (has_curve(data, c)) {
            return true;
        }
    }
    return false;
}

/* ---- a ranking metric over the queries, best first ---- */

static int compare_descending(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a > b ? -1 : a < b;
}

/* The deepest NDCG that was kept by query, else a metric of relevant items; value_count: none. */
static size_t choose_by_query(const struct eval_report *report)
{
    size_t chosen = report->value_count;
    for (size_t i = 0; report->by_query && i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        bool better = v->variant.form == METRIC_FORM_AT && !strncmp(v->metric->name, "ndcg", 4);
        bool fits = better || (v->metric->query && v->metric->needs & METRIC_NEEDS_RELEVANCE);
        if (fits && !v->reason && (chosen == report->value_count || better)) {
            chosen = i;
        }
    }
    return chosen;
}

static int add_by_query(const struct eval_report *report, size_t value, struct buf *b)
{
    double *values = mem_alloc((report->query_count + 1) * sizeof *values);
    if (!values) {
        return RECO_E_NOMEM;
    }
    size_t count = 0;
    for (size_t q = 0; q < report->query_count; q++) {
        double of_query = report->by_query[q * report->value_count + value];
        if (!isnan(of_query)) {
            values[count++] = of_query;
        }
    }
    qsort(values, count, sizeof *values, compare_descending);
    size_t step = count / POINTS_MAX + 1;
    int rc = page_plot_begin(b, "queries", "queries, best first", report->values[value].name);
    if (!rc) {
        rc = buf_add_str(b, "set yrange [0:1.02]\nset key off\nset style fill solid 0.6 noborder\n$q << END\n");
    }
    for (size_t i = 0; !rc && i < count; i += step) {
        rc = buf_printf(b, "%zu %.5g\n", i + 1, values[i]);
    }
    if (!rc) {
        rc = buf_printf(b, "END\nplot $q with boxes lc rgb '#3366aa', %.5g with lines dt 2 lc rgb '#aa3333'\n",
                        report->values[value].value);
    }
    mem_free(values);
    return rc;
}

int eval_pictures_plan(struct eval_pictures *pictures, const struct eval_report *report)
{
    if (can_draw_curves(report)) {
        TRY(add_curves(report, CURVE_ROC, &add_picture(pictures, "ROC, one class against the rest")->program));
        TRY(add_curves(report, CURVE_PRECISION,
                       &add_picture(pictures, "Precision over recall, one class against the rest")->program));
    }
    size_t value = choose_by_query(report);
    if (value < report->value_count) {
        TRY(add_by_query(report, value, &add_picture(pictures, "By query; the line is the mean")->program));
    }
    return 0;
}

void eval_pictures_release(struct eval_pictures *pictures)
{
    for (size_t i = 0; i < pictures->count; i++) {
        page_picture_release(&pictures->items[i]);
    }
    pictures->count = 0;
}
