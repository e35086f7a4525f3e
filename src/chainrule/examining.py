"""What is known of a run when it has ended, or of a run folder that is looked at later: the evidence for the doctor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule import files, models
from chainrule.course import Learned
from chainrule.doctor import Evidence
from chainrule.errors import RunError
from chainrule.experiment import Experiment
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
    told = about.get("record")
    if told is None:  # the run is not finished, or broke down before there was a model
        state = _newest(run)
        told = {"ended": state.get("ended", ""), "trouble": state.get("trouble", "")}
    return Evidence.made(settings, run.history(), about.get("scores"), told)


def _newest(run: Run) -> dict[str, Any]:
    """The newest state that can be read; nothing if there is none."""
    try:
        return files.read_checkpoint(files.newest(run.checkpoints)[0])
    except RunError:
        return {}
