"""The words of the program in the reader's language.

A phrase is written in English where it is used, `say("{n} samples", n=3)`; the English template is its key in the table of
each other language (`zh.toml`). What has no translation is said in English.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from string import Formatter
from types import MappingProxyType

from chainrule.errors import InputError, nearest, shown

LANGUAGES = ("en", "zh")

_language: ContextVar[str] = ContextVar("language", default="en")


class Phrase(str):
    """English words that `say` can say again in another language: for what is written once and told later."""

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, object]


class Listed(tuple[str, ...]):
    """Names, numbers or phrases one after the other."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return ", ".join(self)


def phrase(template: str, **values: object) -> Phrase:
    """A phrase to be said later: `say(phrase(...))`. As a text it is English."""
    made = Phrase(template.format(**values) if values else template)
    made.template, made.values = template, values
    return made


def speaking() -> str:
    """The language that is spoken now."""
    return _language.get()


@contextmanager
def language(name: str | None) -> Iterator[None]:
    """Speaks another language for a while; None goes on in the one that is spoken."""
    if name is not None and name not in LANGUAGES:
        raise InputError("unknown language", got=shown(name), do=nearest(name, LANGUAGES), field="language")
    token = _language.set(name or _language.get())
    try:
        yield
    finally:
        _language.reset(token)


def phrases(room: str = "") -> Mapping[str, str]:
    """What the language that is spoken now says for each English template, of one room or of all; empty for English."""
    spoken = _language.get()
    if spoken == "en":
        return _ENGLISH
    return tables(spoken).get(room, _ENGLISH) if room else table(spoken)


_ENGLISH: Mapping[str, str] = MappingProxyType({})


@cache
def tables(name: str) -> Mapping[str, Mapping[str, str]]:
    """The phrases of a language by room, read when it is first spoken."""
    import tomllib
    from importlib.resources import files

    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))


@cache
def table(name: str) -> Mapping[str, str]:
    """The phrases of a language, all rooms together."""
    return {template: said for room in tables(name).values() for template, said in room.items()}


def say(template: str, **values: object) -> str:
    """A phrase in the language that is spoken now, with its values put in."""
    if isinstance(template, Phrase):
        values = {**template.values, **values}
        template = template.template
    found = phrases().get(template, template)
    if not values:
        return found
    if found is template:
        return found.format(**{name: _now(value) for name, value in values.items()})
    return _filled(found, values)


def _filled(found: str, values: Mapping[str, object]) -> str:
    """A Chinese template with its values: blanks stand between Chinese and other signs only."""
    text = ""
    for before, name, _, _ in Formatter().parse(found):
        text = _closed(text, before)
        if name is not None:
            text = _closed(text, str(_now(values[name])))
    return text


def _closed(text: str, more: str) -> str:
    if more and text[-1:] == " " and _chinese(text[-2:-1]) and _chinese(more[0]):
        return text[:-1] + more
    if text and more[:1] == " " and _chinese(text[-1]) and _chinese(more[1:2]):
        return text + more[1:]
    return text + more


def _chinese(sign: str) -> bool:
    return "\u3000" <= sign < "\ua000" or "\uff00" <= sign < "\uffe0"


def _now(value: object) -> object:
    """A value of a phrase in the language that is spoken now."""
    if isinstance(value, Phrase):
        return say(value)
    return listed(value) if isinstance(value, Listed) else value


def listed(parts: Iterable[str]) -> str:
    """Names, numbers or phrases one after the other, in the language that is spoken now."""
    return say(", ").join(say(part) if isinstance(part, Phrase) else part for part in parts)
