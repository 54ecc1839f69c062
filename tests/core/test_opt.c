#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "core/mem.h"
#include "core/opt.h"
#include "tests/core/scratch.h"

struct values {
    bool fp16, shuffle;
    int64_t max_seq_length, seed, max_field_bytes;
    double learning_rate;
    char *output_dir;
    struct opt_list columns, require;
    int schedule;
    struct opt_amount max_bad_rows;
};

static const char *const schedules[] = {"linear", "cosine", "constant_with_warmup", NULL};

static int check_column(const char *name, const char *value)
{
    assert_string_equal(name, "description_column");
    return strchr(value, '?') != NULL ? err_set(RECO_E_USAGE, "no column is called '%s'", value) : 0;
}

#define OFFSET(field) .offset = offsetof(struct values, field)
static const struct opt_spec specs[] = {
    {.name = "fp16", .type = OPT_BOOL, OFFSET(fp16), .help = "half precision", .group = "optimisation", .letter = 'f'},
    {.name = "shuffle",
     .type = OPT_BOOL,
     OFFSET(shuffle),
     .default_text = "true",
     .help = "shuffle the rows",
     .group = "data"},
    {.name = "max_seq_length",
     .type = OPT_INT,
     OFFSET(max_seq_length),
     .default_text = "128",
     .min = 8,
     .max = 512,
     .unit = "tokens",
     .help = "longer pairs are cut",
     .group = "data",
     .aliases = "max_length"},
    {.name = "seed", .type = OPT_INT, OFFSET(seed), .min = 0, .max = INFINITY, .help = "seed", .group = "optimisation"},
    {.name = "max_field_bytes",
     .type = OPT_BYTES,
     OFFSET(max_field_bytes),
     .default_text = "16MiB",
     .help = "longest field",
     .group = "data"},
    {.name = "learning_rate",
     .type = OPT_DOUBLE,
     OFFSET(learning_rate),
     .default_text = "2e-5",
     .min = 0,
     .max = 1,
     .help = "peak learning rate",
     .group = "optimisation"},
    {.name = "output_dir",
     .type = OPT_STRING,
     OFFSET(output_dir),
     .help = "directory to write",
     .group = "output",
     .letter = 'o',
     .flags = OPT_FLAG_PATH},
    {.name = "description_column",
     .type = OPT_LIST,
     OFFSET(columns),
     .help = "columns of the description, joined",
     .group = "data",
     .aliases = "description_column_name,text_pair",
     .check = check_column},
    {.name = "require",
     .type = OPT_LIST,
     OFFSET(require),
     .help = "a gate",
     .group = "output",
     .flags = OPT_FLAG_EXCLUSIVE_LIST},
    {.name = "lr_scheduler_type",
     .type = OPT_CHOICE,
     OFFSET(schedule),
     .default_text = "linear",
     .choices = schedules,
     .help = "schedule",
     .group = "optimisation"},
    {.name = "max_bad_rows",
     .type = OPT_AMOUNT,
     OFFSET(max_bad_rows),
     .default_text = "0.1%",
     .help = "bad rows allowed",
     .group = "data"},
    {.name = NULL}};

static struct values v;
static struct opt_set *set;

/* Words are separated by one blank. */
static int parse_with(const struct opt_spec *table, const char *line)
{
    static char words[1024];
    char *argv[64];
    int argc = 0;
    opt_free(set);
    set = NULL;
    memset(&v, 0, sizeof v);
    snprintf(words, sizeof words, "%s", line);
    for (char *word = words; word != NULL && argc < 63;)
        argv[argc++] = strsep(&word, " ");
    argv[argc] = NULL;
    return opt_parse(&set, table, &v, argc, argv);
}

static void ok(const char *line)
{
    if (parse_with(specs, line) != 0)
        fail_msg("'%s': %s", line, err_message());
}

static void fails(const char *line, const char *message)
{
    assert_int_equal(parse_with(specs, line), RECO_E_USAGE);
    assert_null(set);
    assert_string_equal(err_message(), message);
}

static int release(void **state)
{
    (void)state;
    opt_free(set);
    set = NULL;
    return 0;
}

static void defaults(void **state)
{
    (void)state;
    ok("train");
    assert_false(v.fp16);
    assert_true(v.shuffle);
    assert_int_equal(v.max_seq_length, 128);
    assert_int_equal(v.seed, 0);
    assert_int_equal(v.max_field_bytes, 16 << 20);
    assert_true(v.learning_rate == 2e-5);
    assert_null(v.output_dir);
    assert_int_equal(v.columns.count, 0);
    assert_int_equal(v.schedule, 0);
    assert_true(v.max_bad_rows.is_frac && fabs(v.max_bad_rows.value - 0.001) < 1e-12);
    assert_false(opt_is_set(set, "learning_rate"));
    assert_string_equal(opt_origin_text(set, "learning_rate"), "default");
}

static void spellings(void **state)
{
    (void)state;
    ok("train --max-seq_length=64 --fp16 --no-shuffle --learning-rate 1e-3 -o out --lr_scheduler_type "
       "constant-with-warmup");
    assert_int_equal(v.max_seq_length, 64);
    assert_true(v.fp16);
    assert_false(v.shuffle);
    assert_true(v.learning_rate == 1e-3);
    assert_string_equal(v.output_dir, "out");
    assert_int_equal(v.schedule, 2);
    ok("train --max_length 32 --fp16=no --no_fp16 --shuffle=off -fo=out");
    assert_int_equal(v.max_seq_length, 32);
    assert_true(v.fp16);
    assert_false(v.shuffle);
    assert_string_equal(v.output_dir, "out");
    assert_int_equal(opt_origin_of(set, "max_seq_length"), OPT_ORIGIN_FLAG);
    ok("train -oout --output_dir= --seed 1 --seed 2 --learning_rate .5");
    assert_string_equal(v.output_dir, "");
    assert_int_equal(v.seed, 2);
    assert_true(v.learning_rate == 0.5);
}

static void positionals(void **state)
{
    (void)state;
    ok("tokenize a - --seed 3 b -- --seed -q");
    assert_int_equal(opt_positional_count(set), 5);
    static const char *const expected[] = {"a", "-", "b", "--seed", "-q"};
    for (int i = 0; i < 5; i++)
        assert_string_equal(opt_positional(set, i), expected[i]);
    assert_int_equal(v.seed, 3);
}

static void lists(void **state)
{
    (void)state;
    ok("train --description_column title,a\\,b\\\\ --text_pair c --require f1>=0.8,x --require y");
    assert_int_equal(v.columns.count, 3);
    assert_string_equal(v.columns.items[0], "title");
    assert_string_equal(v.columns.items[1], "a,b\\");
    assert_string_equal(v.columns.items[2], "c");
    assert_int_equal(v.require.count, 2);
    assert_string_equal(v.require.items[0], "f1>=0.8,x");
    struct buf b = {0};
    assert_int_equal(opt_value_text(set, "description_column", &b), 0);
    assert_string_equal(buf_str(&b), "title,a\\,b\\\\,c");
    buf_release(&b);
    fails("train --description_column a,,b", "option --description_column: 'a,,b' has an empty item");
    fails("train --description_column a,b?", "option --description_column: no column is called 'b?'");
}

static void sizes_and_amounts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } sizes[] = {{"0", 0}, {"17", 17}, {"1k", 1024}, {"1.5KiB", 1536}, {"3GiB", 3LL << 30}, {"2T", 2LL << 40}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char line[64];
        snprintf(line, sizeof line, "train --max_field_bytes %s", sizes[i].text);
        ok(line);
        assert_int_equal(v.max_field_bytes, sizes[i].bytes);
    }
    ok("train --max_bad_rows 10");
    assert_true(!v.max_bad_rows.is_frac && v.max_bad_rows.value == 10);
    ok("train --max_bad_rows 100%");
    assert_true(v.max_bad_rows.is_frac && v.max_bad_rows.value == 1);
}

static void bad_values(void **state)
{
    (void)state;
    fails("train --learning_rate abc", "option --learning_rate: 'abc' is not a number");
    fails("train --learning_rate 1e-3x", "option --learning_rate: '1e-3x' is not a number");
    fails("train --learning_rate nan", "option --learning_rate: 'nan' is not a finite number");
    fails("train --learning_rate 1e999", "option --learning_rate: '1e999' is not a finite number");
    fails("train --learning_rate=", "option --learning_rate: '' is not a number");
    fails("train --learning_rate 0x1", "option --learning_rate: '0x1' is not a number");
    fails("train --learning_rate 2", "option --learning_rate: 2 is outside 0..1");
    fails("train --max_seq_length 100000", "option --max_seq_length: 100000 is outside 8..512");
    fails("train --max_length 7", "option --max_seq_length: 7 is outside 8..512");
    fails("train --max_seq_length 12.5", "option --max_seq_length: '12.5' is not a whole number");
    fails("train --max_seq_length 99999999999999999999",
          "option --max_seq_length: 99999999999999999999 is too large for a whole number");
    fails("train --seed -1", "option --seed: -1 is below 0");
    fails("train --lr_scheduler_type cosin",
          "option --lr_scheduler_type: 'cosin' is not one of 'linear', 'cosine', 'constant_with_warmup', did you mean "
          "'cosine'?");
    fails("train --lr_scheduler_type x",
          "option --lr_scheduler_type: 'x' is not one of 'linear', 'cosine', 'constant_with_warmup'");
    fails("train --max_field_bytes 3Q",
          "option --max_field_bytes: '3Q' is not a size: the suffix must be K, M, G or T");
    fails("train --max_field_bytes -3", "option --max_field_bytes: '-3' is not a possible size");
    fails("train --max_field_bytes x", "option --max_field_bytes: 'x' is not a size, such as 16MiB");
    fails("train --max_bad_rows 101%", "option --max_bad_rows: 101% is outside 0%..100%");
    fails("train --max_bad_rows 0.5", "option --max_bad_rows: 0.5 is not a count (a share is written with %)");
    fails("train --max_bad_rows few", "option --max_bad_rows: 'few' is not a count or a per cent, such as 10 or 0.1%");
    fails("train --fp16=perhaps", "option --fp16: 'perhaps' is not true or false");
}

static void bad_names(void **state)
{
    (void)state;
    fails("train --learing_rate 1e-3", "unknown option '--learing_rate', did you mean '--learning_rate'?");
    fails("train --max-seq-lenght=3", "unknown option '--max-seq-lenght', did you mean '--max_seq_length'?");
    fails("train --frobnicate", "unknown option '--frobnicate'");
    fails("train --no_learning_rate", "option --learning_rate is not a switch: it cannot be negated");
    fails("train --no_fp16=true", "option --no_fp16 takes no value");
    fails("train -z", "unknown option '-z' in '-z'");
    fails("train --seed", "option --seed needs a value");
    fails("train --output_dir --fp16", "option --output_dir needs a value");
    fails("train -o", "option -o needs a value");
    /* names and values come before files */
    fails("train --config none.yaml --sed 1", "unknown option '--sed', did you mean '--seed'?");
    fails("train --config none.yaml --seed x", "option --seed: 'x' is not a whole number");
}

static void environment(void **state)
{
    (void)state;
    setenv("RECO_SEED", "7", 1);
    setenv("RECO_DESCRIPTION_COLUMN", "a,b", 1);
    setenv("RECO_OUTPUT_DIR", "", 1);
    ok("train");
    assert_int_equal(v.seed, 7);
    assert_int_equal(v.columns.count, 2);
    assert_null(v.output_dir);
    assert_string_equal(opt_origin_text(set, "seed"), "RECO_SEED");
    assert_int_equal(opt_origin_of(set, "seed"), OPT_ORIGIN_ENV);
    ok("train --seed 8 --description_column c");
    assert_int_equal(v.seed, 8);
    assert_int_equal(v.columns.count, 1); /* a later layer replaces a list */
    setenv("RECO_SEED", "many", 1);
    fails("train", "environment variable RECO_SEED: 'many' is not a whole number");
    unsetenv("RECO_SEED");
    unsetenv("RECO_DESCRIPTION_COLUMN");
    unsetenv("RECO_OUTPUT_DIR");
}

static void required_options(void **state)
{
    (void)state;
    static const struct opt_spec table[] = {{.name = "model",
                                             .type = OPT_STRING,
                                             OFFSET(output_dir),
                                             .help = "directory",
                                             .group = "model",
                                             .flags = OPT_FLAG_REQUIRED | OPT_FLAG_NO_CONFIG},
                                            {.name = NULL}};
    assert_int_equal(parse_with(table, "predict"), RECO_E_USAGE);
    assert_string_equal(err_message(), "option --model is required");
    assert_int_equal(parse_with(table, "predict --model m"), 0);
    setenv("RECO_MODEL", "m", 1); /* OPT_FLAG_NO_CONFIG: not from there */
    assert_int_equal(parse_with(table, "predict"), RECO_E_USAGE);
    unsetenv("RECO_MODEL");
    assert_int_equal(scratch_put("m.yaml", "model: m\n"), 0);
    assert_int_equal(parse_with(table, "predict --config m.yaml"), RECO_E_USAGE);
    assert_string_equal(err_message(), "m.yaml:1: option model can be given on the command line only");
}

static void config_files(void **state)
{
    (void)state;
    assert_int_equal(scratch_put("a.yaml", "# recipe\nmax-length: 64\nseed: 1\nfp16: yes\nmax_field_bytes: 1K\n"
                                           "text_pair: [title, \"a,b\"]\nlr_scheduler_type: cosine\n"
                                           "output_dir: 'it''s'\n"),
                     0);
    assert_int_equal(scratch_put("b.yaml", "seed: 2\ntext_pair: x,y\noutput_dir: ~\n"), 0);
    ok("train --config a.yaml");
    assert_int_equal(v.max_seq_length, 64);
    assert_int_equal(v.seed, 1);
    assert_true(v.fp16);
    assert_int_equal(v.max_field_bytes, 1024);
    assert_int_equal(v.columns.count, 2);
    assert_string_equal(v.columns.items[1], "a,b");
    assert_int_equal(v.schedule, 1);
    assert_string_equal(v.output_dir, "it's");
    assert_string_equal(opt_origin_text(set, "max_seq_length"), "a.yaml:2");
    ok("train --config a.yaml --config=b.yaml");
    assert_int_equal(v.seed, 2);
    assert_int_equal(v.columns.count, 2);
    assert_string_equal(v.columns.items[0], "x");
    assert_null(v.output_dir);
    assert_false(opt_is_set(set, "output_dir"));
    assert_string_equal(opt_origin_text(set, "seed"), "b.yaml:1");
    setenv("RECO_SEED", "3", 1);
    ok("train --config a.yaml --config b.yaml");
    assert_int_equal(v.seed, 3);
    ok("train --seed 4 --config a.yaml");
    assert_int_equal(v.seed, 4);
    unsetenv("RECO_SEED");
    assert_int_equal(parse_with(specs, "train --config none.yaml"), RECO_E_IO);
    assert_int_equal(parse_with(specs, "train --config ."), RECO_E_IO);
}

static bool knows_top_k(const char *key)
{
    return strcmp(key, "top_k") == 0;
}

/* A recipe for several commands: keys of the others are passed over, typos are still errors. */
static void shared_config_files(void **state)
{
    (void)state;
    assert_int_equal(scratch_put("a.yaml", "top_k: [1, 5]\nseed: 7\ntop_k: 3\n"), 0);
    fails("train --config a.yaml", "a.yaml:1: unknown option 'top_k'");
    opt_config_shared(knows_top_k);
    ok("train --config a.yaml");
    assert_int_equal(v.seed, 7);
    assert_int_equal(scratch_put("a.yaml", "top_j: 1\n"), 0);
    fails("train --config a.yaml", "a.yaml:1: unknown option 'top_j'");
    assert_int_equal(scratch_put("a.yaml", "top_k: {a: 1}\n"), 0);
    fails("train --config a.yaml", "a.yaml:1: a map in a map: a config file is one flat list of 'option: value'");
    opt_config_shared(NULL);
}

static void bad_config_files(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"seed: 1\nlearning_rat: 1", "c.yaml:2: unknown option 'learning_rat', did you mean 'learning_rate'?"},
        {"\nlearning_rate: fast", "c.yaml:2: option learning_rate: 'fast' is not a number"},
        {"max_length: 9999", "c.yaml:1: option max_seq_length: 9999 is outside 8..512"},
        {"seed:", NULL}, /* no default: null is what it is anyway */
        {"learning_rate:", "c.yaml:1: option learning_rate needs a value"},
        {"seed: [1, 2]", "c.yaml:1: option seed takes one value, not a list"},
        {"seed: 1\nseed: 2", "c.yaml:2: option seed is given twice"},
        {"max_length: 9\nmax_seq_length: 9", "c.yaml:2: option max_seq_length is given twice"},
        {"optim: {lr: 1}", "c.yaml:1: unknown option 'optim'"},
        {"output_dir: {lr: 1}", "c.yaml:1: a map in a map: a config file is one flat list of 'option: value'"},
        {"text_pair: [a, [b]]", "c.yaml:1: a list in a list, or a map in a list: a config file is one flat list of "
                                "'option: value'"},
        {"- seed", "c.yaml:1: not a map: a config file is one flat list of 'option: value'"},
        {"seed: &s 1", "c.yaml:1: anchors and aliases are not supported: a config file is one flat list of "
                       "'option: value'"},
        {"output_dir: *s", "c.yaml:1: anchors and aliases are not supported: a config file is one flat list of "
                           "'option: value'"},
        {"seed: 1\n---\nseed: 2", "c.yaml:2: a second document: a config file is one flat list of 'option: value'"},
        {"output_dir: \"a\\0b\"", "c.yaml:1: a NUL character in a value"},
        {"", NULL},
        {"# nothing\n---\n", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(scratch_put("c.yaml", cases[i].text), 0);
        if (cases[i].message == NULL)
            ok("train --config c.yaml");
        else
            fails("train --config c.yaml", cases[i].message);
    }
    assert_int_equal(scratch_put("c.yaml", "seed: \"1\n"), 0);
    assert_int_equal(parse_with(specs, "train --config c.yaml"), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "c.yaml:2: cannot parse YAML: "));
}

/* config.resolved.yaml gives the same values when read back. */
static void the_dump_reads_back(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "train", "train --learning_rate 0.1234567890123456 --seed 9007199254740993 --fp16 --max_bad_rows 2.5%",
        "train --output_dir a\"b\\c\xc3\xa9\x01# --description_column x\\,y,z --require a,b --max_field_bytes 1048576"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct buf dump = {0}, text = {0}, again = {0};
        ok(lines[i]);
        assert_int_equal(opt_dump_yaml(set, &dump), 0);
        for (const struct opt_spec *spec = specs; spec->name != NULL; spec++)
            assert_int_equal(opt_value_text(set, spec->name, &text), 0);
        assert_int_equal(scratch_put("dump.yaml", buf_str(&dump)), 0);
        ok("train --config dump.yaml");
        for (const struct opt_spec *spec = specs; spec->name != NULL; spec++)
            assert_int_equal(opt_value_text(set, spec->name, &again), 0);
        assert_string_equal(buf_str(&text), buf_str(&again));
        buf_release(&dump);
        buf_release(&text);
        buf_release(&again);
    }
}

static void the_dump_names_origins(void **state)
{
    (void)state;
    struct buf dump = {0};
    assert_int_equal(scratch_put("a.yaml", "\nseed: 1\n"), 0);
    ok("train --config a.yaml --learning_rate 5e-5");
    assert_int_equal(opt_dump_yaml(set, &dump), 0);
    assert_non_null(strstr(buf_str(&dump), "\nseed: 1 # a.yaml:2\n"));
    assert_non_null(strstr(buf_str(&dump), "\nlearning_rate: 5e-05 # flag\n"));
    assert_non_null(strstr(buf_str(&dump), "\nmax_field_bytes: 16MiB # default\n"));
    assert_non_null(strstr(buf_str(&dump), "\noutput_dir: null # default\n"));
    assert_non_null(strstr(buf_str(&dump), "\n# data\n"));
    buf_release(&dump);
}

static void help(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_int_equal(opt_help_text(specs, &b), 0);
    assert_non_null(strstr(buf_str(&b),
                           "      --max_seq_length N        longer pairs are cut (tokens; 8 to 512; default: "
                           "128; also\n                                --max_length)\n"));
    assert_non_null(strstr(buf_str(&b), "  -o, --output_dir PATH"));
    assert_non_null(strstr(buf_str(&b), "shuffle the rows (default: on; off by --no_shuffle)\n"));
    assert_non_null(strstr(buf_str(&b), "(linear, cosine, constant_with_warmup; default: linear)"));
    assert_non_null(strstr(buf_str(&b), "--description_column_name,"));
    assert_non_null(strstr(buf_str(&b), "--config PATH"));
    buf_release(&b);
}

static void nearest_words(void **state)
{
    (void)state;
    static const char *const words[] = {"train", "predict", "prepare", "eval", "tokenize"};
    assert_string_equal(opt_nearest("trian", words, 5), "train");
    assert_string_equal(opt_nearest("Evaluate", words + 3, 1) == NULL ? "none" : "some", "none");
    assert_string_equal(opt_nearest("tok", words, 5), "tokenize");
    assert_string_equal(opt_nearest("evla", words, 5), "eval");
    assert_null(opt_nearest("pre", words, 5)); /* two begin so */
    assert_null(opt_nearest("zzz", words, 5));
    assert_null(opt_nearest("", words, 5));
    char *longest = mem_calloc(1, 5000);
    memset(longest, 'x', 4999);
    assert_null(opt_nearest(longest, words, 5));
    mem_free(longest);
}

static void table_mistakes_are_found(void **state)
{
    (void)state;
    assert_int_equal(opt_table_check(specs), 0);
#define GOOD .help = "a sentence", .group = "all"
    static const struct opt_spec tables[][3] = {
        {{.name = "a", GOOD}, {.name = "a", GOOD}},
        {{.name = "a", GOOD}, {.name = "b", .aliases = "c,a", GOOD}},
        {{.name = "a", .letter = 'x', GOOD}, {.name = "b", .letter = 'x', GOOD}},
        {{.name = "a", .letter = 'h', GOOD}},
        {{.name = "config", GOOD}},
        {{.name = "a-b", GOOD}},
        {{.name = "a", .help = NULL, .group = "all"}},
        {{.name = "a", .help = "two\nlines", .group = "all"}},
        {{.name = "a", .help = "a sentence.", .group = "all"}},
        {{.name = "a", .help = "a sentence"}},
        {{.name = "a", .type = OPT_CHOICE, GOOD}},
        {{.name = "a", .type = OPT_INT, .choices = schedules, GOOD}},
        {{.name = "a", .type = OPT_INT, .default_text = "x", GOOD}},
        {{.name = "a", .type = OPT_INT, .default_text = "0", .min = 1, .max = 2, GOOD}},
        {{.name = "a", .type = OPT_INT, .min = 2, .max = 1, GOOD}},
        {{.name = "a", .type = OPT_STRING, .min = 1, .max = 2, GOOD}},
        {{.name = "a", .type = OPT_STRING, .default_text = "x", .flags = OPT_FLAG_REQUIRED, GOOD}},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (opt_table_check(tables[i]) != RECO_E_INTERNAL)
            fail_msg("the mistake of table %zu is not found", i);
        assert_non_null(strstr(err_message(), "option table row '"));
    }
}

static void each_allocation_fails_in_turn(void **state)
{
    (void)state;
    assert_int_equal(scratch_put("t.yaml", "text_pair: [a, b]\noutput_dir: \"x\"\nseed: 3\n"), 0);
    setenv("RECO_DESCRIPTION_COLUMN", "p,q", 1);
    long failures = 0;
    for (;; failures++) {
        struct buf b = {0};
        opt_free(set);
        set = NULL;
        mem_fail_after(failures + 1);
        int status = parse_with(specs, "train --config t.yaml --description_column x,y --output_dir o -- a b c");
        if (status == 0)
            status = opt_dump_yaml(set, &b);
        if (status == 0)
            status = opt_help_text(specs, &b);
        mem_fail_after(0);
        buf_release(&b);
        if (status == 0)
            break;
        assert_int_equal(status, RECO_E_NOMEM);
        assert_string_equal(err_message(), "out of memory");
    }
    assert_true(failures > 30);
    for (failures = 0;; failures++) {
        mem_fail_after(failures + 1);
        int status = parse_with(specs, "train --lr_scheduler_type cosin");
        mem_fail_after(0);
        if (status == RECO_E_USAGE)
            break;
        assert_int_equal(status, RECO_E_NOMEM);
    }
    unsetenv("RECO_DESCRIPTION_COLUMN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(defaults, release),
        cmocka_unit_test_teardown(spellings, release),
        cmocka_unit_test_teardown(positionals, release),
        cmocka_unit_test_teardown(lists, release),
        cmocka_unit_test_teardown(sizes_and_amounts, release),
        cmocka_unit_test_teardown(bad_values, release),
        cmocka_unit_test_teardown(bad_names, release),
        cmocka_unit_test_teardown(environment, release),
        cmocka_unit_test_teardown(required_options, release),
        cmocka_unit_test_teardown(config_files, release),
        cmocka_unit_test_teardown(shared_config_files, release),
        cmocka_unit_test_teardown(bad_config_files, release),
        cmocka_unit_test_teardown(the_dump_reads_back, release),
        cmocka_unit_test_teardown(the_dump_names_origins, release),
        cmocka_unit_test(help),
        cmocka_unit_test(nearest_words),
        cmocka_unit_test(table_mistakes_are_found),
        cmocka_unit_test_teardown(each_allocation_fails_in_turn, release),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
