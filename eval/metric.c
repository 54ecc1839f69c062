#include "eval/metric.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/opt.h"
#include "data/decimal.h"

#define WORDS_MAX 256

/* ---- names ---- */

static const struct {
    const char *suffix;
    enum metric_form form;
} suffixes[] = {{"_macro", METRIC_FORM_MACRO}, {"_micro", METRIC_FORM_MICRO}, {"_weighted", METRIC_FORM_WEIGHTED},
                {"_lists", METRIC_FORM_LISTS}, {"_ips", METRIC_FORM_IPS},     {"_snips", METRIC_FORM_SNIPS},
                {"_ovo", METRIC_FORM_OVO}};

/* "10" of "ndcg@10"; 0 when it is no positive integer. */
static size_t parse_depth(const char *text)
{
    size_t k = 0;
    for (; *text >= '0' && *text <= '9' && k < 100000000; text++) {
        k = k * 10 + (size_t)(*text - '0');
    }
    return *text ? 0 : k;
}

/* Bytes of the number after the row's name, as in "f0.5_macro"; 0 when there is none. */
static size_t parse_parameter(const char *text, double *parameter)
{
    size_t length = strspn(text, "0123456789.");
    return length && decimal_parse(text, length, parameter) && *parameter > 0 && *parameter <= 1e6 ? length : 0;
}

static bool suffix_gives(const struct metric *row, const char *rest, struct metric_variant *variant)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        size_t length = strlen(suffixes[i].suffix);
        if (strncmp(rest, suffixes[i].suffix, length) != 0 || !(row->forms & suffixes[i].form)) {
            continue;
        }
        variant->form = suffixes[i].form;
        if (!rest[length]) {
            return true;
        }
        if (rest[length] == '@' && variant->form == METRIC_FORM_LISTS) {
            variant->k = parse_depth(rest + length + 1);
            return variant->k;
        }
    }
    return false;
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
    *variant = (struct metric_variant){METRIC_FORM_PLAIN, -1, SIZE_MAX, NAN};
    *label_text = NULL;
    if (row->forms & METRIC_FORM_PARAMETER) {
        size_t digits = parse_parameter(rest, &variant->parameter);
        if ((!digits && row->parameters) || (row->parameter_below > 0 && variant->parameter >= row->parameter_below)) {
            return false;
        }
        rest += digits;
    }
    if (!*rest) {
        return row->forms & METRIC_FORM_PLAIN;
    }
    if (*rest == '@') {
        variant->form = METRIC_FORM_AT;
        variant->k = parse_depth(rest + 1);
        return (row->forms & METRIC_FORM_AT) && variant->k;
    }
    if (suffix_gives(row, rest, variant)) {
        return true;
    }
    variant->form = METRIC_FORM_LABEL;
    *label_text = rest + 1;
    return *rest == '_' && rest[1] && (row->forms & METRIC_FORM_LABEL);
}

const char *metric_unalias(const char *name)
{
    static const char *const aliases[][2] = {
        {"loss", "log_loss"}, {"dar", "dwell_mean_s"}, {"dar_lists", "dwell_mean_s_lists"}};
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        if (!strcmp(name, aliases[i][0])) {
            return aliases[i][1];
        }
    }
    return name;
}

const struct metric *metric_find(const char *name, struct metric_variant *variant, const char **label_text)
{
    name = metric_unalias(name);
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
        *value = class_value(data->confusion[c * n + c], data->predicted[c], data->support[c], variant);
        *reason = isnan(*value) ? why_undefined : NULL;
        return 0;
    }
    double sum = 0;
    double weight = 0;
    double hits = 0;
    for (size_t c = 0; c < n; c++) {
        hits += data->confusion[c * n + c];
        if (!(data->predicted[c] + data->support[c] > 0)) {
            continue;
        }
        double of_class = class_value(data->confusion[c * n + c], data->predicted[c], data->support[c], variant);
        double w = form == METRIC_FORM_WEIGHTED ? data->support[c] : 1;
        sum += isnan(of_class) ? 0 : w * of_class; /* as scikit-learn; the report names such classes */
        weight += w;
    }
    if (form == METRIC_FORM_MICRO) {
        *value = class_value(hits, data->rows, data->rows, variant);
    } else {
        *value = sum / weight;
    }
    *reason = isnan(*value) ? "no row has a label" : NULL;
    return 0;
}

int metric_curve_average(struct metric_data *data, const struct metric_variant *variant,
                         double (*figure)(const struct metric_curve *curve), double *value, const char **reason)
{
    const struct metric_curve *curve;
    bool one = variant->form == METRIC_FORM_LABEL || (variant->form == METRIC_FORM_PLAIN && data->classes == 2);
    int first = one ? (variant->form == METRIC_FORM_LABEL ? variant->label : data->positive) : 0;
    int last = one ? first : data->classes - 1;
    double sum = 0;
    double weights = 0;
    for (int c = first; c <= last; c++) {
        int rc = metric_curve_get(data, c, &curve);
        if (rc) {
            return rc;
        }
        if (curve->reason) {
            return metric_undefined(value, reason, one ? curve->reason : "a class has no row, or all of them");
        }
        double weight = variant->form == METRIC_FORM_WEIGHTED ? data->support[c] : 1;
        sum += weight * figure(curve);
        weights += weight;
    }
    return metric_defined(value, reason, sum / weights);
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
            observed += weight * data->confusion[i * n + j];
            expected += weight * data->support[i] * data->predicted[j];
        }
    }
    if (!(expected > 0)) {
        return metric_undefined(value, reason, "labels and predictions are all of one class");
    }
    return metric_defined(value, reason, 1 - observed * data->rows / expected);
}

/* ---- rankings ---- */

double metric_hits(const struct metric_list *list, size_t k)
{
    double hits = 0;
    for (size_t i = 0; i < list->count && i < k; i++) {
        hits += list->relevance[i];
    }
    return hits;
}

double metric_miss(const struct metric_list *list, size_t k)
{
    for (size_t begin = 0; begin < list->count && begin < k;) {
        size_t end = list->tie_end ? list->tie_end[begin] : begin + 1;
        if (list->relevance[begin] > 0) {
            /* none of the places of the tie that are within the depth is a relevant item's */
            double left = (double)(end - begin);
            double irrelevant = left - round(list->relevance[begin] * left);
            double miss = 1;
            for (size_t i = begin; i < end && i < k; i++, left--, irrelevant--) {
                miss *= fmax(irrelevant, 0) / left;
            }
            return miss;
        }
        begin = end;
    }
    return 1;
}

/* ---- sums ---- */

double metric_pearson_of(double rows, double x, double y, double xx, double yy, double xy)
{
    const double rounding = 1e-13; /* what may be left of a constant side */
    double spread_x = xx - x * x / rows;
    double spread_y = yy - y * y / rows;
    if (!(spread_x > rounding * xx) || !(spread_y > rounding * yy)) {
        return NAN;
    }
    double r = (xy - x * y / rows) / sqrt(spread_x) / sqrt(spread_y);
    return r > 1 ? 1 : r < -1 ? -1 : r;
}
