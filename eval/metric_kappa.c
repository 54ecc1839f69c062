#include "eval/metric.h"

static int kappa(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    return metric_agreement(data, 0, value, reason);
}

const struct metric metric_kappa = {
    .name = "kappa",
    .help = "Cohen's kappa: agreement beyond chance",
    .formula = "1 - sum w_ij O_ij / sum w_ij E_ij, w_ij = [i != j]",
    .citation = "Cohen 1960; scikit-learn: cohen_kappa_score",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = kappa,
};
