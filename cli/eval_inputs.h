#ifndef RECO_CLI_EVAL_INPUTS_H
#define RECO_CLI_EVAL_INPUTS_H

/* The parts of `reco eval` around the evaluation itself: where the predictions come from, where the report goes. */

#include "cli/cmd.h"
#include "cli/eval_options.h"
#include "eval/evaluate.h"
#include "eval/trec.h"

struct eval_trec {
    struct trec_qrels *qrels;
    struct trec_run *run;
};
int eval_trec_open(struct eval_trec *trec, const char *qrels_path, const char *run_path, int threads) RECO_MUST_CHECK;
void eval_trec_close(struct eval_trec *trec);

/* Runs reco predict with the options of ctx that it knows, into output (NULL: a file in options->tmp_dir that is
 * removed after reading).
 */
int eval_predict(const struct cmd_ctx *ctx, const char *output, const struct predictions_options *options,
                 struct predictions **p) RECO_MUST_CHECK;

/* Metric names, depths and gates' metrics as eval_options wants them; lives as long as the options are used. */
struct eval_names {
    char **gate_metrics;
    size_t gate_count;
    size_t *at;
};
int eval_names_fill(struct eval_names *names, struct eval_options *options, const struct opt_list *metrics,
                    const struct opt_list *at, const struct opt_list *gates) RECO_MUST_CHECK;
void eval_names_release(struct eval_names *names);

/* The command, what was read with its hashes, and what is unknown of it. */
int eval_add_provenance(struct eval_report *report, const struct cmd_ctx *ctx,
                        const struct predictions *p) RECO_MUST_CHECK;

/* Prints the report of p (NULL: of a TREC run), writes output_dir and junit (NULL: none), and returns RECO_E_GATE when
 * a gate is not met. */
int eval_output(const struct eval_report *report, const struct predictions *p,
                const struct eval_command *c) RECO_MUST_CHECK;

#endif
