#ifndef RECO_CORE_MEM_H
#define RECO_CORE_MEM_H

/*
 * Allocation. All of reco's own C code allocates through here, so that a test can make the n-th allocation fail
 * (mem_fail_after) and every caller's error path is walked. A failed allocation returns NULL with err_nomem() set.
 * mem_free(NULL) works. Memory from here is given back by mem_free alone.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

void *mem_alloc(size_t size_bytes) RECO_MUST_CHECK;
void *mem_calloc(size_t count, size_t size_bytes) RECO_MUST_CHECK;
void *mem_realloc(void *ptr, size_t size_bytes) RECO_MUST_CHECK;                     /* on failure ptr stays valid */
void *mem_realloc_array(void *ptr, size_t count, size_t size_bytes) RECO_MUST_CHECK; /* checks count * size */
char *mem_strdup(const char *text) RECO_MUST_CHECK;
char *mem_strndup(const char *text, size_t length) RECO_MUST_CHECK;
char *mem_printf(const char *fmt, ...) RECO_PRINTF(1, 2) RECO_MUST_CHECK; /* asprintf */
void mem_free(void *ptr);

/* Grows *array (elements of size_bytes) to hold at least need elements; *capacity is updated. 0 or RECO_E_NOMEM. */
int mem_grow(void **array, size_t *capacity, size_t need, size_t size_bytes) RECO_MUST_CHECK;

/* Tests only: the n-th allocation from now fails (1 = the next), once. 0 switches off. */
void mem_fail_after(long n);
long mem_allocation_count(void);

/*
 * Bounded memory for code that needs its rows at random. From now on, where the blocks of 1 MiB and more hold
 * max_bytes, further ones lie in unnamed files in tmp_dir (temp_place) that are mapped into memory: the kernel writes
 * them out when memory runs short, and they are not part of the process's data (RLIMIT_DATA). They are grown and freed
 * as any other block. Smaller ones are not looked at. Before threads are started. A full disk is NULL with its message,
 * and mem_spill_failed.
 */
int mem_spill_beyond(size_t max_bytes, const char *tmp_dir) RECO_MUST_CHECK;
void mem_spill_end(void);       /* no further ones */
size_t mem_spilled_bytes(void); /* the most that lay in files at one time */
bool mem_spill_failed(void);    /* RECO_E_NOMEM was for want of disk */

/* Arena: many small objects with one lifetime. Zero-initialised struct is valid and empty. */
struct mem_arena {
    struct mem_arena_block *head;
    size_t used_bytes;
};
void *mem_arena_alloc(struct mem_arena *arena, size_t size_bytes) RECO_MUST_CHECK; /* 16-byte aligned */
char *mem_arena_strndup(struct mem_arena *arena, const char *text, size_t length) RECO_MUST_CHECK;
void mem_arena_release(struct mem_arena *arena);

#endif
