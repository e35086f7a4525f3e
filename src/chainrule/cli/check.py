"""`chainrule check`: written-down numbers, held against the derivation."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chainrule.cli import shared
from chainrule.errors import InputError, printable

if TYPE_CHECKING:
    from chainrule.errors import Problem
    from chainrule.marking.check import Checker
    from chainrule.marking.report import Report
    from chainrule.spec import Example


@click.command("check", cls=shared.Once, short_help="Hold written-down numbers against the derivation.")
@click.argument("what")
@click.argument("answers", nargs=-1)
@click.option("--csv", "marks", metavar="FILE", help="Write the marks of a class, a row for each file.")
@click.option(
    "--carried",
    type=click.FloatRange(0, 1),
    default=0,
    metavar="MARK",
    help="Of a class: the mark for a number that follows from an earlier wrong one, 0 to 1; by default 0.",
)
@click.option("--of", multiple=True, metavar="NAME", help="Of a class: mark only this number. Repeatable.")
@shared.after
@shared.names
@shared.setting
@shared.language
@click.option("--brief", is_flag=True, help="Leave out the numbers that are right.")
@click.option("--json", "as_json", is_flag=True, help="The verdicts as JSON.")
@click.pass_context
def command(
    context: click.Context,
    what: str,
    answers: tuple[str, ...],
    marks: str | None,
    carried: float,
    of: tuple[str, ...],
    after: int | None,
    style: str | None,
    settings: tuple[str, ...],
    brief: bool,
    as_json: bool,
) -> int:
    """Hold written-down numbers against the derivation of WHAT.

    ANSWERS are files of names and numbers (TOML, CSV) or documents with marked numbers (Markdown: 0.31<!-- net_h1 -->,
    LaTeX: 0.31 %= net_h1), or the folder of a class, a file for each student. Without ANSWERS: the numbers that a bundled
    example's source prints. The exit code is 0 if all numbers are right, and 1 if not.
    """
    folder = len(answers) == 1 and os.path.isdir(answers[0])
    if not folder and (marks or carried or of):
        option = "--csv" if marks else "--carried" if carried else "--of"
        raise click.UsageError(f"{option} is for the folder of a class - give one folder")
    file = shared.writable(marks, what, *answers)
    from chainrule.marking.check import Checker
    from chainrule.spec import load

    example = load(what, shared.pairs(settings))
    shared.warn(example.warnings)
    progress = shared.Progress()
    checker = Checker(example, after=after or 0, names=style or "", progress=progress)
    if folder:
        return _class(checker, answers[0], file, carried, of, as_json)
    reports = _reports(checker, example, answers)
    progress.done()
    if as_json:
        data = [report.data() for _, report in reports]
        shared.deliver(_json(data[0] if len(data) == 1 else {"files": data}), None)
    else:
        texts = []
        for name, report in reports:
            head = f"{printable(name)}\n" if len(reports) > 1 else ""
            texts.append(head + report.text(shared.width(), all=not brief, colour=shared.colour()))
        shared.deliver("\n".join(texts), None)
    return 0 if all(report.ok for _, report in reports) and len(reports) == max(len(answers), 1) else 1


def _reports(checker: Checker, example: Example, answers: tuple[str, ...]) -> list[tuple[str, Report]]:
    from chainrule.marking.answers import printed_answers

    if not answers:
        return [("", checker.check(printed_answers(Path(example.file).stem)))]
    found: list[tuple[str, Report]] = []
    problems: list[Problem] = []
    for name in answers:
        try:
            found.append((name, checker.check(Path(name))))
        except InputError as error:
            problems += error.problems
    if not found:
        raise InputError(*problems)
    for problem in problems:  # the other files were checked
        sys.stderr.write(f"error: {problem}\n")
    return found


def _class(checker: Checker, folder: str, file: Path | None, carried: float, of: tuple[str, ...], as_json: bool) -> int:
    from chainrule.marking.grading import grade

    marks = grade(checker, folder, carried=carried, of=of)
    if as_json:
        shared.deliver(_json(marks.data()), None)
    else:
        shared.deliver(marks.text(shared.width()), None)
    if file is not None:
        shared.deliver(marks.csv(), file)
    for problem in marks.problems:
        sys.stderr.write(f"error: {problem}\n")
    return 0 if marks.ok else 1


def _json(data: Any) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
