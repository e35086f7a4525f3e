"""How time grows with width, depth, batch, rows and threads, beside the fastest peers."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

from contestants import CORES
from race import Entry, Starter, race
from tables import Column, table
from workloads import WORKLOADS, Workload, classifier

INPUTS, WIDTH, DEPTH, BATCH, ROWS, CLASSES = 64, 128, 2, 128, 10_240, 10
"""The network that one thing is changed of."""

OURS, FIT, TORCH, JAX = (Entry(n) for n in ("chainrule engine", "chainrule estimator", "PyTorch fused", "JAX scan"))


def network(width: int = WIDTH, depth: int = DEPTH, batch: int = BATCH, rows: int = ROWS) -> Workload:
    return classifier("scaling", (INPUTS, *[width] * depth, CLASSES), batch, rows)


SWEEPS: dict[str, tuple[Callable[[int], Workload], tuple[int, ...]]] = {
    "width": (lambda n: network(width=n), (16, 64, 256, 1024)),
    "depth": (lambda n: network(depth=n), (1, 2, 4, 8, 16)),
    "batch": (lambda n: network(batch=n), (8, 32, 128, 512, 1024)),
    "rows": (lambda n: network(rows=n, batch=100), (1_000, 10_000, 100_000, 1_000_000)),
}


def told(rounds: int, seconds: float) -> str:
    base = network()
    parts = [f"## Scaling\n\nMicroseconds per update; one thing changed of {base.shape} relu, batch {BATCH}, {ROWS:,} rows."]
    with Starter() as starter:
        parts += [_sweep(name, rounds, seconds, starter) for name in SWEEPS]
    with Starter() as starter:
        parts.append(_threads(rounds, seconds, starter))
    print(file=sys.stderr)
    return "\n\n".join(parts)


def _sweep(name: str, rounds: int, seconds: float, starter: Starter) -> str:
    make, sizes = SWEEPS[name]
    entries = (OURS, FIT, TORCH, JAX) if name == "rows" else (OURS, TORCH, JAX)
    rows = []
    for size in sizes:
        results = race(make(size), entries, rounds, seconds, starter)
        ours, peers = results[0], [each for each in results if not each.name.startswith("chainrule")]
        best = min(peers, key=lambda each: each.median)
        rows.append((size, *(each.median * 1e6 for each in results), statistics.median(ours.ratios(best))))
        print(f"{name} {size}", end=" ", file=sys.stderr, flush=True)
    columns = [Column(name), *(Column(entry.name, 1) for entry in entries), Column("ratio", 2)]
    note = "\n\nBatch 100 here. `fit` draws the order of the rows itself, once an epoch." if name == "rows" else ""
    return f"### {name.capitalize()}{note}\n\n{table(columns, rows)}"


def _threads(rounds: int, seconds: float, starter: Starter) -> str:
    """JAX has no number of threads to choose: one core, or all."""
    rows = []
    counts = sorted({1, CORES, 2 * CORES, *(2**k for k in range(1, CORES.bit_length()))})
    for name in ("tab_s", "tab_m", "wide"):
        entries = [entry._replace(options={"threads": n}) for n in counts for entry in (OURS, TORCH)]
        entries += [JAX._replace(starts=(("--one-core",),)), JAX]
        times = [each.median * 1e6 for each in race(WORKLOADS[name], entries, rounds, seconds, starter)]
        jax = {1: times[-2], CORES: times[-1]}
        rows += [(name, n, times[2 * i], times[2 * i + 1], jax.get(n)) for i, n in enumerate(counts)]
        print(f"threads {name}", end=" ", file=sys.stderr, flush=True)
    columns = [Column("workload"), Column("threads"), *(Column(entry.name, 1) for entry in (OURS, TORCH, JAX))]
    return f"### Threads\n\nUp to more than there are cores ({CORES}).\n\n{table(columns, rows)}"
