"""The numbers and choices of an example as the fields of a form: each with its place, its value, and what it may be."""

from __future__ import annotations

from typing import Any

from chainrule.explain.scene import plain
from chainrule.naming import Cell, cell_id
from chainrule.page import choices
from chainrule.page.desk import Desk
from chainrule.phrases import say
from chainrule.rules.layers import Dense
from chainrule.rules.rule import Activation
from chainrule.spec import Example
from chainrule.spec.revising import opened
from chainrule.tracing import Trace

WEIGHTS = 144
"""Up to so many weights of a layer stand in fields; of larger layers one is changed at a time."""

NUMBERS = 160
"""Up to so many inputs and targets stand in fields; of more only those of the sample that is looked at."""


def form(desk: Desk) -> dict[str, Any]:
    """All fields of the example on the desk."""
    example, trace = desk.example, desk.trace
    return {
        "version": desk.version,
        "after": desk.after,
        "changed": example is not desk.original,
        "groups": [_learning(example), _conventions(example)],
        "layers": [_layer(example, trace, place) for place in range(1, len(example.network.layers) + 1)],
        "data": _data(desk),
    }


def _field(path: str, label: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"path": path, "label": label, "value": value, "options": [], "wanted": "", **more}


def _number(cell: Cell, trace: Trace, value: Any) -> dict[str, Any]:
    return {"path": cell_id(cell), "name": trace.label(cell), "value": plain(value)}


def _choice(path: str, label: str, kind: str, value: str) -> dict[str, Any]:
    options = [[each["name"], each["name"]] for each in choices.rules(kind)]
    words = next((each["words"] for each in choices.rules(kind) if each["name"] == value), "")
    return _field(path, label, value, options=options, wanted=words)


def _parameters(path: str, kind: str, rule: Any) -> list[dict[str, Any]]:
    """The hyper-parameters of a rule that stand beside its name."""
    result = []
    for each in choices.settable(kind, rule.name):
        meta = choices.parameter(each)
        label = f"{choices.spoken(each.name)} {meta['symbol']}".strip()
        options = [[word, word] for word in meta["options"]]
        value = getattr(rule, each.name)
        told = value if isinstance(value, str) else plain(value)
        result.append(_field(f"{path}.{each.name}", label, told, options=options, wanted=meta["wanted"]))
    return result


def _learning(example: Example) -> dict[str, Any]:
    loss, optimizer = example.network.loss, example.optimizer
    fields = [_choice("network.loss", say("Loss"), "loss", loss.name), *_parameters("network", "loss", loss)]
    fields += [_choice("update.optimizer", say("Optimizer"), "optimizer", optimizer.name)]
    fields += _parameters("update", "optimizer", optimizer)
    return {"name": "learning", "title": say("Loss and update"), "fields": fields}


def _conventions(example: Example) -> dict[str, Any]:
    now = {
        "update.biases": example.conventions.biases,
        "update.order": example.conventions.order,
        "numbers.intermediate": example.conventions.intermediate,
        "numbers.print": example.conventions.display,
        "network.reduction": example.network.loss.reduction,
    }
    told = choices.conventions(example.conventions.places)
    fields = [_field(each["path"], each["label"], now[each["path"]], options=each["options"]) for each in told]
    wanted = say("a whole number from 0 to 17")
    fields.append(_field("numbers.places", say("Decimals"), example.conventions.places, wanted=wanted, whole=True))
    return {"name": "conventions", "title": say("Conventions"), "fields": fields}


def _layer(example: Example, trace: Trace, place: int) -> dict[str, Any]:
    network = example.network
    layer, views = network.layers[place - 1], network.views(network.parameters)[place - 1]
    dense = isinstance(layer, Dense)
    path = f"network.layers[{place}]"
    activation = layer.activation if isinstance(layer, Dense) else layer if isinstance(layer, Activation) else None
    fields = []
    if activation is not None:
        key = f"{path}.activation" if dense else f"{path}.type"
        fields = [_choice(key, say("Activation"), "activation", activation.name), *_parameters(path, "activation", activation)]
    elif not dense:
        fields = _parameters(path, "layer", layer)
    n_in, n_out = ([network.inputs, *network.widths][place - 1], network.widths[place - 1])
    last = dense and not any(isinstance(each, Dense) for each in network.layers[place:])
    return {
        "layer": place,
        "title": _title(example, place),
        "dense": dense,
        "last": last,
        "units": n_out,
        "senders": n_in,
        "fields": fields,
        "matrix": _matrix(trace, place, views["W"]) if "W" in views and views["W"].size <= WEIGHTS else None,
        "vectors": _vectors(trace, place, views),
        "biases": layer.bias if isinstance(layer, Dense) else "",
    }


def _title(example: Example, place: int) -> str:
    network = example.network
    layer = network.layers[place - 1]
    said = layer.name if not isinstance(layer, Dense) else ""
    given = example.data["network"]["layers"][place - 1].get("name", "")
    words = say("Layer {n}: {senders} to {units}", n=place, senders=[network.inputs, *network.widths][place - 1],
                units=network.widths[place - 1])  # fmt: skip
    return words + "".join(f" ({part})" for part in (given, said) if part)


def _matrix(trace: Trace, layer: int, values: Any) -> dict[str, Any]:
    """A layer's weights: a row for each receiving unit, a column for each sender."""
    rows, columns = values.shape
    name = trace.naming.unit
    return {
        "columns": [name(layer - 1, j + 1) for j in range(columns)],
        "rows": [name(layer, i + 1) for i in range(rows)],
        "numbers": [
            [_number(Cell("W", layer, (i + 1, j + 1)), trace, values[i, j]) for j in range(columns)] for i in range(rows)
        ],
    }


def _vectors(trace: Trace, place: int, views: dict[str, Any]) -> list[dict[str, Any]]:
    """Biases, and the scales and shifts of a layer that normalizes."""
    titles = {"b": say("Biases"), "gamma": say("Scales"), "beta": say("Shifts")}
    result = []
    for symbol, title in titles.items():
        if symbol not in views or views[symbol].size > WEIGHTS:
            continue
        shared = trace.network.axes[place, symbol] == "1"
        values = views[symbol].reshape(-1)
        cells = [Cell(symbol, place, () if shared else (i + 1,)) for i in range(len(values))]
        numbers = [_number(cell, trace, value) for cell, value in zip(cells, values, strict=True)]
        result.append({"title": say("Bias, shared by the layer") if shared else title, "numbers": numbers})
    return result


def _data(desk: Desk) -> dict[str, Any]:
    example, trace = desk.example, desk.trace
    rows, width = len(example.x), example.network.inputs + example.network.outputs
    table = example.data["data"].get("table", "")
    few = rows * width <= NUMBERS
    samples = range(rows) if few else [desk.row] if width <= NUMBERS else []
    labels: list[Any] = []
    if example.outputs and not table:
        data = {**example.data, "data": dict(example.data["data"])}
        opened(example, data)
        labels = data["data"]["targets"]
    last = len(example.network.layers)
    units = {
        "inputs": [trace.naming.unit(0, j + 1) for j in range(example.network.inputs)] if samples else [],
        "targets": [trace.naming.unit(last, j + 1) for j in range(example.network.outputs)] if samples else [],
    }
    return {
        "table": table,
        "rows": rows,
        "legend": list(example.inputs),
        **units,
        "classes": list(dict.fromkeys([*map(str, labels), *example.outputs])) if labels else [],
        "samples": [_sample(example, trace, row, labels) for row in samples],
    }


def _sample(example: Example, trace: Trace, row: int, labels: list[Any]) -> dict[str, Any]:
    named = row + 1 if len(example.x) > 1 else 0
    x, t = example.x[row], example.t[row]
    inputs = [_number(Cell("x", 0, (j + 1,), named), trace, value) for j, value in enumerate(x)]
    if labels:
        return {"sample": row + 1, "inputs": inputs, "label": {"path": f"t@{row + 1}", "value": str(labels[row])}}
    targets = [_number(Cell("t", 0, (j + 1,), named), trace, value) for j, value in enumerate(t)]
    return {"sample": row + 1, "inputs": inputs, "targets": targets}
