"""Why a weight changed, laid out for a terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from chainrule.errors import printable
from chainrule.explain.story import aligned, in_full
from chainrule.replay.moved import Move, WhyChanged
from chainrule.replay.telling import answer, line_of, lines_head
from chainrule.terms.digits import Digits

PULLING = 3
"""Rows that are named beside an update."""


def as_text(why: WhyChanged, most: int = 10, digits: int = 9, width: int = 80) -> str:
    """Two tables of the `most` updates and rows that moved a weight most, with what the others add up to."""
    name, to = why.id, Digits(digits)
    title = f"Why {name} changed in the run {printable(why.run.name)}"
    span = f"update {why.first:,}" if why.first == why.last else f"the updates {why.first:,} to {why.last:,}"
    head = f"{name} was {in_full(why.before)} before and {in_full(why.after)} after {span}: it moved by {in_full(why.change)}."
    lines = [title, "=" * len(title), "", *textwrap.wrap(head, width), "", *textwrap.wrap(why.agreement.sentence, width)]
    lines += ["", *_titled("Updates that moved it most"), *_updates(why, most, to, width)]
    rows = "Rows that moved it most" if why.plain else "Rows that pulled most"
    lines += ["", *_titled(rows), *textwrap.wrap(_meaning(why), width), "", *_rows(why, most, to)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _titled(text: str) -> list[str]:
    return [text, "-" * len(text), ""]


def _meaning(why: WhyChanged) -> str:
    """What the numbers of the rows are."""
    rate = "the learning rate times its share of the gradient, against it"
    if why.plain:
        return f"What a row moved is {rate}, in every update whose batch it was in. All parts add up to the whole change."
    name = why.run.experiment.optimizer.name
    return (
        f"A row's pull is {rate}, added up. With {name} this is not what the row moved: each step also carries older gradients "
        "(momentum), or is scaled by what the optimizer remembers of them. The steps of the updates add up to the whole change."
    )


def _updates(why: WhyChanged, most: int, digits: Digits, width: int) -> list[str]:
    order = sorted(why.moves, key=lambda move: (-abs(move.moved), move.number))
    shown, others = order[:most], order[most:]
    left = math.fsum([*(move.moved for move in others), why.rounding])
    numbers = [*(f"{move.number:,}" for move in shown), "others" if others else "", "all"]
    epochs = [*(f"{move.epoch:,}" for move in shown), f"{len(others):,}" if others else "", f"{len(order):,}"]
    moved = aligned([*(digits.text(move.moved) for move in shown), digits.text(left), digits.text(why.change)])
    slopes = [*aligned([digits.text(move.gradient) for move in shown]), "", ""]
    table = _columns(("update", "epoch", "moved", "gradient"), [numbers, epochs, moved, slopes])
    room = width - len(table[0]) - 3
    pulling = ["rows that pulled most"[: max(room, 0)], *(_pulling(why, move, room) for move in shown)]
    result = [f"{line}   {text}" for line, text in zip(table, pulling, strict=False)]
    rest = table[len(result) :]
    return [*result, *(rest if others else rest[1:])]


def _pulling(why: WhyChanged, move: Move, room: int) -> str:
    """The rows that pulled most in an update, with their part of all pulls, as many as there is room for."""
    whole = float(abs(move.pulls).sum())
    if not whole:
        return "none: no row has a share"
    table, text = why.run.experiment.table, ""
    for i in move.strongest(PULLING):
        part = f"{line_of(table, int(move.rows[i]))} ({abs(float(move.pulls[i])) / whole:.0%})"
        longer = f"{text}, {part}" if text else f"{lines_head(table)} {part}"
        if len(longer) > room:
            break
        text = longer
    return text


def _rows(why: WhyChanged, most: int, digits: Digits) -> list[str]:
    run, shown, others = why.run, why.rows[:most], why.rows[most:]
    table = run.experiment.table
    named = [line_of(table, each.row) for each in shown]
    says = [printable(answer(run, each.row)) for each in shown]
    pulls = [each.pull for each in shown]
    times = [f"{each.updates:,}" for each in shown]
    if others:
        named.append("others")
        says.append(f"{len(others):,} rows")
        pulls.append(math.fsum(each.pull for each in others))
        times.append("")
    for name, value in why.others.items():
        if value:
            named.append(name)
            says.append("")
            pulls.append(value)
            times.append("")
    if why.plain:
        named.append("all")
        says.append("")
        pulls.append(why.change)
        times.append("")
    head = (lines_head(table), printable(run.experiment.goal.column), "moved" if why.plain else "pull", "updates")
    return _columns(head, [named, says, aligned([digits.text(pull) for pull in pulls]), times])


def _columns(head: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(title), *map(len, cells)) for title, cells in zip(head, columns, strict=True)]
    rows = [head, *zip(*columns, strict=True)]
    return ["   ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)) for row in rows]
