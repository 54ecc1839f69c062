/*
 * Matrix products: panels of B and blocks of A are packed so that the inner loop reads both in order, and a tile of C
 * stays in registers over KC steps.     Source: Goto & van de Geijn 2008, "Anatomy of high-performance matrix
 * multiplication". Each element of C is one sum in the order of k, cut every KC, whatever the tiles: the split among
 * threads does not show.
 */

#include "tch/kernels/parts.hpp"

#if TCH_W >= 8
#include <immintrin.h>
#endif

namespace tch
{
namespace TCH_ISA
{

enum { NV = 2, NR = NV * W, KC = 384 };
#if TCH_W == 16
enum { MR = 14 };
#elif TCH_W == 8
enum { MR = 6 };
#else
enum { MR = 4 };
#endif

static_assert(NR == GEMM_PANEL_MAX / (16 / W), "the widest panel is that of the widest vector");

int64_t gemm_panel()
{
    return NR;
}

int64_t gemm_rows_together()
{
    return MR;
}

#if TCH_W >= 8
/* to[j * to_stride + i] = from[i * from_stride + j] for 8 x 8. */
static inline void transpose8(const float *from, int64_t from_stride, float *to, int64_t to_stride)
{
    __m256 r[8], t[8];
    for (int i = 0; i < 8; i++)
        r[i] = _mm256_loadu_ps(from + i * from_stride);
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
        r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(to + i * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
        _mm256_storeu_ps(to + (i + 4) * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
}
#endif

/* to[k * width + i] = from[i * stride + k] for i < rows; columns rows .. width - 1 of to are left alone. */
static void turn(int64_t rows, int64_t depth, const float *from, int64_t stride, float *to, int64_t width)
{
    int64_t i = 0;
#if TCH_W >= 8
    for (; i + 8 <= rows; i += 8) {
        int64_t k = 0;
        for (; k + 8 <= depth; k += 8)
            transpose8(from + i * stride + k, stride, to + k * width + i, width);
        for (; k < depth; k++)
            for (int64_t r = i; r < i + 8; r++)
                to[k * width + r] = from[r * stride + k];
    }
#endif
    for (; i < rows; i++)
        for (int64_t k = 0; k < depth; k++)
            to[k * width + i] = from[i * stride + k];
}

/* to[k * width + i] = from[k * stride + i] for i < columns. */
static void keep(int64_t columns, int64_t depth, const float *from, int64_t stride, float *to, int64_t width)
{
    for (int64_t k = 0; k < depth; k++)
        for (int64_t i = 0; i < columns; i++)
            to[k * width + i] = from[k * stride + i];
}

/* keep for a block of MR, by whole vectors: what is written beyond a row is overwritten by the next, to has W to spare.
 */
static void keep_whole(int64_t depth, const float *from, int64_t stride, float *to)
{
    static_assert(static_cast<int>(MR) <= static_cast<int>(W), "one vector holds a block's row");
    for (int64_t k = 0; k < depth; k++)
        store(to + k * MR, load(from + k * stride));
}

void gemm_pack(bool transposed, int64_t depth, int64_t columns, const float *b, int64_t ldb, float *to)
{
    if (columns < NR)
        for (int64_t k = 0; k < depth; k++)
            for (int64_t j = columns; j < NR; j++)
                to[k * NR + j] = 0;
    if (transposed)
        turn(columns, depth, b, ldb, to, NR);
    else if (columns == NR)
        for (int64_t k = 0; k < depth; k++)
            for (int j = 0; j < NV; j++)
                store(to + k * NR + j * W, load(b + k * ldb + j * W));
    else
        keep(columns, depth, b, ldb, to, NR);
}

/* c [ROWS, columns] (+)= a b, a packed as [depth, MR], b as [depth, NR]. */
template <int ROWS>
static void tile(int64_t depth, const float *a, const float *b, float *c, int64_t ldc, int64_t columns, bool add)
{
    vf total[ROWS][NV] = {};
    for (int64_t k = 0; k < depth; k++) {
        vf row[NV];
        for (int j = 0; j < NV; j++)
            row[j] = load(b + k * NR + j * W);
        for (int i = 0; i < ROWS; i++) {
            const vf value = splat(a[k * MR + i]);
            for (int j = 0; j < NV; j++)
                total[i][j] += value * row[j];
        }
    }
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < NV; j++) {
            float *to = c + i * ldc + j * W;
            const int64_t n = columns - j * W;
            if (n >= W)
                store(to, add ? load(to) + total[i][j] : total[i][j]);
            else if (n > 0)
                store_part(to, add ? load_part(to, n) + total[i][j] : total[i][j], n);
        }
}

typedef void tile_fn(int64_t depth, const float *a, const float *b, float *c, int64_t ldc, int64_t columns, bool add);

template <int ROWS> struct tiles {
    static tile_fn *of(int64_t rows)
    {
        return rows == ROWS ? tile<ROWS> : tiles<ROWS - 1>::of(rows);
    }
};

template <> struct tiles<0> {
    static tile_fn *of(int64_t)
    {
        return nullptr;
    }
};

void gemm_block(const gemm_args *g, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end)
{
    alignas(64) float a[KC * MR + W];
    for (int64_t start = 0; start < g->depth; start += KC) {
        const int64_t depth = g->depth - start < KC ? g->depth - start : static_cast<int64_t>(KC);
        for (int64_t r = row_begin; r < row_end; r += MR) {
            const int64_t rows = row_end - r < MR ? row_end - r : static_cast<int64_t>(MR);
            if (g->a_transposed && r + W <= g->lda)
                keep_whole(depth, g->a + start * g->lda + r, g->lda, a);
            else if (g->a_transposed)
                keep(rows, depth, g->a + start * g->lda + r, g->lda, a, MR);
            else
                turn(rows, depth, g->a + r * g->lda + start, g->lda, a, MR);
            tile_fn *run = tiles<MR>::of(rows);
            for (int64_t panel = panel_begin; panel < panel_end; panel++) {
                const int64_t columns = g->columns - panel * NR;
                run(depth, a, g->b + panel * NR * g->depth + start * NR, g->c + r * g->ldc + panel * NR, g->ldc,
                    columns < NR ? columns : static_cast<int64_t>(NR), g->add || start > 0);
            }
        }
    }
}

} /* namespace TCH_ISA */
} /* namespace tch */
