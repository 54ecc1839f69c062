#include "cli/opts_data.h"

#include <string.h>

#include "data/csv.h"

const char *const data_truncation_choices[] = {"longest_first", "only_second", NULL};

int data_check_delimiter(const char *name, const char *value)
{
    char delimiter;

    (void)name; /* the parser puts it in front */
    return csv_delimiter_parse(value, &delimiter);
}
