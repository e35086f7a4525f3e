"""A trained model: a network with all that makes it one of a table, in one file."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule import files
from chainrule.errors import InputError, RunError, shown
from chainrule.files import FileError
from chainrule.network import Network
from chainrule.preparing import Goal, Preparation

BLOCK = 2**20
"""So many numbers of a table are prepared and computed at once."""

_OTHER = "network, preparation and goal must be of the same model"
_ENTRIES = ("network", "preparation", "goal", "about")


@dataclass(frozen=True, eq=False)
class Model:
    """A network, what its inputs and outputs mean, and where it comes from.

    preparation: from a table's columns to inputs, or None: then inputs are given as they are. goal: what the outputs mean,
    or None. about: plain data of any kind (title, fingerprint of the training data, scores ...), kept in the file.
    Raises InputError if the parts do not fit together.
    """

    network: Network
    preparation: Preparation | None = None
    goal: Goal | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        inputs, outputs = self.network.inputs, self.network.outputs
        if self.preparation is not None and len(self.preparation.inputs) != inputs:
            raise InputError(
                f"the network has {inputs} inputs", got=f"{len(self.preparation.inputs)} from the preparation", do=_OTHER
            )
        if self.goal is not None and self.goal.outputs != outputs:
            raise InputError(f"the network has {outputs} outputs", got=f"{self.goal.outputs} for the goal", do=_OTHER)

    def saying(self, **more: Any) -> Model:
        """The same model, with more said about it."""
        return replace(self, about={**self.about, **more})

    def for_tables(self) -> tuple[Preparation, Goal]:
        """Preparation and goal. RunError for a model that has none: it takes arrays, and gives arrays."""
        if self.preparation is None or self.goal is None:
            do = "use it in Python: chainrule.load_model(path).outputs(array)"
            raise RunError("the model was not trained on a table, and knows no columns", do=do)
        return self.preparation, self.goal

    def outputs(self, table: Any, rows: Any = None) -> Any:
        """The network's outputs, (rows, outputs), for rows of a table (places from 0; all if None). Without a preparation the
        table is an array of inputs, (rows, inputs). They are computed in blocks, so a table larger than memory will do."""
        if self.preparation is None:
            table = self.network.rows(table)
        count = len(table) if rows is None else len(rows)
        result = np.empty((count, self.network.outputs), self.network.dtype)
        for start, part in self._blocks(count, rows):
            x = table[part] if self.preparation is None else self.preparation.matrix(table, part, self.network.dtype)
            result[start : start + len(part)] = self.network.predict(x)
        return result

    def _blocks(self, count: int, rows: Any) -> Iterator[tuple[int, Any]]:
        size = max(1, BLOCK // max(self.network.inputs, *self.network.widths))
        for start in range(0, count, size):
            stop = min(count, start + size)
            yield start, np.arange(start, stop) if rows is None else np.asarray(rows)[start:stop]

    def block(self, row: int, count: int) -> Any:
        """The rows of `count` that `outputs` computes together with a row: the last digits may depend on them."""
        return next(part for start, part in self._blocks(count, None) if row < start + len(part))

    def save(self, path: str | os.PathLike[str], overwrite: bool = True, allow_nonfinite: bool = False) -> None:
        """Puts the model into a file, whole or not at all: what stands there before stays until the new file is complete.

        Raises RunError if the disk does not take it, or if weights are NaN or infinite and that is not allowed; InputError
        if there is a file and it is not to be overwritten, and for a network of fractions.
        """
        tensors, network = files.network_document(self.network)
        parts = {
            "preparation": None if self.preparation is None else self.preparation.data(),
            "goal": None if self.goal is None else self.goal.data(),
            "about": {**self.about, "versions": {**versions(), **self.about.get("versions", {})}},
        }
        arrays, document = files.apart(parts, columns=False)
        if arrays:
            raise TypeError(f"what is said about a model is plain data: {', '.join(arrays)} is an array")
        files.write(path, tensors, {"network": network, **document}, "model", allow_nonfinite, overwrite)

    @property
    def size(self) -> int:
        """Parameters."""
        return self.network.size


def load(path: str | os.PathLike[str], allow_nonfinite: bool = False) -> Model:
    """The model in a file. Its outputs are those of the saved one, to the bit.

    Raises RunError that says what is wrong: every bit of the file is checked, and nothing in it is run or followed.
    """
    tensors, document = files.read(path, "model", allow_nonfinite)
    try:
        return _model(tensors, document)
    except FileError as error:
        raise error.at(os.fspath(path)) from None
    except InputError as error:
        problem = error.problems[0]
        where = problem.where or problem.field
        raise FileError(problem.what, where, problem.got, problem.do).at(os.fspath(path)) from None


def _model(tensors: Mapping[str, Any], document: Mapping[str, Any]) -> Model:
    if set(document) != set(_ENTRIES):
        raise FileError("the file does not hold what a model is made of", got=shown(sorted(document)))
    network = files.network_from(document["network"], tensors)
    parts = files.together({}, {key: document[key] for key in _ENTRIES[1:]})
    preparation, goal, about = (parts[key] for key in _ENTRIES[1:])
    if not isinstance(about, dict):
        raise FileError("what is said about the model is no table", got=shown(about))
    for name, part in (("preparation", preparation), ("goal", goal)):
        if part is not None and not isinstance(part, dict):
            raise FileError(f"the model's {name} is no table", got=shown(part))
    return Model(
        network,
        None if preparation is None else Preparation.made(preparation),
        None if goal is None else Goal.made(goal),
        about,
    )


def versions() -> dict[str, str]:
    """What a model was made with."""
    return {"program": files.program(), "python": platform.python_version(), "numpy": np.__version__}
