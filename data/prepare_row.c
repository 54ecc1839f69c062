#include <ctype.h>
#include <math.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "data/dataset_format.h"
#include "data/number.h"
#include "data/predictions.h"
#include "data/prepare_internal.h"
#include "data/timestamp.h"
#include "data/utf8.h"

enum {
    MAX_SHOWN_BYTES = 60,
    REJECT_BYTES = 200, /* of a bad row, in rejects.tsv */
    MASKED_BEYOND = 320 /* so that the cut leaves no half of an address: the longest is shorter */
};

struct prepare_lane {
    const struct prepare_map *map;
    const struct prepare_file *file;
    const struct prepare_names *names;
    struct assembly_lane *assembly;
    struct clean_lane *clean; /* NULL: nothing to clean */
    struct buf query, description, key, bad, columns;
    uint64_t *changed_before; /* [clean_rule_count()] */
    struct buf last_label;    /* and its class: labels repeat */
    int32_t last_class;
};

int prepare_lane_new(struct prepare_lane **out, const struct prepare_map *map)
{
    struct prepare_lane *lane = mem_calloc(1, sizeof *lane);

    if (lane == NULL)
        return RECO_E_NOMEM;
    lane->map = map;
    lane->changed_before = mem_calloc(clean_rule_count(), sizeof *lane->changed_before);
    int rc = lane->changed_before == NULL ? RECO_E_NOMEM : 0;
    if (rc == 0 && map->cleaner != NULL)
        rc = clean_lane_new(&lane->clean, map->cleaner);
    if (rc < 0) {
        prepare_lane_free(lane);
        return rc;
    }
    *out = lane;
    return 0;
}

void prepare_lane_free(struct prepare_lane *lane)
{
    if (lane == NULL)
        return;
    assembly_lane_free(lane->assembly);
    clean_lane_free(lane->clean);
    buf_release(&lane->query);
    buf_release(&lane->description);
    buf_release(&lane->key);
    buf_release(&lane->bad);
    buf_release(&lane->columns);
    buf_release(&lane->last_label);
    mem_free(lane->changed_before);
    mem_free(lane);
}

int prepare_lane_file(struct prepare_lane *lane, const struct prepare_file *file, const struct prepare_names *names)
{
    assembly_lane_free(lane->assembly);
    lane->assembly = NULL;
    lane->file = file;
    lane->names = names;
    return assembly_lane_new(&lane->assembly, file->assembly);
}

/* ---- columns of a row
 * --------------------------------------------------------------------------------------------------- */

static int not_a_number(struct buf *bad, const char *what, const struct csv_field *field)
{
    int shown = field->length > MAX_SHOWN_BYTES ? MAX_SHOWN_BYTES : (int)field->length;

    return buf_printf(bad, "%s '%.*s' is not a number", what, shown, field->text);
}

static int read_weight(struct prepare_lane *l, const struct csv_field *fields, float *out)
{
    size_t column = l->file->schema.weight;
    double weight = 1.0;

    if (column != PREPARE_NO_COLUMN) {
        if (!number_parse(fields[column].text, fields[column].length, &weight))
            return not_a_number(&l->bad, "weight", &fields[column]);
        if (weight < 0.0 || !isfinite((float)weight))
            return buf_printf(&l->bad, "weight '%s' is %s", fields[column].text,
                              weight < 0.0 ? "negative" : "too large");
    }
    *out = (float)weight;
    return 0;
}

static int read_time(struct prepare_lane *l, const struct csv_field *fields, int64_t *out)
{
    size_t column = l->file->schema.time;

    if (column == PREPARE_NO_COLUMN || timestamp_parse(fields[column].text, fields[column].length, out))
        return 0;
    int shown = fields[column].length > MAX_SHOWN_BYTES ? MAX_SHOWN_BYTES : (int)fields[column].length;
    return buf_printf(&l->bad, "time '%.*s' cannot be read", shown, fields[column].text);
}

/* A field as it goes into a column: masked, then escaped; appended. */
static int add_escaped(struct prepare_lane *l, const char *text, size_t length)
{
    int rc = 0;

    if (l->clean != NULL)
        rc = clean_mask(l->clean, text, length, &text, &length);
    return rc < 0 ? rc : predictions_escape(&l->columns, text, length);
}

static int add_keys(struct prepare_lane *l, const struct csv_field *fields, uint64_t record, uint64_t query_key)
{
    const struct prepare_map *map = l->map;
    const size_t *keys = l->file->schema.keys;
    int rc;

    if (keys[0] != PREPARE_NO_COLUMN) {
        rc = predictions_escape(&l->columns, fields[keys[0]].text, fields[keys[0]].length);
    } else {
        rc = predictions_escape(&l->columns, l->file->base, strlen(l->file->base));
        if (rc == 0 && map->shards > 0 && strcmp(l->file->path, "-") == 0)
            rc = buf_printf(&l->columns, ":%llu", (unsigned long long)map->shard + 1);
        if (rc == 0)
            rc = buf_printf(&l->columns, ":%llu", (unsigned long long)record);
    }
    if (rc == 0)
        rc = buf_add_char(&l->columns, '\t');
    if (rc == 0 && keys[1] != PREPARE_NO_COLUMN)
        rc = predictions_escape(&l->columns, fields[keys[1]].text, fields[keys[1]].length);
    else if (rc == 0)
        rc = buf_printf(&l->columns, "%016llx", (unsigned long long)query_key);
    if (rc == 0)
        rc = buf_add_char(&l->columns, '\t');
    if (rc == 0 && keys[2] != PREPARE_NO_COLUMN)
        rc = predictions_escape(&l->columns, fields[keys[2]].text, fields[keys[2]].length);
    return rc;
}

static int add_columns(struct prepare_lane *l, const struct csv_field *fields, uint64_t record, uint64_t query_key)
{
    const struct prepare_names *names = l->names;
    double number;

    buf_clear(&l->columns);
    int rc = add_keys(l, fields, record, query_key);
    for (size_t i = 0; rc == 0 && i + PREPARE_KEYS < names->count; i++) {
        size_t column = l->file->schema.travelling[i];
        rc = buf_add_char(&l->columns, '\t');
        if (rc < 0 || column == PREPARE_NO_COLUMN)
            continue;
        const struct csv_field *field = &fields[column];
        if (i >= names->event_count)
            rc = add_escaped(l, field->text, field->length);
        else if (field->length > 0 && !number_parse(field->text, field->length, &number))
            return not_a_number(&l->bad, names->names[PREPARE_KEYS + i], field);
        else
            rc = predictions_escape(&l->columns, field->text, field->length);
    }
    return rc;
}

/* In a known map. */
static int find_class(struct prepare_lane *l, const char *text, size_t length, int32_t *class)
{
    int rc = 0;

    if (l->last_label.length != length || memcmp(buf_str(&l->last_label), text, length) != 0) {
        buf_clear(&l->last_label);
        rc = buf_add(&l->last_label, text, length);
        l->last_class = label_map_find(&l->map->labels->map, text, length);
    }
    *class = l->last_class;
    return rc < 0 || *class >= 0 ? rc : prepare_labels_unknown(l->map->labels, text, length, &l->bad);
}

static int read_label(struct prepare_lane *l, const struct csv_field *fields, struct prepare_mapped *out,
                      const char **text, size_t *length)
{
    size_t column = l->file->schema.label;

    if (column == PREPARE_NO_COLUMN) {
        return prepare_positives_only(l->map->options)
                   ? find_class(l, PREPARE_POSITIVE_LABEL, strlen(PREPARE_POSITIVE_LABEL), &out->row.label)
                   : 0;
    }
    int rc = label_rule_apply(l->map->labels->rule, fields[column].text, fields[column].length, text, length, &l->bad);
    if (rc < 0 || l->bad.length > 0)
        return rc;
    if (*length == 0)
        return l->file->split == PREPARE_TEST ? 0 : buf_add_str(&l->bad, "empty label");
    if (l->map->labels->known && l->map->labels->map.task == LABEL_TASK_REGRESSION) {
        const struct csv_field field = {.text = *text, .length = *length};
        return number_parse(*text, *length, &out->row.target) ? 0 : not_a_number(&l->bad, "label", &field);
    }
    if (!utf8_is_valid(*text, *length, NULL))
        return buf_add_str(&l->bad, "the label is not UTF-8");
    out->has_label = !l->map->labels->known;
    return out->has_label ? 0 : find_class(l, *text, *length, &out->row.label);
}

/* ---- texts
 * -------------------------------------------------------------------------------------------------------------- */

/* The columns joined by one space, empty ones skipped, or the template. Borrowed from fields or from b. */
static int render(const struct text_template *t, const size_t *columns, size_t count, const struct csv_field *fields,
                  struct buf *b, struct csv_field *out)
{
    int rc = 0;

    if (t == NULL && count == 1) {
        *out = fields[columns[0]];
        return 0;
    }
    buf_clear(b);
    if (t != NULL)
        rc = text_template_render(t, fields, b);
    for (size_t i = 0; rc == 0 && t == NULL && i < count; i++) {
        const struct csv_field *field = &fields[columns[i]];
        if (field->length == 0)
            continue;
        rc = b->length > 0 ? buf_add_char(b, ' ') : 0;
        if (rc == 0)
            rc = buf_add(b, field->text, field->length);
    }
    *out = (struct csv_field){.text = buf_str(b), .length = b->length};
    return rc;
}

static int clean_side(struct prepare_lane *l, enum clean_side side, struct csv_field *field)
{
    return clean_text(l->clean, side, field->text, field->length, &field->text, &field->length);
}

/* The rules that changed a text since l->changed_before, a bit each. */
static uint64_t changed_rules(const struct prepare_lane *l)
{
    const struct clean_counts *counts = clean_lane_counts(l->clean);
    uint64_t changed = 0;

    for (size_t i = 0; i < clean_rule_count(); i++)
        changed |= (uint64_t)(counts->texts[i] != l->changed_before[i]) << i;
    return changed;
}

/* Both texts, clean, and which rules changed them. *rule: the one that drops the row, clean_rule_count(): none. */
static int read_texts(struct prepare_lane *l, const struct csv_field *fields, struct csv_field *query,
                      struct csv_field *description, uint64_t *changed, size_t *rule)
{
    const struct prepare_schema *s = &l->file->schema;
    bool pair = l->map->has_description;
    int rc = render(s->query_template, &s->query, 1, fields, &l->query, query);

    *changed = 0;
    *rule = clean_rule_count();
    if (rc == 0 && pair)
        rc = render(s->description_template, s->descriptions, s->description_count, fields, &l->description,
                    description);
    if (rc < 0 || l->clean == NULL)
        return rc;
    memcpy(l->changed_before, clean_lane_counts(l->clean)->texts, clean_rule_count() * sizeof *l->changed_before);
    rc = clean_side(l, CLEAN_SIDE_QUERY, query);
    if (rc == 0 && pair)
        rc = clean_side(l, CLEAN_SIDE_DESCRIPTION, description);
    if (rc == 0)
        rc = clean_row(l->clean, query->text, query->length, pair ? description->text : NULL,
                       pair ? description->length : 0, rule);
    if (rc == 0)
        *changed = changed_rules(l);
    return rc;
}

/* ---- what goes into the share
 * -------------------------------------------------------------------------------------------- */

static int put(struct buf *bytes, const char *text, size_t length, struct prepare_span *span)
{
    *span = (struct prepare_span){bytes->length, length};
    return buf_add(bytes, text, length);
}

static int escape_nul(struct buf *b, const char *text, size_t length)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < length;) {
        const char *nul = memchr(text + i, '\0', length - i);
        size_t run = nul != NULL ? (size_t)(nul - text) - i : length - i;
        rc = predictions_escape(b, text + i, run);
        if (rc == 0 && nul != NULL)
            rc = buf_add_str(b, "\\0");
        i += run + (nul != NULL);
    }
    return rc;
}

/* The start of the record as it stands in the file: masked, then escaped. */
static int put_raw(struct prepare_lane *l, const struct csv_record *record, bool cut, struct buf *bytes,
                   struct prepare_span *span)
{
    const char *text = record->raw;
    size_t taken =
        record->raw_length < REJECT_BYTES + MASKED_BEYOND ? record->raw_length : REJECT_BYTES + MASKED_BEYOND;
    size_t length = taken;
    int rc = 0;

    span->start = bytes->length;
    if (l->clean != NULL)
        rc = clean_mask(l->clean, text, taken, &text, &length);
    cut = cut || record->raw_length > taken || length > REJECT_BYTES;
    if (length > REJECT_BYTES)
        length = REJECT_BYTES;
    if (rc == 0)
        rc = escape_nul(bytes, text, length);
    if (rc == 0 && cut)
        rc = buf_add_str(bytes, "...");
    span->length = bytes->length - span->start;
    return rc;
}

static int put_bad(struct prepare_lane *l, const struct csv_record *record, bool raw_cut, const char *reason,
                   struct buf *bytes, struct prepare_mapped *out)
{
    size_t length = strlen(reason);
    int rc = l->clean != NULL ? clean_mask(l->clean, reason, length, &reason, &length) : 0;

    out->row.kind = SPOOL_BAD;
    out->reason.start = bytes->length;
    if (rc == 0)
        rc = escape_nul(bytes, reason, length);
    out->reason.length = bytes->length - out->reason.start;
    return rc < 0 ? rc : put_raw(l, record, raw_cut, bytes, &out->raw);
}

/*
 * A row's place among those of all shards: its file, then its record, or in a part of stdin its id (whole numbers by
 * value, before all other ids), or without one, and for rows that have none because they are bad, shard and record.
 */
static int put_order(struct prepare_lane *l, const struct csv_field *fields, const struct csv_record *record,
                     struct buf *bytes, struct prepare_span *span)
{
    enum { BY_NUMBER, BY_TEXT, BY_SHARD };
    enum { MOST_DIGITS = 19 };
    const struct prepare_map *map = l->map;
    const size_t id = l->file->schema.keys[0];
    unsigned char key[9];
    bool from_stdin = strcmp(l->file->path, "-") == 0;
    uint64_t number = 0;
    size_t digits = 0;

    span->start = bytes->length;
    if (!from_stdin) {
        sorter_u64(key, record->number);
        int rc = buf_add(bytes, key, 8);
        span->length = bytes->length - span->start;
        return rc;
    }
    if (id == PREPARE_NO_COLUMN || fields == NULL) {
        key[0] = BY_SHARD;
        sorter_u64(key + 1, map->shard);
        int rc = buf_add(bytes, key, 9);
        sorter_u64(key, record->number);
        if (rc == 0)
            rc = buf_add(bytes, key, 8);
        span->length = bytes->length - span->start;
        return rc;
    }
    const struct csv_field *field = &fields[id];
    while (digits < field->length && digits < MOST_DIGITS && isdigit((unsigned char)field->text[digits]))
        number = number * 10 + (uint64_t)(field->text[digits++] - '0');
    key[0] = field->length > 0 && digits == field->length ? BY_NUMBER : BY_TEXT;
    sorter_u64(key + 1, key[0] == BY_NUMBER ? number : 0);
    int rc = buf_add(bytes, key, 9);
    if (rc == 0)
        rc = buf_add(bytes, field->text, field->length);
    span->length = bytes->length - span->start;
    return rc;
}

static uint64_t field_key(const struct csv_field *fields, size_t column)
{
    return column == PREPARE_NO_COLUMN ? 0 : hash_u64(fields[column].text, fields[column].length, 0);
}

/* The hashes by which rows are compared. l->key is the normalised query, which the description joins. */
static int add_hashes(struct prepare_lane *l, const struct csv_field *fields, const struct csv_field *description,
                      struct prepare_mapped *out)
{
    const size_t *keys = l->file->schema.keys;
    size_t query_length = l->key.length;
    int rc = buf_add_char(&l->key, '\n'); /* in no normalised text */

    if (rc == 0 && l->map->has_description)
        rc = prepare_normalise(&l->key, description->text, description->length);
    if (rc < 0)
        return rc;
    out->row.pair_key = hash_u64(l->key.data, l->key.length, 0);
    out->row.id_key = field_key(fields, keys[0]);
    out->row.item_key = keys[2] != PREPARE_NO_COLUMN && fields[keys[2]].length > 0
                            ? field_key(fields, keys[2])
                            : hash_u64(l->key.data + query_length, l->key.length - query_length, 1);
    out->row.category_key = field_key(fields, l->file->schema.category);
    return 0;
}

/* Only the whole data tell whether its id was there before, or its label is in the map. */
static bool may_turn_bad(const struct prepare_lane *l)
{
    return l->file->schema.keys[0] != PREPARE_NO_COLUMN ||
           (!l->map->labels->known && l->file->split != l->map->first_split);
}

static int map_good(struct prepare_lane *l, const struct csv_record *record, bool raw_cut,
                    const struct csv_field *fields, struct buf *bytes, struct prepare_mapped *out)
{
    struct csv_field query = {.text = ""}, description = {.text = ""};
    const char *label = "";
    size_t label_length = 0, rule;
    int rc = read_texts(l, fields, &query, &description, &out->row.changed, &rule);

    buf_clear(&l->key);
    if (rc == 0)
        rc = prepare_normalise(&l->key, query.text, query.length);
    if (rc < 0)
        return rc;
    out->row.query_key = hash_u64(buf_str(&l->key), l->key.length, 0);
    if (l->key.length == 0)
        rc = buf_add_str(&l->bad, "empty query");
    if (rc == 0 && l->bad.length == 0)
        rc = read_weight(l, fields, &out->row.weight);
    if (rc == 0 && l->bad.length == 0)
        rc = read_time(l, fields, &out->row.time_us);
    if (rc == 0 && l->bad.length == 0)
        rc = add_columns(l, fields, record->number, out->row.query_key);
    if (rc == 0 && l->clean != NULL)
        out->row.changed = changed_rules(l); /* masks in carried columns too */
    if (rc == 0 && l->bad.length == 0)
        rc = read_label(l, fields, out, &label, &label_length);
    if (rc < 0 || l->bad.length > 0)
        return rc;
    if (rule < clean_rule_count()) {
        out->row.kind = SPOOL_DROPPED;
        out->row.rule = (uint32_t)rule;
        return 0;
    }
    rc = add_hashes(l, fields, &description, out);
    if (rc == 0)
        rc = put(bytes, query.text, query.length, &out->query);
    out->query_text = text_key_of(query.text, query.length);
    if (rc == 0 && l->map->has_description) {
        rc = put(bytes, description.text, description.length, &out->description);
        out->description_text = text_key_of(description.text, description.length);
    }
    if (rc == 0)
        rc = put(bytes, label, label_length, &out->label);
    if (rc == 0)
        rc = put(bytes, buf_str(&l->columns), l->columns.length, &out->columns);
    if (rc == 0 && may_turn_bad(l))
        rc = put_raw(l, record, raw_cut, bytes, &out->raw);
    return rc;
}

int prepare_row_map(struct prepare_lane *l, const struct csv_record *record, bool raw_cut, struct buf *bytes,
                    struct prepare_mapped *out)
{
    const struct csv_field *fields = NULL;
    const char *bad = record->bad;
    int rc = 0;

    *out = (struct prepare_mapped){.row = {.kind = SPOOL_ROW,
                                           .record = record->number,
                                           .line = record->line,
                                           .label = SPOOL_NO_LABEL,
                                           .weight = 1.0f,
                                           .target = NAN}};
    buf_clear(&l->bad);
    if (bad == NULL)
        rc = assembly_widen(l->assembly, record->fields, &fields, &l->bad);
    if (rc == 0 && bad == NULL && l->bad.length == 0)
        rc = map_good(l, record, raw_cut, fields, bytes, out);
    if (rc == 0 && bad == NULL && l->bad.length > 0)
        bad = buf_str(&l->bad);
    if (rc == 0 && l->map->shards > 0)
        rc = put_order(l, bad == NULL ? fields : NULL, record, bytes, &out->order);
    return rc == 0 && bad != NULL ? put_bad(l, record, raw_cut, bad, bytes, out) : rc;
}
