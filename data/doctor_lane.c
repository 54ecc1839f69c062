#include <string.h>
#include <utf8proc.h>

#include "core/hash.h"
#include "core/mem.h"
#include "data/doctor_internal.h"
#include "data/number.h"
#include "data/utf8.h"

enum {
    NUMBER_BYTES_MAX = 40,
    QUERY_EXCERPT = 40,
    DESCRIPTION_EXCERPT = 48,
    LINE_EXCERPT = 120,
    LANGUAGE_LINES = 20000
};

static const struct {
    unsigned found; /* enum clean_finding */
    enum doctor_rule_id rule;
    const char *mark; /* bytes that an excerpt is shown around; NULL: its start */
} text_rules[] = {
    {CLEAN_FOUND_HTML, DOCTOR_HTML, "<"},
    {CLEAN_FOUND_SCRIPT, DOCTOR_SCRIPT, "{"},
    {CLEAN_FOUND_ENTITY, DOCTOR_ENTITIES, "&"},
    {CLEAN_FOUND_CONTROL, DOCTOR_CONTROL, NULL},
    {CLEAN_FOUND_BLANKS, DOCTOR_BLANKS, NULL},
    {CLEAN_FOUND_EMAIL, DOCTOR_EMAIL, "[email]"},
    {CLEAN_FOUND_PHONE, DOCTOR_PHONE, "[phone]"},
    {CLEAN_FOUND_CARD, DOCTOR_CARD, "[card]"},
    {CLEAN_FOUND_MOJIBAKE, DOCTOR_MOJIBAKE, "\xC3"},
    {CLEAN_FOUND_REPLACEMENT, DOCTOR_REPLACEMENT, "\xEF\xBF\xBD"},
    {CLEAN_FOUND_REPEATED, DOCTOR_REPEATED_TEXT, NULL},
};
enum { PERSONAL = CLEAN_FOUND_EMAIL | CLEAN_FOUND_PHONE | CLEAN_FOUND_CARD };

/* ---- texts ---- */

static bool is_white(uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return c == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

int doctor_fold(struct buf *out, const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    bool gap = false;
    int rc = buf_reserve(out, 3 * length + UTF8_MAX_BYTES + 1); /* an invalid byte becomes the three of U+FFFD */
    if (rc < 0)
        return rc;
    unsigned char *start = (unsigned char *)out->data + out->length, *to = start;

    while (p < end) {
        uint32_t c = *p;
        if (c > ' ' && c < 0x80) { /* most of most texts */
            if (gap)
                *to++ = ' ';
            gap = false;
            do
                *to++ = (unsigned char)(*p + ((unsigned)(*p - 'A') < 26u ? 'a' - 'A' : 0));
            while (++p<end && * p> ' ' && *p < 0x80);
            continue;
        }
        p += utf8_decode(p, end, &c);
        if (is_white(c)) {
            gap = to > start;
            continue;
        }
        if (gap)
            *to++ = ' ';
        gap = false;
        to += utf8_encode((uint32_t)utf8proc_tolower((utf8proc_int32_t)c), to);
    }
    out->length += (size_t)(to - start);
    out->data[out->length] = '\0';
    return 0;
}

static size_t count_characters(const struct csv_field *field)
{
    size_t count = 0;

    for (size_t i = 0; i < field->length; i++)
        count += (field->text[i] & 0xC0) != 0x80;
    return count;
}

/* Personal data in text is masked; the result is borrowed until the next call. */
static int mask(struct doctor_lane *lane, const struct csv_field *text, const char **out, size_t *length)
{
    return clean_text(lane->finder, CLEAN_SIDE_COLUMN, text->text, text->length, out, length);
}

/* The place in text of what a rule found, as far as its mark tells. */
static size_t mark_in(const char *text, size_t length, enum doctor_rule_id rule, const char *mark)
{
    const char *at = mark == NULL ? NULL : memmem(text, length, mark, strlen(mark));
    size_t place = 0;

    if (rule == DOCTOR_INVALID_UTF8)
        return utf8_is_valid(text, length, &place) ? 0 : place;
    if (rule == DOCTOR_CONTROL)
        return doctor_find_invisible(text, length, &place) ? place : 0;
    return at == NULL ? 0 : (size_t)(at - text);
}

static int keep_example(struct doctor_lane *lane, enum doctor_rule_id rule, size_t column, uint64_t place,
                        const struct csv_field *text, const char *mark)
{
    const char *masked;
    size_t length;

    if (!doctor_tally_wants(&lane->tallies, rule, 1 + column, place))
        return 0;
    int rc = mask(lane, text, &masked, &length);
    size_t at = rc == 0 ? mark_in(masked, length, rule, mark) : 0;
    buf_clear(&lane->excerpt);
    buf_clear(&lane->folded);
    if (rc == 0 && rule == DOCTOR_BLANKS) {
        rc = doctor_show_blanks(&lane->folded, masked, length, &at);
        masked = buf_str(&lane->folded);
        length = lane->folded.length;
    }
    if (rc == 0)
        rc = doctor_excerpt(&lane->excerpt, masked, length, at, LINE_EXCERPT);
    return rc < 0 ? rc : doctor_tally_example(&lane->tallies, rule, 1 + column, place, buf_str(&lane->excerpt));
}

static int found(struct doctor_lane *lane, enum doctor_rule_id rule, size_t column, uint64_t place,
                 const struct csv_field *text, const char *mark)
{
    int rc = doctor_tally_add(&lane->tallies, rule, 1 + column, doctor_place_file(place), 1);

    return rc < 0 ? rc : keep_example(lane, rule, column, place, text, mark);
}

static int look_for(struct doctor_lane *lane, size_t column, uint64_t place, const struct csv_field *text,
                    unsigned wanted, unsigned *findings)
{
    unsigned all;
    int rc = clean_find(lane->finder, text->text, text->length, &all);

    all &= wanted;
    for (size_t i = 0; rc == 0 && all != 0 && i < sizeof text_rules / sizeof *text_rules; i++) {
        if ((all & text_rules[i].found) != 0)
            rc = found(lane, text_rules[i].rule, column, place, text, text_rules[i].mark);
    }
    *findings |= all;
    return rc;
}

/* ---- one row ---- */

static const struct csv_field no_field = {.text = "", .length = 0};

static const struct csv_field *field_of(const struct doctor_row *row, size_t column)
{
    size_t in_file = column == DOCTOR_NONE ? DOCTOR_NONE : row->file->column_of[column];

    return in_file == DOCTOR_NONE ? &no_field : &row->fields[in_file];
}

static bool looks_like_number(const struct csv_field *field)
{
    double number;

    return field->length > 0 && field->length <= NUMBER_BYTES_MAX && strchr("+-.0123456789", field->text[0]) != NULL &&
           number_parse(field->text, field->length, &number);
}

/* Figures of every column, and e-mail addresses in those that are no text. */
static int columns_of_row(struct doctor_lane *lane, struct doctor *d, struct doctor_row *row, uint64_t *hashes)
{
    uint64_t of_row = 0;

    for (size_t i = 0; i < row->file->columns; i++) {
        const struct csv_field *field = &row->fields[i];
        size_t number = row->file->union_of[i];
        struct doctor_column *column = &lane->columns[number];
        hashes[i] = hash_u64(field->text, field->length, 0);
        of_row = hash_u64(&hashes[i], sizeof hashes[i], of_row);
        column->rows++;
        if (field->length == 0) {
            column->empty++;
            continue;
        }
        column->numbers += looks_like_number(field);
        column->blanks += memchr(field->text, ' ', field->length) != NULL;
        if (column->first_hash == 0)
            column->first_hash = hashes[i] | 1;
        column->varies = column->varies || (hashes[i] | 1) != column->first_hash;
        doctor_distinct_add(&d->registers[number * DOCTOR_REGISTERS], hashes[i]);
    }
    row->hashes = hashes;
    row->row = of_row;
    return 0;
}

/* A language is guessed for every row at first, then for one in eight: shares do not need more. */
static bool is_asked_for_language(uint64_t place)
{
    return doctor_place_line(place) < LANGUAGE_LINES || hash_u64(&place, sizeof place, 2) % 8 == 0;
}

static int texts_of_row(struct doctor_lane *lane, const struct doctor *d, const struct doctor_row *row, unsigned wanted,
                        unsigned *findings)
{
    const struct doctor_schema *s = &d->schema;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < s->text_count; i++) {
        const struct csv_field *field = field_of(row, s->texts[i]);
        if (row->file->column_of[s->texts[i]] == DOCTOR_NONE)
            continue;
        doctor_lengths_add(&lane->characters[i], count_characters(field));
        if (field->length == 0)
            continue;
        rc = look_for(lane, s->texts[i], row->place, field, wanted, findings);
        if (rc == 0) {
            lane->scripts[i * script_count() + script_detect(field->text, field->length)]++;
            if (is_asked_for_language(row->place))
                lane->languages[i * language_count() + language_guess(field->text, field->length)]++;
        }
    }
    for (size_t i = 0; rc == 0 && i < row->file->columns; i++) {
        const struct csv_field *field = &row->fields[i];
        size_t column = row->file->union_of[i];
        if (memchr(field->text, '@', field->length) == NULL)
            continue;
        bool is_text = false;
        for (size_t t = 0; t < s->text_count; t++)
            is_text = is_text || s->texts[t] == column;
        if (!is_text)
            rc = look_for(lane, column, row->place, field, CLEAN_FOUND_EMAIL, findings);
    }
    return rc;
}

/* ---- tokens ---- */

/* What a pair loses at one length: the query from its end, the descriptions from the end of the last one. */
static int cut_row(struct doctor_lane *lane, const struct doctor *d, size_t limit, size_t query, size_t description)
{
    const struct doctor_schema *s = &d->schema;
    struct doctor_cut *cut = &lane->cuts[limit];
    bool pair = s->query != DOCTOR_NONE && s->description_count > 0;
    size_t first = pair || s->query != DOCTOR_NONE ? query : description, second = pair ? description : 0;
    size_t kept_first = first, kept_second = second, lost;

    if (first + second + (pair ? 3 : 2) <= (size_t)d->limits[limit])
        return 0;
    int rc = wordpiece_truncate(&kept_first, &kept_second, pair, (size_t)d->limits[limit],
                                (enum wordpiece_truncation)d->options->truncation);
    if (rc == RECO_E_DATA) { /* only_second, and the first alone fills the room: the whole second is lost */
        err_clear();
        kept_first = first;
        kept_second = 0;
    } else if (rc < 0) {
        return rc;
    }
    lost = first + second - kept_first - kept_second;
    cut->rows++;
    cut->tokens += lost;
    if (s->query != DOCTOR_NONE) {
        cut->text_rows[0] += kept_first < first;
        cut->text_tokens[0] += first - kept_first;
    }
    size_t left = s->query != DOCTOR_NONE ? second - kept_second : first - kept_first;
    for (size_t i = s->text_count; left > 0 && i > (s->query != DOCTOR_NONE); i--) {
        size_t gone = left < lane->row_tokens[i - 1] ? left : lane->row_tokens[i - 1];
        cut->text_rows[i - 1] += gone > 0;
        cut->text_tokens[i - 1] += gone;
        left -= gone;
    }
    return 0;
}

static int tokens_of_row(struct doctor_lane *lane, const struct doctor *d, const struct doctor_row *row)
{
    const struct doctor_schema *s = &d->schema;
    int32_t unknown = wordpiece_special_ids(d->wp)->unk;
    size_t query = 0, description = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < s->text_count; i++) {
        const struct csv_field *field = field_of(row, s->texts[i]);
        lane->ids.count = 0;
        rc = wordpiece_encode(d->wp, lane->scratch, field->text, field->length, &lane->ids);
        lane->row_tokens[i] = lane->ids.count;
        doctor_lengths_add(&lane->tokens[i], lane->ids.count);
        lane->all_tokens[i] += lane->ids.count;
        for (size_t t = 0; t < lane->ids.count; t++)
            lane->unknown_tokens[i] += lane->ids.ids[t] == unknown;
        if (s->texts[i] == s->query)
            query = lane->ids.count;
        else
            description += lane->ids.count;
    }
    bool pair = s->query != DOCTOR_NONE && s->description_count > 0;
    doctor_lengths_add(lane->pair_tokens, query + description + (pair ? 3 : 2));
    for (size_t i = 0; rc == 0 && i < d->limit_count; i++)
        rc = cut_row(lane, d, i, query, description);
    return rc;
}

/* ---- for the whole ---- */

static int add_masked(struct doctor_lane *lane, struct buf *out, const struct csv_field *field, bool personal,
                      size_t columns)
{
    const char *text = field->text;
    size_t length = field->length;
    int rc = personal ? mask(lane, field, &text, &length) : 0;

    return rc < 0 ? rc : doctor_excerpt(out, text, length, 0, columns);
}

/* Does the file lack the query, or all of the descriptions? */
static bool lacks_texts(const struct doctor_file *file, const struct doctor_schema *s)
{
    bool lacks = s->description_count > 0;

    for (size_t i = 0; i < s->description_count; i++)
        lacks = lacks && file->column_of[s->descriptions[i]] == DOCTOR_NONE;
    return lacks || (s->query != DOCTOR_NONE && file->column_of[s->query] == DOCTOR_NONE);
}

/* The row as an example where it has no texts to show: its first fields. */
static int add_fields(struct doctor_lane *lane, struct buf *out, const struct doctor_row *row)
{
    size_t before = out->length;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < row->file->columns && out->length - before < DESCRIPTION_EXCERPT; i++) {
        rc = i > 0 ? buf_add_str(out, ", ") : 0;
        if (rc == 0)
            rc = add_masked(lane, out, &row->fields[i], true, QUERY_EXCERPT);
    }
    return rc;
}

/* Hashes of the folded texts, and what an example of a pair shows: query, NUL, description. */
static int keys_of_row(struct doctor_lane *lane, const struct doctor *d, struct doctor_row *row, bool personal,
                       struct buf *excerpts)
{
    const struct doctor_schema *s = &d->schema;
    const struct csv_field *query = field_of(row, s->query), *first = &no_field;
    struct buf *folded = &lane->folded;

    buf_clear(folded);
    int rc = doctor_fold(folded, query->text, query->length);
    row->query = rc < 0 ? 0 : hash_u64(buf_str(folded), folded->length, 0);
    row->spelling = (uint32_t)hash_u64(query->text, query->length, 1);
    buf_clear(folded);
    for (size_t i = 0; rc == 0 && i < s->description_count; i++) {
        const struct csv_field *field = field_of(row, s->descriptions[i]);
        if (field->length == 0)
            continue;
        if (first->length == 0)
            first = field;
        rc = folded->length > 0 ? buf_add_char(folded, ' ') : 0;
        if (rc == 0)
            rc = doctor_fold(folded, field->text, field->length);
    }
    const struct csv_field *item = field_of(row, s->item), *id = field_of(row, s->id);
    row->description = rc < 0 ? 0 : hash_u64(buf_str(folded), folded->length, 0);
    row->item = item->length > 0 ? hash_u64(item->text, item->length, 0) : row->description;
    if (s->description_count == 0) /* a pair of ids; of neither query nor item, the row itself */
        row->description = s->query != DOCTOR_NONE ? row->item : row->row;
    if (lacks_texts(row->file, s)) /* rows that cannot be compared are equal to themselves alone */
        row->query = row->description = row->row;
    row->id = id->length > 0 ? hash_u64(id->text, id->length, 0) : 0;
    row->label =
        s->label == DOCTOR_NONE || row->file->column_of[s->label] == DOCTOR_NONE ? NULL : field_of(row, s->label);
    row->excerpt = excerpts->length;
    if (rc == 0 && s->query != DOCTOR_NONE)
        rc = add_masked(lane, excerpts, query, personal, QUERY_EXCERPT);
    if (rc == 0 && first->length > 0)
        rc = s->query != DOCTOR_NONE ? buf_add_str(excerpts, " | ") : 0;
    if (rc == 0 && first->length > 0)
        rc = add_masked(lane, excerpts, first, personal, DESCRIPTION_EXCERPT);
    if (rc == 0 && excerpts->length == row->excerpt)
        rc = add_fields(lane, excerpts, row);
    row->excerpt_length = excerpts->length - row->excerpt;
    return rc;
}

static bool is_blank(const struct csv_field *field)
{
    for (size_t i = 0; i < field->length; i++) {
        if (strchr(" \t\r\n", field->text[i]) == NULL)
            return false;
    }
    return true;
}

static int required_of_row(struct doctor_lane *lane, const struct doctor *d, const struct doctor_row *row)
{
    const struct doctor_schema *s = &d->schema;
    const struct csv_field *query = field_of(row, s->query);
    bool empty = s->description_count > 0 && !lacks_texts(row->file, s);

    if (s->query != DOCTOR_NONE && row->file->column_of[s->query] != DOCTOR_NONE && is_blank(query)) {
        int rc = doctor_tally_add(&lane->tallies, DOCTOR_EMPTY_QUERY, 1 + s->query, doctor_place_file(row->place), 1);
        if (rc == 0 && doctor_tally_wants(&lane->tallies, DOCTOR_EMPTY_QUERY, 1 + s->query, row->place)) {
            buf_clear(&lane->excerpt);
            rc = add_fields(lane, &lane->excerpt, row);
            if (rc == 0)
                rc = doctor_tally_example(&lane->tallies, DOCTOR_EMPTY_QUERY, 1 + s->query, row->place,
                                          buf_str(&lane->excerpt));
        }
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < s->description_count; i++)
        empty = empty && is_blank(field_of(row, s->descriptions[i]));
    return empty ? found(lane, DOCTOR_EMPTY_DESCRIPTION, s->descriptions[0], row->place, query, NULL) : 0;
}

static bool has_wide(const char *text, size_t length)
{
    unsigned char all = 0;

    for (size_t i = 0; i < length; i++)
        all |= (unsigned char)text[i];
    return all >= 0x80;
}

/* The row's fields lie side by side: one look at all of them, and at each only where that found something. */
static int invalid_of_row(struct doctor_lane *lane, const struct doctor_row *row, bool *valid)
{
    const struct csv_field *last = &row->fields[row->file->columns - 1];
    int rc = 0;

    size_t length = (size_t)(last->text - row->fields[0].text) + last->length;

    lane->wide_rows += has_wide(row->fields[0].text, length);
    *valid = utf8_is_valid(row->fields[0].text, length, NULL);
    if (*valid)
        return 0;
    for (size_t i = 0; rc == 0 && i < row->file->columns; i++) {
        const struct csv_field *field = &row->fields[i];
        if (!utf8_is_valid(field->text, field->length, NULL))
            rc = found(lane, DOCTOR_INVALID_UTF8, row->file->union_of[i], row->place, field, NULL);
    }
    return rc;
}

int doctor_lane_batch(struct doctor_lane *lane, struct doctor *d, struct doctor_batch *batch)
{
    const struct doctor_file *file = &d->files[batch->file];
    int rc = 0;

    buf_clear(&batch->excerpts);
    for (size_t i = 0; rc == 0 && i < batch->row_count; i++) {
        struct doctor_row *row = &batch->rows[i];
        unsigned findings = 0;
        bool valid = true;
        *row = (struct doctor_row){.place = doctor_place(batch->file, batch->lines[i]),
                                   .fields = &batch->fields[i * file->columns],
                                   .file = file};
        rc = columns_of_row(lane, d, row, &batch->hashes[i * file->columns]);
        if (rc == 0)
            rc = invalid_of_row(lane, row, &valid);
        if (rc == 0)
            rc = texts_of_row(lane, d, row, valid ? ~0u : ~(unsigned)(CLEAN_FOUND_REPLACEMENT | CLEAN_FOUND_REPEATED),
                              &findings);
        lane->mojibake_rows += (findings & CLEAN_FOUND_MOJIBAKE) != 0;
        if (rc == 0)
            rc = required_of_row(lane, d, row);
        if (rc == 0 && d->wp != NULL && d->schema.text_count > 0)
            rc = tokens_of_row(lane, d, row);
        if (rc == 0)
            rc = keys_of_row(lane, d, row, (findings & PERSONAL) != 0, &batch->excerpts);
    }
    return rc;
}
