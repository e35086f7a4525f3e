"""What moved a weight: update by update, and row by row. All parts add up to the whole change, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.errors import InputError, Problem, RunError
from chainrule.naming import Cell, cell_id
from chainrule.network import Network
from chainrule.readers import Recorder, StepKey
from chainrule.replay.again import Agreement, RecordedRun, Update
from chainrule.replay.shares import Shares, index_of, number_at, parameter, shares
from chainrule.rules.rule import Optimizer

PENALTY, CLIPPING, DECAY, ROUNDING = "penalty", "clipping", "weight decay", "rounding"
"""What moves a weight besides the rows: the price of the weights, a gradient cut off, a weight that shrinks by itself, and
the last digits of the engine's arithmetic."""


@dataclass(frozen=True, eq=False)
class Move:
    """What one update did to a weight.

    moved: the weight after it less the weight before. gradient: of the loss by the weight, before clipping. rows: of the
    table, from 0, in the order of the batch. pulls: of each row, the rate times what it adds to the gradient, against it:
    with plain gradient descent, what it moved. others: what moved it besides.
    """

    number: int
    epoch: int
    rate: float
    moved: float
    gradient: float
    rows: Any
    pulls: Any
    others: dict[str, float]

    def strongest(self, most: int) -> list[int]:
        """The samples, from 0, with the largest pulls."""
        return [int(i) for i in np.argsort(-np.abs(self.pulls), kind="stable")[:most]]


@dataclass(frozen=True)
class RowMove:
    """A row of the table (from 0) and its pulls, added up over all updates that it was in."""

    row: int
    pull: float
    updates: int


@dataclass(frozen=True, eq=False)
class WhyChanged:
    """Why a weight changed from before update `first` to after update `last`.

    plain: the optimizer has no memory: then the pulls of `rows`, with `others`, add up to `change`. With a memory the moves
    of the updates do, and pulls only say which rows pulled which way.
    """

    run: RecordedRun
    cell: Cell
    first: int
    last: int
    before: float
    after: float
    moves: tuple[Move, ...]
    rows: tuple[RowMove, ...]
    others: dict[str, float]
    plain: bool
    agreement: Agreement

    @property
    def id(self) -> str:
        """The weight."""
        return cell_id(self.cell)

    @property
    def change(self) -> float:
        """By how much it changed."""
        return self.after - self.before

    @property
    def rounding(self) -> float:
        """What the moves of the updates lack of the change, because each of them is rounded when it is written down."""
        return rest(self.before, self.after, (move.moved for move in self.moves))


def rest(before: float, after: float, parts: Iterable[float]) -> float:
    """What is left of a change when its parts are taken away, without any rounding on the way."""
    return float(Fraction(after) - Fraction(before) - sum((Fraction(part) for part in parts), Fraction(0)))


def why_changed(run: RecordedRun, name: str, first: int = 1, last: int | None = None) -> WhyChanged:
    """What moved a weight from before update `first` to after update `last` (the run's last one by default).

    name: of a weight, a bias, a scale or a shift: its id, or its textbook name. Raises InputError for names and updates that
    the run does not have, RunError for what cannot be replayed or is not finite.
    """
    last = run.updates if last is None else last
    for number in (first, last):
        run.check(number)
    if first > last:
        raise InputError("the first update comes after the last", got=f"{first} to {last}", do="--from A --to B, A up to B")
    network, optimizer = run.network, run.experiment.optimizer
    cell = parameter(network, name)
    plain = not optimizer.slots and not optimizer.counters
    moves, begun, before, after = [], None, math.nan, math.nan
    totals: dict[int, list[float]] = {}
    for update, start in run.again(first, last):
        if begun is None:
            begun, before = start, float(number_at(network, update.before.parameters, cell))
        if update.after is None:
            do = f"ask for updates up to {update.number - 1:,}"
            raise RunError(Problem("the loss is not finite", where=f"update {update.number:,}", got=str(update.loss), do=do))
        move = _move(run, network, optimizer, update, cell, plain)
        moves.append(move)
        after = float(number_at(network, update.after, cell))
        if not math.isfinite(after):
            raise RunError(Problem("the weight is not finite", where=f"update {update.number:,}", got=str(after)))
        for row, pull in zip(move.rows, move.pulls, strict=True):
            totals.setdefault(int(row), []).append(float(pull))
    assert begun is not None
    rows = tuple(RowMove(row, math.fsum(pulls), len(pulls)) for row, pulls in totals.items())
    rows = tuple(sorted(rows, key=lambda each: (-abs(each.pull), each.row)))
    return WhyChanged(
        run, cell, first, last, before, after, tuple(moves), rows, _others(before, after, moves, rows, plain), plain,
        run.agreement(begun, last),
    )  # fmt: skip


def _others(before: float, after: float, moves: list[Move], rows: tuple[RowMove, ...], plain: bool) -> dict[str, float]:
    """What moved the weight besides the rows, over all updates; with plain gradient descent also what rounding adds."""
    names = dict.fromkeys(name for move in moves for name in move.others if name != ROUNDING)
    others = {name: math.fsum(move.others.get(name, 0.0) for move in moves) for name in names}
    if plain:
        others[ROUNDING] = rest(before, after, [*(each.pull for each in rows), *others.values()])
    return others


def _move(run: RecordedRun, network: Network, optimizer: Optimizer, update: Update, cell: Cell, plain: bool) -> Move:
    found = shares(network, update, cell, run.experiment.course.clipping)
    before, after = (float(number_at(network, each, cell)) for each in (update.before.parameters, update.after))
    moved, rate = after - before, float(update.rate)
    pulls = -rate * found.factor * np.asarray(found.rows, float)
    others = {}
    if found.price:
        others[PENALTY] = -rate * found.factor * found.price
    if found.cut:
        others[CLIPPING] = -rate * found.cut
    decay = _decay(network, optimizer, update, cell, found)
    if decay:
        others[DECAY] = decay
    if plain:
        others[ROUNDING] = rest(before, after, [*(float(pull) for pull in pulls), *others.values()])
    return Move(update.number, update.epoch, rate, moved, found.whole, update.rows, pulls, others)


def _decay(network: Network, optimizer: Optimizer, update: Update, cell: Cell, found: Shares) -> float:
    """How much a weight shrinks by itself in this update: the optimizer's rule is asked, on this one weight."""
    slots = update.before.state
    place = index_of(network, cell)
    like = network.dtype.type
    w, g = (
        np.array([number], network.dtype) for number in (number_at(network, update.before.parameters, cell), found.gradient)
    )
    if slots is None:
        state = {slot: np.array([first], network.dtype) for slot, first in optimizer.starts().items()}
    else:
        held = slots[cell.layer - 1][cell.symbol]
        state = {
            slot: np.array([values.reshape(-1)[0] if slot in optimizer.counters else values[place]], network.dtype)
            for slot, values in held.items()
        }
    reader = Recorder()
    with np.errstate(all="ignore"):
        optimizer.update(reader, w, g, state, update.number, like(update.rate))
    decayed = reader.steps.get(StepKey("decayed", 0, "ri"))
    return 0.0 if decayed is None else float(decayed[0]) - float(w[0])


def as_data(why: WhyChanged, most: int) -> dict[str, Any]:
    """All of it for programs: every update and every row; of each update the `most` strongest rows."""
    table = why.run.experiment.table

    def at(row: int) -> dict[str, Any]:
        file, line = table.place(row)
        return {"file": file, "line": line, "row": row + 1}

    return {
        "run": why.run.name,
        "id": why.id,
        "from": why.first,
        "to": why.last,
        "before": why.before,
        "after": why.after,
        "change": why.change,
        "agrees": why.agreement.bits,
        "agreement": why.agreement.sentence,
        "optimizer": why.run.experiment.optimizer.name,
        "rows_add_up": why.plain,
        "updates": [
            {
                "update": move.number,
                "epoch": move.epoch,
                "rate": move.rate,
                "moved": move.moved,
                "gradient": move.gradient,
                "others": move.others,
                "rows": [
                    {**at(int(move.rows[i])), "sample": i + 1, "pull": float(move.pulls[i])} for i in move.strongest(most)
                ],
            }
            for move in why.moves
        ],
        "rounding": why.rounding,
        "rows": [{**at(each.row), "pull": each.pull, "updates": each.updates} for each in why.rows],
        "others": why.others,
    }
