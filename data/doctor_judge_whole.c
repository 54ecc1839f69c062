#include <string.h>

#include "core/mem.h"
#include "data/doctor_internal.h"

enum { QUERIES_MIN = 20, ITEMS_MIN = 500, TOP_SHARE_PERCENT = 30 };

static struct doctor_finding of_rule(enum doctor_rule_id rule)
{
    return (struct doctor_finding){.rule = rule,
                                   .severity = doctor_rules[rule].severity,
                                   .column = DOCTOR_NONE,
                                   .file = DOCTOR_NONE,
                                   .other_file = DOCTOR_NONE};
}

static int judge_leak(struct doctor *d, const struct doctor_whole *w, size_t a, size_t b, bool pairs)
{
    const struct doctor_overlap *o = &w->overlaps[a][b];
    struct doctor_finding f = of_rule(pairs ? DOCTOR_LEAK_PAIRS : DOCTOR_LEAK_QUERIES);
    bool texts = d->schema.query != DOCTOR_NONE && d->schema.description_count > 0;

    f.count = pairs ? o->pair_rows : o->query_rows;
    f.of = d->files[b].rows;
    if (f.count == 0 || (!pairs && o->query_rows == o->pair_rows))
        return 0;
    f.tally = doctor_tally_get(&d->tallies, f.rule, doctor_leak_slot(a, b));
    f.file = b;
    f.other_file = a;
    if (d->schema.text_count == 0)
        f.severity = DOCTOR_INFO;
    if (10 * o->query_rows <= f.of) { /* else it would drop much more than these */
        f.option = "clean";
        f.value = "leaks";
    }
    char *what = pairs ? mem_printf("%llu of %llu rows of %s %s in %s too", (unsigned long long)f.count,
                                    (unsigned long long)f.of, d->files[b].name, texts ? "are pairs that are" : "are",
                                    d->files[a].name)
                       : mem_printf("%llu of %llu rows of %s have a query (%llu in all) that is in %s too",
                                    (unsigned long long)f.count, (unsigned long long)f.of, d->files[b].name,
                                    (unsigned long long)o->queries, d->files[a].name);
    f.what = what;
    int rc = what == NULL ? RECO_E_NOMEM : doctor_finding_add(d, &f);
    mem_free(what);
    return rc;
}

/* What was tallied over all files as a whole. In a log rows and pairs of ids repeat: only texts are worth a warning. */
static int judge_repeats(struct doctor *d, enum doctor_rule_id rule)
{
    const struct doctor_tally *tally = doctor_tally_get(&d->tallies, rule, 0);
    struct doctor_finding f = of_rule(rule);

    if (tally == NULL || tally->count == 0)
        return 0;
    if (d->schema.description_count == 0) {
        f.severity = DOCTOR_INFO;
        f.no_option = true;
        f.mend = "in the nature of a log; of judgments, keep one a pair: --clean duplicates,contradictions";
    }
    f.count = tally->count;
    f.of = doctor_rows(d);
    f.tally = tally;
    return doctor_finding_add(d, &f);
}

static int judge_ids(struct doctor *d)
{
    const struct doctor_tally *tally = doctor_tally_get(&d->tallies, DOCTOR_REPEATED_IDS, 0);
    struct doctor_finding f = of_rule(DOCTOR_REPEATED_IDS);

    /* A column that was guessed and repeats much is the id of something else. */
    if (tally == NULL || (d->schema.id_guessed && tally->count * 20 > doctor_rows(d)))
        return 0;
    f.column = d->schema.id;
    f.severity = d->schema.id_guessed ? DOCTOR_WARNING : DOCTOR_ERROR;
    f.count = tally->count;
    f.of = doctor_rows(d);
    f.tally = tally;
    return doctor_finding_add(d, &f);
}

static int judge_spellings(struct doctor *d, const struct doctor_whole *w)
{
    const struct doctor_tally *tally = doctor_tally_get(&d->tallies, DOCTOR_QUERY_SPELLINGS, 0);
    struct doctor_finding f = of_rule(DOCTOR_QUERY_SPELLINGS);

    if (tally == NULL)
        return 0;
    f.column = d->schema.query;
    f.count = tally->count;
    for (size_t i = 0; i < d->file_count; i++)
        f.of += w->groups[i].queries;
    f.tally = tally;
    char *what = mem_printf("%llu %s written in several ways (case, blanks)", (unsigned long long)f.count,
                            f.count == 1 ? "query is" : "queries are");
    f.what = what;
    int rc = what == NULL ? RECO_E_NOMEM : doctor_finding_add(d, &f);
    mem_free(what);
    return rc;
}

static int judge_groups(struct doctor *d, const struct doctor_whole *w, size_t f)
{
    const struct doctor_group_figures *g = &w->groups[f];
    struct doctor_finding finding = of_rule(DOCTOR_ONE_LABEL_QUERIES);
    char *what = NULL;
    int rc = 0;

    finding.file = f;
    /* Where nearly all queries have one item, these are pairs to be classified, and no lists: that is no fault. */
    if (5 * g->one_item > 4 * g->queries)
        return 0;
    if (g->labelled >= QUERIES_MIN && 2 * g->one_label > g->labelled) {
        finding.count = g->one_label;
        finding.of = g->labelled;
        finding.column = d->schema.query;
        what = mem_printf("%llu of %llu queries of %s with two items or more have one label only: no ranking signal",
                          (unsigned long long)g->one_label, (unsigned long long)g->labelled, d->files[f].name);
        finding.what = what;
        rc = what == NULL ? RECO_E_NOMEM : doctor_finding_add(d, &finding);
    }
    mem_free(what);
    if (rc == 0 && g->queries >= QUERIES_MIN && 2 * g->one_item > g->queries) {
        finding = of_rule(DOCTOR_ONE_ITEM_QUERIES);
        finding.file = f;
        finding.column = d->schema.query;
        finding.count = g->one_item;
        finding.of = g->queries;
        what = mem_printf("%llu of %llu queries of %s have one item only", (unsigned long long)g->one_item,
                          (unsigned long long)g->queries, d->files[f].name);
        finding.what = what;
        rc = what == NULL ? RECO_E_NOMEM : doctor_finding_add(d, &finding);
        mem_free(what);
    }
    return rc;
}

static int judge_items(struct doctor *d, const struct doctor_whole *w)
{
    struct doctor_finding f = of_rule(DOCTOR_ITEM_SKEW);
    uint64_t top = w->items / 100;

    if (w->items < ITEMS_MIN || w->top_rows * 100 < w->item_rows * TOP_SHARE_PERCENT)
        return 0;
    f.count = w->top_rows;
    f.of = w->item_rows;
    char *what = mem_printf("%llu of %llu items (1 %%) have %.0f %% of the rows", (unsigned long long)top,
                            (unsigned long long)w->items, 100.0 * (double)w->top_rows / (double)w->item_rows);
    f.what = what;
    int rc = what == NULL ? RECO_E_NOMEM : doctor_finding_add(d, &f);
    mem_free(what);
    return rc;
}

int doctor_judge_whole(struct doctor *d, const struct doctor_whole *w)
{
    static const enum doctor_rule_id repeats[] = {DOCTOR_CONTRADICTIONS, DOCTOR_DUPLICATE_ROWS, DOCTOR_DUPLICATE_PAIRS};
    int rc = 0;

    for (size_t a = 0; rc == 0 && a < d->file_count; a++) {
        for (size_t b = a + 1; rc == 0 && b < d->file_count; b++) {
            rc = judge_leak(d, w, a, b, true);
            if (rc == 0 && d->schema.query != DOCTOR_NONE)
                rc = judge_leak(d, w, a, b, false);
        }
    }
    for (size_t i = 0; rc == 0 && i < sizeof repeats / sizeof *repeats; i++)
        rc = judge_repeats(d, repeats[i]);
    if (rc == 0)
        rc = judge_ids(d);
    if (rc == 0)
        rc = judge_spellings(d, w);
    for (size_t f = 0; rc == 0 && f < d->file_count; f++)
        rc = judge_groups(d, w, f);
    return rc < 0 ? rc : judge_items(d, w);
}
