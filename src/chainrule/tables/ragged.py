"""Rows with more or fewer cells than the header, found one by one: once there are some, time does not matter."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from chainrule.errors import Problem, shown
from chainrule.tables import dialect
from chainrule.tables.duck import LONGEST

SHOWN = 20


@dataclass
class Ragged:
    """The rows of a file that do not have its width: which, how wide each is, and the cells of the first ones."""

    rows: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)


def records(path: str, separator: str) -> Iterator[list[str]]:
    """The records of a file in UTF-8, the header too, each as its cells."""
    before = csv.field_size_limit(LONGEST)
    try:
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as stream:
            yield from csv.reader(stream, delimiter=separator)
    finally:
        csv.field_size_limit(before)


def ragged(path: str, separator: str, header: bool, width: int) -> Ragged:
    """All rows of a file that are not `width` cells wide."""
    found = Ragged()
    for row, cells in enumerate(records(path, separator), -int(header)):
        if len(cells) != width and row >= 0:
            found.rows.append(row)
            found.widths.append(len(cells))
            if len(found.cells) < SHOWN:
                found.cells.append(cells)
    return found


def count_of(cells: int) -> str:
    return f"{cells:,} cell{'s' if cells != 1 else ''}"


def problem_of(cells: list[str], width: int, separator: str, header: bool, file: str, line: int) -> Problem:
    """What to say of one such row."""
    what = f"this row has {count_of(len(cells))}; {'the header has' if header else 'the first row has'} {width:,}"
    whole = separator.join(cells)
    if dialect.is_comment_like(whole):
        do = "say --comment '#' if lines that begin with # are comments"
        return Problem(what, got=shown(whole), do=do, file=file, line=line)
    if len(cells) == width + 1 and not cells[-1]:
        do = "take the separator at the end of the line out"
        return Problem(what, got="an empty extra cell", do=do, file=file, line=line, column=len(cells))
    if len(cells) > width:
        do = "put quotes around text with " + dialect.SEPARATORS.get(separator, f"'{separator}'")
        if separator == ",":
            do += ", and write decimals with a point"
        return Problem(what, got=f"the extra cell {shown(cells[width])}", do=do, file=file, line=line, column=width + 1)
    do = "fill the missing cells: an empty cell keeps its separator"
    return Problem(what, got=shown(whole), do=do, file=file, line=line)


def all_alike(
    found: Ragged, rows: int, width: int, names: tuple[str, ...], lines: tuple[int, int], file: str
) -> Problem | None:
    """One sentence for many rows: a title above the header, or a second table below the first one; None if it is neither.

    lines: of the header, and of the first of these rows.
    """
    if len(found.rows) < 2 or found.rows[-1] != rows - 1 or len(found.rows) != rows - found.rows[0]:
        return None
    common, count = Counter(found.widths).most_common(1)[0]
    if count < 0.9 * len(found.rows) or all(not cells[-1] and len(cells) == width + 1 for cells in found.cells):
        return None
    header, first = lines
    if found.rows[0] == 0:
        what = f"line {header} has {count_of(width)}, the lines from {first} on have {common:,}"
        do = "take a title above the header out, or complete the header"
        if dialect.is_comment_like(names[0]):
            do = "say --comment '#' if lines that begin with # are comments"
        return Problem(what, file=file, line=header, do=do)
    what = f"from line {first} on the rows have {count_of(common)}; above they have {width:,}"
    return Problem(what, file=file, line=first, do="if a second table begins here, put it into a file of its own")
