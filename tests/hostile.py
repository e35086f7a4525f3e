"""Commands fed with what nobody should feed them: mutated tables, run folders, models, settings and options.

Each case is made from its seed alone: a command, files that were changed, options. It fails if the command ends in a
traceback or in what it calls its own mistake, with an exit code other than 0, 1 and 2, after more than 20 seconds, with a
control character in what it prints, or with an error that does not say what to do.

    python tests/hostile.py --cases 10000          the whole torment
    python tests/hostile.py --cases 300 --first 7  as in the tests: seeds from 7 on
    python tests/hostile.py --replay 123           one case, with all that it says; its files are kept
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import itertools
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import chainrule.cli
import hostile_inputs
from chainrule.errors import InputError
from chainrule.recording import train
from chainrule.runs import Run
from chainrule.settings import Settings
from hostile_inputs import NASTY, VALUES, bytes_of, file_of, folder_of, options_of, toml_of
from recorded_runs import Silent

LIMIT = 20
"""Seconds after which a command hangs."""


class World:
    """A table, and runs that ended and that were stopped; each case gets copies of them in a folder of its own."""

    def __init__(self, place: Path) -> None:
        self.place, self.base = place, place / "base"
        self.rows = hostile_inputs.table(random.Random(1), 36)
        self.base.mkdir()
        os.chdir(self.base)
        Path("birds.csv").write_text(hostile_inputs.text(self.rows))
        common = ["birds.csv", "--epochs", "3", "--hidden", "4", "--batch-size", "12", "--checkpoint-every", "0", "--quiet"]
        clock = time.monotonic
        time.monotonic = itertools.count(0, 0.25).__next__  # type: ignore[assignment]  # the same files on every machine
        try:
            for words in (["--target", "species", "-o", "run"], ["--target", "mass", "--validation", "0.2", "-o", "mass"]):
                code, _, err, _ = ran(["train", *common, *words])
                assert code == 0, err
            asked, stopped = itertools.count(), Run.create(Path("stopped"))
            given = {"epochs": 3, "hidden": (4,), "batch_size": 12, "checkpoint_every": 0.0}
            with stopped.lock():
                train(
                    stopped, Settings(data=("birds.csv",), target="species", **given), Silent(), stop=lambda: next(asked) >= 2
                )
        finally:
            time.monotonic = clock

    def case(self, seed: int) -> tuple[list[str], Path]:
        """The words of a case's command, and its folder."""
        draw = random.Random(seed)
        folder = self.place / "case"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        os.chdir(folder)
        shutil.copy(self.base / "birds.csv", folder)
        command = draw.choice(
            ["train", "train", "train", "predict", "predict", "evaluate", "explain", "explain", "why-changed", "doctor"]
        )
        return getattr(self, command.replace("-", "_"))(draw), folder

    def run(self, draw: random.Random, name: str, spoilt: float) -> str:
        """A copy of a run, spoilt now and then."""
        shutil.copytree(self.base / name, name)
        if draw.random() < spoilt:
            folder_of(draw, Path(name))
        return name

    def other(self, draw: random.Random, spoilt: float = 0.6, bare: float = 0.4) -> str:
        """A table of the same kind."""
        rows = [self.rows[0], *draw.sample(self.rows[1:], 12)] if draw.random() < 0.5 else hostile_inputs.table(draw, 9)
        if draw.random() < bare:
            rows = [row[:-1] for row in rows]
        name = (
            "t.csv"
            if draw.random() < 0.9
            else draw.choice(["-x.csv", "a b.csv", "ü\n.csv", "[a].csv", "\x1b[31m.csv", "'.csv"])
        )
        if draw.random() < spoilt:
            return file_of(draw, rows, Path(name)).name
        Path(name).write_text(hostile_inputs.text(rows))
        return name

    def train(self, draw: random.Random) -> list[str]:
        how = draw.random()
        always = [] if draw.random() < 0.02 else ["--time-limit", draw.choice(["1", "0.3"])]
        if how < 0.2:
            name = self.run(draw, draw.choice(["run", "stopped", "stopped", "mass"]), 0.9)
            if draw.random() < 0.15:
                file_of(draw, self.rows, Path("birds.csv"))
            return [
                "train",
                "--resume",
                name,
                *always,
                *options_of(draw, "train", draw.choice([0, 0, 0, 1])),
                *draw.choice([[], [], ["--force-new"]]),
            ]
        if how < 0.35:
            shutil.copy(self.base / "run" / "run.toml", "own.toml")
            path = Path("own.toml")
            path.write_text(path.read_text().replace(str(self.base), "."))
            for _ in range(draw.choice([1, 1, 2])):
                if draw.random() < 0.7:
                    toml_of(draw, path)
                else:
                    path.write_bytes(bytes_of(draw, path.read_bytes()))
            return ["train", "--config", "own.toml", "-o", "out", *always, *options_of(draw, "train", draw.choice([0, 0, 1]))]
        rows = hostile_inputs.table(draw, draw.choice([6, 12, 24, 40]))
        plain = draw.random() < 0.35
        table = file_of(draw, rows, Path("t.csv")).name if not plain else "birds.csv"
        target = draw.choice(["species", "species", "mass", "sex", "bill", "island", "when"])
        many = draw.choice([1, 2, 3, 4]) if plain else draw.choice([0, 0, 1, 2])
        words = ["train", *([] if draw.random() < 0.02 else [table])]
        if draw.random() < 0.04:
            words.append(
                draw.choice(
                    ["birds.csv", "*.csv", "none*.csv", ".", "/dev/null", "-", "", "no/such.csv", "\udcff.csv", "a\x1bb"]
                )
            )
        given = ["--target", target, "--epochs", "2", "-o", draw.choice(["out", "out", "out", "run"]), *always]
        if "run" in given:
            self.run(draw, "run", 0.5)
            given += draw.choice([[], ["--overwrite"]])
        more = options_of(draw, "train", many)
        kept = [pair for pair in zip(given[::2], given[1::2], strict=False) if pair[0] not in more or draw.random() < 0.02]
        if "--overwrite" in given:
            more.append("--overwrite")
        return [*words, *(part for pair in kept for part in pair), *more]

    def predict(self, draw: random.Random, command: str = "predict") -> list[str]:
        name = self.run(draw, draw.choice(["run", "run", "mass", "stopped"]), 0.4)
        model = draw.choice([name, f"{name}/model.safetensors", f"{name}/model.safetensors"])
        if draw.random() < 0.04:
            model = draw.choice(
                ["birds.csv", "none", "", ".", f"{name}/checkpoints", f"{name}/run.toml", "\x1b", "\udcff", "/dev/null"]
            )
        table = self.other(draw, bare=0.4 if command == "predict" else 0.05)
        return [command, *options_of(draw, command, draw.choice([0, 0, 1, 2])), "--", model, table]

    def evaluate(self, draw: random.Random) -> list[str]:
        return self.predict(draw, "evaluate")

    def explain(self, draw: random.Random) -> list[str]:
        name = self.run(draw, draw.choice(["run", "run", "mass", "stopped"]), 0.6)
        what = draw.choice([name, name, name, f"{name}/run.toml", f"{name}/model.safetensors"])
        if draw.random() < 0.1:
            file_of(draw, self.rows, Path("birds.csv"))
        words = [
            "explain",
            what,
            *draw.choice([["--step", "2"], ["--step", "5"], ["--row", "3"], ["--row", "4", "--data", "t.csv"], []]),
        ]
        if "t.csv" in words:
            words[words.index("t.csv")] = "./" + self.other(draw, 0.5)
        return words + options_of(draw, "explain", draw.choice([0, 0, 1, 1]))

    def why_changed(self, draw: random.Random) -> list[str]:
        name = self.run(draw, draw.choice(["run", "mass", "stopped"]), 0.6)
        if draw.random() < 0.1:
            file_of(draw, self.rows, Path("birds.csv"))
        weight = draw.choice(["W[1][1,1]"] * 20 + VALUES["--of"] + [draw.choice(NASTY).replace("\x00", "")])
        return ["why-changed", *options_of(draw, "why-changed", draw.choice([0, 0, 1])), "--", name, weight]

    def doctor(self, draw: random.Random) -> list[str]:
        name = self.run(draw, draw.choice(["run", "mass", "stopped"]), 0.97)
        return ["doctor", name, *options_of(draw, "doctor", draw.choice([0, 0, 1]))]


class Hang(BaseException):
    """A command took too long."""


def ran(words: list[str]) -> tuple[Any, str, str, list[BaseException]]:
    """Exit code (None for none), stdout and stderr of a command, and what it ended with where it failed."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="", write_through=True) for _ in range(2))
    caught: list[BaseException] = []
    told, code = chainrule.cli._ended, None

    def ended(error: Exception) -> int:
        caught.append(error)
        return told(error)

    def hangs(number: int, frame: Any) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, hangs)
    terminated = signal.getsignal(signal.SIGTERM)
    chainrule.cli._ended = ended
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b""))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            chainrule.cli.main(list(words))
    except SystemExit as end:
        code = end.code
    except (Hang, Exception) as error:
        caught.append(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        chainrule.cli._ended, sys.stdin = told, stdin
        signal.signal(signal.SIGALRM, before)
        signal.signal(signal.SIGTERM, terminated)
    texts = [stream.buffer.getvalue().decode("utf-8", "surrogateescape") for stream in (out, err)]
    return code, texts[0], texts[1], caught


CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\udc80-\udcff]")
ENOUGH = ("must be ", "needs ", "exclude each other", "-h`", "nothing is written")
"""An error that says what is needed says what to do."""


def faults(words: list[str], code: Any, out: str, err: str, caught: list[BaseException]) -> list[str]:
    """What is wrong with how a command ended."""
    found = []
    error = caught[-1] if caught else None
    if isinstance(error, Hang):
        found.append(f"it hangs: after {LIMIT} s {''.join(traceback.format_tb(error.__traceback__)[-1:]).strip()}")
    elif code not in (0, 1, 2):
        found.append(f"exit code {code}: {type(error).__name__}: {error}")
    if "Traceback" in err or "a mistake of chainrule" in err:
        found.append(f"its own mistake: {type(error).__name__}")
    if "Warning" in err:
        found.append("a warning of Python")
    table = words[0] == "predict" and "--json" not in words  # its cells are the user's own, for programs
    for name, text in (("stderr", err), *([] if table else [("stdout", out)])):
        if sign := CONTROL.search(text):
            found.append(f"a control character on {name}: {text[max(0, sign.start() - 60) : sign.end() + 20]!r}")
    if code in (1, 2) and "error: " not in err and "broke down" not in out and '"reason"' not in out:
        found.append("it fails and says nothing")
    if isinstance(error, InputError):
        for problem in error.problems:
            if not problem.do and not problem.what.startswith("and ") and not any(each in str(problem) for each in ENOUGH):
                found.append(f"no word about what to do: {problem}")
        if len(str(error)) > 200_000:
            found.append("it says too much")
    return found


def place_of(error: BaseException | None) -> str:
    """Where in the program an exception was raised."""
    if error is None or isinstance(error, InputError):
        return ""
    return "".join(traceback.format_exception(error)[-6:])


def torment(first: int, cases: int, say: Callable[[str], None], most: int = 40, seconds: float = 1e9) -> int:
    """Runs cases; the number of those that failed. Each failure is told once for its kind."""
    place = Path(
        tempfile.mkdtemp(
            prefix="hostile-", dir=os.environ.get("TMPDIR", "/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        )
    )
    home, begun, failed, told = os.getcwd(), time.monotonic(), 0, Counter[str]()
    codes: Counter[tuple[str, Any]] = Counter()
    done = 0
    try:
        world = World(place)
        for seed in range(first, first + cases):
            if time.monotonic() - begun > seconds:
                break
            faulthandler.dump_traceback_later(3 * LIMIT, exit=True)
            words, _ = world.case(seed)
            code, out, err, caught = ran(words)
            done += 1
            codes[words[0], code] += 1
            for fault in faults(words, code, out, err, caught):
                failed += 1
                where = place_of(caught[-1] if caught else None)
                kind = fault.split(":")[0] + ":" + (where or re.sub(r"[0-9]+|'.*?'", "#", fault)[:90])
                told[kind] += 1
                if told[kind] == 1 and len(told) <= most:
                    say(f"seed {seed}: {fault}\n  {words!r}\n  {err[-600:]!r}\n{where}")
    finally:
        faulthandler.cancel_dump_traceback_later()
        os.chdir(home)
        shutil.rmtree(place, ignore_errors=True)
    listed = ", ".join(f"{command} {code}: {count:,}" for (command, code), count in sorted(codes.items(), key=str))
    say(f"{done:,} cases (seeds {first} to {first + done - 1}) in {time.monotonic() - begun:,.0f} s: {listed}")
    say(f"{failed:,} faults of {len(told)} kinds")
    return failed


def replay(seed: int) -> int:
    """One case, with all that is known of it."""
    place = Path(tempfile.mkdtemp(prefix="hostile-"))
    words, folder = World(place).case(seed)
    shutil.copytree(folder, place / "as it was", symlinks=True)
    code, out, err, caught = ran(words)
    print(f"chainrule {words!r}\nin {folder}; as it was before: {place / 'as it was'}")
    print(f"exit {code}\n--- stdout\n{out[:3000]!r}\n--- stderr\n{err[:6000]}")
    print(place_of(caught[-1] if caught else None))
    found = faults(words, code, out, err, caught)
    print("\n".join(found) or "nothing is wrong with that")
    return len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--seconds", type=float, default=1e9, help="no more cases after so long")
    parser.add_argument("--replay", type=int, metavar="SEED")
    given = parser.parse_args()
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    if given.replay is not None:
        sys.exit(bool(replay(given.replay)))
    failed = torment(given.first, given.cases, lambda text: print(text, flush=True), seconds=given.seconds)
    sys.exit(f"each is seen again with: python {sys.argv[0]} --replay SEED" if failed else 0)


if __name__ == "__main__":
    main()
