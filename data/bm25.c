#include "data/bm25.h"

#include <sqlite3.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/temp_file.h"
#include "data/utf8.h"

enum {
    MAX_QUERY_WORDS = 64,
    COMMON_SHARE = 10,         /* a word in more than one of so many texts is common */
    COMMON_LEAST_TEXTS = 1000, /* and in at least so many texts: below that, every word is cheap */
    CACHE_KIB = 65536
};

struct lane {
    sqlite3 *db;
    sqlite3_stmt *search;
    struct buf plain, words, match;
};

struct bm25 {
    char *path; /* NULL when it is removed */
    sqlite3 *db;
    sqlite3_stmt *insert;
    uint64_t count;
    struct buf plain, words;
    struct lane *lanes;
    size_t lane_count;

    char **common; /* [common_count] words, rising by their bytes */
    size_t common_capacity, common_count;
};

static int failed(sqlite3 *db, int code, const char *what)
{
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return err_nomem();
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return err_set(RECO_E_IO, "cannot %s the index of texts: %s", what, sqlite3_errmsg(db));
    default:
        return err_set(RECO_E_INTERNAL, "cannot %s the index of texts: %s", what, sqlite3_errmsg(db));
    }
}

static int run(sqlite3 *db, const char *sql)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : failed(db, code, "make");
}

int bm25_new(struct bm25 **out, const char *tmp_dir)
{
    static const char make[] = "PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; "
                               "PRAGMA temp_store = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN; "
                               "CREATE VIRTUAL TABLE texts USING fts5(words, content = '', "
                               "tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* M* Co'\")";
    struct bm25 *b = mem_calloc(1, sizeof *b);

    if (b == NULL)
        return RECO_E_NOMEM;
    int rc = temp_name_make(&b->path, tmp_dir, "bm25");
    if (rc == 0) {
        int code = sqlite3_open_v2(b->path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        rc = code == SQLITE_OK ? run(b->db, make) : failed(b->db, code, "open");
    }
    if (rc == 0) {
        int code = sqlite3_prepare_v2(b->db, "INSERT INTO texts(rowid, words) VALUES (?1, ?2)", -1, &b->insert, NULL);
        rc = code == SQLITE_OK ? 0 : failed(b->db, code, "make");
    }
    if (rc < 0) {
        bm25_free(b);
        return rc;
    }
    *out = b;
    return 0;
}

void bm25_free(struct bm25 *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->lane_count; i++) {
        sqlite3_finalize(b->lanes[i].search);
        sqlite3_close(b->lanes[i].db);
        buf_release(&b->lanes[i].plain);
        buf_release(&b->lanes[i].words);
        buf_release(&b->lanes[i].match);
    }
    sqlite3_finalize(b->insert);
    sqlite3_close(b->db);
    if (b->path != NULL)
        unlink(b->path);
    for (size_t i = 0; i < b->common_count; i++)
        mem_free(b->common[i]);
    buf_release(&b->plain);
    buf_release(&b->words);
    mem_free(b->common);
    mem_free(b->lanes);
    mem_free(b->path);
    mem_free(b);
}

/* ---- words
 * ----------------------------------------------------------------------------------------------------------------- */

static bool has_no_blanks(uint32_t c)
{
    return (c >= 0x3040 && c <= 0x30FF) || /* kana */
           (c >= 0x3400 && c <= 0x4DBF) || /* ideographs */
           (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF) ||
           (c >= 0x0E00 && c <= 0x0EFF) || /* Thai, Lao */
           (c >= 0x1000 && c <= 0x109F) || /* Burmese */
           (c >= 0x1780 && c <= 0x17FF);   /* Khmer */
}

enum { JOINT = 2 }; /* no character of a word */
enum kind { KIND_NONE, KIND_WORD, KIND_MARK, KIND_ALONE };

static enum kind kind_of(uint32_t c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ? KIND_WORD : KIND_NONE;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return KIND_MARK;
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return has_no_blanks(c) ? KIND_ALONE : KIND_WORD;
    default:
        return KIND_NONE;
    }
}

/*
 * The words of a text in out, each followed by a blank; full-width and other forms become the usual ones. JOINT instead
 * of a blank stands between characters that are words by themselves and follow each other.
 */
static int split(const char *text, size_t length, struct buf *out)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    enum kind before = KIND_NONE;
    int rc = 0;

    buf_clear(out);
    while (rc == 0 && p < end) {
        utf8proc_int32_t plain[32];
        uint32_t c;
        int boundary = 0;

        p += utf8_decode(p, end, &c);
        plain[0] = (utf8proc_int32_t)c;
        utf8proc_ssize_t count = 1;
        if (c >= 0x80)
            count = utf8proc_decompose_char((utf8proc_int32_t)c, plain, 32,
                                            UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD, &boundary);
        for (utf8proc_ssize_t i = 0; rc == 0 && i < count && i < 32; i++) {
            unsigned char bytes[UTF8_MAX_BYTES];
            uint32_t folded = (uint32_t)plain[i];
            enum kind kind = kind_of(folded);

            if (folded >= 'A' && folded <= 'Z')
                folded += 'a' - 'A';
            bool apart = kind == KIND_ALONE || (kind == KIND_WORD && before == KIND_ALONE) || kind == KIND_NONE;
            if (apart && out->length > 0 && out->data[out->length - 1] != ' ')
                rc = buf_add_char(out, kind == KIND_ALONE && before == KIND_ALONE ? JOINT : ' ');
            if (rc == 0 && kind != KIND_NONE && !(kind == KIND_MARK && before == KIND_NONE))
                rc = buf_add(out, bytes, utf8_encode(folded, bytes));
            if (kind != KIND_MARK)
                before = kind;
        }
    }
    return rc == 0 && out->length > 0 && out->data[out->length - 1] != ' ' ? buf_add_char(out, ' ') : rc;
}

static int add_word(struct buf *out, const char *word, size_t length)
{
    int rc = buf_add(out, word, length);

    return rc < 0 ? rc : buf_add_char(out, ' ');
}

/* A run of characters with JOINTs between them: each pair of neighbours, and in an index also each character. */
static int add_run(struct buf *out, const char *run, size_t length, bool index)
{
    const char *before = NULL, *end = run + length;
    size_t before_length = 0;
    int rc = 0;

    while (rc == 0 && run < end) {
        const char *joint = memchr(run, JOINT, (size_t)(end - run));
        size_t own = joint != NULL ? (size_t)(joint - run) : (size_t)(end - run);
        if (index)
            rc = add_word(out, run, own);
        if (rc == 0 && before != NULL)
            rc = buf_add(out, before, before_length);
        if (rc == 0 && before != NULL)
            rc = add_word(out, run, own);
        before = run;
        before_length = own;
        run += own + 1;
    }
    return rc;
}

/* The words of a text as they are indexed, or looked for. */
static int find_words(const char *text, size_t length, bool index, struct buf *plain, struct buf *out)
{
    int rc = split(text, length, plain);

    buf_clear(out);
    for (const char *p = buf_str(plain); rc == 0 && *p != '\0';) {
        size_t word = strcspn(p, " ");
        rc = memchr(p, JOINT, word) != NULL ? add_run(out, p, word, index) : add_word(out, p, word);
        p += word + (p[word] == ' ');
    }
    return rc;
}

/* ---- adding
 * ---------------------------------------------------------------------------------------------------------------- */

int bm25_add(struct bm25 *b, const char *text, size_t length)
{
    int rc = find_words(text, length, true, &b->plain, &b->words);

    if (rc < 0)
        return rc;
    if (b->count >= UINT32_MAX || b->words.length > INT32_MAX)
        return err_set(RECO_E_DATA, "too much text for an index");
    sqlite3_bind_int64(b->insert, 1, (sqlite3_int64)++b->count);
    sqlite3_bind_text(b->insert, 2, buf_str(&b->words), (int)b->words.length, SQLITE_STATIC);
    int code = sqlite3_step(b->insert);
    sqlite3_reset(b->insert);
    return code == SQLITE_DONE ? 0 : failed(b->db, code, "write");
}

static int keep_common(struct bm25 *b, const char *word)
{
    int rc = mem_grow((void **)&b->common, &b->common_capacity, b->common_count + 1, sizeof *b->common);

    if (rc < 0)
        return rc;
    b->common[b->common_count] = mem_strdup(word);
    if (b->common[b->common_count] == NULL)
        return RECO_E_NOMEM;
    b->common_count++;
    return 0;
}

/* Words that are in too many texts to be of use. */
static int find_common(struct bm25 *b)
{
    sqlite3_stmt *words = NULL;
    sqlite3_int64 limit = (sqlite3_int64)(b->count / COMMON_SHARE);
    int rc = run(b->db, "CREATE VIRTUAL TABLE temp.counts USING fts5vocab(main, texts, row)");

    if (rc < 0)
        return rc;
    int code = sqlite3_prepare_v2(b->db, "SELECT term FROM temp.counts WHERE doc > ?1 ORDER BY term", -1, &words, NULL);
    if (code != SQLITE_OK)
        return failed(b->db, code, "read");
    sqlite3_bind_int64(words, 1, limit > COMMON_LEAST_TEXTS ? limit : COMMON_LEAST_TEXTS);
    while (rc == 0 && (code = sqlite3_step(words)) == SQLITE_ROW)
        rc = keep_common(b, (const char *)sqlite3_column_text(words, 0));
    if (rc == 0 && code != SQLITE_DONE)
        rc = failed(b->db, code, "read");
    sqlite3_finalize(words);
    return rc;
}

static int open_lane(const struct bm25 *b, struct lane *lane)
{
    static const char select[] = "SELECT rowid FROM texts WHERE texts MATCH ?1 ORDER BY bm25(texts), rowid LIMIT ?2";
    int code = sqlite3_open_v2(b->path, &lane->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    if (code != SQLITE_OK)
        return failed(lane->db, code, "open");
    char *pragmas =
        mem_printf("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -%zu", (size_t)CACHE_KIB / b->lane_count + 1);
    if (pragmas == NULL)
        return RECO_E_NOMEM;
    int rc = run(lane->db, pragmas);
    mem_free(pragmas);
    if (rc < 0)
        return rc;
    code = sqlite3_prepare_v2(lane->db, select, -1, &lane->search, NULL);
    return code == SQLITE_OK ? 0 : failed(lane->db, code, "read");
}

int bm25_finish(struct bm25 *b, size_t lanes)
{
    int rc = run(b->db, "INSERT INTO texts(texts) VALUES ('optimize'); COMMIT");

    if (rc == 0)
        rc = find_common(b);
    if (rc < 0)
        return rc;
    sqlite3_finalize(b->insert);
    b->insert = NULL;
    sqlite3_close(b->db);
    b->db = NULL;
    b->lanes = mem_calloc(lanes, sizeof *b->lanes);
    if (b->lanes == NULL)
        return RECO_E_NOMEM;
    b->lane_count = lanes;
    for (size_t i = 0; rc == 0 && i < lanes; i++)
        rc = open_lane(b, &b->lanes[i]);
    if (rc < 0)
        return rc;
    unlink(b->path); /* every lane has it open, and nothing stays behind whatever happens */
    mem_free(b->path);
    b->path = NULL;
    return 0;
}

/* ---- searching
 * ------------------------------------------------------------------------------------------------------------- */

static bool is_common(const struct bm25 *b, const char *word, size_t length)
{
    size_t low = 0, high = b->common_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(b->common[middle], word, length);
        if (order == 0)
            order = b->common[middle][length] != '\0';
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* "red" OR "shoe": the different words, common ones only where there are no others. Words hold no quotes. */
static int write_match(const struct bm25 *b, struct lane *lane, bool common)
{
    const char *words[MAX_QUERY_WORDS];
    size_t lengths[MAX_QUERY_WORDS], count = 0;
    int rc = 0;

    buf_clear(&lane->match);
    for (const char *p = buf_str(&lane->words); rc == 0 && *p != '\0' && count < MAX_QUERY_WORDS;) {
        size_t length = strcspn(p, " "), i = 0;
        while (i < count && (lengths[i] != length || memcmp(words[i], p, length) != 0))
            i++;
        if (i == count && (common || !is_common(b, p, length))) {
            words[count] = p;
            lengths[count++] = length;
            rc = buf_printf(&lane->match, "%s\"%.*s\"", count > 1 ? " OR " : "", (int)length, p);
        }
        p += length + (p[length] == ' ');
    }
    return rc;
}

/* One search: with pairs of characters alone, or with single ones too (all). */
static int search(const struct bm25 *b, struct lane *lane, const char *query, size_t length, bool all, size_t limit,
                  uint32_t *numbers, size_t *count)
{
    int code = SQLITE_DONE, rc = find_words(query, length, all, &lane->plain, &lane->words);

    *count = 0;
    if (rc == 0)
        rc = write_match(b, lane, false);
    if (rc == 0 && lane->match.length == 0)
        rc = write_match(b, lane, true);
    if (rc < 0 || lane->match.length == 0)
        return rc;
    sqlite3_bind_text(lane->search, 1, buf_str(&lane->match), (int)lane->match.length, SQLITE_STATIC);
    sqlite3_bind_int64(lane->search, 2, (sqlite3_int64)limit);
    while (*count < limit && (code = sqlite3_step(lane->search)) == SQLITE_ROW)
        numbers[(*count)++] = (uint32_t)(sqlite3_column_int64(lane->search, 0) - 1);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        rc = failed(lane->db, code, "search");
    sqlite3_reset(lane->search);
    return rc;
}

int bm25_search(struct bm25 *b, size_t number, const char *query, size_t length, size_t limit, uint32_t *numbers,
                size_t *count)
{
    struct lane *lane = &b->lanes[number];

    *count = 0;
    if (limit == 0)
        return 0;
    int rc = search(b, lane, query, length, false, limit, numbers, count);
    if (rc == 0 && *count < limit && strchr(buf_str(&lane->plain), JOINT) != NULL)
        rc = search(b, lane, query, length, true, limit, numbers, count);
    return rc;
}
