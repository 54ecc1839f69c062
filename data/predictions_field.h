#ifndef RECO_DATA_PREDICTIONS_FIELD_H
#define RECO_DATA_PREDICTIONS_FIELD_H

/* Private to the predictions reader: the fields of one line, into the arrays of its block. */

#include "data/predictions_reader.h"

struct predictions_line {
    const struct predictions_reader *r;
    struct block *block;
    size_t row;    /* of the block */
    uint64_t line; /* of the file */
};

/* text [length] is writable and NUL-terminated. RECO_E_DATA with the line. */
int predictions_field_read(const struct predictions_line *row, const struct column *column, char *text,
                           size_t length) RECO_MUST_CHECK;

#endif
