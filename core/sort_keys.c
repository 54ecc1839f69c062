#include "core/sort_keys.h"

#include <stdbool.h>
#include <string.h>

#include "core/mem.h"

#define SMALL 48        /* as few are sorted by insertion */
#define PARTS_MAX 1024  /* a power of two */
#define COPIED_MAX 4096 /* as few are split through a copy on the stack */
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

/* Keys from least on fall into parts of equal width, 2^shift: part 0 holds the least ones. */
struct ranges {
    uint64_t least;
    int shift;
    size_t parts; /* at most PARTS_MAX */
};

/* Returns false when all keys are equal. */
static bool find_ranges(struct ranges *ranges, const uint64_t *keys, size_t count)
{
    uint64_t least = keys[0];
    uint64_t most = keys[0];
    for (size_t i = 1; i < count; i++) {
        least = keys[i] < least ? keys[i] : least;
        most = keys[i] > most ? keys[i] : most;
    }
    size_t wanted = PARTS_MAX;
    while (wanted > count) {
        wanted /= 2;
    }
    *ranges = (struct ranges){.least = least};
    while ((most - least) >> ranges->shift >= wanted) {
        ranges->shift++;
    }
    ranges->parts = (size_t)((most - least) >> ranges->shift) + 1;
    return most > least;
}

static size_t part_of(const struct ranges *ranges, uint64_t key)
{
    return (size_t)((key - ranges->least) >> ranges->shift);
}

/*
 * Brings the keys of each part together; part p ends before end[p]. Returns the size of the largest.
 * Source: McIlroy, Bostic and McIlroy 1993, "Engineering radix sort", American flag sort.
 */
static size_t split(uint64_t *keys, size_t count, const struct ranges *ranges, size_t end[PARTS_MAX])
{
    size_t next[PARTS_MAX] = {0};
    size_t largest = 0;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        next[part_of(ranges, keys[i])]++;
    }
    for (size_t p = 0; p < ranges->parts; p++) {
        largest = next[p] > largest ? next[p] : largest;
        at += next[p];
        end[p] = at;
        next[p] = at - next[p];
    }
    if (count <= COPIED_MAX) {
        uint64_t copy[COPIED_MAX];
        memcpy(copy, keys, count * sizeof *copy);
        for (size_t i = 0; i < count; i++) {
            keys[next[part_of(ranges, copy[i])]++] = copy[i];
        }
        return largest;
    }
    for (size_t p = 0; p < ranges->parts; p++) {
        while (next[p] < end[p]) {
            uint64_t key = keys[next[p]];
            size_t to = part_of(ranges, key);
            while (to != p) {
                uint64_t other = keys[next[to]];
                keys[next[to]++] = key;
                key = other;
                to = part_of(ranges, key);
            }
            keys[next[p]++] = key;
        }
    }
    return largest;
}

static void radix_sort(uint64_t *keys, size_t count)
{
    struct ranges ranges;
    size_t end[PARTS_MAX];
    if (count <= SMALL) {
        insertion_sort(keys, count);
        return;
    }
    if (!find_ranges(&ranges, keys, count)) {
        return;
    }
    size_t largest = split(keys, count, &ranges, end);
    if (!ranges.shift) {
        return;
    }
    if (largest <= SMALL) { /* no key leaves its part */
        insertion_sort(keys, count);
        return;
    }
    for (size_t p = 0, begin = 0; p < ranges.parts; begin = end[p++]) {
        if (end[p] - begin > 1) {
            radix_sort(keys + begin, end[p] - begin);
        }
    }
}

struct sort_part {
    uint64_t *keys;
    size_t count;
};

struct sort_parts {
    struct sort_part *parts;
    size_t count, capacity;
};

/* Splits until the parts are small enough to be shared out. */
static int share_out(struct sort_parts *parts, struct sort_part whole, size_t largest)
{
    if (whole.count <= largest) {
        int rc = mem_grow((void **)&parts->parts, &parts->capacity, parts->count + 1, sizeof *parts->parts);
        if (!rc) {
            parts->parts[parts->count++] = whole;
        }
        return rc;
    }
    struct ranges ranges;
    size_t end[PARTS_MAX];
    int rc = 0;
    if (!find_ranges(&ranges, whole.keys, whole.count)) {
        return 0;
    }
    (void)split(whole.keys, whole.count, &ranges, end);
    for (size_t p = 0, begin = 0; !rc && p < ranges.parts; begin = end[p++]) {
        if (end[p] - begin > 1) {
            rc = share_out(parts, (struct sort_part){whole.keys + begin, end[p] - begin}, largest);
        }
    }
    return rc;
}

static int run_part(void *arg, size_t task)
{
    const struct sort_part *part = &((const struct sort_parts *)arg)->parts[task];
    radix_sort(part->keys, part->count);
    return 0;
}

int sort_keys(uint64_t *keys, size_t count, struct pool *pool)
{
    if (!pool || pool_threads(pool) == 1 || count < SHARE_MIN) {
        radix_sort(keys, count);
        return 0;
    }
    struct sort_parts parts = {0};
    int rc = share_out(&parts, (struct sort_part){keys, count}, count / (4 * (size_t)pool_threads(pool)) + 1);
    if (!rc) {
        rc = pool_run(pool, parts.count, run_part, &parts);
    }
    mem_free(parts.parts);
    return rc;
}
