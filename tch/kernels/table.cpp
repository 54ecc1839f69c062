/* The kernels of one instruction set as a table. */

#include "tch/kernels/parts.hpp"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

namespace tch
{
namespace TCH_ISA
{

extern const kernel_table table;
const kernel_table table = {TEXT(TCH_ISA),
                            mask_row,
                            mask_apply,
                            norm_forward,
                            norm_backward,
                            bias_act,
                            act_backward,
                            column_sums,
                            attention_forward,
                            attention_backward,
                            gemm_panel,
                            gemm_rows_together,
                            gemm_pack,
                            gemm_block,
                            sum_squares,
                            adamw,
                            scale};

} /* namespace TCH_ISA */
} /* namespace tch */
