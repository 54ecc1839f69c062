#ifndef RECO_DATA_COLUMNS_H
#define RECO_DATA_COLUMNS_H

/* The names of a table's columns, looked up for options. */

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

/* Borrowed; label: of the file in messages, with its quotes. */
struct columns {
    const char *const *names;
    size_t count;
    const char *label;
};

bool columns_have(const struct columns *c, const char *name);
/*
 * Column of a name. RECO_E_USAGE when there is none (names the nearest one), RECO_E_DATA when there are two.
 * option: the option that asked ("query_column"), for the message.
 */
int columns_find(const struct columns *c, const char *option, const char *name, size_t *column) RECO_MUST_CHECK;

#endif
