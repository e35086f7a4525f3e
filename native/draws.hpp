// Random numbers as functions of (seed, purpose, place): Philox4x32-10, as in src/chainrule/draws.py.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

typedef uint64_t Words __attribute__((vector_size(BYTES)));
constexpr long BLOCKS = BYTES / 8;  // counters in a vector

// The two 64-bit numbers of each of BLOCKS counters from `block` on, at one place.
INLINE void words(uint64_t seed, uint64_t purpose, uint64_t step, uint64_t layer, uint64_t block, uint64_t* out) {
    const Words low = Words{} + 0xFFFFFFFFull;
    Words c0, c1 = Words{} + layer, c2 = Words{} + (step & 0xFFFFFFFF), c3 = Words{} + ((purpose << 24) + (step >> 32));
    for (long i = 0; i < BLOCKS; ++i) c0[i] = block + uint64_t(i);
    uint64_t k0 = seed & 0xFFFFFFFF, k1 = seed >> 32;
    for (int round = 0; round < 10; ++round) {
        const Words p0 = c0 * 0xD2511F53ull, p1 = c2 * 0xCD9E8D57ull;
        c0 = (p1 >> 32) ^ c1 ^ k0, c1 = p1 & low, c2 = (p0 >> 32) ^ c3 ^ k1, c3 = p0 & low;
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF;
    }
    const Words first = (c0 << 32) | c1, second = (c2 << 32) | c3;
    for (long i = 0; i < BLOCKS; ++i) out[2 * i] = first[i], out[2 * i + 1] = second[i];
}

// mask[e] = 1 where uniform(seed, "dropout", step, layer, ...) >= rate, for elements e in [from, to)
template <class T>
void keep(uint64_t seed, uint64_t step, uint64_t layer, double rate, long from, long to, T* mask) {
    const uint64_t least = uint64_t(__builtin_ceil(rate * 0x1p53));  // u 2^-53 >= rate, in whole numbers
    uint64_t drawn[2 * BLOCKS];
    for (long e = from - from % 2; e < to; e += 2 * BLOCKS) {
        words(seed, 2, step, layer, uint64_t(e / 2), drawn);
        for (long i = 0; i < 2 * BLOCKS; ++i)
            if (e + i >= from && e + i < to) mask[e + i - from] = T((drawn[i] >> 11) >= least);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
