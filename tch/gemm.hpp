#ifndef RECO_TCH_GEMM_HPP
#define RECO_TCH_GEMM_HPP

#include <ATen/core/Tensor.h>

#include "tch/kernels/kernels.hpp"

namespace tch
{

/*
 * C [rows, columns] (+)= op(A) op(B), row-major float32, as two lists of tasks: pack() for each of packs, then, when
 * all of these are done, run() for each of tile tasks. The cut depends on the shape and the instruction set alone.
 */
class product
{
  public:
    struct operand {
        const float *data;
        int64_t stride;
        bool transposed; /* data holds the transpose */
    };
    struct tile {
        int64_t row, rows, column, columns;
    };

    product() = default;
    product(int64_t rows, int64_t columns, int64_t depth, operand a, operand b, float *c, bool add);

    int64_t packs() const
    {
        return panels;
    }
    void pack(int64_t i) const;
    int64_t tasks() const
    {
        return row_groups * panel_groups;
    }
    /* Computes a tile of C and tells which. */
    tile run(int64_t i) const;

  private:
    gemm_args args{};
    operand b{};
    at::Tensor packed{};
    float *packed_data = nullptr;
    int64_t rows = 0, panel_width = 1, panels = 0;
    int64_t row_groups = 0, group_rows = 0, panel_groups = 0, group_panels = 0;
};

} /* namespace tch */

#endif
