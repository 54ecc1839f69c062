#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/json_file.h"
#include "data/wordpiece_internal.h"

#define MAX_FILE_BYTES ((size_t)1 << 30)

/* Classes of transformers that are BertTokenizer: their options come from tokenizer_config.json. */
static const char *const bert_classes[] = {"BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer",
                                           "MobileBertTokenizer", "SqueezeBertTokenizer"};
/* Classes that take tokenizer.json as it is. */
static const char *const file_classes[] = {"PreTrainedTokenizer", "TokenizersBackend", "PythonBackend"};

static bool name_in(const char *name, size_t length, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == length && memcmp(name, names[i], length) == 0)
            return true;
    return false;
}

/* *out stays NULL when the file is not there. vocab: where a vocabulary that can be cut out of it goes; may be NULL. */
static int read_json(json_t **out, const char *dir, const char *name, struct wordpiece_json_vocab *vocab)
{
    *out = NULL;
    char *path = path_join(dir, name);
    if (path == NULL || !file_exists(path)) {
        mem_free(path);
        return path == NULL ? RECO_E_NOMEM : 0;
    }
    struct buf text = {0};
    json_error_t error;
    bool cut = false;
    int rc = file_read_all(path, MAX_FILE_BYTES, &text);
    if (rc == 0 && vocab != NULL)
        rc = wordpiece_json_cut(&text, vocab, &cut);
    if (rc == 0)
        *out = json_loadb(buf_str(&text), text.length, 0, &error);
    if (rc == 0 && *out == NULL && cut) { /* for a message with the right line */
        buf_clear(&text);
        rc = file_read_all(path, MAX_FILE_BYTES, &text);
        json_decref(rc == 0 ? json_loadb(buf_str(&text), text.length, 0, &error) : NULL);
    }
    if (rc == 0 && *out == NULL)
        rc = json_file_error(&error, path, RECO_E_MODEL);
    if (rc == 0 && !json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        rc = err_set(RECO_E_MODEL, "'%s' is not a JSON object", path);
    }
    buf_release(&text);
    mem_free(path);
    return rc;
}

/* A special token is written as a text or as an object with its content. */
static const char *token_text(const json_t *value)
{
    return json_is_object(value) ? json_string_value(json_object_get(value, "content")) : json_string_value(value);
}

static int read_flag(const json_t *object, const char *key, bool *flag)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL || json_is_null(value))
        return 0;
    if (!json_is_boolean(value))
        return err_set(RECO_E_MODEL, "'%s' is neither true nor false", key);
    *flag = json_is_true(value);
    return 0;
}

/* The same options have other keys in tokenizer_config.json than in tokenizer.json's normalizer. */
static int read_options(const json_t *object, const char *lower_key, const char *cjk_key,
                        struct wordpiece_options *options)
{
    bool strip = false;
    const json_t *value = json_object_get(object, "strip_accents");
    int rc = read_flag(object, lower_key, &options->do_lower_case);
    if (rc == 0)
        rc = read_flag(object, cjk_key, &options->tokenize_chinese_chars);
    if (rc == 0)
        rc = read_flag(object, "strip_accents", &strip);
    if (rc == 0 && value != NULL && !json_is_null(value))
        options->strip_accents = strip;
    return rc;
}

static const char *type_of(const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    return type != NULL ? type : "none";
}

/* Options of a tokenizer.json that is taken as it is: it must be BERT's pipeline. */
static int read_pipeline(const json_t *file, struct wordpiece_options *options)
{
    const json_t *normalizer = json_object_get(file, "normalizer");
    const json_t *pre_tokenizer = json_object_get(file, "pre_tokenizer");
    const json_t *model = json_object_get(file, "model");
    if (strcmp(type_of(normalizer), "BertNormalizer") != 0 || strcmp(type_of(pre_tokenizer), "BertPreTokenizer") != 0)
        return err_set(
            RECO_E_MODEL,
            "its normalizer is %s and its pre_tokenizer %s; supported are BertNormalizer and BertPreTokenizer",
            type_of(normalizer), type_of(pre_tokenizer));
    bool clean = true;
    int rc = read_flag(normalizer, "clean_text", &clean);
    if (rc == 0 && !clean)
        rc = err_set(RECO_E_MODEL, "a normalizer without clean_text is not supported");
    const json_t *prefix = json_object_get(model, "continuing_subword_prefix");
    if (rc == 0 && prefix != NULL && (!json_is_string(prefix) || strcmp(json_string_value(prefix), "##") != 0))
        rc = err_set(RECO_E_MODEL, "a continuing_subword_prefix other than '##' is not supported");
    const json_t *word = json_object_get(model, "max_input_chars_per_word");
    if (rc == 0 && word != NULL) {
        json_int_t chars = json_integer_value(word);
        if (chars < 1 || chars > 1 << 20)
            rc = err_set(RECO_E_MODEL, "max_input_chars_per_word is out of range");
        options->max_word_chars = (int)chars;
    }
    return rc != 0 ? rc : read_options(normalizer, "lowercase", "handle_chinese_chars", options);
}

/* A vocabulary that was cut out of the file. */
static int build_cut_vocab(struct wordpiece **out, const struct wordpiece_build *build,
                           const struct wordpiece_json_vocab *cut)
{
    size_t size = (size_t)cut->entries[cut->count - 1].id + 1;
    if (size > cut->count * 4 + 1024)
        return err_set(RECO_E_MODEL, "'%s': token '%s' has no proper id", build->source,
                       cut->texts.data + cut->entries[cut->count - 1].at);
    int rc = wordpiece_build_new(out, build, size);
    for (size_t i = 0; rc == 0 && i < cut->count; i++) {
        const char *token = cut->texts.data + cut->entries[i].at;
        rc = wordpiece_build_set(*out, (size_t)cut->entries[i].id, token, strlen(token));
    }
    return rc;
}

static int build_json_vocab(struct wordpiece **out, const struct wordpiece_build *build, const json_t *file,
                            const struct wordpiece_json_vocab *cut)
{
    const json_t *model = json_object_get(file, "model");
    json_t *vocab = json_object_get(model, "vocab"), *value;
    const char *type = json_string_value(json_object_get(model, "type")), *token;
    if ((type != NULL && strcmp(type, "WordPiece") != 0) || !json_is_object(vocab))
        return err_set(RECO_E_MODEL, "'%s' holds no WordPiece model", build->source);
    if (cut->count > 0)
        return build_cut_vocab(out, build, cut);
    size_t size = json_object_size(vocab), limit = size * 4 + 1024; /* ids may leave gaps, within reason */
    json_object_foreach(vocab, token, value)
    {
        json_int_t id = json_integer_value(value);
        if (!json_is_integer(value) || id < 0 || (size_t)id >= limit)
            return err_set(RECO_E_MODEL, "'%s': token '%s' has no proper id", build->source, token);
        if ((size_t)id >= size)
            size = (size_t)id + 1;
    }
    int rc = wordpiece_build_new(out, build, size);
    json_object_foreach(vocab, token, value)
    {
        size_t id = (size_t)json_integer_value(value);
        if (rc == 0 && (*out)->tokens[id] != NULL)
            rc = err_set(RECO_E_MODEL, "'%s': tokens '%s' and '%s' have the same id %zu", build->source,
                         (*out)->tokens[id], token, id);
        if (rc == 0)
            rc = wordpiece_build_set(*out, id, token, strlen(token));
    }
    return rc;
}

/* token is an object with the properties of an AddedToken, or its text. */
static int add_token(struct wordpiece *wp, json_int_t id, const json_t *token)
{
    static const char *const unsupported[] = {"single_word", "lstrip", "rstrip", "normalized"};
    const char *text = token_text(token);
    if (text == NULL || text[0] == '\0')
        return err_set(RECO_E_MODEL, "an added token has no text");
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++)
        if (json_is_true(json_object_get(token, unsupported[i])))
            return err_set(RECO_E_MODEL, "added token '%s' is '%s', which is not supported", text, unsupported[i]);
    return wordpiece_build_add(wp, id, text);
}

/* tokenizer_config.json's added_tokens_decoder speaks alone; without it the added_tokens of tokenizer.json. */
static int add_tokens(struct wordpiece *wp, const json_t *config, const json_t *file)
{
    static const char *const lists[] = {"extra_special_tokens", "additional_special_tokens"};
    json_t *decoder = json_object_get(config, "added_tokens_decoder"), *token;
    const char *key;
    size_t index;
    int rc = 0;
    json_object_foreach(decoder, key, token)
    {
        char *end = NULL;
        long long id = strtoll(key, &end, 10);
        if (rc == 0 && (*key == '\0' || *end != '\0'))
            rc = err_set(RECO_E_MODEL, "'added_tokens_decoder' names '%s', which is no id", key);
        if (rc == 0)
            rc = add_token(wp, id, token);
    }
    if (decoder == NULL) {
        json_array_foreach(json_object_get(file, "added_tokens"), index, token)
        {
            if (rc == 0)
                rc = add_token(wp, json_integer_value(json_object_get(token, "id")), token);
        }
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        json_array_foreach(json_object_get(config, lists[i]), index, token)
        {
            if (rc == 0)
                rc = add_token(wp, wp->vocab_size, token);
        }
    }
    return rc;
}

/* Texts of the special tokens; special_tokens_map.json counts where there is no added_tokens_decoder. */
static void read_names(const json_t *config, const json_t *map, struct wordpiece_build *build)
{
    static const char *const keys[WORDPIECE_NAMES] = {"pad_token", "unk_token", "cls_token", "sep_token", "mask_token"};
    bool decoder = json_object_get(config, "added_tokens_decoder") != NULL;
    for (int name = 0; name < WORDPIECE_NAMES; name++) {
        const char *text = decoder ? NULL : token_text(json_object_get(map, keys[name]));
        if (text == NULL)
            text = token_text(json_object_get(config, keys[name]));
        if (text != NULL && text[0] != '\0')
            build->names[name] = text;
    }
}

/* Whether tokenizer_class takes its options from tokenizer.json (else from tokenizer_config.json). */
static int read_class(const json_t *config, bool *from_file)
{
    const char *named = json_string_value(json_object_get(config, "tokenizer_class"));
    *from_file = false;
    if (named == NULL)
        return 0;
    size_t length = strlen(named);
    if (length > 4 && strcmp(named + length - 4, "Fast") == 0)
        length -= 4;
    if (name_in(named, length, bert_classes, sizeof bert_classes / sizeof bert_classes[0]))
        return 0;
    *from_file = name_in(named, length, file_classes, sizeof file_classes / sizeof file_classes[0]);
    return *from_file
               ? 0
               : err_set(RECO_E_MODEL, "tokenizer_class '%s' is not supported; supported is BertTokenizer", named);
}

static int read_vocab(struct wordpiece **out, const struct wordpiece_build *build, const json_t *file,
                      const struct wordpiece_json_vocab *cut)
{
    if (file != NULL)
        return build_json_vocab(out, build, file, cut);
    struct buf text = {0};
    int rc = file_read_all(build->source, MAX_FILE_BYTES, &text);
    if (rc == 0)
        rc = wordpiece_build_vocab_text(out, build, &text);
    buf_release(&text);
    return rc;
}

int wordpiece_open_dir(struct wordpiece **out, const char *model_dir, bool escape_special)
{
    *out = NULL;
    json_t *config = NULL, *file = NULL, *map = NULL;
    struct wordpiece *wp = NULL;
    struct wordpiece_build build;
    struct wordpiece_json_vocab cut = {0};
    char *vocab_path = NULL;
    bool from_file = false;
    if (!dir_exists(model_dir))
        return err_set(RECO_E_MODEL, "cannot find the model directory '%s'", model_dir);
    int rc = read_json(&config, model_dir, "tokenizer_config.json", NULL);
    if (rc == 0)
        rc = read_json(&file, model_dir, "tokenizer.json", &cut);
    if (rc == 0)
        rc = read_json(&map, model_dir, "special_tokens_map.json", NULL);
    if (rc == 0 && (vocab_path = path_join(model_dir, file != NULL ? "tokenizer.json" : "vocab.txt")) == NULL)
        rc = RECO_E_NOMEM;
    if (rc != 0)
        goto done;
    if (file == NULL && !file_exists(vocab_path)) {
        rc =
            err_set(RECO_E_MODEL,
                    "'%s' holds neither 'vocab.txt' nor 'tokenizer.json': it is not a BERT model directory", model_dir);
        goto done;
    }
    wordpiece_build_init(&build, vocab_path);
    build.options.escape_special = escape_special;
    read_names(config, map, &build);
    rc = read_class(config, &from_file);
    if (rc == 0 && from_file && file == NULL)
        rc = err_set(RECO_E_MODEL, "its tokenizer_class needs a 'tokenizer.json'");
    if (rc == 0)
        rc = from_file ? read_pipeline(file, &build.options)
                       : read_options(config, "do_lower_case", "tokenize_chinese_chars", &build.options);
    if (rc == 0)
        rc = read_vocab(&wp, &build, file, &cut);
    if (rc == 0)
        rc = wordpiece_build_index(wp, &build);
    if (rc == 0)
        rc = add_tokens(wp, config, file);
    if (rc == 0)
        rc = wordpiece_build_finish(wp);
    if (rc != 0)
        rc = err_prepend(rc, "cannot load the tokenizer of '%s'", model_dir);
done:
    if (rc != 0)
        wordpiece_close(wp);
    else
        *out = wp;
    wordpiece_json_vocab_release(&cut);
    mem_free(vocab_path);
    json_decref(config);
    json_decref(file);
    json_decref(map);
    return rc;
}
