/*
 * Predictions of another tool, in any bytes and by any names: read or refused with a message; what was read has
 * probabilities that sum to one and classes that there are. The first byte says how the file is read.
 */

#include <math.h>

#include "data/predictions.h"
#include "data/predictions_source.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct predictions *p)
{
    for (size_t row = 0; row < p->rows; row++) {
        double sum = 0;
        for (int c = 0; predictions_has_p(p) && c < p->labels.count; c++) {
            double one = predictions_p(p, row, c);
            if (!(one >= 0 && one <= 1)) {
                abort();
            }
            sum += one;
        }
        if (predictions_has_p(p) && p->labels.count && !(fabs(sum - 1) <= 1.001e-3)) {
            abort();
        }
        if (p->label && (p->label[row] < -1 || p->label[row] >= p->labels.count)) {
            abort();
        }
        if (p->predicted && (p->predicted[row] < 0 || p->predicted[row] >= p->labels.count)) {
            abort();
        }
        if (p->value && isnan(p->value[row])) {
            abort();
        }
        if (predictions_has_score(p) && isnan(predictions_score(p, row))) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[][2] = {{"prob_*", "0=a"}, {"s", "1=b"}};
    static const char *const labels[] = {"no", "yes"};
    static const char *const grades[] = {"0=0", "1=2"};
    static const struct table_options table = {0};
    if (!size) {
        return 0;
    }
    unsigned how = data[0];
    struct predictions_source source = {.table = &table, .is_table = how & 1, .logits = how & 2};
    source.probabilities = names[how >> 2 & 1];
    source.probability_count = how >> 3 & 1 ? 1 + (how >> 4 & 1) : 0;
    source.columns[PREDICTIONS_LABEL].name = "y";
    source.columns[PREDICTIONS_LABEL].asked = how >> 5 & 1;
    source.labels = labels;
    source.label_count = how >> 6 == 1 ? 2 : 0;
    source.labels_option = how >> 6 ? "labels" : NULL;
    source.regression = how >> 6 == 2;
    source.grades = grades;
    source.grade_count = how >> 6 == 3 ? 2 : 0;
    struct predictions_options options;
    predictions_options_init(&options);
    options.source = &source;
    options.packed = how & 4;
    char path[64];
    struct predictions *p = NULL;
    int fd = fuzz_file(data + 1, size - 1, path);
    err_clear();
    if (predictions_open(&p, path, &options)) {
        if (p || !*err_message()) {
            abort();
        }
    } else {
        check(p);
        predictions_free(p);
    }
    close(fd);
    return 0;
}
