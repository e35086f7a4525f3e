"""What a single cell is: a number, a date, no value, or something that only looks like one."""

from __future__ import annotations

import math
import re


def pattern(decimal: str = ".", thousands: str | None = None) -> str:
    """How a number is written: ASCII digits, one decimal sign, an exponent. In a dialect that Python and DuckDB share."""
    point = re.escape(decimal)
    apart = f"[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|" if thousands is not None else ""
    return rf"[+-]?(?:(?:{apart}[0-9]+)(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"


NUMBER = pattern()
_NUMBER = re.compile(NUMBER)
_COMMA = re.compile(pattern(","))
_GROUPS = re.compile(r"[+-]?[0-9]{1,3}(?:([,. '\u00a0\u202f\u2019_])[0-9]{3})(?:\1[0-9]{3})*(?:[.,][0-9]+)?")
_CURRENCY = re.compile(rf"(?:[$€£¥₹]|USD|EUR|GBP|CHF)\s*{NUMBER}|{NUMBER}\s*(?:[€£$¥₹]|USD|EUR|GBP|CHF)")
_UNITS = (
    "%|‰|kg|g|mg|t|lbs?|oz|km|m|cm|mm|µm|nm|mi|ft|in|l|ml|cl|s|ms|min|h|hrs?|days?|years?|yrs?|°|°C|°F|K|C|F|"
    "Hz|kHz|MHz|GHz|W|kW|kWh|V|A|Pa|hPa|bar|kB|MB|GB|k|M|px|pt"
)
_UNIT = re.compile(rf"{NUMBER}\s*(?P<unit>{_UNITS})")
_HEX = re.compile(r"[+-]?0[xXbBoO][0-9a-fA-F]+")
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_OTHER_DATE = re.compile(r"[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{4}|[0-9]{2})|[0-9]{4}[./][0-9]{1,2}[./][0-9]{1,2}")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?")

TRUE, FALSE = ("true", "yes"), ("false", "no")
PAIRS = tuple(zip(FALSE, TRUE, strict=True))
"""What a column of booleans is made of: both texts of one pair, in any case of letters, and nothing else."""


def number(text: str, decimal: str = ".", thousands: str | None = None) -> float | None:
    """The finite number that a cell is, blanks around it aside; None if it is none."""
    text = text.strip()
    if decimal == "." and thousands is None:
        if not _NUMBER.fullmatch(text):
            return None
    else:
        if not re.fullmatch(pattern(decimal, thousands), text):
            return None
        text = (text.replace(thousands, "") if thousands else text).replace(decimal, ".")
    value = float(text)
    return value if math.isfinite(value) else None


def is_comma_number(text: str) -> bool:
    """Whether a text is a number with a decimal comma."""
    return "," in text and bool(_COMMA.fullmatch(text.strip()))


def is_grouped(text: str) -> bool:
    """Whether a text may be a number with its thousands set apart."""
    return bool(_GROUPS.fullmatch(text.strip()))


def is_date_like(text: str) -> bool:
    """Whether a text looks like a date, in whatever order."""
    text = text.strip()
    return bool(_ISO.match(text) or _OTHER_DATE.match(text))


def is_iso_date(text: str) -> bool:
    """Whether a text is an ISO date, with or without a time; it may still be no day of the calendar."""
    return bool(_ISO.fullmatch(text.strip()))


def has_unit(text: str) -> bool:
    """Whether a text is a number with a currency, a percent sign or a unit."""
    return bool(_CURRENCY.fullmatch(text.strip()) or _UNIT.fullmatch(text.strip()))


def looks_like_number(text: str) -> bool:
    """Whether a person may have meant a number: one with a unit, with thousands set apart, in other digits, without an end."""
    cell = text.strip()
    return bool(
        _NUMBER.fullmatch(cell)
        or _COMMA.fullmatch(cell)
        or _GROUPS.fullmatch(cell)
        or _HEX.fullmatch(cell)
        or _INFINITE.fullmatch(cell)
        or has_unit(cell)
    )


def why_no_number(text: str, decimal: str = ".") -> tuple[str, str]:
    """Why a cell is no number, and what to do about it."""
    cell = text.strip()
    if _INFINITE.fullmatch(cell):
        return "is not a finite number", "leave the cell empty if the value is unknown"
    if _NUMBER.fullmatch(cell):
        if decimal == "," and "." in cell:
            return "has a decimal point in a column of decimal commas", "write all numbers of a column in the same way"
        return "is larger than float64 can hold (about 1.8e308)", "scale the column"
    if is_comma_number(cell):
        if is_grouped(cell):
            digits = cell.replace(",", "")
            return (
                f"can be read in two ways, as {digits} and as {cell.replace(',', '.')}",
                "say --thousands , or --decimal ,",
            )
        return "has a decimal comma", "say --decimal , if all numbers of the file are written so, or write a point"
    if is_grouped(cell):
        sign = next(each for each in cell.lstrip("+-") if not each.isdigit())
        shown = {" ": "' '", "'": '"\'"', "\u00a0": "(no-break space)", "\u202f": "(narrow space)", "_": "_"}.get(sign, sign)
        if sign == "_":
            return "is not a number: _ is no part of one", "write it without _"
        if sign == ".":
            return "can be a number with thousands set apart by points", "say --thousands . and --decimal ,"
        return "is a number with its thousands set apart", f"say --thousands {shown}, or write it without"
    if _HEX.fullmatch(cell):
        return "is not a decimal number", "write it with the digits 0 to 9"
    if "_" in cell and _NUMBER.fullmatch(cell.replace("_", "")):
        return "is not a number: _ is no part of one", "write it without _"
    if has_unit(cell):
        return "is a number with a unit", "write the number alone, and the unit into the column's name"
    if cell.lower() in TRUE + FALSE:
        return "is not a number", "write 1 or 0"
    if any(each.isdigit() and not each.isascii() for each in cell):
        return "has digits other than 0 to 9", "write it with plain digits"
    if is_date_like(cell):
        return "is a date among numbers", "write it as a number, for example of days"
    if cell.startswith("#"):
        return "is not a number", "say --comment '#' if lines that begin with # are comments"
    return "is not a number", ""
