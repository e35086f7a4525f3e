"""A file is written whole or not at all, whatever happens on the way."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import InputError, Problem, RunError, nearest
from chainrule.files.container import Prepared

TEMPORARY = re.compile(r"\.tmp-\d+-[0-9a-f]{8}$")
"""What the name of a file that is still being written ends with."""

CHUNK = 2**20


class Calls:
    """Every call by which files are written and read. A test puts others in their place, which fail."""

    open = staticmethod(os.open)
    write = staticmethod(os.write)
    read = staticmethod(os.read)
    readv = staticmethod(os.readv)
    fsync = staticmethod(os.fsync)
    fchmod = staticmethod(os.fchmod)
    close = staticmethod(os.close)
    stat = staticmethod(os.stat)
    fstat = staticmethod(os.fstat)
    replace = staticmethod(os.replace)
    unlink = staticmethod(os.unlink)
    statvfs = staticmethod(os.statvfs)


calls: Any = Calls()


class SaveError(RunError):
    """A file could not be written; what stood there before still stands. `errno` is the system's number for why."""

    def __init__(self, problem: Problem, number: int | None = None) -> None:
        super().__init__(problem)
        self.errno = number


def save(path: str | os.PathLike[str], prepared: Prepared, overwrite: bool = True) -> None:
    """Puts the file at `path`: it is written beside it, brought to the disk, read again and checked, and only then takes
    the name. A name that is a link keeps pointing where it points.

    Raises InputError if there is a file and `overwrite` is not set, and SaveError if anything goes wrong: then the old
    file is as it was, and nothing else is left behind.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    shown_as = os.fspath(path)
    if not overwrite and os.path.lexists(path):
        raise InputError(Problem("the file exists", file=shown_as, do="choose another name, or overwrite=True (--overwrite)"))
    temporary = os.path.join(folder, _temporary(name))
    try:
        mode = _mode(target)
        _room(folder, prepared.size)
        made = calls.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
        try:
            if mode is not None:
                calls.fchmod(made, mode)
            for part in (memoryview(prepared.header), *prepared.parts):
                _write(made, part)
            _to_disk(made)
        finally:
            calls.close(made)
        _check(temporary, prepared)
        calls.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            calls.unlink(temporary)
        if isinstance(error, OSError):
            raise SaveError(_problem(error, shown_as, folder, prepared.size), error.errno) from None
        raise
    try:
        _folder_to_disk(folder)
    except OSError as error:
        what = "the file is written, but it is not certain that it would outlast a power failure"
        raise SaveError(Problem(what, file=shown_as, got=_words(error), do="save it again"), error.errno) from None


def _temporary(name: str) -> str:
    """A name of its own for what is not finished yet, within the 255 bytes that a name may have."""
    ending = f".tmp-{os.getpid()}-{os.urandom(4).hex()}"
    while len(os.fsencode(name)) + len(ending) > 255:
        name = name[:-1]
    return name + ending


def _mode(target: str) -> int | None:
    """The rights of the file that is replaced; None if there is none: the system's umask decides then."""
    try:
        found = calls.stat(target)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a folder or a device stands there")
    return stat.S_IMODE(found.st_mode)


def _room(folder: str, needed: int) -> None:
    free = free_space(folder)
    if free is not None and free < needed:
        raise OSError(errno.ENOSPC, f"{needed:,} bytes needed, {free:,} free")


def free_space(folder: str | os.PathLike[str]) -> int | None:
    """Bytes that a folder's file system can still take; None if it does not say."""
    try:
        found = calls.statvfs(folder)
    except (OSError, AttributeError):
        return None
    return int(found.f_bavail * found.f_frsize)


def _write(made: int, part: memoryview) -> None:
    """All of it: the system may take less than it is given."""
    while part.nbytes:
        count = calls.write(made, part[: 2**30])
        if not count:
            raise OSError(errno.EIO, "nothing was written")
        part = part[count:]


def _to_disk(made: int) -> None:
    try:
        import fcntl

        full = fcntl.F_FULLFSYNC  # type: ignore[attr-defined]
    except (ImportError, AttributeError):
        calls.fsync(made)
        return
    fcntl.fcntl(made, full)  # a Mac's fsync stops short of the disk


def _folder_to_disk(folder: str) -> None:
    """So that the new name outlasts a power failure too. Not every system can."""
    if os.name == "nt":
        return
    try:
        made = calls.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder may be written to and not read
        return
    try:
        calls.fsync(made)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        calls.close(made)


def _check(temporary: str, prepared: Prepared) -> None:
    """Reads what was written: the disk must hold what was meant."""
    made = calls.open(temporary, os.O_RDONLY)
    try:
        digest, wanted = hashlib.sha256(), len(prepared.header)
        header = b"".join(_chunks(made, wanted))
        for chunk in _chunks(made, prepared.size - wanted):
            digest.update(chunk)
        same = header == prepared.header and digest.hexdigest() == prepared.payload_sha256
        if not same or calls.read(made, 1):
            raise OSError(errno.EIO, "what was read again differs from what was written")
    finally:
        calls.close(made)


def _chunks(made: int, count: int) -> Iterator[bytes]:
    while count:
        chunk = calls.read(made, min(count, CHUNK))
        if not chunk:
            return
        count -= len(chunk)
        yield chunk


def _words(error: OSError) -> str:
    """What a system's error means, in lower case and without its number."""
    text = error.strerror or type(error).__name__
    return text[:1].lower() + text[1:]


def _problem(error: OSError, path: str, folder: str, size: int) -> Problem:
    """What went wrong with a save, and what to do."""
    do = {
        errno.ENOSPC: "free some space, or choose another disk",
        errno.EDQUOT: "free some space of your quota, or choose another disk",
        errno.EFBIG: "raise the limit on a file's size (ulimit -f)",
        errno.EACCES: f"choose a folder that you may write to, or change the rights of {folder}",
        errno.EPERM: f"choose a folder that you may write to, or change the rights of {folder}",
        errno.EROFS: "choose another folder: this disk can only be read",
        errno.ENAMETOOLONG: "choose a shorter name",
        errno.ENOENT: f"make the folder first: {folder}",
        errno.ENOTDIR: "choose another folder: a part of this path is a file",
        errno.EISDIR: "choose another name",
        errno.EMFILE: "close some files, or raise the limit (ulimit -n)",
    }.get(error.errno or 0, "try again; if it stays so, the disk may be failing")
    return Problem("the file could not be written; what stood there is untouched", file=path, got=_words(error), do=do)


class Opened:
    """A file that is read piece by piece. Raises RunError, in words, for what is no file that can be read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        try:
            # without O_NONBLOCK a named pipe would wait for somebody who writes
            self._made = calls.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except (OSError, ValueError) as error:
            raise RunError(_unreadable(error, self.path)) from None
        found = calls.fstat(self._made)
        self.size = found.st_size
        if not stat.S_ISREG(found.st_mode):
            calls.close(self._made)
            raise RunError(_no_file(found.st_mode, self.path))

    def at(self, start: int, count: int) -> Any:
        """(up to count,) bytes from `start` on, as np.uint8: fewer if the file ends before."""
        data: Any = np.empty(max(0, min(count, self.size - start)), np.uint8)
        os.lseek(self._made, start, os.SEEK_SET)
        done = 0
        while done < len(data):
            try:
                count = calls.readv(self._made, [memoryview(data)[done : done + 2**30]])
            except OSError as error:
                problem = Problem("the file cannot be read", file=self.path, got=_words(error), do="the disk may be failing")
                raise RunError(problem) from None
            if not count:
                return data[:done]
            done += count
        return data

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        calls.close(self._made)


def _unreadable(error: OSError | ValueError, path: str) -> Problem:
    """Why a file cannot be opened, and what may have been meant."""
    place = Path(path)
    if isinstance(error, ValueError):  # a NUL in the name
        return Problem("no file can have this name", file=path, do="check the name")
    if isinstance(error, FileNotFoundError):
        where = os.path.abspath(path)
        with suppress(OSError):
            others = [each.name for each in place.parent.iterdir() if each.suffix == ".safetensors"]
            if others:
                return Problem("there is no such file", file=where, do=nearest(place.name, others[:20]))
        return Problem("there is no such file", file=where, do="check the name")
    if isinstance(error, PermissionError):
        return Problem("the file may not be read", file=path, do="change its rights: chmod u+r")
    return Problem("the file cannot be opened", file=path, got=_words(error), do="check the name, and the file's rights")


def _no_file(mode: int, path: str) -> Problem:
    if not stat.S_ISDIR(mode):
        return Problem("not a file but a device or a pipe", file=path, do="give a file")
    names = ""
    with suppress(OSError):
        names = ", ".join(sorted(each.name for each in Path(path).iterdir() if each.suffix == ".safetensors")[:5])
    return Problem("a folder, not a file", file=path, do=f"give one of the files in it: {names}" if names else "give a file")
