"""The native engine: the reference's loops, compiled. This is its thin face; the engine itself stands in native/.

Environment: CHAINRULE_THREADS, the most threads to use (a step too small to share runs on one); CHAINRULE_ISA, the build to use
instead of the fastest that the machine can run: baseline, avx2 or avx512. Neither the number of threads nor the way updates are
cut into slices changes a bit of the result; builds differ in the last digits.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import fields
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.engines import Task
from chainrule.errors import InputError, nearest, shown
from chainrule.rules.layers import BatchNorm, Dense, Dropout, LayerNorm
from chainrule.rules.optimizers import ClipNorm, ClipValue
from chainrule.rules.rule import Activation, Rule, find

_built: ModuleType | None
try:
    from chainrule import _native as _built
except ImportError:
    _built = None

MOST_THREADS = 256

_KINDS: tuple[type[Any], ...] = (Dense, Activation, Dropout, LayerNorm, BatchNorm)  # as in contract.hpp
_BIASES = ("none", "per_unit", "shared")
_CLIPPINGS = (type(None), ClipValue, ClipNorm)


def built() -> bool:
    """Whether there is a compiled engine."""
    return _built is not None


def described() -> str:
    """The name with the build that runs here: builds differ in the last digits."""
    return f"native ({_build()})"


def builds() -> tuple[str, ...]:
    """The builds that this machine can run, the fastest last."""
    return () if _built is None else tuple(_built.builds())


def why_not(task: Task) -> str:
    """Why the native engine cannot run this; "" if it can."""
    if _built is None:
        return "it was not built when chainrule was installed (that takes a C++ compiler)"
    network = task.network
    kind = np.dtype(network.parameters.dtype)
    if kind not in (np.dtype(np.float64), np.dtype(np.float32)) or not kind.isnative:
        return f"it calculates in float64 and float32, not in {kind}"
    if task.conventions.intermediate != "exact":
        return f"it does not keep intermediate numbers {task.conventions.intermediate}"
    if task.conventions.order == "sequential":
        return "it updates all layers at once, not one after the other"
    for place, layer in enumerate(network.layers, 1):
        if isinstance(layer, Activation):
            unknown = _unknown("activation", layer)
        elif type(layer) is Dense:
            unknown = _unknown("activation", layer.activation)
        else:
            unknown = "" if type(layer) in _KINDS else f"it has no layer {layer.name}"
        if unknown:
            return f"{unknown} (layer {place})"
    if type(task.clipping) not in _CLIPPINGS:
        return f"it has no clipping {shown(getattr(task.clipping, 'name', task.clipping))}"
    others = [("loss", network.fused.loss), ("optimizer", task.optimizer), *(("penalty", each) for each in network.penalties)]
    return next(filter(None, (_unknown(kind, rule) for kind, rule in others)), "")


class Session:
    """Updates, one after the other; see chainrule.engines for what a session is."""

    def __init__(self, task: Task) -> None:
        network = task.network
        dtype = network.parameters.dtype
        self._task, self._network, self._dtype = task, network, dtype
        self._x, self._t = (_plain(table, dtype) for table in (task.x, task.t))
        self._weight = None if task.weight is None else _plain(task.weight, dtype)
        self._names = (*task.optimizer.slots, *task.optimizer.counters)
        self._kept: list[Any] = []  # arrays that the engine reads: they live as long as the session
        self._made = self._engine()
        self._made.set_parameters(_plain(network.parameters if task.parameters is None else task.parameters, dtype))
        self._begin()
        self._parameters: tuple[int, Any] = (-1, None)

    def _engine(self) -> Any:
        assert _built is not None
        task, network = self._task, self._network
        plan, made = network.fused, _built.Task()
        made.loss = _rule("loss", plan.loss)
        made.mean_over_outputs, made.mean_over_samples = plan.loss.over_outputs == "mean", plan.loss.reduction == "mean"
        made.optimizer = _rule("optimizer", task.optimizer)
        made.clipping, made.limit = _CLIPPINGS.index(type(task.clipping)), getattr(task.clipping, "limit", 0.0)
        made.frozen_biases = task.conventions.biases == "frozen"
        made.seed, made.rows, made.number = network.seed, len(self._x), task.number
        made.threads = 0 if task.threads is None else max(1, min(task.threads, MOST_THREADS))
        made.most_threads = _most_threads()
        made.set_data(self._x, self._t)
        if self._weight is not None:
            made.set_weight(self._weight)
        layers, width = [], network.inputs
        for place, (layer, n_out) in enumerate(zip(plan.layers, network.widths, strict=True), 1):
            layers.append(self._layer(place, layer, width, n_out))
            width = n_out
        penalties = [_rule("penalty", each) for each in network.penalties]
        return _built.Session(_build(), self._dtype.itemsize, made, layers, penalties)

    def _layer(self, place: int, layer: Any, n_in: int, n_out: int) -> Any:
        assert _built is not None
        kind = next(i for i, each in enumerate(_KINDS) if isinstance(layer, each))
        activation = layer if isinstance(layer, Activation) else getattr(layer, "activation", None)
        rule = _built.Rule(0, []) if activation is None else _rule("activation", activation)
        bias = _BIASES.index(layer.bias) if isinstance(layer, Dense) else 0
        numbers = (float(getattr(layer, name, 0.0)) for name in ("rate", "epsilon", "momentum"))
        made = _built.Layer(kind, n_in, n_out, bias, rule, *numbers)
        keeps = self._task.keeps or {}
        if isinstance(layer, Dropout) and place in keeps:
            self._kept.append(_plain(np.asarray(keeps[place]).reshape(len(self._x), n_in), self._dtype))
            made.set_keep(self._kept[-1])
        return made

    def _begin(self) -> None:
        starts, state = self._task.optimizer.starts(), self._task.state
        for number, name in enumerate(self._names):
            flat = np.full(self._network.size, starts[name], self._dtype)
            if state is not None:
                for span in self._network.spans:
                    values = state[span.layer - 1][span.symbol][name]
                    flat[span.start : span.start + np.size(values)] = np.reshape(values, -1)
            self._made.set_slot(number, flat)
        for layer, memory in enumerate(self._network.memory):
            if memory:
                self._made.set_memory(layer, *(_plain(memory[name], self._dtype) for name in memory))

    @property
    def number(self) -> int:
        return int(self._made.number)

    @property
    def parameters(self) -> Any:
        if self._parameters[0] != self.number:
            flat = np.empty(self._network.size, self._dtype)
            self._made.get_parameters(flat)
            self._parameters = (self.number, flat)
        return self._parameters[1]

    @property
    def state(self) -> list[dict[str, dict[str, Any]]]:
        state: list[dict[str, dict[str, Any]]] = [{} for _ in self._network.layers]
        for span in self._network.spans:
            state[span.layer - 1][span.symbol] = {}
        for number, name in enumerate(self._names):
            flat = np.empty(self._network.size, self._dtype)
            self._made.get_slot(number, flat)
            counter = name in self._task.optimizer.counters
            for span in self._network.spans:
                part = flat[span.start : span.start + 1] if counter else flat[span.start : span.stop].reshape(span.shape)
                state[span.layer - 1][span.symbol][name] = part.copy() if counter else part
        return state

    @property
    def memory(self) -> list[dict[str, Any]]:
        found = []
        for layer, memory in enumerate(self._network.memory):
            copies = {name: np.empty(values.shape, self._dtype) for name, values in memory.items()}
            if copies:
                self._made.get_memory(layer, *copies.values())
            found.append(copies)
        return found

    def advance(self, batches: Iterable[Any], rates: Iterable[float], until: float = -math.inf) -> list[float]:
        rates = np.fromiter(rates, float)
        rows, starts, stops = self._rows(batches if isinstance(batches, list) else list(batches))
        if len(starts) != len(rates):
            raise ValueError(f"{len(starts)} batches and {len(rates)} rates")
        losses = np.empty(len(starts))
        done = self._made.advance(rows, starts, stops, rates, until, losses)
        found: list[float] = losses[:done].tolist()
        return found

    def _rows(self, batches: list[Any]) -> tuple[Any, Any, Any]:
        """All row numbers in one array, and where each batch begins and ends in it."""
        count = len(batches)
        if count and isinstance(batches[0], slice) and batches.count(batches[0]) == count:
            rows = np.arange(len(self._x))[batches[0]]  # the same rows each time
            return rows, np.zeros(count, np.int64), np.full(count, len(rows))
        everyone = np.arange(len(self._x))
        parts = [each if type(each) is np.ndarray else everyone[each] for each in batches]
        stops = np.cumsum(np.fromiter(map(len, parts), np.int64, count))
        rows = np.concatenate(parts) if parts else everyone[:0]
        # a row number from the end, and an error for one that is not there: as NumPy takes them
        rows = rows.astype(np.int64) if rows.dtype.kind in "iu" and rows.min(initial=0) >= 0 else everyone[rows]
        if rows.max(initial=0) >= len(everyone):
            raise IndexError(f"row {rows.max()} of {len(everyone)}")
        return rows, np.concatenate([[0], stops[:-1]]) if count else stops, stops

    def gradient(self, parameters: Any) -> tuple[float, Any]:
        self._made.set_parameters(_plain(parameters, self._dtype))
        self._parameters = (-1, None)
        flat = np.empty(self._network.size, self._dtype)
        return self._made.gradient(flat), flat

    def loss(self, x: Any, t: Any, weight: Any = None) -> tuple[float, float]:
        x, t = _plain(x, self._dtype), _plain(t, self._dtype)
        weight = None if weight is None else _plain(weight, self._dtype)
        data, price = self._made.loss(x, t, weight, len(x))
        return data, price


def _plain(array: Any, dtype: Any) -> Any:
    """The array as the engine reads it: numbers in rows, one after the other."""
    array = np.ascontiguousarray(array, dtype)
    return array if array.flags.aligned else array.copy()


def _label(kind: str, rule: Rule) -> str:
    """A rule as the generated tables call it: its name, and for an optimizer its choices."""
    choices = [getattr(rule, entry.name) for entry in fields(rule) if "options" in entry.metadata]
    return "/".join([rule.name, *choices]) if kind == "optimizer" else rule.name


def _table(kind: str) -> dict[str, str]:
    tables = {"activation": "ACTIVATIONS", "loss": "LOSSES", "penalty": "PENALTIES", "optimizer": "OPTIMIZERS"}
    table: dict[str, str] = getattr(_built, tables[kind])
    return table


def _unknown(kind: str, rule: Any) -> str:
    """Why a rule is not one of those that were compiled; "" if it is."""
    if _label(kind, rule) in _table(kind) and type(rule) is find(kind, rule.name):
        return ""
    return f"it was compiled without the {kind} {rule.name}"


def _rule(kind: str, rule: Any) -> Any:
    assert _built is not None
    table = _table(kind)
    label = _label(kind, rule)
    return _built.Rule(list(table).index(label), [float(getattr(rule, name)) for name in table[label].split()])


def _build() -> str:
    assert _built is not None
    builds = _built.builds()
    wanted = os.environ.get("CHAINRULE_ISA")
    if wanted is None:
        return str(builds[-1])
    if wanted not in ("baseline", "avx2", "avx512"):
        raise InputError("unknown CHAINRULE_ISA", got=shown(wanted), do=nearest(wanted, ("baseline", "avx2", "avx512")))
    if wanted not in builds:
        raise InputError(f"CHAINRULE_ISA={wanted}, but this machine runs {', '.join(builds)}", do=f"use {builds[-1]}")
    return wanted


def _most_threads() -> int:
    wanted = os.environ.get("CHAINRULE_THREADS")
    if wanted is None:
        return min(MOST_THREADS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    if not wanted.isascii() or not wanted.isdigit() or not 1 <= int(wanted) <= MOST_THREADS:
        raise InputError(f"CHAINRULE_THREADS must be a whole number from 1 to {MOST_THREADS}", got=shown(wanted))
    return int(wanted)
