#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/pool.h"
#include "core/stop.h"
#include "data/decimal.h"
#include "data/lines.h"
#include "eval/trec_internal.h"

#define FIELDS_MAX 6
#define STOP_CHECK_LINES 4096
#define RELEVANCE_MAX 1000 /* 2^g - 1 must stay finite */
#define SHARE_MIN 100000   /* fewer entries are sorted by one thread */

struct reading {
    struct trec_file *file;
    const char *path;
    struct line_reader *lines;
    struct text_index index;
    const char **ids;   /* [topic_count] in order of first sight */
    uint32_t *topic_of; /* [entry_count] */
    size_t entry_capacity, topic_of_capacity, id_capacity, id_count;
    uint32_t last; /* topic of the line before */
    bool mixed;    /* lines of another run tag were told */
};

static int fail(const struct reading *r, const char *what, const char *text)
{
    return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s '%.200s'", r->path,
                   (unsigned long long)line_reader_number(r->lines), what, text);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t split(char *line, char **fields)
{
    size_t count = 0;
    char *at = line;
    while (is_blank(*at)) {
        at++;
    }
    while (*at && count < FIELDS_MAX) {
        fields[count++] = at;
        while (*at && !is_blank(*at)) {
            at++;
        }
        if (*at) {
            *at++ = '\0';
            while (is_blank(*at)) {
                at++;
            }
        }
    }
    return count;
}

static int find_topic(struct reading *r, const char *id, uint32_t *topic)
{
    if (r->id_count && !strcmp(r->ids[r->last], id)) {
        *topic = r->last;
        return 0;
    }
    int rc = text_index_enter(&r->index, r->ids, (uint32_t)r->id_count, id, strlen(id), topic);
    if (!rc && *topic == TEXT_INDEX_NONE) {
        *topic = (uint32_t)r->id_count;
        rc = mem_grow((void **)&r->ids, &r->id_capacity, r->id_count + 1, sizeof *r->ids);
        if (!rc) {
            r->ids[*topic] = text_store_add(&r->file->texts, id, strlen(id));
            rc = r->ids[*topic] ? 0 : RECO_E_NOMEM;
        }
        r->id_count += !rc;
    }
    r->last = rc ? 0 : *topic;
    return rc;
}

static int add_entry(struct reading *r, char *const *fields, const struct trec_entry *entry)
{
    struct trec_file *file = r->file;
    uint32_t topic;
    int rc = find_topic(r, fields[0], &topic);
    if (!rc) {
        rc = mem_grow((void **)&file->entries, &r->entry_capacity, file->entry_count + 1, sizeof *file->entries);
    }
    if (!rc) {
        rc = mem_grow((void **)&r->topic_of, &r->topic_of_capacity, file->entry_count + 1, sizeof *r->topic_of);
    }
    if (rc) {
        return rc;
    }
    struct trec_entry *to = &file->entries[file->entry_count];
    *to = *entry;
    to->doc = text_store_add(&file->texts, fields[2], strlen(fields[2]));
    r->topic_of[file->entry_count] = topic;
    file->entry_count += to->doc != NULL;
    return to->doc ? 0 : RECO_E_NOMEM;
}

static int read_lines(struct reading *r, bool is_run)
{
    char *line;
    size_t length;
    int rc;
    while (!(rc = line_reader_next(r->lines, &line, &length)) && line) {
        char *fields[FIELDS_MAX] = {NULL};
        struct trec_entry entry = {0};
        double number;
        if (r->file->entry_count % STOP_CHECK_LINES == 0 && stop_requested()) {
            return err_set(RECO_E_STOPPED, "stopped while reading '%s'", r->path);
        }
        if (line[0] == '#') {
            continue;
        }
        size_t count = split(line, fields);
        if (!count || fields[0][0] == '#') {
            continue;
        }
        if (count < (is_run ? 6 : 4)) {
            return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %zu fields, want '%s'", r->path,
                           (unsigned long long)line_reader_number(r->lines), count,
                           is_run ? "qid Q0 docno rank score tag" : "qid iter docno relevance");
        }
        const char *text = fields[is_run ? 4 : 3];
        if (!decimal_parse(text, strlen(text), &number) || number != number) {
            return fail(r, is_run ? "not a score:" : "not a relevance:", text);
        }
        if (!is_run && !(fabs(number) <= RELEVANCE_MAX && floor(number) == number)) {
            return fail(r, "not a whole relevance up to 1000:", text);
        }
        entry.score = (float)number;
        entry.grade = is_run ? 0 : (long)number;
        rc = add_entry(r, fields, &entry);
        if (!rc && is_run && (!r->file->tag || strcmp(r->file->tag, fields[5]) != 0)) {
            if (r->file->tag && !r->mixed) {
                r->mixed = true;
                log_warn("'%s' line %llu: the run's tag is '%s' and was '%s': are several runs in one file?", r->path,
                         (unsigned long long)line_reader_number(r->lines), fields[5], r->file->tag);
            }
            mem_free(r->file->tag);
            r->file->tag = mem_strdup(fields[5]);
            rc = r->file->tag ? 0 : RECO_E_NOMEM;
        }
        if (rc) {
            return rc;
        }
    }
    return rc;
}

static int compare_topics(const void *left, const void *right)
{
    return strcmp(((const struct trec_topic *)left)->id, ((const struct trec_topic *)right)->id);
}

/* ---- the entries of a topic by docno ---- */

struct doc_order {
    uint64_t prefix; /* the first bytes behind what all have in common, as a number */
    uint32_t index;
};

static bool stands_before(const struct trec_entry *entries, const struct doc_order *a, const struct doc_order *b)
{
    return a->prefix != b->prefix ? a->prefix < b->prefix : strcmp(entries[a->index].doc, entries[b->index].doc) < 0;
}

static struct doc_order *sort_order(const struct trec_entry *entries, struct doc_order *order, struct doc_order *spare,
                                    size_t count)
{
    enum { RUN = 12 };
    for (size_t begin = 0; begin < count; begin += RUN) {
        size_t end = begin + RUN < count ? begin + RUN : count;
        for (size_t i = begin + 1; i < end; i++) {
            struct doc_order one = order[i];
            size_t j = i;
            for (; j > begin && stands_before(entries, &one, &order[j - 1]); j--) {
                order[j] = order[j - 1];
            }
            order[j] = one;
        }
    }
    for (size_t width = RUN; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count;
            size_t end = begin + 2 * width < count ? begin + 2 * width : count;
            for (size_t i = begin, j = middle, k = begin; k < end; k++) {
                bool second = i == middle || (j < end && stands_before(entries, &order[j], &order[i]));
                spare[k] = second ? order[j++] : order[i++];
            }
        }
        struct doc_order *sorted = spare;
        spare = order;
        order = sorted;
    }
    return order;
}

static size_t common_prefix(const struct trec_entry *entries, size_t count)
{
    size_t common = strlen(entries[0].doc);
    for (size_t i = 1; i < count; i++) {
        size_t same = 0;
        while (same < common && entries[i].doc[same] == entries[0].doc[same]) {
            same++;
        }
        common = same;
    }
    return common;
}

static uint64_t prefix_of(const char *text)
{
    uint64_t prefix = 0;
    for (int i = 0; i < 8; i++) {
        prefix = prefix << 8 | (unsigned char)*text;
        text += *text != '\0';
    }
    return prefix;
}

static int sort_docs(struct trec_entry *entries, size_t count)
{
    bool sorted = true;
    for (size_t i = 1; sorted && i < count; i++) {
        sorted = strcmp(entries[i - 1].doc, entries[i].doc) < 0;
    }
    if (sorted) {
        return 0;
    }
    struct doc_order *order = mem_alloc(2 * count * sizeof *order);
    struct trec_entry *copy = mem_alloc(count * sizeof *copy);
    if (order && copy) {
        size_t common = common_prefix(entries, count);
        memcpy(copy, entries, count * sizeof *copy);
        for (size_t i = 0; i < count; i++) {
            order[i] = (struct doc_order){prefix_of(copy[i].doc + common), (uint32_t)i};
        }
        const struct doc_order *result = sort_order(copy, order, order + count, count);
        for (size_t i = 0; i < count; i++) {
            entries[i] = copy[result[i].index];
        }
    }
    int rc = order && copy ? 0 : RECO_E_NOMEM;
    mem_free(order);
    mem_free(copy);
    return rc;
}

static int sort_topic(void *arg, size_t number)
{
    const struct reading *r = arg;
    const struct trec_topic *topic = &r->file->topics[number];
    struct trec_entry *entries = r->file->entries + topic->begin;
    size_t count = topic->end - topic->begin;
    int rc = sort_docs(entries, count);
    for (size_t i = 1; !rc && i < count; i++) {
        if (!strcmp(entries[i - 1].doc, entries[i].doc)) {
            return err_set(RECO_E_DATA, "cannot read '%s': query '%s' has document '%s' twice", r->path, topic->id,
                           entries[i].doc);
        }
    }
    return rc;
}

/* Brings the entries of each topic together, topics in order of id, entries in order of docno. */
static int group(struct reading *r, bool is_run)
{
    struct trec_file *file = r->file;
    struct trec_entry *grouped = mem_alloc((file->entry_count + 1) * sizeof *grouped);
    file->topics = mem_calloc(r->id_count + 1, sizeof *file->topics);
    file->topic_count = r->id_count;
    if (!grouped || !file->topics) {
        mem_free(grouped);
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < file->entry_count; i++) {
        file->topics[r->topic_of[i]].end++;
    }
    size_t begin = 0;
    for (size_t t = 0; t < file->topic_count; t++) {
        struct trec_topic *topic = &file->topics[t];
        topic->id = r->ids[t];
        topic->begin = begin;
        begin += topic->end;
        topic->end = topic->begin;
    }
    for (size_t i = 0; i < file->entry_count; i++) {
        grouped[file->topics[r->topic_of[i]].end++] = file->entries[i];
    }
    mem_free(file->entries);
    file->entries = grouped;
    for (size_t t = 0; is_run && t < file->topic_count; t++) {
        for (size_t i = file->topics[t].begin; i < file->topics[t].end; i++) {
            file->entries[i].grade = (long)(i - file->topics[t].begin);
        }
    }
    qsort(file->topics, file->topic_count, sizeof *file->topics, compare_topics);
    struct pool *pool = NULL;
    int rc = pool_new(&pool, file->entry_count < SHARE_MIN ? 1 : cpu_count());
    if (!rc) {
        rc = pool_run(pool, file->topic_count, sort_topic, r);
    }
    pool_free(pool);
    return rc;
}

static int file_read(struct trec_file *file, const char *path, bool is_run)
{
    struct reading r = {.file = file, .path = path};
    int rc = line_reader_open(&r.lines, path);
    if (!rc) {
        rc = read_lines(&r, is_run);
    }
    if (!rc && !file->entry_count) {
        rc = err_set(RECO_E_DATA, "cannot read '%s': it has no entries", path);
    }
    if (!rc) {
        rc = group(&r, is_run);
    }
    line_reader_close(r.lines);
    text_index_release(&r.index);
    mem_free(r.ids);
    mem_free(r.topic_of);
    return rc;
}

static void file_release(struct trec_file *file)
{
    text_store_release(&file->texts);
    mem_free(file->entries);
    mem_free(file->topics);
    mem_free(file->tag);
}

int trec_qrels_read(struct trec_qrels **out, const char *path)
{
    *out = NULL;
    struct trec_qrels *qrels = mem_calloc(1, sizeof *qrels);
    int rc = qrels ? file_read(&qrels->file, path, false) : RECO_E_NOMEM;
    if (rc) {
        trec_qrels_free(qrels);
        return rc;
    }
    *out = qrels;
    return 0;
}

int trec_run_read(struct trec_run **out, const char *path)
{
    *out = NULL;
    struct trec_run *run = mem_calloc(1, sizeof *run);
    int rc = run ? file_read(&run->file, path, true) : RECO_E_NOMEM;
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
