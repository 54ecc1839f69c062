#include "cli/opts_input.h"

int input_check_delimiter(const char *name, const char *value)
{
    char delimiter;

    (void)name; /* the parser puts it in front */
    return csv_delimiter_parse(value, &delimiter);
}

int input_check_quote(const char *name, const char *value)
{
    char quote;

    (void)name;
    return csv_quote_parse(value, &quote);
}
