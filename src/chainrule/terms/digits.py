"""How a number is written down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Digits:
    """Decimals for computed numbers. Numbers that end sooner are written in full (0.15); numbers too small to show three
    digits are written with a power of ten, so that none but 0 is ever printed as 0. From 17 on: every digit there is."""

    places: int = 9
    how: str = "rounded"  # or truncated; or significant: places are significant figures

    def text(self, value: Any) -> str:
        """A value as it is written."""
        if type(value) is not np.float64:
            return self._other(value)
        return self._real(float(value), repr(float(value)))

    def _other(self, value: Any) -> str:
        if isinstance(value, (bool, np.bool_)):
            return "true" if value else "false"
        if isinstance(value, Fraction):
            return str(value)
        if type(value).__module__.startswith("mpmath"):
            import mpmath

            return str(mpmath.nstr(value, self.places))
        return self._real(float(value), str(value) if isinstance(value, np.float32) else repr(float(value)))

    def _real(self, number: float, shortest: str) -> str:
        if not math.isfinite(number):
            return str(number)
        if number == int(number) and abs(number) < 1e15:
            return str(int(number))
        if self.places >= 17:
            return shortest
        if self.how == "significant":
            return _positional(f"{number:.{self.places}g}")
        for candidate in (shortest, f"{number:.14g}"):  # the second: 0.3775 behind 0.37750000000000006
            mantissa, e, _ = candidate.partition("e")
            if len(mantissa.partition(".")[2]) <= (min(self.places - 1, 4) if e else self.places):
                return candidate
        if abs(number) < 10.0 ** (2 - self.places) or abs(number) >= 1e15:
            return f"{number:.{max(self.places, 3) - 1}e}"
        if self.how == "truncated":
            head, _, tail = f"{Decimal(shortest):f}".partition(".")
            return f"{head}.{tail[: self.places]}"
        return f"{number:.{self.places}f}"


def _positional(text: str) -> str:
    """1.23e+03 as 1230; tiny and huge numbers keep their power of ten."""
    _, e, exponent = text.partition("e")
    return f"{float(text):.0f}" if e and 0 < int(exponent) < 15 else text
