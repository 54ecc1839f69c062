#include <string.h>

#include "core/json_file.h"
#include "core/mem.h"
#include "data/dataset_format.h"
#include "data/prepare_internal.h"

static const char *const truncation_names[] = {"longest_first", "only_second"};
static const char *const rule_names[PREPARE_RULES] = {[PREPARE_RULE_CONTRADICTIONS] = "contradictions",
                                                      [PREPARE_RULE_DUPLICATES] = "duplicates",
                                                      [PREPARE_RULE_NEAR_DUPLICATES] = "near_duplicates",
                                                      [PREPARE_RULE_LEAKS] = "leaks"};

/* ---- the rows of the splits, as they are written
 * ------------------------------------------------------------------------- */

int prepare_report_begin(struct prepare_report *r, const struct prepare_whole *w)
{
    for (int s = 0; s < PREPARE_SPLITS; s++) {
        r->splits[s].label_counts = mem_calloc((size_t)w->labels->map.count, sizeof(uint64_t));
        if (r->splits[s].label_counts == NULL)
            return RECO_E_NOMEM;
    }
    return 0;
}

void prepare_report_release(struct prepare_report *r)
{
    for (int s = 0; s < PREPARE_SPLITS; s++) {
        mem_free(r->splits[s].label_counts);
        mem_free(r->splits[s].histogram);
    }
    *r = (struct prepare_report){0};
}

static int count_length(struct prepare_split_report *s, size_t length)
{
    size_t before = s->histogram_capacity;
    int rc = mem_grow((void **)&s->histogram, &s->histogram_capacity, length + 1, sizeof *s->histogram);

    if (rc < 0)
        return rc;
    memset(s->histogram + before, 0, (s->histogram_capacity - before) * sizeof *s->histogram);
    s->histogram[length]++;
    s->longest = length > s->longest ? length : s->longest;
    s->total += length;
    return 0;
}

int prepare_report_row(struct prepare_report *r, const struct prepare_whole *w, const struct prepare_out_row *row)
{
    struct prepare_split_report *s = &r->splits[row->side];
    const struct prepare_options *o = w->options;
    bool pair = row->description != DATASET_NO_TEXT;
    size_t query = w->texts.tokens[row->query], description = pair ? w->texts.tokens[row->description] : 0;
    int rc = count_length(s, query + description + (pair ? 3 : 2));

    s->rows++;
    if (row->label >= 0)
        s->label_counts[row->label]++;
    else
        s->unlabelled++;
    if (rc < 0 || o->max_seq_length <= 0)
        return rc;
    size_t query_kept = query, description_kept = description;
    rc = wordpiece_truncate(&query_kept, &description_kept, pair, (size_t)o->max_seq_length,
                            (enum wordpiece_truncation)o->truncation);
    if (rc == RECO_E_DATA) { /* the query alone is too long: training will refuse the row */
        s->query_too_long++;
        return 0;
    }
    s->truncated += query_kept + description_kept < query + description;
    s->query_lost += query - query_kept;
    s->description_lost += description - description_kept;
    return rc;
}

/* The least length that at least percent of the rows do not exceed (nearest rank). */
static json_int_t percentile(const struct prepare_split_report *s, unsigned percent)
{
    uint64_t rank = (s->rows * percent + 99) / 100, seen = 0;

    for (size_t i = 0; i <= s->longest; i++) {
        seen += s->histogram[i];
        if (seen >= rank)
            return (json_int_t)i;
    }
    return (json_int_t)s->longest;
}

static json_t *lengths_json(const struct prepare_split_report *s)
{
    return json_pack("{s:f, s:I, s:I, s:I, s:I, s:I}", "mean", (double)s->total / (double)s->rows, "p50",
                     percentile(s, 50), "p90", percentile(s, 90), "p95", percentile(s, 95), "p99", percentile(s, 99),
                     "max", (json_int_t)s->longest);
}

/* ---- prepare.json
 * -------------------------------------------------------------------------------------------------------- */

static json_t *label_counts_json(const struct prepare_split_report *s, const struct label_map *map)
{
    json_t *json = json_array();

    for (int i = 0; json != NULL && i < map->count; i++) {
        json_t *entry = json_pack("{s:s, s:I}", "label", map->names[i], "rows", (json_int_t)s->label_counts[i]);
        if (json_array_append_new(json, entry) < 0) {
            json_decref(json);
            json = NULL;
        }
    }
    return json;
}

/* The files of a split, joined by commas. */
static json_t *files_json(const struct prepare_whole *w, enum prepare_split split)
{
    struct buf names = {0};
    json_t *json = NULL;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < w->file_count; i++)
        if (w->files[i].split == split)
            rc = buf_printf(&names, "%s%s", names.length > 0 ? "," : "", w->files[i].path);
    if (rc == 0)
        json = names.length > 0 ? prepare_text_json(buf_str(&names)) : json_null();
    buf_release(&names);
    return json;
}

static int split_json(json_t *splits, const struct prepare_split_report *s, const struct prepare_whole *w,
                      enum prepare_split split, struct prepare_summary *summary)
{
    const struct prepare_options *o = w->options;
    struct prepare_file_counts counts = {0};

    for (size_t i = 0; i < w->file_count; i++)
        if (w->files[i].split == split) {
            counts.rows_read += w->counts.files[i].rows_read;
            counts.rows_bad += w->counts.files[i].rows_bad;
        }
    json_t *json = json_pack(
        "{s:s, s:o, s:I, s:I, s:I, s:o, s:I, s:o, s:I, s:s, s:I, s:I, s:I, s:I}", "name", prepare_split_names[split],
        "file", files_json(w, split), "rows_read", (json_int_t)counts.rows_read, "rows_kept", (json_int_t)s->rows,
        "rows_bad", (json_int_t)counts.rows_bad, "labels", label_counts_json(s, &w->labels->map), "rows_without_label",
        w->labels->map.task == LABEL_TASK_REGRESSION ? 0 : (json_int_t)s->unlabelled, "tokens_per_row", lengths_json(s),
        "max_seq_length", (json_int_t)o->max_seq_length, "truncation", truncation_names[o->truncation],
        "rows_truncated", (json_int_t)s->truncated, "query_tokens_lost", (json_int_t)s->query_lost,
        "description_tokens_lost", (json_int_t)s->description_lost, "rows_with_query_too_long",
        (json_int_t)s->query_too_long);
    summary->rows_read += counts.rows_read;
    summary->rows_kept += s->rows;
    summary->rows_bad += counts.rows_bad;
    summary->rows_truncated += s->truncated;
    summary->tokens_lost += s->query_lost + s->description_lost;
    return json_array_append_new(splits, json) < 0 ? err_nomem() : 0;
}

static json_t *rules_json(const struct prepare_whole *w)
{
    json_t *json = json_array();
    int failed = json == NULL;

    for (size_t i = 0; !failed && i < clean_rule_count(); i++) {
        const struct clean_rule_info *info = clean_rule_at(i);
        if (info->stage == CLEAN_STAGE_SET || w->cleaner == NULL || !cleaner_is_on(w->cleaner, i))
            continue;
        failed = json_array_append_new(json, json_pack("{s:s, s:I, s:I}", "rule", info->name, "rows_changed",
                                                       (json_int_t)w->counts.changed[i], "rows_left_out",
                                                       (json_int_t)w->counts.dropped[i]));
    }
    for (int r = PREPARE_RULE_CONTRADICTIONS; !failed && r < PREPARE_RULES; r++)
        if (w->cleaner != NULL && cleaner_has(w->cleaner, rule_names[r]))
            failed = json_array_append_new(json, json_pack("{s:s, s:I, s:I}", "rule", rule_names[r], "rows_changed",
                                                           (json_int_t)0, "rows_left_out",
                                                           (json_int_t)w->counts.left_out[r]));
    if (failed) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *found_json(const struct prepare_counts *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "duplicate_rows", (json_int_t)c->duplicate_rows,
                     "contradictory_pairs", (json_int_t)c->contradictory_pairs, "contradictory_rows",
                     (json_int_t)c->contradictory_rows, "queries_on_several_sides", (json_int_t)c->queries_on_sides,
                     "pairs_on_several_sides", (json_int_t)c->pairs_on_sides, "training_rows_of_such_pairs",
                     (json_int_t)c->leaking_rows);
}

static int write_json(const json_t *json, const char *dir)
{
    char *path = path_join(dir, PREPARE_JSON_FILE);
    int rc = path == NULL ? RECO_E_NOMEM : json_file_write(path, json, JSON_INDENT(2) | JSON_REAL_PRECISION(6));

    mem_free(path);
    return rc;
}

int prepare_report_write(const struct prepare_report *r, struct prepare_whole *w, uint64_t texts, uint64_t tokens)
{
    const struct prepare_counts *c = &w->counts;
    json_t *splits = json_array();
    int rc = splits == NULL ? err_nomem() : 0;

    for (int s = 0; rc == 0 && s < PREPARE_SPLITS; s++)
        if (r->splits[s].rows > 0)
            rc = split_json(splits, &r->splits[s], w, (enum prepare_split)s, &w->summary);
    if (rc < 0) {
        json_decref(splits);
        return rc;
    }
    w->summary.distinct_texts = texts;
    w->summary.tokens = tokens;
    json_t *json = json_pack("{s:o, s:o, s:o, s:{s:I, s:I, s:I}, s:{s:I, s:I}, s:I, s:I}", "splits", splits, "cleaning",
                             rules_json(w), "found", found_json(c), "negatives", "added",
                             (json_int_t)c->negatives_drawn, "missing", (json_int_t)c->negatives_missing,
                             "drawn_from_all_items", (json_int_t)c->negatives_fallbacks, "balance", "rows_left_out",
                             (json_int_t)c->balance_removed, "rows_repeated", (json_int_t)c->balance_added,
                             "distinct_texts", (json_int_t)texts, "tokens", (json_int_t)tokens);
    rc = json == NULL ? err_nomem() : write_json(json, w->stage);
    json_decref(json);
    return rc;
}

/* ---- for people
 * ------------------------------------------------------------------------------------------------------------ */

static long long number(const json_t *json, const char *name)
{
    return (long long)json_integer_value(json_object_get(json, name));
}

static const char *text(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static int report_split(struct buf *b, const json_t *split)
{
    const json_t *labels = json_object_get(split, "labels"), *tokens = json_object_get(split, "tokens_per_row");
    long long kept = number(split, "rows_kept"), truncated = number(split, "rows_truncated");
    const char *file = text(split, "file");
    int rc;

    if (file == NULL)
        rc = buf_printf(b, "%s: %lld rows split off\n", text(split, "name"), kept);
    else
        rc = buf_printf(b, "%s: %lld rows read from %s, %lld kept, %lld bad\n", text(split, "name"),
                        number(split, "rows_read"), strcmp(file, "-") == 0 ? "stdin" : file, kept,
                        number(split, "rows_bad"));
    for (size_t i = 0; rc == 0 && i < json_array_size(labels) && number(split, "rows_without_label") < kept; i++) {
        const json_t *label = json_array_get(labels, i);
        rc = buf_printf(b, "  label %-20s %10lld  %5.1f %%\n", text(label, "label"), number(label, "rows"),
                        kept > 0 ? 100.0 * (double)number(label, "rows") / (double)kept : 0.0);
    }
    if (rc == 0 && number(split, "rows_without_label") > 0)
        rc = buf_printf(b, "  %-26s %10lld\n", "without a label", number(split, "rows_without_label"));
    if (rc == 0)
        rc = buf_printf(
            b, "  tokens a row: mean %.1f, half up to %lld, 90 %% up to %lld, 99 %% up to %lld, at most %lld\n",
            json_number_value(json_object_get(tokens, "mean")), number(tokens, "p50"), number(tokens, "p90"),
            number(tokens, "p99"), number(tokens, "max"));
    if (rc == 0 && number(split, "max_seq_length") > 0)
        rc = buf_printf(
            b, "  at --max_seq_length %lld (%s): %lld rows cut (%.1f %%), tokens lost: query %lld, description %lld\n",
            number(split, "max_seq_length"), text(split, "truncation"), truncated,
            kept > 0 ? 100.0 * (double)truncated / (double)kept : 0.0, number(split, "query_tokens_lost"),
            number(split, "description_tokens_lost"));
    if (rc == 0 && number(split, "rows_with_query_too_long") > 0)
        rc = buf_printf(b, "  query alone too long, which training would refuse: %lld\n",
                        number(split, "rows_with_query_too_long"));
    return rc;
}

static int report_rules(struct buf *b, const json_t *json)
{
    const json_t *rules = json_object_get(json, "cleaning"), *negatives = json_object_get(json, "negatives");
    const json_t *balance = json_object_get(json, "balance");
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        rc = buf_printf(b, "cleaning, %-18s %10lld rows changed %10lld rows left out\n", text(rule, "rule"),
                        number(rule, "rows_changed"), number(rule, "rows_left_out"));
    }
    if (rc == 0 && number(negatives, "added") + number(negatives, "missing") > 0)
        rc = buf_printf(b, "negatives: %lld rows added, %lld wanted in vain, %lld drawn from all items\n",
                        number(negatives, "added"), number(negatives, "missing"),
                        number(negatives, "drawn_from_all_items"));
    if (rc == 0 && number(balance, "rows_left_out") + number(balance, "rows_repeated") > 0)
        rc = buf_printf(b, "balance: %lld rows left out, %lld repeated\n", number(balance, "rows_left_out"),
                        number(balance, "rows_repeated"));
    return rc;
}

/* Only what was found: most data have some of it. */
static int report_found(struct buf *b, const json_t *found)
{
    int rc = 0;

    if (number(found, "duplicate_rows") > 0)
        rc = buf_printf(b, "found: %lld duplicate rows (same query, description and label)\n",
                        number(found, "duplicate_rows"));
    if (rc == 0 && number(found, "contradictory_pairs") > 0)
        rc = buf_printf(b, "found: %lld pairs with different labels, in %lld rows\n",
                        number(found, "contradictory_pairs"), number(found, "contradictory_rows"));
    if (rc == 0 && number(found, "queries_on_several_sides") > 0)
        rc = buf_printf(b,
                        "found: %lld queries and %lld pairs on more than one side of training, validation and test "
                        "(%lld training rows)\n",
                        number(found, "queries_on_several_sides"), number(found, "pairs_on_several_sides"),
                        number(found, "training_rows_of_such_pairs"));
    return rc;
}

int prepare_report_text(const char *dataset_dir, struct buf *b)
{
    enum { MAX_BYTES = 64 * 1024 * 1024 };
    json_t *json = NULL;
    char *path = path_join(dataset_dir, PREPARE_JSON_FILE);
    int rc = path == NULL ? RECO_E_NOMEM : json_file_read(&json, path, MAX_BYTES, RECO_E_DATA);

    const json_t *splits = json_object_get(json, "splits");
    for (size_t i = 0; rc == 0 && i < json_array_size(splits); i++)
        rc = report_split(b, json_array_get(splits, i));
    if (rc == 0)
        rc = report_rules(b, json);
    if (rc == 0)
        rc = report_found(b, json_object_get(json, "found"));
    if (rc == 0)
        rc =
            buf_printf(b, "%lld distinct texts, %lld tokens\n", number(json, "distinct_texts"), number(json, "tokens"));
    json_decref(json);
    mem_free(path);
    return rc;
}
