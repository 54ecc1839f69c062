#include "eval/paired.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/rng.h"
#include "core/stop.h"
#include "eval/paired_distribution.h"

/* Sums of the same differences in another order differ by rounding; those within this share are equal. */
#define SAME_SHARE 1e-12
enum { SAMPLES_A_TASK = 64 };

static double absolute_sum(const double *difference, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += fabs(difference[i]);
    }
    return sum;
}

static double sum_of(const double *difference, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += difference[i];
    }
    return sum;
}

/* ---- randomisation ---- */

/* Signs in the order of a Gray code, so that each differs from the one before in one place. Half of them is enough: the
 * other half has the opposite sums. */
static double exact_randomisation(const double *difference, size_t count, double bound)
{
    double sum = sum_of(difference, count);
    double sign[PAIRED_EXACT_RANDOMISATION];
    for (size_t i = 0; i < count; i++) {
        sign[i] = 1;
    }
    uint64_t total = 1ull << (count - 1);
    uint64_t extreme = 0;
    for (uint64_t step = 0;;) {
        extreme += fabs(sum) >= bound;
        if (++step == total) {
            return (double)extreme / (double)total;
        }
        int place = __builtin_ctzll(step);
        sum -= 2 * sign[place] * difference[place];
        sign[place] = -sign[place];
    }
}

void paired_signs(uint32_t *bits, size_t count, uint64_t seed, size_t sample)
{
    struct rng r;
    rng_init(&r, seed, RNG_STREAM_RANDOMISATION, (uint32_t)sample);
    for (size_t i = 0; i < (count + 31) / 32; i++) {
        bits[i] = rng_next_u32(&r);
    }
}

struct sampled {
    const double *difference;
    size_t count, samples;
    uint64_t seed;
    double bound;
    size_t *extreme; /* [tasks] */
};

static int sample_task(void *arg, size_t task)
{
    struct sampled *s = arg;
    if (stop_requested()) {
        return err_set(RECO_E_STOPPED, "stopped in the randomisation test");
    }
    uint32_t *bits = mem_realloc_array(NULL, (s->count + 31) / 32, sizeof *bits);
    if (!bits) {
        return RECO_E_NOMEM;
    }
    size_t extreme = 0;
    size_t first = task * SAMPLES_A_TASK;
    for (size_t sample = first; sample < first + SAMPLES_A_TASK && sample < s->samples; sample++) {
        paired_signs(bits, s->count, s->seed, sample);
        double sum = 0;
        for (size_t i = 0; i < s->count; i++) {
            const double both[2] = {s->difference[i], -s->difference[i]};
            sum += both[bits[i / 32] >> (i % 32) & 1];
        }
        extreme += fabs(sum) >= s->bound;
    }
    s->extreme[task] = extreme;
    mem_free(bits);
    return 0;
}

static int sampled_randomisation(double *p, const double *difference, size_t count, double bound, size_t samples,
                                 uint64_t seed, struct pool *pool)
{
    size_t tasks = (samples + SAMPLES_A_TASK - 1) / SAMPLES_A_TASK;
    struct sampled s = {difference, count, samples, seed, bound, mem_calloc(tasks + 1, sizeof *s.extreme)};
    if (!s.extreme) {
        return RECO_E_NOMEM;
    }
    int rc = pool_run(pool, tasks, sample_task, &s);
    size_t extreme = 0;
    for (size_t i = 0; i < tasks; i++) {
        extreme += s.extreme[i];
    }
    *p = (1 + (double)extreme) / (1 + (double)samples);
    mem_free(s.extreme);
    return rc;
}

int paired_randomisation(struct paired_test *out, const double *difference, size_t count, size_t samples, uint64_t seed,
                         struct pool *pool)
{
    *out = (struct paired_test){.p = NAN, .statistic = NAN};
    if (!count) {
        out->reason = "there is no pair";
        return 0;
    }
    double sum = sum_of(difference, count);
    out->statistic = sum / (double)count;
    double bound = fabs(sum) - SAME_SHARE * absolute_sum(difference, count);
    double *moving = mem_realloc_array(NULL, count, sizeof *moving);
    if (!moving) {
        return RECO_E_NOMEM;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (difference[i] != 0) {
            moving[kept++] = difference[i];
        }
    }
    int rc = 0;
    out->exact = kept <= PAIRED_EXACT_RANDOMISATION;
    if (!kept) {
        out->p = 1;
    } else if (out->exact) {
        out->p = exact_randomisation(moving, kept, bound);
    } else {
        rc = sampled_randomisation(&out->p, moving, kept, bound, samples, seed, pool);
    }
    mem_free(moving);
    return rc;
}

/* ---- t ---- */

void paired_t(struct paired_test *out, const double *difference, size_t count)
{
    struct paired_summary s;
    *out = (struct paired_test){.p = NAN, .statistic = NAN, .exact = true};
    paired_summarise(&s, difference, count, 1);
    if (count < 2) {
        out->reason = "fewer than two pairs";
    } else if (!(s.sd > 0)) {
        out->reason = "all differences are the same";
    } else {
        out->statistic = s.mean / (s.sd / sqrt((double)count));
        out->p = student_two_sided(out->statistic, (double)count - 1);
    }
}

/* ---- Wilcoxon ---- */

static int compare_magnitudes(const void *left, const void *right)
{
    double a = fabs(*(const double *)left);
    double b = fabs(*(const double *)right);
    return a < b ? -1 : a > b;
}

/* Two-sided p of the sum of positive doubled ranks, whole numbers, over all signs. doubled [count] */
static int exact_wilcoxon(double *p, const uint32_t *doubled, size_t count, uint32_t positive)
{
    size_t total = count * (count + 1); /* the sum of all doubled ranks, with ties too */
    double *ways = mem_calloc(total + 1, sizeof *ways);
    if (!ways) {
        return RECO_E_NOMEM;
    }
    ways[0] = 1;
    size_t reach = 0;
    for (size_t i = 0; i < count; i++) {
        reach += doubled[i];
        for (size_t sum = reach; sum >= doubled[i]; sum--) {
            ways[sum] += ways[sum - doubled[i]];
        }
    }
    double below = 0;
    double above = 0;
    for (size_t sum = 0; sum <= total; sum++) {
        below += sum <= positive ? ways[sum] : 0;
        above += sum >= positive ? ways[sum] : 0;
    }
    *p = fmin(1, 2 * fmin(below, above) * exp2(-(double)count));
    mem_free(ways);
    return 0;
}

int paired_wilcoxon(struct paired_test *out, const double *difference, size_t count)
{
    *out = (struct paired_test){.p = NAN, .statistic = NAN};
    double *sorted = mem_realloc_array(NULL, count + 1, sizeof *sorted);
    uint32_t doubled[PAIRED_EXACT_WILCOXON] = {0};
    if (!sorted) {
        return RECO_E_NOMEM;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (difference[i] != 0) {
            sorted[kept++] = difference[i];
        }
    }
    if (!kept) {
        out->reason = "all differences are 0";
        mem_free(sorted);
        return 0;
    }
    qsort(sorted, kept, sizeof *sorted, compare_magnitudes);
    double positive = 0;
    double ties = 0;
    for (size_t i = 0; i < kept;) {
        size_t end = i;
        for (; end < kept && fabs(sorted[end]) == fabs(sorted[i]); end++) {
        }
        double tied = (double)(end - i);
        double twice_rank = (double)(i + 1 + end);
        ties += tied * tied * tied - tied;
        for (; i < end; i++) {
            positive += sorted[i] > 0 ? twice_rank / 2 : 0;
            if (kept <= PAIRED_EXACT_WILCOXON) {
                doubled[i] = (uint32_t)twice_rank;
            }
        }
    }
    mem_free(sorted);
    out->statistic = positive;
    out->exact = kept <= PAIRED_EXACT_WILCOXON;
    if (out->exact) {
        return exact_wilcoxon(&out->p, doubled, kept, (uint32_t)(2 * positive));
    }
    double n = (double)kept;
    double variance = (n * (n + 1) * (2 * n + 1) - ties / 2) / 24;
    double z = (positive - n * (n + 1) / 4) / sqrt(variance);
    out->p = 2 * normal_cdf(-fabs(z));
    return 0;
}

/* ---- bootstrap, many tests, size ---- */

void paired_bootstrap(struct paired_test *out, const double *replicates, size_t count, double observed)
{
    *out = (struct paired_test){.p = NAN, .statistic = observed};
    size_t kept = 0;
    size_t extreme = 0;
    double bound = fabs(observed) * (1 - SAME_SHARE);
    for (size_t i = 0; i < count; i++) {
        kept += !isnan(replicates[i]);
        extreme += fabs(replicates[i] - observed) >= bound;
    }
    if (!kept) {
        out->reason = "no resample has a value";
        return;
    }
    out->p = (1 + (double)extreme) / (1 + (double)kept);
}

struct ordered {
    double p;
    size_t place;
};

static int compare_ordered(const void *left, const void *right)
{
    const struct ordered *a = left;
    const struct ordered *b = right;
    return a->p < b->p ? -1 : a->p > b->p ? 1 : a->place < b->place ? -1 : a->place > b->place;
}

int paired_holm(double *p, double *share, size_t count)
{
    struct ordered *order = mem_realloc_array(NULL, count + 1, sizeof *order);
    if (!order) {
        return RECO_E_NOMEM;
    }
    size_t tests = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(p[i])) {
            order[tests++] = (struct ordered){p[i], i};
        }
        if (share) {
            share[i] = NAN;
        }
    }
    qsort(order, tests, sizeof *order, compare_ordered);
    double reached = 0;
    for (size_t i = 0; i < tests; i++) {
        reached = fmax(reached, fmin(1, (double)(tests - i) * order[i].p));
        p[order[i].place] = reached;
        if (share) {
            share[order[i].place] = 1 / (double)(tests - i);
        }
    }
    mem_free(order);
    return 0;
}

void paired_summarise(struct paired_summary *out, const double *difference, size_t count, int direction)
{
    *out = (struct paired_summary){.count = count, .mean = NAN, .sd = NAN, .effect = NAN};
    double magnitude = absolute_sum(difference, count);
    for (size_t i = 0; i < count; i++) {
        double better = direction < 0 ? -difference[i] : difference[i];
        out->wins += better > 0;
        out->losses += better < 0;
        out->ties += better == 0;
    }
    if (count) {
        out->mean = sum_of(difference, count) / (double)count;
    }
    if (count > 1) {
        double squares = 0;
        for (size_t i = 0; i < count; i++) {
            squares += (difference[i] - out->mean) * (difference[i] - out->mean);
        }
        out->sd = sqrt(squares / (double)(count - 1));
        /* what rounding alone leaves of equal differences is no spread */
        if (out->sd <= SAME_SHARE * magnitude / (double)count) {
            out->sd = 0;
        }
        out->effect = out->sd > 0 ? out->mean / out->sd : NAN;
    }
}

double paired_queries_needed(double mean, double sd, double alpha, double power)
{
    double z = normal_quantile(1 - alpha / 2);
    double root = (z + normal_quantile(power)) * sd / fabs(mean);
    return mean == 0 ? INFINITY : root * root + z * z / 2;
}
