"""The words of the program in the reader's language.

A phrase is written in English where it is used, `say("{n} samples", n=3)`; the English template is its key in the table of
each other language. What has no translation is said in English.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

LANGUAGES = ("en", "zh")

_language: ContextVar[str] = ContextVar("language", default="en")


def speaking() -> str:
    """The language that is spoken now."""
    return _language.get()


@contextmanager
def language(name: str) -> Iterator[None]:
    """Speaks another language for a while."""
    token = _language.set(name)
    try:
        yield
    finally:
        _language.reset(token)


def phrases() -> Mapping[str, str]:
    """What the language that is spoken now says for each English template; empty for English."""
    return {}


def say(template: str, **values: object) -> str:
    """A phrase in the language that is spoken now, with its values put in."""
    found = phrases().get(template, template)
    return found.format(**values) if values else found
