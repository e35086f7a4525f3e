"""How wide text is in a terminal, where a Chinese sign takes the place of two others: the one place that counts cells."""

from __future__ import annotations

import re
import textwrap
from unicodedata import east_asian_width

_CLOSING = "，。；：！？、）」』】》”’…"
"""Signs that do not begin a line."""

_OPENING = "（「『【《“‘"
"""Signs that do not end one."""


def wide(sign: str) -> bool:
    """Whether a sign takes two cells."""
    return sign >= "ᄀ" and east_asian_width(sign) in "WF"


def width(text: str) -> int:
    """The cells that a text takes."""
    return len(text) if text.isascii() else len(text) + sum(map(wide, text))


def left(text: str, cells: int) -> str:
    """A text at the left of so many cells."""
    return text + " " * (cells - width(text))


def right(text: str, cells: int) -> str:
    """A text at the right of so many cells."""
    return " " * (cells - width(text)) + text


def wrap(text: str, cells: int = 80, first: str = "", behind: str = "", hyphens: bool = True) -> list[str]:
    """A text as lines of at most so many cells. first, behind: what stands before the first line, and before the others.
    hyphens: whether a line may end after one. Between Chinese signs a line may end too, though not before a comma."""
    if not any(map(wide, text)):
        return textwrap.wrap(
            text, cells - (width(first) - len(first)), initial_indent=first, subsequent_indent=behind, break_on_hyphens=hyphens
        )
    lines, line, empty = [], first, True
    for piece in _PIECES.findall(text):
        if not empty and width(line) + width(piece.rstrip()) > cells:
            lines.append(line.rstrip())
            line, empty = behind, True
        if empty:
            piece = piece.lstrip()
        line, empty = line + piece, empty and not piece
    return [*lines, *([] if empty else [line.rstrip()])]


_WIDE = "ᄀ-ᅟ⺀-꓏가-힣豈-﫿︰-﹏＀-｠￠-￦"
_PIECES = re.compile(rf"[{_OPENING}]*(?:[{_WIDE}]|[^\s{_WIDE}{_OPENING}{_CLOSING}]+)[{_CLOSING}]*\s*|\S\s*|\s+")
