#ifndef RECO_CLI_OPTS_ASSEMBLE_H
#define RECO_CLI_OPTS_ASSEMBLE_H

/*
 * The options of joined tables, users' histories and text templates, written once for every command that reads rows:
 * options_type is the command's options struct and member its struct assemble_options (data/assemble.h). The columns of
 * the main file that they are joined by (item_id_column, user_id_column, query_id_column, time_column) and max_bad_rows
 * are the command's own; user_id_column and time_column have rows here, as nothing else uses them.
 */

#include <stddef.h>

#include "core/opt.h"
#include "data/assemble.h"

#define ASSEMBLE_FILE_ROW(options_type, field, row_name, row_help)                                                     \
    {                                                                                                                  \
        .name = row_name, .type = OPT_STRING, .offset = offsetof(options_type, field), .help = row_help,               \
        .group = "tables", .flags = OPT_FLAG_PATH                                                                      \
    }
#define ASSEMBLE_COLUMN_ROW(options_type, field, row_name, row_group, row_help)                                        \
    {                                                                                                                  \
        .name = row_name, .type = OPT_STRING, .offset = offsetof(options_type, field), .help = row_help,               \
        .group = row_group                                                                                             \
    }

#define ASSEMBLE_OPTION_ROWS(options_type, member)                                                                     \
    ASSEMBLE_FILE_ROW(options_type, member.items_file, "items_file",                                                   \
                      "table of items, joined by --item_id_column: its columns may be used like the file's own"),      \
        ASSEMBLE_COLUMN_ROW(options_type, member.items_key_column, "items_key_column", "tables",                       \
                            "the item's id in --items_file; default: the name in --item_id_column"),                   \
        ASSEMBLE_FILE_ROW(options_type, member.users_file, "users_file",                                               \
                          "table of users, joined by --user_id_column"),                                               \
        ASSEMBLE_COLUMN_ROW(options_type, member.users_key_column, "users_key_column", "tables",                       \
                            "the user's id in --users_file; default: the name in --user_id_column"),                   \
        ASSEMBLE_FILE_ROW(options_type, member.queries_file, "queries_file",                                           \
                          "table of queries, joined by --query_id_column; --query_column may be one of its columns"),  \
        ASSEMBLE_COLUMN_ROW(options_type, member.queries_key_column, "queries_key_column", "tables",                   \
                            "the query's id in --queries_file; default: the name in --query_id_column"),               \
        ASSEMBLE_COLUMN_ROW(options_type, member.user_id_column, "user_id_column", "columns",                          \
                            "column that names the user"),                                                             \
        ASSEMBLE_COLUMN_ROW(options_type, member.time_column, "time_column", "columns",                                \
                            "column of the row's time: ISO 8601, or a number since 1970 in s, ms, us or ns"),          \
        {.name = "history_file",                                                                                       \
         .type = OPT_STRING,                                                                                           \
         .offset = offsetof(options_type, member.history_file),                                                        \
         .help = "event log (user, item, time): what a user did before a row's --time_column is then in the columns "  \
                 "'history' (text) and 'history_items'",                                                               \
         .group = "history",                                                                                           \
         .flags = OPT_FLAG_PATH},                                                                                      \
        ASSEMBLE_COLUMN_ROW(options_type, member.history_user_column, "history_user_column", "history",                \
                            "the user in --history_file; default: the name in --user_id_column"),                      \
        ASSEMBLE_COLUMN_ROW(options_type, member.history_item_column, "history_item_column", "history",                \
                            "the item in --history_file; default: the name in --item_id_column"),                      \
        ASSEMBLE_COLUMN_ROW(options_type, member.history_time_column, "history_time_column", "history",                \
                            "the time in --history_file; default: the name in --time_column"),                         \
        ASSEMBLE_COLUMN_ROW(options_type, member.history_action_column, "history_action_column", "history",            \
                            "the kind of action in --history_file"),                                                   \
        {.name = "history_actions",                                                                                    \
         .type = OPT_LIST,                                                                                             \
         .offset = offsetof(options_type, member.history_actions),                                                     \
         .help = "the kinds of action that count; default: all",                                                       \
         .group = "history"},                                                                                          \
        {.name = "history_length",                                                                                     \
         .type = OPT_INT,                                                                                              \
         .offset = offsetof(options_type, member.history_length),                                                      \
         .default_text = "10",                                                                                         \
         .min = 1,                                                                                                     \
         .max = 100000,                                                                                                \
         .unit = "actions",                                                                                            \
         .help = "the latest actions before the row's time, at most this many, oldest first",                          \
         .group = "history"},                                                                                          \
        {.name = "history_template",                                                                                   \
         .type = OPT_STRING,                                                                                           \
         .offset = offsetof(options_type, member.history_template),                                                    \
         .help = "text of one action, such as '{title} ({action})', from the columns of --history_file and "           \
                 "--items_file; default: the item's id",                                                               \
         .group = "history"},                                                                                          \
    {                                                                                                                  \
        .name = "history_separator", .type = OPT_STRING, .offset = offsetof(options_type, member.history_separator),   \
        .default_text = " ; ", .help = "between two actions", .group = "history"                                       \
    }

/* field: char *, the template of the query; NULL when it is the text of --query_column. */
#define ASSEMBLE_QUERY_TEMPLATE_ROW(options_type, field)                                                               \
    {                                                                                                                  \
        .name = "query", .type = OPT_STRING, .offset = offsetof(options_type, field),                                  \
        .help = "template of the query's text, instead of --query_column: '{query} | bought: {history}'",              \
        .group = "text"                                                                                                \
    }
/* field: char *, the template of the description. */
#define ASSEMBLE_DESCRIPTION_TEMPLATE_ROW(options_type, field)                                                         \
    {                                                                                                                  \
        .name = "description", .type = OPT_STRING, .offset = offsetof(options_type, field),                            \
        .help = "template of the description's text, instead of --description_column: '{title} | brand: {brand}'; "    \
                "what stands between two '|' vanishes when its columns are empty",                                     \
        .group = "text"                                                                                                \
    }

#endif
