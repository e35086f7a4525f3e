"""A folder of checkpoints: which is the newest that can be used, which may go, and who writes there."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from chainrule.errors import Problem, RunError, printable
from chainrule.files import checkpoints
from chainrule.files.checkpoints import inside, steps
from chainrule.files.disk import TEMPORARY

_LOCK = "lock"


def newest(folder: str | os.PathLike[str], allow_nonfinite: bool = False) -> tuple[Path, tuple[tuple[Path, str], ...]]:
    """The newest checkpoint that can be used, and those that were skipped, each with its reason.

    Every byte of it has been checked. One with NaN or infinities cannot be used unless they are allowed. Raises RunError,
    with every reason, if there is none.
    """
    skipped: list[tuple[Path, str]] = []
    for step, path in steps(folder):
        try:
            held = checkpoints.step_of(path, allow_nonfinite)
            if held == step:
                return path, tuple(skipped)
            skipped.append((path, f"it holds update {held:,}, not {step:,}"))
        except RunError as error:
            skipped.append((path, _reason(error)))
    left = [path.name for path in inside(folder) if unfinished(path.name)]
    told = [f"{path.name}: {reason}" for path, reason in skipped]
    told += [f"{name}: it was never finished" for name in left]
    raise RunError(
        Problem(
            "no checkpoint can be used" if told else "there is no checkpoint",
            file=os.fspath(folder),
            got="; ".join(told[:20]),
            do="train again from the beginning, in another folder",
        )
    )


def _reason(error: RunError) -> str:
    problem = error.problems[0]
    return " - ".join(part for part in (problem.what, problem.where, problem.got) if part)


def prune(folder: str | os.PathLike[str], keep: int, upto: int) -> None:
    """Deletes all but the newest `keep` of the checkpoints up to update `upto`, the one that was just written. Later
    ones stay: training went on from an older one because they could not be used. What cannot be deleted stays, too."""
    for _, path in [entry for entry in steps(folder) if entry[0] <= upto][max(1, keep) :]:
        with suppress(OSError):
            path.unlink()


def unfinished(name: str) -> bool:
    """Whether a file of this name was never finished: its process ended before, or is still writing."""
    return TEMPORARY.search(name) is not None


def tidy(folder: str | os.PathLike[str]) -> None:
    """Deletes files that were never finished. Only for whoever holds the folder's lock: nobody else writes there."""
    for path in inside(folder):
        if unfinished(path.name):
            with suppress(OSError):
                path.unlink()


@contextmanager
def lock(folder: str | os.PathLike[str]) -> Iterator[None]:
    """One writer at a time: held until the block ends, or the process does, however that happens.

    Raises RunError that names the process that holds it and since when. The folder must exist.
    """
    path = os.path.join(folder, _LOCK)
    try:
        made = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        do = "choose a folder that you may write to"
        raise RunError(Problem("the folder cannot be locked", file=os.fspath(folder), got=str(error.strerror), do=do)) from None
    try:
        try:
            _claim(made)
        except BlockingIOError:
            raise RunError(_taken(made, os.fspath(folder))) from None
        except OSError as error:
            do = "choose a folder on another disk"
            what = "this file system cannot keep a second run out of the folder"
            raise RunError(Problem(what, file=os.fspath(folder), got=str(error.strerror), do=do)) from None
        os.ftruncate(made, 0)
        os.pwrite(made, json.dumps({"pid": os.getpid(), "since": time.time()}).encode(), 0)
        yield
        os.ftruncate(made, 0)
    finally:
        os.close(made)


def _claim(made: int) -> None:
    import fcntl

    fcntl.flock(made, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _taken(made: int, folder: str) -> Problem:
    holder = ""
    with suppress(ValueError, KeyError, TypeError, OSError, OverflowError):
        told: Any = json.loads(os.pread(made, 1000, 0))
        since = datetime.fromtimestamp(float(told["since"])).astimezone()
        holder = f"process {int(told['pid'])}, since {since:%Y-%m-%d %H:%M:%S}"
    do = "wait until it has ended, or choose another folder"
    return Problem("another run writes into this folder", file=folder, got=printable(holder), do=do)
