#include "data/predictions_field.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "data/decimal.h"
#include "data/utf8.h"

#define SHORT_END 1000000000000000 /* 15 digits are exact as a double, and so is their quotient by 10^22 at most */
#define WRITTEN_DIGITS 19          /* with the zeros in front; as many fit in 64 bits */

static int fail(const struct predictions_line *row, const char *what, const char *text)
{
    return predictions_fail_line(row->r, row->line, what, text);
}

static int fail_number(const struct predictions_line *row, const char *what, const char *text)
{
    return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s '%.200s'%s", row->r->path,
                   (unsigned long long)row->line, what, text,
                   strchr(text, ',') ? "; numbers have a decimal point" : "");
}

/* A label that the map does not know, and those that it knows. */
static int fail_label(const struct predictions_line *row, const char *what, const char *text)
{
    enum { SHOWN = 8 };
    const struct label_map *labels = &row->r->p->labels;
    struct buf b = {0};
    int rc = 0;
    for (int i = 0; !rc && i < labels->count && i < SHOWN; i++) {
        rc = buf_printf(&b, "%s'%.50s'", i ? ", " : "", labels->names[i]);
    }
    if (!rc && labels->count > SHOWN) {
        rc = buf_printf(&b, " and %d more", labels->count - SHOWN);
    }
    rc = rc ? rc
            : err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s '%.200s': the labels are %s", row->r->path,
                      (unsigned long long)row->line, what, text, buf_str(&b));
    buf_release(&b);
    return rc;
}

/* NaN, which numpy and others write where there is no number. */
static bool is_nan(const char *text, size_t length)
{
    double number;
    return decimal_parse(text, length, &number) && isnan(number);
}

/* A label's text, as the number of a value; with a known map it must be one of its labels. */
static int enter_value(const struct predictions_line *row, bool is_label, char *text, size_t length, uint32_t *out)
{
    const struct predictions_reader *r = row->r;
    struct block *block = row->block;
    *out = PREDICTIONS_NO_VALUE;
    if (!length) {
        return 0;
    }
    size_t known = block->values.count;
    unsigned char first = (unsigned char)text[0];
    if (length == 1 && block->short_value[first]) {
        *out = block->short_value[first] - 1;
        return 0;
    }
    if (known && row->row && block->label[row->row - 1] < known) {
        uint32_t last = block->label[row->row - 1]; /* labels come in runs */
        if (!strcmp(block->values.texts[last], text)) {
            *out = last;
            return 0;
        }
    }
    bool is_single = length == 1;
    length = predictions_unescape(text, length);
    int rc = dictionary_enter(&block->values, NULL, text, length, out);
    if (!rc && is_single) {
        block->short_value[first] = *out + 1;
    }
    if (rc || block->values.count == known) {
        return rc;
    }
    if (!utf8_is_valid(text, length, NULL)) {
        return fail(row, "not UTF-8: label", text);
    }
    rc = mem_grow((void **)&block->value_class, &block->class_capacity, known + 1, sizeof *block->value_class);
    if (!rc && r->map_known) {
        block->value_class[known] = label_map_find(&r->p->labels, text, length);
        bool missing = is_label && r->p->labels.graded && is_nan(text, length);
        if (block->value_class[known] < 0 && !missing) {
            rc = fail_label(row, is_label ? "unknown label" : "unknown predicted label", text);
        }
    }
    return rc;
}

/* Eight digits at once: their number, or UINT32_MAX when one of the characters is none. */
static uint32_t eight_digits(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    word = le64toh(word);
    if (((word & (word + 0x0606060606060606)) & 0xf0f0f0f0f0f0f0f0) != 0x3030303030303030) {
        return UINT32_MAX;
    }
    word = (word & 0x0f0f0f0f0f0f0f0f) * (10 << 8 | 1) >> 8; /* the first digit is the lowest byte */
    word = (word & 0x00ff00ff00ff00ff) * (100 << 16 | 1) >> 16;
    return (uint32_t)((word & 0x0000ffff0000ffff) * (10000ULL << 32 | 1) >> 32);
}

static const char *scan_digits(const char *at, const char *end, uint64_t *mantissa)
{
    uint32_t eight;
    while (end - at >= 8 && (eight = eight_digits(at)) != UINT32_MAX) {
        *mantissa = *mantissa * 100000000 + eight;
        at += 8;
    }
    for (; at < end && (unsigned)(*at - '0') < 10; at++) {
        *mantissa = *mantissa * 10 + (uint64_t)(*at - '0');
    }
    return at;
}

/* Source of the exactness: Clinger 1990; the rest by decimal_parse. */
static bool scan_number(const char *text, size_t length, uint64_t *digits, long *power, bool *negative, bool *is_short,
                        double *value)
{
    const char *at = text;
    const char *end = text + length;
    uint64_t mantissa = 0;
    long exponent = 0;
    *negative = at < end && *at == '-';
    at += *negative;
    const char *start = at;
    at = scan_digits(at, end, &mantissa);
    size_t written_digits = (size_t)(at - start);
    if (at < end && *at == '.') {
        const char *point = ++at;
        at = scan_digits(at, end, &mantissa);
        written_digits += (size_t)(at - point);
        exponent = -(long)(at - point);
        start += at == point; /* a point without digits: let decimal_parse judge */
    }
    if (end - at >= 3 && end - at <= 5 && *at == 'e' && (at[1] == '-' || at[1] == '+')) {
        long written = 0;
        long sign = at[1] == '-' ? -1 : 1;
        for (at += 2; at < end && (unsigned)(*at - '0') < 10; at++) {
            written = written * 10 + (*at - '0');
        }
        exponent += sign * written;
    }
    *is_short = at == end && at > start && written_digits <= WRITTEN_DIGITS && mantissa < SHORT_END &&
                exponent >= -PACKED_POWER_MAX && exponent <= PACKED_POWER_MAX;
    *digits = mantissa;
    *power = exponent;
    if (!*is_short) {
        return decimal_parse(text, length, value);
    }
    *value = exponent < 0 ? (double)mantissa / packed_power[-exponent] : (double)mantissa * packed_power[exponent];
    *value = *negative ? -*value : *value;
    return true;
}

static int read_packed(const struct predictions_line *row, struct packed *packed, size_t at, const char *what,
                       const char *text, size_t length, double *value)
{
    uint64_t digits;
    long power;
    bool negative;
    bool is_short;
    if (!scan_number(text, length, &digits, &power, &negative, &is_short, value) || isnan(*value)) {
        return fail_number(row, what, text);
    }
    return packed_put(packed, at, digits, power, negative, is_short, *value);
}

static bool parse_flag(const char *text, double *out)
{
    bool yes = !strcasecmp(text, "true") || !strcasecmp(text, "yes");
    if (!yes && strcasecmp(text, "false") != 0 && strcasecmp(text, "no") != 0) {
        return false;
    }
    *out = yes;
    return true;
}

/* An event: a number, true, false, yes or no; empty is NaN. */
static int read_event(const struct predictions_line *row, size_t event, const char *text, size_t length, double *out)
{
    *out = NAN;
    if (length == 1 && (*text == '0' || *text == '1') && event != PREDICTIONS_EVENT_POSITION &&
        event != PREDICTIONS_EVENT_PROPENSITY) {
        *out = *text - '0';
        return 0;
    }
    if (!length || parse_flag(text, out)) {
        return 0;
    }
    const char *fault = decimal_parse(text, length, out) ? predictions_event_fault(event, *out) : "not a number";
    if (fault) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s '%.200s' is %s", row->r->path,
                       (unsigned long long)row->line, predictions_event_names[event], text, fault);
    }
    *out += event == PREDICTIONS_EVENT_POSITION ? row->r->options->position_shift : 0;
    return 0;
}

static int read_query(const struct predictions_line *row, char *text, size_t length)
{
    struct block *block = row->block;
    length = predictions_unescape(text, length);
    if (!length) {
        return err_set(RECO_E_DATA,
                       "cannot parse '%s' line %llu: empty query_id; without the column there are no rankings",
                       row->r->path, (unsigned long long)row->line);
    }
    if (row->row) {
        uint32_t last = block->query[row->row - 1];
        if (!strcmp(block->queries.texts[last], text)) {
            block->query[row->row] = last;
            return 0;
        }
    }
    return dictionary_enter(&block->queries, NULL, text, length, &block->query[row->row]);
}

static int read_target(const struct predictions_line *row, const char *what, const char *text, size_t length,
                       double *to)
{
    if (!decimal_parse(text, length, to) || isnan(*to)) {
        return fail_number(row, what, text);
    }
    return 0;
}

static int read_count(const struct predictions_line *row, const char *text, size_t length, uint32_t *to)
{
    double number = 0;
    uint64_t digits = 0;
    if (length && length <= 9 && scan_digits(text, text + length, &digits) == text + length) {
        *to = (uint32_t)digits;
        return 0;
    }
    if (!decimal_parse(text, length, &number) || !(number >= 0 && number <= UINT32_MAX && floor(number) == number)) {
        return fail(row, "tokens is not a count:", text);
    }
    *to = (uint32_t)number;
    return 0;
}

static int read_truncated(const struct predictions_line *row, const char *text, size_t length, bool *to)
{
    double number = 0;
    if (length == 1 && (*text == '0' || *text == '1')) {
        *to = *text == '1';
        return 0;
    }
    if (!parse_flag(text, &number) && (!decimal_parse(text, length, &number) || (number != 0 && number != 1))) {
        return fail(row, "truncated is not 0 or 1:", text);
    }
    *to = number != 0;
    return 0;
}

static int fail_p(const struct predictions_line *row, const char *text)
{
    return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: probability is not in [0, 1]: '%.200s'%s", row->r->path,
                   (unsigned long long)row->line, text, row->r->options->source ? " (--logits takes logits)" : "");
}

static int read_raw_p(const struct predictions_line *row, size_t class, const char *text, size_t length)
{
    double *p = &row->block->row_p[class];
    if (!decimal_parse(text, length, p) || isnan(*p)) {
        return row->r->logits ? fail(row, "logit is not a number:", text) : fail_p(row, text);
    }
    return row->r->logits || (*p >= 0 && *p <= 1) ? 0 : fail_p(row, text);
}

int predictions_field_read(const struct predictions_line *row, const struct column *column, char *text, size_t length)
{
    const struct predictions_reader *r = row->r;
    struct block *block = row->block;
    size_t at = row->row;
    double number;
    int rc;
    switch (column->kind) {
    case COLUMN_ROW_ID:
        length = predictions_unescape(text, length);
        block->row_id[at] = text;
        return predictions_note_id(block, at, text, length);
    case COLUMN_QUERY_ID:
        return read_query(row, text, length);
    case COLUMN_ITEM_ID:
        length = predictions_unescape(text, length);
        return dictionary_enter(&block->items, NULL, text, length, &block->item[at]);
    case COLUMN_LABEL:
        if (!r->regression) {
            return enter_value(row, true, text, length, &block->label[at]);
        }
        block->target[at] = NAN;
        return length && !is_nan(text, length)
                   ? read_target(row, "label is not a number:", text, length, &block->target[at])
                   : 0;
    case COLUMN_PREDICTED:
        if (r->regression) {
            return read_target(row, "predicted is not a number:", text, length, &block->value[at]);
        }
        return length ? enter_value(row, false, text, length, &block->predicted[at])
                      : err_set(RECO_E_DATA, "cannot parse '%s' line %llu: nothing is predicted", row->r->path,
                                (unsigned long long)row->line);
    case COLUMN_SCORE:
        rc = read_packed(row, &block->score, at, "score is not a number:", text, length, &number);
        if (!rc && r->regression && !r->has[COLUMN_PREDICTED]) {
            block->value[at] = number;
        }
        return rc;
    case COLUMN_TOKENS:
        return read_count(row, text, length, &block->tokens[at]);
    case COLUMN_TRUNCATED:
        return read_truncated(row, text, length, &block->truncated[at]);
    case COLUMN_EVENT:
        return read_event(row, column->place, text, length, &block->event[column->place][at]);
    case COLUMN_P:
        if (r->one_p || r->logits) { /* complete_row has more to do */
            return read_raw_p(row, column->place, text, length);
        }
        rc = read_packed(row, &block->p, at * (size_t)r->p->labels.count + column->place,
                         "probability is not in [0, 1]:", text, length, &block->row_p[column->place]);
        if (!rc && !(block->row_p[column->place] >= 0 && block->row_p[column->place] <= 1)) {
            rc = fail_p(row, text);
        }
        return rc;
    case COLUMN_EXTRA:
        (void)predictions_unescape(text, length);
        block->extra[column->place][at] = text;
        return 0;
    case COLUMN_IGNORED:
        return 0;
    }
    return 0;
}
