#include "data/label_rule.h"

#include <string.h>

#include "core/mem.h"
#include "data/number.h"
#include "data/utf8.h"

enum { MAX_SHOWN_BYTES = 60, MAX_SHOWN_LABELS = 10 };

/* How the text of a rule begins in a label map. */
static const char map_word[] = "map ", threshold_word[] = "threshold ";

struct entry {
    const char *from; /* in the arena */
    size_t length;
    bool is_number;
    double number;
    int target;
};

struct label_rule {
    struct mem_arena arena;
    bool has_threshold, has_numbers;
    double threshold;
    struct entry *entries;
    size_t entry_count, entries_capacity;
    int rest;           /* class of '*'; -1: none */
    const char **names; /* [name_count] */
    size_t name_count, names_capacity;
    char *text; /* as in label_map.rule; NULL: labels stay as they are */
};

/* ---- options
 * --------------------------------------------------------------------------------------------------------------- */

static const char *target_of(const char *assignment)
{
    const char *equals = strrchr(assignment, '=');

    return equals == NULL ? NULL : equals + 1;
}

int label_rule_check_assignment(const char *name, const char *value)
{
    const char *target = target_of(value);

    (void)name;
    if (target == NULL || *target == '\0')
        return err_set(RECO_E_USAGE, "bad assignment '%s': expected label=class, as in 4=relevant", value);
    if (!utf8_is_valid(value, strlen(value), NULL))
        return err_set(RECO_E_USAGE, "assignment '%s' is not UTF-8", value);
    return 0;
}

int label_rule_check_threshold(const char *name, const char *value)
{
    double number;

    (void)name;
    return number_parse(value, strlen(value), &number) ? 0 : err_set(RECO_E_USAGE, "'%s' is not a number", value);
}

int label_rule_options_check(const struct label_rule_options *o, bool regression)
{
    struct label_rule *rule = NULL;
    double number;
    int rc = 0;

    if (o->label_threshold != NULL && o->label_map.count > 0)
        return err_set(RECO_E_USAGE, "--label_map and --label_threshold exclude each other");
    if (o->label_threshold != NULL && regression)
        return err_set(RECO_E_USAGE, "--label_threshold makes two classes, which --regression has not");
    for (size_t i = 0; rc == 0 && i < o->label_map.count; i++)
        rc = label_rule_check_assignment("label_map", o->label_map.items[i]);
    if (rc == 0 && o->label_threshold != NULL)
        rc = label_rule_check_threshold("label_threshold", o->label_threshold);
    if (rc == 0)
        rc = label_rule_new(&rule, o, NULL);
    if (rc == 0 && !regression && rule->text != NULL && rule->name_count < 2)
        rc = err_set(RECO_E_USAGE, "--label_map makes one class only, '%s', and at least 2 are needed", rule->names[0]);
    for (size_t i = 0; rc == 0 && regression && i < rule->name_count; i++)
        if (!number_parse(rule->names[i], strlen(rule->names[i]), &number))
            rc = err_set(RECO_E_USAGE, "--label_map makes '%s', which is not a number, and --regression needs numbers",
                         rule->names[i]);
    label_rule_free(rule);
    return rc;
}

/* ---- making a rule
 * --------------------------------------------------------------------------------------------------------- */

/* Two spellings of one label: the same bytes, or the same number. */
static bool same_label(const char *a, size_t a_length, const char *b, size_t b_length)
{
    double x, y;

    if (a_length == b_length && memcmp(a, b, a_length) == 0)
        return true;
    return number_parse(a, a_length, &x) && number_parse(b, b_length, &y) && x == y;
}

static int enter_class(struct label_rule *r, const char *name, int *number)
{
    for (size_t i = 0; i < r->name_count; i++)
        if (same_label(r->names[i], strlen(r->names[i]), name, strlen(name))) {
            *number = (int)i;
            return 0;
        }
    int rc = mem_grow((void **)&r->names, &r->names_capacity, r->name_count + 1, sizeof *r->names);
    if (rc < 0)
        return rc;
    r->names[r->name_count] = mem_arena_strndup(&r->arena, name, strlen(name));
    if (r->names[r->name_count] == NULL)
        return RECO_E_NOMEM;
    *number = (int)r->name_count++;
    return 0;
}

static int add_assignment(struct label_rule *r, const char *assignment)
{
    const char *target = target_of(assignment);
    size_t length = (size_t)(target - 1 - assignment);
    int class, rc = enter_class(r, target, &class);

    if (rc < 0)
        return rc;
    if (length == 1 && assignment[0] == '*') {
        if (r->rest >= 0)
            return err_set(RECO_E_USAGE, "--label_map names '*' twice");
        r->rest = class;
        return 0;
    }
    for (size_t i = 0; i < r->entry_count; i++)
        if (same_label(r->entries[i].from, r->entries[i].length, assignment, length))
            return err_set(RECO_E_USAGE, "--label_map names label '%.*s' twice", (int)length, assignment);
    rc = mem_grow((void **)&r->entries, &r->entries_capacity, r->entry_count + 1, sizeof *r->entries);
    if (rc < 0)
        return rc;
    struct entry *e = &r->entries[r->entry_count];
    e->from = mem_arena_strndup(&r->arena, assignment, length);
    if (e->from == NULL)
        return RECO_E_NOMEM;
    e->length = length;
    e->is_number = number_parse(assignment, length, &e->number);
    e->target = class;
    r->has_numbers |= e->is_number;
    r->entry_count++;
    return 0;
}

/* Items joined by commas; a comma or backslash in them gets a backslash, as on the command line. */
static int list_text(struct buf *b, const struct opt_list *list)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        if (i > 0)
            rc = buf_add_char(b, ',');
        for (const char *p = list->items[i]; rc == 0 && *p != '\0'; p++) {
            if (*p == ',' || *p == '\\')
                rc = buf_add_char(b, '\\');
            if (rc == 0)
                rc = buf_add_char(b, *p);
        }
    }
    return rc;
}

static int read_options(struct label_rule *r, const struct label_rule_options *o)
{
    struct buf text = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < o->label_map.count; i++)
        rc = add_assignment(r, o->label_map.items[i]);
    if (rc == 0 && o->label_map.count > 0) {
        rc = buf_add_str(&text, map_word);
        if (rc == 0)
            rc = list_text(&text, &o->label_map);
    }
    if (rc == 0 && o->label_threshold != NULL) {
        int class;
        r->has_threshold = number_parse(o->label_threshold, strlen(o->label_threshold), &r->threshold);
        rc = enter_class(r, "0", &class);
        if (rc == 0)
            rc = enter_class(r, "1", &class);
        if (rc == 0) /* one spelling for one number */
            rc = buf_printf(&text, "%s%.17g", threshold_word, r->threshold + 0.0);
    }
    if (rc == 0 && text.length > 0) {
        r->text = buf_take(&text);
        rc = r->text == NULL ? RECO_E_NOMEM : 0;
    }
    buf_release(&text);
    return rc;
}

/* The assignments of a map's rule, one by one; the rule is the work of read_options and so well made, or was altered.
 */
static int read_text(struct label_rule *r, const char *text)
{
    struct buf item = {0};
    int rc = 0;

    if (strncmp(text, threshold_word, strlen(threshold_word)) == 0) {
        struct label_rule_options o = {.label_threshold = (char *)text + strlen(threshold_word)};
        rc = label_rule_check_threshold("label_threshold", o.label_threshold);
        return rc < 0 ? rc : read_options(r, &o);
    }
    if (strncmp(text, map_word, strlen(map_word)) != 0)
        return err_set(RECO_E_USAGE, "unknown label rule '%s'", text);
    for (const char *p = text + strlen(map_word); rc == 0; p++) {
        if (*p == ',' || *p == '\0') {
            rc = label_rule_check_assignment("label_map", buf_str(&item));
            if (rc == 0)
                rc = add_assignment(r, buf_str(&item));
            buf_clear(&item);
            if (*p == '\0')
                break;
        } else {
            p += *p == '\\' && p[1] != '\0';
            rc = buf_add_char(&item, *p);
        }
    }
    buf_release(&item);
    if (rc == 0) {
        r->text = mem_strdup(text);
        rc = r->text == NULL ? RECO_E_NOMEM : 0;
    }
    return rc;
}

/* What the user would have to type for the rule. */
static const char *typed(const char *rule, const char **option)
{
    bool map = strncmp(rule, map_word, strlen(map_word)) == 0;

    *option = map ? "--label_map" : "--label_threshold";
    return rule + strlen(map ? map_word : threshold_word);
}

static int fits(const struct label_rule *r, const struct label_map *given)
{
    const char *option, *value;

    if (given->rule != NULL && strcmp(given->rule, r->text) != 0) {
        value = typed(given->rule, &option);
        return err_set(RECO_E_USAGE, "the labels of the model were made by %s '%s': give the same, or nothing", option,
                       value);
    }
    if (given->task == LABEL_TASK_REGRESSION)
        return 0;
    for (size_t i = 0; i < r->name_count; i++)
        if (label_map_find(given, r->names[i], strlen(r->names[i])) < 0)
            return err_set(RECO_E_USAGE, "the model has no label '%s', which %s makes", r->names[i],
                           r->has_threshold ? "--label_threshold" : "--label_map");
    return 0;
}

int label_rule_new(struct label_rule **out, const struct label_rule_options *options, const struct label_map *given)
{
    struct label_rule *r = mem_calloc(1, sizeof *r);

    if (r == NULL)
        return RECO_E_NOMEM;
    r->rest = -1;
    int rc = read_options(r, options);
    if (rc == 0 && r->text != NULL && given != NULL)
        rc = fits(r, given);
    if (rc == 0 && r->text == NULL && given != NULL && given->rule != NULL)
        rc = read_text(r, given->rule);
    if (rc < 0) {
        label_rule_free(r);
        return rc;
    }
    *out = r;
    return 0;
}

void label_rule_free(struct label_rule *r)
{
    if (r == NULL)
        return;
    mem_arena_release(&r->arena);
    mem_free(r->entries);
    mem_free(r->names);
    mem_free(r->text);
    mem_free(r);
}

const char *const *label_rule_classes(const struct label_rule *r, size_t *count)
{
    *count = r->name_count;
    return r->names;
}

int label_rule_enter(const struct label_rule *r, struct label_map *map)
{
    if (r->text == NULL)
        return 0;
    char *text = mem_strdup(r->text);
    if (text == NULL)
        return RECO_E_NOMEM;
    mem_free(map->rule);
    map->rule = text;
    if (r->rest >= 0 && !map->graded && map->count > 1) {
        int rest = label_map_find(map, r->names[r->rest], strlen(r->names[r->rest]));
        map->positive = rest == map->count - 1 ? rest - 1 : map->count - 1;
    }
    return 0;
}

/* ---- applying it
 * ----------------------------------------------------------------------------------------------------------- */

static int not_named(const struct label_rule *r, const char *text, size_t length, struct buf *bad)
{
    int shown = length > MAX_SHOWN_BYTES ? MAX_SHOWN_BYTES : (int)length;
    int rc = buf_printf(bad, "label '%.*s' is not one of", shown, text);

    for (size_t i = 0; rc == 0 && i < r->entry_count && i < MAX_SHOWN_LABELS; i++)
        rc = buf_printf(bad, "%s '%s'", i > 0 ? "," : "", r->entries[i].from);
    if (rc == 0 && r->entry_count > MAX_SHOWN_LABELS)
        rc = buf_printf(bad, " and %zu more", r->entry_count - MAX_SHOWN_LABELS);
    return rc < 0 ? rc : buf_add_str(bad, " of --label_map");
}

int label_rule_apply(const struct label_rule *r, const char *text, size_t length, const char **out, size_t *out_length,
                     struct buf *bad)
{
    double number = 0;
    int class = -1;

    *out = text;
    *out_length = length;
    if (r->text == NULL)
        return 0;
    if (r->has_threshold) {
        if (length == 0)
            return 0;
        if (!number_parse(text, length, &number))
            return buf_printf(bad, "label '%.*s' is not a number, as --label_threshold needs it",
                              length > MAX_SHOWN_BYTES ? MAX_SHOWN_BYTES : (int)length, text);
        class = number >= r->threshold;
    } else {
        bool is_number = r->has_numbers && number_parse(text, length, &number);
        class = length > 0 ? r->rest : -1;
        for (size_t i = 0; i < r->entry_count; i++) {
            const struct entry *e = &r->entries[i];
            if ((e->length == length && memcmp(e->from, text, length) == 0) ||
                (is_number && e->is_number && e->number == number)) {
                class = e->target;
                break;
            }
        }
        if (class < 0)
            return length == 0 ? 0 : not_named(r, text, length, bad);
    }
    *out = r->names[class];
    *out_length = strlen(*out);
    return 0;
}
