#include "data/near_dup.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "core/sorter.h"
#include "core/temp_file.h"
#include "data/near_dup_internal.h"

enum {
    SIGNATURE_BYTES = NEAR_DUP_PERMUTATIONS * sizeof(uint16_t),
    TASK_TEXTS = 64,    /* hashed by a task */
    BLOCK_TEXTS = 4096, /* whose hashes are held as one */
    LEADERS = 16        /* texts of one bucket that later ones are compared with */
};

/* A pair as similar as the threshold is a candidate with this probability. */
#define WANTED_RECALL 0.995

struct block {
    uint64_t *bands;      /* [bands][BLOCK_TEXTS] hash of the band's components */
    uint16_t *signatures; /* [BLOCK_TEXTS][NEAR_DUP_PERMUTATIONS] */
    bool *speaks;         /* [BLOCK_TEXTS]: has a shingle */
};

/* Blocks stay in memory while they fit in half of what may be used, the other half being for sorting them. Then the
 * signatures go to a file, the bands to an external sorter, and one block is filled again and again. */
struct near_dup {
    int rows, bands; /* a band is rows components of the signature */
    int least_equal; /* components that a confirmed pair has in common */
    uint32_t count;  /* texts */
    uint32_t spilled_count;
    char *tmp_dir;
    size_t half_bytes;
    struct block *blocks; /* of the texts from spilled_count on */
    size_t block_count, block_capacity;
    struct sorter *sorter; /* both NULL: nothing is spilled */
    struct temp_file *signatures;
    struct near_dup_hashes hashes;
};

/* The longest bands that find a pair at the threshold with the wanted probability: 1 - (1 - t^rows)^bands. */
static void choose_bands(struct near_dup *n, double threshold)
{
    n->rows = 1;
    for (int rows = 2; rows <= NEAR_DUP_PERMUTATIONS; rows++) {
        int bands = NEAR_DUP_PERMUTATIONS / rows;
        if (1 - pow(1 - pow(threshold, rows), bands) < WANTED_RECALL)
            break;
        n->rows = rows;
    }
    n->bands = NEAR_DUP_PERMUTATIONS / n->rows;
    n->least_equal = (int)ceil(threshold * NEAR_DUP_PERMUTATIONS - 1e-9);
}

int near_dup_new(struct near_dup **out, double threshold, const char *tmp_dir, size_t max_bytes)
{
    *out = NULL;
    if (!(threshold > 0 && threshold <= 1))
        return err_set(RECO_E_USAGE, "a threshold of near-duplicates is in (0, 1], not %g", threshold);
    struct near_dup *n = mem_calloc(1, sizeof *n);
    if (n == NULL)
        return RECO_E_NOMEM;
    choose_bands(n, threshold);
    near_dup_hashes_init(&n->hashes);
    n->half_bytes = max_bytes / 2;
    if (tmp_dir != NULL && (n->tmp_dir = mem_strdup(tmp_dir)) == NULL) {
        near_dup_free(n);
        return RECO_E_NOMEM;
    }
    *out = n;
    return 0;
}

static void block_release(struct block *block)
{
    mem_free(block->bands);
    mem_free(block->signatures);
    mem_free(block->speaks);
    *block = (struct block){0};
}

void near_dup_free(struct near_dup *n)
{
    if (n == NULL)
        return;
    for (size_t i = 0; i < n->block_count; i++)
        block_release(&n->blocks[i]);
    mem_free(n->blocks);
    sorter_free(n->sorter);
    temp_file_close(n->signatures);
    mem_free(n->tmp_dir);
    mem_free(n);
}

/* Adding -------------------------------------------------------------------------------------------------------- */

struct hashing {
    const struct near_dup *n;
    const struct block *block;
    size_t first; /* text's place in the block */
    const char *const *texts;
    const size_t *lengths;
    size_t count;
};

static int hash_text(const struct hashing *h, struct near_dup_scratch *scratch, size_t i)
{
    const struct near_dup *n = h->n;
    size_t at = h->first + i;
    uint32_t minima[NEAR_DUP_PERMUTATIONS];
    int rc = near_dup_minima(&n->hashes, scratch, h->texts[i], h->lengths[i], minima, &h->block->speaks[at]);
    if (rc < 0)
        return rc;
    for (int p = 0; p < NEAR_DUP_PERMUTATIONS; p++)
        h->block->signatures[at * NEAR_DUP_PERMUTATIONS + (size_t)p] = (uint16_t)minima[p];
    for (int band = 0; band < n->bands; band++)
        h->block->bands[(size_t)band * BLOCK_TEXTS + at] =
            hash_u64(minima + band * n->rows, (size_t)n->rows * sizeof *minima, 0);
    return 0;
}

static int hash_task(void *arg, size_t task)
{
    const struct hashing *h = arg;
    struct near_dup_scratch scratch = {0};
    size_t end = (task + 1) * TASK_TEXTS < h->count ? (task + 1) * TASK_TEXTS : h->count;
    int rc = 0;
    for (size_t i = task * TASK_TEXTS; rc == 0 && i < end; i++)
        rc = hash_text(h, &scratch, i);
    near_dup_scratch_release(&scratch);
    return rc;
}

static size_t block_bytes(const struct near_dup *n)
{
    return BLOCK_TEXTS * ((size_t)n->bands * sizeof(uint64_t) + SIGNATURE_BYTES + sizeof(bool));
}

/* Key: band and hash of its components; the numbers of equal keys come in order. */
static int spill_text(struct near_dup *n, const struct block *block, size_t at)
{
    int rc = temp_file_write(n->signatures, block->signatures + at * NEAR_DUP_PERMUTATIONS, SIGNATURE_BYTES);
    for (int band = 0; rc == 0 && block->speaks[at] && band < n->bands; band++) {
        unsigned char key[9] = {(unsigned char)band};
        sorter_u64(key + 1, block->bands[(size_t)band * BLOCK_TEXTS + at]);
        rc = sorter_add(n->sorter, key, sizeof key, &n->spilled_count, sizeof n->spilled_count);
    }
    n->spilled_count += rc == 0;
    return rc;
}

/* All blocks; the last may be filled in part. */
static int spill(struct near_dup *n)
{
    int rc = n->sorter == NULL ? sorter_new(&n->sorter, n->tmp_dir, n->half_bytes) : 0;
    if (rc == 0 && n->signatures == NULL)
        rc = temp_file_open(&n->signatures, n->tmp_dir);
    for (size_t b = 0; b < n->block_count; b++) {
        for (size_t at = 0; rc == 0 && at < BLOCK_TEXTS && n->spilled_count < n->count; at++)
            rc = spill_text(n, &n->blocks[b], at);
        if (b > 0)
            block_release(&n->blocks[b]);
    }
    n->block_count = n->block_count > 0;
    return rc;
}

/* One more block, or the one block that there is when they have been spilled. */
static int next_block(struct near_dup *n)
{
    int rc = 0;
    if (n->block_count > 0 && (n->sorter != NULL || (n->block_count + 1) * block_bytes(n) > n->half_bytes))
        return spill(n);
    rc = mem_grow((void **)&n->blocks, &n->block_capacity, n->block_count + 1, sizeof *n->blocks);
    if (rc < 0)
        return rc;
    struct block *block = &n->blocks[n->block_count++];
    *block = (struct block){.bands = mem_alloc(BLOCK_TEXTS * (size_t)n->bands * sizeof *block->bands),
                            .signatures = mem_alloc(BLOCK_TEXTS * SIGNATURE_BYTES),
                            .speaks = mem_alloc(BLOCK_TEXTS * sizeof *block->speaks)};
    return block->bands == NULL || block->signatures == NULL || block->speaks == NULL ? RECO_E_NOMEM : 0;
}

int near_dup_add(struct near_dup *n, struct pool *pool, const char *const *texts, const size_t *lengths, size_t count)
{
    if (count > UINT32_MAX - n->count)
        return err_set(RECO_E_DATA, "too many texts for near-duplicates: over %u", UINT32_MAX);
    while (count > 0) {
        size_t first = n->count % BLOCK_TEXTS, room = BLOCK_TEXTS - first, part = count < room ? count : room;
        int rc = first == 0 ? next_block(n) : 0;
        if (rc < 0)
            return rc;
        struct hashing hashing = {.n = n,
                                  .block = &n->blocks[n->block_count - 1],
                                  .first = first,
                                  .texts = texts,
                                  .lengths = lengths,
                                  .count = part};
        rc = pool_run(pool, (part + TASK_TEXTS - 1) / TASK_TEXTS, hash_task, &hashing);
        if (rc < 0)
            return rc;
        n->count += (uint32_t)part;
        texts += part;
        lengths += part;
        count -= part;
    }
    return 0;
}

/* Groups -------------------------------------------------------------------------------------------------------- */

/* The lowest number of the group; the way there is made shorter. */
static uint32_t group_of(uint32_t *parents, uint32_t number)
{
    while (parents[number] != number) {
        parents[number] = parents[parents[number]];
        number = parents[number];
    }
    return number;
}

static void join(uint32_t *parents, uint32_t a, uint32_t b)
{
    a = group_of(parents, a);
    b = group_of(parents, b);
    if (a < b)
        parents[b] = a;
    else
        parents[a] = b;
}

static int count_equal(const uint16_t *a, const uint16_t *b)
{
    int equal = 0;
    for (int p = 0; p < NEAR_DUP_PERMUTATIONS; p++)
        equal += a[p] == b[p];
    return equal;
}

/* Texts with equal components in one band. Those that are like none before them lead; later ones are compared with
 * the leaders. Most buckets hold one text, so signatures are looked up when they are compared. */
struct member {
    uint32_t number;
    const uint16_t *signature; /* NULL: not looked up yet */
    uint16_t read[NEAR_DUP_PERMUTATIONS];
};

struct bucket {
    size_t leaders;
    struct member members[LEADERS + 1]; /* the leaders, and the text at hand */
};

static int look_up(const struct near_dup *n, struct member *m)
{
    if (m->signature != NULL)
        return 0;
    if (n->sorter == NULL) {
        m->signature =
            n->blocks[m->number / BLOCK_TEXTS].signatures + m->number % BLOCK_TEXTS * (size_t)NEAR_DUP_PERMUTATIONS;
        return 0;
    }
    m->signature = m->read;
    return temp_file_read(n->signatures, (uint64_t)m->number * SIGNATURE_BYTES, m->read, SIGNATURE_BYTES);
}

static int bucket_add(const struct near_dup *n, struct bucket *bucket, uint32_t number, uint32_t *parents)
{
    struct member *new = &bucket->members[bucket->leaders];
    bool leads = bucket->leaders < LEADERS;
    new->number = number;
    new->signature = NULL;
    for (size_t i = 0; i < bucket->leaders; i++) {
        struct member *leader = &bucket->members[i];
        if (group_of(parents, leader->number) == group_of(parents, number)) {
            leads = false;
            continue;
        }
        int rc = look_up(n, leader);
        if (rc == 0)
            rc = look_up(n, new);
        if (rc < 0)
            return rc;
        if (count_equal(leader->signature, new->signature) >= n->least_equal) {
            join(parents, leader->number, number);
            leads = false;
        }
    }
    bucket->leaders += leads;
    return 0;
}

/* Of a band, by hash and number: as the sorter has them. */
static int join_band(const struct near_dup *n, int band, struct near_dup_entry **room, uint32_t *parents)
{
    struct near_dup_entry *entries = room[0];
    struct bucket bucket;
    size_t count = 0;
    int rc = 0;
    for (uint32_t number = 0; number < n->count; number++) {
        const struct block *block = &n->blocks[number / BLOCK_TEXTS];
        size_t at = number % BLOCK_TEXTS;
        if (block->speaks[at])
            entries[count++] = (struct near_dup_entry){block->bands[(size_t)band * BLOCK_TEXTS + at], number};
    }
    near_dup_sort(&room[0], &room[1], count);
    entries = room[0];
    for (size_t first = 0, end; rc == 0 && first < count; first = end) {
        for (end = first + 1; end < count && entries[end].hash == entries[first].hash; end++)
            ;
        bucket.leaders = 0;
        for (size_t i = first; rc == 0 && end - first > 1 && i < end; i++)
            rc = bucket_add(n, &bucket, entries[i].number, parents);
    }
    return rc;
}

static int join_in_memory(const struct near_dup *n, uint32_t *parents)
{
    struct near_dup_entry *room[2];
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        room[i] = mem_realloc_array(NULL, (size_t)n->count + 1, sizeof *room[i]);
        rc = room[i] == NULL ? RECO_E_NOMEM : rc;
    }
    for (int band = 0; rc == 0 && band < n->bands; band++)
        rc = join_band(n, band, room, parents);
    mem_free(room[0]);
    mem_free(room[1]);
    return rc;
}

static int join_spilled(struct near_dup *n, uint32_t *parents)
{
    struct bucket bucket = {.leaders = 0};
    unsigned char key[9] = {0};
    int rc = spill(n);
    if (rc == 0)
        rc = temp_file_flush(n->signatures);
    if (rc == 0)
        rc = sorter_sort(n->sorter);
    while (rc == 0) {
        const struct sorter_record *record;
        rc = sorter_next(n->sorter, &record);
        if (rc < 0 || record == NULL)
            break;
        if (memcmp(key, record->key, sizeof key) != 0)
            bucket.leaders = 0;
        memcpy(key, record->key, sizeof key);
        uint32_t number;
        memcpy(&number, record->value, sizeof number);
        rc = bucket_add(n, &bucket, number, parents);
    }
    return rc;
}

int near_dup_groups(struct near_dup *n, uint32_t **representative)
{
    *representative = NULL;
    uint32_t *parents = mem_alloc(((size_t)n->count + 1) * sizeof *parents);
    if (parents == NULL)
        return RECO_E_NOMEM;
    for (uint32_t i = 0; i < n->count; i++)
        parents[i] = i;
    int rc = n->sorter == NULL ? join_in_memory(n, parents) : join_spilled(n, parents);
    if (rc < 0) {
        mem_free(parents);
        return rc;
    }
    for (uint32_t i = 0; i < n->count; i++)
        parents[i] = group_of(parents, i);
    *representative = parents;
    return 0;
}
