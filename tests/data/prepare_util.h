#ifndef RECO_TESTS_DATA_PREPARE_UTIL_H
#define RECO_TESTS_DATA_PREPARE_UTIL_H

/* For tests that make a dataset: a folder of their own, a small vocabulary, files and options. Include after cmocka.h.
 */

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/prepare.h"
#include "data/wordpiece.h"

static char util_root[64];
static struct wordpiece *util_wp;

static inline const char *util_path(const char *name)
{
    static char paths[4][400];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", util_root, name);
    return path;
}

static inline void util_write(const char *name, const char *text)
{
    assert_int_equal(file_write_all(util_path(name), text, strlen(text)), 0);
}

/* The content of a file below the root; NULL-terminated, to be freed with mem_free. */
static inline char *util_read(const char *name, size_t *length)
{
    struct buf b = {0};

    assert_int_equal(file_read_all(util_path(name), 0, &b), 0);
    if (length != NULL)
        *length = b.length;
    char *text = buf_take(&b);
    assert_non_null(text);
    return text;
}

/* [PAD] 0 [UNK] 1 [CLS] 2 [SEP] 3 [MASK] 4, then letters and digits 5.., "##" letters, words */
static const char util_vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"
                                 "a\nb\nc\nd\ne\nf\ng\nh\nred\nshoe\nblue\nhat\n##s\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"
                                 "##0\n##1\n##2\n##3\n##4\n##5\n##6\n##7\n##8\n##9\nquery\ntext\nitem\n";

static inline int util_setup(void **state)
{
    struct wordpiece_options options;

    (void)state;
    log_set_level(LOG_LEVEL_QUIET);
    snprintf(util_root, sizeof util_root, "/tmp/reco_test_prepare.%ld", (long)getpid());
    if (dir_make(util_root) < 0)
        return -1;
    util_write("vocab.txt", util_vocab);
    wordpiece_options_init(&options);
    return wordpiece_open(&util_wp, util_path("vocab.txt"), &options);
}

static inline int util_teardown(void **state)
{
    (void)state;
    wordpiece_close(util_wp);
    return dir_remove(util_root);
}

static char *util_description[] = {"d"};

/* A list of one file; valid for the next few. */
static inline struct opt_list util_file(const char *path)
{
    static char *items[8];
    static int next;
    char **item = &items[next++ % 8];

    *item = (char *)path;
    return (struct opt_list){.items = item, .count = 1};
}

/* Columns q, d and l; every default as the command line has it. The char * are not freed. */
static inline struct prepare_options util_options(void)
{
    return (struct prepare_options){.query_column = "q",
                                    .description_column = {.items = util_description, .count = 1},
                                    .label_column = "l",
                                    .table = {.max_field_bytes = 16 * 1024 * 1024},
                                    .clean = {.near_duplicate_threshold = 0.8},
                                    .assemble = {.history_length = 10},
                                    .negative = {.negatives_per_positive = 1,
                                                 .negative_power = 0.75,
                                                 .negative_label = "0",
                                                 .negative_rank_from = 1,
                                                 .negative_rank_to = 100},
                                    .balance = {.balance_ratio = 1},
                                    .max_bad_rows = {.value = 0.001, .is_frac = true},
                                    .threads = 1,
                                    .max_seq_length = 8};
}

/* Every name in the root that is not one of those given: left-overs. */
static inline int util_count_except(const char *const *names, size_t count)
{
    DIR *dir = opendir(util_root);
    int others = 0;

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        bool known = entry->d_name[0] == '.' || strcmp(entry->d_name, "vocab.txt") == 0;
        for (size_t i = 0; i < count; i++)
            known = known || strcmp(entry->d_name, names[i]) == 0;
        others += !known;
    }
    closedir(dir);
    return others;
}

#endif
