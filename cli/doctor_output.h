#ifndef RECO_CLI_DOCTOR_OUTPUT_H
#define RECO_CLI_DOCTOR_OUTPUT_H

/* Where the report of `reco doctor` goes, and in which form. */

#include <jansson.h>

#include "cli/cmd.h"

enum doctor_format { DOCTOR_FORMAT_TEXT, DOCTOR_FORMAT_JSON, DOCTOR_FORMAT_HTML };

struct doctor_output {
    int format;       /* enum doctor_format */
    int examples;     /* lines of a finding in the text */
    const char *path; /* NULL: stdout */
    const char *dir;  /* for the report in all forms, besides; NULL: none */
};
int doctor_output(const json_t *report, const struct cmd_ctx *ctx, const struct doctor_output *output) RECO_MUST_CHECK;

#endif
