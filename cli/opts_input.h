#ifndef RECO_CLI_OPTS_INPUT_H
#define RECO_CLI_OPTS_INPUT_H

/*
 * How tables are read, written once for every command that reads them: options_type is the command's options struct and
 * member its struct table_options (data/table.h).
 */

#include <stddef.h>

#include "core/opt.h"
#include "data/table.h"

/* check functions: run while the command line is parsed */
int input_check_delimiter(const char *name, const char *value);
int input_check_quote(const char *name, const char *value);

#define INPUT_OPTION_ROWS(options_type, member)                                                                        \
    {.name = "input_format",                                                                                           \
     .type = OPT_CHOICE,                                                                                               \
     .offset = offsetof(options_type, member.format),                                                                  \
     .default_text = "auto",                                                                                           \
     .choices = table_format_choices,                                                                                  \
     .help = "of the input files; auto: by the name, else by the first bytes; gzip and zstd are undone in any case",   \
     .group = "input"},                                                                                                \
        {.name = "delimiter",                                                                                          \
         .type = OPT_STRING,                                                                                           \
         .offset = offsetof(options_type, member.delimiter),                                                           \
         .help = "one character, or 'tab'; default: a tab in files named .tsv, else the one of , ; tab | that fits",   \
         .group = "input",                                                                                             \
         .aliases = "sep",                                                                                             \
         .check = input_check_delimiter},                                                                              \
        {.name = "quote",                                                                                              \
         .type = OPT_STRING,                                                                                           \
         .offset = offsetof(options_type, member.quote),                                                               \
         .help = "one character, or 'none' where quotes are part of the text; default: '\"'",                          \
         .group = "input",                                                                                             \
         .aliases = "quotechar",                                                                                       \
         .check = input_check_quote},                                                                                  \
        {.name = "columns",                                                                                            \
         .type = OPT_LIST,                                                                                             \
         .offset = offsetof(options_type, member.columns),                                                             \
         .help = "names of the columns of files without a header; default: the first record names them",               \
         .group = "input",                                                                                             \
         .aliases = "column_names"},                                                                                   \
        {.name = "encoding",                                                                                           \
         .type = OPT_CHOICE,                                                                                           \
         .offset = offsetof(options_type, member.encoding),                                                            \
         .default_text = "auto",                                                                                       \
         .choices = table_encoding_choices,                                                                            \
         .help = "of the input files; a byte order mark overrules it; auto: UTF-8 without one",                        \
         .group = "input"},                                                                                            \
        {.name = "repair_encoding",                                                                                    \
         .type = OPT_BOOL,                                                                                             \
         .offset = offsetof(options_type, member.repair_encoding),                                                     \
         .help = "undo UTF-8 that was encoded twice, in the files where it was",                                       \
         .group = "input"},                                                                                            \
        {.name = "trim_blanks",                                                                                        \
         .type = OPT_BOOL,                                                                                             \
         .offset = offsetof(options_type, member.trim_blanks),                                                         \
         .help = "cut spaces and tabs off both ends of every field and column name; they are kept otherwise",          \
         .group = "input"},                                                                                            \
    {                                                                                                                  \
        .name = "max_field_bytes", .type = OPT_BYTES, .offset = offsetof(options_type, member.max_field_bytes),        \
        .default_text = "16M", .min = 1, .max = 1073741824.0, .unit = "bytes",                                         \
        .help = "a row with a longer field is a bad row", .group = "input"                                             \
    }

#endif
