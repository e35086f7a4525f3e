"""Microseconds per update of our engines alone, and what the machine's matrix products allow: quick, while one works on them.

    python benchmarks/train.py [workload ...] [--threads N] [--rounds N]

Beside its peers: scripts/bench.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from contestants import network_and_optimizer
from workloads import WORKLOADS, Workload, first_weights, orders, table

from chainrule.engines import Task, native, reference


def ours(engine: Any, threads: int | None = None) -> Callable[[Workload], Callable[[], float]]:
    """Times an epoch of one of our engines, after a first one."""

    def prepare(workload: Workload) -> Callable[[], float]:
        data, (order, *_) = table(workload), orders(workload)
        network, optimizer = network_and_optimizer(workload, first_weights(workload))
        session = engine.Session(Task(network, data.x, data.t, optimizer, threads=threads))
        batches: list[Any] = [slice(None)] * len(order) if workload.rows == workload.batch else list(order)
        rates = [workload.rate] * len(order)

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
    engines = {"native": ours(native, given.threads)}
    if given.reference:
        engines["reference"] = ours(reference)
    print(f"matrix products (NumPy, float32, 1024 cubed): {products() / 1e9:.0f} GFLOP/s")
    for name in given.workloads:
        workload = WORKLOADS[name]
        runs = {engine: prepare(workload) for engine, prepare in engines.items()}
        times: dict[str, list[float]] = {engine: [] for engine in runs}
        for _ in range(given.rounds):  # in turn: a noisy machine is noisy for all
            for engine, run in runs.items():
                times[engine].append(run() / workload.updates)
        for engine, found in times.items():
            middle = statistics.median(found)
            print(
                f"{name:6} {engine:10} {middle * 1e6:10.2f} us/step (best {min(found) * 1e6:.2f})"
                f" {workload.work / middle / 1e9:7.1f} GFLOP/s"
            )


if __name__ == "__main__":
    main()
