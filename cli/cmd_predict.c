#include "cli/opts_predict.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/decisions.h"
#include "cli/run_data.h"
#include "cli/torch_device.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/temp_file.h"
#include "data/dataset.h"
#include "data/hfdir.h"
#include "data/predictions.h"
#include "data/wordpiece.h"
#include "model/bert.h"
#include "train/infer.h"

enum { ID_COLUMNS = 3 };

/* ---- the data ---- */

struct predict_input {
    struct dataset *dataset;
    const struct dataset_split *split;
    size_t rows;
    char *temporary; /* directory of a dataset made from a CSV file; NULL */
};

static int check_inputs(const struct predict_options *o)
{
    if (o->data.train_file.count + o->data.validation_file.count > 0)
        return err_set(RECO_E_USAGE, "predict reads --test_file, or a split of --dataset");
    if (o->dataset != NULL && o->data.test_file.count > 0)
        return err_set(RECO_E_USAGE, "--dataset and --test_file exclude each other");
    if (o->dataset == NULL && o->data.test_file.count == 0)
        return err_set(RECO_E_USAGE, "nothing to predict: give --dataset or --test_file");
    return 0;
}

/* A dataset of the CSV file with the model's labels, in a directory that predict_input_close removes. */
static int prepare_file(struct predict_input *in, const struct predict_options *o, const struct hf_config *config,
                        const char *model_dir)
{
    struct wordpiece *wp = NULL;
    struct prepare_options data = o->data;
    struct prepare_summary summary;
    data.regression = config->labels.task == LABEL_TASK_REGRESSION;
    int rc = prepare_options_check(&data);
    if (rc == 0)
        rc = temp_dir_make(&in->temporary, data.tmp_dir, "predict");
    if (rc != 0)
        return rc;
    char *dir = path_join(in->temporary, "dataset");
    rc = dir == NULL ? err_nomem() : wordpiece_open_dir(&wp, model_dir, data.escape_special);
    if (rc == 0)
        rc = prepare_run(&data, wp, &config->labels, dir, &summary);
    if (rc == 0 && summary.rows_bad > 0)
        log_warn("%" PRIu64 " bad rows of '%s' are left out", summary.rows_bad, data.test_file.items[0]);
    if (rc == 0)
        rc = dataset_open(&in->dataset, dir);
    wordpiece_close(wp);
    mem_free(dir);
    return rc;
}

static int predict_input_open(struct predict_input *in, const struct predict_options *o, const struct hf_config *config,
                              const char *model_dir)
{
    const char *name = o->data.test_file.count > 0 ? "test" : o->split;
    int rc =
        o->data.test_file.count > 0 ? prepare_file(in, o, config, model_dir) : dataset_open(&in->dataset, o->dataset);
    if (rc == 0)
        rc = run_data_check_vocabulary(in->dataset, model_dir);
    if (rc == 0)
        rc = run_data_check_labels(in->dataset, &config->labels, model_dir);
    if (rc != 0)
        return rc;
    in->split = dataset_find_split(in->dataset, name);
    if (in->split == NULL)
        return err_set(RECO_E_USAGE, "the dataset '%s' has no split '%s'", o->dataset, name);
    in->rows = dataset_rows(in->split);
    if (o->data.max_predict_samples > 0 && (size_t)o->data.max_predict_samples < in->rows)
        in->rows = (size_t)o->data.max_predict_samples;
    return 0;
}

/* Removes the temporary dataset; the rejects of a refused file, which its error names, stay. */
static void predict_input_close(struct predict_input *in)
{
    dataset_close(in->dataset);
    if (in->temporary != NULL) {
        char *rejects = path_join(in->temporary, "dataset.rejects.tsv"), *message = mem_strdup(err_message());
        if (rejects != NULL && !file_exists(rejects) && dir_remove(in->temporary) != 0)
            log_warn("%s", err_message());
        if (message != NULL)
            err_set(RECO_E_INTERNAL, "%s", message);
        mem_free(rejects);
        mem_free(message);
    }
    mem_free(in->temporary);
}

/* ---- rows out ---- */

struct output {
    const struct dataset_split *split;
    const struct label_map *labels;
    const struct decisions *decisions;
    struct predictions_writer *writer;
    struct progress progress;
    double *p; /* [classes] */
    uint64_t truncated;
};

/* Calibrates the row's probabilities; true where a threshold decides what is predicted. */
static bool decide(struct output *out, int *predicted)
{
    const struct decisions *d = out->decisions;
    if (d->calibrates)
        calibrate_apply(&d->calibration, out->p);
    if (d->thresholds)
        *predicted = threshold_predict(&d->threshold, out->p, label_map_score(out->labels, out->p, 0));
    return d->thresholds;
}

static int write_row(void *arg, const struct infer_row *row)
{
    struct output *out = arg;
    const struct label_map *labels = out->labels;
    struct predictions_row r = {
        .label = (int)row->label, .target = NAN, .tokens = (uint32_t)row->tokens, .truncated = row->lost > 0};
    double value = 0;
    infer_probabilities(labels, row->logits, out->p, &value);
    if (labels->task == LABEL_TASK_REGRESSION) {
        r.target = dataset_target(out->split, row->row);
        r.value = value;
    } else {
        r.p = out->p;
    }
    int predicted;
    if (decide(out, &predicted))
        r.predicted = &predicted;
    size_t length;
    r.ids = dataset_columns(out->split, row->row, &length);
    const char *at = r.ids, *end = r.ids + length;
    for (int i = 0; i < ID_COLUMNS && at != NULL; i++) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        r.ids_length = (size_t)((tab != NULL ? tab : end) - r.ids);
        at = tab != NULL ? tab + 1 : NULL;
    }
    if (at != NULL) {
        r.extra = at;
        r.extra_length = (size_t)(end - at);
    }
    out->truncated += row->lost > 0;
    progress_update(&out->progress, (double)row->row + 1, "%" PRIu64 " truncated", out->truncated);
    return predictions_write(out->writer, &r);
}

static int output_open(struct output *out, const char *path)
{
    size_t count = dataset_column_count(out->split), classes = (size_t)out->labels->count + 1;
    const char **names = mem_calloc(count + 1, sizeof *names);
    out->p = mem_calloc(classes, sizeof *out->p);
    int rc = names == NULL || out->p == NULL ? err_nomem() : 0;
    for (size_t i = ID_COLUMNS; i < count && rc == 0; i++)
        names[i - ID_COLUMNS] = dataset_column_name(out->split, i);
    if (rc == 0)
        rc = predictions_writer_open(&out->writer, path, out->labels, names,
                                     count > ID_COLUMNS ? count - ID_COLUMNS : 0);
    mem_free(names);
    return rc;
}

static int sidecar_make(json_t **json, const struct cmd_ctx *ctx, const struct predict_input *in,
                        const struct decisions *decisions, const char *model_dir)
{
    const struct predict_options *o = ctx->options;
    char hash[HASH_HEX_SIZE], *path = NULL, *command = cmd_line_text(ctx);
    int rc = command == NULL ? err_nomem() : hf_dir_weights_path(&path, model_dir);
    if (rc == 0)
        rc = hash_file_hex(path, hash);
    if (rc == 0) {
        char labels[HASH_HEX_SIZE];
        label_map_hash(dataset_labels(in->dataset), labels);
        *json = json_pack("{s:s, s:{s:s, s:s, s:s, s:s}, s:s, s:s, s:s, s:{s:s, s:s}, s:{s:o}, s:I, s:s}", "split",
                          dataset_split_name(in->split), "hashes", "data", dataset_split_hash(in->split), "vocabulary",
                          dataset_vocab_hash(in->dataset), "label_map", labels, "model", hash, "model", model_dir,
                          "data", o->data.test_file.count > 0 ? o->data.test_file.items[0] : o->dataset, "command",
                          command, "versions", "reco", RECO_VERSION, "libtorch", tch_version(), "seeds", "train",
                          run_data_seed(model_dir), "max_seq_length", (json_int_t)o->data.max_seq_length, "precision",
                          o->bf16 ? "bfloat16" : "float32");
        rc = *json == NULL ? err_nomem() : decisions_stamp(decisions, *json);
    }
    mem_free(command);
    mem_free(path);
    return rc;
}

static int predict(const struct cmd_ctx *ctx, const struct predict_input *in, const struct bert *bert,
                   const struct decisions *decisions, const char *model_dir)
{
    const struct predict_options *o = ctx->options;
    struct output out = {.split = in->split, .labels = &bert->labels, .decisions = decisions};
    const struct infer_options options = {.max_length = (size_t)o->data.max_seq_length,
                                          .truncation = (enum wordpiece_truncation)o->data.truncation,
                                          .batch_tokens = (size_t)o->batch_tokens,
                                          .batch_rows = (size_t)o->batch_rows,
                                          .window_rows = (size_t)o->window_rows,
                                          .bf16 = o->bf16};
    json_t *sidecar = NULL;
    double started = clock_now_s();
    int rc = sidecar_make(&sidecar, ctx, in, decisions, model_dir);
    if (rc == 0) {
        decisions_tell(decisions, sidecar, NULL, o->output);
        rc = output_open(&out, o->output);
    }
    if (rc == 0) {
        progress_start(&out.progress, "predicting", (double)in->rows, 0);
        rc = infer_run(bert, in->split, in->rows, &options, write_row, &out);
        progress_clear(&out.progress);
    }
    if (rc == 0)
        rc = predictions_writer_commit(&out.writer, sidecar);
    else
        predictions_writer_abort(&out.writer);
    if (rc == 0)
        log_info("predicted %zu rows, %" PRIu64 " of them truncated at %" PRId64 " tokens, %.1f pairs/s", in->rows,
                 out.truncated, o->data.max_seq_length, (double)in->rows / fmax(clock_now_s() - started, 1e-9));
    json_decref(sidecar);
    mem_free(out.p);
    return rc;
}

int cmd_predict_run(const struct cmd_ctx *ctx)
{
    struct predict_options *o = ctx->options;
    struct bert_load_options load = {0};
    struct hf_config config = {0};
    struct predict_input in = {0};
    struct bert *bert = NULL;
    struct decisions decisions = {0};
    char *model_dir = NULL;
    int threads = 0;

    int rc = check_inputs(o);
    if (rc == 0)
        rc = torch_model_dir(&model_dir, o->model);
    if (rc == 0)
        rc = hf_config_read(&config, model_dir);
    if (rc == 0 && !config.has_labels)
        rc = err_set(RECO_E_MODEL, "'%s' has no classifier: fine-tune the model with reco train first", model_dir);
    if (rc == 0)
        rc = run_data_recall(&o->data, ctx->set, model_dir);
    if (rc == 0 && o->data.max_seq_length > config.max_position_embeddings)
        rc = err_set(RECO_E_USAGE,
                     "--max_seq_length %" PRId64 " is more than the %" PRId64 " positions of the model '%s'",
                     o->data.max_seq_length, config.max_position_embeddings, model_dir);
    if (rc == 0)
        rc = decisions_open(&decisions, o->calibration, o->threshold, model_dir);
    if (rc == 0)
        rc = decisions_check(&decisions, &config.labels, model_dir);
    if (rc == 0)
        rc = torch_device_open(&load.device, &threads, o->device, o->data.threads, o->bf16);
    if (rc == 0)
        rc = predict_input_open(&in, o, &config, model_dir);
    if (rc == 0)
        rc = bert_load(&bert, model_dir, &load);
    if (rc == 0 && dataset_vocab_size(in.dataset) > config.vocab_size)
        rc = err_set(RECO_E_MODEL, "the vocabulary of '%s' has %d tokens, its weights know %" PRId64, model_dir,
                     dataset_vocab_size(in.dataset), config.vocab_size);
    if (rc == 0)
        rc = predict(ctx, &in, bert, &decisions, model_dir);
    decisions_close(&decisions);
    bert_free(bert);
    predict_input_close(&in);
    hf_config_release(&config);
    mem_free(model_dir);
    return rc;
}
