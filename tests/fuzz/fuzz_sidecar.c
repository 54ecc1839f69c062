/* Any bytes as the sidecar of good predictions: these are read, or refused with a message. */

#include <string.h>

#include "core/file.h"
#include "data/predictions.h"
#include "tests/fuzz/fuzz.h"

static char directory[] = "/tmp/reco-fuzz-sidecar-XXXXXX";
static char predictions_path[64], sidecar_path[64];

static void remove_directory(void)
{
    if (dir_remove(directory)) {
        fprintf(stderr, "%s\n", err_message());
    }
}

static void make_files(void)
{
    static const char text[] = "row_id\tlabel\tp_b\tp_a\na\tb\t0.5\t0.5\nb\ta\t0.25\t0.75\n";
    if (!mkdtemp(directory) || atexit(remove_directory)) {
        abort();
    }
    (void)snprintf(predictions_path, sizeof predictions_path, "%s/p.tsv", directory);
    (void)snprintf(sidecar_path, sizeof sidecar_path, "%s/p.tsv.json", directory);
    if (file_write_all(predictions_path, text, strlen(text))) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct predictions *p = NULL;
    if (!*predictions_path) {
        make_files();
    }
    FILE *sidecar = fopen(sidecar_path, "wb");
    if (!sidecar || fwrite(data, 1, size, sidecar) != size || fclose(sidecar)) {
        abort();
    }
    err_clear();
    if (predictions_read(&p, predictions_path)) {
        if (p || !*err_message()) {
            abort();
        }
    } else if (p->rows != 2 || p->labels.count != 2) {
        abort();
    }
    predictions_free(p);
    return 0;
}
