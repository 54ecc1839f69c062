#include "cli/opts_train.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/resume_options.h"
#include "cli/run_data.h"
#include "cli/torch_device.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/dataset.h"
#include "data/hfdir.h"
#include "data/safetensors.h"
#include "data/wordpiece.h"
#include "train/train.h"

static const char rejects_name[] = "dataset.rejects.tsv";

static int print_line(void *arg, const char *line)
{
    (void)arg;
    int rc = cmd_print(line);
    if (rc == 0)
        rc = cmd_print("\n");
    fflush(stdout);
    return rc;
}

/* ---- what the command line asks for ---- */

static int check_inputs(const struct train_command *c)
{
    bool files = c->data.train_file.count + c->data.validation_file.count + c->data.test_file.count > 0;
    if (c->dataset != NULL && files)
        return err_set(RECO_E_USAGE, "--dataset and CSV files exclude each other");
    if (c->dataset == NULL && c->data.train_file.count == 0)
        return err_set(RECO_E_USAGE, "nothing to train on: give --dataset or --train_file");
    if (c->overwrite && c->resume_from_checkpoint != NULL)
        return err_set(RECO_E_USAGE, "--overwrite and --resume_from_checkpoint exclude each other");
    return c->dataset == NULL ? prepare_options_check(&c->data) : 0;
}

/* Refuses a directory with anything in it but the rejects of an attempt whose data were refused. */
static int check_output_dir(const struct train_command *c)
{
    bool empty = true;
    if (file_exists(c->output_dir) && !dir_exists(c->output_dir))
        return err_set(RECO_E_IO, "cannot write '%s': it is not a directory", c->output_dir);
    if (c->resume_from_checkpoint != NULL || c->overwrite)
        return 0;
    char *rejects = path_join(c->output_dir, rejects_name);
    int rc = rejects == NULL ? err_nomem() : file_exists(rejects) ? file_remove(rejects) : 0;
    mem_free(rejects);
    if (rc == 0)
        rc = dir_is_empty(c->output_dir, &empty);
    if (rc == 0 && !empty)
        rc = err_set(RECO_E_USAGE,
                     "'%s' is not empty: --resume_from_checkpoint auto continues its run, --overwrite removes it",
                     c->output_dir);
    return rc;
}

/* Before the texts are tokenised: what the configuration and the header of the weights can tell. */
static int check_model(const struct train_command *c, const char *model_dir)
{
    struct hf_config config;
    struct safetensors *weights = NULL;
    char *path = NULL;
    int rc = hf_config_read(&config, model_dir);
    if (rc != 0)
        return rc;
    rc = hf_dir_weights_path(&path, model_dir);
    if (rc == 0)
        rc = safetensors_open(&weights, path);
    safetensors_close(weights);
    mem_free(path);
    if (rc == 0 && c->data.max_seq_length > config.max_position_embeddings)
        rc = err_set(RECO_E_USAGE,
                     "--max_seq_length %" PRId64 " is more than the %" PRId64 " positions of the model '%s'",
                     c->data.max_seq_length, config.max_position_embeddings, model_dir);
    hf_config_release(&config);
    return rc;
}

/* ---- the data ---- */

/* Opens --dataset, or makes output_dir/dataset from the CSV files (a resumed run has it already). */
static int open_dataset(struct dataset **out, const struct cmd_ctx *ctx, const char *model_dir)
{
    const struct train_command *c = ctx->options;
    struct wordpiece *wp = NULL;
    struct prepare_summary summary;
    char *dir = c->dataset != NULL ? mem_strdup(c->dataset) : path_join(c->output_dir, "dataset");
    int rc = dir == NULL ? err_nomem() : 0;
    bool kept = rc == 0 && c->resume_from_checkpoint != NULL && dir_exists(dir);
    if (rc == 0 && c->dataset == NULL && !kept) {
        rc = wordpiece_open_dir(&wp, model_dir, c->data.escape_special);
        if (rc == 0)
            rc = dir_make(c->output_dir);
        if (rc == 0)
            rc = prepare_run(&c->data, wp, NULL, dir, &summary);
        if (rc == 0)
            log_info("prepared %" PRIu64 " rows into '%s', %" PRIu64 " bad rows left out", summary.rows_kept, dir,
                     summary.rows_bad);
    }
    if (rc == 0)
        rc = dataset_open(out, dir);
    if (rc == 0)
        rc = run_data_check_vocabulary(*out, model_dir);
    if (rc == 0 && (kept || c->dataset != NULL))
        rc = resume_options_check(ctx, *out, c->dataset == NULL);
    wordpiece_close(wp);
    mem_free(dir);
    return rc;
}

/* ---- the run ---- */

static void fill_options(struct train_options *o, const struct train_command *c)
{
    const char *metric = c->metric_for_best_model, *resume = c->resume_from_checkpoint;
    *o = (struct train_options){
        .output_dir = c->output_dir,
        .resume = resume != NULL && strcmp(resume, "true") == 0 ? "auto" : resume, /* transformers' spelling */
        .ignore_mismatched_sizes = c->ignore_mismatched_sizes,
        .max_seq_length = (size_t)c->data.max_seq_length,
        .truncation = (enum wordpiece_truncation)c->data.truncation,
        .num_train_epochs = c->num_train_epochs,
        .max_steps = c->max_steps,
        .batch_rows = c->per_device_train_batch_size,
        .accumulation = c->gradient_accumulation_steps,
        .learning_rate = c->learning_rate,
        .weight_decay = c->weight_decay,
        .adam_beta1 = c->adam_beta1,
        .adam_beta2 = c->adam_beta2,
        .adam_epsilon = c->adam_epsilon,
        .max_grad_norm = c->max_grad_norm,
        .schedule = schedule_find(train_schedule_choices[c->lr_scheduler_type]),
        .warmup = c->warmup_steps > 0 ? c->warmup_steps : c->warmup_ratio,
        .seed = (uint64_t)c->seed,
        .bf16 = c->bf16,
        .eval_strategy = (enum train_strategy)c->eval_strategy,
        .save_strategy = (enum train_strategy)c->save_strategy,
        .eval_steps = c->eval_steps,
        .save_steps = c->save_steps,
        .logging_steps = c->logging_steps,
        .save_total_limit = c->save_total_limit,
        .metric_for_best_model = strncmp(metric, "eval_", 5) == 0 ? metric + 5 : metric,
        .load_best_model_at_end = c->load_best_model_at_end,
        .eval_batch_tokens = (size_t)c->eval_batch_tokens,
        .max_train_samples = (size_t)c->data.max_train_samples,
        .max_eval_samples = (size_t)c->data.max_eval_samples,
    };
}

static int print_result(const struct train_options *o, const struct train_result *r)
{
    char *line = r->has_best && o->load_best_model_at_end
                     ? mem_printf("best %s %.4f at step %" PRId64 " of %" PRId64 "; model in '%s'",
                                  o->metric_for_best_model, r->best_value, r->best_step, r->steps, o->output_dir)
                     : mem_printf("%" PRId64 " steps; model in '%s'", r->steps, o->output_dir);
    if (line == NULL)
        return err_nomem();
    if (r->pairs_per_s > 0)
        log_info("%.1f pairs/s", r->pairs_per_s);
    int rc = print_line(NULL, line);
    mem_free(line);
    return rc;
}

/* A new run that failed before its first update leaves nothing but the rejects, which say why. */
static void clean_up(const struct train_command *c, bool made_dir)
{
    char *log = path_join(c->output_dir, "train.jsonl"), *dataset = path_join(c->output_dir, "dataset");
    if (log != NULL && dataset != NULL && !file_exists(log)) {
        char *message = mem_strdup(err_message());
        int rc = train_clean(c->output_dir);
        if (rc == 0 && c->dataset == NULL && dir_exists(dataset))
            rc = dir_remove(dataset);
        if (rc == 0 && made_dir)
            rmdir(c->output_dir); /* stays when it holds the rejects */
        if (message != NULL)
            err_set(RECO_E_INTERNAL, "%s", message);
        mem_free(message);
    }
    mem_free(log);
    mem_free(dataset);
}

int cmd_train_run(const struct cmd_ctx *ctx)
{
    const struct train_command *c = ctx->options;
    const struct train_hooks hooks = {.print = print_line};
    struct train_options options;
    struct train_result result;
    struct dataset *dataset = NULL;
    struct buf yaml = {0};
    char *model_dir = NULL;
    fill_options(&options, c);
    const bool fresh = options.resume == NULL, made_dir = !dir_exists(c->output_dir);
    bool started = false;

    int rc = check_inputs(c);
    if (rc == 0)
        rc = check_output_dir(c);
    if (rc == 0)
        rc = torch_model_dir(&model_dir, c->model_name_or_path);
    if (rc == 0)
        rc = check_model(c, model_dir);
    if (rc == 0)
        rc = torch_device_open(&options.device, &options.threads, c->device, c->data.threads, c->bf16);
    if (rc == 0 && c->overwrite)
        rc = train_clean(c->output_dir);
    if (rc == 0) {
        started = fresh;
        rc = open_dataset(&dataset, ctx, model_dir);
    }
    if (rc == 0)
        rc = dir_make(c->output_dir);
    if (rc == 0)
        rc = opt_dump_yaml(ctx->set, &yaml);
    if (rc == 0)
        rc = run_data_write(c->output_dir, dataset, &c->data, c->seed);
    if (rc == 0) {
        options.model_dir = model_dir;
        options.dataset = dataset;
        options.resolved_yaml = buf_str(&yaml);
        rc = train_run(&options, &hooks, &result);
    }
    if (rc == 0)
        rc = print_result(&options, &result);
    else if (started)
        clean_up(c, made_dir);
    dataset_close(dataset);
    buf_release(&yaml);
    mem_free(model_dir);
    return rc;
}
