"""The alphabet `m` on terms: the rules' own lines, turned into the derivation of each number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.naming import Scope
from chainrule.readers import Floats, Objects, Place, Rounding, StepKey
from chainrule.terms.lattice import Lattice, contract, elementwise, lattice
from chainrule.terms.term import Term, multiply, named, term


class Terms:
    """Runs rules on lattices of terms. `values` holds what the engine computed for each named step; a step that was not
    recorded has the value of its own formula."""

    def __init__(
        self,
        scope: Scope,
        values: Mapping[StepKey, Any],
        numbers: Floats | None = None,
        rounding: Rounding | None = None,
        mute: Collection[StepKey] = (),
        known: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.scope = scope
        self.values = values
        self.numbers = numbers or Floats()
        self.rounding = rounding
        self.mute = mute  # steps that stay part of the formula they stand in
        self.known = known  # symbols that are another name for a number that is there already
        self.steps: dict[StepKey, Lattice] = {}
        self.place = Place()

    def at(self, layer: int, symbol: str = "", axes: str = "") -> Terms:
        here = type(self).__new__(type(self))
        here.__dict__.update(self.__dict__)
        here.place = Place(layer, symbol, axes)
        return here

    # functions of numbers

    def _call(self, name: str, *operands: Any) -> Any:
        function = getattr(self.numbers, name)

        plain = () if isinstance(self.numbers, Objects) else (int, float)  # a Fraction meets a rule's numbers as they are

        def make(*args: Term) -> Term:
            value = function(*(np.float64(a.value) if type(a.value) in plain else a.value for a in args))
            return Term(name, args, value[()] if isinstance(value, np.ndarray) else value)

        return self._map(make, *operands)

    def _map(self, make: Callable[..., Term], *operands: Any) -> Any:
        if all(isinstance(operand, (Term, int, float)) for operand in operands):
            return make(*(term(operand) for operand in operands))
        return elementwise(make, *operands)

    def exp(self, x: Any) -> Any:
        return self._call("exp", x)

    def log(self, x: Any) -> Any:
        return self._call("log", x)

    def log1p(self, x: Any) -> Any:
        return self._call("log1p", x)

    def expm1(self, x: Any) -> Any:
        return self._call("expm1", x)

    def tanh(self, x: Any) -> Any:
        return self._call("tanh", x)

    def sqrt(self, x: Any) -> Any:
        return self._call("sqrt", x)

    def abs(self, x: Any) -> Any:
        return self._call("abs", x)

    def sign(self, x: Any) -> Any:
        return self._call("sign", x)

    def maximum(self, x: Any, y: Any) -> Any:
        return self._call("maximum", x, y)

    def minimum(self, x: Any, y: Any) -> Any:
        return self._call("minimum", x, y)

    def greater(self, x: Any, y: Any) -> Any:
        return self._call("greater", x, y)

    def sigmoid(self, x: Any) -> Any:
        return self._call("sigmoid", x)

    def erfc(self, x: Any) -> Any:
        return self._call("erfc", x)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        def make(condition: Term, x: Term, y: Term) -> Term:
            taken = x if condition.value else y
            return taken if condition.op == "literal" else Term("where", (condition, x, y), taken.value)

        return self._map(make, condition, x, y)

    def times(self, x: Any, y: Any) -> Any:
        def make(x: Term, y: Term) -> Term:
            if y.op == "/" and y.args[0].exactly == 1:  # t times 1/y is written t/y
                return Term("/", (x, y.args[1]), self.numbers.times(x.value, y.value))
            product = multiply(x, y)
            return Term("*", product.args, self.numbers.times(x.value, y.value)) if product.op == "*" else product

        return self._map(make, x, y)

    def difference(self, x: Any, y: Any) -> Any:
        return self._map(lambda x, y: Term("-", (x, y), self.numbers.difference(x.value, y.value)[()]), x, y)

    def max(self, x: Lattice) -> Lattice:
        def make(index: tuple[int, ...]) -> Term:
            row = tuple(x.cell((*index[:-1], i)) for i in range(x.shape[-1]))
            return Term("maximum", row, max(each.value for each in row))

        return Lattice((*x.shape[:-1], 1), make)

    def first_max(self, x: Lattice) -> Lattice:
        def make(index: tuple[int, ...]) -> Term:
            row = [x.cell((*index[:-1], i)).value for i in range(x.shape[-1])]
            return term(row.index(max(row)) == index[-1])

        return Lattice(x.shape, make)

    def identity(self, n: int) -> Lattice:
        return Lattice((n, n), lambda index: term(int(index[0] == index[1])))

    # steps

    def let(self, symbol: str, x: Any, over: str = "ri") -> Lattice:
        x = lattice(x)
        key = self.place.key(self.known.get(symbol, symbol), over)
        if key in self.mute:
            return lattice(x)
        values = self.values.get(key)

        def make(index: tuple[int, ...]) -> Term:
            cell = self.scope.cell(key, index)
            if values is not None:
                return named(cell, np.asarray(values)[index], lambda: x.cell(index))  # a lone Fraction has no index of its own
            made = x.cell(index)
            return made if made.name == cell else named(cell, self._kept(made.value), lambda: made)

        self.steps[key] = Lattice(x.shape, make)
        return self.steps[key]

    def contract(self, symbol: str, x: Any, y: Any, over: str, local: str = "") -> Lattice:
        left, right, layer = lattice(x), lattice(y), self.place.layer
        summed = left.shape[-1]

        def product(a: Term, b: Term, index: tuple[int, ...], k: int) -> Term:
            place = dict(zip(over, (*index[:-1], k, index[-1]), strict=True))
            if local:
                b = named(self.scope.local(local, layer, over, place), b.value, lambda b=b: b)  # type: ignore[misc]
            share = multiply(a, b)
            if summed == 1:
                return share
            cell = self.scope.share(symbol, layer, over, place, a.name)  # type: ignore[arg-type]
            return named(cell, self._kept(share.value), lambda: share)

        return contract(left, right, product)

    def _kept(self, value: Any) -> Any:
        """A step's value as a person keeps it: rounded, if that is how the calculation is done."""
        return value if self.rounding is None else self.rounding.number(value)


def given(key: StepKey, scope: Scope, values: Any) -> Lattice:
    """An array of given numbers, each under its name."""
    return Lattice(values.shape, lambda index: named(scope.cell(key, index), values[index]))
