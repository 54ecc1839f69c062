#ifndef RECO_CLI_OPTS_PREDICTIONS_H
#define RECO_CLI_OPTS_PREDICTIONS_H

/*
 * How predictions of other tools are read, written once for every command that reads them: options_type is the
 * command's options struct. PREDICTIONS_SOURCE_ROWS is all of it, member its struct predictions_source_options; a
 * command that has the options of data files (opts_data.h) takes PREDICTIONS_OWN_ROWS, member its struct
 * predictions_own_options.
 */

#include <stddef.h>

#include "cli/cmd.h"
#include "cli/opts_input.h"
#include "cli/opts_labels.h"
#include "data/predictions.h"
#include "data/predictions_source.h"

struct predictions_own_options {
    char *predicted_column, *score_column;
    struct opt_list probability_columns;
    bool logits;
};

struct predictions_source_options {
    struct table_options table;
    struct predictions_own_options own;
    char *label_column, *id_column, *query_id_column, *item_id_column;
    struct opt_list labels, grades;
    char *positive_label;
    bool regression;
};

/*
 * What the options say; out borrows from them. Those of a config file or the environment may be meant for other files:
 * names and labels count where they fit the predictions, and how a table is read counts as a flag only.
 */
void predictions_source_fill(struct predictions_source *out, const struct cmd_ctx *ctx,
                             const struct predictions_source_options *options);
/* Predictions read as the options say. */
int predictions_source_open(struct predictions **out, const char *path, const struct cmd_ctx *ctx,
                            const struct predictions_source_options *options) RECO_MUST_CHECK;
/* Of those options the first that is given as a flag; NULL: none. */
const char *predictions_source_flag(const struct cmd_ctx *ctx);
/* The name of one column more. */
void predictions_source_name(struct predictions_source *out, const struct cmd_ctx *ctx, enum predictions_column column,
                             const char *name);

#define PREDICTIONS_COLUMN_ROW(options_type, field, row_name, row_aliases, row_help)                                   \
    {                                                                                                                  \
        .name = row_name, .type = OPT_STRING, .offset = offsetof(options_type, field), .help = row_help,               \
        .group = "columns", .aliases = row_aliases                                                                     \
    }

#define PREDICTIONS_OWN_ROWS(options_type, member)                                                                     \
    PREDICTIONS_COLUMN_ROW(options_type, member.predicted_column, "predicted_column", "prediction_column",             \
                           "predictions of other tools: column of the predicted label or number; default: predicted"), \
        PREDICTIONS_COLUMN_ROW(options_type, member.score_column, "score_column", NULL,                                \
                               "predictions of other tools: column of the score that ranks; default: score"),          \
        {.name = "probability_columns",                                                                                \
         .type = OPT_LIST,                                                                                             \
         .offset = offsetof(options_type, member.probability_columns),                                                 \
         .help = "predictions of other tools: columns of the probabilities, as label=column, as columns called like "  \
                 "their "                                                                                              \
                 "labels, or as a pattern, 'prob_*'; one alone is that of the positive of two labels; default: p_*",   \
         .group = "columns",                                                                                           \
         .aliases = "probability_column"},                                                                             \
    {                                                                                                                  \
        .name = "logits", .type = OPT_BOOL, .offset = offsetof(options_type, member.logits),                           \
        .help = "the columns of probabilities hold logits: softmax, of one alone sigmoid", .group = "columns"          \
    }

#define PREDICTIONS_SOURCE_ROWS(options_type, member)                                                                  \
    PREDICTIONS_COLUMN_ROW(options_type, member.label_column, "label_column", "label_column_name",                     \
                           "column of the label; default: label"),                                                     \
        PREDICTIONS_OWN_ROWS(options_type, member.own),                                                                \
        PREDICTIONS_COLUMN_ROW(options_type, member.id_column, "id_column", "row_id_column",                           \
                               "column that names the row; default: row_id"),                                          \
        PREDICTIONS_COLUMN_ROW(options_type, member.query_id_column, "query_id_column", NULL,                          \
                               "column that names the query; default: query_id"),                                      \
        PREDICTIONS_COLUMN_ROW(options_type, member.item_id_column, "item_id_column", NULL,                            \
                               "column that names the item; default: item_id"),                                        \
        LABEL_MAP_ROWS(options_type, member.labels, member,                                                            \
                       "the labels in their order, where no sidecar tells them; default: those of the columns of "     \
                       "probabilities, else those seen, sorted",                                                       \
                       "label whose probability is the score; default: the highest grade, else the last",              \
                       "the label is a number that was predicted"),                                                    \
        INPUT_OPTION_ROWS(options_type, member.table)

#endif
