"""A rule as plain data, and back: the one form in which files and pickles hold rules."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from chainrule.errors import InputError, nearest, shown
from chainrule.rules.rule import CATALOGUE, Rule, find

KEYS = {"rule", "name", "fields"}


def described(value: Any) -> Any:
    """A rule, or a list of them, as {"rule": kind, "name": its standard name, "fields": {...}}; anything else as it is."""
    if isinstance(value, Rule):
        entries = {entry.name: described(getattr(value, entry.name)) for entry in fields(value)}
        return {"rule": value.kind, "name": value.name, "fields": entries}
    return [described(each) for each in value] if isinstance(value, list) else value


def restored(value: Any) -> Any:
    """The inverse of `described`. Rules of a user's own must be registered already: import the module that has them.

    Raises InputError for a rule or a field that there is not, and for a hyper-parameter out of its range.
    """
    if isinstance(value, dict) and set(value) == KEYS:
        return _restored(value["rule"], value["name"], value["fields"])
    return [restored(each) for each in value] if isinstance(value, list) else value


def _restored(kind: Any, name: Any, entries: Any) -> Any:
    if not isinstance(kind, str) or kind not in CATALOGUE:
        raise InputError("unknown kind of rule", got=shown(kind), do=nearest(kind, CATALOGUE))
    cls = find(kind, name)
    known = {entry.name: entry for entry in fields(cls)}
    if not isinstance(entries, dict) or not set(entries) <= set(known):
        found = entries if not isinstance(entries, dict) else next(key for key in entries if key not in known)
        raise InputError(f"{kind} {name} has no such field", got=shown(found), do=nearest(found, known))
    for key, entry in known.items():
        if key not in entries and entry.default is MISSING and entry.default_factory is MISSING:
            raise InputError(f"{kind} {name} needs its {key}", got=shown(sorted(entries)))
    return cls(**{key: restored(entry) for key, entry in entries.items()})
