#include <math.h>
#include <string.h>
#include <utf8proc.h>

#include "core/hash.h"
#include "core/mem.h"
#include "data/dataset_format.h"
#include "data/number.h"
#include "data/predictions.h"
#include "data/prepare_internal.h"
#include "data/utf8.h"

enum { MAX_SHOWN_BYTES = 60 };

void prepare_row_reader_next_file(struct prepare_row_reader *r)
{
    r->id_count = 0;
    if (r->id_slots > 0)
        memset(r->ids, 0, r->id_slots * sizeof *r->ids);
}

void prepare_row_reader_release(struct prepare_row_reader *r)
{
    mem_free(r->ids);
    buf_release(&r->description);
    buf_release(&r->columns);
    buf_release(&r->key);
    buf_release(&r->bad);
}

static bool is_white(uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return c == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

/* The query as two spellings of one query share it: lower case, white space folded. Empty for a query of blanks. */
static int normalise_query(struct buf *out, const struct csv_field *query)
{
    const unsigned char *p = (const unsigned char *)query->text, *end = p + query->length;
    bool gap = false;

    buf_clear(out);
    while (p < end) {
        uint32_t c;
        unsigned char bytes[UTF8_MAX_BYTES];

        p += utf8_decode(p, end, &c);
        if (is_white(c)) {
            gap = out->length > 0;
            continue;
        }
        int rc = gap ? buf_add_char(out, ' ') : 0;
        gap = false;
        if (rc == 0)
            rc = buf_add(out, bytes, utf8_encode((uint32_t)utf8proc_tolower((utf8proc_int32_t)c), bytes));
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int not_a_number(struct buf *bad, const char *what, const struct csv_field *field)
{
    int shown = field->length > MAX_SHOWN_BYTES ? MAX_SHOWN_BYTES : (int)field->length;

    return buf_printf(bad, "%s '%.*s' is not a number", what, shown, field->text);
}

static int read_label(struct prepare_row_reader *r, const struct prepare_file *file, const struct csv_record *record,
                      struct prepare_labels *labels, struct dataset_writer_row *row)
{
    row->label = -1;
    row->target = NAN;
    if (file->schema.label == PREPARE_NO_COLUMN)
        return 0;
    const struct csv_field *field = &record->fields[file->schema.label];
    if (field->length == 0)
        return file->split == PREPARE_TEST ? 0 : buf_add_str(&r->bad, "empty label");
    if (labels->known && labels->map.task == LABEL_TASK_REGRESSION)
        return number_parse(field->text, field->length, &row->target) ? 0 : not_a_number(&r->bad, "label", field);
    return prepare_labels_find(labels, field, &row->label, &r->bad);
}

static int read_weight(struct prepare_row_reader *r, const struct prepare_file *file, const struct csv_record *record,
                       struct dataset_writer_row *row)
{
    double weight = 1.0;

    if (file->schema.weight != PREPARE_NO_COLUMN) {
        const struct csv_field *field = &record->fields[file->schema.weight];
        if (!number_parse(field->text, field->length, &weight))
            return not_a_number(&r->bad, "weight", field);
        if (weight < 0.0 || !isfinite((float)weight))
            return buf_printf(&r->bad, "weight '%s' is %s", field->text, weight < 0.0 ? "negative" : "too large");
    }
    row->weight = (float)weight;
    return 0;
}

/* The descriptions joined by one space, empty ones skipped. Borrowed from the record or from r. */
static int read_description(struct prepare_row_reader *r, const struct prepare_file *file,
                            const struct csv_record *record, struct csv_field *out)
{
    const struct prepare_schema *s = &file->schema;

    if (s->description_count == 1) {
        *out = record->fields[s->descriptions[0]];
        return 0;
    }
    buf_clear(&r->description);
    for (size_t i = 0; i < s->description_count; i++) {
        const struct csv_field *field = &record->fields[s->descriptions[i]];
        if (field->length == 0)
            continue;
        int rc = r->description.length > 0 ? buf_add_char(&r->description, ' ') : 0;
        if (rc == 0)
            rc = buf_add(&r->description, field->text, field->length);
        if (rc < 0)
            return rc;
    }
    *out = (struct csv_field){.text = buf_str(&r->description), .length = r->description.length};
    return 0;
}

static int add_column(struct prepare_row_reader *r, const struct csv_field *field)
{
    int rc = buf_add_char(&r->columns, '\t');

    return rc < 0 ? rc : predictions_escape(&r->columns, field->text, field->length);
}

static bool enter_id(uint64_t *slots, size_t slot_count, uint64_t id)
{
    size_t slot = (size_t)id & (slot_count - 1);

    for (; slots[slot] != 0; slot = (slot + 1) & (slot_count - 1))
        if (slots[slot] == id)
            return false;
    slots[slot] = id;
    return true;
}

/* Predictions are told apart by their row id, so that one can stand once in a file. Known by 64 bits of hash: 16 bytes
 * a row. */
static int check_id(struct prepare_row_reader *r, const struct csv_field *field)
{
    enum { FIRST_SLOTS = 1024 };
    uint64_t id = hash_u64(field->text, field->length, 0);

    if ((r->id_count + 1) * 2 > r->id_slots) {
        size_t slots = r->id_slots > 0 ? r->id_slots * 2 : FIRST_SLOTS;
        uint64_t *ids = mem_calloc(slots, sizeof *ids);
        if (ids == NULL)
            return RECO_E_NOMEM;
        for (size_t i = 0; i < r->id_slots; i++)
            if (r->ids[i] != 0)
                (void)enter_id(ids, slots, r->ids[i]);
        mem_free(r->ids);
        r->ids = ids;
        r->id_slots = slots;
    }
    if (enter_id(r->ids, r->id_slots, id != 0 ? id : 1)) {
        r->id_count++;
        return 0;
    }
    int shown = field->length > MAX_SHOWN_BYTES ? MAX_SHOWN_BYTES : (int)field->length;
    return buf_printf(&r->bad, "row id '%.*s' was there before", shown, field->text);
}

/* row_id, query_id and item_id; r->key is the normalised query. */
static int add_keys(struct prepare_row_reader *r, const struct prepare_file *file, const struct csv_record *record)
{
    const size_t *keys = file->schema.keys;
    struct csv_field empty = {.text = "", .length = 0};
    int rc;

    if (keys[0] != PREPARE_NO_COLUMN) {
        rc = predictions_escape(&r->columns, record->fields[keys[0]].text, record->fields[keys[0]].length);
    } else {
        rc = predictions_escape(&r->columns, file->base, strlen(file->base));
        if (rc == 0)
            rc = buf_printf(&r->columns, ":%llu", (unsigned long long)record->number);
    }
    if (rc == 0 && keys[1] != PREPARE_NO_COLUMN)
        rc = add_column(r, &record->fields[keys[1]]);
    else if (rc == 0)
        rc = buf_printf(&r->columns, "\t%016llx", (unsigned long long)hash_u64(buf_str(&r->key), r->key.length, 0));
    if (rc == 0)
        rc = add_column(r, keys[2] != PREPARE_NO_COLUMN ? &record->fields[keys[2]] : &empty);
    return rc;
}

static int add_columns(struct prepare_row_reader *r, const struct prepare_file *file, const struct csv_record *record)
{
    const struct prepare_schema *s = &file->schema;
    size_t name = PREPARE_KEYS;
    double number;

    buf_clear(&r->columns);
    int rc = add_keys(r, file, record);
    for (size_t i = 0; rc == 0 && i < PREPARE_EVENTS; i++) {
        if (s->events[i] == PREPARE_NO_COLUMN)
            continue;
        const struct csv_field *field = &record->fields[s->events[i]];
        if (field->length > 0 && !number_parse(field->text, field->length, &number))
            return not_a_number(&r->bad, s->names[name], field);
        rc = add_column(r, field);
        name++;
    }
    for (size_t i = 0; rc == 0 && i < s->carried_count; i++)
        rc = add_column(r, &record->fields[s->carried[i]]);
    return rc;
}

int prepare_row_read(struct prepare_row_reader *r, const struct prepare_file *file, const struct csv_record *record,
                     struct prepare_labels *labels, struct dataset_writer *writer, struct dataset_writer_row *row)
{
    const struct csv_field *query = &record->fields[file->schema.query];
    struct csv_field description;

    buf_clear(&r->bad);
    int rc = normalise_query(&r->key, query);
    if (rc == 0 && r->key.length == 0)
        rc = buf_add_str(&r->bad, "empty query");
    if (rc == 0 && r->bad.length == 0)
        rc = read_weight(r, file, record, row);
    if (rc == 0 && r->bad.length == 0)
        rc = add_columns(r, file, record);
    if (rc == 0 && r->bad.length == 0 && file->schema.keys[0] != PREPARE_NO_COLUMN)
        rc = check_id(r, &record->fields[file->schema.keys[0]]);
    if (rc == 0 && r->bad.length == 0) /* last, so that a value seen in bad rows only does not become a label */
        rc = read_label(r, file, record, labels, row);
    if (rc < 0 || r->bad.length > 0)
        return rc;
    row->columns = buf_str(&r->columns);
    row->columns_length = r->columns.length;
    row->description = DATASET_NO_TEXT;
    rc = dataset_writer_text(writer, query->text, query->length, &row->query);
    if (rc == 0 && file->schema.description_count > 0) {
        rc = read_description(r, file, record, &description);
        if (rc == 0)
            rc = dataset_writer_text(writer, description.text, description.length, &row->description);
    }
    return rc;
}
