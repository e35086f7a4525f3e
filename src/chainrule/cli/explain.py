"""`chainrule explain`: one step, derived."""

from __future__ import annotations

import math
from pathlib import Path

import click

from chainrule.cli import shared
from chainrule.errors import InputError, shown
from chainrule.explain import FORMATS

SUFFIXES = {".txt": "text", ".md": "markdown", ".tex": "latex", ".html": "html", ".htm": "html", ".json": "json"}


@click.command("explain", cls=shared.Once, short_help="Derive one step of a network.")
@click.argument("what")
@click.option("--of", multiple=True, metavar="NAME", help="Only what leads to this number: w5, or dE/dW[1][3,7]. Repeatable.")
@shared.after
@click.option("--until", type=float, metavar="LOSS", help="Iterate until the loss is at most this, then derive the step.")
@click.option("--patience", type=click.IntRange(min=1), metavar="N", help="Iterate until N epochs brought no improvement.")
@click.option("--step", type=click.IntRange(min=1), metavar="N", hidden=True)
@click.option("--sample", metavar="R", help="Which of many samples is told, or all.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="By default text, or what the name of FILE says.")
@click.option("-o", "--output", metavar="FILE", help="Write to a file.")
@shared.digits
@shared.names
@shared.setting
@click.option("--fragment", is_flag=True, help="LaTeX without preamble, or HTML without page, for a text of your own.")
@click.option("--no-time", is_flag=True, help="Leave out how long forward and backward took.")
def command(
    what: str,
    of: tuple[str, ...],
    after: int | None,
    until: float | None,
    patience: int | None,
    step: int | None,
    sample: str | None,
    form: str | None,
    output: str | None,
    digits: int | None,
    style: str | None,
    settings: tuple[str, ...],
    fragment: bool,
    no_time: bool,
) -> None:
    """Derive one step of WHAT: a spec file (TOML or JSON) or the name of a bundled example.

    Every number of the forward pass, the loss, the backward pass and the update is shown with its formula, the formula
    with numbers, and its value.
    """
    if sum(option is not None for option in (after, until, patience)) > 1:
        raise click.UsageError("--after, --until and --patience exclude each other - give one of them")
    if step is not None:
        raise InputError(
            "--step replays a recorded run, and this version does not record runs yet", got=f"--step {step}", do="use --after N"
        )
    if until is not None and not math.isfinite(until):
        raise InputError("--until needs a finite loss", got=shown(until), do="for example --until 0.001")
    file = shared.writable(output, what)
    if form is None:
        form = _form(file) if file else "text"

    from chainrule.derivation import derive
    from chainrule.explain import tell
    from chainrule.spec import load

    example = load(what, shared.pairs(settings))
    shared.warn(example.warnings)
    progress = shared.Progress()
    trace = derive(example, after or 0, until, patience, digits, style or "", progress)
    progress.done()
    if fragment and form not in ("latex", "html"):
        raise click.UsageError(f"--fragment is for latex and html, not for {form} - leave it out")
    options = {"width": shared.width()} if form == "text" else {"fragment": fragment} if form in ("latex", "html") else {}
    shared.deliver(tell(trace, form, of, _sample(sample), not no_time, **options), file)


def _form(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix and suffix not in SUFFIXES:
        raise InputError(
            "no format goes with this file name", got=shown(file.name), do=f"use {', '.join(SUFFIXES)}, or --format"
        )
    return SUFFIXES.get(suffix, "text")


def _sample(text: str | None) -> int | str | None:
    if text is None or text == "all":
        return text
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InputError("--sample needs a whole number or all", got=shown(text), do="for example --sample 3")
    return int(text)
