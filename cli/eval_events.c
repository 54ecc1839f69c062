#include "cli/eval_events.h"

#include "core/log.h"
#include "data/predictions_events.h"

double eval_events_shift(const struct eval_command *c)
{
    return 1 - (double)c->first_position;
}

int eval_events_read(const struct eval_command *c, bool all_columns, struct predictions **p)
{
    const char *const extra[] = {c->arm_column};
    const struct predictions_event_columns columns = {.query_id = c->data.query_id_column,
                                                      .item_id = c->data.item_id_column,
                                                      .position = c->data.position_column,
                                                      .clicked = c->data.clicked_column,
                                                      .converted = c->data.converted_column,
                                                      .dwell_s = c->data.dwell_column,
                                                      .depth = c->data.depth_column,
                                                      .propensity = c->data.propensity_column,
                                                      .carted = c->carted_column,
                                                      .ordered = c->ordered_column,
                                                      .revenue = c->revenue_column,
                                                      .delay_s = c->delay_column,
                                                      .extra_names = extra,
                                                      .extra_name_count = !all_columns && c->arm_column,
                                                      .all_extra = all_columns,
                                                      .extra_option = "arm_column",
                                                      .position_shift = eval_events_shift(c)};
    return predictions_read_events(p, c->events, &c->data.table, &columns);
}

bool eval_events_change(const struct eval_command *c)
{
    return c->attribution_window || c->max_weight > 0;
}

int eval_events_treat(struct eval_attributed *out, const struct eval_command *c, struct predictions *p)
{
    *out = (struct eval_attributed){.window = c->attribution_window, .max_weight = c->max_weight};
    double window_s;
    int rc = c->attribution_window ? eval_duration_parse(c->attribution_window, &window_s) : 0;
    if (!rc && c->attribution_window && !((p->converted || p->ordered) && p->delay_s)) {
        rc = err_set(RECO_E_USAGE, "--attribution_window needs conversions ('converted' or 'ordered') and the seconds "
                                   "until them ('delay_s')");
    }
    if (!rc && c->max_weight > 0 && !p->propensity) {
        rc = err_set(RECO_E_USAGE, "--max_weight needs a column 'propensity'");
    }
    if (!rc && c->attribution_window) {
        predictions_attribute(p, window_s, &out->late, &out->without_delay);
    }
    if (!rc && c->max_weight > 0) {
        out->weights_cut = predictions_cut_weights(p, c->max_weight);
    }
    if (!rc && out->without_delay) {
        log_warn("%zu conversions have no delay: they count, whatever --attribution_window is", out->without_delay);
    }
    return rc;
}
