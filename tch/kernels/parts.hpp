#ifndef RECO_TCH_PARTS_HPP
#define RECO_TCH_PARTS_HPP

/* The kernels of one instruction set, for its table. */

#include "tch/kernels/kernels.hpp"
#include "tch/kernels/vec.hpp"

namespace tch
{
namespace TCH_ISA
{

void mask_row(const dropout_key *key, uint32_t unit, int64_t first_column, int64_t columns, uint8_t *mask);
void mask_apply(int64_t columns, const float *x, const uint8_t *mask, float scale, float *out);
void norm_forward(const norm_args *a, int64_t begin, int64_t end);
void norm_backward(const norm_grad_args *a, int64_t begin, int64_t end, float *dw, float *db);
void bias_act(int64_t rows, int64_t columns, int64_t stride, int act, const float *b, float *pre, float *out);
void act_backward(int64_t count, int act, const float *pre, const float *dout, float *dpre);
void column_sums(int64_t rows, int64_t columns, int64_t stride, const float *x, bool accumulate, float *out);
void attention_forward(const attention_args *a);
void attention_backward(const attention_grad_args *a);
int64_t gemm_panel();
int64_t gemm_rows_together();
void gemm_pack(bool transposed, int64_t depth, int64_t columns, const float *b, int64_t ldb, float *to);
void gemm_block(const gemm_args *g, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end);
double sum_squares(int64_t count, const float *x);
void adamw(int64_t count, const adamw_args *a, float *p, const float *g, float *m, float *v);
void scale(int64_t count, float factor, float *p);

} /* namespace TCH_ISA */
} /* namespace tch */

#endif
