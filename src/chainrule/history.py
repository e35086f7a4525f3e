"""The history of a run: a line of JSON for each epoch, checked when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chainrule.errors import RunError, shown
from chainrule.files.texts import FileError, fits, parsed

AGAIN = "resume the run: its checkpoint has the whole history"

_NUMBER = (float, None)
_EPOCH = {
    "number": int, "updates": int, "loss": _NUMBER, "penalty": _NUMBER, "rate": _NUMBER, "best": bool, "seconds": _NUMBER,
    "parameters": str,
}  # fmt: skip
_LAYER = dict.fromkeys(("weights", "gradient", "spread", "delta", "update"), _NUMBER) | {
    "layer": int, "z": ([_NUMBER], None),
}  # fmt: skip
_MAY = {"validation": _NUMBER, "held_out": _NUMBER, "signals": {"loss": _NUMBER, "layers": [dict]}}
_LAYER_MAY = {"a": ([_NUMBER], None), "dead": _NUMBER, "saturated": _NUMBER}
"""What an epoch and a layer's signals must have, and what they may have besides."""


def entry(line: str, before: dict[str, Any] | None) -> dict[str, Any]:
    """The epoch in a line. before: the one in the line above. Raises FileError for what no run wrote."""
    found = parsed(line, "this line of the history is damaged: it")
    if not _has(found, _EPOCH, _MAY):
        raise FileError("this line of the history is not as a run writes it", got=shown(line), do=AGAIN)
    layers = found.get("signals", {}).get("layers")
    if layers is not None and not (layers and all(_has(layer, _LAYER, _LAYER_MAY) for layer in layers)):
        raise FileError("the signals in this line of the history are not as a run writes them", do=AGAIN)
    number, updates = (1, 0) if before is None else (before["number"] + 1, before["updates"])
    if found["number"] != number or found["updates"] < updates:
        raise FileError(
            "this line of the history is not the next one", got=f"epoch {found['number']:,}, not {number:,}", do=AGAIN
        )
    return found


def kept(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The history that a checkpoint keeps: numbers may be NaN there, and signals None. Raises RunError for what no run kept."""
    rows = _lines(state.get("history"))
    for number, each in enumerate(rows, 1):
        bare = (
            {name: value for name, value in each.items() if (name, value) != ("signals", None)}
            if isinstance(each, dict)
            else {}
        )
        if not _has(bare, _EPOCH, _MAY) or bare["number"] != number:
            do = "begin the run anew: --resume with --force-new, or in another folder"
            raise RunError("the checkpoint's history is not as a run writes it", got=f"epoch {number:,}", do=do)
    return rows


def _lines(held: Any) -> list[Any]:
    """The lines of a history, from the bytes that a checkpoint holds."""
    try:
        return [json.loads(line) for line in held.tobytes().decode().splitlines()]
    except (AttributeError, ValueError):
        return [None]


def alike(entries: list[dict[str, Any]]) -> bool:
    """Whether the signals of all epochs are of the same layers."""
    layers = [[layer["layer"] for layer in each["signals"]["layers"]] for each in entries if "signals" in each]
    return all(each == layers[0] for each in layers)


def _has(value: dict[str, Any], must: dict[str, Any], may: dict[str, Any]) -> bool:
    return fits(value, must | {name: shape for name, shape in may.items() if name in value})
