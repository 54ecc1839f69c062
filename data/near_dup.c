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
    TASK_TEXTS = 64,  /* hashed by a task */
    CHUNK_TASKS = 64, /* tasks whose results are held at once */
    LEADERS = 16      /* texts of one bucket that later ones are compared with */
};

/* A pair as similar as the threshold is a candidate with this probability. */
#define WANTED_RECALL 0.995

struct near_dup {
    int rows, bands; /* a band is rows components of the signature */
    int least_equal; /* components that a confirmed pair has in common */
    uint32_t count;  /* texts */
    struct sorter *sorter;
    struct temp_file *signatures;
    struct near_dup_hashes hashes;
    uint32_t *minima; /* [CHUNK_TASKS * TASK_TEXTS][NEAR_DUP_PERMUTATIONS] */
    bool *speaks;     /* [CHUNK_TASKS * TASK_TEXTS]: has a shingle */
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
    n->minima = mem_alloc(sizeof *n->minima * CHUNK_TASKS * TASK_TEXTS * NEAR_DUP_PERMUTATIONS);
    n->speaks = mem_alloc(sizeof *n->speaks * CHUNK_TASKS * TASK_TEXTS);
    int rc = n->minima == NULL || n->speaks == NULL ? RECO_E_NOMEM : 0;
    if (rc == 0)
        rc = sorter_new(&n->sorter, tmp_dir, max_bytes);
    if (rc == 0)
        rc = temp_file_open(&n->signatures, tmp_dir);
    if (rc < 0) {
        near_dup_free(n);
        return rc;
    }
    *out = n;
    return 0;
}

void near_dup_free(struct near_dup *n)
{
    if (n == NULL)
        return;
    sorter_free(n->sorter);
    temp_file_close(n->signatures);
    mem_free(n->minima);
    mem_free(n->speaks);
    mem_free(n);
}

/* Adding -------------------------------------------------------------------------------------------------------- */

struct hashing {
    struct near_dup *n;
    const char *const *texts;
    const size_t *lengths;
    size_t count;
};

static int hash_task(void *arg, size_t task)
{
    const struct hashing *h = arg;
    struct near_dup_scratch scratch = {0};
    size_t end = (task + 1) * TASK_TEXTS < h->count ? (task + 1) * TASK_TEXTS : h->count;
    int rc = 0;
    for (size_t i = task * TASK_TEXTS; rc == 0 && i < end; i++)
        rc = near_dup_minima(&h->n->hashes, &scratch, h->texts[i], h->lengths[i],
                             h->n->minima + i * NEAR_DUP_PERMUTATIONS, &h->n->speaks[i]);
    near_dup_scratch_release(&scratch);
    return rc;
}

/* Key: band and hash of its components; the numbers of equal keys come in order. */
static int add_bands(struct near_dup *n, const uint32_t *minima, uint32_t number)
{
    int rc = 0;
    for (int band = 0; rc == 0 && band < n->bands; band++) {
        unsigned char key[9] = {(unsigned char)band};
        sorter_u64(key + 1, hash_u64(minima + band * n->rows, (size_t)n->rows * sizeof *minima, 0));
        rc = sorter_add(n->sorter, key, sizeof key, &number, sizeof number);
    }
    return rc;
}

int near_dup_add(struct near_dup *n, struct pool *pool, const char *const *texts, const size_t *lengths, size_t count)
{
    if (count > UINT32_MAX - n->count)
        return err_set(RECO_E_DATA, "too many texts for near-duplicates: over %u", UINT32_MAX);
    while (count > 0) {
        size_t chunk = count < CHUNK_TASKS * TASK_TEXTS ? count : CHUNK_TASKS * TASK_TEXTS;
        struct hashing hashing = {.n = n, .texts = texts, .lengths = lengths, .count = chunk};
        int rc = pool_run(pool, (chunk + TASK_TEXTS - 1) / TASK_TEXTS, hash_task, &hashing);
        for (size_t i = 0; rc == 0 && i < chunk; i++) {
            const uint32_t *minima = n->minima + i * NEAR_DUP_PERMUTATIONS;
            uint16_t signature[NEAR_DUP_PERMUTATIONS];
            for (int p = 0; p < NEAR_DUP_PERMUTATIONS; p++)
                signature[p] = (uint16_t)minima[p];
            rc = temp_file_write(n->signatures, signature, sizeof signature);
            if (rc == 0 && n->speaks[i])
                rc = add_bands(n, minima, n->count);
            n->count += rc == 0;
        }
        if (rc < 0)
            return rc;
        texts += chunk;
        lengths += chunk;
        count -= chunk;
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
 * the leaders. Most buckets hold one text, so signatures are read when they are compared. */
struct member {
    uint32_t number;
    bool read;
    uint16_t signature[NEAR_DUP_PERMUTATIONS];
};

struct bucket {
    unsigned char key[9];
    size_t leaders;
    struct member members[LEADERS + 1]; /* the leaders, and the text at hand */
};

static int member_read(const struct near_dup *n, struct member *m)
{
    if (m->read)
        return 0;
    m->read = true;
    return temp_file_read(n->signatures, (uint64_t)m->number * SIGNATURE_BYTES, m->signature, SIGNATURE_BYTES);
}

static int bucket_add(const struct near_dup *n, struct bucket *bucket, uint32_t number, uint32_t *parents)
{
    struct member *new = &bucket->members[bucket->leaders];
    bool leads = bucket->leaders < LEADERS;
    new->number = number;
    new->read = false;
    for (size_t i = 0; i < bucket->leaders; i++) {
        struct member *leader = &bucket->members[i];
        if (group_of(parents, leader->number) == group_of(parents, number)) {
            leads = false;
            continue;
        }
        int rc = member_read(n, leader);
        if (rc == 0)
            rc = member_read(n, new);
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

int near_dup_groups(struct near_dup *n, uint32_t **representative)
{
    *representative = NULL;
    uint32_t *parents = mem_alloc(((size_t)n->count + 1) * sizeof *parents);
    if (parents == NULL)
        return RECO_E_NOMEM;
    for (uint32_t i = 0; i < n->count; i++)
        parents[i] = i;
    struct bucket bucket = {.leaders = 0};
    int rc = temp_file_flush(n->signatures);
    if (rc == 0)
        rc = sorter_sort(n->sorter);
    while (rc == 0) {
        const struct sorter_record *record;
        rc = sorter_next(n->sorter, &record);
        if (rc < 0 || record == NULL)
            break;
        if (memcmp(bucket.key, record->key, sizeof bucket.key) != 0)
            bucket.leaders = 0;
        memcpy(bucket.key, record->key, sizeof bucket.key);
        uint32_t number;
        memcpy(&number, record->value, sizeof number);
        rc = bucket_add(n, &bucket, number, parents);
    }
    if (rc < 0) {
        mem_free(parents);
        return rc;
    }
    for (uint32_t i = 0; i < n->count; i++)
        parents[i] = group_of(parents, i);
    *representative = parents;
    return 0;
}
