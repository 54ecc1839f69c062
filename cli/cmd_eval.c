#include <math.h>

#include "cli/cmd.h"
#include "cli/decisions.h"
#include "cli/eval_certainty.h"
#include "cli/eval_events.h"
#include "cli/eval_inputs.h"
#include "cli/eval_options.h"
#include "cli/eval_page.h"
#include "cli/memory_limit.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/pool.h"
#include "core/temp_file.h"
#include "data/item_counts.h"
#include "eval/report.h"
#include "eval/stream.h"

static long level_of(const struct cmd_ctx *ctx, const struct eval_command *c)
{
    return opt_is_set(ctx->set, "relevance_level") ? (long)c->relevance_level : 1;
}

static int threads_of(const struct eval_command *c)
{
    return c->data.threads > 0 ? (int)c->data.threads : cpu_count();
}

/* Queries that one of the files lacks are left out, as trec_eval does it, but not in silence. */
static void warn_missing(const struct eval_command *c, const struct eval_trec *trec)
{
    size_t not_in_run;
    size_t not_in_qrels;
    trec_missing(trec->qrels, trec->run, &not_in_run, &not_in_qrels);
    if (not_in_run && !c->complete) {
        log_warn("%zu queries of '%s' are not in '%s' and are left out; with --complete they count as empty lists",
                 not_in_run, c->qrels, c->run);
    }
    if (not_in_qrels) {
        log_warn("%zu queries of '%s' have no judgments and are left out", not_in_qrels, c->run);
    }
}

static int print_trec_eval(const struct eval_command *c, const struct trec_options *options,
                           const struct eval_trec *trec)
{
    struct trec_options asked = *options;
    asked.measures = (const char *const *)c->measures.items;
    asked.measure_count = c->measures.count;
    struct buf b = {0};
    double begin_s = clock_now_s();
    int rc = trec_eval_text(&b, trec->qrels, trec->run, &asked);
    log_debug("evaluated in %.4f s", clock_now_s() - begin_s);
    if (!rc) {
        rc = cmd_print(buf_str(&b));
    }
    buf_release(&b);
    return rc;
}

static int write_trec_files(const struct eval_command *c, const struct predictions *p)
{
    int rc = c->run_output ? trec_run_write(c->run_output, p, c->run_tag) : 0;
    return rc || !c->qrels_output ? rc : trec_qrels_write(c->qrels_output, p);
}

static int apply_decisions(const struct eval_command *c, struct predictions *p)
{
    struct decisions decisions = {0};
    int rc = decisions_open(&decisions, c->calibration, c->threshold, NULL);
    if (!rc) {
        rc = decisions_apply(&decisions, p, c->predictions);
    }
    decisions_close(&decisions);
    return rc;
}

/* Does a figure that was asked for look at queries or items? */
static bool needs_lists(const struct eval_options *asked)
{
    bool needs = !asked->metric_count;
    for (size_t i = 0; i < asked->metric_count + asked->also_count; i++) {
        const char *name = i < asked->metric_count ? asked->metrics[i] : asked->also[i - asked->metric_count];
        needs = needs || eval_metric_needs_lists(name);
    }
    return needs;
}

/* The predictions or events. */
static int read_rows(const struct cmd_ctx *ctx, const struct eval_command *c, const struct eval_options *asked,
                     struct eval_stream *stream, struct predictions **p)
{
    struct predictions_options options;
    predictions_options_init(&options);
    options.packed = !c->calibration && !c->threshold; /* those change the numbers */
    options.extra = asked->slices || c->resample_by || eval_page_holds_texts(c);
    options.tokens = options.extra || c->output_dir;
    options.extra_names = (const char *const *)&c->arm_column;
    options.extra_name_count = c->arm_column != NULL;
    options.threads = threads_of(c);
    options.source = c->predictions ? &c->source : NULL;
    options.no_lists = !asked->by_query && !asked->intervals && !asked->slices && !asked->popularity &&
                       !c->run_output && !c->qrels_output && !c->arm_column && !needs_lists(asked);
    if (!asked->intervals && !asked->slices && !c->arm_column && !c->output_dir && !c->run_output && !c->qrels_output &&
        options.packed && !eval_events_change(c)) {
        options.max_memory = (size_t)c->data.max_memory / 2; /* the rest is for sorting */
        options.take = eval_stream_take;
        options.take_arg = stream;
    }
    options.tmp_dir = c->data.tmp_dir;
    options.row_ids = c->run_output || c->qrels_output || eval_page_holds_texts(c);
    options.position_shift = eval_events_shift(c);
    return c->events  ? eval_events_read(c, options.extra, p)
           : c->model ? eval_predict(ctx, c->predictions_output, &options, p)
                      : predictions_open(p, c->predictions, &options);
}

/* The report of one source; *p and *trec are the caller's to free, also after failure. */
static int evaluate(const struct cmd_ctx *ctx, const struct eval_command *c, struct eval_options *options,
                    struct predictions **p, struct eval_trec *trec, struct eval_report **report)
{
    int rc;
    if (c->run) {
        const struct trec_options files = {.relevance_level = level_of(ctx, c),
                                           .by_query = c->by_query,
                                           .complete = c->complete,
                                           .judged_only = c->judged_only,
                                           .max_results = (size_t)c->max_results,
                                           .collection_size = (long)c->collection_size,
                                           .threads = threads_of(c)};
        double begin_s = clock_now_s();
        rc = eval_trec_open(trec, c->qrels, c->run, files.threads);
        log_debug("read in %.4f s", clock_now_s() - begin_s);
        if (!rc) {
            warn_missing(c, trec);
        }
        if (!rc && (c->format == EVAL_FORMAT_TREC_EVAL || c->measures.count)) {
            return print_trec_eval(c, &files, trec);
        }
        return rc ? rc : trec_eval_run(report, trec->qrels, trec->run, &files, options);
    }
    double begin_s = clock_now_s();
    struct eval_stream *stream;
    rc = eval_stream_new(&stream, options, (size_t)c->data.max_memory / 8 * 3, c->data.tmp_dir);
    if (!rc) {
        rc = read_rows(ctx, c, options, stream, p);
    }
    log_debug("read in %.4f s", clock_now_s() - begin_s);
    if (!rc) {
        log_debug("%zu rows, %zu bytes a row%s", (*p)->rows, (*p)->row_bytes, (*p)->streamed ? ", taken in parts" : "");
    }
    if (!rc && (*p)->streamed) {
        log_info("more rows than --max_memory holds: they are sorted in temporary files in '%s'",
                 temp_place(c->data.tmp_dir));
    }
    struct eval_attributed attributed;
    if (!rc) {
        rc = eval_events_treat(&attributed, c, *p);
    }
    double *gains = NULL;
    if (!rc && c->gains.count) {
        gains = mem_calloc((size_t)(*p)->labels.count + 1, sizeof *gains);
        rc = gains ? eval_gains_parse(gains, &(*p)->labels, (const char *const *)c->gains.items, c->gains.count)
                   : RECO_E_NOMEM;
        options->gains = gains;
    }
    if (!rc && (*p)->sidecar) {
        decisions_tell_applied((*p)->sidecar, c->predictions ? c->predictions : c->model);
    }
    if (!rc && !c->model) { /* else reco predict has applied them */
        rc = apply_decisions(c, *p);
    }
    if (!rc) {
        rc = write_trec_files(c, *p);
    }
    if (!rc) {
        begin_s = clock_now_s();
        rc = (*p)->streamed ? eval_stream_end(&stream, *p, report) : eval_run(report, *p, options);
        log_debug("evaluated in %.4f s", clock_now_s() - begin_s);
    }
    if (!rc) {
        eval_report_set_attributed(*report, &attributed);
    }
    eval_stream_free(stream);
    mem_free(gains);
    options->gains = NULL;
    return rc;
}

static int run(const struct cmd_ctx *ctx)
{
    struct eval_command *c = ctx->options;
    struct eval_options options;
    eval_options_init(&options);
    options.relevance_level = opt_is_set(ctx->set, "relevance_level") ? c->relevance_level : NAN;
    options.need_relevance = true;
    options.by_query = c->output_dir != NULL;
    options.ties = (enum eval_ties)c->ties;
    options.by_truncation = true;
    options.threads = threads_of(c);
    struct predictions *p = NULL;
    struct eval_trec trec = {0};
    struct eval_report *report = NULL;
    struct eval_names names = {0};
    struct eval_certainty certainty = {0};
    struct item_counts items = {0};
    struct eval_popularity popularity;
    const struct memory_limit limit = {c->data.max_memory, c->data.tmp_dir};
    int rc = eval_options_check(ctx, c);
    eval_source_fill(c, ctx);
    if (!rc) {
        rc = memory_limit_set(&limit);
    }
    if (!rc) {
        rc = eval_names_fill(&names, &options, &c->metrics, &c->at, &c->require);
    }
    if (!rc && c->item_popularity) {
        rc = item_counts_read(&items, c->item_popularity);
        popularity = (struct eval_popularity){items.ids, items.counts, items.count};
        options.popularity = &popularity;
    }
    if (!rc) {
        rc = eval_certainty_fill(&certainty, &options, c);
    }
    if (!rc) {
        rc = evaluate(ctx, c, &options, &p, &trec, &report);
    }
    if (!rc && report && !report->value_count) {
        rc = err_set(RECO_E_DATA, "no figure applies to '%s': name some with --metrics, and what they need is said",
                     c->predictions ? c->predictions
                     : c->events    ? c->events
                     : c->run       ? c->run
                                    : c->model);
    }
    if (!rc && report && c->arm_column) {
        const struct eval_arms_options arms = {c->arm_column, c->control, c->resample_by, c->level};
        rc = eval_report_add_arms(report, &arms);
    }
    if (!rc && report) {
        rc = eval_add_provenance(report, ctx, p);
    }
    if (!rc && report) {
        rc = eval_output(report, p, c);
    }
    memory_limit_tell(&limit);
    eval_report_free(report);
    predictions_free(p);
    eval_trec_close(&trec);
    eval_names_release(&names);
    eval_certainty_release(&certainty);
    item_counts_release(&items);
    return rc;
}

const struct cmd_spec cmd_eval = {
    .name = "eval",
    .summary = "evaluate predictions: classification, ranking, behaviour",
    .description =
        "Reads a predictions file once and reports every metric that applies to it: by class, ranking by query, and "
        "clicks where there are event columns. An undefined figure is said to be so, with the reason. With --model, "
        "reco predict makes the predictions first. TREC files give trec_eval's own text with -m or --format "
        "trec_eval.\n\n"
        "Predictions of other tools are any table of CSV, TSV or JSON Lines. Its columns have the names that reco "
        "predict gives (row_id, query_id, item_id, label, predicted, p_<label>, score), or those that --label_column, "
        "--probability_columns and so on say. A config file's names and labels count where they fit the file; how a "
        "table is read (--delimiter, --encoding...) counts as a flag only.\n\n"
        "Behaviour, from event columns or a table of impressions (--events), is given overall, among the first k "
        "positions, by position, and as the mean over the lists of their own values: those of --query_id_column, which "
        "may as well name users. Propensities add IPS and SNIPS.\n\n"
        "Rows beyond --max_memory are sorted in files in --tmp_dir, or, for what needs them again, as slices, "
        "intervals "
        "and --output_dir do, lie there mapped into memory; the figures are the same.\n\n"
        "With --resamples every figure has a bootstrap interval, by query or by what --resample_by names; --slice "
        "shows "
        "the figures by parts, the worst first, and the gaps between them. --calibration and --threshold apply what "
        "was "
        "chosen on validation predictions.\n\n"
        "A gate (--require) that is not met gives exit status 1; so does one on an undefined figure. It names a "
        "metric, "
        "the worst part of a slice, as worst(lang).f1, or a gap: gap(lang).demographic_parity, equal_opportunity, "
        "equalized_odds, exposure or exposure_merit (a ratio, 1 is fair). low(...) and high(...) are the bounds of the "
        "interval: low(f1), high(gap(lang).exposure), and low(worst(lang).f1), the least bound of all groups.",
    .examples =
        "reco eval --predictions p.tsv --relevance_level 3 --require 'f1>=0.8' --output_dir report\n"
        "reco eval --predictions test.csv --label_column y_true --predicted_column y_pred --probability_columns "
        "'prob_*'\n"
        "reco eval --predictions p.tsv --resamples 1000 --slice brand,price:quartile --require 'worst(brand).f1>=0.6'\n"
        "reco eval --model run --dataset ds --split test\n"
        "reco eval --qrels q.txt --run r.txt -m all_trec\n"
        "reco eval --events log.csv --clicked_column visit --arm_column segment --control none",
    .options = eval_option_specs,
    .options_size = sizeof(struct eval_command),
    .flags = CMD_FLAG_STOPPABLE,
    .run = run,
};
