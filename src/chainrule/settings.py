"""All that may be said about a training run, as plain data: one list for the command's options, the TOML of a run, checks and
help."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any

from chainrule.errors import InputError, Problem, nearest, shown

SECTIONS = ("data", "split", "network", "training", "run")


def _setting(default: Any, section: str, kind: str, help: str, **limits: Any) -> Any:
    """A field: kind is text, texts, whole, number, wholes or switch; limits are choices, least, most, above, below."""
    return dataclass_field(default=default, metadata={"section": section, "kind": kind, "help": help, "limits": limits})


@dataclass(frozen=True)
class Settings:
    """The settings of a run. None leaves a choice to the recipe, or to what is found in the data."""

    data: tuple[str, ...] = _setting((), "data", "texts", "Files, globs or folders of the table.")
    target: str = _setting("", "data", "text", "The column to predict.")
    weights: str | None = _setting(None, "data", "text", "The column that says how much a row counts.")
    features: tuple[str, ...] | None = _setting(None, "data", "texts", "Only these columns go in.")
    leave_out: tuple[str, ...] = _setting((), "data", "texts", "These columns do not.")
    keep: tuple[str, ...] = _setting((), "data", "texts", "These columns do, even if they number or name the rows.")
    categorical: tuple[str, ...] = _setting((), "data", "texts", "Columns whose numbers are names of categories.")
    numeric: tuple[str, ...] = _setting((), "data", "texts", "Columns that must hold numbers.")
    missing: str = _setting("impute", "data", "text", "What to do about gaps.", choices=("impute", "error"))
    sep: str | None = _setting(None, "data", "text", "What separates the columns, if not what is found.")
    decimal: str | None = _setting(None, "data", "text", "The decimal sign.", choices=(".", ","))
    thousands: str | None = _setting(None, "data", "text", "The sign between groups of three digits.")
    encoding: str | None = _setting(None, "data", "text", "The encoding, if not UTF-8.")
    comment: str | None = _setting(None, "data", "text", "What begins a line that is a comment.")
    header: bool | None = _setting(None, "data", "switch", "Whether the first row has the names, if it is not to be found out.")
    strict: bool = _setting(False, "data", "switch", "Take warnings about the data for errors.")

    split: str | None = _setting(
        None, "split", "text", "How rows are held out.", choices=("stratified", "random", "grouped", "time")
    )
    by: str | None = _setting(None, "split", "text", "The column of the groups, or of the time.")
    test: float = _setting(0.2, "split", "number", "The part held out to judge the model by.", least=0, below=1)
    folds: int = _setting(0, "split", "whole", "Cross-validate with so many folds first.", least=0, most=1000)

    task: str | None = _setting(None, "network", "text", "What the target means.", choices=("classification", "regression"))
    preset: str = _setting("auto", "network", "text", "Where the other settings come from.", choices=("auto", "textbook"))
    hidden: tuple[int, ...] | None = _setting(None, "network", "wholes", "Units of each hidden layer.", least=1)
    activation: str | None = _setting(None, "network", "text", "The hidden layers' activation.", rule="activation")
    norm: str | None = _setting(None, "network", "text", "Norm layers.", choices=("none", "layer", "batch"))
    dropout: float | None = _setting(None, "network", "number", "The part of the units dropped.", least=0, below=1)

    optimizer: str | None = _setting(None, "training", "text", "The optimizer.", rule="optimizer")
    learning_rate: float | None = _setting(None, "training", "number", "The learning rate.", above=0, most=1e6)
    schedule: str | None = _setting(
        None, "training", "text", "How the learning rate goes.", choices=("constant", "cosine", "one_cycle")
    )
    weight_decay: float | None = _setting(None, "training", "number", "The weight decay.", least=0)
    clip_norm: float | None = _setting(None, "training", "number", "The longest a gradient may be.", above=0)
    batch_size: int | None = _setting(None, "training", "whole", "Rows of an update.", least=1)
    epochs: int | None = _setting(None, "training", "whole", "Passes over the rows, at most.", least=1)
    validation: float | None = _setting(
        None, "training", "number", "The part of the training rows that says when to stop.", least=0, below=1
    )
    patience: int | None = _setting(None, "training", "whole", "Epochs without improvement to wait for.", least=1)
    class_weight: str = _setting("none", "training", "text", "Whether rare classes count more.", choices=("none", "balanced"))
    dtype: str | None = _setting(None, "training", "text", "The kind of numbers.", choices=("float64", "float32"))
    seed: int = _setting(0, "training", "whole", "First weights, splits and shuffles follow from it.", least=0, most=2**63 - 1)

    engine: str = _setting("auto", "run", "text", "Who trains.", choices=("auto", "native", "reference"))
    threads: int | None = _setting(None, "run", "whole", "Threads, at most.", least=1, most=256)
    time_limit: float | None = _setting(None, "run", "number", "Seconds of training, at most.", above=0)
    checkpoint_every: float = _setting(10.0, "run", "number", "Seconds between checkpoints.", least=0)
    memory: float | None = _setting(None, "run", "number", "Megabytes of rows in memory, at most.", above=0, most=1e9)

    def __post_init__(self) -> None:
        problems = [problem for name in NAMES for problem in _check(name, getattr(self, name))]
        if problems:
            raise InputError(*problems)

    def changed(self, **given: Any) -> Settings:
        return replace(self, **given)

    def differing(self, other: Settings) -> tuple[str, ...]:
        """The names of the settings in which two runs differ."""
        return tuple(name for name in NAMES if getattr(self, name) != getattr(other, name))

    def as_toml(self, **more: Mapping[str, Any]) -> str:
        """The settings, section by section; None is left out. more: further sections."""
        sections: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if value is not None:
                sections[entry.metadata["section"]][entry.name] = value
        parts = []
        for name, entries in {**sections, **more}.items():
            lines = [f"{key} = {_toml(value)}" for key, value in entries.items() if value is not None]
            parts.append("\n".join([f"[{name}]", *lines]) + "\n")
        return "\n".join(parts)


NAMES = tuple(entry.name for entry in fields(Settings))
_META = {entry.name: entry.metadata for entry in fields(Settings)}
CHANGEABLE = ("data", "engine", "threads", "time_limit", "checkpoint_every", "memory")
"""What may be said anew when a run goes on: where the same table lies now, and how it is trained on.

None of it changes a bit of an update, but for another engine: that changes last digits, and is warned of.
"""


def about(name: str) -> Mapping[str, Any]:
    """Section, kind, help and limits of a setting."""
    return _META[name]


def read_settings(path: str, extra: Iterable[str] = ()) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings in a TOML file, by name, and its other sections if they are among `extra`; InputError with each mistake."""
    try:
        with open(path, "rb") as stream:
            document = tomllib.load(stream)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(Problem(f"the settings cannot be read: {reason}", file=path, do="check the name")) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(Problem(f"this is not valid TOML: {error}", file=path, do="correct it")) from None
    found: dict[str, Any] = {}
    others: dict[str, Any] = {}
    problems = []
    for section, entries in document.items():
        if section in extra:
            others[section] = entries
        elif section not in SECTIONS or not isinstance(entries, dict):
            problems.append(Problem("unknown section", got=shown(section), do=nearest(section, SECTIONS), file=path))
        else:
            for name, value in entries.items():
                here = [each for each in NAMES if _META[each]["section"] == section]
                if name not in here:
                    problems.append(
                        Problem(
                            "unknown setting", got=shown(name), do=nearest(name, here), file=path, field=f"{section}.{name}"
                        )
                    )
                else:
                    found[name] = tuple(value) if isinstance(value, list) else value
                    problems += [replace(each, file=path) for each in _check(name, found[name])]
    if problems:
        raise InputError(*problems)
    return found, others


_KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "text": (str, "a text"),
    "whole": (int, "a whole number"),
    "number": ((int, float), "a number"),
    "switch": (bool, "true or false"),
}


def _check(name: str, value: Any) -> list[Problem]:
    """What is wrong with a setting's value."""
    meta = _META[name]
    kind, limits = meta["kind"], meta["limits"]
    where = f"{meta['section']}.{name}"
    if value is None:
        return []
    if kind in ("texts", "wholes"):
        each_kind = kind[:-1]
        if not isinstance(value, tuple):
            return [
                Problem("must be a list", where, shown(value), f'for example ["{name}"]' if each_kind == "text" else "[64, 64]")
            ]
        return [problem for each in value for problem in _one(where, each, each_kind, limits)]
    return _one(where, value, kind, limits)


def _one(where: str, value: Any, kind: str, limits: Mapping[str, Any]) -> list[Problem]:
    wanted, words = _KINDS[kind]
    if not isinstance(value, wanted) or (kind != "switch" and isinstance(value, bool)):
        return [Problem(f"must be {words}", where, shown(value))]
    if "choices" in limits and value not in limits["choices"]:
        return [Problem("unknown value", where, shown(value), nearest(value, limits["choices"]))]
    if "rule" in limits:
        from chainrule.rules import names

        if value not in names(limits["rule"]):
            return [Problem(f"unknown {limits['rule']}", where, shown(value), nearest(value, names(limits["rule"])))]
    if kind in ("whole", "number"):
        outside = (kind == "number" and not _finite(value)) or not (
            limits.get("least", -math.inf) <= value <= limits.get("most", math.inf)
            and limits.get("above", -math.inf) < value < limits.get("below", math.inf)
        )
        if outside:
            return [Problem(f"must be {words} {_range(limits)}", where, shown(value))]
    return []


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond float64
        return False


def _range(limits: Mapping[str, Any]) -> str:
    told = {"least": "at least", "above": "above", "most": "at most", "below": "below"}
    return " and ".join(f"{words} {limits[key]:g}" for key, words in told.items() if key in limits)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(sign, sign if sign.isprintable() else _escape(sign)) for sign in value) + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return repr(value)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _escape(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"


def resolved_path(path: str) -> str:
    """A file's name as a run keeps it: from the root, so that the run can be opened from any folder."""
    return path if "://" in path or path == "-" else str(Path(path).absolute())
