#include <string.h>

#include "core/mem.h"
#include "eval/trec_internal.h"

void trec_scratch_release(struct trec_scratch *scratch)
{
    mem_free(scratch->ranked);
    mem_free(scratch->keys);
    mem_free(scratch->spare);
    mem_free(scratch->hits);
    mem_free(scratch->precisions);
    mem_free(scratch->highest);
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

/* Ascending; short runs by insertion, then merged. Returns the array that holds the result. */
static uint64_t *sort_ranks(uint64_t *keys, uint64_t *spare, size_t count)
{
    enum { RUN = 16 };
    for (size_t begin = 0; begin < count; begin += RUN) {
        size_t end = begin + RUN < count ? begin + RUN : count;
        for (size_t i = begin + 1; i < end; i++) {
            uint64_t key = keys[i];
            size_t j = i;
            for (; j > begin && keys[j - 1] > key; j--) {
                keys[j] = keys[j - 1];
            }
            keys[j] = key;
        }
    }
    for (size_t width = RUN; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count;
            size_t end = begin + 2 * width < count ? begin + 2 * width : count;
            if (middle == end || keys[middle - 1] <= keys[middle]) {
                memcpy(spare + begin, keys + begin, (end - begin) * sizeof *keys);
                continue;
            }
            for (size_t i = begin, j = middle, k = begin; k < end; k++) {
                spare[k] = i < middle && (j == end || keys[i] <= keys[j]) ? keys[i++] : keys[j++];
            }
        }
        uint64_t *sorted = spare;
        spare = keys;
        keys = sorted;
    }
    return keys;
}

/* Best score first; equal scores by docno, the greater first, which is the later of entries in order of docno. */
static uint64_t rank_key(float score, size_t index)
{
    uint32_t bits;
    score += 0.0F; /* -0 becomes 0 */
    memcpy(&bits, &score, sizeof bits);
    uint32_t ascending = bits >> 31 ? ~bits : bits | (uint32_t)1 << 31;
    return (uint64_t)(~ascending) << 32 | (UINT32_MAX - (uint32_t)index);
}

/* The entries in rank order with their grades; both sides are in order of docno. */
static void rank_entries(struct trec_scratch *scratch, const struct trec_entry *entries, size_t count,
                         const struct trec_entry *judged, size_t judged_count)
{
    bool sorted = true; /* runs are mostly written best first */
    for (size_t i = 0; i < count; i++) {
        scratch->keys[entries[i].grade] = rank_key(entries[i].score, i);
    }
    for (size_t i = 1; i < count; i++) {
        sorted = sorted && scratch->keys[i - 1] < scratch->keys[i];
    }
    const uint64_t *order = sorted ? scratch->keys : sort_ranks(scratch->keys, scratch->spare, count);
    uint32_t *rank_of = scratch->hits; /* of each entry, until the view is filled */
    for (size_t rank = 0; rank < count; rank++) {
        size_t index = UINT32_MAX - (uint32_t)order[rank];
        scratch->ranked[rank] = entries[index];
        scratch->ranked[rank].grade = TREC_NOT_IN_POOL;
        rank_of[index] = (uint32_t)rank;
    }
    for (size_t i = 0, j = 0; i < count && j < judged_count;) {
        int order_of_docs = trec_compare(judged[j].doc, entries[i].doc);
        if (!order_of_docs) {
            scratch->ranked[rank_of[i]].grade = judged[j].grade < 0 ? TREC_NOT_JUDGED : judged[j].grade;
        }
        j += order_of_docs <= 0;
        i += order_of_docs >= 0;
    }
}

static int grow_scratch(struct trec_scratch *scratch, size_t count)
{
    if (count <= scratch->capacity) {
        return 0;
    }
    size_t capacity = count + count / 2;
    struct {
        void **array;
        size_t size_bytes;
    } const arrays[] = {{(void **)&scratch->ranked, sizeof *scratch->ranked},
                        {(void **)&scratch->keys, sizeof *scratch->keys},
                        {(void **)&scratch->spare, sizeof *scratch->spare},
                        {(void **)&scratch->hits, sizeof *scratch->hits},
                        {(void **)&scratch->precisions, sizeof *scratch->precisions},
                        {(void **)&scratch->highest, sizeof *scratch->highest}};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        void *grown = mem_realloc_array(*arrays[i].array, capacity, arrays[i].size_bytes);
        if (!grown) {
            return RECO_E_NOMEM;
        }
        *arrays[i].array = grown;
    }
    scratch->capacity = capacity;
    return 0;
}

/* What many measures ask for, in one pass. */
static void fill_prefixes(struct trec_scratch *scratch, struct trec_view *view)
{
    uint32_t hits = 0;
    double sum = 0;
    scratch->hits[0] = 0;
    scratch->precisions[0] = 0;
    for (size_t i = 0; i < view->ret; i++) {
        if (trec_is_relevant(view, i)) {
            hits++;
            sum += (double)hits / (double)(i + 1);
            scratch->highest[hits] = (double)hits / (double)(i + 1);
        }
        scratch->hits[i + 1] = hits;
        scratch->precisions[i + 1] = sum;
    }
    for (uint32_t h = hits; h > 1; h--) {
        scratch->highest[h - 1] =
            scratch->highest[h] > scratch->highest[h - 1] ? scratch->highest[h] : scratch->highest[h - 1];
    }
    scratch->highest[0] = hits ? scratch->highest[1] : 0;
    view->rel_ret = hits;
    view->hits = scratch->hits;
    view->precisions = scratch->precisions;
    view->highest = scratch->highest;
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
    int rc = grow_scratch(scratch, count + 1);
    if (!rc) {
        rc = mem_grow((void **)&scratch->at_grade, &scratch->grade_capacity, (size_t)highest + 1,
                      sizeof *scratch->at_grade);
    }
    if (rc) {
        return rc;
    }
    if (count) {
        rank_entries(scratch, topics->run->file.entries + ranked->begin, count, qrels, judged_count);
    }
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
    fill_prefixes(scratch, view);
    return 0;
}

struct trec_view trec_stand_in(const struct trec_view *missing)
{
    static const struct trec_entry unjudged = {.doc = "", .grade = TREC_NOT_IN_POOL};
    static const uint32_t no_hits[2] = {0, 0};
    static const double no_precisions[2] = {0, 0};
    struct trec_view view = *missing;
    view.ranked = &unjudged;
    view.ret = 1;
    view.hits = no_hits;
    view.precisions = no_precisions;
    return view;
}

void trec_missing(const struct trec_qrels *qrels, const struct trec_run *run, size_t *not_in_run, size_t *not_in_qrels)
{
    size_t common = 0;
    for (size_t q = 0, r = 0; q < qrels->file.topic_count && r < run->file.topic_count;) {
        int order = strcmp(run->file.topics[r].id, qrels->file.topics[q].id);
        common += !order;
        q += order >= 0;
        r += order <= 0;
    }
    *not_in_run = qrels->file.topic_count - common;
    *not_in_qrels = run->file.topic_count - common;
}
