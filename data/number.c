#include "data/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX_LENGTH = 63 };

bool number_parse(const char *text, size_t length, double *out)
{
    char copy[NUMBER_MAX_LENGTH + 1];
    char *end = NULL;
    double value;

    if (length == 0 || length > NUMBER_MAX_LENGTH) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\0' || strchr("0123456789+-.eE", text[i]) == NULL) {
            return false;
        }
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    value = strtod(copy, &end);
    if (end != copy + length || !isfinite(value)) {
        return false;
    }
    *out = value;
    return true;
}
