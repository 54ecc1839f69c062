#ifndef RECO_CLI_EVAL_PAGE_H
#define RECO_CLI_EVAL_PAGE_H

/* report.html of `reco eval`: pictures drawn, worst rows looked up, and the report's directory written. */

#include "cli/eval_options.h"
#include "data/predictions.h"
#include "eval/evaluate.h"

struct eval_directory {
    const char *text, *json;  /* of the report */
    const char *const *gates; /* [gate_count] lines */
    const bool *gates_passed; /* [gate_count] */
    size_t gate_count;
};

/* p: what report was made of; NULL: a TREC run. */
int eval_directory_write(const struct eval_report *report, const struct predictions *p, const struct eval_command *c,
                         const struct eval_directory *directory) RECO_MUST_CHECK;

/*
 * Are the rows' ids and carried columns to be held while predictions are read, as the file will be gone when the page
 * is made?
 */
bool eval_page_holds_texts(const struct eval_command *c);

#endif
