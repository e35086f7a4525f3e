"""The story as one self-contained HTML file: native MathML, no request; it prints.

With scripts it is also the interactive page; without them it is read from top to bottom.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from chainrule.explain.equation import sides
from chainrule.explain.markup import Markup, el, embedded, h, page
from chainrule.explain.scene import scene
from chainrule.explain.story import Section, Sheet, Story, changes_head, table
from chainrule.phrases import say, speaking
from chainrule.steps import Step
from chainrule.terms.printers import MathML, mathml_name, mathml_number
from chainrule.tracing import Trace

_IDS = str.maketrans(dict.fromkeys(" []/@,", "-"))


HEIGHT = 640
"""Of the frame in a notebook, in pixels."""

MANY = 3_000
"""More numbers than this are told as text only: a browser would take long to begin."""


def tell(trace: Trace, story: Story, fragment: bool = False, frame: bool = False, spec: str = "", **_: object) -> str:
    """A page. With `fragment`, only the text, for a document of your own; with `frame`, the page in a frame that may do nothing
    but run its script, for a notebook. spec: the example, so that the page can be opened again."""
    if frame:
        inner = Markup(tell(trace, story, spec=spec))
        style = "width: 100%; border: 0"
        return el("iframe", srcdoc=inner, sandbox="allow-scripts", height=HEIGHT, style=style, title=story.title)
    text = _text(trace, story)
    style = files("chainrule.explain").joinpath("page.css").read_text("utf-8")
    alone = f'<main class="chainrule">\n{text}\n</main>'
    if fragment:
        return f"<style>{style}</style>\n{alone}"
    carried = {"spec": spec} if spec else {}
    if len(story.steps) > MANY:
        return page(story.title, style, alone + _data(carried), language=speaking())
    built, label = files("chainrule.page") / "static", h(say("The derivation as text"))
    body = (
        '<div id="chainrule"></div>\n'
        f'<section class="chainrule" id="chainrule-text" aria-label="{label}">\n{text}\n</section>'
        f"{_data(scene(trace, story) | carried)}"
    )
    style += (built / "page.css").read_text("utf-8")
    return page(story.title, style, body, (built / "page.js").read_text("utf-8"), speaking())


def _data(data: Mapping[str, Any]) -> str:
    """What the page's script shows, and what opens the page again."""
    return f'\n<script type="application/json" id="chainrule-data">{embedded(data)}</script>' if data else ""


def _text(trace: Trace, story: Story) -> str:
    known = {step.id: step.name for step in story.steps}
    parts = [f"<h1>{h(story.title)}</h1>", '<table class="head">']
    parts += [f'<tr><th scope="row">{h(label)}</th><td>{h(words)}</td></tr>' for label, words in story.head]
    parts += ["</table>", *(f'<p class="note">{h(note)}</p>' for note in story.notes)]
    if story.given:
        parts += [f"<h2>{h(say('Given'))}</h2>", '<ul class="given">', *(_given(step) for step in story.given), "</ul>"]
    parts += [_section(trace, section, known) for section in story.sections]
    if story.changes:
        parts += _changes(story)
    for sheet in story.sheets:
        parts += _sheet(sheet, story)
    if trace.forward_only:
        parts.append(f"<p>{h(story.after)}</p>")
    return "\n".join(parts)


def _anchor(identifier: str) -> str:
    return h("n-" + identifier.translate(_IDS).replace("+", "plus"))


def _given(step: Step) -> str:
    equation = f"{mathml_name(step.name)}<mo>=</mo>{mathml_number(step.shown)}"
    return f'<li id="{_anchor(step.id)}"><math>{equation}</math></li>'


def _section(trace: Trace, section: Section, known: Mapping[str, str]) -> str:
    parts = [f"<section>\n<h2>{h(section.title)}</h2>"]
    for part in section.parts:
        if part.heading:
            parts.append(f"<h3>{h(part.heading)}</h3>")
        for paragraph in part.paragraphs:
            if paragraph.reason:
                parts.append(f'<p class="reason">{h(paragraph.reason)}</p>')
            parts += [_step(trace, step, known) for step in paragraph.steps]
    return "\n".join([*parts, "</section>"])


def _step(trace: Trace, step: Step, known: Mapping[str, str]) -> str:
    rows, left = [], f"<mtd>{mathml_name(step.name)}</mtd>"
    for side in sides(trace, step, MathML):
        for place, line in enumerate(side):
            equals = "<mtd></mtd>" if place else "<mtd><mo>=</mo></mtd>"
            rows.append(f"<mtr>{left}{equals}<mtd><mrow>{line}</mrow></mtd></mtr>")
            left = "<mtd></mtd>"
    links = [f'<a href="#{_anchor(use)}">{h(known[use])}</a>' for use in step.uses if use in known]
    uses = f'<p class="uses">{say("from {numbers}", numbers=say(", ").join(links))}</p>' if links else ""
    equation = f'<math display="block"><mtable>{"".join(rows)}</mtable></math>'
    return f'<div class="step" id="{_anchor(step.id)}">{equation}{uses}</div>'


def _changes(story: Story) -> list[str]:
    head = "".join(f'<th scope="col">{h(title)}</th>' for title in changes_head())
    rows = [
        f'<tr><th scope="row"><math aria-hidden="true">{mathml_name(name)}</math><span class="sr">{h(name)}</span></th>'
        f"{''.join(f'<td>{h(cell)}</td>' for cell in cells)}</tr>"
        for name, *cells in table(story.changes, story.digits)
    ]
    return [
        f"<section>\n<h2>{h(say('Before and after'))}</h2>", *_wide(say("Before and after"), head, rows),
        f"<p>{h(story.after)}</p>\n</section>",
    ]  # fmt: skip


def _sheet(sheet: Sheet, story: Story) -> list[str]:
    head = "".join(f'<th scope="col">{h(title)}</th>' for title in sheet.header)
    rows = [
        f'<tr><th scope="row">{h(row[0])}</th>{"".join(f"<td>{h(cell)}</td>" for cell in row[1:])}</tr>'
        for row in zip(*sheet.columns(story.digits), strict=True)
    ]
    said = [f"<p>{h(sheet.sentence)}</p>"] if sheet.sentence else []
    return [
        f"<section>\n<h2>{h(sheet.title)}</h2>", *said, *_wide(sheet.title, head, rows), "</section>",
    ]  # fmt: skip


def _wide(title: str, head: str, rows: list[str]) -> list[str]:
    """A table that is pushed to and fro where the page is too narrow for it, with a finger or with the keyboard."""
    opening = f'<div class="broad" tabindex="0" role="group" aria-label="{h(title)}"><table class="changes">'
    return [opening, f"<thead><tr>{head}</tr></thead><tbody>", *rows, "</tbody></table></div>"]
