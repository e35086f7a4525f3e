"""Which files a table is made of: a name, a list, a pattern, a folder of parts, the standard input; why one cannot be read."""

from __future__ import annotations

import difflib
import glob
import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from chainrule.errors import InputError, Problem, RunError, shown
from chainrule.tables.problems import failed

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".parquet", ".npy", ".npz")
MOST_FILES = 10_000


@dataclass(frozen=True)
class Source:
    """One file: where it is, what messages call it, its format, and the columns that its folders give (key=value)."""

    path: str
    name: str
    format: str
    given: dict[str, str] = field(default_factory=dict)


def find(source: Any, folder: str) -> list[Source]:
    """The files of a table, each looked at: there, regular, readable. `folder`: where what comes from a pipe is kept."""
    if isinstance(source, (str, os.PathLike)):
        return _one(os.fspath(source), folder)
    if not isinstance(source, Iterable) or isinstance(source, bytes):
        raise InputError(
            "a table is read from the name of a file, or from a list of names",
            got=shown(type(source).__name__),
            do="name a file",
        )
    names = list(source)
    if not names:
        raise InputError("no file is named", do="name at least one")
    found: list[Source] = []
    problems: list[Problem] = []
    for name in names:
        if not isinstance(name, (str, os.PathLike)):
            raise InputError("a file is named by text", got=shown(name), do="name a file")
        try:
            found += _one(os.fspath(name), folder)
        except RunError as error:
            problems += error.problems
    if problems:
        raise RunError(*problems)
    return found


def _one(name: Any, folder: str) -> list[Source]:
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    if name == "-":
        return [Source(_piped(folder), "standard input", "csv")]
    if name == "" or "\0" in name:
        raise InputError("this cannot be the name of a file", got=shown(name), do="name a file")
    if not name.isprintable() and any(0xD800 <= ord(sign) < 0xE000 for sign in name):
        raise InputError("the name of the file is not UTF-8", got=shown(name), do="rename the file")
    if glob.has_magic(name) and not os.path.lexists(name):
        return _matching(name)
    if os.path.isdir(name):
        parts = _parts(name)
        if parts:
            return parts
    return [_checked(name)]


def _matching(pattern: str) -> list[Source]:
    names = sorted(name for name in glob.iglob(pattern, recursive=True) if not os.path.isdir(name))
    if not names:
        where = os.path.abspath(os.path.dirname(pattern) or ".")
        raise failed("no file matches this pattern", shown(pattern)[1:-1], where=f"in {where}", do="check the pattern")
    return _all(names)


def _all(names: list[str], root: str | None = None) -> list[Source]:
    if len(names) > MOST_FILES:
        raise failed(f"{len(names):,} files are meant", root or names[0], do=f"at most {MOST_FILES:,} are read together")
    found = [_checked(name, root) for name in names]
    kinds = sorted({each.format for each in found})
    if len(kinds) > 1:
        raise failed("files of different formats make no table", root or names[0], got=", ".join(kinds), do="name one kind")
    keys = {tuple(sorted(each.given)) for each in found}
    if len(keys) > 1:
        got = "; ".join(", ".join(key) or "none" for key in sorted(keys))
        raise failed("the folders of the parts have different names", root or names[0], got=got, do="name them all key=value")
    return found


def _parts(folder: str) -> list[Source]:
    """The files of a folder that is partitioned as key=value; none if it is an ordinary folder."""
    names: list[str] = []
    try:
        below = [each for each in os.scandir(folder) if "=" in each.name.strip("=") and each.is_dir()]
    except OSError as error:
        raise _unreadable(folder, error) from None
    for part in sorted(each.path for each in below):
        for here, inner, files in os.walk(part):  # links to folders are not followed: no loops
            inner.sort()
            names += [
                os.path.join(here, each) for each in sorted(files) if each.lower().endswith(ENDINGS) and each[0] not in "._"
            ]
    if below and not names:
        raise failed("the parts of this folder hold no table", folder, do="name a folder with .csv or .parquet files")
    return _all(names, folder) if names else []


def _keys(name: str, root: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for step in os.path.relpath(os.path.dirname(name), root).split(os.sep):
        key, sign, value = step.partition("=")
        if sign and key:
            given[unquote(key)] = "" if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
    return given


def _checked(name: str, root: str | None = None) -> Source:
    try:
        kind = os.stat(name).st_mode
        if stat.S_ISDIR(kind):
            inside = sorted(each for each in os.listdir(name) if each.lower().endswith(ENDINGS))
            more = f" and {len(inside) - 5} more" if len(inside) > 5 else ""
            do = "it holds " + ", ".join(shown(each)[1:-1] for each in inside[:5]) + more if inside else "it holds no table"
            raise failed("this is a folder", name, do=do)
        if not stat.S_ISREG(kind):
            what = {stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}
            do = "name a file that has an end; a pipe can be read as - (the standard input)"
            raise failed(f"this is not a regular file but {what.get(stat.S_IFMT(kind), 'something else')}", name, do=do)
        with open(name, "rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise _unreadable(name, error) from None
    return Source(name, name, _format(name, head), _keys(name, root) if root is not None else {})


def _format(name: str, head: bytes) -> str:
    lower = name.lower()
    for ending in ("parquet", "npy", "npz"):
        if lower.endswith("." + ending):
            return ending
    return "csv"


def _unreadable(name: str, error: OSError) -> RunError:
    path = os.path.abspath(name)
    if isinstance(error, FileNotFoundError):
        folder, last = os.path.split(path)
        if os.path.islink(name):
            return failed("this link leads to no file", path, got=shown(os.readlink(name)), do="mend the link")
        if not os.path.isdir(folder):
            return failed("there is no such file", path, do=f"there is no folder {shown(folder)} either")
        try:
            near = [each for each in os.listdir(folder) if each.lower().endswith(ENDINGS)]
        except OSError:
            near = []
        close = difflib.get_close_matches(last, near, n=3, cutoff=0.6)
        do = f"did you mean {' or '.join(shown(each)[1:-1] for each in close)}?" if close else "check the name"
        if not close and near:
            do = f"the folder holds {', '.join(shown(each)[1:-1] for each in sorted(near)[:5])}"
        return failed("there is no such file", path, do=do)
    if isinstance(error, PermissionError):
        return failed("the file may not be read", path, got=_rights(name), do="change its rights, or ask its owner")
    if "symbolic" in (error.strerror or ""):
        return failed("this link leads round in a circle", path, do="mend the link")
    return failed(f"the file cannot be read: {(error.strerror or str(error)).lower()}", name, do="check its name")


def _rights(name: str) -> str:
    try:
        found = os.stat(name)
    except OSError:
        return "a folder above it is closed"
    try:
        import pwd

        owner = pwd.getpwuid(found.st_uid).pw_name
    except (ImportError, KeyError):
        owner = str(found.st_uid)
    return f"owner {owner}, mode {stat.filemode(found.st_mode)}"


def _piped(folder: str) -> str:
    """All of the standard input, in a file; refused where a person would have to type it."""
    if sys.stdin is None or sys.stdin.closed:
        raise InputError("the standard input is closed", do="name a file")
    if sys.stdin.isatty():
        raise InputError("a table is awaited from the standard input, and that is a terminal", do="name a file, or pipe one in")
    path = os.path.join(folder, "stdin.csv")
    stream: Any = getattr(sys.stdin, "buffer", sys.stdin)
    with open(path, "wb") as out:
        while block := stream.read(2**20):
            out.write(block if isinstance(block, bytes) else block.encode("utf-8", "surrogateescape"))
    if os.path.getsize(path) == 0:
        raise failed("nothing came from the standard input", "standard input", do="pipe a table in, or name a file")
    return path
