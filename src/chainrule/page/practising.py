"""Train: updates until something ends them, the curve of the loss, data to train on, and what the network gives where."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from chainrule.errors import InputError, shown
from chainrule.explain.story import in_full
from chainrule.naming import Cell
from chainrule.page import datasets, surfaces
from chainrule.page.body import Body
from chainrule.page.desk import Desk
from chainrule.page.ground import ground
from chainrule.page.limits import affordable
from chainrule.page.subjects import Recorded
from chainrule.phrases import say

MOST = 10**8
"""Updates in one ask."""

SIDES = (8, 100)
"""Cells on each side of a surface."""

RESOLUTION = 64

KINDS = (*datasets.SHAPES, "csv")


def train(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """Begins to train, from where training stands: so many updates more, or until a loss. How it goes is a stream."""
    body = Body(sent)
    desk.current(body.take("version"))
    updates, until = body.whole("updates", least=1, most=MOST), body.take("until")
    body.close()
    if (updates is None) == (until is None):
        raise InputError(say("say how far: a number of updates, or a loss"), field="updates")
    if until is not None:
        until = _number("until", until)
    practice = desk.subject.practice
    practice.start(updates, until)
    return practice.state()


def stop(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """Ends the training where it is."""
    Body(sent).close()
    practice = desk.subject.practice
    practice.stop()
    return practice.state()


def reset(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """Back to before the first update: the view of that step."""
    body = Body(sent)
    desk.current(body.take("version"))
    body.close()
    desk.subject.practice.forget()
    desk.look(after=0)
    return desk.view()


def progress(desk: Desk, sent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """How training goes, as it goes; the last event says why it ended."""
    Body(sent).close()
    return desk.subject.practice.listen()


def trained(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """What is known of the training: curves by the updates done, and the steps that can be looked at."""
    Body(sent).close()
    subject = desk.subject
    if isinstance(subject, Recorded):
        return {"recorded": True, "steps": subject.steps, "curves": subject.curves()}
    return {"recorded": False, **subject.practice.state()}


def exact(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """The losses before and after the update that is looked at, with every digit they have."""
    Body(sent).close()
    trace = desk.trace
    return {
        "number": trace.number, "rate": in_full(float(trace.rate)),
        "before": in_full(trace.loss), "after": in_full(trace.loss_after),
    }  # fmt: skip


def data(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """Puts points of a known shape, or a table of one's own, on the table as an example: its view."""
    body = Body(sent)
    desk.current(body.take("version"))
    desk.example  # noqa: B018 - a recorded run makes no room: it could not be brought back
    kind = body.word("kind", KINDS)
    if kind == "csv":
        text, name = body.text("csv", datasets.CSV), body.text("name", 255)
        target, columns = body.text("target"), _names(body)
        body.close()
        example = datasets.table(text, name, target, columns)
    else:
        count, seed = body.whole("count", least=4, most=10_000) or 200, body.whole("seed") or 0
        noise = _number("noise", body.take("noise") or 0)
        body.close()
        if not 0 <= noise <= 10:
            raise InputError(say("noise must be from 0 to 10"), got=shown(noise), field="noise")
        example = datasets.drawn(kind, count, noise, seed)
    desk.begin(affordable(example))
    return desk.view()


def columns(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """What the columns of a table are called, to choose from."""
    body = Body(sent)
    text, name = body.text("csv", datasets.CSV), body.text("name", 255)
    body.close()
    return {"columns": datasets.columns(text, name)}


def surface(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """What the network gives all over the plane of its two inputs, and the points it is trained on.

    now: where training stands, even while it goes on; otherwise before the update that is looked at.
    """
    body = Body(sent)
    now, hidden = body.switch("now"), body.switch("units")
    resolution = body.whole("resolution", *SIDES) or RESOLUTION
    body.close()
    here = ground(desk, now)
    area = surfaces.plane(here.x, resolution)
    found = surfaces.surfaces(here.network, here.parameters, here.memory, area, hidden)
    for each in (*found["outputs"], *found["units"]):
        each["name"] = desk.trace.naming.name(Cell("a", each["layer"], (each["unit"],)))
    kind, mark = here.marks
    points = [
        [float(here.x[row][0]), float(here.x[row][1]), int(mark[row]), here.sample(row)]
        for row in surfaces.shown_rows(len(here.x))
    ]
    return {
        "number": here.number, "resolution": resolution, "axes": surfaces.axes(area, here.raw, here.inputs), "kind": kind,
        "classes": list(here.classes), "points": points, "all": len(here.x), **found,
    }  # fmt: skip


def there(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """What the network gives at one point of the plane, before the update that is looked at."""
    body = Body(sent)
    point = body.take("x")
    body.close()
    if not isinstance(point, list) or len(point) != 2:
        raise InputError(say("a point has two numbers"), got=shown(point), field="x")
    place = [_number("x", value) for value in point]
    here, trace = ground(desk), desk.trace
    outputs = surfaces.predicted(here.network, here.parameters, here.memory, here.network.rows([place]))[-1][0]
    last = len(here.network.layers)
    named = zip(here.inputs, place, strict=True)
    chosen = int(outputs.argmax()) if len(outputs) > 1 else int(outputs[0] >= 0.5)
    return {
        "number": here.number,
        "inputs": [
            {"name": name, "shown": trace.digits.text(surfaces.in_units(value, at, here.raw))}
            for at, (name, value) in enumerate(named)
        ],
        "outputs": [
            {"name": trace.naming.name(Cell("a", last, (unit,))), "shown": trace.digits.text(value), "full": in_full(value)}
            for unit, value in enumerate(outputs, 1)
        ],
        "class": here.classes[chosen] if here.classes else "",
    }


def _number(name: str, value: Any) -> float:
    """A finite number that was sent."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(say("{name} must be a number", name=name), got=shown(value), field=name)
    return float(value)


def _names(body: Body) -> list[str] | None:
    """The columns that were chosen as inputs; None for all that hold numbers."""
    names = body.take("columns")
    if names is not None and (not isinstance(names, list) or not all(isinstance(name, str) for name in names)):
        raise InputError(say("columns must be a list of names"), got=shown(names), field="columns")
    return names
