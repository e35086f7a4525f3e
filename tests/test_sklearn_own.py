"""scikit-learn's own tests of its multilayer perceptrons, run on ours: their module as it is, with our two classes in it."""

import inspect
import re
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
"""Their tests that reach into private attributes, which, and what stands for them here. All others run unchanged: their
random_state, bounds and warnings too. (Warnings are no errors in them, as in scikit-learn's suite.)"""

PRIVATE = re.compile(r"\b(?:mlp|clf)\.(_[a-z]\w*)")
OURS_TOO = {"_no_improvement_count"}  # private, but kept by ours because their tests read it

FILE = Path(theirs.__file__).parent / "test_mlp.py"
LINE = "from sklearn.neural_network import MLPClassifier, MLPRegressor"


def _load():
    """Their module's names, with ours in place of MLPClassifier and MLPRegressor."""
    source = FILE.read_text("utf-8")
    assert source.count(LINE) == 1
    scope = {"__name__": "sklearn_test_mlp", "__file__": str(FILE)}
    exec(compile(source.replace(LINE, "from chainrule import MLPClassifier, MLPRegressor"), str(FILE), "exec"), scope)
    return scope


_THEIRS = {name: thing for name, thing in _load().items() if name.startswith("test_") and inspect.isfunction(thing)}
for _name, _test in _THEIRS.items():
    if _name not in EXCEPTIONS:
        globals()[_name] = pytest.mark.filterwarnings("default")(_test)


@pytest.fixture
def global_random_seed():
    return 42


def test_ours_are_in_their_place():
    assert _THEIRS["test_alpha"].__globals__["MLPClassifier"] is chainrule.MLPClassifier
    assert _THEIRS["test_alpha"].__globals__["MLPRegressor"] is chainrule.MLPRegressor


def test_the_exceptions_are_those_that_reach_into_private_attributes():
    source = FILE.read_text("utf-8")
    bodies = {part.split("(", 1)[0]: part for part in source.split("\ndef ")[1:]}
    private = {name for name in _THEIRS if set(PRIVATE.findall(bodies[name])) - OURS_TOO}
    assert private == set(EXCEPTIONS)
    assert len(_THEIRS) > 35
