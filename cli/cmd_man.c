#include "cli/cmd.h"

#include <ctype.h>
#include <string.h>

#include "cli/help.h"
#include "core/file.h"
#include "core/mem.h"

struct man_options {
    struct cmd_common common;
    char *output_dir;
};

static const struct opt_spec options[] = {CMD_COMMON_OPTIONS(struct man_options),
                                          {.name = "output_dir",
                                           .type = OPT_STRING,
                                           .offset = offsetof(struct man_options, output_dir),
                                           .help = "write every page into this directory",
                                           .group = "output",
                                           .flags = OPT_FLAG_PATH},
                                          {.name = NULL}};

/* Text for roff: backslashes, hyphens that must stay hyphens, and lines that would read as requests. */
static int add_escaped(struct buf *b, const char *text, size_t length)
{
    int status = 0;
    bool line_start = b->length == 0 || b->data[b->length - 1] == '\n';
    for (size_t i = 0; i < length && status == 0; i++) {
        char c = text[i];
        if (line_start && (c == '.' || c == '\''))
            status = buf_add_str(b, "\\&");
        if (status == 0 && c == '\\')
            status = buf_add_str(b, "\\e");
        else if (status == 0 && c == '-')
            status = buf_add_str(b, "\\-");
        else if (status == 0)
            status = buf_add_char(b, c);
        line_start = c == '\n';
    }
    return status;
}

static int add_text(struct buf *b, const char *text)
{
    return add_escaped(b, text, strlen(text));
}

/* Paragraphs are separated by empty lines. */
static int add_paragraphs(struct buf *b, const char *text)
{
    int status = 0;
    while (*text != '\0' && status == 0) {
        const char *end = strstr(text, "\n\n");
        size_t length = end != NULL ? (size_t)(end - text) : strlen(text);
        status = buf_add_str(b, ".PP\n");
        if (status == 0)
            status = add_escaped(b, text, length);
        if (status == 0)
            status = buf_add_char(b, '\n');
        text += length;
        text += strspn(text, "\n");
    }
    return status;
}

static int add_option(const struct opt_spec *spec, struct buf *b)
{
    struct buf text = {0};
    int status = buf_add_str(b, ".TP\n");
    if (status == 0 && spec->letter != 0)
        status = buf_printf(b, "\\fB\\-%c\\fR, ", spec->letter);
    if (status == 0)
        status = buf_printf(b, "\\fB\\-\\-%s\\fR", spec->name);
    if (status == 0)
        status = opt_value_word(spec, &text);
    if (status == 0 && text.length > 0)
        status = buf_printf(b, " \\fI%s\\fR", buf_str(&text));
    if (status == 0)
        status = buf_add_char(b, '\n');
    buf_clear(&text);
    if (status == 0)
        status = opt_help_sentence(spec, &text);
    if (status == 0)
        status = add_text(b, buf_str(&text));
    buf_release(&text);
    return status == 0 ? buf_add_char(b, '\n') : status;
}

static int add_group(const struct opt_spec *specs, const struct opt_spec *first, struct buf *b)
{
    for (const struct opt_spec *spec = specs; spec != first; spec++)
        if (strcmp(spec->group, first->group) == 0)
            return 0; /* done with its first row */
    int status = buf_printf(b, ".SS %s\n", first->group);
    for (const struct opt_spec *spec = first; spec->name != NULL && status == 0; spec++)
        if (strcmp(spec->group, first->group) == 0 && (spec->flags & OPT_FLAG_HIDDEN) == 0)
            status = add_option(spec, b);
    return status;
}

static int add_options(const struct opt_spec *specs, struct buf *b)
{
    int status = buf_add_str(b, ".SH OPTIONS\n");
    for (const struct opt_spec *spec = specs; spec->name != NULL && status == 0; spec++)
        status = add_group(specs, spec, b);
    if (status == 0)
        status = buf_add_str(b, ".SS every command\n");
    for (const struct opt_spec *spec = opt_common_specs(); spec->name != NULL && status == 0; spec++)
        status = add_option(spec, b);
    return status == 0
               ? buf_add_str(b, ".PP\nIn names, \\- and _ are the same. A value is taken from the default, then from "
                                "\\-\\-config files in their order, then from the environment variable RECO_<NAME>, "
                                "then from the command line; the last one wins.\n")
               : status;
}

static int add_pair(struct buf *b, const char *term, const char *text)
{
    int status = buf_printf(b, ".TP\n%s\n", term);
    if (status == 0)
        status = add_text(b, text);
    return status == 0 ? buf_add_char(b, '\n') : status;
}

static int add_exit_statuses(struct buf *b)
{
    int status = buf_add_str(b, ".SH EXIT STATUS\n");
    for (size_t i = 0; help_exit_statuses[i].meaning != NULL && status == 0; i++)
        status = add_pair(b, help_exit_statuses[i].status, help_exit_statuses[i].meaning);
    return status;
}

static int add_head(struct buf *b, const char *page, const char *summary)
{
    int status = buf_add_str(b, ".TH ");
    for (const char *p = page; *p != '\0' && status == 0; p++)
        status = buf_add_char(b, (char)toupper((unsigned char)*p));
    if (status == 0)
        status = buf_printf(b, " 1 \"\" \"reco %s\" \"reco manual\"\n.SH NAME\n", RECO_VERSION);
    if (status == 0)
        status = add_text(b, page);
    if (status == 0)
        status = buf_add_str(b, " \\- ");
    if (status == 0)
        status = add_text(b, summary);
    return status == 0 ? buf_add_str(b, "\n.SH SYNOPSIS\n") : status;
}

static int command_page(const struct cmd_spec *cmd, struct buf *b)
{
    struct buf text = {0};
    int status = buf_printf(&text, "reco-%s", cmd->name);
    if (status == 0)
        status = add_head(b, buf_str(&text), cmd->summary);
    buf_clear(&text);
    if (status == 0)
        status = help_synopsis_text(cmd, &text);
    if (status == 0)
        status = add_text(b, buf_str(&text));
    if (status == 0)
        status = buf_add_str(b, "\n.SH DESCRIPTION\n");
    if (status == 0)
        status = add_paragraphs(b, cmd->description != NULL ? cmd->description : cmd->summary);
    if (status == 0)
        status = add_options(cmd->options, b);
    if (status == 0 && cmd->tables != NULL) {
        buf_clear(&text);
        status = cmd->tables(&text);
        if (status == 0)
            status = buf_add_str(b, ".SH VALUES\n.nf\n");
        if (status == 0)
            status = add_text(b, buf_str(&text));
        if (status == 0)
            status = buf_add_str(b, ".fi\n");
    }
    if (status == 0 && cmd->examples != NULL) {
        status = buf_add_str(b, ".SH EXAMPLES\n.nf\n");
        if (status == 0)
            status = add_text(b, cmd->examples);
        if (status == 0)
            status = buf_add_str(b, "\n.fi\n");
    }
    if (status == 0)
        status = add_exit_statuses(b);
    buf_release(&text);
    return status == 0 ? buf_add_str(b, ".SH SEE ALSO\n.BR reco (1)\n") : status;
}

static int overview_page(struct buf *b)
{
    int status = add_head(b, "reco", "fine-tune and evaluate BERT models on query and description pairs");
    if (status == 0)
        status = buf_add_str(b, "reco COMMAND [options]\n.SH COMMANDS\n");
    for (size_t i = 0; cmd_table[i] != NULL && status == 0; i++) {
        if ((cmd_table[i]->flags & CMD_FLAG_HIDDEN) != 0)
            continue;
        status = buf_printf(b, ".TP\n.BR reco\\-%s (1)\n", cmd_table[i]->name);
        if (status == 0)
            status = add_text(b, cmd_table[i]->summary);
        if (status == 0)
            status = buf_add_char(b, '\n');
    }
    return status == 0 ? add_exit_statuses(b) : status;
}

static int page_of(const struct cmd_spec *cmd, struct buf *b)
{
    return cmd != NULL ? command_page(cmd, b) : overview_page(b);
}

static int write_page(const char *dir, const struct cmd_spec *cmd)
{
    struct buf b = {0};
    char *path = mem_printf("%s/reco%s%s.1", dir, cmd != NULL ? "-" : "", cmd != NULL ? cmd->name : "");
    int status = path == NULL ? RECO_E_NOMEM : page_of(cmd, &b);
    if (status == 0)
        status = file_write_all(path, b.data, b.length);
    mem_free(path);
    buf_release(&b);
    return status;
}

static int write_all_pages(const char *dir)
{
    int status = dir_make(dir);
    if (status == 0)
        status = write_page(dir, NULL);
    for (size_t i = 0; cmd_table[i] != NULL && status == 0; i++)
        if ((cmd_table[i]->flags & CMD_FLAG_HIDDEN) == 0)
            status = write_page(dir, cmd_table[i]);
    return status;
}

static int run(const struct cmd_ctx *ctx)
{
    const struct man_options *o = ctx->options;
    if (o->output_dir != NULL)
        return write_all_pages(o->output_dir);
    const struct cmd_spec *cmd = NULL;
    if (opt_positional_count(ctx->set) > 0) {
        cmd = cmd_find(opt_positional(ctx->set, 0));
        if (cmd == NULL)
            return help_unknown_command(opt_positional(ctx->set, 0));
    }
    struct buf b = {0};
    int status = page_of(cmd, &b);
    if (status == 0)
        status = cmd_print(buf_str(&b));
    buf_release(&b);
    return status;
}

const struct cmd_spec cmd_man = {
    .name = "man",
    .summary = "print a manual page",
    .positionals = "[COMMAND]",
    .description = "Prints the manual page of a command, or of reco itself, in roff; or writes all of them into a "
                   "directory.",
    .examples = "reco man train | man -l -\n"
                "reco man --output_dir share/man/man1",
    .options = options,
    .options_size = sizeof(struct man_options),
    .max_positionals = 1,
    .run = run,
};
