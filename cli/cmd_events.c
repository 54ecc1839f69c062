#include <math.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/opts_input.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/events.h"
#include "data/timestamp.h"

struct events_command_options {
    struct cmd_common common;
    struct table_options input;
    struct events_options events;
    char *output, *actions_output;
};

static int check_duration(const char *name, const char *value)
{
    int64_t us;

    (void)name; /* the parser puts it in front */
    return duration_parse(value, &us);
}

#define EVENTS_OFFSET(field) offsetof(struct events_command_options, events.field)
#define EVENTS_COLUMN(field, text)                                                                                     \
    {                                                                                                                  \
        .name = #field, .type = OPT_STRING, .offset = EVENTS_OFFSET(field), .help = text, .group = "columns"           \
    }
#define EVENTS_ACTIONS(field, names, text)                                                                             \
    {                                                                                                                  \
        .name = #field, .type = OPT_LIST, .offset = EVENTS_OFFSET(field), .default_text = names, .help = text,         \
        .group = "actions"                                                                                             \
    }
#define EVENTS_CHOICE(field, default_choice, names, text, heading)                                                     \
    {                                                                                                                  \
        .name = #field, .type = OPT_CHOICE, .offset = EVENTS_OFFSET(field), .default_text = default_choice,            \
        .choices = names, .help = text, .group = heading                                                               \
    }
#define EVENTS_DURATION(field, default_duration, text, heading)                                                        \
    {                                                                                                                  \
        .name = #field, .type = OPT_STRING, .offset = EVENTS_OFFSET(field), .default_text = default_duration,          \
        .help = text, .group = heading, .check = check_duration                                                        \
    }

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct events_command_options),
    INPUT_OPTION_ROWS(struct events_command_options, input),
    {.name = "max_bad_rows",
     .type = OPT_AMOUNT,
     .offset = EVENTS_OFFSET(max_bad_rows),
     .default_text = "0.1%",
     .help = "bad rows tolerated in a file, as a count or a per cent of its rows (a per cent always allows one row)",
     .group = "input"},
    EVENTS_CHOICE(format, "auto", events_format_choices,
                  "flat: a row an impression; ubi: a row an event; auto: ubi when there are actions and no clicks",
                  "input"),
    EVENTS_COLUMN(action_column, "column of the kind of event"),
    EVENTS_COLUMN(query_column, "column of the query's text"),
    EVENTS_COLUMN(query_id_column, "column that names the search: impressions and clicks are joined by it"),
    EVENTS_COLUMN(user_id_column, "column that names the user"),
    EVENTS_COLUMN(session_column, "column that names the session"),
    EVENTS_COLUMN(item_id_column, "column that names the item"),
    EVENTS_COLUMN(position_column, "column of the rank shown to the user"),
    EVENTS_COLUMN(time_column, "column of the time: ISO 8601, or a number since 1970 in s, ms, us or ns"),
    EVENTS_COLUMN(clicked_column, "column of clicks (flat)"),
    EVENTS_COLUMN(carted_column, "column of additions to the cart (flat)"),
    EVENTS_COLUMN(converted_column, "column of orders (flat)"),
    EVENTS_COLUMN(dwell_column, "column of dwell times in seconds"),
    EVENTS_COLUMN(depth_column, "column of browsing depths (flat)"),
    EVENTS_COLUMN(revenue_column, "column of what an impression brought (flat), or an order (ubi): gives the column "
                                  "revenue, for eval's revenue per impression"),
    EVENTS_COLUMN(propensity_column, "column of the probability with which the item was shown"),
    EVENTS_COLUMN(randomised_column, "column that marks impressions whose positions were randomised"),
    EVENTS_COLUMN(hits_column, "column of the items that a search found, as a JSON list: each is an impression (ubi)"),
    {.name = "carry",
     .type = OPT_LIST,
     .offset = EVENTS_OFFSET(carry),
     .help = "columns of the impressions taken along behind the others",
     .group = "columns"},
    EVENTS_ACTIONS(impression_actions, "impression", "events that show an item"),
    EVENTS_ACTIONS(click_actions, "click,click_through,item_click,product_click", "events that click on an item"),
    EVENTS_ACTIONS(cart_actions, "add_to_cart,addtocart", "events that put an item into the cart"),
    EVENTS_ACTIONS(order_actions, "purchase,order,buy,transaction", "events that buy an item"),
    EVENTS_DURATION(attribution_window, "30m",
                    "a click or order belongs to an impression of its query and item that is no older than this",
                    "sessions"),
    {.name = "delays",
     .type = OPT_BOOL,
     .offset = EVENTS_OFFSET(delays),
     .help =
         "add the column delay_s, the seconds from the click, or else the impression, to the first order: eval takes "
         "shorter attribution windows by it (ubi)",
     .group = "sessions"},
    EVENTS_DURATION(session_gap, "30m", "a longer pause ends a session, and bounds dwell times", "sessions"),
    EVENTS_CHOICE(sessions, "auto", events_sessions_choices,
                  "id: by the session's column; gap: a user's events without a long pause; both: by id, cut at pauses; "
                  "auto: id where there is one, else gap",
                  "sessions"),
    EVENTS_CHOICE(
        label, "click", events_label_choices,
        "1 for a click, an addition to the cart, an order; graded: 0 shown, 1 clicked, 2 in the cart, 3 bought",
        "labels"),
    EVENTS_CHOICE(propensity, "none", events_propensity_choices,
                  "weights 1/propensity: of the log's own column, or of the position, learnt from impressions whose "
                  "positions were randomised",
                  "weights"),
    {.name = "randomised",
     .type = OPT_BOOL,
     .offset = EVENTS_OFFSET(randomised),
     .help = "the positions of the whole log were randomised",
     .group = "weights",
     .aliases = "randomized"},
    {.name = "monotone",
     .type = OPT_BOOL,
     .offset = EVENTS_OFFSET(monotone),
     .help = "learnt propensities never rise with the position",
     .group = "weights"},
    {.name = "smoothing",
     .type = OPT_DOUBLE,
     .offset = EVENTS_OFFSET(smoothing),
     .default_text = "10",
     .min = 0,
     .max = INFINITY,
     .unit = "impressions",
     .help = "added to every position at the overall click rate, where propensities are learnt",
     .group = "weights"},
    {.name = "max_weight",
     .type = OPT_DOUBLE,
     .offset = EVENTS_OFFSET(max_weight),
     .default_text = "100",
     .min = 1,
     .max = INFINITY,
     .help = "larger weights are cut to this",
     .group = "weights"},
    EVENTS_CHOICE(weighted, "auto", events_weighted_choices,
                  "the rows that are weighted: positives are those with a label above 0; auto: all by the log's own "
                  "propensities, positives by learnt ones",
                  "weights"),
    {.name = "output",
     .type = OPT_STRING,
     .offset = offsetof(struct events_command_options, output),
     .help = "file of the table; default: stdout",
     .group = "output",
     .letter = 'o',
     .flags = OPT_FLAG_PATH},
    {.name = "actions_output",
     .type = OPT_STRING,
     .offset = offsetof(struct events_command_options, actions_output),
     .help = "file of the clicks, carts and orders with their own times, for prepare's --history_file (ubi)",
     .group = "output",
     .flags = OPT_FLAG_PATH},
    {.name = "tmp_dir",
     .type = OPT_STRING,
     .offset = EVENTS_OFFSET(tmp_dir),
     .help = "directory of temporary files; default: $TMPDIR, else /tmp",
     .group = "output",
     .flags = OPT_FLAG_PATH},
    {0},
};

static int write_file(void *arg, const char *bytes, size_t length)
{
    return file_write(arg, bytes, length);
}

static int write_stdout(void *arg, const char *bytes, size_t length)
{
    (void)arg;
    (void)length;
    return cmd_print(bytes); /* CSV holds no NUL and is terminated */
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0.0;
}

static void tell_if(uint64_t count, const char *what)
{
    if (count > 0)
        log_info("  %s: %llu", what, (unsigned long long)count);
}

/* Nothing of what the log does not tell. */
static void tell_rate(bool is_known, uint64_t count, uint64_t impressions, const char *what)
{
    if (is_known)
        log_info("  %s: %llu (%.2f %%)", what, (unsigned long long)count, share(count, impressions));
}

static void tell(const struct events_summary *s, const struct events_command_options *o)
{
    log_info("%s %llu, impressions %llu", s->is_ubi ? "events" : "rows", (unsigned long long)s->events,
             (unsigned long long)s->impressions);
    tell_rate(s->knows_clicked, s->clicked, s->impressions, "clicked");
    tell_rate(s->knows_carted, s->carted, s->impressions, "put into the cart");
    tell_rate(s->knows_converted, s->converted, s->impressions, "bought");
    tell_if(s->queries, "searches");
    tell_if(s->sessions, "sessions");
    tell_if(s->repeated, "repeated impressions, taken as one with the first");
    tell_if(s->unseen, "clicks, carts and orders left out: no impression of their query and item before them");
    tell_if(s->late, "clicks, carts and orders left out: longer after the impression than --attribution_window");
    tell_if(s->without_ids, "events left out: no query id or no item");
    tell_if(s->bad_rows, "bad rows left out");
    if (s->without_query < s->impressions)
        tell_if(s->without_query, "impressions without query text");
    tell_if(s->clipped, "weights cut to --max_weight");
    if (s->position_count > 0)
        log_info("  %8s %12s %10s %10s", "position", "impressions", "clicks", "propensity");
    for (size_t i = 0; i < s->position_count; i++)
        log_info("  %8lld %12llu %10llu %10.4f", (long long)s->positions[i].position,
                 (unsigned long long)s->positions[i].impressions, (unsigned long long)s->positions[i].clicks,
                 s->positions[i].propensity);
    if (o->output != NULL)
        log_info("table written to '%s'", o->output);
    if (o->actions_output != NULL)
        log_info("actions written to '%s'", o->actions_output);
}

/* The files get their names once both are complete. */
static int write_tables(const struct events_command_options *o, const char *const *paths, size_t count,
                        struct events_summary *summary)
{
    struct file_writer *table = NULL, *actions = NULL;
    int status = o->output != NULL ? file_writer_open(&table, o->output) : 0;

    if (status == 0 && o->actions_output != NULL)
        status = file_writer_open(&actions, o->actions_output);
    const struct events_output output = {.write = table != NULL ? write_file : write_stdout,
                                         .arg = table,
                                         .write_actions = actions != NULL ? write_file : NULL,
                                         .actions_arg = actions};
    if (status == 0)
        status = events_run(paths, count, &o->events, &o->input, &output, summary);
    if (status == 0 && actions != NULL)
        status = file_writer_commit(&actions);
    if (status == 0 && table != NULL)
        status = file_writer_commit(&table);
    file_writer_abort(&table);
    file_writer_abort(&actions);
    return status;
}

static int run(const struct cmd_ctx *ctx)
{
    const struct events_command_options *o = ctx->options;
    size_t count = (size_t)opt_positional_count(ctx->set);
    const char **paths = mem_calloc(count, sizeof *paths);
    struct events_summary summary;

    if (paths == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        paths[i] = opt_positional(ctx->set, (int)i);
    int status = events_options_check(&o->events);
    if (status == 0)
        status = table_options_check(&o->input);
    if (status == 0)
        status = write_tables(o, paths, count, &summary);
    if (status == 0)
        tell(&summary, o);
    mem_free(paths);
    return status;
}

const struct cmd_spec cmd_events = {
    .name = "events",
    .summary = "make a table of impressions from an event log",
    .positionals = "FILE...",
    .description =
        "Reads logs of what users saw and did, and writes a CSV table with a row an impression, whose columns prepare "
        "knows by name: query, query_id, user_id, session, item_id, position, time, clicked, carted, converted, "
        "dwell_s, depth, propensity, label, weight, then those of --carry. Rows are sorted by time; memory is bounded "
        "whatever the size of the log.\n\n"
        "A log of events (--format ubi: OpenSearch User Behavior Insights 1.x as JSON Lines, or flattened as CSV) is "
        "joined by query id and item, given together with UBI's log of queries where impressions are not logged: what "
        "users did counts for the impression when it comes after it and within "
        "--attribution_window of it. Dwell time is the time from a click to the next later event of the session, depth "
        "the number of items shown for the search. --actions_output writes the clicks and orders themselves, from "
        "which "
        "prepare makes histories without a look into the future. A table of impressions (--format flat) only gets its "
        "columns "
        "renamed, its labels and its weights.\n\n"
        "Weights undo that items further up are clicked more: --propensity learn estimates, from impressions whose "
        "positions were randomised, the click rate of every position relative to the first, and weights clicks by its "
        "inverse (Joachims and others 2017); --propensity column takes the probabilities that the log itself holds.",
    .examples = "reco events ubi_events.jsonl --label graded -o impressions.csv --actions_output actions.csv\n"
                "reco prepare --config configs/ubi.yaml --train_file impressions.csv --history_file actions.csv \\\n"
                "    --items_file products.csv --model_name_or_path models/minilm --output_dir ds\n"
                "reco events random_men.csv --propensity column --carry user_feature_0 -o impressions.csv\n"
                "reco events log.csv --propensity learn --randomised_column explored --monotone",
    .options = options,
    .options_size = sizeof(struct events_command_options),
    .min_positionals = 1,
    .max_positionals = -1,
    .flags = CMD_FLAG_STOPPABLE,
    .run = run,
};
