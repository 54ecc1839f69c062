/* The JSON Lines reader: the same records at every chunk size, lines far too long, failing allocations. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "data/jsonl.h"

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/reco_test_jsonl.%ld", (long)getpid());
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    return file_remove(path);
}

static void write_input(const char *bytes, size_t length)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

static int open_reader(struct jsonl_reader **reader, const struct jsonl_options *options)
{
    struct input *input = NULL;
    int rc = input_open(&input, path, NULL);

    return rc < 0 ? rc : jsonl_reader_open_input(reader, input, options);
}

/* "a|b", then "\nline:number[x|y]" or "\nline:number!reason<start of raw>". */
static void dump(struct buf *out, const struct jsonl_options *options)
{
    struct jsonl_reader *reader = NULL;
    const struct csv_record *record = NULL;

    buf_clear(out);
    assert_int_equal(open_reader(&reader, options), 0);
    for (size_t i = 0; i < jsonl_reader_columns(reader); i++)
        assert_int_equal(buf_printf(out, "%s%s", i > 0 ? "|" : "", jsonl_reader_names(reader)[i]), 0);
    while (jsonl_reader_next(reader, &record) == 0 && record != NULL) {
        assert_int_equal(buf_printf(out, "\n%" PRIu64 ":%" PRIu64, record->line, record->number), 0);
        if (record->bad != NULL)
            assert_int_equal(buf_printf(out, "!%s<%.*s>", record->bad,
                                        (int)(record->raw_length < 20 ? record->raw_length : 20), record->raw),
                             0);
        for (size_t i = 0; i < record->count; i++)
            assert_int_equal(buf_printf(out, "%c%s", i > 0 ? '|' : '[', record->fields[i].text), 0);
        if (record->bad == NULL)
            assert_int_equal(buf_add_char(out, ']'), 0);
    }
    jsonl_reader_close(reader);
}

static const char mixed[] =
    "{\"query\": \"red\\u0020kettle\", \"label\": 1.0}\r\n"
    " \t\n"
    "{\"label\": [1, \"]\"], \"late\": {\"x\": null}}\n"
    "no object\n"
    "{\"query\":\"\xe5\xb0\x8f\xe5\xad\xa9, a text of more than sixteen bytes \\\"quoted\\\"\"}";

static void test_chunks(void **state)
{
    struct buf out = {0};

    (void)state;
    write_input(mixed, sizeof mixed - 1);
    for (size_t chunk = 0; chunk < sizeof mixed + 1; chunk++) {
        dump(&out, &(struct jsonl_options){.chunk_bytes = chunk});
        assert_string_equal(buf_str(&out),
                            "query|label|late\n1:1[red kettle|1.0|]\n3:2[|[1,\"]\"]|{\"x\":null}]"
                            "\n4:3!not JSON: invalid token near 'no' (byte 2)<no object>"
                            "\n5:4[\xe5\xb0\x8f\xe5\xad\xa9, a text of more than sixteen bytes \"quoted\"||]");
    }
    buf_release(&out);
}

/* A line of 70 MB is one bad row, and what comes behind it is read; also as the first line, and as the last. */
static void test_long_lines(void **state)
{
    enum { LONG = 70 * 1000 * 1000 };
    static const size_t chunks[] = {0, 100000};
    struct buf text = {0}, out = {0};
    const char *bad = "!a line longer than 67110864 bytes<{\"a\":\"xxxxxxxxxxxxxx>";
    char expected[300];

    (void)state;
    assert_int_equal(buf_add_str(&text, "{\"a\":1}\n{\"a\":\""), 0);
    assert_int_equal(buf_reserve(&text, LONG + 100), 0);
    memset(text.data + text.length, 'x', LONG);
    text.length += LONG;
    assert_int_equal(buf_add_str(&text, "\"}\n{\"a\":3}\n"), 0);
    snprintf(expected, sizeof expected, "a\n1:1[1]\n2:2%s\n3:3[3]", bad);
    write_input(text.data, text.length);
    for (size_t i = 0; i < 2; i++) {
        dump(&out, &(struct jsonl_options){.max_field_bytes = 1000, .chunk_bytes = chunks[i]});
        assert_string_equal(buf_str(&out), expected);
    }
    snprintf(expected, sizeof expected, "a\n1:1[1]\n2:2%s", bad);
    write_input(text.data, text.length - 30);
    dump(&out, &(struct jsonl_options){.max_field_bytes = 1000});
    assert_string_equal(buf_str(&out), expected);
    struct jsonl_reader *reader = NULL;
    write_input(text.data + 8, text.length - 8);
    assert_int_equal(open_reader(&reader, &(struct jsonl_options){.max_field_bytes = 1000}), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "line 1 is a line longer than 67110864 bytes"));
    buf_release(&text);
    buf_release(&out);
}

static void test_many_names(void **state)
{
    struct jsonl_reader *reader = NULL;
    struct buf text = {0};

    (void)state;
    for (int i = 0; i < 4097; i++)
        assert_int_equal(buf_printf(&text, "%s\"n%d\":1", i == 0 ? "{" : ",", i), 0);
    assert_int_equal(buf_add_str(&text, "}\n"), 0);
    write_input(text.data, text.length);
    assert_int_equal(open_reader(&reader, NULL), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "over 4096 different names"));
    assert_null(reader);
    buf_release(&text);
}

/* Every allocation fails in turn: an error, no leak (under ASan), no crash. */
static void test_torture(void **state)
{
    bool finished = false;

    (void)state;
    write_input(mixed, sizeof mixed - 1);
    for (long n = 1; !finished; n++) {
        struct jsonl_options options = {.chunk_bytes = 5};
        struct jsonl_reader *reader = NULL;
        const struct csv_record *record = NULL;
        mem_fail_after(n);
        int rc = open_reader(&reader, &options);
        while (rc == 0) {
            rc = jsonl_reader_next(reader, &record);
            if (record == NULL)
                break;
        }
        mem_fail_after(0);
        jsonl_reader_close(reader);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        finished = rc == 0;
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_torture),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
