#include "data/columns.h"

#include <string.h>

#include "core/buf.h"
#include "core/opt.h"

bool columns_have(const struct columns *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->names[i], name) == 0)
            return true;
    return false;
}

static bool is_but_for_blanks(const char *padded, const char *name)
{
    size_t length = strlen(name), start = strspn(padded, " \t");

    return strncmp(padded + start, name, length) == 0 &&
           strspn(padded + start + length, " \t") == strlen(padded + start + length);
}

static int no_column(const struct columns *c, const char *option, const char *name)
{
    const char *near = opt_nearest(name, c->names, c->count);
    struct buf names = {0};
    int rc = 0;

    for (size_t i = 0; i < c->count; i++)
        if (is_but_for_blanks(c->names[i], name))
            return err_set(RECO_E_USAGE, "no column '%s' (--%s) in %s, it is '%s' there: --trim_blanks cuts the blanks",
                           name, option, c->label, c->names[i]);
    if (near != NULL)
        return err_set(RECO_E_USAGE, "no column '%s' (--%s) in %s, did you mean '%s'?", name, option, c->label, near);
    for (size_t i = 0; rc == 0 && i < c->count; i++)
        rc = buf_printf(&names, "%s'%s'", i > 0 ? ", " : "", c->names[i]);
    if (rc == 0)
        rc = err_set(RECO_E_USAGE, "no column '%s' (--%s) in %s, it has %s", name, option, c->label, buf_str(&names));
    buf_release(&names);
    return rc;
}

int columns_find(const struct columns *c, const char *option, const char *name, size_t *column)
{
    size_t found = c->count;

    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(c->names[i], name) != 0)
            continue;
        if (found < c->count)
            return err_set(RECO_E_DATA, "two columns '%s' (--%s) in %s", name, option, c->label);
        found = i;
    }
    if (found == c->count)
        return no_column(c, option, name);
    *column = found;
    return 0;
}
