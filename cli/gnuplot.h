#ifndef RECO_CLI_GNUPLOT_H
#define RECO_CLI_GNUPLOT_H

#include <stddef.h>

#include "core/err.h"
#include "eval/page.h"

/* Fills in the SVG of each picture by gnuplot. Where gnuplot is not installed or cannot draw one, svg stays empty. */
int gnuplot_draw(struct page_picture *pictures, size_t count) RECO_MUST_CHECK;

#endif
