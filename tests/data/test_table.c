/* Tables: formats by name and content, detection, encodings, repair, JSON Lines, and what is said about them. */

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
#include "data/table.h"

static char path[80];

static void name_file(const char *end)
{
    snprintf(path, sizeof path, "/tmp/reco_test_table.%ld%s", (long)getpid(), end);
}

static int make_path(void **state)
{
    (void)state;
    name_file("");
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

/* The whole file as "a|b", then "\nline[x|y]" or "\nline!reason"; an error as "error CODE message". */
static void dump(struct buf *out, const struct table_options *options, struct table_facts *facts)
{
    struct table_reader *reader = NULL;
    const struct csv_record *record = NULL;
    int rc = table_reader_open(&reader, path, options);

    buf_clear(out);
    if (rc < 0) {
        assert_null(reader);
        assert_int_equal(buf_printf(out, "error %d %s", rc, err_message()), 0);
        return;
    }
    for (size_t i = 0; i < table_reader_columns(reader); i++)
        assert_int_equal(buf_printf(out, "%s%s", i > 0 ? "|" : "", table_reader_column_name(reader, i)), 0);
    while ((rc = table_reader_next(reader, &record)) == 0 && record != NULL) {
        assert_int_equal(buf_printf(out, "\n%" PRIu64, record->line), 0);
        if (record->bad != NULL)
            assert_int_equal(buf_printf(out, "!%s", record->bad), 0);
        for (size_t i = 0; i < record->count; i++) {
            assert_int_equal(strlen(record->fields[i].text), record->fields[i].length);
            assert_int_equal(buf_printf(out, "%c%s", i > 0 ? '|' : '[', record->fields[i].text), 0);
        }
        if (record->bad == NULL)
            assert_int_equal(buf_add_char(out, ']'), 0);
    }
    if (rc < 0)
        assert_int_equal(buf_printf(out, "\nerror %d %s", rc, err_message()), 0);
    if (facts != NULL)
        table_reader_facts(reader, facts);
    table_reader_close(reader);
}

static void expect(const char *input, const struct table_options *options, const char *expected)
{
    struct buf out = {0};

    write_input(input, strlen(input));
    dump(&out, options, NULL);
    assert_string_equal(buf_str(&out), expected);
    buf_release(&out);
}

static struct table_facts facts_of(const char *input, size_t length, const struct table_options *options)
{
    struct table_facts facts = {0};
    struct buf out = {0};

    write_input(input, length);
    dump(&out, options, &facts);
    buf_release(&out);
    return facts;
}

static void expect_delimiter(const char *input, char delimiter)
{
    assert_int_equal(facts_of(input, strlen(input), NULL).delimiter, delimiter);
}

static void test_delimiters(void **state)
{
    (void)state;
    expect_delimiter("a,b\nx;y,z\n", ',');
    expect_delimiter("a;b;c\n1,5;2,5;x\n3,5;4,5;y\n", ';');
    expect_delimiter("a\tb\nx, y\tz\nx, y, z\tz\n", '\t');
    expect_delimiter("a|b\nx|y\n", '|');
    expect_delimiter("a;b\n\"x;y\n,z\";1\n\"p;q\";2\n", ';'); /* those in quotes do not count */
    expect_delimiter("a,b;c\n1,2\n3,4\n", ',');               /* a tie is a comma's */
    expect_delimiter("a;b\n", ';');
    /* single columns */
    expect_delimiter("text\none, two\nthree\nfour, five, six\n", ',');
    expect_delimiter("text\na;b\na;b\na|b\n", ',');
    expect_delimiter("text; of a kind\na\nb\nc\n", ',');
    expect_delimiter("text\n", ',');
    /* some bad rows */
    expect_delimiter("a;b;c\n1;2;3\n\"x;2;3\n1;2;3\n1;2\n1;2;3\n", ';');
}

static void test_detected(void **state)
{
    const char *input = "a;b\nx;y\n";
    struct table_facts facts = facts_of(input, strlen(input), NULL);

    (void)state;
    assert_true(facts.delimiter_detected);
    assert_false(facts.quote_detected);
    assert_int_equal(facts.quote, '"');
    assert_int_equal(facts.format, TABLE_FORMAT_CSV);
    struct table_options given = {.delimiter = ","};
    facts = facts_of(input, strlen(input), &given);
    assert_false(facts.delimiter_detected);
    assert_int_equal(facts.delimiter, ',');
    name_file(".tsv");
    facts = facts_of(input, strlen(input), NULL);
    assert_int_equal(facts.delimiter, '\t');
    assert_int_equal(facts.format, TABLE_FORMAT_TSV);
    assert_false(facts.delimiter_detected);
    assert_int_equal(file_remove(path), 0);
    name_file(".TAB");
    assert_int_equal(facts_of(input, strlen(input), NULL).delimiter, '\t');
    assert_int_equal(file_remove(path), 0);
    name_file("");
}

static void test_quotes(void **state)
{
    struct table_options none = {.quote = "none"}, single = {.quote = "'"};
    struct table_facts facts;
    const char *input = "a\tb\n5\" pipe\tx\n\"big\" one\ty\nplain\tz\n";

    (void)state;
    expect("a,b\n5\" pipe,\"x\n'y,z',w\n", &none, "a|b\n2[5\" pipe|\"x]\n3!3 fields instead of 2");
    expect("a,b\n'x,''y\n',\"z\"\n", &single, "a|b\n2[x,'y\n|\"z\"]");
    /* in tab-separated text quotes are text when the rows come out even only so */
    expect(input, NULL, "a|b\n2[5\" pipe|x]\n3[\"big\" one|y]\n4[plain|z]");
    facts = facts_of(input, strlen(input), NULL);
    assert_true(facts.quote_detected);
    assert_int_equal(facts.quote, '\0');
    /* ... and not when some are used as quotes, or in other files */
    expect("a\tb\n\"5\"\" pipe\"\tx\n\"big\" one\ty\n", NULL, "a|b\n2[5\" pipe|x]\n3!broken quote");
    expect("a,b\n5\" pipe,x\n", NULL, "a|b\n2!broken quote");
    expect("'a','b'\n'x,y','it''s'\n", NULL, "a|b\n2[x,y|it's]");
    expect("a\tb\n5\" p\0ipe\tx\n", &none, "a|b\n2!1 field instead of 2"); /* cut at the NUL: strlen */
}

static void test_nul_without_quotes(void **state)
{
    static const char input[] = "a,b\nx\0,y\n\0z\0,w\nu,v\n\0";
    struct table_options none = {.quote = "none"};
    struct buf out = {0};

    (void)state;
    write_input(input, sizeof input - 1);
    dump(&out, &none, NULL);
    assert_string_equal(buf_str(&out), "a|b\n2!NUL byte\n3!NUL byte\n4[u|v]\n5!NUL byte");
    buf_release(&out);
}

/* Excel's line that names the delimiter. */
static void test_sep_line(void **state)
{
    struct table_options comma = {.delimiter = ","}, csv = {.delimiter = ";"};

    (void)state;
    expect("sep=|\r\na,b|c\r\nx,y|z\r\n", NULL, "a,b|c\n3[x,y|z]");
    expect("\xef\xbb\xbfSEP=;\na;b\nx;y\n", &csv, "a|b\n3[x|y]");
    expect("sep=;\na,b\nx,y\n", &comma, "a|b\n3[x|y]");
    expect("sep=\nx\n", NULL, "sep=\n2[x]");
    expect("sep=ab\nx\n", NULL, "sep=ab\n2[x]");
    expect("sep=,", NULL, "sep=|");
}

static void test_columns(void **state)
{
    char *two[] = {"q", "d"}, *one[] = {"text"};
    struct table_options given = {.columns = {.items = two, .count = 2}},
                         text = {.columns = {.items = one, .count = 1}};
    char expected[256];

    (void)state;
    expect("x,y\nz,w\nu\n", &given, "q|d\n1[x|y]\n2[z|w]\n3!1 field instead of 2");
    expect("x;y, or\nz;w\n", &given, "q|d\n1[x|y, or]\n2[z|w]");
    expect("x\ny\n", &text, "text\n1[x]\n2[y]");
    expect("\xef\xbb\xbfx,y\n", &given, "q|d\n1[x|y]");
    snprintf(expected, sizeof expected, "error -3 cannot parse '%s': it has 3 columns, and --columns names 2", path);
    expect("x,y,z\nz,w,v\n", &given, expected);
    snprintf(expected, sizeof expected,
             "error -3 cannot parse '%s': its first record is the names of --columns; leave the option away", path);
    expect("q,d\nx,y\n", &given, expected);
    snprintf(expected, sizeof expected, "error -3 cannot parse '%s': it is empty, and a header line is needed", path);
    expect("", &given, expected);
}

static void test_options_check(void **state)
{
    struct table_options o = {.delimiter = "ab"};

    (void)state;
    assert_int_equal(table_options_check(&o), RECO_E_USAGE);
    o = (struct table_options){.delimiter = "tab", .quote = "none"};
    assert_int_equal(table_options_check(&o), 0);
    o = (struct table_options){.quote = ","};
    assert_int_equal(table_options_check(&o), RECO_E_USAGE);
    o = (struct table_options){.delimiter = "'", .quote = "'"};
    assert_int_equal(table_options_check(&o), RECO_E_USAGE);
    assert_string_equal(err_message(), "delimiter and quote are both '''");
}

static void test_line_ends(void **state)
{
    static const struct {
        const char *input, *line_ends;
    } cases[] = {{"a,b", "none"},
                 {"a,b\nx,y\n", "lf"},
                 {"a,b\r\nx,y\r\n", "crlf"},
                 {"a,b\rx,y\r", "cr"},
                 {"a,b\r\nx,y\n", "mixed"},
                 {"a,b\r\n\"x\nz\",y\r\n", "crlf"},
                 {"a,b\r\n\r\nx,y", "crlf"},
                 {"{\"a\":1}\r\n{\"a\":2}\r\n", "crlf"},
                 {"{\"a\":1}\n", "lf"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(facts_of(cases[i].input, strlen(cases[i].input), NULL).line_ends, cases[i].line_ends);
}

static void test_invalid_utf8(void **state)
{
    const char *input = "a,b\nx,y\nfianc\xe9,x\nz,\xe9t\xe9\n";
    struct table_facts facts = facts_of(input, strlen(input), NULL);

    (void)state;
    assert_int_equal(facts.invalid_utf8_records, 2);
    assert_int_equal(facts.invalid_utf8_line, 3);
    expect(input, NULL, "a|b\n2[x|y]\n3[fianc\xe9|x]\n4[z|\xe9t\xe9]");
    struct table_options windows = {.encoding = INPUT_ENCODING_WINDOWS_1252};
    assert_int_equal(facts_of(input, strlen(input), &windows).invalid_utf8_records, 0);
    expect(input, &windows, "a|b\n2[x|y]\n3[fianc\xc3\xa9|x]\n4[z|\xc3\xa9t\xc3\xa9]");
}

static void expect_notes(const char *input, size_t length, const struct table_options *options, const char *notes,
                         const char *warning)
{
    struct table_facts facts = facts_of(input, length, options);
    struct buf out = {0};

    assert_int_equal(table_facts_notes(&facts, &out), 0);
    assert_string_equal(buf_str(&out), notes);
    buf_clear(&out);
    assert_int_equal(table_facts_warning(&facts, &out), 0);
    assert_string_equal(buf_str(&out), warning);
    buf_release(&out);
}

static void test_notes(void **state)
{
    struct table_options latin1 = {.encoding = INPUT_ENCODING_LATIN1};
    struct table_options repair = {.repair_encoding = true}, tsv = {.format = TABLE_FORMAT_TSV, .quote = "none"};

    (void)state;
    expect_notes("a,b\nx,y\n", 8, NULL, "", "");
    expect_notes("a;b\nx;y\n", 8, NULL, "';' between fields", "");
    expect_notes("a\tb\nx\ty\r\n", 9, NULL, "tabs between fields, mixed line ends", "");
    expect_notes("a\tb\nx\ty\n", 8, &tsv, "no quotes", "");
    expect_notes("{\"a\":1}\n", 8, NULL, "JSON Lines", "");
    expect_notes("\xff\xfe"
                 "a\0\n\0\x3d\xd8\n\0",
                 10, NULL, "utf-16le", "1 character is no utf-16le and read as U+FFFD");
    expect_notes("a,b\nx,\xc3\x83\xc2\xa9\n", 11, &repair, "UTF-8 that was encoded twice, repaired", "");
    expect_notes("a,b\nx,\xc3\xa9\n", 9, &latin1, "latin-1",
                 "its bytes are UTF-8, though it is read as latin-1; leave --encoding away");
    expect_notes(
        "a,b\nx,\xe9\n", 8, NULL, "",
        "1 record has bytes that are no UTF-8, the first in line 2; --encoding windows-1252 or latin-1 may read "
        "them");
}

/* Every allocation fails in turn: an error, no leak (under ASan), no crash. */
static void torture(const char *input, const struct table_options *options)
{
    bool finished = false;

    write_input(input, strlen(input));
    for (long n = 1; !finished; n++) {
        struct table_reader *reader = NULL;
        const struct csv_record *record = NULL;
        mem_fail_after(n);
        int rc = table_reader_open(&reader, path, options);
        while (rc == 0) {
            rc = table_reader_next(reader, &record);
            if (record == NULL)
                break;
        }
        mem_fail_after(0);
        table_reader_close(reader);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        finished = rc == 0;
        assert_true(n < 1000);
    }
}

static void test_torture(void **state)
{
    char *names[] = {"q", "d"};
    struct table_options columns = {.columns = {.items = names, .count = 2}, .repair_encoding = true};

    (void)state;
    torture("a\tb\n5\" x\ty\n\"p\tq\nr\ts\n", NULL);
    torture("x;\xc3\x83\xc2\xa9\n\"u\";v\nw\n", &columns);
    torture("{\"a\":1}\n{\"a\":[1]}\n{\n", NULL);
}

static void test_jsonl(void **state)
{
    struct table_options trim = {.trim_blanks = true}, limit = {.max_field_bytes = 4};
    char *wanted[] = {"w", "b"};
    struct table_options columns = {.columns = {.items = wanted, .count = 2}};

    (void)state;
    expect("{\"a\": \"x\", \"b\": 1.0}\n\n{\"b\": 12345678901234567890123, \"a\": null}\n", NULL,
           "a|b\n1[x|1.0]\n3[|12345678901234567890123]");
    expect("{\"a\":true,\"b\":-1.50e+3,\"c\":\"\\u00e9\\ud83d\\ude00\\n\\\\\\\"\\/\\b\\f\\r\\t\"}\n", NULL,
           "a|b|c\n1[true|-1.50e+3|\xc3\xa9\xf0\x9f\x98\x80\n\\\"/\b\f\r\t]");
    expect("{\"a\": [1, 2.0, {\"x\" : \"y ] \\\" \"}], \"b\": { }}\r\n{\"b\":[],\"c\":1}", NULL,
           "a|b|c\n1[[1,2.0,{\"x\":\"y ] \\\" \"}]|{}|]\n2[|[]|1]");
    expect("{\"a\":1,\"a\":2}\n", NULL, "a\n1[2]");                        /* the last counts */
    expect("{\"\\u0061\":\"x\"}\n{\"a\":\"y\"}\n", NULL, "a\n1[x]\n2[y]"); /* names are texts */
    expect("{\"a\":1}\n[1]\n{\"a\":}\n{\"a\":\"\xff\"}\n{\"a\":2} x\n{\"a\":\"\\u0000\"}\n{}\n", NULL,
           "a\n1[1]\n2!not an object\n3!not JSON: unexpected token near '}' (byte 6)"
           "\n4!not JSON: unable to decode byte 0xff near '\"' (byte 6)"
           "\n5!not JSON: end of file expected near 'x' (byte 9)"
           "\n6!not JSON: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"\\u0000\"' (byte 13)\n7[]");
    expect("{\"a\":1}\n{\"a\":1e3}\n{\"a\":01}\n{\"a\":1.}\n{\"a\":-}\n{\"a\":tru}\n{\"a\":1,}\n{\"a\":1\n}\n", NULL,
           "a\n1[1]\n2[1e3]\n3!not JSON: invalid token near '0' (byte 6)\n4!not JSON: invalid token near '1.' (byte 7)"
           "\n5!not JSON: invalid token near '-' (byte 6)\n6!not JSON: invalid token near 'tru' (byte 8)"
           "\n7!not JSON: string or '}' expected near '}' (byte 8)\n8!not JSON: '}' expected near end of file (byte 6)"
           "\n9!not JSON: unexpected token near '}' (byte 1)");
    expect("{\"a\":\" x\\t\",\"b\":\"  \"}\n", &trim, "a|b\n1[x|]");
    expect("{\"a\":\"12345\"}\n{\"a\":\"1234\"}\n{\"other\":\"12345\"}\n", &limit,
           "a|other\n1!a field is longer than 4 bytes\n2[1234|]\n3!a field is longer than 4 bytes");
    expect("{\"a\":1,\"b\":2}\n", &columns, "w|b|a\n1[|2|1]");
}

static void test_jsonl_formats(void **state)
{
    struct table_options jsonl = {.format = TABLE_FORMAT_JSONL}, csv = {.format = TABLE_FORMAT_CSV};
    char expected[300];

    (void)state;
    assert_int_equal(facts_of("\n {\"a\":1}\n", 10, NULL).format, TABLE_FORMAT_JSONL);
    assert_int_equal(facts_of("{a,b}\nx,y\n", 10, NULL).format, TABLE_FORMAT_CSV);
    assert_int_equal(facts_of("{\"a\":1}\n", 8, &csv).format, 0); /* an error: a broken quote */
    snprintf(expected, sizeof expected,
             "error -3 cannot parse '%s': no line of it is a JSON object, line 1 is not an object; jq -c makes JSON "
             "Lines: .[] of an array, . of indented objects",
             path);
    expect("[{\"a\":1}]\n", NULL, expected);
    snprintf(expected, sizeof expected, "error -3 cannot parse '%s': it is empty, and JSON Lines are needed", path);
    expect("", &jsonl, expected);
    expect("\n \n", &jsonl, expected);
    name_file(".ndjson");
    assert_int_equal(facts_of("{\"a\":1}\n", 8, NULL).format, TABLE_FORMAT_JSONL);
    assert_int_equal(file_remove(path), 0);
    name_file("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delimiters),    cmocka_unit_test(test_detected),
        cmocka_unit_test(test_quotes),        cmocka_unit_test(test_nul_without_quotes),
        cmocka_unit_test(test_columns),       cmocka_unit_test(test_sep_line),
        cmocka_unit_test(test_options_check), cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_invalid_utf8),  cmocka_unit_test(test_notes),
        cmocka_unit_test(test_torture),       cmocka_unit_test(test_jsonl),
        cmocka_unit_test(test_jsonl_formats),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
