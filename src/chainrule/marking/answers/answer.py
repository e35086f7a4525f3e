"""One number that somebody wrote down."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.phrases import say


@dataclass(frozen=True)
class Answer:
    """A name, the number as it is written, and where. after: of the step after so many updates; None: the one that is asked
    for. example: whose number it is, if the file says so. fault: why it cannot be read, if that is known already."""

    name: str
    text: str
    file: str = ""
    line: int | None = None
    after: int | None = None
    example: str = ""
    fault: str = ""

    @property
    def place(self) -> str:
        """file:line, as far as there is one."""
        line = "" if self.line is None else str(self.line)
        return f"{self.file}:{line}" if self.file and line else self.file or (say("line {n}", n=line) if line else "")


UPDATES = 9
"""Digits of the number of updates that a file may ask for."""


def whole(text: str) -> int | None:
    """A number of updates, or None if the text is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= UPDATES else None
