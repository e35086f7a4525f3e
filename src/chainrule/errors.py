"""What a user can get wrong, said so that it can be put right."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake: what happened, where, what was found there, and what to do about it."""

    what: str
    where: str = ""
    got: str = ""
    do: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None
    field: str = ""

    @property
    def place(self) -> str:
        """Where it is: the file with line and column, the field, and what was said in words."""
        place = self.file
        if self.line is not None:
            place += f":{self.line}" if place else f"line {self.line}"
            place += f":{self.column}" if self.column is not None else ""
        return ", ".join(part for part in (place, self.field, self.where) if part)

    def __str__(self) -> str:
        got = f"got {self.got}" if self.got else ""
        return printable(" - ".join(part for part in (self.what, self.place, got, self.do) if part), keep="\n")


class InputError(ValueError):
    """Something given by the user cannot be used; `problems` lists every mistake that was found.

    `code` is the exit code of a command that ends with it: 2, because nothing was started.
    """

    code = 2

    def __init__(self, *problems: Problem | str, where: str = "", got: str = "", do: str = "", field: str = "") -> None:
        self.problems: tuple[Problem, ...] = tuple(
            Problem(problem, where=where, got=got, do=do, field=field) if isinstance(problem, str) else problem
            for problem in problems
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @property
    def where(self) -> str:
        """The place of the first problem."""
        return self.problems[0].where or self.problems[0].field

    @property
    def remedy(self) -> str:
        """What to do about the first problem."""
        return self.problems[0].do


class RunError(InputError):
    """Data, a file or a run failed: the command was right, and what it asked for could not be done."""

    code = 1


def nearest(word: object, known: Iterable[str]) -> str:
    """`did you mean ...?` with the closest known name, or the list of names when none is close."""
    names = sorted(set(known))
    close = closest(word, names)
    return f"did you mean {close}?" if close is not None else "choose one of " + ", ".join(names)


def closest(word: object, known: Iterable[str]) -> str | None:
    """The known name that is most like a word; None if none is."""
    return next(iter(difflib.get_close_matches(str(word).lower(), sorted(set(known)), n=1, cutoff=0.6)), None)


def shown(value: object, width: int = 60) -> str:
    """A user's value as it may stand in a message: quoted if text, cut at `width`, control signs made visible."""
    text = printable(repr(value) if isinstance(value, str) else str(value))
    return text if len(text) <= width else text[: width - 3] + "..."


def printable(text: str, keep: str = "") -> str:
    """Control and direction-changing characters as visible escapes, so that a name cannot steer a terminal or a page."""
    if text.isprintable() and (text.isascii() or not any(sign in text for sign in _FILLERS)):
        return text  # the usual case, found out at once
    return "".join(sign if sign in keep or not _steers(sign) else f"\\u{ord(sign):04x}" for sign in text)


_FILLERS = "\u034f\u115f\u1160\u3164\uffa0"
"""Letters that show nothing."""


def _steers(sign: str) -> bool:
    """Whether a sign is invisible and may act on a terminal or turn text round: controls, formats, separators, fillers."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp") or sign in _FILLERS
