/* config.json read as transformers reads it; what is not supported is refused by name. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/hfdir.h"

#define REFERENCE RECO_SOURCE_DIR "/tests/reference"

static char folder[] = "/tmp/reco-hfdir-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void put(const char *name, const char *text)
{
    char *path = path_join(folder, name);

    assert_non_null(path);
    assert_int_equal(file_write_all(path, text, strlen(text)), 0);
    mem_free(path);
}

static void take_away(const char *name)
{
    char *path = path_join(folder, name);

    assert_non_null(path);
    assert_int_equal(file_remove(path), 0);
    mem_free(path);
}

static struct hf_config read_config(const char *text)
{
    struct hf_config config;

    put("config.json", text);
    if (hf_config_read(&config, folder) != 0) {
        fail_msg("%s: %s", text, err_message());
    }
    return config;
}

static void assert_refused(const char *text, const char *part)
{
    struct hf_config config = {0};

    put("config.json", text);
    assert_int_equal(hf_config_read(&config, folder), RECO_E_MODEL);
    assert_null(config.json);
    if (strstr(err_message(), part) == NULL) {
        fail_msg("'%s' lacks '%s'", err_message(), part);
    }
    assert_non_null(strstr(err_message(), folder));
    assert_null(strchr(err_message(), '\n'));
}

static void test_reference_models(void **state)
{
    struct hf_config c;

    (void)state;
    assert_int_equal(hf_config_read(&c, REFERENCE "/bert_tiny"), 0);
    assert_int_equal(c.vocab_size, 300);
    assert_int_equal(c.hidden_size, 48);
    assert_int_equal(c.num_hidden_layers, 2);
    assert_int_equal(c.num_attention_heads, 3);
    assert_int_equal(c.intermediate_size, 96);
    assert_int_equal(c.max_position_embeddings, 64);
    assert_int_equal(c.type_vocab_size, 2);
    assert_int_equal(c.pad_token_id, 0);
    assert_true(c.layer_norm_eps == 1e-12 && c.initializer_range == 0.02);
    assert_true(c.hidden_dropout_prob == 0 && c.attention_probs_dropout_prob == 0 && isnan(c.classifier_dropout));
    assert_int_equal(c.hidden_act, HF_ACT_GELU);
    assert_true(c.has_labels);
    assert_int_equal(c.labels.task, LABEL_TASK_CLASSIFICATION);
    assert_int_equal(c.labels.count, 4);
    assert_string_equal(c.labels.names[3], "4");
    assert_true(c.labels.graded && c.labels.grades[3] == 4);
    hf_config_release(&c);

    assert_int_equal(hf_config_read(&c, REFERENCE "/bert_tiny_regression"), 0);
    assert_int_equal(c.labels.task, LABEL_TASK_REGRESSION);
    assert_int_equal(c.labels.count, 0);
    hf_config_release(&c);
}

static void test_defaults(void **state)
{
    struct hf_config c = read_config("{\"model_type\": \"bert\"}");

    (void)state;
    assert_int_equal(c.vocab_size, 30522);
    assert_int_equal(c.hidden_size, 768);
    assert_int_equal(c.num_hidden_layers, 12);
    assert_int_equal(c.num_attention_heads, 12);
    assert_int_equal(c.intermediate_size, 3072);
    assert_int_equal(c.max_position_embeddings, 512);
    assert_int_equal(c.type_vocab_size, 2);
    assert_true(c.layer_norm_eps == 1e-12 && c.hidden_dropout_prob == 0.1 && c.attention_probs_dropout_prob == 0.1);
    assert_int_equal(c.hidden_act, HF_ACT_GELU);
    assert_false(c.has_labels);
    hf_config_release(&c);

    c = read_config("{\"hidden_size\": 96, \"num_attention_heads\": 2, \"pad_token_id\": null, \"hidden_act\": null, "
                    "\"classifier_dropout\": 0.25, \"layer_norm_eps\": 1e-5, \"architectures\": null}");
    assert_int_equal(c.hidden_size, 96);
    assert_int_equal(c.pad_token_id, -1);
    assert_true(c.classifier_dropout == 0.25 && c.layer_norm_eps == 1e-5);
    hf_config_release(&c);
}

static void test_activations(void **state)
{
    static const struct {
        const char *name;
        enum hf_act act;
    } acts[] = {{"gelu", HF_ACT_GELU},
                {"gelu_python", HF_ACT_GELU},
                {"gelu_new", HF_ACT_GELU_TANH},
                {"gelu_pytorch_tanh", HF_ACT_GELU_TANH},
                {"gelu_python_tanh", HF_ACT_GELU_TANH},
                {"relu", HF_ACT_RELU}};

    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        char text[128];
        struct hf_config c;
        snprintf(text, sizeof text, "{\"model_type\": \"bert\", \"hidden_act\": \"%s\"}", acts[i].name);
        c = read_config(text);
        assert_int_equal(c.hidden_act, acts[i].act);
        hf_config_release(&c);
    }
}

#define BERT(keys) "{\"model_type\": \"bert\", " keys "}"
#define CLASSIFIER(keys) BERT("\"architectures\": [\"BertForSequenceClassification\"], " keys)

static void test_refused(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "cannot parse"},
        {"{\"model_type\": \"bert\"", "cannot parse"},
        {"{\"model_type\": \"bert\",\n\"hidden_size\": NaN}", "line 2"},
        {BERT("\"hidden_size\": 1e999"), "cannot parse"},
        {BERT("\"hidden_size\": 99999999999999999999"), "cannot parse"},
        {BERT("\"hidden_size\": 768, \"hidden_size\": 96"), "duplicate"},
        {"[]", "not a JSON object"},
        {"{}", "'model_type'"},
        {"{\"model_type\": \"roberta\"}", "'model_type' is 'roberta'; supported is bert"},
        {"{\"model_type\": 1}", "supported is bert"},
        {BERT("\"is_decoder\": true"), "decoder"},
        {BERT("\"add_cross_attention\": true"), "decoder"},
        {BERT("\"position_embedding_type\": \"relative_key\""), "'relative_key'; supported is absolute"},
        {BERT("\"hidden_act\": \"silu\""), "'silu'; supported are gelu"},
        {BERT("\"hidden_act\": 3"), "supported are gelu"},
        {BERT("\"hidden_size\": 100"), "not a multiple"},
        {BERT("\"hidden_size\": \"768\""), "'hidden_size' is not a whole number"},
        {BERT("\"hidden_size\": 768.0"), "'hidden_size' is not a whole number"},
        {BERT("\"hidden_size\": 0"), "'hidden_size' is 0"},
        {BERT("\"hidden_size\": 9223372036854775807"), "'hidden_size' is 9223372036854775807"},
        {BERT("\"num_hidden_layers\": -1"), "'num_hidden_layers' is -1"},
        {BERT("\"num_hidden_layers\": 1000000"), "'num_hidden_layers'"},
        {BERT("\"vocab_size\": 1000000000"), "'vocab_size'"},
        {BERT("\"max_position_embeddings\": 0"), "'max_position_embeddings'"},
        {BERT("\"layer_norm_eps\": \"1e-12\""), "'layer_norm_eps' is not a number"},
        {BERT("\"layer_norm_eps\": -1"), "'layer_norm_eps' is -1"},
        {BERT("\"hidden_dropout_prob\": 1"), "'hidden_dropout_prob' is 1"},
        {BERT("\"classifier_dropout\": true"), "'classifier_dropout' is not a number"},
        {BERT("\"pad_token_id\": 30522"), "'pad_token_id' 30522"},
        {BERT("\"pad_token_id\": \"0\""), "'pad_token_id'"},
        {CLASSIFIER("\"problem_type\": \"multi_label_classification\""), "multi_label_classification; supported"},
        {CLASSIFIER("\"problem_type\": \"ranking\""), "'ranking'; supported"},
        {CLASSIFIER("\"problem_type\": \"regression\""), "regression with 2 outputs"},
        {CLASSIFIER("\"problem_type\": \"single_label_classification\", \"num_labels\": 1"), "at least 2 labels"},
        {CLASSIFIER("\"id2label\": {}"), "'id2label'"},
        {CLASSIFIER("\"id2label\": [\"a\", \"b\"]"), "'id2label'"},
        {CLASSIFIER("\"id2label\": {\"0\": \"a\", \"2\": \"b\"}"), "class '2'"},
        {CLASSIFIER("\"id2label\": {\"0\": \"a\", \"00\": \"b\"}"), "class '00'"},
        {CLASSIFIER("\"id2label\": {\"0\": \"a\", \"x\": \"b\"}"), "class 'x'"},
        {CLASSIFIER("\"id2label\": {\"0\": \"a\", \"1\": null}"), "not a text"},
        {CLASSIFIER("\"id2label\": {\"0\": \"a\", \"1\": \"a\"}"), "twice"},
        {CLASSIFIER("\"num_labels\": 0"), "'num_labels' is 0"},
        {CLASSIFIER("\"reco\": {\"labels\": {\"task\": \"dancing\"}}"), "bad 'reco' key"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_refused(cases[i].text, cases[i].part);
    }
}

static void test_labels(void **state)
{
    static const struct {
        const char *text;
        enum label_task task;
        int count;
        const char *last;
    } cases[] = {
        {CLASSIFIER("\"use_cache\": true"), LABEL_TASK_CLASSIFICATION, 2, "LABEL_1"},
        {CLASSIFIER("\"num_labels\": 3"), LABEL_TASK_CLASSIFICATION, 3, "LABEL_2"},
        {CLASSIFIER("\"num_labels\": 3, \"id2label\": null"), LABEL_TASK_CLASSIFICATION, 3, "LABEL_2"},
        /* id2label counts, whatever num_labels and label2id say */
        {CLASSIFIER("\"num_labels\": 7, \"id2label\": {\"1\": \"yes\", \"0\": \"no\"}"), LABEL_TASK_CLASSIFICATION, 2,
         "yes"},
        {CLASSIFIER("\"label2id\": {\"a\": 0, \"b\": 1, \"c\": 2}"), LABEL_TASK_CLASSIFICATION, 2, "LABEL_1"},
        {CLASSIFIER("\"id2label\": {\"0\": 5, \"1\": 7}"), LABEL_TASK_CLASSIFICATION, 2, "7"},
        {CLASSIFIER("\"problem_type\": \"single_label_classification\""), LABEL_TASK_CLASSIFICATION, 2, "LABEL_1"},
        {CLASSIFIER("\"num_labels\": 1"), LABEL_TASK_REGRESSION, 0, NULL},
        {CLASSIFIER("\"id2label\": {\"0\": \"score\"}, \"problem_type\": \"regression\""), LABEL_TASK_REGRESSION, 0,
         NULL},
        {CLASSIFIER("\"id2label\": {\"0\": \"LABEL_0\"}, \"sentence_transformers\": {\"version\": \"4\"}"),
         LABEL_TASK_BINARY_LOGIT, 2, "1"},
        {CLASSIFIER("\"num_labels\": 1, \"sbert_ce_default_activation_function\": \"torch.nn.Identity\""),
         LABEL_TASK_BINARY_LOGIT, 2, "1"},
        {CLASSIFIER("\"num_labels\": 1, \"problem_type\": \"regression\", \"sentence_transformers\": {}"),
         LABEL_TASK_REGRESSION, 0, NULL},
    };
    struct hf_config c;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c = read_config(cases[i].text);
        assert_true(c.has_labels);
        assert_int_equal(c.labels.task, cases[i].task);
        assert_int_equal(c.labels.count, cases[i].count);
        if (cases[i].last != NULL) {
            assert_string_equal(c.labels.names[cases[i].count - 1], cases[i].last);
        }
        hf_config_release(&c);
    }
    /* Without a sequence classifier its keys mean nothing. */
    c = read_config(BERT("\"architectures\": [\"BertForMaskedLM\"], \"problem_type\": \"multi_label_classification\""));
    assert_false(c.has_labels);
    assert_int_equal(c.labels.count, 0);
    hf_config_release(&c);
}

static void test_reco_labels(void **state)
{
#define RECO_LABELS                                                                                                    \
    "\"reco\": {\"version\": 1, \"labels\": {\"task\": \"classification\", \"names\": [\"no\", \"yes\"], "             \
    "\"grades\": [0.5, 3], \"positive\": \"no\"}}"
    struct hf_config c = read_config(CLASSIFIER("\"id2label\": {\"0\": \"no\", \"1\": \"yes\"}, " RECO_LABELS));

    (void)state;
    assert_true(c.labels.graded && c.labels.grades[0] == 0.5 && c.labels.grades[1] == 3);
    assert_int_equal(c.labels.positive, 0);
    hf_config_release(&c);

    /* Trained further elsewhere, with other labels: id2label is the newer word. */
    c = read_config(CLASSIFIER("\"id2label\": {\"0\": \"no\", \"1\": \"maybe\"}, " RECO_LABELS));
    assert_false(c.labels.graded);
    assert_int_equal(c.labels.positive, 1);
    assert_string_equal(c.labels.names[1], "maybe");
    hf_config_release(&c);
    c = read_config(CLASSIFIER("\"id2label\": {\"0\": \"LABEL_0\"}, \"problem_type\": \"regression\", " RECO_LABELS));
    assert_int_equal(c.labels.task, LABEL_TASK_REGRESSION);
    hf_config_release(&c);
#undef RECO_LABELS
}

static void write_vocabulary(int tokens, bool last_newline)
{
    struct buf b = {0};

    for (int i = 0; i < tokens; i++) {
        assert_int_equal(buf_printf(&b, "t%d%s", i, i + 1 < tokens || last_newline ? "\n" : ""), 0);
    }
    put("vocab.txt", buf_str(&b));
    buf_release(&b);
}

static void test_vocabulary(void **state)
{
    static const char text[] = BERT("\"vocab_size\": 512");
    static const int fits[] = {512, 385}, wrong[] = {513, 384, 1, 0};

    (void)state;
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++) {
        for (int newline = 0; newline < 2; newline++) {
            struct hf_config c;
            write_vocabulary(fits[i], newline);
            c = read_config(text);
            hf_config_release(&c);
        }
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_vocabulary(wrong[i], true);
        assert_refused(text, "do not belong together");
    }
    take_away("vocab.txt");
}

static void test_not_a_model_directory(void **state)
{
    struct hf_config c = {0};
    char *path = path_join(folder, "config.json");

    (void)state;
    assert_non_null(path);
    assert_int_equal(hf_config_read(&c, "/nowhere/model"), RECO_E_MODEL);
    assert_non_null(strstr(err_message(), "no model directory '/nowhere/model'"));
    put("config.json", BERT("\"use_cache\": true"));
    assert_int_equal(hf_config_read(&c, path), RECO_E_MODEL);
    assert_non_null(strstr(err_message(), "not a model directory"));
    assert_int_equal(hf_config_read_file(&c, path), 0);
    hf_config_release(&c);
    take_away("config.json");
    assert_int_equal(hf_config_read(&c, folder), RECO_E_MODEL);
    assert_non_null(strstr(err_message(), "no config.json"));
    assert_int_equal(hf_config_read_file(&c, path), RECO_E_IO);
    mem_free(path);
}

static void test_weights_path(void **state)
{
    static const struct {
        const char *name, *part;
    } others[] = {{"model.safetensors.index.json", "several files"},
                  {"pytorch_model.bin", "only in pytorch_model.bin"},
                  {"pytorch_model.bin.index.json", "pytorch_model-*.bin"},
                  {"tf_model.h5", "TensorFlow"},
                  {"flax_model.msgpack", "Flax"}};
    char *path = NULL;

    (void)state;
    assert_int_equal(hf_dir_weights_path(&path, folder), RECO_E_MODEL);
    assert_non_null(strstr(err_message(), "no weights"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        put(others[i].name, "x");
        assert_int_equal(hf_dir_weights_path(&path, folder), RECO_E_MODEL);
        assert_non_null(strstr(err_message(), others[i].part));
        take_away(others[i].name);
    }
    assert_null(path);
    put("pytorch_model.bin", "x");
    put("model.safetensors", "x");
    assert_int_equal(hf_dir_weights_path(&path, folder), 0);
    assert_non_null(strstr(path, "/model.safetensors"));
    mem_free(path);
    take_away("pytorch_model.bin");
    take_away("model.safetensors");
}

/* The n-th allocation fails, for all n. */
static void test_torture(void **state)
{
    static const char *const texts[] = {
        CLASSIFIER("\"num_labels\": 3"),
        CLASSIFIER("\"id2label\": {\"0\": 5, \"1\": 7}, \"reco\": {\"labels\": {\"task\": \"classification\", "
                   "\"names\": [\"5\", \"7\"], \"grades\": [0, 1], \"positive\": \"7\"}}"),
        CLASSIFIER("\"num_labels\": 1, \"sentence_transformers\": {}"),
    };

    (void)state;
    write_vocabulary(30522, true);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        long failures = 0;
        int rc;
        put("config.json", texts[i]);
        do {
            struct hf_config c = {0};
            mem_fail_after(++failures);
            rc = hf_config_read(&c, folder);
            mem_fail_after(0);
            assert_true(rc == 0 || (rc == RECO_E_NOMEM && c.json == NULL));
            hf_config_release(&c);
        } while (rc != 0);
        assert_true(failures > 4);
    }
    take_away("vocab.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_models), cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_activations),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_labels),           cmocka_unit_test(test_reco_labels),
        cmocka_unit_test(test_vocabulary),       cmocka_unit_test(test_not_a_model_directory),
        cmocka_unit_test(test_weights_path),     cmocka_unit_test(test_torture),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
