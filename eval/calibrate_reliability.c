#include <math.h>

#include "core/mem.h"
#include "eval/calibrate.h"
#include "eval/metric.h"
#include "eval/sort.h"

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

static void equal_width(struct calibrate_bin *bins, size_t count, const struct predictions *p, int of_class)
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
}

/* Bins of rows / count rows each: a run of equal p that lies in several is shared out with its mean outcome. */
static void equal_mass(struct calibrate_bin *bins, size_t count, const struct sort_item *items, const double *x,
                       const bool *yes, size_t rows)
{
    size_t bin = 0;
    double seen = 0;
    double edge = (double)rows / (double)count;
    for (size_t i = 0; i < count; i++) {
        bins[i] = (struct calibrate_bin){.low = NAN, .high = NAN};
    }
    for (size_t i = 0; i < rows;) {
        double value = x[items[i].payload];
        double tied = 0;
        double hits = 0;
        for (uint64_t key = items[i].key; i < rows && items[i].key == key; i++) {
            tied++;
            hits += yes[items[i].payload];
        }
        for (double left = tied; left > 0;) {
            bool last = bin + 1 == count;
            double taken = last || left < edge - seen ? left : edge - seen;
            struct calibrate_bin *to = &bins[bin];
            to->low = to->count > 0 ? to->low : value;
            to->high = value;
            to->count += taken;
            to->p += taken * value;
            to->observed += taken * (hits / tied);
            seen += taken;
            left -= taken;
            if (!last && seen >= edge) {
                bin++;
                edge = (double)rows * (double)(bin + 1) / (double)count;
            }
        }
    }
}

static int equal_mass_new(struct calibrate_bin *bins, size_t count, const struct predictions *p, int of_class)
{
    struct sort_item *items = mem_realloc_array(NULL, 2 * p->rows + 1, sizeof *items);
    double *x = mem_realloc_array(NULL, p->rows + 1, sizeof *x);
    bool *yes = mem_realloc_array(NULL, p->rows + 1, sizeof *yes);
    int rc = items && x && yes ? 0 : RECO_E_NOMEM;
    size_t rows = 0;
    for (size_t row = 0; !rc && row < p->rows; row++) {
        if (predictions_label(p, row) >= 0) {
            x[rows] = confidence(p, row, of_class, &yes[rows]);
            items[rows] = (struct sort_item){sort_key(x[rows]), (uint32_t)rows};
            rows++;
        }
    }
    if (!rc) {
        equal_mass(bins, count, sort_items(items, items + rows, rows), x, yes, rows);
    }
    mem_free(items);
    mem_free(x);
    mem_free(yes);
    return rc;
}

int calibrate_reliability(struct calibrate_bin *bins, size_t count, const struct predictions *p, int of_class,
                          bool by_mass)
{
    if (by_mass) {
        int rc = equal_mass_new(bins, count, p, of_class);
        if (rc) {
            return rc;
        }
    } else {
        equal_width(bins, count, p, of_class);
    }
    for (size_t i = 0; i < count; i++) {
        bins[i].p /= bins[i].count;
        bins[i].observed /= bins[i].count;
    }
    return 0;
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
