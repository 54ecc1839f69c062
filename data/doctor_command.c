#include <ctype.h>
#include <string.h>

#include "core/mem.h"
#include "data/doctor_internal.h"

enum { SPLIT_ROWS_MIN = 100 }; /* fewer make no three files */

/* text as one word of a shell's command line. */
static int add_word(struct buf *b, const char *text)
{
    bool plain = *text != '\0';

    for (const char *c = text; *c != '\0'; c++)
        plain = plain && (isalnum((unsigned char)*c) || strchr("_-./,:=+@%", *c) != NULL);
    if (plain)
        return buf_add_str(b, text);
    int rc = buf_add_char(b, '\'');
    for (; rc == 0 && *text != '\0'; text++)
        rc = *text == '\'' ? buf_add_str(b, "'\\''") : buf_add_char(b, *text);
    return rc < 0 ? rc : buf_add_char(b, '\'');
}

static int add_option(struct buf *b, const char *name, const char *value)
{
    int rc = buf_printf(b, " --%s", name);

    if (rc == 0 && value != NULL)
        rc = buf_add_char(b, ' ');
    return rc < 0 || value == NULL ? rc : add_word(b, value);
}

static int add_files(struct buf *b, const struct doctor *d)
{
    static const char *const roles[] = {"train", "validation", "test"};
    size_t given[3] = {DOCTOR_NONE, DOCTOR_NONE, DOCTOR_NONE};
    int rc = 0;

    for (size_t f = 0; f < d->file_count; f++) {
        for (size_t i = 0; i < 3; i++) {
            if (d->files[f].role != NULL && strcmp(d->files[f].role, roles[i]) == 0 && given[i] == DOCTOR_NONE)
                given[i] = f;
        }
    }
    for (size_t f = 0, next = 0; f < d->file_count; f++) { /* the others take the places left, in their order */
        if (given[0] == f || given[1] == f || given[2] == f)
            continue;
        while (next < 3 && given[next] != DOCTOR_NONE)
            next++;
        if (next < 3)
            given[next] = f;
    }
    if (d->file_count == 1) {
        given[0] = 0;
        given[1] = given[2] = DOCTOR_NONE;
    }
    for (size_t i = 0; rc == 0 && i < 3; i++) {
        char option[32];
        (void)snprintf(option, sizeof option, "%s_file", roles[i]);
        rc = given[i] == DOCTOR_NONE ? 0 : add_option(b, option, d->files[given[i]].path);
    }
    return rc;
}

static int add_columns(struct buf *b, const struct doctor *d)
{
    const struct doctor_schema *s = &d->schema;
    struct buf names = {0};
    int rc = add_option(b, "query_column", s->names[s->query]);

    for (size_t i = 0; rc == 0 && i < s->description_count; i++)
        rc = buf_printf(&names, "%s%s", i > 0 ? "," : "", s->names[s->descriptions[i]]);
    if (rc == 0 && names.length > 0)
        rc = add_option(b, "description_column", buf_str(&names));
    if (rc == 0 && s->label != DOCTOR_NONE)
        rc = add_option(b, "label_column", s->names[s->label]);
    if (rc == 0 && s->item != DOCTOR_NONE)
        rc = add_option(b, "item_id_column", s->names[s->item]);
    buf_release(&names);
    return rc;
}

/* Is value in the comma-separated list already? */
static bool is_listed(const char *list, const char *value)
{
    size_t length = strlen(value);

    for (const char *at = list; (at = strstr(at, value)) != NULL; at++) {
        if ((at == list || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
            return true;
    }
    return false;
}

/* The options that mend what was found, the values of one option in one list. */
static int add_mending(struct buf *b, const struct doctor *d)
{
    static const char *const options[] = {"encoding", "repair_encoding",       "clean",
                                          "mask",     "min_description_chars", "class_weights"};
    struct buf values = {0};
    int rc = 0;

    for (size_t o = 0; rc == 0 && o < sizeof options / sizeof *options; o++) {
        bool found = false;
        size_t i;
        json_t *finding;
        buf_clear(&values);
        json_array_foreach(d->findings, i, finding)
        {
            const char *option = json_string_value(json_object_get(finding, "option"));
            const char *value = json_string_value(json_object_get(finding, "value"));
            if (rc < 0 || option == NULL || strcmp(option, options[o]) != 0)
                continue;
            found = true;
            if (value != NULL && !is_listed(buf_str(&values), value))
                rc = buf_printf(&values, "%s%s", values.length > 0 ? "," : "", value);
        }
        if (rc == 0 && found)
            rc = add_option(b, options[o], values.length > 0 ? buf_str(&values) : NULL);
    }
    buf_release(&values);
    return rc;
}

/* How the files were read, where the user said so. */
static int add_reading(struct buf *b, const struct doctor *d)
{
    const struct table_options *t = &d->options->table;
    int rc = t->delimiter != NULL ? add_option(b, "delimiter", t->delimiter) : 0;

    if (rc == 0 && t->quote != NULL)
        rc = add_option(b, "quote", t->quote);
    if (rc == 0 && t->encoding != INPUT_ENCODING_AUTO)
        rc = add_option(b, "encoding", table_encoding_choices[t->encoding]);
    if (rc == 0 && t->repair_encoding)
        rc = add_option(b, "repair_encoding", NULL);
    if (rc == 0 && t->trim_blanks)
        rc = add_option(b, "trim_blanks", NULL);
    return rc;
}

/* The shortest length that cuts at most one row in ten, else the longest tried; 0: not known. */
static int64_t length_to_take(const struct doctor *d)
{
    const struct doctor_lane *lane = &d->lanes[0];

    if (d->wp == NULL || d->limit_count == 0 || d->schema.text_count == 0)
        return 0;
    for (size_t i = 0; i < d->limit_count; i++) {
        if (lane->cuts[i].rows * 10 <= lane->pair_tokens->count)
            return d->limits[i];
    }
    return d->limits[d->limit_count - 1];
}

int doctor_command(char **out, const struct doctor *d)
{
    struct buf b = {0};
    char length[24];
    int rc;

    *out = NULL;
    if (d->schema.query == DOCTOR_NONE || d->schema.event_log)
        return 0;
    rc = buf_add_str(&b, "reco prepare");
    if (rc == 0)
        rc = add_files(&b, d);
    if (rc == 0)
        rc = add_columns(&b, d);
    if (rc == 0)
        rc = add_reading(&b, d);
    if (rc == 0)
        rc = add_mending(&b, d);
    if (rc == 0 && d->file_count == 1 && d->schema.label != DOCTOR_NONE && d->files[0].rows >= SPLIT_ROWS_MIN)
        rc = add_option(&b, "split", "train=0.8,validation=0.1,test=0.1");
    (void)snprintf(length, sizeof length, "%lld", (long long)length_to_take(d));
    if (rc == 0 && length_to_take(d) > 0)
        rc = add_option(&b, "max_seq_length", length);
    if (rc == 0)
        rc = add_option(&b, "model_name_or_path", d->options->model_path != NULL ? d->options->model_path : "MODEL");
    if (rc == 0)
        rc = add_option(&b, "output_dir", "dataset");
    if (rc == 0) {
        *out = doctor_utf8(buf_str(&b), b.length);
        rc = *out == NULL ? RECO_E_NOMEM : 0;
    }
    buf_release(&b);
    return rc;
}
