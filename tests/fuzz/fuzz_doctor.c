/*
 * Any bytes as one or two files (a record separator, 0x1E, parts them) for the doctor. The first byte chooses options.
 * What must hold: there is a report, the same for one thread and for two, with counts that do not exceed what they are
 * of; and it can be shown as text and JSON.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/doctor.h"
#include "fuzz.h"

static void require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static char *report(const struct doctor_input *inputs, size_t count, const struct doctor_options *options)
{
    const struct doctor_text_style style = {.columns = 60, .examples = 5, .colour = true};
    struct buf text = {0};
    json_t *json = NULL, *finding;
    size_t i;
    int rc = doctor_run(&json, inputs, count, options, NULL);

    if (rc < 0) {
        require(rc == RECO_E_DATA || rc == RECO_E_USAGE, "only files that cannot be read are refused");
        return NULL;
    }
    json_array_foreach(json_object_get(json, "findings"), i, finding)
    {
        json_int_t of = json_integer_value(json_object_get(finding, "of"));
        require(of == 0 || json_integer_value(json_object_get(finding, "count")) <= of, "a part is not the whole");
    }
    require(doctor_text(&text, json, &style) == 0, "it can be shown");
    buf_release(&text);
    char *dump = json_dumps(json, 0);
    require(dump != NULL, "it is JSON");
    json_decref(json);
    return dump;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char paths[2][64], *lengths[] = {"8"};
    int fds[2];
    struct doctor_input inputs[2] = {{.path = paths[0], .role = "train"}, {.path = paths[1]}};

    if (size < 1)
        return 0;
    const uint8_t *parting = memchr(data + 1, 0x1E, size - 1);
    size_t first = parting != NULL ? (size_t)(parting - data) - 1 : size - 1, count = parting != NULL ? 2 : 1;
    fds[0] = fuzz_file(data + 1, first, paths[0]);
    if (count == 2)
        fds[1] = fuzz_file(parting + 1, size - first - 2, paths[1]);
    struct doctor_options options = {.guess = (data[0] & 1) == 0,
                                     .table = {.encoding = (data[0] >> 1) % 5, .trim_blanks = (data[0] & 32) != 0},
                                     .max_seq_length = {.items = lengths, .count = 1},
                                     .threads = 1};
    char *one = report(inputs, count, &options);
    options.threads = 2;
    options.max_memory = 64 << 20;
    char *two = report(inputs, count, &options);
    require((one == NULL) == (two == NULL) && (one == NULL || strcmp(one, two) == 0), "threads change nothing");
    free(one);
    free(two);
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    return 0;
}
