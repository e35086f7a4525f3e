"""The [data] of a spec: inputs and targets as they stand there, or as a table has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from chainrule.errors import InputError, Problem, shown
from chainrule.phrases import Listed, phrase
from chainrule.raw import Raw, standardized
from chainrule.readers import Floats
from chainrule.rules.preparation import Standardize
from chainrule.rules.rule import Loss
from chainrule.spec.fields import Section, finite, found

OF_TABLES = ("target", "columns", "standardize", "rows")
OF_LISTS = ("inputs", "targets")
CLASSES = ("cross_entropy", "softmax_cross_entropy")
YES_OR_NO = ("binary_cross_entropy", "sigmoid_binary_cross_entropy")


@dataclass(frozen=True)
class Goal:
    """What the targets have to fit: the loss, the network's outputs, and the numbers of a row, as far as they are known."""

    loss: Loss | None
    width: int | None
    outputs: int | None

    @property
    def name(self) -> str:
        return self.loss.name if self.loss is not None else ""


@dataclass
class Data:
    """Inputs (rows, n) and targets (rows, outputs), each None if they cannot be used."""

    x: Any = None
    t: Any = None
    weight: Any = None
    raw: Raw | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_data(section: Section, goal: Goal, folder: Path | None) -> Data:
    """The [data] table. folder: where a table is looked for; None if the spec is not a file."""
    if "table" in section:
        data = _from_table(section, goal, folder)
        for key in OF_LISTS:
            if key in section:
                section.add(key, f"{key} cannot stand beside a table", "leave one of them out")
    else:
        data = _from_lists(section, goal)
        for key in OF_TABLES:
            if key in section:
                section.add(key, f"{key} belongs to a table", 'give table = "file.csv" too, or leave it out')
    data.weight = _sample_weights(section, None if data.x is None else len(data.x))
    section.get("classes")
    section.close()
    return data


def _from_lists(section: Section, goal: Goal) -> Data:
    if "inputs" not in section:
        section.missing("inputs", 'give inputs and targets, or table = "file.csv" and target = "column"')
    if "targets" not in section:
        section.missing("targets", "give a row of targets for each row of inputs")
    x = _inputs(section, goal) if "inputs" in section else None
    data = Data(x)
    if "targets" in section:
        data.t, data.outputs = _targets(section, goal, None if x is None else len(x))
    if data.x is not None and data.t is not None and len(data.x) != len(data.t):
        what = f"{len(data.x)} rows of inputs need as many rows of targets; {len(data.t)} are given"
        section.add("targets", what, "give a row of targets for each row of inputs")
    return data


def _inputs(section: Section, goal: Goal) -> Any:
    given = section.data["inputs"]
    if not finite(given):
        rows: Any = [[float(given)]]
    else:
        rows = section.matrix("inputs")
        if rows is not None and goal.width == 1 and len(rows) == 1 and not isinstance(given[0], list):
            rows = [[number] for number in rows[0]]  # one input: a flat list is a row each
    if rows is None:
        return None
    if goal.width is not None and len(rows[0]) != goal.width:
        what = f"layer 1 expects {goal.width} numbers per row; each row has {len(rows[0])}"
        section.add("inputs", what, f"give {goal.width} numbers in each row, or change the weights of layer 1")
    return np.array(rows)


def _targets(section: Section, goal: Goal, rows: int | None) -> tuple[Any, tuple[str, ...]]:
    given = section.data["targets"]
    listed = given if isinstance(given, list) else [given]
    nested = [each for each in listed if isinstance(each, list)]
    if goal.name in CLASSES + YES_OR_NO and _are_labels(listed, goal, rows):
        labels = [each[0] if isinstance(each, list) else each for each in listed]
        return _one_hot(section, "targets", labels, goal)
    if not finite(given):
        matrix: Any = [[float(given)]]
    else:
        matrix = section.matrix("targets")
        single = rows == 1 and (goal.outputs is None or len(listed) == goal.outputs)
        if matrix is not None and not nested and not single and (goal.outputs == 1 or rows == len(listed)):
            matrix = [[number] for number in matrix[0]]
    if matrix is None:
        return None, ()
    if goal.outputs is not None and len(matrix[0]) != goal.outputs:
        what = f"the network gives {goal.outputs} numbers per row; each row of targets has {len(matrix[0])}"
        section.add("targets", what, f"give {goal.outputs} numbers in each row, or change the last layer")
        return None, ()
    t = np.array(matrix)
    if goal.name in YES_OR_NO + CLASSES and ((t < 0) | (t > 1)).any():
        section.add("targets", f"targets of {goal.name} are probabilities, from 0 to 1", "give numbers from 0 to 1, or labels")
    return t, ()


def _are_labels(listed: list[Any], goal: Goal, rows: int | None) -> bool:
    """Whether targets are names of classes: text, or whole numbers that cannot be a row of numbers."""
    flat = [each[0] if isinstance(each, list) and len(each) == 1 else each for each in listed]
    if not flat or any(isinstance(each, list) for each in flat):
        return False
    if any(isinstance(each, str) for each in flat):
        return True
    if any(isinstance(each, bool) or not isinstance(each, int) for each in flat):
        return False
    if goal.name in YES_OR_NO:
        return goal.outputs in (1, None) and not set(flat) <= {0, 1}
    return not (rows == 1 and len(listed) == goal.outputs and flat == listed)


def _one_hot(section: Section, key: str, labels: list[Any], goal: Goal) -> tuple[Any, tuple[str, ...]]:
    """Labels as one-hot rows, or as 0 and 1 for one output; and the classes in the order of the outputs."""
    for place, label in enumerate(labels, 1):
        if isinstance(label, bool) or not isinstance(label, (str, int)) or type(label) is not type(labels[0]) or label == "":
            path = f"{section.at(key)}[{place}]"
            section.mistakes.add(path, "labels must be all text or all whole numbers", found(label))
            return None, ()
    needed = 2 if goal.name in YES_OR_NO else goal.outputs
    classes = _classes(section, labels, needed)
    if classes is None:
        return None, ()
    unknown = [(place, label) for place, label in enumerate(labels, 1) if label not in classes]
    for place, label in unknown[:5]:
        path = section.at(key) + (f"[{place}]" if isinstance(section.data[key], list) else "")
        listed = ", ".join(found(each) for each in classes)
        section.mistakes.add(path, "unknown class", found(label), f"the classes are {listed}")
    if goal.name in YES_OR_NO and goal.outputs not in (1, None):
        what = f"{goal.name} takes labels for one output only; the network gives {goal.outputs}"
        section.add(key, what, "use cross_entropy and softmax, or give rows of 0 and 1")
        return None, ()
    if needed is not None and len(classes) != needed:
        classed = f"{len(classes)} classes do" if len(classes) > 1 else "1 class does"
        what = f"{classed} not fit {'one yes-or-no output' if goal.name in YES_OR_NO else f'{needed} outputs'}"
        do = "two classes make one yes-or-no output"
        if goal.name in CLASSES:
            do = "list all classes as classes = [...], or " if len(classes) < needed else ""
            do += f"give the last layer {len(classes)} units" if len(classes) > 1 else "use rows of more than one class"
        section.add(
            key if "classes" not in section else "classes", what, do, got=", ".join(found(each) for each in classes[:8])
        )
        return None, ()
    if unknown:
        return None, ()
    index = {label: place for place, label in enumerate(classes)}
    places = np.array([index[label] for label in labels])
    names = tuple(str(each) for each in classes)
    return (places[:, None].astype(float) if goal.name in YES_OR_NO else np.eye(len(classes))[places]), names


def _classes(section: Section, labels: list[Any], needed: int | None) -> list[Any] | None:
    if "classes" not in section:
        seen = sorted(set(labels))
        if needed is not None and isinstance(seen[0], int) and len(seen) < needed and seen[0] >= 0 and seen[-1] < needed:
            return list(range(needed))  # numbers of classes, not all of which occur
        return seen
    classes = section.data["classes"]
    right = isinstance(classes, list) and all(isinstance(each, (str, int)) and not isinstance(each, bool) for each in classes)
    if not right or not classes or len(set(classes)) < len(classes):
        section.add("classes", "must be a list of different labels, in the order of the outputs")
        return None
    return list(classes)


def _sample_weights(section: Section, rows: int | None) -> Any:
    weights = section.numbers("weights")
    if weights is None:
        return None
    if rows is not None and len(weights) != rows:
        section.add("weights", f"{rows} rows of data need as many sample weights; {len(weights)} are given")
    elif any(weight < 0 for weight in weights):
        place = next(place for place, weight in enumerate(weights, 1) if weight < 0)
        path = f"{section.at('weights')}[{place}]"
        section.mistakes.add(path, "a sample weight must not be negative", found(section.data["weights"][place - 1]))
    elif not any(weights):
        section.add("weights", "all sample weights are 0", "give at least one row a weight")
    return np.array(weights)


def _from_table(section: Section, goal: Goal, folder: Path | None) -> Data:
    from chainrule import tables  # DuckDB is loaded only when a table is named

    path = _table_path(section, folder)
    target, standardize = section.text("target"), section.switch("standardize", True)
    if "target" not in section:
        section.missing("target", "name the column to predict")
    elif section.data["target"] == "":
        section.add("target", "must name the column to predict")
    wanted = _column_names(section)
    chosen = _chosen_rows(section)
    if path is None:
        return Data()
    kinds = dict.fromkeys(wanted or (), "number")
    if target:
        kinds[target] = "category" if goal.name in CLASSES + YES_OR_NO else "number"
    try:
        table = tables.read(path, kinds=kinds)
    except InputError as error:
        for problem in error.problems:
            section.mistakes.problems.append(problem)
        return Data()
    if target and target not in table:
        section.mistakes.given(InputError(table.unknown(target, "target column")), section.at("target"))
        target = ""
    columns, notes = _columns(section, table, wanted, target)
    if not columns or not target:
        return Data()
    rows, left = _rows(section, table, chosen, [*columns, target])
    notes += left
    if not rows:
        return Data()
    return _prepared(section, goal, table, columns, target, rows, notes, standardize)


def _prepared(
    section: Section,
    goal: Goal,
    table: Any,
    columns: list[str],
    target: str,
    rows: list[int],
    notes: list[str],
    standardize: bool,
) -> Data:
    data = Data(inputs=tuple(columns), notes=tuple(notes))
    if goal.width is not None and goal.width != len(columns):
        what = f"layer 1 expects {goal.width} numbers per row; {len(columns)} columns are used"
        section.add("columns" if "columns" in section else "table", what, f"name {goal.width} columns, or change layer 1")
    try:
        data.x = np.stack([table.column(name).values[rows] for name in columns], 1)
        if standardize:
            mean, deviation = _mean_and_deviation(data.x, columns)
            data.raw = standardized(data.x, mean, deviation)
            data.x = Standardize().value(Floats(), data.x, mean, deviation)
    except InputError as error:
        data.x = None
        section.mistakes.given(error, section.at("columns" if "columns" in section else "table"))
    _table_targets(section, goal, table, target, rows, data)
    return data


def _mean_and_deviation(values: Any, names: Sequence[str]) -> tuple[Any, Any]:
    """Mean and population standard deviation of each column of (rows, columns); an InputError if a column is constant."""
    with np.errstate(all="ignore"):
        mean, deviation = values.mean(0), values.std(0)
    problems = []
    for place, name in enumerate(names):
        if values[:, place].min() == values[:, place].max() or deviation[place] == 0:
            what = f"column {shown(name)} is the same in every row: it cannot be standardized"
            problems.append(Problem(what, got=f"{values[0, place]:g} in {len(values)} rows", do="leave the column out"))
        elif not math.isfinite(deviation[place]):
            problems.append(Problem(f"column {shown(name)} has numbers too large to be standardized", do="scale the column"))
    if problems:
        raise InputError(*problems)
    return mean, deviation


def _table_targets(section: Section, goal: Goal, table: Any, target: str, rows: list[int], data: Data) -> None:
    column = table.column(target)
    cells = column.labels(rows)
    labels = goal.name in CLASSES or (goal.name in YES_OR_NO and not all(cell in ("0", "1") for cell in cells))
    if labels:
        given = section.data.get("classes")
        numbers = isinstance(given, list) and any(isinstance(each, int) for each in given)
        whole = numbers and all(cell.isascii() and cell.isdigit() and len(cell) < 19 for cell in cells)
        data.t, data.outputs = _one_hot(section, "target", [int(cell) for cell in cells] if whole else cells, goal)
        return
    if column.kind == "category":  # zeros and ones of a yes-or-no output: texts until here, so that 01 is no 1
        data.t, data.outputs = np.array([[float(cell)] for cell in cells]), (target,)
    else:
        data.t, data.outputs = column.values[rows][:, None], (target,)
    if goal.outputs not in (None, 1):
        section.add(
            "target", f"the network gives {goal.outputs} numbers per row; a target column has one", "use one output unit"
        )
        data.t = None


def _table_path(section: Section, folder: Path | None) -> Path | None:
    name = section.text("table")
    if not name:
        if isinstance(section.data["table"], str):
            section.add("table", "must name a file")
        return None
    parts = {*PurePosixPath(name).parts, *PureWindowsPath(name).parts}
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor or ".." in parts or "\x00" in name:
        section.add("table", "must be a file in the folder of the spec", "copy or link it there")
        return None
    examples = Path(__file__).parent.parent / "examples"
    if folder is None and not (len(parts) == 1 and (examples / name).is_file()):
        section.add("table", "a spec that is not a file can use bundled tables only", "save the spec beside its table")
        return None
    return (folder or examples) / name


def _column_names(section: Section) -> list[str] | None:
    if "columns" not in section:
        return None
    given = section.data["columns"]
    if not isinstance(given, list) or not given or not all(isinstance(each, str) for each in given):
        section.add("columns", "must be a list of names of columns")
        return None
    for place, name in enumerate(given, 1):
        if name in given[: place - 1]:
            section.mistakes.add(f"{section.at('columns')}[{place}]", "this column is named twice", shown(name))
    return list(dict.fromkeys(given))


def _chosen_rows(section: Section) -> int | list[int] | None:
    if "rows" not in section:
        return None
    given = section.data["rows"]
    numbers = given if isinstance(given, list) else [given]
    if not numbers or any(isinstance(each, bool) or not isinstance(each, int) or each < 1 for each in numbers):
        section.add("rows", "must be a whole number of rows, or a list of row numbers from 1 on")
        return None
    if len(set(numbers)) < len(numbers):
        section.add("rows", "a row is named twice")
    return given  # type: ignore[no-any-return]


def _columns(section: Section, table: Any, wanted: list[str] | None, target: str) -> tuple[list[str], list[str]]:
    if wanted is None and "columns" in section:
        return [], []
    if wanted is None:
        others = [column for column in table.columns if column.name != target]
        columns = [column.name for column in others if column.kind == "number"]
        text = [column.name for column in others if column.kind != "number"]
        if not columns:
            section.add("table", "the table has no column of numbers beside the target")
        return columns, [phrase("columns without numbers left out: {names}", names=Listed(text))] if text else []
    right = True
    for place, name in enumerate(wanted, 1):
        if name not in table:
            right = False
            section.mistakes.given(InputError(table.unknown(name)), f"{section.at('columns')}[{place}]")
        if name == target:
            right = False
            section.mistakes.add(f"{section.at('columns')}[{place}]", "the target cannot be an input too", shown(name))
    return (wanted if right else []), []


def _rows(section: Section, table: Any, chosen: int | list[int] | None, used: list[str]) -> tuple[list[int], list[str]]:
    """The rows to use, counted from 0, and what was left out."""
    count = len(table)
    wanted = list(range(count)) if not isinstance(chosen, list) else [row - 1 for row in chosen]
    if wanted and max(wanted) >= count:
        section.add("rows", f"the table has {count} rows", got=f"row {max(wanted) + 1}")
        return [], []
    gaps = np.any([table.column(name).missing for name in used], 0)
    rows = [row for row in wanted if not gaps[row]]
    notes: list[str] = []
    name = Path(table.files[0]).name
    if len(rows) < len(wanted):
        sentence = phrase("{count} rows in {name}; {gaps} with gaps in the columns used left out")
        if isinstance(chosen, list):
            sentence = phrase("{chosen} of {count} rows in {name} chosen; {gaps} with gaps in the columns used left out")
        notes.append(phrase(sentence, chosen=len(wanted), count=count, name=name, gaps=len(wanted) - len(rows)))
    if isinstance(chosen, int) and chosen < len(rows):
        rows = rows[:chosen]
        notes.append(phrase("the first {n} rows of {name} without gaps are used", n=chosen, name=name))
    if not rows:
        section.add("table", "every row has gaps in the columns used", "use other columns")
    return rows, notes
