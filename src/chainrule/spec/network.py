"""The [network] of a spec: layers, loss, penalties and first parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import InputError, nearest
from chainrule.network import Network
from chainrule.rules.layers import BatchNorm, Dense, Dropout, LayerNorm
from chainrule.rules.losses import L1, L2
from chainrule.rules.rule import CATALOGUE, Activation, Layer, Loss, Penalty, names
from chainrule.spec.fields import Mistakes, Section, finite, found, owners, respelled

LAYERS = 10_000
"""The most layers of a spec."""

BYTES = 2**30
"""The most memory that the parameters of a spec's network may take."""

SEEDS = 2**64 - 1


@dataclass
class Draft:
    """One layer as the spec gives it. `n_in` is the width of its weights, `values` its parameters by symbol."""

    section: Section
    rule: Layer | None
    values: dict[str, Any]
    n_in: int | None = None
    columns: bool = False
    seed: int | None = None
    keep: list[list[float]] | None = None


@dataclass
class NetworkDraft:
    """The [network] table as far as it can be read without the data."""

    section: Section
    layers: list[Draft]
    loss: Loss | None
    penalties: tuple[Penalty, ...]
    seed: int
    dtype: str
    orientation: str

    @property
    def inputs(self) -> int | None:
        """Numbers per row, if the weights say so."""
        first = next((draft for draft in self.layers if not isinstance(draft.rule, Activation | Dropout)), None)
        return None if first is None else first.n_in

    @property
    def outputs(self) -> int | None:
        """Units of the last layer, if they can be known."""
        for draft in reversed(self.layers):
            if draft.rule is None:
                return None
            if isinstance(draft.rule, Dense):
                return draft.rule.units
        return self.inputs

    def keeps(self, rows: int | None) -> dict[int, Any] | None:
        """The dropout masks that are given: layer -> (rows, n)."""
        masks = {}
        for place, draft in enumerate(self.layers, 1):
            if draft.keep is not None:
                masks[place] = np.array(draft.keep)
                if rows is not None and len(draft.keep) != rows:
                    what = f"keep needs a row for each of the {rows} rows of data; it has {len(draft.keep)}"
                    draft.section.mistakes.add(draft.section.at("keep"), what)
        return masks or None


def read_network(section: Section, per_unit: bool) -> NetworkDraft:
    """Layers and loss of the [network] table. per_unit: a bias that a layer shares becomes one for each unit."""
    orientation = section.choice("orientation", ("rows", "columns"), "rows")
    drafts = _layers(section, orientation, per_unit)
    loss = _loss(section)
    seed = section.whole("seed", 0, 0, SEEDS)
    dtype = section.choice("dtype", ("float64", "float32"), "float64")
    made = [_penalty(section, kind) for kind in (L1, L2)]
    penalties = tuple(penalty for penalty in made if penalty is not None)
    section.close(lambda key: _belongs(key, "loss", "loss"))
    weighted = [draft for draft in drafts if "W" in draft.values]
    if "orientation" not in section and weighted and all(draft.columns for draft in weighted):
        orientation = "columns"
    return NetworkDraft(section, drafts, loss, penalties, seed, dtype, orientation)


def _belongs(key: str, kind: str, said: str) -> str:
    rules = owners(kind, key)
    return f"{key} belongs to {said} {' or '.join(rules)}" if rules else ""


def _loss(section: Section) -> Loss | None:
    if "loss" not in section:
        section.missing("loss", nearest("", names("loss")))
        return None
    cls = section.named("loss", "loss")
    if cls is None:
        return None
    loss: Loss | None = section.rule(cls)
    return loss


def _penalty(section: Section, cls: Any) -> Penalty | None:
    if cls.name not in section:
        return None
    penalty: Penalty | None = section.make(lambda: cls(section.data[cls.name]), cls.name)
    return penalty


def _layers(section: Section, orientation: str, per_unit: bool) -> list[Draft]:
    if "layers" not in section:
        section.missing("layers", "write [[network.layers]] above the keys of each layer")
        return []
    given = section.data["layers"]
    if not isinstance(given, list):
        section.add("layers", "must be a list of tables", "write [[network.layers]] above the keys of each layer")
        return []
    if not given:
        section.add("layers", "a network needs at least one layer", "write [[network.layers]] above its keys")
    if len(given) > LAYERS:
        section.add("layers", f"a spec may have at most {LAYERS:,} layers", got=f"{len(given):,} layers")
        return []
    drafts = []
    seen: dict[str, int] = {}
    for place, each in enumerate(given, 1):
        one = Section(section.mistakes, each, f"{section.at('layers')}[{place}]")
        drafts.append(_layer(one, orientation, per_unit) if isinstance(each, dict) else Draft(one, None, {}))
        name = one.data.get("name")
        if isinstance(name, str) and name.strip() and seen.setdefault(name, place) != place:
            one.add("name", f"layer {seen[name]} has this name too", "give each layer its own name")
    for place, draft in enumerate(drafts[:-1], 1):
        if _is_softmax(draft.rule):
            text = f"layer {place} is hidden and has softmax: its units compete for a sum of 1, which is rarely meant"
            section.mistakes.warn(draft.section.at("activation" if isinstance(draft.rule, Dense) else "type"), text)
    return drafts


def _is_softmax(rule: Layer | None) -> bool:
    return (rule.activation if isinstance(rule, Dense) else rule).name == "softmax" if rule is not None else False


def _layer(section: Section, orientation: str, per_unit: bool) -> Draft:
    if "name" in section and not section.text("name").strip():
        section.add("name", "must not be empty", "leave it out, or give a name")
    kind = section.get("type", "dense")
    known = CATALOGUE["layer"] | CATALOGUE["activation"]
    if not isinstance(kind, str) or kind not in known:
        section.add("type", "unknown type of layer", nearest(kind, known))
        return Draft(section, None, {})
    cls = CATALOGUE["layer"].get(kind, known[kind])
    if cls is Dense:
        draft = _dense(section, orientation, per_unit)
    elif cls is Dropout:
        draft = Draft(section, section.rule(cls), {}, keep=_keep(section))
    elif cls in (LayerNorm, BatchNorm):
        values = {symbol: numbers for symbol in ("gamma", "beta") if (numbers := section.numbers(symbol)) is not None}
        draft = Draft(section, section.rule(cls), values)
    else:
        draft = Draft(section, section.rule(cls), {})
    section.close(lambda key: _layer_hint(key, cls))
    return draft


def _layer_hint(key: str, cls: type[Any]) -> str:
    if cls is Dense and (key in ("gamma", "beta") or owners("layer", key)):
        types = ["layer_norm", "batch_norm"] if key in ("gamma", "beta") else owners("layer", key)
        return f"{key} belongs to type {' or '.join(types)}"
    if cls is not Dense and key in ("activation", "weights", "biases", "units", "initializer", "seed", "orientation"):
        return f"{key} belongs to type dense"
    return _belongs(key, "activation", "activation")


def _keep(section: Section) -> list[list[float]] | None:
    rows = section.matrix("keep")
    for place, row in enumerate(rows or [], 1):
        if any(entry not in (0, 1) for entry in row):
            path = f"{section.at('keep')}[{place}]"
            section.mistakes.add(path, "keep must hold 1 (kept) and 0 (left out)", found(section.data["keep"]))
            return None
    return rows


def _dense(section: Section, orientation: str, per_unit: bool) -> Draft:
    columns = section.choice("orientation", ("rows", "columns"), orientation) == "columns"
    weights = _weights(section, columns)
    units = section.whole("units", None, 1, 10**12)
    activation = section.named("activation", "activation")
    shape = section.rule(activation) if activation is not None else None
    initializer = _initializer(section)
    seed = section.whole("seed", None, 0, SEEDS)
    if "weights" not in section and "units" not in section:
        section.missing("units", "give units (a whole number) or weights")
    if weights is not None:
        if units is not None and units != len(weights):
            do = "leave units out: the weights say it"
            flipped = ', or write orientation = "columns"' if len(weights[0]) == units and not columns else ""
            section.add("units", f"units is {units}, but the weights are of {_counted(len(weights), 'unit')}", do + flipped)
        units = len(weights)
    biases = _biases(section, units)
    if units is None:
        return Draft(section, None, {}, columns=columns)
    shared = isinstance(biases, float)
    values = (
        {"b": np.full(units, biases) if shared and per_unit and units <= BYTES // 8 else biases} if biases is not None else {}
    )
    if weights is not None:
        values["W"] = weights
    bias = "none" if biases is None else "shared" if shared and not per_unit else "per_unit"
    rule = Dense(units, bias=bias, initializer=initializer, **({"activation": shape} if shape is not None else {}))
    return Draft(section, rule, values, None if weights is None else len(weights[0]), columns, seed)


def _weights(section: Section, columns: bool) -> list[list[float]] | None:
    weights = section.matrix("weights")
    flat = weights is not None and not isinstance(section.data["weights"][0], list)
    if weights is not None and columns and not flat:
        return [list(row) for row in zip(*weights, strict=True)]
    return weights


def _biases(section: Section, units: int | None) -> Any:
    if "biases" not in section:
        return None
    given = section.data["biases"]
    if isinstance(given, list):
        biases = section.numbers("biases")
        if biases is not None and units is not None and len(biases) != units:
            what = f"{_counted(units, 'unit')} need as many biases; {len(biases)} are given"
            section.add("biases", what, "give one bias for each unit, or one number that the layer shares")
            return None
        return biases
    return section.make(lambda: _one_bias(given), "biases")


def _one_bias(given: object) -> float:
    if why := finite(given):
        raise InputError(f"{why}, or a list with one for each unit" if why == "must be a number" else why, do=respelled(given))
    return float(given)  # type: ignore[arg-type]


def _initializer(section: Section) -> Any:
    if "initializer" not in section:
        return None
    given = section.data["initializer"]
    table = Section(section.mistakes, given, section.at("initializer")) if isinstance(given, dict) else None
    where, key = (section, "initializer") if table is None else (table, "name")
    if table is not None and "name" not in table:
        table.missing("name", nearest("", names("initializer")))
        return None
    if where.get(key) == "explicit":
        where.add(key, "weights that are given need no initializer", "write them as weights")
        return None
    cls = where.named("initializer", key)
    if cls is None:
        return None
    made = (table or Section(section.mistakes, {}, section.at("initializer"))).rule(cls)
    if table is not None:
        table.close(lambda key: _belongs(key, "initializer", "initializer"))
    return made


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


MANY = 1_000_000
"""Parameters that are not drawn only to go on looking for mistakes."""


def build_network(draft: NetworkDraft, inputs: int, most: int = BYTES // 8) -> Network | None:
    """The network; None if there can be none. It has the spec's parameters only if there are no mistakes so far."""
    mistakes, section = draft.section.mistakes, draft.section
    size = _chain(draft, inputs, mistakes)
    if size > most:
        limit = f"{BYTES / 2**30:g} GiB" if most == BYTES // 8 else f"{most:,} parameters"
        needed = f"{size * 8 / 2**30:,.1f} GiB" if size * 8 > 2**27 else f"{size * 8:,} bytes"
        section.add("layers", "the network needs too much memory", f"the limit is {limit}: use fewer units",
                    got=f"{size:,} parameters, {needed}")  # fmt: skip
        return None
    if mistakes.problems and size > MANY:
        return None  # drawing so many weights to look for one more mistake would keep the person waiting
    layers = [each.rule for each in draft.layers if each.rule is not None]
    if not layers or len(layers) < len(draft.layers) or draft.loss is None:
        return None
    network = section.make(
        lambda: Network(layers, inputs, draft.loss, draft.seed, draft.penalties, draft.dtype),  # type: ignore[arg-type]
        "loss",
    )
    if network is not None and not mistakes.problems:
        _fill(network, draft)
    return network


def _chain(draft: NetworkDraft, inputs: int, mistakes: Mistakes) -> int:
    """Holds the width of each layer's parameters against the layer before; the number of parameters of all."""
    width, size, drawing = inputs, 0, [str(inputs)]
    for place, each in enumerate(draft.layers, 1):
        if each.rule is None:
            return size  # from here on no width is known
        if isinstance(each.rule, Dense) and each.n_in is not None and each.n_in != width:
            _refuse_width(each, place, width, drawing)
        own, after = each.rule.shapes(each.n_in if each.n_in is not None else width)
        if _is_softmax(each.rule) and after == 1:
            key = "activation" if isinstance(each.rule, Dense) else "type"
            each.section.add(
                key, "softmax of one unit is always 1: nothing can be learned", "use sigmoid, or a unit for each class"
            )
        for symbol in ("gamma", "beta"):
            if symbol in each.values and len(each.values[symbol]) != width:
                what = f"layer {place} ({type(each.rule).__name__} {width}->{width}) needs {width} numbers"
                mistakes.add(each.section.at(symbol), what, f"{len(each.values[symbol])} numbers")
        if each.keep is not None and len(each.keep[0]) != width:
            what = f"layer {place} (Dropout {width}->{width}) needs {width} numbers in each row"
            mistakes.add(each.section.at("keep"), what, f"{len(each.keep[0])} numbers")
        size += sum(_product(shape) for shape in own.values())
        drawing.append(f"[{after}]")
        width = after
    return size


def _product(shape: Sequence[int]) -> int:
    result = 1
    for length in shape:
        result *= length
    return result


def _refuse_width(each: Draft, place: int, width: int, drawing: list[str]) -> None:
    assert isinstance(each.rule, Dense)
    sender = f"layer {place - 1} gives {width}" if place > 1 else f"each row of data has {width}"
    what = f"layer {place} (Dense {each.n_in}->{each.rule.units}) expects {each.n_in} numbers, but {sender}"
    picture = " -> ".join(["...", *drawing[-3:]] if len(drawing) > 4 else drawing) + f" -> expects {each.n_in}"
    other = "rows" if each.columns else "columns"
    turned = f', or write orientation = "{other}"' if each.rule.units == width else ""
    do = f"{picture}: give each unit {width} weights{turned}"
    each.section.mistakes.add(each.section.at("weights"), what, f"weights of {each.rule.units} units x {each.n_in} inputs", do)


def _fill(network: Network, draft: NetworkDraft) -> None:
    """Puts the given parameters in the place of the drawn ones."""
    views = network.views(network.parameters)
    drawn = {seed: network.views(network.draw(seed)) for seed in {each.seed for each in draft.layers} if seed is not None}
    for view, each, place in zip(views, draft.layers, range(len(views)), strict=True):
        if each.seed is not None and "W" in view:
            view["W"][...] = drawn[each.seed][place]["W"]
        for symbol, values in each.values.items():
            view[symbol][...] = values
        for symbol, view_values in view.items():
            if not np.isfinite(view_values).all():
                key = {"W": "weights" if "W" in each.values else "initializer", "b": "biases"}.get(symbol, symbol)
                do = f"{network.dtype} holds numbers up to {np.finfo(network.dtype).max:.4g}"
                each.section.add(key, f"a number is too large for {network.dtype}", do)
