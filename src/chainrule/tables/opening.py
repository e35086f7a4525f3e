"""A file as text that DuckDB reads without doubt: UTF-8, one kind of line end, no blank lines; and what was done to get there."""

from __future__ import annotations

import codecs
import os
from dataclasses import dataclass
from typing import Any

from chainrule.errors import Problem, shown
from chainrule.tables.options import Options
from chainrule.tables.problems import failed
from chainrule.tables.scanning import scan

MAGIC = (
    (b"PK\x03\x04", "a zip file, perhaps an Excel table", "save the table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "save the table as CSV"),
    (b"\x1f\x8b", "a gzip file", "call it .csv.gz, or unpack it"),
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
    with open(path, "rb") as stream:
        head = stream.read(4096)
    refuse_other(head, name)
    notes: tuple[str, ...] = ()
    if options.encoding is None:
        for mark, encoding in BOMS:
            if head.startswith(mark):
                what = f"the file is {encoding.upper()}"
                raise failed(what, name, do=f"say --encoding {encoding}, or save it as UTF-8")
    elif codecs.lookup(options.encoding).name not in ("utf-8", "ascii", "utf-8-sig"):
        path = _recoded(path, name, options.encoding, folder)
        notes = (f"read as {codecs.lookup(options.encoding).name}",)
    seen = scan(path, name)
    if seen.regular and options.comment is None:
        line_end = "\\r\\n" if seen.pairs else "\\n"
        return Text(path, name, seen.size, seen.lines, seen.quotes, seen.odd, line_end, notes=notes, source=source, state=state)
    raise NotImplementedError
