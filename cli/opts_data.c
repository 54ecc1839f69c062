#include "cli/opts_data.h"

#include <string.h>

#include "data/csv.h"

const char *const data_truncation_choices[] = {"longest_first", "only_second", NULL};

int data_check_delimiter(const char *name, const char *value)
{
    char delimiter;

    if (csv_delimiter_parse(value, &delimiter) < 0) {
        return err_set(RECO_E_USAGE, "bad value '%s' for --%s: expected one character, or 'tab'", value, name);
    }
    return 0;
}
