#ifndef RECO_DATA_DOCTOR_STATS_H
#define RECO_DATA_DOCTOR_STATS_H

/* Figures in bounded memory that can be added up from many threads. Private to doctor*.c. */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Lengths: exact below 2048, above it in buckets of 1/64 of a power of two; the largest is exact.
 * Source of the layout: HdrHistogram.
 */
enum { DOCTOR_EXACT_LENGTHS = 2048, DOCTOR_LENGTH_BUCKETS = DOCTOR_EXACT_LENGTHS + (40 - 11) * 64 };
struct doctor_lengths {
    uint64_t buckets[DOCTOR_LENGTH_BUCKETS];
    uint64_t count, total, longest;
};
void doctor_lengths_add(struct doctor_lengths *lengths, uint64_t length);
void doctor_lengths_merge(struct doctor_lengths *into, const struct doctor_lengths *from);
/* The smallest length that at least share of all do not exceed (the lower end of its bucket); 0 when there are none. */
uint64_t doctor_lengths_quantile(const struct doctor_lengths *lengths, double share);
uint64_t doctor_lengths_bucket_start(size_t bucket);

/*
 * Distinct values by HyperLogLog, 4096 registers (standard error 1.6 %; few values: linear counting).
 * Source: Flajolet et al. 2007; ranges as in its figure 3. Many threads may add at the same time.
 */
enum { DOCTOR_REGISTERS = 4096 };
void doctor_distinct_add(_Atomic uint8_t *registers, uint64_t hash);
double doctor_distinct_estimate(const _Atomic uint8_t *registers);

/*
 * Two distributions over classes: total variation distance in [0, 1], and p of Pearson's chi-square test that both
 * come from one distribution (1 when it cannot be asked).
 */
struct doctor_drift {
    double total_variation, chi_square, p;
    size_t degrees;
};
void doctor_drift(struct doctor_drift *out, const uint64_t *left, const uint64_t *right, size_t classes);

/* Upper tail of the chi-square distribution.     Source: Numerical Recipes 6.2, incomplete gamma function Q(k/2, x/2).
 */
double doctor_chi_square_tail(double x, double degrees);

#endif
