#ifndef RECO_TESTS_TRAIN_TINY_H
#define RECO_TESTS_TRAIN_TINY_H

/*
 * What the tests of train/ share: a temporary directory, a tiny model with dropout, and a small dataset that can be
 * learnt (the label is whether the item's colour is the query's; every third row weighs 2).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/dataset.h"
#include "data/prepare.h"
#include "data/safetensors.h"
#include "train/train.h"

struct tiny {
    char dir[64]; /* removed by tiny_release */
    char model[128];
    char dataset_dir[128];
    struct dataset *dataset;
};

#define TINY_CHECK(call)                                                                                               \
    do {                                                                                                               \
        if ((call) != 0)                                                                                               \
            fail_msg("%s: %s", #call, err_message());                                                                  \
    } while (0)

static void tiny_copy(const char *from_dir, const char *to_dir, const char *name)
{
    struct buf bytes = {0};
    char *from = path_join(from_dir, name), *to = path_join(to_dir, name);
    TINY_CHECK(file_read_all(from, 0, &bytes));
    TINY_CHECK(file_write_all(to, buf_str(&bytes), bytes.length));
    buf_release(&bytes);
    mem_free(from);
    mem_free(to);
}

/* The committed tiny model with this dropout. */
static void tiny_model(struct tiny *t, double dropout)
{
    static const char source[] = RECO_SOURCE_DIR "/tests/reference/bert_tiny";
    TINY_CHECK(dir_make(t->model));
    tiny_copy(source, t->model, "model.safetensors");
    tiny_copy(source, t->model, "vocab.txt");
    tiny_copy(source, t->model, "tokenizer_config.json");
    char path[256];
    json_t *config = json_load_file(RECO_SOURCE_DIR "/tests/reference/bert_tiny/config.json", 0, NULL);
    assert_non_null(config);
    json_object_set_new(config, "hidden_dropout_prob", json_real(dropout));
    json_object_set_new(config, "attention_probs_dropout_prob", json_real(dropout));
    snprintf(path, sizeof path, "%s/config.json", t->model);
    assert_int_equal(json_dump_file(config, path, JSON_INDENT(1)), 0);
    json_decref(config);
}

static void tiny_csv(const char *path, int rows, unsigned salt)
{
    static const char *const colours[] = {"red", "blue", "green", "black", "white"};
    static const char *const things[] = {"shoe", "shirt", "lamp", "table", "chair", "phone", "case", "cable"};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "id,query,title,label,weight\n");
    for (int i = 0; i < rows; i++) {
        salt = salt * 1664525u + 1013904223u;
        const char *want = colours[(salt >> 8) % 5];
        const char *is = (salt >> 16) % 2 == 0 ? want : colours[(salt >> 20) % 5];
        fprintf(f, "%d,%s %s,%s %s for running%s,%d,%d\n", i, want, things[(salt >> 12) % 8], is,
                things[(salt >> 12) % 8], (salt >> 24) % 3 == 0 ? " and hiking" : "", want == is, i % 3 == 0 ? 2 : 1);
    }
    assert_int_equal(fclose(f), 0);
}

static void tiny_init(struct tiny *t, double dropout, int train_rows, int dev_rows)
{
    char train[128], dev[128], query[] = "query", title[] = "title", label[] = "label", weight[] = "weight",
                               id[] = "id";
    char *titles[] = {title};
    struct wordpiece *wp = NULL;
    memset(t, 0, sizeof *t);
    snprintf(t->dir, sizeof t->dir, "/tmp/reco-train-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(t->model, sizeof t->model, "%s/model", t->dir);
    snprintf(t->dataset_dir, sizeof t->dataset_dir, "%s/dataset", t->dir);
    snprintf(train, sizeof train, "%s/train.csv", t->dir);
    snprintf(dev, sizeof dev, "%s/dev.csv", t->dir);
    tiny_model(t, dropout);
    tiny_csv(train, train_rows, 1);
    tiny_csv(dev, dev_rows, 2);
    char *train_files[] = {train}, *dev_files[] = {dev};
    struct prepare_options prepare = {.train_file = {.items = train_files, .count = 1},
                                      .validation_file = {.items = dev_files, .count = dev_rows > 0 ? 1 : 0},
                                      .query_column = query,
                                      .description_column = {.items = titles, .count = 1},
                                      .label_column = label,
                                      .weight_column = weight,
                                      .id_column = id,
                                      .table = {.max_field_bytes = 1 << 20},
                                      .max_seq_length = 32,
                                      .threads = 1};
    TINY_CHECK(wordpiece_open_dir(&wp, t->model, false));
    TINY_CHECK(prepare_run(&prepare, wp, NULL, t->dataset_dir, NULL));
    wordpiece_close(wp);
    TINY_CHECK(dataset_open(&t->dataset, t->dataset_dir));
}

static void tiny_release(struct tiny *t)
{
    dataset_close(t->dataset);
    TINY_CHECK(dir_remove(t->dir));
}

/* 2 epochs of batches of 8, dropout as the model has it. */
static struct train_options tiny_options(const struct tiny *t, const char *output_dir)
{
    return (struct train_options){
        .model_dir = t->model,
        .output_dir = output_dir,
        .dataset = t->dataset,
        .ignore_mismatched_sizes = true, /* the model has 4 classes, the data 2 */
        .max_seq_length = 32,
        .num_train_epochs = 2,
        .batch_rows = 8,
        .accumulation = 1,
        .learning_rate = 1e-3,
        .weight_decay = 0.01,
        .adam_beta1 = 0.9,
        .adam_beta2 = 0.999,
        .adam_epsilon = 1e-8,
        .max_grad_norm = 1.0,
        .schedule = schedule_find("linear"),
        .warmup = 0.1,
        .seed = 7,
        .threads = 1,
        .eval_strategy = TRAIN_STRATEGY_EPOCH,
        .save_strategy = TRAIN_STRATEGY_NO,
        .eval_steps = 1,
        .save_steps = 3,
        .logging_steps = 2,
        .metric_for_best_model = "loss",
        .load_best_model_at_end = true,
        .eval_batch_tokens = 256,
    };
}

/* Absolute path of name in the test's directory. */
static char *tiny_path(const struct tiny *t, const char *name)
{
    char *path = path_join(t->dir, name);
    assert_non_null(path);
    return path;
}

#endif
