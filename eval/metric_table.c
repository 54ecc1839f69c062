#include "eval/metric.h"

extern const struct metric metric_accuracy;
extern const struct metric metric_balanced_accuracy;
extern const struct metric metric_precision;
extern const struct metric metric_recall;
extern const struct metric metric_f1;
extern const struct metric metric_mcc;
extern const struct metric metric_kappa;
extern const struct metric metric_kappa_linear;
extern const struct metric metric_kappa_quadratic;
extern const struct metric metric_auc;
extern const struct metric metric_average_precision;
extern const struct metric metric_log_loss;
extern const struct metric metric_brier;
extern const struct metric metric_mse;
extern const struct metric metric_rmse;
extern const struct metric metric_mae;
extern const struct metric metric_pearson;
extern const struct metric metric_spearman;
extern const struct metric metric_ndcg;
extern const struct metric metric_map;
extern const struct metric metric_mrr;
extern const struct metric metric_precision_at;
extern const struct metric metric_recall_at;
extern const struct metric metric_ctr;
extern const struct metric metric_cvr;
extern const struct metric metric_ctcvr;
extern const struct metric metric_dwell_mean_s;
extern const struct metric metric_depth_mean;

const struct metric *const metric_table[] = {&metric_accuracy,
                                             &metric_balanced_accuracy,
                                             &metric_precision,
                                             &metric_recall,
                                             &metric_f1,
                                             &metric_mcc,
                                             &metric_kappa,
                                             &metric_kappa_linear,
                                             &metric_kappa_quadratic,
                                             &metric_auc,
                                             &metric_average_precision,
                                             &metric_log_loss,
                                             &metric_brier,
                                             &metric_mse,
                                             &metric_rmse,
                                             &metric_mae,
                                             &metric_pearson,
                                             &metric_spearman,
                                             &metric_ndcg,
                                             &metric_map,
                                             &metric_mrr,
                                             &metric_precision_at,
                                             &metric_recall_at,
                                             &metric_ctr,
                                             &metric_cvr,
                                             &metric_ctcvr,
                                             &metric_dwell_mean_s,
                                             &metric_depth_mean,
                                             NULL};
