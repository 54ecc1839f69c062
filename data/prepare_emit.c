#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "data/dataset_format.h"
#include "data/dataset_writer.h"
#include "data/prepare_internal.h"

/* ---- the rows of the dataset in their order
 * --------------------------------------------------------------------------- */

static int next_negative(struct prepare_walk *walk)
{
    walk->more_negatives = false;
    return walk->negatives == NULL ? 0
                                   : prepare_negatives_next(walk->negatives, &walk->negative, &walk->more_negatives);
}

int prepare_walk_begin(struct prepare_walk *walk, struct prepare_whole *w, struct prepare_negatives *negatives)
{
    *walk = (struct prepare_walk){.whole = w, .negatives = negatives};
    int rc = spool_reader_open(&walk->reader, w->spool);
    if (rc == 0 && negatives != NULL)
        rc = prepare_negatives_rewind(negatives);
    return rc < 0 ? rc : next_negative(walk);
}

void prepare_walk_end(struct prepare_walk *walk)
{
    spool_reader_release(&walk->reader);
    buf_release(&walk->columns);
}

static size_t id_length(const char *columns, size_t length)
{
    const char *tab = memchr(columns, '\t', length);

    return tab == NULL ? length : (size_t)(tab - columns);
}

/* Of the positive's columns the row id, with its number behind it, and the query id; the item's id; no events. */
static int give_negative(struct prepare_walk *walk, struct prepare_out_row *out)
{
    const struct spool_row *row = &walk->spooled;
    const struct prepare_negative *negative = &walk->negative;
    const char *columns = row->columns.text;
    size_t length = row->columns.length, id = id_length(columns, length);
    size_t query = id < length ? id_length(columns + id + 1, length - id - 1) : 0;

    buf_clear(&walk->columns);
    int rc = buf_add(&walk->columns, columns, id);
    if (rc == 0)
        rc = buf_printf(&walk->columns, "-%u", (unsigned)negative->ordinal + 1);
    size_t row_id_length = walk->columns.length;
    if (rc == 0)
        rc = buf_add_char(&walk->columns, '\t');
    if (rc == 0)
        rc = buf_add(&walk->columns, columns + id + 1, query);
    if (rc == 0)
        rc = buf_add_char(&walk->columns, '\t');
    if (rc == 0)
        rc = buf_add(&walk->columns, negative->item_id, negative->item_id_length);
    for (size_t i = PREPARE_KEYS; rc == 0 && i < walk->whole->names[PREPARE_TRAIN].count; i++)
        rc = buf_add_char(&walk->columns, '\t');
    *out = (struct prepare_out_row){.side = PREPARE_TRAIN,
                                    .query = row->query,
                                    .description = negative->description,
                                    .label = prepare_negative_class(walk->whole),
                                    .weight = row->weight,
                                    .target = row->target,
                                    .columns = walk->columns.data,
                                    .columns_length = walk->columns.length,
                                    .row_id_length = row_id_length};
    return rc < 0 ? rc : next_negative(walk);
}

int prepare_walk_next(struct prepare_walk *walk, struct prepare_out_row *out, bool *found)
{
    const struct prepare_whole *w = walk->whole;

    *found = true;
    if (walk->in_row && walk->more_negatives && walk->negative.row == walk->next - 1)
        return give_negative(walk, out);
    for (;;) {
        int rc = spool_next(&walk->reader, &walk->spooled, found);
        if (rc < 0 || !*found)
            return rc;
        walk->in_row = true;
        unsigned char verdict = w->verdicts[walk->next++];
        if (PREPARE_RULE_OF(verdict) != PREPARE_RULE_KEPT)
            continue;
        const struct spool_row *row = &walk->spooled;
        *out = (struct prepare_out_row){.side = PREPARE_SIDE(verdict),
                                        .query = row->query,
                                        .description = row->description,
                                        .label = prepare_class_of(w, row),
                                        .weight = row->weight,
                                        .target = row->target,
                                        .columns = row->columns.text,
                                        .columns_length = row->columns.length,
                                        .row_id_length = id_length(row->columns.text, row->columns.length)};
        return 0;
    }
}

/* ---- writing them
 * ------------------------------------------------------------------------------------------------------ */

struct emitting {
    struct prepare_whole *w;
    struct dataset_writer *writer;
    struct text_set_writer *texts; /* of a new text set */
    struct prepare_negatives *negatives;
    struct prepare_balance balance;
    struct prepare_report report;
    size_t split_of[PREPARE_SPLITS]; /* numbers in the writer */
    uint32_t *places;                /* [texts] number in the dataset, TEXT_SET_NONE: not in it */
    uint32_t text_count;
    bool in_order; /* texts came in the order of their numbers */
    struct buf columns;
};

static bool side_is_wanted(const struct prepare_whole *w, enum prepare_split side)
{
    return w->split.on && w->split.sides[side] ? true : prepare_files_of(w->options, side)->count > 0;
}

static int begin_splits(struct emitting *e)
{
    struct prepare_whole *w = e->w;
    size_t number = 0;
    int rc = 0;

    for (int s = 0; rc == 0 && s < PREPARE_SPLITS; s++) {
        /* What is split off the training files has their columns. */
        int from = w->split.on && w->split.sides[s] ? PREPARE_TRAIN : s;
        const struct dataset_writer_split split = {
            .name = prepare_split_names[s],
            .column_names = (const char *const *)w->names[from].names,
            .column_count = w->names[from].count,
            .has_target = w->labels->map.task == LABEL_TASK_REGRESSION && w->has_label[from],
            .has_weight = w->has_weight[from] || (s == PREPARE_TRAIN && e->balance.weights != NULL)};
        if (!side_is_wanted(w, (enum prepare_split)s))
            continue;
        e->split_of[s] = number++;
        rc = dataset_writer_begin_split(e->writer, &split);
    }
    return rc;
}

static uint32_t place_text(struct emitting *e, uint32_t number)
{
    if (number == DATASET_NO_TEXT)
        return number;
    if (e->places[number] == TEXT_SET_NONE) {
        e->in_order = e->in_order && number == e->text_count;
        e->places[number] = e->text_count++;
    }
    return e->places[number];
}

/* copy: from 1; the second and later ones have it behind their id. */
static int emit_row(struct emitting *e, const struct prepare_out_row *row, uint64_t copy)
{
    struct dataset_writer_row out = {.query = place_text(e, row->query),
                                     .label = row->label,
                                     .weight = row->weight,
                                     .target = row->target,
                                     .columns = row->columns,
                                     .columns_length = row->columns_length};
    int rc = 0;

    out.description = place_text(e, row->description); /* after the query */
    if (row->side == PREPARE_TRAIN && row->label >= 0 && e->balance.weights != NULL)
        out.weight = (float)((double)row->weight * e->balance.weights[row->label]);
    if (copy > 1) {
        buf_clear(&e->columns);
        rc = buf_add(&e->columns, row->columns, row->row_id_length);
        if (rc == 0)
            rc = buf_printf(&e->columns, "#%llu", (unsigned long long)copy);
        if (rc == 0)
            rc = buf_add(&e->columns, row->columns + row->row_id_length, row->columns_length - row->row_id_length);
        out.columns = e->columns.data;
        out.columns_length = e->columns.length;
    }
    if (rc == 0)
        rc = dataset_writer_add(e->writer, e->split_of[row->side], &out);
    return rc < 0 ? rc : prepare_report_row(&e->report, e->w, row);
}

static int emit_rows(struct emitting *e)
{
    struct prepare_walk walk = {0};
    struct prepare_out_row row;
    bool found = true;
    int rc = prepare_walk_begin(&walk, e->w, e->negatives);

    for (uint64_t place = 0; rc == 0; place++) {
        rc = prepare_walk_next(&walk, &row, &found);
        if (rc < 0 || !found)
            break;
        uint64_t copies = prepare_balance_copies(&e->balance, &row, place);
        for (uint64_t copy = 1; rc == 0 && copy <= copies; copy++)
            rc = emit_row(e, &row, copy);
        if (rc == 0 && place % 65536 == 65535 && stop_requested())
            rc = err_set(RECO_E_STOPPED, "stopped while writing the rows");
    }
    prepare_walk_end(&walk);
    return rc;
}

/* Small data may leave a side of --split empty. */
static int check_sides(const struct emitting *e)
{
    const struct prepare_whole *w = e->w;

    for (int s = 0; s < PREPARE_SPLITS; s++) {
        if (!side_is_wanted(w, (enum prepare_split)s) || e->report.splits[s].rows > 0)
            continue;
        if (s == PREPARE_TRAIN || !w->split.on)
            return err_set(RECO_E_DATA, "no row is left for %s", prepare_split_names[s]);
        log_warn("--split leaves no row for %s: the dataset has no such split", prepare_split_names[s]);
    }
    return 0;
}

/* ---- the texts that are still there
 * ------------------------------------------------------------------------------------ */

static int put_text(void *arg, uint32_t place, const struct text_set_text *text)
{
    struct emitting *e = arg;

    (void)place;
    return text_set_put(e->texts, text->text, text->length, text->ids, text->id_count);
}

static int write_texts(struct emitting *e, uint64_t *tokens)
{
    struct prepare_whole *w = e->w;
    int rc = text_set_writer_open_put(&e->texts, w->stage, w->id_bytes, w->pool, w->tmp_dir);

    if (rc == 0)
        rc = prepare_texts_walk(&w->texts, e->places, true, w->tmp_dir, w->sort_bytes, put_text, e);
    if (rc == 0)
        rc = text_set_commit(e->texts, dataset_writer_files(e->writer), false);
    if (rc == 0)
        *tokens = text_set_writer_tokens(e->texts);
    return rc;
}

/* The staged text set is that of the dataset as it is: its files move up. */
static int move_texts(struct emitting *e)
{
    struct prepare_whole *w = e->w;
    const char *name;
    json_t *entry;
    int rc = 0;

    json_object_foreach(w->text_files, name, entry)
    {
        char *from = mem_printf("%s/" PREPARE_TEXTS_DIR "/%s", w->stage, name), *to = path_join(w->stage, name);
        if (rc == 0 && (from == NULL || to == NULL))
            rc = RECO_E_NOMEM;
        if (rc == 0)
            rc = rename(from, to) == 0 ? 0 : err_set_errno("cannot write '%s'", to);
        if (rc == 0 && json_object_set(dataset_writer_files(e->writer), name, entry) < 0)
            rc = err_nomem();
        mem_free(from);
        mem_free(to);
    }
    return rc;
}

static int finish_texts(struct emitting *e, uint64_t *tokens)
{
    struct prepare_whole *w = e->w;
    bool all = w->texts_are_staged && w->texts_may_stay && e->in_order && e->text_count == w->texts.count;
    char *dir = mem_printf("%s/" PREPARE_TEXTS_DIR, w->stage);
    int rc = dir == NULL ? RECO_E_NOMEM : 0;

    *tokens = 0;
    for (size_t i = 0; i < w->texts.count; i++)
        *tokens += w->texts.tokens[i];
    if (rc == 0)
        rc = all ? move_texts(e) : write_texts(e, tokens);
    prepare_texts_release(&w->texts);
    if (rc == 0 && w->texts_are_staged)
        rc = dir_remove(dir);
    mem_free(dir);
    return rc;
}

static int write_all(struct emitting *e)
{
    struct prepare_whole *w = e->w;
    uint64_t tokens = 0;
    json_t *options = NULL;
    int rc = emit_rows(e);

    if (rc == 0)
        rc = check_sides(e);
    if (rc == 0)
        rc = finish_texts(e, &tokens);
    if (rc == 0 && (options = prepare_options_json(w->options)) == NULL)
        rc = RECO_E_NOMEM;
    if (rc == 0)
        rc = dataset_writer_commit(
            e->writer, &(struct dataset_writer_whole){.labels = &w->labels->map,
                                                      .tokenizer = w->tokenizer,
                                                      .has_description = prepare_has_description(w->options),
                                                      .texts = e->text_count,
                                                      .tokens = tokens,
                                                      .options = options});
    json_decref(options);
    return rc < 0 ? rc : prepare_report_write(&e->report, w, e->text_count, tokens);
}

int prepare_emit(struct prepare_whole *w)
{
    struct emitting e = {.w = w, .in_order = true};
    int rc = prepare_negatives_draw(&e.negatives, w);

    if (rc == 0)
        rc = prepare_texts_count_tokens(&w->texts);
    if (rc == 0)
        rc = prepare_balance_plan(&e.balance, w, e.negatives);
    if (rc == 0)
        rc = prepare_report_begin(&e.report, w);
    if (rc == 0) {
        e.places = mem_alloc(w->texts.count * sizeof *e.places);
        rc = e.places == NULL ? RECO_E_NOMEM : dataset_writer_open(&e.writer, w->stage, w->tmp_dir);
    }
    for (size_t i = 0; e.places != NULL && i < w->texts.count; i++)
        e.places[i] = TEXT_SET_NONE;
    if (rc == 0)
        rc = begin_splits(&e);
    if (rc == 0)
        rc = write_all(&e);
    dataset_writer_free(e.writer);
    text_set_writer_free(e.texts);
    prepare_negatives_free(e.negatives);
    prepare_balance_release(&e.balance);
    prepare_report_release(&e.report);
    buf_release(&e.columns);
    mem_free(e.places);
    return rc;
}
