#include "cli/torch_device.h"

#include "cli/device.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/pool.h"

static int open_cuda(struct tch_device *out, int index, int count)
{
    if (!tch_cuda_built())
        return err_set(RECO_E_MODEL, "no CUDA in this build of reco: --device cpu");
    if (count == 0)
        return err_set(RECO_E_MODEL, "no CUDA device found: there is no driver or no GPU (--device cpu runs without)");
    if (index >= count)
        return err_set(RECO_E_MODEL, "no device cuda:%d: there are %d", index, count);
    if (tch_cuda_load(index) != 0)
        return err_set(RECO_E_MODEL, "cannot use cuda:%d: %s", index, tch_last_error());
    *out = (struct tch_device){.cuda = true, .index = index};
    return 0;
}

int torch_device_open(struct tch_device *out, int *threads, const char *device, int64_t threads_asked, bool bf16)
{
    struct device_choice choice;
    *out = (struct tch_device){0};
    int rc = device_parse(&choice, device);
    if (rc != 0)
        return rc;
    *threads = threads_asked > 0 ? (int)threads_asked : cpu_count();
    if (tch_init(*threads, true) != 0)
        return err_set(RECO_E_MODEL, "cannot start libtorch: %s", tch_last_error());
    int count = choice.any || choice.cuda ? tch_cuda_count() : 0;
    if (choice.cuda || (choice.any && count > 0 && tch_cuda_built()))
        return open_cuda(out, choice.index, count);
    return bf16 ? err_set(RECO_E_USAGE, "--bf16 needs a CUDA device: the CPU computes in float32") : 0;
}

int torch_model_dir(char **out, const char *name_or_path)
{
    *out = NULL;
    if (dir_exists(name_or_path)) {
        *out = mem_strdup(name_or_path);
        return *out != NULL ? 0 : err_nomem();
    }
    char *fetched = path_join("models", name_or_path);
    if (fetched == NULL)
        return err_nomem();
    if (dir_exists(fetched)) {
        *out = fetched;
        return 0;
    }
    mem_free(fetched);
    return err_set(RECO_E_MODEL,
                   "no model '%s': it is neither a directory nor in models/ (scripts/fetch_model.sh %s fetches it)",
                   name_or_path, name_or_path);
}
