"""The mistakes behind wrong answers: from the person's own earlier numbers first, and then from the exact ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from chainrule.derivation import derive
from chainrule.errors import InputError
from chainrule.marking.judge import Judge
from chainrule.marking.match import Match
from chainrule.marking.report import Explanation, Marked
from chainrule.marking.search import causes, why
from chainrule.marking.written import ENOUGH, Written, read_number
from chainrule.naming import Cell
from chainrule.phrases import say
from chainrule.spec import Example
from chainrule.tracing import Trace

TOLD = 3
"""So many explanations of a number are told; more would say that nothing is determined."""

DEEP = 4
"""So many numbers of one report are searched for in all conventions and steps at most, which takes half a second each. What is
found for one is tried on the others, because a convention explains many; and a search in vain is the last."""

WIDE = 60
"""A formula of more numbers is nobody's calculation by hand: slips in it are not looked for."""

LARGE = 5_000
"""A step of more numbers is not searched in all conventions."""

Settings = tuple[str, ...]


class Explainer:
    """Explains wrong answers about one example or trace, and remembers what it searched for."""

    def __init__(self, what: Example | Trace) -> None:
        self.what = what
        self._searched: dict[tuple[str, str, int], tuple[Match, ...]] = {}
        self._steps: dict[tuple[Settings, int], Trace | None] = {}
        self._found: dict[Settings, tuple[str, str]] = {}  # conventions that explained a number: mistake, and reason
        self._left = DEEP

    def begin(self, deep: int = DEEP) -> None:
        """Before the answers of another person. deep: how many numbers may be searched for."""
        self._found, self._left = {}, deep

    def explain(self, found: Iterable[Marked], judge: Judge) -> list[Marked]:
        """The verdicts with the explanations of what is wrong."""
        return [self._explained(each, judge) if each.verdict == "wrong" and not each.note else each for each in found]

    def _explained(self, marked: Marked, judge: Judge) -> Marked:
        if any(each.mistake == "truncated" for each in marked.explanations):
            return marked
        cell, written = judge.trace.find(marked.id), read_number(marked.answer.text)
        if len(judge.sheet.uses(cell)) > WIDE:
            return marked
        for held in (judge.held, {}) if marked.own is not None else ({},):
            slips = _likeliest(causes(judge.sheet, cell, written, held, most=1))
            if slips:
                return replace(marked, explanations=_told(slips, marked.update))
        if written.figures <= ENOUGH or judge.trace.count > LARGE:  # so few digits would come out of anything
            return marked
        return replace(marked, explanations=self._known(cell, marked, written) or self._deep(marked, written))

    def _known(self, cell: Cell, marked: Marked, written: Written) -> tuple[Explanation, ...]:
        """What explained another number, if it explains this one too."""
        for settings, (mistake, reason) in self._found.items():
            trace = self._step(settings, marked.update - 1)
            try:
                value = None if trace is None else float(trace.term(cell).value)
            except KeyError:
                continue
            if value is not None and written.agreement(value) in ("rounded", "truncated"):
                return (Explanation(mistake, say("With {causes}", causes=reason), value, reason),)
        return ()

    def _step(self, settings: Settings, after: int) -> Trace | None:
        key = (settings, after)
        if key not in self._steps:
            try:
                pairs = [(name, value) for name, _, value in (each.partition("=") for each in settings)]
                self._steps[key] = derive(self.what.with_settings(pairs), after) if isinstance(self.what, Example) else None
            except InputError:
                self._steps[key] = None
        return self._steps[key]

    def _deep(self, marked: Marked, written: Written) -> tuple[Explanation, ...]:
        """What a search through all conventions, mistakes and neighbouring steps finds."""
        key = (marked.id, marked.answer.text, marked.update)
        if key not in self._searched:
            if not self._left:
                return ()
            self._left -= 1
            after = marked.update - 1 if isinstance(self.what, Example) else 0
            try:
                self._searched[key] = why(self.what, written, marked.id, after=after, most=1).matches
            except InputError:
                self._searched[key] = ()
            if not self._searched[key]:
                self._left = 0
        found = _likeliest(self._searched[key])
        for match in found:
            if match.changes:
                self._found.setdefault(match.changes, (match.changes[0], match.reason))
        return _told(found, marked.update)


def _likeliest(matches: Sequence[Match]) -> list[Match]:
    """The matches that take as few and as common causes as any, conventions before slips."""
    best = min(((each.causes, each.rank) for each in matches), default=None)
    return sorted((each for each in matches if (each.causes, each.rank) == best), key=lambda each: not each.changes)


def _told(matches: Iterable[Match], update: int) -> tuple[Explanation, ...]:
    found: dict[str, Explanation] = {}
    for match in matches:
        mistake = (*match.mistakes, *match.changes, "update")[0]
        text = match.told(update)  # which is said above it
        found.setdefault(text, Explanation(mistake, text, match.exact, match.reason))
    return tuple(found.values())[:TOLD]
