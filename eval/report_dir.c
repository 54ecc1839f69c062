#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "eval/behaviour.h"
#include "eval/report.h"

static const char report_file[] = "report.json";

int eval_report_dir_check(const char *dir, bool overwrite)
{
    bool empty = true;
    int rc = dir_exists(dir) ? dir_is_empty(dir, &empty) : 0;
    if (rc || empty) {
        return rc;
    }
    if (!overwrite) {
        return err_set(RECO_E_USAGE, "output directory '%s' is not empty: choose another one, or give --overwrite",
                       dir);
    }
    char *path = path_join(dir, report_file);
    if (!path) {
        return RECO_E_NOMEM;
    }
    if (!file_exists(path)) {
        rc = err_set(RECO_E_USAGE, "'%s' is not empty and holds no %s: --overwrite replaces reports only", dir,
                     report_file);
    }
    mem_free(path);
    return rc;
}

static int write_file(const char *dir, const char *name, const char *text)
{
    char *path = path_join(dir, name);
    int rc = path ? file_write_all(path, text, strlen(text)) : RECO_E_NOMEM;
    mem_free(path);
    return rc;
}

static int write_per_query(const struct eval_report *report, const char *dir)
{
    struct buf b = {0};
    int rc = eval_report_per_query(report, &b);
    if (!rc) {
        rc = write_file(dir, "per_query.tsv", buf_str(&b));
    }
    buf_release(&b);
    return rc;
}

/* The arms and the positions as tables, where there are such. */
static int write_tables(const struct eval_report *report, const char *dir)
{
    struct buf arms = {0};
    struct buf positions = {0};
    int rc = report->arms ? eval_arms_tsv(report->arms, &arms) : 0;
    rc = rc ? rc : report_tsv_positions(report, &positions);
    rc = !rc && arms.length ? write_file(dir, "arms.tsv", buf_str(&arms)) : rc;
    rc = !rc && positions.length ? write_file(dir, "by_position.tsv", buf_str(&positions)) : rc;
    buf_release(&arms);
    buf_release(&positions);
    return rc;
}

int eval_report_write(const struct eval_report *report, const char *dir, const char *text, const char *json,
                      const char *html)
{
    char *stage = NULL;
    int rc = dir_stage_begin(&stage, dir);
    if (rc) {
        return rc;
    }
    rc = write_file(stage, "report.txt", text);
    if (!rc) {
        rc = write_file(stage, report_file, json);
    }
    if (!rc) {
        rc = write_file(stage, "report.html", html);
    }
    if (!rc && report->queries) {
        rc = write_per_query(report, stage);
    }
    if (!rc) {
        rc = write_tables(report, stage);
    }
    if (!rc) {
        rc = dir_stage_commit(stage, dir);
    }
    if (rc) {
        dir_stage_abort(stage);
    }
    mem_free(stage);
    return rc;
}
