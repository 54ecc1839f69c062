#include "cli/opts_data.h"

const char *const data_truncation_choices[] = {"longest_first", "only_second", NULL};
