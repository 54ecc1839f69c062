/*
 * A config file of any bytes is read or refused with a message; what was read, dumped as YAML, reads back as the same
 * values.
 */

#include <math.h>
#include <string.h>

#include "core/opt.h"
#include "tests/fuzz/fuzz.h"

struct values {
    bool flag;
    int64_t number, size;
    double rate;
    char *text;
    struct opt_list list;
    int choice;
    struct opt_amount amount;
};

static const char *const choices[] = {"linear", "cosine", "constant_with_warmup", NULL};

#define ROW(field_name, kind, ...)                                                                                     \
    {                                                                                                                  \
        .name = #field_name, .type = kind, .offset = offsetof(struct values, field_name), .help = "a value",           \
        .group = "all", __VA_ARGS__                                                                                    \
    }

static const struct opt_spec specs[] = {ROW(flag, OPT_BOOL, .default_text = "true"),
                                        ROW(number, OPT_INT, .min = -10, .max = INFINITY),
                                        ROW(size, OPT_BYTES, .default_text = "16MiB"),
                                        ROW(rate, OPT_DOUBLE, .default_text = "2e-5"),
                                        ROW(text, OPT_STRING, .aliases = "words,text_column"),
                                        ROW(list, OPT_LIST, .default_text = "a,b"),
                                        ROW(choice, OPT_CHOICE, .choices = choices),
                                        ROW(amount, OPT_AMOUNT, .default_text = "0.1%"),
                                        {.name = NULL}};

static int parse(struct opt_set **set, struct values *values, const char *path)
{
    char program[] = "fuzz", config[] = "--config", file[64];
    snprintf(file, sizeof file, "%s", path);
    char *argv[] = {program, config, file, NULL};
    memset(values, 0, sizeof *values);
    return opt_parse(set, specs, values, 3, argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct opt_set *set = NULL, *again = NULL;
    struct values values, same;
    struct buf dump = {0}, text = {0}, text_again = {0};
    char path[64];
    int fd = fuzz_file(data, size, path);
    int status = parse(&set, &values, path);
    close(fd);
    if (status != 0) {
        if (set != NULL || err_message()[0] == '\0' || strchr(err_message(), '\n') != NULL)
            abort();
        return 0;
    }
    if (opt_dump_yaml(set, &dump) != 0)
        abort();
    fd = fuzz_file((const uint8_t *)buf_str(&dump), dump.length, path);
    if (parse(&again, &same, path) != 0) {
        fprintf(stderr, "%s\n%s", err_message(), buf_str(&dump));
        abort();
    }
    close(fd);
    for (const struct opt_spec *spec = specs; spec->name != NULL; spec++)
        if (opt_value_text(set, spec->name, &text) != 0 || opt_value_text(again, spec->name, &text_again) != 0)
            abort();
    if (strcmp(buf_str(&text), buf_str(&text_again)) != 0)
        abort();
    opt_free(set);
    opt_free(again);
    buf_release(&dump);
    buf_release(&text);
    buf_release(&text_again);
    return 0;
}
