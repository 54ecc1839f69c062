/*
 * The measures of trec_eval 10 over one topic, and their table. Definitions: trec_eval's own help texts; where they
 * cite a paper, it stands beside the function. Where a measure has no value, trec_eval prints 0, and so does this.
 */

#include <math.h>
#include <string.h>

#include "eval/trec_internal.h"

#define GEOMETRIC_MIN 1e-5 /* trec_eval's MIN_GEO_MEAN */
#define INFAP_EPSILON 1e-5

static double ratio(size_t part, size_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- counts ---- */

static void calc_num_ret(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = (double)v->ret;
}

static void calc_num_rel(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = (double)v->rel;
}

static void calc_num_rel_ret(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = (double)v->rel_ret;
}

static void calc_num_nonrel_judged_ret(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    for (size_t i = 0; i < v->ret; i++) {
        values[0] += v->ranked[i].grade >= 0 && !trec_is_relevant(v, i);
    }
}

/* ---- precision, recall and their averages ---- */

static double average_precision(const struct trec_view *v, size_t depth)
{
    return v->rel ? v->precisions[smaller(depth, v->ret)] / (double)v->rel : 0;
}

static void calc_map(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = average_precision(v, SIZE_MAX);
}

static void calc_gm_map(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = log(fmax(average_precision(v, SIZE_MAX), GEOMETRIC_MIN));
}

static size_t hits_within(const struct trec_view *v, size_t depth)
{
    return v->hits[smaller(depth, v->ret)];
}

static void calc_rprec(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = ratio(hits_within(v, v->rel), v->rel);
}

static void calc_recip_rank(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    for (size_t i = 0; i < v->ret && !(values[0] > 0); i++) {
        values[0] = trec_is_relevant(v, i) ? 1 / (double)(i + 1) : 0;
    }
}

static void calc_precision(const struct trec_view *v, const struct trec_request *r, double *values)
{
    for (size_t i = 0; i < r->count; i++) {
        values[i] = ratio(hits_within(v, (size_t)r->numbers[i]), (size_t)r->numbers[i]);
    }
}

static void calc_recall(const struct trec_view *v, const struct trec_request *r, double *values)
{
    for (size_t i = 0; i < r->count; i++) {
        values[i] = ratio(hits_within(v, (size_t)r->numbers[i]), v->rel);
    }
}

static void calc_relative_precision(const struct trec_view *v, const struct trec_request *r, double *values)
{
    for (size_t i = 0; i < r->count; i++) {
        size_t depth = (size_t)r->numbers[i];
        values[i] = ratio(hits_within(v, depth), smaller(depth, v->rel));
    }
}

static void calc_success(const struct trec_view *v, const struct trec_request *r, double *values)
{
    for (size_t i = 0; i < r->count; i++) {
        values[i] = hits_within(v, (size_t)r->numbers[i]) > 0;
    }
}

static void calc_map_cut(const struct trec_view *v, const struct trec_request *r, double *values)
{
    for (size_t i = 0; i < r->count; i++) {
        values[i] = average_precision(v, (size_t)r->numbers[i]);
    }
}

static void calc_rprec_mult(const struct trec_view *v, const struct trec_request *r, double *values)
{
    for (size_t i = 0; i < r->count; i++) {
        double depth = floor(r->numbers[i] * (double)v->rel + 0.9);
        values[i] = depth >= 1 ? ratio(hits_within(v, (size_t)depth), (size_t)depth) : 0;
    }
}

/* Highest precision at or after the rank where needed relevant items are found; 0 when they are not. */
static double interpolated_precision(const struct trec_view *v, size_t needed)
{
    return needed <= v->rel_ret && v->rel_ret ? v->highest[needed] : 0;
}

static double precision_at_recall(const struct trec_view *v, double share)
{
    long needed = lround(share * (double)v->rel);
    return needed >= 0 ? interpolated_precision(v, (size_t)needed) : 0;
}

static void calc_iprec_at_recall(const struct trec_view *v, const struct trec_request *r, double *values)
{
    for (size_t i = 0; i < r->count; i++) {
        values[i] = precision_at_recall(v, r->numbers[i]);
    }
}

static void calc_11pt_avg(const struct trec_view *v, const struct trec_request *r, double *values)
{
    double sum = 0;
    for (size_t i = r->count; i-- > 0;) { /* in trec_eval's order, whose last bit decides what is printed */
        sum += precision_at_recall(v, r->numbers[i]);
    }
    values[0] = sum / (double)r->count;
}

/* ---- incomplete judgments ---- */

/* Source: Buckley and Voorhees 2004. */
static double binary_preference(const struct trec_view *v)
{
    size_t irrelevant = 0;
    for (size_t grade = 0; grade < v->grades && (long)grade < v->level; grade++) {
        irrelevant += v->at_grade[grade];
    }
    size_t above = 0;
    double sum = 0;
    for (size_t i = 0; i < v->ret; i++) {
        if (v->ranked[i].grade < 0) {
            continue;
        }
        if (!trec_is_relevant(v, i)) {
            above++;
        } else {
            sum += above ? 1 - (double)smaller(above, v->rel) / (double)smaller(irrelevant, v->rel) : 1;
        }
    }
    return v->rel ? sum / (double)v->rel : 0;
}

static void calc_bpref(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = binary_preference(v);
}

static void calc_gm_bpref(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = log(fmax(binary_preference(v), GEOMETRIC_MIN));
}

/* Source: Yilmaz and Aslam 2006. */
static void calc_infap(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    double relevant = 0;
    double irrelevant = 0;
    double unjudged = 0;
    double sum = 0;
    for (size_t i = 0; i < v->ret; i++) {
        if (v->ranked[i].grade == TREC_NOT_IN_POOL) {
            continue;
        }
        if (v->ranked[i].grade == TREC_NOT_JUDGED) {
            unjudged++;
        } else if (!trec_is_relevant(v, i)) {
            irrelevant++;
        } else {
            double above = (double)i;
            sum += 1 / (above + 1);
            if (i) {
                sum += above / (above + 1) * ((relevant + irrelevant + unjudged) / above) *
                       ((relevant + INFAP_EPSILON) / (relevant + irrelevant + 2 * INFAP_EPSILON));
            }
            relevant++;
        }
    }
    values[0] = v->rel ? sum / (double)v->rel : 0;
}

static void calc_unjudged(const struct trec_view *v, const struct trec_request *r, double *values)
{
    for (size_t i = 0; i < r->count; i++) {
        size_t depth = (size_t)r->numbers[i];
        size_t unjudged = 0;
        for (size_t rank = 0; rank < v->ret && rank < depth; rank++) {
            unjudged += v->ranked[rank].grade < 0;
        }
        values[i] = ratio(unjudged, depth);
    }
}

/* ---- sets ---- */

static void calc_set_precision(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = ratio(v->rel_ret, v->ret);
}

static void calc_set_relative_precision(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = ratio(v->rel_ret, smaller(v->ret, v->rel));
}

static void calc_set_recall(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = ratio(v->rel_ret, v->rel);
}

static void calc_set_map(const struct trec_view *v, const struct trec_request *r, double *values)
{
    (void)r;
    values[0] = ratio(v->rel_ret * v->rel_ret, v->ret * v->rel);
}

/* The parameter is the weight of recall against precision. Source: van Rijsbergen 1979. */
static void calc_set_f(const struct trec_view *v, const struct trec_request *r, double *values)
{
    double precision = ratio(v->rel_ret, v->ret);
    double recall = ratio(v->rel_ret, v->rel);
    double x = r->numbers[0];
    if (precision > 0 && recall > 0) {
        values[0] = (x + 1) * precision * recall / (recall + x * precision);
    }
}

static void calc_utility(const struct trec_view *v, const struct trec_request *r, double *values)
{
    double hits = (double)v->rel_ret;
    double ret = (double)v->ret;
    double rel = (double)v->rel;
    values[0] = r->numbers[0] * hits + r->numbers[1] * (ret - hits) + r->numbers[2] * (rel - hits) +
                r->numbers[3] * ((double)v->options->collection_size + hits - ret - rel);
}

/* ---- the table ---- */

static const double depths[] = {5, 10, 15, 20, 30, 100, 200, 500, 1000};
static const double success_depths[] = {1, 5, 10};
static const double unjudged_depths[] = {5, 10, 20};
static const double recall_points[] = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
static const double rprec_multiples[] = {0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2};
static const double utility_weights[] = {1, -1, 0, 0};
static const double f_weight[] = {1};
static const double relstring_length[] = {10};

#define ROW(id, row_name, row_params, row_summary, row_calc, row_help)                                                 \
    static const struct trec_measure id = {.name = row_name,                                                           \
                                           .help = row_help,                                                           \
                                           .params = TREC_PARAMS_##row_params,                                         \
                                           .summary = TREC_SUMMARY_##row_summary,                                      \
                                           .calc = row_calc}
#define ROW_WITH(id, row_name, row_params, row_summary, row_calc, row_defaults, row_help)                              \
    static const struct trec_measure id = {.name = row_name,                                                           \
                                           .help = row_help,                                                           \
                                           .params = TREC_PARAMS_##row_params,                                         \
                                           .summary = TREC_SUMMARY_##row_summary,                                      \
                                           .defaults = row_defaults,                                                   \
                                           .default_count = sizeof row_defaults / sizeof row_defaults[0],              \
                                           .calc = row_calc}

ROW(runid, "runid", NONE, RUN, NULL, "the run's tag");
ROW(num_q, "num_q", NONE, RUN, NULL, "queries evaluated");
ROW(num_ret, "num_ret", NONE, SUM, calc_num_ret, "documents retrieved");
ROW(num_rel, "num_rel", NONE, SUM, calc_num_rel, "relevant documents");
ROW(num_rel_ret, "num_rel_ret", NONE, SUM, calc_num_rel_ret, "relevant documents retrieved");
ROW(map, "map", NONE, MEAN, calc_map, "mean average precision");
ROW(gm_map, "gm_map", NONE, GEOMETRIC, calc_gm_map, "geometric mean of average precision");
ROW(rprec, "Rprec", NONE, MEAN, calc_rprec, "precision after R documents, R the relevant ones");
ROW(bpref, "bpref", NONE, MEAN, calc_bpref, "binary preference");
ROW(recip_rank, "recip_rank", NONE, MEAN, calc_recip_rank, "reciprocal rank of the first relevant document");
ROW_WITH(iprec, "iprec_at_recall", SHARES, MEAN, calc_iprec_at_recall, recall_points,
         "interpolated precision at recall points");
ROW_WITH(precision, "P", DEPTHS, MEAN, calc_precision, depths, "precision at depths");
ROW_WITH(relstring, "relstring", NUMBERS, STRING, NULL, relstring_length, "grades of the first documents as a string");
ROW_WITH(recall, "recall", DEPTHS, MEAN, calc_recall, depths, "recall at depths");
ROW(infap, "infAP", NONE, MEAN, calc_infap, "inferred average precision");
ROW(gm_bpref, "gm_bpref", NONE, GEOMETRIC, calc_gm_bpref, "geometric mean of binary preference");
ROW_WITH(rprec_mult, "Rprec_mult", SHARES, MEAN, calc_rprec_mult, rprec_multiples, "precision at multiples of R");
ROW_WITH(utility, "utility", NUMBERS, MEAN, calc_utility, utility_weights, "weighted sum of the contingency table");
ROW_WITH(points_11, "11pt_avg", NUMBERS, MEAN, calc_11pt_avg, recall_points,
         "interpolated precision, mean over recall points");
ROW(bin_g, "binG", NONE, MEAN, trec_calc_bin_g, "binary G");
ROW(g, "G", GAINS, MEAN, trec_calc_g, "normalised gain G");
ROW(ndcg, "ndcg", GAINS, MEAN, trec_calc_ndcg, "normalised discounted cumulated gain, linear gain");
ROW(ndcg_rel, "ndcg_rel", GAINS, MEAN, trec_calc_ndcg_rel, "NDCG averaged over the relevant documents");
ROW(rndcg, "Rndcg", GAINS, MEAN, trec_calc_rndcg, "NDCG averaged over the R levels");
ROW_WITH(ndcg_cut, "ndcg_cut", DEPTHS, MEAN, trec_calc_ndcg_cut, depths, "NDCG at depths");
ROW_WITH(map_cut, "map_cut", DEPTHS, MEAN, calc_map_cut, depths, "average precision at depths");
ROW_WITH(relative_p, "relative_P", DEPTHS, MEAN, calc_relative_precision, depths, "precision by the best possible");
ROW_WITH(success, "success", DEPTHS, MEAN, calc_success, success_depths, "a relevant document is within the depth");
ROW(set_p, "set_P", NONE, MEAN, calc_set_precision, "precision of the retrieved set");
ROW(set_relative_p, "set_relative_P", NONE, MEAN, calc_set_relative_precision, "set precision by the best possible");
ROW(set_recall, "set_recall", NONE, MEAN, calc_set_recall, "recall of the retrieved set");
ROW(set_map, "set_map", NONE, MEAN, calc_set_map, "set precision times set recall");
ROW_WITH(set_f, "set_F", NUMBERS, MEAN, calc_set_f, f_weight, "weighted harmonic mean of set precision and recall");
ROW(nonrel_judged, "num_nonrel_judged_ret", NONE, SUM, calc_num_nonrel_judged_ret, "judged irrelevant retrieved");
ROW(rbp, "rbp", PERSISTENCE, MEAN, trec_calc_rbp, "rank-biased precision, persistence 0.9");
ROW(rbp_resid, "rbp_resid", PERSISTENCE, MEAN, trec_calc_rbp_resid, "residual of rank-biased precision");
ROW_WITH(unj, "unj", DEPTHS, MEAN, calc_unjudged, unjudged_depths, "share of unjudged documents at depths");

const struct trec_measure *const trec_measure_table[] = {
    &runid,      &num_q,   &num_ret,    &num_rel,       &num_rel_ret, &map,
    &gm_map,     &rprec,   &bpref,      &recip_rank,    &iprec,       &precision,
    &relstring,  &recall,  &infap,      &gm_bpref,      &rprec_mult,  &utility,
    &points_11,  &bin_g,   &g,          &ndcg,          &ndcg_rel,    &rndcg,
    &ndcg_cut,   &map_cut, &relative_p, &success,       &set_p,       &set_relative_p,
    &set_recall, &set_map, &set_f,      &nonrel_judged, &rbp,         &rbp_resid,
    &unj,        NULL};
