#include "data/join_key.h"

#include <string.h>

#include "core/mem.h"

bool join_name_matches(const char *column, const char *name)
{
    static const char *const types[] = {"", ":token", ":token_seq", ":float", ":float_seq"};
    size_t length = strlen(name);

    if (strncmp(column, name, length) != 0)
        return false;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(column + length, types[i]) == 0)
            return true;
    return false;
}

int join_find_column(const struct table_reader *reader, const char *option, const char *name, size_t *column)
{
    size_t columns = table_reader_columns(reader);

    if (!table_reader_has(reader, name))
        for (size_t i = 0; i < columns; i++)
            if (join_name_matches(table_reader_column_name(reader, i), name))
                return table_reader_find(reader, option, table_reader_column_name(reader, i), column);
    return table_reader_find(reader, option, name, column);
}

int join_key_find(struct join_key *key, const struct table_reader *reader, const char *option, const char *names)
{
    int rc = 0;

    *key = (struct join_key){.count = 0};
    if (strchr(names, ',') == NULL || table_reader_has(reader, names)) {
        key->count = 1;
        return join_find_column(reader, option, names, &key->columns[0]);
    }
    for (const char *at = names; rc == 0 && at != NULL;) {
        const char *comma = strchr(at, ',');
        if (key->count == JOIN_KEY_COLUMNS)
            return err_set(RECO_E_USAGE, "cannot read --%s '%s': more than %d columns", option, names,
                           JOIN_KEY_COLUMNS);
        char *name = comma != NULL ? mem_strndup(at, (size_t)(comma - at)) : mem_strdup(at);
        if (name == NULL)
            return RECO_E_NOMEM;
        rc = join_find_column(reader, option, name, &key->columns[key->count++]);
        mem_free(name);
        at = comma != NULL ? comma + 1 : NULL;
    }
    return rc;
}

int join_key_text(const struct join_key *key, const struct csv_field *fields, struct buf *text, struct csv_field *out)
{
    size_t bytes = 0;
    int rc = 0;

    if (key->count == 1) {
        *out = fields[key->columns[0]];
        return 0;
    }
    buf_clear(text);
    for (size_t i = 0; rc == 0 && i < key->count; i++) {
        const struct csv_field *field = &fields[key->columns[i]];
        bytes += field->length;
        rc = i > 0 ? buf_add_char(text, ',') : 0;
        if (rc == 0)
            rc = buf_add(text, field->text, field->length);
    }
    *out = (struct csv_field){.text = bytes > 0 ? buf_str(text) : "", .length = bytes > 0 ? text->length : 0};
    return rc;
}
