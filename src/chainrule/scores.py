"""How good a model is, and how good the simplest ones are. scikit-learn counts; it is loaded when it is used."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import InputError


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Of a classification: accuracy; balanced: the mean of the classes' recalls; log_loss in nats;
    confusion[i][j]: rows of class i that were taken for class j (whole numbers, or sums of weights);
    recall and precision by class, nan where nothing was there."""

    rows: int
    accuracy: float
    balanced: float
    log_loss: float
    confusion: tuple[tuple[float, ...], ...]
    recall: tuple[float, ...]
    precision: tuple[float, ...]

    def figures(self) -> dict[str, float]:
        """The figures by name, the main one first."""
        return {"accuracy": self.accuracy, "balanced_accuracy": self.balanced, "log_loss": self.log_loss}


@dataclass(frozen=True)
class NumberScores:
    """Of a regression: r2 (nan where the targets are all the same), and errors in the target's own unit."""

    rows: int
    r2: float
    mae: float
    rmse: float

    def figures(self) -> dict[str, float]:
        """The figures by name, the main one first."""
        return {"r2": self.r2, "mae": self.mae, "rmse": self.rmse}


@dataclass(frozen=True)
class Baseline:
    """A simple model of the same rows. name: "most frequent class", "mean" or "linear"; scores: of the rows kept aside."""

    name: str
    scores: ClassScores | NumberScores


def of_classes(probabilities: Any, labels: Any, weight: Any = None) -> ClassScores:
    """probabilities (rows, classes), rows summing to 1; labels (rows,) whole numbers from 0; weight None or (rows,)."""
    from sklearn import metrics

    probabilities, labels = np.asarray(probabilities, float), np.asarray(labels)
    count = probabilities.shape[1]
    if len(probabilities) != len(labels) or not len(labels):
        raise InputError("each row needs its label", got=f"{len(probabilities)} rows of probabilities, {len(labels)} labels")
    chosen = probabilities.argmax(1)
    kinds = list(range(count))
    table = metrics.confusion_matrix(labels, chosen, labels=kinds, sample_weight=weight)
    right, actual, taken = np.diag(table), table.sum(1), table.sum(0)
    with np.errstate(invalid="ignore"):
        recall, precision = right / actual, right / taken
    # scikit-learn warns of rows whose sum is off in the last digits of float32: they are made exact
    exact = probabilities / probabilities.sum(1, keepdims=True)
    return ClassScores(
        len(labels),
        float(metrics.accuracy_score(labels, chosen, sample_weight=weight)),
        float(recall[actual > 0].mean()),
        float(metrics.log_loss(labels, exact, labels=kinds, sample_weight=weight)),
        tuple(tuple(row) for row in table.tolist()),
        tuple(recall.tolist()),
        tuple(precision.tolist()),
    )


def of_numbers(values: Any, targets: Any, weight: Any = None) -> NumberScores:
    """values and targets (rows,) in the target's own unit; weight None or (rows,)."""
    from sklearn import metrics

    values, targets = np.asarray(values, float).reshape(-1), np.asarray(targets, float).reshape(-1)
    if len(values) != len(targets) or not len(targets):
        raise InputError("each row needs its target", got=f"{len(values)} values, {len(targets)} targets")
    spread = len(targets) > 1 and bool(np.ptp(targets) > 0)
    return NumberScores(
        len(targets),
        float(metrics.r2_score(targets, values, sample_weight=weight)) if spread else math.nan,
        float(metrics.mean_absolute_error(targets, values, sample_weight=weight)),
        float(metrics.root_mean_squared_error(targets, values, sample_weight=weight)),
    )


def class_baselines(
    x: Any, labels: Any, held: Iterable[Any], held_labels: Any, classes: int, weight: Any = None, held_weight: Any = None
) -> tuple[Baseline, Baseline]:
    """The most frequent class, and logistic regression on the prepared inputs x (rows, inputs), scored on `held`, in
    blocks of rows.

    The first one's probabilities are the classes' parts of the training rows. weight, held_weight: what each row counts,
    (rows,), or None."""
    from sklearn.linear_model import LogisticRegression

    labels = np.asarray(labels)
    counts = np.bincount(labels, weight, minlength=classes)
    frequent = of_classes(np.tile(counts / counts.sum(), (len(held_labels), 1)), held_labels, held_weight)
    present = np.unique(labels)
    probabilities = np.zeros((len(held_labels), classes))
    if len(present) < 2:
        probabilities[:, present] = 1.0
    else:
        with _quiet():
            line = LogisticRegression(max_iter=1000).fit(x, labels, weight)
        probabilities[:, present] = np.concatenate([line.predict_proba(block) for block in held])
    return Baseline("most frequent class", frequent), Baseline("linear", of_classes(probabilities, held_labels, held_weight))


def number_baselines(
    x: Any, targets: Any, held: Iterable[Any], held_targets: Any, weight: Any = None, held_weight: Any = None
) -> tuple[Baseline, Baseline]:
    """The mean, and ridge regression on the prepared inputs x (rows, inputs), scored on `held`, in blocks of rows. Targets
    (rows,); weight, held_weight: what each row counts, (rows,), or None."""
    from sklearn.linear_model import RidgeCV

    targets = np.asarray(targets, float).reshape(-1)
    mean = of_numbers(np.full(len(held_targets), np.average(targets, weights=weight)), held_targets, held_weight)
    with _quiet():
        made = RidgeCV(np.logspace(-2, 4, 13)).fit(x, targets, weight)
        line = np.concatenate([made.predict(block) for block in held])
    return Baseline("mean", mean), Baseline("linear", of_numbers(line, held_targets, held_weight))


def _quiet() -> Any:
    """A baseline that has not converged to the last digit is still one: nothing is said of it."""
    import warnings

    return warnings.catch_warnings(action="ignore")


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation over folds (with n - 1; nan for a single one)."""
    found = np.asarray(values, float)
    return float(found.mean()), float(found.std(ddof=1)) if len(found) > 1 else math.nan
