#ifndef RECO_CLI_EVAL_OPTIONS_H
#define RECO_CLI_EVAL_OPTIONS_H

/* The options of `reco eval`, and what must hold among them before a file is opened. */

#include "cli/cmd.h"
#include "cli/opts_predictions.h"
#include "data/prepare.h"

enum eval_format { EVAL_FORMAT_TEXT, EVAL_FORMAT_JSON, EVAL_FORMAT_MARKDOWN, EVAL_FORMAT_TREC_EVAL };

struct eval_command {
    struct cmd_common common;
    struct prepare_options data;
    char *predictions, *predictions_output;
    char *model, *dataset, *split, *device;
    char *qrels, *run;
    char *calibration, *threshold, *resample_by, *train_dataset, *query_text;
    struct opt_list metrics, measures, at, gains, require, slices, slice_metrics;
    int64_t resamples, seed, slice_min_rows, slice_groups, worst;
    int interval; /* enum bootstrap_method */
    double level, max_weight;
    double relevance_level;
    bool by_query, complete, judged_only, bf16, overwrite;
    int64_t max_results, collection_size, first_position;
    int format, ties;
    char *item_popularity, *events, *arm_column, *control, *attribution_window, *junit;
    char *carted_column, *ordered_column, *revenue_column, *delay_column;
    char *output_dir, *run_output, *qrels_output, *run_tag;
    struct predictions_own_options own; /* the rest of how predictions are read is in data */
    struct predictions_source source;   /* what all of that says, by eval_source_fill */
};

extern const struct opt_spec eval_option_specs[];

/* RECO_E_USAGE: no source or two, or an option that does not go with the source. */
int eval_options_check(const struct cmd_ctx *ctx, const struct eval_command *c) RECO_MUST_CHECK;

/* RECO_E_USAGE: an option given as a flag that does nothing for the source or without another option, a file that is
 * read and written. */
int eval_company_check(const struct cmd_ctx *ctx, const struct eval_command *c) RECO_MUST_CHECK;

/* Fills c->source: how --predictions is read. */
void eval_source_fill(struct eval_command *c, const struct cmd_ctx *ctx);

/* Seconds of "7d", "36h", "90m", "30s" or "30"; RECO_E_USAGE. */
int eval_duration_parse(const char *text, double *seconds) RECO_MUST_CHECK;

/* Has command an option of that name? */
bool eval_has_option(const struct cmd_spec *cmd, const char *name);

#endif
