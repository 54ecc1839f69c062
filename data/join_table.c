#include "data/join_table.h"

#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "core/temp_file.h"

/*
 * A row in the file: its line (8 bytes), the lengths of its fields (4 bytes each), the fields with a NUL behind each.
 */
struct slot {
    uint64_t hash;
    uint64_t place; /* of the row, + 1; 0: free */
};

struct join_table {
    char *label, **names;
    const char *what;
    size_t column_count;
    struct join_key key;
    struct temp_file *file;
    const unsigned char *rows; /* the file, mapped */
    struct slot *slots;
    size_t slot_count; /* a power of two */
    uint64_t row_count;
};

/* ---- index ---- */

static struct slot *free_slot(struct slot *slots, size_t count, uint64_t hash)
{
    size_t at = (size_t)hash & (count - 1);

    while (slots[at].place != 0)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static int index_add(struct join_table *t, uint64_t hash, uint64_t place)
{
    enum { FIRST_SLOTS = 256 };

    if (t->row_count >= t->slot_count / 4 * 3) {
        size_t count = t->slot_count > 0 ? 2 * t->slot_count : FIRST_SLOTS;
        struct slot *slots = mem_calloc(count, sizeof *slots);
        if (slots == NULL)
            return RECO_E_NOMEM;
        for (size_t i = 0; i < t->slot_count; i++)
            if (t->slots[i].place != 0)
                *free_slot(slots, count, t->slots[i].hash) = t->slots[i];
        mem_free(t->slots);
        t->slots = slots;
        t->slot_count = count;
    }
    *free_slot(t->slots, t->slot_count, hash) = (struct slot){.hash = hash, .place = place + 1};
    t->row_count++;
    return 0;
}

/* ---- loading ---- */

struct loader {
    struct join_table *t;
    struct table_reader *reader;
    struct join_bad_rows bad;
    struct buf key_text, other_text, packed, other;
    struct csv_field *fields; /* [column_count] of an earlier row */
};

static int pack_row(struct buf *packed, const struct csv_record *record)
{
    buf_clear(packed);
    int rc = buf_add(packed, &record->line, sizeof record->line);
    for (size_t i = 0; rc == 0 && i < record->count; i++) {
        uint32_t length = (uint32_t)record->fields[i].length;
        rc = buf_add(packed, &length, sizeof length);
    }
    for (size_t i = 0; rc == 0 && i < record->count; i++) {
        rc = buf_add(packed, record->fields[i].text, record->fields[i].length);
        if (rc == 0)
            rc = buf_add_char(packed, '\0');
    }
    return rc;
}

static void unpack_row(const unsigned char *row, struct csv_field *fields, size_t count)
{
    const unsigned char *lengths = row + sizeof(uint64_t);
    const char *text = (const char *)lengths + count * sizeof(uint32_t);

    for (size_t i = 0; i < count; i++) {
        uint32_t length;
        memcpy(&length, lengths + i * sizeof length, sizeof length);
        fields[i] = (struct csv_field){.text = text, .length = length};
        text += length + 1;
    }
}

/* Reads the packed row at place back into l->other and l->fields. */
static int read_back(struct loader *l, uint64_t place)
{
    struct join_table *t = l->t;
    size_t head = sizeof(uint64_t) + t->column_count * sizeof(uint32_t), body = 0;
    uint32_t length;

    buf_clear(&l->other);
    int rc = buf_reserve(&l->other, head);
    if (rc == 0)
        rc = temp_file_flush(t->file);
    if (rc == 0)
        rc = temp_file_read(t->file, place, l->other.data, head);
    for (size_t i = 0; rc == 0 && i < t->column_count; i++) {
        memcpy(&length, l->other.data + sizeof(uint64_t) + i * sizeof length, sizeof length);
        body += (size_t)length + 1;
    }
    if (rc < 0)
        return rc;
    l->other.length = head;
    rc = buf_reserve(&l->other, body);
    if (rc == 0)
        rc = temp_file_read(t->file, place + head, l->other.data + head, body);
    if (rc == 0)
        unpack_row((const unsigned char *)l->other.data, l->fields, t->column_count);
    return rc;
}

/* *known: an equal row is there already. */
static int check_duplicate(struct loader *l, const struct csv_record *record, const struct csv_field *key,
                           uint64_t hash, bool *known)
{
    struct join_table *t = l->t;
    struct csv_field other;
    uint64_t line;
    int rc = 0;

    *known = false;
    if (t->slot_count == 0)
        return 0;
    for (size_t at = (size_t)hash & (t->slot_count - 1); rc == 0 && t->slots[at].place != 0;
         at = (at + 1) & (t->slot_count - 1)) {
        if (t->slots[at].hash != hash)
            continue;
        rc = read_back(l, t->slots[at].place - 1);
        if (rc == 0)
            rc = join_key_text(&t->key, l->fields, &l->other_text, &other);
        if (rc < 0 || other.length != key->length || memcmp(other.text, key->text, key->length) != 0)
            continue;
        *known = true;
        for (size_t i = 0; i < t->column_count; i++) {
            if (record->fields[i].length == l->fields[i].length &&
                memcmp(record->fields[i].text, l->fields[i].text, l->fields[i].length) == 0)
                continue;
            memcpy(&line, l->other.data, sizeof line);
            return err_set(RECO_E_DATA, "cannot use %s: lines %llu and %llu are both %s '%s' and differ in '%s'",
                           t->label, (unsigned long long)line, (unsigned long long)record->line, t->what, key->text,
                           t->names[i]);
        }
    }
    return rc;
}

static int load_row(struct loader *l, const struct csv_record *record)
{
    struct csv_field key;
    bool known = false;

    l->bad.rows++;
    if (record->bad != NULL)
        return join_bad_rows_add(&l->bad, record->line, record->bad);
    int rc = join_key_text(&l->t->key, record->fields, &l->key_text, &key);
    if (rc == 0 && key.length == 0)
        return join_bad_rows_add(&l->bad, record->line, "the id is empty");
    uint64_t hash = rc == 0 ? hash_u64(key.text, key.length, 0) : 0;
    if (rc == 0)
        rc = check_duplicate(l, record, &key, hash, &known);
    if (rc < 0 || known)
        return rc;
    rc = pack_row(&l->packed, record);
    if (rc == 0)
        rc = index_add(l->t, hash, temp_file_bytes(l->t->file));
    return rc < 0 ? rc : temp_file_write(l->t->file, l->packed.data, l->packed.length);
}

static int copy_names(struct join_table *t, const struct table_reader *reader)
{
    t->column_count = table_reader_columns(reader);
    t->names = mem_calloc(t->column_count, sizeof *t->names);
    if (t->names == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < t->column_count; i++) {
        t->names[i] = mem_strdup(table_reader_column_name(reader, i));
        if (t->names[i] == NULL)
            return RECO_E_NOMEM;
    }
    return 0;
}

static int load(struct join_table *t, const struct join_table_options *o)
{
    struct loader l = {.t = t};
    const struct csv_record *record;

    int rc = join_reader_open(&l.reader, o->path, o->file_option, o->table);
    if (rc == 0)
        rc = copy_names(t, l.reader);
    if (rc == 0)
        rc = join_key_find(&t->key, l.reader, o->key_option, o->key_names);
    if (rc == 0) {
        l.fields = mem_calloc(t->column_count, sizeof *l.fields);
        rc = l.fields == NULL ? RECO_E_NOMEM : temp_file_open(&t->file, o->tmp_dir);
    }
    while (rc == 0) {
        rc = table_reader_next(l.reader, &record);
        if (rc < 0 || record == NULL)
            break;
        rc = load_row(&l, record);
    }
    if (rc == 0)
        rc = join_bad_rows_check(&l.bad, t->label, &o->max_bad_rows);
    if (rc == 0)
        rc = temp_file_map(t->file, &t->rows);
    table_reader_close(l.reader);
    buf_release(&l.bad.first);
    buf_release(&l.key_text);
    buf_release(&l.other_text);
    buf_release(&l.packed);
    buf_release(&l.other);
    mem_free(l.fields);
    return rc;
}

int join_table_open(struct join_table **out, const struct join_table_options *options)
{
    struct join_table *t = mem_calloc(1, sizeof *t);

    if (t == NULL)
        return RECO_E_NOMEM;
    t->what = options->what;
    t->label = mem_printf("'%s'", options->path);
    int rc = t->label == NULL ? RECO_E_NOMEM : load(t, options);
    if (rc < 0) {
        join_table_close(t);
        return rc;
    }
    *out = t;
    return 0;
}

void join_table_close(struct join_table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; t->names != NULL && i < t->column_count; i++)
        mem_free(t->names[i]);
    mem_free(t->names);
    mem_free(t->label);
    mem_free(t->slots);
    temp_file_close(t->file);
    mem_free(t);
}

/* ---- reading ---- */

size_t join_table_columns(const struct join_table *t)
{
    return t->column_count;
}

const char *join_table_column_name(const struct join_table *t, size_t column)
{
    return t->names[column];
}

const char *join_table_label(const struct join_table *t)
{
    return t->label;
}

uint64_t join_table_rows(const struct join_table *t)
{
    return t->row_count;
}

/* The key of a row is length bytes of text: compared piece by piece, without putting a key of several columns together.
 */
static bool has_key(const struct join_table *t, const unsigned char *row, const char *key, size_t length)
{
    const unsigned char *lengths = row + sizeof(uint64_t);
    size_t at = 0;

    for (size_t k = 0; k < t->key.count; k++) {
        const char *text = (const char *)lengths + t->column_count * sizeof(uint32_t);
        uint32_t bytes = 0;
        for (size_t i = 0; i <= t->key.columns[k]; i++) {
            text += i > 0 ? bytes + 1 : 0;
            memcpy(&bytes, lengths + i * sizeof bytes, sizeof bytes);
        }
        if (k > 0 && (at == length || key[at++] != ','))
            return false;
        if (length - at < bytes || memcmp(key + at, text, bytes) != 0)
            return false;
        at += bytes;
    }
    return at == length;
}

bool join_table_lookup(const struct join_table *t, const char *key, size_t length, uint64_t *row)
{
    uint64_t hash = hash_u64(key, length, 0);

    for (size_t at = (size_t)hash & (t->slot_count - 1); t->slots[at].place != 0; at = (at + 1) & (t->slot_count - 1)) {
        if (t->slots[at].hash != hash || !has_key(t, t->rows + t->slots[at].place - 1, key, length))
            continue;
        *row = t->slots[at].place - 1;
        return true;
    }
    return false;
}

void join_table_fields(const struct join_table *t, uint64_t row, struct csv_field *fields)
{
    unpack_row(t->rows + row, fields, t->column_count);
}
