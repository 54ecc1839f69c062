#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/opt_internal.h"

union scalar {
    bool flag;
    int64_t integer;
    double number;
    int choice;
    struct opt_amount amount;
};

/* ---- text to value ---- */

static bool has_range(const struct opt_spec *spec)
{
    return spec->min != 0 || spec->max != 0;
}

static int check_range(const struct opt_spec *spec, double value, const char *text)
{
    if (!has_range(spec) || (value >= spec->min && value <= spec->max))
        return 0;
    if (isinf(spec->max))
        return err_set(RECO_E_USAGE, "%s is below %.15g", text, spec->min);
    if (isinf(spec->min))
        return err_set(RECO_E_USAGE, "%s is above %.15g", text, spec->max);
    return err_set(RECO_E_USAGE, "%s is outside %.15g..%.15g", text, spec->min, spec->max);
}

static int parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *out = strcasecmp(text, yes[i]) == 0;
            return 0;
        }
    }
    return err_set(RECO_E_USAGE, "'%s' is not true or false", text);
}

/* Decimal only; neither blanks around it nor an empty text. */
static int parse_int(const char *text, int64_t *out)
{
    const char *digits = text[0] == '-' || text[0] == '+' ? text + 1 : text;
    if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return err_set(RECO_E_USAGE, "'%s' is not a whole number", text);
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno == ERANGE)
        return err_set(RECO_E_USAGE, "%s is too large for a whole number", text);
    *out = value;
    return 0;
}

/* *rest: the first byte behind the number. */
static int parse_leading_double(const char *text, double *out, const char **rest)
{
    char *end = NULL;
    bool plain = text[0] != '\0' && strchr("+-.0123456789", text[0]) != NULL && strpbrk(text, "xX") == NULL;
    double value = plain ? strtod(text, &end) : 0;
    if (!plain || end == text)
        return err_set(RECO_E_USAGE, "'%s' is not a number", text);
    if (!isfinite(value))
        return err_set(RECO_E_USAGE, "'%s' is not a finite number", text);
    *out = value;
    *rest = end;
    return 0;
}

static int parse_double(const char *text, double *out)
{
    double value;
    const char *rest;
    if (strcasecmp(text, "nan") == 0 || strcasecmp(text, "inf") == 0 || strcasecmp(text, "-inf") == 0)
        return err_set(RECO_E_USAGE, "'%s' is not a finite number", text);
    int status = parse_leading_double(text, &value, &rest);
    if (status != 0)
        return status;
    if (*rest != '\0')
        return err_set(RECO_E_USAGE, "'%s' is not a number", text);
    *out = value;
    return 0;
}

static int parse_bytes(const char *text, int64_t *out)
{
    static const struct {
        const char *suffix;
        double bytes;
    } units[] = {{"", 1},         {"B", 1},      {"K", 0x1p10},   {"KiB", 0x1p10}, {"M", 0x1p20},
                 {"MiB", 0x1p20}, {"G", 0x1p30}, {"GiB", 0x1p30}, {"T", 0x1p40},   {"TiB", 0x1p40}};
    double value;
    const char *rest;
    if (parse_leading_double(text, &value, &rest) != 0)
        return err_set(RECO_E_USAGE, "'%s' is not a size, such as 16MiB", text);
    while (*rest == ' ')
        rest++;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcasecmp(rest, units[i].suffix) != 0)
            continue;
        value *= units[i].bytes;
        if (value < 0 || value >= 0x1p63)
            return err_set(RECO_E_USAGE, "'%s' is not a possible size", text);
        *out = (int64_t)value;
        return 0;
    }
    return err_set(RECO_E_USAGE, "'%s' is not a size: the suffix must be K, M, G or T", text);
}

static int parse_amount(const char *text, struct opt_amount *out)
{
    double value;
    const char *rest;
    if (parse_leading_double(text, &value, &rest) != 0)
        return err_set(RECO_E_USAGE, "'%s' is not a count or a per cent, such as 10 or 0.1%%", text);
    if (strcmp(rest, "%") == 0) {
        if (value < 0 || value > 100)
            return err_set(RECO_E_USAGE, "%s is outside 0%%..100%%", text);
        *out = (struct opt_amount){value / 100, true};
        return 0;
    }
    if (*rest != '\0')
        return err_set(RECO_E_USAGE, "'%s' is not a count or a per cent, such as 10 or 0.1%%", text);
    if (value < 0 || value != floor(value))
        return err_set(RECO_E_USAGE, "%s is not a count (a share is written with %%)", text);
    *out = (struct opt_amount){value, false};
    return 0;
}

static int parse_choice(const struct opt_spec *spec, const char *text, int *out)
{
    size_t count = 0;
    for (; spec->choices[count] != NULL; count++) {
        if (opt_name_equal(spec->choices[count], text)) {
            *out = (int)count;
            return 0;
        }
    }
    struct buf list = {0};
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = buf_printf(&list, "%s'%s'", i > 0 ? ", " : "", spec->choices[i]);
    if (status == 0) {
        const char *nearest = opt_nearest(text, spec->choices, count);
        status = nearest == NULL ? err_set(RECO_E_USAGE, "'%s' is not one of %s", text, buf_str(&list))
                                 : err_set(RECO_E_USAGE, "'%s' is not one of %s, did you mean '%s'?", text,
                                           buf_str(&list), nearest);
    }
    buf_release(&list);
    return status;
}

static int parse_scalar(const struct opt_spec *spec, const char *text, union scalar *out)
{
    int status = 0;
    switch (spec->type) {
    case OPT_BOOL:
        return parse_bool(text, &out->flag);
    case OPT_INT:
        status = parse_int(text, &out->integer);
        return status != 0 ? status : check_range(spec, (double)out->integer, text);
    case OPT_DOUBLE:
        status = parse_double(text, &out->number);
        return status != 0 ? status : check_range(spec, out->number, text);
    case OPT_BYTES:
        status = parse_bytes(text, &out->integer);
        return status != 0 ? status : check_range(spec, (double)out->integer, text);
    case OPT_AMOUNT:
        return parse_amount(text, &out->amount);
    case OPT_CHOICE:
        return parse_choice(spec, text, &out->choice);
    case OPT_STRING:
    case OPT_LIST:
        break;
    }
    return 0;
}

static int call_check(const struct opt_spec *spec, const char *text)
{
    return spec->check != NULL ? spec->check(spec->name, text) : 0;
}

static int list_append(struct opt_list *list, const char *text, size_t length)
{
    char **items = mem_realloc_array(list->items, list->count + 1, sizeof *items);
    if (items == NULL)
        return RECO_E_NOMEM;
    list->items = items;
    items[list->count] = mem_strndup(text, length);
    if (items[list->count] == NULL)
        return RECO_E_NOMEM;
    list->count++;
    return 0;
}

static void list_release(struct opt_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->items[i]);
    mem_free(list->items);
    *list = (struct opt_list){0};
}

/* Items between commas; a backslash takes the next comma or backslash literally. Each item is checked, then appended.
 */
static int list_split(const struct opt_spec *spec, struct opt_list *list, const char *text, bool whole_item)
{
    struct buf item = {0};
    int status = 0;
    whole_item = whole_item || (spec->flags & OPT_FLAG_EXCLUSIVE_LIST) != 0;
    if (whole_item || text[0] == '\0') {
        status = text[0] == '\0' && !whole_item ? 0 : call_check(spec, text);
        if (status == 0 && (whole_item || text[0] != '\0'))
            status = list_append(list, text, strlen(text));
        return status;
    }
    for (const char *p = text; status == 0; p++) {
        if (*p == ',' || *p == '\0') {
            if (item.length == 0)
                status = err_set(RECO_E_USAGE, "'%s' has an empty item", text);
            if (status == 0)
                status = call_check(spec, buf_str(&item));
            if (status == 0)
                status = list_append(list, buf_str(&item), item.length);
            buf_clear(&item);
            if (*p == '\0')
                break;
            continue;
        }
        if (*p == '\\' && (p[1] == ',' || p[1] == '\\'))
            p++;
        if (status == 0)
            status = buf_add_char(&item, *p);
    }
    buf_release(&item);
    return status;
}

int opt_value_check(const struct opt_spec *spec, const char *text, bool whole_item)
{
    if (spec->type == OPT_LIST) {
        struct opt_list scratch = {0};
        int status = list_split(spec, &scratch, text, whole_item);
        list_release(&scratch);
        return status;
    }
    union scalar value;
    int status = parse_scalar(spec, text, &value);
    return status != 0 ? status : call_check(spec, text);
}

int opt_value_store(const struct opt_spec *spec, void *values, const char *text, bool whole_item)
{
    void *field = (char *)values + spec->offset;
    if (spec->type == OPT_LIST)
        return list_split(spec, field, text, whole_item);
    union scalar value = {0};
    int status = parse_scalar(spec, text, &value);
    if (status == 0)
        status = call_check(spec, text);
    if (status != 0)
        return status;
    switch (spec->type) {
    case OPT_BOOL:
        *(bool *)field = value.flag;
        break;
    case OPT_INT:
    case OPT_BYTES:
        *(int64_t *)field = value.integer;
        break;
    case OPT_DOUBLE:
        *(double *)field = value.number;
        break;
    case OPT_CHOICE:
        *(int *)field = value.choice;
        break;
    case OPT_AMOUNT:
        *(struct opt_amount *)field = value.amount;
        break;
    case OPT_STRING: {
        char *copy = mem_strdup(text);
        if (copy == NULL)
            return RECO_E_NOMEM;
        mem_free(*(char **)field);
        *(char **)field = copy;
        break;
    }
    case OPT_LIST:
        break;
    }
    return 0;
}

void opt_value_reset(const struct opt_spec *spec, void *values)
{
    void *field = (char *)values + spec->offset;
    switch (spec->type) {
    case OPT_BOOL:
        *(bool *)field = false;
        break;
    case OPT_INT:
    case OPT_BYTES:
        *(int64_t *)field = 0;
        break;
    case OPT_DOUBLE:
        *(double *)field = 0;
        break;
    case OPT_CHOICE:
        *(int *)field = 0;
        break;
    case OPT_AMOUNT:
        *(struct opt_amount *)field = (struct opt_amount){0};
        break;
    case OPT_STRING:
        mem_free(*(char **)field);
        *(char **)field = NULL;
        break;
    case OPT_LIST:
        list_release(field);
        break;
    }
}

/* ---- value to text ---- */

/* Nine digits, or as many as it takes to read the same number back. */
static int print_double(double value, struct buf *b)
{
    char text[40];
    snprintf(text, sizeof text, "%.9g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    return buf_add_str(b, text);
}

static int print_bytes(int64_t bytes, struct buf *b)
{
    static const char *const suffixes[] = {"", "KiB", "MiB", "GiB"};
    size_t unit = 0;
    while (unit < 3 && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    return buf_printf(b, "%lld%s", (long long)bytes, suffixes[unit]);
}

static int print_list(const struct opt_spec *spec, const struct opt_list *list, struct buf *b)
{
    int status = 0;
    bool escape = (spec->flags & OPT_FLAG_EXCLUSIVE_LIST) == 0;
    for (size_t i = 0; i < list->count && status == 0; i++) {
        if (i > 0)
            status = buf_add_char(b, ',');
        for (const char *p = list->items[i]; *p != '\0' && status == 0; p++) {
            if (escape && (*p == ',' || *p == '\\'))
                status = buf_add_char(b, '\\');
            if (status == 0)
                status = buf_add_char(b, *p);
        }
    }
    return status;
}

int opt_value_print(const struct opt_spec *spec, const void *values, struct buf *b)
{
    const void *field = (const char *)values + spec->offset;
    switch (spec->type) {
    case OPT_BOOL:
        return buf_add_str(b, *(const bool *)field ? "true" : "false");
    case OPT_INT:
        return buf_printf(b, "%lld", (long long)*(const int64_t *)field);
    case OPT_DOUBLE:
        return print_double(*(const double *)field, b);
    case OPT_BYTES:
        return print_bytes(*(const int64_t *)field, b);
    case OPT_CHOICE:
        return buf_add_str(b, spec->choices[*(const int *)field]);
    case OPT_AMOUNT: {
        const struct opt_amount *amount = field;
        int status = print_double(amount->is_frac ? amount->value * 100 : amount->value, b);
        return status == 0 && amount->is_frac ? buf_add_char(b, '%') : status;
    }
    case OPT_STRING: {
        const char *text = *(char *const *)field;
        return text != NULL ? buf_add_str(b, text) : 0;
    }
    case OPT_LIST:
        return print_list(spec, field, b);
    }
    return 0;
}
