"""Written-down numbers held against a derivation: `check` reads them, finds what they are about, and has them judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from chainrule.derivation import derive
from chainrule.errors import InputError, Problem, nearest, shown
from chainrule.marking.answers import Answers, read_answers
from chainrule.marking.answers.answer import Answer
from chainrule.marking.explanations import DEEP, Explainer
from chainrule.marking.judge import Entry, Judge
from chainrule.marking.report import Marked, Report, Verdict
from chainrule.marking.sheet import Sheet
from chainrule.marking.written import read_number
from chainrule.naming import Cell, cell_id
from chainrule.phrases import phrase, say
from chainrule.spec import Example, example_names, load_example
from chainrule.tracing import Trace

Progress = Callable[[int, float], None]

FEW = 3_000
"""A step of at most so many numbers is taken whole; of a larger one, only what leads to the answers."""


def check(
    what: Example | Trace,
    answers: Answers,
    *,
    after: int = 0,
    names: str = "",
    explain: bool = True,
    progress: Progress | None = None,
) -> Report:
    """Holds answers - by name, as `{"net_h1": "0.31"}`, or in a file - against the derivation of an example, or a trace.

    The report is true if all numbers are right; `check(...).must_be_right()` raises an AssertionError that explains.
    after: updates before the step, where the answers do not say. names: "textbook" or "matrix". explain: whether to look for
    the mistake behind a wrong number. Numbers as text keep their digits: 0.50 has two decimals, the float 0.5 one.
    Raises InputError if a file cannot be read, or if none of the names is a number of this network.
    """
    if not isinstance(what, (Example, Trace)):
        do = "load_example(name), read_spec(path) or trace(network, x, t)"
        raise InputError("check takes an example or a trace", got=shown(what), do=do)
    return Checker(what, after=after, names=names, explain=explain, progress=progress).check(answers)


class Checker:
    """Checks answers of many people: what it needs of an example is computed once. Its parameters are those of `check`;
    known: the example's step after `after` updates, where it is there already."""

    def __init__(
        self,
        what: Example | Trace,
        *,
        after: int = 0,
        names: str = "",
        explain: bool = True,
        progress: Progress | None = None,
        known: Trace | None = None,
    ) -> None:
        self.what, self.after, self.names, self.progress = what, after, names, progress
        self._explainer = Explainer(what) if explain else None
        self._traces: dict[int, Trace | None] = {} if known is None else {after: known}
        self._sheets: dict[int, Sheet] = {}

    def check(self, answers: Answers, deep: int = DEEP, refuse: bool = True) -> Report:
        """The report on the answers of one person or document; raises InputError as `check` does.

        deep: for how many wrong numbers all conventions and steps are searched; each takes half a second, once.
        refuse: whether answers of which none can be read are an error, and not a report that says so of each.
        """
        found = read_answers(answers)
        if not found:
            raise InputError("there are no answers to check", do='give them by name: {"net_h1": "0.31"}')
        mine = [answer for answer in found if _is_about(self.what, answer)]
        if not mine:
            other, do = found[0].example, _instead(self.what, found[0].example)
            what = f"these answers are about another example, {shown(other)}"
            raise InputError(Problem(what, file=found[0].file, line=found[0].line, do=do))
        if self._explainer is not None:
            self._explainer.begin(deep)
        return self._report(mine, len(found) - len(mine), refuse)

    def named(self, name: str) -> tuple[str, str]:
        """The name and the id of a number of the step; an InputError if there is none."""
        trace = self._trace(self.after if isinstance(self.what, Example) else self.what.number - 1)
        assert trace is not None
        cell = trace.find(name)
        return trace.label(cell), cell_id(cell)

    def _report(self, answers: list[Answer], elsewhere: int, refuse: bool) -> Report:
        marked: list[Marked] = []
        problems: list[Problem] = []
        inherited: dict[Cell, float] = {}
        truncating: list[bool] = []
        last = -1
        steps = sorted({self._after(answer) for answer in answers})
        for after in steps:
            about = [answer for answer in answers if self._after(answer) == after]
            trace = self._trace(after)
            if trace is None:
                note = say("this trace is of another step: check the example")
                marked += [Marked(each, "unreadable", note=note) for each in about]
                continue
            entries, unread = self._read(about, trace)
            judge = Judge(self._sheet(after, trace, entries), entries, inherited if after == last + 1 else {})
            found = judge.verdicts()
            if self._explainer is not None:
                found = self._explainer.explain(found, judge)
            marked += [*found, *unread]
            problems += _twice(judge)
            truncating.append(judge.truncating)
            inherited = {
                cell._replace(symbol=cell.symbol.removesuffix("+")): value
                for cell, value in judge.held.items()
                if cell.symbol.endswith("+") and value != judge.sheet.values[cell]
            }
            last = after
        if refuse and marked and all(each.verdict in ("unknown_name", "unreadable") for each in marked):
            self._refuse(marked)
        truncated = bool(truncating) and all(truncating)
        title = self.what.title or phrase("a network")
        return Report(title, tuple(marked), tuple(problems), _hint(marked), truncated, elsewhere)

    def _after(self, answer: Answer) -> int:
        if answer.after is not None:
            return answer.after
        return self.what.number - 1 if isinstance(self.what, Trace) else self.after

    def _trace(self, after: int) -> Trace | None:
        if isinstance(self.what, Trace):
            return self.what if after == self.what.number - 1 else None
        if after not in self._traces:
            self._traces[after] = derive(self.what, after, style=self.names, report=self.progress)
        return self._traces[after]

    def _sheet(self, after: int, trace: Trace, entries: list[Entry]) -> Sheet:
        """All cells in the order of the calculation, if they are few; otherwise what leads to the answers."""
        known = self._sheets.get(after)
        cells = dict.fromkeys(entry.cell for entry in entries)
        if known is None or not all(cell in known for cell in cells):
            known = Sheet(trace, dict.fromkeys([*(trace.cells if trace.count <= FEW else ()), *cells]))
            self._sheets[after] = known
        return known

    def _read(self, answers: Iterable[Answer], trace: Trace) -> tuple[list[Entry], list[Marked]]:
        """The answers that say a number of this step, and those that do not."""
        entries, unread = [], []
        for answer in answers:
            name = identifier = ""
            try:
                if answer.fault and not answer.text:
                    raise InputError(answer.fault)
                cell = trace.find(answer.name)
                name, identifier = trace.label(cell), cell_id(cell)
                if answer.fault:
                    raise InputError(answer.fault)
                entries.append(Entry(answer, read_number(answer.text), cell))
            except InputError as error:
                problem = error.problems[0]
                note = say("{what}, {do}", what=problem.what, do=problem.do) if problem.do else problem.what
                verdict: Verdict = "unknown_name" if not name and not answer.fault else "unreadable"
                unread.append(Marked(answer, verdict, identifier, name, trace.number, note=note))
        return entries, unread

    def _refuse(self, marked: list[Marked]) -> None:
        """No answer could be checked: the names are those of another network, or nothing can be read."""
        unknown = [each for each in marked if each.verdict == "unknown_name"]
        network = self.what.network
        sizes = "-".join(str(size) for size in (network.inputs, *network.widths))
        problems = [
            Problem(
                each.note, got=shown(each.answer.text), file=each.answer.file, line=each.answer.line, where=each.answer.name
            )
            for each in marked[:10]
        ]
        if unknown:
            what = f"no name in these answers is that of a number of this network, which is {sizes}"
            do = "are they for another network? `chainrule explain` shows every name"
            problems.insert(0, Problem(what, file=marked[0].answer.file, do=do))
        raise InputError(*problems)


def _twice(judge: Judge) -> list[Problem]:
    """Two values for one number are told, both places; a value and its rounding are no two values."""
    problems: list[Problem] = []
    seen: dict[Cell, Entry] = {}
    for entry in judge.entries:
        first = seen.setdefault(entry.cell, entry)
        if first is not entry and not _agree(first, entry):
            places = [each.answer.place for each in (first, entry)]
            one, other = (
                f"{each.answer.text} ({place})" if place else each.answer.text
                for each, place in zip((first, entry), places, strict=True)
            )
            what = say("two different values for {name}", name=judge.trace.label(entry.cell))
            got = say("{one} and {other}", one=one, other=other)
            problems.append(Problem(what, got=got, do=say("keep one; each was checked by itself")))
    return problems


def _agree(one: Entry, other: Entry) -> bool:
    coarse, fine = sorted((one, other), key=lambda entry: entry.written.decimals)
    return coarse.written.agreement(fine.value) in ("rounded", "truncated")


def _is_about(what: Example | Trace, answer: Answer) -> bool:
    """Whether an answer is about this example: what it names has the same numbers, or the same file's name."""
    name = answer.example
    if not name or isinstance(what, Trace) or name == Path(what.file).stem:
        return True
    if name not in example_names():
        return False
    other = load_example(name)
    return (
        other.x.shape == what.x.shape
        and bool(np.array_equal(other.x, what.x))
        and bool(np.array_equal(other.t, what.t))
        and bool(np.array_equal(other.network.parameters, what.network.parameters))
    )


def _instead(what: Example | Trace, other: str) -> str:
    this = Path(what.file).stem if isinstance(what, Example) else "this trace"
    if other in example_names():
        return f"check them against {other}, or have them say {this}"
    return f"this is {this}; {nearest(other, (*example_names(), this))}"


def _hint(marked: list[Marked]) -> str:
    """What wrong numbers together may mean: that they are another network's."""
    given = [each for each in marked if re.match(r"(x|t|W|b)\[[\d,\]\[]+$", each.id)]
    forward = [each for each in marked if re.match(r"[za]\[\d+\]\[\d+\]", each.id)]
    wrong = [each for each in given if not each.right]
    if len(wrong) >= 2 and 2 * len(wrong) > len(given):
        sentence = "{wrong} of {n} given numbers are not this network's: are the answers about another network?"
        return say(sentence, wrong=len(wrong), n=len(given))
    if len(forward) >= 3 and all(each.verdict == "wrong" and not each.explanations for each in forward):
        sentence = "none of {n} numbers of the forward pass is right: are the answers about another network?"
        return say(sentence, n=len(forward))
    return ""
