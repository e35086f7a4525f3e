"""DuckDB, which splits the text into cells and reads the numbers: the one file that knows it."""

from __future__ import annotations

import base64
import binascii
import contextlib
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

BUFFER = "32MB"  # rows that wait for us while DuckDB reads on with all its threads


_PLACE = re.compile(r'converting column "c([0-9]+)"')


@dataclass(frozen=True)
class Wanted:
    """A column of a file as it is to be read: as text, or as numbers (what is none comes without a value).

    careful: whether some cell may be no number. Else DuckDB reads numbers where it splits the text, which is much faster,
    and ends at the first cell that is none, even though it was told to try.
    """

    place: int  # from 0
    number: bool = False
    decimal: str = "."
    thousands: str | None = None
    careful: bool = False


class MisfitError(Exception):
    """A row does not fit: it has other cells than the header, or in column `place` (from 0) a cell that is no number.

    place: None if it is not about a number.
    """

    def __init__(self, place: int | None, text: str) -> None:
        self.place = place
        super().__init__(text)


@dataclass(frozen=True)
class ParquetColumn:
    """A column of a Parquet file: its name, its type as DuckDB calls it, and what that is here; "" if it is nothing here."""

    name: str
    type: str
    kind: str


ROOM, OPEN = 256 * 2**20, 704 * 2**20
"""Bytes of address space without which DuckDB is not even loaded, and without which no database is opened: where they are not
there it may end the process instead of raising an exception."""


class Reader:
    """A database in memory, for as long as a table is read."""

    def __init__(self, memory: int | None = None) -> None:
        _room(ROOM)
        import duckdb

        _room(OPEN)

        self._error = duckdb.Error
        settings: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        if memory is not None:
            settings["memory_limit"] = f"{min(max(memory, 200 * 2**20), 2**60) // 2**20}MiB"
        self._connection = duckdb.connect(":memory:", config=settings)
        self._connection.execute("SET enable_progress_bar = false")
        self._connection.execute(f"SET streaming_buffer_size = '{BUFFER}'")
        self._folder = tempfile.TemporaryDirectory(prefix="chainrule-")

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
        skip: bool,
    ) -> Iterator[Batch]:
        """The wanted columns of a CSV file with `width` columns, some rows at a time, in their order.

        name: the file as messages call it. exact: whether cells may hold what DuckDB takes for a number and we do not, so
        that each must be looked at. one_by_one: with one thread, because more of them lose rows that have line ends in
        quotes. skip: whether to leave rows out that do not fit; a MisfitError is raised at the first one otherwise.
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
            "hive_partitioning = false",
            f"ignore_errors = {'true' if skip else 'false'}",
            f"max_line_size = {LONGEST}",
            f"buffer_size = {4 * LONGEST}",  # of each block that is read at once
        ]
        cells = ", ".join(_cell(each, exact) for each in wanted)
        query = f"SELECT {cells} FROM read_csv({_quoted(self._safe(path))}, {', '.join(settings)})"
        try:
            yield from batches(
                self._connection.sql(query).__arrow_c_stream__(), [FLOAT64 if each.number else TEXT for each in wanted]
            )
        except (self._error, StreamError) as error:
            text = str(error)
            if "CSV Error on Line" not in text:
                raise _failure(error, name) from None
            place = _PLACE.search(text)
            raise MisfitError(int(place[1]) if place else None, text) from None

    def parquet_columns(self, path: str, name: str) -> tuple[list[ParquetColumn], int]:
        """The columns of a Parquet file and how many rows it has; a RunError names columns that no table can have."""
        place = _quoted(self._safe(path))
        for key, value in self._asked(f"SELECT key, value FROM parquet_kv_metadata({place})", name):
            if bytes(key) == b"ARROW:schema":
                self._no_extensions(bytes(value), name)
        columns = [
            ParquetColumn(column, kind, _parquet_kind(kind))
            for column, kind, *_ in self._asked(
                f"DESCRIBE SELECT * FROM read_parquet({place}, hive_partitioning = false)", name
            )
        ]
        wrong = [each for each in columns if not each.kind]
        if wrong:
            do = "leave the column out, or write its parts as columns of numbers or text"
            raise RunError(
                *(
                    Problem("a column is neither numbers nor text", where=f'column "{e.name}"', got=e.type, do=do, file=name)
                    for e in wrong
                )
            )
        rows = int(self._asked(f"SELECT count(*) FROM read_parquet({place}, hive_partitioning = false)", name)[0][0])
        return columns, rows

    def _no_extensions(self, schema: bytes, name: str) -> None:
        """Types that other programs add to Parquet may run code where they are read: they are refused by name."""
        with contextlib.suppress(binascii.Error):
            schema = base64.b64decode(schema)
        at = schema.find(b"ARROW:extension:name")
        if at >= 0:
            near = [each for each in re.findall(rb"[\x21-\x7e]{3,}", schema) if not each.startswith(b"ARROW:")]
            got = ", ".join(sorted({each.decode() for each in near if b"." in each or b"py_ext" in each})[:3])
            what = "the file has a column of an extension type"
            raise RunError(Problem(what, got=got, do="write the column as plain numbers or text", file=name))

    def parquet(self, path: str, name: str, wanted: Sequence[ParquetColumn], numbers: Sequence[bool]) -> Iterator[Batch]:
        """The wanted columns of a Parquet file, some rows at a time; each as float64 or as text."""
        cells = ", ".join(_typed(each, number) for each, number in zip(wanted, numbers, strict=True))
        query = f"SELECT {cells} FROM read_parquet({_quoted(self._safe(path))}, hive_partitioning = false)"
        yield from self._stream(query, [FLOAT64 if number else TEXT for number in numbers], name)

    def rounded(self, path: str, name: str, columns: Sequence[ParquetColumn]) -> list[tuple[ParquetColumn, int]]:
        """Columns with numbers that float64 cannot hold exactly, and how many of them each has."""
        exact = [each for each in columns if each.type.startswith(("DECIMAL", "BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT"))]
        if not exact:
            return []
        counts = ", ".join(
            f"count(*) FILTER (try_cast(CAST({c} AS DOUBLE) AS {each.type}) IS DISTINCT FROM {c})"
            for each in exact
            for c in [_column(each.name)]
        )
        found = self._asked(f"SELECT {counts} FROM read_parquet({_quoted(self._safe(path))}, hive_partitioning = false)", name)[
            0
        ]
        return [(each, int(count)) for each, count in zip(exact, found, strict=True) if count]

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
        if not set(path) & set("*?[]{}") and "://" not in path and not path.startswith("~"):
            return path
        link = Path(self._folder.name) / f"{len(os.listdir(self._folder.name))}.table"
        link.symlink_to(os.path.abspath(path))
        return str(link)


def _room(needed: int) -> None:
    """MemoryError where the address space is limited (ulimit -v) and less than what is needed is left of it."""
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):  # a system that has no such limit, or does not tell
        return
    if limit != resource.RLIM_INFINITY and limit - used < needed:
        raise MemoryError


def _parquet_kind(kind: str) -> str:
    if kind.endswith("]"):
        return ""
    first = kind.partition("(")[0]
    if first in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL") or first in (
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
    ):
        return "number"
    if first == "BOOLEAN":
        return "boolean"
    if first == "DATE" or first.startswith("TIMESTAMP"):
        return "date"
    return "category" if first in ("VARCHAR", "ENUM") else ""


def _column(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _typed(wanted: ParquetColumn, number: bool) -> str:
    cell = _column(wanted.name)
    if not number:
        return f"CAST({cell} AS VARCHAR)"
    if wanted.kind == "date":
        return f"CAST(epoch_us(CAST({cell} AS TIMESTAMP)) AS DOUBLE) / 86400000000"
    return f"CAST({cell} AS DOUBLE)"


def _cell(wanted: Wanted, exact: bool) -> str:
    cell = f"c{wanted.place}"
    if not wanted.number:
        return cell
    if not exact and wanted.decimal == "." and wanted.thousands is None:
        if wanted.careful:
            return f"CASE WHEN {cell} IS NOT NULL THEN try_cast({cell} AS DOUBLE) END"
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
