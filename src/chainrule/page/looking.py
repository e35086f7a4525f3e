"""Walk: the step as it is, and what leads to a number."""

from __future__ import annotations

from typing import Any

from chainrule.drawing import largest as largest_of
from chainrule.drawing import unit
from chainrule.errors import InputError
from chainrule.explain.scene import told
from chainrule.page.body import Body
from chainrule.page.desk import Desk

NEAREST = 30
"""Numbers that are sent at once of those that lead to one, nearest first; each of the others is sent when it is opened."""


def look(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """The whole view; of another sample, or after other updates, where that is said."""
    body = Body(sent)
    desk.look(body.whole("sample", least=1), body.whole("after", least=0))
    body.close()
    return desk.view()


def opened(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """A number and all that leads to it, in the order of the calculation."""
    body = Body(sent)
    name = body.text("id")
    body.close()
    trace = desk.trace
    cells, unopened = trace.leading_to([name], desk.sample, NEAREST)
    return {
        "id": trace.step(trace.goal(trace.find(name, desk.sample))).id,
        "steps": [told(trace, trace.step(cell)) for cell in cells],
        "unopened": unopened,
    }


MOST = 100
"""Units or weights that are sent at once."""


def units(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """Some units of a layer (0: the inputs), from `first` on, counted from 0."""
    body, network = Body(sent), desk.trace.network
    layer = body.whole("layer", least=0, most=len(network.layers)) or 0
    first, count = body.whole("first") or 0, body.whole("count", least=1, most=MOST) or 20
    body.close()
    width = (network.inputs, *network.widths)[layer]
    places = range(first, min(first + count, width))
    return {"layer": layer, "first": first, "of": width, "units": [unit(desk.trace, layer, i, desk.sample) for i in places]}


def largest(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """A layer's weights that are largest, or whose gradients are, largest first."""
    body, trace = Body(sent), desk.trace
    layer = body.whole("layer", least=1, most=len(trace.network.layers)) or 1
    by, count = body.word("by", ("weight", "gradient")), body.whole("count", least=1, most=MOST) or 20
    body.close()
    if (layer, "W") not in trace.network.axes:
        raise InputError(f"layer {layer} has no weights", do="ask for another layer", field="layer")
    if by == "gradient" and trace.forward_only:
        raise InputError("this has no way back, so there are no gradients", do='ask by "weight"', field="by")
    return {"layer": layer, "by": by, "edges": largest_of(trace, layer, by, count)}
