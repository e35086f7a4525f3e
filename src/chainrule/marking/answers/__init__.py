"""Numbers that somebody wrote down, and where: from a mapping, a list of lines, a table, or marked in a document.

What cannot be read is an answer all the same, with its fault: the rest of a file is still checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from chainrule.errors import InputError, Problem, nearest, shown
from chainrule.marking.answers import latex, lines, markdown, table
from chainrule.marking.answers.answer import Answer
from chainrule.spec import EXAMPLES, documents, example_names

__all__ = ["FORMATS", "Answer", "Answers", "answers_in", "answers_text", "printed_answers", "read_answers"]

Answers: TypeAlias = "Mapping[str, Any] | Iterable[Answer | tuple[str, Any]] | str | os.PathLike[str]"
"""Answers from Python by name, as `{"net_h1": "0.31"}`; pairs; or the path of a file."""

FORMATS: dict[str, Callable[[str, str], list[Answer]]] = {
    ".toml": lines.read,
    ".txt": lines.read,
    ".csv": table.read,
    ".tsv": table.read,
    ".md": markdown.read,
    ".markdown": markdown.read,
    ".tex": latex.read,
}
"""How a file is read, by the end of its name."""


def read_answers(source: Answers) -> tuple[Answer, ...]:
    """The answers in a file, a mapping or a list. Raises InputError for a file that cannot be read or holds none."""
    if isinstance(source, (str, os.PathLike)):
        return tuple(answers_in(documents.contents(source, tuple(FORMATS)), os.fspath(source)))
    if isinstance(source, Mapping):
        source = source.items()
    return tuple(each if isinstance(each, Answer) else Answer(str(each[0]), str(each[1])) for each in source)


def answers_text(name: str) -> str:
    """The file with the numbers that a bundled example's source prints; an InputError if none comes with it."""
    known = tuple(each for each in example_names() if _bundled(each).is_file())
    if name not in known:
        raise InputError("no printed numbers come with this example", got=shown(name), do=nearest(name, known))
    return _bundled(name).read_text(encoding="utf-8")


def printed_answers(name: str) -> tuple[Answer, ...]:
    """The numbers that a bundled example's source prints."""
    return tuple(lines.read(answers_text(name), f"{name}.toml"))


def _bundled(name: str) -> Path:
    return EXAMPLES / "answers" / f"{name}.toml"


def answers_in(data: bytes, path: str) -> list[Answer]:
    """The answers in the contents of a file; the end of its name says how it is read. InputError as `read_answers` raises."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        do = f"write answers to a file that ends with {', '.join(FORMATS)}"
        raise InputError(Problem("no kind of answers goes with this file name", got=shown(Path(path).name), do=do, file=path))
    found = FORMATS[suffix](documents.decoded(data, path).replace("\r\n", "\n").replace("\r", "\n"), path)
    if not found:
        do = {
            ".md": "mark a number as 0.5<!-- net_h1 -->",
            ".markdown": "mark a number as 0.5<!-- net_h1 -->",
            ".tex": "mark a number with %= net_h1 at the end of its line",
        }.get(suffix, "write lines such as net_h1 = 0.5")
        raise InputError(Problem("no answers are in this file", file=path, do=do))
    return found
