"""What was found about a number: the causes that produce it, and how sure that is."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from typing import Any

from chainrule.marking.written import ENOUGH, Written
from chainrule.naming import Cell

WIDTH = 80

SHOWN = 8
"""So many ties are told one by one."""

BY_CHANCE = 0.5
"""From so many matches on that are to be expected by accident alone, a match says nothing."""


@dataclass(frozen=True)
class Match:
    """One explanation of a written number.

    cell, id, name: the number that it would be. update: at which update; when: "before", "after" it, or "at" it. changes:
    settings such as update.order=sequential; mistakes: names of slips and mistakes. text: a sentence for a learner. exact:
    what comes out, before it is printed. printed_as: rounded or truncated. digits: how many agree. causes: how many changes
    it takes. rank: 0 for what is common, 1 and 2 for what is rarer.
    """

    cell: Cell
    id: str
    name: str
    update: int
    when: str
    changes: tuple[str, ...]
    mistakes: tuple[str, ...]
    text: str
    exact: float
    printed_as: str
    digits: int
    causes: int
    rank: int = 0

    def data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "id": self.id,
            "name": self.name,
            "update": self.update,
            "changes": list(self.changes),
            "mistakes": list(self.mistakes),
            "exact": self.exact,
            "printed_as": self.printed_as,
        }


@dataclass(frozen=True)
class Why:
    """matches: the simplest explanations, all ties, the likeliest first. nearest: what comes closest where there is none.
    searched: how many variants were held against the digits. by_chance: how many of them would agree by accident alone."""

    value: Written
    matches: tuple[Match, ...]
    nearest: tuple[Match, ...]
    searched: int
    by_chance: float

    @property
    def right(self) -> bool:
        """Whether the number is simply right, where it was looked for."""
        return bool(self.matches) and self.matches[0].causes == 0

    @property
    def determined(self) -> bool:
        """Whether the digits are enough to tell the cause: the likeliest explanations all come to one number, and few digits
        are trusted only where the cause is a common one."""
        if not self.matches:
            return False
        first = self.matches[0]
        if first.causes == 0:
            return True
        if self.value.figures > ENOUGH:
            return self.by_chance < BY_CHANCE
        alike = [each for each in self.matches if (each.causes, each.rank) == (first.causes, first.rank)]
        same = all(abs(each.exact - first.exact) <= 1e-12 * abs(first.exact) for each in alike)
        return first.causes == 1 and first.rank == 0 and same

    def to_json(self) -> str:
        """The JSON of the interface."""
        matches = [match.data() for match in self.matches]
        return json.dumps(
            {"value": self.value.text, "matches": matches, "searched": self.searched}, indent=1, ensure_ascii=False
        )

    def __str__(self) -> str:
        lines: list[str] = []
        if not self.matches:
            lines += _paragraph(f"{self.value.text}: nothing explains it. {self.searched:,} variants were tried.")
            lines += [line for match in self.nearest for line in _item(f"{match.text} ({_agreeing(match.digits)})")]
            if self.nearest:
                lines.insert(1, "Nearest:")
            return "\n".join(lines)
        lines += _paragraph(f"{self.value.text}: {self._verdict()}")
        for match in self.matches[:SHOWN]:
            cut = " (cut off, not rounded)" if match.printed_as == "truncated" else ""
            lines += _item(match.text + cut)
        if len(self.matches) > SHOWN:
            lines += _item(f"... and {len(self.matches) - SHOWN:,} more")
        if not self.right:
            chance = f", about {self.by_chance:.2g} of them by accident" if self.by_chance >= 0.01 else ""
            lines += _paragraph(f"{self.searched:,} variants were tried{chance}.")
        return "\n".join(lines)

    def _verdict(self) -> str:
        count = len(self.matches)
        if self.right:
            return "right." if count == 1 else "right; other ways come to the same number:"
        if not self.determined:
            return f"not determined: so few digits come out of {count} explanation{'s' if count > 1 else ''}."
        if count == 1:
            return "explained."
        return f"{count} explanations come to these digits, the likeliest first:"


def _agreeing(digits: int) -> str:
    return f"{digits or 'no'} digit{'' if digits == 1 else 's'} agree{'s' if digits == 1 else ''}"


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, break_on_hyphens=False)


def _item(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
