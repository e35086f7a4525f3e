"""`chainrule compare`: the same step under different conventions, side by side."""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import click

from chainrule.cli import shared
from chainrule.conventions import CHOICES
from chainrule.errors import InputError, nearest, printable, shown
from chainrule.phrases import phrase, say
from chainrule.rules import find
from chainrule.rules import names as rule_names
from chainrule.widths import left
from chainrule.widths import width as cells_of

if TYPE_CHECKING:
    from chainrule.tracing import Trace

VARIED = {
    "update.biases": CHOICES["biases"],
    "update.order": CHOICES["order"],
    "numbers.intermediate": CHOICES["intermediate"],
    "network.reduction": ("mean", "sum"),
    "network.loss": ("half_squared_error", "squared_error", "mean_squared_error"),
    "update.optimizer": rule_names("optimizer"),
    **{
        f"update.{entry.name}": entry.metadata["options"]  # the dialects of the optimizers
        for name in rule_names("optimizer")
        for entry in fields(find("optimizer", name))
        if "options" in entry.metadata
    },
}
"""What can be varied by name alone; anything else with its values: update.learning_rate=0.1|0.5."""

MOST = 64


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

    choices = _choices(vary)
    fixed = shared.pairs(settings)
    columns: list[Column] = []
    progress = shared.Progress()
    for combination in itertools.product(*(values for _, values in choices)):
        chosen = tuple(zip((key for key, _ in choices), combination, strict=True))
        label = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in chosen)
        example = load(what, (*fixed, *chosen))
        column = _column(label, derive(example, after or 0, digits=digits, style=style or "", report=progress))
        twin = next((other for other in columns if other.numbers == column.numbers), None)
        if twin is None:
            columns.append(column)
        else:
            twin.same.append(label)
    progress.done()
    click.echo(_json(columns) if as_json else _table(columns, shared.width()), nl=False)


def _choices(vary: str) -> list[tuple[str, tuple[str, ...]]]:
    result = []
    for part in re.findall(r"(?:[^,\[]|\[[^\]]*(?:\[[^\]]*\][^\]]*)*\])+", vary):  # commas in brackets belong to a value
        key, equals, values = part.strip().partition("=")
        known = VARIED.get(key)
        if not equals and known is None:
            raise InputError(
                "--vary needs values for this key", got=shown(key), do=f"{key}=a|b, or {nearest(key, VARIED)}", field="--vary"
            )
        result.append((key, tuple(value.strip() for value in values.split("|")) if equals else known or ()))
    keys = [key for key, _ in result]
    if len(set(keys)) < len(keys):
        raise InputError("--vary names a key twice", got=shown(vary), do="name each key once", field="--vary")
    count = math.prod(len(options) for _, options in result)
    if count > MOST:
        raise InputError(f"--vary asks for {count} steps", do=f"vary fewer keys: at most {MOST} fit a table", field="--vary")
    return result


@dataclass(frozen=True)
class Column:
    """One way to choose: what was chosen, and the loss and outputs before, parameters and loss after."""

    label: str
    trace: Trace
    numbers: dict[str, float]
    same: list[str] = field(default_factory=list)


LOSSES = (phrase("loss before"), phrase("loss after"))


def _column(label: str, trace: Trace) -> Column:
    outputs, parameters = f"a[{len(trace.network.layers)}]", {span.symbol for span in trace.network.spans}
    numbers = {LOSSES[0]: trace.loss}
    numbers |= {change.name: change.before for change in trace.changes if change.id.startswith(outputs)}
    numbers |= {f"{change.name}+": change.after for change in trace.changes if change.id.split("[")[0] in parameters}
    return Column(label, trace, {**numbers, LOSSES[1]: trace.loss_after})


def _table(columns: list[Column], width: int) -> str:
    letters = [chr(ord("A") + place) if place < 26 else f"A{place - 25}" for place in range(len(columns))]
    lines = []
    for letter, column in zip(letters, columns, strict=True):
        lines.append(f"{letter}  {printable(column.label)}")
        lines += [f"{letter}  {say('{label} (the same numbers)', label=printable(label))}" for label in column.same]
    lines += ["", say("Update {n}, losses before and after it.", n=columns[0].trace.number)]
    names = dict.fromkeys(name for column in columns for name in column.numbers if name not in LOSSES)
    rows = [LOSSES[0], *names, LOSSES[1]]
    head = max(cells_of(printable(say(row))) for row in rows)
    cells = {letter: [_cell(column, row) for row in rows] for letter, column in zip(letters, columns, strict=True)}
    for group in _groups(cells, width - head):
        widths = {letter: max(len(letter), *map(len, cells[letter])) for letter in group}
        lines += ["", " " * head + "".join(f"  {letter.rjust(widths[letter])}" for letter in group)]
        for place, row in enumerate(rows):
            values = "".join(f"  {cells[letter][place].rjust(widths[letter])}" for letter in group)
            lines.append(left(printable(say(row)), head) + values)
    return "\n".join(lines) + "\n"


def _cell(column: Column, row: str) -> str:
    if row not in column.numbers:
        return "-"
    value = column.numbers[row]
    return f"{value:.11g}" if row in LOSSES else column.trace.digits.text(value)


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
