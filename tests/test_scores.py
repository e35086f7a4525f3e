"""Scores and baselines, by hand and on tables."""

import math

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris

from chainrule.errors import InputError
from chainrule.scores import ClassScores, class_baselines, number_baselines, of_classes, of_numbers, spread


def test_classes_by_hand():
    probabilities = [[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3]]
    found = of_classes(probabilities, [0, 1, 1, 0])
    assert found.confusion == ((1, 1, 0), (1, 1, 0), (0, 0, 0))
    assert found.accuracy == found.balanced == 0.5
    assert found.log_loss == pytest.approx(-sum(map(math.log, (0.7, 0.4, 0.8, 0.2))) / 4)
    assert found.recall[:2] == (0.5, 0.5)
    assert math.isnan(found.recall[2])  # nothing of it was there
    assert math.isnan(found.precision[2])
    assert list(found.figures()) == ["accuracy", "balanced_accuracy", "log_loss"]


def test_weights_count_rows():
    probabilities, labels = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), [0, 1, 1]
    once = of_classes(probabilities[[0, 1, 1, 1, 2]], [0, 1, 1, 1, 1])
    weighted = of_classes(probabilities, labels, [1, 3, 1])
    assert weighted.confusion == once.confusion
    assert weighted.accuracy == pytest.approx(once.accuracy)
    assert weighted.log_loss == pytest.approx(once.log_loss)
    assert of_numbers([1, 2, 3], [1, 1, 5], [1, 2, 1]).mae == pytest.approx(of_numbers([1, 2, 2, 3], [1, 1, 1, 5]).mae)


def test_probabilities_of_float32_do_not_warn():
    probabilities = np.array([[1 / 3, 1 / 3, 1 / 3 - 1e-6]], np.float32)
    assert of_classes(np.repeat(probabilities, 2, 0), [0, 1]).log_loss == pytest.approx(math.log(3), rel=1e-5)


def test_a_certain_mistake_has_a_finite_loss():
    assert math.isfinite(of_classes([[1.0, 0.0], [1.0, 0.0]], [0, 1]).log_loss)


def test_numbers_by_hand():
    found = of_numbers([1, 2, 4], [1, 3, 5])
    assert (found.mae, found.rmse) == (pytest.approx(2 / 3), pytest.approx(math.sqrt(2 / 3)))
    assert found.r2 == pytest.approx(1 - 2 / 8)
    assert math.isnan(of_numbers([1, 2], [3, 3]).r2)
    assert math.isnan(of_numbers([1], [3]).r2)


def test_baselines_of_classes():
    x, y = load_iris(return_X_y=True)
    x = (x - x.mean(0)) / x.std(0)
    train, test = np.arange(0, 150, 2), np.arange(1, 150, 2)
    frequent, linear = class_baselines(x[train], y[train], [x[test]], y[test], 3)
    assert (frequent.name, linear.name) == ("most frequent class", "linear")
    assert isinstance(frequent.scores, ClassScores)
    assert frequent.scores.accuracy == pytest.approx(1 / 3)
    assert frequent.scores.log_loss == pytest.approx(math.log(3))
    assert linear.scores.accuracy > 0.9


def test_baselines_of_a_class_that_did_not_train():
    frequent, linear = class_baselines([[0.0], [1.0], [2.0]], [0, 2, 2], [[[0.0]], [[3.0]]], [1, 2], 3)
    assert frequent.scores.accuracy == linear.scores.accuracy == 0.5
    only, same = class_baselines([[0.0], [1.0]], [1, 1], [[[0.0]]], [1], 2)
    assert only.scores.accuracy == same.scores.accuracy == 1


def test_baselines_of_numbers():
    x, y = load_diabetes(return_X_y=True)
    train, test = np.arange(0, 442, 2), np.arange(1, 442, 2)
    mean, linear = number_baselines(x[train] / x.std(0), y[train], [x[test] / x.std(0)], y[test])
    assert (mean.name, linear.name) == ("mean", "linear")
    assert mean.scores.r2 <= 0 < 0.4 < linear.scores.r2
    assert mean.scores.rmse == pytest.approx(math.sqrt(np.mean((y[test] - y[train].mean()) ** 2)))


def test_baselines_count_rows_by_their_weights():
    x, y = load_iris(return_X_y=True)
    train, test = np.arange(0, 150, 2), np.arange(1, 150, 2)
    weight, held = np.arange(75) % 3, np.arange(75) % 2 + 1
    many, more = np.repeat(train, weight), np.repeat(test, held)
    weighted = class_baselines(x[train], y[train], [x[test]], y[test], 3, weight, held)
    repeated = class_baselines(x[many], y[many], [x[more]], y[more], 3)
    for one, other in zip(weighted, repeated, strict=True):
        assert one.scores.figures() == pytest.approx(other.scores.figures(), rel=1e-3)
    x, y = np.arange(40.0)[:, None], np.where(np.arange(40) % 2, 3.0, 5.0)
    odd = np.arange(40) % 2 * 1.0
    for each in number_baselines(x, y, [x], y, odd, odd):
        assert each.scores.mae == pytest.approx(0, abs=1e-9)


def test_what_does_not_fit():
    with pytest.raises(InputError, match="its label"):
        of_classes([[1.0, 0.0]], [0, 1])
    with pytest.raises(InputError, match="its target"):
        of_numbers([], [])


def test_spread_over_folds():
    assert spread([1, 2, 3]) == (2.0, 1.0)
    assert math.isnan(spread([1.0])[1])
