#ifndef RECO_CORE_LOG_H
#define RECO_CORE_LOG_H

/*
 * Talk, always on stderr; results go to stdout by the command itself. Level by --quiet / --verbose (cli sets it).
 * Colour only on a terminal, and not with NO_COLOR or CI.
 */

#include <stdbool.h>

#include "core/err.h"

enum log_level { LOG_LEVEL_QUIET, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level); /* default LOG_LEVEL_INFO; warnings are shown even when quiet is not set */
enum log_level log_get_level(void);
void log_info(const char *fmt, ...) RECO_PRINTF(1, 2);
void log_warn(const char *fmt, ...) RECO_PRINTF(1, 2); /* "warning: ..." */
void log_debug(const char *fmt, ...) RECO_PRINTF(1, 2);
void log_error(const char *fmt, ...) RECO_PRINTF(1, 2); /* at every level; only cli/ calls it */
bool log_is_terminal(void);                             /* stderr is a terminal, CI unset: bars may be drawn */

/*
 * Progress: a bar on a terminal (redrawn at most 10 times a second), else a plain line every interval_s seconds.
 * The caller formats its own figures ("loss 0.412, lr 1.8e-05, 96 pairs/s"); progress adds share and time left.
 */
struct progress {
    const char *label; /* borrowed */
    double total;      /* units of work; 0: unknown */
    double start_done; /* work done before this run (resume), left out of the rate */
    double interval_s; /* plain lines; 0 means 10 s */
    double started_s, drawn_s;
    bool bar_shown;
};
void progress_start(struct progress *p, const char *label, double total, double start_done);
void progress_update(struct progress *p, double done, const char *fmt, ...) RECO_PRINTF(3, 4);
void progress_clear(struct progress *p); /* removes the bar, so that other lines can be printed */
double clock_now_s(void);                /* monotonic seconds */

#endif
