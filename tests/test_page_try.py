"""Try, in a browser: blanks filled in by hand, verdicts as `check` gives them, and a sheet to send."""

import json
import re
import subprocess
import sys

import pytest

from browser import axe, screenshot, watch

SIGNS = {"right": "✓", "right_truncated": "✓", "last_digit": "✓", "carried_forward": "~", "wrong": "✗"}


def checked(what):
    command = [sys.executable, "-m", "chainrule", "check", what, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True).stdout)


def blank(page, name):
    """The field of a number, by its id."""
    return page.locator(f'[id="try-{name}"]')


def row(page, name):
    return page.locator(".try .blank").filter(has=blank(page, name))


def try_tab(page):
    page.get_by_role("tab", name="Try").click()
    page.wait_for_selector(".try .blank")


@pytest.mark.parametrize("what", ["two-two-one", "mazur", "lamsal"])
def test_the_source_s_numbers_are_judged_as_check_judges_them(open_page, what):
    page = open_page(what)
    try_tab(page)
    page.get_by_role("button", name="Fill in what the source prints").click()
    page.get_by_role("button", name=re.compile(r"Check \d+ numbers")).click()
    page.wait_for_selector(".verdict p")
    told = [each for each in checked(what)["answers"] if each.get("update") == 1]
    for each in told:
        about = row(page, each["id"]).locator(".said")
        assert about.locator(".sign").inner_text() == SIGNS[each["verdict"]], each
        for explanation in each["explanations"] if each["verdict"] == "wrong" else ():
            assert explanation["text"] in about.inner_text()
    wrong = sum(each["verdict"] == "wrong" for each in told)
    assert page.locator(".try .blank.wrong").count() == wrong
    if what == "two-two-one":
        assert wrong == 6
        assert page.locator(".try .blank.carried-forward").count() == 7
        assert "6 new mistakes, 7 follow" in page.locator(".verdict").inner_text()


def test_with_the_keyboard_alone(open_page):
    page = open_page("mazur")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.getAttribute('role')") != "tab":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "try-z[1][1]":
            break
    page.keyboard.type("0.3775")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("0.39")
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict p")
    assert row(page, "z[1][1]").locator(".sign").inner_text() == "✓"
    assert page.evaluate("document.activeElement.id") == "try-z[1][2]"


def test_hints_lead_there_and_never_say_the_number(open_page):
    page = open_page("mazur")
    try_tab(page)
    one = row(page, "z[1][1]")
    button = one.locator(".hint")
    said = []
    while button.is_enabled():
        button.click()
        said.append(one.locator(".told").last.inner_text())
    assert len(said) == 3
    assert "0.3775" not in "".join(said)
    assert "0.15" in said[2]


def test_the_drawing_does_not_tell_what_is_asked_for(open_page):
    page = open_page("mazur")
    drawing = page.locator("section.drawing")
    assert "0.593269992" in drawing.inner_html()
    try_tab(page)
    hidden = drawing.inner_html()
    assert "0.593269992" not in hidden
    assert "0.298371109" not in hidden
    assert "0.15" in hidden
    blank(page, "a[1][1]").fill("0.59")
    assert "0.59" in drawing.inner_html()


def test_what_is_no_number_is_said_at_its_field(open_page):
    page = open_page("mazur")
    try_tab(page)
    for text in ("abc", "1e999", "0.3.3", "<b>"):
        blank(page, "z[1][1]").fill(text)
        page.keyboard.press("Enter")
        page.wait_for_selector(".try .blank.unreadable")
        assert blank(page, "z[1][1]").get_attribute("aria-invalid") == "true"
        blank(page, "z[1][1]").fill("")
    blank(page, "z[1][1]").fill("0,3775")
    page.keyboard.press("Enter")
    page.wait_for_selector(".try .blank.right")


def test_layers_and_phases(open_page):
    page = open_page("three-layer")
    try_tab(page)
    every = page.locator(".try .blank").count()
    choose = page.locator(".try select")
    counts = {}
    for label in ("Backward only", "Update only", "Forward and loss", "Layer 2"):
        choose.select_option(label=label)
        counts[label] = page.locator(".try .blank").count()
        assert 0 < counts[label] < every
    assert counts["Backward only"] + counts["Update only"] + counts["Forward and loss"] == every


def test_answers_stay_when_another_tab_is_opened(open_page):
    page = open_page("mazur")
    try_tab(page)
    blank(page, "z[1][1]").fill("0.31")
    page.get_by_role("tab", name="Walk").click()
    try_tab(page)
    assert blank(page, "z[1][1]").input_value() == "0.31"


def test_a_file_of_answers_and_a_sheet_to_send(open_page, browser, tmp_path):
    answers = tmp_path / "homework.csv"
    answers.write_text("name,value\nnet_h1,0.31\nout_h1,0.6011\nnonsense,3\n", "utf-8")
    page = open_page("two-two-one")
    try_tab(page)
    page.locator(".try input[type=file]").set_input_files(answers)
    page.wait_for_selector(".faults li")
    assert "nonsense" in page.locator(".faults").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the marked sheet").click()
    sheet = tmp_path / "marked.html"
    download.value.save_as(sheet)
    wrong = []
    context = browser.new_context()
    watch(context, sheet.parent.as_uri(), wrong)
    kept = context.new_page()
    kept.goto(sheet.as_uri())
    text = kept.locator("body").inner_text()
    assert "net_h1" in text
    assert "With the bias b_h1 left out" in text
    screenshot(kept, "try-marked-sheet")
    context.close()
    assert not wrong


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_looks_well_and_axe_finds_nothing(open_page, width, scheme):
    page = open_page("two-two-one", width=width, scheme=scheme)
    try_tab(page)
    page.get_by_role("button", name="Fill in what the source prints").click()
    page.locator(".try button[type=submit]").click()
    page.wait_for_selector(".verdict p")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is wider than the window"
    assert axe(page) == []
    screenshot(page, f"try-{width}-{scheme}")


def test_another_network_has_no_source(open_page):
    page = open_page("two-two-one")
    page.get_by_role("tab", name="Change").click()
    field = page.locator('input[aria-label^="w1, weight"]')
    field.fill("0.7654")
    field.press("Enter")
    page.wait_for_function("() => document.querySelector('section.drawing').textContent.includes('0.7654')")
    try_tab(page)
    page.wait_for_selector("text=not the network of the source any more")
    assert page.get_by_role("button", name="Fill in what the source prints").is_disabled()
    page.get_by_role("tab", name="Change").click()
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("() => document.querySelector('section.drawing').textContent.includes('0.7654→')")  # taken back
    try_tab(page)
    page.wait_for_function("() => !document.querySelector('.try .row button').disabled")


def test_answers_outlive_a_reload(open_page):
    page = open_page("mazur")
    try_tab(page)
    blank(page, "z[1][1]").fill("0.3775")
    page.reload()
    page.wait_for_selector(".page h1")
    try_tab(page)
    assert blank(page, "z[1][1]").input_value() == "0.3775"
