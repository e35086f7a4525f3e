"""A report in words: for a terminal of any width, in one line, and for a notebook."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from chainrule.errors import printable, shown
from chainrule.marking.report import Marked, Report
from chainrule.marking.written import read_number
from chainrule.terms.digits import Digits

SIGNS = {"right": "✓", "right_truncated": "✓", "last_digit": "✓", "carried_forward": "~", "wrong": "✗"}
WORDS = {
    "right_truncated": "truncated",
    "last_digit": "last digit",
    "carried_forward": "follows",
    "wrong": "wrong",
    "unknown_name": "unknown",
    "unreadable": "unreadable",
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
    lines = [*textwrap.wrap(printable(report.title), width), ""]
    rows = [cells(each) for each in told]
    widths = [max((len(row[place]) for row in rows), default=0) for place in range(3)]
    points = [max((_point(row[place]) for row in rows), default=0) for place in (1, 2)]
    widths[1:] = [max((len(_at_point(row[k], points[k - 1])) for row in rows), default=0) for k in (1, 2)]
    many = len({each.update for each in report.marked if each.update}) > 1
    update = 0
    if rows:
        titles = ("number", "written", "exact")
        widths = [max(widths[k], len(titles[k])) for k in range(3)]
        lines.append(f"  {'  '.join(titles[k].ljust(widths[k]) for k in range(3))}".rstrip())
    for each, row in zip(told, rows, strict=True):
        if many and each.update and each.update != update:
            update = each.update
            after = f"After {update - 1:,} update{'s' * (update != 2)}:" if update > 1 else "Before any update:"
            lines += ["", after]
        lines += _lines(each, row, widths, points, width, colour)
    return "\n".join([*lines, "", *summary(report, width)]) + "\n"


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
    told = [row[0].ljust(widths[0])]
    told += [_at_point(row[k], points[k - 1]).ljust(widths[k]) for k in (1, 2)]
    word = WORDS.get(marked.verdict, "").ljust(10)
    head, behind = "  ".join([*told, word]), list(details(marked))
    place = "" if marked.right else printable(marked.answer.place)
    if place and 2 + len(head) + 2 + len(place) <= width:
        head, place = f"{head}  {place}", ""
    line = f"{sign} {head}".rstrip()
    if colour and sign in COLOURS:
        line = f"\x1b[{COLOURS[sign]}m{sign}\x1b[0m{line[1:]}"
    yield line
    if place:
        yield INDENT + place
    for text in behind:
        hanging = INDENT + "  " * text.startswith("- ")
        yield from textwrap.wrap(printable(text), width, initial_indent=INDENT, subsequent_indent=hanging)


def details(marked: Marked) -> Iterator[str]:
    """What is behind a verdict, a sentence each."""
    if marked.verdict in ("unknown_name", "unreadable"):
        yield marked.note
        return
    if marked.verdict == "carried_forward":
        (first, *_) = marked.explanations
        note = f", {marked.note}" if marked.note else ""
        yield f"{first.text.removeprefix('follows ')}, which gives {_calculated(marked, marked.own)}{note}"
        return
    cut = next((each for each in marked.explanations if each.mistake == "truncated"), None)
    if marked.note:
        yield marked.note
    elif cut is not None:
        followed = ", ".join(f"{each.name} = {each.text}" for each in marked.followed)
        yield f"{followed} would give {_calculated(marked, marked.own)}: {cut.text}"
    elif marked.verdict == "wrong" and marked.own is not None:
        followed = ", ".join(f"{each.name} = {each.text}" for each in marked.followed)
        yield f"{followed} would give {_calculated(marked, marked.own)}"
    if marked.verdict == "wrong":
        told = [each for each in marked.explanations if each is not cut]
        for each in told:
            value = "" if each.yields is None or "=" in each.text else f": {_calculated(marked, each.yields)}"
            yield f"{'- ' * (len(told) > 1)}{each.text}{value}"
        if not marked.explanations and marked.digits >= FEW:
            yield f"its first {marked.digits} digits are right"


def summary(report: Report, width: int = 10_000) -> Iterator[str]:
    """What comes of all verdicts together, in lines."""
    texts = [_sum(report)]
    first = report.first
    if first is not None and report.wrong + report.carried_forward > 1:
        place = f", {first.answer.place}" if first.answer.place else ""
        texts.append(f"The first mistake: {first.name}{place}.")
    texts += [str(problem) + "." for problem in report.problems]
    if report.hint:
        texts.append(report.hint)
    if report.elsewhere:
        texts.append(f"{_count(report.elsewhere, 'number')} more: about another example, and not checked here.")
    for text in texts:
        yield from textwrap.wrap(printable(text), width)


def _sum(report: Report) -> str:
    total = len(report.marked)
    cut = [each for each in report.marked if each.verdict == "right_truncated"]
    manner = ""
    if cut and report.truncated:
        places = {read_number(each.answer.text).decimals for each in cut}
        manner = f", truncated to {places.pop()} decimals" if len(places) == 1 else ", truncated"
    if report.right == total:
        what = "The number is right" if total == 1 else f"All {total} numbers are right"
        return f"{what}{manner}."
    parts = [f"{report.right} right{manner}"]
    if report.wrong:
        parts.append(f"{report.wrong} new mistake{'s' * (report.wrong > 1)}")
    if report.carried_forward:
        verb = "follows" if report.carried_forward == 1 else "follow"
        parts.append(f"{report.carried_forward} {verb} from an earlier number")
    if report.unchecked:
        parts.append(f"{report.unchecked} could not be checked")
    return f"{_count(total, 'number')}: {', '.join(parts)}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def in_short(report: Report) -> str:
    """The report in one line: how many, and the first that is not right."""
    bad = report.first or next((each for each in report.marked if not each.right), None)
    text = _sum(report)
    if bad is None:
        return f"<Report: {text}>"
    detail = next(details(bad), "")
    exact = f", exact {_calculated(bad, bad.exact)}" if bad.exact is not None else ""
    text += f" {bad.name or bad.answer.name} = {bad.answer.text}{exact}" + (f": {detail}" if detail else "")
    return shown_line(f"<Report: {text}>")


def feedback(marked: Marked) -> str:
    """A sentence about a number that is not right."""
    told = "; ".join(details(marked))
    name, given = marked.name or marked.answer.name, marked.answer.text
    if marked.exact is None:
        return f"{name}: {told}."
    return f"{name} = {given} is not {_calculated(marked, marked.exact)}{': ' + told if told else ''}."


def shown_line(text: str) -> str:
    """One line that no sign breaks."""
    return shown(text.replace("\n", " "), 230)[1:-1] if "\n" in text else printable(text)[:230]
