"""Which rows train and which are kept aside: functions of the labels, groups or times of the rows, and of a seed.

Drawn by `chainrule.draws` and not by scikit-learn, because a replay years later must find the same rows again: Philox is the
same on every machine and in every version, and a split costs a millisecond instead of an import of more than a second.
scikit-learn's splitters are what the tests hold these against.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule import draws
from chainrule.errors import InputError, RunError, printable, shown

Places = NDArray[np.int64]


class Split(NamedTuple):
    """Row numbers (from 0, ascending) to train on, and those kept aside."""

    train: Places
    test: Places


def hold_out(
    rows: int,
    fraction: float,
    seed: int = 0,
    *,
    labels: Any = None,
    groups: Any = None,
    order: Any = None,
    classes: Sequence[str] | None = None,
    draw: int = 0,
) -> Split:
    """A part of the rows kept aside, once: `fraction` of them, to the nearest row.

    labels (rows,): whole numbers from 0; each class is shared out alike, to the row, and a class that would be kept aside
    wholly gives a row back. groups (rows,): rows with the same value stay together; sizes and classes come as near as
    groups allow. order (rows,): the last rows by this number are kept aside; equal ones stay together. classes: what the
    labels are called in messages. draw: another split of the same seed, such as the validation rows after the test rows.
    Raises InputError for a fraction that is none, RunError for rows that cannot be split so.
    """
    if isinstance(fraction, bool) or not isinstance(fraction, numbers.Real) or not 0 < fraction < 1:
        raise InputError(
            "the part to keep aside must be above 0 and below 1", got=shown(fraction), do="use 0.2", field="fraction"
        )
    labels, groups, order = _checked(rows, labels, groups, order)
    aside = max(1, round(fraction * rows))
    if rows < 2 or aside >= rows:
        raise RunError("too few rows to keep some aside", got=f"{rows} rows, {fraction:g} of them", do="use more rows")
    if order is not None:
        test = _last(order, aside)
    elif groups is not None:
        test = _dealt(groups, labels, [1 - fraction, fraction], seed, draw) == 1
    else:
        mixed = _mixed(labels, seed, draw)
        along = np.arange(rows + 1) * aside + int(draws.words(seed, "split", draw, 2, 1)[0] % np.uint64(rows))
        test = np.zeros(rows, bool)
        test[mixed[np.diff(along // rows) > 0]] = True  # evenly along the classes, from a start that is drawn
        _give_back(labels, mixed, test)
    if not test.any():
        raise RunError(
            "no row is left to keep aside", got=f"{rows} rows", do="use more rows, or a larger part", field="fraction"
        )
    return _made(test, labels, classes, "")


def folds(
    rows: int,
    count: int,
    seed: int = 0,
    *,
    labels: Any = None,
    groups: Any = None,
    order: Any = None,
    classes: Sequence[str] | None = None,
) -> tuple[Split, ...]:
    """`count` splits. Every row is kept aside once; with `order`, each split keeps a later part aside and trains on what
    came before it. labels, groups, order, classes as for `hold_out`.

    Raises InputError for a count that is none, RunError where a class has fewer rows (or there are fewer groups) than folds.
    """
    if isinstance(count, bool) or not isinstance(count, numbers.Integral) or count < 2:
        raise InputError("the number of folds must be a whole number, at least 2", got=shown(count), do="use 5", field="folds")
    count = int(count)
    labels, groups, order = _checked(rows, labels, groups, order)
    if rows < count + (order is not None):
        raise RunError(f"{count} folds need more rows", got=f"{rows} rows", do="use fewer folds", field="folds")
    if order is not None:
        parts = _blocks(order, count)
        made = [(parts == k, parts <= k) for k in range(1, count + 1)]
        return tuple(_made(test, labels, classes, f"fold {k}", used) for k, (test, used) in enumerate(made, 1))
    if groups is not None:
        fold = _dealt(groups, labels, [1 / count] * count, seed, 0)
    else:
        _enough(labels, classes, count)
        fold = np.empty(rows, np.int64)
        fold[_mixed(labels, seed, 0)] = np.arange(rows) % count  # each class goes round all folds
    return tuple(_made(fold == k, labels, classes, f"fold {k + 1}") for k in range(count))


def _checked(rows: int, labels: Any, groups: Any, order: Any) -> tuple[Places, Any, Any]:
    """Labels as whole numbers (all 0 where there are none), groups as whole numbers, order as numbers."""
    if order is not None and groups is not None:
        raise InputError("rows are split by time or by group, not by both", do="leave one of them out", field="order")
    for name, values in (("labels", labels), ("groups", groups), ("order", order)):
        if values is not None and np.shape(values) != (rows,):
            raise InputError(f"{name} must be one for each of the {rows} rows", got=f"an array of shape {np.shape(values)}")
    kinds = np.zeros(rows, np.int64) if labels is None else np.unique(np.asarray(labels), return_inverse=True)[1]
    if labels is not None and np.issubdtype(np.asarray(labels).dtype, np.integer):
        kinds = np.asarray(labels, np.int64)
        if rows and kinds.min() < 0:
            raise InputError("labels must be whole numbers from 0", got=str(kinds.min()), field="labels")
    together = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    times = None if order is None else np.asarray(order, float)
    if times is not None and not np.isfinite(times).all():
        row = int(np.argmin(np.isfinite(times)))
        raise RunError("a row has no time to be ordered by", where=f"row {row + 1}", got=str(times[row]), field="order")
    return kinds, together, times


def _mixed(labels: Places, seed: int, draw: int) -> Places:
    """All rows, class after class, in each class in an order drawn."""
    return np.lexsort((draws.words(seed, "split", draw, 0, len(labels)), labels))


def _give_back(labels: Places, mixed: Places, test: NDArray[np.bool_]) -> None:
    """A class that is wholly kept aside could not be learned: its first row trains."""
    left = np.bincount(labels[~test], minlength=labels.max() + 1)
    for kind in np.flatnonzero((left == 0) & (np.bincount(labels) > 0)):
        test[mixed[np.argmax(labels[mixed] == kind)]] = False


def _last(order: NDArray[np.float64], aside: int) -> NDArray[np.bool_]:
    """The last rows: as near to `aside` of them as equal times allow."""
    ranked = np.sort(order)
    starts = np.flatnonzero(np.diff(ranked)) + 1  # where a later time begins
    if not len(starts):
        raise RunError("all rows have the same time: none of them is the last", got=str(ranked[0]), field="order")
    start = starts[np.argmin(np.abs(len(order) - starts - aside))]
    test: NDArray[np.bool_] = order >= ranked[start]
    return test


def _blocks(order: NDArray[np.float64], count: int) -> Places:
    """Rows by time in count + 1 blocks (from 0) of about the same size, equal times in one block."""
    ranked = np.sort(order)
    first = len(order) - len(order) // (count + 1) * count  # the oldest block takes what is left over
    bounds = ranked[first :: len(order) // (count + 1)][:count]
    parts = np.searchsorted(bounds, order, side="right")
    if len(np.unique(parts)) <= count:
        raise RunError(
            f"too many rows have the same time for {count} folds", got=f"{len(np.unique(order))} times",
            do="use fewer folds", field="folds",
        )  # fmt: skip
    return parts


def _dealt(groups: Places, labels: Places, shares: Sequence[float], seed: int, draw: int) -> Places:
    """A part for each row, whole groups at a time, parts and the classes in them about as large as their shares.

    Large groups are dealt first (in steps of 2, so that the seed matters), each to the part that it brings nearest.
    """
    counts = np.zeros((groups.max() + 1, labels.max() + 1))
    np.add.at(counts, (groups, labels), 1)
    if len(counts) < len(shares):
        raise RunError(
            f"{len(shares)} parts need as many groups", got=f"{len(counts)} groups", do="use fewer folds", field="groups"
        )
    counts = counts[:, counts.any(0)]
    wanted = np.outer(shares, counts.sum(0))
    have, parts = np.zeros_like(wanted), np.zeros(len(counts), np.int64)
    large = -np.floor(np.log2(counts.sum(1)))
    for dealt, group in enumerate(np.lexsort((draws.words(seed, "split", draw, 1, len(counts)), large))):
        off = ((counts[group] ** 2 + 2 * counts[group] * (have - wanted)) / wanted).sum(1)
        empty = ~have.any(1)
        if len(counts) - dealt <= empty.sum():  # the rest is needed for the parts that have none yet
            off = np.where(empty, off, math.inf)
        parts[group] = np.argmin(off)
        have[parts[group]] += counts[group]
    return parts[groups]


def _enough(labels: Places, classes: Sequence[str] | None, count: int) -> None:
    sizes = np.bincount(labels)
    short = np.flatnonzero((sizes > 0) & (sizes < count))
    if len(short):
        kind = int(short[0])
        raise RunError(
            f"class {_called(kind, classes)} has fewer rows than there are folds", got=f"{sizes[kind]} rows, {count} folds",
            do="use fewer folds, or leave the class out", field="folds",
        )  # fmt: skip


def _called(kind: int, classes: Sequence[str] | None) -> str:
    return f"`{printable(classes[kind])[:60]}`" if classes is not None else str(kind)


def _made(test: NDArray[np.bool_], labels: Places, classes: Sequence[str] | None, where: str, used: Any = True) -> Split:
    """The split, once every class can be learned in it."""
    train = ~test & used
    missing = np.setdiff1d(labels[test], labels[train])
    if len(missing):
        raise RunError(
            f"class {_called(int(missing[0]), classes)} is in no row to train on", where=where,
            got=f"{np.count_nonzero(labels == missing[0])} rows, all kept aside",
            do="keep fewer rows aside, use another seed, or split another way",
        )  # fmt: skip
    return Split(np.flatnonzero(train), np.flatnonzero(test))
