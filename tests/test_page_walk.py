"""Walk in a real browser: from frame to frame, by the keyboard alone, in large networks, and without a server."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from browser import axe, screenshot

SIZES = [(1280, 900, "light"), (1280, 900, "dark"), (390, 844, "light"), (390, 844, "dark")]


def explained(what, *options):
    command = [sys.executable, "-m", "chainrule", "explain", str(what), "--format", "json", "--no-time", *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {step["id"]: step for step in json.loads(done.stdout)["steps"]}


def slider(page):
    return page.get_by_role("slider", name="Place in the step")


def shown(page):
    """The number that is shown: its id, and its value with every digit."""
    article = page.locator("article.shown")
    article.locator("details.exact").evaluate("element => { element.open = true }")
    return article.get_attribute("data-cell"), article.locator(".full").inner_text()


def same(text, value):
    """Whether a text of the page is a value of the JSON, to the last digit."""
    return float(text) == float(value)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """784-512-10 on 32 rows of made-up pictures."""
    folder = tmp_path_factory.mktemp("large")
    random = np.random.default_rng(0)
    pixels = np.where(random.random((32, 784)) < 0.5, 0, random.random((32, 784)).round(3))
    lines = [",".join([*(f"p{i}" for i in range(784)), "digit"])]
    lines += [",".join([*(f"{value:g}" for value in row), "abcdefghij"[place % 10]]) for place, row in enumerate(pixels)]
    (folder / "digits.csv").write_text("\n".join(lines) + "\n")
    layers = [("relu", 512, "he_uniform"), ("softmax", 10, "glorot_uniform")]
    text = 'chainrule = 1\ntitle = "Digits"\n[network]\nloss = "cross_entropy"\nseed = 1\n'
    text += "".join(
        f'[[network.layers]]\nunits = {units}\nactivation = "{activation}"\ninitializer = "{initializer}"\nbiases = 0\n'
        for activation, units, initializer in layers
    )
    text += '[data]\ntable = "digits.csv"\ntarget = "digit"\n[update]\nlearning_rate = 0.1\n[numbers]\nplaces = 6\n'
    (folder / "digits.toml").write_text(text)
    return folder / "digits.toml"


@pytest.mark.parametrize("what", ["mazur", "two-two-one"])
def test_every_frame_shows_the_number_that_explain_gives(open_page, what):
    page, told = open_page(what), explained(what)
    step = page.get_by_role("button", name="Step", exact=True)
    seen = []
    while step.is_enabled():
        step.click()
        identifier, value = shown(page)
        assert same(value, told[identifier]["value"]), identifier
        assert page.locator("article.shown .because").inner_text().strip() == (told[identifier]["because"] or "Given.")
        seen.append(identifier)
    assert set(seen) == {each for each, step in told.items() if step["phase"] != "given"}
    assert int(slider(page).get_attribute("max")) == len(seen)


def test_penguins_walks_through_a_sample_and_looks_at_another(open_page):
    page, told = open_page("penguins"), explained("penguins")
    last = int(slider(page).get_attribute("max"))
    for place in range(1, last + 1, 7):
        slider(page).fill(str(place))
        identifier, value = shown(page)
        assert same(value, told[identifier]["value"]), identifier
    slider(page).fill("6")
    before, _ = shown(page)
    assert before.endswith("@1")
    page.get_by_label("Sample", exact=True).fill("17")
    page.get_by_label("Sample", exact=True).press("Enter")
    page.locator(".drawing").get_by_text(f"{told['x[1]@17']['value']:.6f}".replace("-", "−")).wait_for()
    page.get_by_role("button", name="Forward", exact=True).click()
    page.locator("article.shown[data-cell$='@17']").wait_for()
    identifier, value = shown(page)
    assert same(value, told[identifier]["value"])


def test_the_drawing_says_at_each_phase_what_stands_there(open_page):
    page, told = open_page("mazur"), explained("mazur")
    for phase, cells in {
        "Forward": ["z[1][1]", "a[2][2]", "W[1][1,1]"],
        "Backward": ["dE/dz[1][2]", "dE/da[2][1]"],
        "Update": ["dE/dz[2][1]"],
        "Loss": ["E[1]", "t[2]", "E"],
    }.items():
        page.get_by_role("button", name=phase, exact=True).click()
        drawn = page.locator("section.drawing svg").first.text_content().replace("−", "-")
        for cell in cells:
            assert f"{told[cell]['value']:.9f}"[:9].rstrip("0") in drawn, (phase, cell)
    page.get_by_role("button", name="w5, weight from h1 to o1: 0.4", exact=False).click()
    assert page.locator("article.shown").get_attribute("data-cell") in ("W[2][1,1]", "W+[2][1,1]")


def test_what_is_active_is_lit_and_has_a_direction(open_page):
    page = open_page("mazur")
    slider(page).fill("5")  # net_o1
    assert page.locator(".unit.now").count() == 1
    assert page.locator(".edge.used").count() == 2 == page.locator(".edge .arrow").count()

    def heads():
        return [float(each) for each in re.findall(r"rotate\((-?[\d.]+)\)", page.locator(".edges").inner_html())]

    assert all(abs(angle) < 90 for angle in heads())
    page.get_by_role("button", name="Backward", exact=True).click()
    slider(page).fill("26")
    assert page.locator(".edge .arrow").count()
    assert all(abs(angle) > 90 for angle in heads())


def test_the_tree_unfolds_to_what_is_given(open_page):
    page, told = open_page("mazur"), explained("mazur")
    slider(page).fill("55")
    page.get_by_role("button", name="Unfold all").click()
    items = page.get_by_role("treeitem")
    assert items.count() > 30
    leaves = page.locator("[role=treeitem]:not([aria-expanded])")
    given = {step["name"] for step in told.values() if not step["uses"]}
    assert leaves.count()
    assert "η" in given
    assert all("given" in text for text in leaves.all_inner_texts())


def test_by_the_keyboard_alone(open_page):
    page = open_page("mazur")
    page.locator("#tab-walk").focus()
    page.keyboard.press("Tab")  # into the drawing
    assert page.evaluate("document.activeElement.dataset.key") == "u0.0"
    for key, place in [
        ("ArrowRight", "u1.0"), ("ArrowDown", "u1.1"), ("ArrowRight", "u2.1"), ("ArrowRight", "t1"), ("End", "E"),
        ("Home", "u0.0"), ("ArrowRight", "u1.0"), ("w", "e1.0.0"), ("ArrowDown", "e1.0.1"),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.dataset.key") == place, key
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("w2, weight from i2 to h1: 0.2")
    page.keyboard.press("Enter")
    assert page.locator("article.shown").get_attribute("data-cell") == "W[1][1,2]"
    page.get_by_role("button", name="Step", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator("article.shown").get_attribute("data-cell") == "z[1][2]"
    page.keyboard.press("End")
    assert page.locator("article.shown").get_attribute("data-cell").startswith("W+")
    page.get_by_role("treeitem").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator("article.shown").get_attribute("data-cell").startswith("dE/dW")
    assert "dE/dw" in page.locator("[data-live]").inner_text()


def test_playing_goes_on_by_itself_and_stops(open_page):
    page = open_page("mazur", reduced_motion="reduce")
    page.get_by_label("Speed").select_option("4×")
    page.get_by_role("button", name="Play").click()
    page.locator("input[type=range][aria-valuetext^='2 of']").wait_for()
    page.get_by_role("button", name="Pause").click()
    at = slider(page).input_value()
    page.wait_for_timeout(700)
    assert slider(page).input_value() == at


def test_any_number_is_found_by_its_name(open_page):
    page, told = open_page("mazur"), explained("mazur")
    page.get_by_text("All numbers").click()
    page.get_by_label("Name or id").fill("dE/dw5")
    page.get_by_role("button", name="Open", exact=True).click()
    identifier, value = shown(page)
    assert identifier == "dE/dW[2][1,1]"
    assert same(value, told[identifier]["value"])


def test_the_matrix_form_stands_beside_the_scalar_form(open_page):
    page, told = open_page("mazur"), explained("mazur")
    slider(page).fill("5")
    now = page.locator(".matrix.now")
    assert re.sub(r"\s", "", now.locator("math").first.text_content()) == "z2=a1W2⊤+b2"
    numbers = now.locator("math").nth(1).text_content()
    for cell in ("z[2][1]", "z[2][2]", "a[1][1]"):
        assert f"{told[cell]['value']:.9f}" in numbers


def test_a_large_network_is_strips_and_opens_any_number(open_page, large):
    page = open_page(large)
    assert page.locator(".strip").count() == 3
    assert page.locator(".histogram").count() == 7
    hidden = page.get_by_role("region", name="Hidden layer")
    hidden.get_by_role("button", name="Largest gradients").click()
    first = hidden.locator(".weights tbody tr").first
    first.wait_for()
    name = first.locator("th").inner_text()
    first.get_by_role("button").nth(1).click()
    page.wait_for_selector("article.shown")
    identifier, value = shown(page)
    assert identifier == f"dE/d{name}"
    told = explained(large, "--of", identifier)
    assert same(value, told[identifier]["value"])
    page.get_by_role("treeitem").nth(1).click()
    screenshot(page, "walk-784-512-10")
    assert not axe(page)
    hidden.get_by_role("button", name="Units", exact=True).click()
    hidden.get_by_role("button", name="Next").click()
    hidden.get_by_text("25 to 48 of 512").wait_for()
    page.get_by_label("Name or id").fill("z[2][3]")
    page.get_by_role("button", name="Open", exact=True).click()
    page.locator("article.shown[data-cell='z[2][3]@1']").wait_for()


@pytest.mark.parametrize(("width", "height", "scheme"), SIZES)
@pytest.mark.parametrize("what", ["mazur", "penguins", "three-layer", "two-two-one"])
def test_it_looks_good_everywhere(open_page, what, width, height, scheme):
    page = open_page(what, width=width, height=height, scheme=scheme)
    last = int(slider(page).get_attribute("max"))
    for place in (0, 5, last // 2, last):
        slider(page).fill(str(place))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
        assert not overlapping(page), place
        if place:
            screenshot(page, f"walk-{what}-{width}-{scheme}-{place}")
    assert not axe(page)


def overlapping(page):
    """Labels of weights that cover each other or a card."""
    return page.evaluate("""() => {
      const boxes = (selector) => [...document.querySelectorAll(selector)].map((each) => each.getBoundingClientRect());
      const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
      const labels = boxes(".label rect"), cards = boxes(".unit .card"), found = [];
      labels.forEach((a, i) => {
        labels.slice(i + 1).forEach((b) => meet(a, b) && found.push("two labels"));
        cards.forEach((b) => meet(a, b) && found.push("a label and a card"));
      });
      cards.forEach((a, i) => cards.slice(i + 1).forEach((b) => meet(a, b) && found.push("two cards")));
      for (const text of document.querySelectorAll(".unit g text")) {
        const card = text.closest(".unit").querySelector(".card").getBoundingClientRect(), box = text.getBoundingClientRect();
        if (box.left < card.left || box.right > card.right) found.push(`outside of its card: ${text.textContent}`);
      }
      return found;
    }""")


def test_a_kept_file_walks_without_a_server(browser, tmp_path):
    path = tmp_path / "mazur.html"
    subprocess.run([sys.executable, "-m", "chainrule", "explain", "mazur", "--format", "html", "-o", str(path)], check=True)
    context, wrong = browser.new_context(viewport={"width": 1280, "height": 900}), []
    context.on("console", lambda message: wrong.append(message.text))
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on("request", lambda request: request.url == path.as_uri() or wrong.append(request.url))
    page, told = context.new_page(), explained("mazur")
    page.goto(path.as_uri())
    for place in (1, 20, 55):
        slider(page).fill(str(place))
        identifier, value = shown(page)
        assert same(value, told[identifier]["value"])
    page.get_by_role("button", name="Unfold all").click()
    assert not wrong
    page.evaluate("document.getElementById('chainrule-text').remove()")  # the text for who has no scripts is tested elsewhere
    assert not axe(page)
    context.close()


def test_what_a_change_did_stands_beside_what_was(open_page):
    page, told = open_page("mazur"), explained("mazur")
    page.locator("#tab-change").click()
    field = page.locator("input[aria-label^=w5]").first
    field.fill("0.9")
    field.press("Enter")
    page.locator(".drawing .row.changed").first.wait_for()
    page.locator("#tab-walk").click()
    page.get_by_role("button", name="Loss", exact=True).click()
    assert f"{told['E[1]']['value']:.9f}" in page.locator("article.shown .was").inner_text()
    assert re.search(r"w5 0\.4.*→ 0\.9", page.locator(".labels").text_content())
    drawn = page.locator(".row.changed .old").all_text_contents()
    assert "0.2984" in drawn  # the loss before the change
    screenshot(page, "walk-old-beside-new")
    assert not axe(page)


def test_the_derivation_of_a_large_networks_number_is_walked_through(open_page, large):
    page = open_page(large)
    page.get_by_label("Name or id").fill("W+[2][3,100]")
    page.get_by_role("button", name="Open", exact=True).click()
    page.locator("article.shown[data-cell='W+[2][3,100]']").wait_for()
    told = explained(large, "--of", "W+[2][3,100]")
    back = page.get_by_role("button", name="Step back")
    seen = []
    while back.is_enabled() and len(seen) < 12:
        identifier, value = shown(page)
        assert same(value, told[identifier]["value"]), identifier
        seen.append(identifier)
        back.click()
    assert len(set(seen)) == 12


def test_a_line_is_drawn_by_the_number_that_it_shows(open_page):
    page = open_page("mazur")
    line = page.locator(".edge[data-key='e2.1.0']")  # w7 is 0.5, its gradient negative
    assert "plus" in line.get_attribute("class")
    page.get_by_role("button", name="Backward", exact=True).click()
    page.locator(".edge.minus[data-key='e2.1.0']").wait_for()
    assert "later" in page.locator(".label").last.get_attribute("class")
    assert page.get_by_text("Pale numbers are computed later.").is_visible()


def test_names_are_read_out_and_all_is_folded_again(open_page):
    page = open_page("mazur")
    slider(page).fill("5")
    assert page.get_by_role("heading", name="net_o1 =").count() == 1
    tree = page.get_by_role("tree", name="Where it comes from", exact=True)
    page.get_by_role("button", name="Unfold all").click()
    assert tree.get_by_role("treeitem").count() > 6
    page.get_by_role("button", name="Fold all").click()
    assert tree.get_by_role("treeitem").count() == 1 + 5
