"""What is known of a run when it has ended, or of a run folder that is looked at later: the evidence for the doctor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule import files, judging, models, standing
from chainrule.course import Learned
from chainrule.errors import Problem, RunError
from chainrule.evidence import Evidence
from chainrule.experiment import Experiment
from chainrule.files.texts import fits
from chainrule.importance import Importance
from chainrule.judging import Judgement
from chainrule.runs import Run
from chainrule.scores import ClassScores


def evidence(
    experiment: Experiment,
    learned: Learned,
    judgement: Judgement | None,
    history: Sequence[Mapping[str, Any]],
    importance: Importance | None = None,
) -> Evidence:
    """The evidence of a run that has just ended."""
    goal, scores = experiment.goal, None if judgement is None else judgement.scores
    counts: tuple[int, ...] = ()
    if goal.kind != "number":
        codes = goal.codes(experiment.table.column(goal.column), experiment.train)
        counts = tuple(int(count) for count in np.bincount(codes, minlength=len(goal.classes)))
    recall = scores.recall if isinstance(scores, ClassScores) else ()
    kept = learned.best_epoch if experiment.keeps_best(learned) else len(learned.epochs)
    return Evidence(
        experiment.settings,
        goal.kind,
        history,
        learned.reason,
        learned.trouble,
        kept,
        None if judgement is None else judgement.figures(),
        goal.classes,
        counts,
        tuple(None if math.isnan(each) else each for each in recall),
        goal.scale,
        tuple(map(str, experiment.warned)),
        () if importance is None else tuple((name, worse) for name, worse, _ in importance.columns),
    )


def of_run(run: Run) -> Evidence:
    """The evidence that a run folder holds. Raises RunError if its files are damaged."""
    settings, _ = run.read_settings()
    about: Mapping[str, Any] = models.load(run.model_file).about if run.model_file.exists() else {}
    told, figures = about.get("record"), about.get("scores")
    if told is None:  # the run is not finished, or broke down before there was a model
        ended = standing.ended(_newest(run)) or ("", "")
        told = dict(zip(("ended", "trouble"), ended, strict=True))
    elif not _is_record(told) or not (figures is None or judging.are_figures(figures, told["task"])):
        do = "train again: the model was not written by a run"
        raise RunError(
            Problem("what the model says of its training is not as a run writes it", file=str(run.model_file), do=do)
        )
    return Evidence.made(settings, run.history(), figures, told)


_RECORD = {
    "task": str, "ended": str, "trouble": str, "kept": int, "classes": [str], "counts": [int], "recall": [(float, None)],
    "scale": float, "warned": [str], "weighs": [[(str, float)]],
}  # fmt: skip


def _is_record(told: Any) -> bool:
    return (
        fits(told, _RECORD)
        and told["task"] in ("classes", "yes_or_no", "number")
        and told["kept"] >= 0
        and all(count >= 0 for count in told["counts"])
        and len(told["classes"]) == len(told["counts"])
        and len(told["recall"]) in (0, len(told["classes"]))
        and all(len(each) == 2 and fits(each[0], str) and fits(each[1], float) for each in told["weighs"])
    )


def _newest(run: Run) -> dict[str, Any]:
    """The newest state that can be read; nothing if there is none."""
    try:
        return files.read_checkpoint(files.newest(run.checkpoints)[0])
    except RunError:
        return {}
