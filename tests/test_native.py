"""The native engine is held to the reference engine, and to itself: the same bits however the work is divided."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import random_nets
from chainrule import draws
from chainrule.conventions import Conventions
from chainrule.engines import Task, choose, native, reference
from chainrule.errors import InputError
from chainrule.network import Network
from chainrule.rules import find, names
from chainrule.rules.activations import Relu
from chainrule.rules.layers import BatchNorm, Dense, Dropout, LayerNorm
from chainrule.rules.losses import L1, L2
from chainrule.rules.optimizers import SGD, Adam, ClipNorm, ClipValue
from chainrule.rules.rule import CATALOGUE, rule

ROOT = Path(__file__).parent.parent
SIZES = (1, 7, 8, 9, 15, 16, 17, 31, 32, 33)
BUILDS = ("baseline", "avx2", "avx512")

pytestmark = pytest.mark.skipif(native._built is None, reason="chainrule was installed without a compiler")


def task_of(case: random_nets.Case, **more: Any) -> Task:
    made = Task(case.network, case.x, case.t, case.optimizer, case.weight, case.clipping, Conventions(), case.keeps)
    return made._replace(**more)


def trained(engine: Any, task: Task, updates: int = 3, batches: list[Any] | None = None) -> Any:
    """A session after some updates, with their losses in `found`."""
    assert engine.why_not(task) == ""
    session = engine.Session(task)
    batches = [slice(None)] * updates if batches is None else batches
    session.found = session.advance(batches, [task.optimizer.learning_rate] * len(batches))
    return session


def tensors(session: Any, network: Network) -> dict[str, Any]:
    """All that a session holds, under names."""
    found = {"losses": np.array(session.found)}
    for span in network.spans:
        name = f"{span.symbol}[{span.layer}]"
        found[name] = session.parameters[span.start : span.stop]
        found |= {f"{slot} of {name}": v for slot, v in session.state[span.layer - 1][span.symbol].items()}
    for layer, memory in enumerate(session.memory, 1):
        found |= {f"{name}[{layer}]": values for name, values in memory.items()}
    return found


def bits(session: Any, network: Network) -> dict[str, bytes]:
    return {name: np.ascontiguousarray(values).tobytes() for name, values in tensors(session, network).items()}


def distance(found: Any, true: Any) -> float:
    """The largest difference, measured by the largest number."""
    found, true = np.asarray(found, float), np.asarray(true, float)
    if found.shape != true.shape or not np.array_equal(np.isfinite(found), np.isfinite(true)):
        return np.inf
    finite = np.isfinite(true)
    if not finite.any():
        return 0.0
    size = np.abs(true[finite]).max()
    return float(np.abs(found[finite] - true[finite]).max() / size) if size else float(np.abs(found[finite]).max())


def assert_equal(task: Task, about: Any, allowed: float = 1e-12, spread: dict[str, float] | None = None) -> None:
    found, true = (tensors(trained(engine, task), task.network) for engine in (native, reference))
    for name, values in true.items():
        limit = allowed + (spread or {}).get(name, 0.0)
        assert distance(found[name], values) <= limit, (about, name, found[name], values)


def spread(case: random_nets.Case) -> dict[str, float]:
    """How much of each tensor rounding alone decides: what the last bits of every named step change in it. A gradient that
    is 0 but for rounding (a shared bias under softmax) is all rounding, and adam divides it by its own size."""
    task = task_of(case)
    true = tensors(trained(reference, task), case.network)
    result = dict.fromkeys(true, 0.0)
    for seed in range(3):
        reader = random_nets.Shaken(np.random.default_rng(seed), 2.0**-52)
        state, found = random_nets.run(case, reader)
        shaken = {"losses": np.array(found.losses, float)}
        for span in case.network.spans:
            name = f"{span.symbol}[{span.layer}]"
            shaken[name] = np.reshape(found.parameters[f"{span.symbol}+[{span.layer}]"], -1)
            shaken |= {f"{slot} of {name}": v for slot, v in state[span.layer - 1][span.symbol].items()}
        shaken |= {name.replace("+", ""): values for name, values in found.parameters.items() if name.startswith("running")}
        for name, values in shaken.items():
            if values.shape == true[name].shape:
                result[name] = max(result[name], 30 * distance(values, true[name]))
    return result


@pytest.mark.parametrize("tame", [True, False], ids=["tame", "wild"])
def test_random_nets_are_those_of_the_reference(tame: bool) -> None:
    for seed in range(250):
        case = random_nets.draw(seed, tame=tame)
        try:
            assert_equal(task_of(case), case)
        except AssertionError:  # most cases need no allowance for what rounding decides: it takes time to find
            assert_equal(task_of(case), case, spread=spread(case))


def small(
    layers: list[Any], rows: int, inputs: int, loss: str = "half_squared_error", dtype: Any = np.float64, **more: Any
) -> Task:
    rng = np.random.default_rng(rows * 1000 + inputs)
    network = Network(layers, inputs, loss, seed=7, dtype=dtype, penalties=more.pop("penalties", ()))
    network.parameters += (0.1 * rng.normal(size=network.size)).astype(dtype)
    x = rng.normal(size=(rows, inputs)).astype(dtype)
    t = rng.integers(0, 2, (rows, network.outputs)).astype(dtype)
    if "cross_entropy" in loss and "binary" not in loss:
        t = np.eye(network.outputs, dtype=dtype)[rng.integers(0, network.outputs, rows)]
    return Task(network, x, t, more.pop("optimizer", SGD(learning_rate=0.1)), **more)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", names("activation"))
def test_every_activation_at_odd_sizes(name: str, dtype: Any) -> None:
    for size in SIZES:
        for layers in ([Dense(size, name), Dense(3)], [Dense(size), name, Dense(2)]):
            task = small(layers, size, size, dtype=dtype)
            if name == "exp":  # its slope is its value: at a larger rate three updates multiply every rounding by a million
                task = task._replace(optimizer=SGD(learning_rate=1e-4))
            # float32: sums of `size` products twice forward and twice back, each with its rounding, and some for the functions
            allowed = 1e-12 if dtype == np.float64 else (4 * size + 64) * 2.0**-24
            assert_equal(task, (name, size), allowed)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", names("loss"))
def test_every_loss_at_odd_sizes(name: str, dtype: Any) -> None:
    last = {"poisson": "softplus", "binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}.get(name, "identity")
    for size in SIZES:
        for reduction in ("mean", "sum"):
            for weighted in (False, True):
                task = small([Dense(5, "tanh"), Dense(size, last)], size, 3, name, dtype)
                task.network.loss = replace(task.network.loss, reduction=reduction)
                if weighted:
                    weight = np.random.default_rng(size).integers(0, 4, (size, 1)) + (np.arange(size) == 0)[:, None]
                    task = task._replace(weight=weight.astype(dtype))
                task = task._replace(optimizer=SGD(learning_rate=0.01))
                # float32: three updates whose sums have up to size^2 addends in all; their errors grow as the root of it
                allowed = 1e-12 if dtype == np.float64 else (8 * size + 64) * 2.0**-24
                assert_equal(task, (name, size, reduction, weighted), allowed)


OPTIMIZERS = [
    find("optimizer", name)(**chosen)
    for name in names("optimizer")
    for chosen in (
        {},
        *(
            {entry: option}
            for entry, options in (
                ("form", ("keras",)), ("epsilon_place", ("inside", "before")),
                ("bias_correction", ("off",)), ("decay", ("alone",)),
            )
            if entry in find("optimizer", name).__dataclass_fields__
            for option in options
            if option in find("optimizer", name).__dataclass_fields__[entry].metadata["options"]
        ),
    )
]  # fmt: skip


DEPTH = 3 * (5 + 17 + 9 + 11 * 17)
"""Roundings in a row, in three updates of the networks below: sums over inputs, units, and (a shared bias) rows and units."""


def exactly(task: Task) -> Task:
    """The same numbers in float64."""
    network = task.network
    double = Network(
        network.layers,
        network.inputs,
        network.loss,
        network.seed,
        network.penalties,
        parameters=network.parameters.astype(float),
    )
    return task._replace(network=double, x=task.x.astype(float), t=task.t.astype(float))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_every_optimizer_with_penalties_and_clipping(optimizer: Any, dtype: Any) -> None:
    for clipping in (None, ClipValue(limit=0.01), ClipNorm(limit=0.05), ClipNorm(limit=100.0)):
        for bias in ("per_unit", "shared", "none"):
            layers = [
                Dense(17, "tanh", bias=bias),
                LayerNorm(),
                Dense(9, "sigmoid", bias=bias),
                BatchNorm(),
                Dense(3, bias=bias),
            ]
            for biases in ("updated", "frozen"):
                task = small(
                    layers, 11, 5, dtype=dtype, optimizer=optimizer, clipping=clipping, conventions=Conventions(biases=biases),
                    penalties=(L1(strength=0.01), L2(strength=0.1)),
                )  # fmt: skip
                if dtype == np.float64:
                    assert_equal(task, (optimizer, clipping, bias, biases), 1e-11)
                    continue
                # float32: adam and its kin divide a gradient by its own size, so how much rounding decides is measured: by how
                # far the reference is from the same numbers in float64. Both round alike, but not the same sums
                exact = exactly(task)
                true, theirs, found = (
                    tensors(trained(engine, one), one.network)
                    for engine, one in ((reference, exact), (reference, task), (native, task))
                )
                for name, values in true.items():
                    limit = 8 * distance(theirs[name], values) + DEPTH * 2.0**-24
                    assert distance(found[name], values) <= limit, (optimizer, clipping, bias, biases, name)


def test_float32_is_as_near_to_the_truth_as_the_reference() -> None:
    """On tame nets, one update: the truth is the same numbers in float64. A chain of n fused multiply-adds errs by at most
    n u of the sum of its sizes; NumPy's pairwise sums err less, so the depth of the sums may come on top."""
    for seed in range(200):
        case = random_nets.draw(seed, np.float32, tame=True)
        case = replace(case, optimizer=SGD(learning_rate=2.0**-6))
        true = tensors(trained(reference, task_of(random_nets.as_doubles(case)), 1), case.network)
        theirs = tensors(trained(reference, task_of(case), 1), case.network)
        found = tensors(trained(native, task_of(case), 1), case.network)
        depth = case.network.inputs + sum(case.network.widths) + len(case.x)
        for name, values in true.items():
            limit = 4 * distance(theirs[name], values) + depth * 2.0**-24
            assert distance(found[name], values) <= limit, (case, name)


def test_drawn_dropout_is_that_of_the_reference() -> None:
    for rows, width in ((1, 1), (7, 5), (33, 17)):
        task = small([Dense(width, "tanh"), Dropout(0.4), Dense(8), Dropout(0.1), Dense(2)], rows, 3)
        assert_equal(task._replace(number=2**32 - 2), (rows, width))


# The same bits


def configuration(seed: int) -> tuple[Task, list[Any]]:
    """A random net with mini-batches, in either type."""
    rng = np.random.default_rng(seed)
    case = random_nets.draw(seed, np.float32 if seed % 2 else np.float64, tame=True)
    keeps = case.keeps if seed % 3 else None
    rows = len(case.x)
    batches: list[Any] = [rng.integers(0, rows, rng.integers(1, 70)) for _ in range(5)]
    return task_of(case, keeps=keeps), batches


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    for seed in range(200):
        task, batches = configuration(seed)
        one = bits(trained(native, task._replace(threads=1), batches=batches), task.network)
        for threads in (2, 3, 4, 8):
            found = bits(trained(native, task._replace(threads=threads), batches=batches), task.network)
            assert found == one, (seed, threads, [name for name in one if one[name] != found[name]])


def test_bits_do_not_depend_on_the_choice_of_threads_while_it_runs() -> None:
    # large enough that it tries one thread and all of them again and again
    task = small([Dense(96, "relu"), Dropout(), Dense(96, "tanh"), Dense(3)], 128, 64, dtype=np.float32, optimizer=Adam())
    batches = [np.arange(i % 3, 128) for i in range(1500)]
    one, chosen = (trained(native, task._replace(threads=threads), batches=batches) for threads in (1, None))
    assert bits(chosen, task.network) == bits(one, task.network)


def test_bits_do_not_depend_on_slices_or_on_stopping_and_going_on() -> None:
    for seed in range(60):
        task, batches = configuration(seed)
        rate = task.optimizer.learning_rate
        once = trained(native, task, batches=batches)
        sliced = native.Session(task)
        sliced.found = []
        for part in (batches[:2], batches[2:3], batches[3:]):
            if np.isfinite(sliced.found).all():
                sliced.found += sliced.advance(part, [rate] * len(part))
        assert bits(sliced, task.network) == bits(once, task.network), seed
        first = trained(native, task, batches=batches[:3])
        network = task.network
        kept, network.memory = network.memory, first.memory
        rest = trained(
            native, task._replace(parameters=first.parameters, state=first.state, number=first.number), batches=batches[3:]
        )
        network.memory = kept
        rest.found = first.found + rest.found
        if len(once.found) == len(batches):  # a loss that is not finite ends it earlier
            assert bits(rest, task.network) == bits(once, task.network), seed


def test_a_value_does_not_depend_on_its_place() -> None:
    """All rows alike, all units alike: then all weights of a layer must stay alike, to the last bit."""
    for name in names("activation"):
        for dtype in (np.float64, np.float32):
            if name == "softmax":
                continue  # its slope is a sum in which each unit's own addend stands at another place
            task = small([Dense(33, name), Dense(17, name), Dense(5)], 19, 21, dtype=dtype)
            for span in task.network.spans:
                task.network.parameters[span.start : span.stop] = 0.037 * span.layer + 0.01
            task.x[...], task.t[...] = 0.3, 0.8
            session = trained(native, task._replace(optimizer=Adam()), 5)
            for span in task.network.spans:
                values = session.parameters[span.start : span.stop]
                assert (values == values[0]).all(), (name, dtype, span)


def test_the_loss_of_any_rows_is_that_of_the_reference() -> None:
    for threads in (1, 3):
        for rows in (1, 33, 2500):
            task = small(
                [Dense(9, "tanh"), BatchNorm(), Dropout(), Dense(4, "softmax")],
                rows,
                6,
                "cross_entropy",
                penalties=(L2(strength=0.1),),
            )
            found, true = (trained(engine, task._replace(threads=threads)) for engine in (native, reference))
            weight = np.random.default_rng(0).random((rows, 1))
            for given in (None, weight):
                assert found.loss(task.x, task.t, given) == pytest.approx(true.loss(task.x, task.t, given), rel=1e-12)
            alone = native_loss_of_one_thread(task)
            for _ in range(50):  # threads that do not wait for each other show it now and then only
                assert found.loss(task.x, task.t) == alone


def native_loss_of_one_thread(task: Task) -> tuple[float, float]:
    return trained(native, task._replace(threads=1)).loss(task.x, task.t)


@pytest.mark.parametrize("rows", [1, 33, 1024, 2500])
@pytest.mark.parametrize("norm", [LayerNorm, BatchNorm])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_gradient_of_all_rows_is_that_of_the_reference(norm: Any, rows: int, dtype: Any) -> None:
    layers = [Dense(9, "tanh"), norm(), Dense(17, "relu", bias="shared"), Dense(4, "softmax")]
    task = small(layers, rows, 6, "cross_entropy", dtype, penalties=(L2(strength=0.1),))
    task = task._replace(weight=np.random.default_rng(0).random((rows, 1)).astype(dtype))
    parameters = task.network.parameters + dtype(0.01)
    loss, true = reference.Session(task).gradient(parameters)
    found = [native.Session(task._replace(threads=threads)).gradient(parameters) for threads in (1, 2, 3, 8)]
    # a sum of n products is off by at most n / 2 units in the last place of its largest part; three layers of them
    allowed = 3 * max(rows, 17) * float(np.finfo(dtype).eps)
    assert found[0][0] == pytest.approx(loss, rel=allowed)
    if rows > 1 or norm is LayerNorm:  # a batch of one row has no deviation: its slopes are rounding
        for span in task.network.spans:
            assert distance(found[0][1][span.start : span.stop], true[span.start : span.stop]) <= allowed, span
    for one in found[1:]:
        assert one[0] == found[0][0]
        assert one[1].tobytes() == found[0][1].tobytes()


@pytest.mark.parametrize("engine", [native, reference])
def test_an_update_whose_gradient_is_not_finite_is_left_out(engine: Any) -> None:
    task = small([Dense(2, "identity"), Dense(1)], 3, 2, "mean_absolute_error")
    first, second = (task.network.views(task.network.parameters)[layer]["W"] for layer in (0, 1))
    first[...], second[...] = 0, 1e10  # the row gives 0, and its slope by the first weights is 1e10 times 1e305
    x = np.array([[1.0, 1.0], [1e305, 1e305], [1.0, 1.0]])
    for clipping in (None, ClipNorm(1.0), ClipValue(1.0)):
        wide = task._replace(x=x, clipping=clipping, threads=2, optimizer=Adam())
        session = engine.Session(wide)
        before = session.parameters.copy()
        ok, bad = session.advance([np.array([0, 2]), np.arange(3)], [0.0, 0.1])
        assert np.isfinite(ok)
        assert np.isnan(bad)
        assert session.number == 1
        assert session.parameters.tobytes() == before.tobytes()


@pytest.mark.parametrize("build", BUILDS)
def test_each_build_is_the_reference(build: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if build not in native._built.builds():
        pytest.skip(f"this machine does not run {build}")
    monkeypatch.setenv("CHAINRULE_ISA", build)
    for seed in range(80):
        case = random_nets.draw(seed, tame=True)
        assert_equal(task_of(case), case, spread=spread(case))
    for seed in range(20):
        task, batches = configuration(seed)
        one, three = (bits(trained(native, task._replace(threads=n), batches=batches), task.network) for n in (1, 3))
        assert one == three, seed


def test_the_order_of_the_rows_is_that_of_their_draws() -> None:
    for seed in (0, 7, 2**40 + 3, 2**64 - 1):
        for epoch in (0, 1, 2**33):
            for count in (0, 1, 2, 7, 64, 1000, 4097):
                assert np.array_equal(draws.permutation(seed, epoch, count), draws.by_draws(seed, epoch, count))
    many = 300_000  # some ten pairs of draws begin with the same 32 bits
    halves = draws.words(5, "shuffle", 0, 0, many) >> np.uint64(32)
    assert len(np.unique(halves)) < many
    assert np.array_equal(draws.permutation(5, 0, many), draws.by_draws(5, 0, many))


# The contract


def test_it_stops_before_an_update_whose_loss_is_enough_or_not_finite() -> None:
    task = small([Dense(3, "tanh"), Dense(2)], 6, 4)
    free = trained(native, task, 6)
    session = native.Session(task)
    found = session.advance([slice(None)] * 6, [0.1] * 6, free.found[3])
    assert found == free.found[:4]
    assert session.number == 3
    broken = native.Session(task)
    losses = broken.advance([slice(None)] * 50, [1e200] * 50)
    assert not np.isfinite(losses[-1])
    assert broken.number == len(losses) - 1
    assert broken.advance([], []) == []


def test_batches_are_taken_as_numpy_takes_them() -> None:
    task = small([Dense(3, "tanh"), Dense(2)], 6, 4)
    batches = [np.array([0, -1, 3]), slice(1, 5, 2), np.array([5], np.uint8), slice(None), slice(0, 2)]
    found, true = (trained(engine, task, batches=batches) for engine in (native, reference))
    assert distance(found.parameters, true.parameters) <= 1e-14
    session = native.Session(task)
    with pytest.raises(IndexError):
        session.advance([np.array([6])], [0.1])
    with pytest.raises(IndexError):
        session.advance([np.array([-7])], [0.1])
    with pytest.raises(ValueError, match="1 batches and 2 rates"):
        session.advance([slice(None)], [0.1, 0.1])


def test_arrays_in_any_order_and_shape_of_memory() -> None:
    task = small([Dense(7, "tanh"), Dense(2)], 9, 5)
    plain = bits(trained(native, task), task.network)
    raw = np.empty(task.x.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(task.x.shape)
    raw[...] = task.x
    wide = np.repeat(task.x, 2, axis=1)[:, ::2]
    frozen = task.x.copy()
    frozen.setflags(write=False)
    for x in (np.asfortranarray(task.x), raw, wide, frozen, task.x[::-1].copy()[::-1], task.x.astype(">f8")):
        assert bits(trained(native, task._replace(x=x)), task.network) == plain


def test_it_says_in_words_what_it_cannot_do() -> None:
    task = small([Dense(3, "tanh"), Dense(2)], 6, 4)
    assert native.why_not(task) == ""
    assert "rounded" in native.why_not(task._replace(conventions=Conventions(intermediate="rounded")))
    assert "not one after the other" in native.why_not(task._replace(conventions=Conventions(order="sequential")))
    halves = small([Dense(3), Dense(2)], 6, 4, dtype=np.float64)
    halves.network.parameters = halves.network.parameters.astype(complex)
    assert "complex128" in native.why_not(halves)

    @rule("own_for_a_test")
    class Own(Relu):
        """A user's activation."""

    try:
        own = small([Dense(3, Own()), Dense(2)], 6, 4)
        assert "own_for_a_test (layer 1)" in native.why_not(own)
        with pytest.raises(InputError, match="native engine cannot run this"):
            choose("native", own)
        assert choose("auto", own) is reference
    finally:
        del CATALOGUE["activation"]["own_for_a_test"]


def test_without_the_extension_it_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_built", None)
    task = small([Dense(3), Dense(2)], 6, 4)
    assert "not built" in native.why_not(task)
    code = (
        "import sys; sys.modules['chainrule._native'] = None\n"
        "from chainrule.engines import choose, Task; from chainrule.network import Network\n"
        "from chainrule.rules.optimizers import SGD; import numpy as np\n"
        "task = Task(Network(['sigmoid'], 1), np.ones((1, 1)), np.ones((1, 1)), SGD())\n"
        "print([choose('auto', task).__name__ for _ in range(2)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("chainrule.engines.reference") == 2
    assert done.stderr.count("reference engine") == 1


def test_environment_variables_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    task = small([Dense(3), Dense(2)], 6, 4)
    monkeypatch.setenv("CHAINRULE_ISA", "avx3")
    with pytest.raises(InputError, match="unknown CHAINRULE_ISA"):
        native.Session(task)
    monkeypatch.delenv("CHAINRULE_ISA")
    for wrong in ("0", "-1", "two", "", "²", "1000"):
        monkeypatch.setenv("CHAINRULE_THREADS", wrong)
        with pytest.raises(InputError, match="CHAINRULE_THREADS"):
            native.Session(task)
    monkeypatch.setenv("CHAINRULE_THREADS", "2")
    native.Session(task)


def test_the_generated_header_is_what_the_rules_give() -> None:
    subprocess.run([sys.executable, str(ROOT / "scripts" / "generate"), "--check"], check=True)


# Signals, threads, forks


def large(threads: int | None = None) -> Task:
    return small([Dense(256, "tanh"), Dense(256, "tanh"), Dense(10)], 512, 64, dtype=np.float32, threads=threads)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupt_is_heard_soon_and_the_session_goes_on(threads: int) -> None:
    task = large(threads)
    session = native.Session(task)
    session.advance([slice(None)] * 2, [1e-4] * 2)
    step = time.perf_counter()
    session.advance([slice(None)], [1e-4])
    step = time.perf_counter() - step  # signals are looked at between steps, and a step of scripts/sanitize takes its time
    sent: list[float] = []

    def interrupt() -> None:
        time.sleep(0.3)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    heard = signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background is told to ignore it
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        session.advance([slice(None)] * 200_000, [1e-4] * 200_000)
    signal.signal(signal.SIGINT, heard)
    late = time.perf_counter() - sent[0]
    thread.join()
    # a machine with other work lets us wait for the processor
    assert late < max(0.1, 4 * step) + 0.2 * (os.getloadavg()[0] > 2)
    done = session.number
    assert done > 2
    session.advance([slice(None)] * 3, [1e-4] * 3)
    assert session.number == done + 3
    assert np.isfinite(session.parameters).all()


def test_two_python_threads_train_two_models_at_once() -> None:
    task = large(2)
    alone = bits(trained(native, task, 20), task.network)
    found: list[Any] = []
    workers = [threading.Thread(target=lambda: found.append(bits(trained(native, task, 20), task.network))) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [alone] * 3


def test_python_threads_train_different_models_at_once() -> None:
    """Each of its own depth, type, optimizer and number of threads; each asked for a loss in between. None sees the others."""
    tasks = [
        small([Dense(40, "relu"), BatchNorm(), Dense(3)], 65, 9, optimizer=Adam(), threads=3),
        small(
            [Dense(96, "tanh"), Dense(96, "tanh"), Dense(5)], 80, 30, dtype=np.float32, threads=2, clipping=ClipNorm(limit=0.1)
        ),
        small(
            [Dense(17, "gelu"), Dropout(0.3), Dense(4)],
            50,
            7,
            "softmax_cross_entropy",
            threads=1,
            penalties=(L2(strength=0.1),),
        ),
        small([LayerNorm(), Dense(8, "silu"), Dense(2)], 2100, 5, optimizer=Adam(), threads=4),
    ]

    def told(task: Task) -> tuple[Any, ...]:
        session = native.Session(task)
        session.found, between = [], []
        for _ in range(4):
            session.found += session.advance([slice(None)] * 5, [task.optimizer.learning_rate] * 5)
            between.append(session.loss(task.x, task.t))
        return bits(session, task.network), between

    alone = [told(task) for task in tasks]
    found: dict[int, Any] = {}

    def train(place: int) -> None:
        found[place] = told(tasks[place % len(tasks)])

    workers = [threading.Thread(target=train, args=(place,)) for place in range(2 * len(tasks))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [found[place] for place in range(2 * len(tasks))] == alone * 2


def test_one_session_in_two_threads_is_refused() -> None:
    session = native.Session(large(1))
    errors: list[str] = []
    until = time.perf_counter() + 10

    def train() -> None:
        while not errors and time.perf_counter() < until:
            try:
                session.advance([slice(None)] * 20, [1e-4] * 20)
            except RuntimeError as error:
                errors.append(str(error))

    workers = [threading.Thread(target=train) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert "another thread" in errors[0]


def test_a_forked_process_trains_on() -> None:
    code = (
        "import os, sys; sys.path.insert(0, 'tests')\n"
        "import test_native as t\n"
        "task = t.large(3); session = t.native.Session(task); rates = [1e-4] * 5\n"
        "session.advance([slice(None)] * 5, rates)\n"
        "child = os.fork()\n"
        "session.advance([slice(None)] * 5, rates)\n"
        "again = task._replace(threads=1, optimizer=t.SGD(learning_rate=1e-4))\n"
        "same = session.parameters.tobytes() == t.trained(t.native, again, 10).parameters.tobytes()\n"
        "del session\n"
        "if child == 0: os._exit(0 if same else 3)\n"
        "sys.exit(0 if same and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 else 4)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)


def test_a_fork_in_the_middle_of_a_step() -> None:
    """Another thread of the parent trains, with a team, while the child is made: the child has that session as it was caught
    and none of the threads. It trains sessions of its own, is told that the caught one is in use, and ends without waiting."""
    code = (
        "import os, sys, threading; sys.path.insert(0, 'tests')\n"
        "import test_native as t\n"
        "task = t.large(3); session = t.native.Session(task); ended = []\n"
        "def train():\n"
        "    while not ended: session.advance([slice(None)] * 50, [1e-4] * 50)\n"
        "thread = threading.Thread(target=train); thread.start()\n"
        "again = task._replace(optimizer=t.SGD(learning_rate=1e-4))\n"
        "expected = t.bits(t.trained(t.native, again, 5), task.network)\n"
        "codes = []\n"
        "for _ in range(5):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        same = t.bits(t.trained(t.native, again, 5), task.network) == expected\n"
        "        try: session.advance([slice(None)], [1e-4]); said = 'trained'\n"
        "        except RuntimeError as error: said = str(error)\n"
        "        session = None\n"
        "        os._exit(0 if same and ('another thread' in said or said == 'trained') else 3)\n"
        "    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "ended.append(True); thread.join()\n"
        "sys.exit(0 if codes == [0] * 5 else str(codes))"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, cwd=ROOT, timeout=120)
