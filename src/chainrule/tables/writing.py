"""Columns into a Parquet file, through DuckDB."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError


def write_parquet(file: Path, columns: Mapping[str, Any]) -> None:
    """A file of these columns (texts or numbers, equally long), whole or not at all. RunError if it cannot be written."""
    import duckdb

    held = {name: np.asarray(column, object if _texts(column) else None) for name, column in columns.items()}
    draft = file.with_name(f".chainrule-{os.getpid()}.tmp")
    name = str(draft).replace("'", "''")
    try:
        with duckdb.connect() as connection:
            connection.register("columns", held)
            connection.execute(f"COPY columns TO '{name}' (FORMAT parquet)")
        os.replace(draft, file)
    except (duckdb.Error, OSError) as error:
        what = f"the file cannot be written: {str(error).splitlines()[0]}"
        raise RunError(Problem(what, file=str(file), do="choose another place")) from None
    finally:
        draft.unlink(missing_ok=True)


def _texts(column: Any) -> bool:
    return not (isinstance(column, np.ndarray) and column.dtype.kind in "fiub")
