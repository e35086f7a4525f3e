"""What the page may ask: a fixed table from a verb to its function.

A function takes the desk and what was sent, checked to be an object, and gives plain data. It raises InputError for what a
user can get wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from chainrule.page import changing, keeping, looking, practising, trying
from chainrule.page.desk import Desk

Ask: TypeAlias = Callable[[Desk, dict[str, Any]], dict[str, Any]]
Stream: TypeAlias = Callable[[Desk, dict[str, Any]], Iterator[dict[str, Any]]]

ASKS: dict[str, Ask] = {
    "look": looking.look,
    "open": looking.opened,
    "fields": changing.fields,
    "choices": changing.choices,
    "change": changing.change,
    "structure": changing.structure,
    "undo": changing.undo,
    "redo": changing.redo,
    "restore": changing.restore,
    "compare": changing.compare,
    "keep": keeping.keep,
    "begin": keeping.begin,
    "examples": keeping.examples,
    "units": looking.units,
    "largest": looking.largest,
    "check": trying.check,
    "marked": trying.marked,
    "printed": trying.printed,
    "read": trying.read,
    "train": practising.train,
    "stop": practising.stop,
    "reset": practising.reset,
    "trained": practising.trained,
    "exact": practising.exact,
    "data": practising.data,
    "columns": practising.columns,
    "surface": practising.surface,
    "there": practising.there,
}

# A stream gives one event after another until it ends, or until nobody listens: then it is closed, and its `finally` runs.
# The desk is held while a stream begins, and not while it waits for its next event.
STREAMS: dict[str, Stream] = {"progress": practising.progress}
