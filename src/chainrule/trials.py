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
from chainrule.recipes import FEW, MIDDLE, Recipe
from chainrule.splits import Split

FOLDS = 3
"""Each strength is tried on so many folds; on one of them where rows are many."""

LEAST = 12
"""Rows below which nothing can be tried."""

PIECES = 10
"""The rows of a fold that are kept aside, in so many pieces: how much their losses differ says how sure the mean is."""

ERRORS = 1.0
"""Losses so many standard errors apart count as equal."""

SURPRISE = 3.0
"""What one row adds to the sum of log losses if its class had a chance of a twentieth, in nats.

Where nearly all rows are right, weak and strong differ in how sure they are of them, row for row alike, and no spread of these
says what one more mistake in the next rows will cost: less than that is no difference.
"""

CLEARLY = 2.0
"""Losses more standard errors apart than this are clearly different."""

WORK = 4e11
"""Multiplications and additions that all trials together may cost: some ten seconds of one core."""


@dataclass(frozen=True)
class Trials:
    """What was tried: losses[i] is the mean validation loss with strengths[i], infinite where training broke down; errors[i]
    the standard error of how much more that is than the least; least: a difference that says nothing."""

    strengths: tuple[tuple[float, float], ...]
    losses: tuple[float, ...]
    errors: tuple[float, ...]
    least: float = 0.0

    @property
    def best(self) -> int:
        """The place of the one to take: the middle one, that suits most tables, unless another is clearly better; then the
        strongest whose loss cannot be told from the least: more hold never needs more luck (the rule of one standard
        error; Breiman, Friedman, Olshen, Stone 1984)."""
        losses, errors = np.asarray(self.losses), np.asarray(self.errors)
        if len(losses) > MIDDLE and losses[MIDDLE] <= losses.min() + max(CLEARLY * errors[MIDDLE], self.least):
            return MIDDLE
        return int(np.flatnonzero(losses <= losses.min() + ERRORS * errors)[-1])


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
    losses = np.array(
        [
            np.concatenate([_losses(recipe.settled(*strength, ""), whole, part, seed, engine, threads) for part in parts])
            for strength in recipe.strengths
        ]
    )
    found = _compared(recipe.strengths, losses, len(parts), 0.0 if recipe.task == "number" else SURPRISE / count)
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


def _losses(recipe: Recipe, rows: Rows, part: Split, seed: int, engine: str, threads: int | None) -> Any:
    """The losses of the rows kept aside, PIECES of them, after training on the others."""
    train, test = (Rows(*(None if each is None else each[places] for each in rows[:3])) for places in part)
    recipe = replace(recipe, validation_fraction=0.0, patience=None)
    network = recipe.network(train.x.shape[1], train.t.shape[1], seed)
    learned = learn(network, train, recipe.rule(), recipe.course(len(train.x), engine=engine, threads=threads))
    if test.weight is not None:
        counting = test.weight.reshape(-1) > 0
        test = Rows(test.x[counting], test.t[counting], test.weight.reshape(-1, 1)[counting])
    pieces = min(PIECES, len(test.x))
    if learned.reason == "not finite" or not pieces:
        return np.full(pieces, np.inf)
    network = copy.copy(network)
    network.parameters, network.memory = learned.last.parameters, learned.last.memory
    x, t = network.rows(test.x), network.goals(test.t, len(test.x))
    weight = network.weights(test.weight, len(x))
    task = Task(network, x, t, recipe.rule(), threads=threads)
    session = choose(engine, task).Session(task)
    every = [slice(start, None, pieces) for start in range(pieces)]
    return np.array([session.loss(x[each], t[each], None if weight is None else weight[each])[0] for each in every])


def _compared(strengths: tuple[tuple[float, float], ...], losses: Any, folds: int, least: float) -> Trials:
    """Means over the pieces of all folds, and how sure their differences are.

    Folds train on rows in common, so that their losses go astray together: the error of a mean is larger than their spread
    says, by what Nadeau and Bengio (2003) found. least: a difference that says nothing, however sure it is.
    """
    means = losses.mean(1) if losses.shape[1] else np.full(len(strengths), np.inf)
    if losses.shape[1] < 2 or not np.isfinite(means).any():
        return Trials(strengths, tuple(means.tolist()), (0.0,) * len(strengths), least)
    with np.errstate(invalid="ignore"):
        more = losses - losses[np.argmin(means)]
        together = np.sqrt(1 + folds / (FOLDS - 1))  # a fold's rows kept aside, against those it trains on
        errors = np.nan_to_num(together * more.std(1, ddof=1) / np.sqrt(losses.shape[1]))
    return Trials(strengths, tuple(means.tolist()), tuple(errors.tolist()), least)


def _why(found: Trials, parts: int) -> str:
    told = ", ".join(
        f"{decay:g}" + (f" with dropout {dropout:g}" if dropout else "") + f": {loss:.4g}"
        for (decay, dropout), loss in zip(found.strengths, found.losses, strict=True)
    )
    on = f"{parts} folds" if parts > 1 else "a third"
    return f"the strongest whose loss is not clearly above the least, on {on} of the training rows (weight decay {told})"
