#include "data/predictions_reader.h"

#include <string.h>

#include "core/file.h"
#include "core/json_file.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/utf8.h"

#define SIDECAR_MAX_BYTES ((size_t)256 << 20)

static const char *const fixed_names[PREDICTIONS_FIXED_COUNT] = {"row_id",    "query_id", "item_id", "label",
                                                                 "predicted", "score",    "tokens",  "truncated"};
const char *const predictions_event_names[PREDICTIONS_EVENT_COUNT] = {
    "position", "clicked", "converted", "dwell_s", "depth", "propensity", "carted", "ordered", "revenue", "delay_s"};

int predictions_fail_line(const struct predictions_reader *r, uint64_t line, const char *what, const char *text)
{
    return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s '%.200s'", r->path, (unsigned long long)line, what,
                   text);
}

size_t predictions_unescape(char *text, size_t length)
{
    char *slash = memchr(text, '\\', length);
    if (!slash) {
        return length;
    }
    char *to = slash;
    for (const char *from = slash; from < text + length; from++) {
        if (*from == '\\' && from + 1 < text + length && strchr("tnr\\", from[1])) {
            from++;
            *to++ = *from == 't' ? '\t' : *from == 'n' ? '\n' : *from == 'r' ? '\r' : '\\';
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return (size_t)(to - text);
}

/* The hash that predict wrote must be that of the labels it wrote: else one of them was exchanged. */
static int check_label_hash(const struct predictions_reader *r, const char *path)
{
    const char *hash = json_string_value(json_object_get(json_object_get(r->p->sidecar, "hashes"), "label_map"));
    char hex[HASH_HEX_SIZE];

    label_map_hash(&r->p->labels, hex);
    if (hash == NULL || strcmp(hash, hex) == 0) {
        return 0;
    }
    return err_set(RECO_E_DATA,
                   "cannot read '%s': its labels are not those of the predictions (hash %s and not %s); predict again",
                   path, hex, hash);
}

int predictions_read_sidecar(struct predictions_reader *r)
{
    char *path = mem_printf("%s.json", r->path);
    int rc = path ? 0 : RECO_E_NOMEM;
    if (rc || !file_exists(path)) {
        goto done;
    }
    rc = json_file_read(&r->p->sidecar, path, SIDECAR_MAX_BYTES, RECO_E_DATA);
    if (!rc && !json_is_object(r->p->sidecar)) {
        rc = err_set(RECO_E_DATA, "cannot parse '%s' line 1: it is not an object", path);
    }
    if (rc) {
        goto done;
    }
    const json_t *labels = json_object_get(r->p->sidecar, "labels");
    if (labels) {
        rc = label_map_from_json(&r->p->labels, labels);
        if (rc) {
            rc = err_prepend(rc, "cannot read '%s'", path);
            goto done;
        }
        r->map_known = true;
        rc = check_label_hash(r, path);
    }
done:
    mem_free(path);
    return rc;
}

static int map_from_columns(struct predictions_reader *r, char *const *fields, size_t count)
{
    const char **names = mem_calloc(count, sizeof *names);
    if (!names) {
        return RECO_E_NOMEM;
    }
    size_t name_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!strncmp(fields[i], "p_", 2)) {
            if (!utf8_is_valid(fields[i], strlen(fields[i]), NULL)) {
                mem_free(names);
                return predictions_fail_line(r, 1, "not UTF-8: column", fields[i]);
            }
            names[name_count++] = fields[i] + 2;
        }
    }
    int rc = 0;
    if (name_count) {
        rc = label_map_from_list(&r->p->labels, names, name_count);
        r->map_known = !rc;
        if (rc) {
            rc = err_prepend(rc == RECO_E_NOMEM ? rc : RECO_E_DATA, "cannot read '%s': columns p_", r->path);
        }
    }
    mem_free(names);
    return rc;
}

static bool is_wanted(const struct predictions_options *options, const char *name)
{
    for (size_t i = 0; i < options->extra_name_count; i++) {
        if (!strcmp(options->extra_names[i], name)) {
            return true;
        }
    }
    return options->extra;
}

/* Every extra column that was named must be there. */
static int check_extra(const struct predictions_reader *r, char *const *fields)
{
    for (size_t i = 0; i < r->options->extra_name_count; i++) {
        const char *name = r->options->extra_names[i];
        size_t at = 0;
        while (at < r->column_count && strcmp(fields[at], name) != 0) {
            at++;
        }
        if (at == r->column_count) {
            return err_set(RECO_E_USAGE, "'%s' has no column '%s'", r->path, name);
        }
    }
    return 0;
}

static int name_columns(struct predictions_reader *r, char *const *fields)
{
    size_t count = r->column_count;
    size_t p_count = 0;
    bool reordered = false;
    r->p->extra = mem_calloc(count, sizeof *r->p->extra);
    if (!r->p->extra) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct column *column = &r->columns[i];
        for (size_t k = 0; k < i; k++) {
            if (!strcmp(fields[k], fields[i])) {
                return predictions_fail_line(r, 1, "doubled column", fields[i]);
            }
        }
        column->kind = COLUMN_EXTRA;
        for (size_t k = 0; k < PREDICTIONS_FIXED_COUNT; k++) {
            if (!strcmp(fields[i], fixed_names[k])) {
                column->kind = (enum column_kind)k;
                r->has[k] = true;
            }
        }
        for (size_t k = 0; k < PREDICTIONS_EVENT_COUNT; k++) {
            if (!strcmp(fields[i], predictions_event_names[k])) {
                *column = (struct column){COLUMN_EVENT, k};
                r->has_event[k] = true;
            }
        }
        if (column->kind == COLUMN_EXTRA && !strncmp(fields[i], "p_", 2)) {
            int class = label_map_find(&r->p->labels, fields[i] + 2, strlen(fields[i] + 2));
            if (class < 0) {
                return predictions_fail_line(r, 1, "the sidecar's label map has no label for column", fields[i]);
            }
            *column = (struct column){COLUMN_P, (size_t) class};
            reordered = reordered || (size_t) class != p_count;
            p_count++;
        }
        if (r->options->no_lists && (column->kind == COLUMN_QUERY_ID || column->kind == COLUMN_ITEM_ID)) {
            r->has[column->kind] = false;
            column->kind = COLUMN_IGNORED;
        }
        if (column->kind == COLUMN_EXTRA && !is_wanted(r->options, fields[i])) {
            column->kind = COLUMN_IGNORED;
        } else if (column->kind == COLUMN_EXTRA) {
            column->place = r->p->extra_count;
            struct predictions_extra *extra = &r->p->extra[r->p->extra_count++];
            extra->name = text_store_add(r->texts, fields[i], strlen(fields[i]));
            if (!extra->name) {
                return RECO_E_NOMEM;
            }
        }
    }
    if (p_count && p_count != (size_t)r->p->labels.count) {
        return err_set(RECO_E_DATA, "cannot read '%s': %zu p_ columns for %d labels", r->path, p_count,
                       r->p->labels.count);
    }
    r->has_p = p_count > 0;
    if (reordered) {
        log_warn(
            "'%s': the p_ columns stand in another order than the labels of the sidecar; each is taken by its name",
            r->path);
    }
    return 0;
}

int predictions_read_header(struct predictions_reader *r, char **fields, size_t *lengths)
{
    r->columns = mem_calloc(r->column_count, sizeof *r->columns);
    if (!r->columns) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < r->column_count; i++) {
        lengths[i] = predictions_unescape(fields[i], lengths[i]);
    }
    int rc = r->map_known ? 0 : map_from_columns(r, fields, r->column_count);
    if (!rc) {
        rc = name_columns(r, fields);
    }
    if (!rc && (!r->has[COLUMN_LABEL] || !(r->has[COLUMN_PREDICTED] || r->has[COLUMN_SCORE] || r->has_p))) {
        rc = err_set(RECO_E_DATA, "cannot read '%s': no column %s", r->path,
                     r->has[COLUMN_LABEL] ? "'predicted', 'score' or 'p_<label>'" : "'label'");
    }
    if (!rc) {
        rc = check_extra(r, fields);
    }
    if (!rc && r->p->labels.count > PREDICTIONS_CLASSES_MAX) {
        rc = err_set(RECO_E_DATA, "cannot read '%s': %d classes, at most %d can be", r->path, r->p->labels.count,
                     PREDICTIONS_CLASSES_MAX);
    }
    r->regression = r->map_known && !r->p->labels.count;
    r->keeps_row_ids = r->options->row_ids || r->has[COLUMN_QUERY_ID];
    return rc;
}
