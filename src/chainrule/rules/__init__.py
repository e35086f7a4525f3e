"""What is true: pure functions of numbers. Importing this room fills the catalogue."""

from chainrule.rules import activations, initializers, layers, losses, optimizers, preparation, schedules
from chainrule.rules.rule import CATALOGUE, Activation, Loss, Optimizer, Rule, find, names, rule

__all__ = [
    "CATALOGUE",
    "Activation",
    "Loss",
    "Optimizer",
    "Rule",
    "activations",
    "find",
    "initializers",
    "layers",
    "losses",
    "names",
    "optimizers",
    "preparation",
    "rule",
    "schedules",
]
