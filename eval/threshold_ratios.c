/*
 * Cuts of many classes for the greatest mean F-beta over the classes: coordinate ascent. All cuts but one stand still;
 * a row then becomes of that class where p of it over the best p / cut of the others is at least the cut, so that one
 * sort shows what each cut would reach. Source of the idea: Koyejo et al. 2015 (weighted argmax rules are optimal).
 */

#include <math.h>

#include "core/mem.h"
#include "eval/sort.h"
#include "eval/threshold_internal.h"

enum { ROUNDS_MAX = 50 };
#define GAIN_MIN 1e-9 /* less is rounding */

struct search {
    const struct predictions *p;
    size_t classes, rows; /* rows with a label */
    double beta;
    uint32_t *row;            /* [rows] */
    int16_t *other;           /* [rows] the class that a row has when it has not the one that is moved */
    struct sort_item *items;  /* [2 rows] */
    double *hits, *predicted; /* [classes] */
    double *support, *f;      /* [classes] */
};

static void search_release(struct search *s)
{
    mem_free(s->row);
    mem_free(s->other);
    mem_free(s->items);
    mem_free(s->hits);
}

static int search_init(struct search *s, const struct predictions *p, double beta)
{
    size_t n = (size_t)p->labels.count;
    *s = (struct search){.p = p, .classes = n, .beta = beta};
    s->row = mem_realloc_array(NULL, p->rows + 1, sizeof *s->row);
    s->other = mem_realloc_array(NULL, p->rows + 1, sizeof *s->other);
    s->items = mem_realloc_array(NULL, 2 * p->rows + 1, sizeof *s->items);
    s->hits = mem_calloc(4 * n, sizeof *s->hits);
    if (!s->row || !s->other || !s->items || !s->hits) {
        search_release(s);
        return RECO_E_NOMEM;
    }
    s->predicted = s->hits + n;
    s->support = s->predicted + n;
    s->f = s->support + n;
    for (size_t row = 0; row < p->rows; row++) {
        if (predictions_label(p, row) >= 0) {
            s->row[s->rows++] = (uint32_t)row;
            s->support[predictions_label(p, row)]++;
        }
    }
    return 0;
}

/* The class of the greatest p / cut but one, as threshold_predict decides; *ratio is it. but -1: of all. */
static int best_ratio(const struct search *s, const double *cuts, size_t row, int but, double *ratio)
{
    int best = -1;
    for (int c = 0; c < (int)s->classes; c++) {
        double of_class = predictions_p(s->p, row, c) / cuts[c];
        if (c != but && (best < 0 || of_class > *ratio)) {
            best = c;
            *ratio = of_class;
        }
    }
    return best;
}

static double count(struct search *s, int class, int label, double rows)
{
    double before = s->f[class];
    s->predicted[class] += rows;
    s->hits[class] += class == label ? rows : 0;
    s->f[class] = threshold_f_beta(s->hits[class], s->predicted[class], s->support[class], s->beta);
    return s->f[class] - before;
}

static void clear(struct search *s)
{
    for (size_t c = 0; c < s->classes; c++) {
        s->hits[c] = s->predicted[c] = s->f[c] = 0;
    }
}

/* Sum of the classes' F-beta by these cuts. */
static double sum_of(struct search *s, const double *cuts)
{
    double ratio = 0;
    double sum = 0;
    clear(s);
    for (size_t i = 0; i < s->rows; i++) {
        sum += count(s, best_ratio(s, cuts, s->row[i], -1, &ratio), predictions_label(s->p, s->row[i]), 1);
    }
    return sum;
}

/* Moves the cut of a class to where the sum is greatest; true when that is more than before. */
static bool move_cut(struct search *s, double *cuts, int class, double before)
{
    double sum = 0;
    clear(s);
    for (size_t i = 0; i < s->rows; i++) {
        double best = 0;
        s->other[i] = (int16_t)best_ratio(s, cuts, s->row[i], class, &best);
        double of_class = predictions_p(s->p, s->row[i], class);
        s->items[i] = (struct sort_item){sort_key(best > 0       ? of_class / best
                                                  : of_class > 0 ? INFINITY
                                                                 : 0),
                                         (uint32_t)i};
        sum += count(s, s->other[i], predictions_label(s->p, s->row[i]), 1);
    }
    const struct sort_item *sorted = sort_items(s->items, s->items + s->rows, s->rows);
    double best_sum = before + GAIN_MIN;
    double cut = cuts[class];
    for (size_t i = s->rows; i > 0;) {
        uint64_t key = sorted[i - 1].key;
        double at = sort_number(key);
        if (!(at > 0)) {
            break; /* a class that cannot be */
        }
        for (; i > 0 && sorted[i - 1].key == key; i--) {
            size_t row = sorted[i - 1].payload;
            int label = predictions_label(s->p, s->row[row]);
            sum += count(s, s->other[row], label, -1);
            sum += count(s, class, label, 1);
        }
        if (sum > best_sum) {
            double below = i > 0 ? sort_number(sorted[i - 1].key) : 0;
            best_sum = sum;
            cut = isinf(at) ? fmax(2 * below, 1) : below + (at - below) / 2;
        }
    }
    bool moved = cut != cuts[class];
    cuts[class] = cut;
    return moved;
}

static double ascend(struct search *s, double *cuts)
{
    double sum = sum_of(s, cuts);
    bool moved = true;
    for (int round = 0; moved && round < ROUNDS_MAX; round++) {
        moved = false;
        for (int c = 0; c < (int)s->classes; c++) {
            double before = cuts[c];
            if (!move_cut(s, cuts, c, sum)) {
                continue;
            }
            double now = sum_of(s, cuts);
            if (now > sum) {
                sum = now;
                moved = true;
            } else { /* by rounding only */
                cuts[c] = before;
            }
        }
    }
    return sum;
}

int threshold_choose_ratios(double *cuts, const double *start, double beta, const struct predictions *p)
{
    size_t n = (size_t)p->labels.count;
    struct search s;
    double *guess = mem_calloc(n, sizeof *guess);
    int rc = guess ? search_init(&s, p, beta) : RECO_E_NOMEM;
    if (rc) {
        mem_free(guess);
        return rc;
    }
    for (size_t c = 0; c < n; c++) { /* equal ones predict the most probable class */
        cuts[c] = 1 / (double)n;
        guess[c] = start[c];
    }
    double of_equal = ascend(&s, cuts);
    bool better = ascend(&s, guess) > of_equal;
    double sum = 0;
    for (size_t c = 0; c < n; c++) {
        cuts[c] = better ? guess[c] : cuts[c];
        sum += cuts[c];
    }
    for (size_t c = 0; c < n; c++) {
        cuts[c] /= sum;
    }
    search_release(&s);
    mem_free(guess);
    return 0;
}
