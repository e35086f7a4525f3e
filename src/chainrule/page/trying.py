"""Try: numbers that a person filled in, held against the step; and numbers to fill in, from a file or from the source."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

from chainrule.errors import InputError, shown
from chainrule.marking.answers import Answer, answers_in, printed_answers
from chainrule.marking.check import Checker
from chainrule.marking.report import Report
from chainrule.marking.report_html import marked_page
from chainrule.marking.report_text import SIGNS, cells, details, summary
from chainrule.page.body import Body
from chainrule.page.desk import Desk
from chainrule.phrases import phrase, say
from chainrule.spec import example_names, load_example

MOST, LONGEST = 3_000, 200
"""Answers in one ask, and signs in one answer."""

FILE = 16 * 2**20
"""Signs in a file of answers."""


def check(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """A verdict on each number that was filled in, with what is behind it, and the sum of it."""
    body = Body(sent)
    answers = _answers(body)
    body.close()
    report = _report(desk, answers)
    marks = []
    for each in report.marked:
        _, _, exact = cells(each)
        told = list(details(each))
        if each.verdict == "wrong" and not each.explanations:
            told.append(say("No slip that is known gives {number}.", number=each.answer.text))
        marks.append(each.data() | {"sign": SIGNS.get(each.verdict, "?"), "details": told, "shown": exact})
    return {
        "marks": marks, "summary": list(summary(report)), "right": report.right, "wrong": report.wrong,
        "carried_forward": report.carried_forward, "ok": report.ok,
    }  # fmt: skip


def marked(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """The same verdicts as a file that can be sent to somebody. who: whose answers these are."""
    body = Body(sent)
    answers = _answers(body)
    who = body.text("who", 100) if "who" in sent else ""
    body.close()
    stem = Path(desk.example.file).stem if not desk.recorded else "run"
    named = "-".join(re.sub(r"[^\w]+", "-", part).strip("-") for part in (stem or "step", who) if part.strip())
    text = marked_page(_report(desk, answers), who, date.today().isoformat())
    return {"name": f"{named[:100]}-marked.html", "type": "text/html", "text": text}


def source(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """Whether the source of this example prints numbers, and why they cannot be filled in if they cannot."""
    Body(sent).close()
    return {"prints": _prints(desk), "why": say(_CHANGED) if _prints(desk) and not _is_the_source_s(desk) else ""}


def printed(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """The numbers that the source of a bundled example prints."""
    Body(sent).close()
    if _prints(desk) and not _is_the_source_s(desk):
        raise InputError(say(_CHANGED), do=say("undo the changes, or open the example again"))
    return {"answers": _filled(desk, printed_answers(Path(desk.example.file).stem))}


_CHANGED = phrase("This is not the network of the source any more: its numbers would be about another one.")


def _prints(desk: Desk) -> bool:
    if desk.recorded or Path(desk.example.file).stem not in example_names():
        return False
    try:
        return bool(printed_answers(Path(desk.example.file).stem))
    except InputError:
        return False


def _is_the_source_s(desk: Desk) -> bool:
    """Whether network and data are those of the bundled example: conventions may differ, that is what is tried out."""
    mine, theirs = desk.example, load_example(Path(desk.example.file).stem)
    return (
        mine.network.widths == theirs.network.widths
        and mine.x.shape == theirs.x.shape
        and bool((mine.x == theirs.x).all() and (mine.t == theirs.t).all())
        and bool((mine.network.parameters == theirs.network.parameters).all())
    )


def read(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """The numbers in a file of answers, by the names of this step."""
    body = Body(sent)
    name, text = body.text("name", 255), body.text("text", FILE)
    body.close()
    return {"answers": _filled(desk, answers_in(text.encode("utf-8", "replace"), Path(name).name))}


def _answers(body: Body) -> list[Answer]:
    sent = body.take("answers")
    if not isinstance(sent, dict) or not 0 < len(sent) <= MOST:
        raise InputError(say("answers must be 1 to 3,000 names with their numbers"), got=shown(sent), field="answers")
    for name, text in sent.items():
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST or len(name) > LONGEST:
            what = say("an answer must be a text of 1 to {n} signs", n=LONGEST)
            do = say("write the number, with all its digits")
            raise InputError(what, where=shown(name), got=shown(text), do=do, field=name)
    return [Answer(name, text) for name, text in sent.items()]


def _report(desk: Desk, answers: list[Answer]) -> Report:
    checker: Checker = desk.kept("checker", lambda: _checker(desk))
    return checker.check(answers, refuse=False)


def _checker(desk: Desk) -> Checker:
    """With the step that lies there: to train to it once more could take as long as the training did."""
    return Checker(desk.trace) if desk.recorded else Checker(desk.example, after=desk.after, known=desk.trace)


def _filled(desk: Desk, answers: list[Answer] | tuple[Answer, ...]) -> list[dict[str, Any]]:
    """Answers of the step that is looked at; those that cannot be read stay, with what is wrong."""
    trace, found = desk.trace, []
    for each in answers:
        if each.after not in (None, desk.after):
            continue
        entry: dict[str, Any] = {"name": each.name, "text": each.text, "id": "", "fault": each.fault}
        try:
            entry["id"] = trace.step(trace.find(each.name, desk.sample)).id
        except InputError as error:
            entry["fault"] = entry["fault"] or str(error.problems[0])
        found.append(entry)
    return found
