"""What an ask brings, read strictly: every key is named, of its kind and within its range, and no other is there."""

from __future__ import annotations

from typing import Any

from chainrule.errors import InputError, nearest, shown

LONGEST = 4_096
"""Signs that a text in an ask may have, unless more are allowed."""


class Body:
    """The object that was sent. Keys are taken one by one; `close` refuses what is left."""

    def __init__(self, sent: dict[str, Any]) -> None:
        self._left, self._known = dict(sent), []  # type: dict[str, Any], list[str]

    def take(self, key: str) -> Any:
        """A value as it was sent; None if there is none."""
        self._known.append(key)
        return self._left.pop(key, None)

    def text(self, key: str, longest: int = LONGEST) -> str:
        """A text that has to be there."""
        value = self.take(key)
        if not isinstance(value, str) or not value or len(value) > longest:
            raise InputError(f"{key} must be a text of 1 to {longest:,} signs", got=shown(value), field=key)
        return value

    def word(self, key: str, words: tuple[str, ...]) -> str:
        """One of some words."""
        value = self.take(key)
        if value not in words:
            raise InputError(f"unknown {key}", got=shown(value), do=nearest(str(value), words), field=key)
        return str(value)

    def whole(self, key: str, least: int = 0, most: int = 10**9) -> int | None:
        """A whole number, or None if it is not said."""
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InputError(f"{key} must be a whole number from {least} to {most:,}", got=shown(value), field=key)
        return value

    def switch(self, key: str) -> bool:
        """True or false; false if it is not said."""
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            raise InputError(f"{key} must be true or false", got=shown(value), field=key)
        return bool(value)

    def close(self) -> None:
        """Refuses keys that nobody asked for."""
        for key in self._left:
            raise InputError(f"unknown key {shown(key)}", do=nearest(key, self._known), field=key)
