"""Training epoch after epoch: what is watched, what is kept, what ends it, and that it goes on as if it had not ended."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

from chainrule import L2, SGD, Adam, BatchNorm, Dense, Dropout, InputError, Momentum, Network, epochs
from chainrule.course import Course, Rows, Stopping
from chainrule.epochs import epoch_batches, learn
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
    found = learn(network, Rows(x, T[:40]), SGD(0.01), Course(3, 8), name=lambda row: f"row {row + 101}")
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


def told(epochs):
    """What is told of epochs, but for the clock."""
    return [replace(epoch, seconds=0, rows_per_second=0, remaining=0) for epoch in epochs]


def stop_after(calls):
    """A `between` that ends training when it is asked for so many times."""
    left = iter(range(calls - 1, -1, -1))
    return lambda standing: next(left) == 0


STOPPINGS = [
    Stopping(),
    Stopping("validation", patience=2),
    Stopping("loss", patience=1, tolerance=0.01, lower_rate=True),
    Stopping("score"),
]


@pytest.mark.parametrize("stopping", STOPPINGS, ids=lambda stopping: stopping.watch)
@pytest.mark.parametrize("calls", [1, 2, 5, 6, 9, 17, 23])
def test_a_run_goes_on_in_the_middle_of_an_epoch(monkeypatch, stopping, calls):
    monkeypatch.setattr(epochs, "CALL", 0)  # an update a call, but for the first
    course = Course(7, 5, stopping=stopping)
    more = {"validation": HELD, "score": lambda network: -float(np.square(network.predict(HELD.x) - HELD.t).mean())}
    whole = learn(net(), ROWS, Adam(0.05), course, **more)
    part = learn(net(), ROWS, Adam(0.05), course, between=stop_after(calls), **more)
    if part.reason != "stopped":
        assert len(part.epochs) == len(whole.epochs)
        return
    midway = pickle.loads(pickle.dumps(part.midway))
    rest = learn(net(), ROWS, Adam(0.05), course, going=midway, **more)
    same(rest.last, whole.last)
    same(rest.best, whole.best)
    assert told(rest.epochs) == told(whole.epochs)
    assert (rest.reason, rest.best_epoch, rest.last.updates) == (whole.reason, whole.best_epoch, whole.last.updates)


class OnShelf:
    """Rows that are not in memory."""

    def __init__(self, rows):
        self.rows, self.taken = rows, 0

    def __len__(self):
        return len(self.rows)

    def take(self, rows):
        self.taken = max(self.taken, len(rows))
        return self.rows[rows].copy()


@pytest.mark.parametrize("size", [3, 7, 16])
def test_rows_that_are_not_in_memory_give_the_same_bits(monkeypatch, size):
    monkeypatch.setattr(epochs, "HELD", 16)
    course = Course(6, size, stopping=Stopping("validation"))
    weight = np.linspace(0.5, 2, 40)
    whole = learn(net(), ROWS._replace(weight=weight), Adam(0.05), course, validation=HELD)
    shelf = OnShelf(ROWS.x)
    held = Rows(OnShelf(HELD.x), HELD.t, most=16)
    found = learn(net(), Rows(shelf, OnShelf(ROWS.t), weight, 16), Adam(0.05), course, validation=held)
    same(found.last, whole.last)
    same(found.best, whole.best)
    assert told(found.epochs) == told(whole.epochs)
    assert shelf.taken <= 16


def test_a_row_on_the_shelf_that_spoils_training_is_named():
    x = ROWS.x.copy()
    x[33] *= 1e200
    network = Network([Dense(6, "relu"), Dense(2)], inputs=4)
    found = learn(network, Rows(OnShelf(x), OnShelf(ROWS.t), most=16), SGD(0.1), Course(3, 8))
    assert found.reason == "not finite"
    assert "row 34" in found.trouble
    again = learn(network, Rows(x, ROWS.t), SGD(0.1), Course(3, 8))
    assert found.trouble == again.trouble


@pytest.mark.parametrize("size", [None, 6])
def test_training_on_some_of_the_rows(size):
    among = np.array([3, 7, 8, 11, 12, 19, 20, 31, 38])
    course = Course(5, size, stopping=Stopping("validation"))
    weight = np.linspace(0.5, 2, 50)
    held = Rows(X[40:], T[40:])
    chosen = learn(net(), Rows(X[among], T[among], weight[among]), Adam(0.05), course, validation=held)
    found = learn(net(), Rows(X, T, weight), Adam(0.05), course, among=among, validation=held)
    same(found.last, chosen.last)
    assert told(found.epochs) == told(chosen.epochs)
