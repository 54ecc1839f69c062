#include <ctype.h>
#include <string.h>

#include "core/mem.h"
#include "data/doctor_internal.h"

/* ---- guessing by name ---- */

/* Lower-case, '_' for every separator, by rank: the first name that is there is taken. */
static const char *const query_names[] = {
    "query",       "search_query", "search_term", "search_terms", "query_text", "user_query", "raw_query",
    "search_text", "searchterm",   "searchquery", "keyword",      "keywords",   "question",   "question1",
    "q",           "sentence1",    "sentence_1",  "sentence_a",   "text1",      "text_1",     "text_a",
    "premise",     "left_title",   "anchor",      "query_string", NULL};
/* Every name that is there is taken, in this order: titles first, since a long description would push them out. */
static const char *const description_names[] = {"title",
                                                "product_title",
                                                "item_title",
                                                "right_title",
                                                "product_name",
                                                "item_name",
                                                "movie_title",
                                                "headline",
                                                "sentence2",
                                                "sentence_2",
                                                "sentence_b",
                                                "text2",
                                                "text_2",
                                                "text_b",
                                                "hypothesis",
                                                "question2",
                                                "document",
                                                "doc",
                                                "passage",
                                                "document_text",
                                                "passage_text",
                                                "doc_text",
                                                "product_text",
                                                "item_text",
                                                "description",
                                                "product_description",
                                                "item_description",
                                                "answer",
                                                "bullet_points",
                                                "product_bullet_point",
                                                NULL};
/* Taken only where none of the above is there. */
static const char *const weak_description_names[] = {"name", "text", "content", "body", "item", "product", NULL};
static const char *const label_names[] = {"label",
                                          "relevance_label",
                                          "relevance",
                                          "median_relevance",
                                          "esci_label",
                                          "gold_label",
                                          "gold",
                                          "grade",
                                          "judgment",
                                          "judgement",
                                          "relevancy",
                                          "relevant",
                                          "is_relevant",
                                          "is_duplicate",
                                          "is_match",
                                          "target",
                                          "class_label",
                                          "rating",
                                          "score",
                                          "stars",
                                          "click",
                                          "clicked",
                                          "is_click",
                                          "is_clicked",
                                          "conversion",
                                          "converted",
                                          "purchase",
                                          "y",
                                          "average_relevance",
                                          NULL};
static const char *const id_names[] = {"id", "row_id", "pair_id", "example_id", "rowid", "sample_id", NULL};
static const char *const item_names[] = {"item_id", "product_id", "docid", "doc_id",      "itemid",    "productid",
                                         "asin",    "sku",        "pid",   "product_uid", "object_id", "document_id",
                                         "item",    "listing_id", "docno", NULL};

static const char *const action_names[] = {"action", "action_name", "event_type", "event", NULL};
static const char *const time_names[] = {"timestamp", "time", "event_time", "datetime", "ts", NULL};

/* name as it stands in the tables; false: it is too long to be in one. RecBole's "item_id:token" is item_id. */
static bool plain_name(char *out, size_t size, const char *name)
{
    size_t length = strcspn(name, ":");

    if (length + 1 > size)
        return false;
    for (size_t i = 0; i < length; i++)
        out[i] = strchr(" -./", name[i]) != NULL ? '_' : (char)tolower((unsigned char)name[i]);
    out[length] = '\0';
    return true;
}

static size_t find_named(const struct doctor_file *file, const char *wanted)
{
    char plain[64];

    for (size_t i = 0; i < file->columns; i++) {
        if (plain_name(plain, sizeof plain, table_reader_column_name(file->reader, i)) && strcmp(plain, wanted) == 0)
            return file->union_of[i];
    }
    return DOCTOR_NONE;
}

static size_t guess(const struct doctor_file *file, const char *const *names)
{
    for (; *names != NULL; names++) {
        size_t column = find_named(file, *names);
        if (column != DOCTOR_NONE)
            return column;
    }
    return DOCTOR_NONE;
}

/* ---- files ---- */

static const char *const role_of_part[][2] = {{"train", "train"},    {"valid", "validation"}, {"dev", "validation"},
                                              {"val", "validation"}, {"test", "test"},        {"eval", "test"}};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* The role that the file's name tells: the last part of it that does. NULL: none. */
static const char *role_by_name(const char *path)
{
    const char *base = base_of(path), *role = NULL;
    size_t best = 0;

    for (size_t i = 0; i < sizeof role_of_part / sizeof *role_of_part; i++) {
        const char *at = strstr(base, role_of_part[i][0]);
        if (at == NULL || (at > base && isalpha((unsigned char)at[-1])))
            continue;
        if (role == NULL || (size_t)(at - base) > best) {
            role = role_of_part[i][1];
            best = (size_t)(at - base);
        }
    }
    return role;
}

static int union_column(struct doctor_schema *s, const char *name, size_t *number)
{
    char *shown = doctor_utf8(name, strlen(name));
    int rc = shown == NULL ? RECO_E_NOMEM : 0;

    for (*number = 0; rc == 0 && *number < s->count; ++*number) {
        if (strcmp(s->names[*number], shown) == 0) {
            mem_free(shown);
            return 0;
        }
    }
    char **grown = rc < 0 ? NULL : mem_realloc_array(s->names, s->count + 1, sizeof *grown);
    if (grown == NULL) {
        mem_free(shown);
        return RECO_E_NOMEM;
    }
    s->names = grown;
    s->names[s->count++] = shown;
    return 0;
}

/* What the file is called in the report: its name without directories, where no other file has it. */
static char *short_name(const struct doctor_input *inputs, size_t count, const char *path)
{
    const char *name = base_of(path);

    if (strcmp(path, "-") == 0)
        return mem_strdup("stdin");
    for (size_t i = 0; i < count; i++) {
        if (inputs[i].path != path && strcmp(base_of(inputs[i].path), name) == 0)
            name = path;
    }
    return doctor_utf8(name, strlen(name));
}

static const char *role_of(const struct doctor_input *input)
{
    return input->role != NULL || strcmp(input->path, "-") == 0 ? input->role : role_by_name(input->path);
}

/* Training data first, so that what is said of two files is said of the other one. */
static int rank_of(const struct doctor_input *input)
{
    static const char *const roles[] = {"train", "", "validation", "test"};
    const char *role = role_of(input);

    for (int i = 0; role != NULL && i < 4; i++) {
        if (strcmp(role, roles[i]) == 0)
            return i;
    }
    return 1;
}

static int open_file(struct doctor *d, const struct doctor_input *inputs, size_t count,
                     const struct doctor_input *input)
{
    struct doctor_file *file = &d->files[d->file_count++];
    int rc = 0;

    file->path = input->path;
    file->role = role_of(input);
    file->role_guessed = input->role == NULL && file->role != NULL;
    file->name = short_name(inputs, count, input->path);
    if (file->name == NULL)
        return RECO_E_NOMEM;
    rc = table_reader_open(&file->reader, file->path, &d->options->table);
    if (rc < 0)
        return rc;
    file->columns = table_reader_columns(file->reader);
    file->union_of = mem_calloc(file->columns + 1, sizeof *file->union_of);
    if (file->union_of == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < file->columns; i++)
        rc = union_column(&d->schema, table_reader_column_name(file->reader, i), &file->union_of[i]);
    return rc;
}

static int map_columns(struct doctor *d, struct doctor_file *file)
{
    file->column_of = mem_alloc((d->schema.count + 1) * sizeof *file->column_of);
    if (file->column_of == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < d->schema.count; i++)
        file->column_of[i] = DOCTOR_NONE;
    for (size_t i = file->columns; i > 0; i--) /* of a name that is there twice, the first */
        file->column_of[file->union_of[i - 1]] = i - 1;
    return 0;
}

/* ---- columns ---- */

/* A column that was asked for: in any of the files. */
static int find_asked(const struct doctor *d, const char *option, const char *name, size_t *column)
{
    for (size_t f = 0; f < d->file_count; f++) {
        if (table_reader_has(d->files[f].reader, name)) {
            size_t in_file;
            int rc = table_reader_find(d->files[f].reader, option, name, &in_file);
            *column = rc < 0 ? DOCTOR_NONE : d->files[f].union_of[in_file];
            return rc;
        }
    }
    return table_reader_find(d->files[0].reader, option, name, column);
}

static int settle(const struct doctor *d, const char *option, const char *name, const char *const *names,
                  size_t *column, bool *guessed)
{
    *column = DOCTOR_NONE;
    if (name != NULL)
        return find_asked(d, option, name, column);
    if (d->options->guess)
        *column = guess(&d->files[0], names);
    *guessed = *column != DOCTOR_NONE;
    return 0;
}

static bool is_role(const struct doctor_schema *s, size_t column)
{
    return column == s->query || column == s->label || column == s->id || column == s->item;
}

static void guess_descriptions(struct doctor *d, const char *const *names)
{
    struct doctor_schema *s = &d->schema;

    for (; *names != NULL; names++) {
        size_t column = find_named(&d->files[0], *names);
        if (column != DOCTOR_NONE && !is_role(s, column))
            s->descriptions[s->description_count++] = column;
    }
    s->description_guessed = s->description_count > 0;
}

static int settle_descriptions(struct doctor *d)
{
    const struct opt_list *asked = &d->options->description_column;
    struct doctor_schema *s = &d->schema;

    s->descriptions = mem_calloc(s->count + asked->count + 1, sizeof *s->descriptions);
    s->texts = mem_calloc(s->count + asked->count + 2, sizeof *s->texts);
    if (s->descriptions == NULL || s->texts == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < asked->count; i++) {
        int rc = find_asked(d, "description_column", asked->items[i], &s->descriptions[s->description_count++]);
        if (rc < 0)
            return rc;
    }
    if (asked->count == 0 && d->options->guess) {
        guess_descriptions(d, description_names);
        if (s->description_count == 0)
            guess_descriptions(d, weak_description_names);
    }
    if (s->query != DOCTOR_NONE)
        s->texts[s->text_count++] = s->query;
    for (size_t i = 0; i < s->description_count; i++)
        s->texts[s->text_count++] = s->descriptions[i];
    return 0;
}

int doctor_schema_open(struct doctor *d, const struct doctor_input *inputs, size_t count)
{
    const struct doctor_options *o = d->options;
    struct doctor_schema *s = &d->schema;
    int rc = 0;

    for (int rank = 0; rc == 0 && rank < 4; rank++) {
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = rank_of(&inputs[i]) == rank ? open_file(d, inputs, count, &inputs[i]) : 0;
    }
    for (size_t f = 0; rc == 0 && f < d->file_count; f++)
        rc = map_columns(d, &d->files[f]);
    if (rc == 0)
        rc = settle(d, "query_column", o->query_column, query_names, &s->query, &s->query_guessed);
    if (rc == 0)
        rc = settle(d, "label_column", o->label_column, label_names, &s->label, &s->label_guessed);
    if (rc == 0)
        rc = settle(d, "id_column", o->id_column, id_names, &s->id, &s->id_guessed);
    if (rc == 0)
        rc = settle(d, "item_id_column", o->item_id_column, item_names, &s->item, &s->item_guessed);
    if (rc < 0)
        return rc;
    s->event_log = s->label == DOCTOR_NONE && guess(&d->files[0], action_names) != DOCTOR_NONE &&
                   guess(&d->files[0], time_names) != DOCTOR_NONE;
    return settle_descriptions(d);
}

void doctor_schema_close(struct doctor *d)
{
    struct doctor_schema *s = &d->schema;

    for (size_t f = 0; f < d->file_count; f++) {
        table_reader_close(d->files[f].reader);
        mem_free(d->files[f].name);
        mem_free(d->files[f].union_of);
        mem_free(d->files[f].column_of);
    }
    for (size_t i = 0; i < s->count; i++)
        mem_free(s->names[i]);
    mem_free(s->names);
    mem_free(s->descriptions);
    mem_free(s->texts);
}
