/*
 * Any bytes as CSV. The first byte chooses options. What must hold: the records do not depend on the chunk size, nor on
 * whether well-formed rows take the quick way or libcsv's; detection only chooses among options that can be given;
 * numbers and lines rise, every good record has the header's columns and no NUL, and the raw text of a record is part
 * of the input.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "data/csv.h"
#include "fuzz.h"

static void require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static uint64_t mix(uint64_t hash, const char *bytes, size_t length)
{
    return hash_u64(bytes, length, hash);
}

static uint64_t read_all(const char *path, const struct csv_options *options)
{
    struct csv_reader *reader = NULL;
    const struct csv_record *record = NULL;
    uint64_t hash = 0, number = 0, line = 0;

    if (csv_reader_open(&reader, path, options) < 0)
        return mix(1, err_message(), strlen(err_message()));
    size_t columns = csv_reader_columns(reader);
    for (size_t i = 0; i < columns; i++)
        hash = mix(hash, csv_reader_column_name(reader, i), strlen(csv_reader_column_name(reader, i)));
    while (1) {
        require(csv_reader_next(reader, &record) == 0, "reading a file that is there");
        if (record == NULL)
            break;
        require(record->number == ++number, "records are numbered");
        require(record->line > line, "lines rise");
        line = record->line;
        hash = mix(hash + record->line, record->raw, record->raw_length);
        if (record->bad != NULL) {
            hash = mix(hash, record->bad, strlen(record->bad));
            continue;
        }
        require(record->count == columns, "a good record has all columns");
        for (size_t i = 0; i < record->count; i++) {
            require(strlen(record->fields[i].text) == record->fields[i].length, "no NUL in a good record");
            require(record->fields[i].length <= options->max_field_bytes, "no field over the limit");
            hash = mix(hash, record->fields[i].text, record->fields[i].length);
        }
    }
    csv_reader_close(reader);
    return hash;
}

static void expect_detected(const char *path, const struct csv_options *options)
{
    struct csv_options detect = *options;
    struct csv_reader *reader = NULL;
    struct csv_facts facts;

    detect.detect = true;
    detect.delimiter = detect.quote = '\0';
    if (csv_reader_open(&reader, path, &detect) < 0)
        return;
    csv_reader_facts(reader, &facts);
    csv_reader_close(reader);
    if (!facts.delimiter_detected) /* Excel's line named it */
        return;
    require(strchr(",\t;|", facts.delimiter) != NULL && facts.delimiter != '\0', "a known delimiter");
    detect.detect = false;
    detect.delimiter = facts.delimiter;
    detect.quote = facts.quote;
    detect.no_quotes = facts.quote == '\0';
    uint64_t expected = read_all(path, &detect);
    detect.delimiter = detect.quote = '\0';
    detect.detect = true;
    detect.no_quotes = options->no_quotes;
    require(read_all(path, &detect) == expected, "the records of the options that were detected");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = ",\t; ";
    static const size_t chunks[] = {1, 3, 64, 4096};
    char path[64];

    if (size == 0)
        return 0;
    int fd = fuzz_file(data + 1, size - 1, path);
    struct csv_options options = {.delimiter = delimiters[data[0] & 3],
                                  .trim_blanks = (data[0] & 4) != 0,
                                  .quote = (data[0] & 64) != 0 ? '\'' : '"',
                                  .no_quotes = (data[0] & 128) != 0,
                                  .max_field_bytes = (data[0] & 8) != 0 ? 5 : 100000};
    uint64_t expected = read_all(path, &options);
    options.chunk_bytes = chunks[(data[0] >> 4) & 3];
    require(read_all(path, &options) == expected, "the same records for any chunk size");
    options.libcsv_only = true;
    require(read_all(path, &options) == expected, "the same records from libcsv alone");
    options.libcsv_only = false;
    expect_detected(path, &options);
    close(fd);
    return 0;
}
