/* Matrix products on the CPU as tasks over the kernels. */

#include "tch/gemm.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace tch
{

namespace
{

/* A task's tile of about this size keeps its part of packed B in the second-level cache... */
enum { TASK_ROWS = 64, TASK_PANELS = 16 };
/* ...and small products are still cut for this many threads. */
enum { TASKS_WANTED = 8 };

int64_t divided(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

} /* namespace */

product::product(int64_t row_count, int64_t columns, int64_t depth, operand a, operand b_operand, float *c, bool add)
    : b(b_operand), rows(row_count)
{
    const kernel_table &k = kernels();
    const int64_t together = k.gemm_rows_together(), blocks = divided(rows, together);
    panel_width = k.gemm_panel();
    panels = divided(columns, panel_width);
    const int64_t wanted_rows = std::max<int64_t>(rows / TASK_ROWS, 1);
    group_rows = std::max<int64_t>(divided(blocks, wanted_rows), 1) * together;
    row_groups = divided(rows, group_rows);
    const int64_t wanted_panels =
        std::max(divided(panels, TASK_PANELS), divided(TASKS_WANTED, std::max<int64_t>(row_groups, 1)));
    group_panels = std::max<int64_t>(divided(panels, std::min(wanted_panels, std::max<int64_t>(panels, 1))), 1);
    panel_groups = divided(panels, group_panels);
    packed = at::empty({panels * panel_width * depth}, at::TensorOptions().dtype(at::kFloat));
    packed_data = packed.mutable_data_ptr<float>();
    args = {columns, depth, a.data, a.stride, a.transposed, packed_data, c, columns, add};
}

void product::pack(int64_t i) const
{
    const int64_t column = i * panel_width;
    kernels().gemm_pack(b.transposed, args.depth, std::min(panel_width, args.columns - column),
                        b.transposed ? b.data + column * b.stride : b.data + column, b.stride,
                        packed_data + column * args.depth);
}

product::tile product::run(int64_t i) const
{
    const int64_t row = i / panel_groups * group_rows, panel = i % panel_groups * group_panels;
    const int64_t row_end = std::min(row + group_rows, rows), panel_end = std::min(panel + group_panels, panels);
    kernels().gemm_block(&args, row, row_end, panel, panel_end);
    return {row, row_end - row, panel * panel_width,
            std::min(panel_end * panel_width, args.columns) - panel * panel_width};
}

} /* namespace tch */
