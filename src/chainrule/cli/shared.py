"""Options that several commands take, and how their values are read."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from chainrule.errors import InputError, shown
from chainrule.phrases import LANGUAGES
from chainrule.phrases import language as speak

F = TypeVar("F", bound=Callable[..., Any])

setting = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a value of the spec, as update.order=sequential."
)
after = click.option("--after", type=click.IntRange(min=0), metavar="N", help="The step after N updates.")
digits = click.option("--digits", type=click.IntRange(1, 17), metavar="K", help="Decimals to show; 17 shows every digit.")


def _speak(context: click.Context, parameter: click.Parameter, name: str | None) -> None:
    if name is not None:
        context.with_resource(speak(name))


language = click.option(
    "--language", type=click.Choice(LANGUAGES), expose_value=False, callback=_speak, help="en, or zh for Chinese."
)
names = click.option("--names", "style", type=click.Choice(["textbook", "matrix"]), help="How numbers are called.")


def pairs(settings: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """`a.b=c` taken apart; an InputError for what has no equals sign, or is no text."""
    result = []
    for text in settings:
        if any(0xD800 <= ord(sign) < 0xE000 for sign in text):
            raise InputError("--set holds bytes that are not UTF-8", got=shown(text), do="write it in UTF-8")
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError("--set needs KEY=VALUE", got=shown(text), do="for example --set update.order=sequential")
        result.append((key.strip(), value.strip()))
    return tuple(result)


class Once(click.Command):
    """A command that refuses an option given twice, where the second would silently replace the first."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        _, _, order = self.make_parser(context).parse_args(args=list(args))
        for parameter in order:
            both = {*parameter.opts, *parameter.secondary_opts} & set(args) if parameter.secondary_opts else set()
            if len(both) > 1:
                raise click.UsageError(f"{' and '.join(sorted(both))} exclude each other - keep one", context)
            repeatable = getattr(parameter, "multiple", False) or getattr(parameter, "is_flag", False)
            if order.count(parameter) > 1 and not repeatable and isinstance(parameter, click.Option):
                raise click.UsageError(f"{parameter.opts[-1]} is given twice - keep one", context)
        return super().parse_args(context, args)


def writable(path: str | None, *sources: str) -> Path | None:
    """The file to write, checked before any work starts; it may not be one that is read."""
    if path is None:
        return None
    file = Path(os.path.realpath(path))
    if file.is_dir():
        raise InputError("the output is a folder", got=shown(path), do="give a file name", field="-o")
    if not file.parent.is_dir():
        raise InputError("the output's folder does not exist", got=shown(str(file.parent)), do="create it first", field="-o")
    if len(os.fsencode(file.name)) > 255:
        raise InputError("the output's name is too long", got=shown(file.name), do="at most 255 bytes", field="-o")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise InputError("the output cannot be written", got=shown(path), do="choose another place", field="-o")
    for source in sources:
        if file.exists() and Path(source).exists() and file.samefile(source):
            raise InputError("the output would replace what is read", got=shown(path), do="choose another name", field="-o")
    return file


def deliver(text: str, file: Path | None) -> None:
    """To a file, whole or not at all; or to stdout."""
    if file is None:
        sys.stdout.write(text)
    elif (file.exists() and not file.is_file()) or not os.access(file.parent, os.W_OK):
        file.write_text(text, encoding="utf-8")  # a device cannot be replaced, nor a file in a folder that is closed
    else:
        _replace(text, file)


def _replace(text: str, file: Path) -> None:
    draft = file.with_name(f".chainrule-{os.getpid()}.tmp")
    try:
        draft.write_text(text, encoding="utf-8")
        if file.exists():
            draft.chmod(stat.S_IMODE(file.stat().st_mode))
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def width() -> int:
    """Columns of the terminal, 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() or "COLUMNS" in os.environ else 80


def colour() -> bool:
    """Whether stdout is a terminal that shows colours, and nobody asked for none."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM", "dumb") != "dumb"


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


def reading(command: F) -> F:
    """The options that say how a table is written, where that is not to be found out."""
    from chainrule.settings import about

    for name in reversed(READING):
        meta = about(name)
        metavar = "|".join(meta["limits"]["choices"]) if "choices" in meta["limits"] else "TEXT"
        command = click.option("--" + name, name, metavar=metavar, help=meta["help"])(command)
    return command


READING = ("sep", "decimal", "thousands", "encoding", "comment", "missing")


def load_model(path: str) -> Any:
    """The model in a file, or the one of a run folder."""
    from chainrule import models

    inside = Path(path) / "model.safetensors"
    return models.load(inside if inside.is_file() else Path(path))


def read_for(model: Any, data: tuple[str, ...], reading: Mapping[str, str | None], target: bool = False) -> Any:
    """A table as the model needs it: its columns by name, of their kinds. target: with the answers."""
    from chainrule import tables
    from chainrule.experiment import options
    from chainrule.settings import Settings

    chosen: dict[str, Any] = {name: value for name, value in reading.items() if value is not None}
    preparation, goal = model.for_tables()
    kinds = dict(preparation.kinds)
    if target:
        kinds[goal.column] = goal.read_as
    table = tables.read(data[0] if len(data) == 1 else data, options(Settings(data=data, **chosen)), kinds)
    preparation.check(table, besides=(goal.column,))
    warn(tuple(map(str, table.warnings)))
    return table
