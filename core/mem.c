#include "core/mem.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem_internal.h"

static atomic_long fail_countdown; /* 0: off */
static atomic_long allocation_count;

static int injected_failure(void)
{
    atomic_fetch_add_explicit(&allocation_count, 1, memory_order_relaxed);
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0)
        return 0;
    return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

void *mem_alloc(size_t size_bytes)
{
    return mem_realloc(NULL, size_bytes);
}

void *mem_calloc(size_t count, size_t size_bytes)
{
    bool fails = injected_failure();
    if (mem_spill_is_on() && !fails && (size_bytes == 0 || count <= SIZE_MAX / size_bytes))
        return mem_spill_calloc(count > 0 && size_bytes > 0 ? count * size_bytes : 1);
    void *memory = fails ? NULL : calloc(count > 0 ? count : 1, size_bytes > 0 ? size_bytes : 1);
    if (memory == NULL)
        err_nomem();
    return memory;
}

void *mem_realloc(void *ptr, size_t size_bytes)
{
    bool fails = injected_failure();
    if (mem_spill_is_on() && !fails)
        return mem_spill_realloc(ptr, size_bytes > 0 ? size_bytes : 1);
    void *memory = fails ? NULL : realloc(ptr, size_bytes > 0 ? size_bytes : 1);
    if (memory == NULL)
        err_nomem();
    return memory;
}

void *mem_realloc_array(void *ptr, size_t count, size_t size_bytes)
{
    if (size_bytes > 0 && count > SIZE_MAX / size_bytes) {
        err_nomem();
        return NULL;
    }
    return mem_realloc(ptr, count * size_bytes);
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *text, size_t length)
{
    const char *end = memchr(text, '\0', length);
    if (end != NULL)
        length = (size_t)(end - text);
    char *copy = mem_alloc(length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *mem_printf(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (length < 0) {
        err_nomem();
        return NULL;
    }
    char *text = mem_alloc((size_t)length + 1);
    if (text == NULL)
        return NULL;
    va_start(args, fmt);
    vsnprintf(text, (size_t)length + 1, fmt, args);
    va_end(args);
    return text;
}

void mem_free(void *ptr)
{
    if (mem_spill_is_on())
        mem_spill_free(ptr);
    else
        free(ptr);
}

int mem_grow(void **array, size_t *capacity, size_t need, size_t size_bytes)
{
    if (need <= *capacity)
        return 0;
    size_t wanted = *capacity < 8 ? 8 : *capacity;
    while (wanted < need) {
        if (wanted > SIZE_MAX / 2)
            return err_nomem();
        wanted *= 2;
    }
    void *grown = mem_realloc_array(*array, wanted, size_bytes);
    if (grown == NULL)
        return RECO_E_NOMEM;
    *array = grown;
    *capacity = wanted;
    return 0;
}

void mem_fail_after(long n)
{
    atomic_store(&fail_countdown, n);
}

long mem_allocation_count(void)
{
    return atomic_load(&allocation_count);
}

/* ---- arena: blocks from mem_alloc, newest first; a large object gets a block of its own ---- */

#define ARENA_ALIGN 16
#define ARENA_BLOCK_BYTES (64 * 1024)

struct mem_arena_block {
    struct mem_arena_block *next;
    size_t capacity_bytes, used_bytes;
    alignas(ARENA_ALIGN) unsigned char bytes[];
};

void *mem_arena_alloc(struct mem_arena *arena, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX - ARENA_BLOCK_BYTES) {
        err_nomem();
        return NULL;
    }
    size_t size = (size_bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    struct mem_arena_block *block = arena->head;
    if (block == NULL || block->capacity_bytes - block->used_bytes < size) {
        size_t capacity = size > ARENA_BLOCK_BYTES / 4 ? size : ARENA_BLOCK_BYTES;
        struct mem_arena_block *fresh = mem_alloc(sizeof *fresh + capacity);
        if (fresh == NULL)
            return NULL;
        fresh->capacity_bytes = capacity;
        fresh->used_bytes = 0;
        if (block != NULL && capacity != ARENA_BLOCK_BYTES) {
            /* Behind the current block, which still has room for small objects. */
            fresh->next = block->next;
            block->next = fresh;
        } else {
            fresh->next = block;
            arena->head = fresh;
        }
        block = fresh;
    }
    void *memory = block->bytes + block->used_bytes;
    block->used_bytes += size;
    arena->used_bytes += size;
    return memory;
}

char *mem_arena_strndup(struct mem_arena *arena, const char *text, size_t length)
{
    char *copy = mem_arena_alloc(arena, length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void mem_arena_release(struct mem_arena *arena)
{
    while (arena->head != NULL) {
        struct mem_arena_block *next = arena->head->next;
        mem_free(arena->head);
        arena->head = next;
    }
    arena->used_bytes = 0;
}
