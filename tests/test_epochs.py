"""Training epoch after epoch: what is watched, what is kept, what ends it, and that it goes on as if it had not ended."""

import math

import numpy as np
import pytest

from chainrule import L2, SGD, Adam, BatchNorm, Dense, Dropout, InputError, Momentum, Network
from chainrule.epochs import Course, Rows, Stopping, epoch_batches, learn
from chainrule.rules.optimizers import Nadam

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4))
T = np.tanh(X @ RNG.normal(size=(4, 2)))
HELD = Rows(X[40:], T[40:])
ROWS = Rows(X[:40], T[:40])


def net(**options):
    layers = [Dense(6, "tanh"), BatchNorm(), Dropout(0.2), Dense(2)]
    return Network(layers, inputs=4, seed=3, penalties=(L2(1e-3),), **options)


def same(one, other):
    np.testing.assert_array_equal(one.parameters, other.parameters)
    for first, second in zip(one.memory, other.memory, strict=True):
        for symbol in first:
            np.testing.assert_array_equal(first[symbol], second[symbol])


@pytest.mark.parametrize("optimizer", [SGD(0.1), Momentum(0.05), Adam(0.01), Nadam(0.01)])
@pytest.mark.parametrize("size", [None, 7, 40, 64])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_runs_are_one(optimizer, size, dtype):
    network = net(dtype=dtype)
    whole = learn(network, ROWS, optimizer, Course(9, size))
    half = learn(network, ROWS, optimizer, Course(4, size))
    rest = learn(network, ROWS, optimizer, Course(5, size), start=half.last)
    same(rest.last, whole.last)
    assert [e.loss for e in (*half.epochs, *rest.epochs)] == [e.loss for e in whole.epochs]
    assert whole.last.updates == rest.last.updates == 9 * math.ceil(40 / min(size or 40, 40))
    assert whole.last.epoch == rest.last.epoch == 9
    np.testing.assert_array_equal(network.parameters, net(dtype=dtype).parameters)  # a copy was trained


def test_the_best_weights_are_those_of_the_best_epoch():
    network = net()
    found = learn(network, ROWS, Adam(0.1), Course(60, 8, stopping=Stopping("validation")), validation=HELD)
    curve = [epoch.validation for epoch in found.epochs]
    assert found.best_epoch == 1 + int(np.argmin(curve))
    assert [e.number for e in found.epochs if e.best][-1] == found.best_epoch
    until = learn(network, ROWS, Adam(0.1), Course(found.best_epoch, 8))
    same(found.best, until.last)


def test_patience_tolerance_and_lower_rates():
    found = learn(net(), ROWS, SGD(0.1), Course(500, stopping=Stopping(patience=4, tolerance=1.0)))
    assert found.reason == "patience"
    assert [epoch.since for epoch in found.epochs] == [0, 1, 2, 3, 4, 5]
    lower = learn(net(), ROWS, SGD(0.1), Course(500, stopping=Stopping(patience=4, tolerance=1.0, lower_rate=True)))
    rates = sorted({epoch.rate for epoch in lower.epochs}, reverse=True)
    np.testing.assert_allclose(rates, [0.1 / 5**k for k in range(len(rates))])
    assert rates[-1] <= 1e-6 < rates[-2]


def test_scores_callbacks_and_time():
    told = []
    scores = iter([0.1, 0.3, 0.2, 0.3, 0.25])
    course = Course(5, stopping=Stopping("score"))
    found = learn(net(), ROWS, SGD(0.1), course, score=lambda network: next(scores), callbacks=[told.append])
    assert tuple(told) == found.epochs
    assert (found.best_epoch, found.reason) == (2, "epochs")
    ended = learn(net(), ROWS, SGD(0.1), Course(5), callbacks=[lambda epoch: epoch.number == 2])
    assert (len(ended.epochs), ended.reason) == (2, "callback")
    timed = learn(net(), ROWS, SGD(0.1), Course(10**12, 1, stopping=Stopping(seconds=0.02)))
    assert timed.reason == "time"


def test_loss_and_penalty_are_told_apart():
    network = net()
    found = learn(network, ROWS, SGD(0.1), Course(1), validation=HELD)
    weights = [view["W"] for view in network.views(found.last.parameters) if "W" in view]
    assert found.epochs[0].penalty == pytest.approx(1e-3 / 2 * sum((w**2).sum() for w in weights))
    network.parameters, network.memory = found.last.parameters, found.last.memory
    assert found.epochs[0].validation == pytest.approx(((network.predict(HELD.x) - HELD.t) ** 2).sum() / 2 / 10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bad", [np.float64(1e30), np.float64(3e38)])
def test_l4_a_batch_that_overflows_is_named_and_nothing_is_spoilt(dtype, bad):
    x = X[:40].copy()
    x[17, 2] = bad if dtype == "float32" else bad * 1e200
    network = Network([Dense(5, "relu"), Dense(2)], inputs=4, seed=3, dtype=dtype)
    found = learn(network, Rows(x, T[:40]), SGD(0.01), Course(3, 8), labels=np.arange(100, 140))
    assert found.reason == "not finite"
    assert np.isfinite(found.last.parameters).all()
    for part in ("epoch 1, batch", "layer", "row 118", "inputs are as large as"):
        assert part in found.trouble, found.trouble


def test_l4_a_learning_rate_that_is_too_large_is_the_cause():
    network = Network([Dense(5, "relu"), Dense(2)], inputs=4, seed=3)
    found = learn(network, ROWS, SGD(1e8), Course(30, 8), validation=HELD)
    assert found.reason == "not finite"
    assert "learning rate" in found.trouble
    assert "at most 0.1" in found.trouble
    assert "row" in found.trouble
    assert np.isfinite(found.best.parameters).all()


def test_batches_are_a_function_of_seed_and_epoch():
    first = epoch_batches(10, 4, seed=1, epoch=0)
    assert sorted(np.concatenate(first)) == list(range(10))
    assert [len(batch) for batch in first] == [4, 4, 2]
    assert not np.array_equal(np.concatenate(first), np.concatenate(epoch_batches(10, 4, seed=1, epoch=1)))
    assert np.array_equal(np.concatenate(epoch_batches(10, 4, 1, 0, shuffle=False)), np.arange(10))


def test_what_does_not_fit_is_refused():
    for wrong in ({"epochs": 0}, {"epochs": 1.5}, {"epochs": 3, "batch_size": 0}):
        with pytest.raises(InputError, match="whole number"):
            Course(**wrong)
    with pytest.raises(InputError, match="needs validation rows"):
        learn(net(), ROWS, SGD(0.1), Course(1, stopping=Stopping("validation")))
