/* The CSV reader: every case at every chunk size, bad rows, limits of memory, and real files against Python's csv. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "data/csv.h"

/* AddressSanitizer keeps freed memory back; gcc and clang each have their own way to ask for it. */
#if defined(__SANITIZE_ADDRESS__)
#define TEST_KEEPS_FREED_MEMORY
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_KEEPS_FREED_MEMORY
#endif
#endif

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/reco_test_csv.%ld", (long)getpid());
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

/* The whole file as "line:number[field|field]" and "line:number!reason<raw>"; an error as "error CODE message". */
static void dump(struct buf *out, const struct csv_options *options)
{
    struct csv_reader *reader = NULL;
    const struct csv_record *record = NULL;
    int rc = csv_reader_open(&reader, path, options);

    buf_clear(out);
    if (rc < 0) {
        assert_int_equal(buf_printf(out, "error %d %s", rc, err_message()), 0);
        return;
    }
    for (size_t i = 0; i < csv_reader_columns(reader); i++)
        assert_int_equal(buf_printf(out, "%s%s", i > 0 ? "|" : "", csv_reader_column_name(reader, i)), 0);
    while ((rc = csv_reader_next(reader, &record)) == 0 && record != NULL) {
        assert_int_equal(buf_printf(out, "\n%" PRIu64 ":%" PRIu64, record->line, record->number), 0);
        if (record->bad != NULL) {
            assert_null(record->fields);
            assert_int_equal(buf_printf(out, "!%s<", record->bad), 0);
            assert_int_equal(buf_add(out, record->raw, record->raw_length), 0);
            assert_int_equal(buf_add_char(out, '>'), 0);
            continue;
        }
        assert_int_equal(record->count, csv_reader_columns(reader));
        for (size_t i = 0; i < record->count; i++) {
            assert_int_equal(record->fields[i].text[record->fields[i].length], '\0');
            assert_int_equal(strlen(record->fields[i].text), record->fields[i].length);
            assert_int_equal(buf_printf(out, "%c%s", i > 0 ? '|' : '[', record->fields[i].text), 0);
        }
        assert_int_equal(buf_add_char(out, ']'), 0);
    }
    assert_int_equal(rc, 0);
    csv_reader_close(reader);
}

static void expect_length(const char *input, size_t length, struct csv_options options, const char *expected)
{
    struct buf out = {0};

    write_input(input, length);
    for (size_t chunk = 0; chunk <= length + 1; chunk++) { /* 0: the default */
        options.chunk_bytes = chunk;
        dump(&out, &options);
        assert_string_equal(buf_str(&out), expected);
    }
    buf_release(&out);
}

static void expect(const char *input, struct csv_options options, const char *expected)
{
    expect_length(input, strlen(input), options, expected);
}

static const struct csv_options plain = {0};
static const struct csv_options trimmed = {.trim_blanks = true};

static void test_fields(void **state)
{
    (void)state;
    expect("q,d\na,b\n", plain, "q|d\n2:1[a|b]");
    expect("q,d\na,b", plain, "q|d\n2:1[a|b]");
    expect("q,d\n,\n", plain, "q|d\n2:1[|]");
    expect("q,d\n\"\",\"\"\n", plain, "q|d\n2:1[|]");
    expect("q,d\n\"a,b\",\"say \"\"hi\"\"\"\n", plain, "q|d\n2:1[a,b|say \"hi\"]");
    expect("q,d\n\"a\nb\",\"c\r\nd\re\"\nf,g\n", plain, "q|d\n2:1[a\nb|c\r\nd\re]\n6:2[f|g]");
    expect("q,d\na,\"b\"", plain, "q|d\n2:1[a|b]");
    expect("q,d\na,", plain, "q|d\n2:1[a|]");
    expect("\"q\",\"d\nd\"\na,b\n", plain, "q|d\nd\n3:1[a|b]");
    expect(",d\n0,b\n", plain, "|d\n2:1[0|b]"); /* pandas writes its index under an empty name */
    expect("q\na\n\"\"\n", plain, "q\n2:1[a]\n3:2[]");
}

static void test_line_ends(void **state)
{
    (void)state;
    expect("q,d\r\na,b\r\nc,d\r\n", plain, "q|d\n2:1[a|b]\n3:2[c|d]");
    expect("q,d\ra,b\rc,d\r", plain, "q|d\n2:1[a|b]\n3:2[c|d]");
    expect("q,d\na,b\r\nc,d\re,f", plain, "q|d\n2:1[a|b]\n3:2[c|d]\n4:3[e|f]");
    expect("\n\nq,d\n\n\r\na,b\n\n\n\rc,d\n\n", plain, "q|d\n6:1[a|b]\n10:2[c|d]");
    expect("\xef\xbb\xbfq,d\na,b\n", plain, "q|d\n2:1[a|b]");
    expect("\xef\xbb\xbf\"q\",d\na,b\n", plain, "q|d\n2:1[a|b]");
}

static void test_blanks(void **state)
{
    (void)state;
    expect(" q , d\n a , b\t\n", plain, " q | d\n2:1[ a | b\t]");
    expect(" q , d\n a , b\t\n", trimmed, "q|d\n2:1[a|b]");
    expect("q,d\n\" a \" , \" b c \"\n", trimmed, "q|d\n2:1[a|b c]");
    expect("q,d\n\"a\" ,b\nc,d\n", plain, "q|d\n2:1!broken quote<\"a\" ,b>\n3:2[c|d]");
    expect("q,d\n  \nc,d\n", plain, "q|d\n2:1!1 field instead of 2<  >\n3:2[c|d]");
    expect("q,d\n  \nc,d\n \t", trimmed, "q|d\n3:1[c|d]");
}

static void test_delimiters(void **state)
{
    struct csv_options tab = {.delimiter = '\t'}, semicolon = {.delimiter = ';'};
    struct csv_options tab_trimmed = {.delimiter = '\t', .trim_blanks = true};
    char delimiter = 0;

    (void)state;
    expect("q\td\na,x\t b\n", tab, "q|d\n2:1[a,x| b]");
    expect("q\td\n\t\n a\t b \n", tab_trimmed, "q|d\n2:1[|]\n3:2[a|b]");
    expect("q;d\na,x;\"b;c\"\n", semicolon, "q|d\n2:1[a,x|b;c]");
    assert_int_equal(csv_delimiter_parse("tab", &delimiter), 0);
    assert_int_equal(delimiter, '\t');
    assert_int_equal(csv_delimiter_parse("|", &delimiter), 0);
    assert_int_equal(delimiter, '|');
    assert_int_equal(csv_delimiter_parse("||", &delimiter), RECO_E_USAGE);
    assert_int_equal(csv_delimiter_parse("\"", &delimiter), RECO_E_USAGE);
    assert_int_equal(csv_delimiter_parse("", &delimiter), RECO_E_USAGE);
}

static void test_ragged(void **state)
{
    (void)state;
    expect("q,d\na\nb,c,d\ne,f\n", plain,
           "q|d\n2:1!1 field instead of 2<a>\n3:2!3 fields instead of 2<b,c,d>\n4:3[e|f]");
    /* a ragged row with sound quotes is one row, line breaks included */
    expect("q,d\n\"a\nb\"\nc,d\n", plain, "q|d\n2:1!1 field instead of 2<\"a\nb\">\n4:2[c|d]");
}

static void test_broken_quotes(void **state)
{
    (void)state;
    expect("q,d\na,b\"c\nd,e\n", plain, "q|d\n2:1!broken quote<a,b\"c>\n3:2[d|e]");
    expect("q,d\na,\"b\"c\nd,e\n", plain, "q|d\n2:1!broken quote<a,\"b\"c>\n3:2[d|e]");
    expect("q,d\r\na,\"b\"c\r\nd,e\r\n", plain, "q|d\n2:1!broken quote<a,\"b\"c>\n3:2[d|e]");
    /* a stray quote swallows lines until the next quote: they come back */
    expect("q,d\na,\"b\nc,d\ne,\"f\"\ng,h\n", plain, "q|d\n2:1!broken quote<a,\"b>\n3:2[c|d]\n4:3[e|f]\n5:4[g|h]");
    expect("q,d\r\na,\"b\r\nc,d\r\ne,\"f\"\r\n", plain, "q|d\n2:1!broken quote<a,\"b>\n3:2[c|d]\n4:3[e|f]");
    expect("q,d\ra,\"b\rc,d\re,\"f\"\r", plain, "q|d\n2:1!broken quote<a,\"b>\n3:2[c|d]\n4:3[e|f]");
    /* and also when no other quote comes */
    expect("q,d\na,\"b\nc,d\ne,f\n", plain, "q|d\n2:1!a quote is not closed<a,\"b>\n3:2[c|d]\n4:3[e|f]");
    expect("q,d\na,\"b", plain, "q|d\n2:1!a quote is not closed<a,\"b>");
    expect("q,d\na,\"b\n", plain, "q|d\n2:1!a quote is not closed<a,\"b>");
    expect("q,d\n\"\n\"\n\"\n", plain, "q|d\n2:1!1 field instead of 2<\"\n\">\n4:2!a quote is not closed<\">");
}

static void test_nul(void **state)
{
    static const char input[] = "q,d\na,b\0c\nd,e\n\0\n";
    static const char expected[] = "q|d\n2:1!NUL byte<a,b"; /* the dump itself holds the NUL */
    struct buf out = {0};
    char message[256];

    (void)state;
    write_input(input, sizeof input - 1);
    dump(&out, NULL);
    assert_memory_equal(buf_str(&out), expected, sizeof expected);
    buf_release(&out);
    snprintf(message, sizeof message, "error -3 cannot parse '%s' line 1, the header: NUL byte", path);
    expect_length("q\0,d\na,b\n", 9, plain, message);
}

static void test_long_fields(void **state)
{
    struct csv_options four = {.max_field_bytes = 4};

    (void)state;
    expect("q,d\nabcd,abcd\nabcde,f\ng,\"a\nbcd\"\nh,i\n", four,
           "q|d\n2:1[abcd|abcd]\n3:2!a field is longer than 4 bytes<abcde,f>\n"
           "4:3!a field is longer than 4 bytes<g,\"a\nbcd\">\n6:4[h|i]");
}

/* A field of 100 MB: one bad row, and the memory of a few times the limit. */
static void test_huge_field(void **state)
{
    enum { MEGABYTE = 1024 * 1024, MEGABYTES = 100, ALLOWED_KIB = 140 * 1024 };
    struct csv_reader *reader = NULL;
    const struct csv_record *record = NULL;
    struct rusage before = {0}, after = {0};
    char *block = malloc(MEGABYTE);
    FILE *f = fopen(path, "wb");

    (void)state;
    assert_non_null(block);
    assert_non_null(f);
    memset(block, 'x', MEGABYTE);
    fputs("q,d\na,b\nc,", f);
    for (int i = 0; i < MEGABYTES; i++)
        assert_int_equal(fwrite(block, 1, MEGABYTE, f), MEGABYTE);
    fputs("\ne,f\n", f);
    assert_int_equal(fclose(f), 0);
    free(block);
    getrusage(RUSAGE_SELF, &before);
    assert_int_equal(csv_reader_open(&reader, path, NULL), 0);
    assert_int_equal(csv_reader_next(reader, &record), 0);
    assert_null(record->bad);
    assert_int_equal(csv_reader_next(reader, &record), 0);
    assert_non_null(record->bad);
    assert_string_equal(record->bad, "a field is longer than 16777216 bytes");
    assert_int_equal(record->line, 3);
    assert_int_equal(csv_reader_next(reader, &record), 0);
    assert_null(record->bad);
    assert_string_equal(record->fields[0].text, "e");
    assert_int_equal(record->line, 4);
    assert_int_equal(csv_reader_next(reader, &record), 0);
    assert_null(record);
    csv_reader_close(reader);
    getrusage(RUSAGE_SELF, &after);
#ifndef TEST_KEEPS_FREED_MEMORY
    assert_true(after.ru_maxrss - before.ru_maxrss < ALLOWED_KIB);
#endif
}

/* Five million fields in a row of two columns take the memory of the row, and none for each field. */
static void test_many_fields(void **state)
{
    enum { COMMAS = 5000000 };
    char *commas = malloc(COMMAS + 1);
    struct csv_reader *reader = NULL;
    const struct csv_record *record = NULL;
    FILE *f = fopen(path, "wb");

    (void)state;
    assert_non_null(commas);
    assert_non_null(f);
    memset(commas, ',', COMMAS);
    commas[COMMAS] = '\0';
    fprintf(f, "q,d\n%s\na,b\n", commas);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(csv_reader_open(&reader, path, NULL), 0);
    assert_int_equal(csv_reader_next(reader, &record), 0);
    assert_string_equal(record->bad, "5000001 fields instead of 2");
    assert_int_equal(csv_reader_next(reader, &record), 0);
    assert_null(record->bad);
    csv_reader_close(reader);
    write_input(commas, COMMAS);
    assert_int_equal(csv_reader_open(&reader, path, NULL), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "line 1, the header: 5000001 columns, and at most 65536 are read"));
    free(commas);
}

/* A stray quote before more than the limit of text without another quote: the rows behind it come back. */
static void test_runaway_quote(void **state)
{
    enum { ROWS = 20000 };
    struct csv_options options = {.max_field_bytes = 1000};
    struct csv_reader *reader = NULL;
    const struct csv_record *record = NULL;
    uint64_t good = 0, bad = 0;
    FILE *f = fopen(path, "wb");

    (void)state;
    assert_non_null(f);
    fputs("q,d\na,\"b\n", f);
    for (int i = 0; i < ROWS; i++)
        fprintf(f, "query %d,a description that makes the file longer than the reader will look for a quote %d\n", i,
                i);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(csv_reader_open(&reader, path, &options), 0);
    while (csv_reader_next(reader, &record) == 0 && record != NULL)
        *(record->bad == NULL ? &good : &bad) += 1;
    csv_reader_close(reader);
    assert_int_equal(good, ROWS);
    assert_int_equal(bad, 1);
}

/* Lines longer than a piece of the parser: line numbers, fields and limits hold for any chunk size. */
static void test_long_lines(void **state)
{
    static const size_t chunks[] = {1000, 65535, 65536, 65537, 0};
    enum { LONG = 200000 };
    struct buf out = {0}, first = {0}, input = {0};

    (void)state;
    assert_int_equal(buf_add_str(&input, "q,d\nshort,row\n"), 0);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < LONG / 8; j++)
            assert_int_equal(buf_add_str(&input, i == 1 ? "a \"word\" " : i == 2 ? "a word, " : "one word"), 0);
        assert_int_equal(buf_add_str(&input, "\nbehind,it\n"), 0);
    }
    write_input(input.data, input.length);
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        struct csv_options options = {.chunk_bytes = chunks[i]};
        dump(i == 0 ? &first : &out, &options);
        if (i > 0) {
            assert_int_equal(out.length, first.length);
            assert_memory_equal(out.data, first.data, out.length);
        }
    }
    assert_non_null(strstr(first.data, "\n2:1[short|row]\n3:2!"));
    assert_non_null(strstr(first.data, "\n4:3[behind|it]\n5:4!broken quote<"));
    assert_non_null(strstr(first.data, "\n8:7[behind|it]"));
    buf_release(&out);
    buf_release(&first);
    buf_release(&input);
}

/* The records of a file by both ways through a row, and by the quick one at odd chunk sizes. */
static void expect_same_ways(struct csv_options options)
{
    static const size_t chunks[] = {0, 1, 7, 100};
    struct buf quick = {0}, libcsv = {0};

    options.libcsv_only = true;
    dump(&libcsv, &options);
    options.libcsv_only = false;
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        options.chunk_bytes = chunks[i];
        dump(&quick, &options);
        assert_int_equal(quick.length, libcsv.length);
        assert_memory_equal(buf_str(&quick), buf_str(&libcsv), libcsv.length);
    }
    buf_release(&quick);
    buf_release(&libcsv);
}

/* Random text over the characters that matter, more or less like CSV: quoted fields with all sorts of things around. */
static void test_quick_way(void **state)
{
    static const char *const pieces[] = {
        "a",     "bc",        "\"", "\"\"",     ",",    ",",     ";",         "\n",  "\r\n", "\r",
        " ",     "\t",        "'",  "\xc3\xa9", "\xff", "\"x\"", "\"y,\nz\"", ",\"", "\",",  "0123456789abcdef",
        "\"\",", "\"q\"\"\"", "''", "|"};
    static const char delimiters[] = {',', ',', ';', '\t', ' '};
    struct rng rng;
    struct buf text = {0};

    (void)state;
    rng_init(&rng, 17, RNG_STREAM_SAMPLE, 0);
    for (int round = 0; round < 3000; round++) {
        struct csv_options options = {.delimiter = delimiters[rng_below(&rng, 5)],
                                      .quote = rng_below(&rng, 4) == 0 ? '\'' : '\0',
                                      .no_quotes = rng_below(&rng, 8) == 0,
                                      .trim_blanks = rng_below(&rng, 3) == 0,
                                      .max_field_bytes = rng_below(&rng, 4) == 0 ? 4 : 0};
        uint64_t kinds = 1 + rng_below(&rng, sizeof pieces / sizeof *pieces), count = rng_below(&rng, 120);
        buf_clear(&text);
        assert_int_equal(buf_printf(&text, "h%cg\n", options.delimiter), 0);
        for (uint64_t i = 0; i < count; i++)
            assert_int_equal(buf_add_str(&text, pieces[rng_below(&rng, kinds)]), 0);
        if (rng_below(&rng, 10) == 0)
            assert_int_equal(buf_add_char(&text, '\0'), 0);
        write_input(buf_str(&text), text.length);
        expect_same_ways(options);
    }
    buf_release(&text);
}

static void expect_open_error(const char *name, int code, const char *message)
{
    struct csv_reader *reader = NULL;

    assert_int_equal(csv_reader_open(&reader, name, NULL), code);
    assert_null(reader);
    assert_string_equal(err_message(), message);
}

static void expect_bytes_error(const char *bytes, size_t length, const char *message)
{
    write_input(bytes, length);
    expect_open_error(path, RECO_E_DATA, message);
}

static void test_open_errors(void **state)
{
    char message[256];

    (void)state;
    expect_open_error("/nonexistent/x.csv", RECO_E_IO, "cannot open '/nonexistent/x.csv': No such file or directory");
    expect_open_error("/tmp", RECO_E_IO, "cannot read '/tmp': it is a directory, not a file");
    snprintf(message, sizeof message, "cannot parse '%s': it is empty, and a header line is needed", path);
    expect_bytes_error("", 0, message);
    expect_bytes_error("\xef\xbb\xbf", 3, message);
    snprintf(message, sizeof message, "cannot parse '%s': it has empty lines only, and a header line is needed", path);
    expect_bytes_error("\n\r\n\n", 4, message);
    snprintf(message, sizeof message, "cannot parse '%s' line 1, the header: broken quote", path);
    expect_bytes_error("que\"ry,d\na,b\n", 13, message);
    snprintf(message, sizeof message, "cannot parse '%s' line 1, the header: a quote is not closed", path);
    expect_bytes_error("\"query,d\na,b\n", 13, message);
}

static void test_columns(void **state)
{
    struct csv_reader *reader = NULL;
    size_t column = 99;

    (void)state;
    write_input("query,title,twice,twice, padded\n", 32);
    assert_int_equal(csv_reader_open(&reader, path, NULL), 0);
    assert_int_equal(csv_reader_find(reader, "query_column", "title", &column), 0);
    assert_int_equal(column, 1);
    assert_true(csv_reader_has(reader, "query"));
    assert_false(csv_reader_has(reader, "Query"));
    assert_int_equal(csv_reader_find(reader, "query_column", "qurey", &column), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "no column 'qurey' (--query_column)"));
    assert_non_null(strstr(err_message(), "did you mean 'query'?"));
    assert_int_equal(csv_reader_find(reader, "label_column", "zzzzzzzz", &column), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "it has 'query', 'title'"));
    assert_int_equal(csv_reader_find(reader, "label_column", "padded", &column), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "it is ' padded' there: --trim_blanks cuts the blanks"));
    assert_int_equal(csv_reader_find(reader, "label_column", "twice", &column), RECO_E_DATA);
    assert_int_equal(column, 1);
    csv_reader_close(reader);
}

/* Every allocation fails in turn: an error, no leak (under ASan), no crash. */
static void test_torture(void **state)
{
    static const char input[] = "q,d\na,\"b\"\n\"c\nd\",e\nragged\nf,\"g\nh,i\n";
    bool finished = false;

    (void)state;
    write_input(input, sizeof input - 1);
    for (long n = 1; !finished; n++) {
        struct csv_options options = {.chunk_bytes = 5};
        struct csv_reader *reader = NULL;
        const struct csv_record *record = NULL;
        mem_fail_after(n);
        int rc = csv_reader_open(&reader, path, &options);
        for (record = NULL; rc == 0;) {
            rc = csv_reader_next(reader, &record);
            if (rc == 0 && record == NULL)
                break;
        }
        mem_fail_after(0);
        csv_reader_close(reader);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        finished = rc == 0;
        assert_true(n < 1000);
    }
}

/* FNV-1a over the fields, each followed by 0x1F and each record by 0x1E; as scripts/reference/csv_rows.py does it. */
static uint64_t add_fnv(uint64_t hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void check_real_file(const char *name, const char *delimiter, uint64_t rows, size_t columns, uint64_t expected)
{
    const char *data = getenv("RECO_DATA_DIR");
    struct csv_options options = {0};
    struct csv_reader *reader = NULL;
    const struct csv_record *record = NULL;
    uint64_t hash = UINT64_C(0xcbf29ce484222325), good = 0;
    char full[512];

    snprintf(full, sizeof full, "%s/%s", data != NULL ? data : RECO_SOURCE_DIR "/../shared/data", name);
    if (!file_exists(full)) {
        print_message("skipped: no %s\n", full);
        return;
    }
    assert_int_equal(csv_delimiter_parse(delimiter, &options.delimiter), 0);
    assert_int_equal(csv_reader_open(&reader, full, &options), 0);
    assert_int_equal(csv_reader_columns(reader), columns);
    while (csv_reader_next(reader, &record) == 0 && record != NULL) {
        assert_null(record->bad);
        for (size_t i = 0; i < record->count; i++) {
            hash = add_fnv(hash, record->fields[i].text, record->fields[i].length);
            hash = add_fnv(hash, "\x1f", 1);
        }
        hash = add_fnv(hash, "\x1e", 1);
        good++;
    }
    csv_reader_close(reader);
    print_message("%s: %" PRIu64 " rows\n", name, good);
    assert_int_equal(good, rows);
    assert_true(hash == expected);
}

static void test_real_files(void **state)
{
    FILE *f = fopen(RECO_SOURCE_DIR "/tests/reference/csv_rows.tsv", "r");
    char name[256], delimiter[8];
    uint64_t rows, hash;
    size_t columns;
    int files = 0;

    (void)state;
    assert_non_null(f);
    for (; fscanf(f, "%255s %7s %" SCNu64 " %zu %" SCNx64, name, delimiter, &rows, &columns, &hash) == 5; files++)
        check_real_file(name, delimiter, rows, columns, hash);
    fclose(f);
    assert_int_equal(files, 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),        cmocka_unit_test(test_line_ends),   cmocka_unit_test(test_blanks),
        cmocka_unit_test(test_delimiters),    cmocka_unit_test(test_ragged),      cmocka_unit_test(test_broken_quotes),
        cmocka_unit_test(test_nul),           cmocka_unit_test(test_long_fields), cmocka_unit_test(test_huge_field),
        cmocka_unit_test(test_runaway_quote), cmocka_unit_test(test_many_fields), cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_open_errors),   cmocka_unit_test(test_columns),     cmocka_unit_test(test_torture),
        cmocka_unit_test(test_quick_way),     cmocka_unit_test(test_real_files),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
