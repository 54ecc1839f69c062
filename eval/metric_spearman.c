#include "eval/metric.h"

#include "core/mem.h"
#include "eval/sort.h"

/* ranks[row] = the mean rank of the row's number among ties; payloads are rows. */
static void fill_ranks(double *ranks, const struct sort_item *items, size_t count)
{
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && items[end].key == items[i].key; end++) {
        }
        for (size_t j = i; j < end; j++) {
            ranks[items[j].payload] = ((double)i + (double)end - 1) / 2;
        }
    }
}

static int spearman(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    const struct predictions *p = data->p;
    size_t rows = p->rows;
    struct sort_item *items = mem_alloc(rows * sizeof *items);
    struct sort_item *spare = mem_alloc(rows * sizeof *spare);
    double *ranks = mem_alloc(2 * rows * sizeof *ranks);
    int rc = items && spare && ranks ? 0 : RECO_E_NOMEM;
    for (int side = 0; !rc && side < 2; side++) {
        const double *numbers = side ? p->target : p->value;
        size_t count = 0;
        for (size_t row = 0; row < rows; row++) {
            if (!isnan(p->target[row])) {
                items[count].key = sort_key(numbers[row]);
                items[count++].payload = (uint32_t)row;
            }
        }
        fill_ranks(ranks + (size_t)side * rows, sort_items(items, spare, count), count);
    }
    if (!rc) {
        struct metric_moments moments = {0};
        for (size_t row = 0; row < rows; row++) {
            if (!isnan(p->target[row])) {
                metric_moments_add(&moments, ranks[row], ranks[rows + row]);
            }
        }
        *value = metric_moments_pearson(&moments);
        *reason = isnan(*value) ? "the targets or the values are all equal" : NULL;
    }
    mem_free(items);
    mem_free(spare);
    mem_free(ranks);
    return rc;
}

const struct metric metric_spearman = {
    .name = "spearman",
    .help = "rank correlation of value and target, ties at their mean rank",
    .formula = "pearson(rank(v), rank(t))",
    .citation = "Spearman 1904; scipy: stats.spearmanr",
    .version = 1,
    .needs = METRIC_NEEDS_TARGET,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = spearman,
};
