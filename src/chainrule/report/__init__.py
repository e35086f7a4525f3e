"""report.html: a run on one page that needs nothing but a browser, and no script in it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from chainrule import files
from chainrule.explain.markup import el, page
from chainrule.report.facts import Facts, gather
from chainrule.report.sections import contents, everything

__all__ = ["Facts", "gather", "tell", "write"]

TITLES = {
    "result": "Result",
    "findings": "Findings",
    "learning": "Learning",
    "answers": "Answers",
    "importance": "Columns",
    "inside": "Inside",
    "data": "Data",
    "settings": "Settings",
    "again": "Again",
}


def tell(facts: Facts) -> str:
    """The page."""
    made = everything(facts)
    there = [(name, title) for name, title in TITLES.items() if any(each.startswith(f'<section id="{name}"') for each in made)]
    title = f"{facts.target} from {facts.source}"
    head = el(
        "header", el("p", facts.task, class_="kicker"), el("h1", title), el("p", facts.words, class_="words"),
        el("p", facts.training, class_="note"),
    )  # fmt: skip
    style = "".join(
        resources.files(package).joinpath(name).read_text("utf-8")
        for package, name in (("chainrule.explain", "page.css"), ("chainrule.report", "report.css"))
    )
    return page(title, style, el("main", head, contents(there), *made, class_="chainrule report"))


def write(file: Path, facts: Facts) -> None:
    """Into a file, whole or not at all."""
    files.write_text(file, tell(facts))
