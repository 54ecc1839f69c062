#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "data/predictions.h"
#include "data/prepare_internal.h"

/* The first pass over the spool: bad rows and their limits, labels that are not in the map, ids seen before, samples.
 */

enum {
    SHOWN_BAD_ROWS = 5, /* of a file, as warnings; all are in rejects.tsv */
    MAX_SHOWN_BYTES = 60
};

static int reject(struct prepare_whole *w, const struct spool_row *row, const char *reason, size_t length,
                  uint64_t bad_before)
{
    const struct prepare_file_facts *file = &w->files[row->file];
    struct buf line = {0};

    if (bad_before < SHOWN_BAD_ROWS)
        log_warn("%s line %llu: %.*s; row left out", file->label, (unsigned long long)row->line, (int)length, reason);
    int rc = predictions_escape(&line, file->path, strlen(file->path));
    if (rc == 0)
        rc = buf_printf(&line, "\t%llu\t", (unsigned long long)row->line);
    if (rc == 0)
        rc = buf_add(&line, reason, length);
    if (rc == 0)
        rc = buf_add_char(&line, '\t');
    if (rc == 0)
        rc = buf_add(&line, row->raw.text, row->raw.length);
    if (rc == 0)
        rc = buf_add_char(&line, '\n');
    if (rc == 0)
        rc = file_write(w->rejects, line.data, line.length);
    buf_release(&line);
    return rc;
}

/* A count is taken as it is; of a share, one row is always allowed. */
static uint64_t allowed_bad_rows(const struct opt_amount *limit, uint64_t rows)
{
    if (!limit->is_frac)
        return (uint64_t)limit->value;
    uint64_t share = (uint64_t)(limit->value * (double)rows);
    return share > 0 ? share : 1;
}

/* No dataset: moves the bad rows beside it and returns the error. */
static int refuse(struct prepare_whole *w, const char *file_label, const char *what)
{
    int rc = file_writer_commit(&w->rejects);

    if (rc < 0)
        return rc;
    if (rename(w->rejects_path, w->reject_copy) != 0)
        return err_set_errno("cannot write '%s'", w->reject_copy);
    return err_set(RECO_E_DATA, "cannot use %s: %s; they are in '%s'", file_label, what, w->reject_copy);
}

static int check_file(struct prepare_whole *w, size_t number, bool limited)
{
    const struct prepare_file_counts *counts = &w->counts.files[number];
    const char *label = w->files[number].label;
    uint64_t allowed = allowed_bad_rows(&w->options->max_bad_rows, counts->rows_read);
    char what[128];

    if (counts->rows_read == 0)
        return limited ? 0 : err_set(RECO_E_DATA, "cannot use %s: it has a header and no rows", label);
    if (counts->rows_bad > allowed) {
        snprintf(what, sizeof what, "%llu of %llu rows are bad and %llu may be (--max_bad_rows)",
                 (unsigned long long)counts->rows_bad, (unsigned long long)counts->rows_read,
                 (unsigned long long)allowed);
        return refuse(w, label, what);
    }
    if (counts->rows_bad == counts->rows_read)
        return refuse(w, label, "every row is bad");
    if (counts->rows_bad > SHOWN_BAD_ROWS)
        log_warn("%s: %llu bad rows left out, all are listed in rejects.tsv", label,
                 (unsigned long long)counts->rows_bad);
    return 0;
}

/* ---- row ids that come from a column: predictions are told apart by them
 * ------------------------------------------------------ */

static int sort_ids(struct prepare_whole *w, struct sorter *sorter)
{
    struct spool_reader reader = {0};
    struct spool_row row;
    unsigned char key[17];
    bool found = true;
    int rc = spool_reader_open(&reader, w->spool);

    for (uint64_t i = 0; rc == 0; i++) {
        rc = spool_next(&reader, &row, &found);
        if (rc < 0 || !found)
            break;
        if (row.kind != SPOOL_ROW || row.id_key == 0)
            continue;
        key[0] = (unsigned char)w->files[row.file].split;
        sorter_u64(key + 1, row.id_key);
        sorter_u64(key + 9, i);
        rc = sorter_add(sorter, key, sizeof key, NULL, 0);
    }
    spool_reader_release(&reader);
    return rc < 0 ? rc : sorter_sort(sorter);
}

/* Known by 64 bits of hash. All but the first of an id are bad rows. */
static int mark_ids(struct prepare_whole *w)
{
    const struct sorter_record *record;
    struct sorter *sorter = NULL;
    unsigned char last[9] = {255};
    int rc = sorter_new(&sorter, w->tmp_dir, w->sort_bytes);

    if (rc == 0)
        rc = sort_ids(w, sorter);
    while (rc == 0 && (rc = sorter_next(sorter, &record)) == 0 && record != NULL) {
        if (memcmp(last, record->key, sizeof last) == 0)
            w->verdicts[sorter_get_u64(record->key + 9)] = PREPARE_VERDICT(0, PREPARE_RULE_BAD);
        memcpy(last, record->key, sizeof last);
    }
    sorter_free(sorter);
    return rc;
}

/* ---- the pass
 * ----------------------------------------------------------------------------------------------------------- */

struct screening {
    struct prepare_whole *w;
    struct buf reason;
    uint64_t good[PREPARE_SPLITS];
    size_t file; /* the one at hand; those before it were checked */
    int settled; /* what settling the labels gave: said only after the checks of the rows */
    struct buf settle_message;
};

/* At the end of a file, of those without a row between too. */
static int pass_files(struct screening *s, size_t up_to)
{
    struct prepare_whole *w = s->w;
    int rc = 0;

    for (; rc == 0 && s->file < up_to; s->file++) {
        enum prepare_split split = w->files[s->file].split;
        uint64_t most = (uint64_t)prepare_max_rows(w->options, split);
        rc = check_file(w, s->file, most > 0 && s->good[split] >= most);
        bool last = s->file + 1 == w->file_count || w->files[s->file + 1].split != split;
        if (rc == 0 && last && split == w->first_split && s->settled < 0) {
            rc = err_set(s->settled, "%s", buf_str(&s->settle_message));
            if (rc == RECO_E_DATA)
                rc = err_prepend(rc, "cannot use %s", w->files[s->file].label);
        }
    }
    return rc;
}

static int find_reason(struct screening *s, const struct spool_row *row, bool id_seen)
{
    struct prepare_whole *w = s->w;

    buf_clear(&s->reason);
    if (row->kind == SPOOL_BAD)
        return buf_add(&s->reason, row->reason.text, row->reason.length);
    if (id_seen) {
        const char *tab = memchr(row->columns.text, '\t', row->columns.length);
        size_t length = tab != NULL ? (size_t)(tab - row->columns.text) : row->columns.length;
        return buf_printf(&s->reason, "row id '%.*s' was there before",
                          (int)(length > MAX_SHOWN_BYTES ? MAX_SHOWN_BYTES : length), row->columns.text);
    }
    if (row->kind != SPOOL_ROW || s->settled < 0 || prepare_class_of(w, row) != SPOOL_UNKNOWN_LABEL)
        return 0;
    struct buf plain = {0};
    int rc = prepare_labels_unknown(w->labels, row->reason.text, row->reason.length, &plain);
    if (rc == 0)
        rc = predictions_escape(&s->reason, buf_str(&plain), plain.length);
    buf_release(&plain);
    return rc;
}

static int screen_row(struct screening *s, const struct spool_row *row, unsigned char *verdict)
{
    struct prepare_whole *w = s->w;
    enum prepare_split split = w->files[row->file].split;
    struct prepare_file_counts *counts = &w->counts.files[row->file];
    uint64_t most = (uint64_t)prepare_max_rows(w->options, split);

    int rc = pass_files(s, row->file);
    if (rc < 0)
        return rc;
    if (most > 0 && s->good[split] >= most) {
        *verdict = PREPARE_VERDICT(split, PREPARE_RULE_SAMPLES);
        return 0;
    }
    rc = find_reason(s, row, PREPARE_RULE_OF(*verdict) == PREPARE_RULE_BAD);
    *verdict = PREPARE_VERDICT(split, PREPARE_RULE_KEPT);
    counts->rows_read++;
    if (s->reason.length > 0) {
        *verdict = PREPARE_VERDICT(split, PREPARE_RULE_BAD);
        return rc < 0 ? rc : reject(w, row, s->reason.data, s->reason.length, counts->rows_bad++);
    }
    for (uint64_t left = row->changed; left != 0; left &= left - 1)
        w->counts.changed[__builtin_ctzll(left)]++;
    if (row->kind == SPOOL_DROPPED) {
        w->counts.dropped[row->rule]++;
        *verdict = PREPARE_VERDICT(split, PREPARE_RULE_BAD); /* not a row of the dataset */
        return rc;
    }
    counts->rows_good++;
    s->good[split]++;
    return rc;
}

int prepare_screen(struct prepare_whole *w)
{
    struct screening s = {.w = w};
    struct spool_reader reader = {0};
    struct spool_row row;
    bool found = true;
    int rc = temp_file_open(&w->verdict_file, w->tmp_dir);

    if (rc == 0)
        rc = temp_file_map_zeros(w->verdict_file, (size_t)spool_rows(w->spool), &w->verdicts);
    if (rc == 0 && w->options->id_column != NULL)
        rc = mark_ids(w);
    if (rc == 0 && !w->labels->known) {
        s.settled = prepare_labels_settle(w->labels, w->options, &w->label_of);
        if (s.settled < 0)
            rc = buf_add_str(&s.settle_message, err_message());
        if (s.settled == RECO_E_NOMEM)
            rc = RECO_E_NOMEM;
    }
    if (rc == 0)
        rc = spool_reader_open(&reader, w->spool);
    for (uint64_t i = 0; rc == 0; i++) {
        rc = spool_next(&reader, &row, &found);
        if (rc < 0 || !found)
            break;
        rc = screen_row(&s, &row, &w->verdicts[i]);
        if (rc == 0 && i % 65536 == 65535 && stop_requested())
            rc = err_set(RECO_E_STOPPED, "stopped while sorting out the rows");
    }
    if (rc == 0)
        rc = pass_files(&s, w->file_count);
    spool_reader_release(&reader);
    buf_release(&s.reason);
    buf_release(&s.settle_message);
    return rc;
}
