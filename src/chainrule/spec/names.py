"""The [names] of a spec: what a textbook calls the weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from chainrule.errors import shown
from chainrule.naming import cell_id
from chainrule.network import Network
from chainrule.spec.fields import Section, found
from chainrule.textbook import Naming

_NAME = re.compile(r"[^\W\d_]\w{0,39}")
_RESERVED = {"e", "ln", "max", "min", "tanh", "sqrt", "abs", "sign", "erfc", "if", "else", "via", "shortcut"}

_ALONE = {"E", "η", "R", "norm", "shrink", "rate"}
"""Symbols that are the whole name of a number."""

Rows = list[list[str]]


def read_names(section: Section, network: Network | None, columns: Sequence[bool]) -> Naming | None:
    """The [names] table. columns: for each layer, whether its weights are written with receiving units as columns.

    weights has a matrix of names, or a flat list of them, for each layer that has weights; or it is the first one's matrix.
    """
    style = section.choice("style", ("textbook", "matrix"), "")
    given = section.get("weights")
    section.close()
    if network is None:
        return None
    if "weights" not in section:
        return network.naming(style)
    shapes = {span.layer: (span.shape[0], span.shape[1]) for span in network.spans if span.symbol == "W"}
    custom = _per_layer(section, given, shapes, columns)
    naming = network.naming(style, custom)
    if not section.mistakes.problems:
        _refuse_twice(section, network, naming, shapes)
    return naming


def _per_layer(section: Section, given: object, shapes: dict[int, tuple[int, int]], columns: Sequence[bool]) -> dict[int, Rows]:
    layers = list(shapes)
    if not isinstance(given, list) or not given:
        section.add("weights", "must be a list of names for each layer")
        return {}
    path = section.at("weights")
    if layers and (_names(given) or _is_matrix(given, shapes[layers[0]], columns[layers[0] - 1])):
        given, places = [given], [path]  # the names of the first layer that has weights
    else:
        places = [f"{path}[{place}]" for place in range(1, len(given) + 1)]
    if len(given) > len(layers):
        section.add("weights", f"names for {len(given)} layers are given; {len(layers)} layers have weights")
        return {}
    custom = {}
    for layer, each, place in zip(layers, given, places, strict=False):
        rows = _rows(section, each, shapes[layer], columns[layer - 1], place)
        if rows is not None:
            custom[layer] = rows
    return custom


def _names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _is_matrix(given: list[Any], shape: tuple[int, int], columns: bool) -> bool:
    """Whether these are the names of one layer, and not a flat list for each."""
    rows, width = (shape[1], shape[0]) if columns else shape
    return all(_names(row) for row in given) and _fits(given, rows, width)


def _rows(section: Section, given: Any, shape: tuple[int, int], columns: bool, path: str) -> Rows | None:
    """The names of one layer's weights, a row for each receiving unit."""
    n_out, n_in = shape
    if _names(given) and len(given) == n_out * n_in:
        given = [given[start : start + n_in] for start in range(0, len(given), n_in)]
    elif columns and isinstance(given, list) and _fits(given, n_in, n_out):
        given = [list(row) for row in zip(*given, strict=True)]
    if not isinstance(given, list) or not _fits(given, n_out, n_in):
        size = f"{n_in} rows of {n_out}" if columns else f"{n_out} rows of {n_in}"
        section.mistakes.add(path, f"the names must stand as the weights do: {size}", found(given))
        return None
    for row in given:
        for name in row:
            if not isinstance(name, str) or not _NAME.fullmatch(name) or name in _RESERVED:
                do = "use one word: a letter, then at most 39 letters, digits or underscores; not a word of formulas"
                section.mistakes.add(path, "this cannot be the name of a weight", found(name), do)
                return None
    return given


def _fits(given: list[Any], rows: int, width: int) -> bool:
    return len(given) == rows and all(isinstance(row, list) and len(row) == width for row in given)


def _refuse_twice(section: Section, network: Network, naming: Naming, shapes: dict[int, tuple[int, int]]) -> None:
    seen: dict[str, int] = {}
    taken = network.naming("textbook")
    if sum(n_out * n_in for n_out, n_in in shapes.values()) > 100_000:
        return  # so many names are not written by hand
    for layer, (n_out, n_in) in shapes.items():
        for i in range(1, n_out + 1):
            for j in range(1, n_in + 1):
                name = naming.parameter("W", layer, (i, j))
                if name in seen:
                    section.add("weights", f"two weights are called {shown(name)}", "give each weight its own name")
                    return
                if layer in naming.custom and (other := _other(taken, name)):
                    section.add("weights", f"{shown(name)} is {other} already", "give the weight another name")
                    return
                seen[name] = layer


def _other(naming: Naming, name: str) -> str:
    """What else a weight's own name would mean: the id of that number, "" if nothing."""
    return next(
        (
            cell_id(cell)
            for cell in naming.read(name)
            if cell.symbol != "W" and (cell.units or cell.symbol in _ALONE or (cell.symbol == "b" and cell.layer))
        ),
        "",
    )
