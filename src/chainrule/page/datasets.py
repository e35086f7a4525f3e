"""Points in the plane to train on, and tables of one's own: each as an example with a network that suits it."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule import draws
from chainrule.errors import InputError, Problem
from chainrule.page.limits import refuse_beyond
from chainrule.phrases import say
from chainrule.spec import Example, parse_spec, read_spec

if TYPE_CHECKING:
    from chainrule.tables import Table

ROWS = 100_000
"""Up to so many rows a table may have."""

CSV = 16_000_000
"""Up to so many signs a table may have."""

PLACES = 3
"""Decimals of a coordinate: few, so that a derivation stays readable."""

HIDDEN = (8, 8)
"""Units of the hidden layers that a data set begins with."""

Shape: TypeAlias = Callable[[Any, Any], Any]


def xor(u: Any, kind: Any) -> Any:
    """Two classes in opposite quarters of a square: x1 and x2 uniform in 0.05 ... 1, of the same sign in class 0."""
    side = np.where(u[:, 0] < 0.5, -1.0, 1.0)
    across, up = 0.05 + 0.95 * np.abs(2 * u[:, 0] - 1), 0.05 + 0.95 * u[:, 1]
    return np.stack([side * across, side * np.where(kind == 0, 1, -1) * up], 1)


def circles(u: Any, kind: Any) -> Any:
    """A ring of radius 1 around one of radius 1/2: r (cos 2πu, sin 2πu)."""
    radius, angle = np.where(kind == 0, 1.0, 0.5), 2 * np.pi * u[:, 0]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)


def moons(u: Any, kind: Any) -> Any:
    """Two half circles, one into the other: (cos πu, sin πu) and (1 - cos πu, 1/2 - sin πu), both less (1/2, 1/4)."""
    angle = np.pi * u[:, 0]
    upper = np.stack([np.cos(angle), np.sin(angle)], 1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)
    return np.where(kind[:, None] == 0, upper, lower) - [0.5, 0.25]


def spirals(u: Any, kind: Any) -> Any:
    """Two arms that turn once: r (cos φ, sin φ) with r = 0.1 + 0.9 √u and φ = 2πr, half a turn further in class 1."""
    radius = 0.1 + 0.9 * np.sqrt(u[:, 0])
    angle = 2 * np.pi * radius + np.pi * kind
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)


SHAPES: dict[str, Shape] = {"xor": xor, "circles": circles, "moons": moons, "spirals": spirals}
"""From uniform numbers (points, 2) and classes (points,) to places (points, 2)."""

TITLES = {"xor": "Exclusive or", "circles": "Two circles", "moons": "Two moons", "spirals": "Two spirals"}


def points(name: str, count: int, noise: float, seed: int) -> tuple[Any, Any]:
    """Places (count, 2) and classes (count,), by turns 0 and 1: a function of name, count, noise and seed.

    noise: the standard deviation of what is added to each coordinate.
    """
    kind = np.arange(count) % 2
    u = draws.uniform(seed, "points", 0, 0, (count, 2))
    moved = noise * draws.normal(seed, "points", 1, 0, (count, 2))
    return np.round(SHAPES[name](u, kind) + moved, PLACES) + 0.0, kind  # + 0.0: no -0


def drawn(name: str, count: int, noise: float, seed: int) -> Example:
    """A data set of the catalogue, with a network that learns it."""
    x, kind = points(name, count, noise, seed)
    title = say("{name}: {count} points", name=say(TITLES[name]), count=f"{count:,}")
    data = {"inputs": x.tolist(), "targets": kind.tolist()}
    return parse_spec(json.dumps(_spec(title, "sigmoid", 1, "binary_cross_entropy", data, seed)))


def table(text: str, name: str, target: str, columns: list[str] | None) -> Example:
    """A table of one's own, from the text of a CSV file, with a network that suits its target.

    Raises InputError or RunError with all that is wrong with the file, by its name and lines.
    """
    with _file(text, name) as file:
        loss, activation, units = _suited(file, target)
        data: dict[str, Any] = {"table": file.name, "target": target}
        if columns is not None:
            data["columns"] = columns
        spec = file.parent / "spec.json"
        spec.write_text(json.dumps(_spec(Path(file.name).stem, activation, units, loss, data, 1)), encoding="utf-8")
        example = read_spec(spec)
        keeper = _Keeper()
        weakref.finalize(keeper, shutil.rmtree, file.parent, ignore_errors=True)
    return replace(example, document=replace(example.document, keeper=keeper))


class _Keeper:
    """Held by an example and by whatever it is changed to: the table is read again at each change, and gone with the last."""


def columns(text: str, name: str) -> list[dict[str, Any]]:
    """The columns of a table: what each is called, and whether it holds numbers."""
    with _file(text, name, keep=False) as file:
        found = _read(file)
    return [{"name": each.name, "number": each.kind == "number"} for each in found.columns]


@contextmanager
def _file(text: str, name: str, keep: bool = True) -> Iterator[Path]:
    """A text as a file in a folder of its own, which is gone afterwards if it is not to be kept, or if something went wrong.

    Messages name the file as its user does, without that folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="chainrule-"))
    try:
        file = folder / _named(name)
        file.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
        yield file
    except InputError as error:
        keep = False
        raise type(error)(*(_plain(each, f"{folder}/") for each in error.problems)) from None
    except BaseException:
        keep = False
        raise
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _read(file: Path) -> Table:
    from chainrule.tables import read  # with DuckDB: only where there is a table

    found = read(file)
    if len(found) > ROWS:
        raise InputError(
            say("the table has too many rows for the page"), got=f"{len(found):,}",
            do=say("at most {rows}; train on all of it with: chainrule train", rows=f"{ROWS:,}"), field="csv",
        )  # fmt: skip
    return found


def _suited(file: Path, target: str) -> tuple[str, str, int]:
    """Loss, activation and number of outputs that suit a target column."""
    from chainrule.preparing import recognise

    found = _read(file)
    if recognise(found, target).kind == "number":
        return "half_squared_error", "identity", 1
    column = found.column(target)
    classes = {column.text(row) for row in range(len(found)) if not column.missing[row]}
    if len(classes) < 2:
        raise InputError(
            say("a class needs another one beside it"), got=", ".join(sorted(classes)),
            do=say("choose a target with two classes or more"), field="target",
        )  # fmt: skip
    refuse_beyond(len(found), len(classes))  # a column that names each row is a class for each
    if len(classes) == 2:
        return "binary_cross_entropy", "sigmoid", 1
    return "cross_entropy", "softmax", len(classes)


def _spec(title: str, activation: str, units: int, loss: str, data: dict[str, Any], seed: int) -> dict[str, Any]:
    hidden = [{"units": width, "activation": "tanh", "initializer": "glorot_uniform"} for width in HIDDEN]
    last = {"units": units, "activation": activation, "initializer": "glorot_uniform"}
    layers = [{**layer, "biases": [0.0] * layer["units"]} for layer in (*hidden, last)]  # type: ignore[operator]
    return {
        "chainrule": 1,
        "title": title,
        "network": {"loss": loss, "seed": seed, "layers": layers},
        "data": data,
        "update": {"optimizer": "adam", "learning_rate": 0.03},
        "numbers": {"places": 6},
    }


def _named(name: str) -> str:
    """The name of a file that was chosen, as it may stand in a folder of ours."""
    plain = re.sub(r"[^\w .-]", "_", name.replace("\\", "/").rpartition("/")[2])[:80].strip(" .")
    return plain if plain.lower().endswith(".csv") and len(plain) > 4 else "table.csv"


def _plain(problem: Problem, folder: str) -> Problem:
    texts = {key: getattr(problem, key).replace(folder, "") for key in ("what", "where", "got", "do", "file")}
    return replace(problem, **texts)
