#ifndef RECO_CLI_OPTS_BALANCE_H
#define RECO_CLI_OPTS_BALANCE_H

/*
 * Balance of the classes and negatives, written once for every command that makes training data: options_type is the
 * command's options struct; member is its struct balance_options (data/balance.h), or struct negative_options
 * (data/negatives.h).
 */

#include <math.h>
#include <stddef.h>

#include "core/opt.h"
#include "data/balance.h"
#include "data/negatives.h"

#define BALANCE_OPTION_ROWS(options_type, member)                                                                      \
    {.name = "balance",                                                                                                \
     .type = OPT_CHOICE,                                                                                               \
     .offset = offsetof(options_type, member.balance),                                                                 \
     .default_text = "none",                                                                                           \
     .choices = balance_method_choices,                                                                                \
     .help = "leave out rows of large classes of the training data (under), or repeat rows of small ones (over)",      \
     .group = "balance"},                                                                                              \
        {.name = "balance_ratio",                                                                                      \
         .type = OPT_DOUBLE,                                                                                           \
         .offset = offsetof(options_type, member.balance_ratio),                                                       \
         .default_text = "1",                                                                                          \
         .min = 1,                                                                                                     \
         .max = INFINITY,                                                                                              \
         .help = "with --balance: the largest class has at most so many times the rows of the smallest",               \
         .group = "balance"},                                                                                          \
        {.name = "class_weights",                                                                                      \
         .type = OPT_STRING,                                                                                           \
         .offset = offsetof(options_type, member.class_weights),                                                       \
         .help = "weight of each class in the loss: 'balanced', or a file, JSON {\"label\": weight} or CSV with the "  \
                 "columns label and weight; it multiplies the row's own weight",                                       \
         .group = "balance",                                                                                           \
         .flags = OPT_FLAG_PATH},                                                                                      \
    {                                                                                                                  \
        .name = "balance_seed", .type = OPT_INT, .offset = offsetof(options_type, member.balance_seed),                \
        .default_text = "1", .min = 0, .max = 9e15, .help = "decides which rows are left out or repeated",             \
        .group = "balance"                                                                                             \
    }

#define NEGATIVE_OPTION_ROWS(options_type, member)                                                                     \
    {.name = "negatives",                                                                                              \
     .type = OPT_CHOICE,                                                                                               \
     .offset = offsetof(options_type, member.negatives),                                                               \
     .default_text = "none",                                                                                           \
     .choices = negative_method_choices,                                                                               \
     .help = "add rows with items that are no known positive of the query, for training data of positives only: "      \
             "any item alike, by its popularity, of the same category, or similar by words (BM25)",                    \
     .group = "negatives"},                                                                                            \
        {.name = "negatives_per_positive",                                                                             \
         .type = OPT_INT,                                                                                              \
         .offset = offsetof(options_type, member.negatives_per_positive),                                              \
         .default_text = "4",                                                                                          \
         .min = 1,                                                                                                     \
         .max = 1000,                                                                                                  \
         .unit = "rows",                                                                                               \
         .help = "negatives for each positive row",                                                                    \
         .group = "negatives"},                                                                                        \
        {.name = "negative_power",                                                                                     \
         .type = OPT_DOUBLE,                                                                                           \
         .offset = offsetof(options_type, member.negative_power),                                                      \
         .default_text = "0.75",                                                                                       \
         .min = 0,                                                                                                     \
         .max = 4,                                                                                                     \
         .help = "popularity: an item is drawn by the number of its rows to this power",                               \
         .group = "negatives"},                                                                                        \
        {.name = "negative_label",                                                                                     \
         .type = OPT_STRING,                                                                                           \
         .offset = offsetof(options_type, member.negative_label),                                                      \
         .default_text = "0",                                                                                          \
         .help = "label of the rows added",                                                                            \
         .group = "negatives"},                                                                                        \
        {.name = "category_column",                                                                                    \
         .type = OPT_STRING,                                                                                           \
         .offset = offsetof(options_type, member.category_column),                                                     \
         .help = "column of the item's category, for --negatives category",                                            \
         .group = "negatives"},                                                                                        \
        {.name = "negative_rank_from",                                                                                 \
         .type = OPT_INT,                                                                                              \
         .offset = offsetof(options_type, member.negative_rank_from),                                                  \
         .default_text = "5",                                                                                          \
         .min = 1,                                                                                                     \
         .max = 100000,                                                                                                \
         .help = "bm25: first rank taken, counted without the known positives; the very best are often positives "     \
                 "that nobody judged",                                                                                 \
         .group = "negatives"},                                                                                        \
        {.name = "negative_rank_to",                                                                                   \
         .type = OPT_INT,                                                                                              \
         .offset = offsetof(options_type, member.negative_rank_to),                                                    \
         .default_text = "100",                                                                                        \
         .min = 1,                                                                                                     \
         .max = 100000,                                                                                                \
         .help = "bm25: last rank taken",                                                                              \
         .group = "negatives"},                                                                                        \
    {                                                                                                                  \
        .name = "negative_seed", .type = OPT_INT, .offset = offsetof(options_type, member.negative_seed),              \
        .default_text = "1", .min = 0, .max = 9e15, .help = "decides which items are drawn", .group = "negatives"      \
    }

#endif
