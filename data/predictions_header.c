#include "data/predictions_reader.h"

#include <string.h>

#include "core/file.h"
#include "core/json_file.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/predictions_names.h"
#include "data/utf8.h"

#define SIDECAR_MAX_BYTES ((size_t)256 << 20)

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

/* ---- the labels, where no sidecar tells them ---- */

/* Labels that nobody asked for on purpose may be meant for other files: then they count where they fit. */
static bool is_meant_for_others(const struct predictions_source *source, int rc)
{
    return rc == RECO_E_USAGE && source && !source->labels_option;
}

int predictions_grade_labels(struct predictions_reader *r)
{
    const struct predictions_source *source = r->options->source;
    int rc = 0;
    if (source && source->grade_count) {
        rc = label_map_set_grades(&r->p->labels, source->grades, source->grade_count);
    }
    if (!rc && source && source->positive_label) {
        rc = label_map_set_positive(&r->p->labels, source->positive_label);
    }
    return is_meant_for_others(source, rc) ? 0 : rc;
}

/* Has every column of probabilities one of the labels of the source? */
static bool labels_fit(const struct predictions_reader *r, const struct predictions_source *source)
{
    size_t columns = 0;
    for (size_t i = 0; i < r->column_count; i++) {
        const char *label = r->columns[i].label;
        if (r->columns[i].kind != COLUMN_P) {
            continue;
        }
        columns++;
        size_t k = 0;
        while (label && k < source->label_count && strcmp(label, source->labels[k]) != 0) {
            k++;
        }
        if (label && k == source->label_count) {
            return false;
        }
    }
    return !columns || columns == source->label_count || (columns == 1 && source->label_count == 2);
}

static int take_list(struct predictions_reader *r, const char *const *names, size_t count)
{
    int rc = label_map_from_list(&r->p->labels, names, count);
    r->map_known = !rc;
    return rc ? rc : predictions_grade_labels(r);
}

/* One column of probabilities: of one of two labels, which are 0 and 1 unless --labels says otherwise. */
static int map_from_one(struct predictions_reader *r, const struct column *column)
{
    static const char *const zero_one[] = {"0", "1"};
    if (column->label && strcmp(column->label, "0") != 0 && strcmp(column->label, "1") != 0) {
        return err_set(RECO_E_DATA,
                       "cannot read '%s': it has the probability of one label alone, '%s': name both with --labels",
                       r->path, column->label);
    }
    return take_list(r, zero_one, 2);
}

static int map_from_columns(struct predictions_reader *r)
{
    const char **names = mem_calloc(r->column_count, sizeof *names);
    const struct column *last = NULL;
    size_t name_count = 0;
    int rc = names ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < r->column_count; i++) {
        if (r->columns[i].kind == COLUMN_P) {
            last = &r->columns[i];
            names[name_count++] = last->label;
            rc = last->label && !utf8_is_valid(last->label, strlen(last->label), NULL)
                     ? predictions_fail_line(r, 1, "not UTF-8: the label of a column", last->label)
                     : 0;
        }
    }
    if (!rc && name_count == 1) {
        rc = map_from_one(r, last);
    } else if (!rc && name_count) {
        rc = take_list(r, names, name_count);
        if (rc) {
            rc = err_prepend(rc == RECO_E_USAGE && !r->map_known ? RECO_E_DATA : rc,
                             "cannot read '%s': columns of probabilities", r->path);
        }
    }
    mem_free(names);
    return rc;
}

static int find_labels(struct predictions_reader *r)
{
    const struct predictions_source *source = r->options->source;
    if (r->map_known) {
        return source && source->labels_option
                   ? err_set(RECO_E_USAGE, "--%s does not go with '%s': its sidecar '%s.json' tells the labels",
                             source->labels_option, r->path, r->path)
                   : 0;
    }
    bool asked = source && source->labels_option;
    if (source && source->regression && (asked || labels_fit(r, source))) {
        r->p->labels.task = LABEL_TASK_REGRESSION;
        r->map_known = true;
        return 0;
    }
    return source && source->label_count && (asked || labels_fit(r, source))
               ? take_list(r, source->labels, source->label_count)
               : map_from_columns(r);
}

/* ---- the columns ---- */

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

/* Every probability its class; *count of them, and whether they stand in another order than the labels. */
static int place_probabilities(struct predictions_reader *r, char *const *fields, size_t *count, bool *reordered)
{
    const struct label_map *labels = &r->p->labels;
    *count = 0;
    *reordered = false;
    for (size_t i = 0; i < r->column_count; i++) {
        struct column *column = &r->columns[i];
        if (column->kind != COLUMN_P) {
            continue;
        }
        int class = column->label ? label_map_find(labels, column->label, strlen(column->label)) : labels->positive;
        if (class < 0 || class >= labels->count) {
            return predictions_fail_line(r, 1, "the label map has no label for column", fields[i]);
        }
        column->place = (size_t) class;
        r->one_place = column->place;
        *reordered = *reordered || (size_t) class != *count;
        ++*count;
    }
    return 0;
}

static int find_probabilities(struct predictions_reader *r, char *const *fields)
{
    const struct predictions_source *source = r->options->source;
    size_t count;
    bool reordered;
    int rc = place_probabilities(r, fields, &count, &reordered);
    if (rc) {
        return rc;
    }
    r->has_p = count > 0;
    r->one_p = count == 1 && r->p->labels.count == 2;
    r->logits = source && source->logits;
    if (r->logits && !r->has_p) {
        return err_set(RECO_E_USAGE, "--logits goes with --probability_columns or columns p_<label>, '%s' has none",
                       r->path);
    }
    if (r->has_p && !r->one_p && count != (size_t)r->p->labels.count) {
        return err_set(RECO_E_DATA, "cannot read '%s': %zu columns of probabilities for %d labels", r->path, count,
                       r->p->labels.count);
    }
    if (reordered && !r->one_p && r->p->sidecar) {
        log_warn(
            "'%s': the p_ columns stand in another order than the labels of the sidecar; each is taken by its name",
            r->path);
    }
    return 0;
}

/* What the kinds of the columns mean for this reading. */
static int use_columns(struct predictions_reader *r, char *const *fields)
{
    r->p->extra = mem_calloc(r->column_count, sizeof *r->p->extra);
    if (!r->p->extra) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < r->column_count; i++) {
        struct column *column = &r->columns[i];
        if (r->options->no_lists && (column->kind == COLUMN_QUERY_ID || column->kind == COLUMN_ITEM_ID)) {
            column->kind = COLUMN_IGNORED;
        } else if (column->kind < (enum column_kind)PREDICTIONS_FIXED_COUNT) {
            r->has[column->kind] = true;
        } else if (column->kind == COLUMN_EVENT) {
            r->has_event[column->place] = true;
        } else if (column->kind == COLUMN_EXTRA && !is_wanted(r->options, fields[i])) {
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
    return 0;
}

static int check_needed(const struct predictions_reader *r, char *const *fields)
{
    bool has_label = r->has[COLUMN_LABEL];
    struct buf names = {0};
    int rc = 0;
    if (has_label && (r->has[COLUMN_PREDICTED] || r->has[COLUMN_SCORE] || r->has_p)) {
        return 0;
    }
    for (size_t i = 0; !rc && i < r->column_count && names.length < 200; i++) {
        rc = buf_printf(&names, "%s'%.100s'", i ? ", " : "", fields[i]);
    }
    if (!rc) {
        rc = err_set(RECO_E_DATA, "cannot read '%s': no column %s; its columns are %s", r->path,
                     has_label ? "'predicted', 'score' or 'p_<label>' (--predicted_column, --score_column and "
                                 "--probability_columns give the names)"
                               : "'label' (--label_column gives its name)",
                     buf_str(&names));
    }
    buf_release(&names);
    return rc;
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
    int rc = predictions_name_columns(r->columns, fields, r->column_count, r->path, r->options->source);
    if (!rc) {
        rc = find_labels(r);
    }
    if (!rc) {
        rc = use_columns(r, fields);
    }
    if (!rc) {
        rc = find_probabilities(r, fields);
    }
    if (!rc) {
        rc = check_needed(r, fields);
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
