#ifndef RECO_TCH_ADAMW_HPP
#define RECO_TCH_ADAMW_HPP

#include "tch/graph.hpp"

namespace tch
{

/* One parameter and what belongs to it. */
struct slot {
    struct tch_tensor *param = nullptr;
    double weight_decay = 0;
    tch_tensor moment1{}, moment2{};
    /* Rows that may have moments other than zero, for tables; valid while the moments have the versions noted. */
    std::vector<uint8_t> active{};
    uint32_t version1 = 0, version2 = 0;

    bool has_gradient() const;
    bool by_rows() const
    {
        return param->state->content == grad_state::ROWS;
    }
    int64_t row_width() const
    {
        return param->value.numel() / param->value.size(0);
    }
    void find_active();
};

/* Elements or rows [begin, end) of a parameter. */
struct piece {
    slot *at;
    int64_t begin, end;
    bool rows;
};

/* The norm, or 0 when it is not wanted: reading it waits for the device. */
double adamw_step_on_cuda(struct tch_adamw *opt, double lr, double max_norm, bool want_norm);

} /* namespace tch */

struct tch_adamw {
    std::vector<tch::slot> slots{};
    struct tch_adamw_options options {
    };
    int64_t steps = 0;
    std::vector<tch::piece> pieces{};
    std::vector<double> sums{};
    at::Tensor device_steps{};    /* CUDA: the count, which only the device knows after a step with infinities */
    bool steps_on_device = false; /* steps is behind device_steps */
};

#endif
