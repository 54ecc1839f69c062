#include <string.h>

#include "core/mem.h"
#include "data/near_dup.h"
#include "data/prepare_internal.h"

/* Near duplicates: of the rows of one query and label whose texts are near duplicates, the first stays. */

enum { NEAR_BATCH = 4096, NEAR_BATCH_BYTES = 4 * 1024 * 1024 };

struct near_feed {
    struct prepare_whole *w;
    struct near_dup *near;
    struct buf bytes;
    size_t starts[NEAR_BATCH + 1], count;
    const char *texts[NEAR_BATCH];
    size_t lengths[NEAR_BATCH];
};

static int near_flush(struct near_feed *f)
{
    for (size_t i = 0; i < f->count; i++) {
        f->texts[i] = f->bytes.data + f->starts[i];
        f->lengths[i] = f->starts[i + 1] - f->starts[i];
    }
    int rc = f->count == 0 ? 0 : near_dup_add(f->near, f->w->pool, f->texts, f->lengths, f->count);
    f->count = 0;
    buf_clear(&f->bytes);
    return rc;
}

static int near_take(void *arg, uint32_t place, const struct text_set_text *text)
{
    struct near_feed *f = arg;

    (void)place;
    f->starts[f->count] = f->bytes.length;
    int rc = buf_add(&f->bytes, text->text, text->length);
    f->starts[++f->count] = f->bytes.length;
    if (rc == 0 && (f->count == NEAR_BATCH || f->bytes.length >= NEAR_BATCH_BYTES))
        rc = near_flush(f);
    return rc < 0 ? rc : prepare_stopped(place);
}

/* The text by which near duplicates are told: the description, or the only text. */
static uint32_t near_text(const struct prepare_whole *w, const struct spool_row *row)
{
    return prepare_has_description(w->options) ? row->description : row->query;
}

/* groups [texts]: of the texts of rows that are kept, the same number for texts of one group. */
static int near_groups(struct prepare_whole *w, uint32_t *groups)
{
    struct near_feed *feed = mem_calloc(1, sizeof *feed);
    uint32_t *representative = NULL, number = 0;
    int rc = feed == NULL
                 ? RECO_E_NOMEM
                 : near_dup_new(&feed->near, w->options->clean.near_duplicate_threshold, w->tmp_dir, 2 * w->sort_bytes);

    if (rc == 0) {
        feed->w = w;
        rc = prepare_texts_walk(&w->texts, groups, false, w->tmp_dir, w->sort_bytes, near_take, feed);
    }
    if (rc == 0)
        rc = near_flush(feed);
    if (rc == 0)
        rc = near_dup_groups(feed->near, &representative);
    for (size_t i = 0; rc == 0 && i < w->texts.count; i++)
        if (groups[i] != TEXT_SET_NONE)
            groups[i] = representative[number++];
    mem_free(representative);
    if (feed != NULL) {
        near_dup_free(feed->near);
        buf_release(&feed->bytes);
    }
    mem_free(feed);
    return rc;
}

static int near_pass(struct prepare_whole *w, uint32_t *groups, struct sorter *sorter)
{
    struct spool_reader reader = {0};
    struct spool_row row;
    unsigned char key[33];
    bool found = true;
    int rc = spool_reader_open(&reader, w->spool);

    for (uint64_t i = 0; rc == 0; i++) {
        rc = spool_next(&reader, &row, &found);
        if (rc < 0 || !found)
            break;
        if (!prepare_is_kept(w, i))
            continue;
        uint32_t text = near_text(w, &row);
        if (sorter == NULL) { /* which texts there are */
            groups[text] = text;
            continue;
        }
        sorter_u64(key, prepare_has_description(w->options) ? row.query_key : 0);
        sorter_u64(key + 8, (uint64_t)groups[text] << 8 | (uint64_t)w->files[row.file].split);
        sorter_u64(key + 16, prepare_label_bits(w, &row));
        sorter_u64(key + 24, i);
        rc = sorter_add(sorter, key, 32, NULL, 0);
    }
    spool_reader_release(&reader);
    return rc;
}

int prepare_drop_near(struct prepare_whole *w)
{
    const struct sorter_record *record;
    struct sorter *sorter = NULL;
    uint32_t *groups = mem_alloc(w->texts.count * sizeof *groups);
    unsigned char last[24];
    bool first = true;
    int rc = groups == NULL ? RECO_E_NOMEM : sorter_new(&sorter, w->tmp_dir, w->sort_bytes);

    for (size_t i = 0; groups != NULL && i < w->texts.count; i++)
        groups[i] = TEXT_SET_NONE;
    if (rc == 0)
        rc = near_pass(w, groups, NULL);
    if (rc == 0)
        rc = near_groups(w, groups);
    if (rc == 0)
        rc = near_pass(w, groups, sorter);
    if (rc == 0)
        rc = sorter_sort(sorter);
    while (rc == 0 && (rc = sorter_next(sorter, &record)) == 0 && record != NULL) {
        if (!first && memcmp(last, record->key, sizeof last) == 0)
            prepare_leave_out(w, sorter_get_u64(record->key + 24), PREPARE_RULE_NEAR_DUPLICATES);
        memcpy(last, record->key, sizeof last);
        first = false;
    }
    w->counts.near_duplicate_rows = w->counts.left_out[PREPARE_RULE_NEAR_DUPLICATES];
    sorter_free(sorter);
    mem_free(groups);
    return rc;
}
