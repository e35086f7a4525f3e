"""`chainrule compare`: the same step under different conventions, side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from chainrule import comparing
from chainrule.cli import shared
from chainrule.comparing import Chosen, Column
from chainrule.errors import printable
from chainrule.phrases import say
from chainrule.widths import left
from chainrule.widths import width as cells_of

if TYPE_CHECKING:
    from chainrule.tracing import Trace


@click.command("compare", cls=shared.Once, short_help="The same step under different conventions.")
@click.argument("what")
@click.option("--vary", required=True, metavar="KEYS", help="Keys of the spec, as update.order,update.biases or key=a|b|c.")
@shared.after
@shared.digits
@shared.names
@shared.setting
@shared.language
@click.option("--json", "as_json", is_flag=True, help="The table as JSON.")
def command(
    what: str,
    vary: str,
    after: int | None,
    digits: int | None,
    style: str | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Put one step of WHAT under different conventions side by side: loss, outputs and new weights.

    KEYS are keys of the spec, separated by commas. update.order, update.biases and other conventions are tried with each
    of their values; any key can be given values: update.learning_rate=0.1|0.5.
    """
    from chainrule.derivation import derive
    from chainrule.spec import load

    varied = comparing.choices(vary)
    fixed = shared.pairs(settings)
    progress = shared.Progress()

    def derived(chosen: Chosen) -> Trace:
        return derive(load(what, (*fixed, *chosen)), after or 0, digits=digits, style=style or "", report=progress)

    columns = comparing.side_by_side(varied, derived)
    progress.done()
    click.echo(_json(columns) if as_json else _table(columns, shared.width()), nl=False)


def _table(columns: list[Column], width: int) -> str:
    letters = [chr(ord("A") + place) if place < 26 else f"A{place - 25}" for place in range(len(columns))]
    lines = []
    for letter, column in zip(letters, columns, strict=True):
        lines.append(f"{letter}  {printable(column.label)}")
        lines += [f"{letter}  {say('{label} (the same numbers)', label=printable(label))}" for label in column.same]
    lines += ["", say("Update {n}, losses before and after it.", n=columns[0].trace.number)]
    rows = comparing.rows(columns)
    head = max(cells_of(printable(say(row))) for row in rows)
    cells = {letter: [column.text(row) for row in rows] for letter, column in zip(letters, columns, strict=True)}
    for group in _groups(cells, width - head):
        widths = {letter: max(len(letter), *map(len, cells[letter])) for letter in group}
        lines += ["", " " * head + "".join(f"  {letter.rjust(widths[letter])}" for letter in group)]
        for place, row in enumerate(rows):
            values = "".join(f"  {cells[letter][place].rjust(widths[letter])}" for letter in group)
            lines.append(left(printable(say(row)), head) + values)
    return "\n".join(lines) + "\n"


def _groups(cells: dict[str, list[str]], width: int) -> list[list[str]]:
    """Columns side by side as far as a line reaches."""
    groups: list[list[str]] = []
    used = width + 1
    for letter, column in cells.items():
        wide = 2 + max(map(len, column))
        if used + wide > width:
            groups.append([])
            used = 0
        groups[-1].append(letter)
        used += wide
    return groups


def _json(columns: list[Column]) -> str:
    data = [
        {
            "label": column.label,
            "update": column.trace.number,
            "numbers": {name: float(value) for name, value in column.numbers.items()},
            "same": column.same,
        }
        for column in columns
    ]
    return json.dumps({"columns": data}, indent=1) + "\n"
