"""How large what lies on the page may be: its server is one process, and what is too large for it would end it."""

from __future__ import annotations

from chainrule.errors import InputError
from chainrule.phrases import say
from chainrule.spec import Example, Limits

LIMITS = Limits(parameters=1_000_000, rows=100_000)
"""How large an example on the page may be."""

SPACE = 20_000_000
"""Numbers that the rows of an example may make in all layers together: each is kept many times over on the way."""


def affordable(example: Example) -> Example:
    """The same example; refused if its rows would make more numbers than there is room for."""
    refuse_beyond(len(example.x), example.network.inputs + sum(example.network.widths))
    return example


def refuse_beyond(rows: int, each: int) -> None:
    """An InputError if so many numbers for each row are more than there is room for."""
    numbers = rows * each
    if numbers > SPACE:
        raise InputError(
            say("the step needs too much memory"),
            got=say("{n} numbers, {bytes} bytes for each time they are kept", n=f"{numbers:,}", bytes=f"{8 * numbers:,}"),
            do=say("use fewer rows or fewer units: the limit is {n} numbers", n=f"{SPACE:,}"),
            field="data",
        )
