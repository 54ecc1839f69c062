#ifndef RECO_DATA_PREDICTIONS_NAMES_H
#define RECO_DATA_PREDICTIONS_NAMES_H

/* Private to the predictions reader: which column of a file is what. */

#include "data/predictions_reader.h"
#include "data/predictions_source.h"

/*
 * columns [count], zero-initialised, get their kinds by the names [count] and source; those of no meaning are
 * COLUMN_EXTRA. A column of probabilities gets its label, allocated (columns[].label; NULL: the positive one), and its
 * place later. RECO_E_USAGE: a name that was asked for is not there, or two ask for one column; RECO_E_DATA: two
 * columns of one name.
 */
int predictions_name_columns(struct column *columns, char *const *names, size_t count, const char *path,
                             const struct predictions_source *source) RECO_MUST_CHECK;
void predictions_columns_free(struct column *columns, size_t count); /* NULL-safe */

#endif
