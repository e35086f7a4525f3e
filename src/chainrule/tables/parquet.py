"""Parquet: columns that say themselves what they are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from chainrule.errors import Problem, shown
from chainrule.tables.building import Numbers, Store, Texts
from chainrule.tables.duck import ParquetColumn, Reader
from chainrule.tables.finishing import column_of_texts, typed_column
from chainrule.tables.options import Options
from chainrule.tables.problems import FIRST, Collected, failed
from chainrule.tables.sources import Source
from chainrule.tables.table import Column, Dialect, Part, Table


def check(path: str, name: str) -> None:
    """A RunError if a file is no Parquet file, or is cut: it begins and ends with PAR1, and says how long its footer is."""
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        head = stream.read(4)
        stream.seek(max(0, size - 8))
        tail = stream.read(8)
    if b"PARE" in (head, tail[4:]):
        raise failed("this is an encrypted Parquet file", name, do="decrypt it")
    if head != b"PAR1":
        what = "the file is empty" if size == 0 else "this is not a Parquet file"
        raise failed(what, name, got=shown(head.decode("latin-1")) if size else "", do="check what wrote it")
    if tail[4:] != b"PAR1" or size < 12:
        raise failed(f"the Parquet file is cut at byte {size:,}", name, do="fetch or write it again: its footer is not there")
    footer = int.from_bytes(tail[:4], "little")
    if footer > size - 12:
        got = f"a footer of {footer:,} bytes in a file of {size:,}"
        raise failed("the Parquet file is damaged", name, got=got, do="fetch or write it again")


def read_parquet(files: Sequence[Source], options: Options, forced: Mapping[str, str], memory: int | None) -> Table:
    """A table from Parquet files with the same columns."""
    for file in files:
        check(file.path, file.name)
    with Reader(memory) as reader:
        described = [reader.parquet_columns(file.path, file.name) for file in files]
        _same(files, described)
        names = (*(each.name for each in described[0][0]), *files[0].given)
        for name in forced:
            if name in options.categorical + options.numeric and name not in names:
                raise _no_column(files[0].name, names, name)
        counts = [rows for _, rows in described]
        rows = sum(counts)
        if rows == 0:
            raise failed(f"the table has {len(names)} columns, and no rows", files[0].name, do="add rows")
        store = Store(memory, rows * 8 * len(names))
        kinds = {each.name: each for each in described[0][0]}
        columns: dict[str, Numbers | Texts] = {}
        for name in names:
            number = name in kinds and kinds[name].kind != "category" and forced.get(name) != "category"
            columns[name] = Numbers(rows, store, ".") if number else Texts(rows, store)
        warnings: list[Problem] = []
        at = 0
        for file, (found, count) in zip(files, described, strict=True):
            here = {each.name: each for each in found}
            wanted = [here[name] for name in names if name in here]
            done = 0
            for batch in reader.parquet(file.path, file.name, wanted, [columns[each.name].number for each in wanted]):
                for place, each in enumerate(wanted):
                    columns[each.name].take(batch, place, at + done)
                done += batch.rows
            if done != count:
                raise failed(f"{done:,} rows were read where {count:,} should be", file.name, do="write the file again")
            for name, text in file.given.items():
                column = columns[name]
                assert isinstance(column, Texts)
                column.fill(text, at, count)
            for each, lost in reader.rounded(file.path, file.name, wanted):
                what = f"{lost:,} values of type {each.type} cannot be held exactly by float64"
                warnings.append(Problem(what, where=f'column "{each.name}"', file=file.name, do="they are rounded"))
            at += count
    problems = Collected()
    parts, at = [], 0
    for file, count in zip(files, counts, strict=True):
        parts.append(Part(file.name, at, count, lambda row: None))
        at += count
    done_columns = []
    for place, name in enumerate(names, 1):
        kind = kinds[name].kind if name in kinds else None
        made = _column(place, name, columns.pop(name), kind, forced.get(name), options, problems, parts)
        done_columns.append(made)
    problems.done()
    return Table(
        tuple(file.name for file in files), rows, tuple(done_columns), tuple(warnings), Dialect("parquet"), "", tuple(parts)
    )  # fmt: skip


def _column(
    place: int,
    name: str,
    column: Numbers | Texts,
    kind: str | None,
    forced: str | None,
    options: Options,
    problems: Collected,
    parts: Sequence[Part],
) -> Column:
    if isinstance(column, Numbers):
        assert kind is not None
        made, infinite = typed_column(name, place, column, kind)
        for row in infinite[:FIRST]:
            more = f"; {len(infinite):,} cells of this column are like this" if len(infinite) > 1 else ""
            problems.add(_cell(name, row, parts, "a cell is not a finite number", "leave it empty if it is unknown" + more))
        if forced not in (None, kind) and not (forced == "number" and kind in ("boolean", "date")):
            what = f"the column holds {kind}s, and is needed as a {forced}"
            problems.add(Problem(what, where=f'column "{name}"', file=parts[0].file, do="write it as the model knows it"))
    else:
        made, wrong = column_of_texts(name, place, column, forced, options, ",")
        if wrong and forced is None:
            made, wrong = column_of_texts(name, place, column, "category", options, ",")
        for each in wrong:
            do = (each.fault.do or "correct it") + (f"; {each.bad.count:,} times" if each.bad.count > 1 else "")
            problems.add(_cell(name, each.bad.rows[0], parts, f"a cell {each.fault.what}", do, shown(each.text)))
    if options.missing == "error" and made.found.gaps:
        row = int(made.missing.argmax())
        do = f"fill it in; {made.found.gaps:,} cells of this column have no value"
        problems.add(_cell(name, row, parts, "a cell has no value", do))
    return made


def _cell(name: str, row: int, parts: Sequence[Part], what: str, do: str, got: str = "") -> Problem:
    part = next(each for each in reversed(parts) if each.first <= row)
    where = f'row {row - part.first + 1:,}, column "{name}"'
    return Problem(what, where=where, got=got, do=do, file=part.file)


def _same(files: Sequence[Source], described: Sequence[tuple[Sequence[ParquetColumn], int]]) -> None:
    first = {each.name: each.kind for each in described[0][0]}
    for file, (columns, _) in zip(files, described, strict=True):
        both = [name for name in file.given if name in {each.name for each in columns}]
        if both:
            raise failed("a column stands in the file and in its folder's name", file.name, got=shown(both[0]))
        found = {each.name: each.kind for each in columns}
        if found != first:
            differ = sorted(name for name in {*found, *first} if found.get(name) != first.get(name))
            got = "; ".join(f"{shown(e)[1:-1]}: {first.get(e, 'none')} and {found.get(e, 'none')}" for e in differ[:5])
            raise failed("the columns are not those of the first file", file.name, got=got, do="files read together are alike")


def _no_column(file: str, names: Sequence[str], name: str) -> Any:
    from chainrule.errors import InputError

    table = Table((file,), 0, tuple(Column(each, 0, "", None) for each in names))
    return InputError(*[table.unknown(name)])
