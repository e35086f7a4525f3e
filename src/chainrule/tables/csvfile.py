"""A CSV file that was looked at: where its rows are, what separates its cells, what its columns are called."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError, shown
from chainrule.tables import dialect
from chainrule.tables.duck import Rejected
from chainrule.tables.opening import Text
from chainrule.tables.options import Options
from chainrule.tables.problems import FIRST, failed
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

    def reject(self, rejected: Sequence[Rejected]) -> int:
        """Leave rows out that do not fit, and keep what there is to say of them; how many rows are left."""
        rows = sorted({each.record - self.header for each in rejected})
        self.kept = np.delete(np.arange(self.rows), [row for row in rows if 0 <= row < self.rows])
        by_row = {each.record - self.header: each for each in reversed(rejected)}
        told = _all_alike(self, by_row)
        self.problems = [told] if told is not None else [self._ragged(by_row[row], row) for row in rows[:20]]
        self.more = max(0, len(rows) - 20) if told is None else 0
        return len(self.kept)

    def extra_cells(self) -> list[Problem]:
        """The first rows that have one cell too many, an empty one at the end of the line."""
        problems = []
        row = -1
        with open(self.text.path, encoding="utf-8", errors="replace", newline="") as stream:
            for row, cells in enumerate(csv.reader(stream, delimiter=self.separator), -int(self.header)):
                if len(cells) == self.width + 1 and row >= 0 and not cells[-1]:
                    what = f"this row has {_cells(len(cells))}; the header has {self.width}"
                    do = "take the separator at the end of the line out"
                    got = "an empty extra cell"
                    problems.append(Problem(what, got=got, do=do, file=self.name, line=self._line(row), column=len(cells)))
                    if len(problems) == FIRST:
                        break
        return problems

    def _ragged(self, rejected: Rejected, row: int) -> Problem:
        line = self._line(row) if 0 <= row < self.rows else None
        cells = dialect.cut(rejected.row, self.separator)
        expected, found = self.width, rejected.found or len(cells)
        against = "the header has" if self.header else "the first row has"
        what = f"this row has {_cells(found)}; {against} {expected}"
        if rejected.kind not in ("TOO MANY COLUMNS", "MISSING COLUMNS"):
            return Problem(f"this row cannot be read: {rejected.text.lower()}", file=self.name, line=line, do="correct it")
        if dialect.is_comment_like(rejected.row):
            do = "say --comment '#' if lines that begin with # are comments"
            return Problem(what, got=shown(rejected.row), do=do, file=self.name, line=line)
        if found > expected:
            extra = cells[expected] if len(cells) > expected else ""
            do = "put quotes around text with " + dialect.SEPARATORS.get(self.separator, f"'{self.separator}'")
            if self.separator == ",":
                do += ", and write decimals with a point"
            return Problem(what, got=f"the extra cell {shown(extra)}", do=do, file=self.name, line=line, column=expected + 1)
        do = "fill the missing cells: an empty cell keeps its separator"
        return Problem(what, got=shown(rejected.row), do=do, file=self.name, line=line)


def _cells(count: int) -> str:
    return f"{count} cell{'s' if count != 1 else ''}"


def _all_alike(file: CsvFile, rejected: dict[int, Rejected]) -> Problem | None:
    """One sentence for many rows: a title above the header, or a second table below the first one."""
    widths = {row: each.found for row, each in rejected.items()}
    if len(widths) < 2 or 0 in widths.values():
        return None
    common, count = Counter(widths.values()).most_common(1)[0]
    first = min(widths)
    to_the_end = sorted(widths) == list(range(first, file.rows))
    if not to_the_end or count < 0.9 * len(widths):
        return None
    line = file._line(first)
    if first == 0:
        what = f"line {file.first - 1} has {_cells(file.width)}, the lines from {line} on have {common}"
        do = "take a title above the header out, or complete the header"
        if dialect.is_comment_like(file.names[0]):
            do = "say --comment '#' if lines that begin with # are comments"
        return Problem(what, file=file.name, line=file.first - 1, do=do)
    what = f"from line {line} on the rows have {_cells(common)}; above they have {file.width}"
    return Problem(what, file=file.name, line=line, do="if a second table begins here, put it into a file of its own")


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
