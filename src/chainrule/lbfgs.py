"""L-BFGS, through SciPy, on the flat parameter buffer: loss and gradient are an engine's, over all rows."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.course import Callback, Epoch, Rows
from chainrule.engines import Task, choose, reference
from chainrule.errors import InputError
from chainrule.network import Network
from chainrule.readers import for_numbers
from chainrule.rules.layers import BatchNorm, Dropout
from chainrule.rules.optimizers import SGD


@dataclass(frozen=True, eq=False)
class Descent:
    """Where L-BFGS ended. converged: it stopped by itself; message: why, in SciPy's words."""

    parameters: Any
    memory: list[dict[str, Any]]
    loss: float
    iterations: int
    epochs: tuple[Epoch, ...]
    converged: bool
    message: str


def minimize(
    network: Network,
    rows: Rows,
    *,
    iterations: int,
    evaluations: int,
    tolerance: float,
    callbacks: Sequence[Callback] = (),
    seconds: float | None = None,
    engine: str = "auto",
    threads: int | None = None,
) -> Descent:
    """Trains a copy of the network. It computes in float64 even for a float32 network: a line search needs the digits.

    Raises InputError for networks with dropout, whose loss is another one at each look, and for a loss that is not finite
    at the start.
    """
    from scipy.optimize import minimize as scipy_minimize  # only this solver needs it

    if any(isinstance(layer, Dropout) for layer in network.layers):
        raise InputError(
            "lbfgs needs the same loss at every look, and dropout changes it", do='use solver="adam"', field="solver"
        )
    exact = copy.copy(network)
    exact.dtype, exact.parameters = np.dtype(float), network.parameters.astype(float)
    data = Rows(exact.rows(rows.x), exact.goals(rows.t, len(rows.x)), exact.weights(rows.weight, len(rows.x)))
    task = Task(exact, data.x, data.t, SGD(), data.weight, threads=threads)
    session = choose(engine, task).Session(task)
    if not math.isfinite(session.gradient(exact.parameters)[0]):
        raise InputError("the loss is not finite at the start", do="bring inputs and targets to mean 0 and deviation 1")
    reports: list[Epoch] = []
    begun = time.monotonic()

    def told(intermediate_result: Any) -> None:
        number, passed = len(reports) + 1, time.monotonic() - begun
        loss = float(intermediate_result.fun)
        better = all(loss < each.loss for each in reports)
        rate = number * len(data.x) / max(passed, 1e-9)
        reports.append(
            Epoch(
                number,
                number,
                loss,
                _price(exact, intermediate_result.x),
                0.0,
                best=better,
                seconds=passed,
                rows_per_second=rate,
                remaining=(iterations - number) * passed / number,
            )
        )
        stops = [callback(reports[-1]) for callback in callbacks]
        if any(stops) or (seconds is not None and passed >= seconds):
            raise StopIteration

    result = scipy_minimize(
        session.gradient,
        exact.parameters,
        method="L-BFGS-B",
        jac=True,
        callback=told,
        options={"maxfun": evaluations, "maxiter": iterations, "gtol": tolerance},
    )
    exact.parameters = result.x
    return Descent(
        result.x.astype(network.dtype), _statistics(exact, data, network.dtype), float(result.fun),
        min(int(result.nit), iterations), tuple(reports), result.status == 0, str(result.message),
    )  # fmt: skip


def _price(network: Network, parameters: Any) -> float:
    """What the penalties ask for the weights."""
    m = for_numbers(parameters)
    views = network.views(parameters)
    return float(sum(rule.each(m, p["W"]).sum() for rule in network.penalties for p in views if "W" in p))


def _statistics(network: Network, rows: Rows, dtype: Any) -> list[dict[str, Any]]:
    """What batch norm remembers: here the statistics of all rows, which are the ones it trained with."""
    m, views = for_numbers(network.parameters), network.views(network.parameters)
    with np.errstate(all="ignore"):
        _, saved = reference.forward(m, network.layers, views, rows.x)
    memory = []
    for layer, known, kept in zip(network.layers, network.memory, saved, strict=True):
        at_once = replace(layer, momentum=1.0) if isinstance(layer, BatchNorm) else layer
        found = at_once.remember(m, {symbol: value.astype(float) for symbol, value in known.items()}, kept)
        memory.append({symbol: np.asarray(value).astype(dtype) for symbol, value in found.items()})
    return memory
