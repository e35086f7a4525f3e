"""The same calculation under another choice: another example, trained and traced like any.

Each way is said as the settings that bring it about (`--set update.order=sequential`), so that it can be looked at in full.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from chainrule.derivation import Job
from chainrule.errors import InputError
from chainrule.network import Network
from chainrule.phrases import Phrase, phrase, say, speaking
from chainrule.rules import find, names
from chainrule.rules.layers import Dense
from chainrule.spec import Example


@dataclass(frozen=True)
class Way:
    """One way to choose otherwise. settings: what has to be set for it. phrase: it in words, to go behind `with`.

    rare: it is asked for seldom enough to be named after others.
    """

    settings: tuple[tuple[str, str], ...]
    phrase: str
    work: Job
    rare: bool = False


@dataclass(frozen=True)
class Broken:
    """An example on which a mistake was made on purpose: where, and the digits that come out."""

    example: str
    cell: str
    digits: str
    settings: tuple[tuple[str, Any], ...] = ()
    after: int = 0


TWO_SAMPLES = (("data.inputs", [[0.05, 0.1], [0.2, 0.3]]), ("data.targets", [[0.01, 0.99], [0.5, 0.5]]))
"""Settings that give an example a second sample."""


@dataclass(frozen=True)
class Choice:
    """A choice on which two calculations may differ. learner, author: one sentence for each of them."""

    name: str
    learner: Phrase
    author: Phrase
    broken: Broken
    ways: Callable[[Job], Iterator[Way]]


def job_of(what: Job | Example) -> Job:
    """An example as the plain job that it is; its settings are changed as fields, without reading its file again."""
    return what if isinstance(what, Job) else Job(**{entry.name: getattr(what, entry.name) for entry in fields(Job)})


def plainly(name: str) -> str:
    """A name as a word of an English sentence; in another language it stays as it is."""
    return name.replace("_", " ") if speaking() == "en" else name


def _with_loss(work: Job, loss: Any) -> Job | None:
    """The same with another loss; None where that cannot follow the last activation or take these targets."""
    if loss.mismatch(work.network.last_activation, work.network.outputs) is not None:
        return None
    network = copy.copy(work.network)
    network.loss = loss
    try:
        network.goals(work.t, len(work.x))
    except InputError:
        return None
    return replace(work, network=network)


PAIRS = {
    ("half_squared_error", "squared_error"): phrase("the squared error without the 1/2"),
    ("squared_error", "half_squared_error"): phrase("1/2 of the squared error"),
}


def _half(work: Job) -> Iterator[Way]:
    yield from _losses(work, lambda here, other: (here, other) in PAIRS)


def _mean_loss(work: Job) -> Iterator[Way]:
    squared = {"half_squared_error", "squared_error", "mean_squared_error"}
    yield from _losses(work, lambda here, other: "mean_squared_error" in (here, other) and {here, other} <= squared)


def _other_loss(work: Job) -> Iterator[Way]:
    squared = {"half_squared_error", "squared_error", "mean_squared_error"}
    yield from _losses(work, lambda here, other: not {here, other} <= squared, rare=True)


def _losses(work: Job, wanted: Callable[[str, str], bool], rare: bool = False) -> Iterator[Way]:
    here = work.network.loss
    for name in names("loss"):
        if name == here.name or not wanted(here.name, name):
            continue
        other = _with_loss(work, find("loss", name)(reduction=here.reduction))
        if other is not None:
            names_of = {"other": plainly(name), "here": plainly(here.name)}
            words = PAIRS.get((here.name, name), phrase("loss {other} in place of {here}", **names_of))
            yield Way((("network.loss", name),), say(words), other, rare)


_OVER_SAMPLES = {"sum": phrase("the sum over samples"), "mean": phrase("the mean over samples")}


def _samples(work: Job) -> Iterator[Way]:
    if len(work.x) > 1:
        other = "sum" if work.network.loss.reduction == "mean" else "mean"
        changed = _with_loss(work, replace(work.network.loss, reduction=other))
        if changed is not None:
            yield Way((("network.reduction", other),), say(_OVER_SAMPLES[other]), changed)


def _biases(work: Job) -> Iterator[Way]:
    symbols = {span.symbol for span in work.network.spans}
    if "b" not in symbols:
        return
    here = work.conventions.biases
    if here != "frozen":
        yield Way((("update.biases", "frozen"),), say("biases that are not updated"), _told(work, biases="frozen"))
    shared = any(isinstance(layer, Dense) and layer.bias == "shared" for layer in work.network.layers)
    if here == "frozen":
        words = say("shared biases that are updated") if shared else say("biases that are updated")
        yield Way((("update.biases", "updated"),), words, _told(work, biases="updated"))
    if shared:
        words = say("a bias of its own for each unit, updated")
        yield Way((("update.biases", "updated_per_unit"),), words, _told(_per_unit(work), biases="updated_per_unit"))


def _told(work: Job, **choices: Any) -> Job:
    return replace(work, conventions=replace(work.conventions, **choices))


def _per_unit(work: Job) -> Job:
    """Shared biases as one for each unit, all with the shared value."""
    old = work.network
    shared = [isinstance(each, Dense) and each.bias == "shared" for each in old.layers]
    changed: dict[str, Any] = {"bias": "per_unit"}
    layers = [replace(each, **changed) if one else each for each, one in zip(old.layers, shared, strict=True)]
    parts = []
    for span in old.spans:
        values = old.parameters[span.start : span.stop]
        wide = shared[span.layer - 1] and span.symbol == "b"
        parts.append(np.repeat(values, old.widths[span.layer - 1]) if wide else values)
    network = Network(layers, old.inputs, old.loss, old.seed, old.penalties, old.dtype, np.concatenate(parts))
    network.memory = old.memory
    naming = None if work.naming is None else network.naming(work.naming.style, work.naming.custom)
    return replace(work, network=network, naming=naming)


def _order(work: Job) -> Iterator[Way]:
    other = "sequential" if work.conventions.order == "simultaneous" else "simultaneous"
    if other == "sequential" and work.clipping is not None and work.clipping.name == "clip_norm":
        return
    words = {
        "sequential": phrase("hidden layers that collect error through weights that are updated already (sequential updates)"),
        "simultaneous": phrase("all gradients from the old weights (simultaneous updates)"),
    }[other]
    yield Way((("update.order", other),), say(words), _told(work, order=other))


def _dialects(work: Job) -> Iterator[Way]:
    rule = work.optimizer
    for entry in fields(rule):
        for option in entry.metadata.get("options", ()):
            if option != getattr(rule, entry.name):
                said = say("{rule}'s {name} {value}", rule=rule.name, name=plainly(entry.name), value=option)
                changed = replace(work, optimizer=replace(rule, **{entry.name: option}))
                yield Way(((f"update.{entry.name}", option),), said, changed)
    epsilon = getattr(rule, "epsilon", None)
    for other in (1e-7, 1e-8, 1e-10, 0.0) if epsilon is not None else ():
        if other != epsilon:
            changed = replace(work, optimizer=replace(rule, epsilon=other))  # type: ignore[call-arg]
            yield Way((("update.epsilon", f"{other:g}"),), say("epsilon {value}", value=f"{other:g}"), changed)
    begins = getattr(rule, "initial_accumulator", None)
    for other in (0.0, 0.1) if begins is not None else ():
        if other != begins:
            changed = replace(work, optimizer=replace(rule, initial_accumulator=other))  # type: ignore[call-arg]
            said = say("an accumulator that begins at {value}", value=f"{other:g}")
            yield Way((("update.initial_accumulator", f"{other:g}"),), said, changed)


def _optimizers(work: Job) -> Iterator[Way]:
    rule = work.optimizer
    for name in names("optimizer"):
        if name != rule.name:
            kept = {
                entry.name: getattr(rule, entry.name) for entry in fields(find("optimizer", name)) if hasattr(rule, entry.name)
            }
            try:
                other = find("optimizer", name)(**kept)
            except InputError:
                continue  # a word of one optimizer's dialect may mean nothing to another
            said = say("optimizer {other} in place of {here}", other=name, here=rule.name)
            yield Way((("update.optimizer", name),), said, replace(work, optimizer=other), True)


def _rate(work: Job) -> Iterator[Way]:
    rate = work.optimizer.learning_rate
    for factor in (0.1, 10.0):
        other = float(f"{rate * factor:.15g}")
        said = say("learning rate {value}", value=f"{other:g}")
        yield Way(((("update.learning_rate"), repr(other)),), said, _faster(work, other), True)


def _faster(work: Job, rate: float) -> Job:
    return replace(work, optimizer=replace(work.optimizer, learning_rate=rate))  # type: ignore[call-arg]


def _half_and_rate(work: Job) -> Iterator[Way]:
    """Without the 1/2 and at half the rate, plain descent goes the same way."""
    for way in _half(work):
        factor = 0.5 if work.network.loss.name == "half_squared_error" else 2.0
        rate = float(f"{work.optimizer.learning_rate * factor:.15g}")
        settings = (*way.settings, ("update.learning_rate", repr(rate)))
        said = say("{choice}, at learning rate {value}", choice=way.phrase, value=f"{rate:g}")
        yield Way(settings, said, _faster(way.work, rate))


def _activations(work: Job) -> Iterator[Way]:
    for place, layer in enumerate(work.network.layers):
        if not isinstance(layer, Dense):
            continue
        here = layer.activation
        for name in ("identity", "sigmoid", "tanh", "relu"):
            if name == here.name:
                continue
            layers = list(work.network.layers)
            layers[place] = replace(layer, activation=find("activation", name)())
            network = copy.copy(work.network)
            network.layers = tuple(layers)
            if network.loss.mismatch(network.last_activation, network.outputs) is None:
                said = say("{other} in place of {here} in layer {n}", other=name, here=here.name, n=place + 1)
                settings = ((f"network.layers[{place + 1}].activation", name),)
                yield Way(settings, said, replace(work, network=network), True)


CHOICES = (
    Choice(
        "half",
        phrase("The squared error is taken with a factor 1/2 by some and without it by others: every derivative doubles."),
        phrase("Say whether the loss has the factor 1/2: all gradients and updates depend on it."),
        Broken("lamsal", "w5+", "0.403756251"),
        _half,
    ),
    Choice(
        "mean_over_outputs",
        phrase(
            "The loss is the mean over the outputs for some and the sum for others: divide or do not divide by their number."
        ),
        phrase("Say whether the loss is summed or averaged over the outputs."),
        Broken("mazur", "E", "0.298371109", (("network.loss", "squared_error"),)),
        _mean_loss,
    ),
    Choice(
        "another_loss",
        phrase("Another loss than the one that is stated was used throughout."),
        phrase("The numbers follow from another loss than the text states."),
        Broken("mazur", "E", "0.479218302"),
        _other_loss,
    ),
    Choice(
        "samples",
        phrase("The gradient of a batch is the sum over its samples for some, and the mean for others."),
        phrase("Say whether the loss is summed or averaged over the samples."),
        Broken("mazur", "dE/dw5", "0.110838407", TWO_SAMPLES),
        _samples,
    ),
    Choice(
        "biases",
        phrase("Biases are parameters too: some texts update them, each unit's own or one for the layer, and some do not."),
        phrase("Say whether biases are updated, and whether a layer shares one."),
        Broken("mazur", "E", "0.28047144679", after=1),
        _biases,
    ),
    Choice(
        "order",
        phrase(
            "Every gradient is taken from the old weights; with the output weights updated first, hidden layers see new ones."
        ),
        phrase("The hidden gradients were computed with output weights that were updated already."),
        Broken("mazur", "E", "0.291027924", after=1),
        _order,
    ),
    Choice(
        "half_and_rate",
        phrase("Without the 1/2 every gradient is twice as large; half the learning rate makes up for it."),
        phrase("A factor 1/2 in the loss and a factor 2 in the learning rate cannot be told apart by the weights alone."),
        Broken("mazur", "E", "0.582055547", after=1),
        _half_and_rate,
    ),
    Choice(
        "dialect",
        phrase("Optimizers have dialects: where epsilon stands, whether the means are corrected, what the velocity holds."),
        phrase("Say which dialect of the optimizer is meant: libraries differ."),
        Broken("mazur", "w5+", "0.083773451", (("update.optimizer", "adam"), ("update.learning_rate", 0.1))),
        _dialects,
    ),
    Choice(
        "optimizer",
        phrase("Another optimizer than the one that is stated was used."),
        phrase("The updates follow from another optimizer than the text states."),
        Broken("mazur", "w5+", "0.321941311"),
        _optimizers,
    ),
    Choice(
        "learning_rate",
        phrase("The decimal point of the learning rate slipped."),
        phrase("The updates follow from another learning rate than the text states."),
        Broken("mazur", "w5+", "0.395891648"),
        _rate,
    ),
    Choice(
        "activation",
        phrase("A layer has another activation than the one that is stated."),
        phrase("The numbers follow from another activation than the text states."),
        Broken("mazur", "out_o1", "0.802610446"),
        _activations,
    ),
)
"""Everything that can be chosen otherwise in the example itself."""
