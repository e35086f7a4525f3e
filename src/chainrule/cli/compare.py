"""`chainrule compare`: the same step under different conventions, side by side."""

from __future__ import annotations

import itertools
import json
import math
from typing import TYPE_CHECKING

import click

from chainrule.cli import shared
from chainrule.conventions import CHOICES
from chainrule.errors import InputError, nearest, printable, shown
from chainrule.rules import names as rule_names

if TYPE_CHECKING:
    from chainrule.tracing import Trace

VARIED = {
    "update.biases": CHOICES["biases"],
    "update.order": CHOICES["order"],
    "numbers.intermediate": CHOICES["intermediate"],
    "network.reduction": ("mean", "sum"),
    "network.loss": ("half_squared_error", "squared_error", "mean_squared_error"),
    "update.optimizer": rule_names("optimizer"),
}
"""What can be varied by name alone; anything else with its values: update.learning_rate=0.1|0.5."""

MOST = 64


@click.command("compare", short_help="The same step under different conventions.")
@click.argument("what")
@click.option("--vary", required=True, metavar="KEYS", help="Keys of the spec, as update.order,update.biases or key=a|b|c.")
@shared.after
@shared.digits
@shared.names
@shared.setting
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
    traces: list[tuple[str, Trace]] = []
    progress = shared.Progress()
    same: dict[str, str] = {}
    for combination in itertools.product(*(values for _, values in choices)):
        chosen = tuple(zip((key for key, _ in choices), combination, strict=True))
        label = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in chosen)
        example = load(what, (*fixed, *chosen))
        trace = derive(example, after or 0, digits=digits, style=style or "", report=progress)
        twin = next((other for other, known in traces if _numbers(known) == _numbers(trace)), None)
        if twin is None:
            traces.append((label, trace))
        else:
            same[label] = twin
    progress.done()
    click.echo(_json(traces, same) if as_json else _table(traces, same, shared.width()), nl=False)


def _choices(vary: str) -> list[tuple[str, tuple[str, ...]]]:
    result = []
    for part in vary.split(","):
        key, equals, values = part.strip().partition("=")
        known = VARIED.get(key)
        if not equals and known is None:
            raise InputError(
                "--vary needs values for this key", got=shown(key), do=f"{key}=a|b, or {nearest(key, VARIED)}", field="--vary"
            )
        result.append((key, tuple(value.strip() for value in values.split("|")) if equals else known or ()))
    count = math.prod(len(options) for _, options in result)
    if count > MOST:
        raise InputError(f"--vary asks for {count} steps", do=f"vary fewer keys: at most {MOST} fit a table", field="--vary")
    return result


def _numbers(trace: Trace) -> list[tuple[str, float, str]]:
    """What the table shows: the loss and the outputs before, the parameters and the loss after."""
    outputs = f"a[{len(trace.network.layers)}]"
    before = [(change.name, change.before, "") for change in trace.changes if change.id.startswith(outputs)]
    parameters = {span.symbol for span in trace.network.spans}
    after = [(change.name + "+", change.after, "") for change in trace.changes if change.id.split("[")[0] in parameters]
    return [
        (f"loss before update {trace.number}", trace.loss, "full"),
        *before,
        *after,
        (f"loss after update {trace.number}", trace.loss_after, "full"),
    ]


def _table(traces: list[tuple[str, Trace]], same: dict[str, str], width: int) -> str:
    lines = []
    letters = [chr(ord("A") + place) if place < 26 else f"A{place - 25}" for place in range(len(traces))]
    for letter, (label, _) in zip(letters, traces, strict=True):
        lines.append(f"{letter}  {printable(label)}")
    order = {label: letter for letter, (label, _) in zip(letters, traces, strict=True)}
    for label, twin in same.items():
        lines.append(f"{order[twin]}  {printable(label)} (the same numbers)")
    columns = []
    for _, trace in traces:
        columns.append([f"{value:.11g}" if kind == "full" else trace.digits.text(value) for _, value, kind in _numbers(trace)])
    heads = [printable(name) for name, _, _ in _numbers(traces[0][1])]
    name_width = max(len(head) for head in heads)
    widths = [max(len(cell) for cell in column) for column in columns]
    start = 0
    while start < len(columns):
        stop, used = start + 1, name_width + 2 + widths[start]
        while stop < len(columns) and used + 2 + widths[stop] <= width:
            used += 2 + widths[stop]
            stop += 1
        lines += ["", " " * name_width + "".join(f"  {letters[i].rjust(widths[i])}" for i in range(start, stop))]
        for row, head in enumerate(heads):
            cells = "".join(f"  {columns[i][row].rjust(widths[i])}" for i in range(start, stop))
            lines.append(head.ljust(name_width) + cells)
        start = stop
    return "\n".join(lines) + "\n"


def _json(traces: list[tuple[str, Trace]], same: dict[str, str]) -> str:
    data = {
        "columns": [
            {"label": label, "update": trace.number, "numbers": {name: float(value) for name, value, _ in _numbers(trace)}}
            for label, trace in traces
        ],
        "same": same,
    }
    return json.dumps(data, indent=1) + "\n"
