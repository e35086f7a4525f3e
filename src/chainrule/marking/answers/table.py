"""Answers as a table: a row for each, with name and value, and if need be the number of updates before."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from chainrule.marking.answers.answer import Answer, whole

NAMES = ("name", "quantity", "number", "cell", "id")
VALUES = ("value", "answer", "written", "result")


def read(text: str, file: str) -> list[Answer]:
    """The answers of a CSV text: commas, semicolons or tabs; with a header (name, value, after) or without."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    separator = next((sign for sign in "\t;" if sign in first), ",")
    found: list[Answer] = []
    columns: tuple[int, int, int | None] = (0, 1, None)
    for place, (line, cells) in enumerate(_rows(text, separator)):
        header = _header(cells) if place == 0 else None
        if header:
            columns = header
        else:
            found.append(_answer(cells, columns, file, line))
    return found


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=separator)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = [f"({error})"]
        if any(cell.strip() for cell in cells):
            yield line, [cell.strip() for cell in _joined(cells)]
        line = reader.line_num + 1


def _joined(cells: Sequence[str]) -> list[str]:
    """Cells of which the first is whole again where a comma in brackets cut it: W[1][1,2]."""
    rest = list(cells)
    while len(rest) > 1 and rest[0].count("[") > rest[0].count("]"):
        rest[:2] = [f"{rest[0]},{rest[1]}"]
    return rest


def _header(cells: Sequence[str]) -> tuple[int, int, int | None] | None:
    lower = [cell.lower() for cell in cells]
    name = next((place for place, cell in enumerate(lower) if cell in NAMES), None)
    value = next((place for place, cell in enumerate(lower) if cell in VALUES), None)
    if name is None or value is None:
        return None
    return name, value, lower.index("after") if "after" in lower else None


def _answer(cells: list[str], columns: tuple[int, int, int | None], file: str, line: int) -> Answer:
    name, value, after = columns
    title = cells[name] if name < len(cells) else ""
    most = max(name, value, after or 0) + 1
    if len(cells) > most:
        fault = "this row has more cells than name and value: put quotes around 0,31, or separate cells by ;"
        return Answer(title, ",".join(cells[value:]), file, line, fault=fault)
    text = cells[value] if value < len(cells) else ""
    if not title:
        return Answer("", text, file, line, fault="a name is missing")
    updates = None
    if after is not None and after < len(cells) and cells[after]:
        updates = whole(cells[after])
        if updates is None:
            return Answer(title, text, file, line, fault="after must be a whole number of updates")
    return Answer(title, text, file, line, updates)
