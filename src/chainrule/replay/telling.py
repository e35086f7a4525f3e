"""A replayed update, told: its trace, the batch by the table's lines, what each row adds, and what the engine recorded."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import InputError, shown
from chainrule.explain.story import Sheet, in_full
from chainrule.naming import Cell, cell_id
from chainrule.phrases import Listed, Phrase, phrase, say
from chainrule.readers import StepKey
from chainrule.replay.again import RecordedRun, Replay
from chainrule.replay.shares import index_of, number_at, parameter_of, shares
from chainrule.tables import Table
from chainrule.tracing import Trace

WORST = 5
"""Rows of an overview: those with the largest losses."""


MANY = 1e6
"""Units in the last digit from which a difference is no longer the rounding of the number itself."""

FEW = 30
"""Inputs, or outputs, up to which all are told what they stand for."""


@dataclass(frozen=True)
class Opened:
    """A recorded update, ready to be told: its trace, tables about it, data for programs, the numbers to derive, and the
    sample whose share in them is followed."""

    trace: Trace
    sheets: tuple[Sheet, ...]
    data: dict[str, Any]
    of: tuple[str, ...] = ()
    sample: int | None = None
    warnings: tuple[str, ...] = field(default=())


def trace_of(run: RecordedRun, replay: Replay, digits: int | None = None, style: str = "", notes: Sequence[str] = ()) -> Trace:
    """Every number of a replayed update, by the reference engine from the recorded state. Inputs begin at the cells."""
    made = run.experiment
    network = copy.copy(made.network)
    network.memory = replay.before.memory
    raw = made.preparation.raw(made.table, replay.rows)
    return Trace(
        network,
        replay.x,
        replay.t,
        made.optimizer,
        number=replay.number,
        rate=replay.rate,
        parameters=replay.before.parameters,
        state=replay.before.state,
        clipping=made.course.clipping,
        weight=replay.weight,
        naming=network.naming(style),
        digits=digits,
        title=phrase("Update {n} of the run {name}", n=f"{replay.number:,}", name=run.name),
        notes=(*said(run, replay), *notes),
        raw=goal_of(made, raw, replay.rows),
        places=replay.places,
    )


def goal_of(made: Any, raw: Any, rows: Any) -> Any:
    """The same inputs with the targets in the table's units, where these were prepared."""
    return replace(raw, goal=made.goal.raw(made.table.column(made.goal.column), rows))


def said(run: RecordedRun, replay: Replay) -> tuple[str, ...]:
    """Which update this is, whether it is the run's, and which rows were in its batch."""
    numbers = {"epoch": f"{replay.epoch:,}", "batch": f"{replay.batch:,}", "batches": f"{replay.batches:,}"}
    sentence = "Epoch {epoch}, batch {batch} of {batches}. {agreement}"
    where = phrase(sentence, **numbers, agreement=replay.agreement.sentence)
    return where, batch_in_words(run.experiment.table, replay.rows)


def batch_in_words(table: Table, rows: Any) -> str:
    """The rows of a batch, by their lines, in the order of the batch: sample 1 is the first."""
    lines = [line_of(table, int(row)) for row in rows]
    where = phrase("lines {lines}", lines=Listed(lines))
    if table.place(0)[1] is None:
        where = phrase("rows {lines}", lines=Listed(lines))
    if len(table.files) == 1:
        where = phrase("{lines} of {file}", lines=where, file=Path(table.files[0]).name)
    if len(lines) == 1:
        return phrase("The batch, sample 1: {lines}.", lines=where)
    return phrase("The batch, samples 1 to {n}: {lines}.", n=f"{len(lines):,}", lines=where)


def line_of(table: Table, row: int) -> str:
    """Where a row stands, short: its line, with its file where there are several; its number where files have no lines."""
    file, line = table.place(row)
    text = str(row + 1 if line is None else line)
    return text if len(table.files) == 1 else f"{Path(file).name}:{text}"


def overview(run: RecordedRun, trace: Trace, replay: Replay) -> tuple[Sheet, ...]:
    """The largest gradients layer by layer, and the rows with the largest losses."""
    rows: list[tuple[Any, ...]] = []
    for span, gradient in trace.gradients:
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.abs(gradient))), span.shape))
        cell = trace.scope.cell(StepKey(f"dE/d{span.symbol}", span.layer, span.over), index)
        moved: Any = "-"
        if replay.after is not None:
            moved = float(np.abs((replay.after - replay.before.parameters)[span.start : span.stop]).max())
        largest = float(gradient[index])
        length = abs(largest) * float(np.sqrt(((gradient / (largest or 1.0)) ** 2).sum()))  # squares may overflow
        rows.append((trace.label(cell), largest, length, moved))
    title = (say("largest gradient"), say("value"), say("length of all"), say("largest change"))
    gradients = Sheet("gradients", say("Largest gradients"), "", title, tuple(rows))
    table, losses = run.experiment.table, trace.losses
    order = np.argsort(-losses, kind="stable")[:WORST]
    worst = Sheet(
        "rows", say("Rows with the largest losses"), "",
        (lines_head(table), say("sample"), run.experiment.goal.column, say("loss")),
        tuple(
            (line_of(table, int(replay.rows[i])), int(i) + 1, answer(run, int(replay.rows[i])), float(losses[i])) for i in order
        ),
    )  # fmt: skip
    return gradients, worst


def lines_head(table: Table) -> str:
    """What stands above a column of places."""
    return say("line") if table.place(0)[1] is not None else say("row")


def answer(run: RecordedRun, row: int) -> str:
    """What the table says in the target's column."""
    return str(run.experiment.table.text(row, run.experiment.goal.column))


def contributions(run: RecordedRun, trace: Trace, replay: Replay, cell: Cell) -> Sheet:
    """What each row of the batch adds to the gradient of a parameter, largest first."""
    table, network = run.experiment.table, trace.network
    gradient = Cell(f"dE/d{cell.symbol}", cell.layer, cell.units)
    found = shares(network, replay, cell)
    whole = float(np.abs(found.rows).sum())
    rows: list[tuple[Any, ...]] = []
    for i in np.argsort(-np.abs(found.rows), kind="stable"):
        row = int(replay.rows[i])
        part = f"{abs(float(found.rows[i])) / whole:.1%}" if whole else "-"
        rows.append((line_of(table, row), int(i) + 1, answer(run, row), float(found.rows[i]), part))
    if found.price:
        rows.append((say("penalty"), "", "", found.price, ""))
    name = trace.label(gradient)
    sentence = say("{name} is the sum of these; the last column compares their sizes, signs left out.", name=name)
    return Sheet(
        f"shares of {cell_id(gradient)}", say("What each row adds to {name}", name=name), sentence,
        (lines_head(table), say("sample"), run.experiment.goal.column, say("adds"), say("part")), tuple(rows),
    )  # fmt: skip


def held_against(
    run: RecordedRun, trace: Trace, replay: Replay, cells: Iterable[Cell]
) -> tuple[list[str], list[dict[str, Any]]]:
    """Where the derivation's last digits differ from what the run's engine computed, by how much and why: in words, and as
    data. Only numbers that an engine leaves behind are compared."""
    sentences: list[str] = []
    data = []
    for cell in dict.fromkeys(cells):
        recorded = recorded_number(trace, replay, cell)
        if recorded is None:
            continue
        derived, name = trace.term(cell).value, trace.label(cell)
        away = float(derived) - float(recorded)
        entry = {"id": cell_id(cell), "name": name, "recorded": float(recorded), "derived": float(derived), "difference": away}
        data.append(entry)
        if derived == recorded or (derived != derived and recorded != recorded):
            sentences.append(phrase("The run's engine computed the same {name}, to the last bit.", name=name))
            continue
        units = abs(away) / float(np.spacing(np.abs(recorded)))
        last = phrase("{n} units in its last digit", n=f"{units:,.0f}")
        if round(units) == 1:
            last = phrase("1 unit in its last digit")
        if units >= MANY:
            last = phrase("it hangs on the last digits of larger numbers that cancel out")
        sentence = (
            "The run's engine computed {name} = {recorded}; the derivation ends in {derived}, which differs "
            "by {away} ({last}): {why}."
        )
        numbers = {"recorded": in_full(recorded), "derived": in_full(derived), "away": f"{abs(away):.1e}"}
        sentences.append(phrase(sentence, name=name, **numbers, last=last, why=why_digits_differ(run)))
    return sentences, data


def why_digits_differ(run: RecordedRun) -> Phrase:
    """Why two right calculations of one number differ in their last digits."""
    kind = {"kind": run.network.dtype.name, "n": 7 if run.network.dtype == np.float32 else 16}
    if run.engine.startswith("native"):
        return phrase(
            "the compiled engine adds the rows in another order, and multiplies and adds with one rounding (fused) where the "
            "derivation rounds twice; {kind} holds {n} digits of each number", **kind
        )  # fmt: skip
    return phrase("sums are added in another order; {kind} holds {n} digits of each number", **kind)


def recorded_number(trace: Trace, replay: Replay, cell: Cell) -> Any:
    """What the run's engine left of a number: a new parameter, its optimizer's memory, or the loss of the batch."""
    if cell == Cell("E"):
        return trace.network.dtype.type(replay.loss) if trace.network.dtype == np.float64 else np.float64(replay.loss)
    if replay.after is None or cell.sample or cell.via is not None or not cell.symbol.endswith("+"):
        return None
    place = parameter_of(cell)
    if place is None:
        return None
    if not cell.of:
        return number_at(trace.network, replay.after, place)
    slots = replay.state[cell.layer - 1].get(cell.of, {})
    values = slots.get(cell.symbol.removesuffix("+"))
    return None if values is None or np.size(values) == 1 != np.size(values) else values[index_of(trace.network, place)]


@np.errstate(all="ignore")  # what is infinite is told as it is
def opened(
    run: RecordedRun,
    replay: Replay,
    of: Sequence[str] = (),
    sample: int | str | None = None,
    digits: int | None = None,
    style: str = "",
) -> Opened:
    """A replayed update with what is told about the numbers in `of`, or an overview without any."""
    trace = trace_of(run, replay, digits, style)
    if isinstance(sample, int) and not 1 <= sample <= len(replay.rows):
        raise InputError(f"this step has samples 1 to {len(replay.rows)}", got=shown(sample), do="--sample 1, or --sample all")
    data = {"replay": data_of(run, replay)}
    if not of:
        whole = () if replay.after is None else (_all_parameters(run, trace, replay),)
        sentences, data["replay"]["compared"] = held_against(run, trace, replay, [Cell("E")])
        trace.notes = (*trace.notes, *_legend(run, ()), *whole)
        return Opened(trace, overview(run, trace, replay), data, (), None, warnings_of(replay))
    targets = [trace.goal(trace.find(name, sample if isinstance(sample, int) else 1)) for name in of]
    places = list(dict.fromkeys(place for place in map(parameter_of, targets) if place is not None))
    sheets = [contributions(run, trace, replay, place) for place in places] if len(replay.rows) > 1 else []
    names, follows = list(of), sample if isinstance(sample, int) else None
    told: tuple[str, ...] = ()
    if sheets and sample != "all":
        largest = int(sheets[0].rows[0][1] or 1)
        follows = follows or largest
        trace.followed = follows
        own = [
            Cell("dE/dz" if each.symbol == "b" else f"dE/d{each.symbol}", each.layer, each.units, follows) for each in places
        ]
        names += [trace.label(cell) for cell in own if trace.has(cell) and trace.label(cell) not in names]
        sentence = (
            "Sample {n} ({place}) adds most, and its share is derived here; the shares of all rows stand at the end."
            if follows == largest
            else "Sample {n} ({place}) is asked for: its share is derived here; the shares of all rows stand at the end."
        )
        told = (phrase(sentence, n=follows, place=replay.places[follows - 1]),)
    sentences, data["replay"]["compared"] = held_against(run, trace, replay, targets)
    trace.notes = (*trace.notes, *_legend(run, targets), *sentences, *told)
    return Opened(trace, tuple(sheets), data, tuple(names), follows, warnings_of(replay))


def warnings_of(replay: Replay) -> tuple[str, ...]:
    """What must not be overlooked."""
    return (say(replay.agreement.sentence),) if replay.agreement.bits is False else ()


def _legend(run: RecordedRun, cells: Sequence[Cell]) -> tuple[str, ...]:
    """What inputs and outputs stand for: all of them, or those at the ends of a weight where they are many."""
    made = run.experiment
    inputs, outputs, last = made.preparation.inputs, made.goal.names, len(made.network.layers)
    xs, ys = list(range(len(inputs))), list(range(len(outputs)))
    named = [cell for cell in map(parameter_of, cells) if cell is not None and cell.units]
    if cells and len(inputs) > FEW:
        xs = sorted({cell.units[-1] - 1 for cell in named if cell.layer == 1 and cell.symbol == "W"})
        xs = sorted({*xs, *(cell.units[0] - 1 for cell in cells if cell.symbol == "x")})
    elif not cells:
        xs = []
    if len(outputs) > FEW:
        ys = sorted({cell.units[0] - 1 for cell in named if cell.layer == last})
    pairs = [(f"x[{i + 1}]", inputs[i]) for i in xs] + [(f"a[{last}][{i + 1}]", outputs[i]) for i in ys]
    parts = Listed(phrase("{name} is {what}", name=name, what=what) for name, what in pairs)
    return (phrase("{parts}.", parts=parts),) if pairs else ()


def _all_parameters(run: RecordedRun, trace: Trace, replay: Replay) -> str:
    """How far the derivation's new parameters are from those that the engine computed."""
    made = np.concatenate([np.reshape(trace.new[span.layer - 1][span.symbol], -1) for span in trace.network.spans])
    equal, away = int((made == replay.after).sum()), float(np.abs(made - replay.after).max())
    if equal == len(made):
        return phrase("All {n} new parameters are those that the run's engine computed, to the last bit.", n=f"{len(made):,}")
    sentence = (
        "Of {n} new parameters {equal} are those that the run's engine computed, to the last bit; the others "
        "differ by up to {away}: {why}."
    )
    numbers = {"n": f"{len(made):,}", "equal": f"{equal:,}", "away": f"{away:.1e}"}
    return phrase(sentence, **numbers, why=why_digits_differ(run))


def data_of(run: RecordedRun, replay: Replay) -> dict[str, Any]:
    """A replay for programs."""
    table = run.experiment.table
    return {
        "run": run.name,
        "update": replay.number,
        "epoch": replay.epoch,
        "batch": replay.batch,
        "batches": replay.batches,
        "rate": float(replay.rate),
        "loss": replay.loss if np.isfinite(replay.loss) else str(replay.loss),
        "agrees": replay.agreement.bits,
        "agreement": say(replay.agreement.sentence),
        "engine": run.engine,
        "rows": [dict(zip(("file", "line"), table.place(int(row)), strict=True)) for row in replay.rows],
    }
