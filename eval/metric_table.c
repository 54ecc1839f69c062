#include "eval/metric.h"

extern const struct metric metric_accuracy;
extern const struct metric metric_balanced_accuracy;
extern const struct metric metric_precision;
extern const struct metric metric_recall;
extern const struct metric metric_f1;
extern const struct metric metric_fbeta;
extern const struct metric metric_mcc;
extern const struct metric metric_kappa;
extern const struct metric metric_kappa_linear;
extern const struct metric metric_kappa_quadratic;
extern const struct metric metric_auc;
extern const struct metric metric_average_precision;
extern const struct metric metric_log_loss;
extern const struct metric metric_brier;
extern const struct metric metric_ece;
extern const struct metric metric_ece_adaptive;
extern const struct metric metric_mse;
extern const struct metric metric_rmse;
extern const struct metric metric_mae;
extern const struct metric metric_pearson;
extern const struct metric metric_spearman;
extern const struct metric metric_kendall;
extern const struct metric metric_ndcg;
extern const struct metric metric_dcg;
extern const struct metric metric_map;
extern const struct metric metric_mrr;
extern const struct metric metric_precision_at;
extern const struct metric metric_recall_at;
extern const struct metric metric_r_precision;
extern const struct metric metric_success_at;
extern const struct metric metric_bpref;
extern const struct metric metric_rbp;
extern const struct metric metric_err;
extern const struct metric metric_infap;
extern const struct metric metric_gauc;
extern const struct metric metric_judged_at;
extern const struct metric metric_hit_rate_at;
extern const struct metric metric_coverage_at;
extern const struct metric metric_popularity_at;
extern const struct metric metric_novelty_at;
extern const struct metric metric_diversity_at;
extern const struct metric metric_entropy_at;
extern const struct metric metric_gini_at;
extern const struct metric metric_tail_share_at;
extern const struct metric metric_ctr;
extern const struct metric metric_cvr;
extern const struct metric metric_ctcvr;
extern const struct metric metric_cart_rate;
extern const struct metric metric_order_rate;
extern const struct metric metric_revenue_per_impression;
extern const struct metric metric_dwell_mean_s;
extern const struct metric metric_depth_mean;

const struct metric *const metric_table[] = {&metric_accuracy,
                                             &metric_balanced_accuracy,
                                             &metric_precision,
                                             &metric_recall,
                                             &metric_f1,
                                             &metric_fbeta,
                                             &metric_mcc,
                                             &metric_kappa,
                                             &metric_kappa_linear,
                                             &metric_kappa_quadratic,
                                             &metric_auc,
                                             &metric_average_precision,
                                             &metric_log_loss,
                                             &metric_brier,
                                             &metric_ece,
                                             &metric_ece_adaptive,
                                             &metric_mse,
                                             &metric_rmse,
                                             &metric_mae,
                                             &metric_pearson,
                                             &metric_spearman,
                                             &metric_kendall,
                                             &metric_ndcg,
                                             &metric_dcg,
                                             &metric_map,
                                             &metric_mrr,
                                             &metric_precision_at,
                                             &metric_recall_at,
                                             &metric_r_precision,
                                             &metric_success_at,
                                             &metric_bpref,
                                             &metric_rbp,
                                             &metric_err,
                                             &metric_infap,
                                             &metric_gauc,
                                             &metric_judged_at,
                                             &metric_hit_rate_at,
                                             &metric_coverage_at,
                                             &metric_popularity_at,
                                             &metric_novelty_at,
                                             &metric_diversity_at,
                                             &metric_entropy_at,
                                             &metric_gini_at,
                                             &metric_tail_share_at,
                                             &metric_ctr,
                                             &metric_cvr,
                                             &metric_ctcvr,
                                             &metric_cart_rate,
                                             &metric_order_rate,
                                             &metric_revenue_per_impression,
                                             &metric_dwell_mean_s,
                                             &metric_depth_mean,
                                             NULL};
