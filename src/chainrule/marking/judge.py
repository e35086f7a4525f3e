"""The verdicts on the answers about one step: against the exact numbers, and against the person's own earlier ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import median_low
from typing import NamedTuple

from chainrule.marking.answers.answer import Answer
from chainrule.marking.report import Explanation, Followed, Marked, Verdict
from chainrule.marking.sheet import Sheet
from chainrule.marking.written import Agreement, Written
from chainrule.naming import Cell, cell_id
from chainrule.phrases import listed, phrase, say

SURE = 2
"""Significant digits that a followed number needs for its unwritten ones to be allowed for."""

ROOM = 0.1
"""So much of a number, its followed numbers' unwritten digits may leave open: more, and anything would follow."""


@dataclass(frozen=True)
class Entry:
    """An answer that could be read, the cell that it is about, and how its digits come out of the exact number.

    vague: it has no significant digit, where others have, and so only says how small the number is."""

    answer: Answer
    written: Written
    cell: Cell
    agreement: Agreement = ""
    vague: bool = False

    @property
    def value(self) -> float:
        return float(self.written)


class Way(NamedTuple):
    """How a number follows from earlier ones: what they give, how its digits come out of that, and which they are."""

    own: float
    agreement: str  # rounded, truncated, last_digit, or unwritten: from digits that were not written down
    cells: tuple[Cell, ...]


class Judge:
    """Judges the answers about one step.

    inherited: numbers of an earlier step that this one begins with, such as weights after its update.
    """

    def __init__(self, sheet: Sheet, entries: Iterable[Entry], inherited: Mapping[Cell, float]) -> None:
        self.trace, self.sheet = sheet.trace, sheet
        exact = self.sheet.values
        entries = list(entries)
        decimals = [entry.written.decimals for entry in entries if entry.written.figures]
        self._usual = median_low(decimals) if decimals else None
        self.entries = sorted(map(self._weighed, entries), key=lambda entry: self.sheet.place[entry.cell])
        self.texts = {entry.cell: entry.answer.text for entry in self.entries}
        self._written: dict[Cell, Written] = {}
        self._wrong = {cell: value for cell, value in inherited.items() if cell in self.sheet}
        self._right: dict[Cell, float] = {}
        for entry in self.entries:
            if entry.vague:
                continue
            if entry.agreement:
                self._right[entry.cell] = exact[entry.cell]
                self._wrong.pop(entry.cell, None)
            elif entry.cell not in self._right:
                self._wrong.setdefault(entry.cell, entry.value)
            if entry.cell not in self._written or entry.written.figures > self._written[entry.cell].figures:
                self._written[entry.cell] = entry.written
        self._as_written = self._wrong | {cell: float(self._written[cell]) for cell in self._right}
        self._ways = {place: self._way(entry) for place, entry in enumerate(self.entries) if not entry.agreement}
        self.truncating = self._truncates()

    @property
    def held(self) -> dict[Cell, float]:
        """The person's own numbers: wrong ones as they are written, right ones in full."""
        return self._right | self._wrong

    def verdicts(self) -> list[Marked]:
        """A verdict for each answer, in the order of the calculation."""
        return [self._verdict(place, entry) for place, entry in enumerate(self.entries)]

    def _says_little(self, written: Written) -> bool:
        """Whether an answer is 0 with fewer decimals than the others have: that is a rounding of almost anything."""
        return not written.figures and (self._usual is None or written.decimals < self._usual)

    def _weighed(self, entry: Entry) -> Entry:
        """An answer with its agreement; a 0 that says little is no rounding of a number that is not 0."""
        exact = self.sheet.values[entry.cell]
        agreement = entry.written.agreement(exact)
        if not agreement or exact == 0 or not self._says_little(entry.written):
            return replace(entry, agreement=agreement)
        rounded = agreement == "rounded"
        return replace(entry, agreement=agreement if rounded else "", vague=rounded)

    def _truncates(self) -> bool:
        """Whether more of the numbers come out only by truncating than only by rounding."""
        cut = rounded = 0
        for place, entry in enumerate(self.entries):
            way = self._ways.get(place)
            number = self.sheet.values[entry.cell] if way is None else way.own
            agreement = entry.written.agreement(number)
            cut += agreement == "truncated" and not entry.written.goes_on
            rounded += agreement == "rounded" and not entry.written.truncates(number)
        return cut > rounded

    def _verdict(self, place: int, entry: Entry) -> Marked:
        exact = self.sheet.values[entry.cell]
        marked = Marked(
            entry.answer,
            "wrong",
            cell_id(entry.cell),
            self.trace.label(entry.cell),
            self.trace.number,
            exact,
            digits=entry.written.agreeing_digits(exact),
        )
        if entry.vague:
            note = say("it has no significant digit, and only says how small the number is: write more digits")
            return replace(marked, verdict="unreadable", note=note)
        if entry.agreement:
            verdict: dict[Agreement, Verdict] = {"truncated": "right_truncated", "last_digit": "last_digit"}
            return replace(marked, verdict=verdict.get(entry.agreement, "right"))
        way = self._ways[place]
        if way is None:
            return marked
        if not way.agreement and all(cell in self._right for cell in way.cells):
            return marked  # only rounded on the way, which would not have made it wrong
        followed = tuple(Followed(self.trace.label(cell), self._text(cell)) for cell in way.cells)
        marked = replace(marked, own=way.own, followed=followed)
        if not way.agreement:
            return marked
        nothing = self._trivial(entry.cell, way)
        if nothing:
            return replace(marked, note=nothing)
        if way.agreement == "truncated" and not self.truncating:
            text = say("it is truncated, where the others are rounded")
            return replace(marked, explanations=(Explanation("truncated", text, way.own),))
        notes = {
            "last_digit": phrase("up to one unit in its last digit"),
            "unwritten": phrase("with digits that were not written down"),
        }
        text = say("follows from {numbers}", numbers=listed(f"{each.name} = {each.text}" for each in followed))
        explanation, note = Explanation("carried_forward", text, way.own), say(notes.get(way.agreement, ""))
        return replace(marked, verdict="carried_forward", note=note, explanations=(explanation,))

    def _text(self, cell: Cell) -> str:
        return self.texts.get(cell) or self.trace.digits.text(self._wrong[cell])

    def _way(self, entry: Entry) -> Way | None:
        """How an answer follows from earlier ones; the first way that gives its digits, or else the first there is."""
        ways = [way for held in (self.held, self._as_written) if (way := self._from(entry, held)) is not None]
        rounded = [way for way in ways if way.agreement not in ("", "truncated")]
        return next(iter([*rounded, *(way for way in ways if way.agreement), *ways]), None)

    def _from(self, entry: Entry, held: Mapping[Cell, float]) -> Way | None:
        own = self.sheet.follow(entry.cell, held)
        cells = self._followed(entry.cell, held)
        if own == self.sheet.values[entry.cell] or not cells or not math.isfinite(own):
            return None
        agreement: str = entry.written.agreement(own)
        if own != 0 and self._says_little(entry.written):
            agreement = ""
        if not agreement and self._allows(entry, held, cells, own):
            agreement = "unwritten"
        return Way(own, agreement, cells)

    def _followed(self, cell: Cell, held: Mapping[Cell, float]) -> tuple[Cell, ...]:
        """The nearest held numbers in the calculation of a cell that are not the exact ones."""
        found: dict[Cell, None] = {}
        seen = {cell}
        queue = [cell]
        for here in queue:
            for each in self.sheet.uses(here):
                if each in held:
                    if held[each] != self.sheet.values[each]:
                        found[each] = None
                elif each not in seen:
                    seen.add(each)
                    queue.append(each)
        return tuple(sorted(found, key=self.sheet.place.__getitem__))

    def _allows(self, entry: Entry, held: Mapping[Cell, float], cells: tuple[Cell, ...], own: float) -> bool:
        """Whether the digits come out if followed numbers, written with fewer of them, go on in a way that was not written."""
        room, unit = 0.0, float(entry.written.unit or 0)
        for cell in cells:
            written = self._written.get(cell)
            if written is None or written.unit is None or not SURE <= written.figures < entry.written.figures:
                continue
            half = float(written.unit) / 2
            ends = [self.sheet.follow(entry.cell, {**held, cell: held[cell] + step}) for step in (-half, half)]
            room += max(abs(end - own) for end in ends)
        return 0 < room <= ROOM * abs(own) and abs(entry.value - own) <= room + unit / 2

    def _trivial(self, cell: Cell, way: Way) -> str:
        """Why it buys nothing that a number follows: because with these earlier numbers there was nothing to calculate."""
        known = [f"{self.trace.label(each)} = {self._text(each)}" for each in way.cells]
        followed = known[0]
        for other in known[1:]:
            followed = say("{one} and {other}", one=followed, other=other)
        if way.own == 0:
            sentence = "it follows from {numbers}, but so does 0 whatever else is calculated: that earns nothing"
            return say(sentence, numbers=followed)
        formula = self.sheet.formulas[cell]
        if formula is None or formula.op != "*":
            return ""
        ones = {each for each in way.cells if abs(self.held.get(each, self._as_written.get(each, 0.0))) == 1}
        others = [each for each in formula.args if each.name not in ones]
        if ones and len(others) <= 1 and len(others) < len(formula.args):
            sentence = "it follows from {numbers}, but times 1 there is nothing to calculate: that earns nothing"
            return say(sentence, numbers=followed)
        return ""
