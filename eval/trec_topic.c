#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/trec_internal.h"

void trec_cursor_release(struct trec_cursor *cursor)
{
    mem_free(cursor->ranked);
    mem_free(cursor->at_grade);
    *cursor = (struct trec_cursor){0};
}

static const struct trec_topic *find_topic(const struct trec_file *file, const char *id)
{
    size_t low = 0;
    size_t high = file->topic_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(file->topics[middle].id, id);
        if (!order) {
            return &file->topics[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static int compare_ranks(const void *left, const void *right)
{
    const struct trec_entry *a = left;
    const struct trec_entry *b = right;
    if (a->score != b->score) {
        return a->score > b->score ? -1 : 1;
    }
    return strcmp(b->doc, a->doc);
}

/* Gives each ranked entry its grade; both sides are in order of docno. */
static void join(struct trec_entry *ranked, size_t count, const struct trec_entry *judged, size_t judged_count)
{
    size_t j = 0;
    for (size_t i = 0; i < count; i++) {
        int order = -1;
        while (j < judged_count && (order = strcmp(judged[j].doc, ranked[i].doc)) < 0) {
            j++;
        }
        ranked[i].grade = TREC_NOT_IN_POOL;
        if (j < judged_count && !order) {
            ranked[i].grade = judged[j].grade < 0 ? TREC_NOT_JUDGED : judged[j].grade;
        }
    }
}

static int fill_view(struct trec_cursor *cursor, struct trec_view *view, const struct trec_topic *judged,
                     const struct trec_topic *ranked)
{
    const struct trec_options *options = cursor->options;
    const struct trec_entry *qrels = cursor->qrels->file.entries + judged->begin;
    size_t judged_count = judged->end - judged->begin;
    size_t count = ranked ? ranked->end - ranked->begin : 0;
    long highest = 0;
    for (size_t i = 0; i < judged_count; i++) {
        highest = qrels[i].grade > highest ? qrels[i].grade : highest;
    }
    int rc = mem_grow((void **)&cursor->ranked, &cursor->capacity, count + 1, sizeof *cursor->ranked);
    if (!rc) {
        rc = mem_grow((void **)&cursor->at_grade, &cursor->grade_capacity, (size_t)highest + 1,
                      sizeof *cursor->at_grade);
    }
    if (rc) {
        return rc;
    }
    if (count) {
        memcpy(cursor->ranked, cursor->run->file.entries + ranked->begin, count * sizeof *cursor->ranked);
    }
    join(cursor->ranked, count, qrels, judged_count);
    qsort(cursor->ranked, count, sizeof *cursor->ranked, compare_ranks);
    if (options->max_results && count > options->max_results) {
        count = options->max_results;
    }
    if (options->judged_only) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            if (cursor->ranked[i].grade >= 0) {
                cursor->ranked[kept++] = cursor->ranked[i];
            }
        }
        count = kept;
    }
    *view = (struct trec_view){.id = judged->id,
                               .ranked = cursor->ranked,
                               .ret = count,
                               .level = options->relevance_level,
                               .at_grade = cursor->at_grade,
                               .grades = (size_t)highest + 1,
                               .judged = qrels,
                               .judged_count = judged_count,
                               .options = options};
    memset(cursor->at_grade, 0, view->grades * sizeof *cursor->at_grade);
    for (size_t i = 0; i < judged_count; i++) {
        if (qrels[i].grade >= 0) {
            cursor->at_grade[qrels[i].grade]++;
            view->rel += qrels[i].grade >= view->level;
        }
    }
    for (size_t i = 0; i < count; i++) {
        view->rel_ret += cursor->ranked[i].grade >= 0 && cursor->ranked[i].grade >= view->level;
    }
    return 0;
}

int trec_next_topic(struct trec_cursor *cursor, struct trec_view *view, bool *more)
{
    const struct trec_file *walked = cursor->options->complete ? &cursor->qrels->file : &cursor->run->file;
    *more = false;
    while (cursor->next_topic < walked->topic_count) {
        const struct trec_topic *topic = &walked->topics[cursor->next_topic++];
        const struct trec_topic *judged = find_topic(&cursor->qrels->file, topic->id);
        if (judged) {
            *more = true;
            return fill_view(cursor, view, judged, find_topic(&cursor->run->file, topic->id));
        }
    }
    return 0;
}
