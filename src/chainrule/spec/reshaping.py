"""A spec's plain data with layers, units and samples added and removed: every number that stays keeps its value, new weights
are drawn as the spec draws them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.errors import InputError
from chainrule.naming import Cell
from chainrule.rules.layers import Dense
from chainrule.spec.revising import in_columns, opened, refuse_table, weights_of

if TYPE_CHECKING:
    from chainrule.spec import Example, Limits

FOLLOWED = 2_000
"""Up to so many parameters are followed one by one from where they were to where they are."""

Places = list[int | None]
"""For each place, the old place whose numbers stay there; None for what is new."""


class Made(NamedTuple):
    """An example of another shape: how many of its weights were drawn, whether names of weights did not fit any more, and the
    weights and biases that stay (of networks that are not too large): the cell of each as it was and as it is."""

    example: Example
    drawn: int = 0
    unnamed: bool = False
    stayed: tuple[tuple[Cell, Cell], ...] = ()


@dataclass
class Slot:
    """A layer as it will be. origin: which layer it was, 0 for a new one; units and senders: where their numbers come from."""

    entry: dict[str, Any]
    origin: int
    dense: bool
    units: Places
    senders: Places = field(default_factory=list)


@dataclass
class Shape:
    """All layers as they will be, and the places of the inputs. The rest of the spec's plain data stands in `data`."""

    example: Example
    data: dict[str, Any]
    inputs: Places
    slots: list[Slot]

    def width(self, place: int) -> Places:
        """What goes into a slot."""
        return self.slots[place - 1].units if place else self.inputs

    def through(self, place: int, units: Places) -> None:
        """Hands new places on to what comes behind: layers without units of their own pass them through, as far as the next
        dense layer, which has them as senders; behind the last layer they are outputs, with targets."""
        for slot in self.slots[place:]:
            slot.senders = units
            if slot.dense:
                return
            slot.units = units
        if units == list(range(self.example.network.outputs)):
            return
        refuse_table(self.example, "layer")
        if opened(self.example, self.data):
            do = "give the samples rows of numbers for targets first"
            raise InputError("each output stands for a class of the targets", do=do, field="layer")
        self.data["data"]["targets"] = [_placed(row, units, 0.0) for row in self.data["data"]["targets"]]


def add_unit(example: Example, layer: int, limits: Limits) -> Made:
    """One more unit at a layer's end; layer 0 are the inputs."""
    shape = _shape(example)
    units = [*_units(example, shape, layer), None]
    return _reshaped(example, shape, layer, units, limits)


def remove_unit(example: Example, layer: int, unit: int, limits: Limits) -> Made:
    """A layer without one of its units (from 1), and without all weights from and to it; layer 0 are the inputs."""
    shape = _shape(example)
    units = list(_units(example, shape, layer))
    if not 1 <= unit <= len(units):
        raise InputError(f"layer {layer} has no unit {unit}", do=f"choose one of its {len(units)}", field="unit")
    if len(units) == 1:
        do = "remove the layer" if layer else "give it another input first"
        raise InputError("this is the only one: nothing would be left to add up", do=do, field="unit")
    del units[unit - 1]
    return _reshaped(example, shape, layer, units, limits)


def add_layer(example: Example, layer: int, limits: Limits, units: int | None = None, activation: str | None = None) -> Made:
    """A dense layer in front of a layer: as wide as what comes before it, and of its neighbour's kind, where that is not
    said."""
    shape = _shape(example)
    if not 1 <= layer <= len(shape.slots):
        raise InputError(f"there is no layer {layer}", do=f"choose one of {len(shape.slots)}", field="layer")
    before = shape.width(layer - 1)
    behind = next((slot for slot in shape.slots[layer - 1 :] if slot.dense), None)
    hidden = [slot.entry for slot in (*shape.slots[: layer - 1][::-1], *shape.slots[layer - 1 : -1]) if slot.dense]
    entry: dict[str, Any] = {"activation": activation or (hidden[0].get("activation", "sigmoid") if hidden else "sigmoid")}
    width = units or len(before)
    if width > limits.parameters:
        raise InputError("the layer is too wide", got=f"{width:,} units", do=f"at most {limits.parameters:,}", field="units")
    biases = behind.entry.get("biases") if behind is not None else None
    if biases is not None:
        entry["biases"] = [0.0] * width if isinstance(biases, list) else 0.0
    shape.slots.insert(layer - 1, Slot(entry, 0, True, [None] * width, [None] * len(before)))
    shape.through(layer, [place if place < len(before) else None for place in range(width)])
    return _built(example, shape, limits)


def remove_layer(example: Example, layer: int, limits: Limits) -> Made:
    """The network without a layer; what came into it goes into the next one, place by place."""
    shape = _shape(example)
    if not 1 <= layer <= len(shape.slots):
        raise InputError(f"there is no layer {layer}", do=f"choose one of {len(shape.slots)}", field="layer")
    slot = shape.slots[layer - 1]
    if slot.dense and not any(each.dense for each in shape.slots[layer:]):
        what = f"layer {layer} gives the outputs: without it nothing is left to hold against the targets"
        raise InputError(what, do="remove a layer in front of it, or some of its units", field="layer")
    if len(shape.slots) == 1:
        raise InputError("a network needs at least one layer", do="add another one first", field="layer")
    del shape.slots[layer - 1]
    if slot.dense:
        before = shape.width(layer - 1)
        shape.through(layer - 1, [place if place < len(slot.units) else None for place in range(len(before))])
    return _built(example, shape, limits)


def set_biases(example: Example, layer: int, kind: str, limits: Limits) -> Made:
    """A layer with no biases, with one that it shares, or with one for each unit."""
    data = copy.deepcopy(example.data)
    if not 1 <= layer <= len(example.network.layers) or not isinstance(example.network.layers[layer - 1], Dense):
        raise InputError(f"layer {layer} has no units of its own", do="choose a dense layer", field="layer")
    entry = data["network"]["layers"][layer - 1]
    views = example.network.views(example.network.parameters)[layer - 1]
    now = views["b"].reshape(-1).tolist() if "b" in views else [0.0]
    if kind == "none":
        entry.pop("biases", None)
    else:
        width = example.network.widths[layer - 1]
        entry["biases"] = now[0] if kind == "shared" else now if len(now) == width else now[:1] * width
    return Made(example.rewritten(data, limits))


def add_sample(example: Example, sample: int, limits: Limits) -> Made:
    """One more sample at the end, with the numbers of another: a beginning that fits the loss, to be changed."""
    return _resampled(example, sample, limits, lambda rows: [*rows, copy.deepcopy(rows[sample - 1])])


def remove_sample(example: Example, sample: int, limits: Limits) -> Made:
    """The data without a sample."""
    if len(example.x) == 1:
        raise InputError("this is the only sample", do="change its numbers instead", field="sample")
    return _resampled(example, sample, limits, lambda rows: rows[: sample - 1] + rows[sample:])


def take_over(example: Example, limits: Limits) -> Made:
    """The numbers of a table in the place of its name, so that they can be changed."""
    from chainrule.spec.writing import inlined

    if "table" not in example.data["data"]:
        raise InputError("the numbers stand in the example already", do="change them")
    return Made(example.rewritten(inlined(example), limits))


def _resampled(example: Example, sample: int, limits: Limits, changed: Callable[[list[Any]], list[Any]]) -> Made:
    refuse_table(example, "sample")
    if not 1 <= sample <= len(example.x):
        raise InputError(f"there is no sample {sample}", do=f"choose one of {len(example.x)}", field="sample")
    data = copy.deepcopy(example.data)
    opened(example, data)
    for key in ("inputs", "targets", "weights"):
        if key in data["data"]:
            data["data"][key] = changed(data["data"][key])
    for entry in data["network"]["layers"]:
        if "keep" in entry:
            entry["keep"] = changed(_matrix(entry["keep"]))
    return Made(example.rewritten(data, limits))


def _shape(example: Example) -> Shape:
    """The network as it is: every number stays where it is."""
    data = copy.deepcopy(example.data)
    network = example.network
    slots, senders = [], list[int | None](range(network.inputs))
    for place, (entry, layer, width) in enumerate(
        zip(data["network"]["layers"], network.layers, network.widths, strict=True), 1
    ):
        units: Places = list(range(width))
        slots.append(Slot(entry, place, isinstance(layer, Dense), units, senders))
        senders = units
    return Shape(example, data, list(range(network.inputs)), slots)


def _units(example: Example, shape: Shape, layer: int) -> Places:
    if layer == 0:
        refuse_table(example, "layer")
        return shape.inputs
    if layer > len(shape.slots) or not shape.slots[layer - 1].dense:
        raise InputError(f"layer {layer} has no units of its own", do="choose a dense layer", field="layer")
    return shape.slots[layer - 1].units


def _reshaped(example: Example, shape: Shape, layer: int, units: Places, limits: Limits) -> Made:
    """A layer, or the inputs, with other units."""
    if layer == 0:
        opened(example, shape.data)
        shape.inputs = units
        shape.data["data"]["inputs"] = [_placed(row, units, 0.0) for row in shape.data["data"]["inputs"]]
    else:
        shape.slots[layer - 1].units = units
    shape.through(layer, units)
    return _built(example, shape, limits)


def _built(example: Example, shape: Shape, limits: Limits) -> Made:
    """The example of this shape: drawn as if nothing were given, then with all numbers that stay."""
    data, names = shape.data, shape.data.pop("names", {})
    data["network"]["layers"] = [_without_weights(slot) for slot in shape.slots]
    made = example.rewritten(data, limits)
    old = example.network.views(example.network.parameters)
    drawn = 0
    for place, (slot, view) in enumerate(zip(shape.slots, made.network.views(made.network.parameters), strict=True), 1):
        if not slot.dense:
            continue
        here, there = _stay(slot)
        stay = old[slot.origin - 1]["W"][there] if slot.origin else view["W"][here]
        alike = np.array_equal(view["W"][here], stay)
        view["W"][here] = stay
        drawn += view["W"].size - stay.size
        entry = data["network"]["layers"][place - 1]
        written = slot.origin and "weights" in example.data["network"]["layers"][slot.origin - 1]
        if written or not alike:
            entry.pop("units", None)
            entry["weights"] = weights_of(made, place, in_columns(data, entry))
    return _named(example, shape, names, limits, drawn)


def _stay(slot: Slot) -> tuple[Any, Any]:
    """Where the weights that stay will be, and where they were."""
    places = [
        [(now, was) for now, was in enumerate(each) if slot.origin and was is not None] for each in (slot.units, slot.senders)
    ]
    here, there = (np.ix_(*(np.array([pair[end] for pair in pairs], dtype=int) for pairs in places)) for end in (0, 1))
    return here, there


def _stayed(example: Example, shape: Shape) -> Iterator[tuple[Cell, Cell]]:
    """Each weight and bias that stays: where it was, and where it is."""
    if example.network.size > FOLLOWED:
        return
    for place, slot in enumerate(shape.slots, 1):
        if not slot.dense or not slot.origin:
            continue
        units = [(now + 1, was + 1) for now, was in enumerate(slot.units) if was is not None]
        senders = [(now + 1, was + 1) for now, was in enumerate(slot.senders) if was is not None]
        for i, old in units:
            for j, former in senders:
                yield Cell("W", slot.origin, (old, former)), Cell("W", place, (i, j))
        biases = example.network.axes.get((slot.origin, "b"))
        if biases == "1":
            yield Cell("b", slot.origin), Cell("b", place)
        elif biases is not None:
            yield from ((Cell("b", slot.origin, (old,)), Cell("b", place, (i,))) for i, old in units)


def _named(example: Example, shape: Shape, names: dict[str, Any], limits: Limits, drawn: int) -> Made:
    """With the names of the weights of the layers in front of the first that changed; without any if those do not do."""
    given = names.get("weights")
    style = {key: value for key, value in names.items() if key != "weights"}
    nested = isinstance(given, list) and all(isinstance(each, list) for each in given)
    left = given[: _unchanged(example, shape)] if nested and given else []
    for tried in ([left] if left else []) + [[]]:
        name = {**style, "weights": tried} if tried else style
        try:
            made = example.rewritten({**shape.data, "names": name} if name else shape.data, limits)
        except InputError as error:
            if not tried or not all(problem.field.startswith("names") for problem in error.problems):
                raise
            continue
        return Made(made, drawn, given is not None and tried != given, tuple(_stayed(example, shape)))
    raise AssertionError("the last of these returns or raises")


def _unchanged(example: Example, shape: Shape) -> int:
    """How many layers with weights, from the first on, are as they were."""
    weighted = [place for place, layer in enumerate(example.network.layers, 1) if isinstance(layer, Dense)]
    count = 0
    for was, slot in zip(weighted, (slot for slot in shape.slots if slot.dense), strict=False):
        size = example.network.views(example.network.parameters)[was - 1]["W"].shape
        if slot.origin != was or (slot.units, slot.senders) != (list(range(size[0])), list(range(size[1]))):
            break
        count += 1
    return count


def _without_weights(slot: Slot) -> dict[str, Any]:
    """A layer's table with its units counted, and what each unit has of its own in its place."""
    entry = {key: value for key, value in slot.entry.items() if key != "weights"}
    if slot.dense:
        entry = {"units": len(slot.units)} | {key: value for key, value in entry.items() if key != "units"}
    for key, new in (("biases", 0.0), ("gamma", 1.0), ("beta", 0.0)):
        if isinstance(entry.get(key), list) and slot.origin:
            entry[key] = _placed(entry[key], slot.units, new)
    if "keep" in entry:
        entry["keep"] = [_placed(row, slot.units, 1) for row in _matrix(entry["keep"])]
    return entry


def _matrix(rows: list[Any]) -> list[list[Any]]:
    return [list(row) for row in rows] if isinstance(rows[0], list) else [list(rows)]


def _placed(values: list[Any], places: Places, new: float) -> list[Any]:
    return [new if place is None else values[place] for place in places]
