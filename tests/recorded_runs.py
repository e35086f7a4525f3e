"""Training runs for tests, with every number of every update kept beside them."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import chainrule
from chainrule import epochs
from chainrule.recording import train
from chainrule.runs import Run
from chainrule.settings import Settings

PENGUINS = Path(chainrule.__file__).parent / "examples" / "penguins.csv"


class Silent:
    """Whoever is told how it goes, and says nothing."""

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def epoch(self, epoch: Any, curve: Any = None) -> None: ...


class Watching:
    """A session that does one update at a time and keeps what was there before and after each, by its number."""

    def __init__(self, session: Any, kept: dict[int, SimpleNamespace]) -> None:
        self._session, self._kept = session, kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def advance(self, batches: Any, rates: Any, until: float = -np.inf) -> list[float]:
        losses: list[float] = []
        for batch, rate in zip(batches, rates, strict=True):
            before, number = self._standing(), self._session.number + 1
            losses += self._session.advance([batch], [rate], until)
            self._kept[number] = SimpleNamespace(before=before, after=self._standing(), loss=losses[-1], rate=rate)
            if not np.isfinite(losses[-1]):
                break
        return losses

    def _standing(self) -> SimpleNamespace:
        session = self._session
        memory = [{name: values.copy() for name, values in each.items()} for each in session.memory]
        state = [{s: {slot: v.copy() for slot, v in held.items()} for s, held in layer.items()} for layer in session.state]
        return SimpleNamespace(parameters=np.array(session.parameters), state=state, memory=memory)


def trained(monkeypatch: Any, folder: Path, stops: int = 0, **given: Any) -> dict[int, SimpleNamespace]:
    """Trains in a folder and gives all that happened, by the number of the update. stops: how often the run is stopped and
    gone on with on the way."""
    kept: dict[int, SimpleNamespace] = {}
    choose = epochs.choose

    def watched(name: str, task: Any) -> Any:
        return SimpleNamespace(Session=lambda task: Watching(choose(name, task).Session(task), kept))

    settings = Settings(**{"data": (str(PENGUINS),), "target": "species", **given})
    run = Run.create(folder)
    with monkeypatch.context() as patch:
        patch.setattr(epochs, "choose", watched)
        for stop in range(stops + 1):
            asked = itertools.count()
            last = stop == stops
            with run.lock():
                train(run, settings, Silent(), stop=lambda: not last and next(asked) >= 2, resumed=stop > 0)  # noqa: B023
            settings = run.read_settings()[0]
    return kept
