"""A contestant's process: does what it is told on a line of standard input, answers on a line of standard output.

A process each, because thread pools disturb each other in one, and a peak of memory can then be laid at somebody's door.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import itertools
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
WARM = 2
"""Epochs that everyone trains before the loss and the memory are looked at."""
TRIAL = 0.1
"""Seconds for which each setting is tried."""


def memory(what: str) -> int:
    """Bytes: VmRSS, resident now, or VmHWM, the most since the start or since `forget_peak`."""
    found = re.search(rf"^{what}:\s+(\d+) kB", STATUS.read_text(), re.M)
    return int(found[1]) * 1024 if found else 0


def forget_peak() -> None:
    with contextlib.suppress(OSError):  # then the import's peak counts too, which only matters if training needs less
        Path("/proc/self/clear_refs").write_text("5")


def give_back() -> None:
    """Freed memory to the system: what is used again without being asked for would count as nobody's."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # a C library other than GNU's
            ctypes.CDLL(None).malloc_trim(0)


def timed(contestant: Any, epochs: Iterator[Any], count: int) -> float:
    chosen = list(itertools.islice(epochs, count))
    begun = time.perf_counter()
    contestant.run(chosen)
    return time.perf_counter() - begun


def pace(contestant: Any, epochs: Iterator[Any]) -> float:
    """Seconds of an epoch, the best of some."""
    best = timed(contestant, epochs, 1)  # not counted if there is time for another: it may compile
    end = time.perf_counter() + TRIAL
    found = [timed(contestant, epochs, 1)]
    while time.perf_counter() < end:
        found.append(timed(contestant, epochs, 1))
    return min(best, *found)


class Worker:
    def __init__(self, name: str) -> None:
        from contestants import CONTESTANTS

        self.make = CONTESTANTS[name]
        from workloads import classifier

        self.contestant: Any = None
        self.trained(classifier("first", (1024, 256, 10), 128, 4096), {})  # so that what is loaded late is not counted later

    def trained(self, workload: Any, options: dict[str, Any]) -> dict[str, Any]:
        """A contestant that has trained some epochs, and how that went."""
        from workloads import first_weights, loss, orders, table

        self.contestant = None
        give_back()
        data, epochs = table(workload), itertools.cycle(orders(workload))
        weights = first_weights(workload)
        untrained = loss(workload, weights, data)
        give_back()
        forget_peak()
        before = memory("VmRSS")  # with the data, and whatever NumPy keeps for its next matrix product
        contestant = self.make(workload, data, weights, **options)
        begun = time.perf_counter()
        timed(contestant, epochs, WARM)
        first = time.perf_counter() - begun
        peak = memory("VmHWM") - before + contestant.data
        self.contestant, self.epochs, self.updates = contestant, epochs, workload.updates
        return {
            "peak": peak,
            "data": contestant.data,
            "losses": [untrained, loss(workload, contestant.weights(), data)],
            "first": first,
        }

    def prepare(self, workload: list[Any], options: dict[str, Any]) -> dict[str, Any]:
        from workloads import Workload

        workload[1] = tuple(workload[1])
        report = self.trained(Workload(*workload), options)
        paces = {}
        for setting in self.contestant.settings or ("",):
            if setting:
                self.contestant.use(setting)
            paces[setting] = pace(self.contestant, self.epochs)
        best = min(paces, key=lambda setting: paces[setting])
        if best:
            self.contestant.use(best)
        return {**report, "setting": best, "pace": paces[best], "late": max(0.0, report["first"] - WARM * paces[best])}

    def run(self, epochs: int) -> dict[str, Any]:
        return {"seconds": timed(self.contestant, self.epochs, epochs) / (epochs * self.updates)}


class Rates:
    """The process that measures the machine."""

    def __init__(self, library: str, what: str, threads: str, size: str) -> None:
        from contestants import Machine

        self.machine = Machine(library, what, int(threads), int(size))

    def run(self, seconds: float) -> dict[str, Any]:
        return {"rate": self.machine.rate(seconds)}


def end_with_parent() -> None:
    """Whoever is stopped cannot notice that nobody will ask again."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL


def main() -> None:
    end_with_parent()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    kind, *arguments = sys.argv[1:]
    if "--one-core" in arguments:
        arguments.remove("--one-core")
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    worker = {"contestant": Worker, "machine": Rates}[kind](*arguments)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(getattr(worker, order.pop("do"))(**order)), file=answers, flush=True)


if __name__ == "__main__":
    main()
