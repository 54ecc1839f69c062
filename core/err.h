#ifndef RECO_CORE_ERR_H
#define RECO_CORE_ERR_H

/*
 * Errors: a function that can fail returns int, 0 or a negative enum reco_err, and is marked RECO_MUST_CHECK.
 * The message is set where the cause is known (err_set); callers only put words in front of it (err_prepend).
 * Messages are lower case, without a full stop, error first, subject quoted, position given:
 *     cannot parse 'train.csv' line 128: label 'yes' is not one of 'no', 'maybe'
 * The message is per thread; work done on a pool hands its error back to the caller's thread (pool.h).
 * Only cli/ prints errors and exits.
 */

#include <stdarg.h>

#define RECO_MUST_CHECK __attribute__((warn_unused_result))
#define RECO_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum reco_err {
    RECO_OK = 0,
    RECO_E_GATE = -1,     /* a --require gate was not met              exit 1       */
    RECO_E_USAGE = -2,    /* bad option, bad combination               exit 2       */
    RECO_E_DATA = -3,     /* bad input data                            exit 3       */
    RECO_E_IO = -4,       /* cannot read or write, disk full           exit 4       */
    RECO_E_DIVERGED = -5, /* training diverged                         exit 5       */
    RECO_E_MODEL = -6,    /* model files, libtorch or device           exit 6       */
    RECO_E_NOMEM = -7,    /* out of memory                             exit 70      */
    RECO_E_INTERNAL = -8, /* a bug in reco                             exit 70      */
    RECO_E_STOPPED = -9   /* stopped by SIGINT / SIGTERM               exit 130/143 */
};

/* Sets this thread's message and returns code (so that `return err_set(RECO_E_DATA, "...")` reads well). */
int err_set(int code, const char *fmt, ...) RECO_PRINTF(2, 3);

/* err_set with ": <strerror(errno)>" at the end; ENOMEM becomes RECO_E_NOMEM, everything else RECO_E_IO. */
int err_set_errno(const char *fmt, ...) RECO_PRINTF(1, 2);

/* Puts the formatted words in front of the message, as "<words>: <message>"; returns code. */
int err_prepend(int code, const char *fmt, ...) RECO_PRINTF(2, 3);

/* RECO_E_NOMEM with a fixed message; allocates nothing. */
int err_nomem(void);

/* The current message, "" when none. Borrowed, valid until the next err_* call of this thread. */
const char *err_message(void);

void err_clear(void);

/* The exit status documented in README for a code (0 for RECO_OK). RECO_E_STOPPED gives 130; cli knows the signal. */
int err_exit_status(int code);

#endif
