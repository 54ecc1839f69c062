#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/trec_internal.h"

void trec_scratch_release(struct trec_scratch *scratch)
{
    mem_free(scratch->ranked);
    mem_free(scratch->at_grade);
    *scratch = (struct trec_scratch){0};
}

void trec_topics_release(struct trec_topics *topics)
{
    mem_free(topics->pairs);
    *topics = (struct trec_topics){0};
}

/* Both files have their topics in order of id. */
int trec_topics_init(struct trec_topics *topics, const struct trec_qrels *qrels, const struct trec_run *run,
                     const struct trec_options *options)
{
    *topics = (struct trec_topics){.qrels = qrels, .run = run, .options = options};
    topics->pairs = mem_alloc((qrels->file.topic_count + 1) * sizeof *topics->pairs);
    if (!topics->pairs) {
        return RECO_E_NOMEM;
    }
    for (size_t q = 0, r = 0; q < qrels->file.topic_count; q++) {
        const struct trec_topic *judged = &qrels->file.topics[q];
        int order = -1;
        while (r < run->file.topic_count && (order = strcmp(run->file.topics[r].id, judged->id)) < 0) {
            r++;
        }
        const struct trec_topic *ranked = r < run->file.topic_count && !order ? &run->file.topics[r] : NULL;
        if (ranked || options->complete) {
            topics->pairs[topics->count++] = (struct trec_pair){judged, ranked};
        }
    }
    if (!topics->count) {
        trec_topics_release(topics);
        return err_set(RECO_E_DATA, "no query is in both the qrels and the run");
    }
    return 0;
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

int trec_topic_view(const struct trec_topics *topics, size_t topic, struct trec_scratch *scratch,
                    struct trec_view *view)
{
    const struct trec_options *options = topics->options;
    const struct trec_topic *judged = topics->pairs[topic].judged;
    const struct trec_topic *ranked = topics->pairs[topic].ranked;
    const struct trec_entry *qrels = topics->qrels->file.entries + judged->begin;
    size_t judged_count = judged->end - judged->begin;
    size_t count = ranked ? ranked->end - ranked->begin : 0;
    long highest = 0;
    for (size_t i = 0; i < judged_count; i++) {
        highest = qrels[i].grade > highest ? qrels[i].grade : highest;
    }
    int rc = mem_grow((void **)&scratch->ranked, &scratch->capacity, count + 1, sizeof *scratch->ranked);
    if (!rc) {
        rc = mem_grow((void **)&scratch->at_grade, &scratch->grade_capacity, (size_t)highest + 1,
                      sizeof *scratch->at_grade);
    }
    if (rc) {
        return rc;
    }
    if (count) {
        memcpy(scratch->ranked, topics->run->file.entries + ranked->begin, count * sizeof *scratch->ranked);
    }
    join(scratch->ranked, count, qrels, judged_count);
    qsort(scratch->ranked, count, sizeof *scratch->ranked, compare_ranks);
    if (options->max_results && count > options->max_results) {
        count = options->max_results;
    }
    if (options->judged_only) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            if (scratch->ranked[i].grade >= 0) {
                scratch->ranked[kept++] = scratch->ranked[i];
            }
        }
        count = kept;
    }
    *view = (struct trec_view){.id = judged->id,
                               .ranked = scratch->ranked,
                               .ret = count,
                               .level = options->relevance_level,
                               .at_grade = scratch->at_grade,
                               .grades = (size_t)highest + 1,
                               .judged = qrels,
                               .judged_count = judged_count,
                               .options = options};
    memset(scratch->at_grade, 0, view->grades * sizeof *scratch->at_grade);
    for (size_t i = 0; i < judged_count; i++) {
        if (qrels[i].grade >= 0) {
            scratch->at_grade[qrels[i].grade]++;
            view->rel += qrels[i].grade >= view->level;
        }
    }
    for (size_t i = 0; i < count; i++) {
        view->rel_ret += scratch->ranked[i].grade >= 0 && scratch->ranked[i].grade >= view->level;
    }
    return 0;
}
