"""The page opens in a browser, and its numbers are those of `explain --format json`."""

import json
import subprocess
import sys

import pytest

from browser import REFUSAL, axe, screenshot


def explained(what):
    command = [sys.executable, "-m", "chainrule", "explain", what, "--format", "json", "--no-time"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("what", ["mazur", "three-layer"])
def test_the_page_opens_and_its_numbers_are_those_of_explain(open_page, what):
    page = open_page(what)
    told = explained(what)
    assert page.title() == told["title"] == page.locator("h1").inner_text()
    with page.expect_response("**/api/look") as answer:
        page.reload()
    view = answer.value.json()
    assert {step["id"]: step["value"] for step in view["steps"]} == {step["id"]: step["value"] for step in told["steps"]}
    page.wait_for_selector(".page h1")
    drawn = page.locator("section.drawing svg[role=group]").text_content().replace("−", "-")
    for column in view["network"]["columns"]:
        for unit in column["units"]:
            assert unit["shown"] in drawn or unit["numbers"]["out"]["brief"] in drawn


def test_walking_goes_from_number_to_number(open_page):
    page = open_page("mazur")
    seen = set()
    for _ in range(8):
        seen.add(page.locator("section.panel").inner_text())
        page.get_by_role("button", name="Step", exact=True).click()
    assert len(seen) == 8
    screenshot(page, "walk-first")


def test_axe_can_judge_the_page(open_page):
    page = open_page("mazur")
    assert isinstance(axe(page), list)
    page.evaluate("document.querySelector('h1').replaceChildren(document.createElement('img'))")
    assert any(line.startswith("image-alt") for line in axe(page))


def test_a_link_works_once_and_a_fresh_one_lets_in_again(open_page, browser):
    page = open_page("mazur", expected=[REFUSAL])
    page.reload()
    page.wait_for_selector(".page h1")  # the tab has its key
    again = page.context.new_page()
    again.goto(page.server.link)
    again.wait_for_function("document.body.innerText.includes('link')")
    assert not again.locator("h1").count()
    again.goto(page.server.fresh_link())
    again.reload()
    again.wait_for_selector(".page h1")


def test_a_page_that_talks_to_its_console_or_to_elsewhere_is_found_out(browser, page_server):
    from browser import watch

    server = page_server("mazur")
    context, wrong = browser.new_context(), []
    watch(context, server.origin, wrong)
    page = context.new_page()
    page.goto(server.link)
    page.wait_for_selector(".page h1")
    assert not wrong
    page.evaluate("console.log('hello')")
    page.evaluate("setTimeout(() => { throw new Error('thrown') })")
    page.evaluate("fetch('http://127.0.0.1:9/').catch(() => 0)")
    page.evaluate("try { document.body.innerHTML = '<b>' } catch { 0 }")
    context.close()
    text = "\n".join(wrong)
    for expected in ("hello", "thrown", "127.0.0.1:9", "TrustedHTML"):
        assert expected in text


def test_a_server_that_is_killed_is_missed_in_words(open_page):
    """W18."""
    page = open_page("mazur", expected=["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET"])
    page.server.process.kill()
    page.server.process.wait()
    page.get_by_role("tab", name="Change").click()
    page.get_by_text("The program does not answer").first.wait_for()
    assert page.locator("section.drawing svg").first.is_visible()  # what is here stays to be looked at


def test_a_tab_of_an_earlier_server_is_told_where_the_link_is(open_page, page_server):
    """W13: the same port, another server."""
    page = open_page("mazur", expected=[REFUSAL])
    page.server.stop()
    again = page_server("mazur", "--port", str(page.server.port))
    page.get_by_role("tab", name="Change").click()
    page.get_by_text("open the link that stands in the terminal").first.wait_for()
    page.goto(again.link)
    page.reload()
    page.wait_for_selector(".page h1")


def test_without_scripts_the_page_says_what_to_do(browser, page_server):
    server = page_server("mazur")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.link)
    assert "chainrule explain" in page.locator("noscript").inner_text()
    context.close()
