"""A report as a table of HTML: in a notebook, and as a page of its own that can be sent to somebody."""

from __future__ import annotations

from importlib.resources import files

from chainrule.explain.markup import Markup, el, page, together
from chainrule.marking.report import Report
from chainrule.marking.report_text import SIGNS, WORDS, cells, details, summary
from chainrule.phrases import phrase, say, speaking


def fragment(report: Report) -> str:
    """What stands in a page: a caption, a row for each number, and the sum of it."""
    titles = ("", say("number"), say("written"), say("exact"), say("verdict"), say("what is behind it"))
    head = el("tr", *(el("th", title, scope="col") for title in titles))
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
    table = el("table", el("caption", say(report.title)), el("thead", head), el("tbody", *lines), class_="marks")
    return together(table, *(el("p", text) for text in summary(report)))


def marked_page(report: Report) -> str:
    """The report as one self-contained file."""
    style = files("chainrule.explain").joinpath("page.css").read_text("utf-8")
    style += files("chainrule.marking").joinpath("marks.css").read_text("utf-8")
    title = say(report.title)
    body = el("main", el("h1", title), Markup(fragment(report)), class_="chainrule")
    return page(title, style, body, language=speaking())
