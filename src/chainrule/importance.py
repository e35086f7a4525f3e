"""How much each column of a table matters to a model: how much worse it predicts rows held out once the column's cells are
exchanged among them (Breiman 2001; by column, so that all inputs that come of it are exchanged together)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import draws
from chainrule.models import Model
from chainrule.tables import Table

REPEATS = 5
"""Times that each column's cells are exchanged."""

WORK = 4e9
"""Multiplications that may be spent, more or less: beyond it, fewer rows are looked at. A count and not a clock, so that the
same run gives the same figures on every machine."""

FEWEST = 100
"""Rows that are looked at in any case, if there are as many."""

ALONE = 2**18
"""Multiplications up to which a product of matrices is done by one thread. In smaller blocks than that, two threads do not
wait for one another: on a busy machine that costs many times what it gains."""

MOST = 5_000
"""Rows beyond which figures become no better."""


@dataclass(frozen=True)
class Importance:
    """columns: each with the mean and the standard deviation, over the repeats, of how much worse the model becomes, most
    important first. measure: "accuracy" (how much of it is lost), or "error" (how much the mean absolute error grows, in the
    target's unit). whole: the model's own figure on these rows. rows: that were looked at; of: that were held out.
    """

    measure: str
    whole: float
    columns: tuple[tuple[str, float, float], ...]
    rows: int
    of: int
    repeats: int = REPEATS


def importance(model: Model, table: Table, rows: Any, seed: int, weight: Any = None) -> Importance | None:
    """The importance of each column that the model uses, on rows of the table that have a target; None if there are none.

    A function of model, rows and seed. weight: what each of the rows counts, (rows,), or None.
    """
    preparation, goal = model.for_tables()
    names = list(dict.fromkeys(preparation.source(place)[0] for place in range(len(preparation.inputs))))
    places: dict[str, list[int]] = {name: [] for name in names}
    for place in range(len(preparation.inputs)):
        places[preparation.source(place)[0]].append(place)
    rows, weight = np.asarray(rows), None if weight is None else np.asarray(weight)
    affordable = int(WORK / (model.network.size * (REPEATS * len(names) + 1)))
    most = min(MOST, max(FEWEST, affordable))
    chosen = np.arange(len(rows))
    if len(rows) > most:
        chosen = np.sort(np.argsort(draws.words(seed, "importance", 0, 0, len(rows)), kind="stable")[:most])
    if not len(chosen):
        return None
    count, rows, weight = len(rows), rows[chosen], None if weight is None else weight[chosen]
    x = preparation.matrix(table, rows, model.network.dtype)
    worse = _measure(model, table, rows, weight)
    whole = worse(x)
    found = []
    for number, name in enumerate(names, 1):
        figures = []
        for repeat in range(REPEATS):
            mixed = np.argsort(draws.words(seed, "importance", repeat + 1, number, len(rows)), kind="stable")
            changed = x.copy()
            changed[:, places[name]] = x[mixed][:, places[name]]
            figures.append(worse(changed) - whole)
        found.append((name, float(np.mean(figures)), float(np.std(figures))))
    measure = "error" if goal.kind == "number" else "accuracy"
    ordered = tuple(sorted(found, key=lambda each: -each[1]))
    return Importance(measure, whole if measure == "error" else 1 - whole, ordered, len(rows), count)


def _measure(model: Model, table: Table, rows: Any, weight: Any) -> Callable[[Any], float]:
    """How wrong the model is on inputs x (rows, inputs): the part of wrong answers, or the mean absolute error."""
    goal, network = model.for_tables()[1], model.network
    column = table.column(goal.column)
    widest = max(int(np.prod(span.shape)) for span in network.spans)
    block = ALONE // widest if ALONE // widest >= 16 else len(rows)

    def outputs(x: Any) -> Any:
        return np.concatenate([network.predict(x[start : start + block]) for start in range(0, len(x), block)])

    if goal.kind == "number":
        actual = np.asarray(column.values)[rows]
        return lambda x: float(np.average(np.abs(goal.values(outputs(x)) - actual), weights=weight))
    codes = goal.codes(column, rows)
    return lambda x: float(np.average(goal.chosen(outputs(x)) != codes, weights=weight))
