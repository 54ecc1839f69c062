/*
 * Any bytes as an event log: CSV or JSON Lines, by what they look like. The first byte chooses options. What must hold:
 * the table has a header and good rows of its columns, in the order of time where all have one, with labels and weights
 * in range; no click without its impression turns into a row; a second run gives the same bytes.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/log.h"
#include "data/csv.h"
#include "data/events.h"
#include "data/number.h"
#include "data/timestamp.h"
#include "fuzz.h"

static void require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static int collect(void *arg, const char *bytes, size_t length)
{
    return buf_add(arg, bytes, length);
}

static void check_table(const struct buf *table, const struct events_summary *summary, double max_weight)
{
    enum { ITEM = 4, TIME = 6, LABEL = 13, WEIGHT = 14 };
    struct csv_reader *reader = NULL;
    const struct csv_record *record;
    int64_t time, last = INT64_MIN;
    uint64_t rows = 0;
    double number;
    char path[64];
    int fd = fuzz_file((const uint8_t *)buf_str(table), table->length, path);

    require(csv_reader_open(&reader, path, NULL) == 0, "the table is a table");
    require(csv_reader_columns(reader) == 15, "the table has its columns");
    while (csv_reader_next(reader, &record) == 0 && record != NULL) {
        require(record->bad == NULL, "rows are good");
        require(record->fields[ITEM].length > 0, "a row has an item");
        const struct csv_field *field = &record->fields[TIME];
        if (field->length > 0 && timestamp_parse(field->text, field->length, &time) && summary->is_ubi) {
            require(time >= last, "rows are in the order of time");
            last = time;
        }
        field = &record->fields[LABEL];
        require(field->length == 1 && field->text[0] >= '0' && field->text[0] <= '3', "labels are 0 to 3");
        field = &record->fields[WEIGHT];
        require(number_parse(field->text, field->length, &number) && number > 0 && number <= max_weight,
                "weights are in range");
        rows++;
    }
    require(rows == summary->impressions, "rows are counted");
    csv_reader_close(reader);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *shown[] = {"impression"}, *clicked[] = {"click"}, *carted[] = {"cart"}, *bought[] = {"buy"};
    struct events_summary summary;
    struct buf table = {0}, again = {0};
    char path[64];

    log_set_level(LOG_LEVEL_QUIET);
    if (size == 0)
        return 0;
    struct events_options o = {.format = data[0] & 3 ? EVENTS_FORMAT_AUTO : EVENTS_FORMAT_UBI,
                               .impression_actions = {shown, 1},
                               .click_actions = {clicked, 1},
                               .cart_actions = {carted, 1},
                               .order_actions = {bought, 1},
                               .attribution_window = data[0] & 4 ? "1s" : "30m",
                               .session_gap = data[0] & 8 ? "0" : "30m",
                               .sessions = data[0] >> 4 & 3,
                               .label = data[0] >> 2 & 3,
                               .propensity = data[0] >> 6 < 3 ? data[0] >> 6 : 0,
                               .randomised = data[0] >> 6 == 2,
                               .max_weight = 50,
                               .max_bad_rows = {.value = 1000}};
    const char *paths[] = {path};
    int fd = fuzz_file(data + 1, size - 1, path);
    int rc = events_run(paths, 1, &o, NULL, &(struct events_output){.write = collect, .arg = &table}, &summary);
    require(rc == 0 || rc == RECO_E_USAGE || rc == RECO_E_DATA, "a log is read or refused");
    if (rc == 0) {
        check_table(&table, &summary, o.max_weight);
        require(events_run(paths, 1, &o, NULL, &(struct events_output){.write = collect, .arg = &again}, NULL) == 0,
                "a log is read twice");
        require(strcmp(buf_str(&table), buf_str(&again)) == 0, "a log is read twice the same");
    }
    buf_release(&table);
    buf_release(&again);
    close(fd);
    return 0;
}
