#include "cli/cmd.h"

#include <csv.h>
#include <jansson.h>
#include <xxhash.h>
#include <yaml.h>
#include <zlib.h>
#include <zstd.h>

#include "cli/program.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/pool.h"

struct version_options {
    struct cmd_common common;
};

static const struct opt_spec options[] = {CMD_COMMON_OPTIONS(struct version_options), {.name = NULL}};

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static int add_build(struct buf *b)
{
    unsigned xxhash = XXH_versionNumber();
    int status = buf_printf(b, "reco       %s\n", RECO_VERSION);
    if (status == 0)
        status = buf_printf(b, "compiler   %s\nbuild      %s %s%s\n", COMPILER, RECO_BUILD_TYPE, RECO_C_FLAGS,
                            RECO_SANITIZED ? " (with sanitizers)" : "");
    if (status == 0)
        status =
            buf_printf(b, "libraries  jansson %s, libyaml %s, libzstd %s, zlib %s, libcsv %d.%d.%d, xxhash %u.%u.%u\n",
                       jansson_version_str(), yaml_get_version_string(), ZSTD_versionString(), zlibVersion(), CSV_MAJOR,
                       CSV_MINOR, CSV_RELEASE, xxhash / 10000, xxhash / 100 % 100, xxhash % 100);
    return status == 0 ? buf_printf(b, "processors %d\n", cpu_count()) : status;
}

/* libtorch's part comes from reco-torch, which may be missing: that is an answer too. */
static int add_torch(struct buf *b)
{
    char *path = NULL;
    struct buf text = {0};
    int exit_status = 0;
    int status = program_find_torch(&path);
    if (status == RECO_E_MODEL)
        return buf_printf(b, "libtorch   none: %s\n", err_message());
    if (status != 0)
        return status;
    char *argv[] = {path, "libtorch", NULL};
    status = program_capture(path, argv, &text, NULL, &exit_status);
    if (status == 0 && exit_status == 0)
        status = buf_add(b, text.data, text.length);
    else if (status == 0)
        status = buf_printf(b, "libtorch   '%s' does not run (exit status %d)\n", path, exit_status);
    mem_free(path);
    buf_release(&text);
    return status;
}

static int run(const struct cmd_ctx *ctx)
{
    (void)ctx;
    struct buf b = {0};
    int status = add_build(&b);
    if (status == 0)
        status = add_torch(&b);
    if (status == 0)
        status = cmd_print(buf_str(&b));
    buf_release(&b);
    return status;
}

const struct cmd_spec cmd_version = {
    .name = "version",
    .summary = "print versions, build settings and the devices seen",
    .description =
        "Prints the version of reco, of its compiler and libraries, of libtorch, and the devices that can be "
        "used. Without libtorch it says so and still succeeds.",
    .options = options,
    .options_size = sizeof(struct version_options),
    .run = run,
};
