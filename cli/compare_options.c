#include "cli/compare_options.h"

#include "cli/opts_metrics.h"
#include "eval/compare.h"
#include "eval/slice.h"

static const char *const format_choices[] = {"text", "json", "markdown", NULL};
#define AT(field) offsetof(struct compare_command, field)

static int check_gate(const char *name, const char *value)
{
    (void)name;
    return compare_gate_check(value);
}

static int check_slice(const char *name, const char *value)
{
    (void)name;
    if (slice_training_use(value) == SLICE_TRAINING_MUST) {
        return err_set(RECO_E_USAGE, "slice '%s' needs training data, which reco eval --train_dataset looks at", value);
    }
    return slice_check(value);
}

const struct opt_spec compare_option_specs[] = {
    CMD_COMMON_OPTIONS(struct compare_command),
    {.name = "qrels",
     .type = OPT_STRING,
     .offset = AT(qrels),
     .help = "judgments (qid iter docno relevance): the files are TREC runs",
     .group = "data",
     .flags = OPT_FLAG_PATH},
    PREDICTIONS_SOURCE_ROWS(struct compare_command, source),
    MEMORY_LIMIT_ROWS(struct compare_command, memory),
    {.name = "query_text",
     .type = OPT_STRING,
     .offset = AT(query_text),
     .default_text = "query",
     .help = "carried column with the text of the query, for the lists of queries and the slice query_length",
     .group = "data"},
    {.name = "metrics",
     .type = OPT_LIST,
     .offset = AT(metrics),
     .help = "figures to compare; default: those of ndcg@10, f1, log_loss, rmse and spearman that apply, of TREC runs "
             "ndcg@10 and map",
     .group = "metrics",
     .check = opts_metric_check},
    METRICS_GRADE_ROWS(struct compare_command),
    {.name = "test",
     .type = OPT_CHOICE,
     .offset = AT(test),
     .default_text = "randomisation",
     .choices = compare_test_names,
     .help = "paired test; t and wilcoxon know only means over queries, bootstrap no catalogue",
     .group = "certainty"},
    {.name = "resamples",
     .type = OPT_INT,
     .offset = AT(resamples),
     .default_text = "1000",
     .min = 100,
     .max = 1000000,
     .help = "of the bootstrap, and of the randomisation test of figures that are no mean over queries",
     .group = "certainty"},
    {.name = "samples",
     .type = OPT_INT,
     .offset = AT(samples),
     .default_text = "10000",
     .min = 100,
     .max = 1e8,
     .help = "of the randomisation test of means over queries; up to 20 differing queries all signs are tried",
     .group = "certainty"},
    METRICS_INTERVAL_ROWS(struct compare_command, "bootstrap interval of the difference",
                          "confidence of the intervals; a difference is sure when its adjusted p is below 1 - level"),
    {.name = "all_pairs",
     .type = OPT_BOOL,
     .offset = AT(all_pairs),
     .help = "compare every two files, not each with the first",
     .group = "certainty"},
    {.name = "require",
     .type = OPT_LIST,
     .offset = AT(require),
     .help = "gate, as 'ndcg@10: B>A' (B is surely better) or 'ndcg@10: B>=A' (B is not surely worse): exit status 1 "
             "when it is not met; repeatable",
     .group = "certainty",
     .flags = OPT_FLAG_EXCLUSIVE_LIST,
     .check = check_gate},
    {.name = "slice",
     .type = OPT_LIST,
     .offset = AT(slices),
     .help = "show the differences by parts: a column, a number in bins (price:quartile, price:10|50), query_length, "
             "query_frequency, truncated, label; lang+brand: both together",
     .group = "slices",
     .aliases = "slices",
     .check = check_slice},
    METRICS_SLICE_SIZE_ROWS(struct compare_command, "smaller groups stand last"),
    {.name = "list",
     .type = OPT_INT,
     .offset = AT(listed),
     .default_text = "5",
     .max = 1e6,
     .unit = "queries",
     .help = "listed where the second file wins most, and where it loses most",
     .group = "output"},
    {.name = "format",
     .type = OPT_CHOICE,
     .offset = AT(format),
     .default_text = "text",
     .choices = format_choices,
     .help = "what is printed",
     .group = "output"},
    {.name = "junit",
     .type = OPT_STRING,
     .offset = AT(junit),
     .help = "write the gates as JUnit XML",
     .group = "output",
     .flags = OPT_FLAG_PATH},
    {.name = "html",
     .type = OPT_STRING,
     .offset = AT(html),
     .help = "write the comparison as one page with pictures to this file",
     .group = "output",
     .flags = OPT_FLAG_PATH},
    {.name = "threads",
     .type = OPT_INT,
     .offset = AT(threads),
     .default_text = "0",
     .max = 1024,
     .help = "threads that work at the same time (0: one a processor); the figures are the same for any number",
     .group = "general"},
    {.name = NULL},
};
