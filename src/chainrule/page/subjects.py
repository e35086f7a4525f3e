"""What a desk's numbers come from: a worked example that is trained here, or a run that was recorded somewhere else."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.derivation import derive
from chainrule.errors import InputError
from chainrule.explain.story import Sheet
from chainrule.naming import cell_id
from chainrule.page.practice import Practice
from chainrule.phrases import say
from chainrule.spec import Example
from chainrule.tracing import Trace
from chainrule.training import batch

if TYPE_CHECKING:
    from chainrule.replay import RecordedRun


class Seen(NamedTuple):
    """A step to be looked at, and tables about it."""

    trace: Trace
    sheets: tuple[Sheet, ...] = ()

    @property
    def named(self) -> dict[str, str]:
        """The ids of the numbers that the first columns of the tables name."""
        names = [str(row[0]) for sheet in self.sheets for row in sheet.rows if sheet.name == "gradients"]
        return {name: cell_id(self.trace.find(name)) for name in names}


class Worked:
    """An example: it can be changed and trained, and its step after any number of updates is the one of `explain --after`."""

    def __init__(self, example: Example) -> None:
        self.example = example
        self.practice = Practice(example)

    def seen(self, after: int, beat: Callable[[], None] = lambda: None) -> Seen:
        """The step after so many updates. RunError if a loss before it is not finite, InputError if it is too far away."""
        start = self.practice.reached(after, beat) if after else None
        return Seen(derive(self.example, after, start=start))

    def rows(self, after: int) -> Any:
        """The rows, from 0, that are in the step after so many updates, in its order."""
        example = self.example
        return batch(len(example.x), example.batch_size, example.network.seed, after + 1)

    def close(self) -> None:
        """Ends what goes on."""
        self.practice.stop()


class Recorded:
    """A run folder: any of its updates is replayed, and nothing of it can be changed."""

    def __init__(self, run: RecordedRun) -> None:
        self.run = run

    @property
    def example(self) -> Example:
        """There is none: an InputError."""
        raise InputError(
            say("this is a recorded run: what it did can be looked at, and not changed"),
            got=self.run.name,
            do=say("open an example to change it, or train again with other settings: chainrule train"),
        )

    @property
    def practice(self) -> Practice:
        """There is none: an InputError."""
        raise InputError(
            say("this is a recorded run: it has been trained already"),
            got=self.run.name,
            do=say("go on with it on the command line: chainrule train --resume FOLDER"),
        )

    @property
    def steps(self) -> int:
        """How many steps can be looked at; the one that the run broke down in is one."""
        return self.run.updates + int(self.run.broke)

    def seen(self, after: int, beat: Callable[[], None] = lambda: None) -> Seen:
        """Update after + 1, replayed."""
        from chainrule.replay.telling import opened

        self.run.check(after + 1)
        found = opened(self.run, self.run.replay(after + 1))
        return Seen(found.trace, found.sheets)

    def curves(self) -> dict[str, list[tuple[int, float]]]:
        """The losses that the run wrote down after each epoch, by the updates done: of the training and the validation rows."""
        return {name: self._curve(key) for name, key in (("loss", "loss"), ("validation", "validation"))}

    def _curve(self, key: str) -> list[tuple[int, float]]:
        found = ((entry["updates"], entry.get(key)) for entry in self.run.history)
        return [(updates, float(value)) for updates, value in found if value is not None and isfinite(value)]

    def close(self) -> None:
        """Nothing goes on."""


Subject = Worked | Recorded
