#include "train/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/json_file.h"
#include "core/mem.h"
#include "data/safetensors.h"
#include "model/bert_params.h"

enum { STATE_VERSION = 1 };
static const char prefix[] = "checkpoint-";
static const char done_name[] = "DONE";
static const char state_name[] = "trainer_state.json";
static const char moments_name[] = "optimizer.safetensors";
static const char *const moment_suffixes[] = {".exp_avg", ".exp_avg_sq"};

static struct tch_tensor *moment_of(struct tch_adamw *adamw, size_t param, int which)
{
    return which == 0 ? tch_adamw_moment1(adamw, param) : tch_adamw_moment2(adamw, param);
}

/* ---- writing ---- */

static int write_moments(const char *dir, const struct bert *bert, struct tch_adamw *adamw)
{
    size_t count = 0;
    char *path = path_join(dir, moments_name), *values = mem_alloc(2 * bert_bytes(bert)), *at = values;
    struct safetensors_tensor *tensors = mem_calloc(2 * bert->param_count, sizeof *tensors);
    int rc = path == NULL || values == NULL || tensors == NULL ? err_nomem() : 0;
    for (size_t i = 0; i < bert->param_count && rc == 0; i++) {
        const struct bert_param *p = &bert->params[i];
        size_t bytes = bert_param_numel(p) * sizeof(float);
        for (int which = 0; which < 2 && rc == 0; which++) {
            char *name = mem_printf("%s%s", p->name, moment_suffixes[which]);
            if (name == NULL)
                rc = err_nomem();
            else if (tch_copy_out(moment_of(adamw, i, which), TCH_FLOAT32, at, bytes) != 0)
                rc = err_set(RECO_E_MODEL, "cannot read the moment '%s': %s", name, tch_last_error());
            tensors[count++] = (struct safetensors_tensor){.name = name,
                                                           .dtype = SAFETENSORS_F32,
                                                           .dims = p->dims,
                                                           .shape = {p->shape[0], p->shape[1]},
                                                           .data = at,
                                                           .size_bytes = bytes};
            at += bytes;
        }
    }
    if (rc == 0)
        rc = safetensors_write(path, tensors, count, NULL, 0);
    for (size_t i = 0; i < count; i++)
        mem_free((char *)(uintptr_t)tensors[i].name);
    mem_free(tensors);
    mem_free(values);
    mem_free(path);
    return rc;
}

static int write_state(const char *dir, const struct train_state *s, json_t *settings)
{
    char *path = path_join(dir, state_name);
    json_t *best =
        s->has_best ? json_pack("{s:f, s:I}", "value", s->best_value, "step", (json_int_t)s->best_step) : json_null();
    json_t *json =
        json_pack("{s:i, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:o, s:I, s:O}", "version", STATE_VERSION, "global_step",
                  (json_int_t)s->step, "closed_step", (json_int_t)s->closed_step, "epoch_loss", s->epoch_loss,
                  "epoch_weight", s->epoch_weight, "log_loss", s->log_loss, "log_weight", s->log_weight, "grad_norm",
                  s->grad_norm, "best", best, "log_bytes", (json_int_t)s->log_bytes, "settings", settings);
    /* reals with 17 digits: they read back equal */
    int rc = path == NULL ? RECO_E_NOMEM : json_file_write(path, json, JSON_INDENT(1));
    json_decref(json);
    mem_free(path);
    return rc;
}

/* DONE: "<size> <name>" of every file, so that a copy which lost something is noticed. */
static int write_done(const char *dir)
{
    struct buf list = {0};
    char *path = path_join(dir, done_name);
    DIR *d = opendir(dir);
    int rc = path == NULL ? err_nomem() : d == NULL ? err_set_errno("cannot read '%s'", dir) : 0;
    const struct dirent *entry;
    while (rc == 0 && (entry = readdir(d)) != NULL) {
        struct stat info;
        if (entry->d_name[0] == '.')
            continue;
        if (fstatat(dirfd(d), entry->d_name, &info, 0) != 0)
            rc = err_set_errno("cannot read '%s/%s'", dir, entry->d_name);
        else if (S_ISREG(info.st_mode))
            rc = buf_printf(&list, "%" PRIu64 " %s\n", (uint64_t)info.st_size, entry->d_name);
    }
    if (rc == 0)
        rc = file_write_all(path, buf_str(&list), list.length);
    if (d != NULL)
        closedir(d);
    buf_release(&list);
    mem_free(path);
    return rc;
}

int checkpoint_save(const char *output_dir, const struct bert *bert, struct tch_adamw *adamw,
                    const struct train_state *state, json_t *settings)
{
    char *temporary = NULL, *path = mem_printf("%s/%s%" PRId64, output_dir, prefix, state->step);
    int rc = path == NULL ? err_nomem() : dir_stage_begin(&temporary, path);
    if (rc == 0)
        rc = bert_save(bert, temporary);
    if (rc == 0)
        rc = write_moments(temporary, bert, adamw);
    if (rc == 0)
        rc = write_state(temporary, state, settings);
    if (rc == 0)
        rc = write_done(temporary);
    if (rc == 0)
        rc = dir_stage_commit(temporary, path);
    if (rc != 0) {
        dir_stage_abort(temporary);
        rc = err_prepend(rc, "cannot save '%s'", path != NULL ? path : output_dir);
    }
    mem_free(temporary);
    mem_free(path);
    return rc;
}

/* ---- listing ---- */

struct listing {
    int64_t *steps;
    size_t count, capacity;
    char **leftovers; /* names of directories that a killed writer left */
    size_t leftover_count, leftover_capacity;
};

static void listing_release(struct listing *l)
{
    for (size_t i = 0; i < l->leftover_count; i++)
        mem_free(l->leftovers[i]);
    mem_free(l->leftovers);
    mem_free(l->steps);
}

static int compare_steps(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int list(struct listing *l, const char *output_dir)
{
    memset(l, 0, sizeof *l);
    DIR *d = opendir(output_dir);
    if (d == NULL)
        return errno == ENOENT ? 0 : err_set_errno("cannot read '%s'", output_dir);
    int rc = 0;
    const struct dirent *entry;
    while (rc == 0 && (entry = readdir(d)) != NULL) {
        const char *digits = entry->d_name + strlen(prefix);
        char *end = NULL;
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || *digits < '0' || *digits > '9')
            continue;
        int64_t step = strtoll(digits, &end, 10);
        if (*end == '\0') {
            rc = mem_grow((void **)&l->steps, &l->capacity, l->count + 1, sizeof *l->steps);
            if (rc == 0)
                l->steps[l->count++] = step;
        } else if (strncmp(end, ".tmp.", 5) == 0) {
            rc = mem_grow((void **)&l->leftovers, &l->leftover_capacity, l->leftover_count + 1, sizeof *l->leftovers);
            char *name = rc == 0 ? mem_strdup(entry->d_name) : NULL;
            if (name != NULL)
                l->leftovers[l->leftover_count++] = name;
            else
                rc = err_nomem();
        }
    }
    closedir(d);
    if (l->count > 0)
        qsort(l->steps, l->count, sizeof *l->steps, compare_steps);
    if (rc != 0)
        listing_release(l);
    return rc;
}

static int remove_named(const char *output_dir, const char *name)
{
    char *path = path_join(output_dir, name);
    int rc = path == NULL ? err_nomem() : dir_remove(path);
    mem_free(path);
    return rc;
}

/* Keeps the newest `keep` checkpoints. */
static int remove_older(const char *output_dir, size_t keep)
{
    struct listing l;
    int rc = list(&l, output_dir);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < l.leftover_count && rc == 0; i++)
        rc = remove_named(output_dir, l.leftovers[i]);
    for (size_t i = 0; keep < l.count && i < l.count - keep && rc == 0; i++) {
        char *name = mem_printf("%s%" PRId64, prefix, l.steps[i]);
        rc = name == NULL ? err_nomem() : remove_named(output_dir, name);
        mem_free(name);
    }
    listing_release(&l);
    return rc;
}

int checkpoint_rotate(const char *output_dir, int64_t keep)
{
    return remove_older(output_dir, keep > 0 ? (size_t)keep : SIZE_MAX);
}

int checkpoint_remove_all(const char *output_dir)
{
    return remove_older(output_dir, 0);
}

int checkpoint_find_last(char **path, const char *output_dir)
{
    struct listing l;
    *path = NULL;
    int rc = list(&l, output_dir);
    if (rc != 0)
        return rc;
    for (size_t i = l.count; i > 0 && rc == 0 && *path == NULL; i--) {
        char *candidate = mem_printf("%s/%s%" PRId64, output_dir, prefix, l.steps[i - 1]);
        char *done = candidate != NULL ? path_join(candidate, done_name) : NULL;
        if (done == NULL)
            rc = err_nomem();
        else if (file_exists(done)) {
            *path = candidate;
            candidate = NULL;
        }
        mem_free(candidate);
        mem_free(done);
    }
    listing_release(&l);
    return rc;
}

/* ---- reading ---- */

/* One line of DONE, "<size> <name>", against the directory. */
static int check_file(const char *path, const char *line)
{
    char *name = NULL;
    uint64_t size = strtoull(line, &name, 10);
    struct stat info;
    if (name == line || *name != ' ')
        return err_set(RECO_E_DATA, "'%s' is damaged: its DONE has the line '%s'", path, line);
    char *file = path_join(path, name + 1);
    int rc = 0;
    if (file == NULL)
        rc = err_nomem();
    else if (stat(file, &info) != 0 || (uint64_t)info.st_size != size)
        rc = err_set(RECO_E_DATA, "'%s' is damaged: '%s' is not the file that its DONE lists", path, name + 1);
    mem_free(file);
    return rc;
}

static int check_done(const char *path)
{
    struct buf text = {0};
    char *done = path_join(path, done_name);
    int rc = done == NULL ? err_nomem() : 0;
    if (rc == 0 && !file_exists(done))
        rc = err_set(RECO_E_DATA, "'%s' is not a complete checkpoint: it has no file DONE", path);
    if (rc == 0)
        rc = file_read_all(done, 1 << 20, &text);
    for (char *line = text.data, *end; rc == 0 && line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        rc = check_file(path, line);
    }
    buf_release(&text);
    mem_free(done);
    return rc;
}

int checkpoint_read_state(const char *path, struct train_state *state, json_t **settings)
{
    *settings = NULL;
    char *file = path_join(path, state_name);
    json_t *json = NULL, *best = NULL, *kept = NULL;
    json_int_t step, closed, log_bytes, best_step;
    int version = 0;
    struct train_state s = {0};
    int rc = file == NULL ? err_nomem() : check_done(path);
    if (rc != 0)
        goto done;
    rc = json_file_read(&json, file, 0, RECO_E_DATA);
    if (rc != 0)
        goto done;
    if (json_unpack(json, "{s:i, s:I, s:I, s:F, s:F, s:F, s:F, s:F, s:o, s:I, s:o}", "version", &version, "global_step",
                    &step, "closed_step", &closed, "epoch_loss", &s.epoch_loss, "epoch_weight", &s.epoch_weight,
                    "log_loss", &s.log_loss, "log_weight", &s.log_weight, "grad_norm", &s.grad_norm, "best", &best,
                    "log_bytes", &log_bytes, "settings", &kept) != 0 ||
        version != STATE_VERSION || step < 0 || log_bytes < 0) {
        rc = err_set(RECO_E_DATA, "'%s' is not a state of version %d", file, STATE_VERSION);
        goto done;
    }
    s.has_best = json_unpack(best, "{s:F, s:I}", "value", &s.best_value, "step", &best_step) == 0;
    s.best_step = s.has_best ? best_step : 0;
    s.step = step;
    s.closed_step = closed;
    s.log_bytes = (uint64_t)log_bytes;
    *state = s;
    *settings = json_incref(kept);
done:
    json_decref(json);
    mem_free(file);
    return rc;
}

int checkpoint_read_moments(const char *path, const struct bert *bert, struct tch_adamw *adamw, int64_t step)
{
    struct safetensors *st = NULL;
    char *file = path_join(path, moments_name), *name = NULL;
    int rc = file == NULL ? err_nomem() : safetensors_open(&st, file);
    for (size_t i = 0; i < bert->param_count && rc == 0; i++) {
        const struct bert_param *p = &bert->params[i];
        for (int which = 0; which < 2 && rc == 0; which++) {
            mem_free(name);
            name = mem_printf("%s%s", p->name, moment_suffixes[which]);
            const struct safetensors_tensor *t = name != NULL ? safetensors_find(st, name) : NULL;
            if (name == NULL)
                rc = err_nomem();
            else if (t == NULL || t->dtype != SAFETENSORS_F32 || t->size_bytes != bert_param_numel(p) * sizeof(float))
                rc = err_set(RECO_E_MODEL, "'%s' has no tensor '%s' of the right size", file, name);
            else if (tch_copy_in(moment_of(adamw, i, which), TCH_FLOAT32, t->data, t->size_bytes) != 0)
                rc = err_set(RECO_E_MODEL, "cannot set the moment '%s': %s", name, tch_last_error());
        }
    }
    if (rc == 0)
        tch_adamw_set_steps(adamw, step);
    mem_free(name);
    safetensors_close(st);
    mem_free(file);
    return rc;
}
