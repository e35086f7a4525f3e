"""Readers: the alphabet `m` of the rules, spelt for each kind of number.

`Floats` is the definition; the others run the very same rules on complex numbers (derivatives to the last digit), on
long floats (50-digit truth), on fractions (exact results), or with every named step rounded, as taught by hand.
"""

from __future__ import annotations

import copy
import decimal
import math
from dataclasses import fields
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import InputError, shown
from chainrule.rules.alphabet import Array
from chainrule.rules.rule import Rule


def _of_arrays(function: Any) -> Any:
    """A function of arrays that leaves a rule's own numbers Python's: NumPy's would turn float32 into float64."""
    return staticmethod(lambda x: float(function(x)) if type(x) in (int, float) else function(x))


class Floats:
    """The alphabet on NumPy arrays of float64 or float32."""

    exp = _of_arrays(np.exp)
    log = _of_arrays(np.log)
    log1p = _of_arrays(np.log1p)
    expm1 = _of_arrays(np.expm1)
    tanh = _of_arrays(np.tanh)
    sqrt = _of_arrays(np.sqrt)
    abs = staticmethod(np.abs)
    sign = staticmethod(np.sign)
    maximum = staticmethod(np.maximum)
    minimum = staticmethod(np.minimum)
    greater = staticmethod(np.greater)
    where: Any = staticmethod(np.where)

    def at(self, layer: int, symbol: str = "", axes: str = "") -> Floats:
        """The reader as it stands in layer `layer` (from 1; 0 is the input), or at one of its parameters, whose axes
        have the letters `axes`."""
        return self

    def sigmoid(self, x: Array) -> Array:
        e = self.exp(-self.abs(x))  # never above 1: nothing overflows
        return self.where(self.greater(0, x), e, 1) / (1 + e)

    def erfc(self, x: Array) -> Array:
        from scipy.special import erfc  # only gelu needs it

        return erfc(x)

    def times(self, x: Array, y: Array) -> Array:
        return self.where((x == 0) & (y == y), x * 0, x * y)  # y == y: what is not a number is not hidden

    def difference(self, x: Array, y: Array) -> Array:
        return self.where(x == y, 0, x - y)

    def max(self, x: Array) -> Array:
        return x.max(-1, keepdims=True)

    def first_max(self, x: Array) -> Array:
        return np.arange(x.shape[-1]) == np.argmax(x, axis=-1, keepdims=True)

    def identity(self, n: int) -> Array:
        return np.eye(n, dtype=np.int8)  # small whole numbers: they take on the kind of whatever they meet, float32 too

    def let(self, symbol: str, x: Array, over: str = "ri") -> Array:
        return x

    def contract(self, symbol: str, x: Array, y: Array, over: str, local: str = "") -> Array:
        return x @ y


class Place(NamedTuple):
    """Where a reader stands: in a layer, and perhaps at one of its parameters. It says what a step is filed under."""

    layer: int = 0
    parameter: str = ""
    axes: str = ""

    def key(self, symbol: str, over: str) -> StepKey:
        return StepKey(symbol, self.layer, self.axes if self.axes and over == "ri" else over, self.parameter)


class StepKey(NamedTuple):
    """A named step of a calculation: an array of numbers. `over` has a letter an axis, `parameter` is set in an update."""

    symbol: str
    layer: int
    over: str
    parameter: str = ""


class Recorder(Floats):
    """Floats that keep every named step, in the order of the calculation."""

    def __init__(self) -> None:
        self.steps: dict[StepKey, Array] = {}
        self.place = Place()

    def at(self, layer: int, symbol: str = "", axes: str = "") -> Recorder:
        here = type(self).__new__(type(self))
        here.__dict__.update(self.__dict__)
        here.place = Place(layer, symbol, axes)
        return here

    def let(self, symbol: str, x: Array, over: str = "ri") -> Array:
        self.steps[self.place.key(symbol, over)] = x
        return x


class Rounder(Recorder):
    """A recorder that rounds or truncates every named step, and every share of one, before going on with it."""

    def __init__(self, numbers: Rounding) -> None:
        super().__init__()
        self.numbers = numbers

    def let(self, symbol: str, x: Array, over: str = "ri") -> Array:
        return super().let(symbol, self.numbers.array(x), over)

    def contract(self, symbol: str, x: Array, y: Array, over: str, local: str = "") -> Array:
        if x.shape[-1] == 1:
            return x @ y
        shares = self.numbers.array(x[..., :, :, None] * y[..., None, :, :])
        return shares.sum(-2)


class Rounding:
    """What a person does to a number before writing it down: `rounded` or `truncated` to decimal places, or
    `significant` figures."""

    def __init__(self, how: str, places: int) -> None:
        self.how = how
        self.places = places

    def number(self, x: float) -> float:
        if not math.isfinite(x) or x == 0:
            return x
        exact = decimal.Decimal(repr(float(x)))  # the shortest decimal: 0.3 is 0.3, not 0.29999999999999998890
        unit = decimal.Decimal(1).scaleb(exact.adjusted() + 1 - self.places if self.how == "significant" else -self.places)
        rounding = decimal.ROUND_DOWN if self.how == "truncated" else decimal.ROUND_HALF_UP
        with decimal.localcontext(decimal.Context(prec=400)):
            return float(exact.quantize(unit, rounding=rounding))

    def array(self, x: Array) -> Array:
        return np.vectorize(self.number, otypes=[float])(x)


class Complex(Floats):
    """Complex numbers x + ih: whatever compares looks at the real part, whatever computes carries the derivative."""

    def erfc(self, x: Array) -> Array:
        from scipy.special import erfc

        # scipy's complex erfc loses the real part's last digits; the imaginary part is a first derivative times h
        return erfc(np.real(x)) - 2j / math.sqrt(math.pi) * np.exp(-(np.real(x) ** 2)) * np.imag(x)

    def greater(self, x: Array, y: Array) -> Array:  # type: ignore[override]
        return np.real(x) > np.real(y)

    def abs(self, x: Array) -> Array:  # type: ignore[override]
        return np.where(np.real(x) < 0, -x, x)

    def sign(self, x: Array) -> Array:  # type: ignore[override]
        return np.sign(np.real(x))

    def maximum(self, x: Array, y: Array) -> Array:  # type: ignore[override]
        return np.where(np.real(x) >= np.real(y), x, y)

    def minimum(self, x: Array, y: Array) -> Array:  # type: ignore[override]
        return np.where(np.real(x) <= np.real(y), x, y)

    def difference(self, x: Array, y: Array) -> Array:
        return x - y

    def times(self, x: Array, y: Array) -> Array:
        return x * y

    def max(self, x: Array) -> Array:
        return np.take_along_axis(x, np.argmax(np.real(x), axis=-1, keepdims=True), axis=-1)

    def first_max(self, x: Array) -> Array:
        return np.arange(x.shape[-1]) == np.argmax(np.real(x), axis=-1, keepdims=True)

    def log1p(self, x: Array) -> Array:
        return np.log1p(np.real(x)) + 1j * np.imag(x) / (1 + np.real(x))

    def expm1(self, x: Array) -> Array:
        return np.expm1(np.real(x)) + 1j * np.imag(x) * np.exp(np.real(x))

    def tanh(self, x: Array) -> Array:
        y = np.tanh(np.real(x))
        return y + 1j * np.imag(x) / np.cosh(np.real(x)) ** 2


class Objects(Floats):
    """Arrays of Python objects, one number at a time: the common part of long floats and fractions."""

    def _each(self, function: Any, *arrays: Array) -> Array:
        return np.frompyfunc(lambda *numbers: self._number(function(*numbers)), len(arrays), 1)(*arrays)

    def _number(self, value: Any) -> Any:
        """Whole numbers become numbers of the reader's kind: Python's 1 / 3 would be a float."""
        raise NotImplementedError

    def maximum(self, x: Array, y: Array) -> Array:  # type: ignore[override]
        return self._each(lambda a, b: b if b > a or b != b else a, x, y)

    def minimum(self, x: Array, y: Array) -> Array:  # type: ignore[override]
        return self._each(lambda a, b: b if b < a or b != b else a, x, y)

    def greater(self, x: Array, y: Array) -> Array:  # type: ignore[override]
        return np.asarray(np.greater(x, y, dtype=object)).astype(bool)

    def where(self, condition: Array, x: Array, y: Array) -> Array:
        return self._each(lambda c, a, b: a if c else b, condition, x, y)

    def abs(self, x: Array) -> Array:  # type: ignore[override]
        return self._each(abs, x)

    def sign(self, x: Array) -> Array:  # type: ignore[override]
        return self._each(lambda value: (value > 0) - (value < 0) if value == value else value, x)


class LongFloats(Objects):
    """Arrays of mpmath.mpf, at mpmath's working precision."""

    def __init__(self) -> None:
        import mpmath

        for name in ("exp", "log", "log1p", "expm1", "tanh", "sqrt", "erfc"):
            setattr(self, name, lambda x, function=getattr(mpmath, name): self._each(function, x))

    def _number(self, value: Any) -> Any:
        import mpmath

        return mpmath.mpf(value) if type(value) is int else value


class Fractions(Objects):
    """Arrays of fractions.Fraction: exact, as long as no function leaves the fractions."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("exp", "log", "log1p", "expm1", "tanh", "sqrt", "erfc", "sigmoid"):
            raise InputError(
                f"{name} of a fraction is not a fraction", do="use float numbers, or identity, relu and squared errors"
            )
        return super().__getattribute__(name)

    def _number(self, value: Any) -> Any:
        return Fraction(value) if type(value) is int else value

    def array(self, x: Array) -> Array:
        """Floats as the fractions that their shortest decimals are: 0.1 is 1/10."""
        return self._each(lambda value: value if isinstance(value, Fraction) else Fraction(repr(value)), x)


def exact(rule: Any) -> Any:
    """A rule whose hyper-parameters are the fractions that their decimals are; or a number as that fraction."""
    if not isinstance(rule, Rule):
        return Fraction(repr(rule)) if isinstance(rule, float) else rule
    result = copy.copy(rule)
    for entry in fields(rule):
        object.__setattr__(result, entry.name, exact(getattr(rule, entry.name)))
    return result


def for_numbers(x: Array) -> Floats:
    """The reader for the numbers that an array holds."""
    if x.dtype.kind == "f":
        return Floats()
    if x.dtype.kind == "c":
        return Complex()
    if x.dtype == object and x.size:
        first = x.flat[0]
        if isinstance(first, Fraction):
            return Fractions()
        if type(first).__module__.startswith("mpmath"):
            return LongFloats()
    raise InputError(
        "no reader for numbers of this kind", got=shown(x.dtype), do="use float64, float32, complex, mpmath.mpf or Fraction"
    )
