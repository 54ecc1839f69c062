/*
 * Any bytes as a file. The first byte chooses options. What must hold: the text does not depend on how much is read at
 * a time; what is decoded is valid UTF-8; repair neither adds nor takes line breaks, and leaves valid UTF-8 valid.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "data/input.h"
#include "data/utf8.h"
#include "fuzz.h"

enum { LONGEST_TEXT = 1 << 22 /* some kilobytes may unpack to gigabytes */ };

static void require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static int read_all(const char *path, const struct input_options *options, size_t capacity, struct buf *text,
                    struct input_facts *facts)
{
    static char bytes[1 << 16];
    struct input *in = NULL;
    size_t got = 1;

    buf_clear(text);
    int rc = input_open(&in, path, options);
    if (rc < 0)
        return rc;
    while (rc == 0 && got > 0 && text->length < LONGEST_TEXT) {
        rc = input_read(in, bytes, capacity, &got);
        if (rc == 0)
            rc = buf_add(text, bytes, got);
    }
    input_facts(in, facts);
    input_close(in);
    if (text->length > LONGEST_TEXT)
        text->length = LONGEST_TEXT;
    return rc;
}

static size_t count_lines(const struct buf *text)
{
    size_t lines = 0;

    for (size_t i = 0; i < text->length; i++)
        lines += text->data[i] == '\n' || text->data[i] == '\r';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t capacities[] = {1, 3, 100, 5000};
    struct buf text = {0}, other = {0};
    struct input_facts facts = {0};
    char path[64];

    if (size == 0)
        return 0;
    int fd = fuzz_file(data + 1, size - 1, path);
    struct input_options options = {.encoding = (enum input_encoding)(data[0] % 5), .repair = (data[0] & 8) != 0};
    int rc = read_all(path, &options, 1 << 16, &text, &facts);
    require(read_all(path, &options, capacities[data[0] >> 6], &other, &facts) == rc, "the same end");
    require(other.length == text.length && memcmp(buf_str(&other), buf_str(&text), text.length) == 0,
            "the same text at any size of reading");
    bool whole = rc == 0 && text.length < LONGEST_TEXT;
    if (whole && facts.encoding != NULL && strcmp(facts.encoding, "utf-8") != 0)
        require(utf8_is_valid(buf_str(&text), text.length, NULL), "decoded text is UTF-8");
    if (whole && options.repair) {
        options.repair = false;
        require(read_all(path, &options, 1 << 16, &other, &facts) == 0, "reading without repair");
        require(count_lines(&text) == count_lines(&other), "the same line breaks");
        require(!utf8_is_valid(buf_str(&other), other.length, NULL) || utf8_is_valid(buf_str(&text), text.length, NULL),
                "valid text stays valid");
    }
    buf_release(&text);
    buf_release(&other);
    close(fd);
    return 0;
}
