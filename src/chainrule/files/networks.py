"""A network as tensors and a document, and back: the same outputs, to the bit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.errors import InputError, nearest, shown
from chainrule.files.state import apart, together
from chainrule.files.texts import FileError
from chainrule.network import LIMIT, Network
from chainrule.rules.plain import described, restored
from chainrule.rules.rule import Layer, Loss, Penalty

MOST_LAYERS = 10_000

_ENTRIES = ("layers", "loss", "penalties", "inputs", "seed", "dtype")


def network_document(network: Network) -> tuple[dict[str, Any], dict[str, Any]]:
    """(tensors, document): `layers.1.W`, `layers.1.b` ..., what layers remember as `layers.2.mean` ..., in the network's
    dtype. InputError for a network of fractions or of complex numbers."""
    if network.parameters.dtype != network.dtype:
        raise InputError(
            "a file holds float64 and float32 only", got=f"a network of {network.parameters.dtype}", do="make it of floats"
        )
    design = {
        "layers": described(list(network.layers)),
        "loss": described(network.loss),
        "penalties": described(list(network.penalties)),
        "inputs": network.inputs,
        "seed": network.seed,
        "dtype": network.dtype.name,
    }
    if _has_fractions(design):
        raise InputError("a file holds floats only", got="a network with fractions in it", do="write them as decimals")
    tensors, document = apart(design, columns=False)
    for place, (p, memory) in enumerate(zip(network.views(network.parameters), network.memory, strict=True), 1):
        for symbol, array in p.items():
            tensors[_named(place, symbol)] = array
        for symbol, array in memory.items():
            tensors[_named(place, symbol)] = array
    return tensors, document


def _named(layer: int, symbol: str) -> str:
    return f"layers.{layer}.{symbol.removeprefix('running_')}"


def network_from(document: Any, tensors: Mapping[str, Any]) -> Network:
    """The network of `network_document`; the tensors must be exactly those it implies. Raises RunError."""
    if not isinstance(document, dict) or set(document) != set(_ENTRIES):
        found = sorted(document) if isinstance(document, dict) else document
        raise FileError("the network's description is not as it must be", got=shown(found), do=f"it has {', '.join(_ENTRIES)}")
    try:
        return _built(document, tensors)
    except FileError:
        raise
    except InputError as error:  # of a rule or the network: what the file says cannot be
        (problem, *_) = error.problems
        do = problem.do
        if problem.what.startswith("unknown "):
            do = f"import the module that registers it first; {do}"
        raise FileError(f"the network's description: {problem.what}", problem.where or problem.field, problem.got, do) from None


def _built(document: dict[str, Any], tensors: Mapping[str, Any]) -> Network:
    weights = {name: array for name, array in tensors.items() if _is_weight(name)}
    rest = {name: array for name, array in tensors.items() if name not in weights}
    design = together(rest, {key: document[key] for key in ("layers", "loss", "penalties")})
    if _has_fractions(design):
        raise FileError("the network's description has fractions", do="a file holds networks of floats only")
    layers, loss, penalties = (restored(design[key]) for key in ("layers", "loss", "penalties"))
    inputs, seed, dtype = document["inputs"], document["seed"], document["dtype"]
    _check(layers, loss, penalties, inputs, seed, dtype)
    shapes: dict[str, tuple[int, ...]] = {}
    width, count = inputs, 0
    for place, layer in enumerate(layers, 1):
        remembered = {symbol: shape for symbol, (shape, _) in layer.buffers(width).items()}
        parameters, width = layer.shapes(width)
        shapes |= {_named(place, symbol): shape for symbol, shape in (parameters | remembered).items()}
        count += sum(math.prod(shape) for shape in parameters.values())
    _hold_together(shapes, weights, dtype)
    if count > LIMIT:
        raise FileError(f"the network has {count:,} parameters", got=f"at most {LIMIT:,} are taken")
    network = Network(layers, inputs, loss, seed, penalties, dtype, np.zeros(count, dtype))
    for place, (p, memory) in enumerate(zip(network.views(network.parameters), network.memory, strict=True), 1):
        for symbol, array in (p | memory).items():
            array[...] = weights[_named(place, symbol)]
    return network


def _has_fractions(value: Any) -> bool:
    if isinstance(value, (dict, list, tuple)):
        return any(_has_fractions(each) for each in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, Fraction)


def _is_weight(name: str) -> bool:
    """Whether a tensor is a parameter or remembered, and not a field of a rule."""
    parts = name.split(".")
    return len(parts) == 3 and parts[0] == "layers" and parts[1].isdigit()


def _check(layers: Any, loss: Any, penalties: Any, inputs: Any, seed: Any, dtype: Any) -> None:
    """FileError unless each entry of the description is of its kind."""
    if not isinstance(layers, list) or not 0 < len(layers) <= MOST_LAYERS or not all(isinstance(x, Layer) for x in layers):
        raise FileError("the network's layers are not layers", got=shown(layers), do=f"a network has 1 to {MOST_LAYERS:,}")
    if not isinstance(loss, Loss):
        raise FileError("the network's loss is not a loss", got=shown(loss))
    if not isinstance(penalties, list) or not all(isinstance(rule, Penalty) for rule in penalties):
        raise FileError("the network's penalties are not penalties", got=shown(penalties))
    if type(inputs) is not int or not 1 <= inputs <= 2**31:
        raise FileError("the network's inputs are not a number of inputs", got=shown(inputs))
    if type(seed) is not int or not 0 <= seed < 2**64:
        raise FileError("the network's seed is not a seed", got=shown(seed))
    if dtype not in ("float64", "float32"):
        raise FileError("unknown dtype", got=shown(dtype), do=nearest(dtype, ("float64", "float32")))


def _hold_together(shapes: Mapping[str, tuple[int, ...]], tensors: Mapping[str, Any], dtype: str) -> None:
    """FileError unless the tensors are those that the description implies."""
    missing, extra = sorted(set(shapes) - set(tensors)), sorted(set(tensors) - set(shapes))
    if missing or extra:
        lists = ((word, names) for word, names in (("missing", missing), ("not needed", extra)) if names)
        told = "; ".join(f"{word}: {', '.join(shown(name) for name in names[:5])}" for word, names in lists)
        raise FileError("the tensors are not those that the network needs", got=told)
    for name, shape in shapes.items():
        found = tensors[name]
        if found.shape != tuple(shape) or found.dtype != dtype:
            raise FileError(
                "a tensor is not as the network needs it",
                where=shown(name),
                got=f"{found.dtype} of shape {shown(found.shape)}",
                do=f"it needs {dtype} of shape {shown(tuple(shape))}",
            )
