"""One sentence for each kind of number: why its formula is the one to write down."""

from __future__ import annotations

from chainrule.naming import Cell
from chainrule.network import Network
from chainrule.phrases import phrase, say
from chainrule.textbook import Naming


def because(cell: Cell, network: Network, naming: Naming, rows: int = 1, made: bool = True) -> str:
    """The reason for a cell's formula, in the words of a textbook. rows: samples in the step. made: it has a formula, and
    was not given."""
    symbol, layer = cell.symbol, cell.layer
    if symbol.endswith("+") and not cell.of and symbol[:-1] in ("W", "b", "gamma", "beta"):
        return say("The new value: the old one, less the optimizer's step against the gradient.")
    if symbol == "x" and made:
        return say("The number in the table, brought to its column's mean 0 and standard deviation 1.")
    if symbol == "t" and made:
        return say("What the output should be: the target, brought to the mean 0 and standard deviation 1 of its column.")
    if cell.via is not None:
        return say("One path's share: what comes back along it is the product of what arrives and the slope on the way.")
    if cell.of:
        return _memory(cell)
    if symbol == "z" and network.layers[layer - 1].kind == "activation":
        return say("What the layer before puts out enters as it is.")
    if symbol == "a":
        activation = network.layers[layer - 1]
        rule = getattr(activation, "activation", activation)
        return say("{rule}: {sentence}", rule=_name(rule), sentence=_sentence(rule))
    if symbol == "da/dz":
        rule = getattr(network.layers[layer - 1], "activation", network.layers[layer - 1])
        if len(cell.units) == 2 and rule.name == "softmax":
            return say("The slope of softmax: an output grows with its own sum and shrinks with every other.")
        return say("The slope of {rule} where this unit stands.", rule=_name(rule))
    if symbol == "E" and cell.units:
        return say("{rule}: {sentence}", rule=_name(network.loss), sentence=_sentence(network.loss))
    if symbol in ("E", "E_data", "E_sample"):
        return _total(cell, network, rows)
    if symbol == "dE/da":
        return say(_OUTPUT if layer == len(network.layers) else _FED)
    if symbol == "dE/dW" and rows > 1:
        return say(_CHAIN_OF_ONE if cell.sample else _SUM_OF_ALL)
    if symbol in _REASONS:
        return say(_REASONS[symbol])
    return say("{name}, as the rule of layer {layer} has it.", name=naming.name(cell), layer=layer) if layer else ""


_OUTPUT = phrase("How the loss changes with this output.")
_FED = phrase("How the loss changes with this unit: it feeds several others, and their shares add up.")
_CHAIN_OF_ONE = phrase("What one sample adds to the gradient: the chain rule, from the loss back to this weight.")
_SUM_OF_ALL = phrase("The gradient is the sum of what every sample adds.")


def _total(cell: Cell, network: Network, rows: int) -> str:
    if cell.symbol == "E" and network.penalties and not cell.sample:
        return say("The loss, and the price of the weights.")
    if cell.sample or rows == 1:
        return say(_OVER_OUTPUTS[network.loss.over_outputs])
    return say(_OVER_SAMPLES[network.loss.reduction])


_OVER_OUTPUTS = {"sum": phrase("The sum over outputs."), "mean": phrase("The mean over outputs.")}
_OVER_SAMPLES = {"sum": phrase("The sum over samples."), "mean": phrase("The mean over samples.")}


def _name(rule: object) -> str:
    return str(getattr(rule, "name", ""))


def _sentence(rule: object) -> str:
    """What a rule's docstring says first: its first paragraph is a phrase."""
    text = say(" ".join((type(rule).__doc__ or "").split("\n\n")[0].split()))
    return text[:1].lower() + text[1:]


def _memory(cell: Cell) -> str:
    kind = say(_MEMORY.get(cell.symbol.removesuffix("+"), _REMEMBERED))
    return say("{what}, after this update.", what=kind) if cell.symbol.endswith("+") else say("{what}.", what=kind)


_REMEMBERED = phrase("What the optimizer remembers")
_MEMORY = {
    "m": phrase("The running mean of the slopes"),
    "v": phrase("What the optimizer remembers of earlier slopes (of their squares, in the adam family)"),
    "s": phrase("The squares of the slopes, gathered"),
    "m_hat": phrase("The running mean, corrected for its start at 0"),
    "v_hat": phrase("The running mean of squares, corrected for its start at 0"),
    "clipped": phrase("The gradient, kept within bounds"),
    "decayed": phrase("The weight, shrunk beside the slope"),
    "root": phrase("The size that the slope has had lately"),
}

GIVEN = ("x", "t", "W", "b", "raw", "average", "deviation", "median", "spread", "reach")
"""Symbols of numbers of which there is nothing to tell where they are given."""

_REASONS = {
    "x": phrase("Given: an input."),
    "t": phrase("Given: what the output should be."),
    "W": phrase("Given: a weight before the update."),
    "b": phrase("Given: a bias before the update."),
    "raw": phrase("Given: the number in the table."),
    "average": phrase("Given: the mean of the column."),
    "deviation": phrase("Given: the standard deviation of the column."),
    "median": phrase("Given: the median of the column."),
    "spread": phrase(
        "Given: how far the numbers in the middle of the column lie apart, in standard deviations of a normal one."
    ),
    "reach": phrase("Given: what numbers that are far out are squeezed to, at most."),
    "scaled": phrase("How many spreads the number in the table is from its column's median."),
    "y": phrase("The output in the units of the table: what was done to the targets, undone."),
    "keep": phrase("Given: whether dropout keeps this number (1) or leaves it out (0)."),
    "z": phrase("The weighted sum of all that comes in, and the bias."),
    "running_mean+": phrase("For prediction: the running mean, moved towards the batch's."),
    "running_variance+": phrase("For prediction: the running variance, moved towards the batch's."),
    "p": phrase("The probability that the weighted sums stand for."),
    "max": phrase(
        "The largest weighted sum: taking it away from all changes no probability, and keeps powers from overflowing."
    ),
    "exp": phrase("The power of e, of the weighted sum less the largest."),
    "R": phrase("The price of the weights."),
    "dE/dz": phrase("How the loss changes with this weighted sum: the chain rule through the activation."),
    "dE/dz shortcut": phrase(
        "The loss and its last activation cancel to output minus target: the same number, by a shorter way."
    ),
    "dE/dW": phrase("The chain rule, from the loss back to this weight. The first factors together are the delta."),
    "dE_data/dW": phrase("The chain rule, from the loss back to this weight, before the price of the weight is added."),
    "dE/db": phrase(
        "A bias is added with slope 1: its gradient is the delta of its sum, and a shared bias collects all deltas."
    ),
    "dz/dW": phrase("In the weighted sum this weight is multiplied by what its sender puts out: that is the slope."),
    "dz/dx": phrase("In the weighted sum this input is multiplied by its weight: that is the slope."),
    "mean": phrase("The mean that is taken away."),
    "variance": phrase("How far the numbers lie from their mean: the mean of the squares."),
    "scale": phrase("One over the standard deviation; epsilon keeps it finite."),
    "x_hat": phrase("The number, brought to mean 0 and variance 1."),
    "shift": phrase("The mean of the gradients: what moving the mean takes back."),
    "tilt": phrase("The gradients weighed with the numbers: what moving the variance takes back."),
    "norm": phrase("The common length of all gradients."),
    "shrink": phrase("What every gradient is multiplied by, so that the common length stays within the limit."),
    "dE/dx": phrase("How the loss changes with this input."),
    "dE/dgamma": phrase("The scale multiplies the normalised number: that is the slope."),
    "dE/dbeta": phrase("The shift enters with slope 1."),
    "dE/dx_hat": phrase("Back through the scale."),
    "rate": phrase("The learning rate with the bias corrections of this update in it."),
    "mu+": phrase("The momentum so far, multiplied up."),
    "mu_now": phrase("The momentum of this update."),
    "mu_next": phrase("The momentum of the next update."),
}
