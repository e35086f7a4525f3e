"""scikit-learn's own tests of its multilayer perceptrons, run on ours: their module, with our two classes in it."""

import inspect
from pathlib import Path

import pytest
import sklearn.neural_network.tests as theirs

import chainrule

EXCEPTIONS = {
    "test_fit": "sets private attributes by hand before partial_fit; test_estimators.py works the example out on coefs_",
    "test_gradient": "calls _loss_grad_lbfgs; test_estimators.py holds the gradient to the reported loss",
    "test_learning_rate_warmstart": "reads _optimizer; test_estimators.py looks at the rates that callbacks are told",
    "test_adaptive_learning_rate": "reads _optimizer; test_estimators.py looks at the rates that callbacks are told",
}
"""Their tests that say nothing about ours, and why."""

FILE = Path(theirs.__file__).parent / "test_mlp.py"


def _load():
    """Their module's names, with ours in place of MLPClassifier and MLPRegressor."""
    source = FILE.read_text("utf-8")
    line = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
    assert line in source
    scope = {"__name__": "sklearn_test_mlp", "__file__": str(FILE)}
    exec(compile(source.replace(line, "from chainrule import MLPClassifier, MLPRegressor"), str(FILE), "exec"), scope)
    return scope


_THEIRS = {name: thing for name, thing in _load().items() if name.startswith("test_") and inspect.isfunction(thing)}
for _name, _test in _THEIRS.items():
    if _name not in EXCEPTIONS:
        _test = pytest.mark.filterwarnings("default")(_test)  # their suite does not make warnings errors
        globals()[_name] = _test


@pytest.fixture
def global_random_seed():
    return 42


def test_ours_are_in_their_place():
    assert _THEIRS["test_alpha"].__globals__["MLPClassifier"] is chainrule.MLPClassifier
    assert _THEIRS["test_alpha"].__globals__["MLPRegressor"] is chainrule.MLPRegressor


def test_every_exception_is_a_test_of_theirs():
    assert set(EXCEPTIONS) <= set(_THEIRS)
    assert len(_THEIRS) > 35
