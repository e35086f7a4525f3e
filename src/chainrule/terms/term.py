"""A number that remembers how it was made."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np

Value: TypeAlias = Any  # float64, float32, mpf, Fraction, or the truth of a condition


class Term:
    """A value, the operator it came from, and the operator's arguments.

    A named term stands for a step that was closed: formulas show its name. What it was made of is built when somebody
    asks for its `definition`, so that naming a number of a large network costs nothing.
    """

    __slots__ = ("_define", "_definition", "args", "name", "op", "value")

    def __init__(self, op: str, args: tuple[Term, ...], value: Value, name: Hashable = None) -> None:
        self.op = op
        self.args = args
        self.value = value
        self.name = name
        self._define: Callable[[], Term] | None = None
        self._definition: Term | None = None

    @property
    def definition(self) -> Term | None:
        """What a named term was made of; None for given numbers."""
        if self._definition is None and self._define is not None:
            with np.errstate(all="ignore"):  # infinities are shown, not warned about
                self._definition = self._define()
        return self._definition

    @property
    def opens(self) -> bool:
        """Whether a named term has a definition; asking does not build it."""
        return self._define is not None

    @property
    def exactly(self) -> int | None:
        """The whole number that a literal is; None for anything else."""
        return self.value if self.op == "literal" and type(self.value) is int else None

    def __add__(self, other: Any) -> Term:
        return total((self, term(other))) if scalar(other) else NotImplemented

    def __radd__(self, other: Any) -> Term:
        return total((term(other), self)) if scalar(other) else NotImplemented

    def __sub__(self, other: Any) -> Term:
        return subtract(self, term(other)) if scalar(other) else NotImplemented

    def __rsub__(self, other: Any) -> Term:
        return subtract(term(other), self) if scalar(other) else NotImplemented

    def __mul__(self, other: Any) -> Term:
        return multiply(self, term(other)) if scalar(other) else NotImplemented

    def __rmul__(self, other: Any) -> Term:
        return multiply(term(other), self) if scalar(other) else NotImplemented

    def __truediv__(self, other: Any) -> Term:
        return divide(self, term(other)) if scalar(other) else NotImplemented

    def __rtruediv__(self, other: Any) -> Term:
        return divide(term(other), self) if scalar(other) else NotImplemented

    def __pow__(self, exponent: int) -> Term:
        if exponent == 0:
            return term(1)
        return self if exponent == 1 else Term("**", (self, term(exponent)), self.value**exponent)

    def __neg__(self) -> Term:
        if self.op == "literal":
            return term(-self.value)
        return Term("neg", (self,), -self.value)

    def __repr__(self) -> str:
        return f"Term({self.name if self.name is not None else self.op}, {self.value!r})"


def scalar(value: Any) -> bool:
    """Whether a value is one number; lattices of terms answer for themselves."""
    return not hasattr(value, "shape") or (value.shape == () and not hasattr(value, "cell"))


def term(value: Any) -> Term:
    """A number as a term: itself, or a literal of the rule's text."""
    return value if isinstance(value, Term) else Term("literal", (), value)


def named(name: Hashable, value: Value, define: Callable[[], Term] | None = None) -> Term:
    """A closed step (or, without a definition, a given number)."""
    result = Term("name", (), value, name)
    result._define = define
    return result


def total(terms: Sequence[Term]) -> Term:
    """The sum of terms: a sum on the left is continued, zeros of the rule's text are left out."""
    args: list[Term] = []
    for position, each in enumerate(terms):
        if each.exactly == 0:
            continue
        args.extend(each.args if each.op == "+" and position == 0 else (each,))
    if not args:
        return term(0)
    if len(args) == 1:
        return args[0]
    value = args[0].value
    for each in args[1:]:
        value = value + each.value
    return Term("+", tuple(args), value)


def subtract(a: Term, b: Term) -> Term:
    if b.exactly == 0:
        return a
    return -b if a.exactly == 0 else Term("-", (a, b), a.value - b.value)


def multiply(a: Term, b: Term) -> Term:
    if a.exactly == 1 or b.exactly == 0:
        return b
    if b.exactly == 1 or a.exactly == 0:
        return a
    return Term("*", (*(a.args if a.op == "*" else (a,)), b), a.value * b.value)


def divide(a: Term, b: Term) -> Term:
    if b.exactly == 1 or a.exactly == 0:
        return a
    return Term("/", (a, b), a.value / b.value)
