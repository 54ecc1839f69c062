#ifndef RECO_CLI_EVAL_EVENTS_H
#define RECO_CLI_EVAL_EVENTS_H

/* What `reco eval` does with events: tables of impressions, late conversions, large weights. */

#include "cli/eval_options.h"
#include "data/predictions.h"
#include "eval/evaluate.h"

/* Impressions without predictions, of --events; with all their columns, or the one of the arms alone. */
int eval_events_read(const struct eval_command *c, bool all_columns, struct predictions **p) RECO_MUST_CHECK;
/* What must be added to positions, so that the first is 1. */
double eval_events_shift(const struct eval_command *c);

/* Must rows be held for what --attribution_window and --max_weight do to them? */
bool eval_events_change(const struct eval_command *c);
/* Does it, and says so in out. RECO_E_USAGE: there are no such columns. */
int eval_events_treat(struct eval_attributed *out, const struct eval_command *c, struct predictions *p) RECO_MUST_CHECK;

#endif
