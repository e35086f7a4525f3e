"""What is remembered of a training, in memory that does not grow with it: states to go on from, and the curve of its loss."""

from __future__ import annotations

import bisect
import math
import threading
from collections.abc import Sequence

from chainrule.training import Reached

STATES = 256
"""Up to so many states are kept."""

BYTES = 64 * 2**20
"""States take at most about so much memory, and there are always two."""

SPACING = 16
"""Updates between two states at first."""

POINTS = 1_000
"""About so many points of a curve are kept."""


class Kept:
    """States at multiples of a spacing, which doubles whenever there are too many. Several threads may ask."""

    def __init__(self, most: int = STATES, memory: int = BYTES) -> None:
        self._most, self._memory = most, memory
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begins anew."""
        with self._lock:
            self.spacing = SPACING
            self._states: dict[int, Reached] = {}

    def __len__(self) -> int:
        return len(self._states)

    def offer(self, state: Reached) -> None:
        """Keeps a state, if it stands at a multiple of the spacing."""
        with self._lock:
            if not state.number or state.number % self.spacing:
                return
            self._states[state.number] = state
            most = max(2, min(self._most, self._memory // max(size(state), 1)))
            while len(self._states) > most:
                self.spacing *= 2
                self._states = {number: each for number, each in self._states.items() if number % self.spacing == 0}

    def nearest(self, number: int) -> Reached | None:
        """The latest state with at most so many updates; None if that is the beginning."""
        with self._lock:
            numbers = sorted(self._states)
            place = bisect.bisect_right(numbers, number)
            return self._states[numbers[place - 1]] if place else None

    def until_next(self, number: int) -> int:
        """Updates from here to where the next state is kept."""
        return self.spacing - number % self.spacing


def size(state: Reached) -> int:
    """The bytes that a state takes."""
    held = [state.parameters, *(values for layer in state.memory for values in layer.values())]
    held += [values for layer in state.state for slots in layer.values() for values in slots.values()]
    return int(sum(getattr(values, "nbytes", 8) for values in held))


class Curve:
    """Losses by the number of updates before them: the first, the newest and the least, and between them each `stride`-th."""

    def __init__(self, most: int = POINTS) -> None:
        self._most = most
        self.stride = 1
        self._points: list[tuple[int, float]] = []
        self.last: tuple[int, float] | None = None
        self.least: tuple[int, float] | None = None

    def add(self, number: int, losses: Sequence[float]) -> None:
        """The losses after `number` updates, and after each one that follows; what is known already is left out."""
        begin = 0 if self.last is None else max(0, self.last[0] + 1 - number)
        for place in range(begin, len(losses)):
            at, loss = number + place, float(losses[place])
            if not math.isfinite(loss):
                return
            self.last = (at, loss)
            if self.least is None or loss < self.least[1]:
                self.least = (at, loss)
            if at % self.stride == 0:
                self._points.append((at, loss))
        while len(self._points) > self._most:
            self.stride *= 2
            self._points = [each for each in self._points if each[0] % self.stride == 0]

    def points(self, beyond: int = -1) -> list[tuple[int, float]]:
        """The points with more than so many updates, in order."""
        place = bisect.bisect_right(self._points, (beyond, math.inf))
        found = self._points[place:]
        extra = {each for each in (self.least, self.last) if each is not None and each[0] > beyond}
        return sorted({*found, *extra})
