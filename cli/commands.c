#include "cli/cmd.h"

#include <string.h>

/* In the order of `reco help`: the way of the data first. */
const struct cmd_spec *const cmd_table[] = {
    &cmd_doctor,  &cmd_events,    &cmd_prepare,   &cmd_merge,  &cmd_train,      &cmd_predict,  &cmd_eval,
    &cmd_compare, &cmd_calibrate, &cmd_threshold, &cmd_metric, &cmd_tokenize,   &cmd_init,     &cmd_inspect,
    &cmd_show,    &cmd_version,   &cmd_help,      &cmd_man,    &cmd_completion, &cmd_libtorch, NULL,
};

const struct cmd_spec *cmd_find(const char *name)
{
    for (size_t i = 0; cmd_table[i] != NULL; i++)
        if (strcmp(cmd_table[i]->name, name) == 0)
            return cmd_table[i];
    return NULL;
}

bool cmd_any_knows(const char *key)
{
    for (size_t i = 0; cmd_table[i] != NULL; i++)
        if (opt_table_has(cmd_table[i]->options, key))
            return true;
    return false;
}
