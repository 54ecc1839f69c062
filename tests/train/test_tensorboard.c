/* The events file against one that TensorBoard's own writer made: the same bytes but for the time, and read back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "train/tensorboard.h"

/*
 * tensorboard 2.21.0's RecordWriter: the version; step 3 with train/loss 0.25 and train/learning_rate 2e-5; step 300
 * with eval/ndcg@10 0.5.
 */
static const unsigned char reference[] = {
    0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa3, 0x7f, 0x4b, 0x22, 0x09, 0x00, 0x00, 0x20, 0x40, 0xfc, 0x54,
    0xd9, 0x41, 0x1a, 0x0d, 0x62, 0x72, 0x61, 0x69, 0x6e, 0x2e, 0x45, 0x76, 0x65, 0x6e, 0x74, 0x3a, 0x32, 0x2b, 0x35,
    0x31, 0x10, 0x3c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc8, 0xb7, 0xa3, 0x52, 0x09, 0x00, 0x00, 0x50, 0x40,
    0xfc, 0x54, 0xd9, 0x41, 0x10, 0x03, 0x2a, 0x2f, 0x0a, 0x11, 0x0a, 0x0a, 0x74, 0x72, 0x61, 0x69, 0x6e, 0x2f, 0x6c,
    0x6f, 0x73, 0x73, 0x15, 0x00, 0x00, 0x80, 0x3e, 0x0a, 0x1a, 0x0a, 0x13, 0x74, 0x72, 0x61, 0x69, 0x6e, 0x2f, 0x6c,
    0x65, 0x61, 0x72, 0x6e, 0x69, 0x6e, 0x67, 0x5f, 0x72, 0x61, 0x74, 0x65, 0x15, 0xac, 0xc5, 0xa7, 0x37, 0x86, 0x7b,
    0x5c, 0x82, 0x23, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xb0, 0x9f, 0x77, 0x43, 0x09, 0x00, 0x00, 0x80, 0x40,
    0xfc, 0x54, 0xd9, 0x41, 0x10, 0xac, 0x02, 0x2a, 0x15, 0x0a, 0x13, 0x0a, 0x0c, 0x65, 0x76, 0x61, 0x6c, 0x2f, 0x6e,
    0x64, 0x63, 0x67, 0x40, 0x31, 0x30, 0x15, 0x00, 0x00, 0x00, 0x3f, 0xdc, 0x93, 0x09, 0xa8};
enum { HEAD = 12, TIME = 9, TAIL = 4, FIRST_END = 40, SECOND_END = 116, ALL = sizeof reference };
static const size_t starts[] = {0, FIRST_END, SECOND_END, ALL};

static char dir[64], path[128];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/reco_test_tensorboard.%ld", (long)getpid());
    snprintf(path, sizeof path, "%s/%s", dir, TENSORBOARD_FILE_NAME);
    return dir_make(dir);
}

static int teardown(void **state)
{
    (void)state;
    return dir_remove(dir);
}

static struct buf read_back(void)
{
    struct buf b = {0};

    assert_int_equal(file_read_all(path, 0, &b), 0);
    return b;
}

static void write_lines(int64_t last_step)
{
    struct tensorboard *e = NULL;
    json_t *start = json_pack("{s:s, s:i}", "event", "start", "step", 0);
    json_t *train = json_pack("{s:s, s:i, s:f, s:f}", "event", "train", "step", 3, "loss", 0.25, "learning_rate", 2e-5);
    json_t *eval = json_pack("{s:s, s:i, s:f, s:b, s:f, s:n}", "event", "eval", "step", 300, "epoch", 1.5, "best", 1,
                             "eval_ndcg@10", 0.5, "eval_auc");

    assert_int_equal(tensorboard_open(&e, dir, last_step), 0);
    assert_int_equal(tensorboard_write(e, start), 0);
    assert_int_equal(tensorboard_write(e, train), 0);
    assert_int_equal(tensorboard_write(e, eval), 0);
    tensorboard_close(e);
    json_decref(start);
    json_decref(train);
    json_decref(eval);
}

/* All bytes of each record but its time and its last checksum. */
static void test_same_bytes(void **state)
{
    (void)state;
    write_lines(0);
    struct buf b = read_back();
    assert_int_equal(b.length, ALL);
    for (size_t i = 0; i < 3; i++) {
        const unsigned char *is = (const unsigned char *)b.data + starts[i], *expected = reference + starts[i];
        size_t length = starts[i + 1] - starts[i];
        assert_memory_equal(is, expected, HEAD + 1);
        assert_memory_equal(is + HEAD + TIME, expected + HEAD + TIME, length - HEAD - TIME - TAIL);
    }
    buf_release(&b);
}

static size_t kept(const void *bytes, size_t length, int64_t last_step)
{
    struct tensorboard *e = NULL;

    assert_int_equal(file_write_all(path, bytes, length), 0);
    assert_int_equal(tensorboard_open(&e, dir, last_step), 0);
    tensorboard_close(e);
    struct buf b = read_back();
    size_t same = 0;
    while (same < b.length && same < length && b.data[same] == ((const char *)bytes)[same])
        same++;
    assert_true(same == b.length || b.length == FIRST_END); /* a new file has another time */
    length = b.length;
    buf_release(&b);
    return length;
}

static void test_resumed(void **state)
{
    unsigned char damaged[ALL];

    (void)state;
    assert_int_equal(kept(reference, ALL, 300), ALL);
    assert_int_equal(kept(reference, ALL, 299), SECOND_END);
    assert_int_equal(kept(reference, ALL, 2), FIRST_END);
    assert_int_equal(kept(reference, ALL, 0), FIRST_END);
    for (size_t cut = SECOND_END; cut < ALL; cut++)
        assert_int_equal(kept(reference, cut, 300), SECOND_END);
    for (size_t at = SECOND_END; at < ALL; at++) {
        memcpy(damaged, reference, ALL);
        damaged[at] ^= 4;
        assert_int_equal(kept(damaged, ALL, 300), SECOND_END);
    }
    assert_int_equal(kept("x", 1, 300), FIRST_END);
    assert_int_equal(kept(reference, ALL, 300), ALL);
    write_lines(300); /* appended: two records more */
    struct buf b = read_back();
    assert_int_equal(b.length, ALL + ALL - FIRST_END);
    buf_release(&b);
}

static void test_torture(void **state)
{
    bool finished = false;

    (void)state;
    for (long n = 1; !finished; n++) {
        struct tensorboard *e = NULL;
        mem_fail_after(n);
        int rc = tensorboard_open(&e, dir, 300);
        mem_fail_after(0);
        tensorboard_close(e);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        finished = rc == 0;
    }
    struct tensorboard *e = NULL;
    assert_int_equal(tensorboard_open(&e, "/nonexistent", 0), RECO_E_IO);
    assert_null(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
