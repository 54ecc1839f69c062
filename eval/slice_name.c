#include <string.h>

#include "core/mem.h"
#include "eval/evaluate.h"
#include "eval/slice.h"

void slice_name_release(struct slice_name *name)
{
    mem_free(name->slice);
    mem_free(name->metric);
    *name = (struct slice_name){0};
}

static int check_gap(const char *gap)
{
    for (size_t i = 0; slice_gap_names[i]; i++) {
        if (!strcmp(slice_gap_names[i], gap)) {
            return 0;
        }
    }
    return err_set(
        RECO_E_USAGE,
        "unknown gap '%s': demographic_parity, equal_opportunity, equalized_odds, exposure or exposure_merit", gap);
}

/* "f1" of "low(f1)", or slice and metric of "worst(lang).f1"; inside stands after the first bracket. */
static int take_parts(struct slice_name *out, const char *inside, bool with_slice)
{
    const char *close = with_slice ? strstr(inside, ").") : strrchr(inside, ')');
    if (!close || close == inside || (!with_slice && close[1])) {
        return err_set(RECO_E_USAGE,
                       "cannot parse the figure's name at '%s': it is low(metric), high(metric), "
                       "worst(slice).metric or gap(slice).name",
                       inside);
    }
    char *part = mem_strndup(inside, (size_t)(close - inside));
    out->slice = with_slice ? part : NULL;
    out->metric = with_slice ? mem_strdup(close + 2) : part;
    return part && out->metric ? 0 : RECO_E_NOMEM;
}

int slice_name_parse(struct slice_name *out, const char *name)
{
    static const struct {
        const char *prefix;
        enum slice_name_kind kind;
    } kinds[] = {
        {"low(", SLICE_NAME_LOW}, {"high(", SLICE_NAME_HIGH}, {"worst(", SLICE_NAME_WORST}, {"gap(", SLICE_NAME_GAP}};
    *out = (struct slice_name){0};
    int rc = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !out->kind; i++) {
        size_t length = strlen(kinds[i].prefix);
        if (!strncmp(name, kinds[i].prefix, length)) {
            out->kind = kinds[i].kind;
            rc = take_parts(out, name + length, out->kind >= SLICE_NAME_WORST);
        }
    }
    if (!rc && out->kind == SLICE_NAME_METRIC) {
        out->metric = mem_strdup(name);
        rc = out->metric ? 0 : RECO_E_NOMEM;
    }
    if (!rc && out->slice) {
        rc = slice_check(out->slice);
    }
    if (!rc) {
        rc = out->kind == SLICE_NAME_GAP ? check_gap(out->metric) : eval_metric_check(out->metric);
    }
    if (rc) {
        slice_name_release(out);
    }
    return rc;
}
