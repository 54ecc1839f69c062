#include "eval/metric.h"

static int ece_adaptive(struct metric_data *data, const struct metric_variant *variant, double *value,
                        const char **reason)
{
    (void)variant;
    int rc = metric_adaptive_gap_get(data, value);
    *reason = isnan(*value) ? "no row has a label" : NULL;
    return rc;
}

const struct metric metric_ece_adaptive = {
    .name = "ece_adaptive",
    .help = "expected calibration error in 15 bins of equally many rows in order of confidence; ties are shared out "
            "over the bins",
    .formula = "sum_b n_b/n |mean confidence_b - share of hits_b|, confidence the highest p",
    .citation = "Nguyen and O'Connor 2015; Nixon et al. 2019",
    .version = 1,
    .needs = METRIC_NEEDS_PROBABILITY,
    .forms = METRIC_FORM_PLAIN,
    .direction = -1,
    .value = ece_adaptive,
};
