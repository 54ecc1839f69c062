#ifndef RECO_DATA_NUMBER_H
#define RECO_DATA_NUMBER_H

/*
 * Numbers in text fields: decimal only ("3", "-0.5", "1e-3"), the whole field, finite. No blanks, hexadecimal, "inf" or
 * "nan": what strtod takes beyond this is a typing mistake in a data file.
 */

#include <stdbool.h>
#include <stddef.h>

/* false leaves *out untouched. text need not be terminated. */
bool number_parse(const char *text, size_t length, double *out);

#endif
