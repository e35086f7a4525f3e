"""`chainrule predict`: a model's answer for each row of a table."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from chainrule.cli import shared
from chainrule.errors import printable


@click.command("predict", cls=shared.Once, short_help="Predict each row of a table.")
@click.argument("model")
@click.argument("data", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE", help="Write to a .csv or .parquet file.")
@click.option("--probabilities", is_flag=True, help="The probability of each class too.")
@click.option("--along", metavar="A,B,...", help="Columns of the table to write too.")
@click.option("--unseen", type=click.Choice(["other", "error"]), default="other", help="Categories that training did not have.")
@click.option("--no-guard", is_flag=True, help="Leave texts as they are that a spreadsheet would take for formulas.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each row.")
@shared.reading
def command(
    model: str,
    data: tuple[str, ...],
    output: str | None,
    probabilities: bool,
    along: str | None,
    unseen: str,
    no_guard: bool,
    as_json: bool,
    **reading: str | None,
) -> None:
    """Predict each row of DATA with MODEL: a model file, or a run folder.

    The table needs the columns that the model was trained on, in any order.
    """
    file = shared.writable(output, *data)
    from chainrule import predicting

    loaded = shared.load_model(model)
    table = shared.read_for(loaded, data, reading)
    if unseen == "error":
        predicting.refuse_unseen(loaded, table)
    shared.warn(tuple(predicting.unseen_words(loaded, table)))
    wanted = tuple(part.strip() for part in (along or "").split(",") if part.strip())
    found = predicting.predict(loaded, table, probabilities, wanted)
    if as_json:
        shared.deliver("".join(map(_line, predicting.rows_of(found))), file)
    elif file is None:
        text = predicting.as_csv(found, not no_guard)
        shared.deliver(printable(text, keep="\n\r\t") if sys.stdout.isatty() else text, None)
    else:
        predicting.write(found, Path(file), not no_guard)


def _line(row: dict[str, float | str]) -> str:
    return json.dumps(row) + "\n"
