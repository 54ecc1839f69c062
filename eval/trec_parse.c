/* The lines of a part of a TREC file, by any thread. */

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/stop.h"
#include "data/decimal.h"
#include "eval/trec_internal.h"

#define FIELDS_MAX 6
#define STOP_CHECK_ENTRIES 4096
#define RELEVANCE_MAX 1000 /* 2^g - 1 must stay finite */

struct field {
    char *text;
    size_t length;
};

static int refuse(struct trec_part *part, const struct field *field, const char *what)
{
    part->bad_at = field->text;
    return err_set(RECO_E_DATA, "%s '%.*s'", what, field->length < 200 ? (int)field->length : 200, field->text);
}

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ' && (c == ' ' || (c >= '\t' && c <= '\r'));
}

/* The first byte from at that is a blank or NUL; 8 at a time as long as they are this part's. */
static char *field_end(char *at, const char *part_end)
{
    while (part_end - at >= 8) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof bytes);
        /* bytes below 0x21; the lowest bit set is right */
        uint64_t found = (bytes - 0x2121212121212121U) & ~bytes & 0x8080808080808080U;
        if (!found) {
            at += 8;
            continue;
        }
        at += (unsigned)__builtin_ctzll(found) / 8;
        if (!*at || is_blank(*at)) {
            return at;
        }
        at++;
    }
    while (*at && !is_blank(*at)) {
        at++;
    }
    return at;
}

/* The first fields of a line; returns where it ends: at its newline, or at a NUL, which ends the text or is in it. */
static char *split(char *at, const char *part_end, struct field *fields, size_t *count)
{
    *count = 0;
    for (;;) {
        while (*at != '\n' && is_blank(*at)) {
            at++;
        }
        if (*at == '\n' || !*at) {
            return at;
        }
        if (*count == FIELDS_MAX) {
            return at + strcspn(at, "\n");
        }
        char *end = field_end(at, part_end);
        fields[*count] = (struct field){at, (size_t)(end - at)};
        ++*count;
        at = end;
    }
}

/* The field as a string: what follows it on its line is a blank, which is not needed any more. */
static char *ended(const struct field *field)
{
    field->text[field->length] = '\0';
    return field->text;
}

static bool is_same(const struct trec_tag *tag, const struct field *field)
{
    return tag->length == field->length && !memcmp(tag->text, field->text, field->length);
}

static void see_tag(struct trec_part *part, const struct field *field)
{
    const struct trec_tag tag = {field->text, field->length};
    if (part->last_tag.text && is_same(&part->last_tag, field)) {
        return;
    }
    if (!part->first_tag.text) {
        part->first_tag = tag;
    } else if (!part->other_tag.text) {
        part->tag_before_other = part->last_tag;
        part->other_tag = tag;
    }
    part->last_tag = tag;
}

/* Begins another stretch when the line is not of the topic of the line before. */
static int see_topic(struct trec_part *part, const struct field *field)
{
    if (part->stretch_count) {
        const char *topic = part->stretches[part->stretch_count - 1].topic;
        if (!memcmp(topic, field->text, field->length) && !topic[field->length]) { /* both are in the text */
            return 0;
        }
    }
    int rc =
        mem_grow((void **)&part->stretches, &part->stretch_capacity, part->stretch_count + 1, sizeof *part->stretches);
    if (!rc) {
        part->stretches[part->stretch_count++] =
            (struct trec_stretch){.topic = ended(field), .begin = (uint32_t)part->entry_count};
    }
    return rc;
}

static int add_line(const struct trec_source *source, struct trec_part *part, const struct field *fields, size_t count)
{
    if (count < (source->is_run ? 6 : 4)) {
        part->bad_at = fields[0].text;
        return err_set(RECO_E_DATA, "%zu fields, want '%s'", count,
                       source->is_run ? "qid Q0 docno rank score tag" : "qid iter docno relevance");
    }
    const struct field *figure = &fields[source->is_run ? 4 : 3];
    double number;
    if (!decimal_parse(figure->text, figure->length, &number) || isnan(number)) {
        return refuse(part, figure, source->is_run ? "not a score:" : "not a relevance:");
    }
    if (!source->is_run && !(fabs(number) <= RELEVANCE_MAX && floor(number) == number)) {
        return refuse(part, figure, "not a whole relevance up to 1000:");
    }
    int rc = see_topic(part, &fields[0]);
    if (!rc && part->entry_count == part->entry_capacity) {
        rc = mem_grow((void **)&part->entries, &part->entry_capacity, part->entry_count + 1, sizeof *part->entries);
    }
    if (!rc) {
        part->entries[part->entry_count++] = (struct trec_entry){
            .doc = ended(&fields[2]), .score = (float)number, .grade = source->is_run ? 0 : (int32_t)number};
    }
    if (!rc && source->is_run) {
        see_tag(part, &fields[5]);
    }
    return rc;
}

int trec_part_parse(const struct trec_source *source, struct trec_part *part)
{
    int rc = 0;
    for (char *line = part->begin; !rc && line < part->end;) {
        struct field fields[FIELDS_MAX];
        size_t count;
        char *end = split(line, part->end, fields, &count);
        if (part->entry_count % STOP_CHECK_ENTRIES == 0 && stop_requested()) {
            rc = err_set(RECO_E_STOPPED, "stopped while reading %s", source->label);
        } else if (!*end && end < part->end) {
            part->bad_at = end;
            rc = err_set(RECO_E_DATA, "it holds a NUL byte");
        } else if (count && *fields[0].text != '#') {
            rc = add_line(source, part, fields, count);
        }
        line = end + 1;
    }
    return rc;
}

void trec_part_release(struct trec_part *part)
{
    mem_free(part->entries);
    mem_free(part->stretches);
}
