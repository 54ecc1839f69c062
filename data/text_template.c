#include <stdbool.h>
#include <string.h>

#include "core/mem.h"
#include "data/assemble.h"

/* A run of text as it stands, or a column. */
struct piece {
    bool is_column;
    size_t column;        /* of the caller's fields */
    size_t start, length; /* of the literal, in text_template.text */
};

/* What stands between two separators. */
struct segment {
    size_t first, count; /* its pieces */
    bool has_column;
    size_t separator, separator_length; /* the one before it with the blanks around it, in text_template.text */
};

struct text_template {
    struct buf text;
    struct piece *pieces;
    size_t piece_count, piece_capacity;
    struct segment *segments;
    size_t segment_count, segment_capacity;
};

static bool is_blank_char(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_blank(const struct csv_field *field)
{
    size_t i = 0;

    while (i < field->length && is_blank_char(field->text[i]))
        i++;
    return i == field->length;
}

/* ---- parsing ---- */

struct parser {
    struct text_template *t;
    const char *option, *text, *at;
    text_template_find_fn *find;
    void *arg;
};

static int bad_template(const struct parser *p, const char *what)
{
    return err_set(RECO_E_USAGE, "cannot read --%s '%s': %s", p->option, p->text, what);
}

static int add_segment(struct text_template *t, size_t separator)
{
    int rc = mem_grow((void **)&t->segments, &t->segment_capacity, t->segment_count + 1, sizeof *t->segments);

    if (rc == 0)
        t->segments[t->segment_count++] = (struct segment){
            .first = t->piece_count, .separator = separator, .separator_length = t->text.length - separator};
    return rc;
}

static int add_piece(struct text_template *t, struct piece piece)
{
    int rc = mem_grow((void **)&t->pieces, &t->piece_capacity, t->piece_count + 1, sizeof *t->pieces);

    if (rc < 0)
        return rc;
    struct segment *s = &t->segments[t->segment_count - 1];
    t->pieces[t->piece_count++] = piece;
    s->count++;
    s->has_column = s->has_column || piece.is_column;
    return 0;
}

/* '{name}' at p->at. */
static int parse_column(struct parser *p)
{
    const char *end = strchr(p->at, '}');
    struct piece piece = {.is_column = true};

    if (end == NULL)
        return bad_template(p, "a '{' is not closed (a brace of the text is written '{{')");
    if (end == p->at + 1)
        return bad_template(p, "a column without a name, '{}'");
    char *name = mem_strndup(p->at + 1, (size_t)(end - p->at - 1));
    if (name == NULL)
        return RECO_E_NOMEM;
    int rc = p->find(p->arg, name, &piece.column);
    mem_free(name);
    p->at = end + 1;
    return rc < 0 ? rc : add_piece(p->t, piece);
}

/* The separator at p->at, with the blanks that stood before it (the end of the text collected) and those behind it. */
static int parse_separator(struct parser *p, size_t literal)
{
    struct buf *text = &p->t->text;
    size_t start = text->length;

    while (start > literal && is_blank_char(text->data[start - 1]))
        start--;
    int rc = start > literal ? add_piece(p->t, (struct piece){.start = literal, .length = start - literal}) : 0;
    if (rc == 0)
        rc = buf_add_char(text, *p->at++);
    while (rc == 0 && is_blank_char(*p->at))
        rc = buf_add_char(text, *p->at++);
    return rc < 0 ? rc : add_segment(p->t, start);
}

/* Text up to the next column, separator or the end. */
static int parse_literal(struct parser *p)
{
    struct buf *text = &p->t->text;
    size_t literal = text->length;
    int rc = 0;

    while (rc == 0 && *p->at != '\0') {
        bool special = strchr("{}|", *p->at) != NULL, doubled = special && p->at[1] == *p->at;
        if (special && !doubled && *p->at == '}')
            return bad_template(p, "a '}' without '{' (a brace of the text is written '}}')");
        if (special && !doubled)
            break;
        rc = buf_add_char(text, *p->at);
        p->at += doubled ? 2 : 1;
    }
    if (rc < 0 || *p->at == '|')
        return rc < 0 ? rc : parse_separator(p, literal);
    return text->length > literal ? add_piece(p->t, (struct piece){.start = literal, .length = text->length - literal})
                                  : 0;
}

int text_template_parse(struct text_template **out, const char *option, const char *text, text_template_find_fn *find,
                        void *arg)
{
    struct text_template *t = mem_calloc(1, sizeof *t);
    struct parser p = {.t = t, .option = option, .text = text, .at = text, .find = find, .arg = arg};
    bool has_column = false;

    if (t == NULL)
        return RECO_E_NOMEM;
    int rc = add_segment(t, 0);
    while (rc == 0 && *p.at != '\0')
        rc = *p.at == '{' && p.at[1] != '{' ? parse_column(&p) : parse_literal(&p);
    for (size_t i = 0; i < t->segment_count; i++)
        has_column = has_column || t->segments[i].has_column;
    if (rc == 0 && !has_column)
        rc = bad_template(&p, "it names no column (columns are written '{title}')");
    if (rc < 0) {
        text_template_free(t);
        return rc;
    }
    *out = t;
    return 0;
}

void text_template_free(struct text_template *t)
{
    if (t == NULL)
        return;
    buf_release(&t->text);
    mem_free(t->pieces);
    mem_free(t->segments);
    mem_free(t);
}

/* ---- rendering ---- */

static bool vanishes(const struct text_template *t, const struct segment *s, const struct csv_field *fields)
{
    for (size_t i = s->first; i < s->first + s->count; i++)
        if (t->pieces[i].is_column && !is_blank(&fields[t->pieces[i].column]))
            return false;
    return s->has_column;
}

/* An empty column among others leaves one blank where it stood between two, and none at the segment's ends. */
static int render_segment(const struct text_template *t, const struct segment *s, const struct csv_field *fields,
                          struct buf *out)
{
    size_t start = out->length, kept = start; /* kept: behind the last column with a text */
    bool gap = false;                         /* an empty column stands directly before */
    int rc = 0;

    for (size_t i = s->first; rc == 0 && i < s->first + s->count; i++) {
        const struct piece *piece = &t->pieces[i];
        if (piece->is_column) {
            const struct csv_field *field = &fields[piece->column];
            gap = is_blank(field);
            rc = gap ? 0 : buf_add(out, field->text, field->length);
            kept = gap ? kept : out->length;
            continue;
        }
        const char *literal = t->text.data + piece->start;
        size_t length = piece->length;
        bool at_blank = out->length == start || is_blank_char(out->data[out->length - 1]);
        for (; gap && at_blank && length > 0 && is_blank_char(*literal); length--)
            literal++;
        rc = buf_add(out, literal, length);
        gap = false;
    }
    while (rc == 0 && gap && out->length > kept && is_blank_char(out->data[out->length - 1]))
        out->data[--out->length] = '\0';
    return rc;
}

int text_template_render(const struct text_template *t, const struct csv_field *fields, struct buf *out)
{
    bool first = true;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < t->segment_count; i++) {
        const struct segment *s = &t->segments[i];
        if (vanishes(t, s, fields))
            continue;
        if (!first)
            rc = buf_add(out, t->text.data + s->separator, s->separator_length);
        if (rc == 0)
            rc = render_segment(t, s, fields, out);
        first = false;
    }
    return rc;
}
