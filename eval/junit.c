#include "eval/junit.h"

#include <string.h>

#include "data/utf8.h"
#include "eval/page.h"
#include "eval/provenance.h"
#include "eval/try.h"

/* XML has no place for most control characters, nor for what is no character: they become U+FFFD, blanks one blank. */
static int add_escaped(struct buf *b, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + strlen(text);
    while (at < end) {
        char one[UTF8_MAX_BYTES + 1] = "";
        uint32_t c;
        at += utf8_decode(at, end, &c);
        c = c == '\t' || c == '\n' || c == '\r' ? ' ' : c < 0x20 || c == 0xFFFE || c == 0xFFFF ? 0xFFFD : c;
        (void)utf8_encode(c, (unsigned char *)one);
        TRY(page_add_escaped(b, one));
    }
    return 0;
}

static int add_property(struct buf *b, const char *key, const char *value)
{
    TRY(buf_add_str(b, "      <property name=\""));
    TRY(add_escaped(b, key));
    TRY(buf_add_str(b, "\" value=\""));
    TRY(add_escaped(b, value));
    return buf_add_str(b, "\"/>\n");
}

int junit_write(struct buf *b, const char *suite, const json_t *provenance, const char *const *gates,
                const char *const *lines, const bool *passed, size_t count)
{
    size_t failures = 0;
    for (size_t i = 0; i < count; i++) {
        failures += !passed[i];
    }
    TRY(buf_printf(b,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
                   "  <testsuite name=\"reco %s\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\" "
                   "time=\"0\">\n",
                   suite, count, failures));
    if (provenance) {
        TRY(buf_add_str(b, "    <properties>\n"));
        TRY(provenance_rows(provenance, add_property, b));
        TRY(buf_add_str(b, "    </properties>\n"));
    }
    for (size_t i = 0; i < count; i++) {
        TRY(buf_printf(b, "    <testcase classname=\"reco.%s\" name=\"", suite));
        TRY(add_escaped(b, gates[i]));
        TRY(buf_add_str(b, "\" time=\"0\">\n      "));
        if (passed[i]) {
            TRY(buf_add_str(b, "<system-out>"));
        } else {
            TRY(buf_add_str(b, "<failure type=\"gate\" message=\""));
            TRY(add_escaped(b, lines[i]));
            TRY(buf_add_str(b, "\">"));
        }
        TRY(add_escaped(b, lines[i]));
        TRY(buf_add_str(b, passed[i] ? "</system-out>\n" : "</failure>\n"));
        TRY(buf_add_str(b, "    </testcase>\n"));
    }
    return buf_add_str(b, "  </testsuite>\n</testsuites>\n");
}
