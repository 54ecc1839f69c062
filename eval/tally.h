#ifndef RECO_EVAL_TALLY_H
#define RECO_EVAL_TALLY_H

/*
 * Private to eval/: what is summed over rows, as one array of doubles, so that the sums of parts add up to those of the
 * whole: metric sums, support, confusion matrix, bins of confidence, numerator and denominator of each behaviour
 * figure.
 */

#include "core/pool.h"
#include "eval/report.h"

struct tally {
    const struct predictions *p;
    struct metric_filter filter;
    size_t classes;
    /* Of all rows of a regression, for its centred sums: means, and powers of two that bring the numbers near 1, so
     * that no square of them overflows or vanishes. */
    double mean_value, mean_target, scale_value, scale_target;
    const struct eval_value *const *rates; /* [rate_count] behaviour figures that are ratios of sums */
    size_t rate_count;
    size_t support, confusion, bins, rate_at, length; /* places in the array; confusion, bins: 0 where there is none */
};

/* rates: allocated here from the report's values. Reads the rows of a regression once for the means. */
int tally_init(struct tally *tally, const struct eval_report *report) RECO_MUST_CHECK;
void tally_release(struct tally *tally);

/* What a row adds: at most tally_entries_max entries; returns their number. */
struct tally_entry {
    size_t at;
    double value;
};
size_t tally_entries_max(const struct tally *tally);
size_t tally_entries(const struct tally *tally, size_t row, struct tally_entry *entries);

/* sums [length] of all rows, on the pool (NULL: this thread); the same for any number of threads. */
int tally_run(const struct tally *tally, double *sums, struct pool *pool) RECO_MUST_CHECK;

/* Points data at sums; predicted [classes] is filled from the confusion matrix. */
void tally_bind(const struct tally *tally, const double *sums, double *predicted, struct metric_data *data);

/* Of rate i: numerator / denominator; NaN where that is 0. */
double tally_rate(const struct tally *tally, const double *sums, size_t i);

/* The events of a row. */
void event_of_row(struct metric_event *event, const struct predictions *p, size_t row);
/*
 * What a row adds to a behaviour figure that applies and is no mean over lists: event is the row's. False: nothing, as
 * it lies too deep or has no propensity.
 */
bool tally_rate_of_row(const struct eval_value *v, const struct predictions *p, size_t row,
                       const struct metric_event *event, double *numerator, double *denominator);

/* Source of the summation: Neumaier 1974; the order of the parts then changes nothing that is printed. */
struct tally_sum {
    double sum, lost;
};
static inline void tally_add(struct tally_sum *s, double value)
{
    double sum = s->sum + value;
    if (isfinite(sum)) {
        s->lost += fabs(s->sum) >= fabs(value) ? (s->sum - sum) + value : (value - sum) + s->sum;
    }
    s->sum = sum;
}
static inline double tally_total(const struct tally_sum *s)
{
    return s->sum + s->lost;
}

#endif
