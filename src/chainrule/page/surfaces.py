"""What a network with two inputs gives all over their plane: its outputs, and those of each hidden unit."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from chainrule.network import Network
from chainrule.raw import Raw
from chainrule.readers import for_numbers
from chainrule.terms.digits import Digits

BOUNDS = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0)}
"""Between which numbers an activation gives its own: the same colour is the same number then, all the way of training."""

UNITS = 64
"""Up to so many hidden units are shown."""

SHOWN = 2_000
"""Up to so many points are shown, evenly chosen."""

MARGIN = 0.1
"""What is shown beyond the outermost points, as a part of their range."""


class Plane(NamedTuple):
    """A part of the plane of both inputs, as the network gets them: least and most of each, and points on each side."""

    least: tuple[float, float]
    most: tuple[float, float]
    resolution: int

    def places(self) -> Any:
        """The middles of its cells row by row from the upper left, (resolution², 2)."""
        step = (np.arange(self.resolution) + 0.5) / self.resolution
        across = self.least[0] + step * (self.most[0] - self.least[0])
        down = self.most[1] - step * (self.most[1] - self.least[1])
        return np.stack([np.tile(across, self.resolution), np.repeat(down, self.resolution)], 1)


def plane(x: Any, resolution: int) -> Plane:
    """What holds all points (rows, 2), and a little more."""
    least, most = x.min(0), x.max(0)
    room = np.where(most > least, MARGIN * (most - least), 1.0)
    (a, b), (c, d) = (least - room).tolist(), (most + room).tolist()
    return Plane((a, b), (c, d), resolution)


def predicted(network: Network, parameters: Any, memory: list[dict[str, Any]], x: Any) -> list[Any]:
    """What each layer gives for rows x when nothing is learned: a (rows, units) for each."""
    m = for_numbers(parameters)
    views = [{**p, **kept} for p, kept in zip(network.views(parameters), memory, strict=True)]
    found = []
    with np.errstate(all="ignore"):
        for layer, p in zip(network.layers, views, strict=True):
            x = layer.predict(m, p, x)
            found.append(x)
    return found


def surfaces(network: Network, parameters: Any, memory: list[dict[str, Any]], area: Plane, hidden: bool) -> dict[str, Any]:
    """A surface for each output, and for each hidden unit if they are wanted; and which output is the largest where."""
    layers = predicted(network, parameters, memory, network.rows(area.places()))
    last = layers[-1]
    data: dict[str, Any] = {
        "outputs": [surface(network, len(layers), unit, last[:, unit]) for unit in range(last.shape[1])],
        "units": [],
    }
    if last.shape[1] > 1:
        data["winner"] = packed(np.argmax(last, 1))
    if hidden:
        every = ((place, unit) for place, values in enumerate(layers[:-1], 1) for unit in range(values.shape[1]))
        chosen = [pair for pair, _ in zip(every, range(UNITS), strict=False)]
        data["units"] = [surface(network, place, unit, layers[place - 1][:, unit]) for place, unit in chosen]
    return data


def surface(network: Network, layer: int, unit: int, values: Any) -> dict[str, Any]:
    """A unit's numbers over the plane as levels 0 ... 255 from least to most, row by row from the upper left."""
    least, most = _bounds(network, layer, values)
    with np.errstate(all="ignore"):
        level = np.nan_to_num((values - least) / (most - least), nan=0.5, posinf=1.0, neginf=0.0)
    return {
        "layer": layer, "unit": unit + 1, "least": least, "most": most, "levels": packed(np.rint(255 * np.clip(level, 0, 1))),
    }  # fmt: skip


def packed(levels: Any) -> str:
    """Whole numbers 0 ... 255 as base64."""
    return base64.b64encode(np.asarray(levels).astype(np.uint8).tobytes()).decode()


def _bounds(network: Network, layer: int, values: Any) -> tuple[float, float]:
    rule = network.layers[layer - 1]
    name = getattr(getattr(rule, "activation", rule), "name", "")
    if name in BOUNDS:
        return BOUNDS[name]
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    least, most = float(finite.min()), float(finite.max())
    return (least, most) if most > least and np.isfinite(most - least) else (least - 0.5, least + 0.5)


def axes(area: Plane, raw: Raw | None, inputs: tuple[str, ...]) -> list[dict[str, Any]]:
    """Both axes with their ends in the table's units."""
    digits = Digits(4, "significant")
    return [
        {"name": name, "least": least, "most": most, "shown": [digits.text(in_units(end, place, raw)) for end in (least, most)]}
        for place, (name, least, most) in enumerate(zip(inputs, area.least, area.most, strict=True))
    ]


def in_units(value: float, place: int, raw: Raw | None) -> float:
    """An input as the network gets it, as the number of the table that it stands for."""
    group = None if raw is None else raw.group(place)
    if group is None:
        return value
    at = group.places.index(place)
    return float(group.center[at]) + value * float(group.scale[at])


def marks(t: Any, loss: str) -> tuple[str, Any]:
    """What a row's target is on the drawing: "classes" with the number of each row's class, or "values" with its levels."""
    whole = bool(((t == 0) | (t == 1)).all())
    if t.shape[1] > 1 and ("cross_entropy" in loss or (whole and (t.sum(1) == 1).all())):
        return "classes", np.argmax(t, 1)
    if t.shape[1] == 1 and (whole or "cross_entropy" in loss):
        return "classes", (t[:, 0] >= 0.5).astype(int)
    first = t[:, 0]
    spread = float(first.max() - first.min())
    return "values", np.rint(255 * (first - first.min()) / spread).astype(int) if spread else np.full(len(t), 128)


def shown_rows(count: int) -> Iterator[int]:
    """The rows that are drawn, from 0: all, or some that lie evenly among them."""
    return iter(range(count)) if count <= SHOWN else (k * count // SHOWN for k in range(SHOWN))
