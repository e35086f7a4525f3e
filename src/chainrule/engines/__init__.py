"""How rules are run. The reference engine is the definition of every number; faster engines must equal it.

An engine is a module with `why_not(task)`, the reason in words why it cannot run a task ("" if it can), `described()`, its
name with whatever decides about the last digits, and `Session(task)`, which runs it. A session holds its own copy of the
parameters:

    session.number        updates done so far
    session.parameters    the flat buffer as it stands
    session.state         the optimizer's memory, layer -> parameter -> slot -> array
    session.memory        the layers' running statistics
    session.advance(batches, rates, until)
                          one update for each batch (an array of row numbers, or a slice); returns the loss of each batch
                          before its update. It stops before an update whose loss is at most `until` or not finite: that
                          loss is then the last one returned, and its update is not counted. A gradient that is not finite
                          counts as such a loss, and is returned as nan.
    session.gradient(parameters)
                          the loss of all rows at these parameters, penalty included, and its derivative by the flat buffer;
                          the session stands at these parameters afterwards
    session.loss(x, t, weight)
                          loss and penalty as in training, of any rows, without dropout and with running statistics
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from chainrule.conventions import Conventions
from chainrule.errors import InputError, nearest, shown
from chainrule.network import Network
from chainrule.rules.rule import Clipping, Optimizer

ENGINES = ("native", "reference")
"""Fastest first."""


class Task(NamedTuple):
    """What an engine is asked to do. x is (rows, inputs), t (rows, outputs), weight None or (rows, 1)."""

    network: Network
    x: Any
    t: Any
    optimizer: Optimizer
    weight: Any = None
    clipping: Clipping | None = None
    conventions: Conventions = Conventions()
    keeps: dict[int, Any] | None = None
    parameters: Any = None  # where it begins, if not at the network's own
    state: Any = None
    number: int = 0
    threads: int | None = None


def choose(name: str, task: Task) -> Any:
    """The engine called `name`; with "auto" the fastest one that can run the task. InputError if it cannot."""
    if name == "auto":
        if not _engine("native").built():
            _say_so()
        return next(engine for engine in map(_engine, ENGINES) if not engine.why_not(task))
    if name not in ENGINES:
        raise InputError("unknown engine", got=shown(name), do=nearest(name, ("auto", *ENGINES)), field="engine")
    engine = _engine(name)
    reason = engine.why_not(task)
    if reason:
        raise InputError(f"the {name} engine cannot run this: {reason}", do='use engine="auto"', field="engine")
    return engine


def described(name: str, task: Task) -> str:
    """The engine that `choose` takes for a task, with its build: of two that are called alike the bits are the same."""
    return str(choose(name, task).described())


@cache
def _say_so() -> None:
    print("chainrule was installed without its native engine: it runs on the slower reference engine", file=sys.stderr)


def _engine(name: str) -> Any:
    return import_module(f"chainrule.engines.{name}")
