#include "data/split.h"

#include <math.h>
#include <string.h>

#include "core/hash.h"
#include "data/number.h"
#include "data/timestamp.h"

const char *const split_by_choices[] = {"query", "row", "stratified", "time", NULL};

static const char *const side_names[SPLIT_SIDES] = {"train", "validation", "test"};

static int parse_share(const char *text, int *side, double *share)
{
    const char *equals = strchr(text, '=');
    size_t name = equals != NULL ? (size_t)(equals - text) : strlen(text);

    for (*side = 0; *side < SPLIT_SIDES; ++*side)
        if (strlen(side_names[*side]) == name && memcmp(side_names[*side], text, name) == 0)
            break;
    if (*side == SPLIT_SIDES || equals == NULL)
        return err_set(RECO_E_USAGE, "'%s' is not train=, validation= or test= and a share", text);
    if (!number_parse(equals + 1, strlen(equals + 1), share) || !(*share >= 0.0 && *share <= 1.0))
        return err_set(RECO_E_USAGE, "'%s' is not a share from 0 to 1", equals + 1);
    return 0;
}

int split_check_share(const char *name, const char *value)
{
    int side;
    double share;

    (void)name; /* the parser puts it in front */
    return parse_share(value, &side, &share);
}

int split_check_time(const char *name, const char *value)
{
    int64_t time_us;

    (void)name;
    return timestamp_parse(value, strlen(value), &time_us) ? 0 : err_set(RECO_E_USAGE, "'%s' is not a time", value);
}

static int init_times(struct split *s, const struct split_options *o)
{
    if (s->by != SPLIT_BY_TIME)
        return err_set(RECO_E_USAGE, "--split_at needs --split_by time");
    if (o->split.count > 0)
        return err_set(RECO_E_USAGE, "--split and --split_at exclude each other");
    if (o->split_at.count > 2)
        return err_set(RECO_E_USAGE, "--split_at takes one or two times");
    for (size_t i = 0; i < o->split_at.count; i++)
        if (!timestamp_parse(o->split_at.items[i], strlen(o->split_at.items[i]), &s->before[i]))
            return err_set(RECO_E_USAGE, "--split_at: '%s' is not a time", o->split_at.items[i]);
    if (o->split_at.count == 1)
        s->before[1] = s->before[0];
    if (s->before[0] > s->before[1])
        return err_set(RECO_E_USAGE, "the times of --split_at do not rise");
    s->sides[0] = s->sides[2] = true;
    s->sides[1] = o->split_at.count == 2;
    s->on = s->timed = true;
    return 0;
}

int split_init(struct split *s, const struct split_options *o)
{
    bool seen[SPLIT_SIDES] = {false};
    double sum = 0.0;

    *s = (struct split){.by = (enum split_by)o->split_by, .seed = (uint64_t)o->split_seed};
    if (o->split.count == 0 && o->split_at.count == 0)
        return 0;
    if (s->by == SPLIT_BY_TIME && o->time_column == NULL)
        return err_set(RECO_E_USAGE, "--split_by time needs --time_column");
    if (o->split_at.count > 0)
        return init_times(s, o);
    for (size_t i = 0; i < o->split.count; i++) {
        int side;
        double share;
        int rc = parse_share(o->split.items[i], &side, &share);
        if (rc < 0)
            return err_prepend(rc, "--split");
        if (seen[side])
            return err_set(RECO_E_USAGE, "'%s' is twice in --split", side_names[side]);
        seen[side] = true;
        s->shares[side] = share;
        s->sides[side] = share > 0.0;
        sum += share;
    }
    if (fabs(sum - 1.0) > 1e-6)
        return err_set(RECO_E_USAGE, "the shares of --split sum to %g, not to 1", sum);
    if (!s->sides[0])
        return err_set(RECO_E_USAGE, "--split leaves nothing to train on");
    s->on = true;
    return 0;
}

int split_side_by_hash(const struct split *s, uint64_t key, const char *label)
{
    uint64_t parts[2] = {key, hash_u64(label, strlen(label), 0)};
    double place = (double)(hash_u64(parts, sizeof parts, s->seed) >> 11) * 0x1p-53, end = 0.0;
    int last = 0;

    for (int i = 0; i < SPLIT_SIDES; i++) {
        end += s->shares[i];
        last = s->sides[i] ? i : last;
        if (s->sides[i] && place < end)
            return i;
    }
    return last; /* shares that sum to a little less than 1 */
}

int split_side_by_time(const struct split *s, int64_t time_us)
{
    if (time_us < s->before[0])
        return 0;
    return time_us < s->before[1] ? 1 : 2;
}

void split_time_places(const struct split *s, uint64_t count, uint64_t places[SPLIT_SIDES - 1])
{
    places[0] = (uint64_t)(s->shares[0] * (double)count + 0.5);
    places[1] = (uint64_t)((s->shares[0] + s->shares[1]) * (double)count + 0.5);
}
