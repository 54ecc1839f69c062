#include "cli/help.h"

#include <string.h>

#include "core/mem.h"

enum { HELP_COLUMNS = 100 };

const struct help_exit_status help_exit_statuses[] = {{"0", "success"},
                                                      {"1", "a gate was not met (--require)"},
                                                      {"2", "usage: a wrong option or combination"},
                                                      {"3", "bad input data"},
                                                      {"4", "cannot read or write, or the disk is full"},
                                                      {"5", "training diverged"},
                                                      {"6", "model files, libtorch or device"},
                                                      {"70", "out of memory, or an error in reco itself"},
                                                      {"130, 143", "stopped by SIGINT or SIGTERM"},
                                                      {NULL, NULL}};

int help_overview_text(struct buf *b)
{
    int status = buf_add_str(b, "usage: reco COMMAND [options]\n\n"
                                "Fine-tunes and evaluates BERT models that judge how well an item fits a query.\n\n"
                                "commands:\n");
    for (size_t i = 0; cmd_table[i] != NULL && status == 0; i++)
        if ((cmd_table[i]->flags & CMD_FLAG_HIDDEN) == 0)
            status = buf_printf(b, "  %-12s%s\n", cmd_table[i]->name, cmd_table[i]->summary);
    if (status == 0)
        status = buf_add_str(b, "\nexit status:\n");
    for (size_t i = 0; help_exit_statuses[i].meaning != NULL && status == 0; i++)
        status = buf_printf(b, "  %-12s%s\n", help_exit_statuses[i].status, help_exit_statuses[i].meaning);
    if (status == 0)
        status =
            buf_add_str(b, "\n'reco COMMAND --help' describes a command. Every option can also come from a YAML file "
                           "(--config FILE)\nor from the environment (RECO_<NAME>).\n");
    return status;
}

int help_synopsis_text(const struct cmd_spec *cmd, struct buf *b)
{
    const char *positionals = cmd->positionals;
    return buf_printf(b, "reco %s [options]%s%s", cmd->name, positionals != NULL ? " " : "",
                      positionals != NULL ? positionals : "");
}

int help_command_text(const struct cmd_spec *cmd, struct buf *b)
{
    int status = buf_add_str(b, "usage: ");
    if (status == 0)
        status = help_synopsis_text(cmd, b);
    if (status == 0)
        status = buf_add_str(b, "\n\n");
    if (status == 0)
        status = buf_add_wrapped(b, cmd->description != NULL ? cmd->description : cmd->summary, 0, HELP_COLUMNS);
    if (status == 0)
        status = buf_add_char(b, '\n');
    if (status == 0 && cmd->examples != NULL) {
        status = buf_add_str(b, "examples:\n");
        for (const char *line = cmd->examples; *line != '\0' && status == 0;) {
            size_t length = strcspn(line, "\n");
            status = buf_printf(b, "  %.*s\n", (int)length, line);
            line += length;
            line += *line == '\n';
        }
        if (status == 0)
            status = buf_add_char(b, '\n');
    }
    if (status == 0)
        status = opt_help_text(cmd->options, b);
    if (status == 0 && cmd->tables != NULL) {
        status = buf_add_char(b, '\n');
        if (status == 0)
            status = cmd->tables(b);
    }
    return status;
}

int help_unknown_command(const char *name)
{
    size_t count = 0;
    while (cmd_table[count] != NULL)
        count++;
    const char **names = mem_calloc(count, sizeof *names);
    if (names == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        names[i] = cmd_table[i]->name;
    const char *nearest = opt_nearest(name, names, count);
    mem_free(names);
    if (nearest != NULL)
        return err_set(RECO_E_USAGE, "unknown command '%s', did you mean '%s'?", name, nearest);
    return err_set(RECO_E_USAGE, "unknown command '%s'; 'reco help' lists the commands", name);
}
