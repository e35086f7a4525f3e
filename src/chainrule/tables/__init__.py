"""Tables: columns with kinds, read from files, with all that was found out about them as data."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any

from chainrule.tables.columns import Columns, mean_and_deviation, read_columns
from chainrule.tables.csvfile import look
from chainrule.tables.opening import open_text
from chainrule.tables.options import Options
from chainrule.tables.reading import CsvReading
from chainrule.tables.table import Column, Dialect, Found, Table

__all__ = ["Column", "Columns", "Dialect", "Found", "Options", "Table", "mean_and_deviation", "read", "read_columns"]


def read(
    source: str | os.PathLike[str],
    options: Options = Options(),
    kinds: Mapping[str, str] | None = None,
    memory: int | None = None,
) -> Table:
    with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
        file = look(open_text(os.fspath(source), os.fspath(source), options, folder), options)
        return CsvReading([file], options, options.forced(kinds), memory).table()
