"""The alphabet `m` on whole arrays: the rules' own lines as formulas of matrices, z = (W xᵀ)ᵀ + b.

A term here stands for a whole array: its value is the array, its name the named step. What the rules do to arrays and not
to numbers - products of matrices, transposing, sums along an axis - are operators of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from functools import partial
from typing import Any

import numpy as np

from chainrule.readers import Floats, Place, StepKey
from chainrule.terms.term import Term, divide, multiply, named, subtract, term, total

FUNCTIONS = (
    "exp", "log", "log1p", "expm1", "tanh", "sqrt", "abs", "sign", "maximum", "minimum", "greater", "sigmoid", "erfc", "where",
    "max", "first_max",
)  # fmt: skip
"""What the alphabet calls on arrays as on numbers."""


class Whole:
    """An array in a rule's text: the term that stands for all of it."""

    __array_ufunc__ = None  # NumPy arrays on the left leave the operation to us

    def __init__(self, made: Term) -> None:
        self.term = made

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.term.value)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def T(self) -> Whole:  # noqa: N802 - NumPy's name
        if self.term.op == "T":
            return Whole(self.term.args[0])
        return Whole(Term("T", (self.term,), np.transpose(self.term.value)))

    def __getitem__(self, key: Any) -> Whole:
        return Whole(Term("part", (self.term, term(key)), self.term.value[key]))

    def sum(self, axis: int | None = None, keepdims: bool = False) -> Whole:
        return self._gather("sum", axis, self.term.value.sum(axis, keepdims=keepdims))

    def mean(self, axis: int | None = None, keepdims: bool = False) -> Whole:
        return self._gather("mean", axis, self.term.value.mean(axis, keepdims=keepdims))

    def _gather(self, op: str, axis: int | None, value: Any) -> Whole:
        if (self.shape[axis] if axis is not None else int(np.prod(self.shape))) == 1:
            return Whole(Term("part", (self.term, term(np.shape(value))), value))  # of one there is nothing to add
        return Whole(Term(op, (self.term, term(axis if axis is None else axis % self.ndim)), value))

    def __matmul__(self, other: Any) -> Whole:
        left, right = self.term, whole(other).term
        return Whole(Term("@", (left, right), left.value @ right.value))

    def __add__(self, other: Any) -> Whole:
        return _of(lambda a, b: total((a, b)), self, other)

    def __radd__(self, other: Any) -> Whole:
        return _of(lambda a, b: total((a, b)), other, self)

    def __sub__(self, other: Any) -> Whole:
        return _of(subtract, self, other)

    def __rsub__(self, other: Any) -> Whole:
        return _of(subtract, other, self)

    def __mul__(self, other: Any) -> Whole:
        return _of(multiply, self, other)

    def __rmul__(self, other: Any) -> Whole:
        return _of(multiply, other, self)

    def __truediv__(self, other: Any) -> Whole:
        return _of(divide, self, other)

    def __rtruediv__(self, other: Any) -> Whole:
        return _of(divide, other, self)

    def __pow__(self, exponent: int) -> Whole:
        return Whole(self.term**exponent)

    def __neg__(self) -> Whole:
        return Whole(-self.term)


def whole(value: Any) -> Whole:
    """Anything a rule may hold - an array, a number, a term - as a whole."""
    return value if isinstance(value, Whole) else Whole(term(value))


def _of(function: Callable[..., Term], *operands: Any) -> Whole:
    return Whole(function(*(whole(each).term for each in operands)))


class Wholes:
    """Runs rules on wholes. `values` holds what the engine computed for each named step; `steps` collects the named steps:
    each a named term whose definition is the formula.

    mute: steps that stay part of the formula they stand in.
    """

    def __init__(self, values: Mapping[StepKey, Any], numbers: Floats, mute: Collection[StepKey] = ()) -> None:
        self.values, self.numbers, self.mute = values, numbers, mute
        self.steps: dict[StepKey, Term] = {}
        self.place = Place()

    def at(self, layer: int, symbol: str = "", axes: str = "") -> Wholes:
        here = type(self).__new__(type(self))
        here.__dict__.update(self.__dict__)
        here.place = Place(layer, symbol, axes)
        return here

    def __getattr__(self, name: str) -> Any:
        if name not in FUNCTIONS:
            raise AttributeError(name)
        return partial(self._call, name)

    def _call(self, name: str, *operands: Any) -> Whole:
        args = tuple(whole(each).term for each in operands)
        return Whole(Term(name, args, getattr(self.numbers, name)(*(np.asarray(each.value) for each in args))))

    def times(self, x: Any, y: Any) -> Whole:
        left, right = whole(x).term, whole(y).term
        value = self.numbers.times(np.asarray(left.value), np.asarray(right.value))
        if right.op == "/" and right.args[0].exactly == 1:  # t times 1/y is written t/y
            return Whole(Term("/", (left, right.args[1]), value))
        product = multiply(left, right)
        return Whole(Term("*", product.args, value) if product.op == "*" else product)

    def difference(self, x: Any, y: Any) -> Whole:
        left, right = whole(x).term, whole(y).term
        return Whole(Term("-", (left, right), self.numbers.difference(np.asarray(left.value), np.asarray(right.value))))

    def identity(self, n: int) -> Whole:
        return Whole(Term("identity", (), np.eye(n, dtype=np.int8)))

    def let(self, symbol: str, x: Any, over: str = "ri") -> Whole:
        key, made = self.place.key(symbol, over), whole(x).term
        if key in self.mute:
            return Whole(made)
        value = self.values.get(key)
        self.steps[key] = named(key, made.value if value is None else np.asarray(value), lambda: made)
        return Whole(self.steps[key])

    def contract(self, symbol: str, x: Any, y: Any, over: str, local: str = "") -> Whole:
        result: Whole = whole(x) @ y
        return result


def given(name: Hashable, values: Any) -> Whole:
    """A given array, under its name."""
    return Whole(named(name, np.asarray(values)))
