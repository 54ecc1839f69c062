#ifndef RECO_DATA_TEXT_SET_INTERNAL_H
#define RECO_DATA_TEXT_SET_INTERNAL_H

/* What the writer and the reader of a text set share, and the lanes of work on a pool. */

#include <pthread.h>
#include <stddef.h>

#include "core/mem.h"
#include "data/dataset_format.h"

#define TEXT_SET_KEYS_FILE "texts.keys" /* header, then struct text_key [texts]; in shards only */
#define DATASET_KIND_KEYS 6

/* Numbers [0, count) of scratch memory: a task takes one for as long as it runs. */
struct lane_stack {
    pthread_mutex_t lock;
    size_t *free_lanes, free_count;
};

static inline int lane_stack_init(struct lane_stack *s, size_t count)
{
    s->free_lanes = mem_calloc(count, sizeof *s->free_lanes);
    if (s->free_lanes == NULL)
        return RECO_E_NOMEM;
    pthread_mutex_init(&s->lock, NULL);
    for (size_t i = 0; i < count; i++)
        s->free_lanes[s->free_count++] = count - 1 - i;
    return 0;
}

static inline size_t lane_stack_take(struct lane_stack *s)
{
    pthread_mutex_lock(&s->lock);
    size_t lane = s->free_lanes[--s->free_count];
    pthread_mutex_unlock(&s->lock);
    return lane;
}

static inline void lane_stack_give(struct lane_stack *s, size_t lane)
{
    pthread_mutex_lock(&s->lock);
    s->free_lanes[s->free_count++] = lane;
    pthread_mutex_unlock(&s->lock);
}

static inline void lane_stack_release(struct lane_stack *s)
{
    if (s->free_lanes != NULL)
        pthread_mutex_destroy(&s->lock);
    mem_free(s->free_lanes);
    s->free_lanes = NULL;
}

#endif
