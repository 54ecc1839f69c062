#include "data/balance.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/json_file.h"
#include "core/mem.h"
#include "data/csv.h"
#include "data/number.h"

const char *const balance_method_choices[] = {"none", "under", "over", NULL};

static const char balanced_word[] = "balanced";

int balance_options_check(const struct balance_options *o, bool regression)
{
    if (o->balance != BALANCE_NONE && (!(o->balance_ratio >= 1.0) || !isfinite(o->balance_ratio)))
        return err_set(RECO_E_USAGE, "--balance_ratio is %g: it must be at least 1", o->balance_ratio);
    if (regression && o->balance != BALANCE_NONE)
        return err_set(RECO_E_USAGE, "--balance needs classes, which --regression has not");
    if (regression && o->class_weights != NULL)
        return err_set(RECO_E_USAGE, "--class_weights needs classes, which --regression has not");
    if (o->class_weights != NULL && strcmp(o->class_weights, balanced_word) != 0 && !file_exists(o->class_weights))
        return err_set(RECO_E_USAGE, "--class_weights '%s' is neither 'balanced' nor a file", o->class_weights);
    return 0;
}

/* ---- rows
 * ------------------------------------------------------------------------------------------------------------------ */

void balance_targets(const struct balance_options *o, const uint64_t *counts, int classes, uint64_t *targets)
{
    uint64_t smallest = UINT64_MAX, largest = 0;

    for (int i = 0; i < classes; i++) {
        targets[i] = counts[i];
        largest = counts[i] > largest ? counts[i] : largest;
        smallest = counts[i] > 0 && counts[i] < smallest ? counts[i] : smallest;
    }
    if (o->balance == BALANCE_NONE || largest == 0)
        return;
    double most = floor((double)smallest * o->balance_ratio), least = ceil((double)largest / o->balance_ratio);
    for (int i = 0; i < classes; i++) {
        if (o->balance == BALANCE_UNDER && (double)counts[i] > most)
            targets[i] = (uint64_t)most;
        if (o->balance == BALANCE_OVER && counts[i] > 0 && (double)counts[i] < least)
            targets[i] = (uint64_t)least;
    }
}

uint64_t balance_key(const struct balance_options *o, const char *row_id, size_t length)
{
    return hash_u64(row_id, length, (uint64_t)o->balance_seed);
}

/* ---- weights
 * --------------------------------------------------------------------------------------------------------------- */

struct weight_file {
    const char *path;
    const struct label_map *map;
    double *weights;
    bool *seen;
};

static int set_weight(struct weight_file *f, const char *label, size_t length, double weight)
{
    int class = label_map_find(f->map, label, length);

    if (class < 0)
        return err_set(RECO_E_DATA, "bad class weights '%s': label '%.*s' is not one of the data", f->path, (int)length,
                       label);
    if (f->seen[class])
        return err_set(RECO_E_DATA, "bad class weights '%s': label '%s' is there twice", f->path, f->map->names[class]);
    if (!(weight >= 0.0) || !isfinite(weight))
        return err_set(RECO_E_DATA, "bad class weights '%s': the weight of '%s' is not a number of at least 0", f->path,
                       f->map->names[class]);
    f->weights[class] = weight;
    f->seen[class] = true;
    return 0;
}

static int read_json(struct weight_file *f, const struct buf *text)
{
    json_error_t error;
    json_t *json = json_loadb(buf_str(text), text->length, JSON_REJECT_DUPLICATES, &error), *value;
    const char *label;
    int rc = 0;

    if (json == NULL)
        return json_file_error(&error, f->path, RECO_E_DATA);
    json_object_foreach(json, label, value)
    {
        rc = set_weight(f, label, strlen(label), json_is_number(value) ? json_number_value(value) : NAN);
        if (rc < 0)
            break;
    }
    json_decref(json);
    return rc;
}

static int read_csv(struct weight_file *f)
{
    struct csv_options options = {.trim_blanks = true};
    struct csv_reader *reader = NULL;
    const struct csv_record *record = NULL;
    size_t label = 0, weight = 0;
    int rc = csv_reader_open(&reader, f->path, &options);

    if (rc == 0)
        rc = csv_reader_find(reader, "class_weights", "label", &label);
    if (rc == 0)
        rc = csv_reader_find(reader, "class_weights", "weight", &weight);
    while (rc == 0) {
        double number = NAN;
        rc = csv_reader_next(reader, &record);
        if (rc < 0 || record == NULL)
            break;
        if (record->bad != NULL)
            rc = err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s", f->path, (unsigned long long)record->line,
                         record->bad);
        if (rc == 0) {
            const struct csv_field *value = &record->fields[weight], *name = &record->fields[label];
            if (!number_parse(value->text, value->length, &number))
                number = NAN;
            rc = set_weight(f, name->text, name->length, number);
        }
    }
    csv_reader_close(reader);
    return rc;
}

static int read_weights(const char *path, const struct label_map *map, double *weights)
{
    enum { MAX_BYTES = 16 * 1024 * 1024 };
    struct weight_file f = {.path = path, .map = map, .weights = weights};
    struct buf text = {0};
    int rc = file_read_all(path, MAX_BYTES, &text);

    if (rc == 0) {
        f.seen = mem_calloc((size_t)map->count + 1, sizeof *f.seen);
        rc = f.seen == NULL ? RECO_E_NOMEM : 0;
    }
    if (rc == 0) {
        const char *p = buf_str(&text);
        rc = p[strspn(p, " \t\r\n")] == '{' ? read_json(&f, &text) : read_csv(&f);
    }
    for (int i = 0; rc == 0 && i < map->count; i++)
        if (!f.seen[i])
            rc = err_set(RECO_E_DATA, "bad class weights '%s': no weight for label '%s'", path, map->names[i]);
    buf_release(&text);
    mem_free(f.seen);
    return rc;
}

int balance_weights(const struct balance_options *o, const struct label_map *map, const uint64_t *counts,
                    double *weights)
{
    uint64_t rows = 0, classes = 0;

    for (int i = 0; i < map->count; i++) {
        weights[i] = 1.0;
        rows += counts[i];
        classes += counts[i] > 0;
    }
    if (o->class_weights == NULL)
        return 0;
    if (strcmp(o->class_weights, balanced_word) != 0)
        return read_weights(o->class_weights, map, weights);
    for (int i = 0; i < map->count; i++)
        if (counts[i] > 0)
            weights[i] = (double)rows / ((double)classes * (double)counts[i]);
    return 0;
}
