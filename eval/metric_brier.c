#include "eval/metric.h"

static int brier(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    const struct predictions *p = data->p;
    size_t n = (size_t)data->classes;
    double sum = 0;
    for (size_t row = 0; row < p->rows; row++) {
        for (size_t c = 0; c < n && p->label[row] >= 0; c++) {
            double miss = p->p[row * n + c] - (p->label[row] == (int32_t)c);
            sum += miss * miss;
        }
    }
    *value = sum / (double)data->rows / (n == 2 ? 2 : 1);
    *reason = NULL;
    return 0;
}

const struct metric metric_brier = {
    .name = "brier",
    .help = "mean squared error of the probabilities, summed over the classes (halved for two classes)",
    .formula = "1/N sum_i sum_c (p_ic - [y_i = c])^2",
    .citation = "Brier 1950; scikit-learn: brier_score_loss",
    .version = 1,
    .needs = METRIC_NEEDS_PROBABILITY,
    .forms = METRIC_FORM_PLAIN,
    .direction = -1,
    .value = brier,
};
