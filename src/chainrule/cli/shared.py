"""Options that several commands take, and how their values are read."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from chainrule.errors import InputError, shown

F = TypeVar("F", bound=Callable[..., Any])

setting = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a value of the spec, as update.order=sequential."
)
after = click.option("--after", type=click.IntRange(min=0), metavar="N", help="The step after N updates.")
digits = click.option("--digits", type=click.IntRange(1, 17), metavar="K", help="Decimals to show; 17 shows every digit.")
names = click.option("--names", "style", type=click.Choice(["textbook", "matrix"]), help="How numbers are called.")


def pairs(settings: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """`a.b=c` taken apart; an InputError for what has no equals sign."""
    result = []
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError("--set needs KEY=VALUE", got=shown(text), do="for example --set update.order=sequential")
        result.append((key.strip(), value.strip()))
    return tuple(result)


def writable(path: str | None) -> Path | None:
    """The file to write, checked before any work starts."""
    if path is None:
        return None
    file = Path(path)
    if file.is_dir():
        raise InputError("the output is a folder", got=shown(path), do="give a file name", field="-o")
    if not file.parent.is_dir():
        raise InputError("the output's folder does not exist", got=shown(str(file.parent)), do="create it first", field="-o")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise InputError("the output cannot be written", got=shown(path), do="choose another place", field="-o")
    return file


def deliver(text: str, file: Path | None) -> None:
    """To a file, whole or not at all; or to stdout."""
    if file is None:
        sys.stdout.write(text)
        return
    if file.exists() and not file.is_file():  # a device or a pipe cannot be replaced
        file.write_text(text, encoding="utf-8")
        return
    draft = file.with_name(f"{file.name}.tmp-{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def width() -> int:
    """Columns of the terminal, 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() or "COLUMNS" in os.environ else 80


class Progress:
    """A line on stderr twice a second while updates run; nothing at all where stderr is no terminal."""

    def __init__(self) -> None:
        self._next = time.monotonic() + 0.5
        self._shown = False

    def __call__(self, number: int, loss: float) -> None:
        if time.monotonic() < self._next or not sys.stderr.isatty():
            return
        self._next = time.monotonic() + 0.5
        self._shown = True
        sys.stderr.write(f"\r{number:,} updates, loss {loss:.6g}   ")
        sys.stderr.flush()

    def done(self) -> None:
        if self._shown:
            sys.stderr.write("\n")


def warn(warnings: tuple[str, ...]) -> None:
    """Says on stderr what is allowed and yet probably not meant."""
    for text in warnings:
        click.echo(f"warning: {text}", err=True)
