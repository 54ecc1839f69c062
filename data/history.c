#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "data/history_internal.h"

#define DEFAULT_SEPARATOR " ; "

int history_open(struct history **out, const struct assemble_options *options, const struct table_options *table,
                 const struct join_table *items, const char *tmp_dir)
{
    struct history *h = mem_calloc(1, sizeof *h);

    if (h == NULL)
        return RECO_E_NOMEM;
    h->items = items;
    h->length = (size_t)options->history_length;
    h->separator = options->history_separator != NULL ? options->history_separator : DEFAULT_SEPARATOR;
    int rc = history_load(h, options, table, tmp_dir);
    if (rc == 0)
        rc = temp_file_map(h->user_file, &h->users);
    if (rc == 0)
        rc = temp_file_map(h->action_file, &h->actions);
    if (rc == 0)
        rc = temp_file_map(h->text_file, &h->texts);
    if (rc < 0) {
        history_close(h);
        return rc;
    }
    *out = h;
    return 0;
}

void history_close(struct history *h)
{
    if (h == NULL)
        return;
    temp_file_close(h->user_file);
    temp_file_close(h->action_file);
    temp_file_close(h->text_file);
    text_template_free(h->text_template);
    mem_free(h->slots);
    mem_free(h);
}

uint64_t history_users(const struct history *h)
{
    return h->user_count;
}

uint64_t history_actions(const struct history *h)
{
    return h->action_count;
}

size_t history_scratch_fields(const struct history *h)
{
    size_t items = h->items != NULL ? join_table_columns(h->items) : 0;

    return h->slot_count + 1 + h->stored_columns + items;
}

static struct history_user user_at(const struct history *h, uint64_t index)
{
    struct history_user user;

    memcpy(&user, h->users + index * sizeof user, sizeof user);
    return user;
}

static struct history_action action_at(const struct history *h, uint64_t index)
{
    struct history_action action;

    memcpy(&action, h->actions + index * sizeof action, sizeof action);
    return action;
}

/* The first user whose hash is not below hash, by interpolation: hashes lie evenly, so a few steps do. */
static uint64_t find_hash(const struct history *h, uint64_t hash)
{
    uint64_t low = 0, high = h->user_count;
    double below = 0, above = 0x1p64; /* bounds of the hashes in [low, high) */

    for (int step = 0; low < high; step++) {
        double part = ((double)hash - below) / (above - below);
        uint64_t middle = low + (high - low) / 2;
        if (step < 16 && part >= 0 && part < 1)
            middle = low + (uint64_t)(part * (double)(high - low));
        middle = middle < high ? middle : high - 1;
        uint64_t found = user_at(h, middle).hash;
        if (found < hash) {
            low = middle + 1;
            below = (double)found;
        } else {
            high = middle;
            above = (double)found;
        }
    }
    return low;
}

static bool find_user(const struct history *h, const struct csv_field *name, struct history_user *user)
{
    uint64_t hash = hash_u64(name->text, name->length, 0);

    for (uint64_t i = find_hash(h, hash); i < h->user_count; i++) {
        *user = user_at(h, i);
        if (user->hash != hash)
            return false;
        if (user->name_bytes == name->length && memcmp(h->texts + user->name, name->text, name->length) == 0)
            return true;
    }
    return false;
}

/* The number of the user's actions before time_us: those at that time are not among them. */
static uint64_t count_before(const struct history *h, const struct history_user *user, int64_t time_us)
{
    uint64_t low = 0, high = user->count;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (action_at(h, user->first + middle).time_us < time_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The texts kept with an action into fields [1 + stored_columns]: the item's id first. */
static void read_texts(const struct history *h, const struct history_action *action, struct csv_field *fields)
{
    const unsigned char *at = h->texts + action->texts;

    for (size_t i = 0; i < 1 + h->stored_columns; i++) {
        uint32_t length;
        memcpy(&length, at, sizeof length);
        fields[i] = (struct csv_field){.text = (const char *)at + sizeof length, .length = length};
        at += sizeof length + length + 1;
    }
}

static int render_action(const struct history *h, const struct history_action *action, struct csv_field *scratch,
                         struct buf *text)
{
    static const struct csv_field empty = {.text = "", .length = 0};
    struct csv_field *kept = scratch + h->slot_count, *item = kept + 1 + h->stored_columns;
    size_t before = text->length;

    if (h->items != NULL && action->item_row > 0)
        join_table_fields(h->items, action->item_row - 1, item);
    for (size_t i = 0; i < h->slot_count; i++) {
        const struct history_slot *slot = &h->slots[i];
        scratch[i] = slot->source == HISTORY_ID    ? kept[0]
                     : slot->source == HISTORY_LOG ? kept[1 + slot->stored]
                     : action->item_row > 0        ? item[slot->column]
                                                   : empty;
    }
    int rc = before > 0 ? buf_add_str(text, h->separator) : 0;
    size_t start = text->length;
    if (rc == 0)
        rc = text_template_render(h->text_template, scratch, text);
    if (rc == 0 && text->length == start && before < start) { /* nothing: its separator goes too */
        text->length = before;
        text->data[before] = '\0';
    }
    return rc;
}

int history_render(const struct history *h, const struct csv_field *user_name, int64_t time_us,
                   struct csv_field *scratch, struct buf *text, struct buf *items)
{
    struct csv_field *kept = scratch + h->slot_count;
    struct history_user user;
    int rc = 0;

    if (text != NULL)
        buf_clear(text);
    if (items != NULL)
        buf_clear(items);
    if (user_name->length == 0 || !find_user(h, user_name, &user))
        return 0;
    uint64_t end = count_before(h, &user, time_us), begin = end > h->length ? end - h->length : 0;
    for (uint64_t i = begin; rc == 0 && i < end; i++) {
        struct history_action action = action_at(h, user.first + i);
        read_texts(h, &action, kept);
        if (text != NULL)
            rc = render_action(h, &action, scratch, text);
        if (rc == 0 && items != NULL && items->length > 0)
            rc = buf_add_char(items, ' ');
        if (rc == 0 && items != NULL)
            rc = buf_add(items, kept[0].text, kept[0].length);
    }
    return rc;
}
