"""What there is to draw of a network in a step: columns of units, and the weights between them.

Small networks are drawn number by number. Of larger ones each layer is a strip: how its numbers are spread, in a few bins;
its units and weights are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.naming import Cell, cell_id
from chainrule.terms.digits import Digits
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
        "loss": None if trace.forward_only else {"name": network.loss.name, "number": _number(trace, Cell("E"))},
        "parameters": int(network.size),
    }


def _column(trace: Trace, place: int, width: int, small: bool, sample: int) -> dict[str, Any]:
    row = min(sample, trace.scope.rows) - 1
    source = passed_on(trace, place)
    values = np.asarray(trace.values("a", source)[row] if source else trace.x[row])
    column: dict[str, Any] = {"layer": place, "size": width, "rule": "", "kind": "inputs"}
    if small:
        column["units"] = [unit(trace, place, i, row + 1) for i in range(width)]
    else:
        column["spread"] = {"outputs": spread(trace, values)}
        for symbol in ("W", "b") if place else ():
            if (place, symbol) in trace.network.axes:
                column["spread"][symbol] = spread(trace, parameter(trace, symbol, place))
                if not trace.forward_only:
                    column["spread"][f"dE/d{symbol}"] = spread(trace, trace.values(f"dE/d{symbol}", place))
    return column


def passed_on(trace: Trace, place: int) -> int:
    """The layer whose outputs a layer puts out: its own, or an earlier one's if it only passes them on, as dropout does in a
    prediction; 0 for the inputs."""
    while place and trace.values("a", place) is None:
        place -= 1
    return place


def unit(trace: Trace, place: int, i: int, sample: int) -> dict[str, Any]:
    """Unit i of a layer, or an input, from 0: its short name and the numbers that are shown at it."""
    named = sample if trace.scope.rows > 1 else 0
    last, units = len(trace.network.layers), (i + 1,)
    source = passed_on(trace, place)
    out = Cell("a", source, units, named) if source else Cell("x", 0, units, named)
    cells = {"out": out}
    if place:
        bias = Cell("b", place, units) if trace.has(Cell("b", place, units)) else Cell("b", place)
        cells |= {"sum": out._replace(symbol="z"), "bias": bias}
        if not trace.forward_only:
            cells |= {"slope": out._replace(symbol="dE/da"), "delta": out._replace(symbol="dE/dz")}
            if trace.conventions.biases != "frozen":
                for kind, symbol in (("gradient", "dE/db"), ("new", "b+")):  # a shared bias may be updated for each unit
                    own = Cell(symbol, place, units)
                    cells[kind] = own if trace.has(own) else Cell(symbol, place)
    if place == last and not trace.forward_only:
        cells |= {"target": Cell("t", 0, units, named), "loss": Cell("E", 0, units, named)}
    numbers = {kind: _number(trace, cell) for kind, cell in cells.items() if trace.has(cell)}
    told: dict[str, Any] = {
        "key": f"u{place}.{i}", "unit": trace.naming.unit(place, i + 1), "id": cell_id(out), "name": trace.label(out),
        "shown": numbers["out"]["shown"], "numbers": numbers,
    }  # fmt: skip
    for kind in ("sum", "delta"):
        if kind in numbers:
            told[kind] = numbers[kind]["id"]
    for kind in ("bias", "target"):
        if kind in numbers:
            told[kind] = numbers[kind]
    return told


def _number(trace: Trace, cell: Cell) -> dict[str, str]:
    """A number by its id and name, as it is written, and as it is written where there is little room."""
    value = trace.term(cell).value
    return {"id": cell_id(cell), "name": trace.label(cell), "shown": trace.digits.text(value), "brief": brief(trace, value)}


def brief(trace: Trace, value: Any) -> str:
    """A number as it is written where there is little room: four figures, or fewer if the step shows fewer."""
    short, whole = Digits(4, "significant").text(value), trace.digits.text(value)
    return short if len(short) < len(whole) else whole


def _edges(trace: Trace) -> list[dict[str, Any]]:
    edges = []
    for span in trace.network.spans:
        if span.symbol != "W":
            continue
        for (i, j), value in np.ndenumerate(parameter(trace, "W", span.layer)):
            edges.append(edge(trace, span.layer, i, j, value))
    return edges


def edge(trace: Trace, layer: int, i: int, j: int, value: Any) -> dict[str, Any]:
    """The weight to unit i from unit j, both from 0, with its gradient and its new value."""
    cell = Cell("W", layer, (i + 1, j + 1))
    cells = {"weight": cell}
    if not trace.forward_only:
        cells |= {"gradient": cell._replace(symbol="dE/dW"), "new": cell._replace(symbol="W+")}
    return {
        "key": f"e{layer}.{i}.{j}", "id": cell_id(cell), "name": trace.label(cell), "layer": layer, "to": i, "from": j,
        "value": float(value), "shown": trace.digits.text(value),
        "numbers": {kind: _number(trace, each) for kind, each in cells.items() if trace.has(each)},
    }  # fmt: skip


def largest(trace: Trace, layer: int, by: str, count: int) -> list[dict[str, Any]]:
    """The largest weights of a layer, or those with the largest gradients (by: "weight" or "gradient"), largest first."""
    values = parameter(trace, "W", layer) if by == "weight" else np.asarray(trace.values("dE/dW", layer))
    sizes = np.nan_to_num(np.abs(np.asarray(values, float)).reshape(-1), nan=np.inf)
    count = min(count, sizes.size)
    chosen = np.argpartition(-sizes, count - 1)[:count]
    chosen = chosen[np.lexsort((chosen, -sizes[chosen]))]
    weights = parameter(trace, "W", layer)
    return [
        edge(trace, layer, int(i), int(j), weights[i, j]) for i, j in zip(*np.unravel_index(chosen, weights.shape), strict=True)
    ]


def spot(cell: Cell) -> str:
    """Where in the drawing a number belongs: u1.0 is unit 0 of layer 1, e1.0.2 the weight to it from unit 2, b1.0 its bias,
    t0 the target and loss of output 0, E the loss; nothing for numbers that have no place in it."""
    if cell.via is not None:  # a share of a derivative comes back along a weight
        return f"e{cell.via.layer}.{cell.via.units[0] - 1}.{cell.units[0] - 1}" if cell.via.units and cell.units else ""
    units = [unit - 1 for unit in cell.units]
    symbol = cell.of or cell.symbol.removesuffix("+").rpartition("/d")[2]
    if cell.symbol in ("t", "E"):
        return f"t{units[0]}" if units else "E"
    if cell.symbol in ("x", "raw", "scaled", "dE/dx"):
        return f"u0.{units[0]}" if units else ""
    if symbol == "b":
        return f"b{cell.layer}.{units[0]}" if units else f"b{cell.layer}"
    if symbol == "W" or cell.symbol == "dz/dx":
        return f"e{cell.layer}.{units[0]}.{units[1]}" if len(units) == 2 else ""
    return f"u{cell.layer}.{units[-1]}" if cell.layer and units else ""


def parameter(trace: Trace, symbol: str, layer: int) -> Any:
    """A layer's parameter before the update, as an array."""
    return np.asarray(trace.parameters[layer - 1][symbol])


def spread(trace: Trace, values: Any) -> dict[str, Any]:
    """How numbers are spread: the smallest, the mean, the largest, and how many are in each of some equal bins."""
    flat = np.asarray(values, dtype=float).reshape(-1)
    finite = flat[np.isfinite(flat)]
    if not finite.size:
        return {"count": int(flat.size), "bins": []}
    least, most = float(finite.min()), float(finite.max())
    bins = np.histogram(finite, BINS, (least, most if most > least else least + 1))[0]
    mean = float(finite.mean())
    told = {name: brief(trace, np.float64(value)) for name, value in (("least", least), ("mean", mean), ("most", most))}
    return {"count": int(flat.size), "least": least, "mean": mean, "most": most, "bins": bins.tolist(), "told": told}
