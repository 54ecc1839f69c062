#include "cli/cmd.h"

#include <string.h>

#include "core/buf.h"

struct completion_options {
    struct cmd_common common;
};

static const struct opt_spec options[] = {CMD_COMMON_OPTIONS(struct completion_options), {.name = NULL}};

/* Names of all commands, separated by blanks. */
static int add_commands(struct buf *b)
{
    int status = 0;
    for (size_t i = 0; cmd_table[i] != NULL && status == 0; i++)
        if ((cmd_table[i]->flags & CMD_FLAG_HIDDEN) == 0)
            status = buf_printf(b, "%s%s", i > 0 ? " " : "", cmd_table[i]->name);
    return status;
}

/* ---- bash ---- */

static int bash_option_words(const struct opt_spec *specs, struct buf *b)
{
    int status = 0;
    for (const struct opt_spec *spec = specs; spec->name != NULL && status == 0; spec++)
        if ((spec->flags & OPT_FLAG_HIDDEN) == 0)
            status = buf_printf(b, " --%s", spec->name);
    return status;
}

/* `case` arms that tell what may follow an option: a path, one of a few words, or anything. */
static int bash_value_arms(const struct opt_spec *specs, struct buf *b)
{
    int status = 0;
    for (const struct opt_spec *spec = specs; spec->name != NULL && status == 0; spec++) {
        if (spec->type == OPT_BOOL)
            continue;
        status = buf_printf(b, "        --%s) ", spec->name);
        if (status == 0 && (spec->flags & OPT_FLAG_PATH) != 0) {
            status = buf_add_str(b, "compopt -o default; return ;;\n");
        } else if (status == 0 && spec->choices != NULL) {
            status = buf_add_str(b, "COMPREPLY=($(compgen -W \"");
            for (size_t i = 0; spec->choices[i] != NULL && status == 0; i++)
                status = buf_printf(b, "%s%s", i > 0 ? " " : "", spec->choices[i]);
            if (status == 0)
                status = buf_add_str(b, "\" -- \"$word\")); return ;;\n");
        } else if (status == 0) {
            status = buf_add_str(b, "return ;;\n");
        }
    }
    return status;
}

static int bash_command(const struct cmd_spec *cmd, struct buf *b)
{
    int status = buf_printf(b, "    %s)\n        words=\"", cmd->name);
    if (status == 0)
        status = bash_option_words(cmd->options, b);
    if (status == 0)
        status = bash_option_words(opt_common_specs(), b);
    if (status == 0)
        status = buf_add_str(b, "\"\n        case \"$previous\" in\n");
    if (status == 0)
        status = bash_value_arms(cmd->options, b);
    if (status == 0)
        status = bash_value_arms(opt_common_specs(), b);
    return status == 0 ? buf_add_str(b, "        esac ;;\n") : status;
}

static int bash_script(struct buf *b)
{
    int status = buf_add_str(b, "# bash completion of reco; load it with: source <(reco completion bash)\n"
                                "_reco()\n{\n"
                                "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
                                "    local program=${COMP_WORDS[0]##*/} words= command\n"
                                "    COMPREPLY=()\n"
                                "    if [[ $program == reco-* ]]; then\n"
                                "        command=${program#reco-}\n"
                                "    elif ((COMP_CWORD == 1)); then\n"
                                "        COMPREPLY=($(compgen -W \"");
    if (status == 0)
        status = add_commands(b);
    if (status == 0)
        status = buf_add_str(b, " --help --version\" -- \"$word\"))\n"
                                "        return\n"
                                "    else\n"
                                "        command=${COMP_WORDS[1]}\n"
                                "    fi\n"
                                "    case \"$command\" in\n");
    for (size_t i = 0; cmd_table[i] != NULL && status == 0; i++)
        if ((cmd_table[i]->flags & CMD_FLAG_HIDDEN) == 0)
            status = bash_command(cmd_table[i], b);
    if (status == 0)
        status = buf_add_str(b, "    esac\n"
                                "    if [[ $word == -* ]]; then\n"
                                "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                                "    elif [[ $command == help || $command == man ]]; then\n"
                                "        COMPREPLY=($(compgen -W \"");
    if (status == 0)
        status = add_commands(b);
    if (status == 0)
        status = buf_add_str(b, "\" -- \"$word\"))\n"
                                "    else\n"
                                "        compopt -o default\n"
                                "    fi\n}\n"
                                "complete -F _reco reco");
    for (size_t i = 0; cmd_table[i] != NULL && status == 0; i++)
        if ((cmd_table[i]->flags & CMD_FLAG_HIDDEN) == 0)
            status = buf_printf(b, " reco-%s", cmd_table[i]->name);
    return status == 0 ? buf_add_char(b, '\n') : status;
}

/* ---- zsh ---- */

/* Inside a single-quoted _arguments or _describe word: quotes, and the signs that have a meaning there. */
static int zsh_escaped(const char *text, struct buf *b)
{
    int status = 0;
    for (; *text != '\0' && status == 0; text++) {
        if (*text == '\'')
            status = buf_add_str(b, "'\\''");
        else if (strchr("[]:\\", *text) != NULL)
            status = buf_printf(b, "\\%c", *text);
        else
            status = buf_add_char(b, *text);
    }
    return status;
}

static int zsh_options(const struct opt_spec *specs, struct buf *b)
{
    int status = 0;
    for (const struct opt_spec *spec = specs; spec->name != NULL && status == 0; spec++) {
        if ((spec->flags & OPT_FLAG_HIDDEN) != 0)
            continue;
        status = buf_printf(b, " \\\n            '--%s[", spec->name);
        if (status == 0)
            status = zsh_escaped(spec->help, b);
        if (status == 0)
            status = buf_add_char(b, ']');
        if (status == 0 && spec->type != OPT_BOOL)
            status = buf_printf(b, ":%s:", spec->name);
        if (status == 0 && (spec->flags & OPT_FLAG_PATH) != 0) {
            status = buf_add_str(b, "_files");
        } else if (status == 0 && spec->choices != NULL) {
            for (size_t i = 0; spec->choices[i] != NULL && status == 0; i++)
                status = buf_printf(b, "%s%s", i == 0 ? "(" : " ", spec->choices[i]);
            if (status == 0)
                status = buf_add_char(b, ')');
        }
        if (status == 0)
            status = buf_add_char(b, '\'');
    }
    return status;
}

static int zsh_script(struct buf *b)
{
    int status = buf_add_str(b, "#compdef reco");
    for (size_t i = 0; cmd_table[i] != NULL && status == 0; i++)
        if ((cmd_table[i]->flags & CMD_FLAG_HIDDEN) == 0)
            status = buf_printf(b, " reco-%s", cmd_table[i]->name);
    if (status == 0)
        status = buf_add_str(b, "\n# zsh completion of reco: put it in $fpath as _reco\n"
                                "_reco()\n{\n"
                                "    local command=${service#reco-}\n"
                                "    if [[ $service == reco ]]; then\n"
                                "        if ((CURRENT == 2)); then\n"
                                "            local -a commands=(");
    for (size_t i = 0; cmd_table[i] != NULL && status == 0; i++) {
        if ((cmd_table[i]->flags & CMD_FLAG_HIDDEN) != 0)
            continue;
        status = buf_printf(b, "\n                '%s:", cmd_table[i]->name);
        if (status == 0)
            status = zsh_escaped(cmd_table[i]->summary, b);
        if (status == 0)
            status = buf_add_char(b, '\'');
    }
    if (status == 0)
        status = buf_add_str(b, ")\n            _describe command commands\n"
                                "            return\n"
                                "        fi\n"
                                "        command=$words[2]\n"
                                "        shift words\n"
                                "        ((CURRENT--))\n"
                                "    fi\n"
                                "    case $command in\n");
    for (size_t i = 0; cmd_table[i] != NULL && status == 0; i++) {
        if ((cmd_table[i]->flags & CMD_FLAG_HIDDEN) != 0)
            continue;
        status = buf_printf(b, "    %s)\n        _arguments -S", cmd_table[i]->name);
        if (status == 0)
            status = zsh_options(cmd_table[i]->options, b);
        if (status == 0)
            status = zsh_options(opt_common_specs(), b);
        if (status == 0)
            status = buf_add_str(b, " \\\n            '*:file:_files' ;;\n");
    }
    return status == 0
               ? buf_add_str(b, "    esac\n}\n"
                                "if [[ $funcstack[1] == _reco ]]; then _reco \"$@\"; else compdef _reco reco; fi\n")
               : status;
}

static int run(const struct cmd_ctx *ctx)
{
    static const char *const shells[] = {"bash", "zsh"};
    const char *shell = opt_positional(ctx->set, 0);
    struct buf b = {0};
    int status;
    if (strcmp(shell, shells[0]) == 0)
        status = bash_script(&b);
    else if (strcmp(shell, shells[1]) == 0)
        status = zsh_script(&b);
    else
        status = err_set(RECO_E_USAGE, "unknown shell '%s': one of 'bash', 'zsh'", shell);
    if (status == 0)
        status = cmd_print(buf_str(&b));
    buf_release(&b);
    return status;
}

const struct cmd_spec cmd_completion = {
    .name = "completion",
    .summary = "print a completion script for bash or zsh",
    .positionals = "bash|zsh",
    .description = "Prints a script that completes commands, options, choices and paths.",
    .examples = "source <(reco completion bash)\n"
                "reco completion zsh > ~/.zfunc/_reco",
    .options = options,
    .options_size = sizeof(struct completion_options),
    .min_positionals = 1,
    .max_positionals = 1,
    .run = run,
};
