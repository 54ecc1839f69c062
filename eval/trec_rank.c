/* reco's own metrics over TREC files. */

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "eval/interval.h"
#include "eval/rank.h"
#include "eval/trec_internal.h"

struct topics {
    const struct trec_topics *list;
    const struct eval_report *report;
};

static int load(const void *arg, struct rank_work *work, size_t query)
{
    const struct topics *topics = arg;
    struct trec_scratch scratch = {0};
    struct trec_view view;
    double level = topics->report->ranking.relevance_level;
    int rc = trec_topic_view(topics->list, query, &scratch, &view);
    if (!rc) {
        rc = rank_reserve(work, view.ret, view.judged_count, 0);
    }
    work->id = rc ? "" : view.id;
    for (size_t i = 0; !rc && i < view.judged_count; i++) {
        double grade = (double)view.judged[i].grade;
        if (grade >= 0) {
            work->ideal[work->ideal_count++] = exp2(grade) - 1;
            work->relevant += grade >= level;
            work->irrelevant += grade < level;
        }
    }
    for (size_t i = 0; !rc && i < view.ret; i++) {
        const struct trec_entry *entry = &view.ranked[i];
        struct rank_item *item = &work->items[work->item_count++];
        *item = (struct rank_item){
            .score = (double)entry->score, .id = entry->doc, .grade = NAN, .order = (uint64_t)(uintptr_t)entry->doc};
        if (entry->grade >= 0) {
            item->grade = (double)entry->grade;
            item->gain = exp2(item->grade) - 1;
        } else if (entry->grade == TREC_NOT_JUDGED) {
            item->grade = -INFINITY;
        }
    }
    trec_scratch_release(&scratch);
    return rc;
}

static double highest_grade(const struct trec_file *qrels)
{
    double highest = 0;
    for (size_t i = 0; i < qrels->entry_count; i++) {
        highest = fmax(highest, (double)qrels->entries[i].grade);
    }
    return highest;
}

static int run(struct eval_report *report, const struct trec_topics *list, const struct eval_options *options,
               struct pool *pool)
{
    const struct topics topics = {list, report};
    struct rank_source source = {.query_count = list->count,
                                 .lowest_grade = 0, /* what is not judged has grade 0, so 1 is a level */
                                 .highest_grade = highest_grade(&list->qrels->file),
                                 .load = load,
                                 .arg = &topics};
    int rc = report_plan(report, options);
    if (!rc) {
        rc = rank_begin(report, options, &source);
    }
    if (!rc) {
        rc = rank_run(report, &source, pool);
    }
    if (!rc) {
        report_refuse(report);
    }
    return rc;
}

int trec_eval_run(struct eval_report **out, const struct trec_qrels *qrels, const struct trec_run *run_file,
                  const struct trec_options *trec, const struct eval_options *options)
{
    *out = NULL;
    struct trec_topics list;
    struct pool *pool = NULL;
    struct eval_report *report = mem_calloc(1, sizeof *report);
    int rc = trec_topics_init(&list, qrels, run_file, trec);
    rc = !rc && !report ? RECO_E_NOMEM : rc;
    if (!rc && options->threads > 1) {
        rc = pool_new(&pool, options->threads);
    }
    struct eval_options asked = *options;
    asked.by_query = options->by_query || options->intervals;
    if (!rc) {
        rc = run(report, &list, &asked, pool);
    }
    if (!rc && options->intervals) {
        rc = eval_intervals_new(&report->intervals, report, options->intervals, pool ? pool_threads(pool) : 1);
    }
    pool_free(pool);
    trec_topics_release(&list);
    if (rc) {
        eval_report_free(report);
        return rc;
    }
    *out = report;
    return 0;
}
