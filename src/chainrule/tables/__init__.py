"""Tables: columns with kinds, read from files, with all that was found out about them as data."""

from __future__ import annotations

from chainrule.tables.describing import said
from chainrule.tables.examining import (
    Finding,
    alike,
    examine,
    fits_float32,
    misspelt,
    require,
    shared_rows,
    target_column,
    weights_column,
)
from chainrule.tables.front import read
from chainrule.tables.options import Options
from chainrule.tables.table import Column, Dialect, Found, Table

__all__ = [
    "Column",
    "Dialect",
    "Finding",
    "Found",
    "Options",
    "Table",
    "alike",
    "examine",
    "fits_float32",
    "misspelt",
    "read",
    "require",
    "said",
    "shared_rows",
    "target_column",
    "weights_column",
]
