"""Rows of a table by their lines, for predictions that are derived."""

from __future__ import annotations

import re
from pathlib import Path

from chainrule import models, tables
from chainrule.errors import InputError, Problem, RunError, nearest, shown
from chainrule.experiment import options, place_of
from chainrule.models import Model
from chainrule.replay.again import RecordedRun
from chainrule.settings import Settings
from chainrule.tables import Table

__all__ = ["of_model", "of_run", "place_of", "row_of"]


def of_run(run: RecordedRun, data: tuple[str, ...] = ()) -> tuple[Model, Table]:
    """The model that a run left, and its table or another one, read as the run's was."""
    file = run.run.model_file
    if not file.is_file():
        do = "train on: chainrule train --resume RUN writes it"
        raise RunError(Problem("the run has no model yet", file=str(file), do=do))
    return of_model(models.load(file), data or run.settings.data, run.settings)


def of_model(model: Model, data: tuple[str, ...], settings: Settings = Settings()) -> tuple[Model, Table]:
    """A model with a table, its columns of the kinds that the model knows."""
    preparation, goal = model.for_tables()
    table = tables.read(data[0] if len(data) == 1 else data, options(settings), dict(preparation.kinds))
    preparation.check(table, besides=(goal.column,))
    return model, table


def row_of(table: Table, text: str) -> int:
    """The row, from 0, that `LINE` or `FILE:LINE` means; a row's number from 1 where files have no lines. InputError for what
    is no such thing, RunError if no row begins there."""
    name, colon, number = text.strip().rpartition(":")
    if not re.fullmatch(r"[0-9]{1,18}", number) or int(number) < 1:
        raise InputError("--row needs the number of a line", got=shown(text), do="for example --row 2, or --row part-2.csv:17")
    line = int(number)
    file = _file(table, name) if colon else None
    if table.rows and table.place(0)[1] is None:
        return _numbered(table, line, file)
    if file is None and len(table.files) > 1:
        do = f"name the file too: --row {Path(table.files[0]).name}:{line}"
        raise InputError(f"the table has {len(table.files)} files, and each has such a line", got=shown(text), do=do)
    return table.row_at(line, file)


def _file(table: Table, name: str) -> str:
    for file in table.files:
        if name in (file, Path(file).name):
            return file
    names = [Path(file).name for file in table.files]
    raise InputError("the table has no such file", got=shown(name), do=nearest(name, names))


def _numbered(table: Table, number: int, file: str | None) -> int:
    first, count = 0, table.rows
    if file is not None:
        part = next(part for part in table.parts if part.file == file)
        first, count = part.first, part.rows
    if number > count:
        raise RunError(Problem(f"the table has the rows 1 to {count:,}", got=shown(number), do="choose one of them"))
    return first + number - 1
