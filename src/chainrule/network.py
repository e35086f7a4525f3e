"""A network: layers in order, a loss, and one flat buffer that holds every parameter."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from chainrule import draws
from chainrule.errors import InputError, shown
from chainrule.readers import Fractions, exact, for_numbers
from chainrule.rules.activations import Identity
from chainrule.rules.layers import Dense
from chainrule.rules.rule import Activation, Initializer, Layer, Loss, Penalty, find, made
from chainrule.textbook import Naming

Parameters = list[dict[str, Any]]  # one dict a layer, symbol -> view of the buffer

LIMIT = 2**33
"""The most parameters a network may have."""

SHARE = 0.8
"""The part of the free memory that parameters may take."""

FEW = 100
"""Up to so many weights have textbook names by default: w1 ... w100."""


def _whole(name: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not least <= int(value) <= most:
        raise InputError(f"{name} must be a whole number from {least} to {most}", got=shown(value), field=name)
    return int(value)


def _dtype(value: Any) -> Any:
    try:
        dtype = np.dtype(value)
    except TypeError:
        dtype = None
    if dtype not in (np.float64, np.float32):
        raise InputError("unknown dtype", got=shown(value), do="use float64 or float32", field="dtype")
    return dtype


def free_memory() -> float:
    """Bytes that can still be had, as far as the system says; infinity where it does not."""
    try:
        free = float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    except (AttributeError, ImportError, OSError, ValueError):
        return math.inf
    return free if limit == resource.RLIM_INFINITY else min(free, float(limit))


class Span(NamedTuple):
    """Where one parameter lies in the buffer. `over` has a letter an axis, for names."""

    layer: int
    symbol: str
    start: int
    shape: tuple[int, ...]
    over: str

    @property
    def stop(self) -> int:
        return self.start + int(np.prod(self.shape, dtype=object))


class Plan(NamedTuple):
    """Layers and loss as an engine runs them."""

    layers: tuple[Layer, ...]
    loss: Loss


class Network:
    """A multilayer perceptron and its parameters.

    layers: rules such as Dense(2, "sigmoid"), or names of activations. inputs: numbers per row. loss: a rule or its name.
    seed: first weights are a function of it. dtype: float64 or float32. parameters: the flat buffer, (n_parameters,).
    Raises InputError when layers do not fit together.
    """

    def __init__(
        self,
        layers: Sequence[Layer | str],
        inputs: int,
        loss: Loss | str = "half_squared_error",
        seed: int = 0,
        penalties: Sequence[Penalty] = (),
        dtype: Any = np.float64,
        parameters: Any = None,
    ) -> None:
        if isinstance(layers, str) or not isinstance(layers, Sequence):
            raise InputError("layers must be a list", got=shown(layers), do='[Dense(2, "sigmoid"), Dense(1)]', field="layers")
        self.layers = tuple(find("activation", layer)() if isinstance(layer, str) else layer for layer in layers)
        self.loss: Loss = made("loss", loss, Loss)
        self.inputs, self.seed = _whole("inputs", inputs, 1, 2**31), _whole("seed", seed, 0, 2**64 - 1)
        self.penalties = tuple(made("penalty", rule, Penalty) for rule in penalties)
        self.dtype = _dtype(dtype)
        self._check()
        self.spans, self.widths = self._measure()
        self.size = self.spans[-1].stop if self.spans else 0
        needed, free = self.size * self.dtype.itemsize, free_memory()
        if self.size > LIMIT or needed > SHARE * free:
            raise InputError(
                f"the network needs {needed / 2**30:,.1f} GiB for its {self.size:,} parameters",
                got=f"{free / 2**30:,.1f} GiB free",
                do=f"use fewer units: the limit is {SHARE:.0%} of it, and {LIMIT:,} parameters",
            )
        self.memory: list[dict[str, Any]] = []
        self.parameters = self.draw(seed) if parameters is None else np.asarray(parameters)
        if self.parameters.shape != (self.size,):
            raise InputError(
                f"the network has {self.size} parameters", got=f"an array of shape {self.parameters.shape}", field="parameters"
            )
        self.layers = tuple(self.like(layer) for layer in self.layers)
        self.loss, self.penalties = self.like(self.loss), tuple(self.like(rule) for rule in self.penalties)
        self._remember()

    def _check(self) -> None:
        if not self.layers:
            raise InputError("a network needs at least one layer", do="add Dense(1)")
        for place, layer in enumerate(self.layers, 1):
            if not isinstance(layer, Layer):
                raise InputError(
                    f"layer {place} is not a layer", got=shown(layer), do='use Dense(2, "sigmoid") or the name of an activation'
                )
        kinds = [type(rule) for rule in self.penalties]
        if len(set(kinds)) < len(kinds):
            raise InputError("a network takes one penalty of a kind", do="add their strengths", field="penalties")

    def _measure(self) -> tuple[list[Span], list[int]]:
        spans, widths, start, width = [], [], 0, self.inputs
        for place, layer in enumerate(self.layers, 1):
            shapes, width = layer.shapes(width)
            shared = isinstance(layer, Dense) and layer.bias == "shared"
            for symbol, shape in shapes.items():
                over = "ij" if len(shape) == 2 else "1" if shared else "i"
                spans.append(Span(place, symbol, start, shape, over))
                start = spans[-1].stop
            widths.append(width)
        wrong = self.loss.mismatch(self.last_activation, width)
        if wrong:
            raise InputError(wrong[0], do=wrong[1], field="loss")
        return spans, widths

    @property
    def outputs(self) -> int:
        return self.widths[-1]

    @property
    def last_activation(self) -> Activation:
        last = self.layers[-1]
        if isinstance(last, Activation):
            return last
        return last.activation if isinstance(last, Dense) else Identity()

    @property
    def axes(self) -> dict[tuple[int, str], str]:
        """A letter for each axis of each parameter, by layer and symbol."""
        return {(span.layer, span.symbol): span.over for span in self.spans}

    def place(self, layer: int) -> str:
        """A layer as messages call it: `layer 2 (Dense 16->3)`."""
        n_in = self.inputs if layer == 1 else self.widths[layer - 2]
        return f"layer {layer} ({type(self.layers[layer - 1]).__name__} {n_in}->{self.widths[layer - 1]})"

    def draw(self, seed: int) -> Any:
        """First parameters as a function of the seed: (n_parameters,)."""
        buffer = np.empty(self.size, self.dtype)
        for number, span in enumerate(self.spans):
            buffer[span.start : span.stop] = self._first(span, number, seed).reshape(-1)
        return buffer

    def _first(self, span: Span, number: int, seed: int) -> Any:
        layer = self.layers[span.layer - 1]
        if span.symbol != "W" or not isinstance(layer, Dense):
            return np.full(span.shape, 1.0 if span.symbol == "gamma" else 0.0)
        rule: Initializer = layer.initializer or find("initializer", self._activation_after(span.layer).initializer)()
        u = np.zeros(span.shape)
        if rule.draw == "uniform":
            u = 2 * draws.uniform(seed, "weights", number, span.layer, span.shape) - 1
        elif rule.draw == "normal":
            u = draws.normal(seed, "weights", number, span.layer, span.shape)
        weights = np.asarray(rule.value(for_numbers(u), u, span.shape[1], span.shape[0]))
        if weights.shape != span.shape:
            raise InputError(f"{self.place(span.layer)} needs weights of shape {span.shape}", got=str(weights.shape))
        return weights

    def _activation_after(self, layer: int) -> Activation:
        """The activation that a layer's sums go into: its own, or the next layer that is one."""
        for each in self.layers[layer - 1 :]:
            if isinstance(each, Activation):
                return each
            if isinstance(each, Dense) and not isinstance(each.activation, Identity):
                return each.activation
        return Identity()

    def _remember(self) -> None:
        widths = [self.inputs, *self.widths]
        self.memory = [
            {symbol: np.full(shape, first, self.dtype) for symbol, (shape, first) in layer.buffers(width).items()}
            for layer, width in zip(self.layers, widths, strict=False)
        ]

    def views(self, buffer: Any) -> Parameters:
        """A flat buffer as one dict of arrays a layer; the arrays share its memory."""
        result: Parameters = [{} for _ in self.layers]
        for span in self.spans:
            result[span.layer - 1][span.symbol] = buffer[span.start : span.stop].reshape(span.shape)
        return result

    @property
    def stated(self) -> Plan:
        """Layers and loss as they were given."""
        return Plan(self.layers, self.loss)

    @property
    def fused(self) -> Plan:
        """The same function with the loss taken from the last weighted sums where that is more exact."""
        last = self.layers[-1]
        fused = self.loss.fused_with(self.last_activation)
        if fused is None:
            return self.stated
        if isinstance(last, Dense):
            return Plan((*self.layers[:-1], replace(last, activation=Identity())), fused)
        return Plan((*self.layers[:-1], Identity()), fused)

    def naming(self, style: str = "", custom: Mapping[int, Sequence[Sequence[str]]] | None = None) -> Naming:
        """Names for the numbers of a step: a textbook's while the weights are few enough to be told apart, else the ids."""
        shapes = {span.layer: (span.shape[0], span.shape[1]) for span in self.spans if span.symbol == "W"}
        few = sum(n_out * n_in for n_out, n_in in shapes.values()) <= FEW
        return Naming(self.widths, shapes, style or ("textbook" if few else "matrix"), custom)

    def rows(self, x: Any) -> Any:
        """Inputs as (rows, inputs) of the network's dtype, not copied if they are that; a single row is accepted.
        InputError otherwise."""
        return self._table(x, self.inputs, f"{self.place(1)} expects {self.inputs} numbers per row", "x")

    def goals(self, t: Any, rows: int) -> Any:
        """Targets as (rows, outputs) of the network's dtype. InputError otherwise."""
        layer = len(self.layers)
        t = self._table(t, self.outputs, f"{self.place(layer)} gives {self.outputs} numbers per row: so must the targets", "t")
        if len(t) != rows:
            raise InputError(f"{rows} rows of inputs need as many rows of targets", got=f"{len(t)} rows", field="t")
        self._refuse_impossible(t)
        if self.loss.name in ("cross_entropy", "softmax_cross_entropy"):
            off = np.abs(t.sum(1) - 1) > 1e-6  # a row of probabilities, up to its decimals
            if off.any():
                row = int(np.argmax(off))
                wanted = "each row of targets must sum to 1 for cross_entropy"
                raise InputError(wanted, where=f"row {row + 1}", got=f"a sum of {t[row].sum():g}", field="t")
        return t

    def _refuse_impossible(self, t: Any) -> None:
        """Targets that this loss has no meaning for: probabilities beyond 0 and 1, counts below 0."""
        probabilities = "cross_entropy" in self.loss.name
        if not probabilities and self.loss.name != "poisson":
            return
        wrong = (t < 0) | (t > 1) if probabilities else t < 0
        if wrong.any():
            row, column = (int(i) for i in np.argwhere(wrong)[0])
            wanted = "from 0 to 1" if probabilities else "at least 0"
            place = f"row {row + 1}, column {column + 1}"
            raise InputError(f"targets of {self.loss.name} must be {wanted}", where=place, got=shown(t[row, column]), field="t")

    def weights(self, weight: Any, rows: int) -> Any:
        """Sample weights as (rows, 1) of the network's dtype, or None. InputError if they are not one for each row."""
        if weight is None:
            return None
        array = np.asarray(weight, dtype=None if self.parameters.dtype == object else self.parameters.dtype)
        if array.size != rows or array.ndim > 2:
            raise InputError(f"{rows} rows need as many weights", got=f"an array of shape {array.shape}", field="weight")
        array = array.reshape(-1, 1)
        if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array >= 0).all() and array.sum() > 0):
            row = int(np.argmin(np.where(np.isfinite(array), array, -1)))
            wanted = "weights must be finite, not negative, and not all 0"
            raise InputError(wanted, where=f"row {row + 1}", got=str(array[row, 0]), field="weight")
        return array

    def like(self, rule: Any) -> Any:
        """A rule or number as this network's numbers need it: among fractions, floats become the fractions they are
        written as."""
        among_fractions = self.parameters.dtype == object and isinstance(for_numbers(self.parameters), Fractions)
        return exact(rule) if among_fractions else rule

    def _table(self, values: Any, width: int, expected: str, field: str) -> Any:
        try:
            array = np.asarray(values)
        except (ValueError, OverflowError) as error:
            raise InputError(f"{field} must be a table of numbers: {error}", field=field) from None
        own = self.parameters.dtype
        if array.dtype.kind not in "fiub" + ("Oc" if own.kind in "Oc" else ""):
            raise InputError(f"{field} must hold real numbers", got=shown(array.dtype), field=field)
        if array.dtype.kind in "fiub" and self.parameters.dtype != object:
            with np.errstate(over="ignore"):  # what is too large is found below
                array = array.astype(self.parameters.dtype, copy=False)  # training holds its data once
        if array.ndim == 1 and (width > 1 or array.size == 1):
            array = array.reshape(1, -1)
        elif array.ndim == 1:
            array = array.reshape(-1, 1)
        if array.ndim != 2 or array.shape[1] != width:
            found = array.shape[1] if array.ndim == 2 else f"an array of shape {array.shape}"
            raise InputError(f"{expected}; it was given {found}", field=field)
        if not len(array):
            raise InputError("at least one row is needed", field=field)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            row, column = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
            place = f"row {row + 1}, column {column + 1}"
            raise InputError(f"{field} must be finite", where=place, got=shown(array[row, column]), field=field)
        return array

    def predict(self, x: Any) -> Any:
        """Outputs (rows, outputs) for inputs (rows, inputs), as outside of training: no dropout, running statistics."""
        x = self.rows(x)
        m = for_numbers(self.parameters)
        with np.errstate(all="ignore"):
            for layer, p, memory in zip(self.layers, self.views(self.parameters), self.memory, strict=True):
                x = layer.predict(m, {**p, **memory}, x)
        return x

    def __repr__(self) -> str:
        sizes = "-".join(str(width) for width in (self.inputs, *self.widths))
        return f"Network({sizes}, loss={self.loss.name}, {self.size} parameters)"
