"""An example as TOML: the text reads back to the same example, bit for bit."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import printable
from chainrule.spec.revising import in_columns

if TYPE_CHECKING:
    from chainrule.spec import Example

WIDE = 100
"""A list that is longer than this is written with an entry a line."""

OF_A_TABLE = ("table", "target", "columns", "standardize", "rows")
"""What a spec says of a table: numbers that stand in the spec itself take its place."""


def trained(example: Example, parameters: Sequence[Mapping[str, Any]], note: str) -> Example:
    """The example with other numbers for its weights, biases, scales and shifts, an array each in the layer's dict; a note
    says where they are from. What else a training has reached no spec can say: the optimizer's memory, running means, and
    which batch comes next."""
    data = copy.deepcopy(example.data)
    for entry, views in zip(data["network"]["layers"], parameters, strict=True):
        if "W" in views:
            entry.pop("units", None)
            entry["weights"] = (views["W"].T if in_columns(data, entry) else views["W"]).tolist()
        for symbol, key in (("b", "biases"), ("gamma", "gamma"), ("beta", "beta")):
            if symbol in views:
                numbers = views[symbol].reshape(-1).tolist()
                alone = len(numbers) == 1 and not isinstance(entry.get(key), list)
                entry[key] = numbers[0] if alone else numbers
    data["notes"] = [*_notes(data), note]
    return example.rewritten(data)


def written(example: Example, inline: bool = False) -> str:
    """The spec of an example with all that was changed in it. Comments of the file it came from are not kept.

    inline: with the numbers of its table in it, as the network sees them, instead of the table's name.
    """
    return toml(inlined(example) if inline else example.data)


def portable(example: Example) -> str:
    """The spec of an example as it can be read anywhere: a table that is not bundled stands in it with its numbers."""
    from chainrule.spec import EXAMPLES

    table = example.data["data"].get("table")
    return written(example, inline=table is not None and not (EXAMPLES / Path(table).name).is_file())


def inlined(example: Example) -> dict[str, Any]:
    """An example's plain data with inputs and targets as numbers, in the place of the table they came from."""
    data = dict(example.data["data"])
    if "table" not in data:
        return example.data
    for key in OF_A_TABLE:
        data.pop(key, None)
    legend = ", ".join(f"i{place} is {name}" for place, name in enumerate(example.inputs, 1))
    notes = [*_notes(example.data), *example.notes[len(_notes(example.data)) :], legend + "."]
    data["inputs"] = example.x.tolist()
    labels = _labels(example)
    if labels is None:
        data.pop("classes", None)
        data["targets"] = example.t.tolist()
    else:
        data |= {"targets": labels, "classes": list(example.outputs)}
    return {**example.data, "notes": notes, "data": data}


def _notes(data: Mapping[str, Any]) -> list[str]:
    notes = data.get("notes", [])
    return [notes] if isinstance(notes, str) else list(notes)


def _labels(example: Example) -> list[str] | None:
    """The class of each row, if the targets of a table were labels."""
    names, t = example.outputs, example.t
    if len(names) == 2 and t.shape[1] == 1:
        return [names[int(row[0])] for row in t]
    if len(names) == t.shape[1] > 1:
        return [names[int(row.argmax())] for row in t]
    return None


def toml(data: Mapping[str, Any]) -> str:
    """Plain data as a TOML text: tables under their headings, lists of tables one by one, everything else in place."""
    return "\n".join(_table(data, "")).strip("\n") + "\n"


def _table(data: Mapping[str, Any], path: str) -> Iterator[str]:
    tables = {}
    for key, value in data.items():
        if value is None:
            continue  # JSON has a sign for nothing; in TOML it is not there
        if (isinstance(value, Mapping) and not path) or _is_tables(value):
            tables[key] = value
        else:
            yield from _pair(key, value)
    for key, value in tables.items():
        inner = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(value, Mapping):
            yield from ("", f"[{inner}]", *_table(value, inner))
        else:
            for each in value:
                yield from ("", f"[[{inner}]]", *_table(each, inner))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _pair(key: str, value: Any) -> Iterator[str]:
    text = f"{_key(key)} = {_value(value)}"
    if isinstance(value, list) and len(text) > WIDE:
        yield f"{_key(key)} = ["
        yield from (f"    {_value(each)}," for each in value)
        yield "]"
    else:
        yield text


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)  # the shortest digits that read back to the same number
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items() if each is not None)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_value(each) for each in value)}]"
    return str(value.isoformat())  # a date or a time: what else TOML knows


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)


def _text(text: str) -> str:
    """A text in quotes; signs that cannot be seen, and those that TOML does not take, as escapes."""
    return '"' + "".join(map(_sign, text)) + '"'


def _sign(sign: str) -> str:
    if sign in '"\\' or (sign < " " and sign in "\b\t\n\f\r"):
        return json.dumps(sign)[1:-1]
    if sign == printable(sign):
        return sign
    return f"\\u{ord(sign):04X}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08X}"
