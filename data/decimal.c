#include "data/decimal.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DECIMAL_MAX_TEXT 400 /* longer than any double needs with its leading zeros */

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void c_locale_make(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static bool parse_special(const char *text, size_t length, double *value)
{
    bool negative = length && text[0] == '-';
    if (length && (text[0] == '-' || text[0] == '+')) {
        text++;
        length--;
    }
    if ((length == 3 && !strncasecmp(text, "inf", 3)) || (length == 8 && !strncasecmp(text, "infinity", 8))) {
        *value = negative ? -INFINITY : INFINITY;
        return true;
    }
    if (length == 3 && !strncasecmp(text, "nan", 3)) {
        *value = NAN;
        return true;
    }
    return false;
}

static bool parse_slow(const char *text, size_t length, double *value)
{
    char copy[DECIMAL_MAX_TEXT + 1];
    if (length > DECIMAL_MAX_TEXT) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    pthread_once(&c_locale_once, c_locale_make);
    char *end = NULL;
    double parsed = c_locale ? strtod_l(copy, &end, c_locale) : strtod(copy, &end);
    if (end != copy + length) {
        return false;
    }
    *value = parsed;
    return true;
}

bool decimal_parse(const char *text, size_t length, double *value)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *at = text;
    const char *end = text + length;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    uint64_t mantissa = 0;
    size_t digits = 0;
    size_t significant = 0;
    long exponent = 0;
    for (bool point = false; at < end; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (*at < '0' || *at > '9') {
            break;
        }
        digits++;
        significant += significant || *at != '0';
        if (significant <= 15) {
            mantissa = mantissa * 10 + (uint64_t)(*at - '0');
        }
        exponent -= point;
    }
    if (!digits) {
        return parse_special(text, length, value);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        bool minus = at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+')) {
            at++;
        }
        if (at == end) {
            return false;
        }
        long written = 0;
        for (; at < end && *at >= '0' && *at <= '9'; at++) {
            if (written < 100000) {
                written = written * 10 + (*at - '0');
            }
        }
        exponent += minus ? -written : written;
    }
    if (at != end) {
        return false;
    }
    if (significant > 15 || exponent < -22 || exponent > 22) {
        return parse_slow(text, length, value);
    }
    double parsed = (double)mantissa;
    parsed = exponent < 0 ? parsed / power[-exponent] : parsed * power[exponent];
    *value = negative ? -parsed : parsed;
    return true;
}
