#include <math.h>
#include <string.h>

#include "core/buf.h"
#include "data/decimal.h"
#include "eval/evaluate.h"

static int refuse_label(const char *assignment, const struct label_map *labels)
{
    const int shown = labels->count < 20 ? labels->count : 20;
    struct buf names = {0};
    int rc = 0;
    for (int c = 0; !rc && c < shown; c++) {
        rc = buf_printf(&names, "%s'%s'", c ? ", " : "", labels->names[c]);
    }
    if (!rc && shown < labels->count) {
        rc = buf_printf(&names, " and %d more", labels->count - shown);
    }
    rc = rc ? rc : err_set(RECO_E_USAGE, "gain '%s' is of no label; the labels are %s", assignment, buf_str(&names));
    buf_release(&names);
    return rc;
}

int eval_gains_parse(double *gains, const struct label_map *labels, const char *const *assignments, size_t count)
{
    if (!labels->count) {
        return err_set(RECO_E_USAGE, "gains are of labels, and these are predictions of numbers");
    }
    for (int c = 0; c < labels->count; c++) {
        gains[c] = NAN;
    }
    for (size_t i = 0; i < count; i++) {
        const char *equal = strrchr(assignments[i], '=');
        double gain;
        if (!equal || !decimal_parse(equal + 1, strlen(equal + 1), &gain) || !isfinite(gain) || gain < 0) {
            return err_set(RECO_E_USAGE, "cannot parse gain '%s': write label=number, at least 0", assignments[i]);
        }
        int label = label_map_find(labels, assignments[i], (size_t)(equal - assignments[i]));
        if (label < 0) {
            return refuse_label(assignments[i], labels);
        }
        if (!isnan(gains[label])) {
            return err_set(RECO_E_USAGE, "two gains are named for label '%s'", labels->names[label]);
        }
        gains[label] = gain;
    }
    for (int c = 0; c < labels->count; c++) {
        if (isnan(gains[c])) {
            return err_set(RECO_E_USAGE, "no gain is named for label '%s'", labels->names[c]);
        }
    }
    return 0;
}
