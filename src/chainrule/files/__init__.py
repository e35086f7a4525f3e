"""Files of models and checkpoints: whole or not there, checked to the last bit, and without code in them.

A file is a safetensors file (`container.py`), written whole or not at all (`disk.py`).
"""

from __future__ import annotations

from chainrule.files.checkpoints import identity_of, read_checkpoint, step_name, step_of, steps, write_checkpoint
from chainrule.files.container import VERSION, program
from chainrule.files.disk import SaveError, free_space
from chainrule.files.folders import lock, newest, prune, tidy, unfinished
from chainrule.files.networks import network_document, network_from
from chainrule.files.reading import read, write, write_text
from chainrule.files.state import apart, together
from chainrule.files.texts import FileError

__all__ = [
    "VERSION",
    "FileError",
    "SaveError",
    "apart",
    "free_space",
    "identity_of",
    "lock",
    "network_document",
    "network_from",
    "newest",
    "program",
    "prune",
    "read",
    "read_checkpoint",
    "step_name",
    "step_of",
    "steps",
    "tidy",
    "together",
    "unfinished",
    "write",
    "write_checkpoint",
    "write_text",
]
