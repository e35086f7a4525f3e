"""Predictions of a model for the rows of a table, and the table they are written as."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import files
from chainrule.errors import InputError, Problem, RunError, shown
from chainrule.models import Model
from chainrule.tables import Table
from chainrule.tables.table import day, plain_number

LIVE = "=+-@\t\r＝＋－＠"
"""A cell that begins with one of these is a formula to a spreadsheet."""

FIRST = 5


@dataclass(frozen=True, eq=False)
class Predictions:
    """names: of the columns; columns: an array of texts or numbers each, (rows,)."""

    names: tuple[str, ...]
    columns: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.columns[0])


def predict(model: Model, table: Table, probabilities: bool = False, along: Sequence[str] = ()) -> Predictions:
    """The model's prediction for each row: the class, or the number in the target's own unit.

    probabilities: one column more for each class. along: columns of the table that are written too, in front. Raises
    InputError for columns that the table does not have, RunError for a table that does not fit the model.
    """
    unknown = [name for name in along if name not in table]
    if unknown:
        raise InputError(*(table.unknown(name) for name in unknown))
    goal, outputs = model.for_tables()[1], model.outputs(table)
    names, columns = list(along), [_texts(table, name) for name in along]
    called = _free(f"{goal.column} predicted", names)
    if goal.kind == "number":
        values = goal.values(outputs)
        return Predictions((*names, called), (*columns, [day(each) for each in values] if goal.read_as == "date" else values))
    names.append(called)
    columns.append(goal.labels(outputs))
    if probabilities:
        each = goal.probabilities(outputs)
        for place, name in enumerate(goal.classes):
            names.append(_free(f"probability of {name}", names))
            columns.append(each[:, place])
    return Predictions(tuple(names), tuple(columns))


def _texts(table: Table, name: str) -> list[str]:
    column = table.column(name)
    return [column.text(row) for row in range(len(table))]


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name += "_"
    return name


def refuse_unseen(model: Model, table: Table) -> None:
    """RunError with line and value of the first cell whose level the model has not seen."""
    problems = []
    for unseen in model.for_tables()[0].unseen(table):
        file, line = table.place(unseen.first)
        problems.append(
            Problem(
                "a category that was not there in training",
                where=f'column "{unseen.column}"',
                got=shown(", ".join(unseen.levels[:FIRST])),
                do=f"correct it, or leave --unseen error out: it then counts as other ({unseen.rows:,} such rows)",
                file=file,
                line=line,
            )
        )
    if problems:
        raise RunError(*problems)


def unseen_words(model: Model, table: Table) -> Iterator[str]:
    """A sentence for each column with levels that were not there in training."""
    for unseen in model.for_tables()[0].unseen(table):
        listed = ", ".join(shown(level) for level in unseen.levels[:FIRST]) + (", ..." if len(unseen.levels) > FIRST else "")
        rows = f"{unseen.rows:,} row{'s' if unseen.rows > 1 else ''}"
        yield f"column {shown(unseen.column)} has values in {rows} that were not there in training, or rare: {listed}"


def rows_of(predictions: Predictions) -> Iterator[dict[str, float | str]]:
    """Each row as a table of texts and numbers, by the names of the columns."""
    columns = [column.tolist() if isinstance(column, np.ndarray) else column for column in predictions.columns]
    return (dict(zip(predictions.names, row, strict=True)) for row in zip(*columns, strict=True))


def as_csv(predictions: Predictions, guard: bool = True) -> str:
    """The table as CSV. guard: a text that a spreadsheet would run as a formula gets an apostrophe in front."""
    columns = [_cells(column, guard) for column in predictions.columns]
    head = [_guarded(name) if guard else name for name in predictions.names]
    return "".join(",".join(map(_quoted, row)) + "\n" for row in (head, *zip(*columns, strict=True)))


def _quoted(text: str) -> str:
    """A cell as it stands in the file."""
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if _NEEDS_QUOTES.search(text) or text != text.strip() else text


_NEEDS_QUOTES = re.compile(r'[",\r\n]')


def _cells(column: Any, guard: bool) -> Iterator[str]:
    if isinstance(column, np.ndarray) and column.dtype.kind == "f":
        return (plain_number(float(value)) if math.isfinite(value) else str(value) for value in column)
    return (_guarded(str(text)) if guard else str(text) for text in column)


def _guarded(text: str) -> str:
    if text[:1] and text[0] in LIVE and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def write(predictions: Predictions, file: Path, guard: bool = True) -> None:
    """Into a file, whole or not at all: Parquet if it is called so, CSV otherwise."""
    if file.suffix.lower() in (".parquet", ".pq"):
        from chainrule.tables.writing import write_parquet

        write_parquet(file, dict(zip(predictions.names, predictions.columns, strict=True)))
    else:
        files.write_text(file, as_csv(predictions, guard))
