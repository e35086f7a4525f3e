"""One file, whole and checked: tensors and a document in a safetensors file that any safetensors reader opens.

    8 bytes      the header's length
    header       {"__metadata__":{"chainrule":"{\"version\":1,\"bytes\":  1840,\"header_sha256\":\"...\", ...}"},"W":{...}}
    payload      the tensors, one after the other

The string in `__metadata__` begins with version, length of the whole file and SHA-256 of the header (its own 64 digits
counted as zeros, the 8 bytes in front of it included), at fixed places: so much stays in every later version. The
SHA-256 of the payload stands behind them. Each tensor has a CRC-32 too, which only says where a difference is.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import shown
from chainrule.files import recognition
from chainrule.files.texts import FileError, parsed
from chainrule.network import SHARE, free_memory

VERSION = 1
"""The newest version of the format that this program reads and writes."""

MOST_HEADER = 16 * 2**20
"""The longest header, in bytes."""

MOST_ENTRIES = 500_000
"""The most entries of lists and tables in a header: more would take longer to read than anyone should have to wait."""

MOST_NAME = 4096

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
"""A tensor's kind of number in the file, and NumPy's name for it."""

_LETTERS = {np.dtype(name): letters for letters, name in DTYPES.items()}
_ZEROS = b"0" * 64
_FIRST = re.compile(
    rb'\{"__metadata__":\{"chainrule":"\{\\"version\\":([1-9][0-9]{0,8}),\\"bytes\\":([ 0-9]{16}),'
    rb'\\"header_sha256\\":\\"([0-9a-f]{64})\\",'
)


class Prepared(NamedTuple):
    """A file's bytes before they are written: header, and the tensors' in their order."""

    header: bytes
    parts: list[memoryview]
    payload_sha256: str

    @property
    def size(self) -> int:
        return len(self.header) + sum(part.nbytes for part in self.parts)


class Contents(NamedTuple):
    """What a file holds."""

    kind: str
    tensors: dict[str, Any]
    document: dict[str, Any]
    written_by: str


def prepare(kind: str, tensors: Mapping[str, Any], document: Mapping[str, Any]) -> Prepared:
    """The bytes of a file. TypeError or ValueError for what it cannot hold: that is a mistake of the program."""
    arrays = {name: _plain(name, array) for name, array in tensors.items()}
    order = sorted(arrays, key=lambda name: -arrays[name].itemsize)  # so that each begins at a multiple of its numbers
    parts = [memoryview(arrays[name].reshape(-1).view(np.uint8)) for name in order]
    digest, places, sums, start = hashlib.sha256(), {}, {}, 0
    for name, part in zip(order, parts, strict=True):
        digest.update(part)
        array = arrays[name]
        places[name] = {
            "dtype": _LETTERS[array.dtype], "shape": list(array.shape), "data_offsets": [start, start + part.nbytes],
        }  # fmt: skip
        sums[name] = zlib.crc32(part)
        start += part.nbytes
    rest = {"payload_sha256": digest.hexdigest(), "kind": kind, "written_by": program(), "crc32": sums, "document": document}
    text = json.dumps(rest, allow_nan=False, separators=(",", ":"))
    listed = json.dumps(places, separators=(",", ":"))[1:]
    escaped = text[1:].replace("\\", "\\\\").replace('"', '\\"')

    def header(size: int, sha256: bytes) -> bytes:
        first = f'{{"__metadata__":{{"chainrule":"{{\\"version\\":{VERSION},\\"bytes\\":{size:16d},\\"header_sha256\\":\\"'
        last = f'\\",{escaped}"}}' + ("," if places else "") + listed
        body = first.encode() + sha256 + last.encode()
        body += b" " * (-len(body) % 8)
        return len(body).to_bytes(8, "little") + body

    bare = header(0, _ZEROS)
    _refuse_too_much(bare)
    bare = header(len(bare) + start, _ZEROS)
    return Prepared(bare.replace(_ZEROS, hashlib.sha256(bare).hexdigest().encode(), 1), parts, digest.hexdigest())


def _refuse_too_much(header: bytes) -> None:
    entries = sum(header.count(sign) for sign in (b",", b"[", b"{"))
    for found, most, what in ((len(header), MOST_HEADER, "bytes"), (entries, MOST_ENTRIES, "entries")):
        if found > most:
            raise FileError(
                f"settings, names and history are too long: {found:,} {what}",
                got=f"a file takes {most:,}",
                do="use shorter names, or fewer",
            )


def _plain(name: str, array: Any) -> Any:
    """An array as it lies in the file: little-endian, in C order."""
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME or name == "__metadata__":
        raise ValueError(f"a tensor cannot be called {name!r}")
    array = np.asarray(array)
    array = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    if array.dtype not in _LETTERS:
        raise TypeError(f"{name}: a file holds no numbers of the kind {array.dtype}")
    return array


@cache
def program() -> str:
    """The program and its version, as files and messages name it."""
    try:
        return f"chainrule {version('chainrule')}"
    except PackageNotFoundError:
        return "chainrule"


def parse(size: int, at: Callable[[int, int], Any], kinds: tuple[str, ...], allow_nonfinite: bool) -> Contents:
    """The contents of a file of `size` bytes; `at(start, count)` gives so many of them, as an array of np.uint8 that is
    nobody else's. Raises FileError: every byte that is not as it was written is found, and what it belongs to is named."""
    if not size:
        raise FileError("the file is empty")
    length = int.from_bytes(bytes(at(0, min(size, 8))), "little")
    start = bytes(at(0, min(size, 4096)))
    first = _FIRST.match(start, 8)
    if first is None:
        raise recognition.refusal(start, size, length, at)
    claimed = int(first[2]) if first[2].strip().isdigit() else -1
    if 8 + length > size or length > MOST_HEADER:
        if size < claimed and length <= MOST_HEADER:
            raise _cut(size, claimed)
        raise FileError("damaged: the header's length is impossible", got=f"{length:,} bytes in a file of {size:,}")
    raw = bytes(at(0, 8 + length))
    if hashlib.sha256(raw.replace(first[3], _ZEROS, 1)).hexdigest().encode() != first[3]:
        raise FileError("damaged: the checksum of the header differs", got="names, shapes or settings changed after writing")
    _refuse_too_much(raw)
    if int(first[1]) > VERSION:
        raise FileError(
            f"the file has version {int(first[1])} of the format",
            got=f"{program()} reads up to version {VERSION}",
            do="install a newer chainrule",
        )
    if size < claimed:
        raise _cut(size, claimed)
    if size > claimed:
        raise FileError(f"{size - claimed:,} bytes too many at the end", got=f"{size:,} bytes, and {claimed:,} were written")
    return _opened(raw[8:], size - len(raw), lambda count: at(len(raw), count), kinds, allow_nonfinite)


def _cut(size: int, whole: int) -> FileError:
    return FileError(f"cut: {size:,} of {whole:,} bytes")


def _opened(header: bytes, left: int, payload: Callable[[int], Any], kinds: tuple[str, ...], allow_nonfinite: bool) -> Contents:
    """The contents, from a header as it was written (or as somebody else made it: nothing in it is taken on trust)."""
    places = parsed(header, "the header", measure=False)  # each of its entries is checked below
    try:
        metadata = places.pop("__metadata__")
        about = parsed(metadata.pop("chainrule"), "the metadata")
        del about["version"], about["bytes"], about["header_sha256"]  # known already
        sha256, kind, by, sums, document = (
            about.pop(key) for key in ("payload_sha256", "kind", "written_by", "crc32", "document")
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise FileError("the header lacks what every file has", got=shown(error.args[0] if error.args else "")) from None
    for extra in (*about, *metadata):
        raise FileError("the header has an entry of no meaning", got=shown(extra))
    if not isinstance(document, dict) or not isinstance(by, str) or not isinstance(sums, dict) or not isinstance(sha256, str):
        raise FileError("an entry of the header is of the wrong kind")
    if kind not in kinds:
        raise FileError(
            f"the file holds a {shown(kind)[1:-1] if isinstance(kind, str) else shown(kind)}",
            got=f"a {' or '.join(kinds)} is needed",
            do="give another file",
        )
    spans = _spans(places, left)
    if set(sums) != set(spans):
        raise FileError("checksums and tensors differ", got=_both(sums, spans))
    needed, free = left, free_memory()
    if needed > SHARE * free:
        raise FileError(
            f"the tensors need {needed / 2**30:,.1f} GiB of memory", got=f"{free / 2**30:,.1f} GiB free", do="free some memory"
        )
    data = payload(left)
    if len(data) != left:
        raise _cut(len(header) + 8 + len(data), len(header) + 8 + left)
    if hashlib.sha256(data).hexdigest() != sha256:
        wrong = [name for name, span in spans.items() if zlib.crc32(data[span.start : span.stop]) != sums[name]]
        raise FileError("damaged: the checksum of the tensors differs", got=", ".join(shown(name) for name in wrong[:5]))
    tensors = {name: data[span.start : span.stop].view(DTYPES[span.dtype]).reshape(span.shape) for name, span in spans.items()}
    if not allow_nonfinite:
        refuse_nonfinite(tensors)
    return Contents(kind, tensors, document, by)


class _Span(NamedTuple):
    start: int
    stop: int
    dtype: str
    shape: tuple[int, ...]


def _spans(places: dict[str, Any], left: int) -> dict[str, _Span]:
    """Where each tensor lies: together they fill the payload without a gap, and none has more bytes than its shape."""
    spans = {}
    for name, place in places.items():
        try:
            dtype, shape, (start, stop) = place.pop("dtype"), tuple(place.pop("shape")), place.pop("data_offsets")
            whole = all(type(number) is int and 0 <= number < 2**63 for number in (*shape, start, stop))
            if place or not whole or dtype not in DTYPES or len(shape) > 32:
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError):
            raise FileError("a tensor's entry in the header is not as it must be", where=shown(name)) from None
        needed = math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize
        if needed != stop - start:
            raise FileError(
                "shape and bytes of a tensor differ",
                where=shown(name),
                got=f"{shown(shape)} of {dtype}, {stop - start:,} bytes",
            )
        spans[name] = _Span(start, stop, dtype, shape)
    reached = 0
    for name, span in sorted(spans.items(), key=lambda item: item[1][:2]):
        if span.start != reached:
            how = "overlap" if span.start < reached else "leave a gap"
            raise FileError(f"tensors {how}", where=shown(name), got=f"it begins at byte {span.start:,}, not {reached:,}")
        reached = span.stop
    if reached != left:
        raise FileError("tensors and file differ in length", got=f"{reached:,} bytes of tensors, {left:,} in the file")
    return spans


def _both(found: Any, wanted: Any) -> str:
    missing, extra = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    return "; ".join(
        f"{word} {', '.join(shown(name) for name in list_[:5])}"
        for word, list_ in (("missing", missing), ("extra", extra))
        if list_
    )


def refuse_nonfinite(
    tensors: Mapping[str, Any], do: str = "read it with allow_nonfinite=True (--allow-nonfinite) if that is meant"
) -> None:
    """FileError, with the first NaN's or infinity's place, unless all numbers are finite."""
    for name, array in tensors.items():
        array = np.asarray(array)
        if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
            index = tuple(int(i) for i in np.argwhere(~finite)[0])
            place = shown(name) + (f"[{', '.join(str(i + 1) for i in index)}]" if index else "")
            raise FileError(
                f"{int((~finite).sum()):,} numbers are not finite",
                where=place,
                got=shown(float(array[index])),
                do=do,
            )
