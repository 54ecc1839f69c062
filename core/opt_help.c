#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/opt_internal.h"

enum { HELP_COLUMNS = 100, HELP_INDENT = 32 };

static const char general_group[] = "general";

const struct opt_spec *opt_common_specs(void)
{
    static const struct opt_spec specs[] = {
        {.name = "config",
         .type = OPT_STRING,
         .help = "YAML file of options, 'name: value' a line; may be given more than once, the later one wins",
         .group = general_group,
         .flags = OPT_FLAG_PATH},
        {.name = "help", .type = OPT_BOOL, .letter = 'h', .help = "print this help", .group = general_group},
        {.name = NULL}};
    return specs;
}

int opt_value_word(const struct opt_spec *spec, struct buf *b)
{
    static const char *const words[] = {
        [OPT_BOOL] = "",     [OPT_INT] = "N",       [OPT_DOUBLE] = "X",   [OPT_STRING] = "TEXT",
        [OPT_LIST] = "LIST", [OPT_CHOICE] = "NAME", [OPT_BYTES] = "SIZE", [OPT_AMOUNT] = "N|P%"};
    const char *word = words[spec->type];
    if ((spec->flags & OPT_FLAG_PATH) != 0)
        word = "PATH";
    else if (spec->type == OPT_LIST && (spec->flags & OPT_FLAG_EXCLUSIVE_LIST) != 0)
        word = "TEXT";
    buf_clear(b);
    return buf_add_str(b, word);
}

/* Parts of the parenthesis behind the sentence, with a separator before all but the first. */
static int add_part(struct buf *b, size_t start, const char *text)
{
    int status = buf_add_str(b, b->length == start ? " (" : "; ");
    return status == 0 ? buf_add_str(b, text) : status;
}

static int add_choices(const struct opt_spec *spec, struct buf *b, size_t start)
{
    int status = 0;
    for (size_t i = 0; spec->choices[i] != NULL && status == 0; i++) {
        status = i == 0 ? add_part(b, start, "") : buf_add_str(b, ", ");
        if (status == 0)
            status = buf_add_str(b, spec->choices[i]);
    }
    return status;
}

static int add_range(const struct opt_spec *spec, struct buf *b, size_t start)
{
    int status = add_part(b, start, "");
    if (status != 0)
        return status;
    if (isinf(spec->max))
        return buf_printf(b, "at least %.15g", spec->min);
    if (isinf(spec->min))
        return buf_printf(b, "at most %.15g", spec->max);
    return buf_printf(b, "%.15g to %.15g", spec->min, spec->max);
}

static int add_aliases(const struct opt_spec *spec, struct buf *b, size_t start)
{
    int status = add_part(b, start, "also --");
    for (const char *p = spec->aliases; *p != '\0' && status == 0; p++)
        status = *p == ',' ? buf_add_str(b, ", --") : buf_add_char(b, *p);
    return status;
}

int opt_help_sentence(const struct opt_spec *spec, struct buf *b)
{
    int status = buf_add_str(b, spec->help);
    size_t start = b->length;
    bool default_true = spec->type == OPT_BOOL && spec->default_text != NULL && strcmp(spec->default_text, "true") == 0;
    if (status == 0 && spec->choices != NULL)
        status = add_choices(spec, b, start);
    if (status == 0 && spec->unit != NULL)
        status = add_part(b, start, spec->unit);
    if (status == 0 && (spec->min != 0 || spec->max != 0))
        status = add_range(spec, b, start);
    if (status == 0 && (spec->flags & OPT_FLAG_REQUIRED) != 0)
        status = add_part(b, start, "required");
    if (status == 0 && default_true) {
        status = add_part(b, start, "default: on; off by --no_");
        if (status == 0)
            status = buf_add_str(b, spec->name);
    } else if (status == 0 && spec->default_text != NULL && spec->type != OPT_BOOL) {
        status = add_part(b, start, "default: ");
        if (status == 0)
            status = buf_add_str(b, spec->default_text);
    }
    if (status == 0 && spec->aliases != NULL)
        status = add_aliases(spec, b, start);
    return status == 0 && b->length > start ? buf_add_char(b, ')') : status;
}

static int add_row(const struct opt_spec *spec, struct buf *b)
{
    struct buf left = {0}, text = {0};
    int status = opt_value_word(spec, &text);
    if (status == 0)
        status = spec->letter != 0 ? buf_printf(&left, "  -%c, --%s", spec->letter, spec->name)
                                   : buf_printf(&left, "      --%s", spec->name);
    if (status == 0 && text.length > 0)
        status = buf_printf(&left, " %s", buf_str(&text));
    if (status == 0)
        status = left.length + 2 > HELP_INDENT ? buf_printf(b, "%s\n%*s", buf_str(&left), HELP_INDENT, "")
                                               : buf_printf(b, "%-*s", HELP_INDENT, buf_str(&left));
    buf_clear(&text);
    if (status == 0)
        status = opt_help_sentence(spec, &text);
    if (status == 0)
        status = buf_add_wrapped(b, buf_str(&text), HELP_INDENT, HELP_COLUMNS);
    buf_release(&left);
    buf_release(&text);
    return status;
}

static int add_group_rows(const struct opt_spec *specs, const char *group, struct buf *b)
{
    int status = 0;
    for (const struct opt_spec *spec = specs; spec->name != NULL && status == 0; spec++)
        if (strcmp(spec->group, group) == 0 && (spec->flags & OPT_FLAG_HIDDEN) == 0)
            status = add_row(spec, b);
    return status;
}

/* True for the first visible row of its group. */
static bool begins_group(const struct opt_spec *specs, const struct opt_spec *spec)
{
    if ((spec->flags & OPT_FLAG_HIDDEN) != 0)
        return false;
    for (; specs != spec; specs++)
        if (strcmp(specs->group, spec->group) == 0 && (specs->flags & OPT_FLAG_HIDDEN) == 0)
            return false;
    return true;
}

/* Groups in the order of their first rows; the general one, which every command has, at the end. */
int opt_help_text(const struct opt_spec *specs, struct buf *b)
{
    int status = 0;
    for (const struct opt_spec *spec = specs; spec->name != NULL && status == 0; spec++) {
        if (!begins_group(specs, spec) || strcmp(spec->group, general_group) == 0)
            continue;
        status = buf_printf(b, "%s:\n", spec->group);
        if (status == 0)
            status = add_group_rows(specs, spec->group, b);
        if (status == 0)
            status = buf_add_char(b, '\n');
    }
    if (status == 0)
        status = buf_printf(b, "%s:\n", general_group);
    if (status == 0)
        status = add_group_rows(specs, general_group, b);
    return status == 0 ? add_group_rows(opt_common_specs(), general_group, b) : status;
}
