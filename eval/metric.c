#include "eval/metric.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/opt.h"

#define WORDS_MAX 256

/* ---- names ---- */

static const struct {
    const char *suffix;
    enum metric_form form;
} suffixes[] = {{"_macro", METRIC_FORM_MACRO}, {"_micro", METRIC_FORM_MICRO}, {"_weighted", METRIC_FORM_WEIGHTED}};

/* "10" of "ndcg@10"; 0 when it is no positive integer. */
static size_t parse_depth(const char *text)
{
    size_t k = 0;
    for (; *text >= '0' && *text <= '9' && k < 100000000; text++) {
        k = k * 10 + (size_t)(*text - '0');
    }
    return *text ? 0 : k;
}

/* Does row give name in one of its forms? */
static bool row_gives(const struct metric *row, const char *name, struct metric_variant *variant,
                      const char **label_text)
{
    size_t length = strcspn(row->name, "@");
    if (strncmp(name, row->name, length) != 0) {
        return false;
    }
    const char *rest = name + length;
    *variant = (struct metric_variant){METRIC_FORM_PLAIN, -1, SIZE_MAX};
    *label_text = NULL;
    if (!*rest) {
        return row->forms & METRIC_FORM_PLAIN;
    }
    if (*rest == '@') {
        variant->form = METRIC_FORM_AT;
        variant->k = parse_depth(rest + 1);
        return (row->forms & METRIC_FORM_AT) && variant->k;
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (!strcmp(rest, suffixes[i].suffix)) {
            variant->form = suffixes[i].form;
            return row->forms & suffixes[i].form;
        }
    }
    if (*rest == '_' && rest[1] && (row->forms & METRIC_FORM_LABEL)) {
        variant->form = METRIC_FORM_LABEL;
        *label_text = rest + 1;
        return true;
    }
    return false;
}

const struct metric *metric_find(const char *name, struct metric_variant *variant, const char **label_text)
{
    if (!strcmp(name, "loss")) {
        name = "log_loss";
    }
    for (size_t i = 0; metric_table[i]; i++) {
        if (row_gives(metric_table[i], name, variant, label_text)) {
            return metric_table[i];
        }
    }
    return NULL;
}

const char *metric_nearest(const char *name)
{
    char base[64];
    const char *words[WORDS_MAX];
    size_t count = 0;
    (void)snprintf(base, sizeof base, "%.*s", (int)strcspn(name, "@"), name);
    for (size_t i = 0; metric_table[i] && count < WORDS_MAX; i++) {
        words[count++] = metric_table[i]->name;
    }
    return opt_nearest(base, words, count);
}

/* ---- averages over classes ---- */

int metric_class_average(struct metric_data *data, const struct metric_variant *variant, metric_class_fn *class_value,
                         const char *why_undefined, double *value, const char **reason)
{
    size_t n = (size_t)data->classes;
    enum metric_form form = variant->form;
    int label = variant->label;
    if (form == METRIC_FORM_PLAIN) {
        form = n == 2 ? METRIC_FORM_LABEL : METRIC_FORM_MACRO;
        label = data->positive;
    }
    if (form == METRIC_FORM_LABEL) {
        size_t c = (size_t)label;
        *value = class_value(data->confusion[c * n + c], data->predicted[c], data->support[c]);
        *reason = isnan(*value) ? why_undefined : NULL;
        return 0;
    }
    double sum = 0;
    double weight = 0;
    uint64_t hits = 0;
    for (size_t c = 0; c < n; c++) {
        hits += data->confusion[c * n + c];
        if (data->predicted[c] + data->support[c] == 0) {
            continue;
        }
        double of_class = class_value(data->confusion[c * n + c], data->predicted[c], data->support[c]);
        double w = form == METRIC_FORM_WEIGHTED ? (double)data->support[c] : 1;
        sum += isnan(of_class) ? 0 : w * of_class; /* as scikit-learn; the report names such classes */
        weight += w;
    }
    if (form == METRIC_FORM_MICRO) {
        *value = class_value(hits, data->rows, data->rows);
    } else {
        *value = sum / weight;
    }
    *reason = isnan(*value) ? "no row has a label" : NULL;
    return 0;
}

/* ---- one class against the rest ---- */

/* From items in ascending order of score; payload 1: of the class. Ties are one threshold. */
static void curve_fill(struct metric_curve *curve, const struct sort_item *items, size_t count, size_t positives)
{
    double pairs = 0; /* twice the pairs ranked right, ties half: whole numbers, so exact */
    double negatives_below = 0;
    for (size_t i = 0; i < count;) {
        double tied[2] = {0, 0};
        uint64_t key = items[i].key;
        for (; i < count && items[i].key == key; i++) {
            tied[items[i].payload]++;
        }
        pairs += tied[1] * (2 * negatives_below + tied[0]);
        negatives_below += tied[0];
    }
    curve->auc = pairs / (2 * (double)positives * (double)(count - positives));

    double sum = 0;
    double hits = 0;
    for (size_t i = count; i > 0;) {
        double tied = 0;
        uint64_t key = items[i - 1].key;
        for (; i > 0 && items[i - 1].key == key; i--) {
            tied += items[i - 1].payload;
        }
        hits += tied;
        sum += tied * (hits / (double)(count - i));
    }
    curve->average_precision = sum / (double)positives;
}

int metric_class_sorted(const struct metric_data *data, int label, struct sort_item **out, size_t *count, void **memory)
{
    const struct predictions *p = data->p;
    size_t classes = (size_t)data->classes;
    struct sort_item *items = mem_alloc((2 * data->rows + 1) * sizeof *items);
    *memory = items;
    *count = 0;
    if (!items) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < p->rows; row++) {
        if (p->label[row] >= 0) {
            double score =
                p->p ? p->p[row * classes + (size_t)label] : (label == data->positive ? p->score[row] : -p->score[row]);
            items[*count].key = sort_key(score);
            items[(*count)++].payload = p->label[row] == label;
        }
    }
    *out = sort_items(items, items + *count, *count);
    return 0;
}

int metric_curve_get(struct metric_data *data, int label, const struct metric_curve **out)
{
    struct metric_curve *curve = &data->curves[label];
    *out = curve;
    if (curve->done) {
        return 0;
    }
    size_t positives = (size_t)data->support[label];
    curve->auc = curve->average_precision = NAN;
    curve->reason = !positives ? "no row has the label" : positives == data->rows ? "every row has the label" : NULL;
    if (curve->reason) {
        curve->done = true;
        return 0;
    }
    struct sort_item *items;
    size_t count;
    void *memory;
    int rc = metric_class_sorted(data, label, &items, &count, &memory);
    if (!rc) {
        curve_fill(curve, items, count, positives);
        curve->done = true;
        mem_free(memory);
    }
    return rc;
}

int metric_curve_average(struct metric_data *data, const struct metric_variant *variant,
                         double (*figure)(const struct metric_curve *curve), double *value, const char **reason)
{
    const struct metric_curve *curve;
    bool one = variant->form == METRIC_FORM_LABEL || (variant->form == METRIC_FORM_PLAIN && data->classes == 2);
    int first = one ? (variant->form == METRIC_FORM_LABEL ? variant->label : data->positive) : 0;
    int last = one ? first : data->classes - 1;
    double sum = 0;
    *reason = NULL;
    for (int c = first; c <= last; c++) {
        int rc = metric_curve_get(data, c, &curve);
        if (rc) {
            return rc;
        }
        if (curve->reason) {
            return metric_undefined(value, reason, one ? curve->reason : "a class has no row, or all of them");
        }
        sum += figure(curve);
    }
    *value = sum / (last - first + 1);
    return 0;
}

/* ---- agreement ---- */

int metric_agreement(struct metric_data *data, int power, double *value, const char **reason)
{
    size_t n = (size_t)data->classes;
    double observed = 0;
    double expected = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            double weight = i == j ? 0 : pow(fabs((double)i - (double)j), power);
            observed += weight * (double)data->confusion[i * n + j];
            expected += weight * (double)data->support[i] * (double)data->predicted[j];
        }
    }
    if (expected == 0) {
        return metric_undefined(value, reason, "labels and predictions are all of one class");
    }
    *value = 1 - observed * (double)data->rows / expected;
    *reason = NULL;
    return 0;
}

/* ---- sums ---- */

double metric_squared_error(const struct metric_data *data)
{
    const struct predictions *p = data->p;
    double sum = 0;
    for (size_t row = 0; row < p->rows; row++) {
        if (!isnan(p->target[row])) {
            double miss = p->value[row] - p->target[row];
            sum += miss * miss;
        }
    }
    return sum / (double)data->rows;
}

size_t metric_hits(const struct metric_list *list, size_t k)
{
    size_t hits = 0;
    for (size_t i = 0; i < list->count && i < k; i++) {
        hits += list->grade[i] >= list->relevance_level;
    }
    return hits;
}

/* Source: Welford 1962, and its two-variable form. */
void metric_moments_add(struct metric_moments *m, double x, double y)
{
    m->count++;
    double dx = x - m->mean_x;
    double dy = y - m->mean_y;
    m->mean_x += dx / m->count;
    m->mean_y += dy / m->count;
    m->xx += dx * (x - m->mean_x);
    m->yy += dy * (y - m->mean_y);
    m->xy += dx * (y - m->mean_y);
}

double metric_moments_pearson(const struct metric_moments *m)
{
    if (!(m->xx > 0) || !(m->yy > 0)) {
        return NAN;
    }
    double r = m->xy / sqrt(m->xx) / sqrt(m->yy);
    return r > 1 ? 1 : r < -1 ? -1 : r;
}
