"""Names as mathematics: `dE/dw5`, `net_h1@3` or `W+[2][1,1]` taken apart, so that LaTeX and MathML can set them."""

from __future__ import annotations

import re
from typing import NamedTuple

GREEK = {
    "delta": "δ", "eta": "η", "gamma": "γ", "beta": "β", "alpha": "α", "lambda": "λ", "mu": "μ", "rho": "ρ",
    "epsilon": "ε", "psi": "ψ",
}  # fmt: skip
_SHAPE = re.compile(
    r"(?P<base>.+?)(?:_(?P<sub>[^@+\[]+))?(?P<plus>\+)?(?P<index>(?:\[[^\]]*\])*)(?P<after>\+)?(?:@(?P<sample>\d+))?"
)
_NUMBERED = re.compile(r"([A-Za-zα-ω])(\d+)")


class Symbol(NamedTuple):
    """A letter or word with what stands below and above it."""

    base: str
    below: str = ""
    above: str = ""


class Derivative(NamedTuple):
    """What is derived, by what; and through which path or other words behind it."""

    of: Symbol
    by: Symbol
    note: str = ""


def parse(name: str) -> Symbol | Derivative:
    """A name taken apart. Whatever does not look like one of ours stays one word."""
    head, _, note = name.partition(" ")
    if "via" not in note and note != "shortcut":
        head, note = name, ""
    top, slash, bottom = head.partition("/d")
    if (slash and top.startswith("d")) or (slash and top.startswith("clip(d")):
        sample = re.search(r"@\d+$", bottom)
        of = top.removeprefix("d") + (sample.group() if sample and top != "dE" else "")
        return Derivative(_symbol(of), _symbol(bottom), note)
    symbol = _symbol(head)
    return Derivative(symbol, Symbol(""), note) if note else symbol


def _symbol(text: str) -> Symbol:
    match = _SHAPE.fullmatch(text)
    if match is None:
        return Symbol(text)
    base, below = match["base"], match["sub"] or ""
    numbered = _NUMBERED.fullmatch(base)
    if numbered and not below:
        base, below = numbered.groups()
    places = re.findall(r"\[([^\]]*)\]", match["index"])
    above = ""
    if len(places) > 1:
        above, below = f"[{places[0]}]", ",".join(places[1:])
    elif places:
        below = f"{below} {places[0]}".strip()
    if match["plus"] or match["after"]:
        above += "+"
    if match["sample"]:
        above += f"({match['sample']})"
    return Symbol(GREEK.get(base, base), below, above)
