"""Microseconds per training step of the workloads of performance.md, and what the machine's matrix products allow.

python benchmarks/train.py [workload ...] [--threads N] [--rounds N]

A peer is a function from a Workload to a function that runs its updates and returns the seconds they took; it stands in `main`
beside ours.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule.engines import Task, native, reference
from chainrule.network import Network
from chainrule.rules.layers import Dense
from chainrule.rules.optimizers import SGD, Adam


class Workload(NamedTuple):
    """A network, its batches, and how many updates to time at once."""

    name: str
    widths: tuple[int, ...]
    activation: str
    last: str
    loss: str
    rows: int
    batch: int
    updates: int
    dtype: Any = np.float32

    @property
    def work(self) -> float:
        """Floating-point operations of an update's matrix products: forward, dW, and dx but for the first layer."""
        products = [a * b for a, b in zip(self.widths, self.widths[1:], strict=False)]
        return 2.0 * self.batch * (3 * sum(products) - products[0])


WORKLOADS = {
    each.name: each
    for each in (
        Workload("tiny", (2, 2, 2), "sigmoid", "sigmoid", "half_squared_error", 1, 1, 10_000, np.float64),
        Workload("tab_s", (16, 32, 32, 1), "relu", "identity", "mean_squared_error", 6400, 64, 1000),
        Workload("tab_m", (32, 128, 128, 10), "relu", "softmax", "cross_entropy", 25600, 256, 200),
        Workload("mnist", (784, 100, 10), "relu", "softmax", "cross_entropy", 20000, 200, 100),
        Workload("deep", (64, *[64] * 8, 10), "tanh", "softmax", "cross_entropy", 12800, 128, 200),
        Workload("wide", (1024, 1024, 1024, 10), "relu", "softmax", "cross_entropy", 8192, 512, 8),
    )
}


def case(workload: Workload, threads: int | None) -> tuple[Task, list[Any]]:
    rng = np.random.default_rng(0)
    inputs, outputs = workload.widths[0], workload.widths[-1]
    x = rng.normal(size=(workload.rows, inputs)).astype(workload.dtype)
    t = (
        np.eye(outputs)[rng.integers(0, outputs, workload.rows)]
        if workload.last == "softmax"
        else rng.random((workload.rows, outputs))
    )
    layers = [Dense(n, workload.activation) for n in workload.widths[1:-1]] + [Dense(outputs, workload.last)]
    network = Network(layers, inputs, workload.loss, dtype=workload.dtype)
    optimizer = SGD(learning_rate=0.5) if workload.name == "tiny" else Adam(learning_rate=0.001)
    if workload.batch == workload.rows:
        batches: list[Any] = [slice(None)] * workload.updates
    else:
        batches = []
        while len(batches) < workload.updates:
            order = rng.permutation(workload.rows)
            batches += [order[i : i + workload.batch] for i in range(0, workload.rows, workload.batch)]
    return Task(network, x, t.astype(workload.dtype), optimizer, threads=threads), batches[: workload.updates]


def ours(engine: Any, threads: int | None = None) -> Callable[[Workload], Callable[[], float]]:
    """Times `workload.updates` updates of one of our engines, after a first round of them."""

    def prepare(workload: Workload) -> Callable[[], float]:
        task, batches = case(workload, threads)
        session, rates = engine.Session(task), [task.optimizer.learning_rate] * len(batches)

        def measure() -> float:
            start = time.perf_counter()
            session.advance(batches, rates)
            return time.perf_counter() - start

        measure()
        return measure

    return prepare


def products(size: int = 1024, dtype: Any = np.float32) -> float:
    """The machine's matrix products through NumPy, in operations a second: the best of some."""
    a, b = (np.random.default_rng(i).random((size, size)).astype(dtype) for i in (0, 1))
    best = np.inf
    for _ in range(20):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    options.add_argument("--threads", type=int)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--reference", action="store_true", help="also the reference engine")
    given = options.parse_args()
    peers = {"native": ours(native, given.threads)}
    if given.reference:
        peers["reference"] = ours(reference)
    print(f"matrix products (NumPy, float32, 1024 cubed): {products() / 1e9:.0f} GFLOP/s")
    for name in given.workloads:
        workload = WORKLOADS[name]
        runs = {peer: prepare(workload) for peer, prepare in peers.items()}
        times: dict[str, list[float]] = {peer: [] for peer in runs}
        for _ in range(given.rounds):  # in turn: a noisy machine is noisy for all
            for peer, run in runs.items():
                times[peer].append(run() / workload.updates)
        for peer, found in times.items():
            middle = statistics.median(found)
            print(
                f"{name:6} {peer:10} {middle * 1e6:10.2f} us/step (best {min(found) * 1e6:.2f})"
                f" {workload.work / middle / 1e9:7.1f} GFLOP/s"
            )


if __name__ == "__main__":
    main()
