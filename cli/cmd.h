#ifndef RECO_CLI_CMD_H
#define RECO_CLI_CMD_H

/*
 * The command table. A command is one row in commands.c, one file cmd_<name>.c with its run function (parse is done before:
 * call rooms, print results) and one option table. Two executables share the table: `reco` holds commands that run no model
 * and never loads libtorch; rows wrapped in CMD_TORCH run in `reco-torch`, which `reco` starts in its place after it has
 * parsed (and so checked) the options. The option tables of torch commands therefore live in files without torch
 * (opts_<name>.c). argv[0] "reco-train" is "reco train".
 *
 * To add a command: 1. cmd_<name>.c, 2. its declaration below, 3. its row in commands.c, 4. a golden case in tests/cli/.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/opt.h"

struct cmd_ctx {
    const struct cmd_spec *cmd;
    void *options;             /* the command's options struct, filled */
    const struct opt_set *set; /* origins and positionals */
    int argc;                  /* the command line as given, for provenance */
    char **argv;
};

enum cmd_flags {
    CMD_FLAG_STOPPABLE = 1u << 0, /* SIGINT / SIGTERM set the stop flag (core/stop.h) instead of killing */
    CMD_FLAG_HIDDEN = 1u << 1
};

struct cmd_spec {
    const char *name;
    const char *summary;      /* one line, lower case */
    const char *positionals;  /* "[FILE...]" for usage; NULL: none */
    const char *description;  /* paragraphs for --help and the manual page */
    const char *examples;     /* shell lines; NULL */
    const struct opt_spec *options;
    size_t options_size;      /* sizeof of the options struct */
    int min_positionals, max_positionals; /* max -1: any */
    unsigned flags;
    int (*run)(const struct cmd_ctx *ctx); /* 0 or a negative enum reco_err */
};

/* First member of every options struct, filled by CMD_COMMON_OPTIONS rows; main applies it before run. */
struct cmd_common {
    bool quiet;
    bool verbose;
};
#define CMD_COMMON_OPTIONS(type)                                                                                       \
    {.name = "quiet", .type = OPT_BOOL, .offset = offsetof(type, common.quiet), .letter = 'q',                         \
     .help = "print errors and results only", .group = "general"},                                                     \
    {.name = "verbose", .type = OPT_BOOL, .offset = offsetof(type, common.verbose), .letter = 'v',                     \
     .help = "print debugging details", .group = "general"}

extern const struct cmd_spec *const cmd_table[]; /* NULL-terminated */
const struct cmd_spec *cmd_find(const char *name);

/* Writes text to stdout; RECO_E_IO when stdout is closed or full. main also checks stdout once more before exit 0. */
int cmd_print(const char *text) RECO_MUST_CHECK;

/* The command line as one shell-quoted string, for sidecars and reports; the caller frees. NULL: out of memory. */
char *cmd_line_text(const struct cmd_ctx *ctx);

/* Runs "reco <argv...>" (argv NULL-terminated, argv[0] the command) as a child of this executable and waits; 0 or the child's error. */
int cmd_run_child(const char *const *argv) RECO_MUST_CHECK;

#endif
