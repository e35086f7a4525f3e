"""Kills training at random moments, resumes it, and holds what it ends with against a run that nobody disturbed.

Half of the kills come at a random moment of the clock, half at a random call to the system in a save: before it, after it,
or in the middle of a write. After each, every file must be readable and no checkpoint may be lost; a run that ends must
have the same bits as one that was never killed: model, history, and the checkpoint it could go on from.

    scripts/torture                 1,000 kills
    scripts/torture --kills 25      as in the tests
    scripts/torture --seed 123      other moments

A run that fails is kept, and named with the seed and the number of the kill.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # children are forked: a pool of threads would not come with them

import numpy as np
import sklearn.linear_model
import sklearn.metrics  # noqa: F401

from chainrule import files, models, recording, tables  # noqa: F401
from chainrule.cli import main as chainrule
from chainrule.cli import train  # noqa: F401
from chainrule.errors import InputError
from chainrule.files import disk
from chainrule.runs import Run
from test_files_faults import Faulty

CLOCK = ("seconds", "rows_per_second", "remaining")
"""What is told of an epoch and is not of its numbers."""

BEGINNING = 0.1
"""Seconds until a run trains, or so."""

UNTIL = 0.85
"""How often a run is killed, and not left to end."""

SETTINGS = {
    "adam": "--hidden 12 --epochs 50 --batch-size 16",
    "norms and dropout": "--hidden 8,8 --norm batch --dropout 0.2 --epochs 30 --batch-size 32 --dtype float32",
    "reference": "--hidden 6 --epochs 25 --batch-size 16 --optimizer momentum --engine reference",
    "rows on disk": "--hidden 6 --epochs 25 --batch-size 32 --memory 0.001",
    "a number": "--target bill --hidden 8 --epochs 60 --validation 0.2 --patience 5 --batch-size 20 --schedule cosine",
}
"""Runs of different kinds; all of them save as often as they can."""


def table(path: Path) -> Path:
    """A table with gaps, categories and two targets."""
    draw = random.Random(1)
    lines = ["bill,flipper,island,sex,species"]
    for _ in range(240):
        kind = draw.randrange(3)
        bill = f"{38 + 5 * kind + draw.gauss(0, 2):.1f}" if draw.random() > 0.05 else ""
        flipper = f"{190 + 9 * (kind == 2) + draw.gauss(0, 6):.0f}"
        island = draw.choice(["Biscoe", "Dream", "Torgersen"][kind:] or ["Biscoe"])
        lines.append(
            f"{bill},{flipper},{island},{draw.choice(['male', 'female', ''])},{['Adelie', 'Chinstrap', 'Gentoo'][kind]}"
        )
    path.write_text("\n".join(line for line in lines if not line.startswith(",")) + "\n")  # a target has no gaps
    return path


def child(words: list[str], log: Path, calls: Any = None) -> int:
    """Starts `chainrule ...` as a process of its own; its id."""
    made = os.fork()
    if made:
        return made
    try:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        if calls is not None:
            disk.calls = calls
        chainrule(words)
    except SystemExit as ended:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code if isinstance(ended.code, int) else 0)
    finally:
        os._exit(99)
    return 0


def ended(process: int, at: float | None = None) -> int | None:
    """Waits for a process; kills it at a moment of time.monotonic(). Its exit code, None if it was killed."""
    while True:
        found, status = os.waitpid(process, os.WNOHANG if at is not None else 0)
        if found:
            return (
                None if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else os.waitstatus_to_exitcode(status)
            )
        if at is not None and time.monotonic() >= at:
            os.kill(process, signal.SIGKILL)
            at = None
        else:
            time.sleep(0.001)


def dies(name: str, real: Any, args: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def dies_afterwards(name: str, real: Any, args: Any) -> Any:
    try:
        real(*args)
    finally:
        os.kill(os.getpid(), signal.SIGKILL)


def dies_in_the_middle(name: str, real: Any, args: Any) -> Any:
    if name == "write":
        real(args[0], args[1][: len(args[1]) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def timeless(value: Any) -> Any:
    """Without what the clock says."""
    if isinstance(value, dict):
        return {key: timeless(_lines(each) if key == "history" else each) for key, each in value.items() if key not in CLOCK}
    if isinstance(value, (list, tuple)):
        return [timeless(each) for each in value]
    return (value.dtype.str, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else repr(value)


def _lines(history: Any) -> Any:
    """A checkpoint's history, line by line."""
    return [json.loads(line) for line in history.tobytes().decode().splitlines()]


def bits(folder: Path) -> dict[str, Any]:
    """Everything that a finished run has, but for the clock."""
    run = Run(folder)
    path, skipped = files.newest(run.checkpoints)
    assert not skipped, skipped
    unfinished = [each.name for each in folder.rglob("*") if disk.TEMPORARY.search(each.name)]
    assert not unfinished, f"{folder}: {unfinished} were never finished, and are still there"
    model = models.load(run.model_file)
    return {
        "checkpoint": (path.name, timeless(files.read_checkpoint(path, allow_nonfinite=True))),
        "updates": int(path.stem.split("-")[1]),
        "history": timeless(run.history()),
        "parameters": model.network.parameters.tobytes(),
        "model": run.model_file.read_bytes(),
    }


def checked(folder: Path) -> int:
    """Reads every file of a run that was killed, and gives its newest checkpoint's number of updates."""
    run, best = Run(folder), -1
    for step, path in files.steps(run.checkpoints):
        files.read_checkpoint(path, allow_nonfinite=True)
        best = max(best, step)
    if run.model_file.exists():
        models.load(run.model_file)
    if run.settings_file.exists():
        run.read_settings()
        run.history()
    return best


class Torture:
    """A number of kills, one after another."""

    def __init__(self, place: Path, seed: int, say: Any) -> None:
        self.place, self.draw, self.say = place, random.Random(seed), say
        self.data = table(place / "birds.csv")
        self.kills, self.runs, self.kinds = 0, 0, Counter[str]()
        self.undisturbed: dict[str, tuple[dict[str, Any], float, int]] = {}

    def words(self, settings: str, folder: Path) -> list[str]:
        target = [] if "--target" in settings else ["--target", "species"]
        return ["train", str(self.data), *target, *settings.split(), "--checkpoint-every", "0", "-o", str(folder), "--quiet"]

    def reference(self, name: str) -> tuple[dict[str, Any], float, int]:
        """(bits, seconds, calls to the system) of a run that nobody disturbs; two of them must be the same."""
        if name not in self.undisturbed:
            found = []
            for count in range(2):
                folder, log = self.place / f"undisturbed-{count}", self.place / "log"
                shutil.rmtree(folder, ignore_errors=True)
                counted = Counting(self.place / "calls")
                begun = time.monotonic()
                code = ended(child(self.words(SETTINGS[name], folder), log, counted))
                assert code == 0, f"{name}: exit {code}: {log.read_text()}"
                found.append((bits(folder), time.monotonic() - begun, counted.total()))
            assert found[0][0] == found[1][0], f"{name}: two undisturbed runs differ"
            self.undisturbed[name] = found[1]
        return self.undisturbed[name]

    def run(self, most: int) -> None:
        """One run, killed and resumed until it ends or `most` kills are done."""
        name = self.draw.choice(sorted(SETTINGS))
        wanted, seconds, calls = self.reference(name)
        updates = wanted["updates"]
        folder, log = self.place / f"run-{self.runs}", self.place / f"run-{self.runs}.log"
        self.runs += 1
        best = -1
        while True:
            going = (folder / "run.toml").exists()
            words = ["train", "--resume", str(folder), "--quiet"] if going else self.words(SETTINGS[name], folder)
            fault = at = None
            left = 1 - max(0, best) / updates  # a run that goes on is a shorter one
            if self.kills < most and self.draw.random() < UNTIL:
                if self.draw.random() < 0.5:
                    at = time.monotonic() + self.draw.uniform(0, BEGINNING + 1.1 * left * seconds)
                else:
                    fault = self.draw.choice([dies, dies_afterwards, dies_in_the_middle])
            number = self.draw.randrange(1, 20 + int(left * calls))
            code = ended(child(words, log, None if fault is None else Faulty(number, fault)), at)
            try:
                now = checked(folder)
            except InputError as error:
                raise AssertionError(f"{folder} ({name}), after kill {self.kills}: {error}") from None
            assert now >= best, f"{folder} ({name}): the checkpoint after update {best} is lost"
            best = now
            if code is None:
                self.kills += 1
                self.kinds["a moment" if fault is None else fault.__name__.replace("_", " ")] += 1
                continue
            assert code == 0, f"{folder} ({name}): exit {code} after kill {self.kills}: {log.read_text()}"
            found = bits(folder)
            for what, held in wanted.items():
                assert found[what] == held, f"{folder} ({name}): the {what} differs from an undisturbed run's"
            shutil.rmtree(folder)
            log.unlink()
            return

    def go(self, most: int) -> None:
        begun = told = time.monotonic()
        while self.kills < most:
            self.run(most)
            if time.monotonic() - told > 10:
                told = time.monotonic()
                self.say(f"{self.kills:,} kills, {self.runs:,} runs ended with the same bits, {told - begun:,.0f} s")
        kinds = ", ".join(f"{kind}: {count:,}" for kind, count in sorted(self.kinds.items()))
        self.say(f"{self.kills:,} kills ({kinds}): no file unreadable, no checkpoint lost")
        self.say(f"{self.runs:,} resumed runs ended with the same bits as undisturbed ones, {time.monotonic() - begun:,.0f} s")


class Counting(Faulty):
    """Counts the calls of another process, in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        path.write_bytes(b"")

    def __getattr__(self, name: str) -> Any:
        real = getattr(disk.Calls, name)

        def call(*args: Any) -> Any:
            with open(self.path, "ab") as stream:
                stream.write(b".")
            return real(*args)

        return call

    def total(self) -> int:
        return self.path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="torture-"))
    try:
        Torture(place, given.seed, lambda text: print(text, flush=True)).go(given.kills)
    except AssertionError as error:
        sys.exit(f"seed {given.seed}: {error}")
    shutil.rmtree(place)


if __name__ == "__main__":
    main()
