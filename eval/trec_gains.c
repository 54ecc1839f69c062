/* The measures of trec_eval that weigh documents by the gain of their grade. */

#include <math.h>
#include <pthread.h>

#include "eval/trec_internal.h"

#define RBP_PERSISTENCE 0.9

#define DISCOUNTS 4096

static double discounts[DISCOUNTS];
static pthread_once_t discounts_once = PTHREAD_ONCE_INIT;

static void discounts_make(void)
{
    for (size_t rank = 0; rank < DISCOUNTS; rank++) {
        discounts[rank] = log2((double)rank + 2);
    }
}

void trec_gains_init(void)
{
    pthread_once(&discounts_once, discounts_make);
}

static double discount(size_t rank) /* from 0 */
{
    return rank < DISCOUNTS ? discounts[rank] : log2((double)rank + 2);
}

/* Gains: parameters first, else the grade itself; 0 for what is not judged. True: by a parameter. */
static bool find_gain(const struct trec_request *r, long grade, double *gain)
{
    for (size_t i = 0; r->gains && i < r->count; i++) {
        if (r->gains[i].grade == grade) {
            *gain = r->gains[i].gain;
            return true;
        }
    }
    *gain = grade > 0 ? (double)grade : 0;
    return false;
}

static double gain_of(const struct trec_request *r, long grade)
{
    double gain;
    (void)find_gain(r, grade, &gain);
    return gain;
}

/*
 * The positive gains of the judged items, best first, as runs of equal gain: calls in the order of gain. Returns false
 * at the end. Zero-initialise and set view and request.
 */
struct ideal {
    const struct trec_view *view;
    const struct trec_request *request;
    double gain;  /* of the run */
    size_t count; /* items in the run */
};

static bool next_gain(struct ideal *ideal)
{
    bool first = !ideal->count;
    double below = ideal->gain;
    ideal->gain = 0;
    ideal->count = 0;
    for (size_t grade = 0; grade < ideal->view->grades; grade++) {
        double gain = gain_of(ideal->request, (long)grade);
        size_t count = ideal->view->at_grade[grade];
        if (!count || gain <= 0 || (!first && gain >= below)) {
            continue;
        }
        if (gain > ideal->gain) {
            ideal->gain = gain;
            ideal->count = count;
        } else if (gain == ideal->gain) {
            ideal->count += count;
        }
    }
    return ideal->count > 0;
}

/* Sum of the gains of the first depth judged items at their best, discounted. */
static double ideal_dcg(const struct trec_view *v, const struct trec_request *r, size_t depth)
{
    struct ideal ideal = {.view = v, .request = r};
    double sum = 0;
    for (size_t rank = 0; rank < depth && next_gain(&ideal);) {
        for (size_t i = 0; i < ideal.count && rank < depth; i++, rank++) {
            sum += ideal.gain / discount(rank);
        }
    }
    return sum;
}

static double dcg(const struct trec_view *v, const struct trec_request *r, size_t from, size_t to)
{
    double sum = 0;
    for (size_t rank = from; rank < to && rank < v->ret; rank++) {
        double gain = gain_of(r, v->ranked[rank].grade);
        sum += gain != 0 ? gain / discount(rank) : 0;
    }
    return sum;
}

/* Source: Jarvelin and Kekalainen 2002; linear gain. */
void trec_calc_ndcg(const struct trec_view *v, const struct trec_request *r, double *values)
{
    double ideal = ideal_dcg(v, r, SIZE_MAX);
    values[0] = ideal > 0 ? dcg(v, r, 0, SIZE_MAX) / ideal : 0;
}

void trec_calc_ndcg_cut(const struct trec_view *v, const struct trec_request *r, double *values)
{
    const struct trec_request plain = {.measure = r->measure}; /* the parameters are depths, ascending */
    struct ideal run = {.view = v, .request = &plain};
    bool more = next_gain(&run);
    size_t left = run.count;
    size_t rank = 0;
    double ideal = 0;
    double gained = 0;
    for (size_t i = 0; i < r->count; i++) {
        for (; rank < (size_t)r->numbers[i] && (more || rank < v->ret); rank++) {
            if (more) {
                ideal += run.gain / discount(rank);
                if (!--left) {
                    more = next_gain(&run);
                    left = run.count;
                }
            }
            double gain = rank < v->ret ? gain_of(&plain, v->ranked[rank].grade) : 0;
            gained += gain != 0 ? gain / discount(rank) : 0;
        }
        values[i] = ideal > 0 ? gained / ideal : 0;
    }
}

/* NDCG at the rank of each item with a gain; an item that is not ranked counts with the NDCG of the whole list. */
void trec_calc_ndcg_rel(const struct trec_view *v, const struct trec_request *r, double *values)
{
    struct ideal run = {.view = v, .request = r};
    bool more = next_gain(&run);
    size_t left = run.count;
    size_t wanted = 0;
    size_t found = 0;
    double gained = 0;
    double ideal = 0;
    double sum = 0;
    for (size_t rank = 0; rank < v->ret || more; rank++) {
        if (more) {
            wanted++;
            ideal += run.gain / discount(rank);
            if (!--left) {
                more = next_gain(&run);
                left = run.count;
            }
        }
        double gain = rank < v->ret ? gain_of(r, v->ranked[rank].grade) : 0;
        gained += gain / discount(rank);
        if (gain > 0) {
            sum += gained / ideal;
            found++;
        }
    }
    if (wanted) {
        values[0] = (sum + (double)(wanted - found) * gained / ideal) / (double)wanted;
    }
}

/* Mean NDCG at the ranks where the ideal list changes to a lower gain, and at the end of a list longer than that. */
void trec_calc_rndcg(const struct trec_view *v, const struct trec_request *r, double *values)
{
    struct ideal run = {.view = v, .request = r};
    size_t rank = 0;
    size_t points = 0;
    double gained = 0;
    double ideal = 0;
    double sum = 0;
    while (v->rel && next_gain(&run)) {
        for (size_t i = 0; i < run.count; i++) {
            ideal += run.gain / discount(rank + i);
        }
        gained += dcg(v, r, rank, rank + run.count);
        rank += run.count;
        sum += gained / ideal;
        points++;
    }
    if (points && rank + 1 < v->ret) {
        sum += (gained + dcg(v, r, rank, SIZE_MAX)) / ideal;
        points++;
    }
    values[0] = points ? sum / (double)points : 0;
}

void trec_calc_bin_g(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    size_t irrelevant = 0;
    double sum = 0;
    for (size_t i = 0; i < v->ret; i++) {
        if (trec_is_relevant(v, i)) {
            sum += 1 / discount(irrelevant);
        } else {
            irrelevant++;
        }
    }
    values[0] = v->rel ? sum / (double)v->rel : 0;
}

/* The discount grows with what the ideal list would have gained so far and this one has not; at least 1 a rank. */
void trec_calc_g(const struct trec_view *v, const struct trec_request *r, double *values)
{
    struct ideal run = {.view = v, .request = r};
    size_t left = 0;
    bool more = true;
    double ideal = 0;
    double cost = 0;
    double gained = 0;
    double sum = 0;
    for (size_t rank = 0; rank < v->ret || more; rank++) {
        if (more && !left) {
            more = next_gain(&run);
            left = run.count;
        }
        double best = more ? run.gain : 0;
        left -= more;
        ideal += best;
        if (rank < v->ret) {
            double gain = gain_of(r, v->ranked[rank].grade);
            cost += fmax(best, 1);
            gained += gain;
            sum += gain != 0 ? gain / log2(2 + cost - gained) : 0;
        }
    }
    values[0] = ideal > 0 ? sum / ideal : 0;
}

static double persistence_of(const struct trec_request *r)
{
    return isnan(r->persistence) ? RBP_PERSISTENCE : r->persistence;
}

/*
 * Source: Moffat and Zobel 2008. Gains that leave [0, 1] are brought into it, those of the parameters that no judgment
 * has included.
 */
void trec_calc_rbp(const struct trec_view *v, const struct trec_request *r, double *values)
{
    double least = 0;
    double most = 0;
    for (size_t grade = 0; grade < v->grades; grade++) {
        double gain = gain_of(r, (long)grade);
        least = fmin(least, gain);
        most = fmax(most, gain);
    }
    for (size_t i = 0; i < r->count; i++) {
        least = fmin(least, r->gains[i].gain);
        most = fmax(most, r->gains[i].gain);
    }
    bool scale = least < 0 || most > 1;
    double persistence = persistence_of(r);
    double weight = 1;
    double sum = 0;
    for (size_t i = 0; i < v->ret; i++, weight *= persistence) {
        double gain;
        if (find_gain(r, v->ranked[i].grade, &gain) || v->ranked[i].grade >= 0) {
            sum += weight * (scale ? (gain - least) / (most - least) : gain);
        }
    }
    values[0] = (1 - persistence) * sum;
}

void trec_calc_rbp_resid(const struct trec_view *v, const struct trec_request *r, double *values)
{
    double persistence = persistence_of(r);
    double weight = 1;
    double sum = 0;
    bool unjudged = false;
    for (size_t i = 0; i < v->ret; i++, weight *= persistence) {
        if (v->ranked[i].grade < 0) {
            unjudged = true;
            sum += weight;
        }
    }
    values[0] = unjudged ? weight + (1 - persistence) * sum : 0;
}
