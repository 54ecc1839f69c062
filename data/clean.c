#include "data/clean.h"

#include <string.h>

#include "data/clean_internal.h"
#include "data/mask.h"

#define TEXT(rule_name, rule_fn, rule_triggers, is_in_all, is_mask, rule_help)                                         \
    {                                                                                                                  \
        .info = {.name = rule_name,                                                                                    \
                 .help = rule_help,                                                                                    \
                 .stage = CLEAN_STAGE_TEXT,                                                                            \
                 .mask = is_mask,                                                                                      \
                 .in_all = is_in_all},                                                                                 \
        .text = rule_fn, .triggers = rule_triggers                                                                     \
    }
#define ROW(rule_name, rule_fn, is_in_all, rule_help)                                                                  \
    {                                                                                                                  \
        .info = {.name = rule_name, .help = rule_help, .stage = CLEAN_STAGE_ROW, .in_all = is_in_all}, .row = rule_fn  \
    }
#define SET(rule_name, rule_help)                                                                                      \
    {                                                                                                                  \
        .info = {.name = rule_name, .help = rule_help, .stage = CLEAN_STAGE_SET, .in_all = true }                      \
    }

/* In the order in which they run. */
static const struct clean_rule rules[] = {
    TEXT("control", clean_control, CLEAN_TRIGGER_CONTROL, true, false,
         "remove control and zero-width characters, byte order marks and soft hyphens; Windows-1252 punctuation that "
         "was read as control characters becomes itself"),
    TEXT("script", clean_script, CLEAN_TRIGGER_TAG | CLEAN_TRIGGER_CODE, true, false,
         "remove script and style elements with their content, and CSS and JavaScript left behind without their tags"),
    TEXT("html", clean_html, CLEAN_TRIGGER_TAG | CLEAN_TRIGGER_ENTITY, true, false,
         "remove HTML tags and comments (a block's tag becomes a blank) and decode character references"),
    TEXT("unicode", clean_unicode, CLEAN_TRIGGER_NFC, true, false, "compose characters (Unicode normal form NFC)"),
    TEXT("nfkc", clean_nfkc, CLEAN_TRIGGER_NFC | CLEAN_TRIGGER_NFKC, false, false,
         "replace compatibility characters: full width, ligatures, fractions (NFKC)"),
    TEXT("quotes", clean_quotes, CLEAN_TRIGGER_QUOTES, false, false,
         "write typographic quotation marks, dashes and dots in ASCII"),
    TEXT("repeated", clean_repeated, CLEAN_TRIGGER_REPEATED, true, false,
         "cut four or more of the same punctuation mark or symbol in a row to three; not of + * $ and stars"),
    TEXT("whitespace", clean_whitespace, CLEAN_TRIGGER_SPACE, true, false,
         "one blank for every run of white space, line breaks too, and none at the ends"),
    TEXT("email", clean_email, CLEAN_TRIGGER_AT | CLEAN_TRIGGER_ENTITY, false, true, "e-mail addresses to '[email]'"),
    TEXT("card", clean_card, CLEAN_TRIGGER_DIGITS, false, true, "payment card numbers (Luhn) to '[card]'"),
    TEXT("phone", clean_phone, CLEAN_TRIGGER_DIGITS, false, true, "telephone numbers to '[phone]'"),
    ROW("empty", clean_empty, false, "drop rows whose query or description is empty"),
    ROW("length", clean_length, false, "drop rows outside the --min and --max characters; on when one is given"),
    ROW("anomalies", clean_anomalies, true,
        "drop rows with a text that says nothing: no letter or digit, one character or word over and over, mostly "
        "unreadable bytes, or far too long"),
    SET("duplicates", "drop rows that repeat a row (query, description and label)"),
    SET("near_duplicates", "drop rows that nearly repeat a row (--near_duplicate_threshold)"),
    SET("contradictions", "drop rows of one pair with several labels (--contradictions says which)"),
    SET("leaks", "drop training rows whose query or pair is in another split"),
};
enum { RULES = sizeof rules / sizeof rules[0] };
_Static_assert((int)RULES <= (int)CLEAN_MAX_RULES, "a cleaner has room for every rule");

const char *const clean_contradictions_choices[] = {"drop", "majority", "first", NULL};

/* A text is cleaned in rounds; one that still changes after this many is nested beyond reason. */
enum { MAX_ROUNDS = 16 };

size_t clean_rule_count(void)
{
    return RULES;
}

const struct clean_rule_info *clean_rule_at(size_t index)
{
    return &rules[index].info;
}

static size_t rule_find(const char *name)
{
    size_t i = 0;
    while (i < RULES && strcmp(rules[i].info.name, name) != 0)
        i++;
    return i;
}

/* Options ------------------------------------------------------------------------------------------------------- */

static int rule_check(const char *name, bool mask)
{
    const char *names[RULES + 1];
    size_t count = 0, found = rule_find(name);

    if (strcmp(name, "all") == 0 || (found < RULES && rules[found].info.mask == mask))
        return 0;
    for (size_t i = 0; i < RULES; i++)
        if (rules[i].info.mask == mask)
            names[count++] = rules[i].info.name;
    names[count++] = "all";
    if (found < RULES)
        return err_set(RECO_E_USAGE, "'%s' belongs to --%s", name, mask ? "clean" : "mask");
    const char *nearest = opt_nearest(name, names, count);
    if (nearest != NULL)
        return err_set(RECO_E_USAGE, "'%s' is no %s, did you mean '%s'?", name, mask ? "kind of data" : "rule",
                       nearest);
    struct buf list = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = buf_printf(&list, "%s'%s'", i > 0 ? ", " : "", names[i]);
    if (rc == 0)
        rc = err_set(RECO_E_USAGE, "'%s' is not one of %s", name, buf_str(&list));
    buf_release(&list);
    return rc;
}

int clean_rule_check(const char *option, const char *name)
{
    (void)option; /* the parser puts it in front */
    return rule_check(name, false);
}

int clean_mask_check(const char *option, const char *name)
{
    (void)option;
    return rule_check(name, true);
}

static int limits_check(const char *what, int64_t min, int64_t max)
{
    if (min < 0 || max < 0)
        return err_set(RECO_E_USAGE, "a limit of %s characters is negative", what);
    if (max > 0 && min > max)
        return err_set(RECO_E_USAGE, "--min_%s_chars is over --max_%s_chars", what, what);
    return 0;
}

int clean_options_check(const struct clean_options *o)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < o->clean.count; i++)
        if ((rc = rule_check(o->clean.items[i], false)) < 0)
            return err_prepend(rc, "--clean");
    for (size_t i = 0; rc == 0 && i < o->mask.count; i++)
        if ((rc = rule_check(o->mask.items[i], true)) < 0)
            return err_prepend(rc, "--mask");
    rc = limits_check("query", o->min_query_chars, o->max_query_chars);
    if (rc == 0)
        rc = limits_check("description", o->min_description_chars, o->max_description_chars);
    /* options all zero ask for nothing */
    if (rc == 0 && (o->clean.count > 0 || o->near_duplicate_threshold != 0) &&
        !(o->near_duplicate_threshold > 0 && o->near_duplicate_threshold <= 1))
        rc = err_set(RECO_E_USAGE, "--near_duplicate_threshold is not in (0, 1]");
    return rc;
}

int clean_help_text(struct buf *b)
{
    enum { NAME = 18, COLUMNS = 100 };
    int rc = 0;
    for (int mask = 0; rc == 0 && mask < 2; mask++) {
        rc = buf_add_str(b, mask ? "Kinds of data for --mask:\n" : "Rules for --clean ('*': part of 'all'):\n");
        for (size_t r = 0; rc == 0 && r < RULES; r++) {
            const struct clean_rule_info *info = &rules[r].info;
            if (info->mask != (mask != 0))
                continue;
            rc = buf_printf(b, "  %-*s", NAME - 2, info->name);
            if (rc == 0 && !mask)
                rc = buf_add_str(b, info->in_all ? "* " : "  ");
            if (rc == 0)
                rc = buf_add_wrapped(b, info->help, NAME + (mask ? 0 : 2), COLUMNS);
        }
    }
    return rc;
}

/* Cleaner ------------------------------------------------------------------------------------------------------- */

int cleaner_new(struct cleaner **out, const struct clean_options *options)
{
    *out = NULL;
    int rc = clean_options_check(options);
    if (rc < 0)
        return rc;
    struct cleaner *c = mem_calloc(1, sizeof *c);
    if (c == NULL)
        return RECO_E_NOMEM;
    c->options = *options;
    c->options.clean = c->options.mask = (struct opt_list){0};
    clean_classes_init(&c->classes);
    for (size_t mask = 0; mask < 2; mask++) {
        const struct opt_list *list = mask ? &options->mask : &options->clean;
        for (size_t i = 0; i < list->count; i++)
            for (size_t r = 0; r < RULES; r++)
                if (strcmp(list->items[i], "all") == 0
                        ? rules[r].info.mask == (mask != 0) && (mask || rules[r].info.in_all)
                        : strcmp(list->items[i], rules[r].info.name) == 0)
                    c->on[r] = true;
    }
    if (options->min_query_chars > 0 || options->max_query_chars > 0 || options->min_description_chars > 0 ||
        options->max_description_chars > 0)
        c->on[rule_find("length")] = true;
    for (size_t r = 0; r < RULES; r++) {
        if (!c->on[r])
            continue;
        c->triggers[CLEAN_SIDE_QUERY] |= rules[r].triggers;
        c->triggers[CLEAN_SIDE_DESCRIPTION] |= rules[r].triggers;
        if (rules[r].info.mask)
            c->triggers[CLEAN_SIDE_COLUMN] |= rules[r].triggers;
    }
    *out = c;
    return 0;
}

void cleaner_free(struct cleaner *c)
{
    mem_free(c);
}

bool cleaner_is_on(const struct cleaner *c, size_t rule)
{
    return c->on[rule];
}

bool cleaner_has(const struct cleaner *c, const char *name)
{
    size_t rule = rule_find(name);
    return rule < RULES && c->on[rule];
}

bool cleaner_masks(const struct cleaner *c)
{
    return c->triggers[CLEAN_SIDE_COLUMN] != 0;
}

int clean_lane_new(struct clean_lane **out, const struct cleaner *c)
{
    *out = NULL;
    struct clean_lane *lane = mem_calloc(1, sizeof *lane);
    if (lane == NULL)
        return RECO_E_NOMEM;
    lane->cleaner = c;
    lane->counts.texts = mem_calloc(RULES, sizeof *lane->counts.texts);
    lane->counts.rows = mem_calloc(RULES, sizeof *lane->counts.rows);
    if (lane->counts.texts == NULL || lane->counts.rows == NULL) {
        clean_lane_free(lane);
        return RECO_E_NOMEM;
    }
    *out = lane;
    return 0;
}

void clean_lane_free(struct clean_lane *lane)
{
    if (lane == NULL)
        return;
    for (size_t side = 0; side < CLEAN_BUFFERS; side++) {
        buf_release(&lane->text[side][0]);
        buf_release(&lane->text[side][1]);
    }
    buf_release(&lane->scratch);
    mem_free(lane->code_points);
    mem_free(lane->decomposed);
    mem_free(lane->counts.texts);
    mem_free(lane->counts.rows);
    mem_free(lane);
}

const struct clean_counts *clean_lane_counts(const struct clean_lane *lane)
{
    return &lane->counts;
}

/* Texts --------------------------------------------------------------------------------------------------------- */

void clean_edit_replace(struct clean_edit *edit, size_t from, size_t to, const char *with, size_t with_length)
{
    if (edit->rc == 0)
        edit->rc = buf_add(edit->out, edit->text + edit->kept, from - edit->kept);
    if (edit->rc == 0)
        edit->rc = buf_add(edit->out, with, with_length);
    edit->kept = to;
    edit->changed = true;
}

static bool is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void clean_edit_blank(struct clean_edit *edit, size_t from, size_t to)
{
    char before = from > edit->kept       ? edit->text[from - 1]
                  : edit->out->length > 0 ? edit->out->data[edit->out->length - 1]
                                          : ' ';
    bool gap = is_white(before) || (to < edit->length && is_white(edit->text[to]));
    clean_edit_replace(edit, from, to, " ", gap ? 0 : 1);
}

int clean_edit_finish(struct clean_edit *edit)
{
    if (edit->rc == 0 && edit->changed)
        edit->rc = buf_add(edit->out, edit->text + edit->kept, edit->length - edit->kept);
    return edit->rc;
}

static int run_rule(struct clean_lane *lane, const struct clean_rule *rule, const char *text, size_t length,
                    struct buf *out, bool *changed)
{
    struct clean_edit edit = {.out = out, .text = text, .length = length};
    buf_clear(out);
    int rc = rule->text(lane->cleaner, lane, &edit);
    if (rc == 0)
        rc = clean_edit_finish(&edit);
    *changed = edit.changed;
    return rc;
}

/* What is left of tags and references in a text that is nested too deep. */
static void defuse(struct buf *text)
{
    for (size_t i = 0; i < text->length; i++)
        if (strchr("<&{", text->data[i]) != NULL)
            text->data[i] = ' ';
}

/* *out is the text at first, and then what the rules made of it. */
static int clean_rounds(struct clean_lane *lane, size_t buffer, bool masks_only, uint32_t triggers, const char **out,
                        size_t *out_length)
{
    const struct cleaner *c = lane->cleaner;
    const uint32_t wanted = c->triggers[masks_only ? CLEAN_SIDE_COLUMN : CLEAN_SIDE_QUERY];
    struct buf *buffers = lane->text[buffer];
    bool did[RULES] = {false}, again = true;
    int at = 0;
    for (int round = 0; triggers != 0 && again && round < 2 * MAX_ROUNDS; round++) {
        again = false;
        if (round == MAX_ROUNDS) {
            defuse(&buffers[1 - at]);
            triggers = clean_scan(&c->classes, *out, *out_length) & wanted;
        }
        for (size_t r = 0; r < RULES && triggers != 0; r++) {
            bool changed = false;
            if (!c->on[r] || (triggers & rules[r].triggers) == 0 || (masks_only && !rules[r].info.mask))
                continue;
            int rc = run_rule(lane, &rules[r], *out, *out_length, &buffers[at], &changed);
            if (rc < 0)
                return rc;
            if (!changed)
                continue;
            *out = buf_str(&buffers[at]);
            *out_length = buffers[at].length;
            at = 1 - at;
            again = did[r] = true;
            triggers = clean_scan(&c->classes, *out, *out_length) & wanted;
        }
    }
    for (size_t r = 0; r < RULES; r++)
        lane->counts.texts[r] += did[r];
    return 0;
}

static int clean_with(struct clean_lane *lane, size_t buffer, bool masks_only, const char *text, size_t length,
                      const char **out, size_t *out_length)
{
    const struct cleaner *c = lane->cleaner;
    uint32_t wanted = c->triggers[masks_only ? CLEAN_SIDE_COLUMN : CLEAN_SIDE_QUERY];
    uint32_t triggers = wanted != 0 ? clean_scan(&c->classes, text, length) & wanted : 0;
    *out = text;
    *out_length = length;
    return triggers != 0 ? clean_rounds(lane, buffer, masks_only, triggers, out, out_length) : 0;
}

int clean_text(struct clean_lane *lane, enum clean_side side, const char *text, size_t length, const char **out,
               size_t *out_length)
{
    return clean_with(lane, (size_t)side, side == CLEAN_SIDE_COLUMN, text, length, out, out_length);
}

int clean_mask(struct clean_lane *lane, const char *text, size_t length, const char **out, size_t *out_length)
{
    return clean_with(lane, CLEAN_MASK_BUFFER, true, text, length, out, out_length);
}

static int mask_with(enum mask_kind kind, struct clean_edit *edit)
{
    struct mask_span span;
    for (size_t at = 0; mask_find(kind, edit->text, edit->length, at, &span); at = span.start + span.length)
        clean_edit_replace(edit, span.start, span.start + span.length, mask_text(kind), strlen(mask_text(kind)));
    return 0;
}

int clean_email(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit)
{
    (void)c, (void)lane;
    return mask_with(MASK_EMAIL, edit);
}

int clean_card(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit)
{
    (void)c, (void)lane;
    return mask_with(MASK_CARD, edit);
}

int clean_phone(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit)
{
    (void)c, (void)lane;
    return mask_with(MASK_PHONE, edit);
}

/* Rows ---------------------------------------------------------------------------------------------------------- */

int clean_row(struct clean_lane *lane, const char *query, size_t query_length, const char *description,
              size_t description_length, size_t *rule)
{
    const struct clean_pair pair = {query, description, query_length, description_length};
    *rule = RULES;
    for (size_t r = 0; r < RULES; r++)
        if (lane->cleaner->on[r] && rules[r].row != NULL && rules[r].row(lane->cleaner, &pair)) {
            lane->counts.rows[r]++;
            *rule = r;
            break;
        }
    return 0;
}
