/* The reliability curve of the most probable class, as JSON: what ece and ece_adaptive are the mean gaps of. */

#include "eval/calibrate.h"
#include "eval/report.h"

/* From the sums of the report, which are there when the rows are not any more. */
static json_t *of_equal_width(const struct metric_data *data)
{
    struct calibrate_bin bins[METRIC_BINS];
    for (size_t b = 0; b < METRIC_BINS; b++) {
        const double *sums = data->bins + 3 * b;
        bins[b] = (struct calibrate_bin){.low = (double)b / METRIC_BINS,
                                         .high = (double)(b + 1) / METRIC_BINS,
                                         .count = sums[0],
                                         .p = sums[1] / sums[0],
                                         .observed = sums[2] / sums[0]};
    }
    return calibrate_bins_json(bins, METRIC_BINS);
}

/* From what ece_adaptive has left. */
static json_t *of_equal_mass(const struct metric_adaptive *adaptive)
{
    struct calibrate_bin bins[METRIC_BINS];
    for (size_t b = 0; b < METRIC_BINS; b++) {
        const struct metric_adaptive_bin *sums = &adaptive->bins[b];
        bins[b] = (struct calibrate_bin){.low = sums->low,
                                         .high = sums->high,
                                         .count = sums->rows,
                                         .p = sums->confidence / sums->rows,
                                         .observed = sums->hits / sums->rows};
    }
    return calibrate_bins_json(bins, METRIC_BINS);
}

json_t *report_reliability_json(const struct eval_report *report)
{
    json_t *json = json_pack("{s:s, s:o}", "of", "most probable class", "equal_width", of_equal_width(&report->data));
    if (json && report->adaptive.done && json_object_set_new(json, "equal_mass", of_equal_mass(&report->adaptive))) {
        json_decref(json);
        return NULL;
    }
    return json;
}
