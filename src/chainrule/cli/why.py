"""`chainrule why`: which conventions or mistakes produce a number."""

from __future__ import annotations

import re
import sys
import time

import click

from chainrule.cli import shared
from chainrule.errors import InputError, shown

MINUS = "−"


class Numbers(shared.Once):
    """A command whose arguments may be negative numbers, which would otherwise be taken for options."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(context, [re.sub(r"^-(?=[\d.,])", MINUS, arg) for arg in args])


class Saying:
    """What is being tried, on one line of stderr that is written over; nothing where stderr is no terminal."""

    def __init__(self) -> None:
        self._next = time.monotonic() + 0.5
        self._longest = 0

    def __call__(self, text: str) -> None:
        if time.monotonic() < self._next or not sys.stderr.isatty():
            return
        self._next = time.monotonic() + 0.2
        self._longest = max(self._longest, len(text))
        sys.stderr.write(f"\r{text.ljust(self._longest)}")
        sys.stderr.flush()

    def done(self) -> None:
        if self._longest:
            sys.stderr.write(f"\r{' ' * self._longest}\r")


@click.command("why", cls=Numbers, short_help="Find the conventions or mistakes that produce a number.")
@click.argument("what")
@click.argument("name_and_value", nargs=-1, required=True, metavar="[NAME] VALUE")
@shared.after
@click.option(
    "--updates", metavar="A-B", help="Look at these updates, as 1-20; by default the one of --after and its neighbours."
)
@shared.names
@shared.setting
@shared.language
@click.option("--json", "as_json", is_flag=True, help="The explanations as JSON.")
def command(
    what: str,
    name_and_value: tuple[str, ...],
    after: int | None,
    updates: str | None,
    style: str | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Find the conventions or mistakes that produce VALUE as the number NAME of WHAT, or as any of its numbers.

    Two numbers are the same if their printed digits are. The simplest explanation comes first; ties are all told.
    """
    if len(name_and_value) > 2:
        raise click.UsageError(
            f"one name and one value are expected; got {len(name_and_value)} words - quote names with blanks"
        )
    *names, value = (part.replace(MINUS, "-") if part.startswith(MINUS) else part for part in name_and_value)
    numbers = _numbers(updates)

    from chainrule.marking.search import why
    from chainrule.spec import load

    example = load(what, shared.pairs(settings))
    shared.warn(example.warnings)
    if style:
        object.__setattr__(example, "naming", example.network.naming(style, example.naming.custom))
    saying = Saying()
    try:
        found = why(example, value, names[0] if names else None, updates=numbers, after=after or 0, progress=saying)
    finally:
        saying.done()
    shared.deliver(f"{found.to_json() if as_json else found}\n", None)


def _numbers(text: str | None) -> range | None:
    """`3-20` or `7` as updates."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,7})(?:-(\d{1,7}))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last:
        raise InputError("--updates needs the numbers of updates, from 1", got=shown(text), do="for example --updates 1-20")
    return range(first, last + 1)
