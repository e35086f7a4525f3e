"""DuckDB, which splits the text into cells and reads the numbers: the one file that knows it."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.errors import Problem, RunError
from chainrule.tables.arrow import FLOAT64, TEXT, Batch, StreamError, batches
from chainrule.tables.cells import pattern

LONGEST = 2_000_000
"""Bytes of the longest row that is read."""

BUFFER = "64MB"  # rows that wait for us while DuckDB reads on with all its threads


_FOUND = re.compile(r"Found: (\d+)")


@dataclass(frozen=True)
class Wanted:
    """A column of a file as it is to be read: as text, or as numbers (what is none comes without a value)."""

    place: int  # from 0
    number: bool = False
    decimal: str = "."
    thousands: str | None = None


@dataclass(frozen=True)
class Rejected:
    """A row that does not fit: the how many-th record it is, from 0 and the header included; what is wrong; its cells.

    found: how many cells it has, 0 if that is not known.
    """

    record: int
    kind: str
    text: str
    row: str
    found: int = 0


class Reader:
    """A database in memory, for as long as a table is read."""

    def __init__(self, memory: int | None = None) -> None:
        import duckdb

        self._error = duckdb.Error
        settings: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        if memory is not None:
            settings["memory_limit"] = f"{max(memory, 200 * 2**20) // 2**20}MiB"
        self._connection = duckdb.connect(":memory:", config=settings)
        self._connection.execute(f"SET streaming_buffer_size = '{BUFFER}'")
        self._folder = tempfile.TemporaryDirectory(prefix="chainrule-")
        self.rejected: list[Rejected] = []

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._folder.cleanup()

    def csv(
        self,
        path: str,
        name: str,
        width: int,
        separator: str,
        header: bool,
        wanted: Sequence[Wanted],
        *,
        exact: bool,
        one_by_one: bool,
        line_end: str,
    ) -> Iterator[Batch]:
        """The wanted columns of a CSV file with `width` columns, some rows at a time, in their order.

        name: the file as messages call it. exact: whether cells may hold what DuckDB takes for a number and we do not, so
        that each must be looked at. one_by_one: with one thread: more would lose rows that have line ends in quotes. What does not fit stands in `rejected` when all rows were read.
        """
        columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(width))
        settings = [
            f"columns = {{{columns}}}",
            "auto_detect = false",
            f"delim = {_quoted(separator)}",
            "quote = '\"'",
            "escape = '\"'",
            f"new_line = '{line_end}'",
            f"parallel = {'false' if one_by_one else 'true'}",
            f"header = {'true' if header else 'false'}",
            "compression = 'none'",
            "store_rejects = true",
            f"max_line_size = {LONGEST}",
        ]
        cells = ", ".join(_cell(each, exact) for each in wanted)
        query = f"SELECT {cells} FROM read_csv({_quoted(self._safe(path))}, {', '.join(settings)})"
        self.rejected = []
        yield from self._stream(query, [FLOAT64 if each.number else TEXT for each in wanted], name)
        query = "SELECT line, error_type, error_message, csv_line FROM reject_errors"
        self.rejected = [
            Rejected(
                int(line) - 1,
                kind,
                text,
                (row or "").strip("\r\n"),
                int(_FOUND.findall(text)[-1] if _FOUND.search(text) else 0),
            )
            for line, kind, text, row in self._asked(query, name)
        ]
        if self.rejected:
            self._connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")

    def _stream(self, query: str, formats: list[bytes], name: str) -> Iterator[Batch]:
        try:
            yield from batches(self._connection.sql(query).__arrow_c_stream__(), formats)
        except (self._error, StreamError) as error:
            raise _failure(error, name) from None

    def _asked(self, query: str, name: str) -> list[Any]:
        try:
            return self._connection.execute(query).fetchall()
        except self._error as error:
            raise _failure(error, name) from None

    def _safe(self, path: str) -> str:
        """A path that DuckDB takes as it is: it would look for files that match one with * or ? or [ in its name."""
        if not set(path) & set("*?[]{}") and "://" not in path:
            return path
        link = Path(self._folder.name) / f"{len(os.listdir(self._folder.name))}.table"
        link.symlink_to(os.path.abspath(path))
        return str(link)


def _cell(wanted: Wanted, exact: bool) -> str:
    cell = f"c{wanted.place}"
    if not wanted.number:
        return cell
    if not exact and wanted.decimal == "." and wanted.thousands is None:
        return f"try_cast({cell} AS DOUBLE)"
    text = cell if wanted.thousands is None else f"replace({cell}, {_quoted(wanted.thousands)}, '')"
    text = text if wanted.decimal == "." else f"replace({text}, ',', '.')"
    right = _quoted("\\s*(?:" + pattern(wanted.decimal, wanted.thousands) + ")\\s*")
    return f"CASE WHEN regexp_full_match({cell}, {right}) THEN try_cast({text} AS DOUBLE) END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _failure(error: Exception, name: str) -> RunError:
    lines = str(error).strip().splitlines() or ["no reason given"]
    return RunError(Problem("the table cannot be read", got=lines[0], file=name, do="check the file"))
