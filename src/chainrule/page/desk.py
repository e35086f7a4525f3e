"""What lies on the table: an example with the changes made to it, or a recorded run; and the step that is looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chainrule.errors import InputError
from chainrule.explain.scene import scene
from chainrule.explain.story import arrange, chosen_sample
from chainrule.meant import folder_of, is_recorded
from chainrule.page.conflicts import ConflictError
from chainrule.page.subjects import Recorded, Seen, Subject, Worked
from chainrule.spec import Example
from chainrule.spec import load as load_example
from chainrule.tracing import Trace

FEW, SUMMED = 500, 20_000
"""Up to so many parameters, and up to so many of them times the rows that each one's gradient is a sum over, all numbers of a
step are sent at once; of larger steps each is sent when it is opened."""


NEAR = 1_000
"""A change is looked at after as many updates as before it, if they are so few; else before the first."""


class OutdatedError(ConflictError):
    """A change to something that has been changed elsewhere: in another tab."""


@dataclass
class Desk:
    """One example, its past and its future, or one recorded run. Whoever asks holds `lock`.

    version: counts the changes; sample: which is looked at; after: how many updates come before the step;
    beat: what takes long calls it again and again; it raises if nobody waits any more.
    """

    subject: Subject
    sample: int = 1
    after: int = 0
    version: int = 1
    past: list[Example] = field(default_factory=list)
    future: list[Example] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    beat: Callable[[], None] = lambda: None
    _seen: Seen | None = None
    _kept: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def example(self) -> Example:
        """The example on the table; an InputError in words if a recorded run lies there."""
        return self.subject.example

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        """What is costly to make and holds for this step only."""
        of = (self.version, self.after)
        if name not in self._kept or self._kept[name][0] != of:
            self._kept[name] = (of, make())
        return self._kept[name][1]

    @property
    def trace(self) -> Trace:
        """The step that is looked at."""
        return self.seen.trace

    @property
    def seen(self) -> Seen:
        """The step that is looked at, and tables about it."""
        if self._seen is None:
            self._seen = self.subject.seen(self.after, self._going)
        return self._seen

    def place(self, example: Example, after: int | None = None) -> None:
        """Puts a changed example on the table, or another one; the old one can be taken back. after: what is looked at then."""
        before = self.example
        self._replace(example, after)
        self.past.append(before)
        self.future.clear()

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
            seen = self.subject.seen(after, self._going)  # first: what cannot be derived is not looked at
            self.after, self._seen = after, seen
            self.sample = min(self.sample, seen.trace.scope.rows)
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

    def _replace(self, example: Example, after: int | None = None) -> None:
        subject = Worked(example)
        if after is None:
            after = self.after if self.after <= NEAR else 0
        seen = subject.seen(after, self._going)  # first: what cannot be derived is not put on the table
        self.subject.close()
        self.subject, self.after, self._seen = subject, after, seen
        self.sample = min(self.sample, seen.trace.scope.rows)
        self.version += 1

    def _going(self) -> None:
        self.beat()

    def close(self) -> None:
        """Ends what goes on."""
        self.subject.close()

    def view(self) -> dict[str, Any]:
        """All that the page shows of the step."""
        trace, sheets = self.seen
        parameters = trace.network.size
        whole = parameters <= FEW and parameters * trace.scope.rows <= SUMMED
        story = arrange(
            trace, sample=self.sample if trace.scope.rows > 1 else None, timed=False, sheets=sheets, brief=not whole
        )
        return scene(trace, story) | {
            "version": self.version,
            "whole": whole,
            "after": self.after,
            "recorded": isinstance(self.subject, Recorded),
            "named": self.seen.named,
            "place": trace.places[self.sample - 1] if trace.places else "",
            "undo": len(self.past),
            "redo": len(self.future),
        }


def laid(what: str) -> Desk:
    """A desk with the example of a name or a file on it, or with a recorded run of a folder."""
    if is_recorded(what):
        from chainrule.replay import RecordedRun  # with all that a run needs: an example is there sooner without it

        return Desk(Recorded(RecordedRun(folder_of(what))))
    return Desk(Worked(load_example(what)))
