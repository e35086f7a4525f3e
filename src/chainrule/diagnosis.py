"""Why a loss is not finite, or has exploded: the batch is run again on the reference engine, keeping every named number."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.engines import Task, reference
from chainrule.network import Network
from chainrule.readers import Recorder, StepKey

LARGE = 1e4
"""Inputs, targets and weights beyond this size are likely causes."""


def explain(
    task: Task, session: Any, batch: Any, loss: float, rate: float, when: str, name: Callable[[int], str] | None = None
) -> str:
    """What happened in the update that `session` stopped before, where, and the likely cause, as one message.

    batch: its rows. when: update, epoch and batch in words, with a parenthesis that is still open. name: what the user calls
    a row of the task, counted from 0; "row 34" otherwise.
    """
    network = copy.copy(task.network)
    network.parameters, network.memory = session.parameters, session.memory
    steps = _steps(network, task, batch, session.number + 1)
    key, row = _culprit(steps)
    place = network.place(key.layer) if key is not None and key.layer else _largest_layer(network)
    if key is not None:
        what, number = "the loss is not finite", f"{key.symbol} is the first number that is not finite"
    else:
        what, number = "diverged", f"the loss is {loss:.3g}"
    called = "" if row is None else f"row {batch[row] + 1}" if name is None else name(int(batch[row]))
    where = ", ".join(part for part in (when, place, called) if part)
    return f"{what} at {where}): {number}. {_cause(network, task.x[batch], task.t[batch], rate)}"


def _steps(network: Network, task: Task, batch: Any, number: int) -> dict[StepKey, Any]:
    """Every named number of the step, in the order in which they are computed."""
    m, plan = Recorder(), network.fused
    views = reference.dressed(network, network.views(network.parameters), len(batch), number)
    weight = None if task.weight is None else task.weight[batch]
    with np.errstate(all="ignore"):
        y, saved = reference.forward(m, plan.layers, views, task.x[batch])
        reference.objective(m, plan, network.penalties, views, y, task.t[batch], weight)
        reference.backward(m, network, plan, views, saved, y, task.t[batch], weight, [{} for _ in plan.layers])
    return m.steps


def _culprit(steps: dict[StepKey, Any]) -> tuple[StepKey | None, int | None]:
    """The first named number that is not finite, and its row in the batch; without one, the row of the largest loss."""
    largest = None
    for key, values in steps.items():
        wrong = np.argwhere(~np.isfinite(np.asarray(values, float)))
        if len(wrong):
            return key, int(wrong[0][key.over.index("r")]) if "r" in key.over else None
        if (key.symbol, key.over) == ("E", "r1"):
            largest = int(np.argmax(values))
    return None, largest


def _largest_layer(network: Network) -> str:
    """The layer whose weights have grown most."""
    weights = {span.layer: _size(network.parameters[span.start : span.stop]) for span in network.spans if span.symbol == "W"}
    return network.place(max(weights, key=lambda layer: weights[layer])) if weights else ""


def _size(values: Any) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size == values.size else float("inf")


def _cause(network: Network, x: Any, t: Any, rate: float) -> str:
    lower = min(rate / 10, 0.1)
    sizes = {
        f"the inputs are as large as {_size(x):.3g}: bring each column to mean 0 and deviation 1": _size(x),
        f"the targets are as large as {_size(t):.3g}: bring them to mean 0 and deviation 1": _size(t),
        f"weights have grown to {_size(network.parameters):.3g}: try a learning rate of at most {lower:.3g}, "
        "or clip the gradients": _size(network.parameters),
    }
    largest = max(sizes, key=lambda cause: sizes[cause])
    if sizes[largest] > LARGE:
        return f"Likely cause: {largest}."
    return f"Likely cause: the learning rate is too large: try at most {lower:.3g}, or clip the gradients."
