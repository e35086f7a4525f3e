"""How strongly to hold a network's weights back, tried out on the training rows: what a table's size cannot tell.

A network small enough for a few thousand rows trains in some hundredths of a second: trying five strengths costs less than a
second, and no row of its own. What is chosen is a setting like any other, written down with the run.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule import splits
from chainrule.course import Rows, some
from chainrule.engines import Task, choose
from chainrule.epochs import learn
from chainrule.errors import RunError
from chainrule.recipes import FEW, Recipe
from chainrule.splits import Split

FOLDS = 3
"""Each strength is tried on so many folds; on one of them where rows are many."""

LEAST = 12
"""Rows below which nothing can be tried."""

WORK = 4e11
"""Multiplications and additions that all trials together may cost: some ten seconds of one core."""


@dataclass(frozen=True)
class Trials:
    """What was tried: losses[i] is the mean validation loss with strengths[i], infinite where training broke down."""

    strengths: tuple[tuple[float, float], ...]
    losses: tuple[float, ...]

    @property
    def best(self) -> int:
        """The place of the least loss; of equal ones the strongest."""
        losses = np.asarray(self.losses)
        return int(np.flatnonzero(losses <= losses.min())[-1])


def tried(
    recipe: Recipe, rows: Rows, outputs: int, seed: int = 0, *, engine: str = "auto", threads: int | None = None, **by: Any
) -> tuple[Recipe, Trials | None]:
    """The recipe with the strength that does best on training rows set aside, and what was tried (None: nothing was).

    rows: the training rows as the network takes them, validation rows among them. by: labels, groups or order of these rows,
    as for `splits.folds`. A function of all of these and the seed.
    """
    if not recipe.strengths:
        return recipe, None
    count = len(rows.x)
    parts = _parts(count, seed, by)
    width = np.shape(rows.x)[1] if not hasattr(rows.x, "width") else rows.x.width
    work = 6 * recipe.updates(count) * min(recipe.batch_size or count, count) * recipe.network(width, outputs).size
    if not parts or work * len(parts) * len(recipe.strengths) > WORK:
        why = "there are too few rows to try out how much of it is best" if not parts else "trying out others would take long"
        return replace(recipe, strengths=(), reasons={**recipe.reasons, "weight_decay": why, "dropout": why}), None
    every = np.arange(count)
    x, t = some(rows.x, every), some(rows.t, every)
    weight = None if rows.weight is None else np.asarray(rows.weight)
    whole = Rows(x, t, weight)
    losses = [
        float(np.mean([_loss(recipe.settled(*strength, ""), whole, part, seed, engine, threads) for part in parts]))
        for strength in recipe.strengths
    ]
    found = Trials(recipe.strengths, tuple(losses))
    return recipe.settled(*recipe.strengths[found.best], _why(found, len(parts))), found


def _parts(count: int, seed: int, by: dict[str, Any]) -> Sequence[Split]:
    """Where to train and where to look, or nothing where the rows cannot be split so."""
    if count < LEAST:
        return ()
    labels = by.get("labels")
    if labels is not None:
        sizes = np.bincount(np.unique(labels, return_inverse=True)[1])
        if sizes.min() < FOLDS:  # a rare class may be missing from a fold: that says the same about every strength
            by = {**by, "labels": None}
    try:
        return splits.folds(count, FOLDS, seed, **by)[: FOLDS if count < FEW else 1]
    except RunError:
        return ()


def _loss(recipe: Recipe, rows: Rows, part: Split, seed: int, engine: str, threads: int | None) -> float:
    """The loss of the rows kept aside, after training on the others."""
    train, test = (Rows(*(None if each is None else each[places] for each in rows[:3])) for places in part)
    recipe = replace(recipe, validation_fraction=0.0, patience=None)
    network = recipe.network(train.x.shape[1], train.t.shape[1], seed)
    learned = learn(network, train, recipe.rule(), recipe.course(len(train.x), engine=engine, threads=threads))
    if learned.reason == "not finite":
        return float("inf")
    network = copy.copy(network)
    network.parameters, network.memory = learned.last.parameters, learned.last.memory
    x, t = network.rows(test.x), network.goals(test.t, len(test.x))
    weight = network.weights(test.weight, len(test.x))
    task = Task(network, x, t, recipe.rule(), weight, threads=threads)
    return float(choose(engine, task).Session(task).loss(x, t, weight)[0])


def _why(found: Trials, parts: int) -> str:
    told = ", ".join(
        f"{decay:g}" + (f" with dropout {dropout:g}" if dropout else "") + f": {loss:.4g}"
        for (decay, dropout), loss in zip(found.strengths, found.losses, strict=True)
    )
    on = f"{parts} folds" if parts > 1 else "a third"
    return f"the least loss on {on} of the training rows (weight decay {told})"
