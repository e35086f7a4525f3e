"""What was right to ask, and goes against how things stand."""

from __future__ import annotations

from chainrule.errors import InputError


class ConflictError(InputError):
    """Something was changed elsewhere, or goes on already."""
