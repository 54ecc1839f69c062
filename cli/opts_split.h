#ifndef RECO_CLI_OPTS_SPLIT_H
#define RECO_CLI_OPTS_SPLIT_H

/*
 * How the training files are split, written once for every command that makes training data: options_type is the
 * command's options struct and member its struct split_options (data/split.h).
 */

#include <stddef.h>

#include "core/opt.h"
#include "data/split.h"

#define SPLIT_OPTION_ROWS(options_type, member)                                                                        \
    {.name = "split",                                                                                                  \
     .type = OPT_LIST,                                                                                                 \
     .offset = offsetof(options_type, member.split),                                                                   \
     .help = "split the training files, as train=0.8,validation=0.1,test=0.1; a row's side never changes when rows "   \
             "are added",                                                                                              \
     .group = "split",                                                                                                 \
     .check = split_check_share},                                                                                      \
        {.name = "split_by",                                                                                           \
         .type = OPT_CHOICE,                                                                                           \
         .offset = offsetof(options_type, member.split_by),                                                            \
         .default_text = "query",                                                                                      \
         .choices = split_by_choices,                                                                                  \
         .help = "query: all rows of a query on one side; row: by the pair; stratified: by the pair, within each "     \
                 "label; time: the earliest rows train, the latest test",                                              \
         .group = "split"},                                                                                            \
        {.name = "split_seed",                                                                                         \
         .type = OPT_INT,                                                                                              \
         .offset = offsetof(options_type, member.split_seed),                                                          \
         .default_text = "1",                                                                                          \
         .min = 0,                                                                                                     \
         .max = 9e15,                                                                                                  \
         .help = "decides which rows fall on which side",                                                              \
         .group = "split"},                                                                                            \
    {                                                                                                                  \
        .name = "split_at", .type = OPT_LIST, .offset = offsetof(options_type, member.split_at),                       \
        .help = "with --split_by time: rows from this time on are test data; two times: validation data lie between",  \
        .group = "split", .check = split_check_time                                                                    \
    }

#endif
