#ifndef RECO_EVAL_PICTURE_INTERNAL_H
#define RECO_EVAL_PICTURE_INTERNAL_H

/* Private to the pictures of a report, and to the page that shows the same numbers as tables. */

#include "eval/calibrate.h"
#include "eval/picture.h"
#include "eval/report.h"

/*
 * One more picture: *about for its title and words, *program for gnuplot; NULL: there is no room, which a page with so
 * many slices does not miss.
 */
struct buf *picture_add(struct eval_pictures *pictures, enum eval_picture_place place,
                        struct eval_picture_about **about);

/* Once all titles are written. */
void pictures_name(struct eval_pictures *pictures);

/* The head of a program: size, font, colours, axes. */
int picture_begin(struct buf *b, const char *name, int height, const char *x, const char *y) RECO_MUST_CHECK;
/* The beginning of text that is at most so many columns wide. */
int picture_add_shortened(struct buf *b, const char *text, size_t columns) RECO_MUST_CHECK;
/* The same as gnuplot's quoted string. */
int picture_quoted(struct buf *b, const char *text, size_t columns) RECO_MUST_CHECK;

int picture_plan_curves(struct eval_pictures *pictures, const struct eval_report *report) RECO_MUST_CHECK;
int picture_plan_reliability(struct eval_pictures *pictures, const struct eval_report *report) RECO_MUST_CHECK;
int picture_plan_values(struct eval_pictures *pictures, const struct eval_report *report) RECO_MUST_CHECK;
int picture_plan_queries(struct eval_pictures *pictures, const struct eval_report *report) RECO_MUST_CHECK;
int picture_plan_slices(struct eval_pictures *pictures, const struct eval_report *report) RECO_MUST_CHECK;
int picture_plan_lengths(struct eval_pictures *pictures, const struct eval_report *report) RECO_MUST_CHECK;
int picture_plan_arms(struct eval_pictures *pictures, const struct eval_report *report) RECO_MUST_CHECK;
int picture_plan_positions(struct eval_pictures *pictures, const struct eval_report *report) RECO_MUST_CHECK;

/* About five steps over a width, each 1, 2 or 5 times a power of ten. */
double picture_nice_step(double width);

/* Class against the rest? The positive one of two, else each. */
bool picture_has_curve(const struct eval_report *report, int label);

/* ---- what pictures and tables share ---- */

/* Calibration of the positive class of two, else of the most probable one. False: no probabilities. */
bool report_reliability(const struct eval_report *report, struct calibrate_bin bins[CALIBRATE_BINS], bool *of_top);

enum { REPORT_LENGTH_BINS = 32 };
struct report_length_bin {
    double rows, truncated;
    double judged, error; /* rows with a label (target); wrong ones (sum of |value - target|) */
};
/* Rows by tokens, in bins of width tokens from 1; how many bins there are, 0: lengths are unknown. */
size_t report_lengths(const struct eval_report *report, struct report_length_bin bins[REPORT_LENGTH_BINS],
                      size_t *width);

/* The interval of a value; NULL: none. */
const struct interval *report_interval(const struct eval_report *report, size_t value);

#endif
