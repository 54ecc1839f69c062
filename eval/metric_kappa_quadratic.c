#include "eval/metric.h"

static int kappa_quadratic(struct metric_data *data, const struct metric_variant *variant, double *value,
                           const char **reason)
{
    (void)variant;
    return metric_agreement(data, 2, value, reason);
}

const struct metric metric_kappa_quadratic = {
    .name = "kappa_quadratic",
    .help = "Cohen's kappa with disagreement weighted by the squared distance of the classes",
    .formula = "1 - sum w_ij O_ij / sum w_ij E_ij, w_ij = (i - j)^2",
    .citation = "Cohen 1968; scikit-learn: cohen_kappa_score",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = kappa_quadratic,
};
