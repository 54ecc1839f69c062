#include "train/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static double ramp(int64_t step, int64_t warmup)
{
    return (double)step / (double)warmup;
}

static double linear(int64_t step, int64_t warmup, int64_t total)
{
    if (step < warmup)
        return ramp(step, warmup);
    return total > warmup ? (double)(total - step) / (double)(total - warmup) : 0.0;
}

static double cosine(int64_t step, int64_t warmup, int64_t total)
{
    if (step < warmup)
        return ramp(step, warmup);
    double progress = total > warmup ? (double)(step - warmup) / (double)(total - warmup) : 1.0;
    return 0.5 * (1.0 + cos(3.14159265358979323846 * progress));
}

static double constant(int64_t step, int64_t warmup, int64_t total)
{
    (void)step, (void)warmup, (void)total;
    return 1.0;
}

static double constant_with_warmup(int64_t step, int64_t warmup, int64_t total)
{
    (void)total;
    return step < warmup ? ramp(step, warmup) : 1.0;
}

const struct schedule schedule_table[] = {
    {"linear", "s / w, then (t - s) / (t - w)", linear},
    {"cosine", "s / w, then (1 + cos(pi (s - w) / (t - w))) / 2", cosine},
    {"constant", "1", constant},
    {"constant_with_warmup", "s / w, then 1", constant_with_warmup},
};
const int schedule_count = sizeof schedule_table / sizeof schedule_table[0];

const struct schedule *schedule_find(const char *name)
{
    for (int i = 0; i < schedule_count; i++)
        if (strcmp(schedule_table[i].name, name) == 0)
            return &schedule_table[i];
    return NULL;
}

int64_t schedule_warmup(double steps_or_frac, int64_t total)
{
    double steps = steps_or_frac >= 1 ? floor(steps_or_frac) : ceil(steps_or_frac * (double)total);
    return steps < (double)total ? (int64_t)steps : total;
}
