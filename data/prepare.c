#include "data/prepare.h"

#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "data/dataset_writer.h"
#include "data/prepare_internal.h"

enum { SORT_SHARE = 6 }; /* of max_memory, for one sorter: two work at a time, and other things take memory, too */

size_t prepare_sort_bytes(int64_t max_memory)
{
    return (size_t)(max_memory > 0 ? max_memory : (int64_t)1 << 30) / SORT_SHARE;
}

int prepare_pool_of(struct pool **out, int64_t threads)
{
    return pool_new(out, threads > 0 ? (int)threads : cpu_count());
}

struct prepare_file_facts *prepare_facts_of(const struct prepare_inputs *in)
{
    struct prepare_file_facts *facts = mem_calloc(in->count, sizeof *facts);

    for (size_t i = 0; facts != NULL && i < in->count; i++)
        facts[i] = (struct prepare_file_facts){
            .path = in->files[i].path, .label = in->files[i].label, .split = in->files[i].split};
    return facts;
}

int prepare_cleaner_new(struct cleaner **out, const struct prepare_options *o)
{
    struct cleaner *c = NULL;
    bool any = false;
    int rc = cleaner_new(&c, &o->clean);

    *out = NULL;
    for (size_t i = 0; rc == 0 && i < clean_rule_count(); i++)
        any = any || cleaner_is_on(c, i);
    if (rc == 0 && any)
        *out = c;
    else
        cleaner_free(c);
    return rc;
}

/* ---- from a spool and its texts to a dataset
 * ------------------------------------------------------------------------------ */

int prepare_whole_begin(struct prepare_whole *w)
{
    static const char header[] = "file\tline\treason\trow\n";
    size_t length = strlen(w->output_dir);
    int rc = dir_stage_begin(&w->stage, w->output_dir);

    if (rc < 0)
        return rc;
    while (length > 1 && w->output_dir[length - 1] == '/')
        length--;
    w->reject_copy = mem_printf("%.*s." PREPARE_REJECTS_FILE, (int)length, w->output_dir);
    w->rejects_path = path_join(w->stage, PREPARE_REJECTS_FILE);
    if (w->reject_copy == NULL || w->rejects_path == NULL)
        return RECO_E_NOMEM;
    rc = file_writer_open(&w->rejects, w->rejects_path);
    return rc < 0 ? rc : file_write(w->rejects, header, sizeof header - 1);
}

static int open_counts(struct prepare_whole *w)
{
    w->counts.files = mem_calloc(w->file_count, sizeof *w->counts.files);
    w->counts.changed = mem_calloc(clean_rule_count(), sizeof *w->counts.changed);
    w->counts.dropped = mem_calloc(clean_rule_count(), sizeof *w->counts.dropped);
    return w->counts.files == NULL || w->counts.changed == NULL || w->counts.dropped == NULL ? RECO_E_NOMEM : 0;
}

int prepare_whole_finish(struct prepare_whole *w)
{
    int rc = open_counts(w);

    if (rc == 0)
        rc = prepare_screen(w);
    if (rc == 0)
        rc = prepare_decide(w);
    if (rc == 0)
        rc = prepare_emit(w);
    if (rc == 0)
        rc = file_writer_commit(&w->rejects);
    if (rc == 0)
        rc = dir_stage_commit(w->stage, w->output_dir);
    if (rc < 0)
        return rc;
    mem_free(w->stage);
    w->stage = NULL;
    if (file_remove(w->reject_copy) < 0) /* of a former attempt; the dataset stands all the same */
        log_warn("%s", err_message());
    return 0;
}

void prepare_whole_end(struct prepare_whole *w)
{
    file_writer_abort(&w->rejects);
    dir_stage_abort(w->stage);
    prepare_texts_release(&w->texts);
    spool_writer_free(w->spool);
    temp_file_close(w->verdict_file);
    json_decref(w->text_files);
    mem_free(w->label_of);
    mem_free(w->counts.files);
    mem_free(w->counts.changed);
    mem_free(w->counts.dropped);
    mem_free(w->stage);
    mem_free(w->rejects_path);
    mem_free(w->reject_copy);
}

/* ---- prepare in one go
 * ---------------------------------------------------------------------------------------------------- */

struct run {
    struct prepare_whole whole;
    const struct wordpiece *wp;
    struct prepare_inputs in;
    struct prepare_labels labels;
    struct prepare_file_facts *facts;
    struct cleaner *cleaner;
    struct pool *pool;
    struct text_set_writer *texts;
    char *texts_dir;
};

/* Rules that leave out rows which have been read: some of their texts usually go with them. */
static bool may_lose_texts(const struct prepare_whole *w)
{
    bool rule = w->options->balance.balance == BALANCE_UNDER;

    for (size_t i = 0; w->cleaner != NULL && i < clean_rule_count(); i++)
        rule = rule || (clean_rule_at(i)->stage == CLEAN_STAGE_SET && cleaner_is_on(w->cleaner, i));
    return rule;
}

/* The map step. Its texts go where they stay if no rule takes one of them away. */
static int map_all(struct run *run)
{
    struct prepare_whole *w = &run->whole;
    const struct prepare_map map = {.options = w->options,
                                    .labels = &run->labels,
                                    .cleaner = run->cleaner,
                                    .has_description = prepare_has_description(w->options),
                                    .first_split = w->first_split};
    struct text_set *set = NULL;

    w->texts_may_stay = !may_lose_texts(w);
    run->texts_dir = path_join(w->stage, PREPARE_TEXTS_DIR);
    w->text_files = json_object();
    int rc = run->texts_dir == NULL || w->text_files == NULL ? err_nomem() : dir_make(run->texts_dir);
    if (rc == 0)
        rc = text_set_writer_open(&run->texts, run->texts_dir, run->wp, run->pool, w->tmp_dir, !w->texts_may_stay);
    if (rc == 0)
        rc = spool_writer_open(&w->spool, w->tmp_dir);
    if (rc == 0) {
        const struct prepare_sink sink = {.spool = w->spool, .texts = run->texts, .labels = &run->labels};
        rc = prepare_map_files(&map, &run->in, run->pool, &sink);
    }
    if (rc == 0)
        rc = text_set_commit(run->texts, w->text_files, false);
    text_set_writer_free(run->texts);
    run->texts = NULL;
    w->texts_are_staged = true;
    if (rc == 0)
        rc = text_set_open(&set, run->texts_dir, false);
    return rc < 0 ? rc : prepare_texts_one(&w->texts, set);
}

/* What is known of the files before they are read. */
static int begin(struct run *run)
{
    struct prepare_whole *w = &run->whole;

    run->facts = prepare_facts_of(&run->in);
    if (run->facts == NULL)
        return RECO_E_NOMEM;
    w->files = run->facts;
    w->file_count = run->in.count;
    w->names = run->in.names;
    w->has_weight = run->in.has_weight;
    w->has_label = run->in.has_label;
    w->first_split = run->facts[0].split;
    w->labels = &run->labels;
    int rc = prepare_cleaner_new(&run->cleaner, w->options);
    w->cleaner = run->cleaner;
    if (rc == 0)
        rc = prepare_pool_of(&run->pool, w->options->threads);
    w->pool = run->pool;
    return rc < 0 ? rc : prepare_whole_begin(w);
}

int prepare_split_of(struct split *split, const struct prepare_options *o)
{
    struct split_options options = o->split;

    options.time_column = o->assemble.time_column;
    return split_init(split, &options);
}

int prepare_run(const struct prepare_options *options, const struct wordpiece *wp, const struct label_map *labels,
                const char *output_dir, struct prepare_summary *summary)
{
    struct run run = {.wp = wp,
                      .whole = {.options = options,
                                .id_bytes = text_set_id_bytes(wp),
                                .tmp_dir = options->tmp_dir,
                                .sort_bytes = prepare_sort_bytes(options->max_memory),
                                .output_dir = output_dir}};
    json_t *tokenizer = dataset_tokenizer_json(wp);
    int rc = tokenizer == NULL ? err_nomem() : prepare_options_check(options);

    run.whole.tokenizer = tokenizer;

    if (rc == 0)
        rc = prepare_split_of(&run.whole.split, options);
    if (rc == 0)
        rc = prepare_inputs_open(&run.in, options);
    if (rc == 0)
        rc = prepare_labels_init(&run.labels, options, labels);
    if (rc == 0)
        rc = begin(&run);
    if (rc == 0)
        rc = map_all(&run);
    if (rc == 0)
        rc = prepare_whole_finish(&run.whole);
    if (rc == 0 && summary != NULL)
        *summary = run.whole.summary;
    json_decref(tokenizer);
    text_set_writer_free(run.texts);
    prepare_whole_end(&run.whole);
    prepare_labels_release(&run.labels);
    prepare_inputs_close(&run.in);
    cleaner_free(run.cleaner);
    pool_free(run.pool);
    mem_free(run.facts);
    mem_free(run.texts_dir);
    return rc;
}
