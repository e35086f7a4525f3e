"""Change: numbers, rules and conventions set, layers and units added and removed, and all of it taken back."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from chainrule import comparing
from chainrule.comparing import Chosen, Column
from chainrule.errors import InputError, Problem, shown
from chainrule.naming import parse_id
from chainrule.page import choices as chosen_from
from chainrule.page import fields as form
from chainrule.page.body import Body
from chainrule.page.desk import Desk
from chainrule.page.limits import LIMITS, affordable
from chainrule.phrases import say
from chainrule.spec import Example, reshaping
from chainrule.spec.reshaping import Made
from chainrule.spec.revising import NUMBERS, place_of, revised
from chainrule.tracing import Trace

EDITS = 400
"""Numbers that are changed at once."""

PATHS = re.compile(
    r"title|source|network\.\w+|network\.layers\[\d{1,6}\]\.\w+|update\.\w+"
    r"|numbers\.(places|intermediate|print)|names\.style",
    re.ASCII,
)
"""What can be set by its path. Where a table lies is not among it."""

ACTIONS = (
    "add_unit", "remove_unit", "add_layer", "remove_layer", "add_sample", "remove_sample", "biases", "take_over",
)  # fmt: skip

MOVED = 8
"""Numbers with another name that are told one by one."""

ROWS = 40
"""Numbers of a comparison that are shown: those that differ come first."""


def fields(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """The form: every number and choice of the example with its place."""
    Body(sent).close()
    return form.form(desk)


def choices(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """What may be chosen, from the catalogue."""
    Body(sent).close()
    rules = {kind: chosen_from.rules(kind) for kind in chosen_from.KINDS}
    return {**rules, "conventions": chosen_from.conventions(), "varied": chosen_from.varied(desk.example)}


def change(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """Sets numbers and choices, all together or none."""
    body = Body(sent)
    desk.current(body.take("version"))
    edits = _edits(body.take("edits"))
    body.close()
    example = desk.example
    data = revised(example, edits)
    try:
        changed = affordable(example.rewritten(data, LIMITS))
    except InputError as error:
        raise _at_fields(error, example, edits) from None
    desk.place(changed, notes=changed.warnings)
    return desk.view()


def structure(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """Adds or removes a layer, a unit, a sample; or takes a table's numbers into the example."""
    body = Body(sent)
    desk.current(body.take("version"))
    action = body.word("action", ACTIONS)
    example = desk.example
    if action == "take_over":
        made = reshaping.take_over(example, LIMITS)
    elif action in ("add_sample", "remove_sample"):
        sample = body.whole("sample", least=1) or desk.row + 1
        made = (reshaping.add_sample if action == "add_sample" else reshaping.remove_sample)(example, sample, LIMITS)
    else:
        made = _layers(body, action, example)
    body.close()
    changed = affordable(made.example)
    before = desk.trace
    desk.place(changed, notes=[*_said(made), *changed.warnings])
    desk.tell(_moved(made, before, desk.trace))
    if action == "add_sample" and desk.trace.scope.rows == len(changed.x):  # in a batch it may be missing
        desk.sample = len(changed.x)
    return desk.view()


def _said(made: Made) -> list[str]:
    """What else came of another structure, in words."""
    seed = made.example.network.seed
    if made.drawn == 1:
        drawn = say("1 new weight was drawn at random, with the seed {seed}", seed=seed)
    else:
        drawn = say("{n} new weights were drawn at random, with the seed {seed}", n=f"{made.drawn:,}", seed=seed)
    return [
        *([drawn] if made.drawn else []),
        *([say("names of weights that no longer fit were left out")] if made.unnamed else []),
    ]


def _moved(made: Made, before: Trace, after: Trace) -> list[str]:
    """Which weights and biases have another name now, in words."""
    names = [(before.label(was), after.label(now)) for was, now in made.stayed]
    told = [say("{old} is now {new}", old=old, new=new) for old, new in names if old != new]
    if len(told) > MOVED:
        told = [*told[:MOVED], say("and {n} more", n=len(told) - MOVED)]
    return [say(", ").join(told)] if told else []


def _layers(body: Body, action: str, example: Example) -> Made:
    layer = body.whole("layer", least=0)
    if layer is None:
        raise InputError(say("which layer is not said"), do=say("give its number"), field="layer")
    if action == "add_unit":
        return reshaping.add_unit(example, layer, LIMITS)
    if action == "remove_unit":
        unit = body.whole("unit", least=1)
        width = [example.network.inputs, *example.network.widths][min(layer, len(example.network.layers))]
        return reshaping.remove_unit(example, layer, unit or width, LIMITS)
    if action == "add_layer":
        units = body.whole("units", least=1)
        activation = body.take("activation")
        if activation is not None and not isinstance(activation, str):
            raise InputError(say("activation must be a name"), got=shown(activation), field="activation")
        return reshaping.add_layer(example, layer, LIMITS, units, activation)
    if action == "remove_layer":
        return reshaping.remove_layer(example, layer, LIMITS)
    kind = body.word("kind", ("none", "shared", "per_unit"))
    return reshaping.set_biases(example, layer, kind, LIMITS)


def undo(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """Takes the last change back."""
    _version(desk, sent)
    desk.undo()
    return desk.view()


def redo(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """Makes a change again that was taken back."""
    _version(desk, sent)
    desk.redo()
    return desk.view()


def restore(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """The example as it was before anything of it was changed. This can be taken back as well."""
    _version(desk, sent)
    if desk.example is desk.original:
        raise InputError(say("nothing of this example was changed"), do=say("change something first"))
    desk.place(desk.original)
    return desk.view()


def compare(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """The step that is looked at under different choices, side by side, with the numbers that differ marked."""
    body = Body(sent)
    keys = body.take("vary")
    body.close()
    if not isinstance(keys, list) or not 1 <= len(keys) <= 4 or not all(isinstance(key, str) for key in keys):
        raise InputError(say("vary must be a list of one to four keys"), got=shown(keys), field="vary")
    varied = comparing.choices(",".join(keys), "vary")
    for key, _ in varied:
        _refuse_path(key)
    example = desk.example

    def derived(chosen: Chosen) -> Trace:
        desk.beat()
        return desk.derived(affordable(example.rewritten(revised(example, chosen), LIMITS)))

    columns = comparing.side_by_side(varied, derived, whole=example.network.size <= 2_000)
    way = chosen_from.way
    told = [{"label": way(column.label), "same": [way(same) for same in column.same]} for column in columns]
    return {"version": desk.version, "columns": told, **_rows(columns)}


def _rows(columns: list[Column]) -> dict[str, Any]:
    rows = [(name, [column.text(name) for column in columns]) for name in comparing.rows(columns)]
    differing = {name for name, _ in rows if len({column.numbers.get(name) for column in columns}) > 1}
    first = sorted(rows, key=lambda row: row[0] not in differing and row[0] not in comparing.LOSSES)
    kept = {name for name, _ in first[:ROWS]}
    losses: dict[str, str] = dict(zip(comparing.LOSSES, (say("loss before"), say("loss after")), strict=True))
    told = [
        {"name": losses.get(name, name), "cells": cells, "differs": name in differing} for name, cells in rows if name in kept
    ]
    return {"rows": told, "left_out": len(rows) - len(told)}


def _version(desk: Desk, sent: dict[str, Any]) -> None:
    body = Body(sent)
    desk.current(body.take("version"))
    body.close()


def _edits(given: Any) -> list[tuple[str, Any]]:
    if not isinstance(given, list) or not 1 <= len(given) <= EDITS:
        raise InputError(say("edits must be a list of 1 to {n} pairs", n=EDITS), got=shown(given), field="edits")
    edits = []
    for each in given:
        if not isinstance(each, list) or len(each) != 2 or not isinstance(each[0], str):
            raise InputError(say("an edit must be a pair: a path and a value"), got=shown(each), field="edits")
        _refuse_path(each[0])
        edits.append((each[0], each[1]))
    return edits


def _at_fields(error: InputError, example: Example, edits: list[tuple[str, Any]]) -> InputError:
    """The same error, told at the fields where the page has what is wrong."""
    cells = {path: parse_id(path) for path, _ in edits}
    fields = {place_of(example, cell): path for path, cell in cells.items() if cell is not None}
    return type(error)(*(replace(problem, field=fields.get(problem.field, problem.field)) for problem in error.problems))


def _refuse_path(path: str) -> None:
    cell = parse_id(path)
    if (cell is None or cell.symbol not in NUMBERS or cell.via is not None) and not PATHS.fullmatch(path):
        what = say("this cannot be set here")
        do = say("name a number, such as W[1][2,1], or a key of the spec, such as update.order")
        raise InputError(Problem(what, got=shown(path), do=do, field=path))
