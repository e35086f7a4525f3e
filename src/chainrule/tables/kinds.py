"""What a column is, from the texts that occur in it: numbers, booleans, dates, categories; or two of them, which is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from chainrule.errors import shown
from chainrule.tables import cells
from chainrule.tables.options import Options


@dataclass(frozen=True)
class Fault:
    """What is wrong with every cell of a text: what, and what to do. The reader knows where they stand."""

    what: str
    do: str


@dataclass(frozen=True)
class Decision:
    """The kind of a column, how its numbers are written, what was noticed, and the texts that do not fit."""

    kind: str
    decimal: str = "."
    notes: tuple[str, ...] = ()
    faults: tuple[tuple[str, Fault], ...] = ()


def decide(counts: Mapping[str, int], forced: str | None, options: Options, separator: str) -> Decision:
    """What a column is. counts: how often each text stands in it, blanks around texts aside, those without a value left out."""
    if forced == "category":
        return Decision("category")
    if not counts:
        return Decision(forced or "number", notes=("no cell has a value",))
    if forced is not None:
        return _forced(counts, forced, options)
    decimal, apart = options.decimal or ".", options.thousands
    numbers = [text for text in counts if cells.number(text, decimal, apart) is not None]
    if len(numbers) == len(counts):
        return Decision("number", decimal)
    if {text.lower() for text in counts} in [set(pair) for pair in cells.PAIRS]:
        return Decision("boolean")
    total, half = sum(counts.values()), sum(counts.values()) / 2

    def many(texts: Iterable[str]) -> int:
        return sum(counts[text] for text in texts)

    dates = [text for text in counts if cells.is_date_like(text)]
    if many(dates) > half:
        return _dates(counts)
    commas = [text for text in counts if cells.is_comma_number(text)]
    others = [text for text in counts if cells.number(text) is None and not cells.is_comma_number(text)]
    if commas and not others and options.decimal is None and apart is None:
        return _commas(counts, commas, separator)
    looks = [text for text in counts if cells.looks_like_number(text)]
    share = many(numbers)
    if many(looks) > half and (share or len(looks) == len(counts) or many(looks) > 0.9 * total):
        return Decision("number", decimal, faults=_faults(counts, decimal, apart))
    if share >= half:
        return Decision("number", decimal, faults=_faults(counts, decimal, apart))
    notes = (f"{share:,} of {total:,} values are numbers, the others are not: a category",) if share else ()
    return Decision("category", notes=notes)


def _faults(counts: Mapping[str, int], decimal: str, apart: str | None) -> tuple[tuple[str, Fault], ...]:
    return tuple(
        (text, Fault(*cells.why_no_number(text, decimal))) for text in counts if cells.number(text, decimal, apart) is None
    )


def _forced(counts: Mapping[str, int], kind: str, options: Options) -> Decision:
    if kind == "number":
        decimal = options.decimal or "."
        faults = _faults(counts, decimal, options.thousands)
        if faults and options.decimal is None and options.thousands is None:
            commas = all(cells.number(text, ",") is not None for text in counts)
            if commas and not all(cells.is_grouped(text) for text in counts if "," in text):
                return Decision("number", ",", notes=("numbers have a decimal comma",))
        return Decision("number", decimal, faults=faults)
    if kind == "boolean":
        known = {text for pair in cells.PAIRS for text in pair}
        wrong = [text for text in counts if text.lower() not in known]
        do = "write true or false, or yes or no"
        return Decision(kind, faults=tuple((text, Fault("is neither true nor false", do)) for text in wrong))
    return Decision("date", faults=tuple((text, _date_fault(text)) for text in counts if days(text) is None))


def _dates(counts: Mapping[str, int]) -> Decision:
    wrong = [text for text in counts if days(text) is None]
    return Decision("date", notes=("ISO dates, counted in days",), faults=tuple((text, _date_fault(text)) for text in wrong))


def _date_fault(text: str) -> Fault:
    if cells.is_iso_date(text):
        return Fault("is no day of the calendar", "correct it")
    if cells.is_date_like(text):
        return Fault("is a date that is not written as YYYY-MM-DD", "write all dates of the column so, for example 2024-01-31")
    return Fault("is not a date", "write it as YYYY-MM-DD, or leave the cell empty")


def _commas(counts: Mapping[str, int], commas: list[str], separator: str) -> Decision:
    """A column of numbers of which some have one comma: a decimal sign, or thousands set apart."""
    if all(cells.is_grouped(text) for text in commas):
        return Decision("number", ".", faults=_faults(counts, ".", None))
    points = [text for text in counts if "." in text]
    if points and sum(counts[text] for text in points) > sum(counts[text] for text in commas):
        return Decision("number", ".", faults=_faults(counts, ".", None))
    if points:
        return Decision("number", ",", faults=_faults(counts, ",", None))
    if separator == ",":
        do = "say --decimal , if all numbers of the file are written so, or write a point"
        return Decision("number", ".", faults=tuple((text, Fault("has a decimal comma", do)) for text in commas))
    return Decision("number", ",", notes=("numbers have a decimal comma",))


def days(text: str) -> float | None:
    """Days from 1970-01-01 to an ISO date, with the part of the day if it has a time; None if it is none."""
    text = text.strip()
    if not cells.is_iso_date(text):
        return None
    try:
        moment = np.datetime64(text.replace(" ", "T"), "us")
    except ValueError:
        return None
    return float(moment.astype(np.int64)) / 86_400_000_000


def truth(text: str) -> float:
    """1 for true and yes, 0 for false and no."""
    return float(text.strip().lower() in cells.TRUE)


def told(text: str) -> str:
    """A cell as a message shows it."""
    return shown(text)
