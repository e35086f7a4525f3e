"""Speed and memory beside scikit-learn, PyTorch and JAX, side by side in one run, as Markdown.

scripts/bench                          every workload, some five minutes
scripts/bench tab_s wide --rounds 3    some of them, quickly
scripts/bench --scaling                also over width, depth, batch, rows and threads
scripts/bench --scaling --write        everything, and recorded in docs/performance.md
"""

from __future__ import annotations

import argparse
import datetime
import platform
import re
import shlex
import statistics
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import scaling
from contestants import CORES, THREADS
from race import Entry, Result, race, rates
from tables import Column, table
from workloads import WORKLOADS, classifier

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
LARGE = classifier("large", (100, 64, 10), 1000, 1_000_000)
"""400 MB of inputs and a small network: what training holds beyond its data."""

BEST = {"tiny": 100.0, "tab_s": 2.0, "tab_m": 2.3, "mnist": 1.5, "deep": 1.6, "wide": 1.05}
EAGER = {"tab_s": 20.0, "tab_m": 4.0, "mnist": 2.5, "deep": 5.0}
SHARE = 0.85
"""What is wanted: the best peer's time to ours, PyTorch eager's to ours, our share of the machine's matrix products on wide."""

SIZES = (1024, 2048)
JAX = Entry("JAX scan", ((), ("--one-core",)))
OURS, EAGERLY = "chainrule engine", "PyTorch eager"
SMALL = [*map(Entry, (OURS, "chainrule.train", EAGERLY)), JAX]
ENTRIES = [*map(Entry, (OURS, "chainrule estimator", "scikit-learn", EAGERLY, "PyTorch fused")), JAX]

HOW = """\
Every contestant lives in a process of its own and trains in turn with the
others; whoever is not asked is stopped (SIGSTOP), so that no idle thread pool
spins. All have the same data in memory, the same batches of shuffled rows and
the same first weights, but for the estimators (chainrule's and scikit-learn's
`fit`), which draw weights and shuffle by themselves, with alpha 0 and without
early stopping. Single precision and Adam with a rate of 0.001; `tiny` double
precision and plain gradient descent.

Peers run at their best: PyTorch and scikit-learn on one thread or on all,
whichever was faster; JAX on one core or on all, one compiled scan over each
epoch, its batches gathered ahead or step by step, compiled before it is timed.
"PyTorch eager" is its default Adam, "PyTorch fused" the one with `fused=True`.

Times are medians over the rounds. A ratio is the time of a contestant to that
of chainrule's engine in the same round: the median, the least and the most of
the rounds. GFLOP/s count matrix products only. The loss is that of all rows
after two epochs from the start, calculated by NumPy from the contestant's
weights: nobody drops work. The peak is what data and training added to the
process's resident memory (a library's own size is not in it; what JAX compiles
is). "Data" are inputs and targets in the form that the contestant takes; MB are
10^6 bytes."""


def products(size: int, rounds: int) -> dict[Any, float]:
    return rates(("NumPy", "PyTorch"), "products", THREADS, size, rounds, 0.15)


def machine(rounds: int) -> tuple[str, float]:
    """What the machine allows, as a table, and its best rate of single-precision matrix products."""
    rows, best = [], 0.0
    for size in SIZES:
        found = products(size, rounds)
        best = max(best, *found.values())
        rows += [(f"products, {size} cubed", *key, rate / 1e9, "GFLOP/s") for key, rate in found.items()]
    copies = rates(("NumPy", "PyTorch"), "copy", THREADS, 0, rounds, 0.15)
    rows += [("copy", *key, rate / 1e9, "GB/s") for key, rate in copies.items() if key[0] != "NumPy" or key[1] == 1]
    return table([Column(""), Column("by"), Column("threads"), Column("best", 1), Column("")], rows), best


def speed(results: Sequence[Result], work: float) -> str:
    rows = []
    for each in results:
        ratios = results[0].ratios(each)
        spread = (statistics.median(ratios), min(ratios), max(ratios))
        rows.append((each.name, each.median * 1e6, work / each.median / 1e9, *spread))
    titles = (("us/update", 2), ("GFLOP/s", 1), ("ratio", 2), ("least", 2), ("most", 2))
    return table([Column(""), *(Column(*title) for title in titles)], rows)


def memory(results: Sequence[Result]) -> str:
    rows = []
    for each in results:
        report = each.report
        setting = report["setting"] or "its own choice"
        rows.append((each.name, f"{report['losses'][1]:.3e}", report["peak"] / 1e6, report["data"] / 1e6, setting))
    titles = (("loss", 0), ("peak MB", 1), ("data MB", 1), ("ran with", 0))
    return table([Column(""), *(Column(*title) for title in titles)], rows)


def peers(results: Sequence[Result]) -> list[Result]:
    return [each for each in results if not each.name.startswith("chainrule")]


def verdict(name: str, results: Sequence[Result]) -> list[tuple[object, ...]]:
    """A row each: the best peer, and PyTorch eager where something is wanted of it."""
    ours, rows = results[0], []
    best = min(peers(results), key=lambda each: each.median)
    eager = next(each for each in results if each.name == EAGERLY)
    for rival, wanted in ((best, BEST.get(name)), (eager, EAGER.get(name))):
        if wanted is not None:
            ratios = ours.ratios(rival)
            middle = statistics.median(ratios)
            rows.append((name, rival.name, middle, min(ratios), max(ratios), wanted, "yes" if middle >= wanted else "no"))
    return rows


def shown(text: str) -> None:
    print(text, flush=True)
    print(flush=True)


def versions() -> str:
    packages = {"NumPy": "numpy", "scikit-learn": "scikit-learn", "PyTorch": "torch", "JAX": "jax"}
    return ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(each)}" for name, each in packages.items())])


def processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text()
    except OSError:
        told = ""
    found = re.search(r"model name\s*: (.*)", told)
    vectors = [kind for kind in ("avx2", "avx512f") if kind in told]
    return f"{found[1] if found else platform.machine()} ({', '.join([f'{CORES} cores', *vectors])})"


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="scripts/bench"
    )
    options.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)} (all)")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=float, default=0.4, help="that each contestant trains in a round (0.4)")
    options.add_argument("--scaling", action="store_true", help="also over width, depth, batch, rows and threads")
    options.add_argument("--write", action="store_true", help="also writes docs/performance.md")
    given = options.parse_args()
    unknown = [name for name in given.workloads if name not in WORKLOADS]
    if unknown:
        options.error(f"unknown workload {unknown[0]}: choose from {', '.join(WORKLOADS)}")
    names = given.workloads or list(WORKLOADS)
    parts: list[str] = []

    def tell(text: str) -> None:
        parts.append(text)
        shown(text)

    date = datetime.datetime.now(datetime.UTC).date()
    command = shlex.join(["scripts/bench", *sys.argv[1:]])
    tell("# Speed and memory beside others")
    tell(f"Made by `{command}` on {date}.\n\n{processor()}\\\n{versions()}")
    tell(HOW)
    told, allowed = machine(given.rounds)
    tell("## What the machine allows\n\nSingle precision, the best of the run:\n\n" + told)
    verdicts: list[tuple[object, ...]] = []
    share = ""
    for name in names:
        workload = WORKLOADS[name]
        results = race(workload, SMALL if name == "tiny" else ENTRIES, given.rounds, given.seconds)
        verdicts += verdict(name, results)
        late = next(each.report["late"] for each in results if each.name == JAX.name)
        untrained = results[0].report["losses"][0]
        rows = f"{workload.rows:,} row{'s' * (workload.rows > 1)}"
        title = f"## {name}: {workload.shape} {workload.activation}, batch {workload.batch}, {rows}"
        text = f"{title}\n\nThe loss begins at {untrained:.3e}. JAX took {late:.1f} s to compile.\n\n"
        if name == "wide":  # the machine once more: it may have been slower before
            allowed = max(allowed, *(rate for size in SIZES for rate in products(size, given.rounds).values()))
            share = (
                f"\n\n`wide` runs at {workload.work / results[0].median / allowed:.0%} of the machine's best rate of"
                f"\nmatrix products, {allowed / 1e9:.0f} GFLOP/s (wanted: {SHARE:.0%})."
            )
        if name == "tiny":
            took = results[0].median * workload.updates * 1e3
            text += f"{workload.updates:,} updates take {took:.2f} ms (wanted: at most 2).\n\n"
        tell(text + speed(results, workload.work) + "\n\n" + memory(results))
    if not given.workloads:
        large = race(LARGE, ENTRIES, 1, 0.0)
        tell(f"## Memory with much data\n\n{LARGE.shape}, {LARGE.rows:,} rows:\n\n" + memory(large))
    columns = [
        Column(""),
        Column("beside"),
        Column("ratio", 2),
        Column("least", 2),
        Column("most", 2),
        Column("wanted", 2),
        Column("met"),
    ]
    tell("## Ratios\n\n" + table(columns, verdicts) + share)
    if given.scaling:
        tell(scaling.told(min(given.rounds, 3), given.seconds / 2))
    if given.write:
        head, ratios = parts[:3], [part for part in parts if part.startswith("## Ratios")]
        rest = [part for part in parts[3:] if part not in ratios]
        PAGE.write_text("\n\n".join([*head, *ratios, *rest]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
