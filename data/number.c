#include "data/number.h"

#include <math.h>
#include <string.h>

#include "data/decimal.h"

bool number_parse(const char *text, size_t length, double *out)
{
    double value;

    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0' || strchr("0123456789+-.eE", text[i]) == NULL)
            return false;
    if (!decimal_parse(text, length, &value) || !isfinite(value))
        return false;
    *out = value;
    return true;
}
