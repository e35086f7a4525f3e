"""Why a number is what it is: the choices, mistakes and slips that produce its digits, the fewest first."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from chainrule.derivation import Job
from chainrule.errors import InputError
from chainrule.marking.choices import CHOICES
from chainrule.marking.course import FAR, Course, course, held_from
from chainrule.marking.edits import COMMON, PLACES, RARE, RARER, Edit, Slips, transpositions
from chainrule.marking.finder import AHEAD, SAME, Cause, Finder, slip
from chainrule.marking.match import Match, Why
from chainrule.marking.mistakes import MISTAKES
from chainrule.marking.sheet import Change, Sheet
from chainrule.marking.written import ENOUGH, Written, read_number
from chainrule.naming import Cell, cell_id
from chainrule.phrases import phrase, say
from chainrule.readers import Rounding
from chainrule.spec import Example
from chainrule.tracing import Trace

LARGE = 2_000
"""Of a step with more numbers than this only the one that is named is looked at, and what it is made of."""

PAIRS = 400_000
"""Pairs of slips that are tried at most."""

Progress = Callable[[str], None]


def why(
    what: Example | Job | Trace,
    value: str | Written,
    name: str | None = None,
    *,
    updates: Iterable[int] | None = None,
    after: int = 0,
    most: int = 2,
    progress: Progress | None = None,
) -> Why:
    """Which choices, mistakes or slips produce a written number.

    name: which number it is said to be; without it all numbers of the step are looked at (their digits must be at least
    four). after: the step after so many updates. updates: numbers of the updates to look at, from 1; without it the one
    asked for and its two neighbours. most: of how many causes an explanation may consist, 0 to 2. progress: is told in
    words what is tried. Raises InputError for a value that is no number and a name that is none of the step.
    """
    written = read_number(value) if isinstance(value, str) else value
    if name is None and written.figures <= ENOUGH:
        raise InputError(
            "too few digits to look for in a whole step",
            got=written.text,
            do="say which number it is: why(example, value, name)",
        )
    way = course(what, after, exactly=written.figures > 10)
    trace = way.trace(way.number)
    assert trace is not None  # the step that is asked for raises what is wrong with it
    if trace.count > LARGE:
        if name is None:
            raise InputError(
                f"this step has {trace.count:,} numbers, too many to look through",
                do="say which number it is: why(example, value, name)",
            )
        cell = trace.find(name)
        updated = cell_id(cell._replace(symbol=f"{cell.symbol}+"))
        way = replace(way, of=trace.find(updated) if updated in trace and not cell.of else cell)
    return _Search(written, way, name, tuple(updates or ()), progress or (lambda text: None)).run(most)


def causes(
    sheet: Sheet | Trace | Example | Job, cell: Cell, written: Written, held: Mapping[Cell, float], most: int = 2
) -> list[Match]:
    """Explanations of one written number by slips in its own formula, given the person's own earlier numbers `held`."""
    if not isinstance(sheet, Sheet):
        sheet = Sheet(sheet) if isinstance(sheet, Trace) else _first(course(sheet))
    others = {each: value for each, value in held.items() if each != cell}
    own = sheet.changed(others) if others else sheet
    finder, slips = Finder(written, own.trace.number, level=1), Slips(own)
    finder.many(own, [cell], [slip(edit, finder.places) for edit in slips.of(cell)])
    if most > 1 and _goes_on(finder):
        finder.level = 2
        finder.many(own, [cell], [slip(edit, finder.places) for edit in slips.twice(cell)])
    return finder.sorted()


def _first(way: Course) -> Sheet:
    sheet = way.sheet(way.number)
    assert sheet is not None  # the step that is asked for raises what is wrong with it
    return sheet


def _goes_on(finder: Finder) -> bool:
    """Whether more causes have to be tried: none was found, or few digits came out of something rare."""
    few = finder.written.figures <= ENOUGH
    return not finder.matches or (few and all(match.rank > COMMON for match in finder.matches))


class _Search:
    """One search: levels of more and more causes, until one of them explains the number."""

    def __init__(self, written: Written, way: Course, name: str | None, updates: tuple[int, ...], progress: Progress) -> None:
        self.written, self.way, self.progress = written, way, progress
        self.finder = Finder(written, way.number)
        self.base = _first(way)
        few = written.figures <= ENOUGH  # they agree with too much to look at other updates unasked
        self.numbers = updates or ((way.number,) if few else (way.number, way.number + 1, way.number - 1))
        self.asked = bool(updates)
        self.cell = None if name is None else self._goal(self.base, self.base.trace.find(name))
        self._slips: dict[int, tuple[Sheet, Slips]] = {}

    def _goal(self, sheet: Sheet, cell: Cell) -> Cell:
        """Who asks about a parameter that is given means its update, unless the number is the given one."""
        after = cell._replace(symbol=f"{cell.symbol}+")
        given = sheet.formulas[cell] is None and after in sheet
        return after if given and not self.written.agreement(sheet.values[cell]) else cell

    def wanted(self, sheet: Sheet) -> list[Cell]:
        """The cells whose numbers are held against the written one."""
        if self.cell is not None:
            return [self.cell] if self.cell in sheet else []
        return [cell for cell in sheet.cells if sheet.formulas[cell] is not None and cell.symbol not in ("dz/dW", "dz/dx")]

    def meant(self, sheet: Sheet) -> list[Cell]:
        """Those of them that are meant at the update of the sheet."""
        return [cell for cell in self.wanted(sheet) if self.here(sheet.trace.number, cell)]

    def here(self, number: int, cell: Cell | None = None) -> bool:
        """Whether an update is meant by who asks, and not a mistake in counting: the first update has a loss before and after
        it."""
        after = self.way.number == 1 and number == 2 and (cell is None or cell.symbol in AHEAD)
        return self.asked or after or number == self.way.number

    def slips(self, sheet: Sheet) -> Slips:
        """The slips of a sheet; of another sheet than the steps that are looked at, those that go with what it has already."""
        found = self._slips.get(id(sheet))
        if found is None:
            known = any(self.way.sheet(number) is sheet for number in self.numbers) or sheet is self.base
            found = self._slips[id(sheet)] = sheet, Slips(sheet, None if known else self.slips(self.base))
        return found[1]

    def run(self, most: int) -> Why:
        with np.errstate(all="ignore"):  # what overflows explains nothing
            return self._levels(most)

    def _levels(self, most: int) -> Why:
        finder = self.finder
        self.as_it_is()
        few = self.written.figures <= ENOUGH
        if any(match.causes == 0 for match in finder.matches):
            finder.matches = [match for match in finder.matches if match.causes == 0]
            if most > 0:
                self.other_ways_to_the_same()
        elif most > 0 and (not finder.matches or few or self.way.number <= FAR):
            self.single()
            if most > 1 and _goes_on(finder):
                self.pairs(few)
        matches = finder.sorted()
        if matches and matches[0].causes and not few:
            matches = [match for match in matches if match.causes == matches[0].causes]
        chance = finder.by_chance(matches[0].causes, matches[0].rank) if matches and matches[0].causes else 0.0
        return Why(self.written, tuple(matches), () if matches else finder.nearest(), finder.searched, chance)

    # no change at all

    def as_it_is(self) -> None:
        """The number itself; before and after the update that is asked for, and at its neighbours."""
        for number in self.numbers:
            sheet = self.way.sheet(number)
            for cell in self.wanted(sheet) if sheet is not None else ():
                assert sheet is not None
                here = self.here(number, cell)
                self.finder.level = 0 if here else 1
                counted = [] if here else [Cause((), ("update_count",), "", COMMON)]
                self.finder.one(sheet.trace, cell, sheet.values[cell], counted)

    def other_ways_to_the_same(self) -> None:
        """Other choices under which a right number is the same, although what it is made of is not."""
        right = self.finder.matches[0]
        number = right.update + (right.when == "after")
        here = self.way.sheet(number)
        if self.cell is None or here is None or number > FAR:
            return
        self.finder.level = 1
        made_of = [cell for cell in here.sources(self.cell) if here.formulas[cell] is not None]
        for cause, job in self.ways(self.way.job):
            there = self.way.sheet(number, job)
            if there is None or self.cell not in there:
                continue
            same = all(cell in there and math.isclose(there.values[cell], here.values[cell], rel_tol=1e-9) for cell in made_of)
            if not same and math.isclose(there.values[self.cell], here.values[self.cell], rel_tol=1e-12):
                self.finder.one(there.trace, self.cell, there.values[self.cell], [cause])

    # one cause

    def single(self) -> None:
        self.finder.level = 1
        for number in self.numbers:
            sheet = self.way.sheet(number)
            if sheet is None or not self.meant(sheet):
                continue
            self.progress(say("slips at update {n}", n=f"{number:,}"))
            self.within(sheet, ())
            self.roundings(sheet)
            self.another_cell(sheet)
            self.slipped_digits(sheet)
            before = self.way.sheet(number - 1)
            if before is not None:  # what was done at the update before goes on into this one
                self.within(before, (), sheet)
                self.roundings(before, sheet)
        self.choices(self.way.job, None)
        self.rounded_all_the_way()

    def within(self, sheet: Sheet, before: Sequence[Cause], following: Sheet | None = None) -> None:
        """Every slip in what leads to the wanted cells of a sheet or of the one following it, and every mistake."""
        wanted = self.meant(following or sheet)
        if not wanted:
            return
        edits = self.edits(sheet, None if following is not None else self.cell)
        self.finder.many(sheet, wanted, self.as_causes(edits, following is not None), before, following=following)
        if self.way.of is not None:
            return  # a mistake of a whole step goes beyond what is looked at
        found = list(self.mistakes(sheet, rare=not before))
        there = {} if following is None else {cause.phrase: change for cause, change in self.mistakes(following)}
        then = [there.get(cause.phrase, {}) for cause, _ in found]
        self.finder.many(sheet, wanted, found, before, following=following, then=then)

    def as_causes(self, edits: Sequence[Edit], upstream: bool = False) -> list[tuple[Cause, Change]]:
        """Slips as causes; to round on the way to one number only is rarer than to round everywhere, or what it is made of."""
        places, cell = self.finder.places, self.cell
        return [slip(edit, places, upstream or bool(edit.places and cell and edit.cell != cell)) for edit in edits]

    def mistakes(self, sheet: Sheet, rare: bool = True) -> Iterator[tuple[Cause, Change]]:
        """The mistakes of a whole step; the rare ones are no second cause."""
        for mistake in MISTAKES:
            for words, change in mistake.ways(sheet) if rare or not mistake.rare else ():
                if change:
                    yield Cause((), (mistake.name,), words, RARER if mistake.rare else COMMON), change

    def edits(self, sheet: Sheet, cell: Cell | None) -> list[Edit]:
        """The slips that reach a cell, those in the cell itself first; without one, those in all cells."""
        cells = sheet.cells if cell is None else [cell, *reversed(sheet.sources(cell))] if cell in sheet else []
        kept = self.slips(sheet)
        return [edit for each in cells if sheet.formulas[each] is not None for edit in kept.of(each)]

    def roundings(self, sheet: Sheet, following: Sheet | None = None) -> None:
        """Every named step rounded or cut off, to any number of decimals."""
        if sheet.rounding is not None:
            return
        nothing = np.full((1, 1), -1)
        target = following or sheet
        wanted = self.meant(target)
        for how, places in itertools.product(("rounded", "truncated"), PLACES):
            numbers = Rounding(how, places)
            settings = (f"numbers.intermediate={how}", f"numbers.places={places}")
            cause = Cause(settings, (), say(EVERY_STEP[how], n=places), COMMON)
            if following is None:
                found = sheet.evaluate([], nothing, wanted, rounding=numbers)
            else:
                new = [cell for cell in sheet.cells if cell.symbol.endswith("+")]
                made = sheet.evaluate([], nothing, new, rounding=numbers)
                held = held_from(sheet, {cell: numbers.array(value) for cell, value in made.items()}, following)
                found = following.evaluate([], nothing, wanted, held, numbers)
            for cell in wanted:
                value = float(np.ravel(found[cell])[0])
                if not math.isclose(value, target.values[cell], rel_tol=SAME):
                    self.finder.one(target.trace, cell, value, [cause])

    def rounded_all_the_way(self) -> None:
        """Every step of every update rounded or cut off; of many updates only to about as many decimals as are written."""
        job, number = self.way.job, self.way.number
        if number <= 2 or number > FAR or job.conventions.intermediate != "exact" or self.way.alone is not None:
            return
        for how, more in itertools.product(("rounded", "truncated"), (0, 1, -1)):
            places = self.finder.places + more
            if 0 <= places <= 15:
                settings = (f"numbers.intermediate={how}", f"numbers.places={places}")
                cause = Cause(settings, (), say(EVERY_UPDATE[how], n=places), COMMON)
                chosen = replace(job.conventions, intermediate=how, places=places)
                self.choice(number, replace(job, conventions=chosen), [cause])

    def another_cell(self, sheet: Sheet) -> None:
        """The number of another cell, written down for this one."""
        if self.cell is None or self.written.figures <= ENOUGH:
            return
        for cell in sheet.cells:
            value = sheet.values[cell]
            if cell != self.cell and sheet.formulas[cell] is not None and self.written.agreement(value):
                words = say("another number written down for {name}", name=sheet.trace.label(self.cell))
                self.finder.one(sheet.trace, cell, value, [Cause((), ("another_number",), words, RARER)])

    def slipped_digits(self, sheet: Sheet) -> None:
        """The right number, with its decimal point or two of its digits in the wrong place when it was written down."""
        unit = self.written.unit
        if unit is None or self.written.figures <= ENOUGH + (self.cell is None):
            return
        others: list[tuple[str, str, Written]] = []
        for power in (-2, -1, 1, 2):
            moved = replace(self.written, value=self.written.value * Fraction(10) ** power, unit=unit * Fraction(10) ** power)
            words = say("the decimal point moved by {n} when it was written down", n=abs(power))
            others.append(("decimal_point", words, moved))
        with contextlib.suppress(InputError):
            for swapped in transpositions(self.written.text.strip()):
                words = say("two digits exchanged when it was written down")
                others.append(("digits_swapped", words, read_number(swapped)))
        for cell in self.meant(sheet):
            for kind, words, other in others:
                self.finder.searched += 1
                printed = other.agreement(sheet.values[cell])
                if other.value and printed in ("rounded", "truncated"):
                    match = self.finder.match(sheet.trace, cell, sheet.values[cell], [Cause((), (kind,), words, RARE)])
                    self.finder.matches.append(replace(match, printed_as=printed, digits=self.written.figures))

    # choices

    def ways(self, job: Job) -> Iterator[tuple[Cause, Job]]:
        for choice in CHOICES:
            for way in choice.ways(job):
                settings = tuple(f"{key}={value}" for key, value in way.settings)
                yield Cause(settings, (), way.phrase, RARER if way.rare else COMMON), way.work

    def choices(self, job: Job, before: Cause | None) -> None:
        """Every other way to choose, at every update that is looked at."""
        causes = [] if before is None else [before]
        for cause, other in self.ways(job):
            if before is not None and (_keys(cause) & _keys(before) or cause.settings <= before.settings):
                continue  # both say the same thing, or the two were tried in their other order
            if before is not None and RARER == before.rank == cause.rank:
                continue
            if self.way.number > FAR:
                self.progress(say("{what}, {n} updates", what=cause.phrase, n=f"{self.way.number:,}"))
            for number in self.numbers:
                if self.here(number, self.cell):
                    self.choice(number, other, [*causes, cause])

    def choice(self, number: int, job: Job, causes: Sequence[Cause], counted: bool = False) -> None:
        """The wanted numbers of a step of another job. counted: the update may be one that is not meant."""
        trace = self.way.trace(number, job)
        if trace is None:
            return
        for cell in [self.cell] if self.cell is not None else self.way.values(number, job):
            if not counted and not self.here(number, cell):
                continue
            value, base = self.way.value(cell, number, job), self.way.value(cell, number)
            if value is not None and (base is None or not math.isclose(value, base, rel_tol=SAME)):
                self.finder.one(trace, cell, value, causes)

    # two causes

    def pairs(self, few: bool) -> None:
        """Two causes; of few digits, which too much would produce, only two slips in the number's own formula."""
        self.finder.level = 2
        self.progress(say("pairs of slips"))
        if self.cell is not None:
            self.finder.many(self.base, [self.cell], self.as_causes(list(self.slips(self.base).twice(self.cell))))
        if few:
            return
        self.two_slips(self.base)
        if self.way.number > FAR:
            return
        self.progress(say("pairs of mistakes and choices"))
        for cause, change in self.mistakes(self.base):
            if self._reaches(change):
                self.within(self.base.changed(change), (cause,))
        for cause, other in self.ways(self.way.job):
            there = self.way.sheet(self.way.number, other)
            tried = self.cell is not None or cause.rank == COMMON  # what is rare, and a slip, anywhere: that would be much
            if tried and there is not None and self._differs(there):
                self.within(there, (cause,))
            self.choices(other, cause)
            for number in self.numbers if self.cell is not None else ():
                if not self.here(number, self.cell):
                    self.choice(number, other, [Cause((), ("update_count",), "", COMMON), cause], counted=True)

    def _reaches(self, change: Change) -> bool:
        """Whether a mistake touches what leads to the wanted cell."""
        return self.cell is None or not {self.cell, *self.base.sources(self.cell)}.isdisjoint(change)

    def _differs(self, there: Sheet) -> bool:
        """Whether a way changes anything that leads to what is wanted: if not, its slips were tried already."""
        if self.cell is None or self.cell not in there:
            return self.cell is None
        here = self.base.values
        return any(here.get(cell) != there.values[cell] for cell in (self.cell, *there.sources(self.cell)))

    def two_slips(self, sheet: Sheet) -> None:
        """One slip in each of two cells: both lead to the wanted one, or one to the other."""
        edits = [edit for edit in self.edits(sheet, self.cell) if not edit.places]
        followers = {cell: set(sheet.followers(cell)) for cell in sheet.cells}
        together = {
            (a, b): a != b and (self.cell is not None or a in followers[b] or b in followers[a])
            for a, b in itertools.product(dict.fromkeys(edit.cell for edit in edits), repeat=2)
        }
        both = ((i, j) for i, j in itertools.combinations(range(len(edits)), 2) if together[edits[i].cell, edits[j].cell])
        rows = np.array(list(itertools.islice(both, PAIRS)))
        if len(rows):
            self.finder.many(sheet, self.wanted(sheet), self.as_causes(edits), rows=rows)


EVERY_STEP = {
    "rounded": phrase("every step rounded to {n} decimals"),
    "truncated": phrase("every step cut off to {n} decimals"),
}
EVERY_UPDATE = {
    "rounded": phrase("every step of every update rounded to {n} decimals"),
    "truncated": phrase("every step of every update cut off to {n} decimals"),
}


def _keys(cause: Cause) -> set[str]:
    return {setting.partition("=")[0] for setting in cause.settings}
