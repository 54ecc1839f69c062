#ifndef RECO_EVAL_TRY_H
#define RECO_EVAL_TRY_H

#include "core/err.h"

/* Private to the report writers: returns a failed call's code. For functions that own nothing; others use one done:
 * label. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        int try_rc = (call);                                                                                           \
        if (try_rc) {                                                                                                  \
            return try_rc;                                                                                             \
        }                                                                                                              \
    } while (0)

#endif
