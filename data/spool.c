#include "data/spool.h"

#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "data/dataset_internal.h"

/* A row in the file: this, then order, columns, reason and raw. */
struct packed {
    uint32_t bytes; /* of all, this included */
    uint32_t kind, rule, file, query, description;
    int32_t label;
    float weight;
    uint64_t changed, record, line, query_key, pair_key, item_key, category_key, id_key;
    double target;
    int64_t time_us;
    uint32_t order_length, columns_length, reason_length, raw_length;
};

struct spool_writer {
    struct temp_file *temp;
    struct dataset_file *file;
    struct buf bytes;
    uint64_t rows;
};

static int new_writer(struct spool_writer **out)
{
    *out = mem_calloc(1, sizeof **out);
    return *out == NULL ? RECO_E_NOMEM : 0;
}

int spool_writer_open(struct spool_writer **out, const char *tmp_dir)
{
    struct spool_writer *w;
    int rc = new_writer(&w);

    if (rc < 0)
        return rc;
    rc = temp_file_open(&w->temp, tmp_dir);
    if (rc < 0) {
        mem_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

int spool_writer_open_file(struct spool_writer **out, struct dataset_file *file)
{
    struct spool_writer *w;
    int rc = new_writer(&w);

    if (rc < 0)
        return rc;
    w->file = file;
    *out = w;
    return 0;
}

void spool_writer_free(struct spool_writer *w)
{
    if (w == NULL)
        return;
    temp_file_close(w->temp);
    buf_release(&w->bytes);
    mem_free(w);
}

int spool_pack(struct spool_writer *w, const struct spool_row *row, const void **bytes, size_t *length)
{
    size_t all = sizeof(struct packed) + row->order.length + row->columns.length + row->reason.length + row->raw.length;

    if (all > UINT32_MAX)
        return err_set(RECO_E_DATA, "a row of more than 4 GiB");
    const struct packed packed = {.bytes = (uint32_t)all,
                                  .kind = row->kind,
                                  .rule = row->rule,
                                  .file = row->file,
                                  .query = row->query,
                                  .description = row->description,
                                  .label = row->label,
                                  .weight = row->weight,
                                  .changed = row->changed,
                                  .record = row->record,
                                  .line = row->line,
                                  .query_key = row->query_key,
                                  .pair_key = row->pair_key,
                                  .item_key = row->item_key,
                                  .category_key = row->category_key,
                                  .id_key = row->id_key,
                                  .target = row->target,
                                  .time_us = row->time_us,
                                  .order_length = (uint32_t)row->order.length,
                                  .columns_length = (uint32_t)row->columns.length,
                                  .reason_length = (uint32_t)row->reason.length,
                                  .raw_length = (uint32_t)row->raw.length};
    buf_clear(&w->bytes);
    int rc = buf_add(&w->bytes, &packed, sizeof packed);
    if (rc == 0)
        rc = buf_add(&w->bytes, row->order.text, row->order.length);
    if (rc == 0)
        rc = buf_add(&w->bytes, row->columns.text, row->columns.length);
    if (rc == 0)
        rc = buf_add(&w->bytes, row->reason.text, row->reason.length);
    if (rc == 0)
        rc = buf_add(&w->bytes, row->raw.text, row->raw.length);
    *bytes = w->bytes.data;
    *length = w->bytes.length;
    return rc;
}

int spool_unpack(const void *bytes, size_t length, struct spool_row *row)
{
    struct packed p;

    if (length < sizeof p)
        return err_set(RECO_E_DATA, "a cut row");
    memcpy(&p, bytes, sizeof p);
    if ((uint64_t)p.order_length + p.columns_length + p.reason_length + p.raw_length != length - sizeof p ||
        p.kind > SPOOL_DROPPED)
        return err_set(RECO_E_DATA, "a damaged row");
    const char *at = (const char *)bytes + sizeof p;
    *row = (struct spool_row){.kind = (enum spool_kind)p.kind,
                              .rule = p.rule,
                              .file = p.file,
                              .query = p.query,
                              .description = p.description,
                              .label = p.label,
                              .weight = p.weight,
                              .changed = p.changed,
                              .record = p.record,
                              .line = p.line,
                              .query_key = p.query_key,
                              .pair_key = p.pair_key,
                              .item_key = p.item_key,
                              .category_key = p.category_key,
                              .id_key = p.id_key,
                              .target = p.target,
                              .time_us = p.time_us};
    row->order = (struct spool_text){at, p.order_length};
    row->columns = (struct spool_text){at += p.order_length, p.columns_length};
    row->reason = (struct spool_text){at += p.columns_length, p.reason_length};
    row->raw = (struct spool_text){at + p.reason_length, p.raw_length};
    return 0;
}

int spool_write(struct spool_writer *w, const struct spool_row *row)
{
    const void *bytes = NULL;
    size_t length = 0;
    int rc = spool_pack(w, row, &bytes, &length);

    w->rows++;
    if (rc < 0)
        return rc;
    return w->temp != NULL ? temp_file_write(w->temp, bytes, length) : dataset_file_add(w->file, bytes, length);
}

uint64_t spool_rows(const struct spool_writer *w)
{
    return w->rows;
}

/* ---- reading
 * ------------------------------------------------------------------------------------------------------------ */

void spool_reader_open_file(struct spool_reader *r, const struct temp_file *file, uint64_t start, uint64_t end)
{
    *r = (struct spool_reader){.reader = {.file = file, .at = start, .end = end}};
}

int spool_reader_open(struct spool_reader *r, struct spool_writer *w)
{
    int rc = temp_file_flush(w->temp);

    if (rc == 0)
        spool_reader_open_file(r, w->temp, 0, temp_file_bytes(w->temp));
    return rc;
}

int spool_next(struct spool_reader *r, struct spool_row *row, bool *found)
{
    const unsigned char *bytes;
    uint32_t length;

    *found = !temp_reader_at_end(&r->reader);
    if (!*found)
        return 0;
    int rc = temp_reader_peek(&r->reader, sizeof length, &bytes);
    if (rc < 0)
        return rc;
    memcpy(&length, bytes, sizeof length);
    rc = temp_reader_get(&r->reader, length, &bytes);
    return rc < 0 ? rc : spool_unpack(bytes, length, row);
}

void spool_reader_release(struct spool_reader *r)
{
    temp_reader_release(&r->reader);
}
