"""What a trace shows: a number with the formula that made it, and a number before and after the update."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chainrule.terms.printers import Latex, MathML, Text

PHASES = ("given", "forward", "loss", "backward", "update")
"""The order in which numbers come about."""


@dataclass(frozen=True)
class Step:
    """One number and how it came about. `uses` are the ids of the numbers in its formula. plain: it is given, and there is
    nothing to tell of it."""

    id: str
    name: str
    phase: str
    sample: int | None
    formula: str
    substituted: str
    value: Any
    uses: tuple[str, ...]
    because: str
    shown: str
    _set: Callable[[type[Text]], str] = field(repr=False, compare=False)
    plain: bool = False

    @property
    def latex(self) -> str:
        """The whole equation in LaTeX."""
        return self._set(Latex)

    @property
    def mathml(self) -> str:
        """The whole equation in MathML, without the `math` element around it."""
        return self._set(MathML)

    def __str__(self) -> str:
        lines = [f"{self.name} = {self.formula}"]
        if self.substituted != self.formula:
            lines.append(f"{' ' * len(self.name)} = {self.substituted}")
        if self.shown not in (self.substituted, self.formula):
            lines.append(f"{' ' * len(self.name)} = {self.shown}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {
            "text/plain": str(self),
            "text/latex": f"$\\displaystyle {self.latex}$",
            "text/html": f'<math display="block">{self.mathml}</math>',
        }


@dataclass(frozen=True)
class Change:
    """A number before and after the update."""

    id: str
    name: str
    before: Any
    after: Any
