"""Numbers set so that they can be compared: points under points, and no more digits than tell something."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chainrule.explain.markup import Markup, el

FIGURE, POINT = "\u2007", "\u2008"
"""Spaces as wide as a digit, and as a point."""


def aligned(texts: Sequence[str]) -> list[str]:
    """Numbers filled up behind their points, so that set to the right these stand under each other."""
    tails = [text.partition(".")[2] if _is_number(text) else "" for text in texts]
    most = max(map(len, tails), default=0)
    return [
        text + (POINT * (most > 0 and not tail) + FIGURE * (most - len(tail))) * _is_number(text)
        for text, tail in zip(texts, tails, strict=True)
    ]


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or (text[:1] in "-+" and text[1:2].isdigit())


def compact(value: float | None) -> str:
    """Three digits, as people write them."""
    if value is None or not math.isfinite(value):
        return ""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e5 or size < 1e-4:
        mantissa, _, power = f"{value:.1e}".partition("e")
        return f"{mantissa}e{int(power)}"
    decimals = max(0, 2 - math.floor(math.log10(size)))
    return f"{value:,.{decimals}f}"


def grid(rows: Sequence[Sequence[str]], caption: str, texts: int = 1) -> Markup:
    """A table: a head, and a line for each other row; the first `texts` columns are texts, the others numbers."""
    head, *body = rows
    columns = [[row[place] for row in body] for place in range(len(head))]
    columns = [column if place < texts else aligned(column) for place, column in enumerate(columns)]
    lines = []
    for row in range(len(body)):
        cells = [el("th", columns[0][row], scope="row")]
        cells += [el("td", columns[place][row], class_=None if place < texts else "n") for place in range(1, len(head))]
        lines.append(el("tr", *cells))
    top = [el("th", name, scope="col", class_=None if place < texts else "n") for place, name in enumerate(head)]
    return el("table", el("caption", caption), el("thead", el("tr", *top)), el("tbody", *lines), class_="grid")
