#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "eval/calibrate_internal.h"

#define GRADIENT_SMALL 1e-14
enum { NEWTON_STEPS = 200 };

double calibrate_logit(double p)
{
    double yes = p > CALIBRATE_P_MIN ? p : CALIBRATE_P_MIN;
    double no = 1 - p > CALIBRATE_P_MIN ? 1 - p : CALIBRATE_P_MIN;
    return log(yes) - log(no);
}

/* ---- temperature ---- */

/* First and second derivative of the mean negative log likelihood by the inverse temperature; it is convex. */
static void temperature_slopes(double beta, const double *z, const int32_t *label, size_t rows, size_t classes,
                               double *first, double *second)
{
    *first = *second = 0;
    for (size_t row = 0; row < rows; row++) {
        const double *zr = z + row * classes;
        double top = zr[0];
        for (size_t c = 1; c < classes; c++) {
            top = fmax(top, zr[c]);
        }
        double sum = 0;
        double mean = 0;
        double square = 0;
        for (size_t c = 0; c < classes; c++) {
            double d = zr[c] - top;
            double e = exp(beta * d);
            sum += e;
            mean += e * d;
            square += e * d * d;
        }
        mean /= sum;
        *first += mean - (zr[label[row]] - top);
        *second += square / sum - mean * mean;
    }
    *first /= (double)rows;
    *second /= (double)rows;
}

/* Newton's method inside a bracket that shrinks. */
double calibrate_fit_inverse_temperature(const double *z, const int32_t *label, size_t rows, size_t classes)
{
    double low = CALIBRATE_INVERSE_MIN;
    double high = CALIBRATE_INVERSE_MAX;
    double beta = 1;
    for (int step = 0; step < NEWTON_STEPS; step++) {
        double first;
        double second;
        temperature_slopes(beta, z, label, rows, classes, &first, &second);
        if (!(fabs(first) > 0) && !(second > 0)) {
            return beta; /* flat: nothing to be learnt */
        }
        if (first > 0) {
            high = beta;
        } else {
            low = beta;
        }
        double next = second > 0 ? beta - first / second : NAN;
        if (!(next > low && next < high)) {
            next = sqrt(low * high);
        }
        if (fabs(next - beta) <= 1e-15 * beta) {
            return next;
        }
        beta = next;
    }
    return beta;
}

/* ---- Platt ---- */

struct platt {
    const double *f;
    const bool *yes;
    size_t rows;
    double target[2];
};

/* t log(1 + e^u) + (1 - t) log(1 + e^-u) for p = 1 / (1 + e^u), without overflow */
static double platt_loss(const struct platt *s, double a, double b)
{
    double sum = 0;
    for (size_t i = 0; i < s->rows; i++) {
        double u = a * s->f[i] + b;
        double t = s->target[s->yes[i]];
        sum += u >= 0 ? t * u + log1p(exp(-u)) : (t - 1) * u + log1p(exp(u));
    }
    return sum;
}

/* Source: Lin, Lin and Weng 2007, "A note on Platt's probabilistic outputs", with a line search that halves. */
void calibrate_fit_platt(const double *f, const bool *yes, size_t rows, double *a_out, double *b_out)
{
    double positives = 0;
    for (size_t i = 0; i < rows; i++) {
        positives += yes[i];
    }
    double negatives = (double)rows - positives;
    struct platt s = {f, yes, rows, {1 / (negatives + 2), (positives + 1) / (positives + 2)}};
    double a = 0;
    double b = log((negatives + 1) / (positives + 1));
    double loss = platt_loss(&s, a, b);
    for (int step = 0; step < NEWTON_STEPS; step++) {
        double ga = 0;
        double gb = 0;
        double haa = 1e-12;
        double hbb = 1e-12;
        double hab = 0;
        for (size_t i = 0; i < rows; i++) {
            double u = a * f[i] + b;
            double p = u >= 0 ? exp(-u) / (1 + exp(-u)) : 1 / (1 + exp(u));
            double d = s.target[yes[i]] - p;
            double w = p * (1 - p);
            ga += f[i] * d;
            gb += d;
            haa += f[i] * f[i] * w;
            hbb += w;
            hab += f[i] * w;
        }
        if (fabs(ga) < GRADIENT_SMALL * (double)rows && fabs(gb) < GRADIENT_SMALL * (double)rows) {
            break;
        }
        double det = haa * hbb - hab * hab;
        double da = -(hbb * ga - hab * gb) / det;
        double db = -(haa * gb - hab * ga) / det;
        double size = 1;
        for (; size >= 1e-10; size /= 2) {
            double there = platt_loss(&s, a + size * da, b + size * db);
            if (there <= loss) {
                loss = there;
                break;
            }
        }
        if (size < 1e-10) {
            break;
        }
        a += size * da;
        b += size * db;
        if (fabs(size * da) <= 1e-15 * fabs(a) && fabs(size * db) <= 1e-15 * fabs(b)) {
            break;
        }
    }
    *a_out = a;
    *b_out = b;
}

/* ---- isotonic ---- */

struct block {
    double first, last; /* of x */
    double weight, y;   /* rows and their mean */
};

struct point {
    double x;
    bool yes;
};

static int compare_points(const void *left, const void *right)
{
    double a = ((const struct point *)left)->x;
    double b = ((const struct point *)right)->x;
    return a < b ? -1 : a > b;
}

/* Blocks of rows with one mean, ascending; rows of equal x are one from the start. Returns how many. */
static size_t pool_violators(struct block *blocks, const struct point *points, size_t rows)
{
    size_t count = 0;
    for (size_t i = 0; i < rows;) {
        struct block now = {points[i].x, points[i].x, 0, 0};
        double hits = 0;
        for (; i < rows && points[i].x == now.first; i++) {
            now.weight++;
            hits += points[i].yes;
        }
        now.y = hits / now.weight;
        while (count && blocks[count - 1].y >= now.y) {
            const struct block *before = &blocks[--count];
            double weight = before->weight + now.weight;
            now.y = (before->y * before->weight + now.y * now.weight) / weight;
            now.weight = weight;
            now.first = before->first;
        }
        blocks[count++] = now;
    }
    return count;
}

int calibrate_fit_isotonic(struct calibrate_knots *knots, const double *x, const bool *yes, size_t rows)
{
    struct point *points = mem_realloc_array(NULL, rows + 1, sizeof *points);
    struct block *blocks = mem_realloc_array(NULL, rows + 1, sizeof *blocks);
    int rc = points && blocks ? 0 : RECO_E_NOMEM;
    size_t count = 0;
    if (!rc) {
        for (size_t i = 0; i < rows; i++) {
            points[i] = (struct point){x[i], yes[i]};
        }
        qsort(points, rows, sizeof *points, compare_points);
        count = pool_violators(blocks, points, rows);
        knots->x = mem_realloc_array(NULL, 2 * count + 1, sizeof *knots->x);
        knots->y = mem_realloc_array(NULL, 2 * count + 1, sizeof *knots->y);
        rc = knots->x && knots->y ? 0 : RECO_E_NOMEM;
    }
    for (size_t i = 0; !rc && i < count; i++) {
        for (int end = 0; end < 1 + (blocks[i].last > blocks[i].first); end++) {
            knots->x[knots->count] = end ? blocks[i].last : blocks[i].first;
            knots->y[knots->count++] = blocks[i].y;
        }
    }
    mem_free(points);
    mem_free(blocks);
    return rc;
}

double calibrate_knots_at(const struct calibrate_knots *knots, double x)
{
    if (x <= knots->x[0]) {
        return knots->y[0];
    }
    if (x >= knots->x[knots->count - 1]) {
        return knots->y[knots->count - 1];
    }
    size_t low = 0;
    size_t high = knots->count - 1;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (knots->x[middle] <= x) {
            low = middle;
        } else {
            high = middle;
        }
    }
    double share = (x - knots->x[low]) / (knots->x[high] - knots->x[low]);
    return knots->y[low] + share * (knots->y[high] - knots->y[low]);
}
