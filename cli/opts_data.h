#ifndef RECO_CLI_OPTS_DATA_H
#define RECO_CLI_OPTS_DATA_H

/*
 * The options of the input files, written once for prepare, train and predict. `options_type` is the command's options
 * struct and `member` its struct prepare_options (data/prepare.h):
 *
 *     struct train_options { struct cmd_common common; struct prepare_options data; ... };
 *     static const struct opt_spec specs[] = {DATA_OPTION_ROWS(struct train_options, data),
 *                                             DATA_TRAIN_ROWS(struct train_options, data),
 *                                             DATA_LENGTH_ROWS(struct train_options, data), ... {0}};
 *
 * None is marked required, because train and predict also take a prepared dataset: prepare_options_check tells.
 */

#include <stddef.h>

#include "cli/opts_assemble.h"
#include "cli/opts_balance.h"
#include "cli/opts_clean.h"
#include "cli/opts_input.h"
#include "cli/opts_labels.h"
#include "cli/opts_split.h"
#include "cli/opts_store.h"
#include "core/opt.h"
#include "data/prepare.h"

extern const char *const data_truncation_choices[]; /* in the order of enum wordpiece_truncation */

#define DATA_FILE_ROW(options_type, field, row_name, row_aliases, row_help)                                            \
    {                                                                                                                  \
        .name = row_name, .type = OPT_LIST, .offset = offsetof(options_type, field), .help = row_help,                 \
        .group = "data", .aliases = row_aliases, .flags = OPT_FLAG_PATH                                                \
    }
#define DATA_COLUMN_ROW(options_type, field, row_name, row_aliases, row_help)                                          \
    {                                                                                                                  \
        .name = row_name, .type = OPT_STRING, .offset = offsetof(options_type, field), .help = row_help,               \
        .group = "columns", .aliases = row_aliases                                                                     \
    }
#define DATA_SAMPLES_ROW(options_type, field, row_name, row_help)                                                      \
    {                                                                                                                  \
        .name = row_name, .type = OPT_INT, .offset = offsetof(options_type, field), .default_text = "0", .min = 0,     \
        .max = 4e9, .unit = "rows", .help = row_help, .group = "data"                                                  \
    }

#define DATA_STORE_ROWS(options_type, member)                                                                          \
    STORE_ROWS(                                                                                                        \
        options_type, member,                                                                                          \
        "memory for sorting; what does not fit goes to --tmp_dir. Each distinct text takes about 26 bytes more")

#define DATA_OPTION_ROWS(options_type, member)                                                                         \
    DATA_FILE_ROW(options_type, member.train_file, "train_file", NULL, "files to train on, '-' for stdin"),            \
        DATA_FILE_ROW(options_type, member.validation_file, "validation_file", "dev_file,eval_file",                   \
                      "files to choose the best model on"),                                                            \
        DATA_FILE_ROW(options_type, member.test_file, "test_file", "predict_file",                                     \
                      "files to predict and evaluate; their labels may be missing"),                                   \
        DATA_SAMPLES_ROW(options_type, member.max_train_samples, "max_train_samples",                                  \
                         "keep the first rows of the training files only (0: all)"),                                   \
        DATA_SAMPLES_ROW(options_type, member.max_eval_samples, "max_eval_samples",                                    \
                         "keep the first rows of the validation files only (0: all)"),                                 \
        DATA_SAMPLES_ROW(options_type, member.max_predict_samples, "max_predict_samples",                              \
                         "keep the first rows of the test files only (0: all)"),                                       \
        INPUT_OPTION_ROWS(options_type, member.table),                                                                 \
        {.name = "max_bad_rows",                                                                                       \
         .type = OPT_AMOUNT,                                                                                           \
         .offset = offsetof(options_type, member.max_bad_rows),                                                        \
         .default_text = "0.1%",                                                                                       \
         .help =                                                                                                       \
             "bad rows tolerated in a file, as a count or a per cent of its rows (a per cent always allows one row)",  \
         .group = "data"},                                                                                             \
        DATA_COLUMN_ROW(options_type, member.query_column, "query_column",                                             \
                        "query_column_name,text_column,text_column_name", "column of the query, or of the only text"), \
        {.name = "description_column",                                                                                 \
         .type = OPT_LIST,                                                                                             \
         .offset = offsetof(options_type, member.description_column),                                                  \
         .help = "columns of the item's description, joined by one space (none: single texts)",                        \
         .group = "columns",                                                                                           \
         .aliases = "description_columns,description_column_name,text_pair_column"},                                   \
        DATA_COLUMN_ROW(options_type, member.label_column, "label_column", "label_column_name",                        \
                        "column of the label"),                                                                        \
        DATA_COLUMN_ROW(options_type, member.weight_column, "weight_column", "weight_column_name",                     \
                        "column of the row's weight in the loss, a number of at least 0"),                             \
        DATA_COLUMN_ROW(options_type, member.id_column, "id_column", "row_id_column",                                  \
                        "column that names the row; default: <file>:<record>"),                                        \
        DATA_COLUMN_ROW(options_type, member.query_id_column, "query_id_column", NULL,                                 \
                        "column that names the query; reco prepare, without it: a hash of the query in lower case"),   \
        DATA_COLUMN_ROW(options_type, member.item_id_column, "item_id_column", NULL, "column that names the item"),    \
        DATA_COLUMN_ROW(options_type, member.position_column, "position_column", NULL,                                 \
                        "column of the rank shown to the user"),                                                       \
        DATA_COLUMN_ROW(options_type, member.clicked_column, "clicked_column", NULL, "column of clicks"),              \
        DATA_COLUMN_ROW(options_type, member.converted_column, "converted_column", NULL, "column of conversions"),     \
        DATA_COLUMN_ROW(options_type, member.dwell_column, "dwell_column", NULL, "column of dwell times in seconds"),  \
        DATA_COLUMN_ROW(options_type, member.depth_column, "depth_column", NULL, "column of browsing depths"),         \
        DATA_COLUMN_ROW(options_type, member.propensity_column, "propensity_column", NULL,                             \
                        "column of the probability with which the item was shown"),                                    \
        {.name = "carry",                                                                                              \
         .type = OPT_LIST,                                                                                             \
         .offset = offsetof(options_type, member.carry),                                                               \
         .help = "columns taken along to the predictions",                                                             \
         .group = "columns"},                                                                                          \
        LABEL_RULE_OPTION_ROWS(options_type, member.label_rule),                                                       \
        ASSEMBLE_QUERY_TEMPLATE_ROW(options_type, member.query),                                                       \
        ASSEMBLE_DESCRIPTION_TEMPLATE_ROW(options_type, member.description),                                           \
        ASSEMBLE_OPTION_ROWS(options_type, member.assemble), CLEAN_OPTION_ROWS(options_type, member.clean),            \
        DATA_STORE_ROWS(options_type, member),                                                                         \
        LABEL_MAP_ROWS(                                                                                                \
            options_type, member.label_list, member,                                                                   \
            "the labels in their order; default: those of the training file, sorted",                                  \
            "label whose probability is the score; default: the highest grade, else the last not made by '*'",         \
            "the label is a number to be predicted"),                                                                  \
    {                                                                                                                  \
        .name = "escape_special", .type = OPT_BOOL, .offset = offsetof(options_type, member.escape_special),           \
        .help = "take '[SEP]', '[MASK]'... in a text as text and not as the special token", .group = "text"            \
    }

/* What is decided over all training data. */
#define DATA_TRAIN_ROWS(options_type, member)                                                                          \
    SPLIT_OPTION_ROWS(options_type, member.split),                                                                     \
        {.name = "strict",                                                                                             \
         .type = OPT_BOOL,                                                                                             \
         .offset = offsetof(options_type, member.strict),                                                              \
         .help = "refuse data in which a query, or a pair, is on more than one side of training, validation and test", \
         .group = "split"},                                                                                            \
        NEGATIVE_OPTION_ROWS(options_type, member.negative), BALANCE_OPTION_ROWS(options_type, member.balance)

/* How pairs are cut: in prepare for its report only, in train and predict for the model's input. */
#define DATA_LENGTH_ROWS(options_type, member)                                                                         \
    {.name = "max_seq_length",                                                                                         \
     .type = OPT_INT,                                                                                                  \
     .offset = offsetof(options_type, member.max_seq_length),                                                          \
     .default_text = "128",                                                                                            \
     .min = 4,                                                                                                         \
     .max = 65536,                                                                                                     \
     .unit = "tokens",                                                                                                 \
     .help = "longest input, special tokens included",                                                                 \
     .group = "text",                                                                                                  \
     .aliases = "max_length"},                                                                                         \
    {                                                                                                                  \
        .name = "truncation", .type = OPT_CHOICE, .offset = offsetof(options_type, member.truncation),                 \
        .default_text = "longest_first", .choices = data_truncation_choices,                                           \
        .help = "which text loses tokens when a pair is too long", .group = "text"                                     \
    }

#define DATA_THREADS_ROW(options_type, member)                                                                         \
    {                                                                                                                  \
        .name = "threads", .type = OPT_INT, .offset = offsetof(options_type, member.threads), .default_text = "0",     \
        .min = 0, .max = 1024, .help = "threads that work at the same time (0: one a processor)", .group = "general"   \
    }

#endif
