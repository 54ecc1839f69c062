#include "cli/opts_metrics.h"

#include "eval/evaluate.h"

const char *const opts_interval_choices[] = {"percentile", "bca", NULL};

int opts_metric_check(const char *name, const char *value)
{
    (void)name;
    return eval_metric_check(value);
}
