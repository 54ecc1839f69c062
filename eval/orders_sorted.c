/* Rank correlations of rows that are on disk: two external sorts, and inversions counted by merging. */

#include <string.h>

#include "core/mem.h"
#include "core/temp_file.h"
#include "eval/curve.h"
#include "eval/tally.h"

/*
 * Rows come in the order of value, then target. A second sorter takes them in the order of target; with each goes the
 * mean rank of its value, which is known at the end of its tie only: the sizes of ties are written down on a first way
 * through.
 *
 * Kendall: discordant pairs are the inversions of the targets in the first order. They are counted in chunks that
 * memory holds, by merge sort; and between chunks as the second sorter merges them: when a row comes, those of earlier
 * chunks that have not come have greater targets. Source: Knight 1966; Fenwick 1994 for the count of them.
 */

struct ranks {
    const struct metric_data *data;
    struct temp_file *ties; /* sizes of the ties of values, uint64_t each */
    struct sorter *targets; /* key: the target, the chunk; value: the mean rank of the value */
    uint64_t *chunk, *spare;
    size_t chunk_rows, chunk_max;
    uint64_t chunk_count;
    uint64_t *left; /* [chunk_count + 1] tree of rows that have not come */
    uint64_t rows, tied_values, tied_targets, tied_both, inversions;
    struct tally_sum sums[5]; /* x, y, xx, yy, xy of mean ranks less the mean of all */
};

static uint64_t pairs(uint64_t rows)
{
    return rows > 0 ? rows * (rows - 1) / 2 : 0;
}

static double middle(const struct ranks *r, uint64_t below, uint64_t tied)
{
    return (double)below + ((double)tied - 1) / 2 - ((double)r->rows - 1) / 2;
}

/* ---- inversions ---- */

/* Sorts the chunk; pairs whose first is greater. */
static uint64_t sort_chunk(struct ranks *r)
{
    uint64_t inversions = 0;
    uint64_t *from = r->chunk;
    uint64_t *to = r->spare;
    size_t count = r->chunk_rows;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle_at = begin + width < count ? begin + width : count;
            size_t end = begin + 2 * width < count ? begin + 2 * width : count;
            for (size_t i = begin, j = middle_at, at = begin; at < end; at++) {
                bool second = j < end && (i == middle_at || from[j] < from[i]);
                inversions += second ? middle_at - i : 0;
                to[at] = second ? from[j++] : from[i++];
            }
        }
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    return inversions;
}

static void end_chunk(struct ranks *r)
{
    if (r->chunk_rows) {
        r->inversions += sort_chunk(r);
        r->chunk_count++;
        r->chunk_rows = 0;
    }
}

static void change_left(struct ranks *r, uint64_t chunk, uint64_t change)
{
    for (uint64_t at = chunk + 1; at <= r->chunk_count; at += at & (~at + 1)) {
        r->left[at] += change;
    }
}

static uint64_t left_before(const struct ranks *r, uint64_t chunk)
{
    uint64_t sum = 0;
    for (uint64_t at = chunk; at > 0; at -= at & (~at + 1)) {
        sum += r->left[at];
    }
    return sum;
}

/* ---- the first order ---- */

static int end_tie(struct ranks *r, uint64_t tied)
{
    r->tied_values += pairs(tied);
    return temp_file_write(r->ties, &tied, sizeof tied);
}

static int measure_ties(struct ranks *r, struct sorter *sorter)
{
    const struct sorter_record *record;
    unsigned char last[16];
    uint64_t tied = 0;
    uint64_t both = 0;
    int rc = 0;
    while (!rc && !(rc = curve_next(r->data, sorter, &record)) && record) {
        bool same_value = tied && !memcmp(last, record->key, 8);
        bool same_both = same_value && !memcmp(last + 8, record->key + 8, 8);
        if (tied && !same_value) {
            rc = end_tie(r, tied);
            tied = 0;
        }
        r->tied_both += same_both ? both : 0; /* each makes a pair with those before it */
        both = same_both ? both + 1 : 1;
        tied++;
        r->rows++;
        memcpy(last, record->key, sizeof last);
    }
    if (!rc) {
        rc = end_tie(r, tied);
    }
    return rc ? rc : temp_file_flush(r->ties);
}

static int sort_targets(struct ranks *r, struct sorter *sorter)
{
    struct temp_reader sizes = {.file = r->ties, .end = temp_file_bytes(r->ties)};
    const struct sorter_record *record;
    uint64_t tied = 0;
    uint64_t below = 0;
    uint64_t seen = 0;
    int rc = sorter_rewind(sorter);
    while (!rc && !(rc = curve_next(r->data, sorter, &record)) && record) {
        const unsigned char *bytes;
        unsigned char key[16];
        if (seen == below + tied) {
            below += tied;
            rc = temp_reader_get(&sizes, sizeof tied, &bytes);
            if (rc) {
                break;
            }
            memcpy(&tied, bytes, sizeof tied);
        }
        seen++;
        double x = middle(r, below, tied);
        tally_add(&r->sums[0], x);
        tally_add(&r->sums[2], x * x);
        r->chunk[r->chunk_rows++] = sorter_get_u64(record->key + 8);
        memcpy(key, record->key + 8, 8);
        sorter_u64(key + 8, r->chunk_count);
        rc = sorter_add(r->targets, key, sizeof key, &x, sizeof x);
        if (r->chunk_rows == r->chunk_max) {
            end_chunk(r);
        }
    }
    end_chunk(r);
    temp_reader_release(&sizes);
    return rc ? rc : sorter_sort(r->targets);
}

/* ---- the second ---- */

static void end_target(struct ranks *r, uint64_t below, uint64_t tied, double x)
{
    double y = middle(r, below, tied);
    r->tied_targets += pairs(tied);
    tally_add(&r->sums[1], (double)tied * y);
    tally_add(&r->sums[3], (double)tied * y * y);
    tally_add(&r->sums[4], x * y);
}

static int walk_targets(struct ranks *r)
{
    const struct sorter_record *record;
    unsigned char last[8];
    uint64_t below = 0;
    uint64_t tied = 0;
    struct tally_sum x = {0, 0};
    uint64_t rows_of_chunk = r->chunk_max;
    for (uint64_t c = 0; c < r->chunk_count; c++) {
        change_left(r, c, c + 1 < r->chunk_count ? rows_of_chunk : r->rows - c * rows_of_chunk);
    }
    int rc = 0;
    while (!rc && !(rc = sorter_next(r->targets, &record)) && record) {
        uint64_t chunk = sorter_get_u64(record->key + 8);
        double rank;
        if (tied && memcmp(last, record->key, sizeof last) != 0) {
            end_target(r, below, tied, tally_total(&x));
            below += tied;
            tied = 0;
            x = (struct tally_sum){0, 0};
        }
        memcpy(last, record->key, sizeof last);
        memcpy(&rank, record->value, sizeof rank);
        tally_add(&x, rank);
        tied++;
        change_left(r, chunk, UINT64_MAX); /* one less */
        r->inversions += left_before(r, chunk);
    }
    end_target(r, below, tied, tally_total(&x));
    return rc;
}

static double kendall(const struct ranks *r)
{
    uint64_t all = pairs(r->rows);
    double agreeing = (double)(all - r->tied_values) - (double)(r->tied_targets - r->tied_both);
    double untied_values = (double)(all - r->tied_values);
    double untied_targets = (double)(all - r->tied_targets);
    agreeing -= 2 * (double)r->inversions;
    return untied_values > 0 && untied_targets > 0 ? agreeing / sqrt(untied_values) / sqrt(untied_targets) : NAN;
}

int orders_from_sorter(const struct metric_data *data, struct sorter *sorter, const char *tmp_dir, size_t max_bytes,
                       struct metric_known *known)
{
    struct ranks r = {.data = data, .chunk_max = max_bytes / 4 / sizeof *r.chunk};
    r.chunk_max = r.chunk_max < 1024 ? 1024 : r.chunk_max;
    r.chunk_max = (double)r.chunk_max > data->rows ? (size_t)data->rows + 1 : r.chunk_max;
    r.chunk = mem_alloc(r.chunk_max * sizeof *r.chunk);
    r.spare = mem_alloc(r.chunk_max * sizeof *r.spare);
    int rc = r.chunk && r.spare ? temp_file_open(&r.ties, tmp_dir) : RECO_E_NOMEM;
    if (!rc) {
        rc = sorter_new(&r.targets, tmp_dir, max_bytes / 2);
    }
    if (!rc) {
        rc = measure_ties(&r, sorter);
    }
    if (!rc) {
        rc = sort_targets(&r, sorter);
    }
    r.left = rc ? NULL : mem_calloc(r.chunk_count + 1, sizeof *r.left);
    rc = !rc && !r.left ? RECO_E_NOMEM : rc;
    if (!rc) {
        rc = walk_targets(&r);
    }
    if (!rc) {
        known->kendall = kendall(&r);
        known->spearman = metric_pearson_of((double)r.rows, tally_total(&r.sums[0]), tally_total(&r.sums[1]),
                                            tally_total(&r.sums[2]), tally_total(&r.sums[3]), tally_total(&r.sums[4]));
    }
    sorter_free(r.targets);
    temp_file_close(r.ties);
    mem_free(r.left);
    mem_free(r.chunk);
    mem_free(r.spare);
    return rc;
}
