#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "data/inspect.h"

static const char checkpoint_prefix[] = "checkpoint-";

/* ---- checkpoints ---- */

static bool is_complete(const char *dir, const char *name)
{
    char *path = mem_printf("%s/%s/DONE", dir, name);
    bool complete = path != NULL && file_exists(path);

    mem_free(path);
    return complete;
}

static int compare_steps(const void *left, const void *right)
{
    const json_t *const *a = left, *const *b = right;
    json_int_t first = json_integer_value(json_object_get(*a, "step"));
    json_int_t second = json_integer_value(json_object_get(*b, "step"));

    return first < second ? -1 : first > second;
}

static int sort_by_step(json_t *list)
{
    size_t count = json_array_size(list);
    json_t **items = mem_calloc(count + 1, sizeof *items);

    if (items == NULL) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = json_incref(json_array_get(list, i));
    }
    qsort(items, count, sizeof *items, compare_steps);
    for (size_t i = 0; i < count; i++) {
        json_array_set_new(list, i, items[i]);
    }
    mem_free(items);
    return 0;
}

static int list_checkpoints(json_t *list, const char *dir)
{
    const struct dirent *entry;
    DIR *d = opendir(dir);

    if (d == NULL) {
        return err_set_errno("cannot read '%s'", dir);
    }
    while ((entry = readdir(d)) != NULL) {
        const char *digits = entry->d_name + sizeof checkpoint_prefix - 1;
        long long step;
        char *end;
        if (strncmp(entry->d_name, checkpoint_prefix, sizeof checkpoint_prefix - 1) != 0) {
            continue;
        }
        errno = 0;
        step = strtoll(digits, &end, 10);
        if (end == digits || *end != '\0' || errno != 0) {
            continue; /* what a killed writer left */
        }
        if (json_array_append_new(list, json_pack("{s:I, s:s, s:b}", "step", (json_int_t)step, "name", entry->d_name,
                                                  "complete", (int)is_complete(dir, entry->d_name))) < 0) {
            closedir(d);
            return err_nomem();
        }
    }
    closedir(d);
    return sort_by_step(list);
}

/* ---- train.jsonl ---- */

struct log {
    json_t *epochs, *evaluations, *last_train, *settings, *best;
    json_int_t starts, last_step;
};

static void log_release(struct log *log)
{
    json_decref(log->epochs);
    json_decref(log->evaluations);
    json_decref(log->last_train);
    json_decref(log->settings);
    json_decref(log->best);
}

static void replace(json_t **field, json_t *value)
{
    json_decref(*field);
    *field = json_incref(value);
}

static int take_event(struct log *log, json_t *line)
{
    const char *event = json_string_value(json_object_get(line, "event"));
    json_t *list = NULL;

    if (event == NULL) {
        return err_set(RECO_E_DATA, "no 'event'");
    }
    log->last_step = json_integer_value(json_object_get(line, "step"));
    if (strcmp(event, "start") == 0) {
        log->starts++;
        replace(&log->settings, json_object_get(line, "settings"));
    } else if (strcmp(event, "train") == 0) {
        replace(&log->last_train, line);
    } else if (strcmp(event, "epoch") == 0) {
        list = log->epochs;
    } else if (strcmp(event, "eval") == 0) {
        list = log->evaluations;
        if (json_is_true(json_object_get(line, "best"))) {
            replace(&log->best, line);
        }
    }
    json_object_del(line, "event");
    return list != NULL && json_array_append(list, line) < 0 ? err_nomem() : 0;
}

/* A last line without its line break is what a killed run was writing: it does not count. */
static int read_log(struct log *log, const char *path)
{
    struct buf text = {0};
    const char *start, *end;
    int number = 0, rc = file_read_all(path, 0, &text);

    for (start = buf_str(&text); rc == 0 && (end = strchr(start, '\n')) != NULL; start = end + 1) {
        json_error_t error = {0};
        json_t *line = json_loadb(start, (size_t)(end - start), 0, &error);
        number++;
        rc = line == NULL ? err_set(RECO_E_DATA, "%s", error.text) : take_event(log, line);
        json_decref(line);
        if (rc == RECO_E_DATA) {
            rc = err_prepend(rc, "cannot parse '%s' line %d", path, number);
        }
    }
    buf_release(&text);
    return rc;
}

int inspect_training(json_t **out, const char *dir)
{
    struct log log = {.epochs = json_array(), .evaluations = json_array()};
    json_t *checkpoints = json_array();
    char *path = path_join(dir, "train.jsonl");
    int rc = path == NULL || log.epochs == NULL || log.evaluations == NULL || checkpoints == NULL ? err_nomem() : 0;

    rc = rc < 0 ? rc : read_log(&log, path);
    rc = rc < 0 ? rc : list_checkpoints(checkpoints, dir);
    if (rc == 0) {
        *out = json_pack("{s:I, s:I, s:O?, s:O?, s:O, s:O, s:O?, s:O}", "last_step", log.last_step, "starts",
                         log.starts, "settings", log.settings, "last_train", log.last_train, "epochs", log.epochs,
                         "evaluations", log.evaluations, "best", log.best, "checkpoints", checkpoints);
        rc = *out == NULL ? err_nomem() : 0;
    }
    log_release(&log);
    json_decref(checkpoints);
    mem_free(path);
    return rc;
}
