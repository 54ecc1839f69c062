#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/pool.h"
#include "data/input.h"
#include "data/text_index.h"
#include "eval/trec_internal.h"

#define READ_BYTES ((size_t)1 << 20)
#define PART_BYTES_MIN ((size_t)1 << 18)
#define PART_BYTES_MAX ((size_t)1 << 26)
#define PARTS_A_THREAD 4

struct reading {
    struct trec_file *file;
    struct trec_source source;
    struct pool *pool;
    size_t threads;          /* at least 1 */
    struct trec_part *parts; /* [part_count] in the order of the text */
    size_t part_count;
    struct text_index index;
    const char **ids; /* [id_count] topics in order of first sight */
    size_t id_capacity, id_count;
};

/* ---- the text, in parts ---- */

static int read_text(struct buf *text, struct input *in)
{
    uint64_t total = input_total_bytes(in);
    size_t got = 1;
    int rc = buf_reserve(text, total < SIZE_MAX / 2 ? (size_t)total + READ_BYTES : READ_BYTES);
    while (!rc && got) {
        rc = text->capacity - text->length < READ_BYTES / 2 ? buf_reserve(text, text->length + READ_BYTES) : 0;
        if (!rc) {
            rc = input_read(in, text->data + text->length, text->capacity - text->length - 1, &got);
        }
        text->length += rc ? 0 : got;
    }
    rc = rc ? rc : buf_reserve(text, TREC_TEXT_SLACK);
    if (!rc) {
        memset(text->data + text->length, 0, TREC_TEXT_SLACK);
    }
    return rc;
}

/* Number of the line that holds a byte of the text. */
static unsigned long long line_of(const struct buf *text, const char *at)
{
    unsigned long long line = 1;
    for (const char *from = text->data; (from = memchr(from, '\n', (size_t)(at - from))); from++) {
        line++;
    }
    return line;
}

static int cut_parts(struct reading *r)
{
    const struct buf *text = &r->file->text;
    size_t part_bytes = text->length / (r->threads * PARTS_A_THREAD);
    part_bytes = part_bytes < PART_BYTES_MIN ? PART_BYTES_MIN : part_bytes;
    part_bytes = part_bytes > PART_BYTES_MAX ? PART_BYTES_MAX : part_bytes;
    r->parts = mem_calloc(text->length / part_bytes + 1, sizeof *r->parts);
    if (!r->parts) {
        return RECO_E_NOMEM;
    }
    char *end = text->data + text->length;
    for (char *at = text->data; at < end;) {
        struct trec_part *part = &r->parts[r->part_count++];
        char *newline =
            (size_t)(end - at) > part_bytes ? memchr(at + part_bytes, '\n', (size_t)(end - at) - part_bytes) : NULL;
        part->begin = at;
        part->end = at = newline ? newline + 1 : end;
    }
    return 0;
}

static int parse_part(void *arg, size_t number)
{
    const struct reading *r = arg;
    return trec_part_parse(&r->source, &r->parts[number]);
}

static int parse_parts(struct reading *r)
{
    int rc = pool_run(r->pool, r->part_count, parse_part, r);
    for (size_t i = 0; rc == RECO_E_DATA && i < r->part_count; i++) {
        const char *bad_at = r->parts[i].bad_at;
        if (bad_at) { /* the first, as is the message */
            return err_prepend(rc, "cannot parse %s line %llu", r->source.label, line_of(&r->file->text, bad_at));
        }
    }
    return rc;
}

/* The tag of the last line is the run's; another one before is told, with the first line that has it. */
static int take_tag(struct reading *r)
{
    const struct trec_tag *last = NULL;
    bool told = false;
    for (size_t i = 0; i < r->part_count; i++) {
        const struct trec_part *part = &r->parts[i];
        const struct trec_tag *before = last;
        const struct trec_tag *other = &part->first_tag;
        if (!other->text) {
            continue;
        }
        if (!before || (before->length == other->length && !memcmp(before->text, other->text, other->length))) {
            before = &part->tag_before_other;
            other = &part->other_tag;
        }
        if (!told && other->text) {
            told = true;
            log_warn("%s line %llu: the run's tag is '%.*s' and was '%.*s': are several runs in one file?",
                     r->source.label, line_of(&r->file->text, other->text), (int)other->length, other->text,
                     (int)before->length, before->text);
        }
        last = &part->last_tag;
    }
    r->file->tag = last ? mem_strndup(last->text, last->length) : NULL;
    return last && !r->file->tag ? RECO_E_NOMEM : 0;
}

/* ---- topics ---- */

static size_t stretch_length(const struct trec_part *part, size_t stretch)
{
    size_t end = stretch + 1 < part->stretch_count ? part->stretches[stretch + 1].begin : part->entry_count;
    return end - part->stretches[stretch].begin;
}

static int find_topic(struct reading *r, struct trec_stretch *stretch)
{
    int rc = text_index_enter(&r->index, r->ids, (uint32_t)r->id_count, stretch->topic, strlen(stretch->topic),
                              &stretch->number);
    if (!rc && stretch->number == TEXT_INDEX_NONE) {
        stretch->number = (uint32_t)r->id_count;
        rc = mem_grow((void **)&r->ids, &r->id_capacity, r->id_count + 1, sizeof *r->ids);
        if (!rc) {
            r->ids[r->id_count++] = stretch->topic;
        }
    }
    return rc;
}

/* Topics in order of first sight, and where the entries of every stretch go. */
static int place_topics(struct reading *r)
{
    struct trec_file *file = r->file;
    int rc = 0;
    for (size_t p = 0; p < r->part_count; p++) {
        for (size_t s = 0; !rc && s < r->parts[p].stretch_count; s++) {
            rc = find_topic(r, &r->parts[p].stretches[s]);
        }
        file->entry_count += r->parts[p].entry_count;
    }
    if (!rc && !file->entry_count) {
        rc = err_set(RECO_E_DATA, "cannot read %s: it has no entries", r->source.label);
    }
    if (rc) {
        return rc;
    }
    file->topic_count = r->id_count;
    file->topics = mem_calloc(file->topic_count, sizeof *file->topics);
    file->entries = mem_alloc(file->entry_count * sizeof *file->entries);
    if (!file->topics || !file->entries) {
        return RECO_E_NOMEM;
    }
    for (size_t p = 0; p < r->part_count; p++) {
        for (size_t s = 0; s < r->parts[p].stretch_count; s++) {
            file->topics[r->parts[p].stretches[s].number].end += stretch_length(&r->parts[p], s);
        }
    }
    for (size_t t = 0, begin = 0; t < file->topic_count; t++) {
        struct trec_topic *topic = &file->topics[t];
        size_t count = topic->end;
        *topic = (struct trec_topic){r->ids[t], begin, begin};
        begin += count;
    }
    for (size_t p = 0; p < r->part_count; p++) {
        for (size_t s = 0; s < r->parts[p].stretch_count; s++) {
            struct trec_stretch *stretch = &r->parts[p].stretches[s];
            struct trec_topic *topic = &file->topics[stretch->number];
            stretch->to = topic->end;
            topic->end += stretch_length(&r->parts[p], s);
        }
    }
    return 0;
}

static int move_part(void *arg, size_t number)
{
    const struct reading *r = arg;
    const struct trec_part *part = &r->parts[number];
    for (size_t s = 0; s < part->stretch_count; s++) {
        const struct trec_stretch *stretch = &part->stretches[s];
        struct trec_entry *to = r->file->entries + stretch->to;
        size_t count = stretch_length(part, s);
        size_t place = stretch->to - r->file->topics[stretch->number].begin;
        memcpy(to, part->entries + stretch->begin, count * sizeof *to);
        for (size_t i = 0; r->source.is_run && i < count; i++) {
            to[i].grade = (int32_t)(place + i);
        }
    }
    return 0;
}

static int sort_topic(void *arg, size_t number)
{
    const struct reading *r = arg;
    const struct trec_topic *topic = &r->file->topics[number];
    const char *twice[2];
    int rc = trec_sort_docs(r->file->entries + topic->begin, topic->end - topic->begin, twice);
    if (!rc && twice[0]) {
        unsigned long long a = line_of(&r->file->text, twice[0]);
        unsigned long long b = line_of(&r->file->text, twice[1]);
        return err_set(RECO_E_DATA, "cannot parse %s line %llu: query '%s' has document '%s' twice, first on line %llu",
                       r->source.label, a > b ? a : b, topic->id, twice[0], a < b ? a : b);
    }
    return rc;
}

static int compare_topics(const void *left, const void *right)
{
    return strcmp(((const struct trec_topic *)left)->id, ((const struct trec_topic *)right)->id);
}

/* ---- the file ---- */

static int read_entries(struct reading *r)
{
    int rc = cut_parts(r);
    if (!rc) {
        size_t threads = r->part_count < r->threads ? r->part_count : r->threads;
        rc = pool_new(&r->pool, threads ? (int)threads : 1);
    }
    if (!rc) {
        rc = parse_parts(r);
    }
    if (!rc) {
        rc = take_tag(r);
    }
    if (!rc) {
        rc = place_topics(r);
    }
    if (!rc) {
        rc = pool_run(r->pool, r->part_count, move_part, r);
    }
    if (!rc) {
        qsort(r->file->topics, r->file->topic_count, sizeof *r->file->topics, compare_topics);
        rc = pool_run(r->pool, r->file->topic_count, sort_topic, r);
    }
    pool_free(r->pool);
    for (size_t p = 0; p < r->part_count; p++) {
        trec_part_release(&r->parts[p]);
    }
    mem_free(r->parts);
    text_index_release(&r->index);
    mem_free(r->ids);
    return rc;
}

static int file_read(struct trec_file *file, const char *path, bool is_run, int threads)
{
    static const struct input_options as_it_is = {.encoding = INPUT_ENCODING_UTF8};
    struct input *in = NULL;
    int rc = input_open(&in, path, &as_it_is);
    if (!rc) {
        rc = read_text(&file->text, in);
    }
    if (!rc) {
        struct reading r = {
            .file = file, .source = {input_label(in), is_run}, .threads = threads > 1 ? (size_t)threads : 1};
        rc = read_entries(&r);
    }
    input_close(in);
    return rc;
}

static void file_release(struct trec_file *file)
{
    buf_release(&file->text);
    mem_free(file->entries);
    mem_free(file->topics);
    mem_free(file->tag);
}

int trec_qrels_read(struct trec_qrels **out, const char *path, int threads)
{
    *out = NULL;
    struct trec_qrels *qrels = mem_calloc(1, sizeof *qrels);
    int rc = qrels ? file_read(&qrels->file, path, false, threads) : RECO_E_NOMEM;
    if (rc) {
        trec_qrels_free(qrels);
        return rc;
    }
    *out = qrels;
    return 0;
}

int trec_run_read(struct trec_run **out, const char *path, int threads)
{
    *out = NULL;
    struct trec_run *run = mem_calloc(1, sizeof *run);
    int rc = run ? file_read(&run->file, path, true, threads) : RECO_E_NOMEM;
    if (rc) {
        trec_run_free(run);
        return rc;
    }
    *out = run;
    return 0;
}

void trec_qrels_free(struct trec_qrels *qrels)
{
    if (qrels) {
        file_release(&qrels->file);
        mem_free(qrels);
    }
}

void trec_run_free(struct trec_run *run)
{
    if (run) {
        file_release(&run->file);
        mem_free(run);
    }
}
