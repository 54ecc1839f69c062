#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/mem_internal.h"
#include "core/temp_file.h"

/*
 * Large blocks are few, so that a list of those in files is enough. A block of malloc's is known by not being in the
 * list; pages begin at multiples of 4096 bytes, so that most frees do not look.
 */

enum { LARGE_BYTES = 1024 * 1024, LEAST_PAGE_BYTES = 4096, FILES_OPEN_MAX = 128 };

struct region { /* a block that lies in a file */
    void *at;
    size_t size_bytes;
    int fd; /* -1: not held open, as there are many; such a block is copied to grow */
};

static atomic_bool is_on;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP; /* opening a file allocates */
static char *place;
static size_t limit_bytes, held_bytes; /* held_bytes: large blocks of malloc's */
static size_t spilled_bytes, most_spilled_bytes;
static struct region *regions;
static size_t region_count, region_capacity;
static int open_count;
static bool has_failed;

bool mem_spill_is_on(void)
{
    return atomic_load_explicit(&is_on, memory_order_relaxed);
}

int mem_spill_beyond(size_t max_bytes, const char *tmp_dir)
{
    char *copy = mem_strdup(temp_place(tmp_dir));

    if (copy == NULL)
        return RECO_E_NOMEM;
    pthread_mutex_lock(&lock);
    free(place);
    place = copy;
    limit_bytes = max_bytes;
    held_bytes = mem_spill_is_on() ? held_bytes : 0; /* what was freed meanwhile was not seen */
    pthread_mutex_unlock(&lock);
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES); /* what is freed goes back at once, which it else does no more */
    atomic_store(&is_on, true);
    return 0;
}

void mem_spill_end(void)
{
    pthread_mutex_lock(&lock);
    atomic_store(&is_on, region_count > 0); /* blocks in files must still be known */
    limit_bytes = SIZE_MAX;
    pthread_mutex_unlock(&lock);
}

size_t mem_spilled_bytes(void)
{
    pthread_mutex_lock(&lock);
    size_t most = most_spilled_bytes;
    pthread_mutex_unlock(&lock);
    return most;
}

bool mem_spill_failed(void)
{
    return has_failed;
}

/* ---- blocks in files; under the lock ---- */

static struct region *find(const void *ptr)
{
    if (ptr == NULL || ((uintptr_t)ptr & (LEAST_PAGE_BYTES - 1)) != 0)
        return NULL;
    for (size_t i = region_count; i-- > 0;)
        if (regions[i].at == ptr)
            return &regions[i];
    return NULL;
}

static void fail(void)
{
    has_failed = true;
    (void)err_set_errno("cannot hold rows beyond the memory limit in a temporary file in '%s'", place);
}

static void count_spilled(size_t before, size_t after)
{
    spilled_bytes = spilled_bytes - before + after;
    if (spilled_bytes > most_spilled_bytes)
        most_spilled_bytes = spilled_bytes;
}

/* Zeros. */
static void *region_new(size_t size_bytes)
{
    if (region_count == region_capacity) {
        size_t capacity = 2 * region_capacity + 16;
        struct region *grown = realloc(regions, capacity * sizeof *grown);
        if (grown == NULL) {
            err_nomem();
            return NULL;
        }
        regions = grown;
        region_capacity = capacity;
    }
    int fd = temp_unnamed(place);
    void *at = MAP_FAILED;
    if (fd >= 0 && temp_take_room(fd, size_bytes) == 0)
        at = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        fail();
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (open_count == FILES_OPEN_MAX) {
        close(fd);
        fd = -1;
    }
    open_count += fd >= 0;
    regions[region_count++] = (struct region){at, size_bytes, fd};
    count_spilled(0, size_bytes);
    return at;
}

static void region_free(struct region *region)
{
    munmap(region->at, region->size_bytes);
    if (region->fd >= 0) {
        close(region->fd);
        open_count--;
    }
    count_spilled(region->size_bytes, 0);
    *region = regions[--region_count];
}

/* The region may move in the list too. */
static void *region_resize(struct region *region, size_t size_bytes)
{
    if (size_bytes == region->size_bytes)
        return region->at;
    if (region->fd < 0) {
        struct region old = *region;
        void *at = region_new(size_bytes);
        if (at == NULL)
            return NULL;
        memcpy(at, old.at, old.size_bytes < size_bytes ? old.size_bytes : size_bytes);
        region_free(find(old.at));
        return at;
    }
    if (size_bytes > region->size_bytes && temp_take_room(region->fd, size_bytes) != 0) {
        fail();
        return NULL;
    }
    void *at = mremap(region->at, region->size_bytes, size_bytes, MREMAP_MAYMOVE);
    if (at == MAP_FAILED) {
        fail();
        return NULL;
    }
    if (size_bytes < region->size_bytes && ftruncate(region->fd, (off_t)size_bytes) != 0)
        errno = 0; /* the disk holds more than it must: no harm */
    count_spilled(region->size_bytes, size_bytes);
    region->at = at;
    region->size_bytes = size_bytes;
    return at;
}

/* ---- any block ---- */

/* What a block of malloc's counts for the limit. */
static size_t counted(void *ptr)
{
    size_t size = ptr == NULL ? 0 : malloc_usable_size(ptr);

    return size < LARGE_BYTES ? 0 : size;
}

/* Blocks that are older than the limit were not counted. */
static void uncount(size_t size_bytes)
{
    held_bytes -= size_bytes < held_bytes ? size_bytes : held_bytes;
}

static void *resize(void *ptr, size_t size_bytes, bool zeroed)
{
    struct region *region = find(ptr);

    if (region != NULL)
        return region_resize(region, size_bytes);
    size_t before = counted(ptr);
    size_t others = held_bytes - (before < held_bytes ? before : held_bytes);
    if (size_bytes < LARGE_BYTES || (others < limit_bytes && size_bytes <= limit_bytes - others)) {
        void *moved = zeroed ? calloc(1, size_bytes) : realloc(ptr, size_bytes);
        if (moved == NULL) {
            err_nomem();
            return NULL;
        }
        uncount(before);
        held_bytes += counted(moved);
        return moved;
    }
    void *at = region_new(size_bytes);
    if (at != NULL && ptr != NULL) {
        size_t length = malloc_usable_size(ptr);
        memcpy(at, ptr, length < size_bytes ? length : size_bytes);
        uncount(before);
        free(ptr);
    }
    return at;
}

/* Surely malloc's, and too small to count: nothing here has to know. */
static bool is_small(void *ptr)
{
    return ptr == NULL || (((uintptr_t)ptr & (LEAST_PAGE_BYTES - 1)) != 0 && counted(ptr) == 0);
}

void *mem_spill_realloc(void *ptr, size_t size_bytes)
{
    if (size_bytes < LARGE_BYTES && is_small(ptr)) {
        void *small = realloc(ptr, size_bytes);
        if (small == NULL)
            err_nomem();
        return small;
    }
    pthread_mutex_lock(&lock);
    void *at = resize(ptr, size_bytes, false);
    pthread_mutex_unlock(&lock);
    return at;
}

void *mem_spill_calloc(size_t size_bytes)
{
    if (size_bytes < LARGE_BYTES) {
        void *small = calloc(1, size_bytes);
        if (small == NULL)
            err_nomem();
        return small;
    }
    pthread_mutex_lock(&lock);
    void *at = resize(NULL, size_bytes, true);
    pthread_mutex_unlock(&lock);
    return at;
}

void mem_spill_free(void *ptr)
{
    if (is_small(ptr)) {
        free(ptr);
        return;
    }
    pthread_mutex_lock(&lock);
    struct region *region = find(ptr);
    if (region != NULL) {
        region_free(region);
    } else {
        uncount(counted(ptr));
        free(ptr);
    }
    pthread_mutex_unlock(&lock);
}
