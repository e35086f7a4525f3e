"""From a table's columns to a network's numbers, and back."""

from chainrule.preparing.columns import Boolean, Category, LeftOut, Number, Prepared
from chainrule.preparing.fitting import Note, fit, summed_up
from chainrule.preparing.goals import Goal, classes_of, goal_of
from chainrule.preparing.ondisk import OnDisk
from chainrule.preparing.preparation import Preparation, Unseen
from chainrule.preparing.recognising import Recognised, labelled, recognise, sample_weights, target_column

__all__ = [
    "Boolean",
    "Category",
    "Goal",
    "LeftOut",
    "Note",
    "Number",
    "OnDisk",
    "Preparation",
    "Prepared",
    "Recognised",
    "Unseen",
    "classes_of",
    "fit",
    "goal_of",
    "labelled",
    "recognise",
    "sample_weights",
    "summed_up",
    "target_column",
]
