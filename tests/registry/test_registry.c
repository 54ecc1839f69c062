/* Every command: its table checks itself, its fields lie in its struct, and the program prints its help and manual
 * page. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/program.h"
#include "core/mem.h"

static const char *reco_path;

/* main.c, which has it for the program, is not part of this one. */
int cmd_print(const char *text)
{
    return fputs(text, stdout) == EOF ? RECO_E_IO : 0;
}

static void each_row_is_described(void **state)
{
    (void)state;
    for (size_t i = 0; cmd_table[i] != NULL; i++) {
        const struct cmd_spec *cmd = cmd_table[i];
        assert_ptr_equal(cmd_find(cmd->name), cmd); /* names are unique */
        assert_non_null(cmd->run);
        assert_non_null(cmd->options);
        assert_in_range(strlen(cmd->summary), 10, 70);
        assert_false(isupper((unsigned char)cmd->summary[0]) && islower((unsigned char)cmd->summary[1]));
        assert_int_not_equal(cmd->summary[strlen(cmd->summary) - 1], '.');
        if ((cmd->flags & CMD_FLAG_HIDDEN) == 0)
            assert_non_null(cmd->description);
        assert_true(cmd->max_positionals < 0 || cmd->min_positionals <= cmd->max_positionals);
        assert_true((cmd->max_positionals == 0) == (cmd->positionals == NULL));
    }
}

static void each_option_table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; cmd_table[i] != NULL; i++)
        if (opt_table_check(cmd_table[i]->options) != 0)
            fail_msg("%s: %s", cmd_table[i]->name, err_message());
}

static size_t field_size(enum opt_type type)
{
    static const size_t sizes[] = {[OPT_BOOL] = sizeof(bool),
                                   [OPT_INT] = sizeof(int64_t),
                                   [OPT_DOUBLE] = sizeof(double),
                                   [OPT_STRING] = sizeof(char *),
                                   [OPT_CHOICE] = sizeof(int),
                                   [OPT_BYTES] = sizeof(int64_t),
                                   [OPT_LIST] = sizeof(struct opt_list),
                                   [OPT_AMOUNT] = sizeof(struct opt_amount)};
    return sizes[type];
}

/* Two rows on one field are a copied row whose offset was forgotten. */
static void fields_lie_apart_in_the_struct(void **state)
{
    (void)state;
    for (size_t i = 0; cmd_table[i] != NULL; i++) {
        const struct cmd_spec *cmd = cmd_table[i];
        assert_true(cmd->options_size >= sizeof(struct cmd_common));
        for (const struct opt_spec *a = cmd->options; a->name != NULL; a++) {
            size_t end = a->offset + field_size(a->type);
            assert_true(end <= cmd->options_size);
            for (const struct opt_spec *b = cmd->options; b != a; b++)
                if (a->offset < b->offset + field_size(b->type) && b->offset < end)
                    fail_msg("%s: --%s and --%s share a field", cmd->name, a->name, b->name);
        }
    }
}

static void each_command_has_the_common_options(void **state)
{
    (void)state;
    for (size_t i = 0; cmd_table[i] != NULL; i++) {
        bool quiet = false, verbose = false;
        for (const struct opt_spec *spec = cmd_table[i]->options; spec->name != NULL; spec++) {
            quiet |= strcmp(spec->name, "quiet") == 0 && spec->offset == offsetof(struct cmd_common, quiet);
            verbose |= strcmp(spec->name, "verbose") == 0 && spec->offset == offsetof(struct cmd_common, verbose);
        }
        if (!quiet || !verbose)
            fail_msg("%s: CMD_COMMON_OPTIONS is missing, or struct cmd_common is not the first member",
                     cmd_table[i]->name);
    }
}

/* Runs reco with two words; it must succeed, and print something. */
static void ask(const char *first, const char *second, struct buf *output)
{
    char words[2][64];
    int exit_status = -1;
    snprintf(words[0], sizeof words[0], "%s", first);
    snprintf(words[1], sizeof words[1], "%s", second);
    char program[] = "reco";
    char *argv[] = {program, words[0], words[1], NULL};
    buf_clear(output);
    assert_int_equal(program_capture(reco_path, argv, output, NULL, &exit_status), 0);
    if (exit_status != 0 || output->length == 0)
        fail_msg("'reco %s %s' gives exit status %d and %zu bytes", first, second, exit_status, output->length);
}

static void help_names_every_option(void **state)
{
    (void)state;
    struct buf help = {0}, same = {0}, name = {0};
    for (size_t i = 0; cmd_table[i] != NULL; i++) {
        const struct cmd_spec *cmd = cmd_table[i];
        ask(cmd->name, "--help", &help);
        ask("help", cmd->name, &same);
        assert_string_equal(buf_str(&help), buf_str(&same));
        for (const struct opt_spec *spec = cmd->options; spec->name != NULL; spec++) {
            buf_clear(&name);
            assert_int_equal(buf_printf(&name, "--%s", spec->name), 0);
            bool shown = strstr(buf_str(&help), buf_str(&name)) != NULL;
            if (!shown && (spec->flags & OPT_FLAG_HIDDEN) == 0)
                fail_msg("'reco %s --help' lacks %s", cmd->name, buf_str(&name));
        }
        for (const char *line = buf_str(&help); *line != '\0';) {
            size_t length = strcspn(line, "\n");
            bool example = cmd->examples != NULL && length > 2 &&
                           memmem(cmd->examples, strlen(cmd->examples), line + 2, length - 2) != NULL;
            if (length > 100 && !example)
                fail_msg("'reco %s --help' has a line of %zu columns: %.*s", cmd->name, length, (int)length, line);
            line += length + (line[length] == '\n');
        }
    }
    buf_release(&help);
    buf_release(&same);
    buf_release(&name);
}

static void manual_pages_are_made(void **state)
{
    (void)state;
    struct buf page = {0};
    for (size_t i = 0; cmd_table[i] != NULL; i++) {
        ask("man", cmd_table[i]->name, &page);
        assert_memory_equal(buf_str(&page), ".TH RECO-", 9);
        assert_non_null(strstr(buf_str(&page), "\n.SH EXIT STATUS\n"));
    }
    buf_release(&page);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PATH_OF_RECO\n", argv[0]);
        return 2;
    }
    reco_path = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_described),          cmocka_unit_test(each_option_table_is_sound),
        cmocka_unit_test(fields_lie_apart_in_the_struct), cmocka_unit_test(each_command_has_the_common_options),
        cmocka_unit_test(help_names_every_option),        cmocka_unit_test(manual_pages_are_made)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
