"""What a check found: a verdict for each answer, and what follows for all of them. It tells itself, as text and as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from chainrule.errors import Problem
from chainrule.marking.answers.answer import Answer

Verdict = Literal["right", "right_truncated", "last_digit", "carried_forward", "wrong", "unknown_name", "unreadable"]

RIGHT = ("right", "right_truncated", "last_digit")


@dataclass(frozen=True)
class Explanation:
    """A mistake or convention that gives a written number. yields: the number that it gives, in full. reason: what was done,
    without the number, where that is known apart."""

    mistake: str
    text: str
    yields: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Followed:
    """An earlier answer that a number was calculated from."""

    name: str
    text: str


@dataclass(frozen=True)
class Marked:
    """An answer and its verdict.

    id, name: of the number it is about, empty for none. exact: the derivation's; own: what follows from the person's own
    earlier numbers, where that is another; followed: which of them. digits: leading digits that are the exact number's.
    """

    answer: Answer
    verdict: Verdict
    id: str = ""
    name: str = ""
    update: int = 0
    exact: float | None = None
    own: float | None = None
    followed: tuple[Followed, ...] = ()
    digits: int = 0
    note: str = ""
    explanations: tuple[Explanation, ...] = ()

    @property
    def right(self) -> bool:
        """Whether the digits are those of the exact number, up to rounding."""
        return self.verdict in RIGHT

    def data(self) -> dict[str, Any]:
        """As JSON has it."""
        found: dict[str, Any] = {
            "name": self.name or self.answer.name,
            "id": self.id,
            "given": self.answer.text,
            "exact": self.exact,
            "verdict": self.verdict,
            "digits": self.digits,
            "explanations": [{"mistake": each.mistake, "text": each.text, "yields": each.yields} for each in self.explanations],
        }
        if self.update:
            found["update"] = self.update
        if self.own is not None:
            found |= {"own": self.own, "follows": [each.name for each in self.followed]}
        if self.note:
            found["note"] = self.note
        return found | {key: value for key, value in (("file", self.answer.file), ("line", self.answer.line)) if value}


@dataclass(frozen=True, repr=False)
class Report:
    """The verdicts, in the order in which the numbers are calculated; true if all numbers are right.

    problems: what is wrong with the answers as a whole, such as two values for one name. hint: what that may mean.
    truncated: whether the numbers are truncated rather than rounded. elsewhere: answers that are marked for another example.
    """

    title: str
    marked: tuple[Marked, ...]
    problems: tuple[Problem, ...] = ()
    hint: str = ""
    truncated: bool = False
    elsewhere: int = 0

    @property
    def right(self) -> int:
        """How many numbers are right."""
        return sum(each.right for each in self.marked)

    @property
    def carried_forward(self) -> int:
        """How many follow from an earlier number that is wrong."""
        return sum(each.verdict == "carried_forward" for each in self.marked)

    @property
    def wrong(self) -> int:
        """How many new mistakes there are."""
        return sum(each.verdict == "wrong" for each in self.marked)

    @property
    def unchecked(self) -> int:
        """How many could not be checked: not readable, or of an unknown name."""
        return sum(each.verdict in ("unknown_name", "unreadable") for each in self.marked)

    @property
    def first(self) -> Marked | None:
        """The first new mistake in the order of the calculation."""
        return next((each for each in self.marked if each.verdict == "wrong"), None)

    @property
    def ok(self) -> bool:
        """Whether every number is right, and nothing was left unchecked."""
        return self.right == len(self.marked) and not self.problems

    def __bool__(self) -> bool:
        return self.ok

    def __len__(self) -> int:
        return len(self.marked)

    def __iter__(self) -> Iterator[Marked]:
        return iter(self.marked)

    def __getitem__(self, name: str) -> Marked:
        """The verdict on the number of a name or id."""
        for each in self.marked:
            if name in (each.name, each.id, each.answer.name):
                return each
        raise KeyError(name)

    def must_be_right(self) -> Report:
        """Itself, if all is right; otherwise an AssertionError that explains: for tests and notebooks."""
        if self.ok:
            return self
        raise AssertionError("\n" + self.text(all=False))

    def text(self, width: int = 80, all: bool = True, colour: bool = False) -> str:
        """The report in lines of at most `width` signs. all: also the numbers that are right."""
        from chainrule.marking.report_text import tell

        return tell(self, width, all, colour)

    def data(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "answers": [each.data() for each in self.marked],
            "right": self.right,
            "wrong": self.wrong,
            "carried_forward": self.carried_forward,
            "unchecked": self.unchecked,
            "first": None if self.first is None else self.first.name,
            "truncated": self.truncated,
            "problems": [str(problem) for problem in self.problems],
            "hint": self.hint,
        }

    def __str__(self) -> str:
        return self.text().rstrip("\n")

    def __repr__(self) -> str:
        from chainrule.marking.report_text import in_short

        return in_short(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from chainrule.marking.report_html import fragment

        return {"text/plain": str(self), "text/html": fragment(self)}
