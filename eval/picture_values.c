/* Regression: the mean target of rows with like values, beside the values. */

#include <math.h>
#include <string.h>

#include "eval/picture_internal.h"
#include "eval/try.h"

enum { VALUE_BINS = 15 };

struct value_bin {
    double rows, value, target; /* sums */
};

static bool is_drawn(const struct predictions *p, size_t row)
{
    return isfinite(p->value[row]) && isfinite(p->target[row]);
}

/* Bins of equal width between the lowest and the highest value; their width, 0: there is nothing to tell apart. */
static double fill_bins(struct value_bin bins[VALUE_BINS], const struct predictions *p, double ends[2])
{
    ends[0] = INFINITY;
    ends[1] = -INFINITY;
    memset(bins, 0, VALUE_BINS * sizeof *bins);
    for (size_t row = 0; row < p->rows; row++) {
        if (is_drawn(p, row)) {
            ends[0] = fmin(ends[0], p->value[row]);
            ends[1] = fmax(ends[1], p->value[row]);
        }
    }
    double width = ends[0] < ends[1] ? ends[1] / VALUE_BINS - ends[0] / VALUE_BINS : 0;
    for (size_t row = 0; width > 0 && row < p->rows; row++) {
        if (!is_drawn(p, row)) {
            continue;
        }
        size_t bin = (size_t)fmin((p->value[row] - ends[0]) / width, VALUE_BINS - 1);
        bins[bin].rows++;
        bins[bin].value += p->value[row];
        bins[bin].target += p->target[row];
    }
    return width;
}

int picture_plan_values(struct eval_pictures *pictures, const struct eval_report *report)
{
    const struct predictions *p = report->p;
    struct value_bin bins[VALUE_BINS];
    struct eval_picture_about *about;
    double ends[2];
    double width = p && p->value && p->target ? fill_bins(bins, p, ends) : 0;
    struct buf *b = width > 0 && isfinite(width) ? picture_add(pictures, PICTURE_OF_VALUES, &about) : NULL;
    double most = 0;
    if (!b) {
        return 0;
    }
    TRY(buf_add_str(&about->title,
                    "Mean target by value: above the line the value is too low; bars: share of the rows"));
    TRY(buf_printf(&about->says, " Values from %.4g to %.4g;", ends[0], ends[1]));
    TRY(picture_begin(b, "values", 370, "value predicted", "mean target"));
    TRY(buf_add_str(b, "$d << END\n"));
    for (size_t i = 0, told = 0; i < VALUE_BINS; i++) {
        const struct value_bin *bin = &bins[i];
        double middle = ((double)i + 0.5) / VALUE_BINS;
        if (bin->rows > 0) {
            TRY(buf_printf(b, "%.6g %.6g %.6g %.0f\n", bin->value / bin->rows, bin->target / bin->rows,
                           ends[0] * (1 - middle) + ends[1] * middle, bin->rows));
            TRY(buf_printf(&about->says, "%s %.4g at %.4g", told++ ? "," : " mean target", bin->target / bin->rows,
                           bin->value / bin->rows));
            most = fmax(most, bin->rows);
        }
    }
    return buf_printf(b,
                      "END\nset key off\nset style fill solid 0.25 noborder\nset boxwidth %.6g\nset y2range [0:%.0f]\n"
                      "plot $d using 3:4 axes x1y2 with boxes lt 2, x dt 2 lc rgb '#999999', $d using 1:2 with "
                      "linespoints lw 2 pt 7 ps 0.6 lt 1\n",
                      0.9 * width, 5 * most);
}
