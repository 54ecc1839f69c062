#include "eval/metric.h"

/* p below this counts as this, so that one sure mistake does not make the mean infinite. */
#define P_MIN 2.220446049250313e-16

static int log_loss(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    const struct predictions *p = data->p;
    size_t n = (size_t)data->classes;
    double sum = 0;
    for (size_t row = 0; row < p->rows; row++) {
        if (p->label[row] >= 0) {
            double of_label = p->p[row * n + (size_t)p->label[row]];
            sum -= log(of_label > P_MIN ? of_label : P_MIN);
        }
    }
    *value = sum / (double)data->rows;
    *reason = NULL;
    return 0;
}

const struct metric metric_log_loss = {
    .name = "log_loss",
    .help = "mean negative logarithm of the label's probability, in nats; p is cut at 2.2e-16",
    .formula = "-1/N sum log p_label",
    .citation = "Good 1952; scikit-learn: log_loss",
    .version = 1,
    .needs = METRIC_NEEDS_PROBABILITY,
    .forms = METRIC_FORM_PLAIN,
    .direction = -1,
    .value = log_loss,
};
