/*
 * A calibration or threshold file of any bytes is read or refused with a message; what was read gives probabilities
 * that sum to one and a class that there is, and comes out of its own file as it was.
 */

#include <math.h>
#include <string.h>

#include "eval/calibrate.h"
#include "eval/slice.h"
#include "eval/threshold.h"
#include "tests/fuzz/fuzz.h"

enum { CLASSES_MAX = 64 };

static void fill(double *p, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        p[i] = 1.0 / (i + 2);
        sum += p[i];
    }
    for (int i = 0; i < count; i++) {
        p[i] /= sum;
    }
}

static void check_calibration(const struct calibration *c)
{
    double p[CLASSES_MAX];
    double sum = 0;
    json_t *json = calibrate_to_json(c);
    if (!json) {
        abort();
    }
    json_decref(json);
    if (c->labels.count > CLASSES_MAX) {
        return;
    }
    fill(p, c->labels.count);
    calibrate_apply(c, p);
    for (int i = 0; i < c->labels.count; i++) {
        sum += p[i];
    }
    if (!(fabs(sum - 1) <= 1e-9)) {
        abort();
    }
}

static void check_threshold(const struct threshold *t)
{
    double p[CLASSES_MAX];
    json_t *json = threshold_to_json(t);
    if (!json) {
        abort();
    }
    json_decref(json);
    if (t->labels.count > CLASSES_MAX) {
        return;
    }
    fill(p, t->labels.count);
    int predicted = threshold_predict(t, p, 0.5);
    if (predicted < 0 || predicted >= t->labels.count) {
        abort();
    }
}

/* The bytes as the name of a figure, too. */
static void check_name(const uint8_t *data, size_t size)
{
    char text[256] = "";
    struct slice_name name;
    memcpy(text, data, size < sizeof text ? size : sizeof text - 1);
    err_clear();
    if (!slice_name_parse(&name, text)) {
        slice_name_release(&name);
    } else if (!*err_message()) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct calibration c;
    struct threshold t;
    int fd = fuzz_file(data, size, path);
    err_clear();
    if (!calibrate_read(&c, path)) {
        check_calibration(&c);
        calibrate_release(&c);
    } else if (!*err_message()) {
        abort();
    }
    err_clear();
    if (!threshold_read(&t, path)) {
        check_threshold(&t);
        threshold_release(&t);
    } else if (!*err_message()) {
        abort();
    }
    check_name(data, size);
    close(fd);
    return 0;
}
