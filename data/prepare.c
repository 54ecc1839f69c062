#include "data/prepare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/pool.h"
#include "core/stop.h"
#include "data/predictions.h"
#include "data/prepare_internal.h"

enum {
    SHOWN_BAD_ROWS = 5,       /* of a file, as warnings; all are in rejects.tsv */
    REJECT_BYTES = 200,       /* of a bad row, in rejects.tsv */
    ROWS_BETWEEN_LOOKS = 1024 /* at the clock and the stop flag */
};

struct run {
    const struct prepare_options *options;
    const char *output_dir;
    char *stage, *rejects_path, *reject_copy; /* reject_copy: beside the output, when there is no dataset */
    struct pool *pool;
    struct dataset_writer *writer;
    struct file_writer *rejects;
    struct prepare_labels labels;
    struct prepare_row_reader row_reader;
    struct buf line;
    json_t *splits;
    struct prepare_summary summary;
};

/* ---- bad rows
 * ------------------------------------------------------------------------------------------------------------ */

static int escape_nul(struct buf *b, const char *text, size_t length)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < length;) {
        const char *nul = memchr(text + i, '\0', length - i);
        size_t run = nul != NULL ? (size_t)(nul - text) - i : length - i;
        rc = predictions_escape(b, text + i, run);
        if (rc == 0 && nul != NULL)
            rc = buf_add_str(b, "\\0");
        i += run + (nul != NULL);
    }
    return rc;
}

static int reject(struct run *run, const struct prepare_file *file, const struct csv_record *record, const char *reason,
                  uint64_t bad_before)
{
    struct buf *line = &run->line;
    size_t raw = record->raw_length < REJECT_BYTES ? record->raw_length : REJECT_BYTES;

    buf_clear(line);
    int rc = escape_nul(line, reason, strlen(reason));
    if (rc == 0 && bad_before < SHOWN_BAD_ROWS)
        log_warn("%s line %llu: %s; row left out", file->label, (unsigned long long)record->line, buf_str(line));
    buf_clear(line);
    if (rc == 0)
        rc = predictions_escape(line, file->path, strlen(file->path));
    if (rc == 0)
        rc = buf_printf(line, "\t%llu\t", (unsigned long long)record->line);
    if (rc == 0)
        rc = escape_nul(line, reason, strlen(reason));
    if (rc == 0)
        rc = buf_add_char(line, '\t');
    if (rc == 0)
        rc = escape_nul(line, record->raw, raw);
    if (rc == 0)
        rc = buf_add_str(line, raw < record->raw_length ? "...\n" : "\n");
    return rc < 0 ? rc : file_write(run->rejects, line->data, line->length);
}

/* A count is taken as it is; of a share, one row is always allowed. */
static uint64_t allowed_bad_rows(const struct opt_amount *limit, uint64_t rows)
{
    if (!limit->is_frac)
        return (uint64_t)limit->value;
    uint64_t share = (uint64_t)(limit->value * (double)rows);
    return share > 0 ? share : 1;
}

/* No dataset: moves the bad rows beside it and returns the error. */
static int refuse(struct run *run, const char *format_label, const char *what)
{
    int rc = file_writer_commit(&run->rejects);

    if (rc < 0)
        return rc;
    if (rename(run->rejects_path, run->reject_copy) != 0)
        return err_set_errno("cannot write '%s'", run->reject_copy);
    return err_set(RECO_E_DATA, "cannot use %s: %s; they are in '%s'", format_label, what, run->reject_copy);
}

static int check_bad_rows(struct run *run, const struct prepare_file *file, const struct prepare_counts *counts)
{
    uint64_t allowed = allowed_bad_rows(&run->options->max_bad_rows, counts->rows_read);
    char what[128];

    if (counts->rows_read == 0)
        return err_set(RECO_E_DATA, "cannot use %s: it has a header and no rows", file->label);
    if (counts->rows_bad > allowed) {
        snprintf(what, sizeof what, "%llu of %llu rows are bad and %llu may be (--max_bad_rows)",
                 (unsigned long long)counts->rows_bad, (unsigned long long)counts->rows_read,
                 (unsigned long long)allowed);
        return refuse(run, file->label, what);
    }
    if (counts->rows_kept == 0)
        return refuse(run, file->label, "every row is bad");
    if (counts->rows_bad > SHOWN_BAD_ROWS)
        log_warn("%s: %llu bad rows left out, all are listed in rejects.tsv", file->label,
                 (unsigned long long)counts->rows_bad);
    return 0;
}

/* ---- a file
 * ---------------------------------------------------------------------------------------------------------------- */

static int read_rows(struct run *run, const struct prepare_file *file, struct prepare_counts *counts)
{
    const struct csv_record *record;
    struct dataset_writer_row row;
    struct progress progress = {0};
    int rc = 0;

    progress_start(&progress, file->label, (double)csv_reader_total_bytes(file->reader), 0.0);
    while (rc == 0 && (file->max_rows == 0 || counts->rows_kept < (uint64_t)file->max_rows)) {
        rc = csv_reader_next(file->reader, &record);
        if (rc < 0 || record == NULL)
            break;
        if (counts->rows_read % ROWS_BETWEEN_LOOKS == 0) {
            if (stop_requested()) {
                rc = err_set(RECO_E_STOPPED, "stopped while reading %s", file->label);
                break;
            }
            progress_update(&progress, (double)csv_reader_bytes_read(file->reader), "%llu rows",
                            (unsigned long long)counts->rows_read);
        }
        const char *bad = record->bad;
        if (bad == NULL) {
            rc = prepare_row_read(&run->row_reader, file, record, &run->labels, run->writer, &row);
            bad = run->row_reader.bad.length > 0 ? buf_str(&run->row_reader.bad) : NULL;
        }
        if (rc == 0 && bad == NULL)
            rc = dataset_writer_add(run->writer, &row);
        else if (rc == 0)
            rc = reject(run, file, record, bad, counts->rows_bad);
        counts->rows_read++;
        *(bad == NULL ? &counts->rows_kept : &counts->rows_bad) += 1;
    }
    progress_clear(&progress);
    return rc;
}

/* A model cannot be trained on one class, whatever the map says. */
static int check_classes(const struct run *run, const struct prepare_file *file)
{
    const struct label_map *map = &run->labels.map;
    int first = -1;

    if (map->task == LABEL_TASK_REGRESSION || file->split != PREPARE_TRAIN)
        return 0;
    for (size_t i = 0; i < dataset_writer_rows(run->writer); i++) {
        int label = dataset_writer_label(run->writer, i);
        if (first >= 0 && label != first)
            return 0;
        first = label;
    }
    return err_set(RECO_E_DATA, "only one class: every label is '%s', and at least 2 are needed", map->names[first]);
}

static int read_file(struct run *run, const struct prepare_file *file)
{
    struct prepare_counts counts = {0};
    int32_t *label_of = NULL;
    struct dataset_writer_split split = {.name = prepare_split_names[file->split],
                                         .column_names = file->schema.names,
                                         .column_count = file->schema.name_count,
                                         .has_target = run->labels.map.task == LABEL_TASK_REGRESSION &&
                                                       run->labels.known && file->schema.label != PREPARE_NO_COLUMN,
                                         .has_weight = file->schema.weight != PREPARE_NO_COLUMN};
    int rc = dataset_writer_begin_split(run->writer, &split);

    prepare_row_reader_next_file(&run->row_reader);
    if (rc == 0)
        rc = read_rows(run, file, &counts);
    if (rc == 0)
        rc = check_bad_rows(run, file, &counts);
    if (rc == 0 && !run->labels.known) {
        rc = prepare_labels_settle(&run->labels, run->options, &label_of);
        if (rc == RECO_E_DATA)
            rc = err_prepend(rc, "cannot use %s", file->label);
    }
    if (rc == 0)
        rc = dataset_writer_end_split(run->writer, label_of);
    if (rc == 0) {
        rc = check_classes(run, file);
        if (rc == RECO_E_DATA)
            rc = err_prepend(rc, "cannot use %s", file->label);
    }
    if (rc == 0)
        rc = prepare_report_split(run->splits, file, &counts, run->writer, &run->labels.map, run->options,
                                  &run->summary);
    mem_free(label_of);
    return rc;
}

/* ---- the whole
 * --------------------------------------------------------------------------------------------------------------- */

static int begin(struct run *run, const struct wordpiece *wp, const struct label_map *labels)
{
    static const char header[] = "file\tline\treason\trow\n";
    size_t length = strlen(run->output_dir);
    int rc = prepare_labels_init(&run->labels, run->options, labels);

    if (rc == 0)
        rc = dir_stage_begin(&run->stage, run->output_dir);
    if (rc < 0)
        return rc;
    while (length > 1 && run->output_dir[length - 1] == '/')
        length--;
    run->reject_copy = mem_printf("%.*s." PREPARE_REJECTS_FILE, (int)length, run->output_dir);
    run->rejects_path = path_join(run->stage, PREPARE_REJECTS_FILE);
    run->splits = json_array();
    if (run->reject_copy == NULL || run->rejects_path == NULL || run->splits == NULL)
        return err_nomem();
    rc = pool_new(&run->pool, run->options->threads > 0 ? (int)run->options->threads : cpu_count());
    if (rc == 0)
        rc = dataset_writer_open(&run->writer, run->stage, wp, run->pool);
    if (rc == 0)
        rc = file_writer_open(&run->rejects, run->rejects_path);
    return rc < 0 ? rc : file_write(run->rejects, header, sizeof header - 1);
}

static int commit(struct run *run)
{
    json_t *options = prepare_options_json(run->options);
    int rc = options == NULL ? RECO_E_NOMEM : 0;

    if (rc == 0)
        rc = dataset_writer_commit(run->writer, &run->labels.map, run->options->description_column.count > 0, options);
    json_decref(options);
    if (rc == 0)
        rc = prepare_report_write(run->splits, run->stage, run->writer);
    if (rc == 0)
        rc = file_writer_commit(&run->rejects);
    if (rc == 0)
        rc = dir_stage_commit(run->stage, run->output_dir);
    if (rc < 0)
        return rc;
    mem_free(run->stage);
    run->stage = NULL;
    run->summary.distinct_texts = dataset_writer_texts(run->writer);
    run->summary.tokens = dataset_writer_tokens(run->writer);
    if (file_remove(run->reject_copy) < 0) /* of a former attempt; the dataset stands all the same */
        log_warn("%s", err_message());
    return 0;
}

static void end(struct run *run)
{
    dataset_writer_free(run->writer);
    file_writer_abort(&run->rejects);
    dir_stage_abort(run->stage);
    pool_free(run->pool);
    prepare_labels_release(&run->labels);
    prepare_row_reader_release(&run->row_reader);
    buf_release(&run->line);
    json_decref(run->splits);
    mem_free(run->stage);
    mem_free(run->rejects_path);
    mem_free(run->reject_copy);
}

int prepare_run(const struct prepare_options *options, const struct wordpiece *wp, const struct label_map *labels,
                const char *output_dir, struct prepare_summary *summary)
{
    struct run run = {.options = options, .output_dir = output_dir};
    struct prepare_file files[PREPARE_SPLITS] = {0};
    size_t count = 0;
    int rc = prepare_options_check(options);

    if (rc == 0)
        rc = prepare_files_open(files, &count, options);
    if (rc == 0)
        rc = begin(&run, wp, labels);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = read_file(&run, &files[i]);
    if (rc == 0)
        rc = commit(&run);
    if (rc == 0 && summary != NULL)
        *summary = run.summary;
    end(&run);
    prepare_files_close(files, count);
    return rc;
}
