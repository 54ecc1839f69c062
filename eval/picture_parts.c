/* Pictures of what is not a curve: calibration, lengths, positions, slices. */

#include <math.h>
#include <string.h>

#include "eval/arms.h"
#include "eval/interval.h"
#include "eval/picture_internal.h"
#include "eval/slice.h"
#include "eval/try.h"

enum { GROUPS_DRAWN = 24, GROUP_NAME_SHOWN = 20, FIGURE_NAME_SHOWN = 12, ARM_NAME_SHOWN = 14 };

/* ---- reliability ---- */

bool report_reliability(const struct eval_report *report, struct calibrate_bin bins[CALIBRATE_BINS], bool *of_top)
{
    const struct predictions *p = report->p;
    if (!p || !p->label || !predictions_has_p(p) || !(report->data.rows > 0)) {
        return false;
    }
    *of_top = p->labels.count > 2;
    calibrate_reliability(bins, CALIBRATE_BINS, p, *of_top ? CALIBRATE_TOP : p->labels.positive);
    return true;
}

int picture_plan_reliability(struct eval_pictures *pictures, const struct eval_report *report)
{
    struct calibrate_bin bins[CALIBRATE_BINS];
    bool of_top;
    struct eval_picture_about *about;
    if (!report_reliability(report, bins, &of_top)) {
        return 0;
    }
    struct buf *b = picture_add(pictures, PICTURE_OF_CLASSES, &about);
    if (!b) {
        return 0;
    }
    double rows = 0;
    for (size_t i = 0; i < CALIBRATE_BINS; i++) {
        rows += bins[i].count;
    }
    TRY(buf_printf(&about->title, "Reliability of the %s: above the line it is too modest; bars: share of the rows",
                   of_top ? "most probable class" : "positive class"));
    /* only that of the most probable class is what ece is */
    TRY(buf_printf(&about->says, " %s %.4f", of_top ? "Expected calibration error" : "Mean gap to the line",
                   calibrate_error(bins, CALIBRATE_BINS)));
    TRY(picture_begin(b, "reliability", 370, "probability given", of_top ? "share that is right" : "share that is so"));
    TRY(buf_add_str(b, "set xrange [0:1]\nset yrange [0:1.02]\nset key off\nset style fill solid 0.25 noborder\n"
                       "$d << END\n"));
    for (size_t i = 0; i < CALIBRATE_BINS; i++) {
        if (bins[i].count > 0) {
            TRY(buf_printf(b, "%.5g %.5g %.5g %.5g\n", bins[i].p, bins[i].observed, (bins[i].low + bins[i].high) / 2,
                           bins[i].count / rows));
        }
    }
    return buf_printf(b,
                      "END\nset boxwidth %.5g\nplot $d using 3:4 with boxes lt 2, x dt 2 lc rgb '#999999', $d using "
                      "1:2 with linespoints lw 2 pt 7 ps 0.6 lt 1\n",
                      0.9 / CALIBRATE_BINS);
}

/* ---- lengths ---- */

static void add_length(struct report_length_bin *bin, const struct predictions *p, size_t row)
{
    bin->rows++;
    bin->truncated += p->truncated && p->truncated[row];
    if (p->target && p->value && !isnan(p->target[row])) {
        bin->judged++;
        bin->error += fabs(p->value[row] - p->target[row]);
    } else if (p->label && p->predicted && predictions_label(p, row) >= 0) {
        bin->judged++;
        bin->error += predictions_label(p, row) != predictions_predicted(p, row);
    }
}

size_t report_lengths(const struct eval_report *report, struct report_length_bin bins[REPORT_LENGTH_BINS],
                      size_t *width)
{
    const struct predictions *p = report->p;
    size_t longest = 0;
    if (!p || !p->tokens) {
        return 0;
    }
    for (size_t row = 0; row < p->rows; row++) {
        longest = p->tokens[row] > longest ? p->tokens[row] : longest;
    }
    *width = (longest + REPORT_LENGTH_BINS - 1) / REPORT_LENGTH_BINS;
    if (!*width) {
        return 0;
    }
    memset(bins, 0, REPORT_LENGTH_BINS * sizeof *bins);
    for (size_t row = 0; row < p->rows; row++) {
        size_t tokens = p->tokens[row];
        add_length(&bins[tokens ? (tokens - 1) / *width : 0], p, row);
    }
    return (longest - 1) / *width + 1;
}

int picture_plan_lengths(struct eval_pictures *pictures, const struct eval_report *report)
{
    struct report_length_bin bins[REPORT_LENGTH_BINS];
    struct eval_picture_about *about;
    size_t width;
    size_t count = report_lengths(report, bins, &width);
    struct buf *b = count ? picture_add(pictures, PICTURE_OF_LENGTHS, &about) : NULL;
    double truncated = 0;
    if (!b) {
        return 0;
    }
    TRY(picture_begin(b, "lengths", 330, "tokens the model saw, special ones included", "rows"));
    TRY(buf_add_str(b, "$d << END\n"));
    for (size_t i = 0; i < count; i++) {
        TRY(buf_printf(b, "%.6g %.0f %.0f\n", ((double)i + 0.5) * (double)width + 0.5, bins[i].rows,
                       bins[i].truncated));
        truncated += bins[i].truncated;
    }
    TRY(buf_add_str(&about->title, truncated > 0 ? "Rows by length" : "Rows by length; none was truncated"));
    TRY(buf_printf(&about->says, " Up to %zu tokens; %.0f rows truncated", count * width, truncated));
    TRY(buf_printf(b,
                   "END\nset xrange [0:*]\nset yrange [0:*]\nset style fill solid 0.7 noborder\nset boxwidth %.6g\n"
                   "set key outside top center horizontal\n",
                   0.9 * (double)width));
    return truncated > 0 ? buf_add_str(b, "plot $d using 1:2 with boxes lt 1 title 'whole', $d using 1:3 with boxes lt "
                                          "6 title 'truncated'\n")
                         : buf_add_str(b, "plot $d using 1:2 with boxes lt 1 notitle\n");
}

/* ---- behaviour by position ---- */

static double rate_at(const struct eval_report *report, size_t position, size_t rates, size_t rate)
{
    const double *sums = report->by_position + (position * rates + rate) * 2;
    return sums[1] > 0 ? sums[0] / sums[1] : NAN;
}

/* Seconds, money and depths have axes of their own; a rate is a share. */
static bool is_share(const struct eval_report *report, size_t rates, size_t rate)
{
    bool any = false;
    for (size_t at = 0; at < report->position_count; at++) {
        double value = rate_at(report, at, rates, rate);
        if (value < 0 || value > 1) {
            return false;
        }
        any = any || !isnan(value);
    }
    return any && !(report_rate(report, rate)->metric->needs &
                    (METRIC_NEEDS_DWELL | METRIC_NEEDS_DEPTH | METRIC_NEEDS_REVENUE));
}

static int add_rates(struct buf *b, struct buf *says, const struct eval_report *report, size_t rates)
{
    struct buf plot = {0};
    size_t drawn = 0;
    int rc = 0;
    for (size_t i = 0; !rc && i < rates; i++) {
        if (!is_share(report, rates, i)) {
            continue;
        }
        const char *name = report_rate(report, i)->name;
        rc = buf_printf(b, "$r%zu << END\n", i);
        for (size_t at = 0; !rc && at < report->position_count; at++) {
            double value = rate_at(report, at, rates, i);
            rc = isnan(value) ? 0 : buf_printf(b, "%zu %.5g\n", at + 1, value);
        }
        if (!rc) {
            rc = buf_add_str(b, "END\n");
        }
        if (!rc) {
            rc = buf_printf(&plot, "%s$r%zu with linespoints lw 2 pt 7 ps 0.5 lt %zu title ", drawn ? ", " : "plot ", i,
                            drawn + 1);
        }
        if (!rc) {
            rc = page_plot_quoted(&plot, name);
        }
        if (!rc) {
            rc = buf_add_str(&plot, " noenhanced");
        }
        if (!rc) {
            rc = buf_printf(says, "%s%s %.4f at position 1", drawn ? ", " : " ", name, rate_at(report, 0, rates, i));
        }
        drawn++;
    }
    if (!rc) {
        rc = drawn ? buf_printf(b, "%s\n", buf_str(&plot)) : buf_add_str(b, "plot NaN notitle\n");
    }
    buf_release(&plot);
    return rc;
}

int picture_plan_positions(struct eval_pictures *pictures, const struct eval_report *report)
{
    struct eval_picture_about *about;
    size_t rates = 0;
    bool any = false;
    while (report->position_count && report_rate(report, rates)) {
        rates++;
    }
    for (size_t i = 0; i < rates; i++) {
        any = any || is_share(report, rates, i);
    }
    struct buf *b = any ? picture_add(pictures, PICTURE_OF_POSITIONS, &about) : NULL;
    if (!b) {
        return 0;
    }
    TRY(buf_add_str(&about->title, "Behaviour by position"));
    TRY(picture_begin(b, "positions", 330, "position", "rate"));
    TRY(buf_printf(b, "set xrange [0.5:%zu.5]\nset yrange [0:*]\nset xtics %d\nset key outside top center horizontal\n",
                   report->position_count, report->position_count <= 12 ? 1 : 5));
    return add_rates(b, &about->says, report, rates);
}

/* ---- slices ---- */

double picture_nice_step(double width)
{
    double step = pow(10, floor(log10(width / 5)));
    double times = width / 5 / step;
    return step * (times > 5 ? 10 : times > 2 ? 5 : times > 1 ? 2 : 1);
}

/* Widens [*low, *high] by what is drawn of a group. */
static void widen(const struct slice_group *g, double *low, double *high)
{
    bool bounds = g->intervals && !g->intervals[0].reason;
    *low = fmin(*low, bounds ? fmin(g->intervals[0].low, g->values[0]) : g->values[0]);
    *high = fmax(*high, bounds ? fmax(g->intervals[0].high, g->values[0]) : g->values[0]);
}

static int add_groups(struct buf *b, const struct slice_result *r, size_t count)
{
    TRY(buf_add_str(b, "$g << END\n"));
    for (size_t i = 0, at = 0; i < r->groups.count && at < count; i++) {
        const struct slice_group *g = &r->items[i];
        if (!g->rows || g->reasons[0]) {
            continue;
        }
        const struct interval *bounds = g->intervals && !g->intervals[0].reason ? &g->intervals[0] : NULL;
        TRY(buf_printf(b, "%.6g %zu %.6g %.6g %d\n", g->values[0], at++, bounds ? bounds->low : g->values[0],
                       bounds ? bounds->high : g->values[0], g->small));
    }
    TRY(buf_add_str(b, "END\nset ytics noenhanced ("));
    for (size_t i = 0, at = 0; i < r->groups.count && at < count; i++) {
        if (!r->items[i].rows || r->items[i].reasons[0]) {
            continue;
        }
        TRY(at ? buf_add_str(b, ", ") : 0);
        TRY(picture_quoted(b, r->items[i].name, GROUP_NAME_SHOWN));
        TRY(buf_printf(b, " %zu", at++));
    }
    return buf_add_str(b, ")\n");
}

static int plan_slice(struct eval_pictures *pictures, const struct eval_report *report, size_t slice)
{
    const struct eval_slices *s = report->slices;
    const struct slice_result *r = &s->slices[slice];
    struct eval_picture_about *about;
    const struct slice_group *first = NULL;
    double low = NAN;
    double high = NAN;
    size_t defined = 0;
    for (size_t i = 0; i < r->groups.count; i++) {
        bool is = r->items[i].rows && !r->items[i].reasons[0];
        first = is && !first ? &r->items[i] : first;
        defined += is;
        if (is && defined <= GROUPS_DRAWN) {
            widen(&r->items[i], &low, &high);
        }
    }
    size_t count = defined < GROUPS_DRAWN ? defined : GROUPS_DRAWN;
    struct buf *b = count > 1 ? picture_add(pictures, PICTURE_OF_SLICES, &about) : NULL;
    if (!b) {
        return 0;
    }
    double overall;
    bool has_overall = eval_report_get(report, s->metrics[0], &overall, NULL);
    char name[32];
    (void)snprintf(name, sizeof name, "slice%zu", slice);
    TRY(buf_printf(&about->title, "%s by %s%s%s%s", s->metrics[0], r->name, s->with_intervals ? ", with intervals" : "",
                   has_overall ? "; the line is all rows" : "", defined > count ? "; the worst of them" : ""));
    TRY(buf_printf(&about->says, " %zu groups; first %s %.4f", defined, first->name, first->values[0]));
    TRY(picture_begin(b, name, 90 + 22 * (int)count, s->metrics[0], ""));
    TRY(add_groups(b, r, count));
    TRY(buf_printf(b,
                   "set yrange [%zu-0.5:-0.5]\nset key off\nset errorbars 0\nset offsets graph 0.03, graph 0.03, 0, "
                   "0\n",
                   count));
    if (high > low) {
        TRY(buf_printf(b, "set xtics %.6g\n", picture_nice_step(high - low)));
    }
    if (has_overall) {
        TRY(buf_printf(b, "set arrow from %.6g, graph 0 to %.6g, graph 1 nohead dt 2 lw 2 lt 6\n", overall, overall));
    }
    TRY(buf_add_str(b, "plot "));
    TRY(s->with_intervals ? buf_add_str(b, "$g using 1:2:3:4 with xerrorbars pt 7 ps 0.6 lw 2 lt 1, ") : 0);
    return buf_add_str(
        b, "$g using 1:2 with points pt 7 ps 0.6 lt 1, $g using 1:($5 > 0 ? $2 : NaN) with points pt 7 ps 0.6 lc "
           "rgb '#999999'\n");
}

int picture_plan_slices(struct eval_pictures *pictures, const struct eval_report *report)
{
    for (size_t i = 0; report->slices && i < report->slices->count; i++) {
        TRY(plan_slice(pictures, report, i));
    }
    return 0;
}

/* ---- arms ---- */

enum { LIFTS_DRAWN = 24 };

/* The lift of an arm in percent; false: there is none. */
static bool lift_of(const struct eval_arms *arms, size_t arm, size_t figure, double lift[3])
{
    const struct eval_interval *ratio = &arms->values[arm * arms->figure_count + figure].ratio;
    lift[0] = 100 * (ratio->value - 1);
    lift[1] = 100 * (ratio->low - 1);
    lift[2] = 100 * (ratio->high - 1);
    return arm && isfinite(lift[0]) && isfinite(lift[1]) && isfinite(lift[2]);
}

/* A line a figure and arm, with its bounds; how many there are, and the ends of what is drawn. */
static int add_lifts(struct buf *b, struct buf *says, const struct eval_arms *arms, size_t *count, double ends[2])
{
    struct buf names = {0};
    int rc = buf_add_str(b, "$g << END\n");
    for (size_t f = 0; f < arms->figure_count; f++) {
        for (size_t a = 1; !rc && a < arms->count && *count < LIFTS_DRAWN; a++) {
            double lift[3];
            if (!lift_of(arms, a, f, lift)) {
                continue;
            }
            ends[0] = fmin(ends[0], lift[1]);
            ends[1] = fmax(ends[1], lift[2]);
            struct buf name = {0};
            rc = buf_printf(b, "%.6g %zu %.6g %.6g\n", lift[0], *count, lift[1], lift[2]);
            rc = rc ? rc
                    : buf_printf(says, "%s%s, %s %+.1f %%", *count ? "; " : " ", arms->figures[f], arms->names[a],
                                 lift[0]);
            rc = rc ? rc : picture_add_shortened(&name, arms->figures[f], FIGURE_NAME_SHOWN);
            rc = rc ? rc : buf_add_str(&name, ", ");
            rc = rc ? rc : picture_add_shortened(&name, arms->names[a], ARM_NAME_SHOWN);
            rc = rc ? rc : buf_add_str(&names, *count ? ", " : "");
            rc = rc ? rc : page_plot_quoted(&names, buf_str(&name));
            rc = rc ? rc : buf_printf(&names, " %zu", (*count)++);
            buf_release(&name);
        }
    }
    rc = rc ? rc : buf_printf(b, "END\nset ytics noenhanced (%s)\n", buf_str(&names));
    buf_release(&names);
    return rc;
}

int picture_plan_arms(struct eval_pictures *pictures, const struct eval_report *report)
{
    const struct eval_arms *arms = report->arms;
    struct eval_picture_about *about;
    double ends[2] = {0, 0};
    double lift[3];
    size_t count = 0;
    size_t drawn = 0;
    for (size_t i = 0; arms && i < arms->count * arms->figure_count; i++) {
        count += lift_of(arms, i / arms->figure_count, i % arms->figure_count, lift);
    }
    count = count < LIFTS_DRAWN ? count : LIFTS_DRAWN;
    struct buf *b = count ? picture_add(pictures, PICTURE_OF_ARMS, &about) : NULL;
    if (!b) {
        return 0;
    }
    TRY(buf_printf(&about->title, "Lift over %s, with %g %% intervals", arms->control, 100 * arms->level));
    TRY(picture_begin(b, "arms", 90 + 22 * (int)count, "lift, %", ""));
    TRY(add_lifts(b, &about->says, arms, &drawn, ends));
    return buf_printf(b,
                      "set yrange [%zu-0.5:-0.5]\nset key off\nset errorbars 0\nset xtics %.6g\n"
                      "set arrow from 0, graph 0 to 0, graph 1 nohead dt 2 lw 2 lt 6\n"
                      "plot $g using 1:2:3:4 with xerrorbars pt 7 ps 0.6 lw 2 lt 1\n",
                      count, picture_nice_step(ends[1] - ends[0]));
}
