"""`chainrule doctor`: what a training run suffers from, and what would help."""

from __future__ import annotations

import json
from pathlib import Path

import click

from chainrule.cli import shared


@click.command("doctor", cls=shared.Once, short_help="Say what a training run suffers from, and what would help.")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(run: str, as_json: bool) -> None:
    """Look through the record of RUN, a run folder: its curves, what went on in its layers, its scores and its data.

    Each finding comes with the numbers behind it, and with one thing to try.
    """
    from chainrule import doctor, examining
    from chainrule.cli import outcomes
    from chainrule.runs import Run

    findings = doctor.findings(examining.of_run(Run.opened(Path(run))))
    if as_json:
        text = json.dumps([finding.data() for finding in findings], indent=1) + "\n"
    else:
        text = "\n".join(outcomes.found(findings, shared.width())) + "\n" if findings else "nothing stands out\n"
    shared.deliver(text, None)
