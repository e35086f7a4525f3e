"""Files on the disk, written and read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any

from chainrule.files import container, disk, recognition
from chainrule.files.texts import FileError, measured


def write(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Any],
    document: Mapping[str, Any],
    kind: str = "model",
    allow_nonfinite: bool = False,
    overwrite: bool = True,
) -> None:
    """Puts tensors and a document of plain data into one file, whole or not at all.

    Raises SaveError if the disk does not take it (what stood at `path` still stands), InputError if there is a file and
    `overwrite` is not set, RunError for NaN and infinities unless they are allowed, and for texts too long for a file.
    """
    try:
        if not allow_nonfinite:
            container.refuse_nonfinite(tensors, "save it with allow_nonfinite=True")
        measured({"document": document}, "the document")  # as deep as it will stand there
        prepared = container.prepare(kind, tensors, document)
    except FileError as error:
        raise error.at(os.fspath(path)) from None
    disk.save(path, prepared, overwrite)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Puts a text into a file in the same way: whole or not at all. Raises SaveError."""
    disk.save(path, container.Prepared(text.encode(), [], hashlib.sha256().hexdigest()))


def read(
    path: str | os.PathLike[str], kind: str | tuple[str, ...] = "model", allow_nonfinite: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(tensors, document) of a file of a kind. Every bit is checked first, always.

    Raises RunError that says what is wrong with the file, with which tensor, and what to do.
    """
    contents = read_all(path, (kind,) if isinstance(kind, str) else kind, allow_nonfinite)
    return contents.tensors, contents.document


def read_all(path: str | os.PathLike[str], kinds: tuple[str, ...], allow_nonfinite: bool = False) -> container.Contents:
    """The same, with the kind of the file and the program that wrote it."""
    with disk.Opened(path) as file:
        try:
            return container.parse(file.size, file.at, kinds, allow_nonfinite)
        except FileError as error:
            raise _named(error, file.path) from None


def _named(error: FileError, path: str) -> Any:
    """With the file's name, and what its ending says where its bytes say nothing."""
    told = recognition.by_name(path)
    found = error.problems[0].what
    if told is not None and not any(word in found for word in ("pickle", "Keras", "archive", "checksum")):
        what, do = told
        error = FileError(what, got=found, do=do)
    return error.at(os.fspath(path))
