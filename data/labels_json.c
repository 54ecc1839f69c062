/* The label map as JSON, and its hash. */

#include <string.h>

#include "core/mem.h"
#include "data/labels_internal.h"

static const char *const task_names[] = {"classification", "regression", "binary_logit"};

json_t *label_map_to_json(const struct label_map *map)
{
    json_t *names = json_array();
    json_t *grades = map->graded ? json_array() : json_null();
    json_t *json = NULL;
    char hex[HASH_HEX_SIZE];
    bool bad = names == NULL || grades == NULL;

    for (int i = 0; !bad && i < map->count; i++) {
        bad = json_array_append_new(names, json_string(map->names[i])) < 0;
        if (!bad && map->graded) {
            bad = json_array_append_new(grades, json_real(map->grades[i])) < 0;
        }
    }
    if (!bad) {
        label_map_hash(map, hex);
        json = json_pack("{s:s, s:O, s:O, s:s?, s:s}", "task", task_names[map->task], "names", names, "grades", grades,
                         "positive", map->count > 0 ? map->names[map->positive] : NULL, "hash", hex);
        if (json != NULL && map->rule != NULL && json_object_set_new(json, "rule", json_string(map->rule)) < 0) {
            json_decref(json);
            json = NULL;
        }
    }
    json_decref(names);
    json_decref(grades);
    if (json == NULL) {
        err_nomem();
    }
    return json;
}

static int read_task(const json_t *json, enum label_task *task)
{
    const char *text = json_string_value(json_object_get(json, "task"));

    for (int i = 0; text != NULL && i < (int)(sizeof task_names / sizeof *task_names); i++) {
        if (strcmp(text, task_names[i]) == 0) {
            *task = (enum label_task)i;
            return 0;
        }
    }
    return err_set(RECO_E_DATA, "bad label map: 'task' is not one of classification, regression, binary_logit");
}

static int read_names(struct label_map *map, const json_t *json)
{
    const json_t *names = json_object_get(json, "names");
    size_t count = json_array_size(names);

    if ((map->task == LABEL_TASK_REGRESSION) != (count == 0) || count == 1 || count > INT32_MAX ||
        (map->task == LABEL_TASK_BINARY_LOGIT && count != 2)) {
        return err_set(RECO_E_DATA, "bad label map: %zu names for task %s", count, task_names[map->task]);
    }
    if (count == 0) {
        return 0;
    }
    map->names = mem_calloc(count, sizeof *map->names);
    if (map->names == NULL) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));

        if (name == NULL) {
            return err_set(RECO_E_DATA, "bad label map: name %zu is not a string", i);
        }
        map->names[i] = mem_strdup(name);
        if (map->names[i] == NULL) {
            return RECO_E_NOMEM;
        }
        map->count = (int)i + 1;
        if (label_map_repeats(map, (int)i)) {
            return err_set(RECO_E_DATA, "bad label map: '%s' is there twice", name);
        }
    }
    return 0;
}

static int read_grades(struct label_map *map, const json_t *json)
{
    const json_t *grades = json_object_get(json, "grades");

    if (grades == NULL || json_is_null(grades)) {
        return 0;
    }
    if (map->count == 0 || json_array_size(grades) != (size_t)map->count) {
        return err_set(RECO_E_DATA, "bad label map: %zu grades for %d labels", json_array_size(grades), map->count);
    }
    map->grades = mem_calloc((size_t)map->count, sizeof *map->grades);
    if (map->grades == NULL) {
        return RECO_E_NOMEM;
    }
    for (int i = 0; i < map->count; i++) {
        const json_t *grade = json_array_get(grades, (size_t)i);

        if (!json_is_number(grade)) {
            return err_set(RECO_E_DATA, "bad label map: the grade of '%s' is not a number", map->names[i]);
        }
        map->grades[i] = json_number_value(grade);
    }
    map->graded = true;
    return 0;
}

static int read_rule(struct label_map *map, const json_t *json)
{
    const json_t *rule = json_object_get(json, "rule");

    if (rule == NULL || json_is_null(rule)) {
        return 0;
    }
    if (!json_is_string(rule)) {
        return err_set(RECO_E_DATA, "bad label map: 'rule' is not a string");
    }
    map->rule = mem_strdup(json_string_value(rule));
    return map->rule != NULL ? 0 : RECO_E_NOMEM;
}

int label_map_from_json(struct label_map *out, const json_t *json)
{
    struct label_map map = {0};
    const char *positive;
    const char *hash;
    char hex[HASH_HEX_SIZE];
    int rc = read_task(json, &map.task);

    if (rc == 0) {
        rc = read_names(&map, json);
    }
    if (rc == 0) {
        rc = read_grades(&map, json);
    }
    if (rc == 0) {
        rc = read_rule(&map, json);
    }
    if (rc == 0 && map.count > 0) {
        positive = json_string_value(json_object_get(json, "positive"));
        map.positive = positive != NULL ? label_map_find(&map, positive, strlen(positive))
                       : map.graded     ? label_map_highest_grade(&map)
                                        : map.count - 1;
        if (map.positive < 0) {
            rc = err_set(RECO_E_DATA, "bad label map: positive label '%s' is not one of its labels", positive);
        }
    }
    hash = json_string_value(json_object_get(json, "hash"));
    if (rc == 0 && hash != NULL) {
        label_map_hash(&map, hex);
        if (strcmp(hash, hex) != 0) {
            rc = err_set(RECO_E_DATA, "bad label map: it was altered, its hash is %s and not %s", hex, hash);
        }
    }
    if (rc < 0) {
        label_map_release(&map);
        return rc;
    }
    *out = map;
    return 0;
}

void label_map_hash(const struct label_map *map, char hex[HASH_HEX_SIZE])
{
    /* A chain of 128-bit hashes over fixed-size pieces needs no allocation, so that hashing cannot fail. */
    char chain[HASH_HEX_SIZE] = {0};
    unsigned char head[2] = {(unsigned char)map->task, map->graded ? 1 : 0};

    hash_hex(head, sizeof head, chain);
    for (int i = 0; i < map->count; i++) {
        struct {
            char before[HASH_HEX_SIZE - 1];
            char name[HASH_HEX_SIZE - 1];
            double grade;
        } link;

        memcpy(link.before, chain, sizeof link.before);
        hash_hex(map->names[i], strlen(map->names[i]), hex);
        memcpy(link.name, hex, sizeof link.name);
        link.grade = map->graded ? map->grades[i] + 0.0 : 0.0; /* -0 is 0 */
        hash_hex(&link, sizeof link, chain);
    }
    if (map->rule != NULL) {
        char link[2][HASH_HEX_SIZE - 1];

        memcpy(link[0], chain, sizeof link[0]);
        hash_hex(map->rule, strlen(map->rule), hex);
        memcpy(link[1], hex, sizeof link[1]);
        hash_hex(link, sizeof link, chain);
    }
    memcpy(hex, chain, HASH_HEX_SIZE);
}
