/* What rows with events come to beside the figures: counts, weights, and the figures by position. */

#include "eval/behaviour.h"

#include "core/mem.h"
#include "eval/tally.h"
#include "eval/try.h"

const struct eval_value *report_rate(const struct eval_report *report, size_t i)
{
    for (size_t k = 0; k < report->value_count; k++) {
        const struct eval_value *v = &report->values[k];
        const char *reason;
        if (v->metric->event && v->variant.form == METRIC_FORM_PLAIN && report_applies(report, v, &reason) && !i--) {
            return v;
        }
    }
    return NULL;
}

static void count_event(struct eval_behaviour *sum, const struct metric_event *event)
{
    const double outcomes[] = {event->clicked, event->converted, event->carted, event->ordered, event->revenue};
    bool known = false;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        known = known || !isnan(outcomes[i]);
    }
    sum->impressions += known;
    sum->clicks += event->clicked > 0;
    sum->conversions += event->converted > 0;
    sum->carts += event->carted > 0;
    sum->orders += event->ordered > 0;
    sum->unclicked_conversions += event->converted > 0 && event->clicked == 0;
}

static void count_events(struct eval_report *report)
{
    const struct predictions *p = report->p;
    struct eval_behaviour *sum = &report->behaviour;
    for (size_t row = 0; row < p->rows; row++) {
        struct metric_event event;
        if (!metric_keeps(&report->data.filter, row)) {
            continue;
        }
        event_of_row(&event, p, row);
        count_event(sum, &event);
        if (p->position && !(p->position[row] >= 1 && floor(p->position[row]) == p->position[row])) {
            sum->unplaced++;
        }
        if (p->position && p->position[row] > REPORT_POSITIONS_MAX) {
            sum->deep++;
        }
        if (p->propensity && !isnan(p->propensity[row])) {
            double weight = 1 / p->propensity[row];
            sum->weighted++;
            sum->weight += weight;
            sum->weight_squares += weight * weight;
            sum->weight_max = fmax(sum->weight_max, weight);
        }
    }
}

static int sum_positions(struct eval_report *report)
{
    const struct predictions *p = report->p;
    size_t rates = 0;
    while (report_rate(report, rates)) {
        rates++;
    }
    if (!p->position || !rates || report->data.filter.flags) {
        return 0;
    }
    if (!report->by_position) {
        report->by_position = mem_calloc((size_t)REPORT_POSITIONS_MAX * rates * 2, sizeof *report->by_position);
    }
    if (!report->by_position) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < p->rows; row++) {
        double position = p->position[row];
        if (position >= 1 && position <= REPORT_POSITIONS_MAX && floor(position) == position) {
            report->position_rows[(size_t)position - 1]++;
            report->position_count = (size_t)fmax((double)report->position_count, position);
        }
    }
    for (size_t i = 0; i < rates; i++) {
        const struct metric *metric = report_rate(report, i)->metric;
        for (size_t row = 0; row < p->rows; row++) {
            double position = p->position[row];
            if (!(position >= 1 && position <= REPORT_POSITIONS_MAX && floor(position) == position)) {
                continue;
            }
            struct metric_event event;
            double *sums = report->by_position + (((size_t)position - 1) * rates + i) * 2;
            double numerator = 0;
            double denominator = 0;
            event_of_row(&event, p, row);
            metric->event(&event, &numerator, &denominator);
            sums[0] += numerator;
            sums[1] += denominator;
        }
    }
    return 0;
}

int report_sum_rows(struct eval_report *report)
{
    const struct predictions *p = report->p;
    if (p->clicked || p->converted || p->carted || p->ordered || p->revenue || p->dwell_s || p->depth) {
        count_events(report);
    }
    return sum_positions(report);
}

/* ---- in words ---- */

static int add_count(struct buf *b, bool is_there, double count, const char *what)
{
    return is_there ? buf_printf(b, "%s%.0f %s", b->length ? ", " : "", count, what) : 0;
}

int report_add_counts(const struct eval_report *report, struct buf *b)
{
    const struct predictions *p = report->p;
    const struct eval_behaviour *sum = &report->behaviour;
    TRY(add_count(b, p && sum->impressions > 0, sum->impressions, "impressions"));
    TRY(add_count(b, p && p->clicked, sum->clicks, "clicked"));
    TRY(add_count(b, p && p->carted, sum->carts, "put into the cart"));
    TRY(add_count(b, p && p->converted, sum->conversions, "converted"));
    return add_count(b, p && p->ordered, sum->orders, "ordered");
}

double report_effective_rows(const struct eval_behaviour *sum)
{
    return sum->weighted > 0 ? sum->weight * sum->weight / sum->weight_squares : NAN;
}

/* What is told when there is something to tell; counts stand behind, so that one is as good as many. */

static int add_window(const struct eval_report *report, struct buf *b)
{
    const struct eval_attributed *a = &report->attributed;
    TRY(buf_printf(b, "conversions later than %s, which do not count: %zu", a->window, a->late));
    return a->without_delay ? buf_printf(b, "; without a delay, which do: %zu", a->without_delay) : 0;
}

static int add_unclicked(const struct eval_report *report, struct buf *b)
{
    return buf_printf(b, "conversions of rows without a click, which cvr counts: %.0f",
                      report->behaviour.unclicked_conversions);
}

static int add_weights(const struct eval_report *report, struct buf *b)
{
    const struct eval_behaviour *sum = &report->behaviour;
    TRY(buf_printf(b, "rows that ips and snips weigh: %.0f, by up to %.6g, as good as %.1f of equal weight",
                   sum->weighted, sum->weight_max, report_effective_rows(sum)));
    if (sum->impressions > sum->weighted) {
        TRY(buf_printf(b, "; left out without a propensity: %.0f", sum->impressions - sum->weighted));
    }
    return report->attributed.max_weight > 0 ? buf_printf(b, "; weights cut to %g: %zu", report->attributed.max_weight,
                                                          report->attributed.weights_cut)
                                             : 0;
}

static int add_unplaced(const struct eval_report *report, struct buf *b)
{
    return buf_printf(b, "rows without a position from 1, which no figure at a depth or by position counts: %.0f",
                      report->behaviour.unplaced);
}

static int add_deep(const struct eval_report *report, struct buf *b)
{
    return buf_printf(b, "rows below position %d, which are not shown by position: %.0f", REPORT_POSITIONS_MAX,
                      report->behaviour.deep);
}

/* ---- which of it matters to the figures that were asked for ---- */

static bool has_form(const struct eval_report *report, unsigned forms)
{
    bool has = false;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        has = has || (v->metric->event && v->variant.form & forms);
    }
    return has;
}

static bool has_depth(const struct eval_report *report)
{
    bool has = report->by_position;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        has = has || (v->metric->event && v->variant.k != SIZE_MAX);
    }
    return has;
}

static bool has_need(const struct eval_report *report, unsigned needs)
{
    bool has = false;
    for (size_t i = 0; i < report->value_count; i++) {
        has = has || (report->values[i].metric->needs & needs) == needs;
    }
    return has;
}

int report_event_notes(const struct eval_report *report, note_line *line, void *arg)
{
    const struct eval_behaviour *sum = &report->behaviour;
    const struct {
        bool is_there;
        int (*add)(const struct eval_report *report, struct buf *b);
    } notes[] = {{report->attributed.window, add_window},
                 {sum->unclicked_conversions > 0 && has_need(report, METRIC_NEEDS_CLICKED | METRIC_NEEDS_CONVERTED),
                  add_unclicked},
                 {sum->weighted > 0 && has_form(report, METRIC_FORM_IPS | METRIC_FORM_SNIPS), add_weights},
                 {sum->unplaced > 0 && has_depth(report), add_unplaced},
                 {sum->deep > 0 && report->by_position, add_deep}};
    struct buf b = {0};
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof notes / sizeof notes[0]; i++) {
        buf_clear(&b);
        rc = notes[i].is_there ? notes[i].add(report, &b) : 0;
        rc = !rc && b.length ? line(arg, buf_str(&b)) : rc;
    }
    buf_release(&b);
    return rc;
}

int report_markdown_positions(const struct eval_report *report, struct buf *b)
{
    size_t rates = 0;
    if (!report->position_count) {
        return 0;
    }
    TRY(buf_add_str(b, "\n## By position\n\n| position | rows |"));
    for (const struct eval_value *v; (v = report_rate(report, rates)); rates++) {
        TRY(buf_printf(b, " %s |", v->name));
    }
    TRY(buf_add_str(b, "\n|--:|--:|"));
    for (size_t i = 0; i < rates; i++) {
        TRY(buf_add_str(b, "--:|"));
    }
    for (size_t at = 0; at < report->position_count; at++) {
        TRY(buf_printf(b, "\n| %zu | %.0f |", at + 1, report->position_rows[at]));
        for (size_t i = 0; i < rates; i++) {
            const double *sums = report->by_position + (at * rates + i) * 2;
            TRY(sums[1] > 0 ? buf_printf(b, " %.4f |", sums[0] / sums[1]) : buf_add_str(b, " - |"));
        }
    }
    return buf_add_char(b, '\n');
}

int report_tsv_positions(const struct eval_report *report, struct buf *b)
{
    size_t rates = 0;
    if (!report->position_count) {
        return 0;
    }
    TRY(buf_add_str(b, "position\trows"));
    for (const struct eval_value *v; (v = report_rate(report, rates)); rates++) {
        TRY(buf_printf(b, "\t%s", v->name));
    }
    for (size_t at = 0; at < report->position_count; at++) {
        TRY(buf_printf(b, "\n%zu\t%.0f", at + 1, report->position_rows[at]));
        for (size_t i = 0; i < rates; i++) {
            const double *sums = report->by_position + (at * rates + i) * 2;
            TRY(sums[1] > 0 ? buf_printf(b, "\t%.9g", sums[0] / sums[1]) : buf_add_char(b, '\t'));
        }
    }
    return buf_add_char(b, '\n');
}
