"""The bad-input catalogue, arrays (A) and parameters (H): each row of it, with what the error has to say."""

import copy
import os
import pickle
import re
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from chainrule import InputError, MLPClassifier, MLPRegressor, RunError
from chainrule.rules.losses import Huber

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(30, 3))
Y = np.arange(30) % 3
T = X @ [1.0, 2.0, -1.0]
BAD = X.copy()
BAD[7, 2] = np.nan
BAD[9, 0] = np.inf


def classifier(**options):
    return MLPClassifier(**{"hidden_layer_sizes": 3, "max_iter": 2, "random_state": 0, **options})


def regressor(**options):
    return MLPRegressor(**{"hidden_layer_sizes": 3, "max_iter": 2, "random_state": 0, **options})


class Lying:
    """An array that is none."""

    def __len__(self):
        return -1

    def __array__(self, dtype=None, copy=None):
        return "not an array"


class Changing:
    """Another shape at every look."""

    def __init__(self):
        self.looks = 0

    @property
    def shape(self):
        self.looks += 1
        return (self.looks, 3)

    def __len__(self):
        return 30


ARRAYS = {
    "A10 one axis": (X[:, 0], Y, ValueError, r"(?s)Expected 2D array, got 1D array.*reshape\(-1, 1\)"),
    "A10 three axes": (X.reshape(30, 3, 1), Y, ValueError, "(?i)dim"),
    "A11 lengths": (X, Y[:20], ValueError, "30.*20"),
    "A12 no rows": (X[:0], Y[:0], ValueError, r"0 sample\(s\) \(shape=\(0, 3\)\)"),
    "A12 no columns": (X[:, :0], Y, ValueError, r"0 feature\(s\) \(shape=\(30, 0\)\)"),
    "A13 complex": (X + 1j, Y, ValueError, "Complex data"),
    "A13 dates": (X.astype("M8[s]"), Y, InputError, r"X must hold numbers.*datetime64\[s\]"),
    "A13 durations": (X.astype("m8[s]"), Y, InputError, r"timedelta64\[s\]"),
    "A13 text": (X.astype(str), Y, InputError, "dtype <U"),
    "A13 objects": (
        np.array([["a", 1, {}]] * 30, dtype=object),
        Y,
        (ValueError, TypeError),
        "could not convert|must be a string",
    ),
    "A15 not finite": (BAD, Y, InputError, "X contains NaN.*row 8, column 3.*2 such entries"),
    "A15 infinite": (np.where(np.isnan(BAD), 0, BAD), Y, InputError, "X contains infinity.*row 10, column 1.*1 such entry"),
    "A18 masked": (np.ma.masked_greater(X, 1), Y, InputError, "masked"),
    "A21 lies": (Lying(), Y, (TypeError, ValueError), "."),
    "A21 changes": (Changing(), Y, (TypeError, ValueError), "."),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_that_cannot_be_used(case):
    x, y, error, text = ARRAYS[case]
    with pytest.raises(error, match=text):
        classifier().fit(x, y)
    with pytest.raises(error, match=text):
        regressor().fit(x, y)


@pytest.mark.parametrize("dtype", ["?", "i1", "u8", "f2", "f4", "f8", "g", ">f8", "O"])
def test_a14_dtypes_that_are_accepted_never_wrap(dtype):
    x = np.abs(np.round(X * 4)).astype(dtype)
    net = regressor().fit(x, T)
    assert net.coefs_[0].dtype == ("f4" if dtype == "f4" else "f8")
    if dtype != "f4":
        np.testing.assert_array_equal(net.predict(x), regressor().fit(x.astype(float), T).predict(x.astype(float)))


def _misaligned(x):
    raw = np.zeros(x.nbytes + 1, np.uint8)
    view = raw[1:].view(float).reshape(x.shape)
    view[...] = x
    return view


def _read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS = {
    "read-only": _read_only,
    "Fortran": np.asfortranarray,
    "negative stride": lambda x: x[::-1].copy()[::-1],
    "misaligned": _misaligned,
    "big-endian": lambda x: x.astype(">f8"),
    "every other": lambda x: np.repeat(x, 2, axis=0)[::2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a16_layouts_give_the_same_bits(layout, tmp_path):
    for make in (regressor(), regressor(batch_size=7)):
        plain = clone(make).fit(X, T).predict(X)
        np.testing.assert_array_equal(
            clone(make).fit(LAYOUTS[layout](X), LAYOUTS[layout](T.reshape(-1, 1)).ravel()).predict(X), plain
        )
    stored = np.memmap(tmp_path / "x", float, "w+", shape=X.shape)
    stored[...] = X
    np.testing.assert_array_equal(regressor().fit(stored, T).predict(stored), regressor().fit(X, T).predict(X))
    same = np.broadcast_to(X[0], X.shape)
    np.testing.assert_array_equal(regressor().fit(same, T).predict(X), regressor().fit(same.copy(), T).predict(X))


@pytest.mark.parametrize("rows", [30, 400])
@pytest.mark.parametrize("how", [np.nan, 0.0])
def test_a17_an_array_that_changes_during_fit_does_no_harm(rows, how):
    """Rows that make one batch are a snapshot. Of more, training reads what stands there when a batch is due, and ends in
    words where that is not finite; the estimator is as it was."""
    x, t = np.resize(X, (rows, 3)) + np.arange(rows)[:, None] / rows, np.resize(T, rows)
    net = regressor(max_iter=5)
    true = clone(net).fit(x.copy(), t).predict(X)
    ready, done = threading.Event(), threading.Event()

    def change():
        ready.wait(10)
        x[...] = how
        done.set()

    def wait(epoch):
        ready.set()
        done.wait(10)

    other = threading.Thread(target=change, daemon=True)
    other.start()
    net.set_params(callbacks=wait)
    if rows == 30 or how == 0:
        predicted = net.fit(x, t).predict(X)
        assert np.isfinite(predicted).all()
        assert (rows == 30) == np.array_equal(predicted, true)
    else:
        with pytest.raises(RunError, match="not finite"):
            net.fit(x, t)
    other.join()


def test_a18_containers():
    frame = pd.DataFrame(X, columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]))
    plain = classifier().fit(X, Y).predict_proba(X)
    for x in (frame, sparse.csr_matrix(X), np.ma.masked_array(X), X.tolist()):
        np.testing.assert_array_equal(classifier().fit(x, Y).predict_proba(x), plain)


@pytest.mark.parametrize("dispatch", [False, True])
def test_a18_tensors_and_other_arrays(dispatch):
    """Accepted if they can be read as NumPy's arrays without a copy between devices; answers are NumPy's."""
    code = f"""
import numpy as np, torch, array_api_strict, sklearn, warnings
from chainrule import MLPClassifier, MLPRegressor
warnings.simplefilter("ignore")
x, y = np.random.default_rng(0).normal(size=(30, 3)), np.arange(30) % 3
sklearn.set_config(array_api_dispatch={dispatch})
for cls in (MLPClassifier, MLPRegressor):
    net = cls(max_iter=2, random_state=0)
    plain = net.fit(x, y).predict(x)
    for made in (torch.tensor, array_api_strict.asarray):
        found = net.fit(made(x), made(y)).predict(made(x))
        assert type(found) is np.ndarray and (found == plain).all()
    try:
        net.fit(torch.empty((30, 3), device="meta"), y)
    except Exception as error:
        assert "meta" in str(error), error
    else:
        raise AssertionError("a tensor without numbers was accepted")
"""
    settings = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=settings)
    assert done.returncode == 0, done.stderr


def test_a19_labels_that_are_none():
    soft = np.eye(3)[Y]
    soft[4] = [0.5, 0.2, 0.2]
    with pytest.raises(InputError, match=r"Unknown label type: continuous-multioutput.*row 5"):
        classifier().fit(X, soft)
    many = np.eye(3)[Y]
    many[4], many[5] = 0, [1, 1, 0]  # a row without a label, and one with two: many labels, as scikit-learn reads them
    assert classifier().fit(X, many).predict(X).shape == (30, 3)
    with pytest.raises(InputError, match="Unknown label type: continuous"):
        classifier().fit(X, T)


def test_a20_other_features():
    net = classifier().fit(pd.DataFrame(X, columns=list("abc")), Y)
    with pytest.raises(ValueError, match="X has 2 features, but MLPClassifier is expecting 3 features as input"):
        classifier().fit(X, Y).predict(X[:, :2])
    with pytest.raises(ValueError, match=r"(?s)feature names should match.*now missing"):
        net.predict(pd.DataFrame(X[:, :2], columns=list("ab")))
    with pytest.raises(ValueError, match=r"(?s)feature names.*same order"):
        net.predict(pd.DataFrame(X, columns=list("cba")))


def test_a22_sparse_rows_that_would_not_fit():
    huge = sparse.csr_matrix((2**31 - 1, 10**4))
    with pytest.raises(InputError, match=r"X needs [\d,.]+ GiB as a dense array.*GiB free"):
        regressor().fit(huge, np.zeros(1))


WEIGHTS = {
    "length": (np.ones(29), "30 rows.*29"),
    "two axes": (np.ones((30, 2)), r"(?i)1D.*\(30, 2\)"),
    "negative": (np.r_[np.ones(4), -1.0, np.ones(25)], "negative.*row 5.*-1"),
    "infinite": (np.r_[np.inf, np.ones(29)], "infinity.*row 1"),
    "NaN": (np.r_[np.ones(29), np.nan], "NaN.*row 30"),
    "zero": (np.zeros(30), "zero for every row"),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_a23_weights(case):
    weight, text = WEIGHTS[case]
    for net, y in ((classifier(), Y), (regressor(), T)):
        with pytest.raises(InputError, match=text):
            net.fit(X, y, sample_weight=weight)


def test_a24_other_classes_later():
    net = classifier().partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(InputError, match=r"\[0, 1, 2, 3\].*\[0, 1, 2\]"):
        net.partial_fit(X, Y, classes=[0, 1, 2, 3])
    with pytest.raises(InputError, match=r"classes not in `self\.classes_`"):
        net.partial_fit(X, Y + 1)
    with pytest.raises(InputError, match="classes must be passed"):
        classifier().partial_fit(X, Y)


# parameters


def test_h01_a_network_that_would_not_fit_is_refused_before_it_is_made():
    tracemalloc.start()
    begun = time.perf_counter()
    for sizes in ((10**9,), (10**6, 10**6), (10**18,)):
        with pytest.raises(InputError, match=r"needs [\d,.]+ GiB for its [\d,]+ parameters.*GiB free, limit 80%"):
            regressor(hidden_layer_sizes=sizes).fit(X, T)
    assert time.perf_counter() - begun < 2
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


NAN, INF = float("nan"), float("inf")
PARAMETERS = {
    "H02": ("hidden_layer_sizes", ["10,5", (4.5,), (0,), -1, 0, ((3,), (4,)), (n for n in (3, 4)), None, True, {3}]),
    "H03": ("batch_size", [0, -1, 1.5, "all", True]),
    "H04": ("max_iter", [0, 1.5, -3, "10", True]),
    "H05": ("learning_rate_init", [NAN, INF, 0, -0.1, 1e300, "0.1", None]),
    "H07": ("random_state", [-1, 2**70, 1.5, "a", True]),
    "H08": ("n_threads", [0, -1, 1.5, "2"]),
    "H09": ("dtype", ["float16", object, "int32", "complex128", "no such", ">f4"]),
    "H10": ("engine", ["torch", "cuda", "cuda:9", 1]),
    "H11": ("validation_fraction", [0, 1, 1.5, -0.1, NAN]),
    "H19": ("learning_rate", [{"1-5": 0.1, "3-9": 0.2}, "steps", 0.1]),
    "solver": ("solver", ["adm", 3, None]),
    "activation": ("activation", ["rely", 3, ["relu", "tanh"], [None]]),
    "alpha": ("alpha", [-1, NAN, "a"]),
    "momentum": ("momentum", [-0.1, 1.0, NAN]),
    "dropout": ("dropout", [1.0, -0.1, [0.1, 0.2], "a"]),
    "tol": ("tol", [-1, NAN]),
    "n_iter_no_change": ("n_iter_no_change", [0, 2.5, NAN]),
    "monitor": ("monitor", ["acuracy", 3]),
    "clip_norm": ("clip_norm", [0, -1, NAN]),
    "max_time": ("max_time", [0, -1, "a"]),
    "callbacks": ("callbacks", [3, [3]]),
    "shuffle": ("shuffle", [1, "yes"]),
    "loss": ("loss", ["log_los", 3]),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in PARAMETERS.values() for value in values])
def test_parameters_that_cannot_be_meant_are_named(name, value):
    net = regressor(early_stopping=name in ("validation_fraction", "monitor"), **{name: value})
    with pytest.raises(InputError) as caught:
        net.fit(X, T)
    assert name in str(caught.value).replace("unknown activation", "activation")
    assert not hasattr(net, "coefs_")


def test_nearest_names_and_lists():
    for options, text in (
        ({"solver": "adm"}, "did you mean adam"),
        ({"activation": "rely"}, "did you mean relu"),
        ({"loss": "huver"}, "did you mean huber"),
        ({"dtype": "float16"}, "float32 or float64"),
        ({"engine": "torch"}, "not part of this version"),
    ):
        with pytest.raises(InputError, match=re.escape(text)):
            regressor(**options).fit(X, T)


def test_h03_a_large_batch_is_clipped_and_told():
    with pytest.warns(UserWarning, match="clipped: 50 to 30 rows"):
        net = regressor(batch_size=50).fit(X, T)
    np.testing.assert_array_equal(net.predict(X), regressor().fit(X, T).predict(X))


def test_h04_a_million_million_epochs_can_be_stopped():
    assert regressor(max_iter=10**12, max_time=0.05, n_iter_no_change=INF).fit(X, T).n_iter_ >= 1


def test_h06_a_learning_rate_that_is_too_large():
    with pytest.raises(RunError, match=r"(diverged|not finite) at update \d+ \(epoch .*layer \d.*try"):
        regressor(learning_rate_init=1e8, solver="sgd", max_iter=50).fit(X, T)


@pytest.mark.parametrize("state", [None, 3, np.int64(3), 2**63, np.random.RandomState(1), np.random.default_rng(1)])
def test_h07_random_states_that_are_accepted(state):
    assert regressor(random_state=state).fit(X, T).predict(X).shape == (30,)


def test_h08_more_threads_than_cores():
    with pytest.warns(UserWarning, match="n_threads=1000000 is more than"):
        regressor(n_threads=10**6).fit(X, T)


def test_h11_validation_rows():
    with pytest.raises(InputError, match="validation set is too small"):
        regressor(early_stopping=True).fit(X[:5], T[:5])
    with pytest.raises(ValueError, match="least populated class"):
        classifier(early_stopping=True).fit(X, np.r_[2, np.arange(29) % 2])
    with pytest.raises(InputError, match="monitor needs validation rows"):
        regressor(monitor="score").fit(X, T)


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_h12_unknown_keywords(cls):
    with pytest.raises(TypeError, match="no parameter 'hiden_layer_sizes': did you mean hidden_layer_sizes"):
        cls(hiden_layer_sizes=(3,))
    with pytest.raises(ValueError, match="Invalid parameter 'momentun'"):
        cls().set_params(momentun=0.5)


@pytest.mark.parametrize("method", ["predict", "hidden", "input_gradient"])
def test_h13_before_fit(method):
    for net in (classifier(), regressor()):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(net, method)(X)
    with pytest.raises(NotFittedError):
        regressor().trace(X, T)


def _mid_fit(make):
    """The estimator, and what `make` gives of it when it is called within a fit that goes on afterwards."""
    net, found = regressor(max_iter=4).fit(X, T), []
    before = net.predict(X)

    def copied(epoch):
        if epoch.number == 2:
            found.append(make(net))

    twin = clone(net).fit(X[::-1], T)
    net.set_params(callbacks=copied).fit(X[::-1], T)
    np.testing.assert_array_equal(net.predict(X), twin.predict(X))  # the copy has not disturbed it
    return before, found[0]


def _picklable(net):
    """A pickle without the callback, which is a function of this test."""
    other = copy.copy(net)
    other.callbacks = None
    return pickle.loads(pickle.dumps(other))


AGAIN = {
    "fit twice": lambda net: net.fit(X, T),  # from the beginning, the same
    "set_params after fit": lambda net: net.set_params(hidden_layer_sizes=(7, 7), activation="tanh", loss=Huber()),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "pickle of a pickle": lambda net: pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(net)))),
}


@pytest.mark.parametrize("case", AGAIN)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_h14_predictions_stay_what_they_were(case, solver):
    net = regressor(solver=solver).fit(X, T)
    first = net.predict(X)
    other = AGAIN[case](net)
    np.testing.assert_array_equal(other.predict(X), first)
    if solver == "adam" and case != "set_params after fit":  # and training goes on alike
        np.testing.assert_array_equal(other.partial_fit(X, T).predict(X), regressor().fit(X, T).partial_fit(X, T).predict(X))


@pytest.mark.parametrize("make", [copy.deepcopy, _picklable], ids=["deepcopy", "pickle"])
def test_h14_a_copy_made_during_a_fit_is_what_the_estimator_was_before_it_or_began_with(make):
    before, copied = _mid_fit(make)
    assert np.isfinite(copied.predict(X)).all()
    fresh = clone(copied).set_params(callbacks=None).fit(X, T)
    np.testing.assert_array_equal(copied.set_params(callbacks=None).fit(X, T).predict(X), fresh.predict(X))
    np.testing.assert_array_equal(before, fresh.predict(X))


def test_h14_parameters_count_at_the_next_fit_and_clones_are_not_fitted():
    net = regressor().fit(X, T).set_params(hidden_layer_sizes=(7, 7))
    assert not hasattr(clone(net), "coefs_")
    assert len(net.coefs_) == 2
    assert len(net.fit(X, T).coefs_) == 3


def test_h15_callbacks():
    net = regressor().fit(X, T)
    before = net.predict(X)

    def fails(epoch):
        raise ZeroDivisionError("in the callback")

    def again(epoch):
        net.fit(X, T)

    for callback, error in ((fails, ZeroDivisionError), (again, RuntimeError)):
        net.set_params(callbacks=callback)
        with pytest.raises(error):
            net.fit(X, T)
        np.testing.assert_array_equal(net.predict(X), before)  # as it was

    def changes(epoch):
        epoch.loss = 0

    with pytest.raises(AttributeError):
        net.set_params(callbacks=[changes]).fit(X, T)


def test_h16_class_weights():
    for chosen, text in (({7: 1.0}, r"\[7\]"), ("even", "even"), ({0: -1.0, 1: 1, 2: 1}, "negative")):
        with pytest.raises(InputError, match=text):
            classifier(class_weight=chosen).fit(X, Y)
    with pytest.raises(InputError, match="not supported for partial_fit"):
        classifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_h17_targets_that_are_too_large(solver):
    with pytest.raises(InputError, match=r"targets|mean 0"):
        regressor(solver=solver).fit(X, T * 1e200)
    with pytest.raises(InputError, match="Input y contains infinity"):
        regressor(dtype="float32").fit(X, T * 1e200)


def test_h18_distributed_training_is_not_there_yet():
    with pytest.raises(InputError, match=r"torch\.distributed\) is not part of this version"):
        regressor(engine="torch").fit(X, T)


def test_l4_the_best_weights_survive():
    net = regressor(learning_rate_init=0.01, max_iter=20, solver="sgd", early_stopping=True).fit(X, T)
    kept = net.predict(X)
    poisoned = X.copy()
    poisoned[3] = 1e200
    with pytest.raises(RunError, match=r"row 4"):
        net.set_params(early_stopping=False).fit(poisoned, T)
    np.testing.assert_array_equal(net.predict(X), kept)
    with pytest.warns(ConvergenceWarning, match="row 4.*weights are as before"):
        net.partial_fit(poisoned, T)
    np.testing.assert_array_equal(net.predict(X), kept)
