"""From settings to all that a training run needs: the table read, split and prepared, the network, and how it is trained.

A function of the settings and the data alone: a resumed run, a replay and an evaluation make the same experiment again.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import engines, files, preparing, recipes, splits, tables, trials
from chainrule.course import Checkpoint, Course, Learned, Rows, some
from chainrule.engines import Task
from chainrule.errors import InputError, Problem, RunError, shown
from chainrule.models import Model
from chainrule.network import Network
from chainrule.phrases import phrase
from chainrule.preparing import Goal, Preparation, Recognised
from chainrule.recipes import Recipe
from chainrule.rules.rule import Optimizer
from chainrule.settings import CHANGEABLE, NAMES, Settings, resolved_path
from chainrule.tables import Table

LARGE = 10_000_000
"""Numbers in a prepared table beyond which float32 is the default: half the memory, twice the speed."""


@dataclass(frozen=True, eq=False)
class Experiment:
    """A training run before it begins.

    settings: resolved, every choice made; asked: as they were given. train, validation, test: rows of the table, from 0.
    said: a sentence on each thing that was found or decided; warned: those that may be mistakes. cache: where rows are that
    memory does not hold.
    """

    settings: Settings
    asked: Settings
    table: Table
    goal: Goal
    preparation: Preparation
    recipe: Recipe
    network: Network
    optimizer: Optimizer
    course: Course
    train: Any
    validation: Any
    test: Any
    said: tuple[str, ...] = ()
    warned: tuple[Problem, ...] = ()
    cache: Path | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint is of: another one cannot be gone on with. Where the table lies does not matter, and neither does
        what may be said anew, or is as it is by default: a later version may have more settings."""
        plain = Settings()
        chosen = {name: getattr(self.settings, name) for name in sorted(NAMES) if name not in CHANGEABLE}
        settings = repr({name: value for name, value in chosen.items() if value != getattr(plain, name)})
        return {
            "data": self.table.fingerprint,
            "settings": hashlib.sha256(settings.encode()).hexdigest(),
            "seed": self.settings.seed,
        }

    @cached_property
    def rows(self) -> Rows:
        """The training rows as the network takes them."""
        return self._prepared(self.train, "train")

    @cached_property
    def watched(self) -> Rows | None:
        """Rows whose loss is told after each epoch: the validation rows. Where there are none, nothing is decided by a loss,
        and the rows held out can be watched without their ever having a say."""
        rows = self.validation if len(self.validation) else self.test
        return self._prepared(rows, "watched") if len(rows) else None

    @property
    def curve(self) -> str:
        """What the loss of the watched rows is called."""
        return "validation" if len(self.validation) else "held_out"

    def _prepared(self, rows: Any, part: str) -> Rows:
        dtype = np.dtype(self.recipe.dtype)
        weight = self.weights(rows)
        t = self.goal.targets(self.table.column(self.goal.column), rows, dtype, self.table.place)
        if self.cache is None:
            return Rows(self.preparation.matrix(self.table, rows, dtype), t, weight)
        self.cache.mkdir(parents=True, exist_ok=True)
        x = self.preparation.write(self.table, rows, self.cache / f"{part}.rows", dtype)
        most = int((self.settings.memory or 0) * 1e6 / 4 / (x.width * dtype.itemsize))
        return Rows(x, t, weight, max(1024, most))

    def weights(self, rows: Any) -> Any:
        """What each of these rows counts, (rows,), or None if all count alike."""
        return weights_of(self.settings, self.table, self.goal, rows, self.train)

    def kept(self, learned: Learned) -> Checkpoint:
        """The weights that the model gets: the best where validation rows say which those are, else the last good ones.
        RunError if training broke down before any epoch went well."""
        if learned.reason == "not finite" and not learned.best_epoch:
            raise RunError(Problem(learned.trouble, do="try a smaller --learning-rate, or --clip-norm 1"))
        return learned.best if self.keeps_best(learned) else learned.last

    def keeps_best(self, learned: Learned) -> bool:
        """Whether the model gets the weights of the best epoch, and not those of the last."""
        return bool(learned.best_epoch) and (self.recipe.keeps == "best" or learned.reason == "not finite")

    def model(self, weights: Checkpoint) -> Model:
        """The model with these weights."""
        network = copy.copy(self.network)
        network.parameters, network.memory = weights.parameters, weights.memory
        return Model(
            network,
            self.preparation,
            self.goal,
            {"target": self.settings.target, "weights": self.settings.weights, "data": self.facts()},
        )

    def facts(self) -> dict[str, Any]:
        """What the data was, and who trained."""
        return {
            "fingerprint": self.table.fingerprint,
            "rows": self.table.rows,
            "columns": len(self.table.columns),
            "training_rows": len(self.train),
            "validation_rows": len(self.validation),
            "test_rows": len(self.test),
            "inputs": len(self.preparation.inputs),
            "program": files.program(),
        }

    def engine(self) -> str:
        """The engine that trains this on this machine, with its build: with the same one a replay has the same bits."""
        first = np.arange(1)
        x, t = some(self.rows.x, first), some(self.rows.t, first)
        task = Task(self.network, x, t, self.optimizer, None, self.course.clipping, threads=self.course.threads)
        return engines.described(self.course.engine, task)

    def name(self, row: int) -> str:
        """A training row as messages call it: by its line in the file."""
        return place_of(self.table, int(self.train[row]))


def place_of(table: Table, row: int) -> str:
    """A row of a table, by its line in the file."""
    file, line = table.place(row)
    name = Path(file).name
    if line is not None:
        return phrase("line {line} of {file}", line=line, file=name)
    return phrase("row {row} of {file}", row=row + 1, file=name)


def weights_of(settings: Settings, table: Table, goal: Goal, rows: Any, train: Any) -> Any:
    """What each of these rows counts, (rows,), or None if all count alike; classes are balanced over the rows to train on."""
    weight = None
    if settings.weights is not None:
        weight = preparing.sample_weights(table, settings.weights, rows)
    if settings.class_weight == "balanced" and goal.kind != "number":
        column = table.column(goal.column)
        codes = goal.codes(column, train)
        counts = np.bincount(codes, minlength=len(goal.classes))
        balance = len(codes) / (len(counts) * np.maximum(counts, 1))
        balanced = balance[goal.codes(column, rows)]
        weight = balanced if weight is None else weight * balanced
    return weight


def prepare(settings: Settings, cache: Path | None = None) -> Experiment:
    """The experiment that the settings describe. cache: a folder for rows that memory does not hold.

    Raises InputError (settings that contradict the data's columns) and RunError (data).
    """
    check(settings)
    table = read(settings)
    _check_columns(settings, table)
    found = preparing.recognise(table, settings.target, settings.task)
    usable, missing = usable_rows(settings, table)
    grouping = grouping_of(settings, table, usable, found.kind)
    if settings.test:
        part = splits.hold_out(len(usable), settings.test, settings.seed, **grouping.chosen)
        learn, test = usable[part.train], usable[part.test]
    else:
        learn, test = usable, usable[:0]
    classes = tables.misspelt(table, settings.target) if found.kind != "number" else ()
    warned = (*table.warnings, *found.warnings, *missing, *classes)
    return of_rows(settings, table, found, learn, test, warned=warned, cache=cache)


def usable_rows(settings: Settings, table: Table) -> tuple[Any, tuple[Problem, ...]]:
    """The rows that have a target and count something, and what to say about the others."""
    usable, missing = preparing.labelled(table, settings.target)
    if settings.weights is not None:
        usable = usable[preparing.sample_weights(table, settings.weights, usable) > 0]
    return usable, missing


def of_rows(
    settings: Settings,
    table: Table,
    found: Recognised,
    learn: Any,
    test: Any,
    *,
    warned: Sequence[Problem] = (),
    cache: Path | None = None,
) -> Experiment:
    """The experiment on some rows of a table: `learn` are those to train on and to validate with, `test` those to judge by."""
    goal = preparing.goal_of(table, learn, settings.target, found.kind)
    beside = {name for name in (settings.by, settings.weights, *settings.leave_out) if name is not None}
    if settings.features is not None:
        beside |= {name for name in table.names if name not in (*settings.features, settings.target)}
    preparation, notes = preparing.fit(table, learn, settings.target, leave_out=beside, keep=settings.keep)
    recipe = _tried(settings, table, found, goal, preparation, learn)
    train, validation = learn, learn[:0]
    grouping = grouping_of(settings, table, learn, found.kind)
    if recipe.validation_fraction:
        part = splits.hold_out(len(learn), recipe.validation_fraction, settings.seed, draw=1, **grouping.chosen)
        train, validation = learn[part.train], learn[part.test]
    network = recipe.network(len(preparation.inputs), goal.outputs, settings.seed)
    said = (*tables.said(table), found.why, *preparing.summed_up(note for note in notes if not note.warning))
    return Experiment(
        _resolved(settings, recipe, found, grouping.how),
        settings,
        table,
        goal,
        preparation,
        recipe,
        network,
        recipe.rule(),
        recipe.course(len(train), seconds=settings.time_limit, engine=settings.engine, threads=settings.threads),
        train,
        validation,
        test,
        said,
        (*warned, *(Problem(str(note), file=table.files[0]) for note in notes if note.warning)),
        cache if settings.memory is not None else None,
    )


def read(settings: Settings) -> Table:
    """The table of a run."""
    memory = None if settings.memory is None else int(settings.memory * 1e6)
    source = settings.data[0] if len(settings.data) == 1 else settings.data
    return tables.read(source, options(settings), memory=memory)


def options(settings: Settings) -> tables.Options:
    """How the settings want the table to be read."""
    return tables.Options(
        separator=settings.sep,
        decimal=settings.decimal,
        thousands=settings.thousands,
        encoding=settings.encoding,
        header=settings.header,
        comment=settings.comment,
        missing=settings.missing,
        categorical=settings.categorical,
        numeric=settings.numeric,
        ignored=tuple(name for name in settings.leave_out if name != settings.target),
    )


@dataclass(frozen=True)
class Grouping:
    """How rows are held out, and what `splits` needs for it."""

    how: str
    chosen: dict[str, Any]


def grouping_of(settings: Settings, table: Table, rows: Any, kind: str) -> Grouping:
    """How to split these rows: as the settings say, or stratified by the classes if there are any."""
    target = table.column(settings.target)
    how = settings.split or ("stratified" if kind == "classes" else "random")
    classes: dict[str, Any] = {}
    if kind == "classes" and how != "random":
        _, first, labels = np.unique(np.asarray(target.values)[rows], return_index=True, return_inverse=True)
        classes = {"labels": labels, "classes": target.labels(rows[first])}
    if how in ("grouped", "time"):
        assert settings.by is not None
        column = table.column(settings.by)
        values = np.asarray(column.values)[rows]
        if how == "grouped":
            return Grouping(how, {"groups": values, **classes})
        if column.kind == "category":
            where = f'column "{settings.by}"'
            do = "write the times as ISO dates (2024-05-31) or as numbers"
            raise RunError(Problem("rows cannot be ordered by texts", where=where, got=shown(column.levels[0]), do=do))
        return Grouping(how, {"order": values, **classes})
    if how == "stratified" and kind != "classes":
        do = "use --split random, or --task classification"
        raise InputError("a stratified split needs classes", got="regression", do=do, field="split.split")
    return Grouping(how, classes)


def check(settings: Settings) -> None:
    """InputError for settings that contradict one another, before anything is read."""
    problems = []
    if not settings.data:
        problems.append(Problem("there is no data to train on", field="data.data", do="name a file"))
    if not settings.target:
        problems.append(Problem("there is no target", field="data.target", do="name the column to predict: --target COLUMN"))
    beside = {"leave_out": settings.leave_out, "features": settings.features or (), "keep": settings.keep}
    for name, columns in beside.items():
        if settings.target in columns:
            what = f"the target cannot be among {name} too"
            problems.append(Problem(what, got=shown(settings.target), field=f"data.{name}", do="leave it out there"))
    if settings.target and settings.target in (settings.by, settings.weights):
        what = "the target cannot be the split's or the weights' column too"
        problems.append(Problem(what, got=shown(settings.target), do="name another column"))
    if settings.split in ("grouped", "time") and settings.by is None:
        problems.append(Problem(f"a {settings.split} split needs a column", field="split.by", do="name it: --by COLUMN"))
    if settings.by is not None and settings.split not in ("grouped", "time"):
        do = "say --split grouped or --split time"
        problems.append(Problem("a column to split by is named, and no split that needs one", got=shown(settings.by), do=do))
    if settings.folds == 1:
        problems.append(Problem("one fold is no cross-validation", got="1", field="split.folds", do="use 5, or 0 for none"))
    if problems:
        raise InputError(*problems)


def _check_columns(settings: Settings, table: Table) -> None:
    """InputError for columns that the settings name and the table does not have."""
    named: dict[str, tuple[str | None, ...]] = {
        "target": (settings.target,), "weights": (settings.weights,), "by": (settings.by,),
    }  # fmt: skip
    named |= {name: getattr(settings, name) or () for name in ("features", "keep", "categorical", "numeric")}
    problems = []
    for what, names in named.items():
        for name in names:
            if name is not None and name not in table.names:
                wanted = "target column" if what == "target" else "column"
                problems.append(replace(table.unknown(name, wanted), field=f"--{what.replace('_', '-')}"))
    if problems:
        raise InputError(*problems)


def _recipe(settings: Settings, rows: int, inputs: int, goal: Goal) -> Recipe:
    """The recipe for the table, with what the settings say instead."""
    if settings.preset == "auto":
        chosen = recipes.recipe(rows, inputs, goal.outputs, goal.kind)
    else:
        chosen = recipes.preset(settings.preset, goal.kind)
    if settings.dtype is None and rows * inputs > LARGE:
        chosen = chosen.changed(dtype="float32")
    given = {name: getattr(settings, name) for name in RECIPE if getattr(settings, name) is not None}
    if settings.validation is not None:
        given["validation_fraction"] = settings.validation
        if not settings.validation and "patience" not in given:
            given["patience"] = None
    return chosen.changed(**given)


RECIPE = (
    "hidden", "activation", "norm", "dropout", "optimizer", "learning_rate", "schedule", "weight_decay", "clip_norm",
    "batch_size", "epochs", "patience", "dtype",
)  # fmt: skip
"""The settings that a recipe chooses where nobody did."""


def _tried(settings: Settings, table: Table, found: Recognised, goal: Goal, preparation: Preparation, learn: Any) -> Recipe:
    """The recipe, with what has to be tried out on the rows to learn from."""
    recipe = _recipe(settings, len(learn), len(preparation.inputs), goal)
    if not recipe.strengths:
        return recipe
    dtype = np.dtype(recipe.dtype)
    weight = weights_of(settings, table, goal, learn, learn)
    t = goal.targets(table.column(goal.column), learn, dtype, table.place)
    rows = Rows(preparation.matrix(table, learn, dtype), t, weight)
    by = grouping_of(settings, table, learn, found.kind).chosen
    return trials.tried(recipe, rows, goal.outputs, settings.seed, engine=settings.engine, threads=settings.threads, **by)[0]


def _resolved(settings: Settings, recipe: Recipe, found: Recognised, how: str) -> Settings:
    """Every choice made: another version of the program, with other defaults, makes the same run of it."""
    chosen = {name: getattr(recipe, name) for name in RECIPE}
    return settings.changed(
        **chosen,
        data=tuple(resolved_path(each) for each in settings.data),
        validation=recipe.validation_fraction,
        task=found.task,
        split=how,
    )
