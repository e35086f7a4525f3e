"""From a table to a network's inputs, and back to the cells they come from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError, shown
from chainrule.preparing.blocks import BLOCK, Rows, counted, parts, taken
from chainrule.preparing.columns import Category, LeftOut, Number, Prepared, told
from chainrule.preparing.ondisk import OnDisk
from chainrule.preparing.schema import column_data, columns_from
from chainrule.raw import Group, Raw
from chainrule.rules.preparation import Robust, Standardize
from chainrule.tables.table import Column, Table


@dataclass(frozen=True)
class Unseen:
    """What a column did not have in training: which levels (of numbers the farthest), in how many rows, and the first row."""

    column: str
    levels: tuple[str, ...]
    rows: int
    first: int


@dataclass(frozen=True)
class Preparation:
    """What becomes of each column of a table: the whole way from its cells to a network's inputs, as data.

    columns: in the order of the table that it was made for; the target is none of them. A table is prepared by the names of
    its columns: their order does not matter.
    """

    columns: tuple[Prepared, ...]

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The names of the network's inputs, in order."""
        return tuple(name for column in self.columns for name in column.inputs)

    @cached_property
    def used(self) -> tuple[Prepared, ...]:
        """The columns that give inputs."""
        return tuple(column for column in self.columns if not isinstance(column, LeftOut))

    @property
    def kinds(self) -> dict[str, str]:
        """The kind that each column has to be read as, by name."""
        return {column.name: "date" if isinstance(column, Number) and column.date else column.kinds[0] for column in self.used}

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        ends = np.cumsum([len(column.inputs) for column in self.used])
        return (0, *(int(end) for end in ends))

    def source(self, place: int) -> tuple[str, str]:
        """The column that an input (from 0) comes from, and what is done with it."""
        column, _ = self._column(place)
        return column.name, column.sentence

    def _column(self, place: int) -> tuple[Prepared, int]:
        """The column of an input, and which of the column's inputs it is."""
        if not 0 <= place < len(self.inputs):
            raise IndexError(f"there are {len(self.inputs)} inputs")
        number = int(np.searchsorted(self._starts, place, side="right")) - 1
        return self.used[number], place - self._starts[number]

    def check(self, table: Table, besides: Iterable[str] = ()) -> None:
        """RunError unless the table has every column that is used, of a kind that fits, and no other but `besides` (target
        and weights, say) and those that were left out."""
        have = [column.name for column in table.columns]
        known = {column.name for column in self.columns} | set(besides)
        missing = [column.name for column in self.used if column.name not in have]
        extra = [name for name in have if name not in known]
        if missing or extra:
            parts = [
                f"{what} {', '.join(shown(name) for name in names[:20])}"
                for what, names in (("missing:", missing), ("not known:", extra))
                if names
            ]
            do = "give the columns that the model was trained on, in any order"
            raise RunError(Problem("the table has other columns than the training table", got="; ".join(parts), do=do))
        for column in self.used:
            self._fitting(table, column)

    def _fitting(self, table: Table, column: Prepared) -> Column:
        found = next((each for each in table.columns if each.name == column.name), None)
        if found is None:
            raise RunError(Problem(f"the table has no column {shown(column.name)}", do="the model needs it: add it"))
        if found.kind not in column.kinds:
            what = f"column {shown(column.name)} must be of kind {column.kinds[0]}, as in training"
            raise RunError(Problem(what, got=found.kind, do="correct its cells"))
        return found

    def matrix(self, table: Table, rows: Rows = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """The inputs, (rows, inputs), of all rows or of some, given as their places from 0. out: an array to write them into
        instead, of this shape. A level that was not there in training counts as "other".

        RunError for a column that is missing, or a number too far from those of the training for its prepared form.
        """
        columns = [self._fitting(table, column) for column in self.used]
        count = counted(rows, len(table))
        if out is None:
            out = np.empty((count, len(self.inputs)), dtype)
        elif out.shape != (count, len(self.inputs)):
            raise ValueError(f"out must have the shape {(count, len(self.inputs))}; it has {out.shape}")
        for start, stop, part in parts(None if rows is None else np.asarray(rows), len(table), self._block):
            self._into(out[start:stop], columns, part, table)
        return out

    @property
    def _block(self) -> int:
        return max(256, BLOCK * 32 // max(32, len(self.inputs)))

    def _into(self, out: Any, columns: list[Column], part: Any, table: Table) -> None:
        for column, found, start, stop in zip(self.used, columns, self._starts, self._starts[1:], strict=False):
            values = taken(found.values, part)
            try:
                with np.errstate(over="raise", invalid="raise"):
                    column.into(out[:, start:stop], values, getattr(found, "levels", ()))
            except FloatingPointError:
                raise self._too_far(column, values, part, table, out.dtype) from None

    def _too_far(self, column: Prepared, values: Any, part: Any, table: Table, dtype: Any) -> RunError:
        """The cell whose number is so far from the others that its prepared form is not finite."""
        one = np.empty((1, len(column.inputs)), dtype)
        bad = 0
        with np.errstate(all="ignore"):
            for row in range(len(values)):
                column.into(one, values[row : row + 1], ())
                if not np.isfinite(one).all():
                    bad = row
                    break
        place = part.start + bad if isinstance(part, slice) else int(part[bad])
        file, line = table.place(place)
        what = f"a number is too far from those of the training to be prepared as {np.dtype(dtype).name}"
        where = f'column "{column.name}"'
        return RunError(
            Problem(what, where=where, got=f"{values[bad]:g}", do="correct it, or clear the cell", file=file, line=line)
        )

    def write(self, table: Table, rows: Rows, file: str | os.PathLike[str], dtype: Any = np.float32) -> OnDisk:
        """The same matrix into a file, row after row, a block at a time: for tables that memory does not hold. The bits are
        those of `matrix`. RunError if the file cannot be written."""
        columns = [self._fitting(table, column) for column in self.used]
        name = os.fspath(file)
        try:
            with open(name, "wb") as stream:
                for start, stop, part in parts(None if rows is None else np.asarray(rows), len(table), self._block):
                    block = np.empty((stop - start, len(self.inputs)), dtype)
                    self._into(block, columns, part, table)
                    stream.write(block.reshape(-1).view(np.uint8).data)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            do = "make room on this disk, or name another folder"
            raise RunError(Problem(f"prepared rows cannot be written: {reason}", file=name, do=do)) from None
        return OnDisk(name, counted(rows, len(table)), len(self.inputs), dtype)

    def unseen(self, table: Table, rows: Rows = None) -> tuple[Unseen, ...]:
        """The levels in these rows that no input stands for, column by column. Those grouped as "other" in training are among
        them: they are prepared alike."""
        result = []
        for column in self.used:
            if not isinstance(column, Category):
                continue
            found = self._fitting(table, column)
            unknown = np.array([not column.knows(level) for level in found.levels] + [False])
            count, first, seen = 0, -1, np.zeros(len(unknown), bool)
            for start, _, part in parts(rows, len(table)):
                codes = taken(found.values, part)
                hits = np.flatnonzero(unknown[codes])
                if len(hits):
                    row = int(hits[0])
                    first = first if first >= 0 else start + row if isinstance(part, slice) else int(part[row])
                    count += len(hits)
                    seen[codes[hits]] = True
            if count:
                levels = tuple(level for level, there in zip(found.levels, seen, strict=False) if there)
                result.append(Unseen(column.name, levels, count, first))
        return tuple(result)

    def cut(self, table: Table, rows: Rows = None) -> tuple[Unseen, ...]:
        """The numbers in these rows that are farther out than any was in training, and are cut, column by column; as levels
        the farthest of them."""
        result = []
        for column in self.used:
            if not isinstance(column, Number) or column.far:
                continue
            found = self._fitting(table, column)
            count, first, farthest = 0, -1, column.center
            for start, _, part in parts(rows, len(table)):
                values = taken(found.values, part)
                hits = np.flatnonzero(column.beyond(values))
                if len(hits):
                    row = int(hits[0])
                    first = first if first >= 0 else start + row if isinstance(part, slice) else int(part[row])
                    count += len(hits)
                    ends = (farthest, float(values[hits].min()), float(values[hits].max()))
                    farthest = max(ends, key=lambda each: abs(each - column.center))
            if count:
                result.append(Unseen(column.name, (f"{farthest:g}",), count, first))
        return tuple(result)

    def raw(self, table: Table, rows: Any) -> Raw:
        """The cells that these rows' inputs are made of, for a derivation: of each scaled input its number in the table (or
        what stands in for it), of each other input a sentence."""
        rows = np.asarray(rows)
        groups = []
        for rule in (Standardize(), Robust()):
            chosen = [
                (column, start)
                for column, start in zip(self.used, self._starts, strict=False)
                if isinstance(column, Number) and column.rule == rule
            ]
            if not chosen:
                continue
            cells = np.stack([column.filled(taken(self._fitting(table, column).values, rows)) for column, _ in chosen], 1)
            center, scale = (np.array([getattr(column, name) for column, _ in chosen]) for name in ("center", "scale"))
            groups.append(Group(rule, tuple(start for _, start in chosen), cells, center, scale))

        def sentence(row: int, place: int) -> str:
            column, which = self._column(place)
            found = self._fitting(table, column)
            value = float(found.values[rows[row]])
            empty = value < 0 if found.kind == "category" else value != value
            return told(column, which, None if empty else found.text(int(rows[row])), value)

        return Raw(tuple(groups), sentence)

    def data(self) -> dict[str, Any]:
        """Everything, as plain data that JSON can hold."""
        return {"columns": [column_data(column) for column in self.columns]}

    @staticmethod
    def made(data: Mapping[str, Any]) -> Preparation:
        """The preparation that `data` gave; RunError if this is none."""
        return Preparation(columns_from(data))
