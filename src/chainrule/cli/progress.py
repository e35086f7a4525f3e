"""A training run on the terminal: what was found, and a line that keeps up with it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import click

from chainrule.course import Epoch
from chainrule.errors import printable

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 16
"""Signs of a curve."""


class TrainingProgress:
    """Tells on stderr: sentences as they come, and on a terminal a line that is written over ten times a second."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.live = not quiet and sys.stderr.isatty()
        self.epochs: list[Epoch] = []
        self.curve = ""
        self._next = 0.0
        self._shown = 0

    def say(self, text: str) -> None:
        """A sentence."""
        if not self.quiet:
            self._wipe()
            click.echo(printable(text), err=True)

    def warn(self, text: str) -> None:
        """Something that may be a mistake: told even where only the result is asked for."""
        self._wipe()
        click.echo(f"warning: {printable(text)}", err=True)

    def epoch(self, epoch: Epoch, curve: str) -> None:
        """An epoch has ended. curve: what the loss of rows that are not trained on is called."""
        self.curve = curve.replace("_", " ")
        self.epochs.append(epoch)
        now = time.monotonic()
        if self.quiet or now < self._next:
            return
        if self.live:
            self._next = now + 0.1
            text = self._line(epoch, curves=True)
            sys.stderr.write("\r" + text.ljust(self._shown))
            sys.stderr.flush()
            self._shown = len(text)
        else:
            first = not self._next
            self._next = now + 10.0
            if not first:
                click.echo(self._line(epoch, curves=False), err=True)

    def _line(self, epoch: Epoch, curves: bool) -> str:
        parts = [f"epoch {epoch.number}", f"loss {epoch.loss:.4g}" + self._curve("loss", curves)]
        if epoch.validation is not None:
            parts.append(f"{self.curve} {epoch.validation:.4g}" + self._curve("validation", curves))
        parts += [f"{epoch.rows_per_second:,.0f} rows/s", f"{_seconds(epoch.remaining)} left"]
        return "  ".join(parts)

    def _curve(self, name: str, curves: bool) -> str:
        return " " + sparkline([getattr(epoch, name) for epoch in self.epochs]) if curves and _unicode() else ""

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
    if not finite:
        return ""
    step = max(1.0, len(finite) / width)
    chosen = [finite[int(place * step)] for place in range(min(width, len(finite)))]
    low, high = min(chosen), max(chosen)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((value - low) * scale)] for value in chosen)


def _unicode() -> bool:
    return (sys.stderr.encoding or "").lower().replace("-", "") == "utf8"


def _seconds(value: float) -> str:
    if value < 60:
        return f"{value:.0f} s"
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"
