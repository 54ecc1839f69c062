#include <string.h>

#include "core/mem.h"
#include "core/stop.h"
#include "data/prepare_internal.h"

/*
 * What needs the whole data. Rows are sorted once by query, pair, side of their file, label and place, and read in that
 * order as often as needed: groups of equal pairs lie together, the rows of a label in their order. What a group's end
 * tells about its beginning goes into a temporary file and is applied in the next reading.
 */

enum { KEY_QUERY = 0, KEY_PAIR = 8, KEY_SIDE = 16, KEY_LABEL = 17, KEY_PLACE = 25, KEY_BYTES = 33 };

struct verdict_note { /* of a group: what is to become of its rows */
    uint64_t group;
    uint64_t kept_label; /* NO_LABEL: of no label */
};
#define NO_LABEL 0

struct deciding {
    struct prepare_whole *w;
    struct sorter *pairs, *times;
    struct temp_file *notes; /* struct verdict_note, by group */
    uint64_t note_count;
    bool drop_duplicates, drop_contradictions, drop_leaks, drop_near;
};

int32_t prepare_class_of(const struct prepare_whole *w, const struct spool_row *row)
{
    if (row->label >= 0)
        return w->label_of != NULL ? w->label_of[row->label] : row->label;
    if (row->label == SPOOL_NO_LABEL)
        return -1;
    int found = label_map_find(&w->labels->map, row->reason.text, row->reason.length);
    return found >= 0 ? found : SPOOL_UNKNOWN_LABEL;
}

/* Of equal labels equal, NO_LABEL for a row without. */
uint64_t prepare_label_bits(const struct prepare_whole *w, const struct spool_row *row)
{
    uint64_t bits;

    if (w->labels->map.task == LABEL_TASK_REGRESSION) {
        memcpy(&bits, &row->target, sizeof bits);
        return row->target != row->target ? NO_LABEL : row->target == 0.0 ? 1 : bits;
    }
    return (uint64_t)(prepare_class_of(w, row) + 1);
}

bool prepare_is_kept(const struct prepare_whole *w, uint64_t place)
{
    return PREPARE_RULE_OF(w->verdicts[place]) == PREPARE_RULE_KEPT;
}

void prepare_leave_out(struct prepare_whole *w, uint64_t place, enum prepare_rule rule)
{
    w->verdicts[place] = PREPARE_VERDICT(PREPARE_SIDE(w->verdicts[place]), rule);
    w->counts.left_out[rule]++;
}

int prepare_stopped(uint64_t row)
{
    return row % 65536 == 65535 && stop_requested() ? err_set(RECO_E_STOPPED, "stopped while sorting out the rows") : 0;
}

/* ---- gathering: the keys of the rows, and the side of each where it does not take the others
 * ------------------------------------ */

static int gather_row(struct deciding *d, const struct spool_row *row, uint64_t place)
{
    struct prepare_whole *w = d->w;
    enum prepare_split side = w->files[row->file].split;
    unsigned char key[KEY_BYTES];
    int rc = 0;

    sorter_u64(key + KEY_QUERY, row->query_key);
    sorter_u64(key + KEY_PAIR, row->pair_key);
    key[KEY_SIDE] = (unsigned char)side;
    sorter_u64(key + KEY_LABEL, prepare_label_bits(w, row));
    sorter_u64(key + KEY_PLACE, place);
    rc = sorter_add(d->pairs, key, sizeof key, NULL, 0);
    if (rc < 0 || !w->split.on || side != PREPARE_TRAIN)
        return rc;
    if (w->split.by == SPLIT_BY_TIME && !w->split.timed) {
        sorter_u64(key, (uint64_t)row->time_us ^ 1ull << 63);
        sorter_u64(key + 8, place);
        return sorter_add(d->times, key, 16, NULL, 0);
    }
    int32_t class = w->split.by == SPLIT_BY_STRATIFIED ? prepare_class_of(w, row) : -1;
    int to = w->split.by == SPLIT_BY_TIME
                 ? split_side_by_time(&w->split, row->time_us)
                 : split_side_by_hash(&w->split, w->split.by == SPLIT_BY_QUERY ? row->query_key : row->pair_key,
                                      class >= 0 ? w->labels->map.names[class] : "");
    w->verdicts[place] = PREPARE_VERDICT(to, PREPARE_RULE_KEPT);
    return 0;
}

static int gather(struct deciding *d)
{
    struct spool_reader reader = {0};
    struct spool_row row;
    bool found = true;
    int rc = spool_reader_open(&reader, d->w->spool);

    for (uint64_t i = 0; rc == 0; i++) {
        rc = spool_next(&reader, &row, &found);
        if (rc < 0 || !found)
            break;
        if (prepare_is_kept(d->w, i))
            rc = gather_row(d, &row, i);
        if (rc == 0)
            rc = prepare_stopped(i);
    }
    spool_reader_release(&reader);
    if (rc == 0)
        rc = sorter_sort(d->pairs);
    return rc == 0 && d->times != NULL ? sorter_sort(d->times) : rc;
}

/* ---- notes
 * -------------------------------------------------------------------------------------------------------------- */

static int notes_clear(struct deciding *d)
{
    temp_file_close(d->notes);
    d->notes = NULL;
    d->note_count = 0;
    return temp_file_open(&d->notes, d->w->tmp_dir);
}

static int note(struct deciding *d, uint64_t group, uint64_t kept_label)
{
    const struct verdict_note n = {group, kept_label};

    d->note_count++;
    return temp_file_write(d->notes, &n, sizeof n);
}

struct note_reader {
    struct temp_reader reader;
    struct verdict_note next;
    bool more;
};

static int notes_next(struct note_reader *r)
{
    const unsigned char *bytes;

    r->more = !temp_reader_at_end(&r->reader);
    if (!r->more)
        return 0;
    int rc = temp_reader_get(&r->reader, sizeof r->next, &bytes);
    if (rc == 0)
        memcpy(&r->next, bytes, sizeof r->next);
    return rc;
}

static int notes_read(struct note_reader *r, struct deciding *d)
{
    *r = (struct note_reader){.reader = {.file = d->notes, .end = temp_file_bytes(d->notes)}};
    int rc = temp_file_flush(d->notes);
    return rc < 0 ? rc : notes_next(r);
}

/* ---- contradictions and duplicates: within the files of one split
 * ----------------------------------------------------- */

struct tally { /* of a label in a group */
    uint64_t label, rows, first;
};

struct group {
    unsigned char key[KEY_LABEL];
    uint64_t number;
    struct tally *labels;
    size_t label_count, capacity;
};

static uint64_t kept_label(const struct prepare_whole *w, const struct group *g)
{
    const struct tally *best = NULL;
    bool tie = false;

    if (w->options->clean.contradictions == CLEAN_CONTRADICTIONS_DROP)
        return NO_LABEL;
    for (size_t i = 0; i < g->label_count; i++) {
        const struct tally *t = &g->labels[i];
        if (t->label == NO_LABEL)
            continue;
        bool first = w->options->clean.contradictions == CLEAN_CONTRADICTIONS_FIRST;
        tie = !first && best != NULL && (t->rows == best->rows || (tie && t->rows < best->rows));
        if (best == NULL || (first ? t->first < best->first : t->rows > best->rows))
            best = t;
    }
    return tie ? NO_LABEL : best->label;
}

static int end_group(struct deciding *d, struct group *g)
{
    struct prepare_counts *counts = &d->w->counts;
    uint64_t rows = 0;
    size_t labels = 0;

    for (size_t i = 0; i < g->label_count; i++) {
        counts->duplicate_rows += g->labels[i].rows - 1;
        labels += g->labels[i].label != NO_LABEL;
        rows += g->labels[i].label != NO_LABEL ? g->labels[i].rows : 0;
    }
    if (labels < 2)
        return 0;
    counts->contradictory_pairs++;
    counts->contradictory_rows += rows;
    return d->drop_contradictions ? note(d, g->number, kept_label(d->w, g)) : 0;
}

/* True when the record begins another group. */
static bool next_group(struct group *g, const unsigned char *key, bool *first)
{
    if (!*first && memcmp(g->key, key, sizeof g->key) == 0)
        return false;
    memcpy(g->key, key, sizeof g->key);
    g->number += !*first;
    *first = false;
    return true;
}

static int tally_pairs(struct deciding *d)
{
    const struct sorter_record *record;
    struct group g = {0};
    bool first = true;
    int rc = notes_clear(d);

    while (rc == 0 && (rc = sorter_next(d->pairs, &record)) == 0 && record != NULL) {
        uint64_t label = sorter_get_u64(record->key + KEY_LABEL);
        if (!first && memcmp(g.key, record->key, sizeof g.key) != 0) {
            rc = end_group(d, &g);
            g.label_count = 0;
        }
        (void)next_group(&g, record->key, &first);
        if (rc == 0 && (g.label_count == 0 || g.labels[g.label_count - 1].label != label)) {
            rc = mem_grow((void **)&g.labels, &g.capacity, g.label_count + 1, sizeof *g.labels);
            if (rc == 0)
                g.labels[g.label_count++] =
                    (struct tally){.label = label, .first = sorter_get_u64(record->key + KEY_PLACE)};
        }
        if (rc == 0)
            g.labels[g.label_count - 1].rows++;
    }
    if (rc == 0 && !first)
        rc = end_group(d, &g);
    mem_free(g.labels);
    return rc;
}

static int drop_pairs(struct deciding *d)
{
    const struct sorter_record *record;
    struct note_reader notes = {0};
    struct group g = {0};
    uint64_t last_label = 0;
    bool first = true, same;
    int rc = notes_read(&notes, d);

    if (rc == 0)
        rc = sorter_rewind(d->pairs);
    while (rc == 0 && (rc = sorter_next(d->pairs, &record)) == 0 && record != NULL) {
        uint64_t label = sorter_get_u64(record->key + KEY_LABEL), place = sorter_get_u64(record->key + KEY_PLACE);
        same = !next_group(&g, record->key, &first) && label == last_label;
        last_label = label;
        while (rc == 0 && notes.more && notes.next.group < g.number)
            rc = notes_next(&notes);
        if (notes.more && notes.next.group == g.number && label != NO_LABEL && label != notes.next.kept_label)
            prepare_leave_out(d->w, place, PREPARE_RULE_CONTRADICTIONS);
        else if (same && d->drop_duplicates)
            prepare_leave_out(d->w, place, PREPARE_RULE_DUPLICATES);
    }
    temp_reader_release(&notes.reader);
    return rc;
}

/* ---- sides by time
 * ------------------------------------------------------------------------------------------------------- */

static int split_times(struct deciding *d)
{
    struct prepare_whole *w = d->w;
    const struct sorter_record *record;
    uint64_t kept = 0, seen = 0, places[SPLIT_SIDES - 1];
    int rc = 0;

    while (rc == 0 && (rc = sorter_next(d->times, &record)) == 0 && record != NULL)
        kept += prepare_is_kept(w, sorter_get_u64(record->key + 8));
    split_time_places(&w->split, kept, places);
    for (int i = 0; i < SPLIT_SIDES - 1; i++)
        w->split.before[i] = INT64_MAX;
    if (rc == 0)
        rc = sorter_rewind(d->times);
    while (rc == 0 && (rc = sorter_next(d->times, &record)) == 0 && record != NULL) {
        if (!prepare_is_kept(w, sorter_get_u64(record->key + 8)))
            continue;
        for (int i = 0; i < SPLIT_SIDES - 1; i++)
            if (seen == places[i])
                w->split.before[i] = (int64_t)(sorter_get_u64(record->key) ^ 1ull << 63);
        seen++;
    }
    w->split.timed = true;
    if (rc == 0)
        rc = sorter_rewind(d->times);
    while (rc == 0 && (rc = sorter_next(d->times, &record)) == 0 && record != NULL) {
        uint64_t place = sorter_get_u64(record->key + 8);
        int64_t time_us = (int64_t)(sorter_get_u64(record->key) ^ 1ull << 63);
        w->verdicts[place] =
            PREPARE_VERDICT(split_side_by_time(&w->split, time_us), PREPARE_RULE_OF(w->verdicts[place]));
    }
    return rc;
}

/* ---- leaks
 * -------------------------------------------------------------------------------------------------------------- */

struct leaks {
    uint64_t queries, pairs, rows; /* rows: of training */
};

static bool several(unsigned sides)
{
    return (sides & (sides - 1)) != 0;
}

/* take_notes: of the pairs that are in training and elsewhere, by the number of the pair. */
static int find_leaks(struct deciding *d, struct leaks *found, bool take_notes)
{
    const struct prepare_whole *w = d->w;
    const struct sorter_record *record = NULL;
    unsigned char key[KEY_SIDE] = {0};
    unsigned query_sides = 0, pair_sides = 0;
    uint64_t pair = 0, train_rows = 0;
    int rc = sorter_rewind(d->pairs);

    *found = (struct leaks){0};
    do {
        if (rc == 0)
            rc = sorter_next(d->pairs, &record);
        if (rc < 0)
            break;
        if (record == NULL || memcmp(key, record->key, sizeof key) != 0) {
            bool leaks = several(pair_sides);
            found->pairs += leaks;
            found->rows += leaks ? train_rows : 0;
            if (take_notes && leaks && train_rows > 0)
                rc = note(d, pair, NO_LABEL);
            if (record == NULL || memcmp(key, record->key, KEY_PAIR) != 0) {
                found->queries += several(query_sides);
                query_sides = 0;
            }
            pair++;
            pair_sides = 0;
            train_rows = 0;
        }
        if (record == NULL)
            break;
        memcpy(key, record->key, sizeof key);
        uint64_t place = sorter_get_u64(record->key + KEY_PLACE);
        if (prepare_is_kept(w, place)) {
            enum prepare_split side = PREPARE_SIDE(w->verdicts[place]);
            query_sides |= 1u << side;
            pair_sides |= 1u << side;
            train_rows += side == PREPARE_TRAIN;
        }
    } while (rc == 0);
    return rc;
}

static int drop_leaks(struct deciding *d)
{
    struct prepare_whole *w = d->w;
    const struct sorter_record *record;
    struct note_reader notes = {0};
    unsigned char key[KEY_SIDE] = {0};
    uint64_t pair = 0;
    int rc = notes_read(&notes, d);

    if (rc == 0)
        rc = sorter_rewind(d->pairs);
    while (rc == 0 && (rc = sorter_next(d->pairs, &record)) == 0 && record != NULL) {
        uint64_t place = sorter_get_u64(record->key + KEY_PLACE);
        pair += memcmp(key, record->key, sizeof key) != 0; /* numbered as in find_leaks */
        memcpy(key, record->key, sizeof key);
        while (rc == 0 && notes.more && notes.next.group < pair)
            rc = notes_next(&notes);
        if (notes.more && notes.next.group == pair && prepare_is_kept(w, place) &&
            PREPARE_SIDE(w->verdicts[place]) == PREPARE_TRAIN)
            prepare_leave_out(w, place, PREPARE_RULE_LEAKS);
    }
    temp_reader_release(&notes.reader);
    return rc;
}

static int decide_leaks(struct deciding *d)
{
    struct prepare_whole *w = d->w;
    struct leaks found;
    int rc = notes_clear(d);

    if (rc == 0)
        rc = find_leaks(d, &found, d->drop_leaks);
    if (rc < 0)
        return rc;
    w->counts.queries_on_sides = found.queries;
    w->counts.pairs_on_sides = found.pairs;
    w->counts.leaking_rows = found.rows;
    if (d->note_count > 0) {
        rc = drop_leaks(d);
        if (rc == 0 && w->options->strict)
            rc = find_leaks(d, &found, false);
    }
    if (rc == 0 && w->options->strict && found.queries + found.pairs > 0)
        rc = err_set(RECO_E_DATA,
                     "%llu queries and %llu pairs of query and description are on more than one side of training, "
                     "validation and test (--strict): split by query, or clean with 'leaks'",
                     (unsigned long long)found.queries, (unsigned long long)found.pairs);
    return rc;
}

int prepare_decide(struct prepare_whole *w)
{
    struct deciding d = {.w = w};
    const struct cleaner *c = w->cleaner;
    int rc = sorter_new(&d.pairs, w->tmp_dir, w->sort_bytes);

    d.drop_duplicates = c != NULL && cleaner_has(c, "duplicates");
    d.drop_contradictions = c != NULL && cleaner_has(c, "contradictions");
    d.drop_near = c != NULL && cleaner_has(c, "near_duplicates");
    d.drop_leaks = c != NULL && cleaner_has(c, "leaks");
    if (rc == 0 && w->split.on && w->split.by == SPLIT_BY_TIME && !w->split.timed)
        rc = sorter_new(&d.times, w->tmp_dir, w->sort_bytes);
    if (rc == 0)
        rc = gather(&d);
    if (rc == 0)
        rc = tally_pairs(&d);
    if (rc == 0 && (d.note_count > 0 || (d.drop_duplicates && w->counts.duplicate_rows > 0)))
        rc = drop_pairs(&d);
    if (rc == 0 && d.drop_near)
        rc = prepare_drop_near(w);
    if (rc == 0 && d.times != NULL)
        rc = split_times(&d);
    if (rc == 0)
        rc = decide_leaks(&d);
    sorter_free(d.pairs);
    sorter_free(d.times);
    temp_file_close(d.notes);
    return rc;
}
