#include "cli/opts_metrics.h"

#include "eval/evaluate.h"

const char *const opts_interval_choices[] = {"percentile", "bca", NULL};

int opts_metric_check(const char *name, const char *value)
{
    (void)name;
    return eval_metric_check(value);
}

int opts_needs_check(const struct opt_set *set, const struct opts_need *needs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!needs[i].is_met && opt_origin_of(set, needs[i].option) == OPT_ORIGIN_FLAG) {
            return err_set(RECO_E_USAGE, "--%s goes with %s", needs[i].option, needs[i].with);
        }
    }
    return 0;
}
