"""Where the values of a TOML or JSON text stand: path -> line."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from chainrule.errors import InputError, Problem

DEPTH = 16
"""Brackets may be nested so deeply; a spec needs 5."""

LONGEST = 1_000
"""A number, or a word without quotes, may have so many characters."""

DOTS = 100  # in one dotted key: the TOML parser takes quadratic time for them

_TOKEN = re.compile(
    r"""(?P<space>\s++)
    |(?P<comment>\#[^\n]*+)
    |(?P<text>\"\"\"(?:[^"\\]|\\.|"(?!""))*+"{3,5}|'''.*?'{3,5}|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')
    |(?P<mark>[\[\]{},=:])
    |(?P<bare>[^\s"'\#\[\]{},=:]++)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_PART = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([^\s.\"']+)")


class Token(NamedTuple):
    """A piece of text: kind is text, mark, bare, line (an end of line) or other."""

    kind: str
    text: str
    start: int


def _tokens(text: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(text):
        kind = str(found.lastgroup)
        if kind == "other":
            return  # a quote that is never closed: whoever parses the text stops here too
        if kind == "space":
            if "\n" in found[0]:
                yield Token("line", "", found.start())
        elif kind != "comment":
            yield Token(kind, found[0], found.start())


def prescan(text: str, file: str) -> None:
    """Refuses what would exhaust a parser: deep nesting, and numbers or keys of absurd length."""
    depth = dots = 0
    for token in _tokens(text):
        if token.kind == "bare":
            dots += token.text.count(".")
            if len(token.text) > LONGEST:
                number = token.text[0] in "+-.0123456789"
                long = f"a number of {len(token.text):,} digits" if number else f"a word of {len(token.text):,} characters"
                _refuse(long, f"use at most {LONGEST:,}", text, token, file)
            if dots > DOTS:
                _refuse("a key has too many dots", f"use at most {DOTS}", text, token, file)
        elif token.kind in ("mark", "line"):
            dots = 0
            depth = max(0, depth + (token.text in ("[", "{")) - (token.text in ("]", "}")))
            if depth > DEPTH:
                _refuse("brackets are nested too deeply", f"nest at most {DEPTH} levels", text, token, file)


def _refuse(what: str, do: str, text: str, token: Token, file: str) -> None:
    before = text[: token.start]
    column = token.start - before.rfind("\n")
    raise InputError(Problem(what, do=do, file=file, line=before.count("\n") + 1, column=column))


class Places:
    """The lines of a text's values by path, and the keys that it gives twice as (path, first line, second line).

    Lenient: a text that the parser refuses is followed as far as it makes sense.
    """

    def __init__(self, text: str, is_json: bool) -> None:
        self.duplicates: list[tuple[str, int, int]] = []
        self._text = text
        self._ends = [found.start() for found in re.finditer("\n", text)]
        self._starts: dict[str, int] = {}
        self._implied: dict[str, int] = {}  # a table that only a longer path mentions
        self._counts: dict[str, int] = {}  # path of a list of tables -> entries so far
        self._tokens = [token for token in _tokens(text) if not (is_json and token.kind == "line")]
        self._next = 0
        if is_json:
            self._value("")
        else:
            self._statements()

    def line(self, path: str) -> int | None:
        while path:
            start = self._starts.get(path, self._implied.get(path))
            if start is not None:
                return self._line(start)
            parent = re.sub(r"(\[\d+\]|\.?[^.\[\]]+)$", "", path)
            path = parent if len(parent) < len(path) else path[:-1]
        return None

    def _line(self, start: int) -> int:
        return bisect_right(self._ends, start - 1) + 1

    def _note(self, path: str, start: int) -> None:
        if path in self._starts:
            self.duplicates.append((path, self._line(self._starts[path]), self._line(start)))
        else:
            self._starts[path] = start

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self) -> Token | None:
        token = self._peek()
        self._next += 1
        return token

    def _skip_lines(self) -> Token | None:
        while (token := self._peek()) and token.kind == "line":
            self._next += 1
        return token

    def _until(self, marks: str) -> tuple[int, int]:
        """From here to before one of the marks, or to the end of the line, which is also skipped."""
        start = stop = token.start if (token := self._peek()) else len(self._text)
        while token := self._take():
            if token.kind == "line" or (token.kind == "mark" and token.text in marks):
                return start, token.start
            stop = token.start + len(token.text)
        return start, stop

    def _statements(self) -> None:
        table = ""
        while token := self._skip_lines():
            if token.text == "[":
                table = self._heading()
                continue
            start, stop = self._until("=")
            if stop < len(self._text) and self._text[stop] == "=":
                self._value(self._key(table, start, stop))
                self._rest_of_line()

    def _rest_of_line(self) -> None:
        while (token := self._take()) and token.kind != "line":
            pass

    def _heading(self) -> str:
        opening = self._take()
        listed = (token := self._peek()) is not None and token.text == "["
        if listed:
            self._next += 1
        start, stop = self._until("]")
        self._rest_of_line()
        path = ""
        parts = _parts(self._text[start:stop])
        at = opening.start if opening else start
        for place, part in enumerate(parts, 1):
            path = f"{path}.{part}" if path else part
            if place < len(parts):
                self._implied.setdefault(path, at)
                if path in self._counts:
                    path += f"[{self._counts[path]}]"
        if listed:
            self._implied.setdefault(path, at)
            self._counts[path] = self._counts.get(path, 0) + 1
            path += f"[{self._counts[path]}]"
        self._note(path, at)
        return path

    def _key(self, table: str, start: int, stop: int) -> str:
        path = table
        parts = _parts(self._text[start:stop])
        for place, part in enumerate(parts, 1):
            path = f"{path}.{part}" if path else part
            if place < len(parts):
                self._implied.setdefault(path, start)
        self._note(path, start)
        return path

    def _value(self, path: str) -> None:
        self._skip_lines()
        token = self._take()
        if token is None or token.kind != "mark":
            return
        if token.text == "[":
            count = 0
            while token := self._skip_lines():
                if token.text in (",", "]") and token.kind == "mark":
                    self._next += 1
                    if token.text == "]":
                        return
                    continue
                count += 1
                self._note(f"{path}[{count}]", token.start)
                self._value(f"{path}[{count}]")
        elif token.text == "{":
            while token := self._skip_lines():
                if token.text in (",", "}") and token.kind == "mark":
                    self._next += 1
                    if token.text == "}":
                        return
                    continue
                start, stop = self._until("=:,}")
                if stop < len(self._text) and self._text[stop] in "=:":
                    self._value(self._key(path, start, stop))
                elif stop < len(self._text) and self._text[stop] == "}":
                    return


def _parts(key: str) -> list[str]:
    return [found[1] or found[2] or found[3] or "" for found in _PART.finditer(key)]
