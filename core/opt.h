#ifndef RECO_CORE_OPT_H
#define RECO_CORE_OPT_H

/*
 * Option tables. An option is written once, as a row; from the row come the parser, --help, the YAML key, the
 * environment variable RECO_<NAME>, config.resolved.yaml with each value's origin, the manual page and shell
 * completion. Order: default < --config file (in the order given) < environment < flag. '-' and '_' are the same in
 * names; --no_name negates an OPT_BOOL; "--name value" and "--name=value" both work; a typo is RECO_E_USAGE and names
 * the nearest option, before any file is opened. Rows are const and never written to; values live in the command's
 * options struct.
 *
 * To add an option: one row in the command's table, one field in its struct.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

enum opt_type {
    OPT_BOOL,   /* bool */
    OPT_INT,    /* int64_t, checked against [min, max] */
    OPT_DOUBLE, /* double, checked against [min, max]; nan and inf refused */
    OPT_STRING, /* char *, owned by the options struct; NULL when unset */
    OPT_LIST,   /* struct opt_list; comma separated (backslash escapes a comma), repeats append */
    OPT_CHOICE, /* int, index into choices */
    OPT_BYTES,  /* int64_t; suffixes K M G (1024), also KiB MiB GiB */
    OPT_AMOUNT  /* struct opt_amount: "10" a count, "0.1%" a share */
};

struct opt_list {
    char **items;
    size_t count;
};

struct opt_amount {
    double value; /* a count, or a fraction in [0, 1] when is_frac */
    bool is_frac;
};

enum opt_flags {
    OPT_FLAG_REQUIRED = 1u << 0,
    OPT_FLAG_HIDDEN = 1u << 1,         /* not in --help */
    OPT_FLAG_NO_CONFIG = 1u << 2,      /* not a YAML key, not an environment variable */
    OPT_FLAG_EXCLUSIVE_LIST = 1u << 3, /* OPT_LIST: the whole value is one item (no comma split), repeats append */
    OPT_FLAG_PATH = 1u << 4            /* completion: a path */
};

struct opt_spec {
    const char *name; /* long name with '_'; NULL ends a table */
    enum opt_type type;
    size_t offset;              /* offsetof(struct X_options, field) */
    const char *default_text;   /* as the user would type it; NULL: unset, the field is NULL / false / 0 in any range */
    double min, max;            /* OPT_INT, OPT_DOUBLE, OPT_BYTES: both 0 means no range; INFINITY: open at that end */
    const char *const *choices; /* OPT_CHOICE: NULL-terminated */
    const char *unit;           /* shown in help: "tokens", "seconds"; NULL */
    const char *help;           /* one sentence, lower case, no full stop */
    const char *group;          /* heading in --help: "data", "model", "optimisation", ... */
    const char *aliases;        /* other long names, comma separated: "label_column_name"; NULL */
    char letter;                /* short form; 0 */
    unsigned flags;
    /* Extra validation of one value (item, for lists); the option's name is put in front of its message. NULL: none. */
    int (*check)(const char *name, const char *value);
};

enum opt_origin { OPT_ORIGIN_DEFAULT, OPT_ORIGIN_CONFIG, OPT_ORIGIN_ENV, OPT_ORIGIN_FLAG };

/* A parsed set: table + values + where each value came from. */
struct opt_set;

/*
 * Parses argv[1..argc) against specs into values (a zeroed struct of the command's options type). Positional words are
 * collected; "--" ends options; "-" alone is positional. --config FILE is handled here; other common flags are in
 * specs. On success *out must be freed with opt_free (which also releases the strings and lists inside values).
 * RECO_E_USAGE for anything the user wrote wrong, RECO_E_IO for a config file that cannot be read.
 */
int opt_parse(struct opt_set **out, const struct opt_spec *specs, void *values, int argc, char **argv) RECO_MUST_CHECK;
void opt_free(struct opt_set *set);

/*
 * One config file may serve several commands: a key that the table lacks is skipped when knows(key), instead of being
 * an error. For the whole process, set before opt_parse; NULL: no such keys.
 */
void opt_config_shared(bool (*knows)(const char *key));
bool opt_table_has(const struct opt_spec *specs, const char *name); /* as a name or an alias */

int opt_positional_count(const struct opt_set *set);
const char *opt_positional(const struct opt_set *set, int index);

enum opt_origin opt_origin_of(const struct opt_set *set, const char *name);
bool opt_is_set(const struct opt_set *set, const char *name); /* given, and not as null: not the default */
/* "default", "config.yaml:12", "RECO_SEED", "flag" */
const char *opt_origin_text(const struct opt_set *set, const char *name);

/* The value as it would be typed (floats with %.9g, or as many digits as they need), appended; nothing when unset. */
int opt_value_text(const struct opt_set *set, const char *name, struct buf *b) RECO_MUST_CHECK;

/* All values as YAML with "# origin" comments, by group: config.resolved.yaml. */
int opt_dump_yaml(const struct opt_set *set, struct buf *b) RECO_MUST_CHECK;

/* --help body: options by group, with type, default, range, unit and aliases; wrapped at 100 columns. */
int opt_help_text(const struct opt_spec *specs, struct buf *b) RECO_MUST_CHECK;

/* For other renderings of a table (manual page, completion). */
const struct opt_spec *opt_common_specs(void); /* --config and --help, which every command has beside its table */
/* The word for a value, "N", "PATH", "a|b"; "" for a switch. Borrowed from b, which is cleared first. */
int opt_value_word(const struct opt_spec *spec, struct buf *b) RECO_MUST_CHECK;
/* Help sentence, then in parentheses choices, unit, range, default and aliases; appended. */
int opt_help_sentence(const struct opt_spec *spec, struct buf *b) RECO_MUST_CHECK;

/* The nearest of count words to word by edit distance, NULL when none is near. Used for every "did you mean". */
const char *opt_nearest(const char *word, const char *const *words, size_t count);

/* For tests: duplicates, bad defaults, a choice without choices...: RECO_E_INTERNAL with the row's name. */
int opt_table_check(const struct opt_spec *specs) RECO_MUST_CHECK;

#endif
