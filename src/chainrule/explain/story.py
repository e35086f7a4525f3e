"""A trace, arranged for telling: what stands at the head, which numbers in which order, what comes at the end.

Every format tells the same story; only how it is set differs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from chainrule.errors import InputError, printable, shown
from chainrule.naming import Cell
from chainrule.phrases import listed, phrase, say
from chainrule.rules.rule import Rule
from chainrule.steps import Change, Step
from chainrule.terms.digits import Digits
from chainrule.tracing import Trace

FEW_SAMPLES = 3
"""Up to so many samples are told in full; of more, one."""

TITLES = {
    "given": phrase("Prepared"),
    "forward": phrase("Forward"),
    "loss": phrase("Loss"),
    "backward": phrase("Backward"),
    "update": phrase("Update"),
}


@dataclass(frozen=True)
class Paragraph:
    """Numbers that share one reason; the reason is said once in a part."""

    reason: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Part:
    """What belongs to one layer."""

    heading: str
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True)
class Section:
    """What belongs to one phase."""

    phase: str
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Sheet:
    """Numbers side by side: texts, whole numbers and numbers in rows under their headings, and a sentence about them."""

    name: str
    title: str
    sentence: str
    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def texts(self, digits: Digits) -> list[list[str]]:
        """The rows as they are written."""
        return [[self._text(cell, digits) for cell in row] for row in self.rows]

    def _text(self, cell: Any, digits: Digits) -> str:
        if isinstance(cell, str):
            return printable(cell)
        return f"{cell:,}" if isinstance(cell, int) else digits.text(cell)

    def columns(self, digits: Digits) -> list[list[str]]:
        """The same column by column, numbers with their decimal points under each other."""
        rows = self.texts(digits)
        made = []
        for place in range(len(self.header)):
            cells = [row[place] for row in rows]
            numbers = any(not isinstance(row[place], str) for row in self.rows)
            made.append(aligned(cells) if numbers else cells)
        return made


@dataclass(frozen=True)
class Story:
    """What is told. hints are about the command that tells it, and of no use in a document. sheets: tables behind the steps;
    data: what else a program wants to know, by name. sample: the only one that is told, None if all are."""

    title: str
    notes: tuple[str, ...]
    hints: tuple[str, ...]
    head: tuple[tuple[str, str], ...]
    given: tuple[Step, ...]
    sections: tuple[Section, ...]
    steps: tuple[Step, ...]
    changes: tuple[Change, ...]
    after: str
    digits: Digits
    sheets: tuple[Sheet, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    sample: int | None = None


def arrange(
    trace: Trace,
    of: Iterable[str] = (),
    sample: int | str | None = None,
    timed: bool = True,
    sheets: Iterable[Sheet] = (),
    data: Mapping[str, Any] = MappingProxyType({}),
    brief: bool = False,
) -> Story:
    """The story of a step, or of what leads to the numbers named in `of`.

    sample: which sample is told of many (from 1), or "all". sheets, data: what is told besides. brief: nothing but what
    stands at the head, and the sheets.
    """
    of = tuple(of)
    notes, hints = [printable(say(note)) for note in trace.notes], []
    chosen = chosen_sample(trace, sample)
    if of:
        cells, unopened = trace.leading_to(of, chosen or 1)
        if unopened:
            notes.append(say("{n} more numbers lead here and are used without their own derivation.", n=f"{unopened:,}"))
            hints.append(say("Open any of them by its name: --of NAME."))
    elif brief:
        cells = []
    else:
        cells = trace.cells_of(chosen)
        if chosen is not None:
            told_one = "{n} samples: sample {chosen} is told here, sums run over all."
            notes.append(say(told_one, n=f"{trace.scope.rows:,}", chosen=chosen))
            hints.append(say("--sample R tells another, --sample all tells all; --format json always holds all."))
    told = [(cell, trace.step(cell)) for cell in cells]
    notes += _warnings(trace, [step for _, step in told])
    given = tuple(step for _, step in told if step.plain)
    rest = [(cell, step) for cell, step in told if not step.plain]
    runs = ((phase, list(run)) for phase, run in itertools.groupby(rest, lambda pair: pair[1].phase))
    sections = tuple(Section(phase, say(TITLES[phase]), _parts(trace, phase, run)) for phase, run in runs)
    title = printable(say(trace.title)) or say("One step, derived")
    return Story(
        title, tuple(notes), tuple(hints), head(trace, timed), given, sections,
        tuple(step for _, step in told), () if of or brief else tuple(trace.changes), trace.conclusion,
        trace.digits, tuple(sheets), data, chosen,
    )  # fmt: skip


def _warnings(trace: Trace, steps: Sequence[Step]) -> list[str]:
    """What is not as usual in these numbers, and why."""
    notes = []
    if trace.exact_form:
        notes.append(
            say(
                "An output has been rounded to 0 or 1. Through the outputs the derivation would meet 0 times infinity; so the "
                "loss and the last deltas are taken from the weighted sums, where they are exact."
            )
        )
    wild = next((step for step in steps if isinstance(step.value, float) and not math.isfinite(step.value)), None)
    if wild is not None:
        sentence = (
            "{name} is {value}: beyond what float64 can hold, and so is what follows from it. "
            "Smaller weights, inputs or a smaller learning rate keep the numbers finite."
        )
        notes.append(say(sentence, name=wild.name, value=wild.value))
    return [printable(note) for note in notes]


def _parts(trace: Trace, phase: str, pairs: Sequence[tuple[Cell, Step]]) -> tuple[Part, ...]:
    layers = len(trace.network.layers)

    def layer(pair: tuple[Cell, Step]) -> int:
        cell = pair[0]
        return cell.layer - (cell.symbol == "dz/dx")  # the slope of a layer's sum is asked for by the layer before

    runs = [(place, list(run)) for place, run in itertools.groupby(pairs, layer)]
    named = len(runs) > 1 and layers > 1 and phase in ("forward", "backward", "update")
    return tuple(
        Part(_heading(place, layers) if named else "", _paragraphs([step for _, step in run], phase)) for place, run in runs
    )


def _heading(layer: int, layers: int) -> str:
    if not layer:
        return ""
    if layer == layers:
        return say("Output layer")
    return say("Hidden layer") if layers == 2 else say("Hidden layer {n}", n=layer)


def in_full(value: Any) -> str:
    """A number with every digit it has."""
    return Digits(17).text(value)


def chosen_sample(trace: Trace, sample: int | str | None) -> int | None:
    """The sample that is told, None if all are; an InputError if there is no such sample."""
    rows = trace.scope.rows
    if sample in (None, "all"):
        return 1 if sample is None and rows > FEW_SAMPLES else None
    if not isinstance(sample, int) or not 1 <= sample <= rows:
        raise InputError(f"this step has samples 1 to {rows}", got=shown(sample), do="--sample 1, or --sample all")
    return sample if rows > 1 else None


def _paragraphs(steps: Sequence[Step], phase: str) -> tuple[Paragraph, ...]:
    if phase == "given":  # inputs of many kinds stand between each other: what is alike is told together
        alike: dict[str, list[Step]] = {}
        for step in steps:
            alike.setdefault(step.because, []).append(step)
        return tuple(Paragraph(reason, tuple(each)) for reason, each in alike.items())
    said: set[str] = set()
    result: list[Paragraph] = []
    for step in steps:
        if step.because in said and result:
            result[-1] = Paragraph(result[-1].reason, (*result[-1].steps, step))
        else:
            result.append(Paragraph(step.because, (step,)))
            said.add(step.because)
    return tuple(result)


def head(trace: Trace, timed: bool) -> tuple[tuple[str, str], ...]:
    """What was chosen, in words: it stands above every derivation."""
    network = trace.network
    if trace.forward_only:
        return ((say("Network"), printable(_shape(trace))), (say("Numbers"), _numbers(trace)))
    words = replace(trace.conventions, places=trace.digits.places).sentences()
    loss, rate = network.loss, trace.digits.text(trace.rate)
    rows = [
        (say("Network"), _shape(trace)),
        (say("Loss"), say(_TAKEN[loss.over_outputs, loss.reduction], loss=described(loss))),
        *((say("Penalty"), described(rule)) for rule in network.penalties),
        (say("Biases"), _biases(trace, words["biases"])),
        (say("Order"), words["order"]),
        (say("Weights"), words["orientation"]),
        (say("Optimizer"), say("{rule}, learning rate η = {rate}", rule=described(trace.optimizer), rate=rate)),
        *([(say("Clipping"), described(trace.clipping))] if trace.clipping else []),
        (say("Numbers"), _numbers(trace)),
        (say("Update"), say("number {n}, counted from 1", n=trace.number)),
    ]
    if timed:
        rows.append((say("Time"), timing(trace)))
    return tuple((label, printable(text)) for label, text in rows)


_TAKEN = {
    ("sum", "sum"): phrase("{loss}, sum over outputs, sum over samples"),
    ("sum", "mean"): phrase("{loss}, sum over outputs, mean over samples"),
    ("mean", "sum"): phrase("{loss}, mean over outputs, sum over samples"),
    ("mean", "mean"): phrase("{loss}, mean over outputs, mean over samples"),
}


def _shape(trace: Trace) -> str:
    network = trace.network
    sizes = "-".join(str(width) for width in (network.inputs, *network.widths))
    return f"{sizes}: {listed(_layer(layer) for layer in network.layers)}"


def _numbers(trace: Trace) -> str:
    return replace(trace.conventions, places=trace.digits.places).sentences()["numbers"]


def _biases(trace: Trace, words: str) -> str:
    biases = [span for span in trace.network.spans if span.symbol == "b"]
    if not biases:
        return say("none")
    shared = any(span.over == "1" for span in biases) and trace.conventions.biases == "updated"
    return say("{words}, a shared one by the sum of its units' gradients", words=words) if shared else words


def timing(trace: Trace) -> str:
    """How long forward and backward took."""
    forward, backward = trace.timing.forward, trace.timing.backward
    sentence = "forward {forward}, backward {backward}: {times} times as long (reference engine, this machine)"
    return say(sentence, forward=_seconds(forward), backward=_seconds(backward), times=f"{backward / forward:.1f}")


def _seconds(value: float) -> str:
    return f"{value * 1e6:.0f} µs" if value < 1e-3 else f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


def _layer(layer: Any) -> str:
    activation = getattr(layer, "activation", None)
    if activation is None:
        return described(layer)
    bias = {"per_unit": "{rule}", "shared": phrase("{rule} (one bias)"), "none": phrase("{rule} (no biases)")}[layer.bias]
    return say(bias, rule=described(activation))


def described(rule: Rule) -> str:
    """A rule by its name, with the hyper-parameters that it has."""
    shown_fields = [
        f"{entry.metadata.get('symbol') or entry.name} = {getattr(rule, entry.name)}"
        for entry in fields(rule)
        if entry.name not in ("learning_rate", "units", "reduction") and ("check" in entry.metadata)
    ]
    return type(rule).name + (f" ({', '.join(shown_fields)})" if shown_fields else "")


def table(changes: Sequence[Change], digits: Digits) -> list[tuple[str, str, str, str]]:
    """Name, before, after and difference of each number, decimals aligned within each column."""
    rows = [
        (printable(change.name), *(digits.text(value) for value in (change.before, change.after, _difference(change))))
        for change in changes
    ]
    columns = [aligned([row[place] for row in rows]) for place in (1, 2, 3)]
    return [(row[0], *(column[i] for column in columns)) for i, row in enumerate(rows)]  # type: ignore[misc]


def changes_head() -> tuple[str, str, str, str]:
    """What stands above the columns of `table`."""
    return say("number"), say("before"), say("after"), say("change")


def _difference(change: Change) -> Any:
    finite = abs(change.after) < math.inf and abs(change.before) < math.inf
    return change.after - change.before if finite else math.nan


def aligned(texts: Sequence[str]) -> list[str]:
    """Numbers padded so that their decimal points stand under each other."""
    split = [text.partition(".") for text in texts]
    left = max((len(head) for head, _, _ in split), default=0)
    right = max((len(dot + tail) for _, dot, tail in split), default=0)
    return [head.rjust(left) + (dot + tail).ljust(right) for head, dot, tail in split]
