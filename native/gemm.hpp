// Matrix products with the right operand read in rows, the left one by broadcast. Every element of the result is one chain of
// fused multiply-adds in the order of k, wherever it stands and whoever computes it: splitting rows or columns changes no bit.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

constexpr int TALL = REGISTERS == 32 ? 12 : 6;  // rows of a block: with 2 vectors of columns all registers but a few
constexpr long DEEP = 256;                      // k in blocks: so much of a panel of the right operand stays in the first cache

// c (ROWS x VECTORS) = a @ b (+ c if `go_on`) (+ bias). a's element (i, k) is a[i * lda + k], or a[k * lda + i] if ACROSS.
template <class T, int ROWS, int VECTORS, bool ACROSS>
void block(long depth, const T* a, long lda, const T* b, long ldb, T* c, long ldc, bool go_on, const T* bias) {
    using V = Vec<T>;
    constexpr long L = LANES<T>;
    V sums[ROWS][VECTORS];
#pragma GCC unroll 12
    for (int i = 0; i < ROWS; ++i) {
#pragma GCC unroll 2
        for (int j = 0; j < VECTORS; ++j) sums[i][j] = go_on ? load(c + i * ldc + j * L) : V{};
    }
    for (long k = 0; k < depth; ++k) {
        V right[VECTORS];
#pragma GCC unroll 2
        for (int j = 0; j < VECTORS; ++j) right[j] = load(b + k * ldb + j * L);
#pragma GCC unroll 12
        for (int i = 0; i < ROWS; ++i) {
            const V left = splat(ACROSS ? a[k * lda + i] : a[i * lda + k]);
#pragma GCC unroll 2
            for (int j = 0; j < VECTORS; ++j) sums[i][j] = fma(left, right[j], sums[i][j]);
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < ROWS; ++i) {
#pragma GCC unroll 2
        for (int j = 0; j < VECTORS; ++j) {
            const V y = bias ? sums[i][j] + load(bias + j * L) : sums[i][j];
            store(c + i * ldc + j * L, y);
        }
    }
}

template <class T, bool ACROSS> struct Blocks {
    using Block = void (*)(long, const T*, long, const T*, long, T*, long, bool, const T*);
    template <int VECTORS, int... I> struct Row { static constexpr Block of[] = {block<T, I + 1, VECTORS, ACROSS>...}; };
    template <class> struct Upto;
    static Block get(long rows, long vectors) {
        if constexpr (TALL == 12) {
            using One = Row<1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11>;
            using Two = Row<2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11>;
            return vectors == 1 ? One::of[rows - 1] : Two::of[rows - 1];
        } else {
            using One = Row<1, 0, 1, 2, 3, 4, 5>;
            using Two = Row<2, 0, 1, 2, 3, 4, 5>;
            return vectors == 1 ? One::of[rows - 1] : Two::of[rows - 1];
        }
    }
};

struct Nothing {
    void operator()(long) const {}
};

// c (rows x columns) = a @ b (+ c if `go_on`) (+ bias): b and c in whole lines, what stands beyond `columns` is whatever b has
// there. end(at) is called for each vector c[at ...] as soon as it is complete, while it is in the cache.
template <bool ACROSS, class T, class End>
void product(long rows, long columns, long depth, const T* a, long lda, const T* b, long ldb, T* c, long ldc, const T* bias,
             End end, bool go_on = false) {
    constexpr long L = LANES<T>;
    if (rows <= 0) return;
    const long vectors = (columns + L - 1) / L;
    if (rows <= TALL && vectors <= 2 && depth <= DEEP) {  // a single block: the loops would take longer than the sums
        Blocks<T, ACROSS>::get(rows, vectors)(depth, a, lda, b, ldb, c, ldc, go_on, bias);
        if constexpr (!std::is_same_v<End, Nothing>)
            for (long r = 0; r < rows * ldc; r += ldc)
                for (long at = r; at < r + vectors * L; at += L) end(at);
        return;
    }
    const long blocks = (rows + TALL - 1) / TALL;
    const long low = rows / blocks, higher = rows % blocks;  // blocks of nearly the same height: no short last one
    for (long k = 0; k == 0 || k < depth; k += DEEP) {
        const long deep = depth - k < DEEP ? depth - k : DEEP;
        const bool last = k + DEEP >= depth;
        for (long v = 0; v < vectors; v += 2) {
            const long wide = vectors - v < 2 ? 1 : 2, j = v * L;
            for (long n = 0, i = 0; n < blocks; ++n) {
                const long height = low + (n < higher);
                const T* from = ACROSS ? a + k * lda + i : a + i * lda + k;
                Blocks<T, ACROSS>::get(height, wide)(deep, from, lda, b + k * ldb + j, ldb, c + i * ldc + j, ldc, k > 0 || go_on, last && bias ? bias + j : nullptr);
                if (last && !std::is_same_v<End, Nothing>)
                    for (long r = i; r < i + height; ++r)
                        for (long at = r * ldc + j; at < r * ldc + j + wide * L; at += L) end(at);
                i += height;
            }
        }
    }
}

// to (columns x rows) = from (rows x columns), transposed
template <class T>
void transpose(long rows, long columns, const T* from, long ldf, T* to, long ldt) {
    for (long j0 = 0; j0 < columns; j0 += 16) {
        for (long i0 = 0; i0 < rows; i0 += 16) {
            const long rows_here = rows - i0 < 16 ? rows - i0 : 16, columns_here = columns - j0 < 16 ? columns - j0 : 16;
            for (long j = 0; j < columns_here; ++j)
                for (long i = 0; i < rows_here; ++i) to[(j0 + j) * ldt + i0 + i] = from[(i0 + i) * ldf + j0 + j];
        }
    }
}

}  // namespace chainrule::CHAINRULE_ISA
