"""What goes on inside a network while it trains: sums, outputs, gradients and updates of each layer, on a few fixed rows.

A step of the reference engine is run on these rows with every named number kept, and thrown away again: training is not
touched by it, and nothing is measured that the engine does not compute.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np

from chainrule import draws
from chainrule.course import Checkpoint, Rows, some
from chainrule.engines import reference
from chainrule.network import Network
from chainrule.readers import Recorder, StepKey
from chainrule.rules.activations import Identity
from chainrule.rules.layers import Dense
from chainrule.rules.rule import Activation, Clipping, Optimizer

FEW, MOST = 64, 256
"""Rows that are looked at: as many as make up a 64th of the table, but no fewer and no more than this."""

END = 0.01
"""An output this near to an end of its activation's range, in parts of the range, is saturated."""


def due(epoch: int) -> bool:
    """Whether an epoch (from 1) is measured: 1, 2, 4, 8 and so on. A function of the number alone, so that a run that was
    interrupted has the same record; on a small table, where an epoch takes no longer than a measurement, it costs little."""
    return epoch & (epoch - 1) == 0


def probed(count: int) -> int:
    """How many of so many rows are looked at."""
    return min(count, MOST, max(FEW, count // FEW))


def probe(rows: Rows, seed: int) -> Rows:
    """Some of the training rows, chosen by the seed, in their order: they stay the same throughout a run."""
    count = len(rows.x)
    size = probed(count)
    chosen = np.arange(count)
    if count > size:
        ends = np.linspace(0, count, size + 1).astype(np.int64)  # one row of each of so many stretches
        drawn = draws.words(seed, "probe", 0, 0, size) % np.diff(ends).astype(np.uint64)
        chosen = ends[:-1] + drawn.astype(np.int64)
    weight = None if rows.weight is None else np.asarray(rows.weight)[chosen]
    return Rows(some(rows.x, chosen), some(rows.t, chosen), weight)


def measured(
    network: Network, at: Checkpoint, rows: Rows, optimizer: Optimizer, rate: float, clipping: Clipping | None = None
) -> dict[str, Any]:
    """The signals of a network at a checkpoint, as plain data.

    rows: a `probe`. rate: the learning rate that holds there. The result has "loss", that of the rows, and "layers", a table
    for each layer with weights (see `_layer`), all to six digits. A number that is not finite is None.
    """
    network = copy.copy(network)
    network.memory = at.memory
    m, plan, number = Recorder(), network.fused, at.updates + 1
    x, t = network.rows(rows.x), network.goals(rows.t, len(rows.x))
    weight = network.weights(rows.weight, len(x))
    state = reference.begin(network, optimizer) if at.state is None else at.state
    old = network.views(at.parameters)
    with np.errstate(all="ignore"):
        dressed = reference.dressed(network, old, len(x), number)
        update = reference.Update(optimizer, number, rate, state, clipping)
        result = reference.step(m, network, plan, dressed, x, t, weight, update)
        layers = [_layer(network, m.steps, place, old, result) for place in weighted(network)]
    return {"loss": _plain(result.loss), "layers": layers}


def weighted(network: Network) -> list[int]:
    """The layers that weigh their inputs, counted from 1: each begins a stage, to which norm, activation and dropout after it
    belong."""
    return [place for place, layer in enumerate(network.layers, 1) if isinstance(layer, Dense)]


def _layer(network: Network, steps: dict[StepKey, Any], place: int, old: Any, result: reference.Result) -> dict[str, Any]:
    """One layer's signals.

    layer: its number. z: mean and standard deviation of the weighted sums that go into its activation; a: of the outputs
    (hidden layers). dead: the part of its units that pass no change on: the activation's slope is 0 in every row. saturated:
    the part of the outputs at an end of the activation's range, where it has two. weights, gradient: the length of W and of
    dE/dW, without the price of the weights; spread: the root mean square of dE/dW, comparable between layers of different
    sizes. delta: the length of dE/dz, the error that is handed back. update: the length of the step that W would take next,
    in parts of its own.
    """
    where, activation = _activation(network, place)
    w, new = old[place - 1]["W"], result.parameters[place - 1]["W"]
    gradient = np.asarray(steps.get(StepKey("dE_data/dW", place, "ij"), result.gradients[place - 1]["W"]))
    size = _length(w)
    told: dict[str, Any] = {"layer": place, "z": _mean_and_deviation(steps.get(StepKey("z", where, "ri")))}
    if where < len(network.layers):
        a = steps.get(StepKey("a", where, "ri"))
        slope = steps.get(StepKey("da/dz", where, "ri"))
        told["a"] = _mean_and_deviation(a)
        told["dead"] = None if slope is None else _plain((np.asarray(slope) == 0).all(0).mean())
        low, high = activation.codomain
        if a is not None and math.isfinite(low) and math.isfinite(high):
            near = END * (high - low)
            told["saturated"] = _plain(((a < low + near) | (a > high - near)).mean())
    told["weights"], told["gradient"] = _plain(size), _plain(_length(gradient))
    told["spread"] = _plain(_length(gradient) / math.sqrt(gradient.size))
    told["delta"] = _plain(_length(steps.get(StepKey("dE/dz", where, "ri"), math.nan)))
    told["update"] = _plain(_length(new - w) / size) if size > 0 else None
    return told


def _activation(network: Network, place: int) -> tuple[int, Activation]:
    """The activation that a layer's sums go into, and the number of the layer it stands in."""
    for number in range(place, len(network.layers) + 1):
        layer = network.layers[number - 1]
        if number > place and isinstance(layer, Dense):
            break
        if isinstance(layer, Activation):
            return number, layer
        if isinstance(layer, Dense) and not isinstance(layer.activation, Identity):
            return number, layer.activation
    return place, Identity()


def _length(values: Any) -> float:
    return math.sqrt(np.square(np.asarray(values, np.float64)).sum())


def _mean_and_deviation(values: Any) -> list[float | None] | None:
    if values is None:
        return None
    values = np.asarray(values, np.float64)
    return [_plain(values.mean()), _plain(values.std())]


def _plain(value: Any) -> float | None:
    """Six digits: more would tell of the machine."""
    value = float(value)
    return float(f"{value:.6g}") if math.isfinite(value) else None
