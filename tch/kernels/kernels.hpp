#ifndef RECO_TCH_KERNELS_HPP
#define RECO_TCH_KERNELS_HPP

/*
 * The CPU kernels: plain functions on rows of float32, compiled once for each instruction set (TCH_ISA) and chosen at
 * run time. Nothing here knows libtorch or starts threads: callers split rows among threads. Every result of a row
 * depends on that row alone, and sums over rows run in row order, so results do not depend on the split. C++ headers
 * with inline functions stay out: the linker could keep a copy compiled for an instruction set that the machine lacks.
 */

#include <cstdint>

namespace tch
{

/* Who draws the mask: see struct tch_dropout of tch.h. Element c of a row is kept when lane c % 4 of
 * Philox(counter = (column / 4 + c / 4, unit, site, step), key = seed) is at or above threshold = p * 2^32. */
struct dropout_key {
    uint64_t seed;
    uint32_t step, site, threshold;
    float scale; /* 1 / (1 - p) */
};

/* Bytes of one row's mask: a bit an element, lowest first. */
inline int64_t mask_bytes(int64_t columns)
{
    return (columns + 31) / 32 * 4;
}

enum { ACT_NONE = -1, ACT_GELU = 0, ACT_GELU_TANH = 1, ACT_RELU = 2 }; /* as enum tch_act */

struct norm_args {
    int64_t width;
    const float *x;         /* [rows, width] */
    const float *residual;  /* [rows, width] or NULL */
    const int64_t *units;   /* [rows], with key */
    const dropout_key *key; /* NULL: no dropout */
    uint8_t *mask;          /* [rows, mask_bytes(width)], with key */
    const float *w, *b;     /* [width] */
    float eps;
    float *sum;         /* [rows, width] or NULL: residual + dropout(x), kept for backward */
    float *out;         /* [rows, width] */
    float *mean, *rstd; /* [rows] or NULL */
};

struct norm_grad_args {
    int64_t width;
    const float *dout, *sum, *w; /* sum: what was normalised */
    const float *mean, *rstd;
    const uint8_t *mask; /* NULL: no dropout */
    float scale;
    float *dsum; /* gradient of sum = of the residual */
    float *dx;   /* gradient of x, or NULL when equal to dsum */
};

/* One (sequence, head): rows are tokens of the sequence, q, k, v at row strides of stride floats. */
struct attention_args {
    int64_t length, width, stride, out_stride;
    const float *q, *k, *v;
    float *out;
    float scale;          /* 1 / sqrt(D) */
    float *p;             /* [length, length] probabilities before dropout, or NULL */
    const int64_t *units; /* [length] */
    const dropout_key *key;
    int64_t first_column; /* of the head in the dropout counter */
    uint8_t *mask;        /* [length, mask_bytes(length)] */
    float *scratch;       /* attention_scratch(length, width) floats, 64-byte aligned */
};

struct attention_grad_args {
    int64_t length, width, stride, out_stride;
    const float *q, *k, *v, *dout, *p;
    float scale, drop_scale;
    const uint8_t *mask; /* or NULL */
    float *dq, *dk, *dv; /* at row stride stride */
    float *scratch;
};

struct adamw_args {
    double lr, beta1, beta2, eps, weight_decay, correction1, correction2; /* corrections: 1 - beta^step */
    float grad_scale;
};

enum { GEMM_PANEL_MAX = 32 };

/* C [rows, columns] (+)= op(A) B, row-major; B packed by gemm_pack, panel after panel. */
struct gemm_args {
    int64_t columns, depth;
    const float *a; /* A(i, k) = a[i * lda + k], or a[k * lda + i] when a_transposed */
    int64_t lda;
    bool a_transposed;
    const float *b;
    float *c;
    int64_t ldc;
    bool add;
};

struct kernel_table {
    const char *isa;
    /* The mask bits of columns [first_column, first_column + columns) of a unit; first_column a multiple of 4. */
    void (*mask_row)(const dropout_key *key, uint32_t unit, int64_t first_column, int64_t columns, uint8_t *mask);
    /* out = x where the mask has 1, times scale. */
    void (*mask_apply)(int64_t columns, const float *x, const uint8_t *mask, float scale, float *out);
    void (*norm_forward)(const norm_args *a, int64_t begin, int64_t end);
    /* Adds to dw, db [width] the parameter gradients of rows [begin, end). */
    void (*norm_backward)(const norm_grad_args *a, int64_t begin, int64_t end, float *dw, float *db);
    /* A tile [rows, columns] at row stride: pre += b (b may be NULL); out = act(pre) at the same stride, out may be
     * NULL. */
    void (*bias_act)(int64_t rows, int64_t columns, int64_t stride, int act, const float *b, float *pre, float *out);
    /* dpre = dout * act'(pre) over count elements; in place allowed. */
    void (*act_backward)(int64_t count, int act, const float *pre, const float *dout, float *dpre);
    /* out[columns] = (accumulate ? out : 0) + sum over rows of x at row stride. */
    void (*column_sums)(int64_t rows, int64_t columns, int64_t stride, const float *x, bool accumulate, float *out);
    void (*attention_forward)(const attention_args *a);
    void (*attention_backward)(const attention_grad_args *a);
    /* Columns of B in a panel, and the rows of C that are best a multiple of. */
    int64_t (*gemm_panel)();
    int64_t (*gemm_rows_together)();
    /* One panel as [depth, gemm_panel()], missing columns zero: B(k, j) = b[k * ldb + j], or b[j * ldb + k] when
     * transposed. */
    void (*gemm_pack)(bool transposed, int64_t depth, int64_t columns, const float *b, int64_t ldb, float *to);
    void (*gemm_block)(const gemm_args *g, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end);
    double (*sum_squares)(int64_t count, const float *x);
    /* One AdamW update of count elements; g NULL: zero gradients. */
    void (*adamw)(int64_t count, const adamw_args *a, float *p, const float *g, float *m, float *v);
    /* p *= factor: an element whose moments and gradient are zero. */
    void (*scale)(int64_t count, float factor, float *p);
};

int64_t attention_scratch(int64_t length, int64_t width);

/* The table of this machine. */
const kernel_table &kernels();

} /* namespace tch */

#endif
