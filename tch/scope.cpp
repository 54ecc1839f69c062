/* Scopes, errors and the library as a whole. */

#include "tch/internal.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/util/Exception.h>
#include <torch/headeronly/version.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <cctype>
#include <climits>
#include <cstdio>
#include <cstring>
#include <new>

namespace
{

thread_local char last_error[512];

} /* namespace */

namespace tch
{

void set_last_error(const char *text) noexcept
{
    std::snprintf(last_error, sizeof last_error, "%s", text);
}

/* libtorch's first line, without its source positions and capital letter. */
static void one_line(const char *operation, const char *message, char *text, size_t size)
{
    size_t length = std::strcspn(message, "\n");
    while (length > 0 && (message[length - 1] == '.' || message[length - 1] == ' '))
        length--;
    std::snprintf(text, size, "%s: %.*s", operation, static_cast<int>(length), message);
    char *first = text + std::strlen(operation) + 2;
    if (first < text + size - 1 && std::isupper(static_cast<unsigned char>(first[0])) &&
        std::islower(static_cast<unsigned char>(first[1])))
        *first = static_cast<char>(std::tolower(static_cast<unsigned char>(*first)));
}

int describe_exception(const char *operation, char *text, size_t size) noexcept
{
    try {
        throw;
    } catch (const c10::OutOfMemoryError &) {
        std::snprintf(text, size, "%s: out of device memory; a smaller batch or sequence length, or bf16, needs less",
                      operation);
        return TCH_E_NOMEM;
    } catch (const c10::Error &e) {
        const char *message = e.what_without_backtrace();
        if (std::strstr(message, "can't allocate memory")) {
            std::snprintf(text, size, "%s: out of host memory; a smaller batch or sequence length needs less",
                          operation);
            return TCH_E_NOMEM;
        }
        one_line(operation, message, text, size);
    } catch (const std::bad_alloc &) {
        std::snprintf(text, size, "%s: out of host memory; a smaller batch or sequence length needs less", operation);
        return TCH_E_NOMEM;
    } catch (const std::exception &e) {
        one_line(operation, e.what(), text, size);
    } catch (...) {
        std::snprintf(text, size, "%s: unknown exception", operation);
    }
    return TCH_E_MODEL;
}

struct tch_tensor *hold(struct tch_scope *s, at::Tensor value)
{
    auto t = std::make_unique<tch_tensor>();
    t->value = std::move(value);
    t->scope = s;
    t->index = s->tensors.size();
    s->tensors.push_back(std::move(t));
    return s->tensors.back().get();
}

} /* namespace tch */

extern "C" {

const char *tch_last_error(void)
{
    return last_error;
}

int tch_init(int threads, bool deterministic)
{
    return tch::guard("tch_init", [&] {
        if (threads > 0)
            at::set_num_threads(threads);
#ifdef __GLIBC__
        /* Every step allocates the same sizes: keep them in the heap instead of mapping and clearing fresh pages each
         * time. */
        mallopt(M_MMAP_THRESHOLD, 32 << 20);
        mallopt(M_TRIM_THRESHOLD, INT_MAX);
        mallopt(M_TOP_PAD, 16 << 20);
#endif
        at::globalContext().setDeterministicAlgorithms(deterministic, /*warn_only=*/true);
        /* Filling fresh memory with NaN finds bugs of libtorch, not ours, and costs a pass over every tensor. */
        at::globalContext().setDeterministicFillUninitializedMemory(false);
    });
}

const char *tch_version(void)
{
    return TORCH_VERSION;
}

const char *tch_cpu_capability(void)
{
    static const std::string capability = at::get_cpu_capability();
    return capability.c_str();
}

struct tch_scope *tch_scope_begin(const struct tch_scope_options *options)
{
    auto *s = new (std::nothrow) tch_scope;
    if (!s) {
        tch::set_last_error("tch_scope_begin: out of host memory");
        return nullptr;
    }
    s->options = *options;
    s->previous_grad = c10::GradMode::is_enabled();
    c10::GradMode::set_enabled(options->grad);
    return s;
}

int tch_scope_end(struct tch_scope *s)
{
    if (!s)
        return TCH_E_NOMEM;
    int status = s->status;
    tch::set_last_error(s->error);
    c10::GradMode::set_enabled(s->previous_grad);
    delete s;
    return status;
}

int tch_scope_status(const struct tch_scope *s)
{
    return s ? s->status : TCH_E_NOMEM;
}

const char *tch_scope_error(const struct tch_scope *s)
{
    return s ? s->error : "out of host memory";
}

void tch_scope_fail(struct tch_scope *s, int status, const char *message)
{
    if (!s || s->status != TCH_OK || status == TCH_OK)
        return;
    s->status = status;
    std::snprintf(s->error, sizeof s->error, "%s", message);
}

void tch_scope_clear(struct tch_scope *s)
{
    if (s)
        s->tensors.clear();
}

size_t tch_scope_mark(const struct tch_scope *s)
{
    return s ? s->tensors.size() : 0;
}

void tch_scope_release(struct tch_scope *s, size_t mark, struct tch_tensor *except)
{
    if (!s || mark >= s->tensors.size())
        return;
    if (except && except->scope == s && except->index >= mark) {
        std::swap(s->tensors[mark], s->tensors[except->index]);
        s->tensors[mark]->index = mark;
        mark++;
    }
    s->tensors.resize(mark);
}

struct tch_tensor *tch_keep(struct tch_scope *s, struct tch_tensor *t)
{
    if (!s || !t || t->scope != s)
        return nullptr;
    auto owned = std::move(s->tensors[t->index]);
    if (t->index + 1 != s->tensors.size()) {
        s->tensors[t->index] = std::move(s->tensors.back());
        s->tensors[t->index]->index = t->index;
    }
    s->tensors.pop_back();
    owned->scope = nullptr;
    return owned.release();
}

void tch_tensor_free(struct tch_tensor *t)
{
    delete t;
}

} /* extern "C" */
