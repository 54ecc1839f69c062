#ifndef RECO_CLI_COMPARE_OPTIONS_H
#define RECO_CLI_COMPARE_OPTIONS_H

/* The options of `reco compare`. */

#include "cli/cmd.h"
#include "cli/memory_limit.h"
#include "cli/opts_predictions.h"

enum compare_format { COMPARE_FORMAT_TEXT, COMPARE_FORMAT_JSON, COMPARE_FORMAT_MARKDOWN };

struct compare_command { /* not compare_options, which is eval/compare.h's */
    struct cmd_common common;
    char *qrels, *query_text, *html, *junit;
    struct opt_list metrics, gains, require, slices;
    int test, interval, format; /* enum compare_test, bootstrap_method, compare_format */
    double level, relevance_level;
    int64_t resamples, samples, seed, listed, threads, slice_min_rows, slice_groups;
    bool all_pairs;
    struct predictions_source_options source;
    struct memory_limit memory;
};

extern const struct opt_spec compare_option_specs[];

struct compare;
struct compare_slices;
/* Prints the comparison, with its slices (NULL: none), and writes its files. RECO_E_GATE: a gate is not met. */
int compare_output(const struct compare_command *o, const struct compare *c,
                   const struct compare_slices *slices) RECO_MUST_CHECK;

#endif
