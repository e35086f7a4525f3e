"""What decides which epoch was best: a loss, or a score of the validation rows."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer

from chainrule.course import Rows
from chainrule.errors import InputError, shown
from chainrule.network import Network


def watched(estimator: Any, held: Rows | None, actual: Any) -> tuple[str, Callable[[Network], float] | None]:
    """What epochs.Stopping is to watch, and the score of the network as it stands, if there are validation rows.

    held: the validation rows as the network takes them; actual: their targets as predictions are compared with them.
    """
    monitor = estimator.monitor
    if held is None:
        if monitor not in ("auto", "loss"):
            do = "use early_stopping=True"
            if estimator.solver == "lbfgs":
                do = "lbfgs has none: it trains on all rows until the loss is at its minimum; use another solver"
            raise InputError("monitor needs validation rows", got=shown(monitor), do=do, field="monitor")
        return "loss", None
    return ("validation" if monitor == "loss" else "score"), _score(estimator, held, actual)


def _score(estimator: Any, held: Rows, actual: Any) -> Callable[[Network], float]:
    monitor, scorer = estimator.monitor, None
    metric = monitor if callable(monitor) else None
    if isinstance(monitor, str) and monitor not in ("auto", "loss", "score"):
        try:
            scorer = get_scorer(monitor)
        except ValueError:
            do = 'use "loss", "score", a callable, or a name of sklearn.metrics.get_scorer_names()'
            raise InputError("unknown monitor", got=shown(monitor), do=do, field="monitor") from None
    options = {} if held.weight is None else {"sample_weight": held.weight}
    probe = copy.copy(estimator)
    probe.__dict__.pop("feature_names_in_", None)  # the rows here are arrays: their columns have no names any more

    def score(network: Network) -> float:
        probe._network = network
        if scorer is not None:
            return float(scorer(probe, held.x, actual, **options))
        predicted = probe._predicted(held.x)
        if predicted.dtype.kind == "f" and not np.isfinite(predicted).all():
            return math.nan
        return float(metric(actual, predicted, **options) if metric else probe._score(actual, predicted, held.weight))

    return score
