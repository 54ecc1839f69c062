#ifndef RECO_EVAL_TREC_INTERNAL_H
#define RECO_EVAL_TREC_INTERNAL_H

/* Private to the TREC files of eval/. */

#include <string.h>

#include "core/buf.h"
#include "eval/trec.h"

enum { TREC_NOT_IN_POOL = -1, TREC_NOT_JUDGED = -2 }; /* instead of a grade */

struct trec_entry {
    const char *doc; /* in the file's text */
    float score;     /* run */
    int32_t grade;   /* qrels; run: place among the topic's lines; in a topic's ranking: grade or TREC_NOT_... */
};

struct trec_topic {
    const char *id;
    size_t begin, end; /* entries, by docno */
};

struct trec_file {
    struct buf text; /* the whole file, in which ids end by NUL */
    struct trec_entry *entries;
    struct trec_topic *topics; /* by id */
    size_t entry_count, topic_count;
    char *tag; /* run: of the last line */
};

/* Lines of a part of a file that follow one another and are of one topic: up to the next stretch, or the end. */
struct trec_stretch {
    union {
        const char *topic;
        size_t to; /* place of its first entry among those of the file, once it is known */
    };
    uint32_t begin; /* among the part's entries */
    uint32_t number;
};

/* A part of the text, whole lines, and what is read from it. */
struct trec_part {
    char *begin, *end;
    struct trec_entry *entries;
    struct trec_stretch *stretches;
    size_t entry_count, entry_capacity, stretch_count, stretch_capacity;
    /* Of a run: the tag of the first line and of the last, and the first of the others, NULL where there is none. */
    struct trec_tag {
        const char *text;
        size_t length;
    } first_tag, last_tag, other_tag, tag_before_other;
    const char *bad_at; /* in the line that cannot be parsed; NULL: none */
};

struct trec_source { /* of a file */
    const char *label;
    bool is_run;
};
/*
 * The lines of a part. RECO_E_DATA: what is wrong at bad_at, for the caller to name the line once no thread writes to
 * the text any more; RECO_E_STOPPED. Any thread; releasing is the caller's.
 */
int trec_part_parse(const struct trec_source *source, struct trec_part *part) RECO_MUST_CHECK;
void trec_part_release(struct trec_part *part);
/* Into the order of docno. twice: a document that two entries have, in both places; else NULL. RECO_E_NOMEM. */
int trec_sort_docs(struct trec_entry *entries, size_t count, const char *twice[2]) RECO_MUST_CHECK;

enum { TREC_TEXT_SLACK = 8 }; /* bytes behind the text that may be read: zero */

/*
 * The first 8 bytes of a string in the text, as a number of the same order; what is behind its end counts as zero. The
 * lowest byte is not zero when the string may be longer.
 */
static inline uint64_t trec_bytes_key(const char *text)
{
    uint64_t bytes;
    memcpy(&bytes, text, sizeof bytes);
    uint64_t ends = (bytes - 0x0101010101010101U) & ~bytes & 0x8080808080808080U; /* the lowest bit set is right */
    if (ends) {
        bytes &= (ends & -ends) - 1; /* all before the end, and none of the end's own bits */
    }
    return __builtin_bswap64(bytes);
}

/* As strcmp, of two strings in texts. */
static inline int trec_compare(const char *a, const char *b)
{
    for (;; a += sizeof(uint64_t), b += sizeof(uint64_t)) {
        uint64_t of_a = trec_bytes_key(a);
        uint64_t of_b = trec_bytes_key(b);
        if (of_a != of_b) {
            return of_a < of_b ? -1 : 1;
        }
        if (!(of_a & 0xff)) {
            return 0;
        }
    }
}

struct trec_qrels {
    struct trec_file file;
};
struct trec_run {
    struct trec_file file;
};

/* One topic, joined and ranked. Prefixes are of the first ranks: [ret + 1]. */
struct trec_view {
    const uint32_t *hits;     /* relevant items among so many */
    const double *precisions; /* sum of the precisions at those */
    const double *highest;    /* [rel_ret + 1] highest precision at a rank with at least so many hits; [0]: as [1] */
    const char *id;
    const struct trec_entry *ranked; /* [ret], best first, grades joined */
    size_t ret, rel, rel_ret;
    long level;                      /* from which a grade is relevant */
    const size_t *at_grade;          /* [grades] judged items of each grade */
    size_t grades;                   /* highest grade + 1 */
    const struct trec_entry *judged; /* [judged_count] the topic's qrels */
    size_t judged_count;
    const struct trec_options *options;
};

/*
 * The topics to evaluate: those of the run that have judgments or, with options->complete, all of the qrels. Each can
 * be looked at by itself, by any thread with a scratch of its own.
 */
struct trec_topics {
    const struct trec_qrels *qrels;
    const struct trec_run *run;
    const struct trec_options *options;
    struct trec_pair {
        const struct trec_topic *judged, *ranked; /* ranked: NULL when the run lacks it */
    } * pairs;                                    /* [count] in order of id */
    size_t count;
};
/* RECO_E_DATA: no query is in both. Zero on failure. */
int trec_topics_init(struct trec_topics *topics, const struct trec_qrels *qrels, const struct trec_run *run,
                     const struct trec_options *options) RECO_MUST_CHECK;
void trec_topics_release(struct trec_topics *topics);

struct trec_scratch { /* zero-initialised is empty */
    size_t capacity, grade_capacity;
    struct trec_entry *ranked;
    uint64_t *keys, *spare; /* [capacity] */
    uint32_t *hits;
    double *precisions, *highest;
    size_t *at_grade;
};
int trec_topic_view(const struct trec_topics *topics, size_t topic, struct trec_scratch *scratch,
                    struct trec_view *view) RECO_MUST_CHECK; /* valid until the scratch is used again */
void trec_scratch_release(struct trec_scratch *scratch);
/*
 * trec_eval takes a topic that the run lacks for a list of one document that nobody judged, and then sets right what
 * this does to the measures, but not to those with parameters in their name: they see this.
 */
struct trec_view trec_stand_in(const struct trec_view *missing);

/* ---- measures of trec_eval ---- */

enum trec_params {
    TREC_PARAMS_NONE,
    TREC_PARAMS_DEPTHS,     /* sorted whole numbers, one value each: P_5 */
    TREC_PARAMS_SHARES,     /* sorted numbers, one value each: iprec_at_recall_0.10 */
    TREC_PARAMS_NUMBERS,    /* in their order, one value: utility */
    TREC_PARAMS_GAINS,      /* grade=gain, one value: ndcg */
    TREC_PARAMS_PERSISTENCE /* p=persistence and grade=gain, one value: rbp */
};

enum trec_summary {
    TREC_SUMMARY_MEAN,
    TREC_SUMMARY_SUM,       /* a count */
    TREC_SUMMARY_GEOMETRIC, /* exp of the mean logarithm; not shown by query */
    TREC_SUMMARY_RUN,       /* runid, num_q: of the run; not shown by query */
    TREC_SUMMARY_STRING     /* relstring: by query only */
};

struct trec_gain {
    long grade;
    double gain;
};

/* A measure with its parameters, as asked for. */
struct trec_request {
    const struct trec_measure *measure;
    char *label;             /* the parameters as text, to be put behind the name; NULL: the defaults */
    double *numbers;         /* [count] depths, shares or numbers */
    struct trec_gain *gains; /* [count] */
    size_t count;
    double persistence; /* NaN: the default */
    size_t value_count;
    size_t at;    /* of its values among those of a topic */
    double *sums; /* [value_count] */
};

struct trec_measure {
    const char *name;
    const char *help;
    enum trec_params params;
    enum trec_summary summary;
    const double *defaults;
    size_t default_count;
    /* values [value_count] are 0 on entry and stay 0 where the measure has no value, as trec_eval has it */
    void (*calc)(const struct trec_view *view, const struct trec_request *request, double *values);
};

extern const struct trec_measure *const trec_measure_table[]; /* NULL-terminated, in the order of trec_eval's output */

/* Judged, and at or above the relevance level. rank counts from 0. */
static inline bool trec_is_relevant(const struct trec_view *view, size_t rank)
{
    return view->ranked[rank].grade >= 0 && view->ranked[rank].grade >= view->level;
}

/* Measures by gain, for the table; see trec_gains.c. trec_gains_init comes first. */
void trec_gains_init(void);
void trec_calc_ndcg(const struct trec_view *view, const struct trec_request *request, double *values);
void trec_calc_ndcg_cut(const struct trec_view *view, const struct trec_request *request, double *values);
void trec_calc_ndcg_rel(const struct trec_view *view, const struct trec_request *request, double *values);
void trec_calc_rndcg(const struct trec_view *view, const struct trec_request *request, double *values);
void trec_calc_bin_g(const struct trec_view *view, const struct trec_request *request, double *values);
void trec_calc_g(const struct trec_view *view, const struct trec_request *request, double *values);
void trec_calc_rbp(const struct trec_view *view, const struct trec_request *request, double *values);
void trec_calc_rbp_resid(const struct trec_view *view, const struct trec_request *request, double *values);

#endif
