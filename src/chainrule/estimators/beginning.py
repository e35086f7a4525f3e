"""The network that a fit begins with: its layers, and first weights as scikit-learn draws them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import InputError
from chainrule.estimators import parameters
from chainrule.network import Network
from chainrule.readers import for_numbers
from chainrule.rules import find
from chainrule.rules.initializers import GlorotUniform, Uniform
from chainrule.rules.layers import BatchNorm, Dense, Dropout, LayerNorm
from chainrule.rules.rule import Activation, Initializer, Layer, Loss


def network(estimator: Any, inputs: int, outputs: int, loss: Loss, last: str, dtype: Any) -> tuple[Network, list[int]]:
    """The network that an estimator's parameters ask for, and where (from 1) each hidden layer ends.

    The same random_state gives the first weights that scikit-learn begins with, wherever it has the activations.
    """
    layers, ends = _layers(estimator, inputs, outputs, last)
    width, count = inputs, 0
    for layer in layers:
        shapes, width = layer.shapes(width)
        count += sum(math.prod(shape) for shape in shapes.values())
    _room_for(count, 0 if estimator.solver == "lbfgs" else len(parameters.optimizer(estimator).slots), dtype.itemsize)
    made = Network(layers, inputs, loss, dtype=dtype, parameters=np.zeros(count, dtype))
    _draw(made, parameters.generator(estimator.random_state))
    made.seed = parameters.seed(estimator.random_state)
    return made, ends


def _layers(estimator: Any, inputs: int, outputs: int, last: str) -> tuple[list[Layer], list[int]]:
    """Each hidden layer is dense, then norm, activation and dropout."""
    hidden = parameters.sizes(estimator.hidden_layer_sizes)
    chosen = parameters.activations(estimator.activation, len(hidden))
    rates = parameters.dropouts(estimator.dropout, len(hidden))
    result: list[Layer] = []
    ends, width = [], inputs
    for units, activation, rate in zip(hidden, chosen, rates, strict=True):
        first = _first_weights(activation, width, units)
        if estimator.batch_norm or estimator.layer_norm:
            norm = BatchNorm() if estimator.batch_norm else LayerNorm()
            result += [Dense(units, initializer=first), norm, activation]
        else:
            result.append(Dense(units, activation, initializer=first))
        if rate:
            result.append(Dropout(rate))
        ends.append(len(result))
        width = units
    if not chosen and not isinstance(estimator.activation, (list, tuple)):
        chosen = parameters.activations(estimator.activation, 1)  # scikit-learn draws by it even if no layer has it
    first = _first_weights(chosen[-1], width, outputs) if chosen else GlorotUniform()
    result.append(Dense(outputs, find("activation", last)(), initializer=first))
    return result, ends


def _first_weights(activation: Activation, fan_in: int, fan_out: int) -> Initializer:
    """As scikit-learn draws them where it has the activation; the activation's own way otherwise."""
    if activation.name == "sigmoid":
        return Uniform(math.sqrt(2 / (fan_in + fan_out)))
    if activation.name in ("identity", "tanh", "relu"):
        return GlorotUniform()
    own: Initializer = find("initializer", activation.initializer)()
    return own


def _draw(network: Network, generator: Any) -> None:
    """First weights and biases into the network, layer after layer, in scikit-learn's order.

    Biases are within the bounds of the weights: with all 0, logistic units begin where the loss has a saddle.
    """
    for layer, p in zip(network.layers, network.views(network.parameters), strict=True):
        if "gamma" in p:
            p["gamma"][...] = 1
        if not isinstance(layer, Dense) or layer.initializer is None:
            continue
        rule, (units, n_in) = layer.initializer, p["W"].shape
        u = generator.standard_normal((n_in, units)) if rule.draw == "normal" else 2 * generator.random((n_in, units)) - 1
        p["W"][...] = rule.value(for_numbers(u), u, n_in, units).T
        limit = rule.limit if isinstance(rule, Uniform) else math.sqrt(6 / (n_in + units))
        p["b"][...] = limit * (2 * generator.random(units) - 1)


def _room_for(count: int, slots: int, width: int) -> None:
    """An InputError if a network of so many parameters would not fit: parameters, gradients, optimizer and best weights."""
    needed, free = count * width * (4 + slots), parameters.free_memory()
    if needed > parameters.SHARE * free:
        raise InputError(
            f"the network needs {needed / 2**30:,.1f} GiB for its {count:,} parameters",
            got=f"{free / 2**30:,.1f} GiB free, limit {parameters.SHARE:.0%}",
            do="use fewer units",
            field="hidden_layer_sizes",
        )
