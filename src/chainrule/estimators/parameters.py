"""What a user may ask an estimator for: each parameter checked, and made into rules."""

from __future__ import annotations

import math
import numbers
import os
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from sklearn.utils import check_random_state

from chainrule.errors import InputError, nearest, shown
from chainrule.rules import find, names
from chainrule.rules.optimizers import SGD, Adam, AdamW, Momentum, Nesterov
from chainrule.rules.rule import Activation, Loss, Optimizer, Schedule
from chainrule.rules.schedules import Constant, Cosine, OneCycle

SOLVERS = ("lbfgs", "sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad")
RATES = ("constant", "invscaling", "adaptive", "cosine", "one_cycle")
DTYPES = ("float32", "float64")
STEEPEST = 1e12
"""No learning rate above it is meant."""

SHARE = 0.8
"""The part of the free memory that a network may take."""

LATER = {"torch": "the torch engine (GPU, torch.distributed) is not part of this version"}


def check(estimator: Any) -> None:
    """Every plain parameter of an estimator, before anything is allocated. Raises InputError that names the parameter."""
    for name, (wanted, holds) in _PLAIN.items():
        value = getattr(estimator, name)
        if not holds(value):
            raise InputError(f"{name} must be {wanted}", got=shown(value), field=name)
    for name, allowed in (("engine", ()), ("solver", SOLVERS), ("learning_rate", RATES)):
        value = getattr(estimator, name)
        if name == "engine" and value in LATER:
            raise InputError(LATER[value], got=shown(value), do='use engine="auto"', field=name)
        if isinstance(value, str) and allowed and value not in allowed:
            raise InputError(f"unknown {name}", got=shown(value), do=nearest(value, allowed), field=name)
    dtype(estimator.dtype)
    sizes(estimator.hidden_layer_sizes)
    if estimator.batch_norm and estimator.layer_norm:
        raise InputError("batch_norm and layer_norm cannot both be on", do="leave one out", field="batch_norm")
    if estimator.early_stopping and not 0 < estimator.validation_fraction < 1:
        raise InputError(
            "validation_fraction must be between 0 and 1 for early_stopping",
            got=shown(estimator.validation_fraction),
            field="validation_fraction",
        )


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, numbers.Integral) and not isinstance(v, (bool, np.bool_)) and int(v) >= least


def _real(low: float, high: float = math.inf, *, low_too: bool = True, high_too: bool = False) -> Callable[[Any], bool]:
    def holds(v: Any) -> bool:
        if not isinstance(v, numbers.Real) or isinstance(v, (bool, np.bool_)) or not math.isfinite(v):
            return False
        x = float(v)
        return (low <= x if low_too else low < x) and (x <= high if high_too else x < high)

    return holds


def _or(value: Any, holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda v: v is value or (isinstance(value, (str, float)) and type(v) is type(value) and v == value) or holds(v)


def _switch(v: Any) -> bool:
    return isinstance(v, (bool, np.bool_))


def _kind(*kinds: type) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, kinds)


_PLAIN: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "solver": ("a name or an optimizer rule", _kind(str, Optimizer)),
    "alpha": ("a number, at least 0", _real(0)),
    "batch_size": ('"auto" or a whole number, at least 1', _or("auto", _whole(1))),
    "learning_rate": ("a name or a schedule rule", _kind(str, Schedule)),
    "learning_rate_init": (f"a number above 0, at most {STEEPEST:g}", _real(0, STEEPEST, low_too=False, high_too=True)),
    "power_t": ("a number, at least 0", _real(0)),
    "max_iter": ("a whole number, at least 1", _whole(1)),
    "shuffle": ("True or False", _switch),
    "tol": ("a number, at least 0", _real(0)),
    "verbose": ("True, False or a whole number", _kind(numbers.Integral, np.bool_)),
    "warm_start": ("True or False", _switch),
    "momentum": ("a number, at least 0, below 1", _real(0, 1)),
    "nesterovs_momentum": ("True or False", _switch),
    "early_stopping": ("True or False", _switch),
    "validation_fraction": ("a number, at least 0, below 1", _real(0, 1)),
    "beta_1": ("a number, at least 0, below 1", _real(0, 1)),
    "beta_2": ("a number, at least 0, below 1", _real(0, 1)),
    "epsilon": ("a number above 0", _real(0, low_too=False)),
    "n_iter_no_change": ("a whole number, at least 1, or infinity", _or(math.inf, _whole(1))),
    "max_fun": ("a whole number, at least 1", _whole(1)),
    "batch_norm": ("True or False", _switch),
    "layer_norm": ("True or False", _switch),
    "weight_decay": ("a number, at least 0", _real(0)),
    "clip_norm": ("None or a number above 0", _or(None, _real(0, low_too=False))),
    "monitor": ('"auto", "loss", "score", the name of a scorer or a callable', lambda v: isinstance(v, str) or callable(v)),
    "restore_best_weights": ('"auto", True or False', _or("auto", _switch)),
    "max_time": ("None or seconds above 0", _or(None, _real(0, low_too=False))),
    "callbacks": (
        "None, a callable or a list of callables",
        lambda v: v is None or callable(v) or (isinstance(v, (list, tuple)) and all(callable(each) for each in v)),
    ),
    "engine": ("the name of an engine", _kind(str)),
    "n_threads": ("None or a whole number, at least 1", _or(None, _whole(1))),
}


def sizes(given: Any) -> tuple[int, ...]:
    """Units of the hidden layers, from a whole number or a list of them; none at all is a linear model."""
    wanted = "hidden_layer_sizes must be a whole number, at least 1, or a list of them"
    if isinstance(given, numbers.Integral):
        given = (given,)
    if not isinstance(given, (list, tuple, np.ndarray)):
        raise InputError(wanted, got=shown(given), do="for example (100,) or (50, 20)", field="hidden_layer_sizes")
    for size in given:
        if not _whole(1)(size):
            do = "hidden_layer_sizes must be > 0" if isinstance(size, numbers.Integral) else "for example (100,) or (50, 20)"
            raise InputError(wanted, got=shown(given), do=do, field="hidden_layer_sizes")
    return tuple(int(size) for size in given)


def dtype(given: Any) -> Any:
    """None, float32 or float64, by name or as NumPy's."""
    if given is None:
        return None
    try:
        found = np.dtype(given)
    except TypeError:
        found = None
    if found is None or found.name not in DTYPES or not found.isnative:
        do = "use None (the input's), " + " or ".join(DTYPES)
        raise InputError("dtype must be one the network can be trained in", got=shown(given), do=do, field="dtype")
    return found


def generator(random_state: Any) -> Any:
    """NumPy's generator that first weights are drawn from, the one that scikit-learn makes of the same random_state; a
    numpy.random.Generator and whole numbers of more than 32 bits, which it refuses, are taken too."""
    if _whole(0)(random_state) and 2**32 <= int(random_state) < 2**64:
        return np.random.RandomState([int(random_state) % 2**32, int(random_state) // 2**32])
    if isinstance(random_state, np.random.Generator):
        return random_state
    if random_state is None or isinstance(random_state, np.random.RandomState) or _whole(0)(random_state):
        with suppress(ValueError):
            return check_random_state(random_state)
    wanted = "random_state must be None, a whole number from 0 to 2^64 - 1, or a random generator of NumPy"
    raise InputError(wanted, got=shown(random_state), field="random_state")


def seed(random_state: Any) -> int:
    """The seed of shuffles and dropout: a whole number is taken as it is, a generator is asked for one."""
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    drawn = generator(random_state)
    return int(drawn.integers(2**63) if isinstance(drawn, np.random.Generator) else drawn.randint(2**31 - 1))


def threads(given: int | None) -> int | None:
    """At most as many as there are cores; a warning says when fewer are taken."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if given is not None and given > cores:
        warnings.warn(
            f"n_threads={given} is more than the {cores} cores there are: {cores} are used", UserWarning, stacklevel=4
        )
        return cores
    return given


def batch_size(given: Any, rows: int) -> int:
    """Rows of a batch: 200 by default, never more than there are; a warning says when it is clipped."""
    if given == "auto":
        return min(200, rows)
    if given > rows:
        text = f"Got `batch_size` less than 1 or larger than sample size. It is going to be clipped: {given} to {rows} rows"
        warnings.warn(text, UserWarning, stacklevel=5)
    return min(int(given), rows)


def per_layer(name: str, given: Any, layers: int) -> list[Any]:
    """One value for each hidden layer, from a single one or a list."""
    if isinstance(given, (list, tuple)):
        if len(given) != layers:
            raise InputError(f"{name} needs one entry for each of the {layers} hidden layers", got=f"{len(given)}", field=name)
        return list(given)
    return [given] * layers


def activations(given: Any, layers: int) -> list[Activation]:
    """The activation of each hidden layer, from names and rules."""
    result = []
    for each in per_layer("activation", given, layers):
        if not isinstance(each, (str, Activation)):
            raise InputError("activation must be a name or a rule, or a list of them", got=shown(each), field="activation")
        rule = find("activation", each)() if isinstance(each, str) else each
        result.append(trusted(rule))
    return result


def dropouts(given: Any, layers: int) -> list[float]:
    """The share of each hidden layer's units that an update leaves out."""
    rates = per_layer("dropout", given, layers)
    for rate in rates:
        if not _real(0, 1)(rate):
            raise InputError(
                "dropout must be a number, at least 0, below 1, or a list of them", got=shown(rate), field="dropout"
            )
    return [float(rate) for rate in rates]


def loss(given: Any, known: Mapping[str, str]) -> Loss:
    """The loss for a name or a rule; `known` are names of scikit-learn and what they mean here."""
    if isinstance(given, Loss):
        return cast(Loss, trusted(given))
    if not isinstance(given, str):
        raise InputError("loss must be a name or a rule", got=shown(given), field="loss")
    found = known.get(given, given)
    if found not in names("loss") and given not in known:
        find("loss", found)  # an alias, or the error that names the nearest
    made: Loss = find("loss", found)()
    return made


def optimizer(estimator: Any) -> Optimizer:
    """The optimizer for `solver`, in scikit-learn's dialect where it has it."""
    solver, rate = estimator.solver, float(estimator.learning_rate_init)
    if isinstance(solver, Optimizer):
        return solver
    if solver == "sgd":
        if not estimator.momentum:
            return SGD(rate)
        cls = Nesterov if estimator.nesterovs_momentum else Momentum
        return cls(rate, float(estimator.momentum), "keras")
    betas = (float(estimator.beta_1), float(estimator.beta_2), float(estimator.epsilon))
    if solver == "adam":
        return Adam(rate, *betas, epsilon_place="before")
    if solver == "adamw":
        return AdamW(rate, *betas, weight_decay=float(estimator.weight_decay))
    made: Optimizer = find("optimizer", solver)(rate)
    return made


@dataclass(frozen=True)
class EpochScaling(Schedule):
    """scikit-learn's invscaling: divided by a power of the rows seen until the epoch began."""

    power: float
    seen: int
    rows: int
    first: int
    per_epoch: int

    def rate(self, base: float, k: int) -> float:
        return float(base / (self.seen + (k - 1 - self.first) // self.per_epoch * self.rows + 1) ** self.power)


def schedule(estimator: Any, seen: int, rows: int, first: int, per_epoch: int) -> Schedule:
    """The learning rate over the updates. seen: rows seen before; first: updates done before."""
    given = estimator.learning_rate
    if isinstance(given, Schedule):
        return given
    if given == "invscaling" and estimator.solver == "sgd":
        return EpochScaling(float(estimator.power_t), seen, rows, first, per_epoch)
    if given in ("cosine", "one_cycle"):
        updates = max(2, int(estimator.max_iter) * per_epoch)
        return Cosine(updates) if given == "cosine" else OneCycle(updates)
    return Constant()


def free_memory() -> int:
    """Bytes that can still be had, as far as this machine says."""
    found = [2**63]
    for file, read in (("/proc/meminfo", _available), ("/sys/fs/cgroup/memory.max", lambda text: int(text))):
        try:
            found.append(read(Path(file).read_text()))
        except (OSError, ValueError, StopIteration):
            continue
    return min(found)


def _available(text: str) -> int:
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("MemAvailable"))


def trusted(rule: Any) -> Any:
    """A rule whose slope is the derivative of its value: a user's own is held to it at a few places. InputError if not."""
    if type(rule).__module__.startswith("chainrule."):
        return rule
    from chainrule.readers import Floats

    m, h = Floats(), 1e-6
    y = np.array([[0.2], [0.35], [0.6], [0.85]])
    t = np.array([[0.0], [1.0], [0.3], [1.0]])
    if isinstance(rule, Loss):
        rule_slope = np.asarray(rule.each_slope(m, y, t))
        difference = np.asarray(rule.each(m, y + h, t) - rule.each(m, y - h, t)) / (2 * h)
    else:
        y = np.array([[-1.7, -0.4, 0.3, 1.9]])
        slope = np.asarray(rule.slope(m, y, rule.value(m, y)))
        if slope.ndim > 2:
            return rule  # a Jacobian
        rule_slope, difference = slope, np.asarray(rule.value(m, y + h) - rule.value(m, y - h)) / (2 * h)
    rule_slope = np.broadcast_to(rule_slope, difference.shape)
    wrong = np.abs(rule_slope - difference) > 1e-4 * (1 + np.abs(difference))
    if wrong.any():
        i = int(np.argmax(wrong.reshape(-1)))
        at, found, expected = (array.reshape(-1)[i] for array in (y, rule_slope, difference))
        raise InputError(
            f"{rule.kind} {rule.name}: slope is not the derivative of the value",
            got=f"a slope of {found:.6g} at {at:g}, where the value changes by {expected:.6g}",
            do="correct slope or value",
            field=rule.kind,
        )
    return rule


def output_activation(loss_rule: Loss, otherwise: str) -> str:
    """The last activation of a regressor: counts need outputs above 0."""
    return "exp" if loss_rule.name == "poisson" else otherwise
