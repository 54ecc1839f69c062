#include "core/sort_keys.h"

#include "core/mem.h"

#define SMALL 48 /* as few are sorted by insertion */
#define BYTE_VALUES 256
#define SHARE_MIN 65536 /* fewer are not shared out to threads */

static void insertion_sort(uint64_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        size_t j = i;
        for (; j > 0 && keys[j - 1] > key; j--) {
            keys[j] = keys[j - 1];
        }
        keys[j] = key;
    }
}

/*
 * Brings keys that share the bytes above shift together by the byte at shift; end[b] is where byte b ends.
 * Source: McIlroy, Bostic and McIlroy 1993, "Engineering radix sort", American flag sort.
 */
static void split_by_byte(uint64_t *keys, size_t count, int shift, size_t end[BYTE_VALUES])
{
    size_t next[BYTE_VALUES];
    size_t size[BYTE_VALUES] = {0};
    for (size_t i = 0; i < count; i++) {
        size[keys[i] >> shift & 0xff]++;
    }
    size_t at = 0;
    for (size_t b = 0; b < BYTE_VALUES; b++) {
        next[b] = at;
        at += size[b];
        end[b] = at;
    }
    for (size_t b = 0; b < BYTE_VALUES; b++) {
        while (next[b] < end[b]) {
            uint64_t key = keys[next[b]];
            size_t to = key >> shift & 0xff;
            while (to != b) {
                uint64_t other = keys[next[to]];
                keys[next[to]++] = key;
                key = other;
                to = key >> shift & 0xff;
            }
            keys[next[b]++] = key;
        }
    }
}

static void radix_sort(uint64_t *keys, size_t count, int shift)
{
    size_t end[BYTE_VALUES];
    if (count <= SMALL) {
        insertion_sort(keys, count);
        return;
    }
    split_by_byte(keys, count, shift, end);
    for (size_t b = 0, begin = 0; shift && b < BYTE_VALUES; begin = end[b++]) {
        if (end[b] - begin > 1) {
            radix_sort(keys + begin, end[b] - begin, shift - 8);
        }
    }
}

struct sort_part {
    uint64_t *keys;
    size_t count;
    int shift;
};

struct sort_parts {
    struct sort_part *parts;
    size_t count, capacity;
};

/* Splits until the parts are small enough to be shared out. */
static int share_out(struct sort_parts *parts, struct sort_part whole, size_t largest)
{
    if (whole.shift < 0) {
        return 0;
    }
    if (whole.count <= largest) {
        int rc = mem_grow((void **)&parts->parts, &parts->capacity, parts->count + 1, sizeof *parts->parts);
        if (!rc) {
            parts->parts[parts->count++] = whole;
        }
        return rc;
    }
    size_t end[BYTE_VALUES];
    int rc = 0;
    split_by_byte(whole.keys, whole.count, whole.shift, end);
    for (size_t b = 0, begin = 0; !rc && b < BYTE_VALUES; begin = end[b++]) {
        if (end[b] - begin > 1) {
            rc = share_out(parts, (struct sort_part){whole.keys + begin, end[b] - begin, whole.shift - 8}, largest);
        }
    }
    return rc;
}

static int run_part(void *arg, size_t task)
{
    const struct sort_part *part = &((const struct sort_parts *)arg)->parts[task];
    radix_sort(part->keys, part->count, part->shift);
    return 0;
}

int sort_keys(uint64_t *keys, size_t count, struct pool *pool)
{
    if (!pool || pool_threads(pool) == 1 || count < SHARE_MIN) {
        radix_sort(keys, count, 56);
        return 0;
    }
    struct sort_parts parts = {0};
    int rc = share_out(&parts, (struct sort_part){keys, count, 56}, count / (4 * (size_t)pool_threads(pool)) + 1);
    if (!rc) {
        rc = pool_run(pool, parts.count, run_part, &parts);
    }
    mem_free(parts.parts);
    return rc;
}
