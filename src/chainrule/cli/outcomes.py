"""The result of a training run or an evaluation, for a terminal and for a program."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import Any

from chainrule import judging
from chainrule.doctor import Finding
from chainrule.errors import printable
from chainrule.folding import Folds
from chainrule.judging import Judgement
from chainrule.recording import Outcome

REASONS = {
    "epochs": "All {epochs} epochs were trained",
    "patience": "After {epochs} epochs the validation loss had stopped improving",
    "time": "After {epochs} epochs the time was up",
    "callback": "After {epochs} epochs training was ended",
    "not finite": "Training broke down in epoch {next}",
}


def as_text(outcome: Outcome, width: int) -> str:
    """Words first, then the figures."""
    learned, run = outcome.learned, outcome.run
    count = len(learned.epochs)
    ended = REASONS[learned.reason].format(epochs=f"{count:,}", next=f"{count + 1:,}")
    kept = f"; the weights of epoch {learned.best_epoch:,} are kept" if outcome.experiment.keeps_best(learned) else ""
    lines = [f"{ended} ({outcome.seconds:.1f} s){kept}."]
    if learned.trouble:
        lines.append(printable(learned.trouble))
    if outcome.judgement is not None:
        lines += ["", *_words(outcome.judgement, width), "", *_figures(outcome.judgement)]
    if outcome.folds is not None:
        lines += ["", f"{len(outcome.folds.judged)} folds, mean and standard deviation:", *columns(_folds(outcome.folds))]
    told = [finding for finding in outcome.findings if finding.kind not in ("data", "diverged")]  # those have been told
    if told:
        lines += ["", *found(told, width)]
    lines += ["", f"model    {printable(str(run.model_file))}", f"run      {printable(str(run.folder))}"]
    if run.report_file.exists():
        lines.append(f"report   {printable(str(run.report_file))}")
    return "\n".join(lines) + "\n"


def _folds(folds: Folds) -> list[list[str]]:
    told = folds.figures()
    names = list(next(iter(told.values())))
    rows = [["", *told]]
    for name in names:
        cells = [
            f"{judging.figure(mean)} +- {judging.figure(deviation)}" for mean, deviation in (told[kind][name] for kind in told)
        ]
        rows.append([judging.NAMES[name], *cells])
    return rows


def found(findings: Sequence[Finding], width: int) -> list[str]:
    """What the doctor says, each on lines of its own."""
    lines = []
    for finding in findings:
        text = printable(f"{finding.kind}: {finding}")
        wide = max(40, min(width, 100))
        lines += textwrap.wrap(f"{finding.severity:<8} {text}", wide, subsequent_indent=" " * 9, break_on_hyphens=False)
    return lines


def _figures(judgement: Judgement) -> list[str]:
    lines = columns(judging.table_of(judgement))
    confusion = judging.confusion_of(judgement)
    if confusion is not None and len(confusion) <= 12:
        lines += ["", *columns(confusion)]
    return lines


def judged(judgement: Judgement, width: int) -> str:
    """A judgement alone."""
    return "\n".join([*_words(judgement, width), "", *_figures(judgement)]) + "\n"


def _words(judgement: Judgement, width: int) -> list[str]:
    return textwrap.wrap(printable(judging.in_words(judgement)), width)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table as lines: names to the left, everything else to the right."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        first = row[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([first, *rest]).rstrip())
    return lines


def as_json(outcome: Outcome) -> str:
    """The same for a program."""
    learned = outcome.learned
    told: dict[str, Any] = {
        "run": str(outcome.run.folder),
        "model": str(outcome.run.model_file),
        "task": outcome.experiment.settings.task,
        "reason": learned.reason,
        "trouble": learned.trouble,
        "epochs": len(learned.epochs),
        "best_epoch": learned.best_epoch,
        "seconds": outcome.seconds,
        "scores": None if outcome.judgement is None else outcome.judgement.figures(),
        "folds": None if outcome.folds is None else outcome.folds.figures(),
        "warnings": [str(problem) for problem in outcome.experiment.warned],
        "findings": [finding.data() for finding in outcome.findings if finding.kind != "data"],
    }
    return json.dumps(told, indent=1) + "\n"
