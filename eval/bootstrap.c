#include "eval/bootstrap.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/rng.h"
#include "core/stop.h"
#include "eval/paired_distribution.h"

#define UNDEFINED_MAX_FRAC 0.05
/* A replicate of the whole sample in another order differs from the estimate by rounding. */
#define SAME_SHARE 1e-12
/* Resamples evaluated in one call share what its owner prepares; the weights of many clusters take much memory. */
enum { TASK_RESAMPLES = 32, TASK_RESAMPLES_LARGE = 8, TASK_CLUSTERS_LARGE = 1 << 18 };

void bootstrap_options_init(struct bootstrap_options *options)
{
    *options = (struct bootstrap_options){
        .resamples = 1000, .seed = 42, .level = 0.95, .method = BOOTSTRAP_BCA, .groups = 200};
}

void bootstrap_release(struct bootstrap *b)
{
    mem_free(b->replicates);
    mem_free(b->jackknife);
    *b = (struct bootstrap){0};
}

/* Source of the unbiased bounded number: Lemire 2019, "Fast random integer generation in an interval". */
void bootstrap_draw(uint32_t *counts, size_t clusters, uint64_t seed, size_t resample)
{
    const uint32_t bound = (uint32_t)clusters;
    const uint32_t rejected = -bound % bound;
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t counter[4] = {0, 0, RNG_STREAM_BOOTSTRAP, (uint32_t)resample};
    uint32_t block[4];
    size_t drawn = 0;
    for (uint64_t i = 0; drawn < clusters; i++) {
        counter[0] = (uint32_t)i;
        counter[1] = (uint32_t)(i >> 32);
        rng_philox4x32(counter, key, block);
        for (int lane = 0; lane < 4 && drawn < clusters; lane++) {
            uint64_t product = (uint64_t)block[lane] * bound;
            if ((uint32_t)product >= rejected) {
                counts[product >> 32]++;
                drawn++;
            }
        }
    }
}

/* ---- all resamples, and the jackknife ---- */

struct run {
    struct bootstrap *b;
    const struct bootstrap_options *options;
    size_t at_once;
    size_t blocks; /* of resamples; those of the jackknife follow */
    bootstrap_fn *fn;
    void *arg;
};

static void fill_resamples(const struct run *run, uint32_t *weights, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bootstrap_draw(weights + i * run->b->clusters, run->b->clusters, run->options->seed, first + i);
    }
}

/* Cluster c is left out in group c mod groups: groups of neighbours would share what makes neighbours alike. */
static void fill_jackknife(const struct run *run, uint32_t *weights, size_t first, size_t count)
{
    size_t clusters = run->b->clusters;
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < clusters; c++) {
            weights[i * clusters + c] = c % run->b->groups != first + i;
        }
    }
}

static int run_block(void *arg, size_t task)
{
    struct run *run = arg;
    struct bootstrap *b = run->b;
    bool jackknife = task >= run->blocks;
    size_t first = (jackknife ? task - run->blocks : task) * run->at_once;
    size_t total = jackknife ? b->groups : b->resamples;
    size_t count = total - first < run->at_once ? total - first : run->at_once;
    double *to = jackknife ? b->jackknife : b->replicates;
    if (stop_requested()) {
        return err_set(RECO_E_STOPPED, "stopped in the bootstrap");
    }
    uint32_t *weights = mem_calloc(b->clusters * run->at_once, sizeof *weights);
    double *values = mem_alloc(b->values * run->at_once * sizeof *values);
    int rc = weights && values ? 0 : RECO_E_NOMEM;
    if (!rc) {
        (jackknife ? fill_jackknife : fill_resamples)(run, weights, first, count);
        rc = run->fn(run->arg, count, weights, values);
    }
    for (size_t i = 0; !rc && i < count; i++) {
        for (size_t v = 0; v < b->values; v++) {
            to[v * total + first + i] = values[i * b->values + v];
        }
    }
    mem_free(weights);
    mem_free(values);
    return rc;
}

int bootstrap_run(struct bootstrap *out, const struct bootstrap_options *options, size_t clusters, size_t values,
                  bootstrap_fn *fn, void *arg, struct pool *pool)
{
    *out = (struct bootstrap){.clusters = clusters, .values = values, .resamples = options->resamples};
    if (!clusters || !values) {
        return 0;
    }
    if (clusters > UINT32_MAX) {
        return err_set(RECO_E_DATA, "cannot resample %zu clusters: over 2^32", clusters);
    }
    if (options->method == BOOTSTRAP_BCA && clusters > 1) {
        out->groups = clusters < options->groups ? clusters : options->groups;
    }
    out->replicates = mem_realloc_array(NULL, values * options->resamples + 1, sizeof *out->replicates);
    out->jackknife = mem_realloc_array(NULL, values * out->groups + 1, sizeof *out->jackknife);
    struct run run = {.b = out,
                      .options = options,
                      .at_once = clusters > TASK_CLUSTERS_LARGE ? TASK_RESAMPLES_LARGE : TASK_RESAMPLES,
                      .fn = fn,
                      .arg = arg};
    run.blocks = (options->resamples + run.at_once - 1) / run.at_once;
    size_t jackknife_blocks = (out->groups + run.at_once - 1) / run.at_once;
    int rc = out->replicates && out->jackknife ? pool_run(pool, run.blocks + jackknife_blocks, run_block, &run)
                                               : RECO_E_NOMEM;
    if (rc) {
        bootstrap_release(out);
    }
    return rc;
}

/* ---- intervals ---- */

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static size_t drop_undefined(double *values, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(values[i])) {
            values[kept++] = values[i];
        }
    }
    return kept;
}

/* Quantile of sorted values, linear between them: numpy's default, type 7 of Hyndman and Fan 1996. */
static double quantile(const double *sorted, size_t count, double at)
{
    double place = at * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count) {
        return sorted[count - 1];
    }
    double frac = place - (double)below;
    double step = sorted[below + 1] - sorted[below];
    return frac < 0.5 ? sorted[below] + step * frac : sorted[below + 1] - step * (1 - frac);
}

/* Efron 1987, eq. 6.6, from jackknife values. 0 when they are all the same. */
static double acceleration(const double *jackknife, size_t groups)
{
    double mean = 0;
    double squares = 0;
    double cubes = 0;
    for (size_t i = 0; i < groups; i++) {
        mean += jackknife[i];
    }
    mean /= (double)groups;
    for (size_t i = 0; i < groups; i++) {
        double d = mean - jackknife[i];
        squares += d * d;
        cubes += d * d * d;
    }
    return squares > 0 ? cubes / (6 * squares * sqrt(squares)) : 0;
}

/* The quantiles of the BCa interval; false where the bias cannot be told. Sources: Efron 1987; ties as scipy. */
static bool corrected(const double *replicates, size_t count, const double *jackknife, size_t groups, double estimate,
                      double alpha, double *low, double *high)
{
    double same = SAME_SHARE * fabs(estimate);
    size_t below = 0;
    size_t not_above = 0;
    for (size_t i = 0; i < count; i++) {
        below += replicates[i] < estimate - same;
        not_above += replicates[i] <= estimate + same;
    }
    double share = (double)(below + not_above) / (2 * (double)count);
    if (!(share > 0 && share < 1) || groups < 2) {
        return false;
    }
    double bias = normal_quantile(share);
    double a = acceleration(jackknife, groups);
    double z_low = bias + normal_quantile(alpha);
    double z_high = bias - normal_quantile(alpha);
    *low = normal_cdf(bias + z_low / (1 - a * z_low));
    *high = normal_cdf(bias + z_high / (1 - a * z_high));
    return isfinite(*low) && isfinite(*high);
}

void bootstrap_interval_of(struct interval *out, double *replicates, size_t count, double *jackknife, size_t groups,
                           const struct bootstrap_options *options, double estimate)
{
    *out = (struct interval){.low = NAN, .high = NAN, .se = NAN};
    size_t kept = drop_undefined(replicates, count);
    out->undefined = count - kept;
    if (isnan(estimate)) {
        out->reason = "the value is undefined";
    } else if (kept < 2) {
        out->reason = "no resample has a value";
    } else if ((double)out->undefined > UNDEFINED_MAX_FRAC * (double)count) {
        out->reason = "undefined in more than one resample in twenty";
    }
    if (out->reason) {
        return;
    }
    double alpha = (1 - options->level) / 2;
    double low = alpha;
    double high = 1 - alpha;
    if (options->method == BOOTSTRAP_BCA) {
        groups = drop_undefined(jackknife, groups);
        (void)corrected(replicates, kept, jackknife, groups, estimate, alpha, &low, &high);
    }
    double mean = 0;
    double squares = 0;
    for (size_t i = 0; i < kept; i++) {
        double d = replicates[i] - mean;
        mean += d / (double)(i + 1);
        squares += d * (replicates[i] - mean);
    }
    out->se = sqrt(squares / (double)(kept - 1));
    qsort(replicates, kept, sizeof *replicates, compare_doubles);
    out->low = quantile(replicates, kept, low);
    out->high = quantile(replicates, kept, high);
}

void jackknife_interval(struct interval *out, const struct bootstrap *b, const struct bootstrap_options *options,
                        size_t value_a, size_t value_b, double estimate)
{
    double groups = (double)b->groups;
    double mean = 0;
    double squares = 0;
    *out = (struct interval){.low = NAN, .high = NAN, .se = NAN, .jackknife = true};
    for (size_t i = 0; i < b->groups; i++) {
        double from = value_a == SIZE_MAX ? 0 : b->jackknife[value_a * b->groups + i];
        double d = b->jackknife[value_b * b->groups + i] - from - mean;
        mean += d / (double)(i + 1);
        squares += d * d * (double)i / (double)(i + 1);
    }
    if (isnan(estimate)) {
        out->reason = "the value is undefined";
    } else if (b->groups < 2 || isnan(squares)) {
        out->reason = "it is undefined without some of the units";
    } else {
        out->se = sqrt((groups - 1) / groups * squares);
        double t = student_quantile_two_sided(1 - options->level, groups - 1);
        out->low = estimate - t * out->se;
        out->high = estimate + t * out->se;
    }
}

/* value_a SIZE_MAX: value_b alone. */
static int interval_between(struct interval *out, const struct bootstrap *b, const struct bootstrap_options *options,
                            size_t value_a, size_t value_b, double estimate)
{
    double *memory = mem_realloc_array(NULL, b->resamples + b->groups + 1, sizeof *memory);
    if (!memory) {
        return RECO_E_NOMEM;
    }
    double *jackknife = memory + b->resamples;
    for (size_t i = 0; i < b->resamples; i++) {
        double from = value_a == SIZE_MAX ? 0 : b->replicates[value_a * b->resamples + i];
        memory[i] = b->replicates[value_b * b->resamples + i] - from;
    }
    for (size_t i = 0; i < b->groups; i++) {
        double from = value_a == SIZE_MAX ? 0 : b->jackknife[value_a * b->groups + i];
        jackknife[i] = b->jackknife[value_b * b->groups + i] - from;
    }
    bootstrap_interval_of(out, memory, b->resamples, jackknife, b->groups, options, estimate);
    mem_free(memory);
    return 0;
}

int bootstrap_interval(struct interval *out, const struct bootstrap *b, const struct bootstrap_options *options,
                       size_t value, double estimate)
{
    return interval_between(out, b, options, SIZE_MAX, value, estimate);
}

int bootstrap_interval_between(struct interval *out, const struct bootstrap *b, const struct bootstrap_options *options,
                               size_t value_a, size_t value_b, double estimate)
{
    return interval_between(out, b, options, value_a, value_b, estimate);
}
