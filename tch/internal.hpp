#ifndef RECO_TCH_INTERNAL_HPP
#define RECO_TCH_INTERNAL_HPP

/*
 * Inside of the wrapper: what the opaque types hold, and the one place where C++ exceptions end.
 */

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <memory>
#include <vector>

#include "tch/tch.h"

namespace tch
{
struct grad_state; /* graph.hpp */
}

struct tch_tensor {
    at::Tensor value;
    struct tch_scope *scope = nullptr;        /* owner; NULL: the caller, or (gradients, moments) another tensor */
    size_t index = 0;                         /* place in the owner's list */
    std::shared_ptr<tch::grad_state> state{}; /* of a parameter, else NULL */
    std::unique_ptr<tch_tensor> grad{};       /* the handle that tch_parameter_grad lends */
};

struct tch_scope {
    std::vector<std::unique_ptr<tch_tensor>> tensors{};
    struct tch_scope_options options {
    };
    bool previous_grad = false;
    int status = TCH_OK;
    char error[512] = "";
};

namespace tch
{

at::ScalarType scalar_type(enum tch_dtype dtype);
at::Device device_of(const struct tch_device &device);

/* Turns the exception in flight into a code and one clean line "<operation>: <message>". Called inside a catch. */
int describe_exception(const char *operation, char *text, size_t size) noexcept;
/* The thread's message, read by tch_last_error. */
void set_last_error(const char *text) noexcept;

/*
 * The value for an operation whose gradient goes through libtorch's own nodes, which add to what a parameter's gradient
 * holds: a gradient that holds nothing is zeroed first.
 */
const at::Tensor &used(const tch_tensor *t);

/* Puts a value in the scope. */
struct tch_tensor *hold(struct tch_scope *s, at::Tensor value);

/* fn() with every exception turned into a code and the thread's message: for calls that have no scope. */
template <typename Fn> int guard(const char *operation, Fn &&fn) noexcept
{
    char text[512];
    int status;
    try {
        fn();
        return TCH_OK;
    } catch (...) {
        status = describe_exception(operation, text, sizeof text);
    }
    set_last_error(text);
    return status;
}

/* fn() -> at::Tensor as a tensor of the scope; NULL when the scope has failed, an input is NULL, or fn throws. */
template <typename Fn>
struct tch_tensor *operation(struct tch_scope *s, const char *name, std::initializer_list<const tch_tensor *> inputs,
                             Fn &&fn) noexcept
{
    if (!s || s->status != TCH_OK)
        return nullptr;
    for (const tch_tensor *input : inputs)
        if (!input) {
            tch_scope_fail(s, TCH_E_MODEL, (std::string(name) + ": an input is missing").c_str());
            return nullptr;
        }
    try {
        return hold(s, fn());
    } catch (...) {
        s->status = describe_exception(name, s->error, sizeof s->error);
        return nullptr;
    }
}

} /* namespace tch */

#endif
