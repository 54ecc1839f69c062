/*
 * Entry of both executables: finds the command, parses its options, runs it, prints its error, checks stdout, and turns
 * the result into the exit status. Nothing below cli/ prints errors or exits.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/help.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"

static const char link_prefix[] = "reco-";

/* A closed 0, 1 or 2 would be given to the next file opened. A descriptor opened the wrong way round fails on use
 * instead. */
static void fill_closed_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static bool reader_gone; /* stdout is a pipe that nobody reads any more: said by the exit status alone */

static int stdout_error(void)
{
    reader_gone = errno == EPIPE;
    return err_set_errno("cannot write to standard output");
}

int cmd_print(const char *text)
{
    return fputs(text, stdout) == EOF ? stdout_error() : 0;
}

/* Output errors show only here when the last block is written, or when the file system reports them on close. */
static int finish_stdout(void)
{
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout) != 0 || failed) {
        if (errno == 0)
            errno = EIO;
        return stdout_error();
    }
    return fclose(stdout) != 0 ? stdout_error() : 0;
}

static bool is_option(const char *word, const char *long_name, const char *short_name)
{
    return strcmp(word, long_name) == 0 || (short_name != NULL && strcmp(word, short_name) == 0);
}

/* argv has the word among its options, that is before "--". */
static bool asks_for(int argc, char **argv, const char *long_name, const char *short_name)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_option(argv[i], long_name, short_name))
            return true;
    return false;
}

static int check_positionals(const struct cmd_spec *cmd, const struct opt_set *set)
{
    int count = opt_positional_count(set);
    if (count < cmd->min_positionals)
        return err_set(RECO_E_USAGE, "too few arguments: usage is 'reco %s [options] %s'", cmd->name, cmd->positionals);
    if (cmd->max_positionals >= 0 && count > cmd->max_positionals)
        return err_set(RECO_E_USAGE, "unexpected argument '%s'", opt_positional(set, cmd->max_positionals));
    return 0;
}

static void apply_common(const struct cmd_spec *cmd, const struct cmd_common *common)
{
    if (common->quiet)
        log_set_level(LOG_LEVEL_QUIET);
    else if (common->verbose)
        log_set_level(LOG_LEVEL_DEBUG);
    if ((cmd->flags & CMD_FLAG_STOPPABLE) != 0) {
        stop_install();
        signal(SIGPIPE, SIG_IGN); /* a reader that went away must not leave a stage or a checkpoint behind */
    }
}

static int print_help(const struct cmd_spec *cmd)
{
    struct buf b = {0};
    int status = cmd != NULL ? help_command_text(cmd, &b) : help_overview_text(&b);
    if (status == 0)
        status = cmd_print(buf_str(&b));
    buf_release(&b);
    return status;
}

/* argv[0] is the command's name. */
static int run_command(const struct cmd_spec *cmd, int argc, char **argv)
{
    if (asks_for(argc, argv, "--help", "-h"))
        return print_help(cmd);
    if (asks_for(argc, argv, "--version", NULL))
        return cmd_print("reco " RECO_VERSION "\n");
    struct opt_set *set = NULL;
    void *options = mem_calloc(1, cmd->options_size);
    if (options == NULL)
        return RECO_E_NOMEM;
    opt_config_shared(cmd_any_knows); /* prepare and train read the same recipe */
    int status = opt_parse(&set, cmd->options, options, argc, argv);
    if (status == 0)
        status = check_positionals(cmd, set);
    if (status == 0) {
        apply_common(cmd, options);
        struct cmd_ctx ctx = {cmd, options, set, argc, argv};
        status = cmd->run(&ctx);
    }
    opt_free(set);
    mem_free(options);
    return status;
}

static int run_word(const struct cmd_spec **cmd, int argc, char **argv)
{
    if (argc == 0 || is_option(argv[0], "--help", "-h"))
        return print_help(NULL);
    if (is_option(argv[0], "--version", "-V"))
        return cmd_print("reco " RECO_VERSION "\n");
    *cmd = cmd_find(argv[0]);
    return *cmd != NULL ? run_command(*cmd, argc, argv) : help_unknown_command(argv[0]);
}

static void print_error(const struct cmd_spec *cmd)
{
    log_error("reco%s%s: %s", cmd != NULL ? " " : "", cmd != NULL ? cmd->name : "", err_message());
}

int main(int argc, char **argv)
{
    fill_closed_descriptors();
    const struct cmd_spec *cmd = NULL;
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *program = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "reco";
    if (strncmp(program, link_prefix, sizeof link_prefix - 1) == 0)
        cmd = cmd_find(program + sizeof link_prefix - 1);
    int status;
    if (cmd != NULL) {
        argv[0] = (char *)cmd->name;
        status = run_command(cmd, argc, argv);
    } else {
        status = run_word(&cmd, argc > 0 ? argc - 1 : 0, argv + 1);
    }
    if (status != 0 && !reader_gone)
        print_error(cmd);
    if (status == RECO_E_NOMEM && mem_spill_failed())
        status = RECO_E_IO; /* who asked for memory cannot know that it was to lie on a disk */
    int exit_status = status == RECO_E_STOPPED && stop_signal() != 0 ? 128 + stop_signal() : err_exit_status(status);
    errno = 0;
    if (finish_stdout() != 0 && exit_status == 0) {
        if (!reader_gone)
            print_error(cmd);
        exit_status = err_exit_status(RECO_E_IO);
    }
    return exit_status;
}
