#ifndef RECO_CLI_CMD_H
#define RECO_CLI_CMD_H

/*
 * The command table. A command is one const struct cmd_spec named cmd_<name>, one row in commands.c, and a run function
 * that finds its options parsed: it calls rooms and prints results. Two executables share the table: `reco` never loads
 * libtorch; `reco-torch` also holds the commands that run a model, and `reco` starts it in its own place once it has
 * parsed (and so checked) their options. argv[0] "reco-train" is "reco train".
 *
 * To add a command that runs no model:
 *   1. cmd_<name>.c: `struct <name>_options` (first member struct cmd_common common), its static const table of
 *      struct opt_spec (starts with CMD_COMMON_OPTIONS), a static run function, and `const struct cmd_spec cmd_<name>`.
 *   2. its declaration at the end of this file, 3. its row in commands.c, 4. a golden case in tests/cli/.
 * To add a command that runs a model, step 1 is three files, and its name in the torch_commands of CMakeLists.txt:
 *   opts_<name>.h: struct <name>_options and `int cmd_<name>_run(const struct cmd_ctx *ctx);`
 *   opts_<name>.c: the option table and `const struct cmd_spec cmd_<name>` with `.run = CMD_TORCH(cmd_<name>_run)`;
 *                  no torch, model or train headers; compiled once for each executable
 *   cmd_<name>.c:  cmd_<name>_run; in reco-torch only. Helpers that need torch: torch_<thing>.c
 * Every other .c of this folder is in both.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/opt.h"

struct cmd_ctx {
    const struct cmd_spec *cmd;
    void *options;             /* the command's options struct, filled */
    const struct opt_set *set; /* origins and positionals */
    int argc;                  /* the command line from the command's name on, for provenance */
    char **argv;
};

enum cmd_flags {
    CMD_FLAG_STOPPABLE = 1u << 0, /* SIGINT / SIGTERM set the stop flag (core/stop.h) instead of killing */
    CMD_FLAG_HIDDEN = 1u << 1
};

struct cmd_spec {
    const char *name;
    const char *summary;          /* one line, lower case */
    const char *positionals;      /* "[FILE...]" for usage; NULL: none */
    const char *description;      /* paragraphs for --help and the manual page */
    const char *examples;         /* shell lines; NULL */
    int (*tables)(struct buf *b); /* names that options take, with their meaning, behind the options; appended; NULL */
    const struct opt_spec *options;
    size_t options_size;                  /* sizeof of the options struct */
    int min_positionals, max_positionals; /* max -1: any */
    unsigned flags;
    int (*run)(const struct cmd_ctx *ctx); /* 0 or a negative enum reco_err */
};

/* The run function of a command that runs a model: itself in reco-torch, in reco the one that becomes reco-torch. */
#ifdef RECO_TORCH_EXECUTABLE
#define CMD_TORCH(function) function
#else
#define CMD_TORCH(function) cmd_exec_torch
#endif
int cmd_exec_torch(const struct cmd_ctx *ctx) RECO_MUST_CHECK; /* returns on failure only */

/* First member of every options struct, filled by CMD_COMMON_OPTIONS rows; main applies it before run. */
struct cmd_common {
    bool quiet;
    bool verbose;
};
#define CMD_SWITCH(options_type, member, text, short_form)                                                             \
    {                                                                                                                  \
        .name = #member, .type = OPT_BOOL, .offset = offsetof(options_type, common.member), .letter = short_form,      \
        .help = text, .group = "general"                                                                               \
    }
#define CMD_COMMON_OPTIONS(options_type)                                                                               \
    CMD_SWITCH(options_type, quiet, "print errors and results only", 'q'),                                             \
        CMD_SWITCH(options_type, verbose, "print debugging details", 'v')

extern const struct cmd_spec *const cmd_table[]; /* NULL-terminated */
const struct cmd_spec *cmd_find(const char *name);
bool cmd_any_knows(const char *key); /* some command has an option of that name */

/* Writes text to stdout; RECO_E_IO when stdout is closed or full. main also checks stdout once more before exit 0. */
int cmd_print(const char *text) RECO_MUST_CHECK;

/* The command line as one shell-quoted string, for sidecars and reports; the caller frees. NULL: out of memory. */
char *cmd_line_text(const struct cmd_ctx *ctx);

/*
 * Runs "reco <argv...>" (argv NULL-terminated, argv[0] the command) as a child and waits. The child prints its own
 * errors; its exit status comes back as the error code. A stop signal is passed on to it.
 */
int cmd_run_child(const char *const *argv) RECO_MUST_CHECK;

extern const struct cmd_spec cmd_prepare, cmd_train, cmd_predict, cmd_eval, cmd_tokenize, cmd_init, cmd_inspect;
extern const struct cmd_spec cmd_doctor, cmd_merge;
extern const struct cmd_spec cmd_show;
extern const struct cmd_spec cmd_compare, cmd_calibrate, cmd_threshold, cmd_metric;
extern const struct cmd_spec cmd_events;
extern const struct cmd_spec cmd_help, cmd_man, cmd_completion, cmd_version, cmd_libtorch;

#endif
