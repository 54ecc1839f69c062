#ifndef RECO_EVAL_REPORT_PROVENANCE_H
#define RECO_EVAL_REPORT_PROVENANCE_H

/* Private to the writers: the versions of the figures, and what of them is undefined, as lines that text, Markdown and
 * the page lay out. */

#include "eval/report.h"

/* The versions of the metrics: "1", or "1, but f1 2, map 2" where some have another one than the first. A value is
 * needed. */
int report_versions(const struct eval_report *report, struct buf *b) RECO_MUST_CHECK;

/* A text of what is undefined and why. */
typedef int note_line(void *arg, const char *text);

/* A model made the rows, and no column says whether it saw all of each. */
bool report_has_unknown_truncation(const struct eval_report *report);

/* Figures by class that have nothing to be of, and how the means over the classes take them. */
int report_class_notes(const struct eval_report *report, note_line *line, void *arg) RECO_MUST_CHECK;
/* The queries that rows of the table by depth leave out: a text a reason. */
int report_left_out_notes(const struct eval_report *report, note_line *line, void *arg) RECO_MUST_CHECK;
/* Figures that only one of the parts has, or none: "truncated: mcc, kappa: no row has the label". */
int report_part_notes(const struct eval_report *report, note_line *line, void *arg) RECO_MUST_CHECK;

#endif
