"""The same step under different choices, side by side: which are tried, and what comes of each."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from chainrule.conventions import CHOICES
from chainrule.errors import InputError, nearest, shown
from chainrule.phrases import phrase
from chainrule.rules import find
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
    **{
        f"update.{entry.name}": entry.metadata["options"]  # the dialects of the optimizers
        for name in rule_names("optimizer")
        for entry in fields(find("optimizer", name))
        if "options" in entry.metadata
    },
}
"""What can be varied by name alone; anything else with its values: update.learning_rate=0.1|0.5."""

MOST = 64
"""Steps that stand side by side."""

LOSSES = (phrase("loss before"), phrase("loss after"))

Chosen = tuple[tuple[str, str], ...]
"""One value for each key that is varied."""


def choices(vary: str, field: str = "--vary") -> list[tuple[str, tuple[str, ...]]]:
    """What is varied, and its values, from a text such as `update.order,update.learning_rate=0.1|0.5`."""
    result = []
    for part in re.findall(r"(?:[^,\[]|\[[^\]]*(?:\[[^\]]*\][^\]]*)*\])+", vary):  # commas in brackets belong to a value
        key, equals, values = part.strip().partition("=")
        known = VARIED.get(key)
        if not equals and known is None:
            what = f"{field} needs values for this key"
            raise InputError(what, got=shown(key), do=f"{key}=a|b, or {nearest(key, VARIED)}", field=field)
        result.append((key, tuple(value.strip() for value in values.split("|")) if equals else known or ()))
    keys = [key for key, _ in result]
    if len(set(keys)) < len(keys):
        raise InputError(f"{field} names a key twice", got=shown(vary), do="name each key once", field=field)
    count = math.prod(len(options) for _, options in result)
    if count > MOST:
        raise InputError(f"{field} asks for {count} steps", do=f"vary fewer keys: at most {MOST} fit a table", field=field)
    return result


def combinations(varied: list[tuple[str, tuple[str, ...]]]) -> Iterator[tuple[str, Chosen]]:
    """Every way to choose, with its label."""
    for values in itertools.product(*(options for _, options in varied)):
        chosen = tuple(zip((key for key, _ in varied), values, strict=True))
        yield ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in chosen), chosen


@dataclass(frozen=True)
class Column:
    """One way to choose: what was chosen, and the loss and outputs before, parameters and loss after. `same` are the labels
    of other ways with the very same numbers."""

    label: str
    trace: Trace
    numbers: dict[str, float]
    same: list[str] = field(default_factory=list)

    def text(self, row: str) -> str:
        """A number as it is shown; "-" if there is none of that name."""
        if row not in self.numbers:
            return "-"
        value = self.numbers[row]
        return f"{value:.11g}" if row in LOSSES else self.trace.digits.text(value)


def side_by_side(
    varied: list[tuple[str, tuple[str, ...]]], derived: Callable[[Chosen], Trace], whole: bool = True
) -> list[Column]:
    """A column for each way to choose; ways that come to the same numbers share one. derived: the step under a choice;
    whole: with outputs and new weights, and not only the losses."""
    columns: list[Column] = []
    for label, chosen in combinations(varied):
        column = _column(label, derived(chosen), whole)
        twin = next((other for other in columns if other.numbers == column.numbers), None)
        if twin is None:
            columns.append(column)
        else:
            twin.same.append(label)
    return columns


def _column(label: str, trace: Trace, whole: bool) -> Column:
    if not whole:
        return Column(label, trace, {LOSSES[0]: float(trace.loss), LOSSES[1]: float(trace.loss_after)})
    outputs, parameters = f"a[{len(trace.network.layers)}]", {span.symbol for span in trace.network.spans}
    numbers: dict[str, float] = {LOSSES[0]: trace.loss}
    numbers |= {change.name: change.before for change in trace.changes if change.id.startswith(outputs)}
    numbers |= {f"{change.name}+": change.after for change in trace.changes if change.id.split("[")[0] in parameters}
    numbers[LOSSES[1]] = trace.loss_after
    # numbers that are rounded on the way are arrays without an axis: they cannot be held against each other in a set
    return Column(label, trace, {name: float(value) for name, value in numbers.items()})


def rows(columns: list[Column]) -> list[str]:
    """The names of all numbers, in order: the loss before, outputs and new weights, the loss after."""
    names = dict.fromkeys(name for column in columns for name in column.numbers if name not in LOSSES)
    return [LOSSES[0], *names, LOSSES[1]]
