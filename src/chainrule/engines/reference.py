"""The reference engine: one loop forward, one loop back, one update. It runs on whatever the reader's arrays hold."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from chainrule import draws
from chainrule.conventions import Conventions
from chainrule.engines import Task
from chainrule.errors import InputError
from chainrule.network import Network, Parameters, Plan
from chainrule.readers import Rounder, Rounding, for_numbers
from chainrule.rules.layers import Dropout
from chainrule.rules.rule import Clipping, Layer, Optimizer, Penalty

State = list[dict[str, dict[str, Any]]]  # layer -> parameter -> slot -> array


class Update(NamedTuple):
    """What turns gradients into the next weights, at one update."""

    optimizer: Optimizer
    number: int  # counted from 1
    rate: Any
    state: State
    clipping: Clipping | None = None
    conventions: Conventions = Conventions()


class Result(NamedTuple):
    """What one step leaves behind."""

    loss: Any
    gradients: Parameters
    parameters: Parameters
    state: State
    memory: list[dict[str, Any]]  # what layers remember without a gradient


def forward(m: Any, layers: Sequence[Layer], parameters: Parameters, x: Any) -> tuple[Any, list[tuple[Any, ...]]]:
    """Outputs, and what each layer saved for the way back."""
    saved = []
    for place, (layer, p) in enumerate(zip(layers, parameters, strict=True), 1):
        x, kept = layer.forward(m.at(place), p, x)
        saved.append(kept)
    return x, saved


def objective(m: Any, plan: Plan, penalties: Sequence[Penalty], parameters: Parameters, y: Any, t: Any, weight: Any) -> Any:
    """E: the loss of the batch, and the price of the weights if there is one."""
    data = plan.loss.value(m.at(len(plan.layers)), y, t, weight)
    if not penalties:
        return m.at(0).let("E", data, "")
    prices = [rule.each(m, p["W"]).sum() for rule in penalties for p in parameters if "W" in p]
    return m.at(0).let("E", m.at(0).let("E_data", data, "") + m.at(0).let("R", sum(prices), ""), "")


def step(m: Any, network: Network, plan: Plan, parameters: Parameters, x: Any, t: Any, weight: Any, update: Update) -> Result:
    """One step: forward, loss, backward, update. All gradients from the old weights, unless the conventions say
    `sequential`: then each layer hands back through weights that are already new."""
    y, saved = forward(m, plan.layers, parameters, x)
    loss = objective(m, plan, network.penalties, parameters, y, t, weight)
    new, state = [dict(p) for p in parameters], [dict(s) for s in update.state]
    gradients: Parameters = [{} for _ in plan.layers]
    over = network.axes

    def improve(*places: int) -> None:
        _update(m, update, gradients, parameters, new, state, over, places)

    def renewed(place: int) -> dict[str, Any]:
        improve(place)
        return new[place - 1]

    sequential = update.conventions.order == "sequential"
    backward(m, network, plan, parameters, saved, y, t, weight, gradients, renewed if sequential else None)
    if not sequential:
        improve(*range(1, len(plan.layers) + 1))
    memory = [layer.remember(m.at(place), p, kept) for place, (layer, p, kept) in _placed(plan.layers, parameters, saved)]
    return Result(loss, gradients, new, state, memory)


def _placed(*lists: Sequence[Any]) -> Iterable[tuple[int, tuple[Any, ...]]]:
    return enumerate(zip(*lists, strict=True), 1)


def backward(
    m: Any,
    network: Network,
    plan: Plan,
    parameters: Parameters,
    saved: list[tuple[Any, ...]],
    y: Any,
    t: Any,
    weight: Any,
    gradients: Parameters,
    renewed: Callable[[int], dict[str, Any]] | None = None,
) -> Any:
    """Fills in `gradients` and returns dE/dx. `renewed`, for the sequential order, gives a layer's new parameters as soon
    as their gradients are there."""
    over = network.axes
    dy = plan.loss.slope(m.at(len(plan.layers)), y, t, weight)
    for place in range(len(plan.layers), 0, -1):
        here, layer, p = m.at(place), plan.layers[place - 1], parameters[place - 1]
        dy = here.let("dE/da", dy)
        dx, found = layer.backward(here, p, saved[place - 1], dy)
        for symbol, gradient in found.items():
            gradients[place - 1][symbol] = _named(here, network.penalties, symbol, gradient, p[symbol], over[place, symbol])
        if renewed is not None:
            dx, _ = layer.backward(here, renewed(place), saved[place - 1], dy)
        dy = dx
    return m.at(0).let("dE/dx", dy)


def _named(m: Any, penalties: Sequence[Penalty], symbol: str, gradient: Any, w: Any, over: str) -> Any:
    if penalties and symbol == "W":
        gradient = m.let("dE_data/dW", gradient, over)
        for rule in penalties:
            gradient = gradient + rule.slope(m, w)
    return m.let(f"dE/d{symbol}", gradient, over)


def _update(
    m: Any,
    update: Update,
    gradients: Parameters,
    old: Parameters,
    new: Parameters,
    state: State,
    over: dict[tuple[int, str], str],
    places: Sequence[int],
) -> None:
    frozen = ("b",) if update.conventions.biases == "frozen" else ()
    chosen = [(place, symbol) for place in places for symbol in gradients[place - 1] if symbol not in frozen]
    used = [gradients[place - 1][symbol] for place, symbol in chosen]
    if update.clipping is not None and used:
        used = update.clipping.clip(m.at(0, "clip"), used)
        used = [m.at(p, s, over[p, s]).let("clipped", g) for (p, s), g in zip(chosen, used, strict=True)]
    for (place, symbol), gradient in zip(chosen, used, strict=True):
        here = m.at(place, symbol, over[place, symbol])
        w, memory = old[place - 1][symbol], state[place - 1][symbol]
        w, memory = update.optimizer.update(here, w, gradient, memory, update.number, update.rate)
        new[place - 1][symbol], state[place - 1][symbol] = here.let("+", w), memory


def begin(network: Network, optimizer: Optimizer) -> State:
    """An optimizer's memory before the first update."""
    starts, counters = optimizer.starts(), optimizer.counters
    state: State = [{} for _ in network.layers]
    for span in network.spans:
        state[span.layer - 1][span.symbol] = {
            slot: _filled((1,) if slot in counters else span.shape, first, network.parameters) for slot, first in starts.items()
        }
    return state


def _filled(shape: tuple[int, ...], value: float, like: Any) -> Any:
    """An array of one number, of the kind that `like` holds."""
    return np.full(shape, type(like.flat[0])(value) if like.dtype == object else value, like.dtype)


def dressed(
    network: Network, parameters: Parameters, rows: int, number: int, keeps: dict[int, Any] | None = None
) -> Parameters:
    """Parameters with what else a layer reads: its running statistics, and which numbers dropout keeps at this update."""
    widths = [network.inputs, *network.widths]
    result = []
    for place, (layer, p, memory) in enumerate(zip(network.layers, parameters, network.memory, strict=True), 1):
        extra = dict(memory)
        if isinstance(layer, Dropout):
            shape = (rows, widths[place - 1])
            if keeps is not None and place in keeps:
                extra["keep"] = np.asarray(keeps[place]).reshape(shape)
            else:
                drawn = draws.uniform(network.seed, "dropout", number, place, shape)
                kind = int if network.parameters.dtype == object else network.parameters.dtype
                extra["keep"] = (drawn >= float(layer.rate)).astype(kind)
        result.append({**p, **extra})
    return result


def check_order(network: Network, conventions: Conventions, clipping: Clipping | None) -> None:
    """Says what cannot be combined, before the first step."""
    if conventions.order == "sequential" and clipping is not None and clipping.name == "clip_norm":
        raise InputError(
            "clip_norm needs all gradients at once, and sequential order never has them", do='use order = "simultaneous"'
        )


def described() -> str:
    """The name with what multiplies its matrices: NumPy's library adds in an order of its own."""
    return f"reference (numpy {np.__version__})"


def why_not(task: Task) -> str:
    """The reference engine runs everything."""
    return ""


class Session:
    """Updates, one after the other; see chainrule.engines for what a session is."""

    def __init__(self, task: Task) -> None:
        network = copy.copy(task.network)
        network.memory = [dict(memory) for memory in network.memory]
        check_order(network, task.conventions, task.clipping)
        self._task, self._network = task, network
        self.number = task.number
        self.parameters = np.array(network.parameters if task.parameters is None else task.parameters)
        self.state = begin(network, task.optimizer) if task.state is None else task.state
        self._views = network.views(self.parameters)
        exact = task.conventions.intermediate == "exact"
        self._plan = network.fused if exact else network.stated
        self._reader = for_numbers(self.parameters) if exact else None

    @property
    def memory(self) -> list[dict[str, Any]]:
        return self._network.memory

    def advance(self, batches: Iterable[Any], rates: Iterable[float], until: float = -math.inf) -> list[float]:
        losses = []
        with np.errstate(all="ignore"):
            for rows, rate in zip(batches, rates, strict=True):
                losses.append(self._update(rows, self._network.like(rate), until))
                if not math.isfinite(losses[-1]) or losses[-1] <= until:
                    break
        return losses

    def _update(self, rows: Any, rate: float, until: float) -> float:
        task, network, number = self._task, self._network, self.number + 1
        chosen = task.conventions
        m = self._reader or Rounder(Rounding(chosen.intermediate, chosen.places))
        x, t = task.x[rows], task.t[rows]
        weight = None if task.weight is None else task.weight[rows]
        keeps = None if task.keeps is None else {place: keep[rows] for place, keep in task.keeps.items()}
        parameters = dressed(network, self._views, len(x), number, keeps)
        update = Update(task.optimizer, number, rate, self.state, task.clipping, chosen)
        result = step(m, network, self._plan, parameters, x, t, weight, update)
        loss = float(result.loss)
        if loss > until and not all((g - g == 0).all() for each in result.gradients for g in each.values()):
            loss = math.nan  # a gradient is not finite: an update with it would spoil the weights
        if math.isfinite(loss) and loss > until:
            self.number, self.state = number, result.state
            for span in network.spans:
                self._views[span.layer - 1][span.symbol][...] = result.parameters[span.layer - 1][span.symbol]
            for memory, new in zip(network.memory, result.memory, strict=True):
                memory.update(new)
        return loss

    def gradient(self, parameters: Any) -> tuple[float, Any]:
        task, network, plan = self._task, self._network, self._network.fused
        self.parameters[...] = parameters
        m = for_numbers(self.parameters)
        found: Parameters = [{} for _ in plan.layers]
        with np.errstate(all="ignore"):
            y, saved = forward(m, plan.layers, self._views, task.x)
            loss = float(objective(m, plan, network.penalties, self._views, y, task.t, task.weight))
            backward(m, network, plan, self._views, saved, y, task.t, task.weight, found)
        flat = np.empty_like(self.parameters)
        for span in network.spans:
            flat[span.start : span.stop] = found[span.layer - 1][span.symbol].reshape(-1)
        return loss, flat

    def loss(self, x: Any, t: Any, weight: Any = None) -> tuple[float, float]:
        network, plan = self._network, self._network.fused
        m = for_numbers(self.parameters)
        views = [{**p, **memory} for p, memory in zip(self._views, network.memory, strict=True)]
        with np.errstate(all="ignore"):
            for layer, p in zip(plan.layers, views, strict=True):
                x = layer.predict(m, p, x)
            data = float(plan.loss.value(m, x, t, weight))
            prices = [rule.each(m, p["W"]).sum() for rule in network.penalties for p in self._views if "W" in p]
        return data, float(sum(prices))
