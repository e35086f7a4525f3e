"""An array of terms in which a term is made when it is asked for.

Rules run on it as they run on NumPy arrays. Nothing is computed by running them: a 784-by-512 gradient costs nothing
until one of its cells is opened, and then only that cell's own sum is built.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeAlias

import numpy as np

from chainrule.terms.term import Term, divide, multiply, subtract, term, total

Index: TypeAlias = tuple[int, ...]


class Lattice:
    """`shape`, and a function from an index to the term that stands there."""

    __array_ufunc__ = None  # NumPy arrays on the left leave the operation to us

    def __init__(self, shape: Index, make: Callable[[Index], Term]) -> None:
        self.shape = shape
        self._make = make
        self._cells: dict[Index, Term] = {}

    def cell(self, index: Index) -> Term:
        """The term at an index; the same object each time."""
        found = self._cells.get(index)
        if found is None:
            found = self._cells[index] = self._make(index)
        return found

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def indices(self) -> Iterator[Index]:
        """Where there are terms: everywhere."""
        return np.ndindex(*self.shape)

    @property
    def T(self) -> Lattice:  # noqa: N802 - NumPy's name
        return Lattice(self.shape[::-1], lambda index: self.cell(index[::-1]))

    def __getitem__(self, key: Any) -> Lattice:
        places = np.arange(int(np.prod(self.shape))).reshape(self.shape)[key]
        return Lattice(
            places.shape, lambda index: self.cell(tuple(int(i) for i in np.unravel_index(places[index], self.shape)))
        )

    def sum(self, axis: int | None = None, keepdims: bool = False) -> Lattice:
        if axis is None:
            return Lattice((), lambda _: total([self.cell(index) for index in np.ndindex(*self.shape)]))
        axis %= self.ndim
        rest = self.shape[:axis] + self.shape[axis + 1 :]
        shape = (*self.shape[:axis], 1, *self.shape[axis + 1 :]) if keepdims else rest

        def make(index: Index) -> Term:
            before, after = index[:axis], index[axis + keepdims :]
            return total([self.cell((*before, i, *after)) for i in range(self.shape[axis])])

        return Lattice(shape, make)

    def mean(self, axis: int | None = None, keepdims: bool = False) -> Lattice:
        count = int(np.prod(self.shape)) if axis is None else self.shape[axis]
        return self.sum(axis, keepdims) / count

    def __matmul__(self, other: Any) -> Lattice:
        return contract(self, lattice(other), lambda left, right, *_: multiply(left, right))

    def __add__(self, other: Any) -> Lattice:
        return elementwise(lambda a, b: total((a, b)), self, other)

    def __radd__(self, other: Any) -> Lattice:
        return elementwise(lambda a, b: total((a, b)), other, self)

    def __sub__(self, other: Any) -> Lattice:
        return elementwise(subtract, self, other)

    def __rsub__(self, other: Any) -> Lattice:
        return elementwise(subtract, other, self)

    def __mul__(self, other: Any) -> Lattice:
        return elementwise(multiply, self, other)

    def __rmul__(self, other: Any) -> Lattice:
        return elementwise(multiply, other, self)

    def __truediv__(self, other: Any) -> Lattice:
        return elementwise(divide, self, other)

    def __rtruediv__(self, other: Any) -> Lattice:
        return elementwise(divide, other, self)

    def __pow__(self, exponent: int) -> Lattice:
        return elementwise(lambda a: a**exponent, self)

    def __neg__(self) -> Lattice:
        return elementwise(lambda a: -a, self)


class Partial(Lattice):
    """A lattice of which only some columns are there; a KeyError for the others."""

    def __init__(self, whole: Lattice, columns: Collection[int]) -> None:
        super().__init__(whole.shape, whole.cell)
        self._columns = frozenset(columns)

    def cell(self, index: Index) -> Term:
        if index[-1] not in self._columns:
            raise KeyError(index)
        return super().cell(index)

    def indices(self) -> Iterator[Index]:
        return (index for index in super().indices() if index[-1] in self._columns)


def lattice(value: Any) -> Lattice:
    """Anything a rule may hold - an array, rows of numbers, a number, a term - as a lattice."""
    if isinstance(value, Lattice):
        return value
    if isinstance(value, (list, tuple)):
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and value.shape:
        return Lattice(value.shape, lambda index: term(value[index].item()))
    return Lattice((), lambda _: term(value))


def elementwise(function: Callable[..., Term], *operands: Any) -> Lattice:
    """A function of terms, applied cell by cell with NumPy's broadcasting."""
    parts = [lattice(operand) for operand in operands]
    shape = np.broadcast_shapes(*(part.shape for part in parts))

    def make(index: Index) -> Term:
        return function(*(part.cell(_aligned(index, part.shape)) for part in parts))

    return Lattice(shape, make)


def _aligned(index: Index, shape: Index) -> Index:
    tail = index[len(index) - len(shape) :]
    return tuple(0 if size == 1 else i for i, size in zip(tail, shape, strict=True))


def contract(left: Lattice, right: Lattice, product: Callable[..., Term]) -> Lattice:
    """left @ right, with `product(a, b, index, k)` for each of its products."""
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(f"matrix product of {left.shape} and {right.shape}")
    shape = (*np.broadcast_shapes(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-1])

    def make(index: Index) -> Term:
        *batch, p, s = index
        terms = []
        for k in range(left.shape[-1]):
            a = left.cell(_aligned((*batch, p, k), left.shape))
            b = right.cell(_aligned((*batch, k, s), right.shape))
            terms.append(product(a, b, index, k))
        return total(terms)

    return Lattice(shape, make)
