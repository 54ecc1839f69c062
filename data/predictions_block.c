#include <math.h>
#include <string.h>
#include <strings.h>

#include "core/hash.h"
#include "core/mem.h"
#include "data/decimal.h"
#include "data/predictions_reader.h"
#include "data/utf8.h"

#define PROBABILITY_SUM_TOLERANCE 1e-3
#define SHORT_END 1000000000000000 /* 15 digits are exact as a double, and so is their quotient by 10^22 at most */
#define WRITTEN_DIGITS 19          /* with the zeros in front; as many fit in 64 bits */

/* ---- dictionaries ---- */

int dictionary_enter(struct dictionary *d, struct text_store *store, const char *text, size_t length, uint32_t *number)
{
    int rc = text_index_enter(&d->index, d->texts, (uint32_t)d->count, text, length, number);
    if (rc || *number != TEXT_INDEX_NONE) {
        return rc;
    }
    *number = (uint32_t)d->count;
    rc = mem_grow((void **)&d->texts, &d->capacity, d->count + 1, sizeof *d->texts);
    if (!rc) {
        d->texts[d->count] = store ? text_store_add(store, text, length) : text;
        rc = d->texts[d->count] ? 0 : RECO_E_NOMEM;
        d->count += !rc;
    }
    return rc;
}

void dictionary_clear(struct dictionary *d)
{
    if (d->index.used) {
        memset(d->index.slots, 0, d->index.slot_count * sizeof *d->index.slots);
    }
    d->index.used = 0;
    d->count = 0;
}

void dictionary_release_index(struct dictionary *d)
{
    text_index_release(&d->index);
}

void dictionary_release(struct dictionary *d)
{
    text_index_release(&d->index);
    mem_free(d->texts);
    *d = (struct dictionary){0};
}

/* ---- the arrays of a block ---- */

static int grow(void **array, size_t count, size_t size_bytes)
{
    void *grown = mem_realloc_array(*array, count + 8, size_bytes);
    if (!grown) {
        return RECO_E_NOMEM;
    }
    *array = grown;
    return 0;
}

#define GROW(is_there, array, factor)                                                                                  \
    (rc = rc || !(is_there) ? rc : grow((void **)&(array), capacity * (factor), sizeof *(array)))

int predictions_block_init(struct block *block, const struct predictions_reader *r)
{
    block->extra = mem_calloc(r->p->extra_count + 1, sizeof *block->extra);
    block->row_p = mem_calloc((size_t)r->p->labels.count + 1, sizeof *block->row_p);
    block->fields = mem_calloc(r->column_count, sizeof *block->fields);
    block->lengths = mem_calloc(r->column_count, sizeof *block->lengths);
    return block->extra && block->row_p && block->fields && block->lengths ? 0 : RECO_E_NOMEM;
}

static int grow_rows(struct block *block, const struct predictions_reader *r, size_t capacity)
{
    int rc = 0;
    GROW(!r->regression, block->label, 1);
    GROW(!r->regression && r->has[COLUMN_PREDICTED], block->predicted, 1);
    GROW(r->regression, block->target, 1);
    GROW(r->regression, block->value, 1);
    GROW(r->has_p, block->p.codes, (size_t)r->p->labels.count * PACKED_BYTES);
    GROW(r->has_p && !r->has[COLUMN_PREDICTED], block->best, 1);
    GROW(r->has[COLUMN_SCORE], block->score.codes, PACKED_BYTES);
    GROW(r->has[COLUMN_QUERY_ID], block->query, 1);
    GROW(r->has[COLUMN_ITEM_ID], block->item, 1);
    GROW(r->has[COLUMN_ROW_ID], block->row_hash, 1);
    GROW(r->has[COLUMN_ROW_ID] && r->is_stream, block->row_hash_2, 1);
    GROW(r->has[COLUMN_ROW_ID], block->row_id, 1);
    GROW(r->has[COLUMN_TOKENS], block->tokens, 1);
    GROW(r->has[COLUMN_TRUNCATED], block->truncated, 1);
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        GROW(r->has_event[i], block->event[i], 1);
    }
    for (size_t i = 0; i < r->p->extra_count; i++) {
        GROW(true, block->extra[i], 1);
    }
    block->capacity = rc ? block->capacity : capacity;
    return rc;
}

void predictions_block_release(struct block *block, const struct predictions_reader *r)
{
    for (size_t i = 0; block->extra && i < r->p->extra_count; i++) {
        mem_free(block->extra[i]);
    }
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        mem_free(block->event[i]);
    }
    void *const arrays[] = {block->text,      block->value_class, block->label, block->predicted, block->query,
                            block->item,      block->target,      block->value, block->row_hash,  block->row_hash_2,
                            block->row_id,    block->tokens,      block->extra, block->row_p,     block->fields,
                            block->truncated, block->lengths,     block->best,  block->row_line};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        mem_free(arrays[i]);
    }
    dictionary_release(&block->values);
    dictionary_release(&block->queries);
    dictionary_release(&block->items);
    packed_release(&block->p);
    packed_release(&block->score);
    *block = (struct block){0};
}

/* ---- fields ---- */

struct row {
    const struct predictions_reader *r;
    struct block *block;
    size_t row; /* of the block */
    uint64_t line;
};

static int fail(const struct row *row, const char *what, const char *text)
{
    return predictions_fail_line(row->r, row->line, what, text);
}

/* A label's text, as the number of a value; with a known map it must be one of its labels. */
static int enter_value(const struct row *row, const char *what, char *text, size_t length, uint32_t *out)
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
        rc = block->value_class[known] < 0 ? fail(row, what, text) : 0;
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

static int read_packed(const struct row *row, struct packed *packed, size_t at, const char *what, const char *text,
                       size_t length, double *value)
{
    uint64_t digits;
    long power;
    bool negative;
    bool is_short;
    if (!scan_number(text, length, &digits, &power, &negative, &is_short, value) || isnan(*value)) {
        return fail(row, what, text);
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
static int read_event(const struct row *row, size_t event, const char *text, size_t length, double *out)
{
    *out = NAN;
    if (length == 1 && (*text == '0' || *text == '1')) {
        *out = *text - '0';
        return 0;
    }
    if (!length || parse_flag(text, out)) {
        return 0;
    }
    const char *name = predictions_event_names[event];
    if (!decimal_parse(text, length, out) || isnan(*out)) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s '%.200s' is not a number", row->r->path,
                       (unsigned long long)row->line, name, text);
    }
    if (!strcmp(name, "propensity") && !(*out > 0)) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: propensity '%.200s' is not above 0", row->r->path,
                       (unsigned long long)row->line, text);
    }
    return 0;
}

static int read_query(const struct row *row, char *text, size_t length)
{
    struct block *block = row->block;
    length = predictions_unescape(text, length);
    if (!length) {
        return fail(row, "empty query_id", text);
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

static int read_target(const struct row *row, const char *what, const char *text, size_t length, double *to)
{
    if (!decimal_parse(text, length, to) || isnan(*to)) {
        return fail(row, what, text);
    }
    return 0;
}

static int read_count(const struct row *row, const char *text, size_t length, uint32_t *to)
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

static int read_truncated(const struct row *row, const char *text, size_t length, bool *to)
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

static int fail_p(const struct row *row, const char *text)
{
    return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: probability is not in [0, 1]: '%.200s'%s", row->r->path,
                   (unsigned long long)row->line, text, row->r->options->source ? " (--logits takes logits)" : "");
}

static int read_raw_p(const struct row *row, size_t class, const char *text, size_t length)
{
    double *p = &row->block->row_p[class];
    if (!decimal_parse(text, length, p) || isnan(*p)) {
        return row->r->logits ? fail(row, "logit is not a number:", text) : fail_p(row, text);
    }
    return row->r->logits || (*p >= 0 && *p <= 1) ? 0 : fail_p(row, text);
}

static int read_field(const struct row *row, const struct column *column, char *text, size_t length)
{
    const struct predictions_reader *r = row->r;
    struct block *block = row->block;
    size_t at = row->row;
    double number;
    int rc;
    switch (column->kind) {
    case COLUMN_ROW_ID:
        length = predictions_unescape(text, length);
        block->row_hash[at] = hash_u64(text, length, 0);
        if (block->row_hash_2) {
            block->row_hash_2[at] = hash_u64(text, length, 1);
        }
        block->row_id[at] = text;
        return 0;
    case COLUMN_QUERY_ID:
        return read_query(row, text, length);
    case COLUMN_ITEM_ID:
        length = predictions_unescape(text, length);
        return dictionary_enter(&block->items, NULL, text, length, &block->item[at]);
    case COLUMN_LABEL:
        if (!r->regression) {
            return enter_value(row, "unknown label", text, length, &block->label[at]);
        }
        block->target[at] = NAN;
        return length ? read_target(row, "not a number: label", text, length, &block->target[at]) : 0;
    case COLUMN_PREDICTED:
        if (r->regression) {
            return read_target(row, "not a number: predicted", text, length, &block->value[at]);
        }
        return length ? enter_value(row, "unknown predicted label", text, length, &block->predicted[at])
                      : fail(row, "empty predicted label", text);
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

/* ---- rows ---- */

/* Softmax of the logits in place; of one alone, sigmoid. */
static int from_logits(const struct row *row, double *p, int count, size_t one)
{
    double max = p[one];
    double sum = 0;
    if (row->r->one_p) {
        p[one] = 1 / (1 + exp(-p[one]));
        return 0;
    }
    for (int i = 0; i < count; i++) {
        max = p[i] > max ? p[i] : max;
    }
    if (!isfinite(max)) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: the greatest logit is %g", row->r->path,
                       (unsigned long long)row->line, max);
    }
    for (int i = 0; i < count; i++) {
        p[i] = exp(p[i] - max);
        sum += p[i];
    }
    for (int i = 0; i < count; i++) {
        p[i] /= sum;
    }
    return 0;
}

/* Probabilities that are not as they stand in the file. */
static int derive_p(const struct row *row)
{
    const struct predictions_reader *r = row->r;
    double *p = row->block->row_p;
    int count = r->p->labels.count;
    size_t one = r->one_place;
    int rc = r->logits ? from_logits(row, p, count, one) : 0;
    if (r->one_p) {
        p[1 - one] = 1 - p[one];
    }
    for (int i = 0; !rc && i < count; i++) {
        rc = packed_put(&row->block->p, row->row * (size_t)count + (size_t)i, 0, 0, false, false, p[i]);
    }
    return rc;
}

static int complete_row(const struct row *row)
{
    const struct predictions_reader *r = row->r;
    struct block *block = row->block;
    int rc = 0;
    if (r->has_p) {
        double sum = 0;
        int best = 0;
        rc = r->one_p || r->logits ? derive_p(row) : 0;
        for (int i = 0; !rc && i < r->p->labels.count; i++) {
            sum += block->row_p[i];
            best = block->row_p[i] > block->row_p[best] ? i : best;
        }
        if (!rc && !(fabs(sum - 1) <= PROBABILITY_SUM_TOLERANCE)) {
            return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: the probabilities sum to %.9g, not 1", r->path,
                           (unsigned long long)row->line, sum);
        }
        if (block->best) {
            block->best[row->row] = (int16_t)best;
        }
    }
    return rc;
}

static int parse_line(const struct row *row, char *text, size_t length)
{
    const struct predictions_reader *r = row->r;
    struct block *block = row->block;
    if (length == strlen(r->header) && !memcmp(text, r->header, length)) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: a second header; were several files put together?",
                       r->path, (unsigned long long)row->line);
    }
    size_t count = predictions_cut(text, length, block->fields, block->lengths, r->column_count);
    if (count != r->column_count) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %zu fields, the header has %zu", r->path,
                       (unsigned long long)row->line, count, r->column_count);
    }
    int rc = 0;
    for (size_t i = 0; !rc && i < count; i++) {
        rc = read_field(row, &r->columns[i], block->fields[i], block->lengths[i]);
    }
    return rc ? rc : complete_row(row);
}

int predictions_block_parse(struct block *block, const struct predictions_reader *r)
{
    char *end = block->text + block->length;
    struct row row = {.r = r, .block = block};
    int rc = 0;
    bool has_nul = memchr(block->text, '\0', block->length);
    block->rows = 0;
    block->p.rare_count = block->score.rare_count = 0;
    memset(block->short_value, 0, sizeof block->short_value);
    dictionary_clear(&block->values);
    dictionary_clear(&block->queries);
    dictionary_clear(&block->items);
    for (char *at = block->text; !rc && at < end; row.row++) {
        row.line = block->row_line ? block->row_line[row.row] : block->first_line + row.row;
        char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = newline ? (size_t)(newline - at) : (size_t)(end - at);
        size_t whole = length + 1;
        if (length && at[length - 1] == '\r') {
            length--;
        }
        at[length] = '\0';
        if (has_nul && memchr(at, '\0', length)) {
            return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: it holds a NUL byte", r->path,
                           (unsigned long long)row.line);
        }
        if (row.row == block->capacity) {
            rc = grow_rows(block, r, row.row + row.row / 2 + 1024);
        }
        if (!rc) {
            rc = parse_line(&row, at, length);
        }
        at += whole;
    }
    block->rows = row.row;
    return rc;
}
