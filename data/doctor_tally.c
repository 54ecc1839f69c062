#include "data/doctor_tally.h"

#include <string.h>

#include "core/mem.h"
#include "data/utf8.h"

int doctor_tallies_init(struct doctor_tallies *t, size_t slots)
{
    t->slots = slots;
    t->table = mem_calloc((size_t)DOCTOR_RULES * slots, sizeof *t->table);
    return t->table == NULL ? RECO_E_NOMEM : 0;
}

void doctor_tallies_release(struct doctor_tallies *t)
{
    for (size_t i = 0; t->table != NULL && i < (size_t)DOCTOR_RULES * t->slots; i++) {
        for (size_t e = 0; t->table[i] != NULL && e < t->table[i]->example_count; e++)
            mem_free(t->table[i]->examples[e].text);
        mem_free(t->table[i]);
    }
    mem_free(t->table);
    t->table = NULL;
}

static struct doctor_tally **at(const struct doctor_tallies *t, enum doctor_rule_id rule, size_t slot)
{
    return &t->table[(size_t)rule * t->slots + slot];
}

int doctor_tally_add(struct doctor_tallies *t, enum doctor_rule_id rule, size_t slot, size_t file, uint64_t count)
{
    struct doctor_tally **tally = at(t, rule, slot);

    if (*tally == NULL && (*tally = mem_calloc(1, sizeof **tally)) == NULL)
        return RECO_E_NOMEM;
    (*tally)->count += count;
    (*tally)->files[file] += count;
    return 0;
}

bool doctor_tally_wants(const struct doctor_tallies *t, enum doctor_rule_id rule, size_t slot, uint64_t place)
{
    const struct doctor_tally *tally = *at(t, rule, slot);

    return tally == NULL || tally->example_count < DOCTOR_EXAMPLES ||
           place < tally->examples[DOCTOR_EXAMPLES - 1].place;
}

int doctor_tally_example(struct doctor_tallies *t, enum doctor_rule_id rule, size_t slot, uint64_t place,
                         const char *text)
{
    if (!doctor_tally_wants(t, rule, slot, place))
        return 0;
    int rc = doctor_tally_add(t, rule, slot, doctor_place_file(place), 0);
    char *copy = rc == 0 ? mem_strdup(text) : NULL;
    if (copy == NULL)
        return RECO_E_NOMEM;
    struct doctor_tally *tally = *at(t, rule, slot);
    size_t to = tally->example_count;
    if (to == DOCTOR_EXAMPLES)
        mem_free(tally->examples[--to].text);
    else
        tally->example_count++;
    for (; to > 0 && tally->examples[to - 1].place > place; to--)
        tally->examples[to] = tally->examples[to - 1];
    tally->examples[to] = (struct doctor_example){.place = place, .text = copy};
    return 0;
}

const struct doctor_tally *doctor_tally_get(const struct doctor_tallies *t, enum doctor_rule_id rule, size_t slot)
{
    return *at(t, rule, slot);
}

int doctor_tallies_merge(struct doctor_tallies *into, const struct doctor_tallies *from)
{
    int rc = 0;

    for (size_t rule = 0; rule < DOCTOR_RULES; rule++) {
        for (size_t slot = 0; slot < from->slots; slot++) {
            const struct doctor_tally *tally = *at(from, (enum doctor_rule_id)rule, slot);
            for (size_t f = 0; rc == 0 && tally != NULL && f < DOCTOR_FILES_MAX; f++)
                rc = tally->files[f] > 0 ? doctor_tally_add(into, (enum doctor_rule_id)rule, slot, f, tally->files[f])
                                         : 0;
            for (size_t e = 0; rc == 0 && tally != NULL && e < tally->example_count; e++)
                rc = doctor_tally_example(into, (enum doctor_rule_id)rule, slot, tally->examples[e].place,
                                          tally->examples[e].text);
        }
    }
    return rc;
}

/* Characters that a reader would not see, besides blanks: controls, soft hyphens, zero widths, directions. */
static bool is_invisible(uint32_t c)
{
    return c < ' ' || (c >= 0x7F && c < 0xA0) || c == 0xAD || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

int doctor_excerpt(struct buf *b, const char *text, size_t length, size_t at_byte, size_t columns)
{
    const unsigned char *start = (const unsigned char *)text, *end = start + length, *p = start;
    bool gap = false;
    int rc = 0;

    if (at_byte > columns / 2) { /* a third of the room for what stands before */
        p = start + at_byte - columns / 3;
        while (p > start && (*p & 0xC0) == 0x80)
            p--;
        rc = buf_add_str(b, "...");
    }
    size_t begin = b->length;
    for (; rc == 0 && p < end && columns > 0; columns--) {
        unsigned char bytes[UTF8_MAX_BYTES];
        uint32_t c;
        while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) {
            gap = b->length > begin;
            p++;
        }
        if (p == end)
            break;
        p += utf8_decode(p, end, &c);
        if (gap)
            rc = buf_add_char(b, ' ');
        gap = false;
        if (rc == 0)
            rc = is_invisible(c) ? buf_printf(b, "<U+%04X>", (unsigned)c) : buf_add(b, bytes, utf8_encode(c, bytes));
    }
    return rc == 0 && p < end ? buf_add_str(b, "...") : rc;
}

static bool is_wide_blank(uint32_t c)
{
    return c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000;
}

int doctor_show_blanks(struct buf *out, const char *text, size_t length, size_t *at_byte)
{
    static const char blank_mark[] = "\xE2\x90\xA3";
    const unsigned char *start = (const unsigned char *)text, *end = start + length, *p = start;
    bool first = true, after_blank = true;
    int rc = 0;

    *at_byte = out->length;
    while (rc == 0 && p < end) {
        uint32_t c;
        size_t size = utf8_decode(p, end, &c), before = out->length;
        bool shown = true;
        if (c == '\n' || c == '\t' || c == '\r')
            rc = buf_add_str(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        else if (is_wide_blank(c))
            rc = buf_printf(out, "<U+%04X>", (unsigned)c);
        else if (c == ' ' && (after_blank || p + 1 == end))
            rc = buf_add_str(out, blank_mark);
        else {
            shown = false;
            rc = buf_add(out, p, size);
        }
        if (shown && first) {
            *at_byte = before;
            first = false;
        }
        after_blank = c == ' ' || shown;
        p += size;
    }
    return rc;
}

bool doctor_find_invisible(const char *text, size_t length, size_t *at_byte)
{
    const unsigned char *start = (const unsigned char *)text, *end = start + length, *p = start;

    while (p < end) {
        uint32_t c;
        size_t size = utf8_decode(p, end, &c);
        if (is_invisible(c) && c != '\n' && c != '\r' && c != '\t') {
            *at_byte = (size_t)(p - start);
            return true;
        }
        p += size;
    }
    return false;
}

char *doctor_utf8(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    struct buf b = {0};
    int rc = buf_add(&b, "", 0);

    while (rc == 0 && p < end) {
        unsigned char bytes[UTF8_MAX_BYTES];
        uint32_t c;
        p += utf8_decode(p, end, &c);
        rc = is_invisible(c) ? buf_printf(&b, "<U+%04X>", (unsigned)c) : buf_add(&b, bytes, utf8_encode(c, bytes));
    }
    char *out = rc < 0 ? NULL : b.length > 0 ? buf_take(&b) : mem_strdup("");
    buf_release(&b);
    return out;
}
