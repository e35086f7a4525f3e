"""A worked example as TOML: network, data, update and conventions."""

from __future__ import annotations

import copy
import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.conventions import CHOICES, Conventions
from chainrule.errors import InputError, RunError, nearest, shown
from chainrule.network import Network
from chainrule.raw import Raw
from chainrule.rules.rule import Clipping, Optimizer, Schedule
from chainrule.spec import documents, kept
from chainrule.spec.data import Data, Goal, read_data
from chainrule.spec.documents import Document
from chainrule.spec.fields import Mistakes, Section
from chainrule.spec.names import read_names
from chainrule.spec.network import BYTES, NetworkDraft, build_network, read_network
from chainrule.spec.update import read_update
from chainrule.textbook import Naming

VERSION = 1
"""The newest version of a spec that this program reads."""

EXAMPLES = Path(__file__).parent.parent / "examples"

ORDER = ("mazur", "lamsal", "two-two-one", "three-layer", "penguins")

Settings = Sequence[tuple[str, Any]]
"""Dotted paths and their new values, as text or as data: ("update.order", "sequential")."""


@dataclass(frozen=True)
class Limits:
    """How large an example may be where it is read. A spec of one's own is limited by memory alone."""

    parameters: int = BYTES // 8
    rows: int = 2**31


@dataclass(frozen=True, eq=False)
class Example:
    """A worked example, ready to be derived or trained: x (rows, inputs), t (rows, outputs), both float64."""

    title: str
    source: str
    network: Network
    x: Any
    t: Any
    weight: Any
    optimizer: Optimizer
    schedule: Schedule | None
    clipping: Clipping | None
    conventions: Conventions
    naming: Naming
    batch_size: int | None
    raw: Raw | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    file: str
    data: dict[str, Any] = field(repr=False)
    keeps: dict[int, Any] | None
    document: Document = field(repr=False)
    settings: tuple[tuple[str, Any], ...] = ()

    def with_settings(self, settings: Settings) -> Example:
        """The same example with some values changed: `with_settings([("update.order", "sequential")])`."""
        return _build(self.document, (*self.settings, *settings))

    def edited(self, settings: Settings = (), limits: Limits | None = None) -> Example:
        """The same example with values changed for good: from here on it is as if it had been written so."""
        return self.rewritten(edited(self.data, settings), limits)

    def rewritten(self, data: dict[str, Any], limits: Limits | None = None) -> Example:
        """The example that other plain data describes, in the place of this one. No line of a file is named any more."""
        document = Document(data, "", folder=self.document.home, keeper=self.document.keeper)
        return replace(_build(document, (), limits), file=self.file)


def read_spec(path: str | os.PathLike[str], settings: Settings = ()) -> Example:
    """The worked example in a TOML or JSON file, or in a page that was kept. Raises InputError with every mistake of it."""
    return parse_spec(documents.contents(path), os.fspath(path), settings)


def parse_spec(text: str | bytes, file: str = "", settings: Settings = (), limits: Limits | None = None) -> Example:
    """The worked example in a text: TOML, JSON, or a page that was kept. file: its name, for messages, and the folder of its
    table."""
    if kept.is_page(text, file):
        spec = kept.spec_of(documents.decoded(text, file), file)
        return _build(documents.read(spec), tuple(settings), limits)  # its lines and its table are not the file's
    return _build(documents.read(text, file), tuple(settings), limits)


def example_names() -> tuple[str, ...]:
    """The names of the bundled examples, from the simplest on."""
    found = {path.stem for path in EXAMPLES.glob("*.toml")}
    return (*(name for name in ORDER if name in found), *sorted(found - set(ORDER)))


def example_text(name: str) -> str:
    """The spec of a bundled example as it is written."""
    if name not in example_names():
        raise InputError(f"no bundled example is called {shown(name)}", do=nearest(name, example_names()))
    return (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")


def load_example(name: str, settings: Settings = ()) -> Example:
    """A bundled example: `load_example("mazur")`."""
    return parse_spec(example_text(name), str(EXAMPLES / f"{name}.toml"), settings)


def load(what: str | os.PathLike[str], settings: Settings = ()) -> Example:
    """The spec at a path, or else the bundled example of that name."""
    name = os.fspath(what)
    if not name.strip():
        raise InputError("no example is named", do=nearest("", example_names()))
    if _is_file(name) or Path(name).suffix or "/" in name or os.sep in name:
        return read_spec(name, settings)
    if name in example_names():
        return load_example(name, settings)
    near = documents.neighbours(name)
    close = difflib.get_close_matches(name.lower(), example_names(), n=1, cutoff=0.6)
    do = near or nearest(name, example_names())
    if near and close:
        do = f"{near.removesuffix('?')} or {close[0]}?"
    raise InputError(f"there is no file and no bundled example called {shown(name)}", do=do)


def edited(data: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Plain data with some values changed; an InputError that names every path that leads nowhere."""
    changed, mistakes = copy.deepcopy(dict(data)), Mistakes(Document({}, ""))
    for path, value in settings:
        _put(changed, path, value, mistakes)
    if mistakes.problems:
        raise InputError(*mistakes.problems)
    return changed


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False


def _build(document: Document, settings: tuple[tuple[str, Any], ...], limits: Limits | None = None) -> Example:
    """Reads all of a document; every mistake is collected before any is raised."""
    data = copy.deepcopy(document.data)
    mistakes = Mistakes(document, [_plain(path) for path, _ in settings])
    for path, value in settings:
        _put(data, path, value, mistakes)
    top = Section(mistakes, data)
    _check_version(top)
    title, source = top.text("title"), top.text("source")
    notes = _notes(top)
    with np.errstate(all="ignore"):  # overflow is looked for where it matters, and named
        parts = _parts(top, document, limits or Limits())
    top.close(also=("update", "numbers", "names"))
    if mistakes.problems or parts is None:
        in_table = all(problem.file not in ("", "--set", document.file) for problem in mistakes.problems)
        raise (RunError if in_table else InputError)(*mistakes.problems)  # a spec that is right may name data that is not
    return Example(
        title=title,
        source=source,
        notes=(*notes, *parts.pop("notes")),
        warnings=tuple(mistakes.warnings),
        file=document.file,
        data=data,
        document=document,
        settings=settings,
        **parts,
    )


def _parts(top: Section, document: Document, limits: Limits) -> dict[str, Any] | None:
    """Everything of an example that numbers depend on; None if there are mistakes."""
    mistakes = top.mistakes
    update = read_update(top.section("update"))
    section = _required(top, "network", "write [network] and [[network.layers]]")
    draft = None if section is None else read_network(section, update.biases == "updated_per_unit")
    goal = Goal(draft.loss, draft.inputs, draft.outputs) if draft is not None else Goal(None, None, None)
    section = _required(top, "data", "write [data] with inputs and targets")
    data = Data() if section is None else read_data(section, goal, document.home)
    rows = None if data.x is None else len(data.x)
    if rows is not None and rows > limits.rows:
        mistakes.add("data", "there are too many rows", f"{rows:,} rows", f"the limit here is {limits.rows:,}")
    network = _network(draft, data, limits)
    keeps = None if draft is None else draft.keeps(rows)
    if update.batch_size is not None and rows is not None and update.batch_size > rows:
        mistakes.warn("update.batch_size", f"a batch of {update.batch_size} is all of the {rows} rows")
    numbers = _numbers(top.section("numbers"))
    names = top.section("names")
    if network is None or draft is None:
        if names is not None:
            read_names(names, None, ())
        return None
    columns = [each.columns for each in draft.layers]
    naming = network.naming() if names is None else read_names(names, network, columns)
    if data.x is not None and data.t is not None and not mistakes.problems:
        _fit(network, data, mistakes)
    conventions = Conventions(update.biases, update.order, draft.orientation, *numbers)
    return {
        "network": network,
        "x": data.x,
        "t": data.t,
        "weight": data.weight,
        "optimizer": update.optimizer,
        "schedule": update.schedule,
        "clipping": update.clipping,
        "conventions": conventions,
        "naming": naming,
        "batch_size": update.batch_size,
        "raw": data.raw,
        "inputs": data.inputs,
        "outputs": data.outputs,
        "notes": data.notes,
        "keeps": keeps,
    }


def _required(top: Section, key: str, do: str) -> Section | None:
    section = top.section(key)
    if section is None:
        for known in ("chainrule", "title", "source", "notes", "network", "data", "update", "numbers", "names"):
            top.get(known)
        top.missing(key, do)
    return section


def _network(draft: NetworkDraft | None, data: Data, limits: Limits) -> Network | None:
    if draft is None:
        return None
    width = draft.inputs if draft.inputs is not None else None if data.x is None else data.x.shape[1]
    return None if width is None else build_network(draft, width, limits.parameters)


def _fit(network: Network, data: Data, mistakes: Mistakes) -> None:
    """What only the network knows about data, such as rows of targets that must sum to 1."""
    path = "data.inputs"
    try:
        network.rows(data.x)
        path = "data.targets"
        network.goals(data.t, len(data.x))
    except InputError as error:
        mistakes.given(error, path)


def _check_version(top: Section) -> None:
    version = top.whole("chainrule", VERSION, 1)
    if version > VERSION:
        what = f"this spec is of version {version}; this program reads version {VERSION}"
        top.add("chainrule", what, "upgrade: pip install --upgrade chainrule")


def _notes(top: Section) -> tuple[str, ...]:
    given = top.get("notes", [])
    if isinstance(given, list) and all(isinstance(each, str) for each in given):
        return tuple(given)
    text = top.text("notes")
    return (text,) if text else ()


def _numbers(section: Section | None) -> tuple[str, int, str]:
    if section is None:
        return Conventions.intermediate, Conventions.places, Conventions.print
    shown_as = section.choice("print", CHOICES["print"], Conventions.print)
    intermediate = section.choice("intermediate", CHOICES["intermediate"], Conventions.intermediate)
    figures = "significant" in (intermediate, shown_as)
    places = section.whole("places", Conventions.places, 1 if figures else 0, 17)
    section.close()
    return intermediate, places, shown_as


_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def _plain(path: object) -> str:
    return str(path).strip()


def _put(data: dict[str, Any], path: str, value: Any, mistakes: Mistakes) -> None:
    """Puts one setting into the data. A table on the way that is absent is made; an entry of a list has to exist."""
    path = _plain(path)
    steps: list[str | int] = [name or int(number) for name, number in _STEP.findall(path) if name or len(number) < 10]
    whole = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
    if not steps or whole != path:
        mistakes.add(path, "a setting must be a path", shown(path), "such as update.order, or network.layers[1].biases")
        return
    try:
        plain = documents.value(value) if isinstance(value, str) else _as_plain(value)
    except InputError as error:
        mistakes.given(error, path)
        return
    here: Any = data
    for place, step in enumerate(steps):
        last = place == len(steps) - 1
        if isinstance(step, int):
            if not isinstance(here, list) or not 1 <= step <= len(here):
                size = f"it is a list of {len(here)}" if isinstance(here, list) else "it is no list"
                mistakes.add(path, f"there is no entry {step} to set", do=f"{size}; entries count from 1")
                return
            here, key = here, step - 1
        elif not isinstance(here, dict):
            do = "name an entry, such as layers[1]" if isinstance(here, list) else "set a key of a table"
            mistakes.add(path, f"there is no key {shown(step)} to set", do=do)
            return
        else:
            key = step  # type: ignore[assignment]
        if last:
            here[key] = plain
        else:
            here = here[key] if isinstance(step, int) else here.setdefault(key, {})


def _as_plain(value: Any) -> Any:
    """Data from Python as a document would hold it: arrays and tuples are lists."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Mapping):
        return {str(key): _as_plain(each) for key, each in value.items()}
    return [_as_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
