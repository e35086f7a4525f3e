"""A first look at every byte of a text file: what it is not, where its lines and quotes are. Numpy over blocks, no cells."""

from __future__ import annotations

import codecs
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError, shown
from chainrule.tables.duck import LONGEST
from chainrule.tables.problems import failed

BLOCK = 2**20
"""Bytes that are looked at together: few enough for a processor's cache, and fewer than the longest row."""

_BLANK = re.compile(rb"(?:^|\n)[ \t]*\r?(?=\n|$)")


@dataclass
class Scan:
    """What the bytes of a file are like. lines: physical lines, counted by whatever ends them."""

    size: int = 0
    lines: int = 0
    feeds: int = 0  # "\n", also those of "\r\n"
    pairs: int = 0  # "\r\n"
    returns: int = 0  # "\r", also those of "\r\n"
    quotes: bool = False
    blank: bool = False
    last: Any = field(default_factory=lambda: np.zeros(256, np.int64))  # how often each sign is the last one of a line
    odd: bool = False  # what DuckDB may take for part of a number, and is none

    @property
    def regular(self) -> bool:
        """Whether rows and lines are the same thing, but for line ends inside quotes, and DuckDB may read the file as it is."""
        alone = self.returns - self.pairs
        return not self.blank and not alone and self.pairs in (0, self.feeds)


def blocks(path: str, name: str) -> Iterator[bytes]:
    """A file in pieces that end where lines end; a RunError if a line is longer than any row may be."""
    for buffer, size in _pieces(path, name):
        yield bytes(memoryview(buffer)[:size])


def _pieces(path: str, name: str) -> Iterator[tuple[bytearray, int]]:
    """The same pieces, each at the beginning of a buffer that is used again: copies would take longer than all the looking."""
    buffer = bytearray(BLOCK + LONGEST)
    view = memoryview(buffer)
    kept = 0
    with open(path, "rb", buffering=0) as stream:
        while read := stream.readinto(view[kept : kept + BLOCK]):
            total = kept + read
            cut = buffer.rfind(b"\n", 0, total) + 1
            if not cut:
                cut = buffer.rfind(b"\r", 0, total - 1) + 1
            if cut:
                yield buffer, cut
            rest = bytes(view[cut:total])
            kept = len(rest)
            view[:kept] = rest
            if kept >= LONGEST:
                what = f"a line is longer than {LONGEST:,} bytes: this is hardly a table of rows"
                raise failed(what, name, do="end each row with a line end")
    if kept:
        yield buffer, kept


def scan(path: str, name: str) -> Scan:
    """Look at all bytes of a file in UTF-8. A RunError names the first byte that no text file has."""
    seen = Scan()
    decoder: Any = None
    for buffer, size in _pieces(path, name):
        signs = np.frombuffer(buffer, np.uint8, size)
        if buffer.find(b"\0", 0, size) >= 0:
            raise _zero(bytes(signs), seen, name)
        if decoder is not None or signs.max() > 127:
            decoder = decoder or codecs.getincrementaldecoder("utf-8")()
            try:
                decoder.decode(bytes(signs))
            except UnicodeDecodeError as error:
                raise _encoding(bytes(signs), error, seen, name) from None
        ends = np.flatnonzero(signs == 10)
        feeds = len(ends)
        returns = buffer.count(b"\r", 0, size) if buffer.find(b"\r", 0, size) >= 0 else 0
        pairs = buffer.count(b"\r\n", 0, size) if returns else 0
        seen.quotes = seen.quotes or buffer.find(b'"', 0, size) >= 0
        seen.odd = seen.odd or buffer.find(b"_", 0, size) >= 0 or _has_two_signs(buffer, signs)
        seen.blank = seen.blank or _has_blank(signs, ends)
        seen.last += _last_signs(signs, ends, bool(pairs))
        seen.size += size
        seen.feeds += feeds
        seen.returns += returns
        seen.pairs += pairs
        seen.lines += feeds + returns - pairs + int(signs[-1] not in (10, 13))
    if decoder is not None:
        try:
            decoder.decode(b"", True)
        except UnicodeDecodeError as error:
            raise failed("the file ends in the middle of a letter", name, got=str(error.reason), do="it may be cut") from None
    return seen


def _last_signs(signs: Any, ends: Any, pairs: bool) -> Any:
    before = ends[ends > int(pairs)] - 1 - int(pairs)
    counts = np.bincount(signs[before], minlength=256)
    if signs[-1] != 10:
        counts[signs[-1]] += 1
    return counts


def _has_two_signs(buffer: bytearray, signs: Any) -> bool:
    """Whether a + stands before a -, which DuckDB takes for the sign of a number."""
    if buffer.find(b"+", 0, len(signs)) < 0:
        return False
    plus = np.flatnonzero(signs[:-1] == 43)
    return bool((signs[plus + 1] == 45).any())


def _has_blank(signs: Any, ends: Any) -> bool:
    """Whether a line may be empty, or blanks only. Looking for two signs at once would take longer than all of this."""
    whole = len(ends) > 0 and ends[-1] == len(signs) - 1
    first = np.append(signs[(ends[:-1] if whole else ends) + 1], signs[0])
    if ((first == 10) | (first == 13)).any() or signs[-1] in (32, 9):
        return True
    return bool(((first == 32) | (first == 9)).any() and _BLANK.search(signs[: len(signs) - whole].tobytes()))


def _line_in(block: bytes, at: int, before: int) -> tuple[int, int]:
    """Line and column, both from 1, of a byte in a block that `before` lines precede."""
    text = block[:at]
    returns = text.count(b"\r") - text.count(b"\r\n")
    start = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
    return before + text.count(b"\n") + returns + 1, at - start + 1


def _zero(block: bytes, seen: Scan, name: str) -> RunError:
    at = block.index(b"\0")
    line, column = _line_in(block, at, seen.lines)
    many = 4 * block[:4096].count(b"\0") > len(block[:4096])
    if many:
        what = "the file seems to be UTF-16: every other byte is zero"
        return RunError(Problem(what, file=name, do="say --encoding utf-16-le, or save it as UTF-8"))
    what = "the file has a zero byte"
    where = f"byte {column} of the line"
    return RunError(Problem(what, file=name, line=line, where=where, do="save it as a CSV file; it may be damaged"))


def _encoding(block: bytes, error: UnicodeDecodeError, seen: Scan, name: str) -> RunError:
    at = max(0, error.start)
    line, column = _line_in(block, at, seen.lines)
    start = max(block.rfind(b"\n", 0, at), block.rfind(b"\r", 0, at)) + 1
    around = block[max(start, at - 12) : at + 12].split(b"\n")[0].strip().decode("cp1252", "replace")
    what = "the file is not UTF-8"
    got = f"byte 0x{block[at]:02x} at offset {seen.size + at:,}, {shown(around)} if it is Latin-1"
    where = f"byte {column} of the line"
    return RunError(Problem(what, where=where, got=got, do="say --encoding latin-1, or save it as UTF-8", file=name, line=line))


def record_starts(path: str, name: str, separator: str, physical: Any = None) -> tuple[Any, bool]:
    """The physical line in which each record of a file with quotes begins, the header's too; whether any spans lines.

    physical: the line in the user's file of each line of this one, where they differ. A RunError names a stray or an
    unclosed quote: a quoted cell begins right after a separator and ends right before one, and "" in it stands for one ".
    """
    ends = {10, 13, ord(separator), 34}
    table = np.zeros(256, bool)
    table[list(ends)] = True
    before = table.copy()
    before[13] = False
    starts = array("q", [0])
    inside, lines, opened, spanning = 0, 0, 0, False
    for block in blocks(path, name):
        signs = np.frombuffer(block, np.uint8)
        feeds = np.flatnonzero(signs == 10)
        quotes = np.flatnonzero(signs == 34)
        if len(quotes):
            nth = (np.arange(len(quotes)) + inside) & 1  # 0 opens, 1 closes
            behind = np.where(quotes > 0, signs[quotes - 1], 10)
            if lines == 0 and quotes[0] == 3 and block.startswith(codecs.BOM_UTF8):
                behind[0] = 10
            ahead = signs[np.minimum(quotes + 1, len(signs) - 1)].copy()
            ahead[quotes + 1 >= len(signs)] = 10
            wrong = np.flatnonzero(np.where(nth == 0, ~before[behind], ~table[ahead]))
            if len(wrong):
                raise _stray(block, quotes, int(wrong[0]), int(nth[wrong[0]]), lines, opened, name, physical)
            is_inside = (np.searchsorted(quotes, feeds) + inside) & 1
            left = (len(quotes) + inside) & 1
            if left and not (inside and not len(quotes)):
                opened = lines + int(np.searchsorted(feeds, quotes[-1]))
            inside = left
        else:
            is_inside = np.full(len(feeds), inside)
        spanning = spanning or bool(is_inside.any())
        starts.frombytes((lines + 1 + np.flatnonzero(is_inside == 0)).astype(np.int64).tobytes())
        lines += len(feeds)
    if inside:
        raise RunError(_unclosed(_told(opened, physical), name))
    found = np.frombuffer(starts, np.int64)
    found = found[found < lines + (not _ends_line(path))]
    return (np.asarray(physical)[found] if physical is not None else found + 1), spanning


def _ends_line(path: str) -> bool:
    with open(path, "rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 1))
        return stream.read(1) in (b"\n", b"")


def _told(line: int, physical: Any) -> int:
    return line + 1 if physical is None else int(physical[line])


def _unclosed(line: int, name: str) -> Problem:
    return Problem("a quote is opened and never closed", file=name, line=line, do="close the quote, or double it if it is text")


def _stray(block: bytes, quotes: Any, wrong: int, closes: int, lines: int, opened: int, name: str, physical: Any) -> RunError:
    at = int(quotes[wrong])
    line, _ = _line_in(block, at, lines)
    if closes:
        began = lines + block.count(b"\n", 0, int(quotes[wrong - 1])) if wrong else opened
        if began + 1 < line:
            # a quote that spans lines and ends where no cell does: more likely the first one was never closed
            return RunError(_unclosed(_told(began, physical), name))
    start = block.rfind(b"\n", 0, at) + 1
    end = block.find(b"\n", at)
    text = block[max(start, at - 20) : min(len(block) if end < 0 else end, at + 20)].decode("utf-8", "replace").strip()
    place = len(block[start:at].decode("utf-8", "replace")) + 1
    what = "a quote stands in the middle of a cell"
    do = 'quote the whole cell and double the quote in it ("5""6"), or take it out'
    if not closes and block[max(0, at - 1) : at] in (b" ", b"\t"):
        what, do = "a blank stands between the separator and a quote", "take the blank out"
    return RunError(
        Problem(
            what,
            where=f"sign {place} of the line",
            got=shown(text),
            do=do,
            file=name,
            line=_told(line - 1, physical),
        )
    )
