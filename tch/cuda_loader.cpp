/* CUDA, on demand: the driver library for questions, libreco_tch_cuda.so for work. */

#include "tch/cuda_module.hpp"
#include "tch/internal.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace
{

/* The few entry points of libcuda.so.1 that questions need; all of them NULL where there is no driver. */
struct driver {
    int (*init)(unsigned) = nullptr;
    int (*count)(int *) = nullptr;
    int (*get)(int *, int) = nullptr;
    int (*name)(char *, int, int) = nullptr;
    int (*attribute)(int *, int, int) = nullptr;
    int (*memory)(size_t *, int) = nullptr;
};

template <typename Fn> void resolve(void *library, const char *name, Fn *&out)
{
    out = reinterpret_cast<Fn *>(dlsym(library, name));
}

const driver &the_driver()
{
    static const driver d = [] {
        driver found;
        void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
        if (!library)
            return found;
        resolve(library, "cuInit", found.init);
        resolve(library, "cuDeviceGetCount", found.count);
        resolve(library, "cuDeviceGet", found.get);
        resolve(library, "cuDeviceGetName", found.name);
        resolve(library, "cuDeviceGetAttribute", found.attribute);
        resolve(library, "cuDeviceTotalMem_v2", found.memory);
        bool complete = found.init && found.count && found.get && found.name && found.attribute && found.memory;
        return complete && found.init(0) == 0 ? found : driver();
    }();
    return d;
}

const tch::cuda_module *loaded = nullptr;

/* The module lies beside reco-torch, or, for programs of the build tree, in its libexec/reco. */
const tch::cuda_module *load()
{
    static const char *const places[] = {"", "libexec/reco/", "../libexec/reco/", "../../libexec/reco/"};
    char program[4096];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    TORCH_CHECK(length > 0, "cannot find this program's own path");
    const std::string path(program, static_cast<size_t>(length)), folder = path.substr(0, path.rfind('/') + 1);
    std::string file;
    for (const char *place : places) {
        file = folder + place + "libreco_tch_cuda.so";
        if (access(file.c_str(), R_OK) == 0)
            break;
    }
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0); /* without it cuBLAS may differ from run to run */
    void *library = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
    TORCH_CHECK(library, "cannot load libtorch for CUDA: ", dlerror());
    const void *(*entry)() = nullptr;
    resolve(library, "reco_tch_cuda_module", entry);
    const auto *module = entry ? static_cast<const tch::cuda_module *>(entry()) : nullptr;
    TORCH_CHECK(module && module->size_bytes == sizeof *module, "'", file, "' is of another build");
    return module;
}

} /* namespace */

namespace tch
{

const cuda_module &the_cuda_module()
{
    TORCH_CHECK(loaded, "tch_cuda_load was not called");
    return *loaded;
}

} /* namespace tch */

extern "C" {

int tch_cuda_count(void)
{
    const driver &d = the_driver();
    int count = 0;
    return d.count && d.count(&count) == 0 ? count : 0;
}

int tch_cuda_describe(int index, char *text, size_t size)
{
    return tch::guard("tch_cuda_describe", [&] {
        enum { COMPUTE_CAPABILITY_MAJOR = 75, COMPUTE_CAPABILITY_MINOR = 76 };
        const driver &d = the_driver();
        int device = 0, major = 0, minor = 0;
        char name[128] = "";
        size_t bytes = 0;
        TORCH_CHECK(d.get && d.get(&device, index) == 0, "there is no CUDA device ", index);
        TORCH_CHECK(d.name(name, sizeof name, device) == 0 &&
                        d.attribute(&major, COMPUTE_CAPABILITY_MAJOR, device) == 0 &&
                        d.attribute(&minor, COMPUTE_CAPABILITY_MINOR, device) == 0 && d.memory(&bytes, device) == 0,
                    "the driver does not describe CUDA device ", index);
        std::snprintf(text, size, "%s, sm_%d%d, %.0f GiB", name, major, minor, static_cast<double>(bytes) / (1 << 30));
    });
}

bool tch_cuda_built(void)
{
#ifdef RECO_TCH_CUDA
    return true;
#else
    return false;
#endif
}

int tch_cuda_load(int index)
{
    return tch::guard("tch_cuda_load", [&] {
        TORCH_CHECK(tch_cuda_built(), "this reco was built without CUDA");
        TORCH_CHECK(tch_cuda_count() > 0, "there is no CUDA driver or no CUDA device on this machine");
        TORCH_CHECK(index >= 0 && index < tch_cuda_count(), "there is no CUDA device ", index, ": the driver knows ",
                    tch_cuda_count());
        if (!loaded)
            loaded = load();
        loaded->use(index);
    });
}

int tch_cuda_synchronize(void)
{
    return tch::guard("tch_cuda_synchronize", [] {
        if (loaded)
            loaded->synchronize();
    });
}

int tch_cuda_peak_bytes(uint64_t *bytes)
{
    *bytes = 0;
    return tch::guard("tch_cuda_peak_bytes", [&] {
        if (loaded)
            *bytes = loaded->peak_bytes();
    });
}

} /* extern "C" */
