"""SIGINT, SIGTERM and SIGHUP while a run is on: the first asks it to end, a second one ends it now. Before it has begun, while
the table is read, there is nothing to save: then the first one ends it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType


class Asked:
    """Whether, and by which signal, somebody asked for the end."""

    def __init__(self) -> None:
        self.number = 0
        self.begun = False

    def begin(self) -> None:
        """From now on there is something to save."""
        self.begun = True

    def __bool__(self) -> bool:
        return self.number != 0

    @property
    def code(self) -> int:
        """The exit code that says so."""
        return 128 + self.number


@contextmanager
def asked_to_end() -> Iterator[Asked]:
    """Within the block, signals only leave word, from the moment that `begin` is called."""
    asked = Asked()

    def note(number: int, frame: FrameType | None) -> None:
        if asked:
            os._exit(128 + number)
        if not asked.begun and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not asked.begun:
            with suppress(OSError, AttributeError):
                sys.stderr.write("terminated; nothing was written\n")
            sys.exit(128 + number)
        asked.number = number
        with suppress(OSError, AttributeError):
            sys.stderr.write("\nending after this update, and saving; a second signal ends at once\n")

    numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
