#include "eval/metric.h"

static int ece(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    double gap = 0;
    for (size_t b = 0; b < METRIC_BINS; b++) {
        gap += fabs(data->bins[3 * b + 1] - data->bins[3 * b + 2]);
    }
    return metric_defined(value, reason, gap / data->rows);
}

const struct metric metric_ece = {
    .name = "ece",
    .help = "expected calibration error: confidence against hits in 15 bins of equal width, (0, 1/15] to (14/15, 1]",
    .formula = "sum_b n_b/n |mean confidence_b - share of hits_b|, confidence the highest p",
    .citation = "Naeini et al. 2015; Guo et al. 2017",
    .version = 1,
    .needs = METRIC_NEEDS_PROBABILITY,
    .forms = METRIC_FORM_PLAIN,
    .direction = -1,
    .value = ece,
};
