#ifndef RECO_EVAL_BEHAVIOUR_H
#define RECO_EVAL_BEHAVIOUR_H

/* Private to eval/: what rows with events come to beside the figures. */

#include "eval/report_provenance.h"

/* "64000 impressions, 9394 clicked"; nothing without events. */
int report_add_counts(const struct eval_report *report, struct buf *b) RECO_MUST_CHECK;
/* What a reader of the figures should know of the rows: conversions that do not count, weights, places. */
int report_event_notes(const struct eval_report *report, note_line *line, void *arg) RECO_MUST_CHECK;
/* The table by position as Markdown; nothing without positions. */
int report_markdown_positions(const struct eval_report *report, struct buf *b) RECO_MUST_CHECK;
/* The same as TSV: position, rows, and a column a figure. */
int report_tsv_positions(const struct eval_report *report, struct buf *b) RECO_MUST_CHECK;
/* Rows of one weight that tell as much as the weighted ones; NaN without weights.     Source: Kish 1965. */
double report_effective_rows(const struct eval_behaviour *sum);

#endif
