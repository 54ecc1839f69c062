#ifndef RECO_DATA_PREDICTIONS_EVENTS_H
#define RECO_DATA_PREDICTIONS_EVENTS_H

/* A table of impressions (CSV, TSV, JSON Lines) as predictions without labels and scores: for figures of behaviour. */

#include "data/predictions.h"
#include "data/table.h"

struct predictions_event_columns { /* names in the table; NULL: the name here, where the table has it */
    const char *query_id, *item_id, *position, *clicked, *converted, *dwell_s, *depth, *propensity, *carted, *ordered,
        *revenue, *delay_s;
    const char *const *extra_names; /* [extra_name_count] held as texts */
    size_t extra_name_count;
    bool all_extra;           /* instead: every column, whatever it means here besides */
    const char *extra_option; /* who named them, for messages */
    double position_shift;    /* is added to positions, so that the first one is 1 */
};

/*
 * A column that nobody named and that is empty throughout is as good as none. RECO_E_USAGE: a named column is not
 * there, or none of behaviour. RECO_E_DATA with the line, for what is no number, an event below 0 (revenue may be) or
 * infinite, a propensity that is not above 0, an empty query_id where other rows have one or the column was named.
 */
int predictions_read_events(struct predictions **out, const char *path, const struct table_options *table,
                            const struct predictions_event_columns *columns) RECO_MUST_CHECK;

/*
 * A conversion that came later than window_s after its click or impression (column delay_s) does not count, nor do its
 * order and revenue. late, without_delay: conversions (orders, where there are no such) that do not, and those that do
 * since they have no delay.
 */
void predictions_attribute(struct predictions *p, double window_s, size_t *late, size_t *without_delay);

/* Raises propensities so that no weight, 1 / propensity, is above max_weight; returns how many. */
size_t predictions_cut_weights(struct predictions *p, double max_weight);

#endif
