"""The story as data: the JSON of the interface."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

from chainrule.explain.story import Sheet, Story, head
from chainrule.phrases import language, say
from chainrule.tracing import Trace


def tell(trace: Trace, story: Story, indent: int | None = 1, **_: object) -> str:
    """A JSON text. Values are full doubles; what JSON cannot hold (infinity, NaN, a fraction) is its text."""
    data: dict[str, Any] = {"chainrule": 1, "title": say(trace.title)}
    if not trace.forward_only:
        data |= {"conventions": conventions(trace), "update": trace.number}
    data |= {
        "samples": trace.scope.rows,
        "steps": [
            {
                "id": step.id,
                "name": step.name,
                "phase": step.phase,
                "sample": step.sample or 1 if _of_a_sample(step.id) else step.sample,
                "formula": step.formula,
                "substituted": step.substituted,
                "value": _value(step.value),
                "uses": list(step.uses),
                "latex": step.latex,
                "because": step.because,
            }
            for step in story.steps
        ],
        "notes": list(story.notes),
    }
    if not trace.forward_only:
        data |= {
            "loss": {"before": _value(trace.loss), "after": _value(trace.loss_after)},
            "changes": [
                {"id": change.id, "name": change.name, "before": _value(change.before), "after": _value(change.after)}
                for change in story.changes
            ],
            "timing": {"forward": trace.timing.forward, "backward": trace.timing.backward},
        }
    if story.sheets:
        data["tables"] = {sheet.name: _table(sheet) for sheet in story.sheets}
    data |= story.data
    return json.dumps(data, indent=indent, ensure_ascii=False) + "\n"


def conventions(trace: Trace) -> dict[str, Any]:
    """Every choice by its name: the values of the spec, and the same in words."""
    chosen = trace.conventions
    with language("en"):
        labels = [label.lower() for label, _ in head(trace, timed=False)]
    return {
        "loss": trace.network.loss.name,
        "over_outputs": trace.network.loss.over_outputs,
        "reduction": trace.network.loss.reduction,
        "biases": chosen.biases,
        "order": chosen.order,
        "orientation": chosen.orientation,
        "intermediate": chosen.intermediate,
        "places": trace.digits.places,
        "optimizer": trace.optimizer.name,
        "learning_rate": _value(trace.rate),
        "words": dict(zip(labels, (words for _, words in head(trace, timed=False)), strict=True)),
    }


def _table(sheet: Sheet) -> dict[str, Any]:
    cells = [[cell if isinstance(cell, (str, int)) else _value(cell) for cell in row] for row in sheet.rows]
    return {"title": sheet.title, "sentence": sheet.sentence, "columns": list(sheet.header), "rows": cells}


def _of_a_sample(identifier: str) -> bool:
    """With one sample ids do not mention it, but the number is that sample's all the same."""
    return identifier.startswith(("x[", "t[", "z[", "a[", "E[", "dE/da", "dE/dz", "da", "dz"))


def _value(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    number = float(value)
    return number if math.isfinite(number) else str(number)
