"""MLPRegressor."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from chainrule.errors import InputError
from chainrule.estimators import arrays, parameters
from chainrule.estimators.perceptron import Perceptron
from chainrule.rules.rule import Loss


class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc]
    """A multilayer perceptron that predicts numbers, one or several for each row.

    Parameters of scikit-learn's name have scikit-learn's meaning. More than there: activation and dropout also as a list,
    one entry for each hidden layer, and activations as rules of one's own; loss, solver and learning_rate also as rules
    (learning_rate also "cosine" and "one_cycle"); solver also adamw, nadam, rmsprop and adagrad; batch_norm, layer_norm,
    clip_norm; monitor: what decides with early_stopping, "score", "loss", the name of a scorer or a callable(y, predicted);
    restore_best_weights ("auto": with early_stopping); max_time in seconds; callbacks, each called with a
    chainrule.epochs.Epoch, True stops; engine, n_threads; dtype, float32 or float64 (None: the input's).
    Fitted: coefs_ and intercepts_ are views, so that changing them changes predictions; loss_curve_ holds the penalty,
    penalty_curve_ it alone, validation_curve_ the loss of validation rows without it; best_epoch_; network_.
    loss: "squared_error" (half of it, summed over outputs: its derivative is what scikit-learn trains by; scikit-learn
    reports the mean over outputs, which is not the loss it differentiates), "poisson" (then outputs are above 0), or any
    loss of chainrule: "huber", "mean_absolute_error", "pinball", or a rule such as chainrule.rules.losses.Pinball(0.9).
    """

    def __init__(
        self,
        loss: Any = "squared_error",
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

    def _targets(self, y: Any, dtype: Any, reset: bool, again: bool = False) -> Any:
        y = arrays.numbers(y, dtype, type(self).__name__)
        if reset:
            self._flat = y.ndim == 1
        if self.loss == "poisson" and (y < 0).any():
            row = int(np.argmax((y.reshape(len(y), -1) < 0).any(1)))
            raise InputError("poisson needs targets of at least 0: they are counts", where=f"row {row + 1}", field="y")
        return y.reshape(len(y), -1)

    def _loss_and_last(self) -> tuple[Loss, str]:
        loss = parameters.loss(self.loss, {"squared_error": "half_squared_error"})
        return loss, parameters.output_activation(loss, "identity")

    def _strata(self, t: Any) -> Any:
        return None

    def _actual(self, y: Any) -> Any:
        return arrays.numbers(y, self._parameters.dtype, type(self).__name__)

    def _score(self, actual: Any, predicted: Any, weight: Any) -> float:
        return float(r2_score(actual, predicted, sample_weight=weight))

    def _predicted(self, x: Any) -> Any:
        outputs = self._outputs(x)
        return outputs.ravel() if self._flat else outputs

    def predict(self, X: Any) -> Any:
        """The number for each row, (rows,) or (rows, outputs), as y was."""
        x, dtype = self._rows(X)
        return self._predicted(x).astype(dtype, copy=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
