"""Cross-validation: the same experiment on each fold, each time judged on rows that it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chainrule import judging, preparing, scores, splits
from chainrule.epochs import learn
from chainrule.experiment import Experiment, grouping_of, of_rows, usable_rows
from chainrule.judging import Judgement


@dataclass(frozen=True, eq=False)
class Folds:
    """What came of each fold."""

    judgements: tuple[Judgement, ...]

    def figures(self) -> dict[str, dict[str, tuple[float, float]]]:
        """Mean and standard deviation over the folds of each figure, of the model and of each baseline."""
        told = [judgement.figures() for judgement in self.judgements]
        kinds = [kind for kind in told[0] if kind != "rows"]
        return {kind: {name: scores.spread([each[kind][name] for each in told]) for name in told[0][kind]} for kind in kinds}


def cross_validate(experiment: Experiment, tell: Callable[[str], None], stop: Callable[[], bool]) -> Folds | None:
    """The experiment's settings on each of `folds` folds of all rows; None if somebody wants it to end."""
    settings, table = experiment.asked, experiment.table  # each fold chooses from its own rows
    found = preparing.recognise(table, settings.target, settings.task)
    usable, _ = usable_rows(settings, table)
    chosen = grouping_of(settings, table, usable, found.kind).chosen
    judgements = []
    parts = splits.folds(len(usable), settings.folds, settings.seed, **chosen)
    for number, part in enumerate(parts, 1):
        fold = of_rows(settings, table, found, usable[part.train], usable[part.test], cache=experiment.cache)
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
        judgements.append(judgement)
        main, value = next(iter(judgement.scores.figures().items()))
        tell(f"fold {number} of {settings.folds}: {judging.NAMES[main]} {value:.4f}")
    return Folds(tuple(judgements))
