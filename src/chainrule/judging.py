"""How good a trained model is on rows it has not seen, beside the simplest models there are, in figures and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import draws, scores
from chainrule.experiment import Experiment
from chainrule.files.texts import fits
from chainrule.models import Model
from chainrule.preparing import Goal
from chainrule.scores import Baseline, ClassScores, NumberScores
from chainrule.tables import Table

MOST = 20_000
"""Rows that the linear baseline is trained on, at most."""

NUMBERS = 600_000
"""Numbers in them, at most, but for ..."""

FEWEST = 2_000
"""... so many rows."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """Scores of a model on rows that it was not trained on, and of baselines trained on the rows that it was trained on.

    weighted: rows count differently. Without baselines it is not known whether the rows are new to the model.
    """

    goal: Goal
    scores: ClassScores | NumberScores
    baselines: tuple[Baseline, ...] = ()
    weighted: bool = False

    def figures(self) -> dict[str, Any]:
        """Everything, as plain data."""
        return {
            "rows": self.scores.rows,
            "model": self.scores.figures(),
            **{baseline.name: baseline.scores.figures() for baseline in self.baselines},
        }


def are_figures(figures: Any, task: str) -> bool:
    """Whether plain data is `figures()` of a judgement of such a task: of the model, and of the models beside it."""
    names = ("r2", "mae", "rmse") if task == "number" else ("accuracy", "balanced_accuracy", "log_loss")
    shape = dict.fromkeys(names, float)
    kinds = ("model", "mean" if task == "number" else "most frequent class", "linear")
    return isinstance(figures, dict) and fits(
        figures, {"rows": int, "model": shape} | {kind: shape for kind in kinds if kind in figures}
    )


def scored(model: Model, table: Table, rows: Any, weight: Any = None) -> ClassScores | NumberScores:
    """The scores of a model on rows of a table that have a target."""
    goal, outputs = model.for_tables()[1], model.outputs(table, rows)
    column = table.column(goal.column)
    if goal.kind == "number":
        return scores.of_numbers(goal.values(outputs), np.asarray(column.values)[rows], weight)
    return scores.of_classes(goal.probabilities(outputs), goal.codes(column, rows, table.place), weight)


def trained_on(model: Model, training: Table, table: Table) -> int:
    """How many rows of a table stand in the training table too, as far as the model's inputs can tell."""
    preparation, _ = model.for_tables()
    known, asked = (_as_bytes(preparation.matrix(each)) for each in (training, table))
    return int(np.isin(asked, known).sum())


def _as_bytes(x: Any) -> Any:
    """Each row of a matrix as one value that can be compared."""
    x = np.ascontiguousarray(x) + 0.0  # -0 and 0 are the same number
    return x.view(np.dtype((np.void, x.dtype.itemsize * x.shape[1]))).ravel()


def judge(experiment: Experiment, model: Model) -> Judgement | None:
    """The model and the baselines on the rows held out; None if there are none."""
    if not len(experiment.test):
        return None
    table, goal, test = experiment.table, experiment.goal, experiment.test
    weight = given_weight(experiment, test)
    found = scored(model, table, test, weight)
    learn = np.sort(np.concatenate([experiment.train, experiment.validation]))
    most = max(FEWEST, min(MOST, NUMBERS // len(experiment.preparation.inputs)))
    if len(learn) > most:
        learn = np.sort(learn[np.argsort(draws.words(experiment.settings.seed, "split", 2, 0, len(learn)))[:most]])
    x = experiment.preparation.matrix(table, learn)
    parts = np.array_split(test, -(-len(test) // most))
    held = (experiment.preparation.matrix(table, part) for part in parts)
    column, weights = table.column(goal.column), (given_weight(experiment, learn), weight)
    if goal.kind == "number":
        values = np.asarray(column.values)
        baselines = scores.number_baselines(x, values[learn], held, values[test], *weights)
    else:
        codes, actual = goal.codes(column, learn), goal.codes(column, test)
        baselines = scores.class_baselines(x, codes, held, actual, len(goal.classes), *weights)
    return Judgement(goal, found, baselines, weight is not None)


def given_weight(experiment: Experiment, rows: Any) -> Any:
    """The weights that the table gives; those that balance classes are for training only."""
    from chainrule.preparing import sample_weights

    name = experiment.settings.weights
    return None if name is None else sample_weights(experiment.table, name, rows)


NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
    "r2": "R2",
    "mae": "MAE",
    "rmse": "RMSE",
}


def in_words(judgement: Judgement) -> str:
    """One sentence that a person would say."""
    found, count = judgement.scores, judgement.scores.rows
    rows = f"{count:,} row{'s' if count != 1 else ''}" + " held out" * bool(judgement.baselines)
    rows += ", by their weights," * judgement.weighted
    best = {baseline.name: baseline.scores for baseline in judgement.baselines}
    if isinstance(found, ClassScores):
        others = [f"{_name(name)}: {each.accuracy:.1%}" for name, each in best.items() if isinstance(each, ClassScores)]
        beside = f" ({'; '.join(others)})" if others else ""
        if judgement.weighted:
            return f"Of {rows} {found.accuracy:.1%} are right{beside}."
        right = round(found.accuracy * count)
        return f"{right:,} of {rows} {'are' if right != 1 else 'is'} right: {found.accuracy:.1%}{beside}."
    others = [f"{_name(name)}: {each.mae:.4g}" for name, each in best.items() if isinstance(each, NumberScores)]
    beside = f" ({'; '.join(others)})" if others else ""
    explained = f", and {found.r2:.1%} of their variation is explained" if found.r2 > 0 else ""
    explained = ", and none of their variation is explained" if found.r2 <= 0 else explained
    return f"On {rows} predictions are off by {found.mae:.4g} on average{beside}{explained}."


def _name(baseline: str) -> str:
    return {"linear": "a linear model", "mean": "always the mean", "most frequent class": "always the most frequent class"}[
        baseline
    ]


def table_of(judgement: Judgement) -> list[list[str]]:
    """Figures beside those of the baselines, as rows of texts with a header."""
    columns = [("model", judgement.scores), *((baseline.name, baseline.scores) for baseline in judgement.baselines)]
    names = list(judgement.scores.figures())
    rows = [["", *(name for name, _ in columns)]]
    rows += [[NAMES[name], *(figure(each.figures()[name]) for _, each in columns)] for name in names]
    return rows


def figure(value: float) -> str:
    """A score as it is shown."""
    return "-" if math.isnan(value) else f"{value:.4f}" if abs(value) < 1000 else f"{value:,.1f}"


def confusion_of(judgement: Judgement) -> list[list[str]] | None:
    """Rows of texts: actual classes down, predicted ones across."""
    found = judgement.scores
    if not isinstance(found, ClassScores):
        return None
    names = judgement.goal.classes
    rows = [["actual \\ predicted", *names]]
    rows += [[name, *(f"{count:g}" for count in line)] for name, line in zip(names, found.confusion, strict=True)]
    return rows
