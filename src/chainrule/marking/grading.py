"""The answers of a class: a mark for each number of each student, feedback, and the mistakes that are made most often."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.errors import InputError, Problem, printable
from chainrule.marking.answers import FORMATS
from chainrule.marking.check import Checker
from chainrule.marking.report import Marked, Report
from chainrule.marking.report_text import feedback
from chainrule.phrases import listed, phrase, say
from chainrule.widths import left, right, wrap
from chainrule.widths import width as cells

MOST = 10_000
"""Files beyond which a folder is more likely no class."""

SEARCHED = 5
"""So many wrong numbers that several students share are searched for in all conventions."""

COMMON = 10
"""So many of the most frequent mistakes are listed."""


@dataclass(frozen=True)
class Student:
    """A student's file: the report on it, or why there is none."""

    name: str
    file: str
    report: Report | None
    problem: str = ""

    @property
    def marked(self) -> tuple[Marked, ...]:
        """The verdicts; none if there is no report."""
        return () if self.report is None else self.report.marked


@dataclass(frozen=True)
class Quantity:
    """A number that is marked: its name, and after how many updates it is asked for."""

    name: str
    update: int
    id: str

    def titled(self, many: bool) -> str:
        """Its name, with the number of updates before it where there are several steps."""
        return say("{name} after {n}", name=self.name, n=self.update - 1) if many and self.update > 1 else self.name


@dataclass(frozen=True)
class Marks:
    """What a class gets. carried: the mark for a number that follows from an earlier wrong one."""

    title: str
    students: tuple[Student, ...]
    quantities: tuple[Quantity, ...]
    carried: float
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every student's file could be marked."""
        return not self.problems

    def mark(self, student: Student, quantity: Quantity) -> float | None:
        """1, 0, or the mark for a number that is carried forward; None where there is no answer. Of two, the worse counts."""
        place = (quantity.id, quantity.update)
        marks = [self._worth(each) for each in student.marked if (each.id, each.update) == place]
        return min(marks) if marks else None

    def _worth(self, marked: Marked) -> float:
        return 1.0 if marked.right else self.carried if marked.verdict == "carried_forward" else 0.0

    def total(self, student: Student) -> float:
        """The sum of a student's marks."""
        return sum(self.mark(student, quantity) or 0.0 for quantity in self.quantities)

    @property
    def mistakes(self) -> list[tuple[int, str, str, list[str]]]:
        """How often, which number, what was done, by whom: the most frequent first."""
        who: dict[tuple[str, str], list[str]] = {}
        for student in self.students:
            for each in student.marked:
                if each.verdict == "wrong" and self._counts(each):
                    what = _in_short(each)
                    names = who.setdefault((each.name, what), [])
                    names += [student.name] if student.name not in names else []
        order = {quantity.name: place for place, quantity in enumerate(self.quantities)}
        ranked = sorted(who.items(), key=lambda item: (-len(item[1]), order.get(item[0][0], 0)))
        return [(len(names), name, what, names) for (name, what), names in ranked]

    def _counts(self, marked: Marked) -> bool:
        return any((marked.id, marked.update) == (quantity.id, quantity.update) for quantity in self.quantities)

    @property
    def _titles(self) -> list[str]:
        many = len({quantity.update for quantity in self.quantities}) > 1
        return [quantity.titled(many) for quantity in self.quantities]

    def csv(self) -> str:
        """A row for each student: marks, their sum, and feedback."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["student", *map(_cell, self._titles), "total", "of", "feedback"])
        for student in self.students:
            marks = [self.mark(student, quantity) for quantity in self.quantities]
            row = ["" if mark is None else f"{mark:g}" for mark in marks]
            total = "" if student.report is None else f"{self.total(student):g}"
            writer.writerow([_cell(student.name), *row, total, len(self.quantities), _cell(" ".join(_feedback(student)))])
        return out.getvalue()

    def text(self, width: int = 80) -> str:
        """A line for each student, and the most frequent mistakes."""
        lines = [*wrap(printable(say(self.title)), width), ""]
        head = (say("student"), say("marks"), say("first mistake"))
        names = max([cells(head[0]), *(cells(printable(each.name)) for each in self.students)])
        totals = [f"{self.total(each):g}" if each.report is not None else "-" for each in self.students]
        marks = max([cells(head[1]), *(len(f"{total}/{len(self.quantities)}") for total in totals)])
        lines.append(f"{left(head[0], names)}  {right(head[1], marks)}  {head[2]}")
        for student, total in zip(self.students, totals, strict=True):
            start = f"{left(printable(student.name), names)}  {right(f'{total}/{len(self.quantities)}', marks)}  "
            said = next(iter(_feedback(student)), "")
            wrapped = wrap(printable(said), max(20, width - cells(start))) or [""]
            lines += [(start + wrapped[0]).rstrip(), *(" " * cells(start) + each for each in wrapped[1:])]
        found = self.mistakes
        if found:
            lines += ["", say("Most frequent mistakes:")]
            for count, name, what, who in found[:COMMON]:
                told = listed(who[:5])
                if len(who) > 5:
                    told = say("{names} and {n} more", names=told, n=len(who) - 5)
                start = f"{count:4} x  "
                text = printable(say("{name}: {what} ({who})", name=name, what=what, who=told))
                lines += wrap(text, width, start, " " * len(start))
        graded = [self.total(each) for each in self.students if each.report is not None]
        people = say("{n} students", n=len(self.students)) if len(self.students) != 1 else say("1 student")
        sentence = "{people}, {n} numbers, {mean} of {n} on average." if graded else "{people}, {n} numbers."
        mean = f"{sum(graded) / len(graded):.3g}" if graded else ""
        return "\n".join([*lines, "", say(sentence, people=people, n=len(self.quantities), mean=mean)]) + "\n"

    def data(self) -> dict[str, Any]:
        """The marks as JSON has them."""
        return {
            "students": [
                {
                    "student": student.name,
                    "file": student.file,
                    "total": self.total(student) if student.report is not None else None,
                    "marks": {
                        title: self.mark(student, quantity)
                        for title, quantity in zip(self._titles, self.quantities, strict=True)
                    },
                    "feedback": _feedback(student),
                    "problem": student.problem,
                }
                for student in self.students
            ],
            "of": len(self.quantities),
            "mistakes": [
                {"count": count, "name": name, "mistake": what, "students": who} for count, name, what, who in self.mistakes
            ],
        }


def grade(checker: Checker, folder: str | os.PathLike[str], carried: float = 0.0, of: Iterable[str] = ()) -> Marks:
    """Marks the files of a folder, one for each student. of: the names of the numbers that count; all that anybody gave.

    Raises InputError if there is no file of answers in the folder. A file that cannot be read is told and gets no marks.
    """
    students, problems = [], []
    files = list(_files(folder))
    for file, name in files:
        try:
            students.append(Student(name, str(file), checker.check(file, deep=0)))
        except InputError as error:
            problems += [error.problems[0]]
            students.append(Student(name, str(file), None, str(error.problems[0])))
    students = _searched(checker, students)
    quantities = _quantities([student.report for student in students if student.report is not None])
    wanted = list(of)
    if wanted:
        quantities = _chosen(checker, quantities, wanted)
    return Marks(checker.what.title or phrase("a network"), tuple(students), tuple(quantities), carried, tuple(problems))


def _files(folder: str | os.PathLike[str]) -> Iterator[tuple[Path, str]]:
    """The files of answers in a folder, and whose they are."""
    paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in FORMATS and path.name[0] != ".")
    paths = [path for path in paths if path.is_file()]
    if not paths:
        do = f"put a file for each student into it: {', '.join(FORMATS)}"
        raise InputError(Problem("no answers are in this folder", file=os.fspath(folder), do=do))
    if len(paths) > MOST:
        raise InputError(Problem(f"{len(paths):,} files are in this folder", file=os.fspath(folder), do=f"at most {MOST:,}"))
    stems = Counter(path.stem for path in paths)
    for path in paths:
        yield path, path.stem if stems[path.stem] == 1 else path.name


def _searched(checker: Checker, students: Sequence[Student]) -> list[Student]:
    """The students' reports, after what several got wrong in the same way has been searched for in all conventions."""
    alike = Counter(key for student in students for key in {_key(each) for each in student.marked if _unexplained(each)})
    often = {key for key, count in alike.most_common(SEARCHED) if count > 1}
    result = []
    for student in students:
        if any(_unexplained(each) and _key(each) in often for each in student.marked):
            result.append(Student(student.name, student.file, checker.check(Path(student.file), deep=SEARCHED)))
        else:
            result.append(student)
    return result


def _unexplained(marked: Marked) -> bool:
    return marked.verdict == "wrong" and not marked.explanations and not marked.note


def _key(marked: Marked) -> tuple[str, str, int]:
    return marked.id, marked.answer.text, marked.update


def _quantities(reports: Sequence[Report]) -> list[Quantity]:
    """The numbers that anybody gave, in the order of the calculation as far as the reports know it."""
    found: dict[Quantity, None] = {}
    for report in sorted(reports, key=len, reverse=True):
        found |= dict.fromkeys(Quantity(each.name, each.update, each.id) for each in report.marked if each.id)
    return sorted(found, key=lambda quantity: quantity.update)


def _chosen(checker: Checker, quantities: Sequence[Quantity], wanted: Sequence[str]) -> list[Quantity]:
    result = []
    for name in wanted:
        marked = checker.named(name)
        known = [quantity for quantity in quantities if quantity.id == marked[1]]
        result += known or [Quantity(marked[0], checker.after + 1, marked[1])]
    return result


def _feedback(student: Student) -> list[str]:
    """A sentence for each new mistake, or what kept the file from being marked."""
    if student.report is None:
        return [student.problem]
    return [feedback(each) for each in student.report if not each.right and each.verdict != "carried_forward"]


def _in_short(marked: Marked) -> str:
    """A mistake without the numbers that it gives, so that it is the same for all who make it."""
    if not marked.explanations:
        return marked.note or say("wrong, and no known mistake gives it")
    return marked.explanations[0].reason or marked.explanations[0].text


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    text = printable(text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
