"""What a training run suffers from, and what would help: from its record to findings, each with advice.

A rule of thumb is a function here, with its thresholds beside it; where nothing is wrong, none of them says anything.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean, median, stdev
from typing import Any

from chainrule.errors import shown
from chainrule.evidence import Evidence

SEVERITIES = ("serious", "warning", "note")
"""The model cannot be relied on; it could be better; worth knowing."""


@dataclass(frozen=True)
class Finding:
    """Something that was found. what: a sentence, with the numbers behind it; do: one that can be acted on.

    numbers: what it was concluded from, by name.
    """

    kind: str
    severity: str
    what: str
    do: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.what} {self.do}".rstrip()

    def data(self) -> dict[str, Any]:
        """Everything, for a program."""
        return {"kind": self.kind, "severity": self.severity, "what": self.what, "do": self.do, "numbers": dict(self.numbers)}


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """What is to be said about a run, the most serious first; nothing if nothing is wrong."""
    found = [finding for rule in RULES for finding in rule(evidence)]
    kinds = {each.kind for each in found}
    told = [each for each in found if not EXPLAINED.get(each.kind, set()) & kinds]
    return tuple(sorted(told, key=lambda each: SEVERITIES.index(each.severity)))


Rule = Callable[[Evidence], Iterator[Finding]]


def diverged(e: Evidence) -> Iterator[Finding]:
    """Training broke down."""
    if e.ended == "not finite":
        rate = min(0.1, (e.settings.learning_rate or 0.01) / 10)
        do = f"Use a smaller step, --learning-rate {rate:g}, or --clip-norm 1."
        yield Finding("diverged", "serious", f"Training broke down: {e.trouble.rstrip('.')}.", do)


JUMP = 10.0
"""A loss so many times that of a model that knows nothing has exploded."""

GROWN = 1e3
"""A gradient so many times what it was at first has exploded."""


def exploding(e: Evidence) -> Iterator[Finding]:
    """The loss or a gradient became large."""
    losses = [loss for loss in e.losses if loss == loss]
    usual = e.blind if e.blind == e.blind else losses[0] if losses else math.nan
    do = "Use a smaller --learning-rate, or --clip-norm 1."
    if losses and not e.priced and max(losses) > JUMP * usual:
        epoch = e.losses.index(max(losses)) + 1
        what = f"The training loss rose to {max(losses):.3g} in epoch {epoch:,}; who knows nothing of the columns has "
        recovered = losses[-1] < usual / 2
        what += f"{usual:.3g}." + (f" It came down again, to {losses[-1]:.3g}." if recovered else "")
        numbers = {"knowing nothing": usual, "largest": max(losses), "epoch": epoch, "last": losses[-1]}
        yield Finding("exploding", "warning" if recovered else "serious", what, do, numbers)
        return
    if not e.measured:
        return
    first = {layer["layer"]: layer for layer in e.measured[0][1]}
    for epoch, layers in e.measured[1:]:
        for layer in layers:
            before, now = first[layer["layer"]]["gradient"], layer["gradient"]
            if now is None or (before and now > GROWN * before and now > 1):
                many = "beyond all bounds" if now is None else f"to {now:.3g}, {now / before:,.0f} times what it was at first"
                what = f"The gradient of {e.layer(layer['layer'])} grew {many}, in epoch {epoch:,}."
                yield Finding("exploding", "serious", what, do, {"layer": layer["layer"], "first": before, "gradient": now})
                return


VANISHED = 1e-3
"""The first layer's gradient in parts of the last one's, weight by weight: below this, the first layer stands still while the
last one learns."""


def vanishing(e: Evidence) -> Iterator[Finding]:
    """Gradients fade, or grow, on the way back."""
    ratios = []
    for _, layers in e.measured:
        first, last = layers[0]["spread"], layers[-1]["spread"]
        if len(layers) > 2 and first is not None and last:
            ratios.append(first / last)
    if not ratios:
        return
    ratio = median(ratios)
    numbers = {"ratio": ratio, "layers": len(e.measured[-1][1])}
    if ratio < VANISHED:
        times = f"{1 / ratio:,.0f} times smaller than" if ratio > 1e-12 else "nothing beside"
        what = f"Gradients vanish on the way back: the first layer's is {times} the last one's, so it hardly learns."
        do = "Use fewer hidden layers"
        squeezing = e.settings.activation in ("sigmoid", "tanh", "hard_sigmoid", "softsign")
        do += ", --activation relu" * squeezing + (", or --norm layer." if e.settings.norm == "none" else ".")
        yield Finding("vanishing", "serious", what, do, numbers)
    elif ratio > 1 / VANISHED:
        what = f"Gradients explode on the way back: the first layer's is {ratio:,.0f} times the last one's."
        yield Finding("exploding", "warning", what, "Use --norm layer, or --clip-norm 1.", numbers)


DEAD = 0.5
"""The part of a layer's units that may be dead before it matters."""


def dead(e: Evidence) -> Iterator[Finding]:
    """Units that no row can move."""
    if not e.measured:
        return
    epoch, layers = e.measured[-1]
    for layer in layers:
        part = layer.get("dead")
        if part is not None and part >= DEAD:
            what = (
                f"In {e.layer(layer['layer'])}, {part:.0%} of the units are dead: no row moves them any more (epoch {epoch:,})."
            )
            do = "Use --activation leaky_relu, a smaller --learning-rate, or --norm layer."
            yield Finding(
                "dead units", "serious" if part > 0.9 else "warning", what, do, {"layer": layer["layer"], "dead": part}
            )


SATURATED = 0.6
"""The part of a layer's outputs that may be at the ends of their range."""


def saturated(e: Evidence) -> Iterator[Finding]:
    """Outputs at the ends of their range, where slopes are almost 0."""
    if not e.measured:
        return
    epoch, layers = e.measured[-1]
    for layer in layers:
        part = layer.get("saturated")
        if part is not None and part >= SATURATED:
            what = f"In {e.layer(layer['layer'])}, {part:.0%} of the outputs are at an end of their range, where "
            what += f"nothing is learned (epoch {epoch:,})."
            do = "Use a smaller --learning-rate, --norm layer, or --activation relu."
            yield Finding("saturation", "warning", what, do, {"layer": layer["layer"], "saturated": part})


BARELY = 0.95
"""A training loss above this part of what a model has that knows nothing: it has learned nothing worth speaking of."""


def underfitting(e: Evidence) -> Iterator[Finding]:
    """The training rows themselves are not learned."""
    if not e.losses or e.ended == "not finite" or e.hopeless or not e.losses[-1] > BARELY * e.blind:
        return
    losses = e.losses
    falls = sum(b < a for a, b in itertools.pairwise(losses))
    steady = len(losses) <= 2 or falls > 0.8 * (len(losses) - 1)
    rate, moved = e.settings.learning_rate or 0.01, _update(e)
    numbers = {"loss": losses[-1], "knowing nothing": e.blind, "update": moved}
    told = f"After {len(losses):,} epochs the training loss is {losses[-1]:.3g}; "
    told += f"who knows nothing of the columns has {e.blind:.3g}"
    if moved < SLOW / 10 and steady:
        higher = rate * 10.0 ** min(6, max(1, round(math.log10(SLOW / max(moved, 1e-300)))))
        what = f"{told}, and an update moves the weights by {moved:.1e} of their length."
        yield Finding("learning rate too low", "serious", what, f"Use --learning-rate {higher:.1g}.", numbers)
    else:
        do = "Use another --learning-rate, more --epochs, more --hidden units, less --weight-decay; "
        do += "or the columns do not tell the target."
        yield Finding("underfitting", "serious", f"{told}: nothing was learned.", do, numbers)


FADED = 0.25
"""Weights that have shrunk to less than this part of what they were are held back too strongly."""


def faded(e: Evidence) -> Iterator[Finding]:
    """Weight decay leaves nothing of the weights."""
    if len(e.measured) < 2 or not e.settings.weight_decay or e.hopeless or not e.losses[-1] > 0.8 * e.blind:
        return
    parts = [
        after["weights"] / before["weights"]
        for before, after in zip(e.measured[0][1], e.measured[-1][1], strict=True)
        if before["weights"] and after["weights"] is not None
    ]
    if parts and max(parts) < FADED:
        what = f"Weight decay has shrunk the weights of every layer, to {max(parts):.1%} of their length at most."
        do = f"Use --weight-decay {e.settings.weight_decay / 100:.1g}, or 0."
        yield Finding("weights fade", "serious", what, do, {"left": max(parts), "weight_decay": e.settings.weight_decay})


SLOW = 1e-3
"""An update of less than this part of the weights is a small one."""


def _update(e: Evidence) -> float:
    """How far an update goes, in parts of the weights: of the layer that moves most, over the run."""
    found = [max((layer["update"] or 0.0 for layer in layers), default=0.0) for _, layers in e.measured]
    return median(found) if found else 0.0


ROUGH = 0.1
"""The change of the loss from epoch to epoch, in parts of what a model has that knows nothing, once it should be calm."""

STRIDE = 0.1
"""An update that changes the weights by more than this part of them is a large one."""


def rate_too_high(e: Evidence) -> Iterator[Finding]:
    """The loss jumps about, or rises again, because steps are too long."""
    losses = [loss for loss in (e.watched if e.priced else e.losses) if loss == loss]
    if len(losses) < 8 or e.blind != e.blind or e.ended == "not finite":
        return
    calm = losses[len(losses) // 2 :]
    changes = [b - a for a, b in itertools.pairwise(calm)]
    restless = sum(change > 0 for change in changes) > len(changes) / 4  # else it falls, only fast
    jumps = median(map(abs, changes)) / e.blind if restless else 0.0
    lowest, last = min(losses), fmean(losses[-3:])
    rose = last > 1.5 * lowest + 0.1 * e.blind
    strides = _update(e)
    if jumps > ROUGH or rose or (strides > STRIDE and last > 0.5 * e.blind):
        rate = e.settings.learning_rate or 0.01
        whose = "loss of rows it is not trained on" if e.priced and e.curve else "training loss"
        if rose:
            what = f"The {whose} rose again, from {lowest:.3g} to {last:.3g}."
        elif jumps > ROUGH:
            what = f"The {whose} still jumps by {jumps * e.blind:.2g} from epoch to epoch in the second half."
        else:
            what = f"An update moves the weights by {strides:.0%} of their length."
        do = f"Use --learning-rate {rate / 10:g}" + (", or --schedule one_cycle." if e.settings.schedule == "constant" else ".")
        numbers = {"jumps": jumps, "lowest": lowest, "last": last, "update": strides}
        yield Finding("learning rate too high", "warning", what, do, numbers)


GAP = 0.3
"""How much worse rows held out may be than training rows, in parts of what a model has that knows nothing."""

AGAIN = 0.15
"""How far the validation loss may rise again after its best, in the same parts."""


def overfitting(e: Evidence) -> Iterator[Finding]:
    """The training rows are learned by heart."""
    if not e.losses or e.blind != e.blind or e.ended == "not finite":
        return
    if not e.curve:
        return
    rows = "validation rows" if e.curve == "validation" else "rows held out"
    losses, remedies = e.watched, _remedies(e)
    lowest, last = min(losses), fmean(losses[-3:])
    best = losses.index(lowest) + 1
    if last - lowest > AGAIN * e.blind and last > 1.1 * lowest:
        saved = e.kept == best and e.curve == "validation"
        what = f"The loss of the {rows} was lowest in epoch {best:,} ({lowest:.3g}) and rose to {last:.3g} after it."
        what += " The weights of that epoch are kept, so the model is not harmed." if saved else ""
        stop = f"--patience {max(5, len(losses) // 20)} to save time" if e.curve == "validation" else "--validation 0.15"
        numbers = {"lowest": lowest, "epoch": best, "last": last}
        yield Finding("overfitting", "note" if saved else "warning", what, f"Use {stop}{remedies}.", numbers)
        return
    place = min(e.kept or len(losses), len(losses))  # a run that is being resumed has more weights than lines
    train, held = e.losses[place - 1], losses[place - 1]
    if held - train > GAP * e.blind and held > 1.5 * train:
        what = f"The loss is {train:.3g} on the training rows and {held:.3g} on the {rows}."
        yield Finding("overfitting", "warning", what, f"Use more rows{remedies}.", {"training": train, "others": held})


def _remedies(e: Evidence) -> str:
    dropout = min(0.5, (e.settings.dropout or 0.0) + 0.2)
    units = max(e.settings.hidden or (0,))
    return f", --dropout {dropout:g}" + (f", or fewer units: --hidden {max(4, units // 2)}" if units > 8 else "")


STILL = 0.03
"""The part of all progress that the last tenth of the epochs may make before more of them are worth having."""


def unfinished(e: Evidence) -> Iterator[Finding]:
    """The end came too early."""
    epochs = len(e.history)
    if e.ended == "time":
        planned = e.settings.epochs or epochs
        what = f"The time was up after {epochs:,} of {planned:,} epochs."
        yield Finding(
            "unfinished", "note", what, "Go on with --resume and a longer --time-limit.", {"epochs": epochs, "planned": planned}
        )
        return
    watched = e.watched
    if e.ended != "epochs" or epochs < 10:
        return
    size = max(2, epochs // 10)
    before, last = fmean(watched[-2 * size : -size]), fmean(watched[-size:])
    progress, drop = watched[0] - last, before - last
    calm = drop > stdev(watched[-size:])  # else it only goes up and down
    if progress > 0 and calm and drop > STILL * progress and drop > 0.01 * watched[0]:
        what = f"The loss was still falling at the end: from {before:.3g} to {last:.3g} over the last {size:,} epochs."
        yield Finding("unfinished", "note", what, f"Use --epochs {epochs * 2}.", {"before": before, "last": last})


def no_better(e: Evidence) -> Iterator[Finding]:
    """Simpler models are as good."""
    if e.figures is None:
        return
    model, simplest, line = e.score("model"), e.score("mean", "most frequent class"), e.score("linear")
    called = {"r2": "R2"}.get(e.measure, e.measure.replace("_", " "))
    balanced = {name: figures.get("balanced_accuracy", 0.0) for name, figures in e.figures.items() if name != "rows"}
    told_apart = (
        {"model", "most frequent class"} <= set(balanced)
        and e.task != "number"
        and balanced["model"] > balanced["most frequent class"] + 0.02
    )  # rare classes, too
    if model <= simplest + e.luck / 8 and not told_apart:
        always = "always saying the mean" if e.task == "number" else "always saying the most frequent class"
        what = f"The model is no better than {always}: {called} {model:.3f} against {simplest:.3f}"
        what += ", and a linear model is not, either." if e.hopeless else "."
        do = "The columns may not tell the target: look for others, and for those that were left out."
        yield Finding("no better than the baseline", "serious", what, do, {"model": model, "baseline": simplest})
    elif model < line - e.luck:
        what = f"A linear model does better: {called} {line:.3f} against {model:.3f}."
        do = "Use --hidden none, more rows, or stronger --weight-decay and --dropout."
        yield Finding("no better than linear", "warning", what, do, {"model": model, "linear": line})


RARE = 0.1
"""The part of the rows below which a class is rare."""


def imbalance(e: Evidence) -> Iterator[Finding]:
    """A rare class is overlooked."""
    total = sum(e.counts)
    worst: tuple[float, str, int] | None = None
    for name, count, recall in zip(e.classes, e.counts, e.recall, strict=False):
        if recall is not None and recall == recall and recall < 0.5 and count < RARE * total:
            worst = min(worst or (1.0, "", 0), (recall, name, count))
    if worst is not None:
        recall, name, count = worst
        what = (
            f"The class {shown(name)} is rare ({count:,} of {total:,} training rows), and only {recall:.0%} of its rows held "
            "out are recognised."
        )
        balanced = e.settings.class_weight == "balanced"
        do = "Add rows of this class." if balanced else "Use --class-weight balanced, or add rows of this class."
        yield Finding("class imbalance", "warning", what, do, {"class": name, "rows": count, "recall": recall})


def gives_away(e: Evidence) -> Iterator[Finding]:
    """One column alone makes the model as good as it is."""
    if e.figures is None or len(e.weighs) < 3:
        return
    if not e.score("model") > 0.995:
        return
    first, second = sorted(e.weighs, key=lambda each: -each[1])[:2]
    if first[1] > 0 and second[1] < 0.02 * first[1]:
        what = f"The model is almost without error, and it is the column {shown(first[0])} alone that makes it so."
        do = f"If it is known only when the target is known, use --leave-out {shown(first[0])}."
        yield Finding("leak", "warning", what, do, {"column": first[0], "worse without": first[1]})


def about_the_data(e: Evidence) -> Iterator[Finding]:
    """What was said when the table was read and prepared."""
    for text in e.warned:
        yield Finding("data", "note", text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else "."))


RULES: tuple[Rule, ...] = (
    diverged, exploding, vanishing, dead, saturated, faded, underfitting, rate_too_high, overfitting, unfinished, no_better,
    imbalance, gives_away, about_the_data,
)  # fmt: skip

_BROKEN = {"diverged", "exploding"}
_IDLE = {"learning rate too low", "weights fade", "vanishing"}

EXPLAINED: Mapping[str, set[str]] = {
    "exploding": {"diverged"},
    "vanishing": {"diverged"},
    "dead units": {"diverged"},
    "saturation": {"diverged", "dead units"},
    "learning rate too high": _BROKEN | {"weights fade"},
    "weights fade": _BROKEN | {"vanishing"},
    "underfitting": _BROKEN | _IDLE | {"dead units", "saturation", "learning rate too high"},
    "overfitting": _BROKEN | _IDLE | {"underfitting"},
    "no better than the baseline": _BROKEN | _IDLE | {"underfitting"},
    "no better than linear": _BROKEN | _IDLE | {"underfitting", "no better than the baseline"},
    "unfinished": _BROKEN | _IDLE | {"underfitting", "learning rate too high"},
}
"""A kind is not told beside any of these: they are its cause, or say the same."""
