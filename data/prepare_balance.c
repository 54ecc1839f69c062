#include <string.h>

#include "core/mem.h"
#include "data/prepare_internal.h"

/* Counts of the classes, then the rows that are there once less or once more: those of the lowest hash in their class,
 * found by sorting. */

static int open_arrays(struct prepare_balance *b)
{
    size_t classes = (size_t)b->classes;

    b->counts = mem_calloc(classes, sizeof *b->counts);
    b->targets = mem_calloc(classes, sizeof *b->targets);
    b->cuts = mem_calloc(classes, sizeof *b->cuts);
    return b->counts == NULL || b->targets == NULL || b->cuts == NULL ? RECO_E_NOMEM : 0;
}

/* Key: class, hash of the row id, place. sorter NULL: only counts. */
static int pass(struct prepare_balance *b, struct prepare_whole *w, struct prepare_negatives *negatives,
                struct sorter *sorter)
{
    struct prepare_walk walk = {0};
    struct prepare_out_row row;
    unsigned char key[24];
    bool found = true;
    int rc = prepare_walk_begin(&walk, w, negatives);

    for (uint64_t place = 0; rc == 0; place++) {
        rc = prepare_walk_next(&walk, &row, &found);
        if (rc < 0 || !found)
            break;
        if (row.side != PREPARE_TRAIN || row.label < 0)
            continue;
        if (sorter == NULL) {
            b->counts[row.label]++;
            continue;
        }
        if (b->targets[row.label] % b->counts[row.label] == 0)
            continue;
        sorter_u64(key, (uint64_t)row.label);
        sorter_u64(key + 8, balance_key(b->options, row.columns, row.row_id_length));
        sorter_u64(key + 16, place);
        rc = sorter_add(sorter, key, sizeof key, NULL, 0);
    }
    prepare_walk_end(&walk);
    return rc;
}

static int find_cuts(struct prepare_balance *b, struct prepare_whole *w, struct prepare_negatives *negatives)
{
    const struct sorter_record *record;
    struct sorter *sorter = NULL;
    uint64_t rank = 0, class = UINT64_MAX;
    int rc = sorter_new(&sorter, w->tmp_dir, w->sort_bytes);

    if (rc == 0)
        rc = pass(b, w, negatives, sorter);
    if (rc == 0)
        rc = sorter_sort(sorter);
    while (rc == 0 && (rc = sorter_next(sorter, &record)) == 0 && record != NULL) {
        uint64_t of = sorter_get_u64(record->key);
        rank = of == class ? rank + 1 : 1;
        class = of;
        if (rank == b->targets[class] % b->counts[class])
            b->cuts[class] =
                (struct balance_cut){sorter_get_u64(record->key + 8), sorter_get_u64(record->key + 16), true};
    }
    sorter_free(sorter);
    return rc;
}

/* A model cannot be trained on one class, whatever the map says. */
static int check_classes(const struct prepare_balance *b, const struct prepare_whole *w)
{
    const char *label = w->files[0].label, *only = NULL;
    int classes = 0;

    for (int i = 0; i < b->classes; i++)
        if (b->counts[i] > 0) {
            only = w->labels->map.names[i];
            classes++;
        }
    if (classes != 1)
        return 0;
    return err_set(RECO_E_DATA, "cannot use %s: only one class: every label is '%s', and %s", label, only,
                   w->options->negative.negatives == NEGATIVE_NONE
                       ? "at least 2 are needed"
                       : "--negatives has no item left that a query does not have already");
}

int prepare_balance_plan(struct prepare_balance *b, struct prepare_whole *w, struct prepare_negatives *negatives)
{
    const struct label_map *map = &w->labels->map;

    *b = (struct prepare_balance){.options = &w->options->balance, .classes = map->count};
    if (map->task == LABEL_TASK_REGRESSION || w->options->train_file.count == 0)
        return 0;
    int rc = open_arrays(b);
    if (rc == 0)
        rc = pass(b, w, negatives, NULL);
    if (rc == 0)
        rc = check_classes(b, w);
    if (rc < 0)
        return rc;
    memcpy(b->targets, b->counts, (size_t)b->classes * sizeof *b->targets);
    b->on = b->options->balance != BALANCE_NONE;
    if (b->on) {
        balance_targets(b->options, b->counts, b->classes, b->targets);
        rc = find_cuts(b, w, negatives);
    }
    for (int i = 0; rc == 0 && i < b->classes; i++) {
        uint64_t count = b->counts[i], target = b->targets[i];
        w->counts.balance_removed += target < count ? count - target : 0;
        w->counts.balance_added += target > count ? target - count : 0;
    }
    if (rc == 0 && b->options->class_weights != NULL) {
        b->weights = mem_calloc((size_t)b->classes, sizeof *b->weights);
        rc = b->weights == NULL ? RECO_E_NOMEM : balance_weights(b->options, map, b->targets, b->weights);
    }
    return rc;
}

void prepare_balance_release(struct prepare_balance *b)
{
    mem_free(b->counts);
    mem_free(b->targets);
    mem_free(b->cuts);
    mem_free(b->weights);
    *b = (struct prepare_balance){0};
}

uint64_t prepare_balance_copies(const struct prepare_balance *b, const struct prepare_out_row *row, uint64_t place)
{
    if (!b->on || row->side != PREPARE_TRAIN || row->label < 0)
        return 1;
    const struct balance_cut *cut = &b->cuts[row->label];
    uint64_t copies = b->targets[row->label] / b->counts[row->label];
    if (!cut->any)
        return copies;
    uint64_t key = balance_key(b->options, row->columns, row->row_id_length);
    return copies + (key < cut->key || (key == cut->key && place <= cut->place));
}
