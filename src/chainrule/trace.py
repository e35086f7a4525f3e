"""Moved."""
from chainrule.tracing import *
