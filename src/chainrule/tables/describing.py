"""What was found in a table, a line a column: as plain data, and laid out to be read."""

from __future__ import annotations

import math
import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

from chainrule.errors import printable, shown
from chainrule.tables.table import Column, Table, day, plain_number


@dataclass(frozen=True)
class Line:
    """One column: its name, kind, what its values are, its gaps, and what was done."""

    name: str
    kind: str
    values: str
    gaps: int
    markers: dict[str, int]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """All columns of a table, and the sentences about the file as a whole. `str()` lays it out."""

    title: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, table: Table) -> Description:
        lines = tuple(
            Line(each.name, each.kind, values_of(each), each.found.gaps, dict(each.found.markers), each.found.notes)
            for each in table.columns
        )
        files = os.path.basename(table.files[0]) if len(table.files) == 1 else f"{len(table.files):,} files"
        title = f"{files}: {_many(len(table), 'row')}, {_many(len(lines), 'column')}"
        return cls(title, lines, (*table.dialect.notes, *(str(each) for each in table.warnings)))

    def data(self) -> dict[str, Any]:
        """The same as lists and dicts that JSON can take."""
        columns = [
            {"name": e.name, "kind": e.kind, "values": e.values, "gaps": e.gaps, "markers": e.markers, "notes": list(e.notes)}
            for e in self.lines
        ]
        return {"title": self.title, "columns": columns, "notes": list(self.notes)}

    def __str__(self) -> str:
        heads = ("column", "kind", "values", "gaps")
        rows = [(_cut(each.name, 32), each.kind, _cut(each.values, 60), _gaps(each)) for each in self.lines]
        widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(4)]
        text = [self.title, "", *(_row(row, widths) for row in (heads, *rows))]
        told = [f"{_cut(each.name, 32)}: {note}" for each in self.lines for note in each.notes]
        rest = [*self.notes, *told]
        return "\n".join([*text, *([""] if rest else []), *(printable(each) for each in rest)])


def said(table: Table) -> tuple[str, ...]:
    """What was found out rather than taken for granted, in a few sentences: the dialect, columns read in an unusual way, and
    what was taken for no value, with how often."""
    told = [f"{os.path.basename(table.files[0])}: {', '.join(table.dialect.notes)}."] if table.dialect.notes else []
    named: dict[str, list[str]] = {}
    markers: Counter[str] = Counter()
    for column in table.columns:
        for note in column.found.notes:
            named.setdefault(note, []).append(shown(column.name))
        markers.update({marker: count for marker, count in column.found.markers.items() if marker.strip()})
    for note, names in named.items():
        more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
        told.append(f"{', '.join(names[:3])}{more}: {note}.")
    if markers:
        listed = [f"{shown(marker)} ({count:,} time{'s' if count > 1 else ''})" for marker, count in markers.most_common(5)]
        told.append(f"Read as no value: {', '.join(listed)}{', ...' if len(markers) > 5 else ''}.")
    return tuple(printable(each) for each in told)


def values_of(column: Column) -> str:
    """The range of numbers and dates, the levels of a category, in a few words."""
    found = column.found
    if column.kind == "category":
        levels = [printable(level) for level in column.levels]
        if len(levels) <= 6:
            return f"{_many(len(levels), 'level')}: {', '.join(levels)}" if levels else "no value"
        most = f"; most often {printable(found.most[0])} ({found.most[1]:,} times)" if found.most else ""
        return f"{_many(len(levels), 'level')}{most}"
    if math.isnan(found.low):
        return "no value"
    if column.kind == "boolean":
        return " or ".join(printable(level) for level in column.levels) if column.levels else "false or true"
    told = day if column.kind == "date" else (lambda value: plain_number(float(f"{value:.6g}")))
    low, high = told(found.low), told(found.high)
    whole = ", whole" if column.kind == "number" and found.whole else ""
    return (f"{low} to {high}" if low != high else f"{low} in every row") + whole


def _gaps(line: Line) -> str:
    if not line.gaps:
        return ""
    written = [f"{count:,} {printable(marker)}" for marker, count in line.markers.items() if marker]
    return f"{line.gaps:,}" + (f" ({', '.join(written)})" if written else "")


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _cut(text: str, width: int) -> str:
    text = printable(text)
    return text if len(text) <= width else text[: width - 3] + "..."


def _row(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
