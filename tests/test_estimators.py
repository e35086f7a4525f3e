"""MLPClassifier and MLPRegressor: scikit-learn's checks, and what scikit-learn's own do not have."""

import copy
import json
import os
import pickle
import subprocess
import sys
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import estimator_checks_generator

import chainrule
from chainrule import MLPClassifier, MLPRegressor
from chainrule.course import Rows
from chainrule.engines import Task, choose, reference
from chainrule.rules import CATALOGUE, rule
from chainrule.rules.losses import Huber, Pinball, SquaredError
from chainrule.rules.optimizers import SGD, RMSprop
from chainrule.rules.rule import Activation, Loss
from chainrule.rules.schedules import Step

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BOTH = (MLPClassifier, MLPRegressor)

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = scale(IRIS)
DIABETES, PROGRESS = (scale(each) for each in load_diabetes(return_X_y=True))
FLOWERS = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
YES = np.where(SPECIES == 1, "yes", "no")


def _checks():
    chosen = ((None, "adam"), ("float64", "sgd"), ("float64", "lbfgs"), ("float32", "adam"), ("float32", "sgd"))
    for cls in BOTH:
        for dtype, solver in chosen:
            for engine in ("auto", "reference"):
                if engine == "reference" and chainrule.engines.ENGINES == ("reference",):
                    continue  # auto is the reference engine then
                estimator = cls(max_iter=100, dtype=dtype, solver=solver, engine=engine)
                for one, check in estimator_checks_generator(estimator):
                    name = getattr(check, "func", check).__name__
                    yield pytest.param(one, check, id=f"{cls.__name__}-{dtype}-{solver}-{engine}-{name}")


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("estimator", "check"), list(_checks()))
def test_scikit_learns_checks(estimator, check):
    """Every check there is: two are skipped here, decision_function, which a perceptron has not, and check_array_api_input,
    which needs SCIPY_ARRAY_API=1 from the start: the next test."""
    check(estimator)


def test_scikit_learns_checks_with_array_api_dispatch():
    code = """
import warnings; warnings.simplefilter("ignore")
from sklearn.utils.estimator_checks import check_estimator
import chainrule
for cls in (chainrule.MLPClassifier, chainrule.MLPRegressor):
    for found in check_estimator(cls(max_iter=100, dtype="float32"), on_skip=None):
        print(cls.__name__, found["status"], found["check_name"])
"""
    settings = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=settings)
    told = [line.split() for line in done.stdout.splitlines()]
    assert {name for _, status, name in told if status != "passed"} <= {
        "check_classifiers_multilabel_output_format_decision_function"
    }
    assert ["MLPClassifier", "passed", "check_array_api_input"] in told
    assert ["MLPRegressor", "passed", "check_array_api_input"] in told
    assert len(told) > 100


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs", "nadam"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_weight_is_as_many_rows_to_the_last_bit(dtype, solver, engine):
    """Where all rows make one batch. Their order does not matter either."""
    rng = np.random.default_rng(0)
    x, weight, order = IRIS[::3], rng.integers(0, 5, 50), rng.permutation(50)
    for cls, y in ((MLPClassifier, FLOWERS[::3]), (MLPRegressor, IRIS[::3, :2] ** 2)):
        for seed in range(3):
            net = cls(hidden_layer_sizes=20, random_state=seed, dtype=dtype, solver=solver, engine=engine)
            weighted = clone(net).fit(x[order], y[order], sample_weight=weight[order])
            repeated = clone(net).fit(np.repeat(x, weight, axis=0), np.repeat(y, weight, axis=0))
            for found, true in zip(
                (*weighted.coefs_, *weighted.intercepts_), (*repeated.coefs_, *repeated.intercepts_), strict=True
            ):
                np.testing.assert_array_equal(found, true)


# the loss and its gradient


@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("loss", ["squared_error", "huber", "mean_absolute_error", "pinball", "poisson"])
def test_the_gradient_is_the_derivative_of_the_reported_loss(loss, targets):
    x, y = make_regression(n_samples=40, n_features=5, n_targets=targets, random_state=0)
    y = np.abs(y) / 50
    # one update of plain descent moves the weights by the rate times the gradient of what loss_ reports
    options = {"solver": "sgd", "momentum": 0, "activation": "tanh", "alpha": 0.1, "random_state": 0, "hidden_layer_sizes": 4}
    one = MLPRegressor(loss, max_iter=1, learning_rate_init=1e-9, **options).fit(x, y)
    network = one._with_penalty(40, None)
    rows = Rows(x, y.reshape(40, -1))
    task = Task(network, rows.x, rows.t, SGD())
    gradient = choose("auto", task).Session(task).gradient
    loss_there, slope = gradient(network.parameters)
    assert loss_there == pytest.approx(one.loss_, rel=1e-6)
    for place in range(0, network.size, 3):
        step = np.zeros(network.size)
        step[place] = 1e-6
        ahead, behind = (gradient(network.parameters + way * step)[0] for way in (1, -1))
        assert slope[place] == pytest.approx((ahead - behind) / 2e-6, rel=1e-4, abs=1e-7)


def test_the_worked_example_of_scikit_learn():
    """Their test_fit sets private attributes; here the same weights go in through coefs_, and the same come out."""
    x, y = np.array([[0.6, 0.8, 0.7]]), np.array([0])
    net = MLPClassifier(2, "logistic", solver="sgd", learning_rate_init=0.1, alpha=0.1, momentum=0, random_state=1)
    net.learning_rate_init = 1e-12
    net.partial_fit(x, y, classes=[0, 1])
    for view, values in zip(
        (*net.coefs_, *net.intercepts_),
        ([[0.1, 0.2], [0.3, 0.1], [0.5, 0]], [[0.1], [0.2]], [0.1, 0.1], [1.0]),
        strict=True,
    ):
        view[...] = values
    net.set_params(learning_rate_init=0.1).partial_fit(x, y)
    np.testing.assert_allclose(net.coefs_[0], [[0.098, 0.195756], [0.2956664, 0.096008], [0.4939998, -0.002244]], atol=5e-4)
    np.testing.assert_allclose(net.coefs_[1], [[0.04706], [0.154089]], atol=5e-4)
    np.testing.assert_allclose(net.intercepts_[0], [0.098333, 0.09626], atol=5e-4)
    np.testing.assert_allclose(net.intercepts_[1], [0.9235], atol=5e-4)
    assert net.predict_proba(x)[0, 1] == pytest.approx(0.739, abs=5e-4)


def test_the_loss_is_scikit_learns():
    import sklearn.neural_network as theirs

    options = {"random_state": 0, "alpha": 0.3, "max_iter": 400, "tol": 1e-7, "solver": "lbfgs", "hidden_layer_sizes": 3}
    ours = MLPRegressor(activation="identity", **options).fit(DIABETES, PROGRESS)
    other = theirs.MLPRegressor(activation="identity", **options).fit(DIABETES, PROGRESS)
    assert ours.loss_ == pytest.approx(other.loss_, rel=1e-6)  # convex in the product: one minimum
    for name in ("n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(other, name)
    assert [w.shape for w in ours.coefs_] == [w.shape for w in other.coefs_]


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_training_on_whole_batches_is_scikit_learns(solver, activation):
    """The same random_state gives the same first weights; then every update is the same, up to rounding."""
    import sklearn.neural_network as theirs

    options = {"solver": solver, "activation": activation, "max_iter": 30, "tol": 0, "hidden_layer_sizes": (7, 5)}
    for name, x, y in (("MLPRegressor", DIABETES, PROGRESS), ("MLPClassifier", IRIS, SPECIES), ("MLPClassifier", IRIS, YES)):
        for state in (3, 2**32 - 1, np.random.RandomState(4)):
            ours, other = (
                getattr(module, name)(**options, batch_size=len(x), random_state=copy.deepcopy(state)).fit(x, y)
                for module in (chainrule, theirs)
            )
            # 1e-16 for each number, times what 30 updates make of it; a line search makes more
            allowed = 1e-12 if solver != "lbfgs" else 1e-6
            for found, true in zip((*ours.coefs_, *ours.intercepts_), (*other.coefs_, *other.intercepts_), strict=True):
                np.testing.assert_allclose(found, true, atol=allowed)


def test_rates_of_the_schedules_are_scikit_learns():
    rates = []
    options = {"solver": "sgd", "batch_size": 50, "random_state": 0, "callbacks": lambda epoch: rates.append(epoch.rate)}
    MLPClassifier(4, learning_rate="invscaling", power_t=0.25, max_iter=3, **options).fit(IRIS, SPECIES)
    np.testing.assert_allclose(rates, [0.001, 0.001 / 151**0.25, 0.001 / 301**0.25])
    rates.clear()
    net = MLPClassifier(4, learning_rate="adaptive", tol=0.5, max_iter=3000, n_iter_no_change=2, **options).fit(IRIS, SPECIES)
    assert net.n_iter_ < 3000
    np.testing.assert_allclose(sorted(set(rates), reverse=True), [0.001 / 5**k for k in range(6)], rtol=1e-12)
    rates.clear()
    MLPClassifier(4, learning_rate=Step(2, 0.5), max_iter=2, **options).fit(IRIS, SPECIES)
    np.testing.assert_allclose(rates, [0.0005, 0.00025])
    rates.clear()
    MLPClassifier(4, learning_rate="cosine", max_iter=10, **options).fit(IRIS, SPECIES)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 1e-5


# losses, activations, layers


def test_losses_are_what_they_say():
    x = np.ones((200, 1))
    y = np.r_[np.zeros(150), np.full(50, 10.0)]
    fitted = {
        loss if isinstance(loss, str) else loss.name: MLPRegressor(
            loss,
            hidden_layer_sizes=2,
            activation="tanh",
            alpha=0,
            learning_rate_init=0.05,
            max_iter=600,
            tol=0,
            random_state=0,
            n_iter_no_change=np.inf,
        ).fit(x, y)
        for loss in ("squared_error", "mean_absolute_error", Pinball(0.9), "poisson", Huber(0.5))
    }
    predicted = {name: net.predict(x[:1])[0] for name, net in fitted.items()}
    assert predicted["squared_error"] == pytest.approx(2.5, abs=0.05)  # the mean
    assert predicted["mean_absolute_error"] == pytest.approx(0, abs=0.3)  # the median
    assert predicted["pinball"] == pytest.approx(10, abs=0.5)  # the 90 % quantile
    assert predicted["poisson"] == pytest.approx(2.5, abs=0.05)
    assert 0 < predicted["huber"] < 0.5
    assert fitted["poisson"].out_activation_ == "exp"


class CubedError(Loss):
    """The third power of each error's size."""

    def each(self, m, y, t):
        return m.abs(t - y) ** 3

    def each_slope(self, m, y, t):
        return 3 * m.sign(y - t) * (y - t) ** 2


class Bent(Activation):
    """x, and a little of its square."""

    def value(self, m, x):
        return x + 0.1 * x**2

    def slope(self, m, x, y):
        return 1 + 0.2 * x


class WrongError(SquaredError):
    """A square whose slope forgets the 2."""

    def each_slope(self, m, y, t):
        return y - t


@pytest.fixture
def own_rules():
    """In the catalogue while the test runs: other tests go through all of it."""
    for name, cls in (("cubed_error", CubedError), ("bent", Bent), ("wrong_error", WrongError)):
        rule(name)(cls)
    yield
    for name, kind in (("cubed_error", "loss"), ("bent", "activation"), ("wrong_error", "loss")):
        del CATALOGUE[kind][name]


@pytest.mark.usefixtures("own_rules")
def test_own_rules_and_mistakes_in_them():
    net = MLPRegressor(CubedError(), hidden_layer_sizes=(5, 4), activation=["tanh", Bent()], random_state=0, max_iter=300)
    assert net.fit(DIABETES, PROGRESS).score(DIABETES, PROGRESS) > 0.3
    back = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(back.predict(DIABETES), net.predict(DIABETES))
    with pytest.raises(chainrule.InputError, match="wrong_error: slope is not the derivative of the value"):
        MLPRegressor(WrongError()).fit(DIABETES, PROGRESS)


@pytest.mark.parametrize("options", [{"dropout": 0.2}, {"dropout": [0.1, 0.0]}, {"batch_norm": True}, {"layer_norm": True}])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_and_norms(options, dtype):
    net = MLPClassifier((30, 20), ["relu", "gelu"], random_state=0, learning_rate_init=0.01, dtype=dtype, **options)
    net.fit(IRIS, SPECIES)
    assert net.score(IRIS, SPECIES) > 0.95
    assert net.coefs_[0].shape == (4, 30)
    assert len(net.coefs_) == len(net.intercepts_) == 3
    assert net.hidden(IRIS, 1).shape == (150, 30)
    np.testing.assert_allclose(net.predict_proba(IRIS[:1]), net.predict_proba(IRIS)[:1], rtol=1e-12)  # no batch in it
    np.testing.assert_array_equal(net.predict_proba(IRIS), clone(net).fit(IRIS, SPECIES).predict_proba(IRIS))
    if "batch_norm" in options:
        by_descent = clone(net).set_params(solver="lbfgs").fit(IRIS, SPECIES)
        assert by_descent.score(IRIS, SPECIES) > 0.95


@pytest.mark.parametrize("solver", ["lbfgs", "sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad", RMSprop(0.01)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_solver(solver, dtype):
    net = MLPClassifier(20, solver=solver, random_state=0, learning_rate_init=0.02, clip_norm=5.0, dtype=dtype)
    net.fit(IRIS, SPECIES)
    assert net.score(IRIS, SPECIES) > 0.93
    assert net.coefs_[0].dtype == np.dtype(dtype)
    assert net.loss_curve_[-1] == pytest.approx(net.loss_, rel=1e-6)


# weights


def test_class_weight_is_sample_weight():
    options = {"hidden_layer_sizes": 5, "random_state": 0, "max_iter": 150}
    chosen = {"no": 1.0, "yes": 3.0}
    by_class = MLPClassifier(class_weight=chosen, **options).fit(IRIS, YES)
    by_row = MLPClassifier(**options).fit(IRIS, YES, sample_weight=np.where(YES == "yes", 3.0, 1.0))
    np.testing.assert_array_equal(by_class.predict_proba(IRIS), by_row.predict_proba(IRIS))
    plain = MLPClassifier(**options).fit(IRIS, YES)
    balanced = MLPClassifier(class_weight="balanced", **options).fit(IRIS, YES)
    assert balanced.predict_proba(IRIS)[:, 1].mean() > plain.predict_proba(IRIS)[:, 1].mean() + 0.05


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_row_of_weight_0_is_as_if_it_were_not_there(batch_norm):
    options = {"hidden_layer_sizes": 5, "random_state": 0, "max_iter": 20, "batch_size": 30, "batch_norm": batch_norm}
    weight = (np.arange(442) % 3 > 0).astype(float)
    with_all = MLPRegressor(**options).fit(DIABETES, PROGRESS, sample_weight=weight)
    without = MLPRegressor(**options).fit(DIABETES[weight > 0], PROGRESS[weight > 0])
    np.testing.assert_allclose(with_all.predict(DIABETES), without.predict(DIABETES), rtol=1e-9)


# stopping, best weights, curves


def test_curves_and_best_weights():
    x, y = load_breast_cancer(return_X_y=True)
    x = scale(x)
    net = MLPClassifier(
        50, early_stopping=True, monitor="loss", learning_rate_init=0.02, max_iter=80, random_state=3, alpha=1e-3
    )
    net.fit(x, y)
    assert len(net.loss_curve_) == len(net.validation_curve_) == len(net.validation_scores_) == len(net.penalty_curve_)
    assert net.best_epoch_ == 1 + int(np.argmin(net.validation_curve_))
    assert net.best_epoch_ < net.n_iter_
    _, held = net._split(x, y.reshape(-1, 1).astype(float), None)
    assert log_loss(y[held], net.predict_proba(x[held])) == pytest.approx(min(net.validation_curve_), rel=1e-9)
    last = clone(net).set_params(restore_best_weights=False).fit(x, y)
    assert log_loss(y[held], last.predict_proba(x[held])) == pytest.approx(net.validation_curve_[-1], rel=1e-9)
    squares = sum((w**2).sum() for w in last.coefs_)
    assert net.penalty_curve_[-1] == pytest.approx(1e-3 / 2 * squares / 200)


def test_curves_of_lbfgs():
    net = MLPRegressor(hidden_layer_sizes=5, solver="lbfgs", alpha=0.5, max_iter=15, random_state=0).fit(DIABETES, PROGRESS)
    assert len(net.loss_curve_) == len(net.penalty_curve_) == net.n_iter_
    squares = sum((w**2).sum() for w in net.coefs_)
    assert net.penalty_curve_[-1] == pytest.approx(0.5 / 2 * squares / len(DIABETES), rel=1e-9)
    assert net.loss_curve_[-1] == pytest.approx(
        ((net.predict(DIABETES) - PROGRESS) ** 2).mean() / 2 + net.penalty_curve_[-1], rel=1e-9
    )
    with pytest.raises(chainrule.InputError, match=r"monitor needs validation rows.*lbfgs has none"):
        net.set_params(monitor="score", early_stopping=True).fit(DIABETES, PROGRESS)


@pytest.mark.parametrize(
    "monitor", ["score", "balanced_accuracy", "neg_log_loss", lambda y, predicted: (y == predicted).mean()]
)
def test_stopping_on_a_metric(monitor):
    net = MLPClassifier(10, early_stopping=True, monitor=monitor, random_state=0, learning_rate_init=0.02, n_iter_no_change=40)
    net.fit(IRIS, FLOWERS)
    assert net.best_validation_score_ == max(net.validation_scores_) == net.validation_scores_[net.best_epoch_ - 1]
    assert net.score(IRIS, FLOWERS) > 0.7  # the first epoch with the best score is kept


def test_best_weights_of_the_training_loss():
    net = MLPRegressor(
        hidden_layer_sizes=20, learning_rate_init=0.3, max_iter=60, restore_best_weights=True, batch_size=442, random_state=0
    )
    net.fit(DIABETES, PROGRESS)
    assert net.best_epoch_ == 1 + int(np.argmin(net.loss_curve_))
    network = net._with_penalty(442, None)
    loss, _ = reference.Session(Task(network, DIABETES, PROGRESS.reshape(-1, 1), SGD())).gradient(network.parameters)
    assert loss == pytest.approx(min(net.loss_curve_), rel=1e-9)


def test_callbacks_time_and_progress():
    told = []

    def third(epoch):
        told.append(epoch)
        return epoch.number == 3

    net = MLPClassifier(5, callbacks=[third], random_state=0).fit(IRIS, SPECIES)
    assert net.n_iter_ == 3
    assert [epoch.loss for epoch in told] == net.loss_curve_
    assert told[0].remaining > 0
    assert told[-1].rows_per_second > 0
    short = MLPClassifier(5, max_time=0.05, max_iter=10**12, n_iter_no_change=np.inf, random_state=0).fit(IRIS, SPECIES)
    assert 1 <= short.n_iter_ < 10**6


def test_interrupted_training_keeps_what_there_is():
    def stop(epoch):
        if epoch.number == 4:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted by user"):
        net = MLPClassifier(5, callbacks=stop, random_state=0).fit(IRIS, SPECIES)
    assert net.n_iter_ == 4
    assert len(net.predict(IRIS)) == 150


# going on


@pytest.mark.parametrize("solver", ["adam", "sgd", "nadam"])
@pytest.mark.parametrize("options", [{}, {"dropout": 0.3}, {"batch_norm": True}])
def test_warm_start_and_partial_fit_are_one_long_fit(solver, options):
    options = {"hidden_layer_sizes": 8, "solver": solver, "batch_size": 40, "random_state": 5, "tol": 0, **options}
    long = MLPRegressor(max_iter=12, **options).fit(DIABETES, PROGRESS)
    warm = MLPRegressor(max_iter=4, warm_start=True, **options)
    parts = MLPRegressor(**options)
    for _ in range(3):
        warm.fit(DIABETES, PROGRESS)
    for _ in range(12):
        parts.partial_fit(DIABETES, PROGRESS)
    saved = pickle.loads(pickle.dumps(MLPRegressor(max_iter=4, warm_start=True, **options).fit(DIABETES, PROGRESS)))
    saved.set_params(max_iter=8).fit(DIABETES, PROGRESS)
    for other in (warm, parts, saved):
        np.testing.assert_array_equal(other.predict(DIABETES), long.predict(DIABETES))
        assert other.loss_curve_ == long.loss_curve_
        assert other.t_ == long.t_ == 12 * 442


def test_partial_fit_learns_classes_it_was_told_of():
    net = MLPClassifier(10, random_state=0, learning_rate_init=0.05)
    for _ in range(60):
        for species in np.unique(FLOWERS):
            net.partial_fit(IRIS[species == FLOWERS][:40], FLOWERS[species == FLOWERS][:40], classes=np.unique(FLOWERS))
    assert net.score(IRIS, FLOWERS) > 0.6
    assert net.classes_.tolist() == ["setosa", "versicolor", "virginica"]


# data of every kind


def test_sparse_frames_and_orders_give_the_same():
    options = {"hidden_layer_sizes": 6, "random_state": 0, "max_iter": 20}
    plain = MLPClassifier(**options).fit(IRIS, FLOWERS)
    frame = pd.DataFrame(IRIS, columns=list("abcd"))
    for x in (sparse.csr_matrix(IRIS), sparse.csc_array(IRIS), sparse.coo_array(IRIS), np.asfortranarray(IRIS), frame):
        net = MLPClassifier(**options).fit(x, FLOWERS)
        np.testing.assert_array_equal(net.predict_proba(x), plain.predict_proba(IRIS))
    assert list(net.feature_names_in_) == list("abcd")
    series = MLPClassifier(**options).fit(frame, pd.Series(FLOWERS, dtype="category"))
    np.testing.assert_array_equal(series.predict(frame), plain.predict(IRIS))


def test_string_labels_with_early_stopping():
    net = MLPClassifier(10, early_stopping=True, random_state=0).fit(IRIS, FLOWERS)
    assert set(net.predict(IRIS)) <= set(FLOWERS)
    assert np.isfinite(net.validation_scores_).all()


def test_many_labels_and_many_outputs():
    x, y = make_multilabel_classification(n_samples=100, random_state=0)
    net = MLPClassifier(30, early_stopping=True, random_state=0, learning_rate_init=0.01).fit(x, y)
    assert net.predict(x).shape == net.predict_proba(x).shape == (100, 5)
    assert net.out_activation_ == "logistic"
    x, y = make_regression(n_samples=100, n_targets=3, n_features=5, random_state=0)
    many = MLPRegressor(hidden_layer_sizes=30, solver="lbfgs", random_state=0).fit(x, scale(y))
    assert many.predict(x).shape == (100, 3)
    assert many.score(x, scale(y)) > 0.99


def test_a_single_class_is_predicted_with_certainty():
    net = MLPClassifier(3, random_state=0, max_iter=2).fit(IRIS[:10], ["a"] * 10)
    assert set(net.predict(IRIS)) == {"a"}
    assert (net.predict_proba(IRIS) == 1).all()


def test_pipelines_searches_and_routing():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), MLPClassifier(random_state=0, max_iter=20, learning_rate_init=0.02)),
        {"mlpclassifier__hidden_layer_sizes": [(5,), (20,)], "mlpclassifier__dropout": [0.0, 0.1]},
        cv=3,
    ).fit(IRIS, FLOWERS)
    assert search.best_score_ > 0.8
    from sklearn import config_context

    with config_context(enable_metadata_routing=True):
        weight = np.where(YES == "yes", 5.0, 1.0)
        net = (
            MLPClassifier(5, random_state=0, max_iter=20)
            .set_fit_request(sample_weight=True)
            .set_score_request(sample_weight=True)
        )
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), net)
        routed = pipeline.fit(IRIS, YES, sample_weight=weight).predict_proba(IRIS)
        direct = clone(net).fit(StandardScaler().fit_transform(IRIS), YES, sample_weight=weight)
        np.testing.assert_array_equal(routed, direct.predict_proba(StandardScaler().fit_transform(IRIS)))
        assert len(cross_val_score(net, IRIS, YES, params={"sample_weight": weight}, cv=3)) == 3


# copies


@pytest.mark.parametrize("net", [
    MLPClassifier((5, 4), ["relu", "elu"], batch_norm=True, max_iter=5, random_state=0),
    MLPRegressor(Huber(2.0), hidden_layer_sizes=5, dropout=0.1, solver=RMSprop(0.01), learning_rate=Step(3), max_iter=5),
    MLPClassifier(5, solver="lbfgs", max_iter=5),
])  # fmt: skip
def test_pickles_hold_arrays_and_plain_data_only(net):
    net.fit(IRIS, SPECIES)

    def plain(value):
        if isinstance(value, dict):
            return {str(key): plain(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(each) for each in value]
        return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value

    json.dumps(plain(net.__getstate__()))
    for other in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        np.testing.assert_array_equal(other.predict(IRIS), net.predict(IRIS))
        assert other.get_params() == net.get_params()
        other.coefs_[0][...] = 0
        assert not np.array_equal(other.hidden(IRIS, 1), net.hidden(IRIS, 1))  # coefs_ are what it predicts with, its own


# looking inside


@pytest.mark.parametrize("options", [{}, {"dropout": 0.5}, {"layer_norm": True}])
def test_a_trace_of_a_fitted_model_is_what_it_predicts(options):
    net = MLPClassifier((4, 3), "tanh", random_state=0, max_iter=10, **options).fit(IRIS, FLOWERS)
    trace = net.trace(IRIS[:1], FLOWERS[:1])
    last = len(net.network_.layers)
    np.testing.assert_allclose([trace[f"a[{last}][{k}]"].value for k in (1, 2, 3)], net.predict_proba(IRIS[:1])[0], rtol=1e-12)
    regressor = MLPRegressor(hidden_layer_sizes=4, random_state=0, max_iter=10, **options).fit(DIABETES, PROGRESS)
    trace = regressor.trace(DIABETES[7:8], PROGRESS[7:8])
    last = len(regressor.network_.layers)
    assert trace[f"a[{last}][1]"].value == pytest.approx(regressor.predict(DIABETES[7:8])[0], rel=1e-12)
    assert trace.number == 31  # 10 epochs of 3 batches went before


def test_a_trace_is_the_next_update():
    net = MLPRegressor(hidden_layer_sizes=3, random_state=0, max_iter=5, alpha=0.1).fit(DIABETES[:6], PROGRESS[:6])
    trace = net.trace(DIABETES[:6], PROGRESS[:6])
    net.partial_fit(DIABETES[:6], PROGRESS[:6])
    np.testing.assert_allclose(trace.new[0]["W"].T, net.coefs_[0], rtol=1e-12)
    assert trace.loss == pytest.approx(net.loss_, rel=1e-12)


@pytest.mark.parametrize("options", [{}, {"batch_norm": True}, {"layer_norm": True, "dropout": 0.2}])
def test_input_gradients_are_derivatives(options):
    net = MLPClassifier((6, 5), "tanh", random_state=0, max_iter=20, **options).fit(IRIS, FLOWERS)
    step = np.zeros((150, 4))
    step[:, 2] = 1e-6
    for output in range(3):
        difference = (net.predict_proba(IRIS + step) - net.predict_proba(IRIS - step))[:, output] / 2e-6
        np.testing.assert_allclose(net.input_gradient(IRIS, output)[:, 2], difference, rtol=1e-5, atol=1e-8)
    two = MLPClassifier(5, random_state=0, max_iter=20, **options).fit(IRIS, YES)
    np.testing.assert_array_equal(two.input_gradient(IRIS, 0), -two.input_gradient(IRIS, 1))
    np.testing.assert_allclose(net.hidden(IRIS), net.hidden(IRIS, 2))


# when training goes wrong


def test_a_diverging_training_says_where_and_why():
    x = DIABETES.copy()
    net = MLPRegressor(
        hidden_layer_sizes=10, activation="identity", solver="sgd", learning_rate_init=3.0, early_stopping=True,
        batch_size=100, random_state=0,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning, match=r"diverged|not finite") as caught:
        net.fit(x, PROGRESS)
    text = str(caught[0].message)
    for part in ("epoch", "batch", "layer", "Likely cause", "learning rate", "are kept"):
        assert part in text, text
    assert np.isfinite(net.predict(x)).all()


def test_a_row_that_is_too_large_is_named():
    x = DIABETES.copy()
    x[123, 4] = 1e300
    with pytest.raises(chainrule.RunError, match=r"layer \d \(Dense .*row 124.*inputs are as large as 1e\+300"):
        MLPRegressor(hidden_layer_sizes=10, activation="identity", random_state=0, batch_size=50).fit(x, PROGRESS)


def test_two_threads_cannot_fit_one_estimator():
    inside, go_on, said = threading.Event(), threading.Event(), []

    def wait(epoch):
        inside.set()
        go_on.wait(10)
        return True

    net = MLPClassifier(3, callbacks=wait, random_state=0)

    def fit():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            net.fit(IRIS, SPECIES)

    thread = threading.Thread(target=fit)
    thread.start()
    assert inside.wait(10)
    with pytest.raises(RuntimeError, match="busy"):
        net.fit(IRIS, SPECIES)
    said.append(copy.copy(net))
    go_on.set()
    thread.join()
    assert net.predict(IRIS).shape == (150,)
