"""What the page may ask: a fixed table from a verb to its function.

A function takes the desk and what was sent, checked to be an object, and gives plain data. It raises InputError for what a
user can get wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from chainrule.page.desk import Desk

Ask: TypeAlias = "Callable[[Desk, dict[str, Any]], dict[str, Any]]"
Stream: TypeAlias = "Callable[[Desk, dict[str, Any]], Iterator[dict[str, Any]]]"


def _in(room: str, name: str) -> Callable[[Desk, dict[str, Any]], Any]:
    """A function of a file that is loaded when it is first asked: the page is there sooner than all that it can do."""

    def ask(desk: Desk, sent: dict[str, Any]) -> Any:
        return getattr(import_module(f"chainrule.page.{room}"), name)(desk, desk.as_seen(sent))

    return ask


def load() -> None:
    """Loads all that can be asked, before it is."""
    for room in ("looking", "changing", "keeping", "trying", "practising"):
        import_module(f"chainrule.page.{room}")


ASKS: dict[str, Ask] = {
    "look": _in("looking", "look"),
    "open": _in("looking", "opened"),
    "fields": _in("changing", "fields"),
    "choices": _in("changing", "choices"),
    "change": _in("changing", "change"),
    "structure": _in("changing", "structure"),
    "undo": _in("changing", "undo"),
    "redo": _in("changing", "redo"),
    "restore": _in("changing", "restore"),
    "compare": _in("changing", "compare"),
    "keep": _in("keeping", "keep"),
    "begin": _in("keeping", "begin"),
    "examples": _in("keeping", "examples"),
    "units": _in("looking", "units"),
    "largest": _in("looking", "largest"),
    "check": _in("trying", "check"),
    "marked": _in("trying", "marked"),
    "source": _in("trying", "source"),
    "printed": _in("trying", "printed"),
    "read": _in("trying", "read"),
    "train": _in("practising", "train"),
    "stop": _in("practising", "stop"),
    "reset": _in("practising", "reset"),
    "trained": _in("practising", "trained"),
    "exact": _in("practising", "exact"),
    "data": _in("practising", "data"),
    "columns": _in("practising", "columns"),
    "surface": _in("practising", "surface"),
    "there": _in("practising", "there"),
}

# A stream gives one event after another until it ends, or until nobody listens: then it is closed, and its `finally` runs.
# The desk is held while a stream begins, and not while it waits for its next event.
STREAMS: dict[str, Stream] = {"progress": _in("practising", "progress")}
