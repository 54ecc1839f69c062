#include <string.h>

#include "data/table.h"

static int add_note(struct buf *out, size_t start, const char *text)
{
    int rc = out->length > start ? buf_add_str(out, ", ") : 0;

    return rc < 0 ? rc : buf_add_str(out, text);
}

static const char *delimiter_note(char delimiter, bool is_tsv)
{
    switch (delimiter) {
    case '\0':
    case ',':
        return NULL;
    case '\t':
        return is_tsv ? NULL : "tabs between fields";
    case ';':
        return "';' between fields";
    case '|':
        return "'|' between fields";
    default:
        return "a delimiter of its own";
    }
}

int table_facts_notes(const struct table_facts *facts, struct buf *out)
{
    size_t start = out->length;
    bool is_csv = facts->format != TABLE_FORMAT_JSONL;
    const char *notes[] = {
        !is_csv ? "JSON Lines" : NULL,
        strcmp(facts->compression, "none") != 0 ? facts->compression : NULL,
        strcmp(facts->encoding, "utf-8") != 0 ? facts->encoding : NULL,
        facts->repaired ? "UTF-8 that was encoded twice, repaired" : NULL,
        is_csv ? delimiter_note(facts->delimiter, facts->format == TABLE_FORMAT_TSV) : NULL,
        is_csv && facts->quote == '\0'   ? "no quotes"
        : is_csv && facts->quote == '\'' ? "single quotes"
                                         : NULL,
        strcmp(facts->line_ends, "mixed") == 0 ? "mixed line ends" : NULL,
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof notes / sizeof *notes; i++)
        if (notes[i] != NULL)
            rc = add_note(out, start, notes[i]);
    return rc;
}

int table_facts_warning(const struct table_facts *facts, struct buf *out)
{
    unsigned long long count = facts->invalid_utf8_records;

    if (count > 0)
        return buf_printf(out,
                          "%llu record%s %s bytes that are no UTF-8, the first in line %llu; "
                          "--encoding windows-1252 or latin-1 may read them",
                          count, count == 1 ? "" : "s", count == 1 ? "has" : "have",
                          (unsigned long long)facts->invalid_utf8_line);
    if (facts->looks_like_utf8)
        return buf_printf(out, "its bytes are UTF-8, though it is read as %s; leave --encoding away", facts->encoding);
    if (facts->replaced_characters > 0)
        return buf_printf(out, "%llu character%s no %s and read as U+FFFD",
                          (unsigned long long)facts->replaced_characters,
                          facts->replaced_characters == 1 ? " is" : "s are", facts->encoding);
    if (facts->unrepaired_runs > 0)
        return buf_printf(out, "%llu pieces of text were not encoded twice as the rest of the file, and are kept",
                          (unsigned long long)facts->unrepaired_runs);
    return 0;
}
