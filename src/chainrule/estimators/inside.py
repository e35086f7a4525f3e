"""A fitted network, run and looked into: outputs, what a layer makes of each row, slopes along the inputs.

All in float64, whatever the network was trained in, and as in prediction: no dropout, running statistics.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from chainrule.network import Network
from chainrule.readers import for_numbers
from chainrule.rules.layers import BatchNorm, Dropout

CHUNK = 2**22
"""Numbers of the widest layer that a prediction holds at once."""


def exact(network: Network) -> Network:
    """The network as it stands, in float64."""
    network = copy.copy(network)
    network.parameters, network.dtype = network.parameters.astype(float, copy=False), np.dtype(float)
    network.memory = [{symbol: value.astype(float) for symbol, value in each.items()} for each in network.memory]
    return network


def outputs(network: Network, x: Any) -> Any:
    """The network's outputs, (rows, outputs), some rows at a time."""
    network = exact(network)
    step = max(1, CHUNK // max(network.inputs, *network.widths))
    if len(x) <= step:
        return network.predict(x)
    return np.concatenate([network.predict(x[start : start + step]) for start in range(0, len(x), step)])


def forward(network: Network, x: Any, layers: int) -> tuple[Any, list[tuple[Any, ...]]]:
    """What the first layers of an exact network give, and what each saved for the way back."""
    m, saved = for_numbers(network.parameters), []
    views = network.views(network.parameters)
    with np.errstate(all="ignore"):
        for layer, p, memory in zip(network.layers[:layers], views, network.memory, strict=False):
            if isinstance(layer, (Dropout, BatchNorm)):
                x = layer.predict(m, {**p, **memory}, x)
                saved.append(())
            else:
                x, kept = layer.forward(m, p, x)
                saved.append(kept)
    return x, saved


def input_gradient(network: Network, x: Any, output: int, sign: float) -> Any:
    """`sign` times the derivative of one output of each row by each of its inputs, (rows, inputs)."""
    network = exact(network)
    m, views = for_numbers(network.parameters), network.views(network.parameters)
    y, saved = forward(network, x, len(network.layers))
    dy = np.zeros_like(y)
    dy[:, output] = sign
    with np.errstate(all="ignore"):
        for place in range(len(network.layers) - 1, -1, -1):
            layer, p, memory = network.layers[place], views[place], network.memory[place]
            if isinstance(layer, BatchNorm):  # in prediction its mean and variance do not move with x
                dy = dy * p["gamma"] / np.sqrt(memory["running_variance"] + layer.epsilon)
            elif not isinstance(layer, Dropout):
                dy, _ = layer.backward(m, p, saved[place], dy)
    return dy
