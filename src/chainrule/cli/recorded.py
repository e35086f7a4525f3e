"""What `explain` does with a recorded run, or with a model: an update replayed, a prediction derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.cli import shared
from chainrule.errors import InputError, shown
from chainrule.explain import tell
from chainrule.meant import folder_of, is_recorded

if TYPE_CHECKING:
    from chainrule.replay import RecordedRun


@dataclass(frozen=True)
class Telling:
    """How a derivation is told, as the options say."""

    of: tuple[str, ...]
    sample: str | None
    form: str
    timed: bool
    digits: int | None
    style: str
    options: Mapping[str, Any]
    file: Path | None

    @property
    def chosen(self) -> int | str | None:
        """The sample; an InputError for what is no number."""
        text = self.sample
        if text is None or text == "all":
            return text
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise InputError("--sample needs a whole number or all", got=shown(text), do="for example --sample 3")
        return int(text)


def refuse(what: str, options: Mapping[str, Any]) -> None:
    """InputError for options that a run has no use for."""
    for name, value in options.items():
        if value is not None:
            raise InputError(f"{name} does not go with this", got=shown(what), do="leave it out")


def open_run(what: str, data: tuple[str, ...]) -> RecordedRun:
    """The run of a folder."""
    from chainrule.replay import RecordedRun

    return RecordedRun(folder_of(what), data)


def tell_step(what: str, step: int | None, after: int | None, data: tuple[str, ...], telling: Telling) -> None:
    """An update of a run: replayed, and derived."""
    if step is not None and after is not None:
        raise InputError(
            "--step and --after exclude each other", got=f"--step {step} --after {after}", do="--step N is --after N-1"
        )
    run = open_run(what, data)
    if step is None and after is None:
        do = f"--step N, with N from 1 to {run.updates:,}; or --row LINE for a prediction"
        raise InputError("a run has many steps: say which", got=shown(what), do=do)
    number = step if step is not None else (after or 0) + 1
    from chainrule.replay.telling import opened

    sample = telling.chosen
    run.check(number)
    found = opened(run, run.replay(number), telling.of, sample, telling.digits, telling.style)
    shared.warn(found.warnings)
    told: dict[str, Any] = {"sheets": found.sheets, "data": found.data, "brief": not found.of}
    text = tell(found.trace, telling.form, found.of, found.sample, telling.timed, **told, **telling.options)
    shared.deliver(text, telling.file)


def tell_row(what: str, row: str, data: tuple[str, ...], telling: Telling) -> None:
    """A prediction of a run's model, or of a model in a file."""
    from chainrule.prediction import Prediction
    from chainrule.replay import rows

    if is_recorded(what):
        model, table = rows.of_run(open_run(what, ()), data)
    else:
        if not data:
            raise InputError("a model file has no table", got=shown(what), do="say where it is: --data FILE", field="--data")
        model, table = rows.of_model(shared.load_model(what), data)
    shared.warn(tuple(map(str, table.warnings)))
    number = rows.row_of(table, row)
    found = Prediction(model, table, number, rows.place_of(table, number), telling.digits, telling.style)
    sheets = [sheet for sheet in (found.inputs(), found.chances()) if sheet is not None]
    text = tell(
        found, telling.form, telling.of or found.of, None, False, sheets=() if telling.of else sheets, data=found.data(),
        **telling.options,
    )  # fmt: skip
    shared.deliver(text, telling.file)
