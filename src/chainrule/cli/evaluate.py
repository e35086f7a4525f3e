"""`chainrule evaluate`: how good a model is on a table that has the answers."""

from __future__ import annotations

import json

import click

from chainrule.cli import shared


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
    shared.warn((*predicting.unseen_words(loaded, table), *map(str, missing)))
    found = judging.Judgement(goal, judging.scored(loaded, table, rows))
    shared.deliver(json.dumps(found.figures(), indent=1) + "\n" if as_json else outcomes.judged(found, shared.width()), None)
