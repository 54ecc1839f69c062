#ifndef RECO_TCH_DROPOUT_HPP
#define RECO_TCH_DROPOUT_HPP

#include "tch/internal.hpp"
#include "tch/kernels/kernels.hpp"
#include "tch/philox.hpp"

namespace tch
{

/* False where dropout is the identity: no d, p = 0, a scope without gradients. */
bool drops(const struct tch_scope *s, const struct tch_dropout *d);
dropout_key key_of(const struct tch_dropout *d, uint32_t site);
/* The unit ids of rows rows, contiguous int64. */
at::Tensor units_of(const struct tch_dropout *d, int64_t rows);

} /* namespace tch */

#endif
