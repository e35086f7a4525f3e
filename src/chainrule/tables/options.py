"""How a table is to be read, where the reader is not to find out for itself."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, fields

from chainrule.errors import InputError, Problem, shown

KINDS = ("number", "boolean", "date", "category")

MARKERS = ("", "na", "n/a", "#n/a", "<na>", "nan", "null", "?", "-")
"""What stands in a cell that has no value, in any case of letters."""


@dataclass(frozen=True)
class Options:
    """What is known of a table beforehand; None where it is to be found out.

    separator, decimal, thousands, comment: one sign each. encoding: a name Python knows. header: whether the first row has
    names. missing: "impute" keeps rows with gaps (what to do with them is for others), "error" refuses them.
    markers: texts without a value, beside the usual ones. categorical, numeric: names of columns that are to be so.
    only: names of the columns to read, if it is not all of them; cells of others are not looked at.
    ignored: names of columns that are not read.
    """

    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: bool | None = None
    comment: str | None = None
    missing: str = "impute"
    markers: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems: list[Problem] = []

        def wrong(name: str, what: str, do: str) -> None:
            problems.append(Problem(what, got=shown(getattr(self, name)), do=do, field=f"--{OPTION.get(name, name)}"))

        for name in ("categorical", "numeric", "markers", "only", "ignored"):
            value = getattr(self, name)
            if isinstance(value, str) or not all(isinstance(each, str) for each in value):
                wrong(name, "must be a list of names", "give each name by itself")
            else:
                object.__setattr__(self, name, tuple(value))
        for name in ("separator", "decimal", "thousands", "comment"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or len(value) != 1 or value in '"\n\r\0' or ord(value) > 127):
                wrong(name, "must be one plain sign, and no quote or line end", "for example " + EXAMPLE[name])
        if self.decimal not in (None, ".", ","):
            wrong("decimal", "the decimal sign is a point or a comma", "give . or ,")
        if self.missing not in ("impute", "error"):
            wrong("missing", "must be impute or error", "impute fills gaps in, error refuses them")
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
                "".encode(self.encoding)
            except (LookupError, TypeError, ValueError):
                wrong("encoding", "there is no such encoding", "for example utf-8, latin-1, cp1252, utf-16")
        signs = {name: getattr(self, name) for name in ("separator", "decimal", "thousands", "comment")}
        for place, (name, sign) in enumerate(signs.items()):
            for other in list(signs)[:place]:
                if sign is not None and sign == signs[other] and {name, other} != {"separator", "decimal"}:
                    wrong(name, f"{name} and {other} cannot be the same sign", "change one of them")
        both = sorted(set(self.categorical) & set(self.numeric)) if not problems else []
        if both:
            problems.append(Problem("a column cannot be both a category and a number", got=", ".join(map(shown, both))))
        if problems:
            raise InputError(*problems)

    def forced(self, kinds: Mapping[str, str] | None) -> dict[str, str]:
        """The kind of each column that is not to be found out."""
        told = dict.fromkeys(self.categorical, "category") | dict.fromkeys(self.numeric, "number")
        for name, kind in (kinds or {}).items():
            if kind not in KINDS:
                raise InputError("there is no such kind of column", got=shown(kind), do="choose one of " + ", ".join(KINDS))
            told[name] = kind
        return told

    @property
    def empty(self) -> frozenset[str]:
        """All markers of a cell without a value, in small letters."""
        return frozenset(MARKERS) | {marker.strip().lower() for marker in self.markers}


OPTION = {"separator": "sep", "markers": "missing-marker", "ignored": "leave-out"}
EXAMPLE = {"separator": ", or ;", "decimal": ". or ,", "thousands": "' or a space", "comment": "#"}
NAMES = tuple(field.name for field in fields(Options))
