/* Orders of rows that are kept for weights, and what of a regression needs them: ranks and pairs. */

#include <string.h>

#include "core/mem.h"
#include "eval/curve.h"
#include "eval/sort.h"

typedef double number_fn(const struct metric_data *data, size_t row, int which);

static bool is_labelled(const struct predictions *p, size_t row)
{
    return p->label ? p->label[row] >= 0 : !isnan(p->target[row]);
}

static uint32_t unit_of(const struct metric_orders *orders, size_t row)
{
    return orders->unit_of_row ? orders->unit_of_row[row] : (uint32_t)row;
}

/* Rows with a label (target) in ascending order of number; the caller frees *memory. */
static int sort_rows(const struct metric_data *data, number_fn *number, int which, struct sort_item **memory,
                     struct sort_item **sorted, size_t *count)
{
    const struct predictions *p = data->p;
    struct sort_item *items = mem_alloc((2 * p->rows + 1) * sizeof *items);
    *memory = items;
    *count = 0;
    if (!items) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < p->rows; row++) {
        if (is_labelled(p, row) && metric_keeps(&data->filter, row)) {
            items[*count].key = sort_key(number(data, row, which));
            items[(*count)++].payload = (uint32_t)row;
        }
    }
    *sorted = sort_items(items, items + p->rows, *count);
    return 0;
}

int orders_prepare_class(struct metric_orders *orders, const struct metric_data *data, int label)
{
    struct sort_item *memory;
    struct sort_item *sorted;
    size_t count;
    if (!orders->of_class) {
        orders->of_class = mem_calloc((size_t)data->classes, sizeof *orders->of_class);
        if (!orders->of_class) {
            return RECO_E_NOMEM;
        }
    }
    if (orders->of_class[label]) {
        return 0;
    }
    int rc = sort_rows(data, curve_score, label, &memory, &sorted, &count);
    struct curve_row *order = rc ? NULL : mem_alloc((count + 1) * sizeof *order);
    for (size_t i = 0; order && i < count; i++) {
        size_t row = sorted[i].payload;
        bool end = i + 1 == count || sorted[i + 1].key != sorted[i].key;
        order[i] = (struct curve_row){unit_of(orders, row), 2 * (uint32_t)predictions_label(data->p, row) + end};
    }
    mem_free(memory);
    orders->rows = order ? count : 0;
    orders->of_class[label] = order;
    return order ? 0 : RECO_E_NOMEM;
}

static double highest_p(const struct metric_data *data, size_t row, int which)
{
    double highest = -1;
    (void)which;
    for (int c = 0; c < data->classes; c++) {
        highest = fmax(highest, predictions_p(data->p, row, c));
    }
    return highest;
}

int orders_prepare_bins(struct metric_orders *orders, const struct metric_data *data)
{
    struct sort_item *memory;
    struct sort_item *sorted;
    size_t count;
    if (orders->of_bins) {
        return 0;
    }
    int rc = sort_rows(data, highest_p, 0, &memory, &sorted, &count);
    struct order_row *order = rc ? NULL : mem_alloc((count + 1) * sizeof *order);
    for (size_t i = 0; order && i < count; i++) {
        size_t row = sorted[i].payload;
        double highest = sort_number(sorted[i].key);
        int best = 0;
        while (predictions_p(data->p, row, best) < highest) {
            best++;
        }
        order[i] = (struct order_row){unit_of(orders, row), best == predictions_label(data->p, row), highest};
    }
    mem_free(memory);
    orders->rows = order ? count : 0;
    orders->of_bins = order;
    return order ? 0 : RECO_E_NOMEM;
}

static double target_or_value(const struct metric_data *data, size_t row, int target)
{
    return target ? data->p->target[row] : data->p->value[row];
}

int orders_prepare_values(struct metric_orders *orders, const struct metric_data *data)
{
    struct sort_item *memory = NULL;
    struct sort_item *sorted;
    size_t count = 0;
    if (orders->of_value) {
        return 0;
    }
    uint32_t *rank = mem_alloc((data->p->rows + 1) * sizeof *rank);
    int rc = rank ? sort_rows(data, target_or_value, 1, &memory, &sorted, &count) : RECO_E_NOMEM;
    orders->target_ranks = 0;
    for (size_t i = 0; !rc && i < count; i++) {
        orders->target_ranks += !i || sorted[i].key != sorted[i - 1].key;
        rank[sorted[i].payload] = (uint32_t)orders->target_ranks - 1;
    }
    mem_free(memory);
    memory = NULL;
    if (!rc) {
        rc = sort_rows(data, target_or_value, 0, &memory, &sorted, &count);
    }
    struct order_row *order = rc ? NULL : mem_alloc((count + 1) * sizeof *order);
    for (size_t i = 0; order && i < count; i++) {
        size_t row = sorted[i].payload;
        order[i] = (struct order_row){unit_of(orders, row), (int32_t)rank[row], sort_number(sorted[i].key)};
    }
    mem_free(memory);
    mem_free(rank);
    orders->rows = order ? count : 0;
    orders->of_value = order;
    return order ? 0 : RECO_E_NOMEM;
}

void orders_release(struct metric_orders *orders, int classes)
{
    for (int c = 0; orders->of_class && c < classes; c++) {
        mem_free(orders->of_class[c]);
    }
    mem_free(orders->of_class);
    mem_free(orders->of_bins);
    mem_free(orders->of_value);
    *orders = (struct metric_orders){0};
}

/* ---- ranks and pairs ---- */

static double weight_of(const struct metric_data *data, const struct order_row *row)
{
    return data->weight ? (double)data->weight[row->unit] : 1;
}

/* The orders of a regression: those kept, else ones for this figure, in own. */
static int get_orders(const struct metric_data *data, const struct metric_orders **orders, struct metric_orders *own)
{
    *own = (struct metric_orders){0};
    *orders = data->orders;
    if (data->orders && data->orders->of_value) {
        return 0;
    }
    *orders = own;
    return orders_prepare_values(own, data);
}

/* The end of the run of equal values that begins at i, and its weight. */
static size_t tie_end(const struct metric_data *data, const struct metric_orders *orders, size_t i, double *weight)
{
    const struct order_row *row = orders->of_value;
    size_t end = i;
    *weight = 0;
    do {
        *weight += weight_of(data, &row[end++]);
    } while (end < orders->rows && row[end].number == row[i].number);
    return end;
}

/* Mean ranks, less the mean of all ranks. */
static double middle(const struct metric_data *data, double below, double tied)
{
    return below + (tied - 1) / 2 - (data->rows - 1) / 2;
}

static double spearman(const struct metric_data *data, const struct metric_orders *orders, double *rank)
{
    const struct order_row *rows = orders->of_value;
    double sum[5] = {0};
    double below = 0;
    for (size_t i = 0; i < orders->rows; i++) {
        rank[rows[i].label] += weight_of(data, &rows[i]);
    }
    for (size_t r = 0; r < orders->target_ranks; r++) { /* from weights to ranks */
        double tied = rank[r];
        rank[r] = middle(data, below, tied);
        below += tied;
    }
    below = 0;
    for (size_t i = 0, end; i < orders->rows; i = end) {
        double tied;
        end = tie_end(data, orders, i, &tied);
        double x = middle(data, below, tied);
        for (size_t j = i; j < end; j++) {
            double weight = weight_of(data, &rows[j]);
            double y = rank[rows[j].label];
            sum[0] += weight * x;
            sum[1] += weight * y;
            sum[2] += weight * x * x;
            sum[3] += weight * y * y;
            sum[4] += weight * x * y;
        }
        below += tied;
    }
    return metric_pearson_of(data->rows, sum[0], sum[1], sum[2], sum[3], sum[4]);
}

int metric_spearman_get(struct metric_data *data, double *value)
{
    const struct metric_orders *orders;
    struct metric_orders own;
    if (data->known) {
        *value = data->known->spearman;
        return 0;
    }
    int rc = get_orders(data, &orders, &own);
    double *rank = rc ? NULL : mem_calloc(orders->target_ranks + 1, sizeof *rank);
    if (rank) {
        *value = spearman(data, orders, rank);
    }
    rc = rc || rank ? rc : RECO_E_NOMEM;
    mem_free(rank);
    orders_release(&own, 0);
    return rc;
}

static double pairs(double rows)
{
    return rows * (rows - 1) / 2;
}

/* A tree of sums of weights by rank. Source: Fenwick 1994. */
static void tree_add(double *tree, size_t count, size_t rank, double weight)
{
    for (size_t at = rank + 1; at <= count; at += at & (~at + 1)) {
        tree[at] += weight;
    }
}

static double tree_below(const double *tree, size_t rank)
{
    double sum = 0;
    for (size_t at = rank; at > 0; at -= at & (~at + 1)) {
        sum += tree[at];
    }
    return sum;
}

/* tree, total: [target_ranks + 1], zero */
static double kendall(const struct metric_data *data, const struct metric_orders *orders, double *tree, double *total)
{
    const struct order_row *rows = orders->of_value;
    size_t ranks = orders->target_ranks;
    double seen = 0;
    double agreeing = 0; /* pairs in the same order less pairs in opposite order */
    double all = pairs(data->rows);
    double untied_values = all;
    double untied_targets = all;
    for (size_t i = 0, end; i < orders->rows; i = end) {
        double tied;
        end = tie_end(data, orders, i, &tied);
        for (size_t j = i; j < end; j++) {
            size_t rank = (size_t)rows[j].label;
            double less = tree_below(tree, rank);
            double greater = seen - tree_below(tree, rank + 1);
            agreeing += weight_of(data, &rows[j]) * (less - greater);
        }
        for (size_t j = i; j < end; j++) {
            tree_add(tree, ranks, (size_t)rows[j].label, weight_of(data, &rows[j]));
            total[rows[j].label] += weight_of(data, &rows[j]);
        }
        seen += tied;
        untied_values -= pairs(tied);
    }
    for (size_t r = 0; r < ranks; r++) {
        untied_targets -= pairs(total[r]);
    }
    return untied_values > 0 && untied_targets > 0 ? agreeing / sqrt(untied_values) / sqrt(untied_targets) : NAN;
}

int metric_kendall_get(struct metric_data *data, double *value)
{
    const struct metric_orders *orders;
    struct metric_orders own;
    if (data->known) {
        *value = data->known->kendall;
        return 0;
    }
    int rc = get_orders(data, &orders, &own);
    double *tree = rc ? NULL : mem_calloc(2 * (orders->target_ranks + 1), sizeof *tree);
    if (tree) {
        *value = kendall(data, orders, tree, tree + orders->target_ranks + 1);
    }
    rc = rc || tree ? rc : RECO_E_NOMEM;
    mem_free(tree);
    orders_release(&own, 0);
    return rc;
}
