"""A number as a person writes it down: what it says, to how many digits, and whether a calculated number gives it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from chainrule.errors import InputError, shown
from chainrule.phrases import say

Agreement = Literal["rounded", "truncated", "last_digit", ""]

SLACK = Fraction(1, 2**46)
"""A calculated number is a double at the end of a chain of them: so much of it, some 64 units in the last place, may be
rounding. A written number on the very edge, as 0.38 for 0.375, is not judged by that."""

ENOUGH = 3
"""With fewer significant digits, one unit in the last place is no slip of rounding but another number."""

LONGEST = 400
"""Signs that a number may have."""

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SIGNS = str.maketrans({"−": "-", "–": "-", "＋": "+", "\u00a0": " ", "\u2009": " ", "\u202f": " "})
_POWER = r"(?:[eE]([+-]?\d+)|\s*(?:[*·×x]|\\cdot|\\times)\s*10(?:\^|\*\*)\{?\s*([+-]?\d+)\s*\}?)"
_DECIMAL = re.compile(rf"([+-]?)(\d*)(?:([.,])(\d*))?(…|\.\.\.|\\ldots|\\dots)?{_POWER}?\s*(\\?%)?")
_FRACTION = re.compile(r"([+-]?\d+)\s*/\s*(\d+)|([+-]?)\\d?frac\{(\d+)\}\{(\d+)\}")
_GROUPS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d*")


@dataclass(frozen=True)
class Written:
    """value: what it says. unit: the size of its last digit; None for a fraction, which says all of itself.

    figures: how many significant digits are written, zeros at the end included. goes_on: dots say that digits were left out.
    """

    text: str
    value: Fraction
    unit: Fraction | None
    figures: int
    goes_on: bool = False

    def __float__(self) -> float:
        return float(self.value)

    def agreement(self, calculated: Any) -> Agreement:
        """How these digits come out of a calculated number: by rounding (half up or half to even), by truncating, off by one
        unit in the last digit, or not at all ("")."""
        number = float(calculated)
        if not math.isfinite(number):
            return ""
        exact = Fraction(number)
        slack = abs(exact) * SLACK
        off = abs(self.value - exact)
        if self.unit is None:
            return "rounded" if off <= slack else ""
        cut = self.truncates(number)
        if self.goes_on:
            return "truncated" if cut else ""
        if off <= self.unit / 2 + slack:
            return "rounded"
        if cut:
            return "truncated"
        return "last_digit" if self.figures >= ENOUGH and off <= self.unit * Fraction(3, 2) + slack else ""

    def truncates(self, calculated: Any) -> bool:
        """Whether these digits are what is left of a calculated number when the others are cut off."""
        number = float(calculated)
        if self.unit is None or not math.isfinite(number):
            return False
        exact = Fraction(number)
        slack = abs(exact) * SLACK
        return -slack <= abs(exact) - abs(self.value) < self.unit + slack and (self.value * exact > 0 or self.value == 0)

    @property
    def decimals(self) -> int:
        """How many digits stand behind the point; 0 for a fraction."""
        return 0 if self.unit is None else len(str(self.unit.denominator)) - 1

    def near(self, calculated: Any) -> Any:
        """Of an array of numbers, which may agree by rounding or truncating: a quick look that leaves none out."""
        value, room = float(self.value), float(self.unit or 0)
        return abs(calculated - value) <= room * 1.0001 + abs(value) * 1e-12

    def agreeing_digits(self, calculated: Any) -> int:
        """How many leading significant digits are those of a calculated number, rounded."""
        number = float(calculated)
        if not math.isfinite(number):
            return 0
        off = abs(self.value - Fraction(number))
        size = abs(self.value) or (self.unit or Fraction(1))
        place = math.floor(math.log10(size))
        agreed = 0
        while agreed < max(self.figures, 1) and off <= Fraction(10) ** (place - agreed) / 2:
            agreed += 1
        return agreed


def read_number(text: str) -> Written:
    """The number that a text says: `0.5`, `0,5`, `2.5e-3`, `2.5·10^-3`, `1/3`, `0.1666…`, `12.5 %`.

    A comma is the decimal sign; it groups digits only where a point follows (`1,234.5`). Raises InputError for anything else.
    """
    if len(text) > LONGEST:
        raise InputError(say("this is too long for a number"), got=shown(text), do=say("at most {n} signs are read", n=LONGEST))
    cleaned = text.translate(_SIGNS).strip().strip("$").strip()
    cleaned = cleaned.lstrip("=≈~").strip()
    fraction = _FRACTION.fullmatch(cleaned)
    if fraction:
        return _fraction(text, fraction)
    if _GROUPS.fullmatch(cleaned):
        cleaned = cleaned.replace(",", "")
    match = _DECIMAL.fullmatch(_with_powers(cleaned))
    if match is None or not (match[2] or match[4]):
        do = say("write digits alone, such as 0.5, 1/3, 2.5e-3 or 12 %")
        raise InputError(_complaint(cleaned), got=shown(text), do=do)
    sign, whole, _, decimals, dots, power, other_power, percent = match.groups()
    exponent = int(power or other_power or 0) - len(decimals or "") - 2 * bool(percent)
    if abs(exponent) > 400:
        raise InputError(say("a number beyond all that is calculated here"), got=shown(text))
    digits = whole + (decimals or "")
    unit = Fraction(10) ** exponent
    value = int(digits) * unit * (-1 if sign == "-" else 1)
    return Written(text, value, unit, len(digits.lstrip("0")), dots is not None)


def _with_powers(text: str) -> str:
    """10⁻³ as 10^-3."""
    return re.sub("10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+)", lambda match: "10^" + match[1].translate(_SUPERSCRIPTS), text)


def _fraction(text: str, match: re.Match[str]) -> Written:
    above = match[1] or match[3] + match[4]
    below = int(match[2] or match[5])
    if below == 0:
        raise InputError(say("a fraction over 0"), got=shown(text))
    value = Fraction(int(above), below)
    return Written(text, value, None, 17)


def _complaint(text: str) -> str:
    if not text:
        return say("a number is missing")
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity", "∞"):
        return say("not a finite number")
    if re.match(r"[+-]?[\d.,]+\s*[^\d\s.,/]", text):
        return say("something stands behind the number")
    return say("not a number")
