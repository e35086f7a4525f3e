"""What there is to draw of a network in a step: columns of units, and the weights between them.

Small networks are drawn number by number. Of larger ones each layer is a strip: how its numbers are spread, in a few bins;
its units and weights are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.naming import Cell, cell_id
from chainrule.tracing import Trace

UNITS, WEIGHTS = 16, 256
"""Up to so many units in each layer, and weights in all, a network is drawn number by number."""

BINS = 24
"""Bars that tell how the numbers of a layer are spread."""


def drawing(trace: Trace, described: Callable[[Any], str], sample: int = 1) -> dict[str, Any]:
    """Columns from the inputs to the outputs, and, if they are few, every unit and weight. described: a rule in words."""
    network = trace.network
    widths = [network.inputs, *network.widths]
    weights = sum(span.stop - span.start for span in network.spans if span.symbol == "W")
    small = max(widths) <= UNITS and weights <= WEIGHTS
    columns = [_column(trace, place, width, small, sample) for place, width in enumerate(widths)]
    for column, layer in zip(columns[1:], network.layers, strict=True):
        column |= {"rule": described(getattr(layer, "activation", layer)), "kind": layer.kind}
    return {
        "inputs": network.inputs,
        "columns": columns,
        "edges": _edges(trace) if small else None,
        "loss": {"name": network.loss.name, "shown": trace.digits.text(trace.loss)},
        "parameters": int(network.size),
    }


def _column(trace: Trace, place: int, width: int, small: bool, sample: int) -> dict[str, Any]:
    row = min(sample, trace.scope.rows) - 1
    values = np.asarray(trace.x[row] if place == 0 else trace.values("a", place)[row])
    column: dict[str, Any] = {"layer": place, "size": width, "rule": "", "kind": "inputs"}
    if small:
        column["units"] = [_unit(trace, place, i, values[i], row + 1) for i in range(width)]
    else:
        column["spread"] = {"outputs": spread(values)}
        for symbol in ("W", "b") if place else ():
            if (place, symbol) in trace.network.axes:
                column["spread"][symbol] = spread(parameter(trace, symbol, place))
                column["spread"][f"dE/d{symbol}"] = spread(trace.values(f"dE/d{symbol}", place))
    return column


def _unit(trace: Trace, place: int, i: int, value: Any, sample: int) -> dict[str, Any]:
    named = sample if trace.scope.rows > 1 else 0
    last = len(trace.network.layers)
    cell = Cell("a", place, (i + 1,), named) if place else Cell("x", 0, (i + 1,), named)
    unit: dict[str, Any] = {"id": cell_id(cell), "name": trace.label(cell), "shown": trace.digits.text(value)}
    if place and trace.has(cell._replace(symbol="z")):
        unit["sum"] = cell_id(cell._replace(symbol="z"))
        delta = cell._replace(symbol="dE/dz")
        if not trace.forward_only and trace.has(delta):
            unit["delta"] = cell_id(delta)
    for bias in (Cell("b", place, (i + 1,)), Cell("b", place)):
        if place and (place, "b") in trace.network.axes and trace.has(bias):
            unit["bias"] = {"id": cell_id(bias), "name": trace.label(bias), "shown": trace.digits.text(trace.term(bias).value)}
            break
    if place == last and not trace.forward_only:
        target = Cell("t", 0, (i + 1,), named)
        unit["target"] = {"id": cell_id(target), "shown": trace.digits.text(trace.t[sample - 1][i])}
    return unit


def _edges(trace: Trace) -> list[dict[str, Any]]:
    edges = []
    for span in trace.network.spans:
        if span.symbol != "W":
            continue
        for (i, j), value in np.ndenumerate(parameter(trace, "W", span.layer)):
            edges.append(edge(trace, span.layer, i, j, value))
    return edges


def edge(trace: Trace, layer: int, i: int, j: int, value: Any) -> dict[str, Any]:
    """The weight to unit i from unit j, both from 0."""
    cell = Cell("W", layer, (i + 1, j + 1))
    return {
        "id": cell_id(cell), "name": trace.label(cell), "layer": layer, "to": i, "from": j,
        "value": float(value), "shown": trace.digits.text(value),
    }  # fmt: skip


def parameter(trace: Trace, symbol: str, layer: int) -> Any:
    """A layer's parameter before the update, as an array."""
    return np.asarray(trace.parameters[layer - 1][symbol])


def spread(values: Any) -> dict[str, Any]:
    """How numbers are spread: the smallest, the mean, the largest, and how many are in each of some equal bins."""
    flat = np.asarray(values, dtype=float).reshape(-1)
    finite = flat[np.isfinite(flat)]
    if not finite.size:
        return {"count": int(flat.size), "bins": []}
    least, most = float(finite.min()), float(finite.max())
    bins = np.histogram(finite, BINS, (least, most if most > least else least + 1))[0]
    return {"count": int(flat.size), "least": least, "mean": float(finite.mean()), "most": most, "bins": bins.tolist()}
