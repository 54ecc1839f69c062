#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/stop.h"
#include "data/doctor_internal.h"

/*
 * Rows against each other, from records sorted by query, description, whole row, place: rows of a query lie together,
 * within them those of a pair, within them equal rows.
 */

enum { PAIR_VALUE = 6, FIRST_TEXT = 160 };

struct record {
    uint64_t query, description, row, place;
    uint32_t spelling;
    uint16_t class;
    const char *excerpt;
    size_t excerpt_length;
};

struct in_file { /* of the query or pair in progress */
    uint64_t rows, items, labelled, positives, first_place;
    uint16_t class;
    bool classes_differ;
};

struct walk {
    struct doctor *d;
    struct doctor_whole *w;
    uint16_t positive; /* the highest class, or none */
    struct in_file query[DOCTOR_FILES_MAX], pair[DOCTOR_FILES_MAX];
    uint64_t query_rows, pair_rows;
    struct record first_of_query, first_of_pair, last; /* without excerpt */
    char query_text[FIRST_TEXT], pair_text[FIRST_TEXT];
    bool spelt_otherwise, contradiction;
    struct buf text;
};

static void parse(struct record *r, const struct sorter_record *sorted)
{
    r->query = sorter_get_u64(sorted->key);
    r->description = sorter_get_u64(sorted->key + 8);
    r->row = sorter_get_u64(sorted->key + 16);
    r->place = sorter_get_u64(sorted->key + 24);
    memcpy(&r->spelling, sorted->value, 4);
    memcpy(&r->class, sorted->value + 4, 2);
    r->excerpt = (const char *)sorted->value + PAIR_VALUE;
    r->excerpt_length = sorted->value_length - PAIR_VALUE;
}

static void keep_text(char *out, const struct record *r)
{
    size_t length = r->excerpt_length < FIRST_TEXT - 1 ? r->excerpt_length : FIRST_TEXT - 1;

    while (length < r->excerpt_length && length > 0 && (r->excerpt[length] & 0xC0) == 0x80)
        length--;
    memcpy(out, r->excerpt, length);
    out[length] = '\0';
}

/* The query's part of the excerpt. */
static void keep_query(char *out, const struct record *r)
{
    keep_text(out, r);
    char *end = strstr(out, " | ");
    if (end != NULL)
        *end = '\0';
}

static const char *class_name(const struct walk *walk, uint16_t class)
{
    return class == DOCTOR_NO_CLASS ? "" : doctor_labels_name(walk->d->labels, class);
}

/* "as line 12: text", or "as b.csv line 12: text" for a row of another file. */
static int as_line(struct walk *walk, uint64_t place, uint64_t other, const char *text)
{
    size_t file = doctor_place_file(other);

    buf_clear(&walk->text);
    if (file == doctor_place_file(place))
        return buf_printf(&walk->text, "as line %llu: %s", (unsigned long long)doctor_place_line(other), text);
    return buf_printf(&walk->text, "as %s line %llu: %s", walk->d->files[file].name,
                      (unsigned long long)doctor_place_line(other), text);
}

static int found_again(struct walk *walk, enum doctor_rule_id rule, uint64_t place, uint64_t other, const char *text)
{
    struct doctor_tallies *t = &walk->d->tallies;
    int rc = doctor_tally_add(t, rule, 0, doctor_place_file(place), 1);

    if (rc < 0 || !doctor_tally_wants(t, rule, 0, place))
        return rc;
    rc = as_line(walk, place, other, text);
    return rc < 0 ? rc : doctor_tally_example(t, rule, 0, place, buf_str(&walk->text));
}

/* The group in progress is in files a and b: the first rows of both as an example. */
static int leak(struct walk *walk, enum doctor_rule_id rule, const struct in_file *in, size_t a, size_t b,
                const char *text)
{
    struct doctor_tallies *t = &walk->d->tallies;
    size_t slot = doctor_leak_slot(a, b);
    int rc = doctor_tally_add(t, rule, slot, b, in[b].rows);

    if (rc < 0 || !doctor_tally_wants(t, rule, slot, in[b].first_place))
        return rc;
    rc = as_line(walk, in[b].first_place, in[a].first_place, text);
    return rc < 0 ? rc : doctor_tally_example(t, rule, slot, in[b].first_place, buf_str(&walk->text));
}

/* One more row of the group in a file. */
static void count_row(struct in_file *in, uint64_t place)
{
    if (in->rows++ == 0 || place < in->first_place)
        in->first_place = place;
}

/* ---- pairs ---- */

static int end_pair(struct walk *walk)
{
    struct doctor *d = walk->d;
    int rc = 0;

    if (walk->contradiction) {
        walk->w->contradictory_pairs++;
        for (size_t f = 0; rc == 0 && f < d->file_count; f++) {
            if (walk->pair[f].rows > 0)
                rc = doctor_tally_add(&d->tallies, DOCTOR_CONTRADICTIONS, 0, f, walk->pair[f].rows);
        }
    }
    for (size_t a = 0; a < d->file_count; a++) {
        for (size_t b = a + 1; rc == 0 && walk->pair[a].rows > 0 && b < d->file_count; b++) {
            if (walk->pair[b].rows == 0)
                continue;
            walk->w->overlaps[a][b].pair_rows += walk->pair[b].rows;
            walk->w->overlaps[a][b].pairs++;
            rc = leak(walk, DOCTOR_LEAK_PAIRS, walk->pair, a, b, walk->pair_text);
        }
    }
    memset(walk->pair, 0, d->file_count * sizeof *walk->pair);
    walk->pair_rows = 0;
    walk->contradiction = false;
    return rc;
}

static int contradiction(struct walk *walk, const struct record *r)
{
    struct doctor_tallies *t = &walk->d->tallies;
    const struct record *first = &walk->first_of_pair;

    walk->contradiction = true;
    if (!doctor_tally_wants(t, DOCTOR_CONTRADICTIONS, 0, r->place))
        return 0;
    buf_clear(&walk->text);
    int rc = buf_printf(&walk->text, "'%s', but '%s' ", class_name(walk, r->class), class_name(walk, first->class));
    if (rc == 0 && doctor_place_file(first->place) != doctor_place_file(r->place))
        rc = buf_printf(&walk->text, "in %s ", walk->d->files[doctor_place_file(first->place)].name);
    if (rc == 0)
        rc = buf_printf(&walk->text, "in line %llu: %s", (unsigned long long)doctor_place_line(first->place),
                        walk->pair_text);
    return rc < 0 ? rc : doctor_tally_example(t, DOCTOR_CONTRADICTIONS, 0, r->place, buf_str(&walk->text));
}

static int row_of_pair(struct walk *walk, const struct record *r)
{
    size_t file = doctor_place_file(r->place);
    int rc = 0;

    if (walk->pair_rows == 0) {
        walk->first_of_pair = *r;
        keep_text(walk->pair_text, r);
        walk->query[file].items++;
    } else {
        bool known = r->class != DOCTOR_NO_CLASS && walk->first_of_pair.class != DOCTOR_NO_CLASS;
        if (known && r->class != walk->first_of_pair.class)
            rc = contradiction(walk, r);
        else if (!known && r->class != DOCTOR_NO_CLASS)
            walk->first_of_pair = *r;
        if (walk->pair[file].rows == 0) {
            walk->query[file].items++;
        } else if (r->row == walk->last.row && doctor_place_file(walk->last.place) == file) {
            rc = rc < 0 ? rc : found_again(walk, DOCTOR_DUPLICATE_ROWS, r->place, walk->last.place, walk->pair_text);
        } else if (rc == 0 && (!known || r->class == walk->first_of_pair.class)) {
            rc = found_again(walk, DOCTOR_DUPLICATE_PAIRS, r->place, walk->pair[file].first_place, walk->pair_text);
        }
    }
    count_row(&walk->pair[file], r->place);
    walk->pair_rows++;
    return rc;
}

/* ---- queries ---- */

static int end_query(struct walk *walk)
{
    struct doctor *d = walk->d;
    struct doctor_whole *w = walk->w;
    int rc = 0;

    for (size_t f = 0; f < d->file_count; f++) {
        const struct in_file *in = &walk->query[f];
        struct doctor_group_figures *g = &w->groups[f];
        if (in->rows == 0)
            continue;
        g->queries++;
        g->rows += in->rows;
        g->one_item += in->items == 1;
        g->labelled += in->labelled > 1 && in->items > 1;
        g->one_label += in->labelled > 1 && in->items > 1 && !in->classes_differ;
        g->positives += in->positives;
        g->with_positive += in->positives > 0;
        doctor_lengths_add(g->items, in->items);
        for (size_t b = f + 1; rc == 0 && b < d->file_count; b++) {
            if (walk->query[b].rows == 0)
                continue;
            w->overlaps[f][b].query_rows += walk->query[b].rows;
            w->overlaps[f][b].queries++;
            rc = leak(walk, DOCTOR_LEAK_QUERIES, walk->query, f, b, walk->query_text);
        }
    }
    memset(walk->query, 0, d->file_count * sizeof *walk->query);
    walk->query_rows = 0;
    walk->spelt_otherwise = false;
    return rc;
}

static int other_spelling(struct walk *walk, const struct record *r)
{
    char spelt[FIRST_TEXT], text[2 * FIRST_TEXT + 16];

    keep_query(spelt, r);
    (void)snprintf(text, sizeof text, "'%s', here '%s'", walk->query_text, spelt);
    return found_again(walk, DOCTOR_QUERY_SPELLINGS, r->place, walk->first_of_query.place, text);
}

static int row_of_query(struct walk *walk, const struct record *r)
{
    size_t file = doctor_place_file(r->place);
    struct in_file *in = &walk->query[file];
    int rc = 0;

    if (walk->query_rows == 0) {
        walk->first_of_query = *r;
        keep_query(walk->query_text, r);
    } else {
        if (r->spelling != walk->first_of_query.spelling && !walk->spelt_otherwise) {
            walk->spelt_otherwise = true;
            rc = other_spelling(walk, r);
        }
    }
    if (r->class != DOCTOR_NO_CLASS) {
        in->classes_differ = in->classes_differ || (in->labelled > 0 && in->class != r->class);
        in->class = r->class;
        in->labelled++;
        in->positives += r->class == walk->positive;
    }
    count_row(in, r->place);
    walk->query_rows++;
    return rc;
}

static int walk_pairs(struct walk *walk)
{
    struct sorter *s = walk->d->pairs;
    bool has_query = walk->d->schema.query != DOCTOR_NONE;
    const struct sorter_record *sorted;
    struct record r;
    int rc = sorter_sort(s);

    for (bool first = true; rc == 0; first = false) {
        rc = stop_requested() ? err_set(RECO_E_STOPPED, "stopped by a signal") : sorter_next(s, &sorted);
        if (rc < 0 || sorted == NULL)
            break;
        parse(&r, sorted);
        bool new_query = !first && r.query != walk->last.query;
        if (!first && (new_query || r.description != walk->last.description))
            rc = end_pair(walk);
        if (rc == 0 && new_query && has_query)
            rc = end_query(walk);
        if (rc == 0)
            rc = row_of_pair(walk, &r);
        if (rc == 0 && has_query)
            rc = row_of_query(walk, &r);
        walk->last = r;
    }
    if (rc == 0 && walk->pair_rows > 0)
        rc = end_pair(walk);
    return rc == 0 && walk->query_rows > 0 ? end_query(walk) : rc;
}

/* ---- items and ids ---- */

static int compare_descending(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a > b ? -1 : a < b;
}

/* Rows by item, as (rows of an item, items with that many rows): few distinct counts, whatever the number of items. */
struct popularity {
    uint64_t *rows, *items;
    size_t count, rows_capacity, items_capacity;
};

static int count_item(struct popularity *p, uint64_t rows)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->rows[i] == rows) {
            p->items[i]++;
            return 0;
        }
    }
    int rc = mem_grow((void **)&p->rows, &p->rows_capacity, p->count + 1, sizeof *p->rows);
    if (rc == 0)
        rc = mem_grow((void **)&p->items, &p->items_capacity, p->count + 1, sizeof *p->items);
    if (rc < 0)
        return rc;
    p->rows[p->count] = rows;
    p->items[p->count++] = 1;
    return 0;
}

static uint64_t items_with(const struct popularity *p, uint64_t rows)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->rows[i] == rows)
            return p->items[i];
    }
    return 0;
}

/* Gini coefficient of rows over items and the share of the top percent, from the most popular down. */
static int summarise(struct doctor_whole *w, const struct popularity *p)
{
    uint64_t *order = mem_alloc((p->count + 1) * sizeof *order), top = w->items / 100, seen = 0;
    double area = 0.0;

    if (order == NULL)
        return RECO_E_NOMEM;
    if (p->count > 0)
        memcpy(order, p->rows, p->count * sizeof *order);
    qsort(order, p->count, sizeof *order, compare_descending);
    top = top > 0 ? top : 1;
    for (size_t i = 0; i < p->count; i++) {
        uint64_t items = items_with(p, order[i]), of_top = seen >= top ? 0 : top - seen < items ? top - seen : items;
        w->top_rows += of_top * order[i];
        /* Items [seen, seen + items) from the top have rank n - place from the bottom. */
        area += (double)order[i] * (double)items * ((double)w->items - (double)seen - ((double)items - 1.0) / 2.0);
        seen += items;
    }
    w->most_rows_of_item = p->count > 0 ? order[0] : 0;
    if (w->items > 0)
        w->item_gini =
            2.0 * area / ((double)w->items * (double)w->item_rows) - ((double)w->items + 1.0) / (double)w->items;
    mem_free(order);
    return 0;
}

static int walk_items(struct doctor *d, struct doctor_whole *w)
{
    struct popularity p = {0};
    const struct sorter_record *sorted;
    uint64_t last = 0, rows = 0;
    int rc = sorter_sort(d->items);

    while (rc == 0) {
        rc = sorter_next(d->items, &sorted);
        uint64_t item = rc == 0 && sorted != NULL ? sorter_get_u64(sorted->key) : 0;
        if (rc == 0 && rows > 0 && (sorted == NULL || item != last)) {
            rc = count_item(&p, rows);
            w->items++;
            w->item_rows += rows;
            rows = 0;
        }
        if (rc < 0 || sorted == NULL)
            break;
        last = item;
        rows++;
    }
    if (rc == 0)
        rc = summarise(w, &p);
    mem_free(p.rows);
    mem_free(p.items);
    return rc;
}

static int repeated_id(struct walk *walk, const struct sorter_record *sorted, uint64_t place, uint64_t other)
{
    struct buf shown = {0};
    const char *text;
    size_t length;
    int rc = clean_text(walk->d->read_finder, CLEAN_SIDE_COLUMN, (const char *)sorted->value, sorted->value_length,
                        &text, &length);

    if (rc == 0)
        rc = doctor_excerpt(&shown, text, length, 0, DOCTOR_EXCERPT_COLUMNS);
    if (rc == 0)
        rc = found_again(walk, DOCTOR_REPEATED_IDS, place, other, buf_str(&shown));
    buf_release(&shown);
    return rc;
}

static int walk_ids(struct walk *walk)
{
    struct sorter *s = walk->d->ids;
    const struct sorter_record *sorted;
    unsigned char last[16];
    uint64_t last_place = 0;
    int rc = sorter_sort(s);

    for (bool first = true; rc == 0; first = false) {
        rc = sorter_next(s, &sorted);
        if (rc < 0 || sorted == NULL)
            break;
        uint64_t place = sorter_get_u64(sorted->key + 16);
        if (!first && memcmp(last, sorted->key, sizeof last) == 0) {
            rc = repeated_id(walk, sorted, place, last_place);
        }
        memcpy(last, sorted->key, sizeof last);
        last_place = place;
    }
    return rc;
}

int doctor_whole_run(struct doctor *d, struct doctor_whole *w)
{
    struct walk walk = {.d = d, .w = w, .positive = DOCTOR_NO_CLASS};
    const struct doctor_labels *l = d->labels;
    int rc = 0;

    for (size_t f = 0; rc == 0 && f < d->file_count; f++) {
        w->groups[f].items = mem_calloc(1, sizeof *w->groups[f].items);
        rc = w->groups[f].items == NULL ? RECO_E_NOMEM : 0;
    }
    if (rc == 0 && l->all_numbers && l->count > 1) {
        uint16_t *order = doctor_labels_order(l);
        rc = order == NULL ? RECO_E_NOMEM : 0;
        walk.positive = order == NULL ? DOCTOR_NO_CLASS : order[l->count - 1];
        mem_free(order);
    }
    if (rc == 0)
        rc = walk_pairs(&walk);
    if (rc == 0)
        rc = walk_items(d, w);
    if (rc == 0)
        rc = walk_ids(&walk);
    buf_release(&walk.text);
    return rc;
}

void doctor_whole_release(struct doctor_whole *w)
{
    for (size_t f = 0; f < DOCTOR_FILES_MAX; f++)
        mem_free(w->groups[f].items);
}
