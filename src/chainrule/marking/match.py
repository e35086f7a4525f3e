"""What was found about a number: the causes that produce it, and how sure that is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chainrule.marking.written import ENOUGH, Written
from chainrule.naming import Cell
from chainrule.phrases import phrase, say
from chainrule.widths import wrap

WIDTH = 80

SHOWN = 8
"""So many ties are told one by one."""

BY_CHANCE = 0.5
"""From so many matches on that are to be expected by accident alone, a match says nothing."""


@dataclass(frozen=True)
class Match:
    """One explanation of a written number.

    cell, id, name: the number that it would be. update: at which update; when: "before", "after" it, or "at" it. changes:
    settings such as update.order=sequential; mistakes: names of slips and mistakes. reason: the causes in words. formula: with
    numbers, of a slip in the number's own. exact: what comes out, before it is printed. printed_as: rounded or truncated.
    digits: how many agree. causes: how many changes it takes. rank: 0 for what is common, 1 and 2 for what is rarer.
    """

    cell: Cell
    id: str
    name: str
    update: int
    when: str
    changes: tuple[str, ...]
    mistakes: tuple[str, ...]
    reason: str
    formula: str
    exact: float
    printed_as: str
    digits: int
    causes: int
    rank: int = 0

    @property
    def text(self) -> str:
        """A sentence for a learner."""
        return say("{sentence}.", sentence=self.told())

    def told(self, update: int = 0) -> str:
        """What gives which number, without a full stop. update: it goes without saying that this one is meant."""
        where = self.name
        if self.update != update or self.when == "after":
            where = say(_WHEN[self.when], name=self.name, n=f"{self.update:,}")
        equation = " = ".join(part for part in (where, self.formula, f"{self.exact:.10g}") if part)
        return say("With {causes}, {equation}", causes=self.reason, equation=equation) if self.reason else equation

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


_WHEN = {
    "before": phrase("{name} before update {n}"),
    "after": phrase("{name} after update {n}"),
    "at": phrase("{name} at update {n}"),
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
            lines += _paragraph(
                say("{value}: nothing explains it. {n} variants were tried.", value=self.value.text, n=f"{self.searched:,}")
            )
            lines += [
                line
                for match in self.nearest
                for line in _item(say("{text} ({note})", text=match.text, note=_agreeing(match.digits)))
            ]
            if self.nearest:
                lines.insert(1, say("Nearest:"))
            return "\n".join(lines)
        lines += _paragraph(say("{value}: {verdict}", value=self.value.text, verdict=self._verdict()))
        for match in self.matches[:SHOWN]:
            cut = match.printed_as == "truncated"
            lines += _item(say("{text} ({note})", text=match.text, note=phrase("cut off, not rounded")) if cut else match.text)
        if len(self.matches) > SHOWN:
            lines += _item(say("... and {n} more", n=f"{len(self.matches) - SHOWN:,}"))
        if not self.right:
            tried = "{n} variants were tried."
            if self.by_chance >= 0.01:
                tried = "{n} variants were tried, about {chance} of them by accident."
            lines += _paragraph(say(tried, n=f"{self.searched:,}", chance=f"{self.by_chance:.2g}"))
        return "\n".join(lines)

    def _verdict(self) -> str:
        count = len(self.matches)
        if self.right:
            return say("right.") if count == 1 else say("right; other ways come to the same number:")
        if not self.determined:
            if count == 1:
                return say("not determined: so few digits come out of 1 explanation.")
            return say("not determined: so few digits come out of {n} explanations.", n=count)
        if count == 1:
            return say("explained.")
        return say("{n} explanations come to these digits, the likeliest first:", n=count)


def _agreeing(digits: int) -> str:
    if digits == 1:
        return say("1 digit agrees")
    return say("{n} digits agree", n=digits) if digits else say("no digits agree")


def _paragraph(text: str) -> list[str]:
    return wrap(text, WIDTH, hyphens=False)


def _item(text: str) -> list[str]:
    return wrap(text, WIDTH, "- ", "  ", hyphens=False)
