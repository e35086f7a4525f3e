"""Checkpoints: all that training goes on from, in one file, so that no part of it can be of another moment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chainrule.errors import Problem, RunError, shown
from chainrule.files.reading import read, write
from chainrule.files.state import apart, together
from chainrule.files.texts import AGAIN, FileError

_STEP = re.compile(r"step-(\d{1,18})\.safetensors$")


def step_name(step: int) -> str:
    """The file name of the checkpoint after so many updates."""
    return f"step-{step:012d}.safetensors"


def steps(folder: str | os.PathLike[str]) -> list[tuple[int, Path]]:
    """(updates done, path) of every checkpoint of a folder, newest first: by the number in the name, never by a clock.
    None if there is no folder. Raises RunError for one that cannot be read."""
    found = ((_STEP.fullmatch(path.name), path) for path in inside(folder))
    return sorted(((int(match[1]), path) for match, path in found if match), reverse=True)


def inside(folder: str | os.PathLike[str]) -> list[Path]:
    try:
        return sorted(Path(folder).iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(
            Problem(f"the folder of checkpoints cannot be read: {reason}", file=os.fspath(folder), do="check its rights")
        ) from None


def write_checkpoint(
    path: str | os.PathLike[str],
    state: Mapping[str, Any],
    *,
    step: int,
    identity: Mapping[str, Any],
    allow_nonfinite: bool = False,
) -> None:
    """Puts a state to disk, whole or not at all, in place of what stands at `path`.

    state: a dict of dicts, lists, arrays, numbers and texts: it comes back bit for bit. step: the updates done. identity:
    what the run is of, as texts and numbers by name (fingerprints of the data and the settings, the seed): a checkpoint of
    another run is refused by it. Raises SaveError, and RunError for numbers that are not finite unless they are allowed.
    """
    tensors, document = apart(dict(state))
    write(path, tensors, {"step": step, "identity": dict(identity), "state": document}, "checkpoint", allow_nonfinite)


def read_checkpoint(
    path: str | os.PathLike[str], identity: Mapping[str, Any] | None = None, allow_nonfinite: bool = False
) -> dict[str, Any]:
    """The state that was written. Raises RunError unless every bit of it is as it was, and it is of this `identity`."""
    tensors, document = _read(path, allow_nonfinite)
    if identity is not None:
        _refuse_another(os.fspath(path), document["identity"], identity)
    try:
        state = together(tensors, document["state"])
        if not isinstance(state, dict):
            raise FileError("the checkpoint holds no table", got=shown(state))
        return state
    except FileError as error:
        raise error.at(os.fspath(path)) from None


def step_of(path: str | os.PathLike[str], allow_nonfinite: bool = True) -> int:
    """The updates done at a checkpoint. Raises RunError unless every bit of the file is as it was written."""
    return int(_read(path, allow_nonfinite)[1]["step"])


def identity_of(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What run a checkpoint is of. Raises RunError as `step_of` does."""
    return dict(_read(path, True)[1]["identity"])


def _read(path: str | os.PathLike[str], allow_nonfinite: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        tensors, document = read(path, "checkpoint", allow_nonfinite)
    except FileError as error:
        raise _offering_older(error, Path(path)) from None
    step, identity = document.get("step"), document.get("identity")
    if set(document) != {"step", "identity", "state"} or type(step) is not int or step < 0 or not isinstance(identity, dict):
        raise FileError("the checkpoint lacks what every checkpoint has", got=shown(sorted(document))).at(os.fspath(path))
    return tensors, document


def _offering_older(error: FileError, path: Path) -> FileError:
    """The same, and the checkpoint before this one in its folder, if there is one."""
    match, problem = _STEP.fullmatch(path.name), error.problems[0]
    if match is None or problem.do != AGAIN:
        return error
    older = [each.name for step, each in steps(path.parent) if step < int(match[1])]
    do = f"use the one before it: {older[0]}" if older else "train again: there is no older one in this folder"
    return FileError(problem.what, problem.where, problem.got, do, problem.file)


def _refuse_another(path: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """RunError if a checkpoint is of another run, with what differs."""
    differ = [
        name for name in {**wanted, **found} if found.get(name) != wanted.get(name) or (name in found) != (name in wanted)
    ]
    if differ:
        told = "; ".join(f"{name}: {shown(found.get(name))} there, {shown(wanted.get(name))} here" for name in differ)
        do = "use the data and settings of that run, or begin anew with --force-new"
        raise RunError(Problem("the checkpoint is of another run", file=path, got=told, do=do))
