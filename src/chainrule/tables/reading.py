"""From CSV files to a table: each column read as what it seems to be, looked at whole, and read again if it is not that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.errors import InputError, shown
from chainrule.tables.building import Numbers, Store, Texts
from chainrule.tables.csvfile import CsvFile, together
from chainrule.tables.duck import MisfitError, Reader, Wanted
from chainrule.tables.finishing import column_of_numbers, column_of_texts, faulty
from chainrule.tables.kinds import decide
from chainrule.tables.options import OPTION, Options
from chainrule.tables.problems import Collected, failed
from chainrule.tables.table import Column, Dialect, Table

Columns = dict[str, Numbers | Texts]


class _AgainError(Exception):
    """What was read is of no use: it is read again, in another way."""


class CsvReading:
    """The reading of some files that make one table."""

    def __init__(self, files: Sequence[CsvFile], options: Options, forced: Mapping[str, str], memory: int | None) -> None:
        self.files, self.options, self.forced = files, options, forced
        wanted = [name for name in together(files) if not options.only or name in options.only]
        self.names = tuple(name for name in wanted if name not in options.ignored)
        self.rows = sum(file.rows for file in files)
        self.store = Store(memory, self.rows * 8 * len(self.names))
        self.memory = memory
        self.problems = Collected()
        self.reader: Reader

    def table(self) -> Table:
        """Read. A RunError has all that was found wrong."""
        self._names_exist()
        columns: Columns = {name: self._begun(name) for name in self.names}
        with Reader(self.memory) as self.reader:
            self._fill(columns)
            for _ in range(2):
                self._look(columns)
                again = {name: fresh for name in self.names if (fresh := self._settled(name, columns[name])) is not None}
                if not again:
                    break
                self._fill(again)
                columns |= again
        for file in self.files:
            self.problems.add(*file.problems, more=file.more)
        if self.files[0].names[-1] in columns:
            self._extra_cells(columns[self.files[0].names[-1]])
        done = []
        for place, name in enumerate(self.names, 1):
            done.append(self._column(place, name, columns.pop(name)))
            self.store.rest()
        self.problems.done()
        return self._table([column for column in done if column is not None])

    def _names_exist(self) -> None:
        """An InputError, because the command was wrong, if an option names a column that is not there."""
        table = Table((self.files[0].name,), 0, tuple(Column(each, 0, "", None) for each in together(self.files)))
        problems = [
            replace(table.unknown(name), field=f"--{OPTION.get(option, option)}")
            for option in ("categorical", "numeric", "only", "ignored")
            for name in getattr(self.options, option)
            if name not in table
        ]
        if problems:
            raise InputError(*problems)

    def _begun(self, name: str) -> Numbers | Texts:
        """A column to be filled, as what its first cells seem to be."""
        forced = self.forced.get(name)
        if forced not in (None, "number"):
            return Texts(self.rows, self.store)
        texts: Counter[str] = Counter()
        for file in self.files[:3]:
            if name in file.given:
                return Texts(self.rows, self.store)
            place = file.names.index(name)
            texts.update(row[place].strip() for row in file.sample)
        counts = {text: count for text, count in texts.items() if text.lower() not in self.options.empty}
        guess = decide(counts, forced, self.options, self.files[0].separator)
        if guess.kind == "number" and counts:
            careful = any(text and text not in counts for text in texts) or bool(guess.faults)
            return Numbers(self.rows, self.store, guess.decimal, careful)
        return Texts(self.rows, self.store)

    def _fill(self, columns: Columns) -> None:
        """Read columns from the first file to the last, and anew where something is found that was not expected."""
        for _ in range(len(columns) + len(self.files) + 1):
            try:
                self._read(columns)
                return
            except _AgainError:
                continue
        raise AssertionError("each reading that is begun anew is another one")

    def _read(self, columns: Columns) -> None:
        at = 0
        for file in self.files:
            inside = {name: column for name, column in columns.items() if name not in file.given}
            for name, column in columns.items():
                if name in file.given:
                    assert isinstance(column, Texts)
                    column.fill(file.given[name], at, file.rows)
            self._stream(file, inside, at, lambda column, batch, place, row: column.take(batch, place, row))
            at += file.rows

    def _look(self, columns: Columns) -> None:
        """A second reading of columns of numbers in which some cell is none: what stands there?"""
        odd = {name: column for name, column in columns.items() if isinstance(column, Numbers) and column.odd}
        at = 0
        empty = self.options.empty
        for file in self.files if odd else ():
            self._stream(file, odd, at, lambda column, batch, place, row: column.look(batch, place, row, empty), texts=True)
            at += file.rows
        for column in odd.values():
            column.odd = False

    def _stream(self, file: CsvFile, columns: Mapping[str, Any], at: int, take: Any, texts: bool = False) -> None:
        """Hand the batches of a file to its columns, the first row of it being row `at` of the table."""
        wanted = [
            Wanted(
                file.names.index(name),
                column.number and not texts,
                getattr(column, "decimal", "."),
                self.options.thousands if column.number else None,
                getattr(column, "careful", False),
            )
            for name, column in columns.items()
        ]
        text, expected, start = file.text, file.rows if file.kept is None else len(file.kept), at
        if not wanted:
            return
        rows = self.reader.csv(
            text.path,
            file.name,
            file.width,
            file.separator,
            file.header,
            wanted,
            exact=text.odd,
            one_by_one=file.one_by_one,
            line_end=text.line_end,
            skip=file.kept is not None,
        )
        try:
            for batch in rows:
                if at - start + batch.rows > expected:
                    break
                for place, column in enumerate(columns.values()):
                    take(column, batch, place, at)
                at += batch.rows
                self.store.rest()
        except MisfitError as misfit:
            self._expect(file, columns, wanted, misfit)
            raise _AgainError from None
        if at - start != expected:
            file.text.unchanged()
            hasty = [column for column in columns.values() if column.number and not column.careful]
            if hasty and not texts:  # a stream may end at a cell of its last rows that is no number, and not say so
                for column in hasty:
                    column.careful = True
                raise _AgainError
            self._lost(file, at - start, expected)
        for column in columns.values():  # rows that could not be read: no number, no text
            if not texts and expected < file.rows:
                column.leave_out(at, start + file.rows - at)

    def _expect(self, file: CsvFile, columns: Mapping[str, Any], wanted: Sequence[Wanted], misfit: MisfitError) -> None:
        """Make the next reading one that expects what ended this one; a RunError if it does already."""
        for column, want in zip(columns.values(), wanted, strict=True):
            if want.place == misfit.place and not column.careful:
                column.careful = True
                return
        if misfit.place is None and file.kept is None and file.reject():
            for column in columns.values():
                column.careful = True  # rows are skipped from now on, and only those that are too long or too short should be
            return
        file.text.unchanged()
        lines = [line for line in str(misfit).splitlines() if line.strip()]
        raise failed("a row cannot be read", file.name, got=shown("; ".join(lines[:3]), 200), do="look for unusual quotes")

    def _lost(self, file: CsvFile, found: int, expected: int) -> None:
        """End the reading if rows were lost: with what is wrong with the file, or else with their number."""
        if file.problems:
            self.problems.add(*file.problems, more=file.more)
            self.problems.done()
        what = f"{found:,} rows were read where {expected:,} should be"
        raise failed(what, file.name, do="look for unusual quotes or line ends")

    def _settled(self, name: str, column: Numbers | Texts) -> Numbers | Texts | None:
        """A column to be filled anew if a column of numbers turned out to be something else; None if it is settled."""
        if isinstance(column, Texts) or not column.bad:
            return None
        good = self.rows - sum(column.markers.values()) - sum(bad.count for bad in column.bad.values())
        counts = {text: bad.count for text, bad in column.bad.items()}
        if good:
            counts[column.example()] = good
        found = decide(counts, self.forced.get(name), self.options, self.files[0].separator)
        if found.kind == "number" and found.decimal == column.decimal:
            return None
        if found.kind == "number":
            return Numbers(self.rows, self.store, found.decimal)
        return Texts(self.rows, self.store)

    def _column(self, place: int, name: str, column: Numbers | Texts) -> Column | None:
        forced, separator = self.forced.get(name), self.files[0].separator
        if isinstance(column, Numbers):
            made, faults = column_of_numbers(name, place, column, forced, self.options, separator)
        else:
            made, faults = column_of_texts(name, place, column, forced, self.options, separator)
        refuses_gaps = self.options.missing == "error" and all(file.kept is None for file in self.files)
        if faults or (refuses_gaps and made.found.gaps):
            self.problems.add(*faulty(made, faults, refuses_gaps, self._where, forced is not None))
        return made

    def _extra_cells(self, last: Numbers | Texts) -> None:
        """Rows with an empty cell too many, which DuckDB passes over: more lines end with a separator than cells are empty."""
        ends = sum(int(file.text.last[ord(file.separator)]) for file in self.files if not file.trailing)
        if not ends:
            return
        if isinstance(last, Numbers):
            empty = last.markers[""]
        else:
            empty = sum(int(np.count_nonzero(last.values == last.ids[text])) for text in last.ids if not text.strip())
        if ends > empty:
            for file in self.files:
                self.problems.add(*file.extra_cells())

    def _where(self, row: int) -> tuple[str, int] | None:
        """File and line of a row; None beyond the rows of a file that could be read."""
        for file in self.files:
            if row < file.rows:
                return (file.name, file.line(row)) if file.kept is None or row < len(file.kept) else None
            row -= file.rows
        raise AssertionError("a row beyond all files")

    def _table(self, columns: Sequence[Column]) -> Table:
        parts, at = [], 0
        for file in self.files:
            file.text.unchanged()
            parts.append(file.part(at))
            at += file.rows
        first = self.files[0]
        commas = any("decimal comma" in note for column in columns for note in column.found.notes)
        dialect = Dialect(
            "csv",
            first.separator,
            "," if commas else ".",
            self.options.encoding or "utf-8",
            first.header,
            first.text.line_end,
            first.text.quotes,
            first.notes,
        )
        warnings = tuple(warning for file in self.files for warning in file.warnings)
        return Table(tuple(file.name for file in self.files), self.rows, tuple(columns), warnings, dialect, "", tuple(parts))
