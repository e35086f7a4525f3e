"""To the trace of the step that is asked for: the updates before it are trained, then it is opened."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import training
from chainrule.conventions import Conventions
from chainrule.errors import InputError, RunError, nearest, shown
from chainrule.network import Network
from chainrule.phrases import Listed, Phrase, phrase
from chainrule.raw import Raw
from chainrule.rules.optimizers import SGD
from chainrule.rules.rule import Clipping, Optimizer, Schedule, made
from chainrule.textbook import Naming
from chainrule.tracing import Trace
from chainrule.training import Reached, Training

if TYPE_CHECKING:
    from chainrule.spec import Example

FOREVER = 1_000_000
"""Updates after which a loss that was asked for counts as out of reach."""


@dataclass(frozen=True, eq=False)
class Job:
    """What a derivation needs of an example: a network with its data and its update. An Example has all of it."""

    network: Network
    x: Any
    t: Any
    optimizer: Optimizer
    weight: Any = None
    schedule: Schedule | None = None
    clipping: Clipping | None = None
    conventions: Conventions = Conventions()
    batch_size: int | None = None
    keeps: dict[int, Any] | None = None
    naming: Naming | None = None
    raw: Raw | None = None
    title: str = ""
    notes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def trace(
    what: Network | Example,
    x: Any = None,
    t: Any = None,
    optimizer: Optimizer | str | None = None,
    *,
    after: int = 0,
    until: float | None = None,
    patience: int | None = None,
    digits: int | None = None,
    names: str = "",
    **choices: Any,
) -> Trace:
    """One step, every number: of a network on x (rows, inputs) and t (rows, outputs), or of an example.

    after: the step after so many updates; until: the one at which the loss is at most this; patience: the one at which so
    many epochs brought no improvement. digits: decimals to show. names: "textbook" or "matrix". For a network also
    conventions, weight, schedule, clipping, batch_size, keeps (dropout masks by layer), title. The network is left as it is.
    Raises InputError for what does not fit, RunError if the loss becomes infinite or is not reached.
    """
    if isinstance(what, Network):
        if x is None or t is None:
            raise InputError("a network needs data to be traced", do="trace(network, x, t)")
        job: Job | Example = _job(what, x, t, optimizer, choices)
    elif isinstance(what, str):
        raise InputError("trace takes an example, not its name", got=shown(what), do="load_example(name), or read_spec(path)")
    elif x is not None or t is not None or optimizer is not None or choices:
        do = 'change them with example.with_settings([("update.order", "sequential")])'
        raise InputError("an example brings its own data and update", do=do)
    else:
        job = what
    if names not in ("", "textbook", "matrix"):
        raise InputError("unknown names", got=shown(names), do=nearest(names, ("textbook", "matrix")), field="names")
    if digits is not None and (isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 17):
        raise InputError("digits must be a whole number from 1 to 17", got=shown(digits), field="digits")
    return derive(job, after, until, patience, digits, names)


CHOICES = ("weight", "schedule", "clipping", "conventions", "batch_size", "keeps", "title", "notes")
"""What else a network can be traced with."""


def _job(network: Network, x: Any, t: Any, optimizer: Optimizer | str | None, choices: dict[str, Any]) -> Job:
    for name in choices:
        if name not in CHOICES:
            raise TypeError(f"trace() has no parameter {name!r}: {nearest(name, (*CHOICES, 'optimizer', 'after', 'digits'))}")
    rows = network.rows(x)
    rule = SGD() if optimizer is None else made("optimizer", optimizer, Optimizer)
    for kind, wanted in (("schedule", Schedule), ("clipping", Clipping)):
        if choices.get(kind) is not None:
            choices[kind] = made(kind, choices[kind], wanted)
    if not isinstance(choices.get("conventions", Conventions()), Conventions):
        raise InputError("conventions must be Conventions", got=shown(choices["conventions"]), field="conventions")
    choices["weight"] = network.weights(choices.get("weight"), len(rows))
    if choices.get("keeps") is not None:
        choices["keeps"] = {place: np.asarray(keep).reshape(len(rows), -1) for place, keep in choices["keeps"].items()}
    return Job(network, rows, network.goals(t, len(rows)), rule, **choices)


def derive(
    job: Job | Example,
    after: int = 0,
    until: float | None = None,
    patience: int | None = None,
    digits: int | None = None,
    style: str = "",
    report: Callable[[int, float], None] | None = None,
    engine: str = "reference",
    start: Reached | None = None,
) -> Trace:
    """The step that `trace` describes; `report` is told the number and the loss of each update before it.

    engine: who trains those updates. The reference is the definition, to the last digit; "auto" is enough where the first
    ten digits are. start: where the same job stands after some of them, which are not done again then.
    """
    network, number, state, notes = job.network, 0, None, (*_legend(job), *job.notes)
    if after or until is not None or patience is not None:
        outcome = _train(job, after, until, patience, report, engine, start)
        network = copy.copy(network)
        network.parameters, network.memory = outcome.parameters, outcome.memory
        number, state = outcome.number, outcome.state
        if outcome.reason != "updates":
            notes = (*notes, _ended(outcome.reason, number, until, patience))
    rows = training.batch(len(job.x), job.batch_size, network.seed, number + 1)
    if len(rows) < len(job.x):
        notes = (*notes, phrase("The batch of this update holds rows {rows}.", rows=", ".join(str(row + 1) for row in rows)))
    rate = job.optimizer.learning_rate
    custom = job.naming.custom if job.naming else None
    return Trace(
        network,
        job.x[rows],
        job.t[rows],
        job.optimizer,
        conventions=job.conventions,
        number=number + 1,
        rate=job.schedule.rate(rate, number + 1) if job.schedule else rate,
        state=state,
        clipping=job.clipping,
        weight=None if job.weight is None else job.weight[rows],
        keeps=None if job.keeps is None else {place: keep[rows] for place, keep in job.keeps.items()},
        naming=network.naming(style, custom) if style or job.naming is None else job.naming,
        digits=digits,
        title=job.title,
        notes=notes,
        raw=None if job.raw is None else job.raw.take(rows),
    )


def begun(job: Job | Example, until: float | None = None, engine: str = "reference", start: Reached | None = None) -> Training:
    """The training of a job, to be gone through slice by slice."""
    return Training(*_subject(job), until=until, engine=engine, start=start, **_choices(job))


def _subject(job: Job | Example) -> tuple[Network, Any, Any, Optimizer]:
    """What is trained, on what, by which rule."""
    return job.network, job.x, job.t, job.optimizer


def _choices(job: Job | Example) -> dict[str, Any]:
    """What else decides the bits of its training, as `training.run` takes it."""
    return {
        "batch_size": job.batch_size, "schedule": job.schedule, "clipping": job.clipping, "conventions": job.conventions,
        "weight": job.weight, "keeps": job.keeps,
    }  # fmt: skip


def _train(
    job: Job | Example,
    after: int,
    until: float | None,
    patience: int | None,
    report: Callable[[int, float], None] | None,
    engine: str,
    start: Reached | None,
) -> training.Outcome:
    endless = until is not None or patience is not None
    outcome = training.run(
        *_subject(job), updates=FOREVER if endless else after, until=until, patience=patience, engine=engine, start=start,
        report=report, **_choices(job),
    )  # fmt: skip
    if outcome.reason == "not finite":
        raise training.diverged(outcome.number, job.optimizer.learning_rate)
    if endless and outcome.reason == "updates":
        raise RunError(
            f"{FOREVER:,} updates did not end it",
            got=f"a loss of {outcome.loss:.9g}",
            do="ask for a larger loss, or use --after N",
        )
    return outcome


def _legend(job: Job | Example) -> tuple[str, ...]:
    """What inputs and outputs stand for, where the data says so."""
    pairs = [phrase("{name} is {what}", name=f"i{place}", what=name) for place, name in enumerate(job.inputs, 1)]
    pairs += [phrase("{name} is {what}", name=f"o{place}", what=name) for place, name in enumerate(job.outputs, 1)]
    return (phrase("{parts}.", parts=Listed(pairs)),) if pairs else ()


def _ended(reason: str, number: int, until: float | None, patience: int | None) -> Phrase:
    """After how many updates a loss that was asked for was reached, or nothing more was gained."""
    if reason == "until":
        return phrase("After {n} updates the loss had reached {loss}.", n=f"{number:,}", loss=until)
    return phrase(
        "After {n} updates {epochs} epochs had brought the loss down by less than {least}.",
        n=f"{number:,}", epochs=patience, least=f"{training.TOLERANCE:g}",
    )  # fmt: skip
