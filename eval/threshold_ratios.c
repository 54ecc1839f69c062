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
#define GAIN_MIN 1e-9 /* less is rounding, which depends on the order of the rows */

struct search {
    const struct predictions *p;
    double beta;
    size_t classes, rows;     /* rows with a label */
    uint32_t *row;            /* [rows] */
    int16_t *first, *second;  /* [rows] classes of the two greatest p / cut, in the order in which they are preferred */
    struct sort_item *items;  /* [2 rows] */
    double *cuts;             /* [classes] */
    double *hits, *predicted; /* [classes] */
    double *support, *f;      /* [classes] */
};

static void search_release(struct search *s)
{
    mem_free(s->row);
    mem_free(s->first);
    mem_free(s->second);
    mem_free(s->items);
    mem_free(s->cuts);
}

static int search_init(struct search *s, const struct predictions *p, double beta)
{
    size_t n = (size_t)p->labels.count;
    *s = (struct search){.p = p, .classes = n, .beta = beta};
    s->row = mem_realloc_array(NULL, p->rows + 1, sizeof *s->row);
    s->first = mem_realloc_array(NULL, p->rows + 1, sizeof *s->first);
    s->second = mem_realloc_array(NULL, p->rows + 1, sizeof *s->second);
    s->items = mem_realloc_array(NULL, 2 * p->rows + 1, sizeof *s->items);
    s->cuts = mem_calloc(5 * n, sizeof *s->cuts);
    if (!s->row || !s->first || !s->second || !s->items || !s->cuts) {
        search_release(s);
        return RECO_E_NOMEM;
    }
    s->hits = s->cuts + n;
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

/* ---- who is first ---- */

static double ratio(const struct search *s, size_t i, int class)
{
    return predictions_p(s->p, s->row[i], class) / s->cuts[class];
}

/* As threshold_predict decides: the greater ratio, of equal ones the class that comes first. */
static bool is_before(const struct search *s, size_t i, int a, int b)
{
    double of_a = ratio(s, i, a);
    double of_b = ratio(s, i, b);
    return of_a > of_b || (of_a == of_b && a < b);
}

static void enter(struct search *s, size_t i, int class)
{
    if (s->first[i] < 0 || is_before(s, i, class, s->first[i])) {
        s->second[i] = s->first[i];
        s->first[i] = (int16_t) class;
    } else if (s->second[i] < 0 || is_before(s, i, class, s->second[i])) {
        s->second[i] = (int16_t) class;
    }
}

static void rank_row(struct search *s, size_t i)
{
    s->first[i] = s->second[i] = -1;
    for (int c = 0; c < (int)s->classes; c++) {
        enter(s, i, c);
    }
}

/* The orders of all rows with another cut of one class. */
static void set_cut(struct search *s, int class, double cut)
{
    s->cuts[class] = cut;
    for (size_t i = 0; i < s->rows; i++) {
        if (s->first[i] == class || s->second[i] == class) {
            rank_row(s, i);
        } else {
            enter(s, i, class);
        }
    }
}

/* ---- what is reached ---- */

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

/* Sum of the classes' F-beta. */
static double sum_of(struct search *s)
{
    double sum = 0;
    clear(s);
    for (size_t i = 0; i < s->rows; i++) {
        sum += count(s, s->first[i], predictions_label(s->p, s->row[i]), 1);
    }
    return sum;
}

static int other_of(const struct search *s, size_t i, int class)
{
    return s->first[i] == class ? s->second[i] : s->first[i];
}

/* The cut of a class by which the sum is greatest, the others as they are; its own when it is not more than before. */
static double best_cut(struct search *s, int class, double before)
{
    double sum = 0;
    clear(s);
    for (size_t i = 0; i < s->rows; i++) {
        int other = other_of(s, i, class);
        double best = ratio(s, i, other);
        double of_class = predictions_p(s->p, s->row[i], class);
        s->items[i] = (struct sort_item){sort_key(best > 0       ? of_class / best
                                                  : of_class > 0 ? INFINITY
                                                                 : 0),
                                         (uint32_t)i};
        sum += count(s, other, predictions_label(s->p, s->row[i]), 1);
    }
    const struct sort_item *sorted = sort_items(s->items, s->items + s->rows, s->rows);
    double best_sum = before;
    double cut = s->cuts[class];
    for (size_t i = s->rows; i > 0;) {
        uint64_t key = sorted[i - 1].key;
        double at = sort_number(key);
        if (!(at > 0)) {
            break; /* a class that cannot be */
        }
        for (; i > 0 && sorted[i - 1].key == key; i--) {
            size_t row = sorted[i - 1].payload;
            int label = predictions_label(s->p, s->row[row]);
            sum += count(s, other_of(s, row, class), label, -1);
            sum += count(s, class, label, 1);
        }
        if (sum > best_sum + GAIN_MIN) {
            double below = i > 0 ? sort_number(sorted[i - 1].key) : 0;
            best_sum = sum;
            cut = isinf(at) ? fmax(2 * below, 1) : below + (at - below) / 2;
        }
    }
    return cut;
}

static double ascend(struct search *s)
{
    for (size_t i = 0; i < s->rows; i++) {
        rank_row(s, i);
    }
    double sum = sum_of(s);
    bool moved = true;
    for (int round = 0; moved && round < ROUNDS_MAX; round++) {
        moved = false;
        for (int c = 0; c < (int)s->classes; c++) {
            double before = s->cuts[c];
            double cut = best_cut(s, c, sum);
            if (cut == before) {
                continue;
            }
            set_cut(s, c, cut);
            double now = sum_of(s);
            if (now > sum + GAIN_MIN / 2) {
                sum = now;
                moved = true;
            } else { /* by rounding only */
                set_cut(s, c, before);
            }
        }
    }
    return sum;
}

int threshold_choose_ratios(double *cuts, const double *start, double beta, const struct predictions *p)
{
    size_t n = (size_t)p->labels.count;
    struct search s;
    int rc = search_init(&s, p, beta);
    if (rc) {
        return rc;
    }
    for (size_t c = 0; c < n; c++) { /* equal ones predict the most probable class */
        s.cuts[c] = 1 / (double)n;
    }
    double of_equal = ascend(&s);
    for (size_t c = 0; c < n; c++) {
        cuts[c] = s.cuts[c];
        s.cuts[c] = start[c];
    }
    bool better = ascend(&s) > of_equal + GAIN_MIN;
    double sum = 0;
    for (size_t c = 0; c < n; c++) {
        cuts[c] = better ? s.cuts[c] : cuts[c];
        sum += cuts[c];
    }
    for (size_t c = 0; c < n; c++) {
        cuts[c] /= sum;
    }
    search_release(&s);
    return 0;
}
