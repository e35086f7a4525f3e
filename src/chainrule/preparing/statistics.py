"""Statistics of a column in the training rows, gathered block by block: the same bits in memory and from disk, and whatever
the order of the rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from chainrule.preparing.blocks import Rows, blocks

Source: TypeAlias = Callable[[], Iterator[Any]]
"""Gives a column's values anew, block by block, as often as it is asked."""

GATHERED = 65_536
"""So many values are sorted at once; of more, the ones at a rank are searched for."""

SAMPLED = 20_000
"""Values that say about where a rank is to be found."""


@dataclass(frozen=True)
class Summary:
    """A column of numbers: rows, gaps, and of the values there are the extremes, mean and deviation (population)."""

    rows: int
    gaps: int
    low: float
    high: float
    mean: float
    deviation: float

    @property
    def count(self) -> int:
        """Values there are."""
        return self.rows - self.gaps


def numbers(values: Any, rows: Rows) -> Source:
    """The values that are there (not NaN) in some rows, in blocks."""
    return lambda: (_there(block) for block in blocks(values, rows, GATHERED))


def _there(block: Any) -> Any:
    present = block == block
    return block if present.all() else block[present]


def summary(values: Any, rows: Rows) -> Summary:
    """Extremes, mean and deviation, without overflow whatever the numbers are."""
    total, count, low, high, sums = 0, 0, math.inf, -math.inf, []
    for block in blocks(values, rows, GATHERED):
        present = _there(block)
        total, count = total + len(block), count + len(present)
        if len(present):
            low, high = min(low, float(present.min())), max(high, float(present.max()))
    if not count:
        return Summary(total, total, math.nan, math.nan, math.nan, math.nan)
    size = max(abs(low), abs(high)) or 1.0
    extreme = not 1e-100 < size < 1e100  # then a power of 2 is taken out: that is exact, and no square overflows
    size = 2.0 ** min(max(math.frexp(size)[1], -1021), 1023) if extreme else 1.0
    source = numbers(values, rows)
    sums = [float(np.sum(block / size)) for block in source()]
    mean = math.fsum(sums) / count
    squares = [float(np.sum((block / size - mean) ** 2)) for block in source()]
    deviation = math.sqrt(math.fsum(squares) / count)
    return Summary(total, total - count, low + 0.0, high + 0.0, mean * size + 0.0, deviation * size)


def at_ranks(source: Source, ranks: Sequence[int], count: int) -> list[float]:
    """The values at some ranks (from 0) of the sorted column of `count` values, exactly, without sorting it."""
    wanted = sorted(set(ranks))
    found = _between(source, wanted, count) if count > GATHERED else {}
    missed = [rank for rank in wanted if rank not in found]
    if missed:
        _search(source, missed, 0, 64, found)
    return [found[rank] for rank in ranks]


def _between(source: Source, ranks: list[int], count: int) -> dict[int, float]:
    """The values at those ranks that lie where a sample says they should: nearly always all, in one pass."""
    step = max(1, count // SAMPLED)
    sample = np.sort(np.concatenate([block[::step] for block in source()]))
    size, last = len(sample), len(sample) - 1
    margin = 5 * math.sqrt(size) / 2 + 2  # five deviations of a sample's rank, at most
    windows: list[tuple[float, float, list[int]]] = []
    for rank in ranks:
        place = rank / count * size
        low, high = (float(sample[min(max(int(each), 0), last)]) for each in (place - margin, place + margin))
        if windows and low <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(high, windows[-1][1]), [*windows[-1][2], rank])
        else:
            windows.append((low, high, [rank]))
    below, inside = [0] * len(windows), [[] for _ in windows]  # type: ignore[var-annotated]
    for block in source():
        for place, (low, high, _) in enumerate(windows):
            below[place] += int(np.count_nonzero(block < low))
            inside[place].append(block[(block >= low) & (block <= high)])
    found = {}
    for place, (_, _, wanted) in enumerate(windows):
        ordered = np.sort(np.concatenate(inside[place]))
        for rank in wanted:
            if 0 <= rank - below[place] < len(ordered):
                found[rank] = float(ordered[rank - below[place]]) + 0.0
    return found


def _search(source: Source, ranks: list[int], prefix: int, bits: int, found: dict[int, float], before: int = 0) -> None:
    """Finds the values at the ranks among those whose key begins with `prefix` (all but its last `bits` bits); `before`
    values come before these. A key is a number's bits, arranged so that keys are ordered as the numbers are."""
    keys = _held(source, prefix, bits)
    if keys is not None or bits == 0:
        ordered = np.full(1, prefix, np.uint64) if keys is None else np.sort(keys)
        for rank in ranks:
            found[rank] = _number(ordered[0 if keys is None else rank - before])
        return
    counts, step = np.zeros(2**16, np.int64), bits - 16
    for block in _keys(source, prefix, bits):
        counts += np.bincount(((block >> np.uint64(step)) & np.uint64(0xFFFF)).astype(np.int64), minlength=2**16)
    ends = before + np.cumsum(counts)
    shelves = np.searchsorted(ends, ranks, side="right")
    for shelf in np.unique(shelves):
        inside = [rank for rank, each in zip(ranks, shelves, strict=True) if each == shelf]
        _search(source, inside, (prefix << 16) | int(shelf), step, found, int(ends[shelf] - counts[shelf]))


def _keys(source: Source, prefix: int, bits: int) -> Iterator[Any]:
    for block in source():
        pattern = np.ascontiguousarray(block, np.float64).view(np.int64)
        negative = (pattern >> 63).view(np.uint64)  # all ones, or all zeros
        key = pattern.view(np.uint64) ^ (negative | np.uint64(2**63))
        yield key if bits == 64 else key[(key >> np.uint64(bits)) == np.uint64(prefix)]


def _held(source: Source, prefix: int, bits: int) -> Any:
    """All keys that begin so, if there are few enough to be held; None otherwise."""
    held, count = [], 0
    if bits == 0:
        return None
    for block in _keys(source, prefix, bits):
        count += len(block)
        if count > GATHERED:
            return None
        held.append(block)
    return np.concatenate(held) if held else np.empty(0, np.uint64)


def _number(key: Any) -> float:
    pattern = int(key)
    pattern = pattern ^ 2**63 if pattern >> 63 else pattern ^ (2**64 - 1)
    return float(np.array([pattern], np.uint64).view(np.float64)[0]) + 0.0  # no -0


def quantiles(source: Source, count: int, shares: Sequence[float]) -> list[float]:
    """The quantiles of `count` values, between two neighbours by the share of the way that is left (0.5: the median)."""
    places = [share * (count - 1) for share in shares]
    below = [math.floor(place) for place in places]
    values = at_ranks(source, [*below, *(min(rank + 1, count - 1) for rank in below)], count)
    half = len(shares)
    return [
        low + (high - low) * (place - rank) if high - low < math.inf else low / 2 + high / 2
        for low, high, place, rank in zip(values[:half], values[half:], places, below, strict=True)
    ]
