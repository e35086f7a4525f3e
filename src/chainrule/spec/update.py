"""The [update] of a spec: optimizer, schedule, clipping, and how the update is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chainrule.conventions import CHOICES, Conventions
from chainrule.errors import nearest
from chainrule.rules.optimizers import SGD, ClipNorm, ClipValue
from chainrule.rules.rule import Clipping, Optimizer, Schedule, names
from chainrule.rules.schedules import WarmUp
from chainrule.spec.fields import Section, owners

LARGE = 100.0
"""A learning rate above this is warned about: it is more often a slip than meant."""


@dataclass
class Update:
    """How one update is done; the defaults are those of a spec without [update]."""

    optimizer: Optimizer = field(default_factory=SGD)
    schedule: Schedule | None = None
    clipping: Clipping | None = None
    batch_size: int | None = None
    biases: str = Conventions.biases
    order: str = Conventions.order


def read_update(section: Section | None) -> Update:
    """The [update] table."""
    if section is None:
        return Update()
    update = Update(
        schedule=_schedule(section, "schedule"),
        clipping=_clipping(section),
        batch_size=section.whole("batch_size", None, 1),
        biases=section.choice("biases", CHOICES["biases"], Conventions.biases),
        order=section.choice("order", CHOICES["order"], Conventions.order),
    )
    cls = section.named("optimizer", "optimizer") if "optimizer" in section else SGD
    if cls is None:
        section.get("learning_rate")
        section.known |= {key for key in section.data if owners("optimizer", key)}  # whose they are is not known
    else:
        update.optimizer = section.rule(cls) or cls()
        if update.optimizer.learning_rate > LARGE:
            text = f"a learning rate of {update.optimizer.learning_rate:g} is large: weights will jump far"
            section.mistakes.warn(section.at("learning_rate"), text)
    section.close(_hint)
    return update


def _hint(key: str) -> str:
    rules = owners("optimizer", key)
    return f"{key} belongs to optimizer {' or '.join(rules)}" if rules else ""


def _clipping(section: Section) -> Clipping | None:
    made: list[Clipping] = []
    for cls in (ClipNorm, ClipValue):
        if cls.name in section:
            one: Any = section.make(lambda cls=cls: cls(section.data[cls.name]), cls.name)  # type: ignore[misc]
            made += [one] if one is not None else []
    if len(made) == 2:
        section.add("clip_value", "clip_norm and clip_value cannot both be given", "leave one out")
    return made[0] if made else None


def _schedule(section: Section, key: str) -> Schedule | None:
    """A schedule by its name, or a table with name, hyper-parameters, and warm_up in front of any."""
    if key not in section:
        return None
    if not isinstance(section.data[key], dict):
        cls = section.named("schedule", key)
        return None if cls is None else _made(Section(section.mistakes, {}, section.at(key)), cls)
    table = Section(section.mistakes, section.data[key], section.at(key))
    updates = table.whole("warm_up", None, 1)
    cls = table.named("schedule", "name")
    schedule = None if cls is None else _made(table, cls)
    if "name" not in table and "warm_up" not in table:
        table.missing("name", nearest("", names("schedule")))
    if cls is not None or "name" not in table:
        table.close(lambda key: f"{key} belongs to {' or '.join(owners('schedule', key))}" if owners("schedule", key) else "")
    if updates is None:
        return schedule
    return WarmUp(updates) if schedule is None else WarmUp(updates, schedule)


def _made(table: Section, cls: type[Any]) -> Schedule | None:
    if cls is not WarmUp:
        made: Schedule | None = table.rule(cls)
        return made
    then = _schedule(table, "then")
    warm: Schedule | None = table.rule(cls, skip=("then",), **({"then": then} if then is not None else {}))
    return warm
