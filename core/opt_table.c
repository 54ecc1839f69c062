#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/opt_internal.h"

/* ---- names ---- */

/* name against the comma-separated words of list. */
static bool in_list(const char *list, const char *name)
{
    size_t length = strlen(name);
    while (list != NULL && *list != '\0') {
        size_t word = strcspn(list, ",");
        if (word == length) {
            size_t i = 0;
            while (i < word && (list[i] == name[i] || (list[i] == '_' && name[i] == '-')))
                i++;
            if (i == word)
                return true;
        }
        list += word;
        list += *list == ',';
    }
    return false;
}

bool opt_matches(const struct opt_spec *spec, const char *name)
{
    return opt_name_equal(spec->name, name) || in_list(spec->aliases, name);
}

const struct opt_spec *opt_find(const struct opt_spec *specs, const char *name)
{
    for (; specs->name != NULL; specs++)
        if (opt_matches(specs, name))
            return specs;
    return NULL;
}

enum { WORD_MAX = 64 };

/* Edit distance with transpositions (optimal string alignment); case and '-'/'_' count for nothing. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t length_a = strlen(a), length_b = strlen(b);
    if (length_a > WORD_MAX || length_b > WORD_MAX)
        return SIZE_MAX;
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= length_b; j++)
        before[j] = above[j] = j;
    char previous_a = '\0';
    for (size_t i = 1; i <= length_a; i++) {
        char ca = (char)(a[i - 1] == '-' ? '_' : tolower((unsigned char)a[i - 1]));
        char previous_b = '\0';
        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            char cb = (char)(b[j - 1] == '-' ? '_' : tolower((unsigned char)b[j - 1]));
            size_t best = above[j - 1] + (ca != cb);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && ca == previous_b && cb == previous_a && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
            previous_b = cb;
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
        previous_a = ca;
    }
    return above[length_b];
}

const char *opt_nearest(const char *word, const char *const *words, size_t count)
{
    size_t length = strlen(word);
    size_t best = length / 3 + 1; /* a third of the letters wrong is still a typo */
    const char *nearest = NULL, *completion = NULL;
    size_t completions = 0;
    for (size_t i = 0; i < count; i++) {
        size_t found = distance(word, words[i]);
        if (found <= best && (nearest == NULL || found < best)) {
            best = found;
            nearest = words[i];
        }
        if (length >= 2 && strncmp(word, words[i], length) == 0) {
            completion = words[i];
            completions++;
        }
    }
    return nearest == NULL && completions == 1 ? completion : nearest;
}

const char *opt_suggestion(const struct opt_spec *specs, const char *name, const char *prefix, struct buf *b)
{
    const char *suggestion = "";
    size_t count = opt_count(specs);
    const char **names = mem_realloc_array(NULL, count + 1, sizeof *names);
    buf_clear(b);
    if (names == NULL)
        return suggestion;
    size_t visible = 0;
    for (size_t i = 0; i < count; i++)
        if ((specs[i].flags & OPT_FLAG_HIDDEN) == 0)
            names[visible++] = specs[i].name;
    names[visible++] = "config";
    const char *nearest = opt_nearest(name, names, visible);
    if (nearest != NULL && buf_printf(b, ", did you mean '%s%s'?", prefix, nearest) == 0)
        suggestion = buf_str(b);
    mem_free(names);
    return suggestion;
}

/* ---- the table's self-check ---- */

static int bad_row(const struct opt_spec *spec, const char *what)
{
    return err_set(RECO_E_INTERNAL, "option table row '%s': %s", spec->name, what);
}

static bool good_name(const char *name, size_t length)
{
    if (length == 0 || length > WORD_MAX || !islower((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) && name[i] != '_')
            return false;
    return true;
}

static bool good_sentence(const char *help)
{
    size_t length = help != NULL ? strlen(help) : 0;
    return length > 0 && help[length - 1] != '.' && strchr(help, '\n') == NULL;
}

/* names: name, aliases; each must be well formed and belong to no other row. */
static int check_names(const struct opt_spec *specs, const struct opt_spec *spec)
{
    static const char *const reserved[] = {"config", "help", "version"};
    struct buf name = {0};
    int status = buf_add_str(&name, spec->name);
    const char *rest = spec->aliases;
    while (status == 0) {
        if (!good_name(buf_str(&name), name.length))
            status = bad_row(spec, "a name is lower-case letters, digits and '_'");
        for (size_t i = 0; i < sizeof reserved / sizeof reserved[0] && status == 0; i++)
            if (strcmp(buf_str(&name), reserved[i]) == 0)
                status = bad_row(spec, "every command has an option of this name");
        for (const struct opt_spec *other = specs; other->name != NULL && status == 0; other++)
            if (other != spec && opt_matches(other, buf_str(&name)))
                status = bad_row(spec, "a name or an alias is used twice");
        if (rest == NULL || *rest == '\0' || status != 0)
            break;
        size_t length = strcspn(rest, ",");
        buf_clear(&name);
        status = buf_add(&name, rest, length);
        rest += length;
        rest += *rest == ',';
    }
    buf_release(&name);
    return status;
}

static int check_row(const struct opt_spec *specs, const struct opt_spec *spec)
{
    int status = check_names(specs, spec);
    if (status != 0)
        return status;
    for (const struct opt_spec *other = specs; other->name != NULL; other++)
        if (other != spec && spec->letter != 0 && other->letter == spec->letter)
            return bad_row(spec, "its letter is used twice");
    if (spec->letter == 'h')
        return bad_row(spec, "-h is --help");
    if (!good_sentence(spec->help))
        return bad_row(spec, "help is one sentence on one line without a full stop");
    if (spec->group == NULL)
        return bad_row(spec, "it has no group");
    if ((spec->type == OPT_CHOICE) != (spec->choices != NULL) || (spec->choices != NULL && spec->choices[0] == NULL))
        return bad_row(spec, "choices are for OPT_CHOICE, which needs some");
    if (!(spec->min <= spec->max))
        return bad_row(spec, "min is above max");
    if ((spec->min != 0 || spec->max != 0) && spec->type != OPT_INT && spec->type != OPT_DOUBLE &&
        spec->type != OPT_BYTES)
        return bad_row(spec, "only numbers have a range");
    if ((spec->flags & OPT_FLAG_REQUIRED) != 0 && spec->default_text != NULL)
        return bad_row(spec, "a required option has no default");
    if (spec->default_text != NULL) {
        status = opt_value_check(spec, spec->default_text, false);
        if (status != 0)
            return err_set(RECO_E_INTERNAL, "option table row '%s': its default: %s", spec->name, err_message());
    }
    return 0;
}

int opt_table_check(const struct opt_spec *specs)
{
    int status = 0;
    for (const struct opt_spec *spec = specs; spec->name != NULL && status == 0; spec++)
        status = check_row(specs, spec);
    return status;
}
