"""What a surface is drawn of: the network as it stands somewhere in its training, and the rows it is trained on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import InputError
from chainrule.naming import Cell
from chainrule.network import Network
from chainrule.page import surfaces
from chainrule.page.desk import Desk
from chainrule.page.subjects import Recorded, Worked
from chainrule.phrases import say
from chainrule.raw import Raw


@dataclass(frozen=True, eq=False)
class Ground:
    """A network after `number` updates, and rows x (rows, 2) with their targets t (rows, outputs).

    raw: what the inputs were in the table. inputs, outputs: what they are called there. samples: the number, from 1, of each
    row that is in the step that is looked at.
    """

    network: Network
    parameters: Any
    memory: list[dict[str, Any]]
    number: int
    x: Any
    t: Any
    raw: Raw | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    samples: dict[int, int] = field(repr=False)

    def sample(self, row: int) -> int:
        """The sample that a row, from 0, is in the step; 0 if it is in none."""
        return self.samples.get(row, 0)

    @property
    def marks(self) -> tuple[str, Any]:
        return surfaces.marks(self.t, self.network.loss.name)

    @property
    def classes(self) -> tuple[str, ...]:
        """What the classes are called; nothing where the targets are numbers."""
        if self.marks[0] != "classes":
            return ()
        count = max(self.network.outputs, 2)
        return self.outputs if len(self.outputs) == count else tuple(str(k) for k in range(count))


def ground(desk: Desk, now: bool = False) -> Ground:
    """Of the step that is looked at, or of where training stands. InputError unless the network has two inputs."""
    found = _worked(desk.subject, desk, now) if isinstance(desk.subject, Worked) else _recorded(desk.subject, desk)
    if found.network.inputs != 2:
        raise InputError(
            say("a surface is drawn of a network with two inputs"), got=f"{found.network.inputs}",
            do=say("take a data set of points, or two columns of a table"),
        )  # fmt: skip
    return found


def _worked(subject: Worked, desk: Desk, now: bool) -> Ground:
    example, practice = subject.example, subject.practice
    network = example.network
    stands = practice.newest if now else practice.reached(desk.after, desk.beat) if desk.after else None
    parameters, memory = (network.parameters, network.memory) if stands is None else (stands.parameters, stands.memory)
    number = 0 if stands is None else stands.number
    samples = {int(row): place for place, row in enumerate(subject.rows(desk.after), 1)}
    named = example.inputs or tuple(example.naming.name(Cell("x", 0, (place,))) for place in range(1, network.inputs + 1))
    return Ground(network, parameters, memory, number, example.x, example.t, example.raw, named, example.outputs, samples)


def _recorded(subject: Recorded, desk: Desk) -> Ground:
    trace, made = desk.trace, subject.run.experiment
    parameters = np.concatenate([np.reshape(trace.parameters[each.layer - 1][each.symbol], -1) for each in trace.network.spans])
    raw = made.preparation.raw(made.table, np.arange(1))
    samples = {row: row + 1 for row in range(len(trace.x))}
    return Ground(
        trace.network, parameters, trace.network.memory, desk.after, trace.x, trace.t, raw, made.preparation.inputs,
        made.goal.classes, samples,
    )  # fmt: skip
