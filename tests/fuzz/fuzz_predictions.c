/*
 * A predictions file of any bytes is read or refused with a message; what was read can be evaluated, and every figure
 * is either finite or has a reason.
 */

#include <math.h>
#include <string.h>

#include "eval/evaluate.h"
#include "eval/report.h"
#include "tests/fuzz/fuzz.h"

static void check_report(const struct eval_report *report)
{
    struct buf b = {0};
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (v->reason ? !isnan(v->value) : !isfinite(v->value)) {
            abort();
        }
    }
    if (eval_report_text(report, &b) || eval_report_per_query(report, &b)) {
        abort();
    }
    json_t *json = eval_report_json(report);
    if (!json) {
        abort();
    }
    json_decref(json);
    buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct predictions *p = NULL;
    int fd = fuzz_file(data, size, path);
    err_clear();
    if (predictions_read(&p, path)) {
        if (p || !*err_message()) {
            abort();
        }
    } else {
        struct eval_options options;
        struct eval_report *report = NULL;
        eval_options_init(&options);
        options.by_query = true;
        if (eval_run(&report, p, &options)) {
            abort();
        }
        check_report(report);
        eval_report_free(report);
        predictions_free(p);
    }
    close(fd);
    return 0;
}
