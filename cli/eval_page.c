#include "cli/eval_page.h"

#include <string.h>
#include <sys/stat.h>

#include "cli/gnuplot.h"
#include "core/log.h"
#include "data/dataset.h"
#include "eval/picture.h"

enum { QUERIES_SHOWN = 10 };

bool eval_page_holds_texts(const struct eval_command *c)
{
    return c->output_dir && c->worst && c->model && !c->predictions_output;
}

static bool is_regular(const char *path)
{
    struct stat info;
    return strcmp(path, "-") != 0 && !stat(path, &info) && S_ISREG(info.st_mode);
}

/* The file that the predictions stand in; NULL: none that is still there. */
static const char *path_of(const struct eval_command *c)
{
    const char *path = c->predictions ? c->predictions : c->predictions_output;
    return path && is_regular(path) ? path : NULL;
}

static const char *data_hash_of(const struct predictions *p)
{
    return json_string_value(json_object_get(json_object_get(p->sidecar, "hashes"), "data"));
}

/* The split that the predictions say they are of, else --split. */
static int look_up_texts(struct look *look, const struct predictions *p, const struct eval_command *c)
{
    struct dataset *dataset = NULL;
    const char *name = json_string_value(json_object_get(p->sidecar, "split"));
    const char *made_of = data_hash_of(p);
    int rc = dataset_open(&dataset, c->dataset);
    if (rc) {
        return rc;
    }
    const struct dataset_split *split = dataset_find_split(dataset, name ? name : c->split);
    if (!split) {
        rc = err_set(RECO_E_USAGE, "the dataset '%s' has no split '%s'", c->dataset, name ? name : c->split);
    } else {
        rc = look_in_dataset(look, split);
        if (!rc && made_of && strcmp(made_of, dataset_split_hash(split)) != 0) {
            log_warn("the predictions were made of other data than the split '%s' of '%s': texts are taken by row id",
                     dataset_split_name(split), c->dataset);
        }
    }
    dataset_close(dataset);
    return rc;
}

/* What the page can show of the rows, and in *why what it cannot. */
static int look_up(struct look *look, const char **why, const struct mistakes *mistakes, const struct predictions *p,
                   const struct eval_command *c)
{
    const char *path = path_of(c);
    int rc = look_plan(look, mistakes);
    if (rc || !look->count) {
        return rc;
    }
    if (!path && !eval_page_holds_texts(c)) {
        *why = "Ids and texts are not shown: the predictions came through a pipe, which cannot be read once more.";
        return 0;
    }
    rc = path ? look_in_file(look, path, c->predictions ? &c->source : NULL) : look_in_memory(look, p);
    if (!rc && c->dataset) {
        rc = look_up_texts(look, p, c);
    }
    if (!rc && c->dataset && look->in_dataset < look->count) {
        *why = look->in_dataset ? "Some rows are not in the dataset, by their row ids."
                                : "None of these rows is in the dataset, by their row ids.";
    } else if (!rc && !c->dataset && !look->extra_count) {
        *why = "Texts are shown when the predictions carry them (reco predict --carry) or --dataset names the dataset.";
    }
    return rc;
}

static int write_page(const struct eval_report *report, const struct eval_page *page, const char *dir,
                      const struct eval_directory *directory)
{
    struct eval_pictures pictures = {0};
    struct buf html = {0};
    int rc = eval_pictures_plan(&pictures, report);
    if (!rc) {
        rc = gnuplot_draw(pictures.items, pictures.count);
    }
    if (!rc) {
        rc = eval_report_html(report, &pictures, page, &html);
    }
    if (!rc) {
        rc = eval_report_write(report, dir, directory->text, directory->json, buf_str(&html));
    }
    eval_pictures_release(&pictures);
    buf_release(&html);
    return rc;
}

int eval_directory_write(const struct eval_report *report, const struct predictions *p, const struct eval_command *c,
                         const struct eval_directory *directory)
{
    struct mistakes mistakes = {0};
    struct look look = {0};
    struct eval_page page = {.mistakes = &mistakes,
                             .look = &look,
                             .query_column = c->query_text,
                             .gates = directory->gates,
                             .gates_passed = directory->gates_passed,
                             .gate_count = directory->gate_count};
    int rc = mistakes_find(&mistakes, report, (size_t)c->worst, c->worst ? QUERIES_SHOWN : 0);
    if (!rc && p && !c->events) {
        rc = look_up(&look, &page.no_texts, &mistakes, p, c);
    }
    if (!rc) {
        rc = write_page(report, &page, c->output_dir, directory);
    }
    look_release(&look);
    mistakes_release(&mistakes);
    return rc;
}
