"""Neural networks that show their work.

`MLPClassifier` and `MLPRegressor` stand in for scikit-learn's; `Network`, the layers and optimizers build and train;
`trace` derives one step; `load_example` and `read_spec` bring worked examples from files. `check` holds written-down
numbers against a derivation; `why` finds the conventions or mistakes that produce a number. `open_run` looks into a recorded
training run: any update done again, any number of it derived.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.conventions import Conventions
    from chainrule.derivation import trace
    from chainrule.errors import InputError, RunError
    from chainrule.estimators import MLPClassifier, MLPRegressor
    from chainrule.marking.check import check
    from chainrule.marking.match import Why
    from chainrule.marking.report import Report
    from chainrule.marking.search import why
    from chainrule.models import Model
    from chainrule.models import load as load_model
    from chainrule.network import Network
    from chainrule.replay import RecordedRun, Replay, open_run
    from chainrule.rules.layers import BatchNorm, Dense, Dropout, LayerNorm
    from chainrule.rules.losses import L1, L2
    from chainrule.rules.optimizers import (
        SGD,
        Adagrad,
        Adam,
        AdamW,
        ClipNorm,
        ClipValue,
        Momentum,
        Nadam,
        Nesterov,
        RMSprop,
    )
    from chainrule.spec import Example, example_names, load_example, read_spec
    from chainrule.steps import Step
    from chainrule.tracing import Trace
    from chainrule.training import Outcome, train

_HOMES = {
    "chainrule.conventions": ("Conventions",),
    "chainrule.errors": ("InputError", "RunError"),
    "chainrule.derivation": ("trace",),
    "chainrule.estimators": ("MLPClassifier", "MLPRegressor"),
    "chainrule.marking.check": ("check",),
    "chainrule.marking.match": ("Why",),
    "chainrule.marking.report": ("Report",),
    "chainrule.marking.search": ("why",),
    "chainrule.models": ("Model", "load_model"),
    "chainrule.network": ("Network",),
    "chainrule.replay": ("RecordedRun", "Replay", "open_run"),
    "chainrule.rules.layers": ("BatchNorm", "Dense", "Dropout", "LayerNorm"),
    "chainrule.rules.losses": ("L1", "L2"),
    "chainrule.rules.optimizers": (
        "SGD", "Adagrad", "Adam", "AdamW", "ClipNorm", "ClipValue", "Momentum", "Nadam", "Nesterov", "RMSprop",
    ),
    "chainrule.spec": ("Example", "example_names", "load_example", "read_spec"),
    "chainrule.steps": ("Step",),
    "chainrule.tracing": ("Trace",),
    "chainrule.training": ("Outcome", "train"),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_NAMED_OTHERWISE = {"load_model": "load"}

__all__ = [
    "L1",
    "L2",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm",
    "ClipNorm",
    "ClipValue",
    "Conventions",
    "Dense",
    "Dropout",
    "Example",
    "InputError",
    "LayerNorm",
    "MLPClassifier",
    "MLPRegressor",
    "Model",
    "Momentum",
    "Nadam",
    "Nesterov",
    "Network",
    "Outcome",
    "RMSprop",
    "RecordedRun",
    "Replay",
    "Report",
    "RunError",
    "Step",
    "Trace",
    "Why",
    "check",
    "example_names",
    "load_example",
    "load_model",
    "open_run",
    "read_spec",
    "trace",
    "train",
    "why",
]


def __getattr__(name: str) -> Any:
    """Public names are loaded when they are first used: importing the package alone costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), _NAMED_OTHERWISE.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
