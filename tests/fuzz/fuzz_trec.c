/*
 * Qrels and a run of any bytes, one after the other behind a line "====", are read or refused with a message; what was
 * read can be evaluated both ways.
 */

#include <string.h>

#include "eval/trec.h"
#include "tests/fuzz/fuzz.h"

static void evaluate(const struct trec_qrels *qrels, const struct trec_run *run)
{
    static const char *const measures[] = {"all_trec", "ndcg.1=0.5,2=-1", "P.1,2"};
    struct trec_options options = {
        .relevance_level = 1, .by_query = true, .complete = true, .measures = measures, .measure_count = 3};
    struct eval_options own;
    struct eval_report *report = NULL;
    struct buf b = {0};
    if (trec_eval_text(&b, qrels, run, &options)) {
        abort();
    }
    eval_options_init(&own);
    if (trec_eval_run(&report, qrels, run, &options, &own) || eval_report_text(report, &b)) {
        abort();
    }
    eval_report_free(report);
    buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mark[] = "====\n";
    const uint8_t *middle = memmem(data, size, mark, sizeof mark - 1);
    size_t first = middle ? (size_t)(middle - data) : size;
    size_t second = middle ? first + sizeof mark - 1 : size;
    char path[64];
    struct trec_qrels *qrels = NULL;
    struct trec_run *run = NULL;
    int fd = fuzz_file(data, first, path);
    err_clear();
    int rc = trec_qrels_read(&qrels, path, 2);
    close(fd);
    if (!rc) {
        fd = fuzz_file(data + second, size - second, path);
        rc = trec_run_read(&run, path, 2);
        close(fd);
    }
    if (rc && !*err_message()) {
        abort();
    }
    if (!rc) {
        evaluate(qrels, run);
    }
    trec_qrels_free(qrels);
    trec_run_free(run);
    return 0;
}
