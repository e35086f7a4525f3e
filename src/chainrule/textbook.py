"""The names a textbook gives to numbers: `net_h1`, `dE/dw5`, `delta_o1`. Written for a cell, and read back into cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from chainrule.naming import SHORTCUT, Cell, cell_id

_UNIT = re.compile(r"([ioxh])(\d+)(?:_(\d+))?")
_ENDS_WITH_UNIT = re.compile(r"(.+?)_([ioh]\d+(?:_\d+)?)")
_LEARNING_RATE = {"learning_rate", "lr", "eta"}


class Naming:
    """Names for the numbers of one network, and cells for names."""

    def __init__(
        self,
        units: Sequence[int],
        weights: Mapping[int, tuple[int, int]],
        style: str = "textbook",
        custom: Mapping[int, Sequence[Sequence[str]]] | None = None,
    ) -> None:
        """units: of each layer. weights: the shape of each layer's W. style: textbook or matrix. custom: own names of
        weights, a row for each receiving unit."""
        self.style = style
        self.separate = False  # a path's share of E is the share of that output's own loss: E_o1
        self.custom = custom or {}
        self._last = len(units)
        self._first: dict[int, tuple[int, int, int]] = {}  # layer -> number of its first weight, and the shape of W
        self._own = {
            name: (layer, (i, j))
            for layer, rows in self.custom.items()
            for i, row in enumerate(rows, 1)
            for j, name in enumerate(row, 1)
        }
        count = 1
        for layer, (n_out, n_in) in weights.items():
            self._first[layer] = (count, n_out, n_in)
            count += n_out * n_in

    # writing

    def name(self, cell: Cell) -> str:
        """What a cell is called, in the chosen style."""
        return cell_id(cell) if self.style == "matrix" else self.textbook(cell)

    def parameter(self, symbol: str, layer: int, units: tuple[int, ...]) -> str:
        """w5, b1 (shared), b_h1, gamma_h1."""
        if symbol == "W":
            i, j = units
            if layer in self.custom:
                return self.custom[layer][i - 1][j - 1]
            first, _, width = self._first[layer]
            return f"w{first + (i - 1) * width + j - 1}"
        if units:
            return f"{symbol}_{self.unit(layer, units[0])}"
        return f"{symbol}{layer}" if symbol.removesuffix("+") == "b" else f"{symbol}_{self._layer(layer)}"

    def textbook(self, cell: Cell) -> str:
        """What a textbook calls a cell."""
        if cell.symbol.endswith(SHORTCUT):
            return self.textbook(cell._replace(symbol=cell.symbol.removesuffix(SHORTCUT))) + SHORTCUT
        sample = f"@{cell.sample}" if cell.sample else ""
        if cell.via is None:
            return self._body(cell) + sample
        target = self._body(cell)
        if self.separate and cell.via.layer == self._last and cell.via.symbol == "z":
            return target.replace("dE/", f"dE_{self.unit(self._last, cell.via.units[0])}/", 1) + sample
        return f"{target}{sample} via {self._body(cell.via)}"

    def unit(self, layer: int, i: int) -> str:
        """What a unit or an input is called: h1, o2, i3."""
        if layer == 0:
            return f"i{i}"
        if layer == self._last:
            return f"o{i}"
        return f"h{i}" if self._last == 2 else f"h{layer}_{i}"

    def _layer(self, layer: int) -> str:
        return "o" if layer == self._last else "h" if self._last == 2 else f"h{layer}"

    def _sum(self, layer: int, i: int) -> str:
        return f"net_{self.unit(layer, i)}"

    def _out(self, layer: int, i: int) -> str:
        return self.unit(0, i) if layer == 0 else f"out_{self.unit(layer, i)}"

    def _body(self, cell: Cell) -> str:
        symbol, layer, units = cell.symbol, cell.layer, cell.units
        if cell.of:
            after = "+" if symbol.endswith("+") else ""
            return f"{symbol.removesuffix('+')}_{self.parameter(cell.of, layer, units)}{after}"
        if symbol == "E":
            return f"E_{self.unit(self._last, units[0])}" if units else "E" if cell.sample else "E_total"
        if symbol == "t":
            return f"target_{self.unit(self._last, units[0])}"
        if symbol == "x":
            return self.unit(0, units[0])
        if symbol == "z":
            return self._sum(layer, units[0])
        if symbol == "a":
            return self._out(layer, units[0])
        if symbol == "dE/dx":
            return f"dE/d{self.unit(0, units[0])}"
        if symbol == "dE/da":
            return f"dE/d{self._out(layer, units[0])}"
        if symbol == "da/dz":
            return f"d{self._out(layer, units[0])}/d{self._sum(layer, units[-1])}"
        if symbol == "dE/dz":
            return f"delta_{self.unit(layer, units[0])}"
        if symbol == "dz/dW":
            return f"d{self._sum(layer, units[0])}/d{self.parameter('W', layer, units)}"
        if symbol == "dz/dx":
            return f"d{self._sum(layer, units[0])}/d{self._out(layer - 1, units[1])}"
        if not layer:
            return symbol + (f"_{self.unit(0, units[0])}" if units else "")
        stem, after = symbol.removesuffix("+"), "+" if symbol.endswith("+") else ""
        head, slash, what = stem.rpartition("/d")
        return f"{head}{slash}{self.parameter(what, layer, units)}{after}"

    # reading

    def read(self, text: str) -> Iterator[Cell]:
        """The cells that a textbook name may mean, likeliest first; whether a step has them is for the step to say."""
        if text.endswith(SHORTCUT):
            for cell in self.read(text.removesuffix(SHORTCUT)):
                yield cell._replace(symbol=cell.symbol + SHORTCUT)
            return
        path, _, via = text.partition(" via ")
        body, _, sample = path.partition("@")
        if sample and not sample.isdigit():
            return
        number = int(sample or 0)
        through = next(self._things(via), None) if via else None
        for cell in self._ratios(body) if re.match(r"d.*/d", body) else self._things(body):
            if via and through is None:
                return
            yield cell._replace(sample=number, via=through or cell.via)

    def _ratios(self, text: str) -> Iterator[Cell]:
        top, bottom = text.removeprefix("d").split("/d", 1)
        for by in self._things(bottom):
            if top in ("E", "E_total", "E_data"):
                kinds = {"a": "dE/da", "z": "dE/dz", "x": "dE/dx"}
                head = "dE_data" if top == "E_data" else "dE"
                yield by._replace(symbol=kinds.get(by.symbol, f"{head}/d{by.symbol}"))
                continue
            for of in self._things(top):
                if of.symbol == "E" and of.units and by.symbol == "a":
                    yield by._replace(symbol="dE/da", via=Cell("z", self._last, of.units))
                elif (of.symbol, by.symbol) == ("a", "z") and of.layer == by.layer:
                    if of.units == by.units:
                        yield by._replace(symbol="da/dz")
                    yield by._replace(symbol="da/dz", units=(*of.units, *by.units))
                elif (of.symbol, by.symbol) == ("z", "W"):
                    yield by._replace(symbol="dz/dW")
                elif of.symbol == "z" and by.symbol in ("a", "x"):
                    yield Cell("dz/dx", of.layer, (*of.units, *by.units))

    def _things(self, text: str) -> Iterator[Cell]:
        stem, after = text.removesuffix("+"), "+" if text.endswith("+") else ""
        if stem in ("E", "E_total"):
            yield Cell("E")
        head, _, rest = stem.partition("_")
        if (unit := self._place(rest)) is not None and head in ("net", "out", "delta", "target", "E"):
            layer, i = unit
            symbol = {"net": "z", "out": "a", "delta": "dE/dz", "target": "t", "E": "E"}[head]
            yield Cell(symbol, 0 if head in ("target", "E") else layer, (i,))
        if (unit := self._place(stem)) is not None and unit[0] == 0:
            yield Cell("x", 0, (unit[1],))
        if stem[:1] == "t" and stem[1:].isdigit():
            yield Cell("t", 0, (int(stem[1:]),))
        yield from (cell._replace(symbol=cell.symbol + after) for cell in self._parameters(stem))
        for cut in re.finditer("_", stem):
            for cell in self._parameters(stem[cut.end() :]):
                yield cell._replace(symbol=stem[: cut.start()] + after, of=cell.symbol)
        if found := _ENDS_WITH_UNIT.fullmatch(stem):
            unit = self._place(found[2])
            if unit is not None:
                yield Cell(found[1] + after, unit[0], (unit[1],))
        symbol, _, place = stem.rpartition("_")
        for layer in range(1, self._last + 1):
            if symbol and place == self._layer(layer):
                yield Cell(symbol + after, layer)
        yield Cell("η" if stem in _LEARNING_RATE else text)

    def _parameters(self, text: str) -> Iterator[Cell]:
        if text in self._own:
            layer, units = self._own[text]
            yield Cell("W", layer, units)
        found = re.fullmatch(r"(\D+)(\d+)", text)
        if found and found[1] == "w":
            number = int(found[2])
            for layer, (first, n_out, n_in) in self._first.items():
                if layer not in self.custom and first <= number < first + n_out * n_in:
                    row, column = divmod(number - first, n_in)
                    yield Cell("W", layer, (row + 1, column + 1))
        elif found:
            yield Cell(found[1], int(found[2]))
        head, _, rest = text.partition("_")
        if head in ("b", "gamma", "beta") and (unit := self._place(rest)) is not None:
            yield Cell(head, unit[0], (unit[1],))

    def _place(self, text: str) -> tuple[int, int] | None:
        """Layer and number of a unit: h2, h1_2, o1, i1 or x1."""
        found = _UNIT.fullmatch(text)
        if found is None:
            return None
        letter, first, second = found[1], int(found[2]), found[3]
        if letter == "h" and second:
            return first, int(second)
        if second:
            return None
        if letter == "h":
            return (1, first) if self._last == 2 else None
        return (self._last if letter == "o" else 0), first


def normal(text: str) -> str:
    """A name as people write it, brought to one spelling: no spaces, d for the curly one, + for a prime."""
    text = text.strip()[:200].replace("∂", "d").replace("δ", "delta").replace("′", "'")
    words = re.split(r"\s+(via|shortcut)\b\s*", text)
    text = "".join(f" {word} " if place % 2 else re.sub(r"[\s{}\\]", "", word) for place, word in enumerate(words)).strip()
    return re.sub(r"'(?=@|$)|_new(?=@|$)", "+", text)
