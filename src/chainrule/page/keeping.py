"""Keep: the step as a file in any format, and files opened again."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from chainrule.errors import InputError, shown
from chainrule.explain import tell
from chainrule.page.body import Body
from chainrule.page.desk import Desk
from chainrule.page.limits import LIMITS, affordable
from chainrule.phrases import LANGUAGES, language, say, speaking
from chainrule.spec import EXAMPLES, Example, documents, example_names, kept, load_example, parse_spec
from chainrule.spec.writing import portable, trained, written

FORMATS = {
    "toml": (".toml", "application/toml"),
    "html": (".html", "text/html"),
    "latex": (".tex", "application/x-tex"),
    "markdown": (".md", "text/markdown"),
    "json": (".json", "application/json"),
    "table": ("", "text/csv"),
}

LARGEST_TABLE = 16 * 2**20
"""Bytes of a table that goes along with its spec."""


def keep(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """The spec, the derivation in a format, or the table that the spec names: as a file with its name and its kind.

    inline: a spec with the numbers of its table in it; reached: a spec with the weights that the step begins with.
    """
    body = Body(sent)
    form = body.word("format", tuple(FORMATS))
    inline, reached = body.take("inline") is True, body.take("reached") is True
    spoken = body.word("language", LANGUAGES) if "language" in sent else speaking()
    body.close()
    suffix, kind = FORMATS[form]
    if form == "table":
        return {**_table(desk.example), "type": kind}
    if form == "toml":
        text = written(_reached(desk) if reached else desk.example, inline)
    else:
        with language(spoken):
            options: dict[str, Any] = {"spec": portable(desk.example)} if form == "html" and not desk.recorded else {}
            text = tell(desk.trace, form, sample=desk.sample if desk.trace.scope.rows > 1 else None, timed=False, **options)
    if form == "toml" and len(text.encode()) > documents.LIMIT:
        raise InputError(
            say("this spec would be too large to be opened again"), got=say("{n} bytes", n=f"{len(text.encode()):,}"),
            do=say("keep a spec with fewer weights of its own"),
        )  # fmt: skip
    if form == "toml" and reached:
        suffix = f"-after-{desk.after}{suffix}"
    return {"name": _name(desk) + suffix, "type": kind, "text": text}


def _reached(desk: Desk) -> Example:
    """The example with the weights of the step that is looked at."""
    begins = say("The optimizer's memory, the schedule and the order of the batches begin anew.")
    many = say("The weights are those after {n} updates.", n=f"{desk.after:,}")
    note = f"{say('The weights are those after 1 update.') if desk.after == 1 else many} {begins}"
    return trained(desk.example, desk.trace.parameters, note)


def begin(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """A bundled example by its name, or the spec in the text of a file, on the table."""
    body = Body(sent)
    desk.current(body.take("version"))
    if "example" in sent:
        name = body.text("example", 100)
        body.close()
        example = load_example(name)
    else:
        file, text = body.text("name", 255), body.text("text", documents.LIMIT)
        body.close()
        example = _opened(text, Path(file).name)
    desk.begin(affordable(example))
    return desk.view()


def examples(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """The bundled examples, from the simplest on, and what is kept of this step: whether it names a table."""
    Body(sent).close()
    data = {} if desk.recorded else desk.example.data["data"]
    return {
        "examples": [{"name": name, "title": load_example(name).title} for name in example_names()],
        "table": data.get("table", ""),
        "recorded": desk.recorded,
    }


def _opened(text: str, name: str) -> Example:
    """The example in a file that was chosen on the page: it has a name, and no folder."""
    if Path(name).suffix.lower() not in (".toml", ".json", *kept.SUFFIXES):
        do = say("choose a spec (TOML, JSON) or a page that was kept (HTML)")
        raise InputError(say("this is no file of an example"), got=shown(name), do=do, field="file")
    try:
        page = Path(name).suffix.lower() in kept.SUFFIXES
        return replace(parse_spec(text, name if page else "", limits=LIMITS), file=name)
    except InputError as error:
        raise type(error)(*(replace(problem, file=problem.file or name) for problem in error.problems)) from None


def _table(example: Example) -> dict[str, str]:
    """The file of the table that a spec names, as text."""
    name = example.data["data"].get("table", "")
    path = (example.document.home or EXAMPLES) / name
    if not name:
        raise InputError(say("the numbers stand in the spec"), do=say("keep the spec"))
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST_TABLE else b"\0"
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        text = "\0"
    if "\0" in text:
        do = say("copy it yourself, or keep the spec with its numbers in it")
        raise InputError(say("this table cannot be handed over as text"), got=shown(name), do=do)
    return {"name": Path(name).name, "text": text}


def _name(desk: Desk) -> str:
    """What a file of this step is called: as the example is, or as its title says."""
    stem = "" if desk.recorded else Path(desk.example.file).stem
    plain = re.sub(r"[^\w-]+", "-", stem or desk.trace.title, flags=re.ASCII).strip("-").lower()[:60]
    return plain or "step"
