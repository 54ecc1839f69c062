#ifndef RECO_CORE_OPT_INTERNAL_H
#define RECO_CORE_OPT_INTERNAL_H

/* Shared by the opt_*.c files: values and their text (opt_value.c), the set (opt_parse.c), YAML (opt_yaml.c). */

#include "core/opt.h"

/* Where an assignment comes from. Assignments of one source to a list append; those of the next source replace. */
struct opt_source {
    enum opt_origin origin;
    int id;           /* counts up with priority */
    const char *file; /* config only: as given */
    size_t line;      /* config only: from 1 */
};

struct opt_state {
    enum opt_origin origin;
    int source_id;
    bool has_value; /* false: no default and nothing given, or null; the field is zero */
    char *text;     /* origin text of a config line; else NULL */
};

struct opt_set {
    const struct opt_spec *specs;
    size_t count;
    void *values;
    struct opt_state *states; /* [count] */
    char **positionals;       /* borrowed from argv */
    size_t positional_count, positional_capacity;
};

size_t opt_count(const struct opt_spec *specs);

/* '-' and '_' are the same. */
bool opt_name_equal(const char *a, const char *b);
/* name is spec's name or one of its aliases. */
bool opt_matches(const struct opt_spec *spec, const char *name);
/* The row for name, NULL when there is none. */
const struct opt_spec *opt_find(const struct opt_spec *specs, const char *name);
/* ", did you mean '<prefix><nearest name>'?" or ""; borrowed from b, which is cleared first. */
const char *opt_suggestion(const struct opt_spec *specs, const char *name, const char *prefix, struct buf *b);

/* Checks text as a value of spec without storing it; the message has no subject: "'abc' is not a number". */
int opt_value_check(const struct opt_spec *spec, const char *text, bool whole_item) RECO_MUST_CHECK;
/* Checks and stores; a list is appended to. whole_item: text is one list item, commas and backslashes are themselves.
 */
int opt_value_store(const struct opt_spec *spec, void *values, const char *text, bool whole_item) RECO_MUST_CHECK;
/* Back to zero, freeing what it held. */
void opt_value_reset(const struct opt_spec *spec, void *values);
/* The value as it would be typed; nothing for an unset string or an empty list. */
int opt_value_print(const struct opt_spec *spec, const void *values, struct buf *b) RECO_MUST_CHECK;

/* Stores text (NULL: unset) from source, with the right words in front of an error. */
int opt_assign(struct opt_set *set, const struct opt_spec *spec, const char *text, bool whole_item,
               const struct opt_source *source) RECO_MUST_CHECK;

/* Reads one --config file into set. */
int opt_read_config(struct opt_set *set, const char *path, int source_id) RECO_MUST_CHECK;

#endif
