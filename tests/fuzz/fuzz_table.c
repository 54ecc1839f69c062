/*
 * Any bytes as a table of any kind. The first two bytes choose options. What must hold: reading twice gives the same;
 * good records have all columns and no NUL; the facts are told; columns are found by their names.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "data/table.h"
#include "fuzz.h"

enum { MOST_RECORDS = 20000 /* some kilobytes may unpack to gigabytes */ };

static void require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static uint64_t read_all(const char *path, const struct table_options *options)
{
    struct table_reader *reader = NULL;
    const struct csv_record *record = NULL;
    struct table_facts facts;
    uint64_t hash = 0, invalid = 0, number = 0;
    int rc = table_reader_open(&reader, path, options);

    if (rc < 0)
        return hash_u64(err_message(), strlen(err_message()), 1);
    size_t columns = table_reader_columns(reader), column;
    for (size_t i = 0; i < columns; i++)
        require(table_reader_has(reader, table_reader_column_name(reader, i)), "a column's name is known");
    require(columns == 0 ||
                table_reader_find(reader, "x", table_reader_column_name(reader, 0), &column) != RECO_E_USAGE,
            "a column is found");
    while ((rc = table_reader_next(reader, &record)) == 0 && record != NULL && number < MOST_RECORDS) {
        require(record->number == ++number, "records are numbered");
        invalid += record->invalid_utf8;
        require(record->bad != NULL || record->count == columns, "a good record has all columns");
        for (size_t i = 0; i < record->count; i++) {
            require(strlen(record->fields[i].text) == record->fields[i].length, "no NUL in a good record");
            hash = hash_u64(record->fields[i].text, record->fields[i].length, hash);
        }
        hash = hash_u64(record->raw, record->raw_length, hash + record->line);
    }
    require(rc == 0 || rc == RECO_E_DATA, "only damaged data cannot be read");
    table_reader_facts(reader, &facts);
    require(facts.line_ends != NULL && facts.encoding != NULL && facts.compression != NULL, "the facts are told");
    require(facts.invalid_utf8_records == invalid, "invalid UTF-8 is counted");
    table_reader_close(reader);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *names[] = {"query", "title"};
    char path[64];

    if (size < 2)
        return 0;
    int fd = fuzz_file(data + 2, size - 2, path);
    struct table_options options = {.format = data[0] & 3,
                                    .encoding = (data[0] >> 2) % 5,
                                    .repair_encoding = (data[0] & 0x40) != 0,
                                    .trim_blanks = (data[0] & 0x80) != 0,
                                    .delimiter = (data[1] & 1) != 0 ? "tab" : NULL,
                                    .quote = (data[1] & 2) != 0   ? "none"
                                             : (data[1] & 4) != 0 ? "'"
                                                                  : NULL,
                                    .max_field_bytes = (data[1] & 8) != 0 ? 6 : 0};
    if ((data[1] & 16) != 0)
        options.columns = (struct opt_list){.items = names, .count = 2};
    uint64_t expected = read_all(path, &options);
    require(read_all(path, &options) == expected, "the same the second time");
    close(fd);
    return 0;
}
