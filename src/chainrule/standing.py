"""Where a run stands, as a checkpoint keeps it: taken apart to plain data, and put together again with every part checked.

A checkpoint's bits are known to be as they were written; that they were written by a run of this network is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from chainrule.course import Checkpoint, Epoch, Midway
from chainrule.errors import Problem, RunError, shown
from chainrule.files.texts import fits
from chainrule.network import Network
from chainrule.rules.rule import Optimizer


def plain(midway: Midway) -> dict[str, Any]:
    """Where a run stands, as tables, lists, arrays, numbers and texts."""
    held = {entry.name: getattr(midway, entry.name) for entry in fields(Midway)}
    for name in ("last", "best", "before"):
        held[name] = None if held[name] is None else dict(vars(held[name]))
    held["epochs"] = [dict(vars(epoch)) for epoch in midway.epochs]
    return held


_EPOCH = {
    "number": int, "updates": int, "loss": float, "penalty": float, "rate": float, "validation": (float, None),
    "score": (float, None), "best": bool, "since": int, "seconds": float, "rows_per_second": float, "remaining": float,
}  # fmt: skip
_CHECKPOINT = {"updates": int, "epoch": int, "best": float, "first": float, "rate": (float, None)}
_MIDWAY = {"best_epoch": int, "since": int, "epochs": [_EPOCH], "batches": int, "total": float}


def midway_from(state: Mapping[str, Any], network: Network, optimizer: Optimizer) -> Midway:
    """The inverse of `plain`, of the state that a checkpoint holds under "midway". Raises RunError unless every part of it
    is what this network and this optimizer go on from."""
    held = state.get("midway")
    if not isinstance(held, dict):
        raise _other("it does not say where the run stands")
    points = {name: held.get(name) for name in ("last", "best", "before")}
    rest = {name: value for name, value in held.items() if name not in points}
    if not fits(rest, _MIDWAY) or any(value < 0 for value in (rest["best_epoch"], rest["since"], rest["batches"])):
        raise _other("what it says of the run's epochs is not as a run writes it")
    last, best = (_checkpoint(points[name], network, optimizer, name) for name in ("last", "best"))
    before = None if points["before"] is None else _checkpoint(points["before"], network, optimizer, "former")
    if rest["best_epoch"] > len(rest["epochs"]):
        raise _other("its best epoch is one that was not trained")
    epochs = tuple(Epoch(**epoch) for epoch in rest["epochs"])
    return Midway(last, best, rest["best_epoch"], rest["since"], epochs, rest["batches"], rest["total"], before)


ENDS = ("epochs", "patience", "time", "callback", "not finite")
"""Why a run ended, as `Learned` calls it."""


def ended(state: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why the run ended that left this state, and what had happened; None if it can go on. RunError for another reason."""
    reason, trouble = state.get("ended"), state.get("trouble", "")
    if reason is None:
        return None
    if reason not in ENDS or not isinstance(trouble, str):
        raise _other(f"it says that the run ended by {shown(reason)}")
    if bool(trouble) != (reason == "not finite"):
        raise _other(f"it says that the run ended by {shown(reason)}, with the trouble {shown(trouble)}")
    return reason, trouble


def _checkpoint(held: Any, network: Network, optimizer: Optimizer, name: str) -> Checkpoint:
    arrays = ("parameters", "memory", "state")
    if not isinstance(held, dict) or not fits({key: each for key, each in held.items() if key not in arrays}, _CHECKPOINT):
        raise _other(f"what it says of the {name} weights is not as a run writes it")
    if held["updates"] < 0 or held["epoch"] < 0:
        raise _other("it counts below 0")
    memory = [{key: array.shape for key, array in layer.items()} for layer in network.memory]
    slots: list[dict[str, Any]] = [{} for _ in network.layers]
    for span in network.spans:
        slots[span.layer - 1][span.symbol] = {
            slot: (1,) if slot in optimizer.counters else span.shape for slot in optimizer.starts()
        }
    _hold(held.get("parameters"), (network.size,), network, f"the {name} weights")
    _hold(held.get("memory"), memory, network, f"what the layers of the {name} weights remember")
    if held.get("state") is not None:
        _hold(held["state"], slots, network, f"the optimizer's memory of the {name} weights")
    return Checkpoint(**held)


def _hold(found: Any, wanted: Any, network: Network, what: str) -> None:
    """RunError unless lists and tables of arrays are of these shapes, and of the network's kind of numbers."""
    if isinstance(wanted, tuple):
        if not isinstance(found, np.ndarray) or found.shape != wanted or found.dtype != network.dtype:
            raise _other(f"{what}: {shown(getattr(found, 'shape', found))} is there, {wanted} is needed")
    elif isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            raise _other(f"{what}: {len(wanted):,} layers are needed")
        for each, shape in zip(found, wanted, strict=True):
            _hold(each, shape, network, what)
    else:
        if not isinstance(found, dict) or set(found) != set(wanted):
            raise _other(f"{what}: {shown(', '.join(wanted) or 'nothing')} is needed")
        for key, shape in wanted.items():
            _hold(found[key], shape, network, what)


def _other(got: str) -> RunError:
    do = "begin the run anew: --resume with --force-new, or in another folder"
    return RunError(Problem("the checkpoint does not hold what this run goes on from", got=got, do=do))
