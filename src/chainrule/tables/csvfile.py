"""A CSV file that was looked at: where its rows are, what separates its cells, what its columns are called."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError, shown
from chainrule.tables import dialect
from chainrule.tables.opening import Text
from chainrule.tables.options import Options
from chainrule.tables.problems import FIRST, failed
from chainrule.tables.ragged import all_alike, problem_of, ragged
from chainrule.tables.scanning import record_starts
from chainrule.tables.table import Part


@dataclass
class CsvFile:
    """A file whose rows can be read. starts: the physical line of each row, None where row r stands in line `first` + r."""

    text: Text
    separator: str
    header: bool
    names: tuple[str, ...]
    width: int
    rows: int
    first: int
    starts: Any
    one_by_one: bool  # DuckDB loses rows with line ends in quotes if several threads read
    sample: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    warnings: list[Problem] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)  # columns that stand in the path of the file
    problems: list[Problem] = field(default_factory=list)
    more: int = 0  # problems that are not told
    trailing: bool = False  # every line ends with a separator, the header too
    kept: Any = None  # rows of the file that could be read, None if all could

    @property
    def name(self) -> str:
        return self.text.name

    def line(self, row: int) -> int:
        """The line in the user's file in which a row begins, counted from 0 among those that were read."""
        row = row if self.kept is None else int(self.kept[row])
        return self._line(row)

    def _line(self, row: int) -> int:
        return self.first + row if self.starts is None else int(self.starts[row])

    def part(self, first: int) -> Part:
        return Part(self.name, first, self.rows, self._line)

    def reject(self) -> bool:
        """Look for rows that do not fit, leave them out and keep what there is to say of them; whether there are any."""
        found = ragged(self.text.path, self.separator, self.header, self.width)
        rows = [row for row in found.rows if row < self.rows]
        if not rows:
            return False
        told = all_alike(found, self.rows, self.width, self.names, (self.first - self.header, self._line(rows[0])), self.name)
        self.problems = [told] if told is not None else []
        for row, cells in zip(rows if told is None else (), found.cells, strict=False):
            self.problems.append(problem_of(cells, self.width, self.separator, self.header, self.name, self._line(row)))
        self.more = len(rows) - len(self.problems) if told is None else 0
        self.kept = np.delete(np.arange(self.rows), rows)
        return True

    def extra_cells(self) -> list[Problem]:
        """The first rows that have one cell too many, an empty one at the end of the line."""
        found = ragged(self.text.path, self.separator, self.header, self.width)
        return [
            problem_of(cells, self.width, self.separator, self.header, self.name, self._line(row))
            for row, cells in zip(found.rows[:FIRST], found.cells, strict=False)
        ]


def look(text: Text, options: Options, given: dict[str, str]) -> CsvFile:
    """Find out what a text file is as a table; a RunError if it is none."""
    name = text.name
    if text.size == 0 or text.lines == 0:
        raise failed("the file is empty", name, do="give a header and rows")
    with open(text.path, "rb") as stream:
        head = stream.read(dialect.HEAD)
    decoded = head.decode("utf-8-sig", "ignore").replace("\r\n", "\n").replace("\r", "\n")
    found = dialect.sniff(decoded, options, name, len(head) == text.size)
    if not found.rows:
        raise failed("the file is empty", name, do="give a header and rows")
    starts, spanning = None, False
    records = text.lines
    physical = text.physical
    if text.quotes:
        starts, spanning = record_starts(text.path, name, found.separator, physical)
        records = len(starts)
    elif physical is not None:
        starts = physical
    header = options.header is not False
    rows = records - header
    names = dialect.names_of(found.rows[0], header)
    warnings = list(text.warnings)
    width = len(names)
    trailing = header and width > 1 and not names[-1] and int(text.last[ord(found.separator)]) == text.lines and not spanning
    if trailing:
        names = names[:-1]
        what = "every line ends with a separator: the empty last column is left out"
        warnings.append(Problem(what, file=name, line=1, do="take the separators at the ends of lines out"))
    first = 1 if starts is None else int(starts[0])
    problems = dialect.header_problems(names, name, first) if header else []
    for each in given:
        if each in names:
            what = "a column stands in the file and in its folder's name"
            problems.append(Problem(what, got=shown(each), do="rename one", file=name, line=first))
    if problems:
        raise RunError(*problems[:20])
    if rows == 0:
        count = f"{len(names)} column{'s' if len(names) > 1 else ''}"
        raise failed(f"the table has a header with {count}, and no rows", name, do="add rows")
    if starts is not None and header:
        starts = starts[1:]
    if header and dialect.looks_like_data(names):
        got = ", ".join(shown(each, 20)[1:-1] for each in names[:5])
        warnings.append(
            Problem("the first row looks like data", got=got, do="say --no-header if it has no names", file=name, line=first)
        )
    sample = tuple(row for row in found.rows[header:] if len(row) == width)
    return CsvFile(
        text, found.separator, header, names, width, rows, first + header, starts, spanning, sample,
        (*text.notes, *found.notes), warnings, given,
        trailing=trailing,
    )  # fmt: skip


def together(files: Sequence[CsvFile]) -> tuple[str, ...]:
    """The names of the columns of all files, in the order of the first one; a RunError if a file has others."""
    first = files[0]
    names = (*first.names, *first.given)
    problems = []
    for file in files[1:]:
        other = (*file.names, *file.given)
        if set(other) != set(names):
            lacks = [each for each in names if each not in other]
            extra = [each for each in other if each not in names]
            parts = [f"it lacks {_listed(lacks)}"] if lacks else []
            parts += [f"it has {_listed(extra)} besides"] if extra else []
            what = f"the columns are not those of {os.path.basename(first.name)}"
            problems.append(Problem(what, got="; ".join(parts), do="files read together have the same columns", file=file.name))
    if problems:
        raise RunError(*problems[:20])
    return names


def _listed(names: Sequence[str]) -> str:
    return ", ".join(shown(each)[1:-1] for each in names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
