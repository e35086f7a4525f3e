"""Stopped after any update and gone on with, training ends with the same bits: parameters, optimizer, statistics, losses."""

import pickle

import numpy as np
import pytest

import random_nets
from chainrule.conventions import Conventions
from chainrule.engines import Task, native, reference
from chainrule.epochs import epoch_batches
from chainrule.rules import names

RUNS = 100
UPDATES = 12


def configuration(seed):
    """A random network with its data, trained in shuffled batches, in either type."""
    rng = np.random.default_rng(seed)
    case = random_nets.draw(seed, (np.float64, np.float32)[seed % 2], tame=True)
    keeps = case.keeps if seed % 3 == 0 else None  # otherwise dropout draws what it keeps, by the number of the update
    task = Task(case.network, case.x, case.t, case.optimizer, case.weight, case.clipping, Conventions(), keeps)
    rows, size = len(case.x), int(rng.integers(1, len(case.x) + 1))
    batches = [batch for epoch in range(UPDATES) for batch in epoch_batches(rows, size, seed, epoch)][:UPDATES]
    rates = list(case.optimizer.learning_rate * rng.uniform(0.5, 1, UPDATES))
    return task, batches, rates, int(rng.integers(1, UPDATES))


def held(session):
    """All that a session is continued from, through bytes: nothing in it is shared with the session."""
    return pickle.loads(pickle.dumps((np.asarray(session.parameters), session.state, session.memory, session.number)))


def same(one, other, where=""):
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert list(one) == list(other), where
        for name in one:
            same(one[name], other[name], f"{where} {name}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), where
        for place, pair in enumerate(zip(one, other, strict=True)):
            same(*pair, f"{where} {place}")
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes()), where
    else:
        assert one == other or (one != one and other != other), where


@pytest.mark.parametrize("engine", [native, reference], ids=["native", "reference"])
@pytest.mark.parametrize("seed", range(RUNS))
def test_training_goes_on_as_if_it_had_not_stopped(seed, engine):
    if not native.built() and engine is native:
        pytest.skip("chainrule was installed without a compiler")
    task, batches, rates, stop = configuration(seed)
    threads = np.random.default_rng(seed).permutation([1, 2, 3])
    whole = engine.Session(task._replace(threads=int(threads[0])))
    losses = whole.advance(batches, rates)
    first = engine.Session(task._replace(threads=int(threads[1])))
    found = first.advance(batches[:stop], rates[:stop])
    parameters, state, memory, number = held(first)
    if len(found) == stop and np.isfinite(found[-1]):  # what diverges has ended
        assert number == stop
        network = random_nets.draw(seed, (np.float64, np.float32)[seed % 2], tame=True).network  # nothing left of the first run
        network.memory = memory
        rest = engine.Session(
            task._replace(network=network, parameters=parameters, state=state, number=number, threads=int(threads[2]))
        )
        found = found + rest.advance(batches[stop:], rates[stop:])
    else:
        rest = first
    same(found, losses)
    same(held(rest), held(whole))


def test_the_runs_are_of_every_kind():
    tasks = [configuration(seed)[0] for seed in range(RUNS)]
    assert {task.optimizer.name for task in tasks} == set(names("optimizer"))
    layers = {layer.name for task in tasks for layer in task.network.layers}
    assert {"dense", "dropout", "batch_norm", "layer_norm"} <= layers
    assert {task.network.dtype.name for task in tasks} == {"float32", "float64"}
    assert {task.clipping is None for task in tasks} == {task.weight is None for task in tasks} == {True, False}
    ended = 0
    for task, batches, rates, _ in map(configuration, range(RUNS)):
        ended += len(reference.Session(task).advance(batches, rates)) < UPDATES
    assert ended < RUNS / 10  # nearly all train to the end
