"""A trace, told: one file a format. Each has `tell(trace, story, ...)`, and its name is the format's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from chainrule.errors import InputError, nearest, shown

if TYPE_CHECKING:
    from chainrule.explain.story import Sheet
    from chainrule.tracing import Trace

FORMATS = ("text", "markdown", "latex", "html", "json")


def tell(
    trace: Trace,
    format: str = "text",
    of: Iterable[str] = (),
    sample: int | str | None = None,
    timed: bool = True,
    sheets: Iterable[Sheet] = (),
    data: Mapping[str, Any] = MappingProxyType({}),
    brief: bool = False,
    language: str | None = None,
    **options: Any,
) -> str:
    """The derivation of a step, or of what leads to the numbers in `of`, as text in one of FORMATS.

    sample: which of many samples is told, or "all". timed: measure and tell how long forward and backward take. sheets: tables
    that are told behind the steps; data: what else the JSON says. brief: only what stands at the head, and the sheets.
    language: "en" or "zh"; by default the one that is spoken (chainrule.phrases).
    """
    from chainrule import phrases
    from chainrule.explain.story import arrange, chosen_sample

    if format not in FORMATS:
        raise InputError("unknown format", got=shown(format), do=nearest(format, FORMATS))
    of = tuple(of)
    if format == "json" and not of and not brief:
        chosen_sample(trace, sample)  # all are told; one that does not exist is a mistake all the same
        sample = "all"
    with phrases.language(language):
        story = arrange(trace, of, sample, timed, sheets, data, brief)
        return str(import_module(f"chainrule.explain.{format}").tell(trace, story, **options))
