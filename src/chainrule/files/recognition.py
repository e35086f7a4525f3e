"""What a file is that is none of ours: told from its first bytes, so that the answer is what to do about it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

from chainrule.errors import shown
from chainrule.files.texts import FileError

_RISK = "not opened, because it can run code"
_EXPORT = "save the weights as safetensors there, or train with chainrule"
_NOT_A_MODEL = "give the model.safetensors of a run"

_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", f"a PyTorch pickle (.pt): {_RISK}", _EXPORT),
    (b"PK\x03\x04", "", _EXPORT),  # what is in it decides
    (b"PK\x05\x06", "an empty zip archive", _NOT_A_MODEL),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (.h5, Keras): not read", _EXPORT),
    (b"\x1f\x8b", "a gzip archive: not unpacked", "unpack it first, if it holds a model.safetensors"),
    (b"BZh", "a bzip2 archive: not unpacked", "unpack it first, if it holds a model.safetensors"),
    (b"\xfd7zXZ\x00", "an xz archive: not unpacked", "unpack it first, if it holds a model.safetensors"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive: not unpacked", "unpack it first, if it holds a model.safetensors"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: not unpacked", "unpack it first, if it holds a model.safetensors"),
    (b"\x93NUMPY", "a NumPy array (.npy)", _NOT_A_MODEL),
    (b"PAR1", "a Parquet table", "give it as the data, and a model.safetensors as the model"),
    (b"SQLite format 3\x00", "an SQLite database", _NOT_A_MODEL),
    (b"GGUF", "a GGUF model: not read", _EXPORT),
    (b"\x7fELF", "a program", _NOT_A_MODEL),
    (b"MZ", "a program", _NOT_A_MODEL),
    (b"%PDF", "a PDF", _NOT_A_MODEL),
    (b"\x89PNG", "a picture", _NOT_A_MODEL),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "fetch the file: git lfs pull"),
)
_ENDINGS = {
    ".onnx": ("an ONNX model: not read by this version", _EXPORT),
    ".pt": (f"a PyTorch pickle (.pt): {_RISK}", _EXPORT),
    ".pth": (f"a PyTorch pickle (.pth): {_RISK}", _EXPORT),
    ".pkl": (f"a pickle: {_RISK}", _EXPORT),
    ".pickle": (f"a pickle: {_RISK}", _EXPORT),
    ".joblib": (f"a joblib pickle: {_RISK}", _EXPORT),
    ".h5": ("an HDF5 file (.h5, Keras): not read", _EXPORT),
    ".hdf5": ("an HDF5 file: not read", _EXPORT),
    ".keras": ("a Keras model: not read", _EXPORT),
    ".zip": ("a zip archive: not unpacked", "unpack it first, if it holds a model.safetensors"),
    ".tar": ("a tar archive: not unpacked", "unpack it first, if it holds a model.safetensors"),
}
_PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_OLD_PICKLES = (b"(dp0", b"(lp0", b"ccopy_reg", b"cnumpy", b"csklearn", b"cos\n", b"cposix\n", b"c__builtin__", b"]q", b"}q")


def refusal(start: bytes, size: int, length: int, at: Callable[[int, int], Any]) -> FileError:
    """What to say of a file that does not begin like ours. start: its first bytes; length: the first 8 as a number."""
    if _like_safetensors(start, length):
        return _safetensors(start, size, length, at)
    for beginning, what, do in _BEGINNINGS:
        if start.startswith(beginning):
            return FileError(what, do=do) if what else _zip(start)
    if start[257:262] == b"ustar":
        return FileError("a tar archive: not unpacked", do="unpack it first, if it holds a model.safetensors")
    if start.startswith(_PICKLES) or start.startswith(_OLD_PICKLES):
        return FileError(_pickle(start), do=_EXPORT)
    if start[:1] == b"\x78" and start[1:2] in b"\x01\x5e\x9c\xda":
        return FileError(f"zlib data, as joblib's pickles are: {_RISK}", do=_EXPORT)
    if start[4:8] == b"TFL3":
        return FileError("a TensorFlow Lite model: not read", do=_EXPORT)
    if start[:1] == b"\x08" and size > 16 and start[2:3] in b"\x12\x1a\x3a\x42":
        return FileError("an ONNX model, as it seems: not read by this version", do=_EXPORT)
    if size < 8 or _is_zero(start):
        return FileError(f"cut: {size:,} bytes, fewer than any model has" if size < 8 else "the file begins with zeros only")
    return FileError("not a model of chainrule's", got=_text(start), do=_NOT_A_MODEL)


def by_name(name: str) -> tuple[str, str] | None:
    """What a file's name says it is, and what to do: asked when its bytes say nothing."""
    return next((told for ending, told in _ENDINGS.items() if name.lower().endswith(ending)), None)


def _like_safetensors(start: bytes, length: int) -> bool:
    """Whether it begins like a safetensors file, up to a damage in a few places."""
    if len(start) < 8:
        return False
    return b"__metadata__" in start[8:40] or b'"chainrule"' in start[8:64] or start[8:10] == b'{"' or (
        0 < length < 2**27 and start[8:9] in (b"{", b"")
    )  # fmt: skip


def _safetensors(start: bytes, size: int, length: int, at: Callable[[int, int], Any]) -> FileError:
    ours = b"__metadata__" in start[8:40] and b"chainrule" in start[8:64]
    if 8 + length > size:
        if length > 2**27:
            return FileError("damaged: the header's length is impossible", got=f"{length:,} bytes in a file of {size:,}")
        return FileError(f"cut: {size:,} of at least {8 + length:,} bytes")
    if ours or b"header_sha256" in start:
        return FileError("damaged: the first bytes of the header differ from what was written", got=shown(start[8:40]))
    if length < 2:
        return FileError("the header is empty", got=f"a length of {length}")
    try:
        if length <= 2**25 and isinstance(json.loads(bytes(at(8, length))), dict):
            return FileError(
                "a safetensors file, but not one that chainrule wrote: weights alone are not a model", do=_NOT_A_MODEL
            )
    except (ValueError, RecursionError):
        pass
    return FileError("the header is not JSON", got=shown(start[8:40]))


def _pickle(start: bytes) -> str:
    for sign, maker in ((b"torch", "PyTorch"), (b"sklearn", "scikit-learn"), (b"keras", "Keras"), (b"joblib", "joblib")):
        if sign in start:
            return f"a {maker} pickle: {_RISK}"
    return f"a pickle: {_RISK}"


def _zip(start: bytes) -> FileError:
    """By the name of the archive's first entry."""
    try:
        count = struct.unpack_from("<H", start, 26)[0]
    except struct.error:
        count = 0
    name = start[30 : 30 + count]
    if b"data.pkl" in start[:512] or name.endswith((b"/data.pkl", b"/byteorder", b"/.format_version")):
        return FileError(f"a PyTorch pickle (.pt): {_RISK}", do=_EXPORT)
    if name in (b"metadata.json", b"config.json") or b"model.weights.h5" in start:
        return FileError("a Keras model (.keras): not read", do=_EXPORT)
    if name.endswith(b".npy"):
        return FileError("NumPy arrays (.npz)", do=_NOT_A_MODEL)
    return FileError("a zip archive: not unpacked", do="unpack it first, if it holds a model.safetensors")


def _is_zero(start: bytes) -> bool:
    return not start.strip(b"\x00")


def _text(start: bytes) -> str:
    try:
        return shown(start[:40].decode("utf-8"))
    except UnicodeDecodeError:
        return shown(start[:16])
