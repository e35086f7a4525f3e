"""The way in: from whatever names a table to the table."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chainrule.errors import InputError, Problem, RunError
from chainrule.tables.arrays import read_arrays
from chainrule.tables.csvfile import CsvFile, look
from chainrule.tables.examining import alike
from chainrule.tables.opening import open_text, state_of
from chainrule.tables.options import Options
from chainrule.tables.parquet import read_parquet
from chainrule.tables.problems import failed
from chainrule.tables.reading import CsvReading
from chainrule.tables.sources import Source, find
from chainrule.tables.table import Table


def read(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    options: Options = Options(),
    kinds: Mapping[str, str] | None = None,
    memory: int | None = None,
) -> Table:
    """A table from files: .csv (also .gz), .parquet, .npy, .npz; one, a list, a pattern, or a folder of key=value folders.

    source: "-" is the standard input. kinds: {name: kind} of columns that are known, where a cell that does not fit is a
    mistake. memory: bytes that the values may take; beyond it they are in files, as read-only memory maps with the same bits.
    Raises InputError for options and names that nothing can be done with, RunError with all that is wrong with the data.
    """
    forced = options.forced(kinds)
    with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
        try:
            files = find(source, folder)
            mark = Fingerprint(files)
            table = _read(files, options, forced, memory, folder)
            table = replace(table, fingerprint=mark.hex())
        except InputError:
            raise
        except MemoryError:
            do = "free some, or say how much may be used: --memory MB (memory= in Python)"
            raise RunError(Problem("there is not enough memory for the table", do=do)) from None
        except OSError as error:
            name = error.filename if isinstance(error.filename, str) else ""
            what = f"the table cannot be read: {(error.strerror or str(error)).lower()}"
            raise RunError(Problem(what, file=name, do="check the file, and the space for temporary files")) from None
    return replace(table, warnings=(*table.warnings, *(each.problem for each in alike(table.names, table.files[0]))))


def _read(files: Sequence[Source], options: Options, forced: Mapping[str, str], memory: int | None, folder: str) -> Table:
    kind = files[0].format
    if any(each.format != kind for each in files):
        got = ", ".join(sorted({each.format for each in files}))
        raise failed("files of different formats make no table", files[0].name, got=got, do="name files of one format")
    if kind == "csv":
        return CsvReading(_looked_at(files, options, folder), options, forced, memory).table()
    if kind == "parquet":
        return read_parquet(files, options, forced, memory)
    return read_arrays(files, options, forced, memory)


def _looked_at(files: Sequence[Source], options: Options, folder: str) -> list[CsvFile]:
    looked: list[CsvFile] = []
    problems: list[Problem] = []
    for each in files:
        try:
            looked.append(look(open_text(each.path, each.name, options, folder), options, each.given))
        except RunError as error:
            problems += error.problems
    if problems:
        raise RunError(*problems[:20], *([Problem(f"and {len(problems) - 20:,} more mistakes")] if len(problems) > 20 else []))
    return looked


class Fingerprint:
    """SHA-256 over the bytes of files, one after the other, computed while something else is done with them."""

    def __init__(self, files: Sequence[Source]) -> None:
        self._files = files
        self._states = [state_of(each.path) for each in files]
        self._hash = hashlib.sha256()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for each in self._files:
                with open(each.path, "rb") as stream:
                    while block := stream.read(2**20):
                        self._hash.update(block)
        except OSError as error:
            self._error = error

    def hex(self) -> str:
        """The hash, when it is done; a RunError if a file is not the one any more that was read."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        for each, (before, when) in zip(self._files, self._states, strict=True):
            after, now = state_of(each.path)
            if (after, now) != (before, when):
                got = f"{before:,} bytes before, {after:,} after"
                raise failed("the file changed while it was read", each.name, got=got, do="read it when it is complete")
        return self._hash.hexdigest()
