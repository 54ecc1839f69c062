#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>

#include "core/hash.h"
#include "core/mem.h"
#include "tests/core/scratch.h"

static void reading(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_int_equal(scratch_put("text", "hello\n"), 0);
    assert_int_equal(buf_add_str(&b, "> "), 0);
    assert_int_equal(file_read_all("text", 0, &b), 0);
    assert_string_equal(buf_str(&b), "> hello\n");
    assert_int_equal(file_read_all("text", 6, &b), 0);
    assert_int_equal(file_read_all("text", 5, &b), RECO_E_IO);
    assert_string_equal(err_message(), "cannot read 'text': larger than the limit of 5 bytes");
    assert_string_equal(buf_str(&b), "> hello\nhello\n");
    assert_int_equal(file_read_all("none", 0, &b), RECO_E_IO);
    assert_string_equal(err_message(), "cannot read 'none': No such file or directory");
    assert_int_equal(file_read_all(".", 0, &b), RECO_E_IO);
    assert_string_equal(err_message(), "cannot read '.': Is a directory");
    buf_clear(&b);
    assert_int_equal(file_read_all("/proc/self/stat", 0, &b), 0); /* says it has no bytes */
    assert_true(b.length > 10);
    buf_release(&b);
}

static void mapping(void **state)
{
    (void)state;
    struct file_map map = {0};
    assert_int_equal(scratch_put("text", "hello"), 0);
    assert_int_equal(scratch_put("empty", ""), 0);
    assert_int_equal(file_map_open(&map, "text"), 0);
    assert_int_equal(map.size_bytes, 5);
    assert_memory_equal(map.data, "hello", 5);
    file_map_close(&map);
    file_map_close(&map);
    assert_int_equal(file_map_open(&map, "empty"), 0);
    assert_int_equal(map.size_bytes, 0);
    assert_non_null(map.data);
    file_map_close(&map);
    assert_int_equal(file_map_open(&map, "."), RECO_E_IO);
    assert_int_equal(file_map_open(&map, "none"), RECO_E_IO);
    assert_int_equal(file_map_open(&map, "/dev/null"), RECO_E_IO);
    assert_string_equal(err_message(), "cannot read '/dev/null': not a regular file");
}

static void writing(void **state)
{
    (void)state;
    struct file_writer *w = NULL;
    struct buf expected = {0};
    assert_int_equal(dir_make("writing"), 0);
    assert_int_equal(file_writer_open(&w, "writing/numbers"), 0);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(file_printf(w, "%d\n", i), 0);
        assert_int_equal(buf_printf(&expected, "%d\n", i), 0);
    }
    char *large = mem_calloc(1, 300 * 1024 + 1);
    memset(large, 'x', 300 * 1024);
    assert_int_equal(file_write(w, large, 300 * 1024), 0);
    assert_int_equal(file_printf(w, "%s", large), 0);
    assert_int_equal(buf_add_str(&expected, large), 0);
    assert_int_equal(buf_add_str(&expected, large), 0);
    assert_int_equal(file_writer_tell(w), expected.length);
    assert_false(file_exists("writing/numbers"));
    assert_int_equal(file_writer_commit(&w), 0);
    assert_null(w);
    assert_true(scratch_holds("writing/numbers", buf_str(&expected)));
    assert_int_equal(scratch_count("writing"), 1);
    mem_free(large);
    buf_release(&expected);
}

static void an_aborted_writer_leaves_the_old_file(void **state)
{
    (void)state;
    struct file_writer *w = NULL;
    assert_int_equal(dir_make("abort"), 0);
    assert_int_equal(scratch_put("abort/x", "old"), 0);
    assert_int_equal(file_writer_open(&w, "abort/x"), 0);
    assert_int_equal(file_write(w, "new", 3), 0);
    file_writer_abort(&w);
    file_writer_abort(&w);
    assert_true(scratch_holds("abort/x", "old"));
    assert_int_equal(scratch_count("abort"), 1);
}

/* Every call that changes the disk fails in turn: the old file stays, and nothing else is left. */
static void each_write_fails_in_turn(void **state)
{
    (void)state;
    assert_int_equal(dir_make("torture"), 0);
    assert_int_equal(scratch_put("torture/x", "old"), 0);
    char chunk[100000];
    memset(chunk, 'c', sizeof chunk);
    int failures = 0;
    for (long n = 1;; n++) {
        struct file_writer *w = NULL;
        file_fail_after(n);
        int status = file_writer_open(&w, "torture/x");
        for (int i = 0; i < 5 && status == 0; i++)
            status = file_write(w, chunk, sizeof chunk);
        if (status != 0 && w != NULL) {
            assert_int_equal(file_write(w, "more", 4), RECO_E_IO); /* sticky */
            assert_int_equal(file_printf(w, "more"), RECO_E_IO);
            assert_int_equal(file_writer_commit(&w), RECO_E_IO);
        } else if (status == 0) {
            status = file_writer_commit(&w);
        }
        file_fail_after(0);
        assert_null(w);
        assert_int_equal(scratch_count("torture"), 1);
        if (status == 0)
            break;
        failures++;
        assert_int_equal(status, RECO_E_IO);
        assert_non_null(strstr(err_message(), "torture/x': No space left on device"));
        assert_true(scratch_holds("torture/x", "old"));
    }
    assert_in_range(failures, 5, 20);
}

static void each_allocation_fails_in_turn(void **state)
{
    (void)state;
    for (long n = 1;; n++) {
        struct buf b = {0};
        char hex[HASH_HEX_SIZE];
        mem_fail_after(n);
        int status = file_write_all("alloc", "text", 4);
        if (status == 0)
            status = file_read_all("alloc", 0, &b);
        if (status == 0)
            status = hash_file_hex("alloc", hex);
        mem_fail_after(0);
        buf_release(&b);
        if (status == 0) {
            assert_true(n > 5);
            break;
        }
        assert_int_equal(status, RECO_E_NOMEM);
        assert_false(scratch_count(".") > 100);
    }
}

static void odd_targets(void **state)
{
    (void)state;
    struct stat info;
    assert_int_equal(dir_make("odd"), 0);
    assert_int_equal(file_write_all("odd", "x", 1), RECO_E_IO);
    assert_string_equal(err_message(), "cannot write 'odd': Is a directory");
    assert_int_equal(file_write_all("none/x", "x", 1), RECO_E_IO);
    assert_int_equal(file_write_all("/dev/null", "x", 1), 0); /* in place: it is still a device */
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
    if (stat("/dev/full", &info) == 0) {
        assert_int_equal(file_write_all("/dev/full", "x", 1), RECO_E_IO);
        assert_string_equal(err_message(), "cannot write '/dev/full': No space left on device");
    }
    assert_int_equal(scratch_put("odd/target", "old"), 0);
    assert_int_equal(chmod("odd/target", 0640), 0);
    assert_int_equal(symlink("target", "odd/link"), 0);
    assert_int_equal(scratch_put("odd/link", "new"), 0); /* the link stays, its target changes and keeps its mode */
    assert_int_equal(lstat("odd/link", &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_true(scratch_holds("odd/target", "new"));
    assert_int_equal(stat("odd/target", &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void directories(void **state)
{
    (void)state;
    bool empty = false;
    uint64_t bytes = 0;
    assert_int_equal(dir_make("a/b//c/"), 0);
    assert_int_equal(dir_make("a/b/c"), 0);
    assert_true(dir_exists("a/b/c"));
    assert_false(file_exists("a"));
    assert_int_equal(dir_is_empty("a/b/c", &empty), 0);
    assert_true(empty);
    assert_int_equal(dir_is_empty("a", &empty), 0);
    assert_false(empty);
    assert_int_equal(dir_is_empty("nowhere", &empty), 0);
    assert_true(empty);
    assert_int_equal(dir_make(""), RECO_E_IO);
    assert_int_equal(scratch_put("a/b/file", "x"), 0);
    assert_int_equal(dir_make("a/b/file"), RECO_E_IO);
    assert_int_equal(dir_make("a/b/file/under"), RECO_E_IO);
    assert_int_equal(dir_is_empty("a/b/file", &empty), RECO_E_IO);
    assert_int_equal(file_free_bytes("a/not/yet/there", &bytes), 0);
    assert_true(bytes > 0);
    assert_int_equal(dir_make("kept"), 0);
    assert_int_equal(scratch_put("kept/file", "x"), 0);
    assert_int_equal(symlink("../../kept", "a/b/link"), 0);
    assert_int_equal(dir_remove("a"), 0);
    assert_false(dir_exists("a"));
    assert_true(file_exists("kept/file")); /* links are removed, not followed */
    assert_int_equal(dir_remove("a"), 0);
    assert_int_equal(file_remove("kept/file"), 0);
    assert_int_equal(file_remove("kept/file"), 0);
    char *joined = path_join("dir", "name"), *slash = path_join("dir/", "name");
    assert_string_equal(joined, "dir/name");
    assert_string_equal(slash, "dir/name");
    mem_free(joined);
    mem_free(slash);
}

static int stage(const char *path, const char *text)
{
    char *tmp = NULL, *file = NULL;
    int status = dir_stage_begin(&tmp, path);
    if (status == 0) {
        file = path_join(tmp, "file");
        status = file == NULL ? RECO_E_NOMEM : scratch_put(file, text);
    }
    if (status == 0)
        status = dir_stage_commit(tmp, path);
    dir_stage_abort(tmp);
    mem_free(tmp);
    mem_free(file);
    return status;
}

static void staging(void **state)
{
    (void)state;
    assert_int_equal(stage("stage/deep/run/", "one"), 0); /* parents are made */
    assert_true(scratch_holds("stage/deep/run/file", "one"));
    assert_int_equal(scratch_put("stage/deep/run/extra", "x"), 0);
    assert_int_equal(stage("stage/deep/run", "two"), 0);
    assert_true(scratch_holds("stage/deep/run/file", "two"));
    assert_false(file_exists("stage/deep/run/extra")); /* replaced as a whole */
    assert_int_equal(symlink("deep/run", "stage/link"), 0);
    assert_int_equal(stage("stage/link", "three"), 0);
    assert_true(scratch_holds("stage/deep/run/file", "three"));
    assert_int_equal(scratch_count("stage"), 2);
    assert_int_equal(scratch_count("stage/deep"), 1);
    assert_int_equal(scratch_put("stage/file", "x"), 0);
    assert_int_equal(stage("stage/file", "x"), RECO_E_IO);
    assert_string_equal(err_message(), "cannot make directory 'stage/file': a file of that name exists");
}

/* Whatever fails, the old directory or the new one is there, and no stage beside it. */
static void each_step_of_staging_fails_in_turn(void **state)
{
    (void)state;
    assert_int_equal(stage("swap/run", "old"), 0);
    for (int memory = 0; memory < 2; memory++) {
        for (long n = 1;; n++) {
            (memory ? mem_fail_after : file_fail_after)(n);
            int status = stage("swap/run", "new");
            file_fail_after(0);
            mem_fail_after(0);
            assert_int_equal(scratch_count("swap"), 1);
            if (status == 0)
                break;
            assert_int_equal(status, memory ? RECO_E_NOMEM : RECO_E_IO);
            assert_true(scratch_holds("swap/run/file", "old") || scratch_holds("swap/run/file", "new"));
        }
        assert_true(scratch_holds("swap/run/file", "new"));
    }
}

static void hashing(void **state)
{
    (void)state;
    /* xxhsum -H2 and -H3 of "abc", and of nothing */
    char hex[HASH_HEX_SIZE], same[HASH_HEX_SIZE];
    hash_hex("abc", 3, hex);
    assert_string_equal(hex, "06b05ab6733a618578af5f94892f3950");
    assert_true(hash_u64("abc", 3, 0) == 0x78af5f94892f3950);
    assert_true(hash_u64("abc", 3, 1) != hash_u64("abc", 3, 0));
    hash_hex("", 0, hex);
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
    struct hash_stream *h = NULL;
    assert_int_equal(hash_stream_new(&h), 0);
    for (int i = 0; i < 1000; i++)
        hash_stream_add(h, "0123456789", 10);
    hash_stream_add(h, NULL, 0);
    hash_stream_hex(h, hex);
    hash_stream_hex(h, same);
    assert_string_equal(hex, same);
    hash_stream_free(h);
    hash_stream_free(NULL);
    struct buf b = {0};
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_add_str(&b, "0123456789"), 0);
    hash_hex(b.data, b.length, same);
    assert_string_equal(hex, same);
    assert_int_equal(scratch_put("hashed", buf_str(&b)), 0);
    assert_int_equal(hash_file_hex("hashed", same), 0);
    assert_string_equal(hex, same);
    assert_int_equal(hash_file_hex("none", same), RECO_E_IO);
    assert_int_equal(hash_file_hex(".", same), RECO_E_IO);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(mapping),
        cmocka_unit_test(writing),
        cmocka_unit_test(an_aborted_writer_leaves_the_old_file),
        cmocka_unit_test(each_write_fails_in_turn),
        cmocka_unit_test(each_allocation_fails_in_turn),
        cmocka_unit_test(odd_targets),
        cmocka_unit_test(directories),
        cmocka_unit_test(staging),
        cmocka_unit_test(each_step_of_staging_fails_in_turn),
        cmocka_unit_test(hashing),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
