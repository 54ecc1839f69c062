#include "data/predictions_feed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "data/input.h"
#include "data/table.h"

#define BLOCK_BYTES ((size_t)1 << 19)
#define LINE_BYTES_MAX ((size_t)1 << 30)

/* One of three: a file descriptor, an input that is unpacked or decoded or a pipe, and a table. */
struct predictions_feed {
    const char *path;
    bool is_stream;
    int fd; /* -1: none */
    struct input *input;
    struct table_reader *table;
    struct block first; /* holds the header line */
    struct buf header;  /* of a table */
    char *rest;         /* [rest_length] begin of the next block's first line */
    size_t rest_length, rest_capacity;
    uint64_t lines; /* given out so far */
    bool at_end;
};

/* ---- opening ---- */

/* Tab-separated with no field in quotes, by the first line? */
static bool is_own_form(const char *text, size_t length)
{
    const char *newline = memchr(text, '\n', length);
    length = newline ? (size_t)(newline - text) : length;
    if (!length) {
        return true;
    }
    bool quoted = *text == '"';
    for (size_t i = 0; !quoted && i + 1 < length; i++) {
        quoted = text[i] == '\t' && text[i + 1] == '"';
    }
    return !quoted && *text != '{' && memchr(text, '\t', length);
}

static int open_input(struct predictions_feed *feed, const struct predictions_source *source)
{
    const struct table_options none = {0};
    const struct table_options *table = source && source->table ? source->table : &none;
    const struct input_options how = {.encoding = (enum input_encoding)table->encoding,
                                      .repair = table->repair_encoding};
    const char *text = NULL;
    size_t length = 0;
    bool is_table = source && source->is_table;
    int rc = input_open(&feed->input, feed->path, is_table ? &how : NULL);
    if (!rc && !is_table) {
        rc = input_peek(feed->input, &text, &length);
        is_table = !rc && !is_own_form(text, length);
    }
    if (!rc && is_table) {
        struct input *input = feed->input;
        feed->input = NULL;
        return table_reader_open_input(&feed->table, input, feed->path, table);
    }
    if (!rc && !feed->is_stream) {
        struct input_facts facts;
        input_facts(feed->input, &facts);
        if (!strcmp(facts.compression, "none") && !strcmp(facts.encoding, "utf-8")) {
            input_close(feed->input);
            feed->input = NULL;
            feed->fd = open(feed->path, O_RDONLY | O_CLOEXEC);
            rc = feed->fd < 0 ? err_set_errno("cannot read '%s'", feed->path) : 0;
        }
    }
    return rc;
}

int predictions_feed_open(struct predictions_feed **out, const char *path, const struct predictions_source *source)
{
    struct stat about = {0};
    *out = NULL;
    if (strcmp(path, "-") != 0 ? stat(path, &about) : fstat(STDIN_FILENO, &about)) {
        return err_set_errno("cannot read '%s'", path);
    }
    if (S_ISDIR(about.st_mode)) {
        return err_set(RECO_E_IO, "cannot read '%s': it is a directory", path);
    }
    struct predictions_feed *feed = mem_calloc(1, sizeof *feed);
    if (!feed) {
        return RECO_E_NOMEM;
    }
    feed->path = path;
    feed->fd = -1;
    feed->is_stream = !S_ISREG(about.st_mode) || !strcmp(path, "-");
    int rc = open_input(feed, source);
    if (rc) {
        predictions_feed_close(feed);
        return rc;
    }
    *out = feed;
    return 0;
}

void predictions_feed_close(struct predictions_feed *feed)
{
    if (!feed) {
        return;
    }
    if (feed->fd >= 0) {
        close(feed->fd);
    }
    input_close(feed->input);
    table_reader_close(feed->table);
    mem_free(feed->first.text);
    buf_release(&feed->header);
    mem_free(feed->rest);
    mem_free(feed);
}

bool predictions_feed_is_stream(const struct predictions_feed *feed)
{
    return feed->is_stream;
}

/* ---- lines that stand in the file ---- */

static int read_some(struct predictions_feed *feed, char *to, size_t capacity, size_t *got)
{
    if (feed->input) {
        return input_read(feed->input, to, capacity, got);
    }
    ssize_t count;
    do {
        count = read(feed->fd, to, capacity);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return err_set_errno("cannot read '%s'", feed->path);
    }
    *got = (size_t)count;
    return 0;
}

/* Reads until the block is full or the file ends. */
static int fill(struct predictions_feed *feed, struct block *block)
{
    int rc = 0;
    while (!rc && !feed->at_end && block->length < block->text_capacity) {
        size_t got = 0;
        rc = read_some(feed, block->text + block->length, block->text_capacity - block->length, &got);
        feed->at_end = !rc && got == 0;
        block->length += got;
    }
    return rc;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t count = 0;
    const char *end = text + length;
    for (const char *at = text; (at = memchr(at, '\n', (size_t)(end - at))); at++) {
        count++;
    }
    return count + (length && text[length - 1] != '\n');
}

static int grow_text(struct block *block, size_t capacity)
{
    if (block->text_capacity < capacity) {
        char *text = mem_realloc(block->text, capacity + 1);
        if (!text) {
            return RECO_E_NOMEM;
        }
        block->text = text;
        block->text_capacity = capacity;
    }
    return 0;
}

static int next_lines(struct predictions_feed *feed, struct block *block)
{
    size_t capacity = feed->rest_length + BLOCK_BYTES;
    for (;;) {
        int rc = grow_text(block, capacity);
        if (rc) {
            return rc;
        }
        if (!block->length && feed->rest_length) {
            memcpy(block->text, feed->rest, feed->rest_length);
            block->length = feed->rest_length;
            feed->rest_length = 0;
        }
        rc = fill(feed, block);
        if (rc) {
            return rc;
        }
        char *newline = feed->at_end ? NULL : memrchr(block->text, '\n', block->length);
        if (newline) {
            size_t whole = (size_t)(newline + 1 - block->text);
            feed->rest_length = block->length - whole;
            rc = mem_grow((void **)&feed->rest, &feed->rest_capacity, feed->rest_length + 1, 1);
            if (rc) {
                return rc;
            }
            memcpy(feed->rest, block->text + whole, feed->rest_length);
            block->length = whole;
        }
        if (newline || feed->at_end) {
            block->text[block->length] = '\0';
            block->first_line = feed->lines + 1;
            feed->lines += count_lines(block->text, block->length);
            return 0;
        }
        if (capacity > LINE_BYTES_MAX) {
            return err_set(RECO_E_DATA, "cannot read '%s': line %llu is over 1 GiB", feed->path,
                           (unsigned long long)feed->lines + 1);
        }
        capacity *= 2;
    }
}

/* Cuts the first line off the text that feeds. */
static int header_of_lines(struct predictions_feed *feed, char **line, size_t *length)
{
    struct block *first = &feed->first;
    int rc = next_lines(feed, first);
    if (rc) {
        return rc;
    }
    char *newline = memchr(first->text, '\n', first->length);
    *line = first->text;
    *length = newline ? (size_t)(newline - first->text) : first->length;
    size_t whole = newline ? *length + 1 : *length;
    /* what follows goes back in front of what is left */
    size_t behind = first->length - whole;
    rc = mem_grow((void **)&feed->rest, &feed->rest_capacity, feed->rest_length + behind + 1, 1);
    if (rc) {
        return rc;
    }
    memmove(feed->rest + behind, feed->rest, feed->rest_length);
    memcpy(feed->rest, first->text + whole, behind);
    feed->rest_length += behind;
    feed->lines = 1;
    if (*length && (*line)[*length - 1] == '\r') {
        --*length;
    }
    if (memchr(*line, '\0', *length)) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line 1: it holds a NUL byte", feed->path);
    }
    (*line)[*length] = '\0';
    if (*length >= 3 && !memcmp(*line, "\xef\xbb\xbf", 3)) {
        *line += 3;
        *length -= 3;
    }
    return *length ? 0
                   : err_set(RECO_E_DATA, "cannot read '%s': it is empty; the first line must name the columns",
                             feed->path);
}

/* ---- records of a table ---- */

static int header_of_table(struct predictions_feed *feed, char **line, size_t *length)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < table_reader_columns(feed->table); i++) {
        const char *name = table_reader_column_name(feed->table, i);
        rc = i ? buf_add_char(&feed->header, '\t') : 0;
        rc = rc ? rc : predictions_escape(&feed->header, name, strlen(name));
    }
    rc = rc ? rc : buf_add(&feed->header, "", 1);
    if (!rc) {
        *line = feed->header.data;
        *length = feed->header.length - 1;
    }
    return rc;
}

static int check_record(const struct predictions_feed *feed, const struct csv_record *record)
{
    unsigned long long line = record->line;
    if (record->bad) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s", feed->path, line, record->bad);
    }
    for (size_t i = 0; i < record->count; i++) {
        if (strcmp(record->fields[i].text, table_reader_column_name(feed->table, i)) != 0) {
            return 0;
        }
    }
    return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: a second header; were several files put together?",
                   feed->path, line);
}

static int add_record(struct block *block, const struct csv_record *record)
{
    struct buf b = {.data = block->text, .length = block->length, .capacity = block->text_capacity};
    int rc = mem_grow((void **)&block->row_line, &block->row_line_capacity, block->row_line_count + 1,
                      sizeof *block->row_line);
    for (size_t i = 0; !rc && i < record->count; i++) {
        rc = i ? buf_add_char(&b, '\t') : 0;
        rc = rc ? rc : predictions_escape(&b, record->fields[i].text, record->fields[i].length);
    }
    rc = rc ? rc : buf_add_char(&b, '\n');
    block->text = b.data;
    block->text_capacity = b.capacity;
    if (!rc) {
        block->length = b.length;
        block->row_line[block->row_line_count++] = record->line;
    }
    return rc;
}

/* What is odd about the characters of the whole table. */
static int warn_of_characters(const struct predictions_feed *feed)
{
    struct table_facts facts;
    struct buf b = {0};
    table_reader_facts(feed->table, &facts);
    int rc = table_facts_warning(&facts, &b);
    if (!rc && b.length) {
        log_warn("'%s': %s", feed->path, buf_str(&b));
    }
    buf_release(&b);
    return rc;
}

static int next_records(struct predictions_feed *feed, struct block *block)
{
    int rc = 0;
    block->row_line_count = 0;
    while (!rc && !feed->at_end && block->length < BLOCK_BYTES) {
        const struct csv_record *record;
        rc = table_reader_next(feed->table, &record);
        if (!rc && !record) {
            feed->at_end = true;
            return warn_of_characters(feed);
        }
        rc = rc ? rc : check_record(feed, record);
        rc = rc ? rc : add_record(block, record);
    }
    return rc;
}

/* ---- either ---- */

int predictions_feed_header(struct predictions_feed *feed, char **line, size_t *length)
{
    return feed->table ? header_of_table(feed, line, length) : header_of_lines(feed, line, length);
}

int predictions_feed_next(struct predictions_feed *feed, struct block *block)
{
    block->length = 0;
    block->rows = 0;
    return feed->table ? next_records(feed, block) : next_lines(feed, block);
}
