/*
 * A dataset directory of any bytes, with checksums that fit them, is opened or refused with a message; what was opened
 * can be read whole. Input: a dataset.json (it begins with '{') beside whole files; else changes to the files, four
 * bytes each: file, place (2), byte.
 */

#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "data/dataset_internal.h"
#include "data/dataset_writer.h"
#include "data/text_set.h"
#include "tests/fuzz/fuzz.h"

static const char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\n";
static const char *const names[] = {DATASET_IDS_FILE, DATASET_INDEX_FILE, DATASET_RAW_FILE, "train.pairs",
                                    "train.columns"};
enum { FILES = sizeof names / sizeof *names };

static char dir[64];
static struct buf files[FILES]; /* as written, without their checksums */
static json_t *base;

static void must(int rc)
{
    if (rc != 0) {
        fprintf(stderr, "%s\n", err_message());
        abort();
    }
}

static char *path_of(const char *name)
{
    char *path = path_join(dir, name);
    if (path == NULL)
        abort();
    return path;
}

static void put(const char *name, const void *bytes, size_t length)
{
    char *path = path_of(name);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, length, f) != length || fclose(f) != 0)
        abort();
    mem_free(path);
}

static void remove_dir(void)
{
    must(dir_remove(dir));
    for (size_t i = 0; i < FILES; i++)
        buf_release(&files[i]);
    json_decref(base);
}

static void add_text(struct text_set_writer *set, const char *text, uint32_t *number)
{
    must(text_set_add(set, text_key_of(text, strlen(text)), text, strlen(text), number));
}

static void write_base(struct wordpiece *wp, struct pool *pool)
{
    static const char *const labels[] = {"0", "1", "2"}, *const columns[] = {"row_id", "query_id", "item_id"};
    static const char *const texts[] = {"a b", "c", "", "d d d a"};
    const struct dataset_writer_split split = {
        .name = "train", .column_names = columns, .column_count = 3, .has_weight = true, .has_target = true};
    struct text_set_writer *set = NULL;
    struct dataset_writer *w = NULL;
    struct label_map map;
    json_t *options = json_object(), *tokenizer = dataset_tokenizer_json(wp);

    must(label_map_from_list(&map, labels, 3));
    must(text_set_writer_open(&set, dir, wp, pool, NULL, false));
    must(dataset_writer_open(&w, dir, NULL));
    must(dataset_writer_begin_split(w, &split));
    for (size_t i = 0; i < 4; i++) {
        struct dataset_writer_row row = {.label = (int32_t)i - 1,
                                         .weight = (float)i,
                                         .target = (double)i,
                                         .columns = "r\tq\ti",
                                         .columns_length = 5};
        add_text(set, texts[i], &row.query);
        add_text(set, texts[3 - i], &row.description);
        must(dataset_writer_add(w, 0, &row));
    }
    must(text_set_commit(set, dataset_writer_files(w), false));
    must(dataset_writer_commit(w, &(struct dataset_writer_whole){.labels = &map,
                                                                 .tokenizer = tokenizer,
                                                                 .has_description = true,
                                                                 .texts = text_set_writer_count(set),
                                                                 .tokens = text_set_writer_tokens(set),
                                                                 .options = options}));
    text_set_writer_free(set);
    dataset_writer_free(w);
    label_map_release(&map);
    json_decref(options);
    json_decref(tokenizer);
}

static void setup(void)
{
    struct wordpiece_options options;
    struct wordpiece *wp = NULL;
    struct pool *pool = NULL;

    log_set_level(LOG_LEVEL_QUIET);
    snprintf(dir, sizeof dir, "/tmp/reco_fuzz_dataset.%ld", (long)getpid());
    must(dir_make(dir));
    put("vocab.txt", vocab, sizeof vocab - 1);
    wordpiece_options_init(&options);
    char *path = path_of("vocab.txt");
    must(wordpiece_open(&wp, path, &options));
    mem_free(path);
    must(pool_new(&pool, 1));
    write_base(wp, pool);
    path = path_of(DATASET_JSON_FILE);
    base = json_load_file(path, 0, NULL);
    mem_free(path);
    for (size_t i = 0; i < FILES; i++) {
        path = path_of(names[i]);
        must(file_read_all(path, 0, &files[i]));
        files[i].length = (size_t)json_integer_value(
            json_object_get(json_object_get(json_object_get(base, "files"), names[i]), "bytes"));
        mem_free(path);
    }
    pool_free(pool);
    wordpiece_close(wp);
    atexit(remove_dir);
}

/* A file with the checksums of what it holds; its entry in json says so. */
static void put_summed(json_t *json, const char *name, const struct buf *content)
{
    struct buf whole = {0};
    char hex[HASH_HEX_SIZE];
    uint64_t sum = hash_u64(content->data, content->length, 0); /* less than a block */
    json_t *entry = json_object_get(json_object_get(json, "files"), name);

    must(buf_add(&whole, content->data, content->length));
    while (whole.length < dataset_sum_offset(content->length))
        must(buf_add_char(&whole, '\0'));
    must(buf_add(&whole, &sum, sizeof sum));
    put(name, whole.data, whole.length);
    hash_hex(&sum, sizeof sum, hex);
    json_object_set_new(entry, "hash", json_string(hex));
    buf_release(&whole);
}

static void put_json(json_t *json)
{
    char *text;

    if (json_is_object(json))
        (void)!dataset_json_seal(json); /* what cannot be sealed is refused for it */
    text = json_dumps(json, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    put(DATASET_JSON_FILE, text, strlen(text));
    free(text);
}

/* Every row, as training and people read it. */
static void read_all(const struct dataset *ds)
{
    int32_t ids[32], types[32];

    for (size_t s = 0; s < dataset_split_count(ds); s++) {
        const struct dataset_split *split = dataset_split_at(ds, s);
        for (size_t row = 0; row < dataset_rows(split); row++) {
            struct wordpiece_ids query_ids = {0}, description_ids = {0};
            struct buf query = {0}, description = {0};
            size_t length, lost;
            (void)!dataset_encode(split, row, 8 + row, WORDPIECE_LONGEST_FIRST, ids, types, &length, &lost);
            const char *columns = dataset_columns(split, row, &length);
            uint64_t sum = hash_u64(columns, length, 0) + (uint64_t)dataset_label(split, row);
            sum += dataset_weight(split, row) >= 0.0f && dataset_target(split, row) == 0.5;
            (void)!dataset_texts(split, row, &query, &description);
            must(dataset_ids(split, row, &query_ids, &description_ids));
            for (size_t i = 0; i < query_ids.count; i++)
                if (query_ids.ids[i] < 0 || query_ids.ids[i] >= dataset_vocab_size(ds))
                    abort();
            if (sum == 42)
                fputc('\n', stderr); /* so that nothing read is left out as unused */
            wordpiece_ids_release(&query_ids);
            wordpiece_ids_release(&description_ids);
            buf_release(&query);
            buf_release(&description);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dataset *ds = NULL;
    json_t *json;

    if (base == NULL)
        setup();
    if (size > 0 && data[0] == '{') {
        json = json_loadb((const char *)data, size, 0, NULL);
        for (size_t i = 0; i < FILES; i++) {
            json_t *whole = json_deep_copy(base);
            put_summed(whole, names[i], &files[i]);
            json_decref(whole);
        }
        if (json != NULL)
            put_json(json);
        else
            put(DATASET_JSON_FILE, data, size);
    } else {
        struct buf changed[FILES] = {{0}};
        json = json_deep_copy(base);
        for (size_t i = 0; i < FILES; i++)
            must(buf_add(&changed[i], files[i].data, files[i].length));
        for (; size >= 4; data += 4, size -= 4) {
            struct buf *b = &changed[data[0] % FILES];
            b->data[(size_t)(data[1] << 8 | data[2]) % b->length] = (char)data[3];
        }
        for (size_t i = 0; i < FILES; i++) {
            put_summed(json, names[i], &changed[i]);
            buf_release(&changed[i]);
        }
        put_json(json);
    }
    json_decref(json);
    err_clear();
    int rc = dataset_open(&ds, dir);
    if (rc != 0 && (ds != NULL || *err_message() == '\0'))
        abort();
    if (rc == 0)
        read_all(ds);
    dataset_close(ds);
    return 0;
}
