"""A TOML or JSON text as plain data that knows its lines."""

from __future__ import annotations

import difflib
import json
import os
import re
import stat
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from chainrule.errors import InputError, Problem, shown
from chainrule.spec.places import Places, prescan

LIMIT = 16 * 2**20
"""The largest file that is read, in bytes."""


@dataclass(frozen=True)
class Document:
    """Plain data, and the lines on which it stands: `document.line("network.layers[2].weights")`; lists count from 1.

    folder: that of the file, for data that was changed since and stands in no file. keeper: what has to be held on to as long
    as the folder is needed, where it is a folder for a while only.
    """

    data: dict[str, Any]
    file: str
    text: str = field(repr=False, default="")
    is_json: bool = False
    folder: Path | None = None
    keeper: object = field(repr=False, default=None)

    @property
    def home(self) -> Path | None:
        """The folder in which its table is looked for; None if it is not a file."""
        return self.folder or (Path(self.file).parent if self.file else None)

    def line(self, path: str) -> int | None:
        """The line of a path, or of its nearest parent that stands in the text; None if none does."""
        return self._places.line(path)

    @cached_property
    def _places(self) -> Places:  # made when first asked for: a text without mistakes is never scanned for lines
        return Places(self.text, self.is_json)


def read(text: str | bytes, file: str = "") -> Document:
    """A TOML or JSON text as a Document; an InputError that says line, column and likely cause otherwise."""
    if len(text) > LIMIT:
        raise InputError(_too_large(file, len(text)))
    source = decoded(text, file).replace("\r\n", "\n")
    prescan(source, file)
    if Path(file).suffix.lower() == ".json" or (Path(file).suffix.lower() != ".toml" and source.lstrip().startswith("{")):
        return Document(_json(source, file), file, source, True)
    return Document(_toml(source, file), file, source)


def contents(path: str | os.PathLike[str], suffixes: Sequence[str] = (".toml", ".json")) -> bytes:
    """The bytes of a regular file of at most LIMIT bytes; an InputError that says what is there instead otherwise."""
    name = os.fspath(path)
    try:
        status = os.stat(name)
        if stat.S_ISDIR(status.st_mode):
            inside = sorted(entry.name for entry in Path(name).iterdir() if entry.suffix in suffixes)[:5]
            do = "it holds " + ", ".join(inside) if inside else "name a file"
            raise InputError(Problem("this is a folder, not a file", file=name, do=do))
        if not stat.S_ISREG(status.st_mode):
            raise InputError(Problem("this is not a regular file", file=name, do="name a file that has an end"))
        if status.st_size > LIMIT:
            raise InputError(_too_large(name, status.st_size))
        with open(name, "rb") as stream:
            return stream.read(LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            Problem("there is no such file", file=os.path.abspath(name), do=neighbours(name, suffixes) or "check the name")
        ) from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            Problem(f"the file cannot be read: {reason.lower()}", file=name, do="check its name and rights")
        ) from None


def neighbours(path: str, suffixes: Sequence[str] = (".toml", ".json")) -> str:
    """`did you mean ...?` with the files in the same folder whose names are close, or an empty text."""
    folder, name = os.path.split(path)
    try:
        names = [entry for entry in os.listdir(folder or ".") if entry.endswith(tuple(suffixes))]
    except (OSError, ValueError):
        return ""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    close += [each for each in sorted(names) if Path(each).stem == name and each not in close]
    return f"did you mean {' or '.join(os.path.join(folder, each) for each in close)}?" if close else ""


def value(text: str) -> Any:
    """A single value as TOML writes it (0.5, true, [1, 2], "text"); any other text stands for itself."""
    prescan(text, "")
    try:
        data = tomllib.loads(f"value = {text}")
    except ValueError:
        return text
    return data["value"] if list(data) == ["value"] else text


def decoded(text: str | bytes, file: str) -> str:
    """UTF-8 bytes as text, without a byte order mark; an InputError that names any other encoding."""
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    do = "save the file as UTF-8"
    for mark, name in ((b"\xff\xfe\x00\x00", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if text.startswith(mark):
            raise InputError(Problem(f"the file is {name}", file=file, do=do))
    if b"\x00" in text[:4]:
        raise InputError(Problem("the file is UTF-16 or binary: it has zero bytes", file=file, do=do))
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        found = f"byte 0x{text[error.start]:02x} at offset {error.start}"
        raise InputError(Problem("the file is not UTF-8", got=found, do=do, file=file, line=line, column=column)) from None


def _too_large(file: str, size: int) -> Problem:
    return Problem("the file is too large", file=file, got=f"{size:,} bytes", do=f"at most {LIMIT:,} bytes are read")


def _json(text: str, file: str) -> dict[str, Any]:
    twice = False

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        result = dict(pairs)
        twice = twice or len(result) < len(pairs)
        return result

    try:
        data = json.loads(text, object_pairs_hook=table)
    except json.JSONDecodeError as error:
        cause = _json_cause(text, error.pos)
        raise _refusal("JSON", error.msg, text, error.lineno, error.colno, file, cause) from None
    if twice:
        raise InputError(*(_duplicates(Places(text, True), file) or [Problem("a key is given twice", file=file)]))
    if not isinstance(data, dict):
        raise InputError(Problem("a spec in JSON must be an object", got=shown(data), do="begin with {", file=file, line=1))
    if "\\ud" in text.lower():
        _refuse_half_characters(data, file)
    return data


def _refuse_half_characters(data: dict[str, Any], file: str) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError(
            Problem("a text holds half of a character", got=r"a lone \ud... escape", do="write both halves", file=file)
        ) from None


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:
        message = str(error)
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    reason = message[: found.start()] if found else message
    lines = text.split("\n")
    line, column = (int(found[1]), int(found[2])) if found and found[1] else (len(lines), len(lines[-1]) + 1)
    if re.search("overwrite|twice|[Dd]uplicate|mutate|namespace", reason):
        problems = _duplicates(Places(text, False), file)
        if problems:
            raise InputError(*problems)
    do, line, column = _toml_cause(lines, line, column, reason)
    raise _refusal("TOML", reason, text, line, column, file, do)


def _duplicates(places: Places, file: str) -> list[Problem]:
    return [
        Problem(f"{path} is given twice", got=f"lines {first} and {second}", do="keep one", file=file, line=second, field=path)
        for path, first, second in places.duplicates[:20]
    ]


def _refusal(language: str, reason: str, text: str, line: int, column: int, file: str, do: str) -> InputError:
    reason = reason[:1].lower() + reason[1:]
    what = f"this is not valid {language}: {reason}"
    lines = text.split("\n")
    drawing = _caret(lines[line - 1] if line <= len(lines) else "", column)
    if looks_like_yaml(text):
        what, do = "this looks like YAML", "use TOML or JSON: write `key = value`, and [table] instead of indentation"
    return InputError(Problem(what, do=f"{do}\n{drawing}" if do else drawing, file=file, line=line, column=column))


def _caret(line: str, column: int, width: int = 100) -> str:
    start = max(0, column - 1 - width // 2)
    part = "".join(sign if sign.isprintable() else " " for sign in line[start : start + width])
    return f"    {part}\n    {' ' * (column - 1 - start)}^"


def looks_like_yaml(text: str) -> bool:
    """Whether a text has YAML's `key: value` lines and none of TOML's or JSON's marks."""
    lines = [line for line in text.split("\n", 200)[:200] if line.strip() and not line.lstrip().startswith("#")]
    if not lines or lines[0].lstrip()[:1] in ("{", "["):
        return False
    keyed = sum(bool(re.match(r"\s*(- )?[\w.-]+:(\s|$)", line)) for line in lines)
    listed = sum(bool(re.match(r"\s*- ", line)) for line in lines)
    equal = sum(bool(re.match(r"\s*[\w.\"'-]+\s*=|\s*\[\[?[\w.]+\]", line)) for line in lines)
    return (lines[0].startswith(("---", "%YAML")) and keyed > 0) or ((keyed > 1 or keyed + listed > 2) and not equal)


def _json_cause(text: str, position: int) -> str:
    rest, before = text[position : position + 40], text[:position].rstrip()
    if rest[:1] in "]}" and rest and before.endswith(","):
        return "remove the trailing comma"
    if rest.startswith(","):
        return "remove the trailing comma" if re.match(r",\s*[\]}]", text[position:]) else "remove a comma, or give a value"
    if rest.startswith("'"):
        return "use double quotes instead of single quotes"
    if rest.startswith(("//", "/*", "#")):
        return "remove the comment: JSON has none (TOML has)"
    if rest.startswith("="):
        return "write `:` instead of `=`"
    word = re.match(r"[A-Za-z_][\w.-]*", rest)
    if word:
        same = {"True": "true", "False": "false", "None": "null"}.get(word[0])
        return f"write {same}" if same else f'put quotes around it: "{word[0]}"'
    if re.match(r"[+-]?\.\d", rest) or rest.startswith("+"):
        return "write numbers as 0.5, without a leading + or point"
    if not rest:
        return "the text ends too early: a bracket or quote is not closed"
    return "a comma is missing before this" if rest[:1] in '"[{-0123456789' else ""


_BARE = re.compile(r"\s*[\w.\"'-]+\s*=\s*([A-Za-z_][\w.-]*)\s*(#.*)?$")


def _toml_cause(lines: list[str], line: int, column: int, reason: str) -> tuple[str, int, int]:
    """What to do, and the place to point to: the parser points past the end of some lines."""
    text = lines[line - 1] if line <= len(lines) else ""
    rest = text[column - 1 :]
    if re.match(r"\s*[\w.\"'-]+\s*:", text) and "=" not in text.split(":")[0]:
        return "write `=` instead of `:`", line, text.index(":") + 1
    bare = _BARE.match(text)
    if bare and bare[1] in ("True", "False"):
        return f"write {bare[1].lower()}", line, bare.start(1) + 1
    if bare and bare[1] in ("None", "null"):
        return "leave the key out: TOML has no null", line, bare.start(1) + 1
    if bare and bare[1] not in ("true", "false", "nan", "inf"):
        return f'put quotes around text: "{bare[1]}"', line, bare.start(1) + 1
    quote = re.search(r"=\s*(['\"])", text)
    if quote and text.count(quote[1], quote.start(1)) == 1:
        return f"a quote is missing: close the text with {quote[1]}", line, quote.start(1) + 1
    if "string" in reason:
        return "a quote is missing: close the text", line, column
    if rest.startswith(("//", "/*")):
        return "comments begin with #", line, column
    if re.match(r"[+-]?\.\d", rest):
        return f"write 0{rest.lstrip('+-')[:4]} with the 0 before the point", line, column
    if rest.startswith(","):
        return "remove the comma; decimals have a point", line, column
    if "array" in reason.lower():
        return "close the list with ], and put a comma between any two values", line, column
    if re.search(r",\s*}", text):
        return "remove the trailing comma", line, column
    if "inline table" in reason.lower():
        return "close the table with }, on the same line and without a trailing comma", line, column
    if "table declaration" in reason.lower() or text.lstrip().startswith("["):
        return "write a heading as [table] or [[list of tables]]", line, column
    if re.search(r"=\s*(#.*)?$", text):
        return "a value is missing after =", line, column
    if text.strip() and "=" not in text:
        return "write `key = value`", line, column
    return "", line, column
