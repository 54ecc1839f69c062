#include "data/timestamp.h"

#include <math.h>
#include <string.h>

#include "data/number.h"

#define US_PER_S INT64_C(1000000)

/* ---- numbers ---- */

/* Whole numbers apart from doubles, which hold no more than 2^53. */
static bool parse_whole(const char *text, size_t length, int64_t *value)
{
    size_t i = length > 0 && text[0] == '-';
    int64_t sum = 0;

    if (length == i || length - i > 19)
        return false;
    for (; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, text[i] - '0', &sum))
            return false;
    }
    *value = text[0] == '-' ? -sum : sum;
    return true;
}

static int64_t divide_down(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static bool parse_number(const char *text, size_t length, int64_t *us)
{
    int64_t whole;
    double number;

    if (parse_whole(text, length, &whole)) {
        uint64_t size = whole < 0 ? 0 - (uint64_t)whole : (uint64_t)whole;
        *us = size < 100000000000ull         ? whole * US_PER_S
              : size < 100000000000000ull    ? whole * 1000
              : size < 100000000000000000ull ? whole
                                             : divide_down(whole, 1000);
        return true;
    }
    if (!number_parse(text, length, &number) || fabs(number) >= 9.2e18)
        return false;
    double scale = fabs(number) < 1e11 ? 1e6 : fabs(number) < 1e14 ? 1e3 : fabs(number) < 1e17 ? 1.0 : 1e-3;
    *us = (int64_t)floor(number * scale + 1e-3); /* 1e-3: 0.29 * 1e6 is a little below 290000 */
    return true;
}

/* ---- dates ---- */

struct cursor {
    const char *at, *end;
};

/* Exactly count digits. */
static bool take_digits(struct cursor *c, int count, int *value)
{
    int sum = 0;

    if (c->end - c->at < count)
        return false;
    for (int i = 0; i < count; i++) {
        if (c->at[i] < '0' || c->at[i] > '9')
            return false;
        sum = sum * 10 + c->at[i] - '0';
    }
    c->at += count;
    *value = sum;
    return true;
}

static bool take(struct cursor *c, char wanted)
{
    bool found = c->at < c->end && *c->at == wanted;

    c->at += found;
    return found;
}

/* Days since 1970-01-01 in the Gregorian calendar. Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
}

static bool take_date(struct cursor *c, int64_t *days)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;

    if (!take_digits(c, 4, &year))
        return false;
    bool slashes = take(c, '/'), dashes = !slashes && take(c, '-');
    char between = slashes ? '/' : '-';
    if (!take_digits(c, 2, &month) || ((slashes || dashes) && !take(c, between)) || !take_digits(c, 2, &day))
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1] + (month == 2 && leap))
        return false;
    *days = days_from_civil(year, month, day);
    return true;
}

static int64_t take_fraction_us(struct cursor *c)
{
    int64_t us = 0, unit = US_PER_S;

    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        unit /= 10;
        us += unit * (*c->at - '0');
    }
    return us;
}

/* Hour, minute and perhaps second with a fraction. */
static bool take_clock(struct cursor *c, int64_t *us)
{
    int hour, minute, second = 0;

    if (!take_digits(c, 2, &hour))
        return false;
    bool colons = take(c, ':');
    if (!take_digits(c, 2, &minute))
        return false;
    bool has_second = colons ? take(c, ':') : c->at < c->end && *c->at >= '0' && *c->at <= '9';
    if (has_second && !take_digits(c, 2, &second))
        return false;
    if (hour > 24 || minute > 59 || second > 60 || (hour == 24 && minute + second > 0))
        return false;
    *us = ((int64_t)(hour * 60 + minute) * 60 + second) * US_PER_S;
    if (has_second && c->end - c->at > 1 && (*c->at == '.' || *c->at == ',')) {
        c->at++;
        if (*c->at < '0' || *c->at > '9')
            return false;
        *us += take_fraction_us(c);
    }
    return true;
}

/* "Z", "UTC", "+01", "+0130", "-01:30" or nothing, to the end. */
static bool take_offset(struct cursor *c, int64_t *us)
{
    int hours, minutes = 0;

    *us = 0;
    if (c->at == c->end)
        return true;
    if (take(c, 'Z') || take(c, 'z'))
        return c->at == c->end;
    while (take(c, ' '))
        continue;
    if (c->end - c->at == 3 && memcmp(c->at, "UTC", 3) == 0)
        return true;
    bool west = take(c, '-');
    if ((!west && !take(c, '+')) || !take_digits(c, 2, &hours))
        return false;
    bool colon = take(c, ':');
    if ((colon || c->at < c->end) && !take_digits(c, 2, &minutes))
        return false;
    *us = (int64_t)(hours * 60 + minutes) * 60 * US_PER_S * (west ? -1 : 1);
    return c->at == c->end && hours <= 24 && minutes <= 59;
}

bool timestamp_parse(const char *text, size_t length, int64_t *us)
{
    struct cursor c = {text, text + length};
    int64_t days, clock = 0, offset = 0;

    if (parse_number(text, length, us))
        return true;
    if (!take_date(&c, &days))
        return false;
    if (c.at < c.end) {
        if (!take(&c, 'T') && !take(&c, 't') && !take(&c, ' '))
            return false;
        if (!take_clock(&c, &clock) || !take_offset(&c, &offset))
            return false;
    }
    *us = days * 86400 * US_PER_S + clock - offset;
    return true;
}

/* ---- writing ---- */

static void put_digits(char *at, int count, int value)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
}

int timestamp_add(struct buf *b, int64_t us)
{
    int64_t seconds = divide_down(us, US_PER_S), days = divide_down(seconds, 86400);
    int fraction = (int)(us - seconds * US_PER_S), clock = (int)(seconds - days * 86400);
    int64_t shifted = days + 719468, era = divide_down(shifted, 146097), of_era = shifted - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int march_month = (int)((5 * day_of_year + 2) / 153), month = march_month < 10 ? march_month + 3 : march_month - 9;
    int day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    long long year = (long long)(year_of_era + era * 400 + (month <= 2));

    char text[] = "0000-00-00T00:00:00.000000Z";
    if (year < 0 || year > 9999)
        return buf_printf(b, "%04lld-%02d-%02dT%02d:%02d:%02d.%06dZ", year, month, day, clock / 3600, clock / 60 % 60,
                          clock % 60, fraction);
    put_digits(text, 4, (int)year);
    put_digits(text + 5, 2, month);
    put_digits(text + 8, 2, day);
    put_digits(text + 11, 2, clock / 3600);
    put_digits(text + 14, 2, clock / 60 % 60);
    put_digits(text + 17, 2, clock % 60);
    put_digits(text + 20, 6, fraction);
    size_t length = fraction == 0 ? 19 : fraction % 1000 == 0 ? 23 : 26;
    text[length] = 'Z';
    return buf_add(b, text, length + 1);
}

int duration_parse(const char *text, int64_t *us)
{
    static const struct {
        const char *suffix;
        double us;
    } units[] = {{"", 1e6}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"min", 60e6}, {"h", 3600e6}, {"d", 86400e6}};
    size_t digits = strspn(text, "0123456789.");
    double value;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text + digits, units[i].suffix) == 0 && number_parse(text, digits, &value) &&
            value * units[i].us < 9e18) {
            *us = (int64_t)(value * units[i].us + 0.5);
            return 0;
        }
    return err_set(RECO_E_USAGE, "'%s' is not a duration, such as 30m, 90s or 1.5h", text);
}
