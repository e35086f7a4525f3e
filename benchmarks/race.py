"""Contestants in turn: one runs while all others are stopped, so that no idle thread pool spins beside it."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workloads import Workload

WORKER = Path(__file__).with_name("worker.py")


class Process:
    """A worker, stopped whenever it is not asked."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-W", "ignore", str(WORKER), *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        os.kill(self.process.pid, signal.SIGCONT)
        assert self.process.stdin is not None
        print(json.dumps({"do": do, **order}), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.process.args[4:])} ended with {self.process.wait()}")
        os.kill(self.process.pid, signal.SIGSTOP)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class Entry(NamedTuple):
    """Who takes part, in a process for each of these ways to start it: the fastest is kept."""

    name: str
    starts: tuple[tuple[str, ...], ...] = ((),)
    options: dict[str, Any] = {}  # noqa: RUF012  (never changed)


class Result(NamedTuple):
    """How a contestant did: seconds per update, round after round, and what it said when it began."""

    name: str
    times: list[float]
    report: dict[str, Any]

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    def ratios(self, other: Result) -> list[float]:
        """Another's time to this one's, in each round."""
        return [b / a for a, b in zip(self.times, other.times, strict=True)]


class Starter:
    """Processes by entry, until the end of the block. Those that run several workloads have no peak of memory of their own."""

    def __init__(self) -> None:
        self.processes: dict[tuple[str, ...], Process] = {}

    def start(self, entry: Entry, workload: Workload) -> tuple[Process, dict[str, Any]]:
        """The fastest of the entry's processes, ready to run, and its report."""
        found = []
        for arguments in entry.starts:
            key = (entry.name, *arguments, json.dumps(entry.options))  # entries of one race never share a process
            if key not in self.processes:
                self.processes[key] = Process("contestant", entry.name, *arguments)
            report = self.processes[key].ask("prepare", workload=list(workload), options=entry.options)
            if len(entry.starts) > 1:
                where = "one core" if "--one-core" in arguments else "all cores"
                report["setting"] = ", ".join(filter(None, (report["setting"], where)))
            found.append((self.processes[key], report))
        return min(found, key=lambda each: each[1]["pace"])

    def __enter__(self) -> Starter:
        return self

    def __exit__(self, *_: Any) -> None:
        for process in self.processes.values():
            process.end()


def race(
    workload: Workload, entries: Sequence[Entry], rounds: int, seconds: float, starter: Starter | None = None
) -> list[Result]:
    """Everyone trains about so many seconds a round, in turn: a noisy machine is noisy for all."""
    if starter is None:
        with Starter() as own:
            return race(workload, entries, rounds, seconds, own)
    ready = [(entry.name, *starter.start(entry, workload)) for entry in entries]
    results = [Result(name, [], report) for name, _, report in ready]
    for _ in range(rounds):
        for result, (_, process, report) in zip(results, ready, strict=True):
            epochs = max(1, round(seconds / report["pace"]))
            result.times.append(process.ask("run", epochs=epochs)["seconds"])
    return results


def rates(
    libraries: Sequence[str], what: str, threads: Sequence[int], size: int, rounds: int, seconds: float
) -> dict[Any, float]:
    """The machine's best rate by (library, threads), measured in turn."""
    processes: dict[Any, Process] = {}
    try:
        for library in libraries:
            for count in threads:
                processes[library, count] = Process("machine", library, what, str(count), str(size))
        best = dict.fromkeys(processes, 0.0)
        for _ in range(rounds):
            for key, process in processes.items():
                best[key] = max(best[key], process.ask("run", seconds=seconds)["rate"])
        return best
    finally:
        for process in processes.values():
            process.end()
