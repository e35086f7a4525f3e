"""`chainrule train`: from a table to a model, and a folder in which the whole run can be opened."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from chainrule.cli import shared
from chainrule.errors import InputError, Problem, printable, shown
from chainrule.settings import CHANGEABLE, NAMES, SECTIONS, Settings, about, read_settings

HIDDEN = ("data",)


def _option(name: str) -> Callable[[Any], Any]:
    """A setting as an option of the command."""
    meta = about(name)
    kind, limits = meta["kind"], meta["limits"]
    flag = "--" + name.replace("_", "-")
    if kind == "switch":
        off = "--no-" + name.replace("_", "-")
        return click.option(f"{flag}/{off}", name, default=None, help=meta["help"])
    metavar = "|".join(limits["choices"]) if "choices" in limits else _METAVARS[kind]
    return click.option(flag, name, metavar=metavar, help=meta["help"])


_METAVARS = {"text": "TEXT", "texts": "A,B,...", "whole": "N", "wholes": "N,N,...", "number": "X"}


def _options(command: Any) -> Any:
    for name in reversed([name for name in NAMES if name not in HIDDEN]):
        command = _option(name)(command)
    return command


def read_option(name: str, text: Any) -> Any:
    """An option's text as the setting's value; an InputError with an example if it is none."""
    kind = about(name)["kind"]
    if kind in ("switch", "text"):
        return text
    if kind == "texts":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind == "wholes":
        if text.strip().lower() in ("none", ""):
            return ()
        return tuple(_number(name, part, int) for part in text.split(","))
    return _number(name, text, int if kind == "whole" else float)


def _number(name: str, text: str, kind: type) -> Any:
    flag, text = "--" + name.replace("_", "-"), text.strip()
    plain = text.isascii() and "_" not in text
    try:
        if not plain:
            raise ValueError
        return kind(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        example = {"hidden": "64,64", "seed": "7"}.get(name, "20" if kind is int else "0.01")
        do = f"for example {flag} {example}"
        if kind is float and "," in text:
            do += ", with a decimal point"
        raise InputError(f"{flag} needs {wanted}", got=shown(text), do=do) from None


class Grouped(shared.Once):
    """A command whose many options are listed under what they are about."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {"options": [], **{section: [] for section in SECTIONS}}
        for parameter in self.get_params(context):
            record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
            if record is not None:
                name = parameter.name or ""
                groups[about(name)["section"] if name in NAMES else "options"].append(record)
        for title, records in groups.items():
            with formatter.section(title.capitalize()):
                formatter.write_dl(records)


@click.command("train", cls=Grouped, short_help="Train on a table, and write a run folder.")
@click.argument("data", nargs=-1)
@click.option("-o", "--output", metavar="FOLDER", help="The run folder; by default runs/NAME-1, -2 ...")
@click.option("--overwrite", is_flag=True, help="Replace the run in the folder.")
@click.option("--resume", metavar="RUN", help="Go on with a run that was stopped; DATA: its table, if it was moved.")
@click.option("--force-new", is_flag=True, help="With --resume: begin anew if the checkpoint is of other data or settings.")
@click.option("--config", metavar="FILE", help="Settings from a TOML file, such as another run's run.toml.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--quiet", is_flag=True, help="Say nothing but the result.")
@_options
def command(
    data: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    resume: str | None,
    force_new: bool,
    config: str | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Train on DATA: CSV or Parquet files, globs or folders of them.

    The task is recognised, columns are prepared, rows are held out, and network and training are chosen by the size of the
    table; every choice is told, and every one can be made by an option instead.
    """
    chosen = {name: read_option(name, value) for name, value in given.items() if value is not None}
    if data:
        chosen["data"] = data
    if resume is not None:
        if output or overwrite or config:
            raise click.UsageError(
                "--resume goes on in its own folder, with its own settings - leave -o, --overwrite and --config out"
            )
        code = _resume(Path(resume), chosen, force_new, as_json, quiet)
    else:
        if config is not None:
            chosen = {**read_settings(config, extra=("facts",))[0], **chosen}
        settings = Settings(**chosen)
        code = _begin(settings, output, overwrite, as_json, quiet)
    if code:
        sys.exit(code)


def _begin(settings: Settings, output: str | None, overwrite: bool, as_json: bool, quiet: bool) -> int:
    from chainrule import experiment
    from chainrule.runs import Run

    experiment.check(settings)
    run = Run.create(Path(output) if output else _next_folder(settings), overwrite)
    try:
        with run.lock():
            return _go(run, settings, None, as_json, quiet)
    finally:
        run.vanish()


def _next_folder(settings: Settings) -> Path:
    """runs/NAME-1, or the next number."""
    stem = Path(settings.data[0]).name.split(".")[0].strip("*?[]-_ ") or "run"
    number = 1
    while (folder := Path("runs") / f"{stem}-{number}").exists():
        number += 1
    return folder


def _resume(folder: Path, chosen: dict[str, Any], force_new: bool, as_json: bool, quiet: bool) -> int:
    from chainrule.runs import Run

    run = Run.opened(folder)
    settings, facts = run.read_settings()
    problems = []
    for name, value in chosen.items():
        if name not in CHANGEABLE and value != getattr(settings, name):
            got = f"{shown(value)}, and the run has {shown(getattr(settings, name))}"
            do = "start a run of its own; what may change is " + ", ".join(CHANGEABLE)
            problems.append(Problem("a run goes on with the settings it began with", got=got, field=f"--{name}", do=do))
    if problems:
        raise InputError(*problems)
    settings = settings.changed(**{name: value for name, value in chosen.items() if name in CHANGEABLE})
    with run.lock():
        return _go(run, settings, facts, as_json, quiet, force_new)


def _go(run: Any, settings: Settings, facts: dict[str, Any] | None, as_json: bool, quiet: bool, force_new: bool = False) -> int:
    """Trains, and tells; the exit code."""
    from chainrule.cli import outcomes
    from chainrule.cli.progress import TrainingProgress
    from chainrule.cli.signals import asked_to_end
    from chainrule.recording import train

    teller = TrainingProgress(quiet or as_json)
    with asked_to_end() as asked:
        outcome = train(
            run, settings, teller, stop=lambda: bool(asked), begin=asked.begin, resumed=facts is not None, force_new=force_new
        )
    teller.done()
    if outcome is None:
        click.echo(f"saved; go on with: chainrule train --resume {_quoted(str(run.folder))}", err=True)
        return asked.code
    shared.deliver(outcomes.as_json(outcome) if as_json else outcomes.as_text(outcome, shared.width()), None)
    return 1 if outcome.learned.trouble else 0


def _quoted(path: str) -> str:
    import shlex

    return printable(shlex.quote(path))
