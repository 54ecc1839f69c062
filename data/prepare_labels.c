#include <string.h>

#include "core/mem.h"
#include "data/prepare_internal.h"
#include "data/utf8.h"

enum {
    MAX_CLASSES = 1000, /* more in a file is a wrong column rather than labels */
    MAX_SHOWN_LABELS = 10,
    MAX_SHOWN_BYTES = 60 /* of a bad label, in a message */
};

static int show_choices(struct prepare_labels *l)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < l->map.count && i < MAX_SHOWN_LABELS; i++)
        rc = buf_printf(&l->choices, "%s'%s'", i > 0 ? ", " : "", l->map.names[i]);
    if (rc == 0 && l->map.count > MAX_SHOWN_LABELS)
        rc = buf_printf(&l->choices, " and %d more", l->map.count - MAX_SHOWN_LABELS);
    return rc;
}

/* The rule that makes the labels, --grades and --positive_label, on a map that is not given. */
static int finish_map(struct prepare_labels *l, const struct prepare_options *o)
{
    int rc = label_rule_enter(l->rule, &l->map);

    if (rc == 0 && o->grades.count > 0)
        rc = label_map_set_grades(&l->map, (const char *const *)o->grades.items, o->grades.count);
    if (rc == 0 && o->positive_label != NULL)
        rc = label_map_set_positive(&l->map, o->positive_label);
    if (rc == 0)
        rc = show_choices(l);
    l->known = rc == 0;
    return rc;
}

static int init_given(struct prepare_labels *l, const struct prepare_options *o, const struct label_map *given)
{
    if (o->regression && given->task != LABEL_TASK_REGRESSION)
        return err_set(RECO_E_USAGE, "--regression does not fit the model, which has %d labels", given->count);
    int rc = label_map_copy(&l->map, given);
    if (rc == 0)
        rc = show_choices(l);
    l->known = rc == 0;
    return rc;
}

static int init_list(struct prepare_labels *l, const struct prepare_options *o, const char *const *names, size_t count)
{
    int rc = label_map_from_list(&l->map, names, count);

    return rc < 0 ? rc : finish_map(l, o);
}

int prepare_labels_init(struct prepare_labels *l, const struct prepare_options *o, const struct label_map *given)
{
    size_t count;

    memset(l, 0, sizeof *l);
    int rc = label_rule_new(&l->rule, &o->label_rule, given);
    if (rc < 0)
        return rc;
    if (given != NULL)
        return init_given(l, o, given);
    if (o->regression) {
        l->map.task = LABEL_TASK_REGRESSION;
        l->known = true;
        return label_rule_enter(l->rule, &l->map);
    }
    for (size_t i = 0; i < o->label_list.count; i++)
        if (!utf8_is_valid(o->label_list.items[i], strlen(o->label_list.items[i]), NULL))
            return err_set(RECO_E_USAGE, "label %zu of --labels is not UTF-8", i + 1);
    if (o->label_list.count > 0)
        return init_list(l, o, (const char *const *)o->label_list.items, o->label_list.count);
    if (prepare_positives_only(o)) {
        const char *const names[] = {o->negative.negative_label, PREPARE_POSITIVE_LABEL};
        return init_list(l, o, names, 2);
    }
    const char *const *classes = label_rule_classes(l->rule, &count);
    if (count > 0)
        return init_list(l, o, classes, count);
    return o->label_column != NULL
               ? 0
               : err_set(RECO_E_USAGE, "no labels: give --label_column, or --labels for data without them");
}

void prepare_labels_release(struct prepare_labels *l)
{
    label_rule_free(l->rule);
    label_map_release(&l->map);
    text_store_release(&l->store);
    text_index_release(&l->index);
    buf_release(&l->choices);
    mem_free(l->values);
    memset(l, 0, sizeof *l);
}

int prepare_labels_find(struct prepare_labels *l, const char *text, size_t length, int32_t *label)
{
    uint32_t number;
    int rc = mem_grow((void **)&l->values, &l->values_capacity, l->value_count + 1, sizeof *l->values);

    if (rc == 0)
        rc = text_index_enter(&l->index, l->values, (uint32_t)l->value_count, text, length, &number);
    if (rc < 0)
        return rc;
    if (number == TEXT_INDEX_NONE) {
        number = (uint32_t)l->value_count;
        l->values[number] = text_store_add(&l->store, text, length);
        if (l->values[number] == NULL)
            return RECO_E_NOMEM;
        l->value_count++;
    }
    if (l->value_count > MAX_CLASSES)
        return err_set(RECO_E_DATA,
                       "the label column has more than %d different values: "
                       "name them in --labels, or use --regression",
                       MAX_CLASSES);
    *label = (int32_t)number;
    return 0;
}

int prepare_labels_unknown(const struct prepare_labels *l, const char *text, size_t length, struct buf *bad)
{
    int shown = length > MAX_SHOWN_BYTES ? MAX_SHOWN_BYTES : (int)length;

    return buf_printf(bad, "label '%.*s' is not one of %s", shown, text, buf_str(&l->choices));
}

/* A log of positives holds one label only: the rows that --negatives adds have the other. */
static int map_values(struct prepare_labels *l, const struct prepare_options *o)
{
    const char *negative = o->negative.negative_label;

    if (l->value_count == 0)
        return err_set(RECO_E_DATA, "no row with a label is left");
    if (o->negative.negatives == NEGATIVE_NONE || l->value_count > 1 || strcmp(negative, l->values[0]) == 0)
        return label_map_from_values(&l->map, l->values, l->value_count);
    const char *const names[] = {negative, l->values[0]};
    return label_map_from_list(&l->map, names, 2);
}

int prepare_labels_settle(struct prepare_labels *l, const struct prepare_options *o, int32_t **label_of)
{
    int rc = map_values(l, o);
    int32_t *classes = rc < 0 ? NULL : mem_calloc(l->value_count, sizeof *classes);

    if (rc == 0 && classes == NULL)
        rc = RECO_E_NOMEM;

    if (rc == 0)
        rc = finish_map(l, o);
    for (size_t i = 0; rc == 0 && i < l->value_count; i++)
        classes[i] = label_map_find(&l->map, l->values[i], strlen(l->values[i]));
    if (rc < 0) {
        mem_free(classes);
        return rc;
    }
    *label_of = classes;
    return 0;
}
