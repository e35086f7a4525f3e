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


def alike(values: Sequence[float], digits: int = 4) -> list[str]:
    """Numbers that are compared with each other: as many decimals each as give the largest so many digits."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    decimals = max(0, digits - 1 - math.floor(math.log10(largest))) if largest else 0
    decimals = min(decimals, digits)  # below 1 the digits count from the point
    return [f"{value:,.{decimals}f}" if math.isfinite(value) else "-" for value in values]


def scrolled(table: Markup, caption: str) -> Markup:
    """A table that may be wider than the page: it scrolls by itself, by the keyboard too."""
    return el("div", table, class_="scroll", role="region", aria_label=caption, tabindex=0)


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
    table = el("table", el("caption", caption), el("thead", el("tr", *top)), el("tbody", *lines), class_="grid")
    return scrolled(table, caption)
