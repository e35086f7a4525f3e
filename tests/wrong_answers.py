"""Wrong answers, made on purpose: random nets, one mistake each, and whether `why` finds it.

python tests/wrong_answers.py --cases 5000             the rates: found, ties, right answers called wrong
python tests/wrong_answers.py --replay 17              one case, told in full
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np

from chainrule.conventions import Conventions
from chainrule.derivation import Job, derive
from chainrule.errors import RunError
from chainrule.marking.choices import CHOICES
from chainrule.marking.course import course
from chainrule.marking.edits import Slips
from chainrule.marking.mistakes import MISTAKES
from chainrule.marking.search import why
from chainrule.marking.sheet import Sheet
from chainrule.marking.written import read_number
from chainrule.naming import Cell, cell_id
from chainrule.network import Network
from chainrule.rules import find, names
from chainrule.rules.layers import Dense

ENOUGH = 6
"""From so many digits on a cause has to be found."""

SHARE = 0.97

Random = np.random.Generator


@dataclass(frozen=True)
class Wrong:
    """A number that came about by one mistake: where, as it was written, and what the mistake was."""

    job: Job
    cell: Cell
    text: str
    digits: int
    value: float
    changes: tuple[str, ...]
    mistakes: tuple[str, ...]
    told: str


@dataclass(frozen=True)
class Tried:
    """What came of one case."""

    seed: int
    digits: int
    found: bool
    ties: int
    kind: str
    seconds: float
    why: str


def net(rng: Random) -> Job:
    """1 to 3 hidden layers of 1 to 3 units, any activation and loss, short decimals, 1 or 2 samples."""
    while True:
        hidden = [name for name in names("activation") if name not in ("exp", "softmax")]
        layers: list[Any] = [
            Dense(int(rng.integers(1, 4)), str(rng.choice(hidden)), str(rng.choice(["per_unit", "shared", "none"])))
            for _ in range(rng.integers(1, 4))
        ]
        loss = find("loss", str(rng.choice(names("loss"))))()
        units = int(rng.integers(1, 4))
        fits = [name for name in names("activation") if loss.mismatch(find("activation", name)(), units) is None]
        if not fits:
            continue
        layers.append(Dense(units, str(rng.choice(fits)), str(rng.choice(["per_unit", "shared", "none"]))))
        inputs, rows = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        network = Network(layers, inputs, loss)
        network.parameters[:] = np.round(rng.uniform(-1, 1, network.size), 2)
        x = np.round(rng.uniform(-1, 1, (rows, inputs)), 2)
        optimizer = find("optimizer", str(rng.choice(["sgd", "sgd", "sgd", "momentum", "adam", "rmsprop"])))
        rate = float(rng.choice([0.5, 0.1, 0.25, 0.6]))
        biases = str(rng.choice(["updated", "frozen"]))
        return Job(
            network, x, _targets(rng, loss.name, rows, units), optimizer(learning_rate=rate), conventions=Conventions(biases)
        )


def _targets(rng: Random, loss: str, rows: int, units: int) -> Any:
    if loss in ("cross_entropy", "softmax_cross_entropy"):
        return np.eye(units)[rng.integers(0, units, rows)]
    if "binary" in loss:
        return rng.integers(0, 2, (rows, units)) * 1.0
    if loss == "poisson":
        return rng.integers(0, 4, (rows, units)) * 1.0
    return np.round(rng.uniform(-1, 1, (rows, units)), 2)


def written(value: float, digits: int, cut: bool) -> str:
    """A number with so many significant digits, rounded or cut off."""
    exact = Decimal(repr(value))
    unit = Decimal(1).scaleb(exact.adjusted() + 1 - digits)
    return f"{exact.quantize(unit, rounding=ROUND_DOWN if cut else ROUND_HALF_UP):f}"


def wrong(seed: int) -> Wrong:
    """One case. The number differs from the right one in the digits that are written, and is of a size that is written down."""
    rng = np.random.default_rng(seed)
    while True:
        job = net(rng)
        sheet = Sheet(derive(job))
        digits, cut = int(rng.integers(3, 10)), bool(rng.random() < 0.3)
        made = [_slip, _slip, _mistake, _choice][rng.integers(4)](rng, job, sheet)
        if made is None:
            continue
        cell, value, changes, mistakes, told = made
        if not np.isfinite(value) or not 1e-6 < abs(value) < 1e6:
            continue
        text = written(value, digits, cut)
        if read_number(text).agreement(sheet.values.get(cell, np.nan)):
            continue
        return Wrong(job, cell, text, digits, value, changes, mistakes, told)


def _slip(rng: Random, job: Job, sheet: Sheet) -> Any:
    cells = [cell for cell in sheet.cells if sheet.formulas[cell] is not None]
    edits = Slips(sheet).of(cells[rng.integers(len(cells))])
    if not edits:
        return None
    edit = edits[rng.integers(len(edits))]
    found = sheet.recompute({edit.cell: edit.tree})
    target = edit.cell
    if rng.random() < 0.3:
        target = _moved(rng, sheet, found, target)
    return target, found[target], (), edit.kinds, f"{edit.phrase} in {cell_id(edit.cell)}"


def _mistake(rng: Random, job: Job, sheet: Sheet) -> Any:
    mistake = MISTAKES[rng.integers(len(MISTAKES))]
    ways = [way for way in mistake.ways(sheet) if way[1]]
    if not ways:
        return None
    phrase, change = ways[rng.integers(len(ways))]
    found = sheet.recompute(change)
    target = _moved(rng, sheet, found, None)
    return None if target is None else (target, found[target], (), (mistake.name,), phrase)


def _choice(rng: Random, job: Job, sheet: Sheet) -> Any:
    ways = [way for choice in CHOICES for way in choice.ways(job)]
    way = ways[rng.integers(len(ways))]
    found = course(way.work).values(1)
    target = _moved(rng, sheet, found, None)
    settings = tuple(f"{key}={value}" for key, value in way.settings)
    return None if target is None else (target, found[target], settings, (), way.phrase)


def _moved(rng: Random, sheet: Sheet, found: Any, default: Any) -> Any:
    """One of the numbers that are no longer what they were."""
    moved = [
        cell
        for cell in sheet.cells
        if sheet.formulas[cell] is not None
        and cell in found
        and abs(found[cell] - sheet.values[cell]) > 1e-9 * abs(sheet.values[cell])
        and cell.symbol not in ("dz/dW", "dz/dx")
    ]
    return moved[rng.integers(len(moved))] if moved else default


def try_one(seed: int) -> Tried:
    case = wrong(seed)
    start = time.perf_counter()
    answer = why(case.job, case.text, cell_id(case.cell))
    taken = time.perf_counter() - start
    found = any(
        match.mistakes == case.mistakes
        and match.changes == case.changes
        and abs(match.exact - case.value) <= 1e-9 * abs(case.value)
        for match in answer.matches
    )
    values = {f"{match.exact:.10g}" for match in answer.matches}
    kind = (case.mistakes or case.changes)[0].split("=")[0]
    told = f"{seed}: {cell_id(case.cell)} {case.text} ({case.value!r}): {case.told}\n{answer}"
    return Tried(seed, case.digits, found, len(answer.matches) if len(values) else 0, kind, taken, told)


def right_ones(seed: int, count: int = 40) -> list[str]:
    """Right answers of one net, rounded (half up, half to even) and cut off, and those that are called wrong."""
    rng = np.random.default_rng([seed, 1])
    job = net(rng)
    if rng.random() < 0.3:
        job = Job(**{**job.__dict__, "conventions": Conventions(intermediate="rounded", places=int(rng.integers(3, 9)))})
    try:
        trace = derive(job, int(rng.integers(0, 3)))
    except RunError:  # a net whose first loss is infinite has no second update
        trace = derive(job)
    cells = [cell for cell in trace.cells if np.isfinite(trace.term(cell).value)]
    bad = []
    for _ in range(count):
        cell = cells[rng.integers(len(cells))]
        value = float(trace.term(cell).value)
        digits = int(rng.integers(1, 16))
        rounding = [ROUND_DOWN, ROUND_HALF_UP, ROUND_HALF_EVEN][rng.integers(3)]
        exact = Decimal(repr(value))
        unit = Decimal(1).scaleb(exact.adjusted() + 1 - digits if value else -digits)
        text = str(exact.quantize(unit, rounding=rounding))
        if not why(trace, text, cell_id(cell), most=0, updates=(trace.number,)).right:
            bad.append(f"{seed}: {cell_id(cell)} {text} is {value!r}")
    return bad


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--cases", type=int, default=5000)
    options.add_argument("--right", type=int, default=20_000)
    options.add_argument("--from", type=int, default=0, dest="first")
    options.add_argument("--jobs", type=int, default=multiprocessing.cpu_count())
    options.add_argument("--show", type=int, default=10, help="so many cases that were not found are told")
    options.add_argument("--replay", type=int)
    given = options.parse_args()
    if given.replay is not None:
        print(try_one(given.replay).why)
        return 0
    start = time.perf_counter()
    seeds = range(given.first, given.first + given.cases)
    with multiprocessing.Pool(given.jobs) as pool:
        tried = list(pool.imap_unordered(try_one, seeds, 8))
        print(report(tried), flush=True)
        bad = [
            line
            for lines in pool.imap_unordered(right_ones, range(given.first, given.first + given.right // 40), 8)
            for line in lines
        ]
    print(f"right answers called wrong: {len(bad)} of {given.right // 40 * 40:,}")
    print("\n".join(bad[:10]))
    missed = [each for each in tried if not each.found and each.digits >= ENOUGH]
    print("missed, by kind:", dict(Counter(each.kind for each in missed)))
    for each in sorted(missed, key=lambda each: each.seed)[: given.show]:
        print(f"\nnot found, seed {each.why}")
    print(f"{time.perf_counter() - start:.0f} s")
    return int(bool(bad) or share(tried) < SHARE)


def share(tried: list[Tried]) -> float:
    """Of the cases with enough digits, the part whose cause is among the simplest explanations."""
    enough = [each for each in tried if each.digits >= ENOUGH]
    return sum(each.found for each in enough) / max(1, len(enough))


def report(tried: list[Tried]) -> str:
    lines = ["digits  cases  found    alone  ties  most  median s"]
    for digits in sorted({each.digits for each in tried}):
        here = [each for each in tried if each.digits == digits]
        ties = [each.ties for each in here]
        lines.append(
            f"{digits:6} {len(here):6} {np.mean([each.found for each in here]):6.1%} {np.mean([n == 1 for n in ties]):7.1%}"
            f" {np.mean([n > 1 for n in ties]):5.0%} {max(ties):5} {np.median([each.seconds for each in here]):9.2f}"
        )
    lines.append(f"found with at least {ENOUGH} digits: {share(tried):.2%} of {sum(each.digits >= ENOUGH for each in tried):,}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
