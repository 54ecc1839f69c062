#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/opt_internal.h"

static const char *const origin_words[] = {[OPT_ORIGIN_DEFAULT] = "default",
                                           [OPT_ORIGIN_CONFIG] = "config",
                                           [OPT_ORIGIN_ENV] = "env",
                                           [OPT_ORIGIN_FLAG] = "flag"};

size_t opt_count(const struct opt_spec *specs)
{
    size_t count = 0;
    while (specs[count].name != NULL)
        count++;
    return count;
}

bool opt_name_equal(const char *a, const char *b)
{
    for (; *a != '\0' || *b != '\0'; a++, b++)
        if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
            return false;
    return true;
}

/* ---- assigning ---- */

/* "RECO_<NAME>"; false when it does not fit, which no name of a checked table does. */
static bool env_name(const char *name, char *text, size_t size)
{
    int length = snprintf(text, size, "RECO_%s", name);
    if (length < 0 || (size_t)length >= size)
        return false;
    for (char *p = text; *p != '\0'; p++)
        *p = (char)(*p == '-' ? '_' : toupper((unsigned char)*p));
    return true;
}

static int prepend_source(int status, const struct opt_spec *spec, const struct opt_source *source)
{
    char env[128];
    if (status == RECO_E_NOMEM)
        return status;
    switch (source->origin) {
    case OPT_ORIGIN_CONFIG:
        return err_prepend(status, "%s:%zu: option %s", source->file, source->line, spec->name);
    case OPT_ORIGIN_ENV:
        env_name(spec->name, env, sizeof env);
        return err_prepend(status, "environment variable %s", env);
    case OPT_ORIGIN_DEFAULT:
    case OPT_ORIGIN_FLAG:
        break;
    }
    return err_prepend(status, "option --%s", spec->name);
}

int opt_assign(struct opt_set *set, const struct opt_spec *spec, const char *text, bool whole_item,
               const struct opt_source *source)
{
    struct opt_state *state = &set->states[spec - set->specs];
    char *origin_text = NULL;
    if (source->origin == OPT_ORIGIN_CONFIG) {
        origin_text = mem_printf("%s:%zu", source->file, source->line);
        if (origin_text == NULL)
            return RECO_E_NOMEM;
    }
    if (text == NULL || state->source_id != source->id)
        opt_value_reset(spec, set->values);
    int status = text != NULL ? opt_value_store(spec, set->values, text, whole_item) : 0;
    if (status != 0) {
        mem_free(origin_text);
        return prepend_source(status, spec, source);
    }
    mem_free(state->text);
    *state = (struct opt_state){source->origin, source->id, text != NULL, origin_text};
    return 0;
}

/* ---- the command line ---- */

/* Flags are checked in full before any file is opened, and applied after the files. */
struct assignment {
    const struct opt_spec *spec;
    const char *value;
};

struct command_line {
    struct assignment *assignments;
    size_t count, capacity;
    const char **configs;
    size_t config_count, config_capacity;
};

static const char *const bool_words[] = {"false", "true"};

static int add_assignment(struct command_line *line, const struct opt_spec *spec, const char *value)
{
    int status = opt_value_check(spec, value, false);
    if (status != 0)
        return status == RECO_E_NOMEM ? status : err_prepend(status, "option --%s", spec->name);
    void *array = line->assignments;
    status = mem_grow(&array, &line->capacity, line->count + 1, sizeof *line->assignments);
    line->assignments = array;
    if (status == 0)
        line->assignments[line->count++] = (struct assignment){spec, value};
    return status;
}

static int add_config(struct command_line *line, const char *path)
{
    void *array = line->configs;
    int status = mem_grow(&array, &line->config_capacity, line->config_count + 1, sizeof *line->configs);
    line->configs = array;
    if (status == 0)
        line->configs[line->config_count++] = path;
    return status;
}

static int add_positional(struct opt_set *set, char *word)
{
    void *array = set->positionals;
    int status = mem_grow(&array, &set->positional_capacity, set->positional_count + 1, sizeof *set->positionals);
    set->positionals = array;
    if (status == 0)
        set->positionals[set->positional_count++] = word;
    return status;
}

/* The word behind an option that takes a value. A forgotten value shows as another long option in its place. */
static int take_value(const char *name, int argc, char **argv, int *index, const char **value)
{
    if (*index + 1 >= argc || (strncmp(argv[*index + 1], "--", 2) == 0 && argv[*index + 1][2] != '\0'))
        return err_set(RECO_E_USAGE, "option %s needs a value", name);
    *value = argv[++*index];
    return 0;
}

static int unknown_option(const struct opt_spec *specs, const char *name)
{
    struct buf b = {0};
    int status = err_set(RECO_E_USAGE, "unknown option '--%s'%s", name, opt_suggestion(specs, name, "--", &b));
    buf_release(&b);
    return status;
}

static int parse_long(const struct opt_spec *specs, struct command_line *line, int argc, char **argv, int *index)
{
    const char *word = argv[*index] + 2;
    size_t name_length = strcspn(word, "=");
    const char *value = word[name_length] == '=' ? word + name_length + 1 : NULL;
    char *name = mem_strndup(word, name_length);
    if (name == NULL)
        return RECO_E_NOMEM;
    int status = 0;
    bool is_config = opt_name_equal(name, "config");
    const struct opt_spec *spec = is_config ? NULL : opt_find(specs, name);
    if (spec == NULL && !is_config) {
        bool negated = strncmp(name, "no_", 3) == 0 || strncmp(name, "no-", 3) == 0;
        const struct opt_spec *negated_spec = negated ? opt_find(specs, name + 3) : NULL;
        if (negated_spec == NULL)
            status = unknown_option(specs, name);
        else if (negated_spec->type != OPT_BOOL)
            status = err_set(RECO_E_USAGE, "option --%s is not a switch: it cannot be negated", negated_spec->name);
        else if (value != NULL)
            status = err_set(RECO_E_USAGE, "option --%s takes no value", name);
        else
            status = add_assignment(line, negated_spec, bool_words[0]);
        goto done;
    }
    if (value == NULL && spec != NULL && spec->type == OPT_BOOL)
        value = bool_words[1];
    if (value == NULL) {
        char shown[128];
        snprintf(shown, sizeof shown, "--%s", name);
        status = take_value(shown, argc, argv, index, &value);
    }
    if (status == 0)
        status = is_config ? add_config(line, value) : add_assignment(line, spec, value);
done:
    mem_free(name);
    return status;
}

/* "-q", "-qv", "-k5", "-k 5" */
static int parse_letters(const struct opt_spec *specs, struct command_line *line, int argc, char **argv, int *index)
{
    for (const char *p = argv[*index] + 1; *p != '\0'; p++) {
        const struct opt_spec *spec = specs;
        while (spec->name != NULL && spec->letter != *p)
            spec++;
        if (spec->name == NULL)
            return err_set(RECO_E_USAGE, "unknown option '-%c' in '%s'", *p, argv[*index]);
        if (spec->type == OPT_BOOL) {
            int status = add_assignment(line, spec, bool_words[1]);
            if (status != 0)
                return status;
            continue;
        }
        const char *value = p[1] == '=' ? p + 2 : p + 1;
        if (p[1] == '\0') {
            char shown[3] = {'-', *p, '\0'};
            int status = take_value(shown, argc, argv, index, &value);
            if (status != 0)
                return status;
        }
        return add_assignment(line, spec, value);
    }
    return 0;
}

static int scan(struct opt_set *set, struct command_line *line, int argc, char **argv)
{
    int status = 0;
    bool options_ended = false;
    for (int i = 1; i < argc && status == 0; i++) {
        const char *word = argv[i];
        if (options_ended || word[0] != '-' || word[1] == '\0')
            status = add_positional(set, argv[i]);
        else if (strcmp(word, "--") == 0)
            options_ended = true;
        else if (word[1] == '-')
            status = parse_long(set->specs, line, argc, argv, &i);
        else
            status = parse_letters(set->specs, line, argc, argv, &i);
    }
    return status;
}

/* ---- the four layers ---- */

static int apply_defaults(struct opt_set *set)
{
    struct opt_source source = {.origin = OPT_ORIGIN_DEFAULT};
    int status = 0;
    for (size_t i = 0; i < set->count && status == 0; i++)
        if (set->specs[i].default_text != NULL)
            status = opt_assign(set, &set->specs[i], set->specs[i].default_text, false, &source);
    return status;
}

static int apply_environment(struct opt_set *set, int source_id)
{
    struct opt_source source = {.origin = OPT_ORIGIN_ENV, .id = source_id};
    int status = 0;
    for (size_t i = 0; i < set->count && status == 0; i++) {
        char name[128];
        if ((set->specs[i].flags & OPT_FLAG_NO_CONFIG) != 0 || !env_name(set->specs[i].name, name, sizeof name))
            continue;
        const char *value = getenv(name);
        if (value != NULL && value[0] != '\0')
            status = opt_assign(set, &set->specs[i], value, false, &source);
    }
    return status;
}

static int apply_flags(struct opt_set *set, const struct command_line *line, int source_id)
{
    struct opt_source source = {.origin = OPT_ORIGIN_FLAG, .id = source_id};
    int status = 0;
    for (size_t i = 0; i < line->count && status == 0; i++)
        status = opt_assign(set, line->assignments[i].spec, line->assignments[i].value, false, &source);
    return status;
}

static int check_required(const struct opt_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if ((set->specs[i].flags & OPT_FLAG_REQUIRED) != 0 && !set->states[i].has_value)
            return err_set(RECO_E_USAGE, "option --%s is required", set->specs[i].name);
    return 0;
}

int opt_parse(struct opt_set **out, const struct opt_spec *specs, void *values, int argc, char **argv)
{
    struct command_line line = {0};
    struct opt_set *set = mem_calloc(1, sizeof *set);
    if (set == NULL)
        return RECO_E_NOMEM;
    set->specs = specs;
    set->values = values;
    set->count = opt_count(specs);
    set->states = mem_calloc(set->count, sizeof *set->states);
    int status = set->states == NULL ? RECO_E_NOMEM : 0;
    if (status == 0)
        status = scan(set, &line, argc, argv);
    if (status == 0)
        status = apply_defaults(set);
    int source_id = 1;
    for (size_t i = 0; i < line.config_count && status == 0; i++)
        status = opt_read_config(set, line.configs[i], source_id++);
    if (status == 0)
        status = apply_environment(set, source_id++);
    if (status == 0)
        status = apply_flags(set, &line, source_id);
    if (status == 0)
        status = check_required(set);
    mem_free(line.assignments);
    mem_free(line.configs);
    if (status != 0) {
        opt_free(set);
        return status;
    }
    *out = set;
    return 0;
}

void opt_free(struct opt_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; set->states != NULL && i < set->count; i++) {
        opt_value_reset(&set->specs[i], set->values);
        mem_free(set->states[i].text);
    }
    mem_free(set->states);
    mem_free(set->positionals);
    mem_free(set);
}

/* ---- asking ---- */

int opt_positional_count(const struct opt_set *set)
{
    return (int)set->positional_count;
}

const char *opt_positional(const struct opt_set *set, int index)
{
    return set->positionals[index];
}

/* NULL for a name that is not in the table, which is a mistake of the caller: it reads as an unset option. */
static const struct opt_state *find_state(const struct opt_set *set, const char *name)
{
    const struct opt_spec *spec = opt_find(set->specs, name);
    return spec != NULL ? &set->states[spec - set->specs] : NULL;
}

enum opt_origin opt_origin_of(const struct opt_set *set, const char *name)
{
    const struct opt_state *state = find_state(set, name);
    return state != NULL ? state->origin : OPT_ORIGIN_DEFAULT;
}

bool opt_is_set(const struct opt_set *set, const char *name)
{
    const struct opt_state *state = find_state(set, name);
    return state != NULL && state->origin != OPT_ORIGIN_DEFAULT && state->has_value;
}

const char *opt_origin_text(const struct opt_set *set, const char *name)
{
    static _Thread_local char env[128];
    const struct opt_spec *spec = opt_find(set->specs, name);
    const struct opt_state *state = find_state(set, name);
    if (state != NULL && state->text != NULL)
        return state->text;
    if (state != NULL && state->origin == OPT_ORIGIN_ENV && env_name(spec->name, env, sizeof env))
        return env;
    return origin_words[state != NULL ? state->origin : OPT_ORIGIN_DEFAULT];
}

int opt_value_text(const struct opt_set *set, const char *name, struct buf *b)
{
    const struct opt_spec *spec = opt_find(set->specs, name);
    if (spec == NULL)
        return err_set(RECO_E_INTERNAL, "no option '%s' in this command's table", name);
    return find_state(set, name)->has_value || spec->type == OPT_BOOL ? opt_value_print(spec, set->values, b) : 0;
}
