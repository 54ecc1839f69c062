#ifndef RECO_TESTS_DATA_ASSEMBLE_UTIL_H
#define RECO_TESTS_DATA_ASSEMBLE_UTIL_H

/* For tests of joined tables and histories: a folder of their own, files in it, rows of chosen columns as one text.
 * Include after cmocka.h. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/assemble.h"

static char util_root[64];

static inline char *util_path(const char *name)
{
    static char paths[8][160];
    static int next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", util_root, name);
    return path;
}

static inline char *util_write(const char *name, const char *text)
{
    char *path = util_path(name);

    assert_int_equal(file_write_all(path, text, strlen(text)), 0);
    return path;
}

static inline int util_setup(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_QUIET);
    snprintf(util_root, sizeof util_root, "/tmp/reco_test_assemble.%ld", (long)getpid());
    return dir_make(util_root);
}

static inline int util_teardown(void **state)
{
    (void)state;
    return dir_remove(util_root);
}

/* $RECO_DATA_DIR, or ../shared/data beside the sources; "" when there is no such file in it. */
static inline const char *util_real(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    const char *dir = getenv("RECO_DATA_DIR");

    snprintf(path, sizeof paths[0], "%s%s/%s", dir != NULL ? dir : RECO_SOURCE_DIR,
             dir != NULL ? "" : "/../shared/data", name);
    return file_exists(path) ? path : "";
}

/*
 * The columns (comma separated) of every row of the file at path, joined by '|', a line a row; a bad row is "bad: " and
 * its reason. Appended to out.
 */
static inline int util_rows(struct buf *out, const struct assemble_options *options, const char *path,
                            const char *columns)
{
    struct assembler *a = NULL;
    struct assembly *as = NULL;
    struct assembly_lane *lane = NULL;
    struct table_reader *reader = NULL;
    const struct csv_record *record;
    const struct csv_field *fields;
    struct buf bad = {0};
    size_t found[16], count = 0;

    int rc = assembler_open(&a, options, NULL, util_root);
    if (rc == 0)
        rc = table_reader_open(&reader, path, NULL);
    if (rc == 0)
        rc = assembly_open(&as, a, reader, "'main.csv'");
    for (const char *at = columns; rc == 0 && *at != '\0' && count < 16;) {
        size_t length = strcspn(at, ",");
        char *name = mem_strndup(at, length);
        rc = name == NULL ? RECO_E_NOMEM : assembly_find(as, "carry", name, &found[count++]);
        mem_free(name);
        at += length + (at[length] == ',');
    }
    if (rc == 0)
        rc = assembly_lane_new(&lane, as);
    while (rc == 0) {
        rc = table_reader_next(reader, &record);
        if (rc < 0 || record == NULL)
            break;
        if (record->bad != NULL)
            continue;
        rc = assembly_widen(lane, record->fields, &fields, &bad);
        if (rc == 0 && bad.length > 0)
            rc = buf_printf(out, "bad: %s\n", buf_str(&bad));
        for (size_t i = 0; rc == 0 && bad.length == 0 && i < count; i++)
            rc = buf_printf(out, "%s%s", fields[found[i]].text, i + 1 < count ? "|" : "\n");
    }
    buf_release(&bad);
    assembly_lane_free(lane);
    assembly_close(as);
    table_reader_close(reader);
    assembler_close(a);
    return rc;
}

static inline void util_expect(const struct assemble_options *options, const char *path, const char *columns,
                               const char *expected)
{
    struct buf out = {0};

    if (util_rows(&out, options, path, columns) != 0)
        fail_msg("%s", err_message());
    assert_string_equal(buf_str(&out), expected);
    buf_release(&out);
}

static inline void util_expect_error(const struct assemble_options *options, const char *path, const char *columns,
                                     int code, const char *message)
{
    struct buf out = {0};

    err_clear();
    assert_int_equal(util_rows(&out, options, path, columns), code);
    if (strstr(err_message(), message) == NULL)
        fail_msg("'%s' is not in '%s'", message, err_message());
    assert_null(strchr(err_message(), '\n'));
    buf_release(&out);
}

#endif
