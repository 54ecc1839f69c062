/*
 * Bytes of files: gzip and zstd whole, in several parts, cut and damaged; encodings; text that was encoded twice;
 * content that is no text. Every case at several sizes of reading, from a file and from a pipe on stdin.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "data/input.h"
#include "data/table.h"
#include "data/utf8.h"

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/reco_test_input.%ld", (long)getpid());
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    return file_remove(path);
}

static void write_input(const void *bytes, size_t length)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

/* All of the text, capacity bytes at a time. The error of opening or reading, 0 for none. */
static int read_all(const char *name, const struct input_options *options, size_t capacity, struct buf *out,
                    struct input_facts *facts)
{
    struct input *in = NULL;
    char *bytes = malloc(capacity);
    size_t got = 1;
    int rc = input_open(&in, name, options);

    assert_non_null(bytes);
    buf_clear(out);
    while (rc == 0 && got > 0) {
        rc = input_read(in, bytes, capacity, &got);
        if (rc == 0)
            rc = buf_add(out, bytes, got);
    }
    if (in != NULL && facts != NULL)
        input_facts(in, facts);
    if (rc == 0 && strcmp(name, "-") != 0)
        assert_int_equal(input_bytes_read(in), input_total_bytes(in));
    input_close(in);
    free(bytes);
    return rc;
}

/* read_all from a pipe on stdin, in a child; its exit status is 0 when it read what is expected. */
static void expect_from_stdin(const void *input, size_t length, const struct input_options *options,
                              const struct buf *expected)
{
    int ends[2], status;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct buf out = {0};
        dup2(ends[0], STDIN_FILENO);
        close(ends[1]);
        int rc = read_all("-", options, 1000, &out, NULL);
        bool same =
            rc == 0 && out.length == expected->length && memcmp(buf_str(&out), buf_str(expected), out.length) == 0;
        buf_release(&out);
        _exit(same ? 0 : 1);
    }
    close(ends[0]);
    for (size_t at = 0; at < length;) { /* in small parts, as pipes do */
        size_t part = length - at < 777 ? length - at : 777;
        assert_int_equal(write(ends[1], (const char *)input + at, part), part);
        at += part;
    }
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static struct input_facts expect_text(const void *input, size_t length, const struct input_options *options,
                                      const void *text, size_t text_length)
{
    static const size_t capacities[] = {1, 3, 1000, 1 << 20};
    struct input_facts facts = {0};
    struct buf out = {0};

    write_input(input, length);
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        if (capacities[i] == 1 && text_length > 100000)
            continue;
        assert_int_equal(read_all(path, options, capacities[i], &out, &facts), 0);
        assert_int_equal(out.length, text_length);
        assert_memory_equal(buf_str(&out), text, text_length);
    }
    expect_from_stdin(input, length, options, &out);
    buf_release(&out);
    return facts;
}

static void expect_error(const void *input, size_t length, const char *message)
{
    struct buf out = {0};
    char full[300];

    write_input(input, length);
    snprintf(full, sizeof full, "cannot %s", message);
    char *quoted = strstr(full, "'x'");
    assert_non_null(quoted);
    char rest[300];
    snprintf(rest, sizeof rest, "%s", quoted + 3);
    snprintf(quoted, sizeof full - (size_t)(quoted - full), "'%s'%s", path, rest);
    assert_int_equal(read_all(path, NULL, 1000, &out, NULL), RECO_E_DATA);
    assert_string_equal(err_message(), full);
    buf_release(&out);
}

/* Some text that compresses a little. */
static void make_text(struct buf *text, size_t length)
{
    struct rng rng;

    rng_init(&rng, 5, RNG_STREAM_SAMPLE, 0);
    while (text->length < length)
        assert_int_equal(
            buf_printf(text, "row %" PRIu64 ",kettle %" PRIu64 "\n", rng_below(&rng, 1000000), rng_below(&rng, 50)), 0);
}

static void add_gzip(struct buf *out, const char *bytes, size_t length)
{
    z_stream z = {0};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(buf_reserve(out, deflateBound(&z, length) + 64), 0);
    z.next_in = (unsigned char *)bytes;
    z.avail_in = (unsigned)length;
    z.next_out = (unsigned char *)out->data + out->length;
    z.avail_out = (unsigned)(out->capacity - out->length);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->length += z.total_out;
    deflateEnd(&z);
}

static void add_zstd(struct buf *out, const char *bytes, size_t length)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();

    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    assert_int_equal(buf_reserve(out, ZSTD_compressBound(length)), 0);
    size_t size = ZSTD_compress2(context, out->data + out->length, out->capacity - out->length, bytes, length);
    assert_false(ZSTD_isError(size));
    out->length += size;
    ZSTD_freeCCtx(context);
}

typedef void add_packed(struct buf *out, const char *bytes, size_t length);

static void test_compressed(void **state)
{
    static add_packed *const formats[] = {add_gzip, add_zstd};
    static const char *const names[] = {"gzip", "zstd"};
    struct buf text = {0}, packed = {0};

    (void)state;
    make_text(&text, 700000);
    for (size_t i = 0; i < 2; i++) {
        size_t cut = 300001;
        buf_clear(&packed);
        formats[i](&packed, buf_str(&text), text.length);
        struct input_facts facts = expect_text(packed.data, packed.length, NULL, text.data, text.length);
        assert_string_equal(facts.compression, names[i]);
        /* several members or frames, an empty one among them */
        buf_clear(&packed);
        formats[i](&packed, text.data, cut);
        formats[i](&packed, "", 0);
        formats[i](&packed, text.data + cut, text.length - cut);
        expect_text(packed.data, packed.length, NULL, text.data, text.length);
        buf_clear(&packed);
        formats[i](&packed, "", 0);
        expect_text(packed.data, packed.length, NULL, "", 0);
    }
    /* zeros that tapes add; a skippable frame in front */
    buf_clear(&packed);
    add_gzip(&packed, "a,b\n", 4);
    assert_int_equal(buf_add(&packed, "\0\0\0\0\0", 5), 0);
    expect_text(packed.data, packed.length, NULL, "a,b\n", 4);
    buf_clear(&packed);
    assert_int_equal(buf_add(&packed, "\x50\x2a\x4d\x18\x04\0\0\0skip", 12), 0);
    add_zstd(&packed, "a,b\n", 4);
    expect_text(packed.data, packed.length, NULL, "a,b\n", 4);
    buf_release(&text);
    buf_release(&packed);
}

/* Cut anywhere or with a byte changed, it is an error that says where, or the text (bytes that mean nothing). */
static void test_damaged(void **state)
{
    static add_packed *const formats[] = {add_gzip, add_zstd};
    struct buf text = {0}, packed = {0}, out = {0};

    (void)state;
    make_text(&text, 2000);
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&packed);
        formats[i](&packed, buf_str(&text), text.length);
        for (size_t length = 4; length < packed.length; length++) {
            write_input(packed.data, length);
            assert_int_equal(read_all(path, NULL, 512, &out, NULL), RECO_E_DATA);
            assert_non_null(strstr(err_message(),
                                   i == 0 ? "its gzip data is cut off at byte" : "its zstd data is cut off at byte"));
        }
        for (size_t at = 4; at < packed.length; at++) {
            packed.data[at] ^= 0x55;
            write_input(packed.data, packed.length);
            int rc = read_all(path, NULL, 512, &out, NULL);
            assert_true(rc == RECO_E_DATA ||
                        (out.length == text.length && memcmp(out.data, text.data, text.length) == 0));
            packed.data[at] ^= 0x55;
        }
    }
    buf_clear(&packed);
    add_gzip(&packed, "a,b\n", 4);
    assert_int_equal(packed.length, 24);
    assert_int_equal(buf_add_str(&packed, "junk"), 0);
    expect_error(packed.data, packed.length,
                 "read 'x': its gzip data is damaged near byte 24 (something else follows it)");
    expect_error(packed.data, 23, "read 'x': its gzip data is cut off at byte 23");
    buf_release(&text);
    buf_release(&packed);
    buf_release(&out);
}

static void test_encodings(void **state)
{
    /* 0x80 to 0x9F as Windows-1252, by Python's cp1252 and C1 controls where it has nothing. */
    static const char upper[] =
        "\xe2\x82\xac\xc2\x81\xe2\x80\x9a\xc6\x92\xe2\x80\x9e\xe2\x80\xa6\xe2\x80\xa0\xe2\x80\xa1\xcb\x86\xe2\x80\xb0"
        "\xc5\xa0\xe2\x80\xb9\xc5\x92\xc2\x8d\xc5\xbd\xc2\x8f\xc2\x90\xe2\x80\x98\xe2\x80\x99\xe2\x80\x9c\xe2\x80\x9d"
        "\xe2\x80\xa2\xe2\x80\x93\xe2\x80\x94\xcb\x9c\xe2\x84\xa2\xc5\xa1\xe2\x80\xba\xc5\x93\xc2\x9d\xc5\xbe\xc5\xb8";
    struct input_options latin1 = {.encoding = INPUT_ENCODING_LATIN1}, cp = {.encoding = INPUT_ENCODING_WINDOWS_1252},
                         utf16 = {.encoding = INPUT_ENCODING_UTF16}, utf8 = {.encoding = INPUT_ENCODING_UTF8};
    char bytes[32];

    (void)state;
    for (int i = 0; i < 32; i++)
        bytes[i] = (char)(0x80 + i);
    assert_string_equal(expect_text(bytes, 32, &cp, upper, sizeof upper - 1).encoding, "windows-1252");
    assert_string_equal(expect_text("a\x80\xff,\xa0", 5, &latin1, "a\xc2\x80\xc3\xbf,\xc2\xa0", 8).encoding, "latin-1");
    assert_true(expect_text("caf\xc3\xa9", 5, &cp, "caf\xc3\x83\xc2\xa9", 7).looks_like_utf8);
    assert_false(expect_text("caf\xe9 \xc3\xa9", 7, &cp, "caf\xc3\xa9 \xc3\x83\xc2\xa9", 10).looks_like_utf8);
    assert_false(expect_text("cafe", 4, &cp, "cafe", 4).looks_like_utf8);
    expect_text("a\xff\xc3\xa9", 4, NULL, "a\xff\xc3\xa9", 4);
    assert_string_equal(expect_text("a\xff\xc3\xa9", 4, &utf8, "a\xff\xc3\xa9", 4).encoding, "utf-8");
    /* a mark overrules what is asked for */
    assert_true(expect_text("\xef\xbb\xbf\xc3\xa9", 5, &latin1, "\xc3\xa9", 2).bom);
    assert_string_equal(expect_text("\xff\xfeq\0", 4, &latin1, "q", 1).encoding, "utf-16le");
    assert_string_equal(expect_text("\xfe\xff\0q", 4, NULL, "q", 1).encoding, "utf-16be");
    assert_false(expect_text("q\0,\0", 4, &utf16, "q,", 2).bom);
    assert_string_equal(expect_text("\0q\0,", 4, &utf16, "q,", 2).encoding, "utf-16be");
    /* U+00E9 U+5C0F U+1F600 */
    expect_text("\xff\xfe\xe9\0\x0f\x5c\x3d\xd8\x00\xde", 10, NULL, "\xc3\xa9\xe5\xb0\x8f\xf0\x9f\x98\x80", 9);
    expect_text("\xfe\xff\0\xe9\x5c\x0f\xd8\x3d\xde\x00", 10, NULL, "\xc3\xa9\xe5\xb0\x8f\xf0\x9f\x98\x80", 9);
    /* half a pair first, second, at the end; half a unit */
    struct input_facts facts =
        expect_text("\xff\xfe\x3d\xd8q\0\x00\xdez\0\x3d\xd8", 12, NULL, "\xef\xbf\xbdq\xef\xbf\xbdz\xef\xbf\xbd", 11);
    assert_int_equal(facts.replaced_characters, 3);
    assert_int_equal(expect_text("\xff\xfeq\0z", 5, NULL, "q\xef\xbf\xbd", 4).replaced_characters, 1);
}

static void test_repair(void **state)
{
    struct input_options repair = {.repair = true};
    static const char right[] =
        "caf\xc3\xa9 \xe2\x80\x99\xe2\x80\x9d\xc3\x81 \xe5\xb0\x8f\xe5\xad\xa9 \xf0\x9f\x98\x80 "
        "\xc2\xa0.";
    static const char twice[] =
        "caf\xc3\x83\xc2\xa9 \xc3\xa2\xe2\x82\xac\xe2\x84\xa2\xc3\xa2\xe2\x82\xac\xc2\x9d\xc3\x83\xc2\x81 "
        "\xc3\xa5\xc2\xb0\xc2\x8f\xc3\xa5\xc2\xad\xc2\xa9 \xc3\xb0\xc5\xb8\xcb\x9c\xe2\x82\xac \xc3\x82\xc2\xa0.";
    static const char latin1[] = "\xc3\xa2\xc2\x80\xc2\x99"; /* taken for Latin-1 */
    static const char mark[] = "\xc3\xaf\xc2\xbb\xc2\xbf";
    struct buf text = {0}, expected = {0};

    (void)state;
    assert_true(expect_text(twice, sizeof twice - 1, &repair, right, sizeof right - 1).repaired);
    assert_false(expect_text(twice, sizeof twice - 1, NULL, twice, sizeof twice - 1).repaired);
    assert_false(expect_text(right, sizeof right - 1, &repair, right, sizeof right - 1).repaired);
    assert_true(expect_text(latin1, sizeof latin1 - 1, &repair, "\xe2\x80\x99", 3).repaired);
    assert_false(expect_text("plain", 5, &repair, "plain", 5).repaired);
    assert_false(expect_text("", 0, &repair, "", 0).repaired);
    assert_false(expect_text("a\xff\xc3", 3, &repair, "a\xff\xc3", 3).repaired);
    /* a byte order mark that was encoded twice */
    assert_int_equal(buf_add(&text, mark, sizeof mark - 1), 0);
    assert_int_equal(buf_add(&text, twice, sizeof twice - 1), 0);
    assert_true(expect_text(text.data, text.length, &repair, right, sizeof right - 1).bom);
    /* one run in ten may be none, and stays */
    for (int plain = 1; plain <= 2; plain++) {
        buf_clear(&text);
        buf_clear(&expected);
        for (int i = 0; i < 10; i++) {
            assert_int_equal(buf_add_str(&text, i < plain ? "\xc3\xa0 " : "\xc3\x83\xc2\xa9 "), 0);
            assert_int_equal(buf_add_str(&expected, i < plain ? "\xc3\xa0 " : "\xc3\xa9 "), 0);
        }
        bool mostly = plain == 1;
        const struct buf *to = mostly ? &expected : &text;
        struct input_facts facts = expect_text(text.data, text.length, &repair, to->data, to->length);
        assert_true(facts.repaired == mostly);
        assert_int_equal(facts.unrepaired_runs, mostly ? 1 : 0);
    }
    buf_release(&text);
    buf_release(&expected);
}

/* Runs over the borders of blocks, of the sample and of the parts of a long run. */
static void test_repair_long(void **state)
{
    struct input_options repair = {.repair = true};
    struct buf text = {0}, expected = {0};

    (void)state;
    for (int i = 0; i < 900000; i++) {
        const char *space = i % 100000 < 50000 && i % 7 == 0 ? " abc" : ""; /* and long runs without */
        assert_int_equal(buf_printf(&text, "%s\xc3\xa5\xc2\xb0\xc2\x8f", space), 0);
        assert_int_equal(buf_printf(&expected, "%s\xe5\xb0\x8f", space), 0);
    }
    assert_true(expect_text(text.data, text.length, &repair, expected.data, expected.length).repaired);
    /* a long run of another kind behind the sample stays as it is, at any size of reading */
    size_t from = text.length;
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf_add_str(&text, "\xe5\xb0\x8f"), 0);
    assert_int_equal(buf_add(&expected, text.data + from, text.length - from), 0);
    struct input_options options = repair;
    struct buf small = {0}, large = {0};
    write_input(text.data, text.length);
    assert_int_equal(read_all(path, &options, 100, &small, NULL), 0);
    assert_int_equal(read_all(path, &options, 1 << 20, &large, NULL), 0);
    assert_int_equal(small.length, large.length);
    assert_memory_equal(small.data, large.data, small.length);
    assert_memory_equal(large.data + large.length - 200000, expected.data + expected.length - 200000, 200000);
    buf_release(&small);
    buf_release(&large);
    buf_release(&text);
    buf_release(&expected);
}

/* The real file that was encoded twice against its original, record by record. */
static void test_repair_real(void **state)
{
    const char *data = getenv("RECO_DATA_DIR");
    struct table_options repair = {.repair_encoding = true};
    struct table_reader *broken = NULL, *whole = NULL;
    const struct csv_record *a = NULL, *b = NULL;
    char broken_path[512], whole_path[512];
    uint64_t records = 0, outside_ascii = 0;
    struct table_facts facts;

    (void)state;
    data = data != NULL ? data : RECO_SOURCE_DIR "/../shared/data";
    snprintf(broken_path, sizeof broken_path, "%s/crowdflower/train_mojibake.csv", data);
    snprintf(whole_path, sizeof whole_path, "%s/crowdflower/train.csv", data);
    if (!file_exists(broken_path) || !file_exists(whole_path)) {
        print_message("skipped: no %s\n", broken_path);
        skip();
    }
    assert_int_equal(table_reader_open(&broken, broken_path, &repair), 0);
    assert_int_equal(table_reader_open(&whole, whole_path, NULL), 0);
    for (;;) {
        assert_int_equal(table_reader_next(broken, &a), 0);
        assert_int_equal(table_reader_next(whole, &b), 0);
        assert_int_equal(a == NULL, b == NULL);
        if (a == NULL)
            break;
        records++;
        assert_int_equal(a->count, b->count);
        for (size_t i = 0; i < a->count; i++) {
            assert_string_equal(a->fields[i].text, b->fields[i].text);
            for (size_t k = 0; k < a->fields[i].length; k++)
                outside_ascii += (unsigned char)a->fields[i].text[k] >= 0x80;
        }
    }
    table_reader_facts(broken, &facts);
    assert_true(facts.repaired);
    assert_int_equal(facts.unrepaired_runs, 0);
    table_reader_close(whole);
    table_reader_close(broken);
    /* the original, though some of its texts were encoded twice before, is none */
    assert_int_equal(table_reader_open(&whole, whole_path, &repair), 0);
    while (table_reader_next(whole, &b) == 0 && b != NULL)
        continue;
    table_reader_facts(whole, &facts);
    assert_false(facts.repaired);
    table_reader_close(whole);
    print_message("%" PRIu64 " records are equal, %" PRIu64 " bytes outside ASCII\n", records, outside_ascii);
    assert_int_equal(records, 8713);
    assert_true(outside_ascii > 5000);
}

static void test_other_content(void **state)
{
    char tar[300] = "train.csv";

    (void)state;
    memcpy(tar + 257, "ustar", 6);
    expect_error("PK\x03\x04................................", 34,
                 "parse 'x': it is a ZIP archive; pipe unzip -p's output into '-'");
    expect_error("PK\x03\x04..........................[Content_Types].xml", 49,
                 "parse 'x': it is an Excel workbook; save it as CSV UTF-8");
    expect_error("BZh91AY&SY....", 14, "parse 'x': it is compressed by bzip2; pipe bzcat's output into '-'");
    expect_error("\xfd\x37zXZ\0..", 8, "parse 'x': it is compressed by xz; pipe xzcat's output into '-'");
    expect_error("PAR1\x15\x04", 6,
                 "parse 'x': it is Parquet; convert it with duckdb -c \"copy (from 'x.parquet') to 'x.csv'\"");
    expect_error(tar, sizeof tar, "parse 'x': it is a tar archive; pipe tar -xO's output into '-'");
    expect_error("<!DOCTYPE HTML><title>Sign in</title>", 37,
                 "parse 'x': it is a web page; look whether the download needs a login");
    expect_error("version https://git-lfs.github.com/spec/v1\noid", 46,
                 "parse 'x': it is a pointer of Git LFS and not the data; git lfs pull gets it");
    expect_error("\xff\xfe\0\0q\0\0\0", 8, "parse 'x': it is UTF-32; convert it with iconv -f UTF-32 -t UTF-8");
    expect_error("q\0u\0e\0r\0y\0,\0t\0\n\0", 16,
                 "parse 'x': it looks like UTF-16 without a byte order mark; --encoding utf-16 reads it");
    struct buf inner = {0}, outer = {0};
    add_zstd(&inner, "a,b\n", 4);
    add_gzip(&outer, inner.data, inner.length);
    expect_error(outer.data, outer.length, "parse 'x': it is compressed twice; pipe zstdcat's output into '-'");
    buf_release(&inner);
    buf_release(&outer);
}

/* The quick ways through valid text against the decoder, one character at a time. */
static bool decodes(const unsigned char *p, size_t length)
{
    for (const unsigned char *end = p + length; p < end;) {
        uint32_t code_point;
        size_t size = utf8_decode(p, end, &code_point);
        if (code_point == 0xFFFD && !(size == 3 && memcmp(p, "\xef\xbf\xbd", 3) == 0))
            return false;
        p += size;
    }
    return true;
}

static void test_utf8(void **state)
{
    static const unsigned char second[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xE5, 0xFF};
    enum { KINDS = sizeof second };
    unsigned char text[24] = "0123456789";

    (void)state;
    for (int first = 0x7F; first <= 0xFF; first++) {
        for (size_t i = 0; i < (size_t)KINDS * KINDS * KINDS; i++) {
            size_t at = i % 11;
            memset(text, 'a', sizeof text);
            text[at] = (unsigned char)first;
            text[at + 1] = second[i % KINDS];
            text[at + 2] = second[i / KINDS % KINDS];
            text[at + 3] = second[i / KINDS / KINDS];
            for (size_t length = at + 1; length <= at + 5; length++)
                assert_true(utf8_is_valid(text, length, NULL) == decodes(text, length));
        }
    }
}

/* Every allocation fails in turn: an error, no leak (under ASan), no crash. */
static void torture(const struct input_options *options)
{
    struct buf out = {0};
    bool finished = false;

    assert_int_equal(buf_reserve(&out, 100000), 0);
    for (long n = 1; !finished; n++) {
        mem_fail_after(n);
        int rc = read_all(path, options, 100, &out, NULL);
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        finished = rc == 0;
        assert_true(n < 1000);
    }
    buf_release(&out);
}

static void test_torture(void **state)
{
    struct input_options options = {0};
    struct buf packed = {0};

    (void)state;
    add_gzip(&packed, "caf\xc3\x83\xc2\xa9\n", 8);
    write_input(packed.data, packed.length);
    options.repair = true;
    torture(&options);
    options.encoding = INPUT_ENCODING_WINDOWS_1252;
    torture(&options);
    buf_clear(&packed);
    add_zstd(&packed, "\xff\xfeq\0", 4);
    write_input(packed.data, packed.length);
    torture(NULL);
    buf_release(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compressed),    cmocka_unit_test(test_damaged),     cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_repair),        cmocka_unit_test(test_repair_long), cmocka_unit_test(test_repair_real),
        cmocka_unit_test(test_other_content), cmocka_unit_test(test_utf8),        cmocka_unit_test(test_torture),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
