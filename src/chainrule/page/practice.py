"""Training on the page: one thread, which ends by itself, and what is remembered of where it has been."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

from chainrule import diagnosis
from chainrule.derivation import FOREVER, begun
from chainrule.errors import InputError
from chainrule.explain.story import in_full
from chainrule.page.conflicts import ConflictError
from chainrule.page.memory import Curve, Kept
from chainrule.phrases import say
from chainrule.spec import Example
from chainrule.terms.digits import Digits
from chainrule.training import Reached, Training, diverged

SLICE = 0.02
"""Seconds of training between two looks at whether to stop."""

OFTEN = 0.1
"""Seconds between two events of a stream."""

ALONE = 60.0
"""Seconds that training goes on after the last one who listened has gone: long enough to load the page again."""

PATIENCE = 20.0
"""Seconds that somebody waits for a step that was not trained to."""


SHOWN = 6
"""Digits of a loss, where it is not shown in full."""


class BusyError(ConflictError):
    """Training goes on already."""


class Practice:
    """The training of one example: `start`, `stop`, `listen`; `reached` is any place on its way again.

    The reference engine trains, so that every number is the one that `explain --after N` derives.
    """

    def __init__(self, example: Example, alone: float = ALONE) -> None:
        self.example, self._alone = example, alone
        self.kept, self.curve = Kept(), Curve()
        self.ended, self.told = "", ""
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._newest: Reached | None = None
        self._turn, self._listeners, self._heard = 0, 0, time.monotonic()

    @property
    def number(self) -> int:
        """Updates that are done."""
        return 0 if self._newest is None else self._newest.number

    @property
    def newest(self) -> Reached | None:
        """Where training stands, even while it goes on; None before the first update."""
        return self._newest

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, updates: int | None = None, until: float | None = None) -> None:
        """So many updates more, or until the loss of all rows is at most `until`. BusyError while it trains already."""
        if self.running:
            raise BusyError(say("training goes on already"), do=say("stop it first, or wait for its end"))
        goal = self.number + (FOREVER if updates is None else updates)
        self._stop.clear()
        self._heard = time.monotonic()
        self.ended, self.told = "", ""
        work = copy_context().run  # with the language that is spoken here
        self._thread = threading.Thread(target=work, args=(self._train, goal, until), daemon=True, name="chainrule training")
        self._thread.start()

    def stop(self) -> None:
        """Ends the training, and waits for the end."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def forget(self) -> None:
        """Back to before the first update."""
        self.stop()
        with self._news:
            self.kept.forget()
            self.curve, self._newest, self.ended, self.told = Curve(), None, "", ""
            self._turn += 1

    def reached(self, number: int, beat: Callable[[], None] = lambda: None, seconds: float = PATIENCE) -> Reached:
        """Where training stands after so many updates: trained on to from the nearest state that is kept.

        beat: called again and again; what it raises ends the way there. RunError if the loss is not finite before;
        InputError if it takes too long.
        """
        newest = self._newest
        if newest is not None and newest.number == number:
            return newest
        training = begun(self.example, start=self.kept.nearest(number))
        pace, ends = _Pace(), time.monotonic() + seconds
        while training.number < number:
            beat()
            pace.advance(training, min(number - training.number, self.kept.until_next(training.number)))
            if training.ended:
                raise diverged(training.number, float(self.example.optimizer.learning_rate))
            if training.number % self.kept.spacing == 0:
                self.kept.offer(training.reached)
            if time.monotonic() > ends:
                raise InputError(
                    say("update {number} is too far away", number=f"{number:,}"),
                    got=say("{done} updates in {seconds} seconds", done=f"{training.number:,}", seconds=f"{seconds:g}"),
                    do=say("train to it first: its steps are quick to come back to then"),
                )
        return training.reached

    # what is told of it

    def state(self, beyond: int = -1) -> dict[str, Any]:
        """Where it stands, with the points of the curve beyond an update."""
        with self._news:
            last, least = self.curve.last, self.curve.least
            return {
                "running": self.running and not self.ended,
                "number": self.number,
                "rate": float(self._rate()),
                "last": last,
                "shown": "" if last is None else Digits(SHOWN, "significant").text(last[1]),
                "full": "" if last is None else in_full(last[1]),
                "least": least,
                "stride": self.curve.stride,
                "points": self.curve.points(beyond),
                "ended": self.ended,
                "told": self.told,
            }

    def listen(self) -> Iterator[dict[str, Any]]:
        """What is new, again and again, until training has ended: all of the curve first, then what is new in it."""
        with self._news:
            self._listeners += 1
        try:
            beyond, stride, turn = -1, 0, -1
            while True:
                with self._news:
                    self._news.wait_for(lambda turn=turn: self._turn != turn or not self.running, timeout=1.0)  # type: ignore[misc]
                    turn = self._turn
                    again = stride != self.curve.stride
                    found = self.state(-1 if again else beyond)
                beyond, stride = (found["last"] or (-1,))[0], found["stride"]
                yield {**found, "again": again}
                if not found["running"]:
                    return
                time.sleep(OFTEN)
        finally:
            with self._news:
                self._listeners -= 1
                self._heard = time.monotonic()

    def _rate(self) -> Any:
        rate, schedule = self.example.optimizer.learning_rate, self.example.schedule
        return schedule.rate(rate, self.number + 1) if schedule else rate

    # the thread

    def _train(self, goal: int, until: float | None) -> None:
        why = told = ""
        try:
            training = begun(self.example, until, start=self._newest)
            why = self._go(training, goal)
            if why == "not finite":
                told = self._diagnosed(training)
            else:
                self._remember(training, [training.loss()], training.number)
                told = _ending(why, training.number, until)
        except InputError as error:
            why, told = "refused", str(error)
        except Exception as error:  # the page must hear of it: nobody reads what a thread raises
            why, told = "failed", f"{type(error).__name__}: {error}"
            raise
        finally:
            with self._news:
                self.ended, self.told = why or "failed", told
                self._turn += 1
                self._news.notify_all()

    def _go(self, training: Training, goal: int) -> str:
        """Trains until something ends it, and says what."""
        pace = _Pace()
        while training.number < goal and not training.ended:
            if self._stop.is_set():
                return "stopped"
            if not self._listeners and time.monotonic() - self._heard > self._alone:
                return "alone"
            number = training.number
            losses = pace.advance(training, min(goal - number, self.kept.until_next(number)))
            self._remember(training, losses, number)
        return training.ended or "reached"

    def _remember(self, training: Training, losses: list[float], number: int) -> None:
        reached = training.reached
        self.kept.offer(reached)
        with self._news:
            self.curve.add(number, losses)
            self._newest = reached
            self._turn += 1
            self._news.notify_all()

    def _diagnosed(self, training: Training) -> str:
        """Why the loss is not finite, in words."""
        number = training.number + 1
        rows = training.rows(number)
        when = f"update {number:,} (with {len(rows):,} rows"
        rate = float(training.rate(number))
        return diagnosis.explain(training.task, training.session, rows, math.nan, rate, when)


class _Pace:
    """Slices that take about as long as SLICE says."""

    def __init__(self) -> None:
        self._count = 1

    def advance(self, training: Training, most: int) -> list[float]:
        count = min(most, self._count)
        begin = time.perf_counter()
        losses = training.advance(count)
        each = max(time.perf_counter() - begin, 1e-9) / count
        self._count = max(1, min(1_000, 2 * self._count, int(SLICE / each)))
        return losses


def _ending(why: str, number: int, until: float | None) -> str:
    """Why training ended, as a sentence."""
    done = f"{number:,}"
    if why == "until":
        return say("After {done} updates the loss had reached {until}.", done=done, until=f"{until:g}")
    if why == "stopped":
        return say("Stopped after 1 update.") if number == 1 else say("Stopped after {done} updates.", done=done)
    if why == "alone":
        return say("Stopped after {done} updates: nobody was listening any more.", done=done)
    if until is not None:
        return say("{done} updates are done, and the loss has not reached {until}.", done=done, until=f"{until:g}")
    return say("1 update is done.") if number == 1 else say("{done} updates are done.", done=done)
