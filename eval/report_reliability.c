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

json_t *report_reliability_json(const struct eval_report *report)
{
    struct calibrate_bin bins[METRIC_BINS];
    json_t *json = json_pack("{s:s, s:o}", "of", "most probable class", "equal_width", of_equal_width(&report->data));
    if (json && !report->p->streamed) {
        if (calibrate_reliability(bins, METRIC_BINS, report->p, CALIBRATE_TOP, true) ||
            json_object_set_new(json, "equal_mass", calibrate_bins_json(bins, METRIC_BINS))) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}
