#include "data/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/doctor_internal.h"

enum { LANES_A_THREAD = 4, MEMORY_MIN = 4 << 20 };

static int parse_limits(int64_t *limits, size_t *count, const struct opt_list *texts)
{
    if (texts->count > DOCTOR_LIMITS_MAX)
        return err_set(RECO_E_USAGE, "option 'max_seq_length': at most %d lengths at a time", DOCTOR_LIMITS_MAX);
    for (size_t i = 0; i < texts->count; i++) {
        char *end;
        long long value = strtoll(texts->items[i], &end, 10);
        if (*end != '\0' || end == texts->items[i] || value < 4 || value > 65536)
            return err_set(RECO_E_USAGE, "option 'max_seq_length': '%s' is no length between 4 and 65536 tokens",
                           texts->items[i]);
        size_t at = i;
        for (; at > 0 && limits[at - 1] > value; at--)
            limits[at] = limits[at - 1];
        limits[at] = value;
    }
    *count = texts->count;
    return 0;
}

int doctor_options_check(const struct doctor_options *options)
{
    int64_t limits[DOCTOR_LIMITS_MAX];
    size_t count;
    int rc = table_options_check(&options->table);

    return rc < 0 ? rc : parse_limits(limits, &count, &options->max_seq_length);
}

static int open_sorters(struct doctor *d)
{
    size_t memory = d->options->max_memory > MEMORY_MIN ? (size_t)d->options->max_memory : MEMORY_MIN;
    int rc = sorter_new(&d->pairs, d->options->tmp_dir, memory / 2);

    if (rc == 0)
        rc = sorter_new(&d->items, d->options->tmp_dir, memory / 8);
    return rc < 0 ? rc : sorter_new(&d->ids, d->options->tmp_dir, memory / 4);
}

static int open_lanes(struct doctor *d)
{
    static char *all[] = {(char *)"all"};
    const struct clean_options masks = {.mask = {.items = all, .count = 1}, .near_duplicate_threshold = 1.0};
    int threads = d->options->threads > 0 ? (int)d->options->threads : cpu_count();
    size_t slots = 1 + d->schema.count, leaks = doctor_leak_slot(d->file_count, 0);
    int rc = pool_new(&d->pool, threads);

    if (rc == 0)
        rc = cleaner_new(&d->masker, &masks);
    if (rc == 0)
        rc = clean_lane_new(&d->read_finder, d->masker);
    if (rc == 0)
        rc = doctor_tallies_init(&d->tallies, slots > leaks ? slots : leaks);
    d->lanes = rc == 0 ? mem_calloc((size_t)threads * LANES_A_THREAD, sizeof *d->lanes) : NULL;
    if (rc == 0 && d->lanes == NULL)
        rc = RECO_E_NOMEM;
    for (int i = 0; rc == 0 && i < threads * LANES_A_THREAD; i++) {
        d->lane_count++;
        rc = doctor_lane_init(&d->lanes[i], d, slots);
    }
    if (rc == 0) {
        d->registers = mem_calloc(d->schema.count + 1, DOCTOR_REGISTERS);
        d->labels = mem_calloc(1, sizeof *d->labels);
        d->tells = mem_calloc(d->schema.count + 1, sizeof *d->tells);
        d->findings = json_array();
        rc = d->registers == NULL || d->tells == NULL || d->labels == NULL || d->findings == NULL ? err_nomem() : 0;
    }
    if (rc == 0)
        d->labels->masker = d->read_finder; /* labels are entered while nothing is read */
    return rc < 0 ? rc : open_sorters(d);
}

/* Everything that the lanes counted, into lane 0 and the tallies of the run. */
static int merge(struct doctor *d)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < d->lane_count; i++) {
        rc = doctor_tallies_merge(&d->tallies, &d->lanes[i].tallies);
        if (rc == 0 && i > 0)
            doctor_lane_merge(&d->lanes[0], &d->lanes[i], d);
    }
    return rc;
}

static void release(struct doctor *d)
{
    sorter_free(d->pairs);
    sorter_free(d->items);
    sorter_free(d->ids);
    for (size_t i = 0; i < d->lane_count; i++)
        doctor_lane_release(&d->lanes[i], d);
    mem_free(d->lanes);
    doctor_tallies_release(&d->tallies);
    clean_lane_free(d->read_finder);
    cleaner_free(d->masker);
    if (d->pool != NULL)
        pool_free(d->pool);
    mem_free((void *)d->registers);
    mem_free(d->tells);
    doctor_labels_release(d->labels);
    mem_free(d->labels);
    doctor_sample_release(&d->sample);
    json_decref(d->findings);
    doctor_schema_close(d);
    mem_free(d);
}

int doctor_run(json_t **out, const struct doctor_input *inputs, size_t count, const struct doctor_options *options,
               const struct wordpiece *wp)
{
    struct doctor *d = NULL;
    struct doctor_whole *w = NULL;
    int rc = doctor_options_check(options);

    if (rc == 0 && (count == 0 || count > DOCTOR_FILES_MAX))
        rc = err_set(RECO_E_USAGE, "doctor looks at 1 to %d files, not %zu", DOCTOR_FILES_MAX, count);
    if (rc == 0) {
        d = mem_calloc(1, sizeof *d);
        w = mem_calloc(1, sizeof *w);
        rc = d == NULL || w == NULL ? RECO_E_NOMEM : 0;
    }
    if (rc == 0) {
        d->options = options;
        d->wp = wp;
        rc = parse_limits(d->limits, &d->limit_count, &options->max_seq_length);
    }
    if (rc == 0)
        rc = doctor_schema_open(d, inputs, count);
    if (rc == 0)
        rc = open_lanes(d);
    if (rc == 0)
        rc = doctor_scan(d);
    if (rc == 0)
        rc = merge(d);
    if (rc == 0)
        rc = doctor_whole_run(d, w);
    if (rc == 0)
        rc = doctor_judge(d, w);
    if (rc == 0)
        rc = doctor_report(out, d, w);
    if (d != NULL)
        release(d);
    if (w != NULL)
        doctor_whole_release(w);
    mem_free(w);
    return rc;
}
