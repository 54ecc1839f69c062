/*
 * Any bytes as a text template and as its fields, and as a time. What must hold: a template that is read renders, twice
 * the same; every field that is not blank and used stands in the text; with all fields empty nothing of a segment that
 * names a column is left; a time that is read is read again from its own ISO spelling.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/assemble.h"
#include "data/timestamp.h"
#include "fuzz.h"

enum { FIELDS = 3 };
static const char *const names[FIELDS] = {"a", "b", "title"};

static void require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static int find(void *arg, const char *name, size_t *column)
{
    bool *used = arg;

    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(names[i], name) == 0) {
            *column = i;
            used[i] = true;
            return 0;
        }
    return err_set(RECO_E_USAGE, "no column '%s'", name);
}

static bool is_blank(const struct csv_field *field)
{
    return strspn(field->text, " \t\n\v\f\r") == field->length;
}

static void check_time(const char *text)
{
    struct buf iso = {0};
    int64_t us, again;

    if (!timestamp_parse(text, strlen(text), &us))
        return;
    require(timestamp_add(&iso, us) == 0, "memory");
    if (iso.length <= sizeof "2024-12-10T00:01:29.123456Z" - 1 && iso.data[0] != '-')
        require(timestamp_parse(iso.data, iso.length, &again) && again == us, "a time is read from its own spelling");
    buf_release(&iso);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text_template *t = NULL;
    struct csv_field fields[FIELDS] = {{"", 0}, {"", 0}, {"", 0}};
    struct buf input = {0}, text = {0}, again = {0};
    bool used[FIELDS] = {false};

    require(buf_add(&input, data, size) == 0 && buf_add(&input, "\0\0\0", 4) == 0, "memory");
    const char *at = input.data, *end = input.data + input.length;
    const char *source = at;
    for (size_t i = 0; i < FIELDS && (at += strlen(at) + 1) < end; i++)
        fields[i] = (struct csv_field){.text = at, .length = strlen(at)};
    check_time(source);
    if (text_template_parse(&t, "description", source, find, used) == 0) {
        require(text_template_render(t, fields, &text) == 0, "a template renders");
        require(text_template_render(t, fields, &again) == 0, "a template renders twice");
        require(strcmp(buf_str(&text), buf_str(&again)) == 0, "a template renders twice the same");
        for (size_t i = 0; i < FIELDS; i++)
            require(!used[i] || is_blank(&fields[i]) || strstr(buf_str(&text), fields[i].text) != NULL,
                    "a field that is used is in the text");
        text_template_free(t);
    }
    buf_release(&input);
    buf_release(&text);
    buf_release(&again);
    return 0;
}
