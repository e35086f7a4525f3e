"""Tables in Markdown whose decimals stand below each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Column(NamedTuple):
    """A heading, and how many decimals its numbers have."""

    title: str
    decimals: int = 0


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> str:
    """Numbers to the right, words to the left; None is an empty cell."""
    cells = [[_cell(value, column) for value, column in zip(row, columns, strict=True)] for row in rows]
    rows = [tuple(row) for row in cells]
    right = [all(value[:1].isdigit() or not value for value in column) for column in zip(*cells, strict=True)]
    widths = [max(map(len, (column.title, *found))) for column, found in zip(columns, zip(*cells, strict=True), strict=True)]
    lines = [[column.title for column in columns], *cells]
    padded = [[_pad(text, width, side) for text, width, side in zip(line, widths, right, strict=True)] for line in lines]
    rule = ["-" * (width - 1) + (":" if side else "-") for width, side in zip(widths, right, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (padded[0], rule, *padded[1:]))


def _cell(value: object, column: Column) -> str:
    if value is None:
        return ""
    return f"{value:,.{column.decimals}f}" if isinstance(value, (int, float)) else str(value)


def _pad(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)
