#ifndef RECO_CLI_OPTS_LABELS_H
#define RECO_CLI_OPTS_LABELS_H

/*
 * How the labels of the files become those of the task, written once for every command that reads labels: options_type
 * is the command's options struct and member its struct label_rule_options (data/label_rule.h).
 */

#include <stddef.h>

#include "core/opt.h"
#include "data/label_rule.h"

#define LABEL_RULE_OPTION_ROWS(options_type, member)                                                                   \
    {.name = "label_map",                                                                                              \
     .type = OPT_LIST,                                                                                                 \
     .offset = offsetof(options_type, member.label_map),                                                               \
     .help = "classes of the labels in the files, as label=class, many to one, '*' for all others: "                   \
             "'4=relevant,*=other'; the classes are in the order in which they are named",                             \
     .group = "labels",                                                                                                \
     .check = label_rule_check_assignment},                                                                            \
    {                                                                                                                  \
        .name = "label_threshold", .type = OPT_STRING, .offset = offsetof(options_type, member.label_threshold),       \
        .help = "two classes: '1' where the label is a number of at least this, else '0'", .group = "labels",          \
        .check = label_rule_check_threshold                                                                            \
    }

/* The label map itself: labels_field is the list of labels; what the other members mean is told by the command. */
#define LABEL_MAP_ROWS(options_type, labels_field, member, labels_help, positive_help, regression_help)                \
    {.name = "labels",                                                                                                 \
     .type = OPT_LIST,                                                                                                 \
     .offset = offsetof(options_type, labels_field),                                                                   \
     .help = labels_help,                                                                                              \
     .group = "labels",                                                                                                \
     .aliases = "label_list"},                                                                                         \
        {.name = "grades",                                                                                             \
         .type = OPT_LIST,                                                                                             \
         .offset = offsetof(options_type, member.grades),                                                              \
         .help = "grade of every label, as label=number; default: the labels themselves when all are numbers",         \
         .group = "labels"},                                                                                           \
        {.name = "positive_label",                                                                                     \
         .type = OPT_STRING,                                                                                           \
         .offset = offsetof(options_type, member.positive_label),                                                      \
         .help = positive_help,                                                                                        \
         .group = "labels"},                                                                                           \
    {                                                                                                                  \
        .name = "regression", .type = OPT_BOOL, .offset = offsetof(options_type, member.regression),                   \
        .help = regression_help, .group = "labels", .aliases = "do_regression"                                         \
    }

#endif
