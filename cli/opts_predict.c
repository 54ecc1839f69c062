#include "cli/opts_predict.h"

#include "cli/device.h"
#include "cli/opts_data.h"

#define AT(field) offsetof(struct predict_options, field)

static const struct opt_spec specs[] = {
    CMD_COMMON_OPTIONS(struct predict_options),
    {.name = "model",
     .type = OPT_STRING,
     .offset = AT(model),
     .help = "directory of the fine-tuned model: a run of reco train, or any Hugging Face BERT classifier",
     .group = "model",
     .aliases = "model_name_or_path",
     .letter = 'm',
     .flags = OPT_FLAG_REQUIRED | OPT_FLAG_PATH},
    {.name = "dataset",
     .type = OPT_STRING,
     .offset = AT(dataset),
     .help = "prepared dataset (reco prepare); else the CSV file of --test_file",
     .group = "data",
     .flags = OPT_FLAG_PATH},
    {.name = "split",
     .type = OPT_STRING,
     .offset = AT(split),
     .default_text = "test",
     .help = "split of the dataset: train, validation or test",
     .group = "data"},
    DATA_OPTION_ROWS(struct predict_options, data),
    DATA_LENGTH_ROWS(struct predict_options, data),
    {.name = "output",
     .type = OPT_STRING,
     .offset = AT(output),
     .default_text = "-",
     .help = "file of the predictions, with its sidecar beside it ('-': stdout, without)",
     .group = "output",
     .letter = 'o',
     .flags = OPT_FLAG_PATH},
    {.name = "batch_tokens",
     .type = OPT_INT,
     .offset = AT(batch_tokens),
     .default_text = "0",
     .min = 0,
     .max = 1e9,
     .unit = "tokens",
     .help = "tokens of one batch at most; one row is always taken (0: 4096, on a GPU 65536)",
     .group = "speed"},
    {.name = "per_device_eval_batch_size",
     .type = OPT_INT,
     .offset = AT(batch_rows),
     .default_text = "0",
     .min = 0,
     .max = 1e9,
     .unit = "rows",
     .help = "rows of one batch at most (0: by the tokens alone)",
     .group = "speed",
     .aliases = "batch_size"},
    {.name = "window_rows",
     .type = OPT_INT,
     .offset = AT(window_rows),
     .default_text = "4096",
     .min = 1,
     .max = 1e9,
     .unit = "rows",
     .help = "rows that are sorted by length together",
     .group = "speed"},
    {.name = "calibration",
     .type = OPT_STRING,
     .offset = AT(calibration),
     .help = "calibration to apply to the probabilities, or 'none'; default: the model's calibration.json, when it has "
             "one (reco calibrate)",
     .group = "decision",
     .flags = OPT_FLAG_PATH},
    {.name = "threshold",
     .type = OPT_STRING,
     .offset = AT(threshold),
     .help = "threshold by which the label is predicted, or 'none', the most probable; default: the model's "
             "threshold.json, when it has one (reco threshold)",
     .group = "decision",
     .flags = OPT_FLAG_PATH},
    DEVICE_OPTION_ROW(struct predict_options, device),
    {.name = "bf16",
     .type = OPT_BOOL,
     .offset = AT(bf16),
     .help = "matrix products in bfloat16; on a GPU",
     .group = "general"},
    DATA_THREADS_ROW(struct predict_options, data),
    {.name = NULL}};

const struct cmd_spec cmd_predict = {
    .name = "predict",
    .summary = "write the predictions of a fine-tuned model",
    .description =
        "Writes predictions.tsv, one row a pair, in the order of the rows: ids, label, prediction, probabilities, "
        "score, "
        "tokens; and beside it a JSON sidecar with hashes, versions and the command. For a CSV file of the shape of "
        "the training "
        "data no column names are needed: the run directory remembers them.\n\n"
        "Batches are filled with rows of like length up to batch_tokens; memory does not grow with the number of rows.",
    .examples = "reco predict --model run --dataset ds --split test --output p.tsv\n"
                "reco predict --model run --test_file test.csv --output p.tsv",
    .options = specs,
    .options_size = sizeof(struct predict_options),
    .flags = CMD_FLAG_STOPPABLE,
    .run = CMD_TORCH(cmd_predict_run),
};
