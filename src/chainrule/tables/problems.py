"""All that is wrong with a table, collected: the first ones shown, all of them counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainrule.errors import InputError, Problem, RunError

SHOWN = 20
"""Mistakes of a table that are shown one by one."""

FIRST = 5
"""Mistakes of one kind in one column that are shown one by one."""


@dataclass
class Collected:
    """Problems of a table, with how many more of a kind there are than are shown."""

    problems: list[Problem] = field(default_factory=list)
    more: int = 0

    def add(self, *problems: Problem, more: int = 0) -> None:
        self.problems += problems
        self.more += more

    def __bool__(self) -> bool:
        return bool(self.problems)

    def done(self) -> None:
        """Raise what was collected, if anything was."""
        if self.problems:
            raise self.error()

    def error(self) -> InputError:
        """All of it as one error, in the order of the lines."""
        ordered = sorted(self.problems, key=lambda each: (each.line or 0, each.column or 0))
        shown, left = ordered[:SHOWN], len(ordered) - SHOWN + self.more
        if len(ordered) <= SHOWN:
            left = self.more
        file = shown[0].file
        rest = [Problem(f"and {left:,} more mistakes" if left > 1 else "and 1 more mistake", file=file)] if left > 0 else []
        return RunError(*shown, *rest)


def failed(what: str, file: str, *, do: str = "", got: str = "", line: int | None = None, where: str = "") -> RunError:
    """One mistake that ends the reading of a file at once."""
    return RunError(Problem(what, where=where, got=got, do=do, file=file, line=line))
