"""Layers, one file a family."""

from chainrule.rules.layers.dense import Dense
from chainrule.rules.layers.dropout import Dropout
from chainrule.rules.layers.normalization import BatchNorm, LayerNorm

__all__ = ["BatchNorm", "Dense", "Dropout", "LayerNorm"]
