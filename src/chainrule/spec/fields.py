"""One table of a spec, read key by key; every mistake is collected with its line and path."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, replace
from typing import Any, TypeVar

from chainrule.errors import InputError, Problem, nearest, shown
from chainrule.rules.rule import CATALOGUE, Rule, find
from chainrule.spec.documents import Document

T = TypeVar("T")

MOST = 100  # mistakes that are listed; a matrix may hold a million of them


class Mistakes:
    """Every mistake and warning of one spec. `settings` are the paths that were set from outside of the file."""

    def __init__(self, document: Document, settings: Sequence[str] = ()) -> None:
        self.document, self.settings = document, tuple(settings)
        self.problems: list[Problem] = []
        self.warnings: list[str] = []

    def add(self, path: str, what: str, got: str = "", do: str = "") -> None:
        if len(self.problems) < MOST:
            file, line = self.place(path)
            self.problems.append(Problem(what, got=got, do=do, file=file, line=line, field=path))

    def given(self, error: InputError, path: str, got: str = "") -> None:
        """Takes over what a rule or the network says about the value at `path`."""
        for problem in error.problems[: MOST - len(self.problems)]:
            file, line = self.place(path)
            self.problems.append(replace(problem, got=got or problem.got, file=file, line=line, field=path))

    def warn(self, path: str, text: str) -> None:
        file, line = self.place(path)
        place = f"{file}:{line}" if file and line else file or (f"line {line}" if line else "")
        self.warnings.append(" - ".join(part for part in (text, f"{place}, {path}" if place else path) if part))

    def place(self, path: str) -> tuple[str, int | None]:
        for setting in self.settings:
            inside = path == setting or path.startswith((f"{setting}.", f"{setting}["))
            made = setting.startswith(f"{path}.") and path not in self.document.data  # a table that was made for the setting
            if inside or made:
                return "--set", None
        return self.document.file, self.document.line(path)


def found(value: object) -> str:
    """A value of a spec as it may stand in a message, spelled as in TOML or JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    return shown(value)


def finite(value: object) -> str:
    """Why a value is not a finite number, in words; empty if it is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "must be a number"
    try:
        return "" if math.isfinite(value) else "must be finite"
    except OverflowError:  # a whole number beyond 1.8e308
        return "must be finite: it is larger than float64 can hold"


def respelled(value: object, whole: bool = False) -> str:
    """What to write instead of a number in quotes, or of a whole number with a point."""
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return ""
        return f"remove the quotes: {shown(value)[1:-1]}"
    if whole and isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return f"write {int(value)}"
    return ""


def owners(kind: str, key: str) -> list[str]:
    """The standard names of the rules of a kind that have a hyper-parameter `key`."""
    return [
        name
        for name, cls in CATALOGUE[kind].items()
        if name == cls.name and any(entry.name == key and not entry.name.startswith("_") for entry in fields(cls))
    ]


class Section:
    """A table of a spec. Each key that is asked for is a known one; `close` reports the others."""

    def __init__(self, mistakes: Mistakes, data: object, path: str = "") -> None:
        self.mistakes, self.path = mistakes, path
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        self.known: set[str] = set()
        if not isinstance(data, dict):
            mistakes.add(path, f"{path} must be a table", found(data), f"write [{path}] above its keys")

    def __contains__(self, key: str) -> bool:
        self.known.add(key)
        return key in self.data

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def get(self, key: str, default: Any = None) -> Any:
        self.known.add(key)
        return self.data.get(key, default)

    def add(self, key: str, what: str, do: str = "", got: str = "") -> None:
        """A mistake at a key; what was found there is added if the key is given."""
        path = self.at(key)
        self.mistakes.add(path, what, got or (found(self.data[key]) if key in self.data else ""), do)

    def missing(self, key: str, do: str) -> None:
        """A key that must be given is not; said only if no key is a misspelling of it."""
        unknown = [other for other in self.data if other not in self.known]
        if not difflib.get_close_matches(key, unknown, n=1, cutoff=0.6):
            self.mistakes.add(self.at(key), f"{self.at(key)} is missing", do=do)

    def close(self, hint: Callable[[str], str] = lambda key: "", also: Sequence[str] = ()) -> None:
        """Reports unknown keys. `hint` says where a key belongs, if it knows; `also` are keys to suggest."""
        for key in self.data:
            if key not in self.known:
                do = hint(key) or nearest(key, [*self.known, *also])
                self.mistakes.add(self.at(key), f"unknown key {shown(key)}", found(self.data[key]), do)

    def section(self, key: str) -> Section | None:
        return Section(self.mistakes, self.data[key], self.at(key)) if key in self else None

    def text(self, key: str, default: str = "") -> str:
        value = self.get(key, default)
        if isinstance(value, str):
            return value
        self.add(key, "must be text", f'put it in quotes: "{found(value)}"' if not isinstance(value, (dict, list)) else "")
        return default

    def choice(self, key: str, options: Sequence[str], default: str) -> str:
        value = self.get(key, default)
        if isinstance(value, str) and (value in options or value == default):
            return value
        self.add(key, f"unknown {key}", nearest(value, options))
        return default

    def switch(self, key: str, default: bool) -> bool:
        value = self.get(key, default)
        if isinstance(value, bool):
            return value
        self.add(key, "must be true or false")
        return default

    def whole(self, key: str, default: T, least: int, most: int = 2**63 - 1) -> int | T:
        """A whole number from `least` to `most`; the default if it is absent or wrong."""
        if key not in self:
            return default
        value = self.data[key]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            beyond = isinstance(value, int) and value > most
            limit = f"from {least} to {most}" if most < 1_000 or beyond else f"at least {least}"
            self.add(key, f"must be a whole number, {limit}", respelled(value, whole=True))
            return default
        return int(value)

    def numbers(self, key: str) -> list[float] | None:
        """A list of finite numbers; None if it is absent or wrong."""
        if key not in self:
            return None
        value = self.data[key]
        if not isinstance(value, list):
            self.add(key, "must be a list of numbers")
            return None
        return self._row(value, self.at(key))

    def matrix(self, key: str) -> list[list[float]] | None:
        """Rows of finite numbers, all of one length; a flat list is one row. None if it is absent or wrong."""
        if key not in self:
            return None
        value, path = self.data[key], self.at(key)
        if not isinstance(value, list) or not value:
            self.add(key, "must be a list of rows of numbers" + ("; it is empty" if value == [] else ""))
            return None
        if not any(isinstance(row, list) for row in value):
            row = self._row(value, path)
            return None if row is None else [row]
        rows = []
        for place, each in enumerate(value, 1):
            if not isinstance(each, list):
                self.mistakes.add(f"{path}[{place}]", f"row {place} must be a list of numbers, as the others are", found(each))
            else:
                rows.append(self._row(each, f"{path}[{place}]"))
        width = len(value[0]) if isinstance(value[0], list) else 0
        for place, each in enumerate(value, 1):
            if isinstance(each, list) and isinstance(value[0], list) and (len(each) != width or not width):
                what = f"row {place} has {len(each)} numbers, but row 1 has {width}" if width else f"row {place} is empty"
                self.mistakes.add(f"{path}[{place}]", what, found(each), "give every row as many numbers")
                rows.append(None)
        whole = [row for row in rows if row is not None]
        return whole if len(whole) == len(rows) else None

    def _row(self, values: list[Any], path: str) -> list[float] | None:
        right = True
        for place, value in enumerate(values, 1):
            if why := finite(value):
                right = False
                self.mistakes.add(f"{path}[{place}]", why, found(value), respelled(value))
        return [float(value) for value in values] if right else None

    def named(self, kind: str, key: str) -> type[Any] | None:
        """The rule whose name stands at `key`; None if it is absent or unknown."""
        if key not in self:
            return None
        try:
            return find(kind, self.data[key] if isinstance(self.data[key], str) else "")
        except InputError as error:
            self.mistakes.given(error, self.at(key), found(self.data[key]))
            return None

    def rule(self, cls: type[Any], skip: Sequence[str] = (), **more: Any) -> Any:
        """A rule whose hyper-parameters are keys of this table. If they are wrong: with defaults, or None."""
        given, right, needed = dict(more), True, False
        for entry in fields(cls):
            if entry.name in skip or entry.name in more:
                continue
            required = entry.default is MISSING and entry.default_factory is MISSING
            needed = needed or required
            if entry.name in self:
                given[entry.name] = self.data[entry.name]
                right = self._fits(cls, entry.name, entry.metadata.get("check")) and right
            elif required:
                self.missing(entry.name, f"{cls.name} needs it")
                right = False
        if right:
            return cls(**given)
        return None if needed else cls(**more)

    def _fits(self, cls: type[Rule], key: str, check: Any) -> bool:
        value = self.data[key]
        try:
            if isinstance(value, int) and finite(value) and not isinstance(value, bool):
                raise InputError(f"{cls.name}: {key} {finite(value)}")
            if check is not None:
                check(cls.name, key, value)
        except InputError as error:
            do = respelled(value, whole="whole number" in error.problems[0].what) or error.problems[0].do
            self.mistakes.add(self.at(key), error.problems[0].what, found(value), do)
            return False
        return True

    def make(self, maker: Callable[[], T], key: str) -> T | None:
        """What `maker` makes; None if it cannot, and what it says is reported at `key`."""
        try:
            return maker()
        except InputError as error:
            self.mistakes.given(error, self.at(key), found(self.data[key]) if key in self.data else "")
        return None
