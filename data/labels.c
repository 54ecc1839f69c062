#include "data/labels_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/opt.h"
#include "data/number.h"

void label_map_release(struct label_map *map)
{
    for (int i = 0; map->names != NULL && i < map->count; i++) {
        mem_free(map->names[i]);
    }
    mem_free(map->names);
    mem_free(map->grades);
    mem_free(map->rule);
    memset(map, 0, sizeof *map);
}

/* Fills *out with copies of the names; no grades. */
static int init_names(struct label_map *out, enum label_task task, const char *const *names, size_t count)
{
    struct label_map map = {.task = task};

    if (count > 0) {
        map.names = mem_calloc(count, sizeof *map.names);
        if (map.names == NULL) {
            return RECO_E_NOMEM;
        }
    }
    for (size_t i = 0; i < count; i++) {
        map.names[i] = mem_strdup(names[i]);
        if (map.names[i] == NULL) {
            label_map_release(&map);
            return RECO_E_NOMEM;
        }
        map.count = (int)i + 1;
    }
    map.positive = count > 0 ? (int)count - 1 : 0;
    *out = map;
    return 0;
}

int label_map_copy(struct label_map *out, const struct label_map *map)
{
    struct label_map copy;
    int rc = init_names(&copy, map->task, (const char *const *)map->names, (size_t)map->count);

    if (rc < 0) {
        return rc;
    }
    if (map->grades != NULL) {
        copy.grades = mem_calloc((size_t)map->count, sizeof *copy.grades);
        if (copy.grades == NULL) {
            label_map_release(&copy);
            return RECO_E_NOMEM;
        }
        memcpy(copy.grades, map->grades, (size_t)map->count * sizeof *copy.grades);
    }
    if (map->rule != NULL) {
        copy.rule = mem_strdup(map->rule);
        if (copy.rule == NULL) {
            label_map_release(&copy);
            return RECO_E_NOMEM;
        }
    }
    copy.graded = map->graded;
    copy.positive = map->positive;
    *out = copy;
    return 0;
}

int label_map_highest_grade(const struct label_map *map)
{
    int best = 0;

    for (int i = 1; i < map->count; i++) {
        if (map->grades[i] >= map->grades[best]) {
            best = i;
        }
    }
    return best;
}

/* Grades by number when every name is one. */
static int grade_by_number(struct label_map *map)
{
    double *grades = mem_calloc((size_t)map->count, sizeof *grades);

    if (grades == NULL) {
        return RECO_E_NOMEM;
    }
    for (int i = 0; i < map->count; i++) {
        if (!number_parse(map->names[i], strlen(map->names[i]), &grades[i])) {
            mem_free(grades);
            return 0;
        }
    }
    map->grades = grades;
    map->graded = true;
    map->positive = label_map_highest_grade(map);
    return 0;
}

struct value {
    const char *text;
    double number;
};

static int compare_bytes(const void *left, const void *right)
{
    const struct value *a = left, *b = right;

    return strcmp(a->text, b->text);
}

/* By number; of two spellings of one number the shorter comes first. */
static int compare_number(const void *left, const void *right)
{
    const struct value *a = left, *b = right;
    size_t length_a = strlen(a->text), length_b = strlen(b->text);

    if (a->number != b->number) {
        return a->number < b->number ? -1 : 1;
    }
    if (length_a != length_b) {
        return length_a < length_b ? -1 : 1;
    }
    return strcmp(a->text, b->text);
}

int label_map_from_values(struct label_map *out, const char *const *values, size_t count)
{
    struct label_map map = {0};
    struct value *sorted = NULL;
    const char **names = NULL;
    size_t kept = 0;
    bool numeric = true;
    int rc = 0;

    if (count == 0) {
        return err_set(RECO_E_DATA, "no labels: every label is empty");
    }
    sorted = mem_calloc(count, sizeof *sorted);
    names = mem_calloc(count, sizeof *names);
    if (sorted == NULL || names == NULL) {
        rc = RECO_E_NOMEM;
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i].text = values[i];
        numeric = number_parse(values[i], strlen(values[i]), &sorted[i].number) && numeric;
    }
    qsort(sorted, count, sizeof *sorted, numeric ? compare_number : compare_bytes);
    for (size_t i = 0; i < count; i++) {
        bool same = i > 0 && (numeric ? sorted[i].number == sorted[i - 1].number
                                      : strcmp(sorted[i].text, sorted[i - 1].text) == 0);
        if (!same) {
            names[kept++] = sorted[i].text;
        }
    }
    if (kept < 2) {
        rc = err_set(RECO_E_DATA, "only one class: every label is '%s', and at least 2 are needed", names[0]);
        goto done;
    }
    rc = init_names(&map, LABEL_TASK_CLASSIFICATION, names, kept);
    if (rc == 0 && numeric) {
        rc = grade_by_number(&map);
    }
    if (rc == 0) {
        *out = map;
        memset(&map, 0, sizeof map);
    }
done:
    label_map_release(&map);
    mem_free(names);
    mem_free(sorted);
    return rc;
}

bool label_map_repeats(const struct label_map *map, int index)
{
    struct label_map before = *map;

    before.count = index;
    return label_map_find(&before, map->names[index], strlen(map->names[index])) >= 0;
}

int label_map_from_list(struct label_map *out, const char *const *names, size_t count)
{
    struct label_map map = {0};
    int rc;

    if (count < 2) {
        return err_set(RECO_E_USAGE, "a list of labels needs at least 2, not %zu", count);
    }
    rc = init_names(&map, LABEL_TASK_CLASSIFICATION, names, count);
    for (int i = 0; rc == 0 && i < map.count; i++) {
        if (map.names[i][0] == '\0') {
            rc = err_set(RECO_E_USAGE, "empty name in the list of labels");
        } else if (label_map_repeats(&map, i)) {
            rc = err_set(RECO_E_USAGE, "label '%s' is twice in the list of labels", map.names[i]);
        }
    }
    if (rc == 0) {
        rc = grade_by_number(&map);
    }
    if (rc < 0) {
        label_map_release(&map);
        return rc;
    }
    *out = map;
    return 0;
}

static int unknown_label(const struct label_map *map, const char *name)
{
    const char *near = opt_nearest(name, (const char *const *)map->names, (size_t)map->count);

    if (near != NULL) {
        return err_set(RECO_E_USAGE, "label '%s' is not in the data, did you mean '%s'?", name, near);
    }
    return err_set(RECO_E_USAGE, "label '%s' is not in the data", name);
}

int label_map_set_grades(struct label_map *map, const char *const *assignments, size_t count)
{
    double *grades = NULL;
    bool *seen = NULL;
    char *name = NULL;
    int rc = 0;

    if (map->count == 0) {
        return err_set(RECO_E_USAGE, "grades belong to classes: there are none in regression");
    }
    grades = mem_calloc((size_t)map->count, sizeof *grades);
    seen = mem_calloc((size_t)map->count, sizeof *seen);
    if (grades == NULL || seen == NULL) {
        rc = RECO_E_NOMEM;
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        const char *equals = strrchr(assignments[i], '=');
        int index;

        mem_free(name);
        name = mem_strndup(assignments[i], equals == NULL ? 0 : (size_t)(equals - assignments[i]));
        if (name == NULL) {
            rc = RECO_E_NOMEM;
            goto done;
        }
        if (equals == NULL) {
            rc = err_set(RECO_E_USAGE, "bad grade '%s': expected label=number", assignments[i]);
            goto done;
        }
        index = label_map_find(map, name, strlen(name));
        if (index < 0) {
            rc = unknown_label(map, name);
            goto done;
        }
        if (!number_parse(equals + 1, strlen(equals + 1), &grades[index])) {
            rc = err_set(RECO_E_USAGE, "bad grade '%s': '%s' is not a number", assignments[i], equals + 1);
            goto done;
        }
        if (seen[index]) {
            rc = err_set(RECO_E_USAGE, "two grades for label '%s'", name);
            goto done;
        }
        seen[index] = true;
    }
    for (int i = 0; i < map->count; i++) {
        if (!seen[i]) {
            rc = err_set(RECO_E_USAGE, "no grade for label '%s': every label needs one", map->names[i]);
            goto done;
        }
    }
    mem_free(map->grades);
    map->grades = grades;
    grades = NULL;
    map->graded = true;
    map->positive = label_map_highest_grade(map);
done:
    mem_free(name);
    mem_free(seen);
    mem_free(grades);
    return rc;
}

int label_map_set_positive(struct label_map *map, const char *name)
{
    int index = label_map_find(map, name, strlen(name));

    if (index < 0) {
        return unknown_label(map, name);
    }
    map->positive = index;
    return 0;
}

int label_map_find(const struct label_map *map, const char *name, size_t length)
{
    double wanted, number;

    for (int i = 0; i < map->count; i++) {
        if (strlen(map->names[i]) == length && memcmp(map->names[i], name, length) == 0) {
            return i;
        }
    }
    if (!number_parse(name, length, &wanted)) {
        return -1;
    }
    for (int i = 0; i < map->count; i++) {
        if (number_parse(map->names[i], strlen(map->names[i]), &number) && number == wanted) {
            return i;
        }
    }
    return -1;
}

double label_map_score(const struct label_map *map, const double *p, double value)
{
    double score = 0.0;

    switch (map->task) {
    case LABEL_TASK_REGRESSION:
        return value;
    case LABEL_TASK_BINARY_LOGIT:
        return p[map->positive];
    case LABEL_TASK_CLASSIFICATION:
        break;
    }
    if (!map->graded) {
        return p[map->positive];
    }
    for (int i = 0; i < map->count; i++) {
        score += p[i] * map->grades[i];
    }
    return score;
}
