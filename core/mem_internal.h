#ifndef RECO_CORE_MEM_INTERNAL_H
#define RECO_CORE_MEM_INTERNAL_H

/* Shared by mem.c and mem_spill.c only: allocation while mem_spill_beyond is in force. NULL with a message set. */

#include <stdbool.h>
#include <stddef.h>

bool mem_spill_is_on(void);
void *mem_spill_realloc(void *ptr, size_t size_bytes);
void *mem_spill_calloc(size_t size_bytes);
void mem_spill_free(void *ptr);

#endif
