"""A spec's plain data with numbers changed, each said by its id (`W[1][2,1]`, `x[2]@3`) or by its path (`update.order`).

What the spec leaves to be drawn, shared or shortened is written out where a number of it is changed, and only there. A rule
that is exchanged for another takes along the hyper-parameters that belong to it alone.
"""

from __future__ import annotations

import copy
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from chainrule.errors import InputError, Problem, shown
from chainrule.naming import Cell, parse_id
from chainrule.rules.rule import CATALOGUE
from chainrule.spec.fields import owners

if TYPE_CHECKING:
    from chainrule.spec import Example, Settings

NUMBERS = ("W", "b", "gamma", "beta", "x", "t")
"""Symbols of numbers that a spec gives and that can be changed one by one. `t@3` is the label of sample 3."""


def revised(example: Example, edits: Settings) -> dict[str, Any]:
    """Plain data with every edit in it; None takes a key out. An InputError names every edit that cannot be made."""
    from chainrule.spec import edited

    data = copy.deepcopy(example.data)
    problems: list[Problem] = []
    for path, value in edits:
        cell = parse_id(path)
        try:
            if cell is not None and cell.symbol in NUMBERS:
                _set(example, data, cell, value, path)
            elif value is None:
                _take_out(data, path)
            else:
                data = edited(data, [(path, value)])
                _without_strangers(data, path)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    return data


def place_of(example: Example, cell: Cell) -> str:
    """Where a spec has a number once it is written out: the path that its mistakes are told at."""
    sample = max(cell.sample, 1)
    if cell.symbol in ("x", "t"):
        key = "inputs" if cell.symbol == "x" else "targets"
        return f"data.{key}[{sample}]" + "".join(f"[{unit}]" for unit in cell.units)
    entry = example.data["network"]["layers"][cell.layer - 1]
    units = cell.units[::-1] if cell.symbol == "W" and in_columns(example.data, entry) else cell.units
    key = {"W": "weights", "b": "biases"}.get(cell.symbol, cell.symbol)
    return f"network.layers[{cell.layer}].{key}" + "".join(f"[{unit}]" for unit in units)


def weights_of(example: Example, layer: int, columns: bool) -> list[list[float]]:
    """A layer's first weights as its spec writes them: a row for each receiving unit, or for each sender."""
    weights = example.network.views(example.network.parameters)[layer - 1]["W"]
    rows: list[list[float]] = (weights.T if columns else weights).tolist()
    return rows


def in_columns(data: dict[str, Any], entry: dict[str, Any]) -> bool:
    """Whether a layer's weights are written with receiving units as columns."""
    return bool(entry.get("orientation", data["network"].get("orientation", "rows")) == "columns")


def opened(example: Example, data: dict[str, Any]) -> bool:
    """Writes out the data of a spec: a list for each row of inputs, and for each row of targets a list or a label. Whether the
    targets are labels."""
    part, labelled = data["data"], bool(example.outputs)
    if not _is_matrix(part["inputs"]):
        part["inputs"] = example.x.tolist()
    if labelled:
        listed = part["targets"] if isinstance(part["targets"], list) else [part["targets"]]
        part["targets"] = [each[0] if isinstance(each, list) else each for each in listed]
    elif not _is_matrix(part["targets"]):
        part["targets"] = example.t.tolist()
    return labelled


def refuse_table(example: Example, path: str) -> None:
    """Numbers of a table are not changed one by one."""
    if "table" in example.data["data"]:
        name = shown(example.data["data"]["table"])
        do = "take its numbers into the example first"
        raise InputError(Problem("inputs and targets come from a table", got=name, do=do, field=path))


def _is_matrix(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, list) for row in value)


def _set(example: Example, data: dict[str, Any], cell: Cell, value: Any, path: str) -> None:
    if cell.symbol in ("x", "t"):
        _set_data(example, data, cell, value, path)
        return
    views = example.network.views(example.network.parameters)
    if not 1 <= cell.layer <= len(views) or cell.symbol not in views[cell.layer - 1]:
        missing = f"layer {cell.layer} has no biases" if cell.symbol == "b" else f"there is no number {shown(path)}"
        raise InputError(Problem(missing, do="choose one that is there", field=path))
    entry, array = data["network"]["layers"][cell.layer - 1], views[cell.layer - 1][cell.symbol]
    if cell.symbol == "W":
        if not _is_matrix(entry.get("weights")):
            entry["weights"] = weights_of(example, cell.layer, in_columns(data, entry))
            entry.pop("units", None)
        _refuse_outside(cell, array.shape, path)
        i, j = cell.units
        row, column = (j, i) if in_columns(data, entry) else (i, j)
        entry["weights"][row - 1][column - 1] = value
    elif cell.symbol == "b" and not cell.units:
        if isinstance(entry["biases"], list):
            raise InputError(Problem("each unit has a bias of its own", do=f"name the unit: b[{cell.layer}][1]", field=path))
        entry["biases"] = value
    else:
        key = "biases" if cell.symbol == "b" else cell.symbol
        _refuse_outside(cell, array.shape, path)
        if not isinstance(entry.get(key), list):
            entry[key] = array.tolist()
        entry[key][cell.units[0] - 1] = value


def _set_data(example: Example, data: dict[str, Any], cell: Cell, value: Any, path: str) -> None:
    refuse_table(example, path)
    labelled = opened(example, data)
    rows = data["data"]["inputs" if cell.symbol == "x" else "targets"]
    if cell.symbol == "t" and labelled:
        _refuse_outside(cell._replace(units=(max(cell.sample, 1), *cell.units)), (len(rows),), path)
        rows[max(cell.sample, 1) - 1] = value
    else:
        _refuse_outside(cell._replace(units=(max(cell.sample, 1), *cell.units)), (len(rows), len(rows[0])), path)
        rows[max(cell.sample, 1) - 1][cell.units[0] - 1] = value


def _refuse_outside(cell: Cell, shape: tuple[int, ...], path: str) -> None:
    if len(cell.units) != len(shape) or any(not 1 <= i <= n for i, n in zip(cell.units, shape, strict=True)):
        size = " by ".join(str(length) for length in shape)
        raise InputError(Problem(f"there is no number {shown(path)}", do=f"there are {size}", field=path))


def _take_out(data: dict[str, Any], path: str) -> None:
    *way, key = path.split(".")
    here: Any = data
    for step in way:
        here = here.get(step, {}) if isinstance(here, dict) else {}
    if not isinstance(here, dict) or not key or key in ("network", "data"):
        raise InputError(Problem("this cannot be left out", got=shown(path), do="give it a value", field=path))
    here.pop(key, None)


_LAYER = re.compile(r"network\.layers\[(\d+)\]\.(activation|type)")


def _without_strangers(data: dict[str, Any], path: str) -> None:
    """Takes out the hyper-parameters of the rule that was exchanged, as far as the new one does not know them."""
    found = _LAYER.fullmatch(path)
    if found:
        entry = data["network"]["layers"][int(found[1]) - 1]
        kind, name, table = "activation", entry.get("activation", "identity"), entry
    elif path in ("network.loss", "update.optimizer"):
        kind = path.rpartition(".")[2]
        table = data["network"] if kind == "loss" else data["update"]
        name = table[kind]
    else:
        return
    if not isinstance(name, str) or name not in CATALOGUE[kind]:
        return  # the spec says that there is no such rule
    own = {entry.name for entry in fields(CATALOGUE[kind][name])}
    for key in [key for key in table if owners(kind, key) and key not in own]:
        del table[key]
