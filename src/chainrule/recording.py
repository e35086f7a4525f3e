"""A training run, written down while it goes: from settings to a folder with a model in it."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from chainrule import doctor, examining, files, judging, report, signals
from chainrule.course import Checkpoint, Epoch, Learned, Midway, Rows, Standing
from chainrule.epochs import learn
from chainrule.errors import Problem, RunError, shown
from chainrule.experiment import Experiment, prepare
from chainrule.folding import Folds, cross_validate, parts
from chainrule.history import kept
from chainrule.importance import importance
from chainrule.judging import Judgement
from chainrule.models import Model
from chainrule.runs import Run, digest
from chainrule.settings import Settings
from chainrule.standing import ended, midway_from, plain

NEWEST = 3
"""Checkpoints kept to go on from."""

SPREAD = 8
"""Checkpoints kept all along the run, so that a replay never has far to go."""


class Teller(Protocol):
    """Whoever tells the user how it goes."""

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def epoch(self, epoch: Epoch, curve: str) -> None: ...


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a run; judgement is None where no rows were held out. seconds: of training."""

    run: Run
    model: Model
    judgement: Judgement | None
    learned: Learned
    seconds: float
    experiment: Experiment
    folds: Folds | None = None
    findings: tuple[doctor.Finding, ...] = ()


def train(
    run: Run,
    settings: Settings,
    teller: Teller,
    *,
    stop: Callable[[], bool],
    begin: Callable[[], None] = lambda: None,
    resumed: bool = False,
    force_new: bool = False,
) -> Outcome | None:
    """Trains in a run folder whose lock is held, from the beginning or from where the run stands.

    stop: says whether somebody wants the run to end; then a checkpoint is left and None returned. begin: called when all has
    been read and checked, before anything is written. Raises InputError and
    RunError for what cannot be used.
    """
    experiment = prepare(settings, run.folder / "cache")
    try:
        return _train(run, experiment, teller, stop, begin, resumed, force_new)
    finally:
        shutil.rmtree(run.folder / "cache", ignore_errors=True)  # it is made again when it is needed


def _train(
    run: Run,
    experiment: Experiment,
    teller: Teller,
    stop: Callable[[], bool],
    begin: Callable[[], None],
    resumed: bool,
    force_new: bool,
) -> Outcome | None:
    state, history = _stand(run, experiment, teller, resumed, force_new)
    _check_space(run, experiment)
    folds = None if state is None else _folds(experiment, state)
    if state is None:
        if experiment.settings.folds:
            parts(experiment)  # whether there are enough rows is known before anything is written
        _tell(experiment, teller)
    begin()
    if state is None:
        strength = experiment.recipe.reasons.get("weight_decay", "")  # a run that goes on finds it settled
        run.write_settings(experiment.settings, {**experiment.facts(), "engine": experiment.engine(), "strength": strength})
        run.clear()  # not before it is certain that there is another run
        if experiment.settings.folds:
            folds = cross_validate(experiment, teller.say, stop)
            if folds is None:
                return None
    recorder = Recorder(run, experiment, teller, stop, history, folds)
    if state is not None and ended(state) is not None:
        teller.say("the run is finished: nothing is left to train")
        learned = _finished(experiment, state)
    else:
        learned = learn(
            experiment.network,
            experiment.rows,
            experiment.optimizer,
            experiment.course,
            validation=experiment.watched,
            callbacks=[recorder.callback],
            going=None if state is None else midway_from(state, experiment.network, experiment.optimizer),
            between=recorder.between,
            name=experiment.name,
        )
        recorder.ended(learned)
    if learned.reason == "stopped":
        return None
    return _ended(run, experiment, learned, folds, recorder.history, teller)


def _check_space(run: Run, experiment: Experiment) -> None:
    """RunError if the disk would not hold the run's files."""
    network, slots = experiment.network, len(experiment.optimizer.slots)
    needed = network.size * network.dtype.itemsize * (2 + slots) * (NEWEST + SPREAD + 1)
    free = files.free_space(run.folder)
    if free is not None and free < needed:
        got = f"{free / 2**20:,.0f} MiB free, {needed / 2**20:,.0f} MiB needed"
        raise RunError(
            Problem(
                "the disk has no room for this run",
                file=str(run.folder),
                got=got,
                do="free some space, or choose another place with -o",
            )
        )


def _stand(
    run: Run, experiment: Experiment, teller: Teller, resumed: bool, force_new: bool
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Where a run that is resumed stands, and its history; None where it begins at the beginning."""
    if not resumed:
        return None, []
    try:
        state, skipped = run.going(experiment.identity)
    except RunError:
        if not force_new:
            raise
        teller.warn("the checkpoints are of another run, or damaged: the run begins anew")
        run.clear()
        return None, []
    for text in skipped:
        teller.warn(text)
    if state is None:
        teller.say("there is no checkpoint yet: the run begins at the beginning")
        return None, []
    stands = midway_from(state, experiment.network, experiment.optimizer)
    if ended(state) is None:
        began, here = run.read_settings()[1].get("engine"), experiment.engine()
        if began != here:
            what = f"the run began on the engine {shown(began)}, and goes on on {shown(here)}: last digits will differ"
            teller.warn(f"{what}, and a replay cannot agree with both")
        teller.say(f"going on after update {stands.last.updates:,}, in epoch {len(stands.epochs) + 1}")
    return state, kept(state)


def _folds(experiment: Experiment, state: Mapping[str, Any]) -> Folds | None:
    """The cross-validation that a checkpoint remembers, None if there was none."""
    held = state.get("folds")
    if held is None:
        return None
    kind = experiment.goal.kind
    if (
        not isinstance(held, list)
        or not held
        or not all(judging.are_figures(each, kind) and list(each) == list(held[0]) for each in held)
    ):
        do = "begin the run anew: --resume with --force-new, or in another folder"
        raise RunError("the checkpoint's cross-validation is not as a run writes it", do=do)
    return Folds(tuple(held))


def _tell(experiment: Experiment, teller: Teller) -> None:
    """What was found and decided, before training begins."""
    for text in experiment.said:
        teller.say(text)
    if experiment.settings.strict and experiment.warned:
        raise RunError(*experiment.warned)
    for problem in experiment.warned:
        teller.warn(str(problem))
    recipe, counts = experiment.recipe, (len(experiment.train), len(experiment.validation), len(experiment.test))
    shares = [f"{counts[0]:,} rows to train"]
    shares += [f"{counts[1]:,} to say when to stop"] if counts[1] else []
    shares += [f"{counts[2]:,} held out to judge by ({experiment.settings.split})"] if counts[2] else []
    teller.say("Rows: " + ", ".join(shares) + ".")
    sizes = "-".join(str(n) for n in (len(experiment.preparation.inputs), *recipe.hidden, experiment.goal.outputs))
    teller.say(f"Network: {sizes}, {recipe.activation}, {recipe.optimizer} at {recipe.learning_rate:g}.")


def _finished(experiment: Experiment, state: Mapping[str, Any]) -> Learned:
    stands = midway_from(state, experiment.network, experiment.optimizer)
    reason, trouble = ended(state) or ("", "")
    return Learned(stands.last, stands.best, stands.best_epoch, stands.epochs, reason, trouble)


def _ended(
    run: Run, experiment: Experiment, learned: Learned, folds: Folds | None, history: list[dict[str, Any]], teller: Teller
) -> Outcome:
    """The model, judged, in its file; and the report."""
    model = experiment.model(experiment.kept(learned))
    judgement = judging.judge(experiment, model)
    weight = judging.given_weight(experiment, experiment.test)
    matters = importance(model, experiment.table, experiment.test, experiment.settings.seed, weight)
    evidence = examining.evidence(experiment, learned, judgement, history, matters)
    found = doctor.findings(evidence)
    if judgement is not None:
        model = model.saying(scores=judgement.figures())
    if folds is not None:
        model = model.saying(folds=folds.figures())
    model = model.saying(record=evidence.data())
    model.save(run.model_file)
    try:
        report.write(
            run.report_file, report.gather(run, experiment, model, learned, judgement, folds, evidence, found, matters)
        )
    except files.SaveError as error:
        teller.warn(f"{error.problems[0].what}: the report is not written; chainrule train --resume tries again")
    seconds = learned.epochs[-1].seconds if learned.epochs else 0.0
    return Outcome(run, model, judgement, learned, seconds, experiment, folds, found)


class Recorder:
    """Writes a run down while it trains: a callback and a `between` for `epochs.learn`."""

    def __init__(
        self,
        run: Run,
        experiment: Experiment,
        teller: Teller,
        stop: Callable[[], bool],
        history: list[dict[str, Any]],
        folds: Folds | None = None,
    ) -> None:
        self.run, self.experiment, self.teller, self.stop, self.folds = run, experiment, teller, stop, folds
        self.identity, self.every = experiment.identity, experiment.settings.checkpoint_every
        self.history = list(history)
        self._fresh: Epoch | None = None
        self._probe: Rows | None = None
        self._saved_at, self._saved_best, self._warned_at = time.monotonic(), 0, -math.inf
        self._lines = list(map(_line, self.history))
        files.write_text(run.history_file, "".join(self._lines))

    def callback(self, epoch: Epoch) -> None:
        self._fresh = epoch

    def between(self, standing: Standing) -> bool:
        """Called several times a second."""
        if self._fresh is not None:
            self._note(standing.checkpoint())
        stop = self.stop()
        if not stop and time.monotonic() - self._saved_at >= self.every:
            self.save(standing.midway())
        return stop

    def ended(self, learned: Learned) -> None:
        """The last epoch and the last checkpoint. A run that was stopped can go on from it."""
        if self._fresh is not None:
            self._note(learned.last, last=learned.midway is None)
        if learned.midway is not None:
            self.save(learned.midway, must=True)
        else:
            last = Midway(learned.last, learned.best, learned.best_epoch, epochs=learned.epochs)
            self.save(last, must=True, ended=learned.reason, trouble=learned.trouble)

    def _note(self, at: Checkpoint, last: bool = False) -> None:
        """A line of the history."""
        epoch, self._fresh = self._fresh, None
        assert epoch is not None
        found = self._signals(epoch, at) if last or signals.due(epoch.number) else None
        told = _told_of(epoch, self.experiment.curve)
        entry = {**told, "parameters": digest(at.parameters), "signals": found}
        self.history.append(entry)
        self._lines.append(_line(entry))
        try:
            with open(self.run.history_file, "a", encoding="utf-8") as stream:
                stream.write(self._lines[-1])
        except OSError as error:
            self._complain(f"the history could not be written: {(error.strerror or str(error)).lower()}")
        self.teller.epoch(epoch, self.experiment.curve)

    def _signals(self, epoch: Epoch, at: Checkpoint) -> dict[str, Any]:
        """What goes on inside the network; training is not touched by it."""
        made = self.experiment
        if self._probe is None:
            self._probe = signals.probe(made.rows, made.settings.seed)
        return signals.measured(made.network, at, self._probe, made.optimizer, epoch.rate, made.course.clipping)

    def save(self, midway: Midway, must: bool = False, **more: Any) -> None:
        """A checkpoint, and the best weights if they are others than last time. What fails is told, and tried again; it
        raises only if it `must` succeed."""
        folds = None if self.folds is None else [dict(each) for each in self.folds.judged]
        history = np.frombuffer("".join(self._lines).encode(), np.uint8)  # an array: the header has room for some, not for all
        state = {"midway": plain(midway), "history": history, "folds": folds, **more}
        step = midway.last.updates
        try:
            if midway.best_epoch != self._saved_best:  # before the checkpoint: then a run that is cut off has a model
                best = self.experiment.recipe.keeps == "best" or more.get("ended") == "not finite"
                self.experiment.model(midway.best if best else midway.last).save(self.run.model_file)
                self._saved_best = midway.best_epoch
            path = self.run.checkpoints / files.step_name(step)
            files.write_checkpoint(path, state, step=step, identity=self.identity, allow_nonfinite=True)
            self._thin(step)
        except files.SaveError as error:
            if must:
                raise
            self._complain(f"{error.problems[0].what}: training goes on, and this is tried again")
        self._saved_at = time.monotonic()

    def _complain(self, text: str) -> None:
        """Says what went wrong, once a minute."""
        if time.monotonic() - self._warned_at >= 60:
            self._warned_at = time.monotonic()
            self.teller.warn(text)

    def _thin(self, upto: int) -> None:
        """Keeps the newest few, and of the others some that lie evenly along the run."""
        steps = [step for step, _ in files.steps(self.run.checkpoints) if step <= upto]
        older = steps[NEWEST:]
        kept = set()
        for k in range(SPREAD):
            wanted = upto * (k + 1) / (SPREAD + 1)
            if older:
                kept.add(min(older, key=lambda step: abs(step - wanted)))
        for step in older:
            if step not in kept:
                with suppress(OSError):  # what cannot be deleted stays: it does no harm
                    (self.run.checkpoints / files.step_name(step)).unlink()


def _told_of(epoch: Epoch, curve: str) -> dict[str, Any]:
    told = {name: getattr(epoch, name) for name in ("number", "updates", "loss", "penalty")}
    if epoch.validation is not None:
        told[curve] = epoch.validation
    return told | {name: getattr(epoch, name) for name in ("rate", "best", "seconds")}


def _line(entry: Mapping[str, Any]) -> str:
    told = {name: value for name, value in entry.items() if name != "signals" or value is not None}
    finite = {name: None if value != value or value in (math.inf, -math.inf) else value for name, value in told.items()}
    return json.dumps(finite, allow_nan=False) + "\n"
