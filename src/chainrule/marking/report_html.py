"""A report as a table of HTML: in a notebook, and as a page of its own that can be sent to somebody."""

from __future__ import annotations

from importlib.resources import files

from chainrule.explain.markup import Markup, el, page, together
from chainrule.marking.report import Report
from chainrule.marking.report_text import SIGNS, WORDS, cells, details, summary
from chainrule.phrases import phrase, say, speaking


def fragment(report: Report) -> str:
    """What stands in a page: a row for each number, and the sum of it."""
    return together(_table(report), _sum(report))


def marked_page(report: Report, who: str = "", when: str = "") -> str:
    """The report as one self-contained file. who: whose answers these are; when: they were marked."""
    style = files("chainrule.explain").joinpath("page.css").read_text("utf-8")
    style += files("chainrule.marking").joinpath("marks.css").read_text("utf-8")
    title, owner = say(report.title), " · ".join(part for part in (who, when) if part)
    parts = [el("h1", title), *([el("p", owner, class_="note")] if owner else []), _sum(report), _table(report), _signs()]
    return page(title, style, el("main", *parts, class_="chainrule"), language=speaking())


def _sum(report: Report) -> Markup:
    return el("div", *(el("p", text) for text in summary(report)), class_="sum")


def _table(report: Report) -> Markup:
    titles = ("", say("number"), say("written"), say("exact"), say("verdict"), say("what is behind it"))
    head = el("tr", el("td"), *(el("th", title, scope="col") for title in titles[1:]))
    lines = []
    for each in report.marked:
        name, written, exact = cells(each)
        behind = Markup("<br>".join(together(text) for text in details(each)))
        told = (written, exact, say(WORDS.get(each.verdict, phrase("right"))))
        lines.append(
            el(
                "tr",
                el("td", SIGNS.get(each.verdict, "?")),
                el("th", name, scope="row"),
                *(el("td", cell) for cell in told),
                el("td", behind),
                class_=each.verdict.replace("_", "-"),
            )
        )
    return el("table", el("caption", say(report.title)), el("thead", head), el("tbody", *lines), class_="marks")


def _signs() -> Markup:
    """What the signs in front of the numbers mean."""
    meant = (("✓", say("right")), ("~", say("follows from an earlier number")), ("✗", say("a new mistake")))
    return el("p", " · ".join(f"{sign} {words}" for sign, words in meant), class_="note")
