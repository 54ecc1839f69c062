/* What else than text people have in files named .csv, and what to do about it. */

#include <string.h>
#include <strings.h>

#include "data/input_internal.h"

struct content {
    const char *bytes;
    size_t length, offset;
    const char *what; /* "it is ..." */
};

/* To add one: a row; more particular ones first. */
static const struct content contents[] = {
    {"[Content_Types].xml", 19, 30, "an Excel workbook; save it as CSV UTF-8"},
    {"_rels/.rels", 11, 30, "an Excel workbook; save it as CSV UTF-8"},
    {"PK\x03\x04", 4, 0, "a ZIP archive; pipe unzip -p's output into '-'"},
    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, 0, "an old Excel workbook; save it as CSV UTF-8"},
    {"1AY&SY", 6, 4, "compressed by bzip2; pipe bzcat's output into '-'"},
    {"\xfd\x37zXZ\0", 6, 0, "compressed by xz; pipe xzcat's output into '-'"},
    {"\x04\x22\x4d\x18", 4, 0, "compressed by lz4; pipe lz4cat's output into '-'"},
    {"7z\xbc\xaf\x27\x1c", 6, 0, "a 7-Zip archive; pipe 7z x -so's output into '-'"},
    {"ustar\0", 6, 257, "a tar archive; pipe tar -xO's output into '-'"},
    {"ustar  \0", 8, 257, "a tar archive; pipe tar -xO's output into '-'"},
    {"\x1f\x8b", 2, 0, "compressed twice; pipe zcat's output into '-'"},
    {"\x28\xb5\x2f\xfd", 4, 0, "compressed twice; pipe zstdcat's output into '-'"},
    {"PAR1\x15", 5, 0, "Parquet; convert it with duckdb -c \"copy (from 'x.parquet') to 'x.csv'\""},
    {"ARROW1\0\0", 8, 0, "an Arrow file; save it as CSV"},
    {"SQLite format 3", 16, 0, "an SQLite database; export the table with sqlite3 -csv -header"},
    {"%PDF-", 5, 0, "a PDF"},
    {"version https://git-lfs.github.com/spec/", 40, 0, "a pointer of Git LFS and not the data; git lfs pull gets it"},
};

/* A login page or an error in place of a download. */
static bool is_web_page(const unsigned char *bytes, size_t length)
{
    static const char *const starts[] = {"<!doctype html", "<html"};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (length >= strlen(starts[i]) && strncasecmp((const char *)bytes, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

int input_check_content(const unsigned char *bytes, size_t length, const char *label)
{
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        const struct content *c = &contents[i];
        if (length >= c->offset + c->length && memcmp(bytes + c->offset, c->bytes, c->length) == 0)
            return err_set(RECO_E_DATA, "cannot parse %s: it is %s", label, c->what);
    }
    if (is_web_page(bytes, length))
        return err_set(RECO_E_DATA, "cannot parse %s: it is a web page; look whether the download needs a login",
                       label);
    return 0;
}
