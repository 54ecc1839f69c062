#include "eval/metric.h"

static int kendall(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    int rc = metric_kendall_get(data, value);
    *reason = isnan(*value) ? "the targets or the values are all equal" : NULL;
    return rc;
}

const struct metric metric_kendall = {
    .name = "kendall",
    .help = "Kendall's tau-b of value and target",
    .formula = "(concordant - discordant) / sqrt((pairs - tied v) (pairs - tied t))",
    .citation = "Kendall 1945; scipy: stats.kendalltau",
    .version = 1,
    .needs = METRIC_NEEDS_TARGET,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = kendall,
};
