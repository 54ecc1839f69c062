/*
 * Any bytes as JSON Lines. The first byte chooses options. What must hold: the records do not depend on the chunk size,
 * numbers and lines rise, a record is good when jansson takes its line as an object, and its fields are then jansson's
 * strings, or the spelling of what is no string.
 */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "data/jsonl.h"
#include "fuzz.h"

static void require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static struct jsonl_reader *open_reader(const char *path, const struct jsonl_options *options)
{
    struct jsonl_reader *reader = NULL;
    struct input *input = NULL;

    if (input_open(&input, path, NULL) < 0 || jsonl_reader_open_input(&reader, input, options) < 0)
        return NULL;
    return reader;
}

static void check_field(const struct csv_field *field, const json_t *value, bool trimmed)
{
    require(strlen(field->text) == field->length, "no NUL in a good record");
    if (json_is_string(value) && !trimmed)
        require(json_string_length(value) == field->length &&
                    memcmp(json_string_value(value), field->text, field->length) == 0,
                "the text of a string");
    else if (value == NULL || json_is_null(value))
        require(field->length == 0, "null and what is missing are empty");
    else if (!json_is_string(value)) {
        json_t *again = json_loadb(field->text, field->length, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
        require(again != NULL && json_equal(again, value), "the spelling of a value");
        json_decref(again);
    }
}

static void check_record(const struct jsonl_reader *reader, const struct csv_record *record, bool trimmed)
{
    json_t *object = json_loadb(record->raw, record->raw_length, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);

    if (record->bad == NULL) {
        require(json_is_object(object) && record->count == jsonl_reader_columns(reader), "an object, all columns");
        for (size_t i = 0; i < record->count; i++)
            check_field(&record->fields[i], json_object_get(object, jsonl_reader_names(reader)[i]), trimmed);
    } else {
        require(!json_is_object(object) || strstr(record->bad, "longer than") != NULL, "a bad row for a reason");
    }
    json_decref(object);
}

static uint64_t read_all(const char *path, const struct jsonl_options *options)
{
    struct jsonl_reader *reader = open_reader(path, options);
    const struct csv_record *record = NULL;
    uint64_t hash = 1, number = 0, line = 0;

    if (reader == NULL)
        return hash;
    while (1) {
        require(jsonl_reader_next(reader, &record) == 0, "reading a file that is there");
        if (record == NULL)
            break;
        require(record->number == ++number && record->line > line, "numbers and lines rise");
        line = record->line;
        hash = hash_u64(record->raw, record->raw_length, hash + line);
        check_record(reader, record, options->trim_blanks);
        for (size_t i = 0; i < record->count; i++) {
            require(record->fields[i].length <= options->max_field_bytes, "no field over the limit");
            hash = hash_u64(record->fields[i].text, record->fields[i].length, hash);
        }
    }
    jsonl_reader_close(reader);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t chunks[] = {1, 3, 64, 4096};
    char path[64];

    if (size == 0)
        return 0;
    int fd = fuzz_file(data + 1, size - 1, path);
    struct jsonl_options options = {.trim_blanks = (data[0] & 4) != 0,
                                    .max_field_bytes = (data[0] & 8) != 0 ? 5 : 100000};
    uint64_t expected = read_all(path, &options);
    options.chunk_bytes = chunks[(data[0] >> 4) & 3];
    require(read_all(path, &options) == expected, "the same records for any chunk size");
    close(fd);
    return 0;
}
