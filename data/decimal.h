#ifndef RECO_DATA_DECIMAL_H
#define RECO_DATA_DECIMAL_H

/*
 * Decimal text to double, correctly rounded and whatever the locale: short numbers (up to 15 digits, |exponent| <= 22)
 * by one exact multiplication or division, the rest by strtod_l.     Source: Clinger 1990, "How to read floating point
 * numbers accurately", fast path. Accepts what printf writes: sign, digits, point, exponent, "inf", "infinity", "nan".
 */

#include <stdbool.h>
#include <stddef.h>

/* The whole of text [length] must be a number: no blanks, no hexadecimal. False: *value is untouched. */
bool decimal_parse(const char *text, size_t length, double *value);

#endif
