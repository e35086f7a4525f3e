"""Random numbers as functions of (seed, purpose, place): no generator whose state could be lost.

Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw 2011).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_native: Any
try:
    from chainrule import _native
except ImportError:
    _native = None

_MULTIPLY = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)

PURPOSES = {"weights": 1, "dropout": 2, "shuffle": 3, "split": 4, "probe": 5, "importance": 6, "points": 7}


def philox(counter: NDArray[np.uint64], key: tuple[int, int]) -> NDArray[np.uint64]:
    """Ten rounds over counters (n, 4) of 32-bit words, held in uint64: (n, 4) random 32-bit words."""
    c0, c1, c2, c3 = (counter[:, i].copy() for i in range(4))
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    for _ in range(10):
        p0, p1 = _MULTIPLY[0] * c0, _MULTIPLY[1] * c2
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ k0, p1 & _LOW, (p0 >> _HALF) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return np.stack([c0, c1, c2, c3], axis=1)


def words(seed: int, purpose: str, step: int, layer: int, count: int) -> NDArray[np.uint64]:
    """`count` random 64-bit numbers for one purpose at one place."""
    result = np.empty(count, np.uint64)
    for start in range(0, count, AT_ONCE):
        part = result[start : start + AT_ONCE]
        part[:] = _words(seed, purpose, step, layer, start // 2, len(part))
    return result


AT_ONCE = 2**16
"""Numbers that are drawn at once: what they are made from takes ten times their memory."""


def _words(seed: int, purpose: str, step: int, layer: int, first: int, count: int) -> NDArray[np.uint64]:
    """Numbers from block `first` on, of two numbers each."""
    blocks = np.zeros(((count + 1) // 2, 4), dtype=np.uint64)
    blocks[:, 0] = np.arange(first, first + len(blocks))
    blocks[:, 1] = layer
    blocks[:, 2] = step & 0xFFFFFFFF
    blocks[:, 3] = (PURPOSES[purpose] << 24) + (step >> 32)
    four = philox(blocks, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
    pairs = (four[:, 0::2] << _HALF) | four[:, 1::2]
    return pairs.reshape(-1)[:count]


def uniform(seed: int, purpose: str, step: int, layer: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Numbers in [0, 1), evenly spread, 53 bits each."""
    bits = words(seed, purpose, step, layer, int(np.prod(shape)))
    numbers: NDArray[np.float64] = (bits >> np.uint64(11)).astype(float).reshape(shape) * 2.0**-53
    return numbers


def normal(seed: int, purpose: str, step: int, layer: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Standard normal numbers (Box, Muller 1958)."""
    pair = uniform(seed, purpose, step, layer, (2, *shape))
    numbers: NDArray[np.float64] = np.sqrt(-2 * np.log1p(-pair[0])) * np.cos(2 * np.pi * pair[1])
    return numbers


def permutation(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """The order of the rows in an epoch."""
    if _native is not None and 0 <= seed < 1 << 64 and count < 1 << 32:
        rows = np.empty(count, np.int64)
        _native.permutation(seed, epoch, rows)  # the same, a good deal faster
        return rows
    return by_draws(seed, epoch, count)


def by_draws(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """The order of the rows in an epoch: that of their draws. What the compiled one is held against."""
    return np.argsort(words(seed, "shuffle", epoch, 0, count), kind="stable")
