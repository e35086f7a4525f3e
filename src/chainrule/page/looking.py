"""Walk: the step as it is, and what leads to a number."""

from __future__ import annotations

from typing import Any

from chainrule.explain.scene import told
from chainrule.page.body import Body
from chainrule.page.desk import Desk


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
    cells, unopened = trace.leading_to([name], desk.sample)
    return {
        "id": trace.step(trace.goal(trace.find(name, desk.sample))).id,
        "steps": [told(trace, trace.step(cell)) for cell in cells],
        "unopened": unopened,
    }
