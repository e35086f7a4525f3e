"""Which sign separates the cells, whether the first row has names: found out from the beginning of a file, and said."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from chainrule.errors import Problem, RunError, shown
from chainrule.tables.cells import number
from chainrule.tables.options import Options

HEAD = 2**18
"""Bytes from whose rows the dialect is found out."""

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

MOST_COLUMNS = 10_000
"""Columns beyond which a file is more likely no table."""


@dataclass(frozen=True)
class Sniffed:
    """The separator, and the first rows as it cuts them."""

    separator: str
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def sniff(head: str, options: Options, name: str, whole: bool) -> Sniffed:
    """Find the separator. head: the beginning of the file, with \\n between lines; whole: whether that is all of it."""
    if not whole:
        head = head[: head.rfind("\n") + 1]
    if options.separator is not None:
        rows = _rows(head, options.separator, whole)
        return Sniffed(options.separator, rows)
    cut = {sign: _rows(head, sign, whole) for sign in SEPARATORS}
    fits = {sign: rows for sign, rows in cut.items() if rows and len({len(row) for row in rows}) == 1 and len(rows[0]) > 1}
    if len(fits) > 1 and len(next(iter(fits.values()))) > 1:
        raise RunError(_two_readings(fits, name))
    sign = next(iter(fits)) if fits else max(SEPARATORS, key=lambda each: (*_agreement(cut[each]), each == ","))
    notes = () if sign == "," else (f"cells are separated by {SEPARATORS[sign]}",)
    return Sniffed(sign, cut[sign], notes)


def _rows(head: str, separator: str, whole: bool) -> tuple[tuple[str, ...], ...]:
    rows = []
    try:
        for row in csv.reader(io.StringIO(head, newline=""), delimiter=separator):
            if any(cell.strip() for cell in row) or len(row) > 1:
                rows.append(tuple(row))
    except csv.Error:
        pass  # a cell that is too long, or worse: the rows before it are enough to find the separator
    if not whole and len(rows) > 1:
        rows.pop()  # it may be cut
    return tuple(rows)


def _agreement(rows: Sequence[Sequence[str]]) -> tuple[bool, float, int]:
    """How much a reading looks like a table: more than one column, rows as long as most are."""
    if not rows:
        return False, 0.0, 0
    width, count = Counter(len(row) for row in rows).most_common(1)[0]
    return width > 1 or len(rows[0]) > 1, count / len(rows), width


def _two_readings(fits: dict[str, tuple[tuple[str, ...], ...]], name: str) -> Problem:
    told = []
    for sign, rows in fits.items():
        first = " | ".join(shown(cell, 20)[1:-1] for cell in rows[1][:4])
        told.append(f"by {SEPARATORS[sign]} {len(rows[0])} columns, the second row {first}{' ...' if len(rows[1]) > 4 else ''}")
    signs = " or ".join("--sep '\\t'" if sign == "\t" else f"--sep '{sign}'" for sign in fits)
    return Problem("the cells can be separated in more than one way", got="; ".join(told), do=f"say {signs}", file=name, line=1)


def cut(row: str, separator: str) -> list[str]:
    """The cells of one row, as far as it can be cut."""
    try:
        return next(csv.reader([row.strip("\r\n")], delimiter=separator), [])
    except csv.Error:
        return [row]


def names_of(first: Sequence[str], has_header: bool) -> tuple[str, ...]:
    """The names of the columns: the cells of the first row, or column 1, column 2 ... where it is data already."""
    if not has_header:
        return tuple(f"column {place}" for place in range(1, len(first) + 1))
    return tuple(cell.strip() for cell in first)


def looks_like_data(names: Sequence[str]) -> bool:
    """Whether a first row has numbers where names should stand."""
    cells = [name for name in names if name]
    return bool(cells) and 2 * sum(number(name) is not None for name in cells) > len(cells)


def header_problems(names: Sequence[str], name: str, line: int) -> list[Problem]:
    """What is wrong with the names of the columns: too many, none, twice the same."""
    if len(names) > MOST_COLUMNS:
        what = f"the table has {len(names):,} columns"
        return [Problem(what, do=f"at most {MOST_COLUMNS:,} are read", file=name, line=line)]
    problems = []
    seen: dict[str, int] = {}
    data = "; if the first row is data: --no-header" if looks_like_data(names) else ""
    for place, each in enumerate(names, 1):
        if not each:
            what = f"column {place} has no name"
            problems.append(Problem(what, do="give it one" + data, file=name, line=line, column=place))
        elif seen.setdefault(each, place) != place:
            what = f"columns {seen[each]} and {place} have the same name"
            problems.append(Problem(what, got=shown(each), do="rename one" + data, file=name, line=line, column=place))
    return problems


def is_comment_like(line: str) -> bool:
    """Whether a line is more likely a comment than a row."""
    return bool(re.match(r"\s*#", line))
