"""The self-contained file opens from disk, asks for nothing, is silent on the console, and can be read without scripts."""

import json

import pytest

import chainrule as cr
from browser import axe, screenshot, watch
from chainrule.explain import tell
from chainrule.spec import parse_spec
from chainrule.spec.kept import spec_of
from chainrule.spec.writing import portable

EXAMPLES = ("mazur", "lamsal", "two-two-one", "three-layer", "penguins")


@pytest.fixture
def open_file(browser, tmp_path):
    """Opens a text as a file in a context of its own; any request, console message or error fails the test."""
    contexts, wrong = [], []

    def start(text, width=1280, scheme="light", **context):
        file = tmp_path / f"{len(contexts)}.html"
        file.write_text(text, "utf-8")
        made = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **context)
        contexts.append(made)
        watch(made, file.as_uri()[: -len("/0.html")], wrong)
        page = made.new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        assert asked == [file.as_uri()]
        return page

    yield start
    for made in contexts:
        made.close()
    assert not wrong, "\n".join(wrong)


def told(name):
    return cr.trace(cr.load_example(name))


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_opens_from_disk_and_walks(open_file, name):
    trace = told(name)
    page = open_file(trace.explain(format="html"))
    page.wait_for_selector(".page h1")
    assert page.locator("h1").count() == 1
    steps = {step["id"]: step for step in json.loads(trace.explain(format="json"))["steps"]}
    seen = []
    page.get_by_role("slider").first.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        shown = page.locator("article.shown")
        seen.append(shown.get_attribute("data-cell"))
        assert shown.locator(".value").inner_text() == trace[seen[-1]].shown
        assert shown.locator(".full").text_content() == str(steps[seen[-1]]["value"])
    assert len(set(seen)) == 12


def test_what_a_file_cannot_do_it_says(open_file):
    page = open_file(told("mazur").explain(format="html"))
    for tab in ("Change", "Try", "Train", "Keep"):
        page.get_by_role("tab", name=tab).click()
        assert "chainrule page FILE" in page.locator("section.panel").inner_text()


def test_it_is_read_without_scripts(open_file):
    page = open_file(told("mazur").explain(format="html"), java_script_enabled=False)
    text = page.locator("body").inner_text()
    for each in ("Forward", "Backward", "Update", "0.751365070", "Before and after"):
        assert each in text
    assert page.locator("h1").count() == 1


def test_a_notebook_s_frame_runs_its_script_and_nothing_else(open_file):
    page = open_file(f"<!doctype html><title>notebook</title>{told('mazur')._repr_html_()}")
    frame = page.frame_locator("iframe")
    frame.locator(".page h1").wait_for()
    frame.get_by_role("slider").first.press("ArrowRight")
    assert frame.locator("article.shown").get_attribute("data-cell")
    assert page.frames[1].evaluate("window.origin") == "null"
    screenshot(page, "file-notebook")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_looks_well_and_axe_finds_nothing(open_file, width, scheme):
    page = open_file(told("mazur").explain(format="html"), width, scheme)
    page.wait_for_selector(".page h1")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is wider than the window"
    screenshot(page, f"file-{width}-{scheme}")
    assert axe(page) == []


def test_it_prints(open_file):
    page = open_file(told("mazur").explain(format="html"))
    page.wait_for_selector(".page h1")
    page.emulate_media(media="print")
    assert not page.get_by_role("tab", name="Walk").is_visible()
    assert page.locator("#chainrule-text").is_visible()
    screenshot(page, "file-print")


def test_a_step_of_very_many_numbers_is_text_and_opens_again():
    many = [("data.inputs", [[0.05, 0.1]] * 100), ("data.targets", [[0.01, 0.99]] * 100)]
    example = cr.load_example("mazur", many)
    text = tell(cr.trace(example), "html", sample="all", timed=False, spec=portable(example))
    assert "<script>" not in text
    assert parse_spec(spec_of(text)).x.shape == (100, 2)
