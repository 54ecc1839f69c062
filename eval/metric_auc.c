#include "eval/metric.h"

static double figure(const struct metric_curve *curve)
{
    return curve->auc;
}

/* Hand and Till 2001: each pair of classes for itself, each of the two once against the other. */
static int one_against_one(struct metric_data *data, double *value, const char **reason)
{
    double sum = 0;
    double pairs = 0;
    for (int a = 0; a < data->classes; a++) {
        const struct metric_curve *curve;
        int rc = metric_curve_get(data, a, &curve);
        if (rc) {
            return rc;
        }
        if (curve->reason) {
            return metric_undefined(value, reason, "a class has no row, or all of them");
        }
        for (int b = 0; b < data->classes; b++) {
            if (b != a) {
                sum += curve->right[b] / (data->support[a] * data->support[b]);
                pairs++;
            }
        }
    }
    return metric_defined(value, reason, sum / pairs);
}

static int auc(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    if (variant->form == METRIC_FORM_OVO) {
        return predictions_has_p(data->p) ? one_against_one(data, value, reason)
                                          : metric_undefined(value, reason, "there are no columns 'p_<label>'");
    }
    return metric_curve_average(data, variant, figure, value, reason);
}

const struct metric metric_auc = {
    .name = "auc",
    .help = "area under the ROC curve, one class against the rest (ovo: each pair of classes); without suffix: of the "
            "positive class of two, else the mean over the classes",
    .formula = "P(score of a row of the class > score of another row), ties half",
    .citation = "Hanley and McNeil 1982; Hand and Till 2001; scikit-learn: roc_auc_score",
    .version = 1,
    .needs = METRIC_NEEDS_SCORE,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_MACRO | METRIC_FORM_WEIGHTED | METRIC_FORM_OVO | METRIC_FORM_LABEL,
    .direction = 1,
    .value = auc,
};
