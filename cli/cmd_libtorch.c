#include "cli/opts_libtorch.h"

#include "core/buf.h"
#include "tch/tch.h"

static int add_devices(struct buf *b)
{
    int count = tch_cuda_count();
    int status = buf_printf(b, "devices    cpu (%s)\n", tch_cpu_capability());
    for (int i = 0; i < count && status == 0; i++) {
        char text[256];
        if (tch_cuda_describe(i, text, sizeof text) == 0)
            status = buf_printf(b, "           cuda:%d (%s)\n", i, text);
        else
            status = buf_printf(b, "           cuda:%d (%s)\n", i, tch_last_error());
    }
    return status;
}

int cmd_libtorch_run(const struct cmd_ctx *ctx)
{
    (void)ctx;
    struct buf b = {0};
    int status = buf_printf(&b, "libtorch   %s\ncuda       %s\n", tch_version(),
                            tch_cuda_built() ? "built" : "not in this build");
    if (status == 0)
        status = add_devices(&b);
    if (status == 0)
        status = cmd_print(buf_str(&b));
    buf_release(&b);
    return status;
}
