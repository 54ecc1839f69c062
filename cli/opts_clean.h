#ifndef RECO_CLI_OPTS_CLEAN_H
#define RECO_CLI_OPTS_CLEAN_H

/*
 * The options of cleaning, written once for every command that reads texts. `options_type` is the command's options
 * struct and `member` its struct clean_options (data/clean.h):
 *
 *     static const struct opt_spec specs[] = {..., CLEAN_OPTION_ROWS(struct prepare_command, clean), ... {0}};
 */

#include <stddef.h>

#include "core/opt.h"
#include "data/clean.h"

#define CLEAN_CHARS_ROW(options_type, field, row_name, row_help)                                                       \
    {                                                                                                                  \
        .name = row_name, .type = OPT_INT, .offset = offsetof(options_type, field), .default_text = "0", .min = 0,     \
        .max = 1e9, .unit = "characters", .help = row_help, .group = "cleaning"                                        \
    }

/* The rules and kinds of data are listed behind the options of prepare and train: clean_help_text. */
#define CLEAN_OPTION_ROWS(options_type, member)                                                                        \
    {.name = "clean",                                                                                                  \
     .type = OPT_LIST,                                                                                                 \
     .offset = offsetof(options_type, member.clean),                                                                   \
     .help = "cleaning rules, by name ('reco help prepare' lists them), or 'all'; default: none",                      \
     .group = "cleaning",                                                                                              \
     .check = clean_rule_check},                                                                                       \
        {.name = "mask",                                                                                               \
         .type = OPT_LIST,                                                                                             \
         .offset = offsetof(options_type, member.mask),                                                                \
         .help = "personal data to be replaced before anything is written: email, phone, card or all",                 \
         .group = "cleaning",                                                                                          \
         .check = clean_mask_check},                                                                                   \
        CLEAN_CHARS_ROW(options_type, member.min_query_chars, "min_query_chars",                                       \
                        "drop rows with a shorter query, after cleaning (0: no limit)"),                               \
        CLEAN_CHARS_ROW(options_type, member.max_query_chars, "max_query_chars",                                       \
                        "drop rows with a longer query (0: no limit)"),                                                \
        CLEAN_CHARS_ROW(options_type, member.min_description_chars, "min_description_chars",                           \
                        "drop rows with a shorter description (0: no limit)"),                                         \
        CLEAN_CHARS_ROW(options_type, member.max_description_chars, "max_description_chars",                           \
                        "drop rows with a longer description (0: no limit)"),                                          \
        {.name = "contradictions",                                                                                     \
         .type = OPT_CHOICE,                                                                                           \
         .offset = offsetof(options_type, member.contradictions),                                                      \
         .default_text = "drop",                                                                                       \
         .choices = clean_contradictions_choices,                                                                      \
         .help = "what --clean contradictions does with rows of one pair and several labels: drop them all, keep the " \
                 "most frequent label's, or keep the first row's label",                                               \
         .group = "cleaning"},                                                                                         \
    {                                                                                                                  \
        .name = "near_duplicate_threshold", .type = OPT_DOUBLE,                                                        \
        .offset = offsetof(options_type, member.near_duplicate_threshold), .default_text = "0.8", .min = 0.1,          \
        .max = 1, .help = "share of 3-word sequences in common (Jaccard) that makes two texts near-duplicates",        \
        .group = "cleaning"                                                                                            \
    }

#endif
