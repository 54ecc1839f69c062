#include <string.h>

#include "core/mem.h"
#include "data/input_internal.h"

void input_stage_free(struct input_stage *stage)
{
    if (stage != NULL)
        stage->free(stage);
}

static int filter_read(struct input_stage *stage, void *bytes, size_t capacity, size_t *got)
{
    struct input_filter *f = (struct input_filter *)stage;

    while (f->out_start == f->out.length && !f->ended) {
        buf_clear(&f->out);
        f->out_start = 0;
        int rc = f->produce(f);
        if (rc < 0)
            return rc;
    }
    size_t ready = f->out.length - f->out_start;
    *got = ready < capacity ? ready : capacity;
    if (*got > 0)
        memcpy(bytes, f->out.data + f->out_start, *got);
    f->out_start += *got;
    return 0;
}

static void filter_free(struct input_stage *stage)
{
    struct input_filter *f = (struct input_filter *)stage;

    if (f->release != NULL)
        f->release(f);
    input_stage_free(f->from);
    buf_release(&f->out);
    mem_free(f->in);
    mem_free(f);
}

int input_filter_start(struct input_filter *f, struct input_stage *from, const char *label)
{
    f->stage = (struct input_stage){.read = filter_read, .free = filter_free};
    f->from = from;
    f->label = label;
    f->in = mem_alloc(INPUT_BLOCK_BYTES);
    if (f->in != NULL)
        return 0;
    input_stage_free(&f->stage);
    return RECO_E_NOMEM;
}

int input_filter_fill(struct input_filter *f, size_t need)
{
    if (f->in_end - f->in_start >= need || f->in_at_end)
        return 0;
    memmove(f->in, f->in + f->in_start, f->in_end - f->in_start);
    f->in_end -= f->in_start;
    f->in_start = 0;
    while (f->in_end < need && !f->in_at_end) {
        size_t got;
        int rc = f->from->read(f->from, f->in + f->in_end, INPUT_BLOCK_BYTES - f->in_end, &got);
        if (rc < 0)
            return rc;
        f->in_end += got;
        f->in_at_end = got == 0;
    }
    return 0;
}
