#include "cli/resume_options.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"

/* How rows and their texts and labels are made: headings of --help. */
static const char *const groups[] = {"input",   "columns", "text",  "cleaning",  "tables",
                                     "history", "labels",  "split", "negatives", "balance"};
/* In these groups, but about the model's input, which may not change for other reasons. */
static const char *const others[] = {"max_seq_length", "truncation"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* As opt_value_text writes it. Items of lists stand between commas; objects and null are nothing. */
static int add_value(struct buf *b, const json_t *value, bool item)
{
    const char *text = json_string_value(value);
    int rc = 0;
    if (json_is_boolean(value))
        return buf_add_str(b, json_is_true(value) ? "true" : "false");
    if (json_is_integer(value))
        return buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    for (size_t i = 0; i < json_array_size(value) && rc == 0; i++) {
        rc = i > 0 ? buf_add_char(b, ',') : 0;
        if (rc == 0)
            rc = add_value(b, json_array_get(value, i), true);
    }
    for (; text != NULL && *text != '\0' && rc == 0; text++) {
        if (item && (*text == ',' || *text == '\\'))
            rc = buf_add_char(b, '\\');
        if (rc == 0)
            rc = buf_add_char(b, *text);
    }
    return rc;
}

static bool is_same(const struct opt_spec *spec, const json_t *stored, const char *was, const char *is)
{
    if (spec->type == OPT_DOUBLE)
        return json_is_number(stored) && json_number_value(stored) == strtod(is, NULL);
    return strcmp(was, is) == 0;
}

/* again: the dataset is the run's own, made with the options of the first start. */
static int check_option(const struct opt_set *set, const struct opt_spec *spec, const json_t *stored, bool again)
{
    struct buf was = {0}, is = {0};
    int rc = add_value(&was, stored, false);
    if (rc == 0)
        rc = opt_value_text(set, spec->name, &is);
    if (rc == 0 && !is_same(spec, stored, buf_str(&was), buf_str(&is)))
        rc = err_set(RECO_E_USAGE, "--%s was '%s' when the dataset %swas made and is '%s' now: leave it out, or %s",
                     spec->name, buf_str(&was), again ? "of this run " : "", buf_str(&is),
                     again ? "start a new run" : "prepare the dataset again");
    buf_release(&was);
    buf_release(&is);
    return rc;
}

/* Of a dataset that was prepared before, a recipe's options stand in its --config beside those of training. */
static bool is_given(const struct opt_set *set, const char *name, bool again)
{
    return opt_is_set(set, name) && (again || opt_origin_of(set, name) == OPT_ORIGIN_FLAG);
}

int resume_options_check(const struct cmd_ctx *ctx, const struct dataset *ds, bool again)
{
    const json_t *options = json_object_get(dataset_json(ds), "options");
    int rc = 0;
    for (const struct opt_spec *spec = ctx->cmd->options; spec->name != NULL && rc == 0; spec++) {
        const json_t *stored = json_object_get(options, spec->name);
        bool comparable = spec->type != OPT_BYTES && spec->type != OPT_AMOUNT; /* these have units */
        if (stored != NULL && comparable && is_given(ctx->set, spec->name, again) && spec->group != NULL &&
            is_one_of(spec->group, groups, COUNT(groups)) && !is_one_of(spec->name, others, COUNT(others)))
            rc = check_option(ctx->set, spec, stored, again);
    }
    return rc;
}
