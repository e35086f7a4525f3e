"""Preparation and goal as JSON-able data, and back: a closed schema, in which everything that is not expected is an error."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, NoReturn

from chainrule.errors import Problem, RunError, shown
from chainrule.preparing.columns import KINDS, Boolean, Category, LeftOut, Number, Prepared

LONGEST = 4096
"""Signs that a text in a file may have."""

MOST = 1_000_000
"""Entries that a list in a file may have."""

Check = Callable[[str, Any], Any]


def wrong(where: str, wanted: str, value: object) -> NoReturn:
    """This data is no preparation or goal."""
    raise RunError(Problem(f"the model's {where} must be {wanted}", got=shown(value), do="use a file that chainrule wrote"))


def text(where: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        wrong(where, f"a text of at most {LONGEST:,} signs", value)
    return value


def number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1.7976931348623157e308:
        wrong(where, "a finite number", value)
    if not math.isfinite(value):
        wrong(where, "a finite number", value)
    return float(value)


def above_zero(where: str, value: Any) -> float:
    if number(where, value) <= 0:
        wrong(where, "a number above 0", value)
    return float(value)


def bit(where: str, value: Any) -> float:
    if number(where, value) not in (0, 1):
        wrong(where, "0 or 1", value)
    return float(value)


def truth(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        wrong(where, "true or false", value)
    return value


def texts(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > MOST:
        wrong(where, f"a list of at most {MOST:,} texts", value)
    result = tuple(text(f"{where}[{place}]", each) for place, each in enumerate(value, 1))
    if len(set(result)) < len(result):
        wrong(where, "a list of different texts", list(result))
    return result


def numbers(where: str, value: Any) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > MOST:
        wrong(where, f"a list of at most {MOST:,} numbers", value)
    return tuple(number(f"{where}[{place}]", each) for place, each in enumerate(value, 1))


def one_of(options: tuple[str, ...]) -> Check:
    def check(where: str, value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            wrong(where, f"one of {', '.join(options)}", value)
        return value

    return check


def closed(where: str, data: Any, checks: Mapping[str, Check]) -> dict[str, Any]:
    """The entries of a table, each checked; no other may be there and none may be missing."""
    if not isinstance(data, Mapping):
        wrong(where, "a table", data)
    for key in data:
        if key not in checks:
            wrong(where, f"a table of {', '.join(checks)}", key)
    for key in checks:
        if key not in data:
            wrong(where, f"a table with {key}", ", ".join(shown(each) for each in data))
    return {key: check(f"{where}.{key}", data[key]) for key, check in checks.items()}


SCHEMAS: dict[type[Prepared], dict[str, Check]] = {
    Number: {
        "name": text,
        "fill": number,
        "center": number,
        "scale": above_zero,
        "far": truth,
        "indicator": truth,
        "date": truth,
    },
    Boolean: {"name": text, "fill": bit, "indicator": truth},
    Category: {"name": text, "levels": texts, "other": truth, "missing": truth},
    LeftOut: {"name": text, "why": text},
}


def column_data(column: Prepared) -> dict[str, Any]:
    """What becomes of one column, as plain data."""
    kind = next(name for name, each in KINDS.items() if type(column) is each)
    entries = {entry.name: getattr(column, entry.name) for entry in fields(column)}
    return {"kind": kind} | {name: list(value) if isinstance(value, tuple) else value for name, value in entries.items()}


def columns_from(data: Any) -> tuple[Prepared, ...]:
    """What becomes of the columns, from plain data."""
    listed = closed("preparation", data, {"columns": _list})["columns"]
    columns = tuple(_column(f"preparation.columns[{place}]", each) for place, each in enumerate(listed, 1))
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        wrong("preparation.columns", "different columns", names)
    return columns


def _list(where: str, value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple)) or len(value) > MOST:
        wrong(where, f"a list of at most {MOST:,} columns", value)
    return list(value)


def _column(where: str, data: Any) -> Prepared:
    if not isinstance(data, Mapping):
        wrong(where, "a table", data)
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        wrong(f"{where}.kind", f"one of {', '.join(KINDS)}", kind)
    cls = KINDS[kind]
    rest = {key: value for key, value in data.items() if key != "kind"}
    return cls(**closed(where, rest, SCHEMAS[cls]))
