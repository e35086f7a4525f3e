"""A training run on the terminal: what was found, and a line that keeps up with it."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence

import click

from chainrule.course import Epoch
from chainrule.errors import printable

BARS = "▁▂▃▄▅▆▇█"
WIDTH, LEAST = 16, 6
"""Signs of a curve, at most and at least."""


class TrainingProgress:
    """Tells on stderr: sentences as they come, and on a terminal a line that is written over ten times a second."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.live = not quiet and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.epochs: list[Epoch] = []
        self.curve = ""
        self._next = 0.0
        self._shown = 0

    def say(self, text: str) -> None:
        """A sentence."""
        if not self.quiet:
            self._tell(text)

    def warn(self, text: str) -> None:
        """Something that may be a mistake: told even where only the result is asked for."""
        self._tell(f"warning: {text}")

    def _tell(self, text: str) -> None:
        """A sentence on lines of its own; as one line where no person reads it."""
        self._wipe()
        text = printable(text)
        if sys.stderr.isatty():
            text = textwrap.fill(text, _width(), subsequent_indent="  ", break_on_hyphens=False)
        click.echo(text, err=True)

    def epoch(self, epoch: Epoch, curve: str) -> None:
        """An epoch has ended. curve: what the loss of rows that are not trained on is called."""
        self.curve = curve.replace("_", " ")
        self.epochs.append(epoch)
        now = time.monotonic()
        if self.quiet or now < self._next:
            return
        if self.live:
            self._next = now + 0.1
            text = self._line(epoch, _width())
            sys.stderr.write("\r" + text.ljust(self._shown))
            sys.stderr.flush()
            self._shown = len(text)
        else:
            first = not self._next
            self._next = now + 10.0
            if not first:
                click.echo(self._line(epoch), err=True)

    def _line(self, epoch: Epoch, room: int | None = None) -> str:
        """What is told of an epoch. room: signs that a line of a terminal has; then with curves, as wide as they can be."""
        losses = {f"loss {epoch.loss:.4g}": "loss"}
        if epoch.validation is not None:
            losses[f"{self.curve} {epoch.validation:.4g}"] = "validation"
        speed = [f"{epoch.rows_per_second:,.0f} rows/s"]
        first, last = f"epoch {epoch.number:,}", f"{_seconds(epoch.remaining)} left"
        if room is None:
            return "  ".join([first, *losses, *speed, last])
        left = room - len("  ".join([first, *losses, last]))
        if left < len(losses) * (LEAST + 1) + len(speed[0]) + 2:
            speed = []
        else:
            left -= len(speed[0]) + 2
        wide = min(WIDTH, left // len(losses) - 1) if _unicode() else 0
        curves = {text: sparkline([getattr(each, name) for each in self.epochs], wide) for text, name in losses.items()}
        drawn = (f"{text} {curve.ljust(wide)}" if wide >= LEAST else text for text, curve in curves.items())
        return "  ".join([first, *drawn, *speed, last])[:room]

    def _wipe(self) -> None:
        if self._shown:
            sys.stderr.write("\r" + " " * self._shown + "\r")
            self._shown = 0

    def done(self) -> None:
        """The run is over."""
        self._wipe()


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """A curve in one line of signs, highest where the values are."""
    finite = [value for value in values if value == value and abs(value) != float("inf")]
    if not finite or width < 1:
        return ""
    step = max(1.0, len(finite) / width)
    chosen = [finite[int(place * step)] for place in range(min(width, len(finite)))]
    low, high = min(chosen), max(chosen)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((value - low) * scale)] for value in chosen)


def _width() -> int:
    """Signs that fit into a line: one less than there are, because after the last one some terminals begin another."""
    return max(20, shutil.get_terminal_size((80, 24)).columns - 1)


def _unicode() -> bool:
    return (sys.stderr.encoding or "").lower().replace("-", "") == "utf8"


def _seconds(value: float) -> str:
    if value < 60:
        return f"{value:.0f} s"
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"
