"""One sentence for each kind of number: why its formula is the one to write down."""

from __future__ import annotations

from chainrule.naming import Cell
from chainrule.network import Network
from chainrule.textbook import Naming


def because(cell: Cell, network: Network, naming: Naming, rows: int = 1, made: bool = True) -> str:
    """The reason for a cell's formula, in the words of a textbook. rows: samples in the step. made: it has a formula, and
    was not given."""
    symbol, layer = cell.symbol, cell.layer
    if symbol.endswith("+") and not cell.of and symbol[:-1] in ("W", "b", "gamma", "beta"):
        return "The new value: the old one, less the optimizer's step against the gradient."
    if symbol == "x" and made:
        return "The number in the table, brought to its column's mean 0 and standard deviation 1."
    if symbol == "t" and made:
        return "What the output should be: the target, brought to the mean 0 and standard deviation 1 of its column."
    if cell.via is not None:
        return "One path's share: what comes back along it is the product of what arrives and the slope on the way."
    if cell.of:
        return _memory(cell)
    if symbol == "z" and network.layers[layer - 1].kind == "activation":
        return "What the layer before puts out enters as it is."
    if symbol == "a":
        activation = network.layers[layer - 1]
        rule = getattr(activation, "activation", activation)
        return f"{_name(rule)}: {_sentence(rule)}"
    if symbol == "da/dz":
        rule = getattr(network.layers[layer - 1], "activation", network.layers[layer - 1])
        if len(cell.units) == 2 and rule.name == "softmax":
            return "The slope of softmax: an output grows with its own sum and shrinks with every other."
        return f"The slope of {_name(rule)} where this unit stands."
    if symbol == "E" and cell.units:
        return f"{_name(network.loss)}: {_sentence(network.loss)}"
    if symbol in ("E", "E_data", "E_sample"):
        return _total(cell, network, rows)
    if symbol == "dE/da":
        return _OUTPUT if layer == len(network.layers) else _FED
    if symbol == "dE/dW" and rows > 1:
        return _CHAIN_OF_ONE if cell.sample else "The gradient is the sum of what every sample adds."
    return _REASONS.get(symbol, f"{naming.name(cell)}, as the rule of layer {layer} has it." if layer else "")


_OUTPUT = "How the loss changes with this output."
_FED = "How the loss changes with this unit: it feeds several others, and their shares add up."
_CHAIN_OF_ONE = "What one sample adds to the gradient: the chain rule, from the loss back to this weight."


def _total(cell: Cell, network: Network, rows: int) -> str:
    over = {"sum": "The sum over outputs", "mean": "The mean over outputs"}[network.loss.over_outputs]
    if cell.symbol == "E" and network.penalties and not cell.sample:
        return "The loss, and the price of the weights."
    if cell.sample or rows == 1:
        return over + "."
    return f"The {network.loss.reduction} over samples."


def _name(rule: object) -> str:
    return str(getattr(rule, "name", ""))


def _sentence(rule: object) -> str:
    text = " ".join((type(rule).__doc__ or "").split("\n\n")[0].split())
    return text[:1].lower() + text[1:]


def _memory(cell: Cell) -> str:
    kinds = {
        "m": "The running mean of the slopes",
        "v": "What the optimizer remembers of earlier slopes (of their squares, in the adam family)",
        "s": "The squares of the slopes, gathered",
        "m_hat": "The running mean, corrected for its start at 0",
        "v_hat": "The running mean of squares, corrected for its start at 0",
        "clipped": "The gradient, kept within bounds",
        "decayed": "The weight, shrunk beside the slope",
        "root": "The size that the slope has had lately",
    }
    kind = kinds.get(cell.symbol.removesuffix("+"), "What the optimizer remembers")
    return f"{kind}{', after this update' if cell.symbol.endswith('+') else ''}."


_REASONS = {
    "x": "Given: an input.",
    "t": "Given: what the output should be.",
    "W": "Given: a weight before the update.",
    "b": "Given: a bias before the update.",
    "raw": "Given: the number in the table.",
    "average": "Given: the mean of the column.",
    "deviation": "Given: the standard deviation of the column.",
    "median": "Given: the median of the column.",
    "spread": "Given: how far the numbers in the middle of the column lie apart, in standard deviations of a normal one.",
    "reach": "Given: what numbers that are far out are squeezed to, at most.",
    "scaled": "How many spreads the number in the table is from its column's median.",
    "y": "The output in the units of the table: what was done to the targets, undone.",
    "keep": "Given: whether dropout keeps this number (1) or leaves it out (0).",
    "z": "The weighted sum of all that comes in, and the bias.",
    "running_mean+": "For prediction: the running mean, moved towards the batch's.",
    "running_variance+": "For prediction: the running variance, moved towards the batch's.",
    "p": "The probability that the weighted sums stand for.",
    "max": "The largest weighted sum: taking it away from all changes no probability, and keeps powers from overflowing.",
    "exp": "The power of e, of the weighted sum less the largest.",
    "R": "The price of the weights.",
    "dE/dz": "How the loss changes with this weighted sum: the chain rule through the activation.",
    "dE/dz shortcut": "The loss and its last activation cancel to output minus target: the same number, by a shorter way.",
    "dE/dW": "The chain rule, from the loss back to this weight. The first factors together are the delta.",
    "dE_data/dW": "The chain rule, from the loss back to this weight, before the price of the weight is added.",
    "dE/db": "A bias is added with slope 1: its gradient is the delta of its sum, and a shared bias collects all deltas.",
    "dz/dW": "In the weighted sum this weight is multiplied by what its sender puts out: that is the slope.",
    "dz/dx": "In the weighted sum this input is multiplied by its weight: that is the slope.",
    "mean": "The mean that is taken away.",
    "variance": "How far the numbers lie from their mean: the mean of the squares.",
    "scale": "One over the standard deviation; epsilon keeps it finite.",
    "x_hat": "The number, brought to mean 0 and variance 1.",
    "shift": "The mean of the gradients: what moving the mean takes back.",
    "tilt": "The gradients weighed with the numbers: what moving the variance takes back.",
    "norm": "The common length of all gradients.",
    "shrink": "What every gradient is multiplied by, so that the common length stays within the limit.",
    "dE/dx": "How the loss changes with this input.",
    "dE/dgamma": "The scale multiplies the normalised number: that is the slope.",
    "dE/dbeta": "The shift enters with slope 1.",
    "dE/dx_hat": "Back through the scale.",
    "rate": "The learning rate with the bias corrections of this update in it.",
    "mu+": "The momentum so far, multiplied up.",
    "mu_now": "The momentum of this update.",
    "mu_next": "The momentum of the next update.",
}
