"""All that a report shows, as plain data: gathered from a run that has ended, and known to no page."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import judging, signals
from chainrule.course import Learned
from chainrule.doctor import Finding
from chainrule.evidence import Evidence
from chainrule.experiment import Experiment
from chainrule.folding import Folds
from chainrule.importance import Importance
from chainrule.judging import Judgement
from chainrule.models import Model, versions
from chainrule.preparing import LeftOut
from chainrule.recipes import Recipe
from chainrule.report.figures import alike
from chainrule.runs import Run
from chainrule.scores import ClassScores
from chainrule.settings import NAMES, Settings, about
from chainrule.tables.table import day

POINTS = 1_000
"""Points of a plot, at most."""

MISSES = 8
"""Rows that are told which the model gets most wrong."""

ENDINGS = {
    "epochs": "all {epochs} epochs",
    "patience": "{epochs} epochs, until the validation loss had stopped improving",
    "time": "{epochs} epochs, until the time was up",
    "callback": "{epochs} epochs",
    "not finite": "{epochs} epochs, until it broke down",
}


@dataclass(frozen=True)
class Score:
    """One model's main figure: as text and, for a bar, as a part from 0 to 1, with an interval if one is known."""

    name: str
    text: str
    part: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ColumnLine:
    """One column of the table. use: "input", "target" or "left out"; done: what was done with it, in words."""

    name: str
    use: str
    kind: str
    values: str
    gaps: str
    done: str


@dataclass(frozen=True)
class Miss:
    """A row held out that the model gets wrong: where it stands, what it is, what the model says, and how far off it is."""

    place: str
    actual: str
    predicted: str
    off: str


@dataclass(frozen=True)
class Scatter:
    """Predicted against actual numbers of rows held out. of: how many rows there are; date: they are days since 1970-01-01."""

    actual: tuple[float, ...]
    predicted: tuple[float, ...]
    of: int
    date: bool = False


@dataclass(frozen=True)
class Layer:
    """A layer with weights: its number, what people call it, its sizes, and the rules in it."""

    number: int
    name: str
    sizes: str
    rules: str


@dataclass(frozen=True)
class Facts:
    """What stands in a report, in the order in which it stands there."""

    target: str
    source: str
    task: str
    words: str
    training: str
    scores: tuple[Score, ...]
    models: tuple[str, ...]
    figures: tuple[tuple[str, tuple[float, ...]], ...]
    folds: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...]
    epochs: tuple[tuple[int, float, float | None], ...]
    curve: str
    kept: int
    blind: float
    classes: tuple[str, ...]
    confusion: tuple[tuple[float, ...], ...]
    scatter: Scatter | None
    misses: tuple[Miss, ...]
    missed: int
    importance: Importance | None
    layers: tuple[Layer, ...]
    measured: tuple[tuple[int, tuple[Mapping[str, Any], ...]], ...]
    probe: int
    data: str
    rows: tuple[tuple[str, str], ...]
    columns: tuple[ColumnLine, ...]
    notes: tuple[str, ...]
    settings: tuple[tuple[str, str, str], ...]
    commands: tuple[tuple[str, str], ...]
    opening: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]


def gather(
    run: Run,
    experiment: Experiment,
    model: Model,
    learned: Learned,
    judgement: Judgement | None,
    folds: Folds | None,
    evidence: Evidence,
    findings: Sequence[Finding],
    importance: Importance | None,
) -> Facts:
    """The facts of a run that has ended."""
    settings, table, goal = experiment.settings, experiment.table, experiment.goal
    outputs = model.outputs(table, experiment.test) if len(experiment.test) else None
    scores = None if judgement is None else judgement.scores
    misses, missed = _misses(experiment, outputs)
    return Facts(
        target=settings.target,
        source=_source(settings),
        task="regression" if goal.kind == "number" else "classification",
        words="No rows were held out, so how good the model is on new rows is not known."
        if judgement is None
        else judging.in_words(judgement),
        training=_training(experiment, model, learned),
        scores=_scores(judgement),
        models=() if judgement is None else ("this model", *(each.name for each in reversed(judgement.baselines))),
        figures=_figures(judgement),
        folds=() if folds is None else _folds(folds),
        findings=tuple(findings),
        epochs=tuple((entry["number"], _plain(entry["loss"]), entry.get(experiment.curve)) for entry in evidence.history),
        curve=experiment.curve.replace("_", " "),
        kept=evidence.kept,
        blind=evidence.blind,
        classes=goal.classes,
        confusion=scores.confusion if isinstance(scores, ClassScores) else (),
        scatter=_scatter(experiment, outputs),
        misses=misses,
        missed=missed,
        importance=importance,
        layers=_layers(experiment),
        measured=tuple((epoch, tuple(layers)) for epoch, layers in evidence.measured),
        probe=signals.probed(len(experiment.train)),
        data=table.describe().title,
        rows=_rows(experiment),
        columns=_columns(experiment),
        notes=(*table.dialect.notes, *experiment.said, *map(str, experiment.warned)),
        settings=_settings(experiment.recipe, settings, run.read_settings()[1].get("strength", "")),
        commands=_commands(run, settings),
        opening=_opening(run, experiment, learned, outputs),
        versions=(*versions().items(), ("data", table.fingerprint)),
    )


def _source(settings: Settings) -> str:
    names = [os.path.basename(path.rstrip("/")) or path for path in settings.data]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _training(experiment: Experiment, model: Model, learned: Learned) -> str:
    seconds = learned.epochs[-1].seconds if learned.epochs else 0.0
    ended = ENDINGS.get(learned.reason, "{epochs} epochs").format(epochs=f"{len(learned.epochs):,}")
    kept = f"; the weights are those of epoch {learned.best_epoch:,}" if experiment.keeps_best(learned) else ""
    sizes = "-".join(f"{n}" for n in (len(experiment.preparation.inputs), *experiment.recipe.hidden, experiment.goal.outputs))
    return (
        f"A network {sizes} ({model.size:,} parameters) trained {ended} in {_duration(seconds)} on "
        f"{len(experiment.train):,} rows{kept}."
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _scores(judgement: Judgement | None) -> tuple[Score, ...]:
    if judgement is None:
        return ()
    found = judgement.scores
    classes = isinstance(found, ClassScores)
    result = []
    for name, scores in (("this model", found), *((each.name, each.scores) for each in reversed(judgement.baselines))):
        called = {"linear": "a linear model", "mean": "always the mean"}.get(name, name)
        called = {"most frequent class": "always the most frequent class"}.get(called, called)
        if isinstance(scores, ClassScores):
            low, high = interval(round(scores.accuracy * scores.rows), scores.rows)
            result.append(Score(called, f"{scores.accuracy:.1%}", scores.accuracy, low, high))
        elif not classes and not math.isnan(scores.r2):
            result.append(Score(called, f"{scores.r2:.1%}", min(1.0, max(0.0, scores.r2))))
    return tuple(result)


def _figures(judgement: Judgement | None) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """Each figure of the model and of the baselines."""
    if judgement is None:
        return ()
    columns = [judgement.scores.figures(), *(each.scores.figures() for each in reversed(judgement.baselines))]
    return tuple((judging.NAMES[name], tuple(column[name] for column in columns)) for name in columns[0])


def interval(right: int, rows: int) -> tuple[float, float]:
    """Between which parts the true one lies in 95 of 100 cases, if so many of so many rows were right (Wilson 1927)."""
    z = 1.959963984540054
    part, share = right / rows, z * z / rows
    middle, half = part + share / 2, z * math.sqrt(part * (1 - part) / rows + share / (4 * rows))
    return (middle - half) / (1 + share), (middle + half) / (1 + share)


def _folds(folds: Folds) -> tuple[tuple[str, ...], ...]:
    told = folds.figures()
    told = {kind: told[kind] for kind in ("model", *(kind for kind in reversed(told) if kind != "model"))}
    rows: list[tuple[str, ...]] = [("", "this model", *list(told)[1:])]
    for name in told["model"]:
        cells = (f"{judging.figure(mean)} ± {judging.figure(spread)}" for mean, spread in (told[kind][name] for kind in told))
        rows.append((judging.NAMES[name], *cells))
    return tuple(rows)


def _misses(experiment: Experiment, outputs: Any) -> tuple[tuple[Miss, ...], int]:
    """The rows held out that the model gets most wrong, and how many it gets wrong at all."""
    if outputs is None:
        return (), 0
    table, goal, test = experiment.table, experiment.goal, experiment.test
    column = table.column(goal.column)
    if goal.kind == "number":
        values, actual = goal.values(outputs), np.asarray(column.values)[test]
        order = np.argsort(-np.abs(values - actual), kind="stable")[:MISSES]
        if goal.read_as == "date":
            each = [(day(actual[i]), day(values[i]), f"{values[i] - actual[i]:+,.1f}") for i in order]
        else:
            told = [alike(column[order].tolist(), 5) for column in (actual, values, values - actual)]
            each = [(was, said, off if off[:1] == "-" else f"+{off}") for was, said, off in zip(*told, strict=True)]
        found = [Miss(_place(experiment, i), *texts) for i, texts in zip(order, each, strict=True)]
        return tuple(found), len(test)
    codes, parts, chosen = goal.codes(column, test), goal.probabilities(outputs), goal.chosen(outputs)
    wrong = np.flatnonzero(chosen != codes)
    order = wrong[np.argsort(parts[wrong, codes[wrong]], kind="stable")][:MISSES]
    found = [
        Miss(_place(experiment, i), goal.classes[codes[i]], goal.classes[chosen[i]], f"{parts[i, chosen[i]]:.1%}")
        for i in order
    ]
    return tuple(found), len(wrong)


def _place(experiment: Experiment, i: int) -> str:
    file, line = experiment.table.place(int(experiment.test[i]))
    where = f"line {line:,}" if line is not None else f"row {int(experiment.test[i]) + 1:,}"
    return where if len(experiment.table.files) == 1 else f"{where} of {os.path.basename(file)}"


def _scatter(experiment: Experiment, outputs: Any) -> Scatter | None:
    goal, test = experiment.goal, experiment.test
    if outputs is None or goal.kind != "number":
        return None
    chosen = np.unique(np.linspace(0, len(test) - 1, min(POINTS, len(test))).astype(np.int64))
    actual = np.asarray(experiment.table.column(goal.column).values)[test[chosen]]
    predicted = goal.values(outputs[chosen])
    return Scatter(tuple(map(float, actual)), tuple(map(float, predicted)), len(test), goal.read_as == "date")


def _layers(experiment: Experiment) -> tuple[Layer, ...]:
    """The layers with weights, each with the rules up to the next one."""
    network = experiment.network
    starts = signals.weighted(network)
    widths = (network.inputs, *network.widths)
    found = []
    for count, start in enumerate(starts, 1):
        stop = starts[count] if count < len(starts) else len(network.layers) + 1
        own = network.layers[start - 1 : stop - 1]
        activation = getattr(own[0], "activation", None)
        rules = [activation.name] if activation is not None and activation.name != "identity" else []
        rules += [type(rule).name for rule in own[1:]]
        name = "output" if count == len(starts) else f"hidden {count}"
        found.append(Layer(start, name, f"{widths[start - 1]} → {widths[start]}", ", ".join(rules) or "identity"))
    return tuple(found)


def _rows(experiment: Experiment) -> tuple[tuple[str, str], ...]:
    """What became of the rows."""
    counts = [("to train", len(experiment.train))]
    counts += [("to say when to stop", len(experiment.validation))] if len(experiment.validation) else []
    counts += [(f"held out to judge by ({experiment.settings.split})", len(experiment.test))] if len(experiment.test) else []
    unused = len(experiment.table) - sum(count for _, count in counts)
    counts += [("not used, because they have no target or no weight", unused)] if unused else []
    return tuple((f"{count:,}", name) for name, count in counts)


def _columns(experiment: Experiment) -> tuple[ColumnLine, ...]:
    made = {column.name: column for column in experiment.preparation.columns}
    found = []
    for line in experiment.table.describe().lines:
        use, done = "target", _aim(experiment)
        if line.name != experiment.goal.column:
            column = made[line.name]
            use = "left out" if isinstance(column, LeftOut) else "input"
            done = column.why if isinstance(column, LeftOut) else column.sentence
        marks = ", ".join(f"{count:,} {marker or 'empty'}" for marker, count in line.markers.items())
        gaps = marks or f"{line.gaps:,}" if line.gaps else ""
        found.append(ColumnLine(line.name, use, line.kind, line.values, gaps, "; ".join((done, *line.notes))))
    return tuple(found)


def _aim(experiment: Experiment) -> str:
    goal = experiment.goal
    if goal.kind == "number":
        return f"less its mean {goal.center:g}, divided by its standard deviation {goal.scale:g}; predictions are brought back"
    if goal.kind == "yes_or_no":
        return f"one output: the probability of {goal.classes[1]}"
    return f"an output for each of its {len(goal.classes)} classes: their probabilities"


def _settings(recipe: Recipe, settings: Settings, strength: str) -> tuple[tuple[str, str, str], ...]:
    """Each setting with its value and where it comes from: the recipe's, and the others that are not as by default.
    strength: why the weights are held back as they are, if that was tried out."""
    tried = dict.fromkeys(("weight_decay", "dropout"), strength) if strength not in ("", "as given") else {}
    lines = [
        (name.replace("_", " "), value, tried.get(name) or reason or "chosen by the recipe")
        for name, value, reason in recipe.lines()
    ]
    own = {name for name, _, _ in recipe.lines()} | {"validation", "data", "target"}
    default = Settings()
    for name in NAMES:
        value = getattr(settings, name)
        if name in own or value is None or (value == getattr(default, name) and name not in ("seed", "test", "preset")):
            continue
        shown = (
            ", ".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)
        )
        lines.append((name.replace("_", " "), shown, about(name)["help"].rstrip(".").lower()))
    return tuple(lines)


def _commands(run: Run, settings: Settings) -> tuple[tuple[str, str], ...]:
    folder = shlex.quote(str(run.folder))
    data = " ".join(shlex.quote(path) for path in settings.data)
    return (
        ("train the same model again", f"chainrule train --config {shlex.quote(str(run.settings_file))} -o again"),
        ("predict the rows of another table", f"chainrule predict {folder} {data} -o predictions.csv"),
        ("score the model on a table with answers", f"chainrule evaluate {folder} {data}"),
        ("go through the findings again", f"chainrule doctor {folder}"),
    )


def _opening(run: Run, experiment: Experiment, learned: Learned, outputs: Any) -> tuple[tuple[str, str], ...]:
    """Commands that open a number of this run: a weight in the middle of training, and a row that was held out."""
    folder = shlex.quote(str(run.folder))
    last = learned.epochs[-1].updates if learned.epochs else 1
    step, inputs = max(1, last // 2), len(experiment.preparation.inputs)
    weight = f"W[1][{min(3, experiment.network.widths[0])},{min(2, inputs)}]"
    told = [
        (
            f"how update {step:,} of {last:,} changed a weight: the rows of its batch, the gradient, the step",
            f'chainrule explain {folder} --step {step} --of "{weight}"',
        ),
        ("what moved this weight most, from beginning to end", f'chainrule why-changed {folder} "{weight}"'),
    ]
    if outputs is not None:
        _, line = experiment.table.place(int(experiment.test[_worst(experiment, outputs)]))
        if line is not None:
            what = "the prediction for the row it gets most wrong, from the cells of the table to the answer"
            told.append((what, f"chainrule explain {folder} --row {line}"))
    return tuple(told)


def _worst(experiment: Experiment, outputs: Any) -> int:
    goal, test = experiment.goal, experiment.test
    column = experiment.table.column(goal.column)
    if goal.kind == "number":
        return int(np.argmax(np.abs(goal.values(outputs) - np.asarray(column.values)[test])))
    return int(np.argmin(goal.probabilities(outputs)[np.arange(len(test)), goal.codes(column, test)]))


def _plain(value: Any) -> float:
    return math.nan if value is None else float(value)
