#ifndef RECO_CLI_HELP_H
#define RECO_CLI_HELP_H

/* Texts made from the command table. Appended to b; 0 or RECO_E_NOMEM. */

#include "cli/cmd.h"
#include "core/buf.h"

int help_overview_text(struct buf *b) RECO_MUST_CHECK;                             /* `reco`, `reco --help` */
int help_command_text(const struct cmd_spec *cmd, struct buf *b) RECO_MUST_CHECK;  /* `reco train --help` */
int help_synopsis_text(const struct cmd_spec *cmd, struct buf *b) RECO_MUST_CHECK; /* "reco train [options]" */

/* The README's table of exit statuses, {status, meaning}, ended by a NULL meaning. */
struct help_exit_status {
    const char *status;
    const char *meaning;
};
extern const struct help_exit_status help_exit_statuses[];

/* RECO_E_USAGE: there is no such command; names the nearest one. */
int help_unknown_command(const char *name) RECO_MUST_CHECK;

#endif
