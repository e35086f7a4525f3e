"""What each row of a batch adds to a gradient, from the very products that the rules name as shares."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.engines import reference
from chainrule.engines.reference import dressed
from chainrule.errors import InputError, nearest, shown
from chainrule.naming import Cell, cell_id, parse_id
from chainrule.network import Network, Parameters
from chainrule.readers import Recorder, StepKey
from chainrule.replay.again import Update
from chainrule.rules.layers import Dense
from chainrule.rules.rule import Clipping
from chainrule.textbook import normal

PARAMETERS = ("W", "b", "gamma", "beta")


@dataclass(frozen=True)
class Shares:
    """The gradient of one parameter at one update.

    rows: what each row of the batch adds, (rows,). price: what the penalties on weights add. whole: their sum, as the rules
    compute it. factor: what clipping by the common length multiplies it by, 1 if it does not; cut: what clipping by value
    takes away. gradient: what the optimizer gets.
    """

    rows: Any
    price: float
    whole: float
    factor: float
    cut: float
    gradient: float


class Sharing(Recorder):
    """A recorder that also keeps the two factors of each sum that a rule names as one of shares."""

    def __init__(self) -> None:
        super().__init__()
        self.factors: dict[tuple[str, int], tuple[Any, Any]] = {}

    def contract(self, symbol: str, x: Any, y: Any, over: str, local: str = "") -> Any:
        self.factors[symbol, self.place.layer] = x, y
        return super().contract(symbol, x, y, over, local)


def shares(network: Network, update: Update, cell: Cell, clipping: Clipping | None = None) -> Shares:
    """The shares of a parameter's gradient, by the reference engine from the recorded state."""
    m, gradients = slopes(network, update)
    place = index_of(network, cell)
    gradient = gradients[cell.layer - 1][cell.symbol][place]
    if cell.symbol == "W":
        left, right = m.factors["dE/dW", cell.layer]
        rows = left[place[0], :] * right[:, place[1]]
    else:
        rows = _added(m, network, cell, place)
    data = m.steps.get(StepKey("dE_data/dW", cell.layer, "ij"))
    price = float(gradient) - float(data[place]) if cell.symbol == "W" and data is not None else 0.0
    factor, cut, used = 1.0, 0.0, float(gradient)
    if clipping is not None:
        everything = [g for layer in gradients for g in layer.values()]
        reader = Recorder()
        clipped = clipping.clip(reader, everything)
        which = next(i for i, g in enumerate(everything) if g is gradients[cell.layer - 1][cell.symbol])
        used = float(clipped[which][place])
        shrink = reader.steps.get(StepKey("shrink", 0, ""))
        if shrink is None:
            cut = used - float(gradient)
        else:
            factor = float(shrink)
    return Shares(rows, price, float(gradient), factor, cut, used)


def slopes(network: Network, update: Update) -> tuple[Sharing, Parameters]:
    """Forward and back once, on the batch and the weights of an update."""
    network = copy.copy(network)
    network.memory = update.before.memory
    m, plan = Sharing(), network.fused
    parameters = dressed(network, network.views(update.before.parameters), len(update.x), update.number)
    gradients: Parameters = [{} for _ in plan.layers]
    with np.errstate(all="ignore"):
        y, saved = reference.forward(m, plan.layers, parameters, update.x)
        reference.objective(m, plan, network.penalties, parameters, y, update.t, update.weight)
        reference.backward(m, network, plan, parameters, saved, y, update.t, update.weight, gradients)
    return m, gradients


def _added(m: Sharing, network: Network, cell: Cell, place: tuple[int, ...]) -> Any:
    """A bias's, scale's or shift's shares: the numbers that its gradient is the sum of over the rows."""
    layer = network.layers[cell.layer - 1]
    if cell.symbol == "b":
        deltas = m.steps[StepKey("dE/dz", cell.layer, "ri")]
        return deltas.sum(1) if isinstance(layer, Dense) and layer.bias == "shared" else deltas[:, place[0]]
    back = m.steps[StepKey("dE/da", cell.layer, "ri")]
    return (back * m.steps[StepKey("x_hat", cell.layer, "ri")] if cell.symbol == "gamma" else back)[:, place[0]]


def index_of(network: Network, cell: Cell) -> tuple[int, ...]:
    """Where a parameter's cell stands in its array."""
    span = next(span for span in network.spans if (span.layer, span.symbol) == (cell.layer, cell.symbol))
    return tuple(i - 1 for i in cell.units) if cell.units else (0,) * len(span.shape)


def number_at(network: Network, buffer: Any, cell: Cell) -> Any:
    """A parameter in a flat buffer."""
    return network.views(buffer)[cell.layer - 1][cell.symbol][index_of(network, cell)]


def parameter(network: Network, name: str) -> Cell:
    """The weight, bias, scale or shift that a name or an id means; InputError with the nearest one otherwise."""
    wanted = normal(name)
    identified = [cell for cell in (parse_id(name.strip()), parse_id(wanted)) if cell is not None]
    for cell in (*identified, *network.naming().read(wanted)):
        plain = parameter_of(cell._replace(sample=0))
        if plain is not None and _is_there(network, plain):
            return plain
    names = [
        cell_id(Cell(span.symbol, span.layer, (1,) * len(span.shape) if span.over != "1" else ())) for span in network.spans
    ]
    close = nearest(wanted, names)
    raise InputError(f"no weight is called {shown(name)} in this network", do=close)


def parameter_of(cell: Cell) -> Cell | None:
    """The parameter that a gradient, a new value or an optimizer's memory belongs to; None for other numbers."""
    if cell.sample or cell.via is not None:
        return None
    if cell.of:
        return Cell(cell.of, cell.layer, cell.units)
    symbol = cell.symbol.removesuffix("+").removeprefix("dE_data/d").removeprefix("dE/d")
    return Cell(symbol, cell.layer, cell.units) if symbol in PARAMETERS else None


def _is_there(network: Network, cell: Cell) -> bool:
    for span in network.spans:
        if (span.layer, span.symbol) == (cell.layer, cell.symbol):
            if span.over == "1":
                return not cell.units
            return len(cell.units) == len(span.shape) and all(1 <= i <= n for i, n in zip(cell.units, span.shape, strict=True))
    return False
