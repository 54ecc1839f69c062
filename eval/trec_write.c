#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/sort_keys.h"
#include "eval/rank.h"
#include "eval/trec.h"

/* A field of a TREC file: not empty and without blanks. */
static int check_id(const char *what, const char *id)
{
    if (!*id || strpbrk(id, " \t\n\v\f\r")) {
        return err_set(RECO_E_DATA, "cannot write TREC files: %s '%.200s' is empty or holds a blank", what, id);
    }
    return 0;
}

/* TREC files hold an item of a query once; readers refuse others. Rows without item ids are items of their own. */
static int check_pairs(const struct predictions *p)
{
    uint64_t *pairs = p->item ? mem_alloc((p->rows + 1) * sizeof *pairs) : NULL;
    int rc = p->item && !pairs ? RECO_E_NOMEM : 0;
    for (size_t row = 0; pairs && row < p->rows; row++) {
        pairs[row] = (uint64_t)p->query[row] << 32 | p->item[row];
    }
    if (pairs) {
        rc = sort_keys(pairs, p->rows, NULL);
    }
    for (size_t i = 1; !rc && pairs && i < p->rows; i++) {
        if (pairs[i] == pairs[i - 1]) {
            rc = err_set(RECO_E_DATA, "cannot write TREC files: query '%.200s' has item '%.200s' twice",
                         p->query_ids[pairs[i] >> 32], p->item_ids[(uint32_t)pairs[i]]);
        }
    }
    mem_free(pairs);
    return rc;
}

static int check_predictions(const struct predictions *p, bool need_score)
{
    if (!p->query || !p->query_ids || (need_score && !predictions_has_score(p))) {
        return err_set(RECO_E_DATA, "cannot write TREC files: the predictions have no column '%s'",
                       !p->query || !p->query_ids ? "query_id" : "score");
    }
    return check_pairs(p);
}

struct run_row {
    uint32_t query;
    double score;
    const char *item;
};

static int compare_rows(const void *left, const void *right)
{
    const struct run_row *a = left;
    const struct run_row *b = right;
    if (a->query != b->query) {
        return a->query < b->query ? -1 : 1;
    }
    if (a->score != b->score) {
        return a->score > b->score ? -1 : 1;
    }
    return strcmp(b->item, a->item);
}

int trec_run_write(const char *path, const struct predictions *p, const char *tag)
{
    struct file_writer *w = NULL;
    struct run_row *rows = NULL;
    int rc = check_predictions(p, true);
    if (!rc) {
        rc = check_id("tag", tag);
    }
    if (!rc) {
        rows = mem_alloc((p->rows + 1) * sizeof *rows);
        rc = rows ? file_writer_open(&w, path) : RECO_E_NOMEM;
    }
    for (size_t i = 0; !rc && i < p->rows; i++) {
        rows[i] = (struct run_row){p->query[i], predictions_score(p, i), predictions_item_id(p, i)};
        rc = check_id("item id", rows[i].item);
    }
    if (!rc) {
        qsort(rows, p->rows, sizeof *rows, compare_rows);
    }
    for (size_t i = 0, rank = 0; !rc && i < p->rows; i++) {
        bool first = !i || rows[i].query != rows[i - 1].query;
        const char *query = p->query_ids[rows[i].query];
        rank = first ? 1 : rank + 1;
        rc = first ? check_id("query id", query) : 0;
        if (!rc) {
            rc = file_printf(w, "%s Q0 %s %zu %.9g %s\n", query, rows[i].item, rank, rows[i].score, tag);
        }
    }
    if (!rc) {
        rc = file_writer_commit(&w);
    }
    file_writer_abort(&w);
    mem_free(rows);
    return rc;
}

int trec_qrels_write(const char *path, const struct predictions *p)
{
    struct file_writer *w = NULL;
    int rc = check_predictions(p, false);
    if (!rc) {
        rc = file_writer_open(&w, path);
    }
    for (size_t row = 0; !rc && row < p->rows; row++) {
        if (!rank_is_judged(p, row)) {
            continue;
        }
        double grade = rank_grade(p, row);
        if (floor(grade) != grade) {
            rc = err_set(RECO_E_DATA, "cannot write qrels: row '%s' has grade %g, and TREC files want whole numbers",
                         p->row_ids[row], grade);
        }
        if (!rc) {
            rc = check_id("query id", p->query_ids[p->query[row]]);
        }
        if (!rc) {
            rc = check_id("item id", predictions_item_id(p, row));
        }
        if (!rc) {
            rc = file_printf(w, "%s 0 %s %.0f\n", p->query_ids[p->query[row]], predictions_item_id(p, row), grade);
        }
    }
    if (!rc) {
        rc = file_writer_commit(&w);
    }
    file_writer_abort(&w);
    return rc;
}
