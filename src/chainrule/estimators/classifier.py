"""MLPClassifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import unique_labels

from chainrule.errors import InputError, shown
from chainrule.estimators import arrays, parameters
from chainrule.estimators.perceptron import Perceptron, _stochastic
from chainrule.rules.rule import Loss


class MLPClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc]
    """A multilayer perceptron that tells classes apart: one of several, yes or no, or (y as 0 and 1 for each label) many.

    Parameters of scikit-learn's name have scikit-learn's meaning. More than there: activation and dropout also as a list,
    one entry for each hidden layer, and activations as rules of one's own; loss, solver and learning_rate also as rules
    (learning_rate also "cosine" and "one_cycle"); solver also adamw, nadam, rmsprop and adagrad; batch_norm, layer_norm,
    clip_norm; monitor: what decides with early_stopping, "score", "loss", the name of a scorer or a callable(y, predicted);
    restore_best_weights ("auto": with early_stopping); max_time in seconds; callbacks, each called with a
    chainrule.epochs.Epoch, True stops; engine, n_threads; dtype, float32 or float64 (None: the input's).
    Fitted: coefs_ and intercepts_ are views, so that changing them changes predictions; loss_curve_ holds the penalty,
    penalty_curve_ it alone, validation_curve_ the loss of validation rows without it; best_epoch_; network_.
    Only here: class_weight ("balanced", or a number for each class; a list of such for many labels).
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: Any = "log_loss",
        class_weight: Any = None,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        layer_norm: bool = False,
        weight_decay: float = 0.01,
        clip_norm: float | None = None,
        monitor: Any = "auto",
        restore_best_weights: Any = "auto",
        max_time: float | None = None,
        callbacks: Any = None,
        engine: str = "auto",
        n_threads: int | None = None,
        dtype: Any = None,
    ) -> None:
        self._keep(locals())

    @available_if(_stochastic)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """One epoch on these rows, from where the estimator stands. classes: all there will be, needed at the first call."""
        with self._alone():
            self._declare(y, classes)
            self._fit(X, y, sample_weight, True)
        return self

    def _declare(self, y: Any, classes: Any) -> None:
        """Takes `classes` at the first partial_fit, and holds later ones to it."""
        known = getattr(self, "classes_", None)
        if known is None and classes is None:
            raise InputError("classes must be passed on the first call to partial_fit", field="classes")
        if classes is None:
            return
        given = unique_labels(classes)
        if known is not None and not np.array_equal(known, given):
            text = f"`classes={list(classes)!r}` is not the same as on last call to partial_fit, was: {known.tolist()!r}"
            raise InputError(text, field="classes")
        if known is None:
            _, kind, _ = arrays.labels(y, type(self).__name__)
            many = kind == "multilabel-indicator"
            self.classes_, self._many = given, many

    def _targets(self, y: Any, dtype: Any, reset: bool, again: bool = False) -> Any:
        y, kind, classes = arrays.labels(y, type(self).__name__)
        many, declared = kind == "multilabel-indicator", not hasattr(self, "_parameters") and hasattr(self, "_many")
        if reset and not declared:
            self._many = many
            self.classes_ = np.arange(y.shape[1]) if many else classes
        if many != self._many:
            raise InputError("y must be labels of the same kind as before", got=kind, field="y")
        if many:
            if y.shape[1] != len(self.classes_):
                raise InputError(f"y must have {len(self.classes_)} columns", got=f"{y.shape[1]}", field="y")
            return y.astype(dtype)
        new = [label for label in classes if not np.isin(label, self.classes_)]
        if again and not np.array_equal(classes, self.classes_):
            raise InputError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {classes}",
                field="y",
            )
        if new:
            text = f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
            raise InputError(text, got=shown(new), field="y")
        index = np.searchsorted(self.classes_, y)
        if len(self.classes_) <= 2:
            return index.astype(dtype).reshape(-1, 1)
        t = np.zeros((len(y), len(self.classes_)), dtype)
        t[np.arange(len(y)), index] = 1
        return t

    def _weights(self, y: Any, given: Any, count: int, incremental: bool) -> Any:
        weight = arrays.weights(given, count)
        chosen = self.class_weight
        if chosen is None:
            return weight
        y, _, _ = arrays.labels(y, type(self).__name__)
        if isinstance(chosen, str) and chosen != "balanced":
            raise InputError(
                "class_weight must be None, 'balanced' or a number for each class", got=shown(chosen), field="class_weight"
            )
        if chosen == "balanced" and incremental:
            do = "compute the weights of all rows and pass them as a dict"
            raise InputError("class_weight 'balanced' is not supported for partial_fit", do=do, field="class_weight")
        if isinstance(chosen, dict) and not self._many:
            strangers = [label for label in chosen if not np.isin(label, self.classes_)]
            if strangers:
                text = f"class_weight has classes that y has not; those of y are {self.classes_.tolist()}"
                raise InputError(text, got=shown(strangers), field="class_weight")
        counted = compute_sample_weight(chosen, y)
        return arrays.weights(counted if weight is None else counted * weight, count)

    def _loss_and_last(self) -> tuple[Loss, str]:
        several = not self._many and len(self.classes_) > 2
        right = "cross_entropy" if several else "binary_cross_entropy"
        loss = parameters.loss(self.loss, {"log_loss": right})
        return loss, "softmax" if several else "sigmoid"

    def _strata(self, t: Any) -> Any:
        if self._many:
            return None
        return t.astype(bool) if t.shape[1] == 1 else self.classes_[t.argmax(1)]

    def _actual(self, y: Any) -> Any:
        y, _, _ = arrays.labels(y, type(self).__name__)
        return y

    def _score(self, actual: Any, predicted: Any, weight: Any) -> float:
        return float(accuracy_score(actual, predicted, sample_weight=weight))

    def _predicted(self, x: Any) -> Any:
        outputs = self._outputs(x)
        if self._many:
            return (outputs > 0.5).astype(np.int64)
        if len(self.classes_) == 1:
            return np.repeat(self.classes_, len(x))
        return self.classes_[(outputs[:, 0] > 0.5).astype(int) if outputs.shape[1] == 1 else outputs.argmax(1)]

    def predict(self, X: Any) -> Any:
        """The most probable class of each row; for many labels 0 or 1 for each."""
        return self._predicted(self._rows(X)[0])

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, (rows, classes), in the order of classes_; for many labels of each label."""
        x, dtype = self._rows(X)
        outputs = self._outputs(x)
        if len(self.classes_) == 1 and not self._many:
            outputs = np.ones_like(outputs)
        elif not self._many and outputs.shape[1] == 1:
            outputs = np.hstack([1 - outputs, outputs])
        return outputs.astype(dtype, copy=False)

    def predict_log_proba(self, X: Any) -> Any:
        """The natural logarithm of predict_proba."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _output_column(self, output: int) -> tuple[int, float]:
        if not self._many and len(self.classes_) == 2 and output in (0, 1):
            return 0, 1.0 if output else -1.0
        return super()._output_column(output)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
