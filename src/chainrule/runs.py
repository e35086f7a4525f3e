"""A run folder: what a training run leaves behind, so that it can go on, be judged, and be opened at any update."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from chainrule import files, history
from chainrule.errors import InputError, Problem, RunError, nearest, shown
from chainrule.files.texts import FileError
from chainrule.settings import Settings, read_settings

BEFORE_SETTINGS = ("checkpoints", "lock", "cache")
"""What a run folder may have before there is a run.toml."""


class Run:
    """A run folder. `create` makes one, `opened` finds one; both check what they are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings_file = folder / "run.toml"
        self.history_file = folder / "history.jsonl"
        self.model_file = folder / "model.safetensors"
        self.checkpoints = folder / "checkpoints"
        self.report_file = folder / "report.html"
        self.made: list[Path] = []

    @classmethod
    def create(cls, folder: Path, overwrite: bool = False) -> Run:
        """A new folder, or an emptied one. InputError if there is something in it that is not to be lost."""
        run = cls(folder)
        try:
            run._begin(overwrite)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(
                f"the run folder cannot be made: {reason}", got=shown(str(folder)), do="choose another place with -o"
            ) from None
        return run

    def _begin(self, overwrite: bool) -> None:
        """Makes the folder; an InputError if there is something in it that is not to be lost, an OSError if it cannot be."""
        folder = self.folder
        if folder.exists() and not folder.is_dir():
            raise InputError("the run folder is a file", got=shown(str(folder)), do="choose another name with -o")
        inside = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        if not self.settings_file.exists() and self._never_began(inside):
            inside = []
        if inside and not self.settings_file.exists():
            what = "the folder is not empty, and not a run folder"
            raise InputError(what, got=shown(", ".join(inside[:5])), do="choose another folder with -o")
        if inside and not overwrite:
            do = f"choose another with -o, go on with it (--resume {shown(str(folder))[1:-1]}), or --overwrite it"
            raise InputError("there is a run in this folder", got=shown(str(folder)), do=do)
        self.made = [path for path in (folder, *folder.parents) if not path.exists()]
        self.checkpoints.mkdir(parents=True, exist_ok=True)

    def _never_began(self, inside: list[str]) -> bool:
        """Whether this is all that a run has before it writes its settings: it was killed while it read its data."""
        checkpoints = any(self.checkpoints.iterdir()) if self.checkpoints.is_dir() else False
        return not checkpoints and all(name in BEFORE_SETTINGS or files.unfinished(name) for name in inside)

    def clear(self) -> None:
        """Deletes what an earlier run left here. Only for whoever holds the lock."""
        for file in (self.history_file, self.model_file, self.report_file, *self.checkpoints.iterdir()):
            if not file.is_dir():
                file.unlink(missing_ok=True)

    def vanish(self) -> None:
        """Takes back what `create` made, if no run ever began in the folder."""
        with suppress(OSError, RunError):  # somebody else may be beginning a run there
            if self.settings_file.exists() or not self._never_began([path.name for path in self.folder.iterdir()]):
                return
            with self.lock():
                for path in (self.checkpoints, self.folder / "cache"):
                    if path.is_dir():
                        path.rmdir()
                (self.folder / "lock").unlink()
            for path in self.made:
                path.rmdir()

    @classmethod
    def opened(cls, folder: Path) -> Run:
        """The run in a folder. RunError if there is none."""
        run = cls(folder)
        if not run.settings_file.is_file():
            near = [path.parent.name for path in folder.absolute().parent.glob("*/run.toml")]
            do = nearest(folder.name, near) if near else "give the folder that `chainrule train` wrote"
            raise RunError(Problem("this is not a run folder: it has no run.toml", file=str(folder), do=do))
        return run

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One writer at a time; what an earlier one was writing when it was killed is deleted."""
        with files.lock(self.folder):
            files.tidy(self.folder)
            files.tidy(self.checkpoints)
            yield

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
        file = str(self.history_file)
        try:
            lines = self.history_file.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RunError(Problem(f"the history cannot be read: {reason}", file=file, do=history.AGAIN)) from None
        found: list[dict[str, Any]] = []
        for number, line in enumerate(lines[:-1], 1):
            try:
                found.append(history.entry(line.decode(), found[-1] if found else None))
            except UnicodeDecodeError:
                raise RunError(Problem("the history is not UTF-8", file=file, line=number, do=history.AGAIN)) from None
            except FileError as error:
                (problem,) = error.problems
                raise RunError(Problem(problem.what, got=problem.got, do=history.AGAIN, file=file, line=number)) from None
        if not history.alike(found):
            raise RunError(Problem("the history has signals of different networks", file=file, do=history.AGAIN))
        return found

    # checkpoints

    def going(self, identity: Mapping[str, Any]) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
        """The newest state that can be used, None if the run has to begin at the beginning; and what was skipped, in words."""
        if not files.steps(self.checkpoints):
            return None, ()
        path, skipped = files.newest(self.checkpoints, allow_nonfinite=True)
        state = files.read_checkpoint(path, identity, allow_nonfinite=True)
        return state, tuple(f"{each.name} is skipped: {reason}" for each, reason in skipped)

    def before(self, updates: int, identity: Mapping[str, Any]) -> dict[str, Any] | None:
        """The latest state with at most so many updates; None if that is the beginning."""
        for step, path in files.steps(self.checkpoints):
            if step <= updates:
                try:
                    return files.read_checkpoint(path, identity, allow_nonfinite=True)
                except RunError:
                    continue  # an earlier one will do: a replay only takes longer
        return None


HEAD = """# A training run of chainrule: all of its settings as they were resolved. `chainrule train --resume` goes on with it.

"""


def digest(parameters: Any) -> str:
    """A fingerprint of parameters, to the last bit."""
    return hashlib.sha256(parameters.tobytes()).hexdigest()[:16]
