#include "cli/doctor_output.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/gnuplot.h"
#include "core/file.h"
#include "core/json_file.h"
#include "core/mem.h"
#include "data/doctor.h"
#include "eval/doctor_page.h"

enum { FILE_COLUMNS = 100 };

static int terminal_columns(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;

    if (columns != NULL && strtol(columns, NULL, 10) > 0)
        return (int)strtol(columns, NULL, 10);
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : FILE_COLUMNS;
}

static int add_page(struct buf *b, const json_t *report, const struct cmd_ctx *ctx)
{
    struct doctor_pictures pictures = {0};
    char *command = cmd_line_text(ctx);
    int rc = command == NULL ? RECO_E_NOMEM : doctor_pictures_plan(&pictures, report);

    if (rc == 0)
        rc = gnuplot_draw(pictures.items, pictures.count);
    if (rc == 0)
        rc = doctor_page(b, report, &pictures, command);
    doctor_pictures_release(&pictures);
    mem_free(command);
    return rc;
}

static int add_report(struct buf *b, int format, const struct doctor_text_style *style, const json_t *report,
                      const struct cmd_ctx *ctx)
{
    return format == DOCTOR_FORMAT_JSON   ? buf_add_json(b, report, JSON_INDENT(2) | JSON_REAL_PRECISION(9))
           : format == DOCTOR_FORMAT_HTML ? add_page(b, report, ctx)
                                          : doctor_text(b, report, style);
}

/* All formats, staged: the directory is there as a whole or not at all. */
static int write_dir(const char *dir, const struct doctor_text_style *style, const json_t *report,
                     const struct cmd_ctx *ctx)
{
    static const char *const names[] = {"report.txt", "report.json", "report.html"};
    char *stage = NULL;
    int rc = dir_stage_begin(&stage, dir);

    for (int format = DOCTOR_FORMAT_TEXT; rc == 0 && format <= DOCTOR_FORMAT_HTML; format++) {
        struct buf b = {0};
        char *path = path_join(stage, names[format]);
        rc = path == NULL ? RECO_E_NOMEM : add_report(&b, format, style, report, ctx);
        if (rc == 0)
            rc = file_write_all(path, buf_str(&b), b.length);
        mem_free(path);
        buf_release(&b);
    }
    if (rc == 0)
        rc = dir_stage_commit(stage, dir);
    if (rc < 0)
        dir_stage_abort(stage);
    mem_free(stage);
    return rc;
}

int doctor_output(const json_t *report, const struct cmd_ctx *ctx, const struct doctor_output *o)
{
    const struct doctor_text_style plain = {.columns = FILE_COLUMNS, .examples = o->examples};
    struct doctor_text_style style = plain;
    struct buf b = {0};
    int rc = 0;

    if (o->path == NULL && isatty(STDOUT_FILENO)) {
        style.columns = terminal_columns();
        style.colour = getenv("NO_COLOR") == NULL;
    }
    if (o->dir != NULL)
        rc = write_dir(o->dir, &plain, report, ctx);
    if (rc == 0)
        rc = add_report(&b, o->format, &style, report, ctx);
    if (rc == 0)
        rc = o->path != NULL ? file_write_all(o->path, buf_str(&b), b.length) : cmd_print(buf_str(&b));
    buf_release(&b);
    return rc;
}
