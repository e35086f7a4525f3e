"""`chainrule evaluate`: how good a model is on a table that has the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from chainrule.cli import shared
from chainrule.errors import InputError


@click.command("evaluate", cls=shared.Once, short_help="Score a model on a table with known answers.")
@click.argument("model")
@click.argument("data", nargs=-1, required=True)
@click.option("--unseen", type=click.Choice(["other", "error"]), default="other", help="Categories that training did not have.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@shared.reading
def command(model: str, data: tuple[str, ...], unseen: str, as_json: bool, **reading: str | None) -> None:
    """Score MODEL, a model file or a run folder, on DATA: a table that has the target column too."""
    from chainrule import judging, predicting, preparing
    from chainrule.cli import outcomes

    loaded = shared.load_model(model)
    table = shared.read_for(loaded, data, reading, target=True)
    if unseen == "error":
        predicting.refuse_unseen(loaded, table)
    goal = loaded.for_tables()[1]
    rows, missing = preparing.labelled(table, goal.column)
    shared.warn((*predicting.unseen_words(loaded, table), *map(str, missing), *_known(model, loaded, table)))
    weights = loaded.about.get("weights")
    weighs = isinstance(weights, str) and weights in table.names
    given = preparing.sample_weights(table, weights, rows) if weighs else None
    found = judging.Judgement(goal, judging.scored(loaded, table, rows, given), (), weighs)
    shared.deliver(json.dumps(found.figures(), indent=1) + "\n" if as_json else outcomes.judged(found, shared.width()), None)


MOST = 1_000_000
"""Rows of a training table beyond which nobody looks whether they are asked for again."""


def _known(path: str, model: Any, table: Any) -> Iterator[str]:
    """A word about rows that the model was trained on, where its run's table is still there."""
    from chainrule import experiment, judging
    from chainrule.runs import Run

    run = Run(Path(path))
    if not run.settings_file.is_file():
        return
    try:
        settings, facts = run.read_settings()
        training = experiment.read(settings)
    except InputError:
        return
    if training.fingerprint != facts.get("fingerprint") or len(training) > MOST:
        return
    count = judging.trained_on(model, training, table)
    if count:
        rows = f"{count:,} of {len(table):,} rows stand in the table of the training run too"
        yield f"{rows}: where the model was trained on them, it looks better than it is"
