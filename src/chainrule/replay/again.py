"""A recorded run, opened; and any of its updates, done again."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import engines, files
from chainrule.course import Checkpoint, Midway, Stopping, some
from chainrule.engines import Task, native
from chainrule.epochs import epoch_batches, learn
from chainrule.errors import InputError, Problem, RunError, shown
from chainrule.experiment import Experiment, place_of, prepare
from chainrule.network import Network
from chainrule.phrases import Phrase, phrase
from chainrule.runs import Run, digest
from chainrule.settings import resolved_path
from chainrule.standing import midway_from

if TYPE_CHECKING:
    from chainrule.prediction import Prediction
    from chainrule.replay.moved import WhyChanged
    from chainrule.tracing import Trace

ISA = "CHAINRULE_ISA"


@dataclass(frozen=True)
class Agreement:
    """Whether a replay is the recorded run again. bits: to the last bit; None if nothing was recorded that could tell."""

    bits: bool | None
    sentence: str


@dataclass(frozen=True, eq=False)
class Update:
    """An update that was done again.

    number: counted from 1. epoch, batch: counted from 1; batches: of this epoch. rows: of the table, from 0, in the order of
    the batch; x, t, weight: as the network got them. before: parameters, layers' memory and optimizer's memory; after: the
    parameters, or None where the loss was not finite and nothing was updated; state: the optimizer's memory after it.
    rate: the learning rate; loss: of the batch, before the update.
    """

    number: int
    epoch: int
    batch: int
    batches: int
    rows: Any
    x: Any
    t: Any
    weight: Any
    before: Checkpoint
    rate: float
    loss: float
    after: Any
    state: Any


@dataclass(frozen=True, eq=False)
class Replay(Update):
    """One update of a recorded run, done again; all of Update, and whether this is what the run did.

    places: where each row of the batch stands, in words. agreement: bit for bit, as far as the run wrote down what tells.
    """

    places: tuple[str, ...]
    agreement: Agreement


class RecordedRun:
    """A run folder, opened to be looked into.

    Raises InputError for settings that are none, RunError if there is no run, or its table is not there or has changed.
    data: where the table lies now, if it was moved.
    """

    def __init__(self, folder: str | os.PathLike[str], data: tuple[str, ...] = ()) -> None:
        self.run = Run.opened(Path(folder))
        self.settings, self.facts = self.run.read_settings()
        self._moved = tuple(map(resolved_path, data))

    @property
    def name(self) -> str:
        """What the run is called: its folder."""
        return self.run.folder.absolute().name

    @cached_property
    def experiment(self) -> Experiment:
        """Table, network and how it was trained, made again. The table must be the one that the run was trained on."""
        settings = self.settings.changed(data=self._moved) if self._moved else self.settings
        cache = None
        if settings.memory is not None:  # rows on disk again, and not in the run's folder: somebody may be training there
            cache = Path(tempfile.mkdtemp(prefix="chainrule-"))
            weakref.finalize(self, shutil.rmtree, cache, ignore_errors=True)
        made = prepare(settings, cache)
        found, wanted = made.table.fingerprint, self.facts.get("fingerprint")
        if found != wanted:
            what = "the table has changed since the run was trained: nothing can be replayed"
            got = f"{made.table.rows:,} rows with fingerprint {shown(found[:16])}; the run had {self.facts.get('rows')} rows"
            do = "bring back the table as it was, or say where it lies now: --data FILE"
            raise RunError(Problem(what, got=f"{got} with {shown(str(wanted)[:16])}", do=do, file=settings.data[0]))
        return made

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What the run's checkpoints are of; RunError if they are of something else than its settings say."""
        identity = self.experiment.identity
        for _, path in files.steps(self.run.checkpoints):
            try:
                found = files.identity_of(path)
            except RunError:
                continue
            if found != identity:
                what = "the settings were changed since the run was trained, or another version of the program reads them"
                do = "bring back run.toml as it was"
                raise RunError(Problem(what, file=str(self.run.settings_file), do=do))
            break
        return identity

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """What the run wrote down after each epoch."""
        return self.run.history()

    @cached_property
    def updates(self) -> int:
        """How many updates the run is known to have done."""
        done = [entry.get("updates", 0) for entry in self.history[-1:]] + [
            step for step, _ in files.steps(self.run.checkpoints)
        ]
        return max(done, default=0)

    @property
    def network(self) -> Network:
        """The network before the first update."""
        return self.experiment.network

    def place(self, row: int) -> str:
        """Where a row of the table stands, in words."""
        return place_of(self.experiment.table, row)

    # engines

    @cached_property
    def engine(self) -> str:
        """The engine that replays here, as `facts` describe the one that trained."""
        with self._built():
            return self.experiment.engine()

    @contextmanager
    def _built(self) -> Iterator[None]:
        """The native engine's build that the run was trained with, if this machine has it and nobody asks for another."""
        recorded = str(self.facts.get("engine", "")).partition("(")[2].rstrip(")")
        if ISA in os.environ or recorded not in native.builds():
            yield
            return
        os.environ[ISA] = recorded
        try:
            yield
        finally:
            del os.environ[ISA]

    # updates

    def replay(self, number: int) -> Replay:
        """Update `number`, counted from 1, done again. InputError if the run has no such update."""
        return replay(self, number)

    def trace(self, number: int, digits: int | None = None, names: str = "") -> Trace:
        """Every number of update `number`, derived from the recorded state. digits: decimals to show; names: "textbook" or
        "matrix"."""
        from chainrule.replay.telling import trace_of

        return trace_of(self, self.replay(number), digits, names)

    def predict(self, line: int | str, data: str | tuple[str, ...] = ()) -> Prediction:
        """The prediction for the row in a line of the table, derived from its cells; of another table if `data` names one."""
        from chainrule.prediction import Prediction
        from chainrule.replay import rows

        model, table = rows.of_run(self, (data,) if isinstance(data, str) else tuple(data))
        row = rows.row_of(table, str(line))
        return Prediction(model, table, row, rows.place_of(table, row))

    def why_changed(self, name: str, first: int = 1, last: int | None = None) -> WhyChanged:
        """What moved a weight from before update `first` to after update `last`: which updates, and which rows."""
        from chainrule.replay.moved import why_changed

        return why_changed(self, name, first, last)

    def again(self, first: int, last: int) -> Iterator[tuple[Update, Midway]]:
        """The updates from `first` to `last`, and where the run stood before the first of them."""
        self.check(first)
        with self._built():
            begun = self.before(first)
            yield from ((update, begun) for update in self._updates(begun, last))

    @cached_property
    def broke(self) -> bool:
        """Whether the run ended because a loss was not finite: in the update after its last one."""
        for step, path in files.steps(self.run.checkpoints):
            try:
                state = files.read_checkpoint(path, allow_nonfinite=True)
            except RunError:
                continue
            return step == self.updates and state.get("ended") == "not finite"
        return False

    def check(self, number: int) -> None:
        """InputError unless the run has such an update; the one that it broke down in is one."""
        last = self.updates + self.broke
        if not last:
            raise RunError(Problem("the run has no updates yet", file=str(self.run.folder), do="train on: --resume"))
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= last:
            raise InputError(
                f"the run has the updates 1 to {last:,}", got=shown(number), do="choose one of them", field="--step"
            )

    def before(self, number: int) -> Midway:
        """Where the run stood before an update: from the nearest earlier checkpoint on."""
        state = self.run.before(number - 1, self.identity)
        going = None if state is None else midway_from(state, self.experiment.network, self.experiment.optimizer)
        if going is not None and going.last.updates == number - 1:
            return going
        return self._until(going, number - 1)

    def _until(self, going: Midway | None, updates: int) -> Midway:
        """Trains on to exactly so many updates."""
        made = self.experiment
        if going is None and not updates:
            start = Checkpoint(made.network.parameters, made.network.memory)
            return Midway(start, start)
        course = replace(made.course, stopping=Stopping())  # what ended the run, or was best in it, changes no bit of it
        learned = learn(
            made.network, made.rows, made.optimizer, course, going=going, until=updates, name=made.name
        )  # fmt: skip
        if learned.last.updates != updates:
            do = "another engine or machine trained it: replay it there"
            got = learned.trouble or f"{learned.last.updates:,} updates"
            raise RunError(Problem(f"the replay ends before update {updates:,}", got=got, do=do))
        return learned.midway or Midway(learned.last, learned.best, learned.best_epoch, epochs=learned.epochs)

    def _updates(self, midway: Midway, last: int) -> Iterator[Update]:
        """One update after the other, as `learn` does them."""
        made, course = self.experiment, self.experiment.course
        count = len(made.rows.x)
        size = min(course.batch_size or count, count)
        epoch, done, standing = len(midway.epochs), midway.batches, midway.last
        base = standing.rate or made.optimizer.learning_rate
        batches = epoch_batches(count, size, made.network.seed, epoch, course.shuffle)
        for number in range(standing.updates + 1, last + 1):
            if done == len(batches):
                epoch, done = epoch + 1, 0
                batches = epoch_batches(count, size, made.network.seed, epoch, course.shuffle)
            rows = np.arange(count)[batches[done]]
            rate = course.schedule.rate(base, number) if course.schedule else base
            x, t, weight = self._rows(rows)
            network = copy.copy(made.network)
            network.memory = standing.memory
            task = Task(
                network, x, t, made.optimizer, weight, course.clipping, parameters=standing.parameters, state=standing.state,
                number=number - 1, threads=course.threads,
            )  # fmt: skip
            session = engines.choose(course.engine, task).Session(task)
            loss = session.advance([np.arange(len(rows))], [rate])[0]
            went = session.number == number
            after = np.array(session.parameters) if went else None
            found = Update(
                number, epoch + 1, done + 1, len(batches), made.train[rows], x, t, weight, standing, rate, loss, after,
                session.state,
            )  # fmt: skip
            yield found
            if after is None:
                return
            done += 1
            standing = replace(
                standing, parameters=after, memory=[dict(memory) for memory in session.memory], state=session.state,
                updates=number,
            )  # fmt: skip

    def _rows(self, rows: Any) -> tuple[Any, Any, Any]:
        """Some training rows as an engine takes them."""
        made = self.experiment
        x, t = made.network.rows(some(made.rows.x, rows)), made.network.goals(some(made.rows.t, rows), len(rows))
        weight = made.rows.weight
        return x, t, None if weight is None else np.asarray(weight[rows], made.network.dtype).reshape(-1, 1)

    # whether it is the run again

    def agreement(self, midway: Midway, number: int) -> Agreement:
        """Trains on from `midway` to where the run wrote down what tells whether update `number` was replayed to the bit."""
        ends = next((entry for entry in self.history if entry["updates"] >= number), None)
        if ends is not None and "parameters" in ends:
            with self._built():
                found = self._until(midway, ends["updates"]).last.parameters
            epoch = f"{ends['number']:,}"
            told = phrase("trained on to the end of epoch {n}, it has the digest of all parameters that the run wrote", n=epoch)
            if digest(found) == ends["parameters"]:
                return Agreement(True, phrase(_AGREES, told=told))
            sentence = "at the end of epoch {n} the digest of the parameters is {found}, and the run wrote {written}"
            told = phrase(sentence, n=epoch, found=digest(found), written=shown(ends["parameters"]))
            return self._disagreement(told)
        later = self._later(number)
        if later is not None:
            with self._built():
                found = self._until(midway, later.updates).last.parameters
            if found.tobytes() == later.parameters.tobytes():
                sentence = "trained on to update {n}, it has every bit of the checkpoint that the run left there"
                return Agreement(True, phrase(_AGREES, told=phrase(sentence, n=f"{later.updates:,}")))
            away = float(np.abs(found - later.parameters).max())
            sentence = "at update {n} the parameters differ from the checkpoint's by up to {away}"
            return self._disagreement(phrase(sentence, n=f"{later.updates:,}", away=f"{away:.1e}"))
        return Agreement(None, phrase(_UNKNOWN))

    def _later(self, number: int) -> Checkpoint | None:
        """The next checkpoint that the run left after an update, if it can be read."""
        for step, path in reversed(files.steps(self.run.checkpoints)):
            if step >= number:
                try:
                    state = files.read_checkpoint(path, self.identity)
                    return midway_from(state, self.experiment.network, self.experiment.optimizer).last
                except RunError:
                    continue
        return None

    def _disagreement(self, told: Phrase) -> Agreement:
        """Why a replay is not the run again, as far as that is known."""
        then, now = self.facts.get("engine"), self.engine
        if then is not None and then != now:
            close = "1e-6" if self.settings.dtype == "float32" else "1e-12"
            text = phrase(_OTHER_ENGINE, then=printable_name(then), now=now, close=close, told=told)
            return Agreement(False, text)
        program, here = self.facts.get("program"), files.program()
        why = phrase("data, settings and engine are the same, so the history was changed, or a library computes otherwise")
        if program != here:
            why = phrase("the run was made by {then}, and this is {now}", then=printable_name(program), now=here)
        return Agreement(False, phrase(_DISAGREES, told=phrase("{what}; {why}", what=told, why=why)))


_AGREES = phrase("The replay agrees with the recorded run to the last bit: {told}.")
_BREAKS_DOWN = phrase("The replay agrees with the recorded run: {told}.")
_DISAGREES = phrase("The replay does not agree with the recorded run: {told}.")
_UNKNOWN = phrase(
    "Whether the replay agrees with the recorded run cannot be checked: its epoch was not finished, and there is no later "
    "checkpoint."
)
_OTHER_ENGINE = phrase(
    "The replay does not have the bits of the recorded run: the run was trained by the engine {then}, and this is {now}; each "
    "of its steps is equal to about {close}, not bit-equal, and what differs grows: {told}."
)


def printable_name(text: Any) -> str:
    """A name from a file as it may stand in a sentence."""
    return shown(str(text))[1:-1]


def open_run(folder: str | os.PathLike[str], data: str | tuple[str, ...] = ()) -> RecordedRun:
    """The run in a folder, to be looked into: `.replay(n)` does update n again, `.trace(n)` opens every number of it.

    data: where its table lies now, if it was moved. Raises RunError if there is no run in the folder; what its table must be
    is checked when it is needed.
    """
    return RecordedRun(folder, (data,) if isinstance(data, str) else tuple(data))


def replay(run: RecordedRun | Run, number: int) -> Replay:
    """Update `number` (from 1) of a recorded run, done again by the run's own engine from the nearest earlier checkpoint.

    InputError if the run has no such update, RunError if its table is gone or has changed.
    """
    opened = run if isinstance(run, RecordedRun) else RecordedRun(run.folder)
    update, begun = next(opened.again(number, number))
    places = tuple(opened.place(int(row)) for row in update.rows)
    if update.after is None:
        again = number > opened.updates
        said = phrase(_BREAKS_DOWN, told=phrase("it breaks down in the same update"))
        if not again:
            said = phrase(_DISAGREES, told=phrase("it breaks down in this update, and the run went on"))
        agreement = Agreement(again, said)
    else:
        agreement = opened.agreement(begun, number)
    return Replay(**vars(update), places=places, agreement=agreement)
