#include "cli/cmd.h"

#include <string.h>

/* In the order of `reco help`: the way of the data first. */
const struct cmd_spec *const cmd_table[] = {
#ifdef RECO_HAVE_PREPARE
    &cmd_prepare,
#endif
#ifdef RECO_HAVE_TRAIN
    &cmd_train,
#endif
#ifdef RECO_HAVE_PREDICT
    &cmd_predict,
#endif
#ifdef RECO_HAVE_EVAL
    &cmd_eval,
#endif
#ifdef RECO_HAVE_TOKENIZE
    &cmd_tokenize,
#endif
#ifdef RECO_HAVE_INIT
    &cmd_init,
#endif
#ifdef RECO_HAVE_INSPECT
    &cmd_inspect,
#endif
    &cmd_version,  &cmd_help, &cmd_man, &cmd_completion, &cmd_libtorch, NULL,
};

const struct cmd_spec *cmd_find(const char *name)
{
    for (size_t i = 0; cmd_table[i] != NULL; i++)
        if (strcmp(cmd_table[i]->name, name) == 0)
            return cmd_table[i];
    return NULL;
}
