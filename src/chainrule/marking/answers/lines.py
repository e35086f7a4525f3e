"""Answers as lines `name = number`: TOML, read leniently, so that `dE/dw5 = 0,082` needs no quotes and one line that is wrong
does not spoil the others. Numbers keep the digits they are written with."""

from __future__ import annotations

import re

from chainrule.errors import shown
from chainrule.marking.answers.answer import Answer, whole

_HEADING = re.compile(r"\[\s*([A-Za-z][\w.]*)\s*\]\s*(?:#.*)?")


def read(text: str, file: str) -> list[Answer]:
    """The answers of a text: above any table, in [answers], or in [after.N]; [about] may name the example."""
    found: list[Answer] = []
    table, after, example = "", None, ""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        heading = _HEADING.fullmatch(stripped)
        if heading:
            table, _, rest = heading[1].partition(".")
            after = whole(rest) if table == "after" else None
            if (
                (table == "after" and after is None)
                or (table != "after" and rest)
                or table not in ("about", "answers", "after")
            ):
                fault = "an unknown table: answers stand in [answers], or in [after.N] for the step after N updates"
                found.append(Answer(stripped, "", file, number, fault=fault))
                table = ""
            continue
        name, value = _split(stripped)
        if table == "about":
            if name == "example":
                example = value or ""
        elif value is None:
            found.append(Answer(name, "", file, number, after, fault="this line is not `name = number`"))
        else:
            found.append(Answer(name, value, file, number, after))
    return [Answer(each.name, each.text, file, each.line, each.after, example, each.fault) for each in found]


def _split(line: str) -> tuple[str, str | None]:
    """Name and value, without quotes and comment; no value where there is no equals sign (or colon)."""
    name, rest = _quoted(line)
    if name is None:
        cut = min((place for place in (line.find("="), line.find(":")) if place >= 0), default=-1)
        if cut < 0:
            return shown(line)[1:-1], None
        name, rest = line[:cut].strip(), line[cut:]
    rest = rest.lstrip()
    if rest[:1] not in ("=", ":"):
        return shown(line)[1:-1], None
    value, behind = _quoted(rest[1:].lstrip())
    if value is None or (behind.strip() and not behind.lstrip().startswith("#")):
        value = rest[1:].partition("#")[0].strip()
    return name, value


def _quoted(text: str) -> tuple[str | None, str]:
    """What stands between the quotes that a text begins with, and what follows; None if it does not begin with one."""
    if text[:1] not in ("'", '"'):
        return None, text
    end = text.find(text[0], 1)
    return (None, text) if end < 0 else (text[1:end], text[end + 1 :])
