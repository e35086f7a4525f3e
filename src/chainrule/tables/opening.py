"""A file as text that DuckDB reads without doubt: UTF-8, one kind of line end, no blank lines; and what was done for it."""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import Problem, shown
from chainrule.tables.options import Options
from chainrule.tables.problems import failed
from chainrule.tables.scanning import Scan, blocks, scan

GZIP = b"\x1f\x8b"
RATIO, SMALL = 200, 100 * 2**20
"""A gzip file may unpack to this many times its size, or to this many bytes if that is more: beyond it, it is a bomb."""

MAGIC = (
    (b"PK\x03\x04", "a zip file, perhaps an Excel table", "save the table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "save the table as CSV"),
    (GZIP, "a gzip file", "call it .csv.gz, or unpack it"),
    (b"PAR1", "a Parquet file", "call it .parquet"),
    (b"PARE", "an encrypted Parquet file", "decrypt it"),
    (b"\x93NUMPY", "a NumPy array", "call it .npy"),
    (b"BZh", "a bzip2 file", "unpack it"),
    (b"\xfd7zXZ", "an xz file", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "unpack it"),
    (b"7z\xbc\xaf", "a 7z file", "unpack it"),
    (b"%PDF", "a PDF", "save the table as CSV"),
    (b"SQLite format 3", "an SQLite database", "save the table as CSV"),
    (b"ARROW1", "an Arrow file", "save the table as Parquet or CSV"),
    (b"\x89PNG", "a picture", "name a table"),
    (b"\x89HDF", "an HDF5 file", "save the table as CSV"),
    (b"\x7fELF", "a program", "name a table"),
)
"""First bytes of files that are no CSV: what they are, and what to do."""

BOMS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass
class Text:
    """A file in UTF-8 at `path`, that is `name` to the user. physical: the user's line of each of its lines, None if equal."""

    path: str
    name: str
    size: int
    lines: int
    quotes: bool
    odd: bool
    last: Any  # how often each sign is the last one of a line
    line_end: str
    physical: Any = None
    notes: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    source: str = ""  # the file of the user, if `path` is a copy of it
    state: tuple[int, int] = (0, 0)  # its size and time when it was first looked at

    def unchanged(self) -> None:
        """A RunError if the user's file is not the one any more that was looked at."""
        size, when = state_of(self.source or self.path)
        if (size, when) != self.state:
            what = "the file changed while it was read"
            raise failed(
                what, self.name, got=f"{self.state[0]:,} bytes before, {size:,} after", do="read it when it is complete"
            )


def state_of(path: str) -> tuple[int, int]:
    """Size and time of change of a file, (-1, 0) if it is gone."""
    try:
        found = os.stat(path)
    except OSError:
        return -1, 0
    return found.st_size, found.st_mtime_ns


def refuse_other(head: bytes, name: str) -> None:
    """A RunError that says what a file is, if its first bytes say that it is no CSV."""
    for start, what, do in MAGIC:
        if head.startswith(start):
            raise failed(f"this is {what}", name, do=do)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    if text.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml", b"<!--")):
        raise failed("this is a web page or XML", name, got=shown(text[:20].decode("ascii", "replace")), do="save it as CSV")
    if text.startswith((b'{"', b"{\n", b"{\r", b'[{"', b"[[", b"[\n", b"{}")):
        raise failed("this is JSON", name, got=shown(text[:20].decode("ascii", "replace")), do="save it as CSV")


def open_text(path: str, name: str, options: Options, folder: str) -> Text:
    """A text file, looked at and if needed rewritten into `folder`."""
    source, state = path, state_of(path)
    notes: list[str] = []
    with open(path, "rb") as stream:
        head = stream.read(4096)
    if head.startswith(GZIP) and name.lower().endswith(".gz"):
        path = unpacked(path, name, folder)
        notes.append("unpacked from gzip")
        with open(path, "rb") as stream:
            head = stream.read(4096)
    refuse_other(head, name)
    if options.encoding is None:
        for mark, encoding in BOMS:
            if head.startswith(mark):
                what = f"the file is {encoding.upper()}"
                raise failed(what, name, do=f"say --encoding {encoding}, or save it as UTF-8")
    elif codecs.lookup(options.encoding).name not in ("utf-8", "ascii", "utf-8-sig"):
        path = _recoded(path, name, options.encoding, folder)
        notes.append(f"read as {codecs.lookup(options.encoding).name}")
    seen = scan(path, name)
    warnings: list[Problem] = []
    line_end, physical = ("\\r\\n" if seen.pairs else "\\n"), None
    if not seen.regular or options.comment is not None:
        path, physical, told, warnings = _rewritten(path, name, seen, options, folder)
        notes += told
        line_end = "\\n"
        size, lines = os.path.getsize(path), len(physical)
    else:
        size, lines = seen.size, seen.lines
    return Text(
        path,
        name, size, lines, seen.quotes, seen.odd, seen.last, line_end, physical, tuple(notes), tuple(warnings), source, state
    )  # fmt: skip


def unpacked(path: str, name: str, folder: str) -> str:
    """A gzip file unpacked into `folder`; a RunError if it is damaged, or far larger than it looks."""
    most = max(SMALL, RATIO * os.path.getsize(path))
    out = _fresh(folder)
    written = 0
    try:
        with gzip.open(path, "rb") as packed, open(out, "wb") as stream:
            while block := packed.read(2**20):
                written += len(block)
                if written > most:
                    got = f"more than {most:,} bytes in {os.path.getsize(path):,} packed ones"
                    what = f"the gzip file unpacks to more than {RATIO} times its size"
                    raise failed(what, name, got=got, do="unpack it yourself if that is right")
                stream.write(block)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        what = "the gzip file is cut" if isinstance(error, EOFError) else "the gzip file is damaged"
        raise failed(what, name, got=f"{written:,} bytes could be unpacked; {error}", do="fetch or pack it again") from None
    except OSError as error:
        raise failed(f"the file cannot be unpacked: {(error.strerror or str(error)).lower()}", name, where=folder) from None
    return out


def _fresh(folder: str) -> str:
    return os.path.join(folder, f"{len(os.listdir(folder))}.csv")


def _recoded(path: str, name: str, encoding: str, folder: str) -> str:
    """A file written anew in UTF-8; a RunError that says where it is not what it is said to be."""
    out = _fresh(folder)
    decoder = codecs.getincrementaldecoder(encoding)()
    at, line = 0, 1
    with open(path, "rb") as stream, open(out, "wb") as recoded:
        while True:
            block = stream.read(2**20)
            try:
                text = decoder.decode(block, not block)
                if at == 0:
                    text = text.removeprefix("\ufeff")
                data = text.encode("utf-8")
            except UnicodeError as error:
                start = getattr(error, "start", 0)
                got = f"byte 0x{block[start]:02x} at about offset {at + start:,}" if start < len(block) else "its end"
                raise failed(f"the file is not {encoding}", name, got=got, do="say another --encoding", line=line) from None
            if not block:
                recoded.write(data)
                return out
            recoded.write(data)
            line += data.count(b"\n")
            at += len(block)


def _rewritten(path: str, name: str, seen: Scan, options: Options, folder: str) -> tuple[str, Any, list[str], list[Problem]]:
    """A file without blank lines and comments, all its lines ended by \\n; the line in the first file of each that is left."""
    out = _fresh(folder)
    comment = options.comment.encode() if options.comment is not None else None
    physical = array("q")
    number = blank = comments = 0
    inside = False
    ends: set[bytes] = set()
    with open(out, "wb") as stream:
        for block in blocks(path, name):
            if number == 0:
                block = block.removeprefix(codecs.BOM_UTF8)
            for line in block.splitlines(keepends=True):
                number += 1
                body = line.rstrip(b"\r\n")
                if not inside:
                    if not body.strip(b" \t") and (body == b"" or options.separator != "\t"):
                        blank += 1
                        continue
                    if comment is not None and body.lstrip(b" \t").startswith(comment):
                        comments += 1
                        continue
                    ends.add(line[len(body) :])
                inside ^= bool(body.count(b'"') & 1)
                physical.append(number)
                stream.write(body + b"\n")
    ends.discard(b"")
    notes = [f"{blank:,} blank line{'s' if blank > 1 else ''} left out"] if blank else []
    notes += [f"{comments:,} comment line{'s' if comments > 1 else ''} left out"] if comments else []
    told = ", ".join(sorted(repr(end.decode())[1:-1] for end in ends))
    warnings = []
    if len(ends) > 1:
        warnings.append(Problem("the file has different line ends", got=told, do="all are read as line ends", file=name))
    elif ends == {b"\r"}:
        what = "lines end with a carriage return alone"
        warnings.append(Problem(what, got=told, do="it is read as a line end", file=name))
    return out, np.frombuffer(physical, np.int64), notes, warnings
