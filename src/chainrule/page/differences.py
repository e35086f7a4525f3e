"""What a change came to: the numbers of a step beside those of the same step before it, the largest changes first."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

import numpy as np

from chainrule.explain.story import table
from chainrule.naming import Cell, cell_id
from chainrule.phrases import say
from chainrule.rules.layers import Dense
from chainrule.spec import Example
from chainrule.steps import Change
from chainrule.tracing import Trace

MOST = 12
"""Numbers of a kind that are shown."""


class Kin(Enum):
    """How an example is related to the one before it: which of their numbers of one name are the same number."""

    SAME = "same"
    ROWS = "rows"  # other samples: sample 2 may be another one
    SHAPE = "shape"  # another structure: W[2][1,1] may be another weight
    OTHER = "other"


def kin(before: Example, after: Example) -> Kin:
    """How two states of an example are related."""
    if (before.file, before.title) != (after.file, after.title):
        return Kin.OTHER
    if _shape(before) != _shape(after):
        return Kin.SHAPE
    return Kin.SAME if len(before.x) == len(after.x) else Kin.ROWS


def _shape(example: Example) -> list[tuple[int, bool]]:
    network = example.network
    dense = [isinstance(layer, Dense) for layer in network.layers]
    return [(network.inputs, False), *zip(network.widths, dense, strict=True)]


Numbers = tuple[Cell, Any]
"""An array of numbers, and the cell of which each is a unit."""


def differences(before: Trace, after: Trace, sample: int, related: Kin = Kin.SAME) -> list[dict[str, Any]]:
    """Kinds of numbers, each with those that changed: old value beside new, and how many more there are. Only numbers that
    are the same thing in both are paired."""
    kinds = {say("Loss"): (_losses(before), _losses(after))}
    if related is Kin.SAME or (related is Kin.SHAPE and before.network.outputs == after.network.outputs):
        kinds[say("Outputs")] = (_outputs(before, sample, after), _outputs(after, sample, after))
    if related is not Kin.SHAPE:
        kinds[say("Gradients")] = (_gradients(before), _gradients(after))
        kinds[say("New weights")] = (_new(before), _new(after))
    return [{"title": title, **_kind(after, list(old), list(new))} for title, (old, new) in kinds.items()]


def _losses(trace: Trace) -> Iterator[Numbers]:
    yield Cell("E"), np.array(trace.loss, dtype=float)
    yield Cell("E", via=Cell("E")), np.array(trace.loss_after, dtype=float)


def _outputs(trace: Trace, sample: int, named_as: Trace) -> Iterator[Numbers]:
    """named_as: the last layer of both has the place that it has now."""
    row, last = min(sample, trace.scope.rows), len(trace.network.layers)
    named = row if trace.scope.rows > 1 else 0
    yield Cell("a", len(named_as.network.layers), (), named), np.asarray(trace.values("a", last)[row - 1], dtype=float)


def _gradients(trace: Trace) -> Iterator[Numbers]:
    for span, values in trace.gradients:
        yield Cell(f"dE/d{span.symbol}", span.layer), _shaped(span.over, values)


def _new(trace: Trace) -> Iterator[Numbers]:
    for span in trace.network.spans:
        yield Cell(f"{span.symbol}+", span.layer), _shaped(span.over, trace.new[span.layer - 1][span.symbol])


def _shaped(over: str, values: Any) -> Any:
    """As an array with an axis for each unit that a name has: a bias that is shared has none."""
    array = np.asarray(values, dtype=float)
    return array.reshape(()) if over == "1" else array


def _kind(trace: Trace, old: list[Numbers], new: list[Numbers]) -> dict[str, Any]:
    known = dict(old)
    found: list[tuple[float, Cell, tuple[int, ...], float, float]] = []
    changed = total = 0
    for cell, values in new:
        total += values.size
        if cell not in known or known[cell].ndim != values.ndim:
            continue
        both = tuple(slice(0, min(pair)) for pair in zip(values.shape, known[cell].shape, strict=True))
        now, was = values[both], known[cell][both]
        with np.errstate(all="ignore"):
            size = np.nan_to_num(np.abs(now - was), nan=np.inf, posinf=np.inf) * (now != was)
        size = np.where(now == was, 0.0, size)
        changed += int((size > 0).sum())
        for flat in np.argsort(-size, axis=None, kind="stable")[:MOST]:
            index = tuple(int(i) for i in np.unravel_index(flat, size.shape))
            if size[index] > 0:
                found.append((float(size[index]), cell, index, float(was[index]), float(now[index])))
    found.sort(key=lambda each: -each[0])
    told = [Change(*_called(trace, cell, index), was, now) for _, cell, index, was, now in found[:MOST]]
    return {
        "changes": [
            {"id": change.id, "name": printed[0], "before": printed[1].strip(), "after": printed[2].strip(),
             "difference": f"{change.after - change.before:+.3g}"}
            for change, printed in zip(told, table(told, trace.digits), strict=True)
        ],
        "changed": changed,
        "total": total,
    }  # fmt: skip


def _called(trace: Trace, cell: Cell, index: tuple[int, ...]) -> tuple[str, str]:
    if cell.via is not None:  # the loss after the update has no id of its own: it is that of the next step
        return "E", say("{loss} after", loss=trace.label(Cell("E")))
    whole = cell._replace(units=tuple(i + 1 for i in index))
    return cell_id(whole), trace.label(whole)
