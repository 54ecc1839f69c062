#ifndef RECO_CLI_OPTS_METRICS_H
#define RECO_CLI_OPTS_METRICS_H

/*
 * The options about figures, written once for eval and compare. options_type has the members relevance_level (double),
 * gains (list), seed (integer), interval (enum bootstrap_method).
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/opt.h"

extern const char *const opts_interval_choices[];           /* by enum bootstrap_method */
int opts_metric_check(const char *name, const char *value); /* for .check: value is the name of a metric */

struct opts_need {
    const char *option;
    bool is_met;
    const char *with; /* what it does nothing without: "--slice" */
};
/* RECO_E_USAGE: one that is not met is given as a flag; a config file may serve several commands. */
int opts_needs_check(const struct opt_set *set, const struct opts_need *needs, size_t count) RECO_MUST_CHECK;

#define METRICS_GRADE_ROWS(options_type)                                                                               \
    {.name = "relevance_level",                                                                                        \
     .type = OPT_DOUBLE,                                                                                               \
     .offset = offsetof(options_type, relevance_level),                                                                \
     .help = "grade from which an item is relevant; 1 when the lowest grade is 0, else it must be given",              \
     .group = "metrics",                                                                                               \
     .letter = 'l'},                                                                                                   \
    {                                                                                                                  \
        .name = "gains", .type = OPT_LIST, .offset = offsetof(options_type, gains),                                    \
        .help = "NDCG gain of every label, as label=gain; default: 2^grade - 1", .group = "metrics"                    \
    }

#define METRICS_INTERVAL_ROWS(options_type, interval_help, level_help)                                                 \
    {.name = "interval",                                                                                               \
     .type = OPT_CHOICE,                                                                                               \
     .offset = offsetof(options_type, interval),                                                                       \
     .default_text = "bca",                                                                                            \
     .choices = opts_interval_choices,                                                                                 \
     .help = interval_help,                                                                                            \
     .group = "certainty"},                                                                                            \
        {.name = "level",                                                                                              \
         .type = OPT_DOUBLE,                                                                                           \
         .offset = offsetof(options_type, level),                                                                      \
         .default_text = "0.95",                                                                                       \
         .min = 0.5,                                                                                                   \
         .max = 0.9999,                                                                                                \
         .help = level_help,                                                                                           \
         .group = "certainty"},                                                                                        \
    {                                                                                                                  \
        .name = "seed", .type = OPT_INT, .offset = offsetof(options_type, seed), .default_text = "42", .max = 9e15,    \
        .help = "of the resamples", .group = "certainty"                                                               \
    }

/* Of the members slice_min_rows and slice_groups. */
#define METRICS_SLICE_SIZE_ROWS(options_type, min_rows_help)                                                           \
    {.name = "slice_min_rows",                                                                                         \
     .type = OPT_INT,                                                                                                  \
     .offset = offsetof(options_type, slice_min_rows),                                                                 \
     .default_text = "30",                                                                                             \
     .min = 1,                                                                                                         \
     .max = 1e12,                                                                                                      \
     .unit = "rows",                                                                                                   \
     .help = min_rows_help,                                                                                            \
     .group = "slices"},                                                                                               \
    {                                                                                                                  \
        .name = "slice_groups", .type = OPT_INT, .offset = offsetof(options_type, slice_groups), .default_text = "50", \
        .min = 2, .max = 100000,                                                                                       \
        .help = "groups of one slice, beyond which values of fewer rows than slice_min_rows are put together",         \
        .group = "slices"                                                                                              \
    }

#endif
