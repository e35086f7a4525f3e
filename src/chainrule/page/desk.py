"""What lies on the table: an example with the changes made to it, or a recorded run; and the step that is looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple

from chainrule.errors import InputError, shown
from chainrule.explain.scene import scene
from chainrule.explain.story import arrange, chosen_sample
from chainrule.meant import folder_of, is_recorded
from chainrule.page.conflicts import ConflictError
from chainrule.page.differences import Kin, differences, kin
from chainrule.page.subjects import Recorded, Seen, Subject, Worked
from chainrule.phrases import say
from chainrule.spec import Example
from chainrule.spec import load as load_example
from chainrule.tracing import Trace

FEW, SUMMED = 500, 20_000
"""Up to so many parameters, and up to so many of them times the rows that each one's gradient is a sum over, all numbers of a
step are sent at once; of larger steps each is sent when it is opened."""


NEAR = 1_000
"""A change is looked at after as many updates as before it, if they are so few; else before the first."""


REMEMBERED, HELD = 200, 10_000_000
"""So many changes can be taken back, and fewer where the examples before them hold more numbers than HELD together; the last
one always."""


_UNPAIRED: dict[Kin, Callable[[], str]] = {
    Kin.SHAPE: lambda: say("The network has another shape: only the loss and the outputs are compared with those before."),
    Kin.ROWS: lambda: say("There are other samples: the outputs of single samples are not compared with those before."),
    Kin.OTHER: lambda: say("This is another example: nothing is compared with the one that was here."),
}
"""Why numbers are not held against those of before, in words."""


class OutdatedError(ConflictError):
    """A change to something that has been changed elsewhere: in another tab."""


class Laid(NamedTuple):
    """An example as it lay on the table, and as it was before anything of it was changed."""

    example: Example
    original: Example

    @property
    def size(self) -> int:
        """The numbers that the example holds."""
        return int(self.example.network.size + self.example.x.size + self.example.t.size)


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
    past: list[Laid] = field(default_factory=list)
    future: list[Laid] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    beat: Callable[[], None] = lambda: None
    _seen: Seen | None = None
    _kept: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    _original: Example | None = None
    _before: Trace | None = None
    _kin: Kin = Kin.SAME
    _notes: tuple[str, ...] = ()

    @property
    def example(self) -> Example:
        """The example on the table; an InputError in words if a recorded run lies there."""
        return self.subject.example

    @property
    def recorded(self) -> bool:
        """Whether a recorded run lies here: it cannot be changed."""
        return isinstance(self.subject, Recorded)

    @property
    def row(self) -> int:
        """The row of the example, from 0, that is looked at: a batch has its samples in an order of its own."""
        if not isinstance(self.subject, Worked):
            return self.sample - 1
        return int(self.subject.rows(self.after)[self.sample - 1])

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

    @property
    def original(self) -> Example:
        """The example as it was before anything of it was changed."""
        return self._original or self.example

    def place(self, example: Example, after: int | None = None, notes: Iterable[str] = ()) -> None:
        """Puts a changed example on the table; the old one can be taken back. after: what is looked at then; notes: what else
        came of the change, in words."""
        before = Laid(self.example, self.original)
        self._replace(Laid(example, self.original), after, notes)
        self._remember(before)

    def begin(self, example: Example) -> None:
        """Puts another example on the table. What lay there can be taken back, if it is an example too."""
        before = Laid(self.example, self.original) if isinstance(self.subject, Worked) else None
        self._replace(Laid(example, example), 0)
        self.sample = 1
        self._before, self._notes = None, ()
        if before is not None:
            self._remember(before)

    def tell(self, notes: Iterable[str]) -> None:
        """More of what came of the last change, in words."""
        self._notes += tuple(notes)

    def undo(self) -> None:
        """Takes the last change back."""
        if not self.past:
            raise InputError(say("there is nothing to undo"), do=say("change something first"))
        now = Laid(self.example, self.original)
        self._replace(self.past[-1])
        self.past.pop()
        self.future.append(now)

    def redo(self) -> None:
        """Makes a change again that was taken back."""
        if not self.future:
            raise InputError(say("there is nothing to do again"), do=say("undo something first"))
        now = Laid(self.example, self.original)
        self._replace(self.future[-1])
        self.future.pop()
        self.past.append(now)

    def _remember(self, before: Laid) -> None:
        self.past.append(before)
        held = accumulate(laid.size for laid in reversed(self.past))
        del self.past[: -max(1, min(REMEMBERED, sum(numbers <= HELD for numbers in held)))]
        self.future.clear()

    def look(self, sample: int | None = None, after: int | None = None) -> None:
        """Looks at another sample, or at the step after so many updates."""
        self._before, self._notes = None, ()
        if after is not None and after != self.after:
            seen = self.subject.seen(after, self._going)  # first: what cannot be derived is not looked at
            self.after, self._seen = after, seen
            self.sample = min(self.sample, seen.trace.scope.rows)
        if sample is not None:
            chosen_sample(self.trace, sample)
            self.sample = sample

    def derived(self, example: Example) -> Trace:
        """The step of another example after as many updates as are looked at here."""
        return Worked(example).seen(self.after, self._going).trace

    def as_seen(self, sent: dict[str, Any]) -> dict[str, Any]:
        """What was sent, less what it says of the step that it is about; refused if another step is looked at by now."""
        seen = sent.get("seen")
        if seen is not None and seen != [self.version, self.after, self.sample]:
            raise OutdatedError(say("another step lies here by now"), do=say("load what lies here now"))
        return {key: value for key, value in sent.items() if key != "seen"}

    def current(self, version: object) -> None:
        """Refuses who has not seen the last change."""
        if version != self.version:
            raise OutdatedError(
                say("this was changed in another tab"),
                got=say("version {version}; here is version {here}", version=shown(version), here=self.version),
                do=say("load what lies here now, and change it again"),
            )  # fmt: skip

    def _replace(self, laid: Laid, after: int | None = None, notes: Iterable[str] = ()) -> None:
        subject = Worked(laid.example)
        # first: what cannot be derived is not put on the table
        after, seen = self._as_far(subject) if after is None else (after, subject.seen(after, self._going))
        self._before = self.trace if after == self.after and not self.recorded else None  # two steps are not one step changed
        if isinstance(self.subject, Worked):
            self._kin = kin(self.example, laid.example) if self.original is laid.original else Kin.OTHER
        self.subject.close()
        self.subject, self.after, self._seen = subject, after, seen
        self._original, self._notes = laid.original, tuple(notes)
        if self._before is not None and self._kin is not Kin.SAME:
            self.tell([_UNPAIRED[self._kin]()])
        if self._kin is Kin.OTHER:
            self._before = None  # two examples that have nothing to do with each other
        self.sample = min(self.sample, seen.trace.scope.rows)
        self.version += 1

    def _as_far(self, subject: Worked) -> tuple[int, Seen]:
        """The step after as many updates as here; before the first, where it is far, or where training does not get there: a
        change that makes a loss infinite later on is no mistake."""
        if 0 < self.after <= NEAR:
            with suppress(InputError):
                return self.after, subject.seen(self.after, self._going)
        return 0, subject.seen(0)

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
            "recorded": self.recorded,
            "named": self.seen.named,
            "place": trace.places[self.sample - 1] if trace.places else "",
            "undo": len(self.past),
            "redo": len(self.future),
            "changed": None if self._before is None else differences(self._before, trace, self.sample, self._kin),
            "moved": self._kin is not Kin.SAME,
            "said": list(self._notes),
        }


def laid(what: str) -> Desk:
    """A desk with the example of a name or a file on it, or with a recorded run of a folder."""
    if is_recorded(what):
        from chainrule.replay import RecordedRun  # with all that a run needs: an example is there sooner without it

        return Desk(Recorded(RecordedRun(folder_of(what))))
    return Desk(Worked(load_example(what)))
