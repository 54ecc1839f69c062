#include <math.h>

#include "eval/calibrate.h"
#include "eval/metric.h"

/* The probability that a row stands for, and whether it came true. */
static double confidence(const struct predictions *p, size_t row, int of_class, bool *right)
{
    int class = of_class;
    if (of_class == CALIBRATE_TOP) {
        class = 0;
        for (int c = 1; c < p->labels.count; c++) {
            class = predictions_p(p, row, c) > predictions_p(p, row, class) ? c : class;
        }
    }
    *right = predictions_label(p, row) == class;
    return predictions_p(p, row, class);
}

void calibrate_reliability(struct calibrate_bin *bins, size_t count, const struct predictions *p, int of_class)
{
    for (size_t i = 0; i < count; i++) {
        bins[i] = (struct calibrate_bin){.low = (double)i / (double)count, .high = (double)(i + 1) / (double)count};
    }
    for (size_t row = 0; row < p->rows; row++) {
        if (predictions_label(p, row) < 0) {
            continue;
        }
        bool right;
        double x = confidence(p, row, of_class, &right);
        size_t i = metric_bin(x, count);
        bins[i].count++;
        bins[i].p += x;
        bins[i].observed += right;
    }
    for (size_t i = 0; i < count; i++) {
        bins[i].p /= bins[i].count;
        bins[i].observed /= bins[i].count;
    }
}

json_t *calibrate_bins_json(const struct calibrate_bin *bins, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < count; i++) {
        const struct calibrate_bin *bin = &bins[i];
        json_t *rows = floor(bin->count) == bin->count ? json_integer((json_int_t)bin->count) : json_real(bin->count);
        if (!(bin->count > 0)) {
            json_decref(rows);
            continue;
        }
        if (json_array_append_new(array, json_pack("{s:f, s:f, s:o, s:f, s:f}", "low", bin->low, "high", bin->high,
                                                   "rows", rows, "p", bin->p, "observed", bin->observed))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

double calibrate_error(const struct calibrate_bin *bins, size_t count)
{
    double sum = 0;
    double rows = 0;
    for (size_t i = 0; i < count; i++) {
        if (bins[i].count > 0) {
            sum += bins[i].count * fabs(bins[i].observed - bins[i].p);
            rows += bins[i].count;
        }
    }
    return sum / rows;
}
