#include <math.h>
#include <string.h>

#include "data/decimal.h"
#include "eval/evaluate.h"

int eval_gains_parse(double *gains, const struct label_map *labels, const char *const *assignments, size_t count)
{
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
            return err_set(RECO_E_USAGE, "gain '%s' is of no label", assignments[i]);
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
