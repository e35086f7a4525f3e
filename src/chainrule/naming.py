"""Cells of a step, and their canonical ids.

A cell is one number's place: `dE/dW[2][1,1]`. Layers, units, inputs and samples count from 1; layer 0 is the
input. With one sample, samples are not mentioned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

StepName: TypeAlias = tuple[str, int, str, str]
"""A named array of a calculation: symbol, layer, a letter for each axis, and the parameter it belongs to, if any."""


class Cell(NamedTuple):
    """The place of one number. `of` is the parameter that an optimizer's memory belongs to; `via` the weighted sum or
    output through which a share of a derivative comes."""

    symbol: str
    layer: int = 0
    units: tuple[int, ...] = ()
    sample: int = 0
    of: str = ""
    via: Cell | None = None


class Scope(NamedTuple):
    """What it takes to turn a rule's step into cells: how many samples there are, and whether the loss is more than the
    mean over them, because samples or parameters have weights of their own in it."""

    rows: int
    adjusted: bool = False

    def cell(self, key: StepName, index: Sequence[int]) -> Cell:
        """The cell of a named step of a rule. `over` has a letter an axis: r samples, 1 nothing, any other units."""
        symbol, layer, over, parameter = key
        units, sample = self._split(over, index)
        if parameter:
            if over == "":
                return Cell(symbol)
            return Cell(parameter + symbol, layer, units) if symbol == "+" else Cell(symbol, layer, units, of=parameter)
        if symbol == "dE/dx":
            return Cell("dE/da", layer - 1, units, sample) if layer > 1 else Cell("dE/dx", 0, units, sample)
        if symbol == "E":
            alone = self.rows == 1 and over == "r1" and self.adjusted
            return Cell("E_sample" if alone else "E", 0, units, sample)
        return Cell(symbol, layer if over else 0, units, sample)

    def local(self, symbol: str, layer: int, over: str, place: Mapping[str, int]) -> Cell:
        """The cell of the local derivative in a product: `over` ends with the axes (left, summed, right)."""
        units = tuple(place[letter] + 1 for letter in over if letter not in "r1")
        sample = place["r"] + 1 if "r" in over[-2:] and self.rows > 1 else 0
        return Cell(symbol, layer, units, sample)

    def share(self, symbol: str, layer: int, over: str, place: Mapping[str, int], path: Cell) -> Cell:
        """The cell of one product in the sum for `symbol`: one sample's part, or one path's."""
        outer, summed = over[:-2] + over[-1], over[-2]
        target = self.cell((symbol, layer, outer, ""), [place[letter] for letter in outer])
        if summed == "r":
            return target._replace(sample=place["r"] + 1)
        return target._replace(via=path._replace(symbol=path.symbol.removeprefix("dE/d"), sample=0))

    def _split(self, over: str, index: Sequence[int]) -> tuple[tuple[int, ...], int]:
        pairs = list(zip(over, index, strict=False))
        units = tuple(i + 1 for letter, i in pairs if letter not in "r1")
        sample = next((i + 1 for letter, i in pairs if letter == "r"), 0)
        return units, sample if self.rows > 1 else 0


SHORTCUT = " shortcut"
"""What stands behind the name of a number that is derived a second, shorter way."""


def cell_id(cell: Cell) -> str:
    """The canonical id of a cell: a promise of the interface."""
    if cell.symbol.endswith(SHORTCUT):
        return cell_id(cell._replace(symbol=cell.symbol.removesuffix(SHORTCUT))) + SHORTCUT
    symbol, layer, index = cell.symbol, cell.layer, cell.units
    brackets = (f"[{layer}]" if layer else "") + (f"[{','.join(map(str, index))}]" if index else "")
    if cell.of:
        body = f"{symbol}[{cell.of}{brackets}]"
    elif symbol == "dz/dW":
        body = f"dz[{layer}][{index[0]}]/dW{brackets}"
    elif symbol == "dz/dx":
        sender = f"a[{layer - 1}]" if layer > 1 else "x"
        body = f"dz[{layer}][{index[0]}]/d{sender}[{index[1]}]"
    elif symbol == "da/dz" and len(index) == 2:
        body = f"da[{layer}][{index[0]}]/dz[{layer}][{index[1]}]"
    else:
        body = symbol + brackets
    sample = f"@{cell.sample}" if cell.sample else ""
    return body + sample + (f" via {cell_id(cell.via)}" if cell.via else "")


_ID = re.compile(r"(?P<head>[^\[\]@]+)(?P<index>(?:\[[\d,]{1,40}\])*)(?:@(?P<sample>\d{1,9}))?", re.ASCII)
_LOCAL = re.compile(
    r"dz\[(?P<layer>\d+)\]\[(?P<i>\d+)\]"
    r"/d(?:W\[\d+\]\[\d+,(?P<w>\d+)\]|(?:a\[\d+\]|x)\[(?P<x>\d+)\])(?:@(?P<sample>\d+))?"
)
_JACOBIAN = re.compile(r"da\[(?P<layer>\d+)\]\[(?P<k>\d+)\]/dz\[\d+\]\[(?P<i>\d+)\](?:@(?P<sample>\d+))?")
_OF_INPUTS = ("x", "t", "E", "raw", "average", "deviation", "median", "spread", "scaled", "dE/dx")
_MEMORY = re.compile(r"(?P<symbol>[^\[\]]+)\[(?P<of>\w+)(?P<index>(?:\[[\d,]+\])+)\]")


def parse_id(text: str) -> Cell | None:
    """The cell that a canonical id means, or None if the text has not the form of one."""
    path, _, via = text.partition(" via ")
    cell = _parse(path.removesuffix(SHORTCUT))
    if cell is not None and path.endswith(SHORTCUT):
        cell = cell._replace(symbol=cell.symbol + SHORTCUT)
    if cell is None or not via:
        return cell
    through = _parse(via)
    return None if through is None else cell._replace(via=through)


def _parse(text: str) -> Cell | None:
    if found := _LOCAL.fullmatch(text):
        layer, i, sample = int(found["layer"]), int(found["i"]), int(found["sample"] or 0)
        if found["w"]:
            return Cell("dz/dW", layer, (i, int(found["w"])), sample)
        return Cell("dz/dx", layer, (i, int(found["x"])), sample)
    if found := _JACOBIAN.fullmatch(text):
        return Cell("da/dz", int(found["layer"]), (int(found["k"]), int(found["i"])), int(found["sample"] or 0))
    if found := _MEMORY.fullmatch(text):
        inner = _parse(found["of"] + found["index"])
        return None if inner is None else inner._replace(symbol=found["symbol"], of=found["of"])
    found = _ID.fullmatch(text)
    if found is None:
        return None
    groups = [tuple(int(i) for i in group.split(",") if i) for group in re.findall(r"\[([\d,]+)\]", found["index"])]
    symbol, sample = found["head"], int(found["sample"] or 0)
    if symbol in _OF_INPUTS and len(groups) < 2:
        return Cell(symbol, 0, groups[0] if groups else (), sample)
    if not groups or len(groups[0]) != 1 or len(groups) > 2:
        return Cell(symbol, 0, (), sample) if not groups else None
    return Cell(symbol, groups[0][0], groups[1] if len(groups) > 1 else (), sample)
