"""What was sent: read up to a length and a time, and taken for JSON strictly, so that one text has one meaning."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from chainrule.errors import InputError, Problem, shown

DEPTH = 16
"""Brackets may be nested so deeply."""

LONGEST = 1_000
"""Digits that a number may have."""

# a text, with the colon that makes it a key; or a bracket. A text that never ends is a piece, too: looked for again from each
# quote in it, it would take a time that grows with the square of what was sent
_PIECE = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"(\s*+:)?|\\?\Z)|[\[\]{}]', re.DOTALL)
_TEXT_OR_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*+"|-?(?:NaN|Infinity|[0-9][0-9.eE+-]*+)', re.DOTALL)


def read(body: bytes) -> dict[str, Any]:
    """The object that a body is; an InputError with line and column for anything that is not plain JSON."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse("this is not UTF-8", body[: error.start].decode("utf-8", "replace"), error.start)
    _check_shape(text)
    try:
        data = json.loads(text, parse_constant=_not_a_number, parse_float=_number, parse_int=_whole)
    except json.JSONDecodeError as error:
        _refuse(f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]}", text, error.pos)
    except _OddError:
        _refuse_number(text)
    if not isinstance(data, dict):
        _refuse("this must be an object", text, 0, shown(text))
    return data


def _check_shape(text: str) -> None:
    """Refuses deep nesting, before a parser that calls itself meets it, and keys that are given twice."""
    keys: list[set[str]] = []
    for piece in _PIECE.finditer(text):
        sign = piece[0]
        if sign in "[{":
            keys.append(set())
            if len(keys) > DEPTH:
                _refuse(f"brackets are nested more than {DEPTH} deep", text, piece.start())
        elif sign in "]}":
            if keys:
                keys.pop()
        elif piece[2] and keys:
            key = piece[1]
            if "\\" in key:
                try:
                    key = json.loads(f'"{key}"')
                except ValueError:
                    continue  # whoever parses the text says so
            if key in keys[-1]:
                _refuse("a key is given twice", text, piece.start(), shown(key))
            keys[-1].add(key)


class _OddError(Exception):
    """A number that is none, or that nobody means."""


def _not_a_number(text: str) -> NoReturn:
    raise _OddError


def _number(text: str) -> float:
    value = float(text)
    if len(text) > LONGEST or not math.isfinite(value):
        raise _OddError
    return value


def _whole(text: str) -> int:
    if len(text) > LONGEST or not math.isfinite(float(text)):
        raise _OddError
    return int(text)


def _refuse_number(text: str) -> NoReturn:
    for piece in _TEXT_OR_NUMBER.finditer(text):
        if piece[0].startswith('"'):
            continue
        if "N" in piece[0] or "I" in piece[0]:
            _refuse("this is no number", text, piece.start(), piece[0])
        if len(piece[0]) > LONGEST:
            _refuse(f"a number has more than {LONGEST:,} digits", text, piece.start())
        if not math.isfinite(float(piece[0])):
            _refuse("this number is larger than float64 can hold", text, piece.start(), shown(piece[0]))
    raise AssertionError("a number was refused, and none is found")


def _refuse(what: str, text: str, at: int, got: str = "") -> NoReturn:
    before = text[:at]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    raise NotJsonError(Problem(what, got=got, do="send plain JSON", line=line, column=column))


class NotJsonError(InputError):
    """A body that is not the JSON that the page sends."""
