// Random numbers as functions of (seed, purpose, place): Philox4x32-10, as in src/chainrule/draws.py.
#pragma once

#include "arrays.hpp"

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

// rows: the numbers 0 ... count - 1 in the order of their draws, as draws.py's stable argsort gives them. count is below 2^32.
// The upper half of a draw stands beside its row number and is sorted by digits; where it is equal (once in some thousand
// millions of pairs) the lower half decides.
inline void shuffle(uint64_t seed, uint64_t epoch, long count, int64_t* rows) {
    constexpr int DIGITS = 3, BITS = 11, SIZE = 1 << BITS;
    Buffer<uint64_t> draws, from, to;
    Buffer<long> places;
    draws.resize(count + 2 * BLOCKS), from.resize(count), to.resize(count), places.resize(DIGITS * SIZE);
    for (long block = 0; 2 * block < count; block += BLOCKS) words(seed, 3, epoch, 0, uint64_t(block), draws + 2 * block);
    const auto digit = [](uint64_t each, int d) { return long(each >> (32 + BITS * d)) & (SIZE - 1); };
    for (long i = 0; i < count; ++i) {
        from[i] = (draws[i] >> 32 << 32) | uint64_t(i);
        for (int d = 0; d < DIGITS; ++d) ++places[d * SIZE + digit(from[i], d)];
    }
    uint64_t *source = from, *target = to;
    for (int d = 0; d < DIGITS; ++d) {
        long *place = places + d * SIZE, next = 0;
        for (long i = 0; i < SIZE; ++i) {
            const long here = place[i];
            place[i] = next, next += here;
        }
        for (long i = 0; i < count; ++i) target[place[digit(source[i], d)]++] = source[i];
        uint64_t* other = source;
        source = target, target = other;
    }
    const auto row = [](uint64_t each) { return int64_t(each & 0xFFFFFFFF); };
    for (long i = 0; i < count; ++i) {
        const uint64_t each = source[i];
        long at = i;
        for (; at > 0 && source[at - 1] >> 32 == each >> 32 && draws[rows[at - 1]] > draws[row(each)]; --at) rows[at] = rows[at - 1];
        rows[at] = row(each);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
