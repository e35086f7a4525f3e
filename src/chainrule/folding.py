"""Cross-validation: the same experiment on each fold, each time judged on rows that it has not seen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chainrule import judging, preparing, scores, splits
from chainrule.epochs import learn
from chainrule.experiment import Experiment, grouping_of, of_rows, usable_rows


@dataclass(frozen=True)
class Folds:
    """What came of each fold: the figures of its judgement, plain data that a checkpoint can hold."""

    judged: tuple[Mapping[str, Any], ...]

    def figures(self) -> dict[str, dict[str, tuple[float, float]]]:
        """Mean and standard deviation over the folds of each figure, of the model and of each baseline."""
        first, *_ = self.judged
        return {
            kind: {name: scores.spread([each[kind][name] for each in self.judged]) for name in figures}
            for kind, figures in first.items()
            if kind != "rows"
        }


def parts(experiment: Experiment) -> tuple[splits.Split, ...]:
    """The folds' rows, as places among those that can be used. RunError where there are too few of them."""
    settings, table = experiment.asked, experiment.table
    usable, _ = usable_rows(settings, table)
    kind = preparing.recognise(table, settings.target, settings.task).kind
    return splits.folds(len(usable), settings.folds, settings.seed, **grouping_of(settings, table, usable, kind).chosen)


def cross_validate(experiment: Experiment, tell: Callable[[str], None], stop: Callable[[], bool]) -> Folds | None:
    """The experiment's settings on each of `folds` folds of all rows; None if somebody wants it to end."""
    settings, table = experiment.asked, experiment.table  # each fold chooses from its own rows
    found = preparing.recognise(table, settings.target, settings.task)
    usable, _ = usable_rows(settings, table)
    judged = []
    for number, part in enumerate(parts(experiment), 1):
        cache = None if experiment.cache is None else experiment.cache / f"fold-{number}"  # its rows are no other's
        fold = of_rows(settings, table, found, usable[part.train], usable[part.test], cache=cache)
        learned = learn(
            fold.network,
            fold.rows,
            fold.optimizer,
            fold.course,
            validation=fold.watched if len(fold.validation) else None,
            between=lambda standing: stop(),
            name=fold.name,
        )
        if learned.reason == "stopped":
            return None
        judgement = judging.judge(fold, fold.model(fold.kept(learned)))
        assert judgement is not None
        judged.append(judgement.figures())
        if cache is not None:
            shutil.rmtree(cache, ignore_errors=True)
        main, value = next(iter(judgement.scores.figures().items()))
        tell(f"fold {number} of {settings.folds}: {judging.NAMES[main]} {value:.4f}")
    return Folds(tuple(judged))
