"""`chainrule why-changed`: the updates and the rows that moved a weight of a recorded run."""

from __future__ import annotations

import json

import click

from chainrule.cli import recorded, shared


@click.command("why-changed", cls=shared.Once, short_help="Find the updates and rows that moved a weight.")
@click.argument("run")
@click.argument("name")
@click.option("--from", "first", type=click.IntRange(min=1), default=1, metavar="A", help="The first update; 1 by default.")
@click.option("--to", "last", type=click.IntRange(min=1), metavar="B", help="The last update; the run's last by default.")
@click.option("--most", type=click.IntRange(1, 1000), default=10, metavar="K", help="Updates and rows to list; 10 by default.")
@click.option("--data", multiple=True, metavar="FILE", help="Where the run's table lies now, if it was moved.")
@shared.digits
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object with all updates and rows.")
@click.option("-o", "--output", metavar="FILE", help="Write to a file.")
def command(
    run: str,
    name: str,
    first: int,
    last: int | None,
    most: int,
    data: tuple[str, ...],
    digits: int | None,
    as_json: bool,
    output: str | None,
) -> None:
    """List the updates of RUN, a run's folder, and the rows of its table that moved the weight NAME most.

    NAME is an id such as "W[1][3,7]" or "b[2][1]". The updates are replayed, and each one's change is divided among the rows
    of its batch.
    """
    file = shared.writable(output)
    from chainrule.replay.moved import as_data, why_changed
    from chainrule.replay.moved_text import as_text

    opened = recorded.open_run(run, data)
    found = why_changed(opened, name, first, last)
    if found.agreement.bits is False:
        shared.warn((found.agreement.sentence,))
    if as_json:
        shared.deliver(json.dumps(as_data(found, most), indent=1, ensure_ascii=False) + "\n", file)
    else:
        shared.deliver(as_text(found, most, digits or 9, shared.width()), file)
