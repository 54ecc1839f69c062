#ifndef RECO_DATA_LABEL_RULE_H
#define RECO_DATA_LABEL_RULE_H

/*
 * From the label texts of the files to the labels of the task: as they are, many to one by --label_map, or two classes
 * by --label_threshold. The rule is part of the label map (labels.h), so that its hash is in the dataset, the model and
 * the predictions. Read-only once made; any number of threads may apply it.
 *
 *   --label_map '4=relevant,3=relevant,*=other'   '*' is every label not named; without it, such a label is a bad row.
 *       The classes are in the order in which they are first named. '=' may stand in the label of the file, not in that
 *       of the task. '*' never takes an empty label, which '=other' names.
 *   --label_threshold 2.5   "1" where the label is a number of at least 2.5, else "0".
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/opt.h"
#include "data/labels.h"

struct label_rule_options {
    struct opt_list label_map; /* "label of the file=label of the task" */
    char *label_threshold;     /* a number; NULL: none */
};

/* Checks of one value, for option tables. */
int label_rule_check_assignment(const char *name, const char *value) RECO_MUST_CHECK;
int label_rule_check_threshold(const char *name, const char *value) RECO_MUST_CHECK;

/* RECO_E_USAGE: both rules, a label twice, one class only; in regression: a threshold, a label that is no number. */
int label_rule_options_check(const struct label_rule_options *options, bool regression) RECO_MUST_CHECK;

struct label_rule;

/*
 * The rule of the options. given: a label map that the rule must serve (of a model), or NULL. A rule that given was
 * made by is taken where the options have none, and is RECO_E_USAGE where they have another; so is a rule that makes a
 * class that given has not.
 */
int label_rule_new(struct label_rule **out, const struct label_rule_options *options,
                   const struct label_map *given) RECO_MUST_CHECK;
void label_rule_free(struct label_rule *rule); /* NULL-safe */

/* The classes that the rule makes, in their order: [*count], borrowed; *count 0: the labels stay as they are. */
const char *const *label_rule_classes(const struct label_rule *rule, size_t *count);

/*
 * Writes the rule into a map whose labels it makes; nothing where labels stay as they are. The default positive class
 * of ungraded labels becomes the last one that is not made by '*'.
 */
int label_rule_enter(const struct label_rule *rule, struct label_map *map) RECO_MUST_CHECK;

/*
 * The label of a row: *out is text itself or one of the classes, *out_length its bytes. Where the row cannot be used,
 * the reason is appended to bad and *out is void. An empty label stays empty unless --label_map names it.
 */
int label_rule_apply(const struct label_rule *rule, const char *text, size_t length, const char **out,
                     size_t *out_length, struct buf *bad) RECO_MUST_CHECK;

#endif
