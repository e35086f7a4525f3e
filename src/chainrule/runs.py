"""A run folder: what a training run leaves behind, so that it can go on, be judged, and be opened at any update."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import fields
from pathlib import Path
from typing import Any

from chainrule import files
from chainrule.course import Checkpoint, Epoch, Learned, Midway
from chainrule.errors import InputError, Problem, RunError, nearest, shown
from chainrule.settings import Settings, read_settings

NEWEST = 3
"""Checkpoints kept to go on from."""

SPREAD = 8
"""Checkpoints kept all along the run, so that a replay never has far to go."""


class Run:
    """A run folder. `create` makes one, `opened` finds one; both check what they are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings_file = folder / "run.toml"
        self.history_file = folder / "history.jsonl"
        self.model_file = folder / "model.safetensors"
        self.checkpoints = folder / "checkpoints"
        self.report_file = folder / "report.html"

    @classmethod
    def create(cls, folder: Path, overwrite: bool = False) -> Run:
        """A new folder, or an emptied one. InputError if there is something in it that is not to be lost."""
        run = cls(folder)
        if folder.exists() and not folder.is_dir():
            raise InputError("the run folder is a file", got=shown(str(folder)), do="choose another name with -o")
        inside = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        if inside and not run.settings_file.exists():
            what = "the folder is not empty, and not a run folder"
            raise InputError(what, got=shown(", ".join(inside[:5])), do="choose another folder with -o")
        if inside and not overwrite:
            do = f"choose another with -o, go on with it (--resume {shown(str(folder))[1:-1]}), or --overwrite it"
            raise InputError("there is a run in this folder", got=shown(str(folder)), do=do)
        try:
            run.checkpoints.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(
                f"the run folder cannot be made: {reason}", got=shown(str(folder)), do="choose another place with -o"
            ) from None
        return run

    def clear(self) -> None:
        """Deletes what an earlier run left here. Only for whoever holds the lock."""
        for file in (self.history_file, self.model_file, self.report_file, *self.checkpoints.iterdir()):
            file.unlink(missing_ok=True)

    @classmethod
    def opened(cls, folder: Path) -> Run:
        """The run in a folder. RunError if there is none."""
        run = cls(folder)
        if not run.settings_file.is_file():
            near = [path.parent.name for path in folder.absolute().parent.glob("*/run.toml")]
            do = nearest(folder.name, near) if near else "give the folder that `chainrule train` wrote"
            raise RunError(Problem("this is not a run folder: it has no run.toml", file=str(folder), do=do))
        return run

    def lock(self) -> AbstractContextManager[None]:
        """One writer at a time."""
        return files.lock(self.folder)

    # settings and history

    def write_settings(self, settings: Settings, facts: Mapping[str, Any]) -> None:
        """run.toml: every setting as resolved, and what the data was."""
        files.write_text(self.settings_file, HEAD + settings.as_toml(facts=facts))

    def read_settings(self) -> tuple[Settings, dict[str, Any]]:
        """The settings, and the facts about the data."""
        found, more = read_settings(str(self.settings_file), extra=("facts",))
        return Settings(**found), dict(more.get("facts", {}))

    def history(self) -> list[dict[str, Any]]:
        """A table for each epoch. A line that was being written when the run was cut off is left out."""
        try:
            lines = self.history_file.read_text("utf-8").split("\n")
        except FileNotFoundError:
            return []
        found = []
        for number, line in enumerate(lines[:-1], 1):
            try:
                found.append(json.loads(line))
            except ValueError:
                do = "resume the run: its checkpoint has the whole history"
                raise RunError(Problem("this line of the history is damaged", file=str(self.history_file), line=number, do=do)) from None
        return found

    # checkpoints

    def going(self, identity: Mapping[str, Any]) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
        """The newest state that can be used, None if the run has to begin at the beginning; and what was skipped, in words."""
        if not files.steps(self.checkpoints):
            return None, ()
        path, skipped = files.newest(self.checkpoints)
        return files.read_checkpoint(path, identity), tuple(f"{each.name} is skipped: {reason}" for each, reason in skipped)

    def before(self, updates: int, identity: Mapping[str, Any]) -> dict[str, Any] | None:
        """The latest state with at most so many updates; None if that is the beginning."""
        for step, path in files.steps(self.checkpoints):
            if step <= updates:
                try:
                    return files.read_checkpoint(path, identity)
                except RunError:
                    continue  # an earlier one will do: a replay only takes longer
        return None


HEAD = """# A training run of chainrule: all of its settings as they were resolved. `chainrule train --resume` goes on with it.

"""


class Recorder:
    """Writes a run down while it trains: a callback and a `between` for `epochs.learn`.

    save_model(weights): puts the best weights to disk. measure(parameters, memory): what else is told of an epoch. warn:
    is told in words what went wrong and did not end the run. stop: whether somebody wants the run to end.
    """

    def __init__(
        self,
        run: Run,
        identity: Mapping[str, Any],
        every: float,
        *,
        save_model: Callable[[Checkpoint], None],
        measure: Callable[[Checkpoint], dict[str, Any]],
        told: Callable[[Epoch], None],
        warn: Callable[[str], None],
        stop: Callable[[], bool],
        history: list[dict[str, Any]] | None = None,
    ) -> None:
        self.run, self.identity, self.every = run, identity, every
        self.save_model, self.measure, self.told, self.warn, self.stop = save_model, measure, told, warn, stop
        self.history: list[dict[str, Any]] = list(history or [])
        self._fresh: Epoch | None = None
        self._saved_at, self._saved_best, self._warned_at = time.monotonic(), -1, -math.inf
        self._rewrite_history()

    def callback(self, epoch: Epoch) -> None:
        self._fresh = epoch

    def between(self, midway: Callable[[], Midway]) -> bool:
        """Called several times a second."""
        if self._fresh is not None:
            self._note(midway().last)
        stop = self.stop()
        if not stop and time.monotonic() - self._saved_at >= self.every:
            self.save(midway())
        return stop

    def ended(self, learned: Learned) -> None:
        """The last epoch and the last checkpoint. A run that was stopped can go on from it."""
        if self._fresh is not None:
            self._note(learned.last)
        if learned.midway is not None:
            self.save(learned.midway, must=True)
        else:
            last = Midway(learned.last, learned.best, learned.best_epoch, epochs=learned.epochs)
            self.save(last, must=True, ended=learned.reason, trouble=learned.trouble)

    def _note(self, at: Checkpoint) -> None:
        """A line of the history."""
        epoch, self._fresh = self._fresh, None
        assert epoch is not None
        entry = {**_told_of(epoch), "parameters": digest(at.parameters), **self.measure(at)}
        self.history.append(entry)
        try:
            with open(self.run.history_file, "a", encoding="utf-8") as stream:
                stream.write(_line(entry))
        except OSError as error:
            self._complain(f"the history could not be written: {(error.strerror or str(error)).lower()}")
        self.told(epoch)

    def _rewrite_history(self) -> None:
        files.write_text(self.run.history_file, "".join(map(_line, self.history)))

    def save(self, midway: Midway, must: bool = False, **more: Any) -> None:
        """A checkpoint, and the best weights if they are others than last time. What fails is told, and tried again; it
        raises only if it `must` succeed."""
        state = {"midway": plain(midway), "history": self.history, **more}
        step = midway.last.updates
        try:
            if midway.best_epoch != self._saved_best:
                self.save_model(midway.best)
                self._saved_best = midway.best_epoch
            path = self.run.checkpoints / files.step_name(step)
            files.write_checkpoint(path, state, step=step, identity=self.identity, allow_nonfinite=True)
            self._thin(step)
        except files.SaveError as error:
            if must:
                raise
            self._complain(f"{error.problems[0].what}: training goes on, and this is tried again")
        self._saved_at = time.monotonic()

    def _complain(self, text: str) -> None:
        """Says what went wrong, once a minute."""
        if time.monotonic() - self._warned_at >= 60:
            self._warned_at = time.monotonic()
            self.warn(text)

    def _thin(self, upto: int) -> None:
        """Keeps the newest few, and of the others some that lie evenly along the run."""
        steps = [step for step, _ in files.steps(self.run.checkpoints) if step <= upto]
        older = steps[NEWEST:]
        kept = set()
        for k in range(SPREAD):
            wanted = upto * (k + 1) / (SPREAD + 1)
            if older:
                kept.add(min(older, key=lambda step: abs(step - wanted)))
        for step in older:
            if step not in kept:
                (self.run.checkpoints / files.step_name(step)).unlink(missing_ok=True)


def digest(parameters: Any) -> str:
    """A fingerprint of parameters, to the last bit."""
    return hashlib.sha256(parameters.tobytes()).hexdigest()[:16]


def _told_of(epoch: Epoch) -> dict[str, Any]:
    names = ("number", "updates", "loss", "penalty", "validation", "rate", "best", "seconds")
    return {name: getattr(epoch, name) for name in names if getattr(epoch, name) is not None}


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, allow_nan=True) + "\n"


def plain(midway: Midway) -> dict[str, Any]:
    """Where a run stands, as tables, lists, arrays, numbers and texts."""
    held = {entry.name: getattr(midway, entry.name) for entry in fields(Midway)}
    for name in ("last", "best", "before"):
        held[name] = None if held[name] is None else dict(vars(held[name]))
    held["epochs"] = [dict(vars(epoch)) for epoch in midway.epochs]
    return held


def midway_from(held: Mapping[str, Any]) -> Midway:
    """The inverse of `plain`."""
    made = dict(held)
    for name in ("last", "best", "before"):
        made[name] = None if made[name] is None else Checkpoint(**made[name])
    made["epochs"] = tuple(Epoch(**epoch) for epoch in made["epochs"])
    return Midway(**made)
