#include "core/mem.h"
#include "data/events_internal.h"

struct place {
    uint64_t impressions, clicks;
    double propensity;
};

struct events_curve {
    struct place places[EVENTS_CURVE_POSITIONS]; /* of position 0, 1, ... */
};

int events_curve_new(struct events_curve **out)
{
    struct events_curve *c = mem_calloc(1, sizeof *c);

    if (c == NULL)
        return RECO_E_NOMEM;
    *out = c;
    return 0;
}

void events_curve_free(struct events_curve *c)
{
    mem_free(c);
}

static size_t place_of(int64_t position)
{
    return position < 0 ? 0 : position >= EVENTS_CURVE_POSITIONS ? EVENTS_CURVE_POSITIONS - 1 : (size_t)position;
}

void events_curve_add(struct events_curve *c, int64_t position, bool clicked)
{
    struct place *place = &c->places[place_of(position)];

    place->impressions++;
    place->clicks += clicked;
}

/* Neighbouring positions with one rate. */
struct block {
    double clicks, impressions; /* smoothed sums */
    size_t end;                 /* behind its last position */
};

static double rate(const struct block *block)
{
    return block->clicks / block->impressions;
}

/* The first of the positions [begin, end) that was randomised; one was. */
static size_t first_shown(const struct events_curve *c, size_t begin, size_t end)
{
    while (begin + 1 < end && c->places[begin].impressions == 0)
        begin++;
    return begin;
}

static int no_click(const struct events_curve *c, size_t position)
{
    return err_set(RECO_E_DATA,
                   "cannot learn propensities: position %zu has no click in %llu impressions, and a "
                   "propensity of 0 is none: give --smoothing, or --monotone",
                   position, (unsigned long long)c->places[position].impressions);
}

int events_curve_fit(struct events_curve *c, double smoothing, bool monotone)
{
    uint64_t impressions = 0, clicks = 0;
    struct block *blocks = mem_calloc(EVENTS_CURVE_POSITIONS, sizeof *blocks);
    size_t count = 0, block = 0;

    if (blocks == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < EVENTS_CURVE_POSITIONS; i++) {
        impressions += c->places[i].impressions;
        clicks += c->places[i].clicks;
    }
    for (size_t i = 0; i < EVENTS_CURVE_POSITIONS; i++) {
        const struct place *place = &c->places[i];
        if (place->impressions == 0)
            continue;
        double overall = (double)clicks / (double)impressions;
        blocks[count++] = (struct block){.clicks = (double)place->clicks + smoothing * overall,
                                         .impressions = (double)place->impressions + smoothing,
                                         .end = i + 1};
        for (; monotone && count > 1 && rate(&blocks[count - 1]) > rate(&blocks[count - 2]); count--) {
            blocks[count - 2].clicks += blocks[count - 1].clicks;
            blocks[count - 2].impressions += blocks[count - 1].impressions;
            blocks[count - 2].end = blocks[count - 1].end;
        }
    }
    double first = count > 0 ? rate(&blocks[0]) : 0.0;
    int rc = 0;
    if (impressions == 0)
        rc = err_set(RECO_E_DATA, "cannot learn propensities: no impression with a position is randomised "
                                  "(--randomised, --randomised_column)");
    else if (first <= 0.0)
        rc = err_set(RECO_E_DATA, "cannot learn propensities: the first position has no click in %llu impressions",
                     (unsigned long long)c->places[first_shown(c, 0, blocks[0].end)].impressions);
    for (size_t i = 0, begin = 0; rc == 0 && i < count; begin = blocks[i++].end)
        if (blocks[i].clicks <= 0.0)
            rc = no_click(c, first_shown(c, begin, blocks[i].end));
    for (size_t i = 0, seen = 0; rc == 0 && i < EVENTS_CURVE_POSITIONS; i++) {
        while (block + 1 < count && i >= blocks[block].end && c->places[i].impressions > 0)
            block++;
        seen += c->places[i].impressions > 0;
        c->places[i].propensity = seen > 0 ? rate(&blocks[block]) / first : 1.0;
    }
    mem_free(blocks);
    return rc;
}

double events_curve_propensity(const struct events_curve *c, int64_t position)
{
    return c->places[place_of(position)].propensity;
}

void events_curve_summary(const struct events_curve *c, struct events_summary *summary)
{
    summary->position_count = 0;
    for (size_t i = 0; i < EVENTS_CURVE_POSITIONS && summary->position_count < EVENTS_SHOWN_POSITIONS; i++)
        if (c->places[i].impressions > 0)
            summary->positions[summary->position_count++] =
                (struct events_position){.position = (int64_t)i,
                                         .impressions = c->places[i].impressions,
                                         .clicks = c->places[i].clicks,
                                         .propensity = c->places[i].propensity};
}
