"""A report in words: for a terminal of any width, in one line, and for a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from chainrule.errors import Problem, printable, shown
from chainrule.marking.report import Marked, Report
from chainrule.marking.written import read_number
from chainrule.phrases import listed, phrase, say
from chainrule.terms.digits import Digits
from chainrule.widths import left, wrap
from chainrule.widths import width as cells_of

SIGNS = {"right": "✓", "right_truncated": "✓", "last_digit": "✓", "carried_forward": "~", "wrong": "✗"}
WORDS = {
    "right_truncated": phrase("truncated"),
    "last_digit": phrase("last digit"),
    "carried_forward": phrase("follows"),
    "wrong": phrase("wrong"),
    "unknown_name": phrase("unknown"),
    "unreadable": phrase("unreadable"),
}
COLOURS = {"✓": "32", "~": "33", "✗": "31", "?": "35"}
NARROWEST = 50
INDENT = "    "

FEW = 3
"""So many digits that agree are worth telling."""


def tell(report: Report, width: int, all: bool, colour: bool) -> str:
    """The report as lines: a row for each number, what is behind those that are not right, and the sum of it."""
    width = max(width, NARROWEST)
    told = [each for each in report.marked if all or not each.right]
    lines = [*wrap(printable(say(report.title)), width), ""]
    rows = [cells(each) for each in told]
    widths = [max((cells_of(row[place]) for row in rows), default=0) for place in range(3)]
    points = [max((_point(row[place]) for row in rows), default=0) for place in (1, 2)]
    widths[1:] = [max((cells_of(_at_point(row[k], points[k - 1])) for row in rows), default=0) for k in (1, 2)]
    many = len({each.update for each in report.marked if each.update}) > 1
    update = 0
    if rows:
        titles = (say("number"), say("written"), say("exact"))
        widths = [max(widths[k], cells_of(titles[k])) for k in range(3)]
        lines.append(f"  {'  '.join(left(titles[k], widths[k]) for k in range(3))}".rstrip())
    for each, row in zip(told, rows, strict=True):
        if many and each.update and each.update != update:
            update = each.update
            lines += ["", _after(update - 1)]
        lines += _lines(each, row, widths, points, width, colour)
    return "\n".join([*lines, "", *summary(report, width)]) + "\n"


def _after(updates: int) -> str:
    if not updates:
        return say("Before any update:")
    return say("After 1 update:") if updates == 1 else say("After {n} updates:", n=f"{updates:,}")


def cells(marked: Marked) -> tuple[str, str, str]:
    """A number's name, what was written, and the exact number to a few digits more."""
    name = printable(marked.name or marked.answer.name)[:40]
    written = re.sub(r"[{}]", "", marked.answer.text.replace(r"\cdot", "·").replace(r"\times", "×"))
    written = printable(written)
    written = written if len(written) <= 28 else written[:25] + "..."
    return name, written, _calculated(marked, marked.exact)


def _calculated(marked: Marked, value: float | None) -> str:
    """A calculated number to two digits more than were written."""
    if value is None:
        return ""
    try:
        decimals = read_number(marked.answer.text).decimals + 2
    except ValueError:
        return Digits().text(value)
    if "e" in marked.answer.text.lower() or "10" in marked.answer.text.replace("^", "10^") or decimals > 15:
        return Digits(min(decimals, 16)).text(value)
    text = f"{value:.{decimals}f}"
    return text if value == 0 or text.strip("-0.") else Digits().text(value)


def _point(text: str) -> int:
    """How many signs stand before the decimal point of a number."""
    return min((place for place in (text.find("."), text.find(",")) if place >= 0), default=len(text))


def _at_point(text: str, point: int) -> str:
    return " " * (point - _point(text)) + text


def _lines(
    marked: Marked, row: tuple[str, str, str], widths: list[int], points: list[int], width: int, colour: bool
) -> Iterator[str]:
    sign = SIGNS.get(marked.verdict, "?")
    told = [left(row[0], widths[0])]
    told += [left(_at_point(row[k], points[k - 1]), widths[k]) for k in (1, 2)]
    word = left(say(WORDS.get(marked.verdict, "")), 10)
    head, behind = "  ".join([*told, word]), list(details(marked))
    place = "" if marked.right else printable(marked.answer.place)
    if place and 2 + cells_of(head) + 2 + cells_of(place) <= width:
        head, place = f"{head}  {place}", ""
    line = f"{sign} {head}".rstrip()
    if colour and sign in COLOURS:
        line = f"\x1b[{COLOURS[sign]}m{sign}\x1b[0m{line[1:]}"
    yield line
    if place:
        yield INDENT + place
    for text in behind:
        hanging = INDENT + "  " * text.startswith("- ")
        yield from wrap(printable(text), width, INDENT, hanging)


def details(marked: Marked) -> Iterator[str]:
    """What is behind a verdict, a sentence each."""
    if marked.verdict in ("unknown_name", "unreadable"):
        yield marked.note
        return
    if marked.verdict == "carried_forward":
        sentence = "from {numbers}, which gives {value}, {note}" if marked.note else "from {numbers}, which gives {value}"
        yield say(sentence, numbers=_followed(marked), value=_calculated(marked, marked.own), note=marked.note)
        return
    cut = next((each for each in marked.explanations if each.mistake == "truncated"), None)
    if marked.note:
        yield marked.note
    elif cut is not None:
        sentence = "{numbers} would give {value}: {why}"
        yield say(sentence, numbers=_followed(marked), value=_calculated(marked, marked.own), why=cut.text)
    elif marked.verdict == "wrong" and marked.own is not None:
        yield say("{numbers} would give {value}", numbers=_followed(marked), value=_calculated(marked, marked.own))
    if marked.verdict == "wrong":
        told = [each for each in marked.explanations if each is not cut]
        for each in told:
            text = each.text
            if each.yields is not None and "=" not in text:
                text = say("{what}: {value}", what=text, value=_calculated(marked, each.yields))
            yield f"{'- ' * (len(told) > 1)}{text}"
        if not marked.explanations and marked.digits >= FEW:
            yield say("its first {n} digits are right", n=marked.digits)


def _followed(marked: Marked) -> str:
    return listed(f"{each.name} = {each.text}" for each in marked.followed)


def summary(report: Report, width: int = 10_000) -> Iterator[str]:
    """What comes of all verdicts together, in lines."""
    texts = [_sum(report)]
    first = report.first
    if first is not None and report.wrong + report.carried_forward > 1:
        sentence = "The first mistake: {name}, {place}." if first.answer.place else "The first mistake: {name}."
        texts.append(say(sentence, name=first.name, place=first.answer.place))
    texts += [say("{sentence}.", sentence=_problem(problem)) for problem in report.problems]
    if report.hint:
        texts.append(report.hint)
    if report.elsewhere:
        numbers = _numbers(report.elsewhere)
        texts.append(say("{numbers} more: about another example, and not checked here.", numbers=numbers))
    for text in texts:
        yield from wrap(printable(text), width)


def _sum(report: Report) -> str:
    total = len(report.marked)
    cut = [each for each in report.marked if each.verdict == "right_truncated"]
    manner, places = "{what}", set[int]()
    if cut and report.truncated:
        places = {read_number(each.answer.text).decimals for each in cut}
        manner = phrase("{what}, truncated to {n} decimals") if len(places) == 1 else phrase("{what}, truncated")
    if report.right == total:
        right = say("The number is right") if total == 1 else say("All {n} numbers are right", n=total)
    else:
        right = say("{n} right", n=report.right)
    right = say(manner, what=right, n=min(places, default=0))
    if report.right == total:
        return say("{sentence}.", sentence=right)
    parts = [right]
    if report.wrong:
        parts.append(say("1 new mistake") if report.wrong == 1 else say("{n} new mistakes", n=report.wrong))
    if report.carried_forward == 1:
        parts.append(say("1 follows from an earlier number"))
    elif report.carried_forward:
        parts.append(say("{n} follow from an earlier number", n=report.carried_forward))
    if report.unchecked:
        parts.append(say("{n} could not be checked", n=report.unchecked))
    return say("{numbers}: {parts}.", numbers=_numbers(total), parts=listed(parts))


def _numbers(count: int) -> str:
    return say("1 number") if count == 1 else say("{n} numbers", n=count)


def _problem(problem: Problem) -> str:
    """A problem in the language that is spoken; otherwise as it tells itself."""
    got = say("got {value}", value=problem.got) if problem.got else ""
    return str(replace(problem, got="", do=" - ".join(part for part in (got, problem.do) if part)))


def in_short(report: Report) -> str:
    """The report in one line: how many, and the first that is not right."""
    bad = report.first or next((each for each in report.marked if not each.right), None)
    text = _sum(report)
    if bad is None:
        return f"<Report: {text}>"
    detail = next(details(bad), "")
    given = f"{bad.name or bad.answer.name} = {bad.answer.text}"
    if bad.exact is not None:
        given = say("{given}, exact {value}", given=given, value=_calculated(bad, bad.exact))
    text += " " + (say("{what}: {value}", what=given, value=detail) if detail else given)
    return shown_line(f"<Report: {text}>")


def feedback(marked: Marked) -> str:
    """A sentence about a number that is not right."""
    told = say("; ").join(details(marked))
    name, given = marked.name or marked.answer.name, marked.answer.text
    if marked.exact is None:
        return say("{sentence}.", sentence=say("{what}: {value}", what=name, value=told))
    sentence = say("{name} = {given} is not {exact}", name=name, given=given, exact=_calculated(marked, marked.exact))
    if told:
        sentence = say("{what}: {value}", what=sentence, value=told)
    return say("{sentence}.", sentence=sentence)


def shown_line(text: str) -> str:
    """One line that no sign breaks."""
    return shown(text.replace("\n", " "), 230)[1:-1] if "\n" in text else printable(text)[:230]
