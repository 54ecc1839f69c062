#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/opt.h"
#include "core/pool.h"
#include "core/stop.h"
#include "data/decimal.h"
#include "eval/trec_internal.h"

#define MEASURES_MAX 64

/* official is trec_eval's default; all_trec is everything but these, which are asked for by name. */
static const char *const official[] = {"runid",  "num_q", "num_ret", "num_rel",    "num_rel_ret",     "map",
                                       "gm_map", "Rprec", "bpref",   "recip_rank", "iprec_at_recall", "P",
                                       NULL};
static const char *const set_names[] = {"runid", "num_q",      "num_ret",        "num_rel", "num_rel_ret", "utility",
                                        "set_P", "set_recall", "set_relative_P", "set_map", "set_F",       NULL};

static bool is_in(const char *const *names, const char *name)
{
    for (size_t i = 0; names[i]; i++) {
        if (!strcmp(names[i], name)) {
            return true;
        }
    }
    return false;
}

/* Does the word "official", "set" or "all_trec" hold the measure? */
static bool group_holds(const char *group, const char *name)
{
    return !strcmp(group, "all_trec") || (!strcmp(group, "official") && is_in(official, name)) ||
           (!strcmp(group, "set") && is_in(set_names, name));
}

static bool is_group(const char *name)
{
    return !strcmp(name, "all_trec") || !strcmp(name, "official") || !strcmp(name, "set");
}

static size_t name_length(const char *measure)
{
    return strcspn(measure, ".");
}

static const struct trec_measure *find_measure(const char *name, size_t length)
{
    for (size_t i = 0; trec_measure_table[i]; i++) {
        if (!strncmp(trec_measure_table[i]->name, name, length) && !trec_measure_table[i]->name[length]) {
            return trec_measure_table[i];
        }
    }
    return NULL;
}

/* ---- parameters ---- */

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static int bad_params(const struct trec_measure *measure, const char *params)
{
    static const char *const want[] = {"it takes none",
                                       "want depths, as P.5,10",
                                       "want numbers, as iprec_at_recall.0.1,0.5",
                                       "want numbers, as utility.1,-1,0,0",
                                       "want grade=gain, as ndcg.1=0.5,2=1",
                                       "want p=persistence from 0 to 1 and grade=gain, as rbp.p=0.8"};
    return err_set(RECO_E_USAGE, "bad parameters '%s' of measure '%s': %s", params, measure->name,
                   want[measure->params]);
}

static int parse_param(struct trec_request *request, const char *text, size_t length)
{
    double number;
    if (request->gains) {
        const char *equal = memchr(text, '=', length);
        double gain;
        if (request->measure->params == TREC_PARAMS_PERSISTENCE && length > 2 && !strncmp(text, "p=", 2)) {
            if (!decimal_parse(text + 2, length - 2, &gain) || !(gain >= 0 && gain <= 1)) {
                return RECO_E_USAGE;
            }
            request->persistence = gain;
            return 0;
        }
        if (!equal || !decimal_parse(text, (size_t)(equal - text), &number) || floor(number) != number ||
            fabs(number) > 1e6 || !decimal_parse(equal + 1, length - (size_t)(equal + 1 - text), &gain) ||
            !isfinite(gain)) {
            return RECO_E_USAGE;
        }
        request->gains[request->count++] = (struct trec_gain){(long)number, gain};
        return 0;
    }
    if (!decimal_parse(text, length, &number) || !isfinite(number)) {
        return RECO_E_USAGE;
    }
    if (request->measure->params == TREC_PARAMS_DEPTHS) {
        number = floor(number); /* trec_eval takes 23.4 for 23 */
        if (number < 1 || number > 1e15) {
            return RECO_E_USAGE;
        }
    }
    request->numbers[request->count++] = number;
    return 0;
}

static int parse_params(struct trec_request *request, const char *params)
{
    const struct trec_measure *measure = request->measure;
    size_t count = 1;
    for (const char *at = params; *at; at++) {
        count += *at == ',';
    }
    if (measure->params == TREC_PARAMS_NONE) {
        return bad_params(measure, params);
    }
    if (measure->params == TREC_PARAMS_GAINS || measure->params == TREC_PARAMS_PERSISTENCE) {
        request->gains = mem_calloc(count, sizeof *request->gains);
    } else {
        request->numbers = mem_calloc(count, sizeof *request->numbers);
    }
    if (!request->gains && !request->numbers) {
        return RECO_E_NOMEM;
    }
    for (const char *at = params;; at++) {
        size_t length = strcspn(at, ",");
        if (parse_param(request, at, length)) {
            return bad_params(measure, params);
        }
        at += length;
        if (!*at) {
            break;
        }
    }
    if (measure->params == TREC_PARAMS_DEPTHS || measure->params == TREC_PARAMS_SHARES) {
        qsort(request->numbers, count, sizeof *request->numbers, compare_numbers);
        for (size_t i = 1; i < count; i++) {
            if (request->numbers[i] == request->numbers[i - 1]) {
                return bad_params(measure, params);
            }
        }
        return 0;
    }
    if (measure->params == TREC_PARAMS_NUMBERS && measure->calc && measure->default_count != count &&
        measure->default_count != 11) {
        return bad_params(measure, params);
    }
    request->label = mem_strdup(params);
    return request->label ? 0 : RECO_E_NOMEM;
}

static void request_release(struct trec_request *request)
{
    mem_free(request->label);
    mem_free(request->numbers);
    mem_free(request->gains);
    mem_free(request->sums);
}

/* params: what follows the '.', or NULL for the defaults. */
static int request_init(struct trec_request *request, const struct trec_measure *measure, const char *params)
{
    *request = (struct trec_request){.measure = measure, .persistence = NAN};
    int rc = 0;
    if (params) {
        rc = parse_params(request, params);
    } else if (measure->default_count) {
        request->numbers = mem_alloc(measure->default_count * sizeof *request->numbers);
        rc = request->numbers ? 0 : RECO_E_NOMEM;
        if (!rc) {
            memcpy(request->numbers, measure->defaults, measure->default_count * sizeof *request->numbers);
            request->count = measure->default_count;
        }
    }
    bool many = measure->params == TREC_PARAMS_DEPTHS || measure->params == TREC_PARAMS_SHARES;
    request->value_count = many ? request->count : 1;
    if (!rc) {
        request->sums = mem_calloc(request->value_count, sizeof *request->sums);
        rc = request->sums ? 0 : RECO_E_NOMEM;
    }
    if (rc) {
        request_release(request);
    }
    return rc;
}

int trec_measure_check(const char *name)
{
    size_t length = name_length(name);
    const struct trec_measure *measure = find_measure(name, length);
    if (measure && name[length]) {
        struct trec_request request;
        int rc = request_init(&request, measure, name + length + 1);
        if (!rc) {
            request_release(&request);
        }
        return rc;
    }
    if (measure || is_group(name)) {
        return 0;
    }
    const char *words[MEASURES_MAX + 3] = {"official", "all_trec", "set"};
    size_t count = 3;
    for (size_t i = 0; trec_measure_table[i] && count < MEASURES_MAX; i++) {
        words[count++] = trec_measure_table[i]->name;
    }
    const char *near = opt_nearest(name, words, count);
    return err_set(RECO_E_USAGE, "unknown measure '%s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "",
                   near ? "'?" : "");
}

/* The measures asked for, each once, in the order of the table. */
static int plan(struct trec_request *requests, size_t *count, const struct trec_options *options)
{
    static const char *const nothing_named[] = {"official"};
    const char *const *names = options->measure_count ? options->measures : nothing_named;
    size_t name_count = options->measure_count ? options->measure_count : 1;
    int rc = 0;
    for (size_t n = 0; !rc && n < name_count; n++) {
        rc = trec_measure_check(names[n]);
    }
    for (size_t i = 0; !rc && trec_measure_table[i]; i++) {
        const struct trec_measure *measure = trec_measure_table[i];
        const char *params = NULL;
        bool wanted = false;
        for (size_t n = 0; n < name_count; n++) {
            size_t length = name_length(names[n]);
            if (find_measure(names[n], length) == measure) {
                wanted = true;
                const char *named = names[n][length] ? names[n] + length + 1 : NULL;
                if (params && named && strcmp(params, named) != 0) {
                    log_warn("measure '%s' has parameters twice: as trec_eval does, '%s' are taken and '%s' are not",
                             measure->name, params, named);
                }
                params = params ? params : named;
            }
            wanted = wanted || group_holds(names[n], measure->name);
        }
        if (wanted) {
            rc = request_init(&requests[*count], measure, params);
            *count += !rc;
        }
    }
    return rc;
}

/* ---- printing ---- */

static int add_name(struct buf *b, const struct trec_request *request, size_t value)
{
    size_t start = b->length;
    int rc = buf_add_str(b, request->measure->name);
    if (!rc && request->measure->params == TREC_PARAMS_DEPTHS) {
        rc = buf_printf(b, "_%.0f", request->numbers[value]);
    } else if (!rc && request->measure->params == TREC_PARAMS_SHARES) {
        rc = buf_printf(b, "_%3.2f", request->numbers[value]);
    } else if (!rc && request->label) {
        rc = buf_printf(b, "_%s", request->label);
    }
    for (size_t length = b->length - start; !rc && length < 22; length++) {
        rc = buf_add_char(b, ' ');
    }
    return rc;
}

static int add_line(struct buf *b, const struct trec_request *request, size_t value, const char *topic, double number)
{
    int rc = add_name(b, request, value);
    if (!rc && request->measure->summary == TREC_SUMMARY_SUM) {
        rc = buf_printf(b, "\t%s\t%.0f\n", topic, number);
    } else if (!rc) {
        rc = buf_printf(b, "\t%s\t%6.4f\n", topic, number);
    }
    return rc;
}

static int add_grades(struct buf *b, const struct trec_request *request, const struct trec_view *view)
{
    int rc = add_name(b, request, 0);
    if (!rc) {
        rc = buf_printf(b, "\t%s\t'", view->id);
    }
    for (size_t i = 0; !rc && i < view->ret && (double)i < floor(request->numbers[0]); i++) {
        long grade = view->ranked[i].grade;
        rc = buf_add_char(b, grade > 9                   ? '>'
                             : grade >= 0                ? (char)('0' + grade)
                             : grade == TREC_NOT_IN_POOL ? '-'
                                                         : '.');
    }
    return rc ? rc : buf_add_str(b, "'\n");
}

/* ---- topics, batch by batch: values on all threads, then text and sums in the order of topics ---- */

#define BATCH_TOPICS 1024
#define BLOCK_TOPICS 32

struct batch {
    const struct trec_topics *topics;
    const struct trec_request *requests; /* [count] */
    size_t count, value_count;
    size_t begin, end;   /* topics */
    double *values;      /* [end - begin, value_count] */
    struct buf *strings; /* [end - begin] lines of measures that are text; NULL: none are asked for */
    struct tie_count {
        size_t tied, ranked;
    } * ties; /* [end - begin] documents */
};

static struct tie_count count_ties(const struct trec_view *view)
{
    struct tie_count count = {0, view->ret};
    for (size_t begin = 0, end; begin < view->ret; begin = end) {
        for (end = begin + 1; end < view->ret && view->ranked[end].score == view->ranked[begin].score; end++) {
        }
        count.tied += end - begin > 1 ? end - begin : 0;
    }
    return count;
}

static int evaluate_topic(const struct batch *batch, size_t topic, struct trec_scratch *scratch)
{
    struct trec_view view;
    double *values = batch->values + (topic - batch->begin) * batch->value_count;
    int rc = trec_topic_view(batch->topics, topic, scratch, &view);
    if (!rc) {
        batch->ties[topic - batch->begin] = count_ties(&view);
    }
    bool stand_in = !batch->topics->pairs[topic].ranked && !batch->topics->options->judged_only;
    struct trec_view of_stand_in;
    if (!rc && stand_in) {
        of_stand_in = trec_stand_in(&view);
    }
    for (size_t i = 0; !rc && i < batch->count; i++) {
        const struct trec_request *request = &batch->requests[i];
        const struct trec_view *seen = stand_in && request->label ? &of_stand_in : &view;
        if (request->measure->summary == TREC_SUMMARY_STRING) {
            rc = batch->strings ? add_grades(&batch->strings[topic - batch->begin], request, seen) : 0;
        } else if (request->measure->calc) {
            memset(values + request->at, 0, request->value_count * sizeof *values);
            request->measure->calc(seen, request, values + request->at);
        }
    }
    return rc;
}

static int evaluate_block(void *arg, size_t block)
{
    const struct batch *batch = arg;
    struct trec_scratch scratch = {0};
    size_t begin = batch->begin + block * BLOCK_TOPICS;
    size_t end = begin + BLOCK_TOPICS < batch->end ? begin + BLOCK_TOPICS : batch->end;
    int rc = stop_requested() ? err_set(RECO_E_STOPPED, "stopped while evaluating") : 0;
    for (size_t topic = begin; !rc && topic < end; topic++) {
        rc = evaluate_topic(batch, topic, &scratch);
    }
    trec_scratch_release(&scratch);
    return rc;
}

static int print_topic(struct buf *b, const struct batch *batch, size_t topic, struct trec_request *requests)
{
    const double *values = batch->values + (topic - batch->begin) * batch->value_count;
    bool by_query = batch->topics->options->by_query;
    int rc = 0;
    for (size_t i = 0; !rc && i < batch->count; i++) {
        struct trec_request *request = &requests[i];
        if (request->measure->summary == TREC_SUMMARY_STRING && batch->strings) {
            const struct buf *line = &batch->strings[topic - batch->begin];
            rc = buf_add(b, buf_str(line), line->length);
        }
        for (size_t k = 0; !rc && request->measure->calc && k < request->value_count; k++) {
            double value = values[request->at + k];
            request->sums[k] += value;
            if (by_query && request->measure->summary != TREC_SUMMARY_GEOMETRIC) {
                rc = add_line(b, request, k, batch->topics->pairs[topic].judged->id, value);
            }
        }
    }
    return rc;
}

static int run_batch(struct buf *b, struct batch *batch, struct trec_request *requests, struct pool *pool,
                     struct tie_count *ties)
{
    size_t blocks = (batch->end - batch->begin + BLOCK_TOPICS - 1) / BLOCK_TOPICS;
    int rc = pool_run(pool, blocks, evaluate_block, batch);
    for (size_t topic = batch->begin; !rc && topic < batch->end; topic++) {
        rc = print_topic(b, batch, topic, requests);
        ties->tied += batch->ties[topic - batch->begin].tied;
        ties->ranked += batch->ties[topic - batch->begin].ranked;
    }
    for (size_t i = 0; batch->strings && i < BATCH_TOPICS; i++) {
        buf_clear(&batch->strings[i]);
    }
    return rc;
}

static int run_topics(struct buf *b, const struct trec_topics *topics, struct trec_request *requests, size_t count,
                      struct pool *pool)
{
    struct batch batch = {.topics = topics, .requests = requests, .count = count};
    struct tie_count ties = {0, 0};
    bool has_strings = false;
    for (size_t i = 0; i < count; i++) {
        requests[i].at = batch.value_count;
        batch.value_count += requests[i].value_count;
        has_strings = has_strings || requests[i].measure->summary == TREC_SUMMARY_STRING;
    }
    batch.values = mem_calloc(BATCH_TOPICS * batch.value_count + 1, sizeof *batch.values);
    batch.ties = mem_calloc(BATCH_TOPICS, sizeof *batch.ties);
    int rc = batch.values && batch.ties ? 0 : RECO_E_NOMEM;
    if (!rc && has_strings && topics->options->by_query) {
        batch.strings = mem_calloc(BATCH_TOPICS, sizeof *batch.strings);
        rc = batch.strings ? 0 : RECO_E_NOMEM;
    }
    for (; !rc && batch.begin < topics->count; batch.begin = batch.end) {
        batch.end = batch.begin + BATCH_TOPICS < topics->count ? batch.begin + BATCH_TOPICS : topics->count;
        rc = run_batch(b, &batch, requests, pool, &ties);
    }
    if (!rc) {
        log_info("%.2f %% of %zu documents are tied in score (as float32); ties go to the greater docno",
                 ties.ranked ? 100 * (double)ties.tied / (double)ties.ranked : 0, ties.ranked);
    }
    for (size_t i = 0; batch.strings && i < BATCH_TOPICS; i++) {
        buf_release(&batch.strings[i]);
    }
    mem_free(batch.strings);
    mem_free(batch.ties);
    mem_free(batch.values);
    return rc;
}

static int add_summary(struct buf *b, const struct trec_request *request, const struct trec_run *run, size_t topics)
{
    const struct trec_measure *measure = request->measure;
    int rc = 0;
    if (measure->summary == TREC_SUMMARY_STRING) {
        return 0;
    }
    if (measure->summary == TREC_SUMMARY_RUN) {
        rc = add_name(b, request, 0);
        if (!rc) {
            rc = !strcmp(measure->name, "runid") ? buf_printf(b, "\tall\t%s\n", run->file.tag)
                                                 : buf_printf(b, "\tall\t%zu\n", topics);
        }
        return rc;
    }
    for (size_t i = 0; !rc && i < request->value_count; i++) {
        double value = request->sums[i];
        if (measure->summary != TREC_SUMMARY_SUM) {
            value /= (double)topics;
        }
        rc = add_line(b, request, i, "all", measure->summary == TREC_SUMMARY_GEOMETRIC ? exp(value) : value);
    }
    return rc;
}

int trec_eval_text(struct buf *b, const struct trec_qrels *qrels, const struct trec_run *run,
                   const struct trec_options *options)
{
    struct trec_request requests[MEASURES_MAX];
    struct trec_topics topics = {0};
    struct pool *pool = NULL;
    size_t count = 0;
    trec_gains_init();
    int rc = plan(requests, &count, options);
    if (!rc) {
        rc = trec_topics_init(&topics, qrels, run, options);
    }
    if (!rc) {
        rc = pool_new(&pool, options->threads > 1 ? options->threads : 1);
    }
    if (!rc) {
        rc = run_topics(b, &topics, requests, count, pool);
    }
    for (size_t i = 0; !rc && i < count; i++) {
        rc = add_summary(b, &requests[i], run, topics.count);
    }
    for (size_t i = 0; i < count; i++) {
        request_release(&requests[i]);
    }
    pool_free(pool);
    trec_topics_release(&topics);
    return rc;
}
