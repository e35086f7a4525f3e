"""`chainrule explain`: one step, derived."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from chainrule.cli import recorded, shared
from chainrule.cli.recorded import Telling
from chainrule.errors import InputError, shown
from chainrule.explain import FORMATS
from chainrule.meant import is_recorded

SUFFIXES = {".txt": "text", ".md": "markdown", ".tex": "latex", ".html": "html", ".htm": "html", ".json": "json"}


@click.command("explain", cls=shared.Once, short_help="Derive one step of a network.")
@click.argument("what")
@click.option("--of", multiple=True, metavar="NAME", help="Only what leads to this number: w5, or dE/dW[1][3,7]. Repeatable.")
@shared.after
@click.option("--until", type=float, metavar="LOSS", help="Iterate until the loss is at most this, then derive the step.")
@click.option("--patience", type=click.IntRange(min=1), metavar="N", help="Iterate until N epochs brought no improvement.")
@click.option("--step", type=click.IntRange(min=1), metavar="N", help="Of a recorded run: update N, replayed.")
@click.option("--row", metavar="LINE", help="Of a run or a model: the prediction for the row in this line.")
@click.option("--data", multiple=True, metavar="FILE", help="The table of --row; or where a run's table lies now.")
@click.option("--sample", metavar="R", help="Which of many samples is told, or all.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="By default text, or what the name of FILE says.")
@click.option("-o", "--output", metavar="FILE", help="Write to a file.")
@shared.digits
@shared.names
@shared.setting
@shared.language
@click.option("--fragment", is_flag=True, help="LaTeX without preamble, or HTML without page, for a text of your own.")
@click.option("--no-time", is_flag=True, help="Leave out how long forward and backward took.")
def command(
    what: str,
    of: tuple[str, ...],
    after: int | None,
    until: float | None,
    patience: int | None,
    step: int | None,
    row: str | None,
    data: tuple[str, ...],
    sample: str | None,
    form: str | None,
    output: str | None,
    digits: int | None,
    style: str | None,
    settings: tuple[str, ...],
    fragment: bool,
    no_time: bool,
) -> None:
    """Derive one step of WHAT: a spec file (TOML or JSON), the name of a bundled example, or a recorded run's folder.

    Every number of the forward pass, the loss, the backward pass and the update is shown with its formula, the formula
    with numbers, and its value. Of a run, --step N replays an update, and --row LINE derives a prediction.
    """
    if sum(option is not None for option in (after, until, patience)) > 1:
        raise click.UsageError("--after, --until and --patience exclude each other - give one of them")
    if until is not None and not math.isfinite(until):
        raise InputError("--until needs a finite loss", got=shown(until), do="for example --until 0.001")
    file = shared.writable(output, what)
    if form is None:
        form = _form(file) if file else "text"
    if fragment and form not in ("latex", "html"):
        raise click.UsageError(f"--fragment is for latex and html, not for {form} - leave it out")
    options: dict[str, Any] = (
        {"width": shared.width()} if form == "text" else {"fragment": fragment} if form in ("latex", "html") else {}
    )
    telling = Telling(of, sample, form, not no_time, digits, style or "", options, file)
    if row is not None or is_recorded(what):
        recorded.refuse(what, {"--until": until, "--patience": patience, "--set": settings or None})
        if row is not None:
            recorded.refuse(what, {"--step": step, "--after": after, "--sample": sample})
            recorded.tell_row(what, row, data, telling)
        else:
            recorded.tell_step(what, step, after, data, telling)
        return
    if Path(what).suffix == ".safetensors" and Path(what).is_file():
        raise InputError("of a model a prediction is derived", got=shown(what), do="--row LINE --data FILE says of which row")
    for option, value in (("--step", step), ("--data", data or None)):
        if value is not None:
            do = "give the folder of a run (see `chainrule train`), or use --after N" if option == "--step" else "leave it out"
            raise InputError(f"{option} is for recorded runs", got=shown(what), do=do)

    from chainrule.derivation import derive
    from chainrule.explain import tell
    from chainrule.spec import load

    example = load(what, shared.pairs(settings))
    shared.warn(example.warnings)
    progress = shared.Progress()
    trace = derive(example, after or 0, until, patience, digits, style or "", progress)
    progress.done()
    if form == "html":  # the page can be opened again
        from chainrule.spec.writing import portable

        options["spec"] = portable(example)
    shared.deliver(tell(trace, form, of, telling.chosen, not no_time, **options), file)


def _form(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix and suffix not in SUFFIXES:
        raise InputError(
            "no format goes with this file name", got=shown(file.name), do=f"use {', '.join(SUFFIXES)}, or --format"
        )
    return SUFFIXES.get(suffix, "text")
