"""What the classifier and the regressor have in common: from parameters and arrays to training, and back."""

from __future__ import annotations

import copy
import inspect
import math
import threading
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from chainrule import lbfgs
from chainrule.course import Checkpoint, Course, Epoch, Learned, Rows, Stopping
from chainrule.epochs import learn
from chainrule.errors import InputError, RunError, nearest, shown
from chainrule.estimators import arrays, beginning, inside, monitor, parameters
from chainrule.network import Network
from chainrule.rules.layers import BatchNorm, Dropout
from chainrule.rules.losses import L2
from chainrule.rules.optimizers import ClipNorm
from chainrule.rules.plain import described, restored
from chainrule.rules.rule import Loss
from chainrule.tracing import Trace

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)

GATHERED = 2**24
"""Up to so many numbers, rows for training on all at once are gathered: beyond, a second copy of them would weigh."""

_FITTING: set[int] = set()
_LOCK = threading.Lock()


def _stochastic(estimator: Perceptron) -> bool:
    if estimator.solver != "lbfgs":
        return True
    raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")


class _Suggesting(ABCMeta):
    """A class that, called with a parameter it does not have, names the nearest one."""

    def __init__(cls, *args: Any) -> None:
        super().__init__(*args)
        known = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
        cls.__signature__ = inspect.Signature(known)

    def __call__(cls, *args: Any, **given: Any) -> Any:
        for name in given:
            if name not in cls.__signature__.parameters:
                raise TypeError(f"{cls.__name__} has no parameter {shown(name)}: {nearest(name, cls.__signature__.parameters)}")
        return super().__call__(*args, **given)


class Perceptron(BaseEstimator, metaclass=_Suggesting):  # type: ignore[misc]
    """A multilayer perceptron behind scikit-learn's interface. MLPClassifier and MLPRegressor say what its outputs mean."""

    def _keep(self, given: dict[str, Any]) -> None:
        """Stores the constructor's parameters as they are."""
        for name, value in given.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    # what the two kinds of estimator say

    @abstractmethod
    def _targets(self, y: Any, dtype: Any, reset: bool, again: bool = False) -> Any:
        """y as the network's targets, (rows, outputs). reset: it says what there is; again: all of that is there again."""

    @abstractmethod
    def _loss_and_last(self) -> tuple[Loss, str]:
        """The loss, and the name of the last activation."""

    @abstractmethod
    def _strata(self, t: Any) -> Any:
        """What a validation split must keep the shares of, or None."""

    def _weights(self, y: Any, given: Any, count: int, incremental: bool) -> Any:
        return arrays.weights(given, count)

    # fitting

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Trains on X (rows, features) and y; a weight counts a row as if it stood there so often.

        With warm_start it goes on from where the last fit ended. Raises InputError (a ValueError) or TypeError for what
        cannot be used, RunError if training diverges before any epoch went well; then the estimator is as it was.
        """
        with self._alone():
            return self._fit(X, y, sample_weight, False)

    @available_if(_stochastic)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """One epoch on these rows, from where the estimator stands."""
        with self._alone():
            return self._fit(X, y, sample_weight, True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One fit at a time; an estimator whose fit fails is as it was before."""
        with _LOCK:
            if id(self) in _FITTING:
                raise RuntimeError("this estimator is busy: another fit of it is running")
            _FITTING.add(id(self))
        before = dict(vars(self))
        try:
            with config_context(array_api_dispatch=False):  # whatever comes in, we compute on NumPy's arrays
                yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        finally:
            with _LOCK:
                _FITTING.discard(id(self))

    def _fit(self, X: Any, y: Any, sample_weight: Any, incremental: bool) -> Any:
        parameters.check(self)
        if incremental and self.early_stopping:
            raise InputError("partial_fit does not support early_stopping=True", field="early_stopping")
        fresh = not hasattr(self, "_parameters") or not (self.warm_start or incremental)
        dtype = parameters.dtype(self.dtype)
        x = arrays.rows(self, X, dtype if fresh else self._parameters.dtype, reset=fresh)
        t = self._targets(y, x.dtype, fresh, not fresh and not incremental)
        arrays.same_length(x, t)
        weight = self._weights(y, sample_weight, len(x), incremental)
        if fresh:
            self._begin(x, t)
        elif t.shape[1] != self.n_outputs_:
            raise InputError(f"y must have {self.n_outputs_} columns, as before", got=f"{t.shape[1]}", field="y")
        among, held = np.arange(len(x)), None
        if self.early_stopping and self.solver != "lbfgs":
            among, held = self._split(x, t, weight)
        if weight is not None:
            among = among[weight[among] > 0]  # a row that counts nothing is as if it were not there
            if not len(among):
                raise InputError("sample_weight is 0 for every training row", field="sample_weight")
        rows = Rows(x, t, weight)
        if self.solver == "lbfgs":
            self._descend(_some(rows, among))
        else:
            validation = None if held is None else _some(rows, held)
            self._learn(rows, among, validation, y, held, incremental)
        return self

    def _begin(self, x: Any, t: Any) -> None:
        """A new network, its parameters drawn."""
        self.n_outputs_ = t.shape[1]
        loss, last = self._loss_and_last()
        self._network, self._ends = beginning.network(self, x.shape[1], self.n_outputs_, loss, last, x.dtype)
        self._stand(self._network.parameters, self._network.memory)
        self._checkpoint: Checkpoint | None = None
        self.n_layers_ = len(parameters.sizes(self.hidden_layer_sizes)) + 2
        self.out_activation_ = {"sigmoid": "logistic"}.get(last, last)
        self.n_iter_, self.t_ = 0, 0
        self.loss_curve_: list[float] = []
        self.penalty_curve_: list[float] = []
        self.validation_curve_: list[float] = []
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_: float | None = None
        self.best_loss_: float | None = None if self.early_stopping else math.inf
        self.best_epoch_ = 0

    def _stand(self, buffer: Any, memory: list[dict[str, Any]]) -> None:
        """Takes these parameters. coefs_ and intercepts_ are views of them: what is changed there, changes predictions."""
        self._parameters = np.array(buffer)
        self._network = copy.copy(self._network)
        self._network.parameters, self._network.memory = self._parameters, memory
        views = self._network.views(self._parameters)
        self.coefs_ = [p["W"].T for p in views if "W" in p]
        self.intercepts_ = [p["b"] for p in views if "W" in p]

    def _split(self, x: Any, t: Any, weight: Any) -> tuple[Any, Any]:
        """Row numbers for training and for validation."""
        count, strata = len(x), self._strata(t)
        train, held = train_test_split(
            np.arange(count), test_size=self.validation_fraction, random_state=self._network.seed % 2**32, stratify=strata
        )
        if len(held) < 2:
            raise InputError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset.",
                got=f"{len(held)} of {count} rows",
                field="validation_fraction",
            )
        if weight is not None and not weight[held].any():
            raise InputError("sample_weight is 0 for every validation row", field="sample_weight")
        return np.sort(train), np.sort(held)

    def _with_penalty(self, size: int, weight: Any) -> Network:
        """The network with alpha's price on its weights: 0.5 * alpha * ||W||^2, divided by what a full batch weighs.

        scikit-learn divides by what each batch weighs; here an epoch's shorter last batch pays the same price as the
        others, so that one loss is minimized throughout.
        """
        network = copy.copy(self._network)
        weighs = size if weight is None else size * float(np.mean(weight))
        network.penalties = (L2(float(self.alpha) / weighs),) if self.alpha else ()
        return network

    def _gathered(self, rows: Rows, among: Any) -> tuple[Rows, Any]:
        """Those rows for training on all of them at once, and which they were: equal ones as one, unless a layer looks at
        each."""
        rows = _some(rows, among)
        if any(isinstance(layer, (BatchNorm, Dropout)) for layer in self._network.layers):
            return rows, among
        x, t, weight, first = arrays.gathered(rows.x, rows.t, rows.weight)
        return Rows(x, t, weight), among[first]

    def _learn(self, rows: Rows, among: Any, held: Rows | None, y: Any, places: Any, incremental: bool) -> None:
        count = len(among)
        size, name = parameters.batch_size(self.batch_size, count), None
        if size == count and rows.x.size <= GATHERED:
            rows, first = self._gathered(rows, among)
            among, size = np.arange(len(rows.x)), len(rows.x)
            name = _row_name(first)
        network = self._with_penalty(size, None if rows.weight is None else rows.weight[among])
        optimizer = parameters.optimizer(self)
        start = self._continued(optimizer, incremental)
        per_epoch = -(-len(among) // size)
        watch, score = monitor.watched(self, held, None if held is None else self._actual(y)[places])
        adaptive = self.solver == "sgd" and self.learning_rate == "adaptive"
        course = Course(
            1 if incremental else int(self.max_iter),
            size,
            bool(self.shuffle),
            parameters.schedule(self, self.t_, count, start.updates, per_epoch),
            None if self.clip_norm is None else ClipNorm(float(self.clip_norm)),
            Stopping(watch, None if incremental else self.n_iter_no_change, self.tol, adaptive, self.max_time),
            self.engine,
            parameters.threads(self.n_threads),
        )
        callbacks = (*([self._print] if self.verbose else ()), *self._callbacks())
        result = learn(
            network, rows, optimizer, course, among=among, validation=held, score=score, callbacks=callbacks, start=start,
            name=name,
        )  # fmt: skip
        self._keep_curves(result, count)
        self._settle(result, held is not None, incremental)

    def _continued(self, optimizer: Any, incremental: bool) -> Checkpoint:
        """Where training goes on: the optimizer's memory too, unless its kind has changed since."""
        last = self._checkpoint
        if last is None:
            return Checkpoint(self._parameters, self._network.memory)
        slots = {slot for each in last.state or () for memory in each.values() for slot in memory}
        same = slots == set(optimizer.starts())
        rate = last.rate if self.learning_rate == "adaptive" and incremental else None
        return replace(
            last, parameters=self._parameters, memory=self._network.memory, state=last.state if same else None, rate=rate
        )

    def _callbacks(self) -> tuple[Callable[[Epoch], Any], ...]:
        given = self.callbacks
        return () if given is None else (given,) if callable(given) else tuple(given)

    def _print(self, epoch: Epoch) -> None:
        pace = f" ({epoch.rows_per_second:,.0f} rows a second, {epoch.remaining:,.1f} s left)" if self.verbose > 1 else ""
        print(f"Iteration {epoch.number}, loss = {epoch.loss:.8f}{pace}")
        if epoch.score is not None:
            print(f"Validation score: {epoch.score:f}")

    @abstractmethod
    def _actual(self, y: Any) -> Any:
        """y as predictions are compared with it."""

    @abstractmethod
    def _score(self, actual: Any, predicted: Any, weight: Any) -> float:
        """Accuracy or R^2."""

    @abstractmethod
    def _predicted(self, x: Any) -> Any:
        """Predictions for rows that are checked already."""

    def _keep_curves(self, result: Learned, count: int) -> None:
        told = len(self.loss_curve_)
        self.loss_curve_ = self.loss_curve_ + [epoch.loss for epoch in result.epochs]
        self.penalty_curve_ = self.penalty_curve_ + [epoch.penalty for epoch in result.epochs]
        self.validation_curve_ = self.validation_curve_ + [e.validation for e in result.epochs if e.validation is not None]
        if self.early_stopping:
            scores = [e.score for e in result.epochs if e.score is not None]
            scores += [math.nan] if result.reason == "not finite" else []  # the epoch that was not finished has none
            self.validation_scores_ = (self.validation_scores_ or []) + scores
            self.best_validation_score_ = max([s for s in self.validation_scores_ if s == s], default=math.nan)
            self.best_loss_ = None
        elif self.loss_curve_:
            self.best_loss_ = min(self.loss_curve_)
            self.validation_scores_ = self.best_validation_score_ = None
        self.n_iter_ = len(result.epochs)
        self.t_ += count * len(result.epochs)
        if self.loss_curve_:
            self.loss_ = self.loss_curve_[-1]
        if result.best_epoch:
            self.best_epoch_ = told + result.best_epoch
        self._no_improvement_count = result.epochs[-1].since if result.epochs else 0

    def _settle(self, result: Learned, validated: bool, incremental: bool) -> None:
        """Takes the last or the best weights, and says what has to be said about the way training ended."""
        failed = result.reason == "not finite"
        if failed and (not result.best_epoch or (result.best_epoch == 1 and not validated)) and not self._checkpoint:
            raise RunError(result.trouble, do=NOT_FINITE)
        restore = validated if self.restore_best_weights == "auto" else bool(self.restore_best_weights)
        kept = result.best if failed or (restore and not incremental and result.best_epoch) else result.last
        self._stand(kept.parameters, kept.memory)
        self._checkpoint = result.last if not failed else None
        if failed:
            kept_words = (
                f"the weights of epoch {self.best_epoch_} are kept" if result.best_epoch else "the weights are as before"
            )
            warnings.warn(f"{result.trouble} Training has stopped; {kept_words}.", ConvergenceWarning, stacklevel=4)
        elif result.reason == "interrupted":
            warnings.warn("Training interrupted by user.", UserWarning, stacklevel=4)
        elif result.reason == "epochs" and not incremental:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached "
                "and the optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _descend(self, rows: Rows) -> None:
        monitor.watched(self, None, None)  # says so if something else than the loss is to decide
        count = len(rows.x)
        if rows.x.size <= GATHERED:
            rows, _ = self._gathered(rows, np.arange(count))
        result = lbfgs.minimize(
            self._with_penalty(len(rows.x), rows.weight),
            rows,
            iterations=int(self.max_iter),
            evaluations=int(self.max_fun),
            tolerance=float(self.tol),
            callbacks=(*([self._print] if self.verbose else ()), *self._callbacks()),
            seconds=self.max_time,
            engine=self.engine,
            threads=parameters.threads(self.n_threads),
        )
        if not np.isfinite(result.parameters).all():
            raise RunError("the parameters are not finite", do=NOT_FINITE)
        self._stand(result.parameters, result.memory)
        self.loss_curve_ = self.loss_curve_ + [epoch.loss for epoch in result.epochs]
        self.penalty_curve_ = self.penalty_curve_ + [epoch.penalty for epoch in result.epochs]
        self.loss_ = self.best_loss_ = result.loss
        self.n_iter_ = result.iterations
        self.best_epoch_ = len(self.loss_curve_)
        self.t_ += count * result.iterations
        if not result.converged and result.message.strip() and "callback" not in result.message.lower():
            text = f"lbfgs failed to converge after {result.iterations} iteration(s); max_iter, max_fun: {result.message}"
            warnings.warn(text, ConvergenceWarning, stacklevel=4)

    # using the fitted network

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_parameters")

    @property
    def network_(self) -> Network:
        """The fitted chainrule Network, on parameters of its own."""
        check_is_fitted(self)
        network = copy.copy(self._network)
        network.parameters = np.array(self._parameters)
        return network

    def _rows(self, X: Any) -> tuple[Any, Any]:
        """Checked rows in float64, and the dtype that answers have: float32 for float32 rows.

        Predictions are computed in float64 whatever the network was trained in: then a row's answer does not depend on
        the rows around it in any digit that is shown.
        """
        check_is_fitted(self)
        with config_context(array_api_dispatch=False):
            x = arrays.rows(self, X, None, reset=False)
        return x.astype(float, copy=False), x.dtype

    def _outputs(self, x: Any) -> Any:
        """The network's outputs, (rows, outputs)."""
        return inside.outputs(self._network, x)

    def hidden(self, X: Any, layer: int = -1) -> Any:
        """What hidden layer `layer` (from 1; -1 is the last) makes of each row: (rows, units)."""
        x, dtype = self._rows(X)
        count = len(self._ends)
        if isinstance(layer, bool) or not isinstance(layer, int) or not (1 <= layer <= count or -count <= layer <= -1):
            raise InputError(f"layer must be one of the {count} hidden layers, from 1", got=shown(layer), field="layer")
        end = self._ends[layer - 1 if layer > 0 else layer]
        return inside.forward(inside.exact(self._network), x, end)[0].astype(dtype, copy=False)

    def input_gradient(self, X: Any, output: int = 0) -> Any:
        """How output number `output` (from 0) of each row changes with each of its inputs: (rows, features).

        For a regressor the output is the prediction; for a classifier the probability of classes_[output].
        """
        x, dtype = self._rows(X)
        index, sign = self._output_column(output)
        return inside.input_gradient(self._network, x, index, sign).astype(dtype, copy=False)

    def _output_column(self, output: int) -> tuple[int, float]:
        """The network's output that `output` means, and its sign there."""
        count = self.n_outputs_
        if isinstance(output, bool) or not isinstance(output, int) or not 0 <= output < count:
            raise InputError(f"output must be from 0 to {count - 1}", got=shown(output), field="output")
        return output, 1.0

    def trace(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Trace:
        """The next update on these few rows, every number of it, as a chainrule Trace.

        Dropout keeps everything there, so that the outputs are the predictions; batch norm uses the rows' own statistics.
        """
        x = self._rows(X)[0].astype(self._parameters.dtype, copy=False)
        t = self._targets(y, x.dtype, False)
        arrays.same_length(x, t)
        weight = arrays.weights(sample_weight, len(x))
        network = self._with_penalty(len(x), weight)
        network.layers = tuple(replace(layer, rate=0.0) if isinstance(layer, Dropout) else layer for layer in network.layers)
        network.parameters = np.array(self._parameters)
        optimizer = parameters.optimizer(self) if self.solver != "lbfgs" else None
        last = self._checkpoint
        if last is not None and optimizer is not None:
            options = {"number": last.updates + 1, "state": self._continued(optimizer, False).state, **options}
        return Trace(network, x, t, optimizer, weight=weight, **options)

    # copies and pickles

    def __getstate__(self) -> dict[str, Any]:
        """Parameters as given, fitted arrays, and plain data: no function, and no object but those the user gave."""
        state = dict(super().__getstate__())
        for name in self.get_params(deep=False):
            state[name] = described(state.get(name)) if name in state else None
        network = state.pop("_network", None)
        if network is not None:
            for name in ("coefs_", "intercepts_"):
                state.pop(name, None)
            state["_design"] = {
                "layers": described(list(network.layers)),
                "loss": described(network.loss),
                "inputs": network.inputs,
                "seed": network.seed,
                "memory": network.memory,
            }
            last = state.pop("_checkpoint")
            state["_last"] = None if last is None else {**vars(last), "parameters": None, "memory": None}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        design, last = state.pop("_design", None), state.pop("_last", None)
        super().__setstate__({name: restored(value) for name, value in state.items()})
        if design is not None:
            layers, loss = restored(design["layers"]), restored(design["loss"])
            buffer = self._parameters
            self._network = Network(layers, design["inputs"], loss, design["seed"], dtype=buffer.dtype, parameters=buffer)
            self._checkpoint = None if last is None else Checkpoint(**last)
            self._stand(buffer, design["memory"])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _some(rows: Rows, among: Any) -> Rows:
    """Some of the rows; not copied if it is all of them."""
    if len(among) == len(rows.x):
        return rows
    return Rows(rows.x[among], rows.t[among], None if rows.weight is None else rows.weight[among])


def _row_name(numbers: Any) -> Callable[[int], str]:
    return lambda row: f"row {numbers[row] + 1}"
