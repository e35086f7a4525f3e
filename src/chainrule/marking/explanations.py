"""The mistakes behind a wrong answer: from the person's own earlier numbers first, and then from the exact ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chainrule.errors import InputError
from chainrule.marking.judge import Judge
from chainrule.marking.match import Match
from chainrule.marking.report import Explanation, Marked
from chainrule.marking.search import causes, why
from chainrule.marking.written import ENOUGH, read_number
from chainrule.naming import parse_id
from chainrule.spec import Example
from chainrule.tracing import Trace

TOLD = 3
"""So many explanations of a number are told; more would say that nothing is determined."""


def explanations(what: Example | Trace, marked: Marked, judge: Judge) -> tuple[Explanation, ...]:
    """What gives a wrong number, the likeliest first, ties included; nothing if no known mistake does."""
    if any(each.mistake == "truncated" for each in marked.explanations):
        return ()
    cell, written = parse_id(marked.id), read_number(marked.answer.text)
    if cell is None:
        return ()
    for held in (judge.held, {}) if marked.own is not None else ({},):
        found = _likeliest(causes(judge.sheet, cell, written, held, most=1))
        if found:
            return _told(found)
    if written.figures <= ENOUGH:  # so few digits would come out of anything
        return ()
    try:
        found = list(why(what, written, marked.id, after=judge.trace.number - 1, most=1).matches)
    except InputError:
        return ()
    return _told(_likeliest(found))


def _likeliest(matches: Sequence[Match]) -> list[Match]:
    """The matches that take as few and as common causes as any."""
    best = min(((each.causes, each.rank) for each in matches), default=None)
    return [each for each in matches if (each.causes, each.rank) == best]


def _told(matches: Iterable[Match]) -> tuple[Explanation, ...]:
    found: dict[str, Explanation] = {}
    for match in matches:
        mistake = (*match.mistakes, *match.changes, "update")[0]
        found.setdefault(match.text, Explanation(mistake, match.text.rstrip("."), match.exact))
    return tuple(found.values())[:TOLD]
