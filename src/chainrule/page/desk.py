"""What lies on the table: an example with the changes made to it, and the step that is looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chainrule.derivation import derive
from chainrule.errors import InputError
from chainrule.explain.scene import scene
from chainrule.explain.story import arrange, chosen_sample
from chainrule.spec import Example
from chainrule.spec import load as load_example
from chainrule.tracing import Trace

WHOLE = 3_000
"""Up to so many numbers of a step are sent at once; more are sent when they are opened."""


class OutdatedError(InputError):
    """A change to something that has been changed elsewhere: in another tab."""


@dataclass
class Desk:
    """One example, its past and its future. Whoever asks holds `lock`.

    version: counts the changes; sample: which is looked at; after: how many updates come before the step;
    beat: what takes long calls it again and again; it raises if nobody waits any more.
    """

    example: Example
    sample: int = 1
    after: int = 0
    version: int = 1
    past: list[Example] = field(default_factory=list)
    future: list[Example] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    beat: Callable[[], None] = lambda: None
    _trace: Trace | None = None
    _kept: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        """What is costly to make and holds for this step only."""
        of = (self.version, self.after)
        if name not in self._kept or self._kept[name][0] != of:
            self._kept[name] = (of, make())
        return self._kept[name][1]

    @property
    def trace(self) -> Trace:
        """The step that is looked at."""
        if self._trace is None:
            self._trace = derive(self.example, self.after, report=self._going)
        return self._trace

    def place(self, example: Example) -> None:
        """Puts a changed example on the table; the old one can be taken back."""
        self.past.append(self.example)
        self.future.clear()
        self._replace(example)

    def undo(self) -> None:
        """Takes the last change back."""
        if not self.past:
            raise InputError("there is nothing to undo", do="change something first")
        self.future.append(self.example)
        self._replace(self.past.pop())

    def redo(self) -> None:
        """Makes a change again that was taken back."""
        if not self.future:
            raise InputError("there is nothing to do again", do="undo something first")
        self.past.append(self.example)
        self._replace(self.future.pop())

    def look(self, sample: int | None = None, after: int | None = None) -> None:
        """Looks at another sample, or at the step after so many updates."""
        if after is not None and after != self.after:
            trace = derive(self.example, after, report=self._going)  # first: what cannot be derived is not looked at
            self.after, self._trace = after, trace
        if sample is not None:
            chosen_sample(self.trace, sample)
            self.sample = sample

    def current(self, version: object) -> None:
        """Refuses who has not seen the last change."""
        if version != self.version:
            raise OutdatedError(
                "this was changed in another tab", got=f"version {version}; here is version {self.version}",
                do="reload the page to see it as it is now",
            )  # fmt: skip

    def _replace(self, example: Example) -> None:
        trace = derive(example, self.after, report=self._going)  # first: what cannot be derived is not put on the table
        self.example, self._trace = example, trace
        self.sample = min(self.sample, trace.scope.rows)
        self.version += 1

    def _going(self, number: int, loss: float) -> None:
        self.beat()

    def view(self) -> dict[str, Any]:
        """All that the page shows of the step."""
        trace = self.trace
        whole = len(trace.cells_of(self.sample)) <= WHOLE if trace.count <= 50 * WHOLE else False
        story = arrange(trace, sample=self.sample if trace.scope.rows > 1 else None, timed=False, brief=not whole)
        return scene(trace, story) | {
            "version": self.version,
            "whole": whole,
            "after": self.after,
            "undo": len(self.past),
            "redo": len(self.future),
        }


def laid(what: str) -> Desk:
    """A desk with the example of a name or a file on it."""
    return Desk(load_example(what))
