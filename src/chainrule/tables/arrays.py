"""NumPy's .npy and .npz: numbers without names, or named columns; nothing in them is ever run."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError, shown
from chainrule.tables.building import Numbers, Store, Texts
from chainrule.tables.finishing import column_of_texts, typed_column
from chainrule.tables.opening import RATIO, SMALL
from chainrule.tables.options import Options
from chainrule.tables.problems import FIRST, Collected, failed
from chainrule.tables.sources import Source
from chainrule.tables.table import Column, Dialect, Part, Table

ACCEPTED = "biufUS"
"""Kinds of arrays that are columns: booleans, whole numbers, floats, texts."""


def read_arrays(files: Sequence[Source], options: Options, forced: Mapping[str, str], memory: int | None) -> Table:
    """A table from array files with the same columns."""
    opened = [_arrays(file) for file in files]
    first = opened[0]
    for file, found in zip(files, opened, strict=True):
        if [(name, each.dtype.kind in "US") for name, each in found] != [(n, e.dtype.kind in "US") for n, e in first]:
            raise failed("the columns are not those of the first file", file.name, do="files read together are alike")
        if found and len(found[0][1]) == 0 and len(files) == 1:
            raise failed(f"the table has {len(found)} columns, and no rows", file.name, do="add rows")
    counts = [len(found[0][1]) for found in opened]
    rows = sum(counts)
    store = Store(memory, rows * 8 * len(first))
    parts, at = [], 0
    for file, count in zip(files, counts, strict=True):
        parts.append(Part(file.name, at, count, lambda row: None))
        at += count
    problems, warnings, columns = Collected(), [], []
    for place, (name, _) in enumerate(first):
        pieces = [found[place][1] for found in opened]
        column, lost, infinite = _column(place + 1, name, pieces, rows, store, options, forced.get(name))
        columns.append(column)
        where = f'column "{name}"'
        if lost:
            what = f"{lost:,} whole numbers cannot be held exactly by float64"
            warnings.append(Problem(what, where=where, file=files[0].name, do="they are rounded"))
        for row in infinite[:FIRST]:
            part = next(each for each in reversed(parts) if each.first <= row)
            at_row = f"row {row - part.first + 1:,}, {where}"
            problems.add(Problem("a cell is not a finite number", where=at_row, file=part.file, do="use nan if it is unknown"))
        if forced.get(name) not in (None, column.kind) and (forced[name], column.kind) != ("number", "boolean"):
            what = f"the column holds {column.kind}s, and is needed as a {forced[name]}"
            problems.add(Problem(what, where=where, file=files[0].name, do="write it as the model knows it"))
        if options.missing == "error" and column.found.gaps:
            what = f"{column.found.gaps:,} cells have no value"
            got = f"the first in row {int(column.missing.argmax()) + 1:,}"
            problems.add(Problem(what, where=where, got=got, file=files[0].name, do="fill them in"))
    problems.done()
    return Table(
        tuple(file.name for file in files), rows, tuple(columns), tuple(warnings), Dialect(files[0].format), "", tuple(parts)
    )  # fmt: skip


def _column(
    place: int, name: str, pieces: Sequence[Any], rows: int, store: Store, options: Options, forced: str | None
) -> tuple[Column, int, list[int]]:
    kind = pieces[0].dtype.kind
    if kind in "US":
        texts = Texts(rows, store)
        at = 0
        for piece in pieces:
            for text in piece.tolist():
                data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
                texts.values[at] = texts.ids.setdefault(data, len(texts.ids))
                at += 1
        made, wrong = column_of_texts(name, place, texts, forced, options, ",")
        if wrong:
            made, _ = column_of_texts(name, place, texts, "category", options, ",")
        return made, 0, []
    numbers = Numbers(rows, store, ".")
    at = lost = 0
    with np.errstate(over="ignore"):
        for piece in pieces:
            values = np.asarray(piece, np.float64)
            numbers.values[at : at + len(piece)] = values
            if piece.dtype.kind in "iu" and piece.dtype.itemsize == 8 and len(piece):
                large = np.flatnonzero(np.abs(values) >= 2.0**53)
                lost += sum(int(piece[row]) != int(values[row]) for row in large.tolist())
            at += len(piece)
    numbers.odd = not np.isfinite(numbers.values).all()
    column, infinite = typed_column(name, place, numbers, "boolean" if kind == "b" else "number")
    return column, lost, infinite


def _arrays(file: Source) -> list[tuple[str, Any]]:
    """The columns of a file, in order, each (rows,)."""
    if file.format == "npy":
        with open(file.path, "rb") as stream:
            array = _read(stream, os.path.getsize(file.path), file.name)
        return _columns(array, "column", file.name)
    return _members(file)


def _members(file: Source) -> list[tuple[str, Any]]:
    """The columns of an .npz: its arrays by name, those with several columns numbered."""
    columns: list[tuple[str, Any]] = []
    try:
        with zipfile.ZipFile(file.path) as archive:
            members = archive.infolist()
            _no_bomb(members, file.name)
            for member in members:
                if not member.filename.endswith(".npy"):
                    what = "the .npz file has a member that is no array"
                    raise failed(what, file.name, got=shown(member.filename), do="save arrays alone into it")
                with archive.open(member) as stream:
                    array = _read(stream, member.file_size, file.name, member.filename)
                name = member.filename.removesuffix(".npy")
                columns += [(name, array)] if array.ndim == 1 and not array.dtype.names else _columns(array, name, file.name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise failed("this is not an .npz file, or it is damaged", file.name, got=str(error), do="save it again") from None
    if not columns:
        raise failed("the .npz file has no array", file.name, do="save arrays with names into it")
    rows = {len(array) for _, array in columns}
    if len(rows) > 1:
        got = ", ".join(f"{shown(name)[1:-1]}: {len(array):,}" for name, array in columns[:6])
        raise failed(
            "the arrays do not have equally many rows", file.name, got=got, do="a table has one value a row and column"
        )
    names = [name for name, _ in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise failed("two columns have the same name", file.name, got=shown(twice), do="rename one")
    return columns


def _no_bomb(members: Sequence[zipfile.ZipInfo], name: str) -> None:
    packed = sum(member.compress_size for member in members)
    size = sum(member.file_size for member in members)
    if size > max(SMALL, RATIO * packed):
        got = f"{size:,} bytes in {packed:,} packed ones"
        what = f"the .npz file unpacks to more than {RATIO} times its size"
        raise failed(what, name, got=got, do="save it uncompressed if that is right")


def _read(stream: Any, size: int, name: str, member: str = "") -> Any:
    """One array, after its header was held against what is there; objects would have to be unpickled, and never are."""
    where = f"member {shown(member)[1:-1]}" if member else ""
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise failed("the array file is of a newer version", name, got=str(version), where=where, do="save it again")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except RunError:
        raise
    except Exception as error:  # the header is a Python literal: what is wrong with it, its parser says in many ways
        first = (str(error).splitlines() or [""])[0][:100]
        raise failed("this is not a NumPy array file", name, got=first, where=where, do="save it with numpy.save") from None
    kinds = [dtype[each] for each in dtype.names] if dtype.names else [dtype]
    if dtype.hasobject:
        what = "the array holds Python objects, which are not read because that can run code"
        raise failed(what, name, got="dtype object", where=where, do="save it as numbers or text")
    for kind in kinds:
        if kind.kind not in ACCEPTED or kind.subdtype is not None:
            do = "save it as numbers, booleans or text"
            raise failed("the array holds no numbers and no text", name, got=f"dtype {kind}", where=where, do=do)
    if len(shape) not in (1, 2) or (dtype.names and len(shape) != 1):
        do = "a table has rows and columns; reshape it"
        raise failed(f"the array has {len(shape)} dimensions", name, got=f"shape {shape}", where=where, do=do)
    count = 1
    for length in shape:
        count *= int(length)
    expected, there = count * dtype.itemsize, size - stream.tell()
    if expected != there:
        what = "the array file is cut" if there < expected else "the array file has more than its array"
        got = f"{there:,} bytes where shape {shape} of {dtype} needs {expected:,}"
        raise failed(what, name, got=got, where=where, do="save it again")
    if len(shape) == 2 and shape[1] == 0:
        raise failed("the array has no columns", name, got=f"shape {shape}", where=where, do="save it with columns")
    data = stream.read(expected)
    if len(data) != expected:
        raise failed("the array file is cut", name, got=f"{len(data):,} of {expected:,} bytes", where=where, do="save it again")
    array = np.frombuffer(data, dtype) if dtype.itemsize else np.zeros(count, dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def _columns(array: Any, name: str, file: str) -> list[tuple[str, Any]]:
    if array.dtype.names:
        return [(each, array[each]) for each in array.dtype.names]
    if array.ndim == 1:
        return [(f"{name} 1", array)]
    if array.shape[1] > 10_000:
        raise failed(f"the array has {array.shape[1]:,} columns", file, do="at most 10,000 are read")
    return [(f"{name} {place + 1}", array[:, place]) for place in range(array.shape[1])]
