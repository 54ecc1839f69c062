#include "eval/metric.h"

static double figure(const struct metric_curve *curve)
{
    return curve->auc;
}

static int auc(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    return metric_curve_average(data, variant, figure, value, reason);
}

const struct metric metric_auc = {
    .name = "auc",
    .help = "area under the ROC curve; without suffix: of the positive class of two, "
            "else as auc_macro, the mean of one class against the rest",
    .formula = "P(s+ > s-) + P(s+ = s-) / 2",
    .citation = "Hanley and McNeil 1982; scikit-learn: roc_auc_score (ovr)",
    .version = 1,
    .needs = METRIC_NEEDS_SCORE,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_MACRO | METRIC_FORM_LABEL,
    .direction = 1,
    .value = auc,
};
