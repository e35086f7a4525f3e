"""A CSV file as named columns of text, and its columns as numbers."""

from __future__ import annotations

import csv
import difflib
import io
import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import InputError, Problem, nearest, shown

MARKERS = frozenset({"", "na", "n/a", "nan", "null", "?"})
"""What stands in a cell that has no value, in any case of letters."""

LIMIT = 256 * 2**20
"""The largest table that is read, in bytes."""

FIRST = 5  # mistakes of one kind that are shown one by one

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Columns:
    """A table as text: `rows` of cells below the `names` of the header, and the line in the file of each row."""

    file: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def place(self, name: str, wanted: str = "column") -> int:
        """Which column has a name; an InputError that lists the columns otherwise."""
        if name in self.names:
            return self.names.index(name)
        close = difflib.get_close_matches(name, self.names, n=1, cutoff=0.6)
        listed = "its columns are " + ", ".join(shown(each)[1:-1] for each in self.names[:20])
        do = f"did you mean {close[0]}? {listed}" if close else listed
        raise InputError(Problem(f"the table has no {wanted} of this name", got=shown(name), do=do, file=self.file, line=1))

    def gaps(self, names: Sequence[str]) -> list[int]:
        """The rows, counted from 0, that have no value in one of these columns."""
        places = [self.place(name) for name in names]
        return [number for number, row in enumerate(self.rows) if any(is_missing(row[place]) for place in places)]

    def text(self, name: str, rows: Sequence[int]) -> list[str]:
        """The cells of a column in these rows."""
        place = self.place(name)
        return [self.rows[row][place].strip() for row in rows]

    def holds_numbers(self, name: str) -> bool:
        """Whether most cells of a column that have a value begin like a number: one that is none is then a mistake."""
        cells = [cell.strip() for cell in self.text(name, range(len(self))) if not is_missing(cell)]
        return 2 * sum(bool(_NUMBER.fullmatch(cell)) for cell in cells) > len(cells)

    def numbers(self, names: Sequence[str], rows: Sequence[int]) -> Any:
        """These columns in these rows as floats, (rows, columns); an InputError that names each cell that is no number."""
        columns, problems = [], []
        for name in names:
            cells = self.text(name, rows)
            wrong = [(row, cell) for row, cell in zip(rows, cells, strict=True) if why_no_number(cell)]
            for row, cell in wrong[:FIRST]:
                count = f"; {len(wrong)} cells of this column are no numbers" if len(wrong) > 1 else ""
                problems.append(
                    Problem(
                        f"a cell {why_no_number(cell)}",
                        where=f'column "{name}"',
                        got=shown(cell),
                        do=f"correct it, or leave the column out{count}",
                        file=self.file,
                        line=self.lines[row],
                        column=self.place(name) + 1,
                    )
                )
            columns.append([math.nan] * len(rows) if wrong else [float(cell) for cell in cells])
        if problems:
            raise InputError(*problems)
        return np.array(columns, float).T.reshape(len(rows), len(names))


def is_missing(cell: str) -> bool:
    """Whether a cell has no value."""
    return cell.strip().lower() in MARKERS


def why_no_number(cell: str) -> str:
    """Why a cell is not a finite number, in words; empty if it is one."""
    if is_missing(cell):
        return "has no value"
    if not _NUMBER.fullmatch(cell.strip()):
        return "is not a number"
    return "" if math.isfinite(float(cell)) else "is larger than float64 can hold"


def mean_and_deviation(values: Any, names: Sequence[str]) -> tuple[Any, Any]:
    """Mean and population standard deviation of each column of (rows, columns); an InputError if a column is constant."""
    with np.errstate(all="ignore"):
        mean, deviation = values.mean(0), values.std(0)
    problems = []
    for place, name in enumerate(names):
        if values[:, place].min() == values[:, place].max() or deviation[place] == 0:
            what = f"column {shown(name)} is the same in every row: it cannot be standardized"
            problems.append(Problem(what, got=f"{values[0, place]:g} in {len(values)} rows", do="leave the column out"))
        elif not math.isfinite(deviation[place]):
            problems.append(Problem(f"column {shown(name)} has numbers too large to be standardized", do="scale the column"))
    if problems:
        raise InputError(*problems)
    return mean, deviation


MOST_COLUMNS = 10_000
"""Columns beyond which a file is more likely no table."""


def read_columns(path: str | os.PathLike[str]) -> Columns:
    """A CSV file with a header and commas; an InputError that says line and cause if it is none."""
    file = os.fspath(path)
    text = _text(file)
    problems: list[Problem] = []
    names: tuple[str, ...] = ()
    rows, lines = [], []
    for line, cells in _records(text, file):
        if not names:
            if len(cells) > MOST_COLUMNS:
                what = f"the table has {len(cells):,} columns"
                raise InputError(Problem(what, do=f"at most {MOST_COLUMNS:,} are read", file=file, line=line))
            names = tuple(cell.strip() for cell in cells)
            problems += _header(names, file)
        elif len(cells) != len(names):
            problems.append(_ragged(cells, names, file, line))
        else:
            rows.append(tuple(cells))
            lines.append(line)
    if not names:
        problems.append(Problem("the file is empty", file=file, do="give a header and rows"))
    elif not rows and not problems:
        count = f"{len(names)} column{'s' if len(names) > 1 else ''}"
        problems.append(Problem(f"the table has a header with {count}, and no rows", file=file, do="add rows"))
    if problems:
        more = len(problems) - 20
        raise InputError(*problems[:20], *([Problem(f"and {more} more mistakes", file=file)] if more > 0 else []))
    return Columns(file, names, tuple(rows), tuple(lines))


def _records(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line where it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = "a quote is opened and never closed" if "unexpected end" in str(error) else f"this is not valid CSV: {error}"
            raise InputError(Problem(what, file=file, line=line, do="correct the quotes of this row")) from None
        if any(cell.strip() for cell in cells) or len(cells) > 1:
            yield line, cells
        line = reader.line_num + 1


def _header(names: Sequence[str], file: str) -> list[Problem]:
    problems = []
    if len(names) == 1 and re.search(r"[;\t|]", names[0]):
        problems.append(
            Problem("the header has one column", got=shown(names[0]), do="separate columns by commas", file=file, line=1)
        )
    seen: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if not name:
            problems.append(Problem(f"column {place} has no name", do="give it one", file=file, line=1, column=place))
        elif seen.setdefault(name, place) != place:
            what = f"columns {seen[name]} and {place} have the same name"
            problems.append(Problem(what, got=shown(name), do="rename one", file=file, line=1, column=place))
    return problems


def _ragged(cells: Sequence[str], names: Sequence[str], file: str, line: int) -> Problem:
    got = f"the extra cell {shown(cells[len(names)])}" if len(cells) > len(names) else ""
    do = "put quotes around text with commas, and write decimals with a point" if got else "fill the missing cells"
    return Problem(f"this row has {len(cells)} cells; the header has {len(names)}", got=got, do=do, file=file, line=line)


def _text(file: str) -> str:
    try:
        if os.path.isdir(file):
            inside = sorted(name for name in os.listdir(file) if name.endswith(".csv"))[:5]
            raise InputError(
                Problem("this is a folder", file=file, do="it holds " + ", ".join(inside) if inside else "name a file")
            )
        if os.path.exists(file) and not os.path.isfile(file):
            raise InputError(Problem("this is not a regular file", file=file, do="name a file that has an end"))
        size = os.path.getsize(file)
        if size > LIMIT:
            raise InputError(Problem("the table is too large", got=f"{size:,} bytes", do=f"at most {LIMIT:,}", file=file))
        with open(file, "rb") as stream:
            data = stream.read()
    except FileNotFoundError:
        folder, name = os.path.split(os.path.abspath(file))
        near = [each for each in os.listdir(folder) if each.endswith(".csv")] if os.path.isdir(folder) else []
        do = nearest(name, near) if near else "check the name"
        raise InputError(Problem("there is no such file", file=os.path.abspath(file), do=do)) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(Problem(f"the file cannot be read: {reason}", file=file, do="check its name and rights")) from None
    return _decoded(data, file)


def _decoded(data: bytes, file: str) -> str:
    for start, what in ((b"PK\x03\x04", "a zip (Excel)"), (b"\x1f\x8b", "a gzip"), (b"PAR1", "a Parquet")):
        if data.startswith(start):
            raise InputError(Problem(f"this is {what} file", file=file, do="save it as CSV"))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(Problem("the file is UTF-16", file=file, do="save it as UTF-8"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        raise InputError(Problem("the file is not UTF-8", got=found, do="save it as UTF-8", file=file, line=line)) from None
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise InputError(Problem("the file has a zero byte", file=file, line=line, do="save it as a CSV file"))
    return text
