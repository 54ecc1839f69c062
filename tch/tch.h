#ifndef RECO_TCH_H
#define RECO_TCH_H

/*
 * libtorch seen from C. Compiles alone as C11 and as C++17; no C++ type or exception passes through.
 *
 * A scope owns every tensor made in it and holds the first error. An operation on a failed scope, or on a NULL tensor,
 * does nothing and returns NULL; model code is straight-line C, checked once at the end with tch_scope_end. tch_keep
 * moves a tensor out of its scope to its new owner, who frees it with tch_tensor_free. Parameters live outside scopes.
 * Gradient mode and autocast are properties of the scope: they are set when it begins and restored when it ends, so an
 * early return cannot leave them switched. Scopes nest as a stack on one thread; a scope belongs to the thread that
 * began it.
 *
 * Shape letters: B sequences in the batch, N real tokens in the batch (no padding), H hidden size, A heads, D = H / A,
 * I intermediate size, K classes, V vocabulary. float means the scope's compute type where autocast is on.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tch_tensor;
struct tch_scope;
struct tch_adamw;

enum tch_status {
    TCH_OK = 0,
    TCH_E_MODEL = -6, /* a libtorch error: shapes, device; equals RECO_E_MODEL */
    TCH_E_NOMEM = -7  /* host or device memory; the message says which and what helps */
};

enum tch_dtype { TCH_FLOAT32, TCH_FLOAT64, TCH_BFLOAT16, TCH_FLOAT16, TCH_INT32, TCH_INT64, TCH_UINT8 };

struct tch_device {
    bool cuda;
    int index;
};

/* ---- library ---- */

/* Message of the last failed call of this thread that has no scope, or of the last ended scope. One line. Borrowed. */
const char *tch_last_error(void);

/*
 * Threads of libtorch's CPU kernels, and deterministic algorithms. Once, before any tensor. CPU results of the
 * operations below do not depend on the number of threads.
 */
int tch_init(int threads, bool deterministic);
const char *tch_version(void);        /* "2.11.0" */
const char *tch_cpu_capability(void); /* "AVX512", "AVX2", ... */

/*
 * CUDA. tch_cuda_count asks the driver library alone (dlopen libcuda.so.1): no libtorch_cuda is loaded. 0 when there is
 * no driver. tch_cuda_load loads libtorch_cuda and reco's CUDA module; needed before tensors on a CUDA device are made,
 * and before the process's first backward pass, which fixes the devices that libtorch knows.
 */
int tch_cuda_count(void);
int tch_cuda_describe(int index, char *text, size_t size); /* "NVIDIA H200, sm_90, 139 GiB"; driver only */
int tch_cuda_load(int index);
bool tch_cuda_built(void); /* this build has the CUDA module */
int tch_cuda_synchronize(void);
int tch_cuda_peak_bytes(uint64_t *bytes); /* caching allocator: peak allocated */

/* ---- scopes ---- */

struct tch_scope_options {
    bool grad;                /* record for backward */
    enum tch_dtype compute;   /* TCH_FLOAT32: no autocast; TCH_BFLOAT16: autocast of matmuls and attention */
    struct tch_device device; /* where tch_from_* puts its data */
};

/* Never NULL for valid memory; NULL only when out of host memory (every operation accepts it). */
struct tch_scope *tch_scope_begin(const struct tch_scope_options *options);
/* Frees the scope's tensors; returns the first error's code (message: tch_last_error) or 0. NULL gives TCH_E_NOMEM. */
int tch_scope_end(struct tch_scope *s);
int tch_scope_status(const struct tch_scope *s);
const char *tch_scope_error(const struct tch_scope *s); /* "" when fine */
/* Fails the scope with the caller's own message (first error wins). */
void tch_scope_fail(struct tch_scope *s, int status, const char *message);
/* Frees the scope's tensors made so far, keeps the scope: for loops. */
void tch_scope_clear(struct tch_scope *s);

/*
 * Early release, for loops over layers: tch_scope_release frees every tensor made since the mark except the one given
 * (NULL: all), which stays in the scope. What the backward pass needs is kept alive by the graph.
 */
size_t tch_scope_mark(const struct tch_scope *s);
void tch_scope_release(struct tch_scope *s, size_t mark, struct tch_tensor *except);

/* Moves a tensor out of its scope; the caller frees it. NULL stays NULL. */
struct tch_tensor *tch_keep(struct tch_scope *s, struct tch_tensor *t);
void tch_tensor_free(struct tch_tensor *t);

/* ---- tensors ---- */

int tch_dims(const struct tch_tensor *t);
int64_t tch_size(const struct tch_tensor *t, int dim); /* negative counts from the end; -1 for NULL or out of range */
int64_t tch_numel(const struct tch_tensor *t);
enum tch_dtype tch_dtype_of(const struct tch_tensor *t);
size_t tch_dtype_bytes(enum tch_dtype dtype);

/* A copy of data (host, contiguous, row-major) on the scope's device. */
struct tch_tensor *tch_from_data(struct tch_scope *s, const void *data, enum tch_dtype dtype, const int64_t *shape,
                                 int dims);
struct tch_tensor *tch_zeros(struct tch_scope *s, enum tch_dtype dtype, const int64_t *shape, int dims);
/*
 * Waits for the device and copies t, converted to dtype, into data [size_bytes = numel * dtype bytes]. 0 or a status;
 * fails no scope. On CUDA this is a synchronisation (everything queued runs first): not in every step.
 */
int tch_copy_out(const struct tch_tensor *t, enum tch_dtype dtype, void *data, size_t size_bytes);
/* Overwrites t (same numel) with host data of the given type. */
int tch_copy_in(struct tch_tensor *t, enum tch_dtype dtype, const void *data, size_t size_bytes);
struct tch_tensor *tch_to_dtype(struct tch_scope *s, struct tch_tensor *t, enum tch_dtype dtype);

/*
 * total += x, outside the graph and on the device: the way to follow a loss without waiting for the device at each
 * step. total is a tensor of the same shape, kept (tch_keep of tch_zeros); read it with tch_copy_out at log steps.
 */
void tch_accumulate(struct tch_scope *s, struct tch_tensor *total, struct tch_tensor *x);

/* A parameter: owned by the caller, a leaf that requires grad, on device. Its gradient is made by the first backward.
 */
int tch_parameter_new(struct tch_tensor **out, const float *data, const int64_t *shape, int dims,
                      struct tch_device device);
void tch_parameter_set_trainable(struct tch_tensor *p, bool trainable);
/* The gradient, a borrowed handle that lives as long as p; NULL when there is none. */
struct tch_tensor *tch_parameter_grad(struct tch_tensor *p);
void tch_parameter_zero_grad(struct tch_tensor *p); /* keeps the memory */

/* ---- operations: results belong to the scope ---- */

struct tch_tensor *tch_add(struct tch_scope *s, struct tch_tensor *a, struct tch_tensor *b);
struct tch_tensor *tch_mul(struct tch_scope *s, struct tch_tensor *a, struct tch_tensor *b);
struct tch_tensor *tch_scale(struct tch_scope *s, struct tch_tensor *a, double factor);
struct tch_tensor *tch_sum(struct tch_scope *s, struct tch_tensor *a); /* scalar */
struct tch_tensor *tch_tanh(struct tch_scope *s, struct tch_tensor *a);
struct tch_tensor *tch_index_rows(struct tch_scope *s, struct tch_tensor *x,
                                  struct tch_tensor *rows); /* x [N, H], rows [R] int64 -> [R, H] */
struct tch_tensor *tch_linear(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *w,
                              struct tch_tensor *b); /* x [*, I], w [O, I], b [O] or NULL -> [*, O] */
struct tch_tensor *tch_layer_norm(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *w, struct tch_tensor *b,
                                  double eps); /* over the last dim */
enum tch_act { TCH_ACT_GELU, TCH_ACT_GELU_TANH, TCH_ACT_RELU };
struct tch_tensor *tch_activation(struct tch_scope *s, struct tch_tensor *x, enum tch_act act);
struct tch_tensor *tch_log_softmax(struct tch_scope *s, struct tch_tensor *x); /* over the last dim, float32 */
struct tch_tensor *tch_softmax(struct tch_scope *s, struct tch_tensor *x);
struct tch_tensor *tch_sigmoid(struct tch_scope *s, struct tch_tensor *x);

/*
 * Counter-based dropout. The mask of element (row r, column c) of a call is a function of (seed, step, unit, site, c)
 * only, where unit = unit_ids[r]: the number of the token within the step's data order, so that masks depend neither on
 * how the batch is put together nor on threads nor on the device. Philox4x32-10, key = seed, counter = (c / 4, unit,
 * site, step). p = 0 or no grad in the scope: the identity. Kept values are scaled by 1 / (1 - p).
 */
struct tch_dropout {
    uint64_t seed;
    uint32_t step;
    double p;
    struct tch_tensor *unit_ids; /* int64 [N], borrowed; for attention: of the sequences' first tokens, see below */
};
struct tch_tensor *tch_dropout(struct tch_scope *s, struct tch_tensor *x, const struct tch_dropout *d,
                               uint32_t site); /* x [N, C] */

/* LayerNorm(residual + dropout(x)): one call, one pass where the device has it. x, residual [N, H]. */
struct tch_tensor *tch_dropout_add_layer_norm(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *residual,
                                              struct tch_tensor *w, struct tch_tensor *b, double eps,
                                              const struct tch_dropout *d, uint32_t site);

/* act(x w^T + b). */
struct tch_tensor *tch_linear_act(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *w, struct tch_tensor *b,
                                  enum tch_act act);

/*
 * BERT's input: word[ids] + position[pos] + type[types], before LayerNorm. ids, pos, types int64 [N]; tables [*, H] ->
 * [N, H]. Gradients of the tables touch only the rows used (the memory is zeroed by row, not whole).
 */
struct tch_tensor *tch_embed(struct tch_scope *s, struct tch_tensor *word, struct tch_tensor *position,
                             struct tch_tensor *type, struct tch_tensor *ids, struct tch_tensor *pos,
                             struct tch_tensor *types);

/*
 * Packed self-attention: qkv [N, 3H] (q, k, v side by side), sequences given by cu_seqlens [B + 1] (host copy and
 * tensor int32), softmax(q k^T / sqrt(D)) v in each sequence and head, dropout on the probabilities -> [N, H]. Dropout
 * mask of head a, query token i, key token j: unit = unit_ids[i], site, column = a * max_seqlen_key + j counted within
 * the sequence, with max_seqlen_key fixed at 512, so that it too is independent of the batch. (CUDA flash kernels use
 * their own Philox offset, derived from seed, step and site: reproducible there, not equal to the CPU's.)
 */
struct tch_seqlens {
    const int32_t *cu; /* host [count + 1], borrowed */
    int32_t count;     /* B */
    int32_t max_length;
    struct tch_tensor *cu_tensor; /* the same, int32 on the device */
};
struct tch_tensor *tch_attention(struct tch_scope *s, struct tch_tensor *qkv, const struct tch_seqlens *lens, int heads,
                                 const struct tch_dropout *d, uint32_t site);

/* ---- losses: scalar tensors, nats; sum of w * loss over sum of w divided by denominator given by the caller ---- */

/* sum_i w_i * -log softmax(logits)_{i, label_i} / denominator. logits [B, K], label int64 [B], w float [B]. */
struct tch_tensor *tch_cross_entropy(struct tch_scope *s, struct tch_tensor *logits, struct tch_tensor *label,
                                     struct tch_tensor *w, double denominator);
/* sum_i w_i * (x_i - y_i)^2 / denominator. x [B, 1], y [B]. */
struct tch_tensor *tch_mse(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *y, struct tch_tensor *w,
                           double denominator);
/* sum_i w_i * BCE(sigmoid(x_i), y_i) / denominator. x [B, 1], y [B] in [0, 1]. */
struct tch_tensor *tch_bce_logits(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *y, struct tch_tensor *w,
                                  double denominator);

/* Adds the gradients of loss to the parameters'. Fails the scope on error. */
void tch_backward(struct tch_scope *s, struct tch_tensor *loss);

/* ---- optimiser ---- */

/*
 * AdamW with decoupled weight decay.     Source: Loshchilov & Hutter 2019, algorithm 2, as torch.optim.AdamW does it.
 * params [count], borrowed and living longer; weight_decay per parameter. Moments are float32 on the parameter's
 * device.
 */
struct tch_adamw_options {
    double beta1, beta2, eps;
};
int tch_adamw_new(struct tch_adamw **out, struct tch_tensor *const *params, const double *weight_decay, size_t count,
                  const struct tch_adamw_options *options);
void tch_adamw_free(struct tch_adamw *opt);
/*
 * A parameter that got no gradient since the last step is left alone, as torch does with zero_grad(set_to_none=True).
 * Tables used through tch_embed get the same dense update, for less work: see adamw.cpp.
 *
 * One step: global L2 norm of all gradients into *grad_norm (NaN or inf: nothing is updated, TCH_OK is returned and
 * *grad_norm tells), gradients scaled by min(1, max_norm / (norm + 1e-6)) when max_norm > 0, update with lr, gradients
 * zeroed. grad_norm NULL: on CUDA nothing is read back and the host does not wait; the norm's readback is one
 * synchronisation.
 */
int tch_adamw_step(struct tch_adamw *opt, double lr, double max_norm, double *grad_norm);
int64_t tch_adamw_steps(const struct tch_adamw *opt);
void tch_adamw_set_steps(struct tch_adamw *opt, int64_t steps);
/* Borrowed handles of the moments of parameter i: for checkpoints. */
struct tch_tensor *tch_adamw_moment1(struct tch_adamw *opt, size_t i);
struct tch_tensor *tch_adamw_moment2(struct tch_adamw *opt, size_t i);

#ifdef __cplusplus
}
#endif
#endif
