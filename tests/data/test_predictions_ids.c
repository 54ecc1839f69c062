/* A row id that stands there twice is found, whatever the ids look like, in a file, a pipe and rows that are taken. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "data/predictions.h"

enum shape { COUNTED, SCATTERED, COUNTED_THEN_SCATTERED, SCATTERED_THEN_COUNTED, SHAPES };
enum way { FROM_FILE, FROM_PIPE, TAKEN, TAKEN_FROM_PIPE, WAYS };
enum { ROWS = 30000, TWICE = 29990, FIRST = 11 };

static void add_id(struct buf *b, enum shape shape, unsigned row)
{
    bool scattered = shape == SCATTERED || (shape == COUNTED_THEN_SCATTERED && row >= ROWS / 2) ||
                     (shape == SCATTERED_THEN_COUNTED && row < ROWS / 2);
    assert_int_equal(scattered ? buf_printf(b, "%x-%u", row * 2654435761u, row) : buf_printf(b, "test.csv:%u", row), 0);
}

static void write_rows(const char *path, enum shape shape, bool twice)
{
    struct buf b = {0};
    assert_int_equal(buf_add_str(&b, "row_id\titem_id\tlabel\tp_a\tp_b\n"), 0);
    for (unsigned row = 0; row < ROWS; row++) {
        add_id(&b, shape, twice && row == TWICE ? FIRST : row);
        assert_int_equal(buf_printf(&b, "\ti%u\ta\t0.5\t0.5\n", row % 100), 0);
    }
    assert_int_equal(file_write_all(path, b.data, b.length), 0);
    buf_release(&b);
}

static int take(void *arg, const struct predictions *p)
{
    *(size_t *)arg += p->rows;
    return 0;
}

static int read_rows(const char *path, enum way way, int threads, size_t *rows)
{
    struct predictions_options options;
    struct predictions *p = NULL;
    FILE *pipe = NULL;
    size_t taken = 0;
    int saved = -1;
    predictions_options_init(&options);
    options.threads = threads;
    options.packed = true;
    options.row_ids = false;
    if (way == TAKEN || way == TAKEN_FROM_PIPE) {
        options.max_memory = 1;
        options.take = take;
        options.take_arg = &taken;
    }
    if (way == FROM_PIPE || way == TAKEN_FROM_PIPE) {
        char command[256];
        snprintf(command, sizeof command, "cat %s", path);
        pipe = popen(command, "r");
        assert_non_null(pipe);
        saved = dup(STDIN_FILENO);
        assert_true(saved >= 0 && dup2(fileno(pipe), STDIN_FILENO) >= 0);
    }
    int rc = predictions_open(&p, pipe ? "-" : path, &options);
    if (pipe) {
        dup2(saved, STDIN_FILENO);
        close(saved);
        pclose(pipe);
    }
    *rows = p ? p->rows : 0;
    if (!rc && options.take) {
        assert_int_equal(taken, p->rows);
    }
    predictions_free(p);
    return rc;
}

static void ids_are_looked_at(void **state)
{
    (void)state;
    char path[] = "/tmp/reco-test-ids-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (int shape = 0; shape < SHAPES; shape++) {
        for (int twice = 0; twice < 2; twice++) {
            write_rows(path, (enum shape)shape, twice);
            for (int way = 0; way < WAYS; way++) {
                size_t rows;
                int rc = read_rows(path, (enum way)way, 1 + way, &rows);
                if (rc != (twice ? RECO_E_DATA : 0) || (!rc && rows != ROWS)) {
                    fail_msg("shape %d, way %d, twice %d: %d, %zu rows, %s", shape, way, twice, rc, rows,
                             err_message());
                }
                if (twice) {
                    char line[32];
                    char as[32];
                    snprintf(line, sizeof line, "line %d: doubled row_id", TWICE + 2);
                    snprintf(as, sizeof as, "as in line %d", FIRST + 2);
                    assert_non_null(strstr(err_message(), line));
                    assert_non_null(strstr(err_message(), as));
                }
            }
        }
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
