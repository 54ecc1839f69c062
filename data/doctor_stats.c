#include "data/doctor_stats.h"

#include <float.h>
#include <math.h>

/* ---- lengths ---- */

enum { FIRST_POWER = 11, PARTS_BITS = 6 }; /* 2^11 is DOCTOR_EXACT_LENGTHS */

static size_t bucket_of(uint64_t length)
{
    if (length < DOCTOR_EXACT_LENGTHS)
        return (size_t)length;
    int power = 63 - __builtin_clzll(length);
    size_t part = (size_t)(length >> (power - PARTS_BITS)) & ((1u << PARTS_BITS) - 1);
    size_t bucket = DOCTOR_EXACT_LENGTHS + ((size_t)(power - FIRST_POWER) << PARTS_BITS) + part;
    return bucket < DOCTOR_LENGTH_BUCKETS ? bucket : DOCTOR_LENGTH_BUCKETS - 1;
}

uint64_t doctor_lengths_bucket_start(size_t bucket)
{
    if (bucket < DOCTOR_EXACT_LENGTHS)
        return bucket;
    size_t power = ((bucket - DOCTOR_EXACT_LENGTHS) >> PARTS_BITS) + FIRST_POWER;
    uint64_t part = (bucket - DOCTOR_EXACT_LENGTHS) & ((1u << PARTS_BITS) - 1);
    return (UINT64_C(1) << power) + (part << (power - PARTS_BITS));
}

void doctor_lengths_add(struct doctor_lengths *lengths, uint64_t length)
{
    lengths->buckets[bucket_of(length)]++;
    lengths->count++;
    lengths->total += length;
    if (length > lengths->longest)
        lengths->longest = length;
}

void doctor_lengths_merge(struct doctor_lengths *into, const struct doctor_lengths *from)
{
    for (size_t i = 0; i < DOCTOR_LENGTH_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    into->count += from->count;
    into->total += from->total;
    if (from->longest > into->longest)
        into->longest = from->longest;
}

uint64_t doctor_lengths_quantile(const struct doctor_lengths *lengths, double share)
{
    uint64_t seen = 0, rank = (uint64_t)ceil(share * (double)lengths->count * (1.0 - 1e-12));

    if (lengths->count == 0)
        return 0;
    if (rank < 1)
        rank = 1;
    if (rank >= lengths->count)
        return lengths->longest;
    for (size_t i = 0; i < DOCTOR_LENGTH_BUCKETS; i++) {
        seen += lengths->buckets[i];
        if (seen >= rank)
            return doctor_lengths_bucket_start(i);
    }
    return lengths->longest;
}

/* ---- distinct values ---- */

void doctor_distinct_add(_Atomic uint8_t *registers, uint64_t hash)
{
    _Atomic uint8_t *slot = &registers[hash >> 52];
    uint8_t rank = (uint8_t)(__builtin_clzll(hash << 12 | 1u << 11) + 1);
    uint8_t old = atomic_load_explicit(slot, memory_order_relaxed);

    while (rank > old &&
           !atomic_compare_exchange_weak_explicit(slot, &old, rank, memory_order_relaxed, memory_order_relaxed))
        ;
}

double doctor_distinct_estimate(const _Atomic uint8_t *registers)
{
    const double m = DOCTOR_REGISTERS;
    double sum = 0.0;
    size_t empty = 0;

    for (size_t i = 0; i < DOCTOR_REGISTERS; i++) {
        uint8_t rank = atomic_load_explicit(&registers[i], memory_order_relaxed);
        sum += ldexp(1.0, -rank);
        empty += rank == 0;
    }
    double estimate = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
    return estimate <= 2.5 * m && empty > 0 ? m * log(m / (double)empty) : estimate;
}

/* ---- drift ---- */

enum { ITERATIONS = 500 };

/* P(a, x) by its series, for x < a + 1. */
static double gamma_series(double a, double x)
{
    double term = 1.0 / a, sum = term;

    for (int i = 1; i < ITERATIONS && fabs(term) > fabs(sum) * DBL_EPSILON; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum * exp(-x + a * log(x) - lgamma(a));
}

/* Q(a, x) by its continued fraction (modified Lentz), for x >= a + 1. */
static double gamma_fraction(double a, double x)
{
    const double tiny = DBL_MIN / DBL_EPSILON;
    double b = x + 1.0 - a, c = 1.0 / tiny, d = 1.0 / b, h = d;

    for (int i = 1; i < ITERATIONS; i++) {
        double an = -i * (i - a);
        b += 2.0;
        d = an * d + b;
        d = fabs(d) < tiny ? tiny : d;
        c = b + an / c;
        c = fabs(c) < tiny ? tiny : c;
        d = 1.0 / d;
        h *= d * c;
        if (fabs(d * c - 1.0) < DBL_EPSILON)
            break;
    }
    return exp(-x + a * log(x) - lgamma(a)) * h;
}

double doctor_chi_square_tail(double x, double degrees)
{
    double a = degrees / 2.0;

    x /= 2.0;
    if (x <= 0.0 || a <= 0.0)
        return 1.0;
    return x < a + 1.0 ? 1.0 - gamma_series(a, x) : gamma_fraction(a, x);
}

void doctor_drift(struct doctor_drift *out, const uint64_t *left, const uint64_t *right, size_t classes)
{
    double n = 0.0, m = 0.0, distance = 0.0, chi = 0.0;
    size_t used = 0;

    *out = (struct doctor_drift){.p = 1.0};
    for (size_t i = 0; i < classes; i++) {
        n += (double)left[i];
        m += (double)right[i];
    }
    if (n <= 0.0 || m <= 0.0)
        return;
    for (size_t i = 0; i < classes; i++) {
        double l = (double)left[i], r = (double)right[i];
        distance += fabs(l / n - r / m);
        if (l + r > 0.0) {
            double difference = l * sqrt(m / n) - r * sqrt(n / m);
            chi += difference * difference / (l + r);
            used++;
        }
    }
    out->total_variation = distance / 2.0;
    out->chi_square = chi;
    out->degrees = used > 0 ? used - 1 : 0;
    out->p = used > 1 ? doctor_chi_square_tail(chi, (double)out->degrees) : 1.0;
}
