"""Train in a real browser: a hand, a keyboard, a reader's ear; and the numbers are those of `explain`."""

import json
import re

import pytest

from browser import REFUSAL, axe, screenshot
from chainrule.derivation import derive
from chainrule.page import datasets
from chainrule.spec import load_example
from recorded_runs import trained

SIZES = [(1280, 900, "light"), (1280, 900, "dark"), (390, 844, "light"), (390, 844, "dark")]


def train_tab(page):
    page.get_by_role("tab", name="Train").click()
    page.get_by_role("slider", name="Step that is looked at").wait_for()
    return page


def trains(page, updates):
    page.get_by_label("Number of updates").fill(str(updates))
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function(
        "text => document.querySelector('.train .told')?.textContent.includes(text)", arg="updates are done."
    )


def looked_at(page, after):
    page.wait_for_function(
        "after => document.querySelector('.curve')?.getAttribute('aria-valuenow') === String(after)", arg=after, timeout=60_000
    )


def loss_of(page):
    """The loss of the step that is looked at, with all digits."""
    page.get_by_role("button", name="All digits").click()
    page.get_by_text("after it:").wait_for()
    return page.locator(".train .place strong").first.inner_text()


def test_mazur_is_trained_and_any_step_comes_back(open_page):
    page = train_tab(open_page("mazur"))
    trains(page, 10_000)
    looked_at(page, 10_000)
    assert "10,000 updates done" in page.locator(".going").inner_text()
    assert loss_of(page) == "3.510187782978859e-05"
    page.get_by_label("Step after").fill("1")
    page.get_by_role("button", name="Go there").click()
    looked_at(page, 1)
    known = derive(load_example("mazur"), 1)
    assert loss_of(page) == repr(float(known.loss))
    drawn = page.locator("section.drawing svg").first.text_content()
    assert known["net_h1"].shown in drawn
    page.get_by_role("slider", name="Step that is looked at").press("End")
    looked_at(page, 10_000)


def test_the_curve_is_gone_along_by_hand_and_by_keyboard(open_page):
    page = train_tab(open_page("mazur"))
    trains(page, 200)
    looked_at(page, 200)
    slider = page.get_by_role("slider", name="Step that is looked at")
    assert (slider.get_attribute("aria-valuemin"), slider.get_attribute("aria-valuemax")) == ("0", "200")
    for key, after in (("ArrowLeft", 199), ("PageDown", 179), ("Home", 0), ("ArrowRight", 1), ("End", 200)):
        slider.press(key)
        looked_at(page, after)
        assert f"after {after} update{'s' * (after != 1)}, loss" in slider.get_attribute("aria-valuetext")
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_function("() => Number(document.querySelector('.curve').getAttribute('aria-valuenow')) < 150")
    after = int(slider.get_attribute("aria-valuenow"))
    assert 60 < after < 130
    page.get_by_text(derive(load_example("mazur"), after)["E_total"].shown).first.wait_for()
    page.get_by_label("logarithmic scale").check()
    assert page.locator(".curve polyline").get_attribute("points")


def test_until_a_loss_stop_and_back_to_the_beginning(open_page):
    page = train_tab(open_page("mazur"))
    page.get_by_label("Loss to reach").fill("0.01")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("the loss had reached 0.01").wait_for()
    looked_at(page, derive(load_example("mazur"), until=0.01).number - 1)
    trains_long = page.get_by_label("Number of updates")
    trains_long.fill("50000000")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("Training goes on.").wait_for()
    page.get_by_role("tab", name="Walk").click()  # it goes on while something else is looked at
    page.get_by_role("tab", name="Train").click()
    page.get_by_text("Training goes on.").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text(re.compile(r"Stopped after [\d,]+ updates\.")).wait_for()
    page.get_by_role("button", name="Back to the beginning").click()
    looked_at(page, 0)
    page.wait_for_function("() => document.querySelector('.going').textContent === ''")


def test_two_tabs_do_not_train_at_once(open_page):
    page = train_tab(open_page("mazur", expected=[REFUSAL]))
    page.get_by_label("Number of updates").fill("50000000")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("Training goes on.").wait_for()
    status = page.evaluate(
        """async () => {
          const key = sessionStorage.getItem("chainrule-key");
          const headers = {"Content-Type": "application/json", "X-Chainrule-Token": key};
          const answer = await fetch("/api/train", {method: "POST", headers, body: JSON.stringify({version: 1, updates: 1})});
          return [answer.status, (await answer.json()).error.problems[0].what];
        }"""
    )
    assert status == [409, "training goes on already"]
    page.reload()  # a page that comes back finds the training it left
    page.wait_for_selector(".page h1")
    train_tab(page)
    page.get_by_text("Training goes on.").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text(re.compile("Stopped after")).wait_for()


def test_a_loss_that_is_not_finite_is_told_in_words(open_page, tmp_path):
    spec = tmp_path / "wild.toml"
    spec.write_text(
        '[network]\nloss = "half_squared_error"\nlayers = [{units = 1, activation = "identity"}]\n'
        "[data]\ninputs = [[1e3, 2e3], [5, 6]]\ntargets = [[1.0], [2.0]]\n[update]\nlearning_rate = 1e3\n"
    )
    page = train_tab(open_page(spec))
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(re.compile("the loss is not finite at update")).wait_for()


def test_points_with_their_surfaces(open_page):
    page = train_tab(open_page("mazur"))
    page.get_by_text("Train on other data").click()
    page.get_by_label("Points").select_option("moons")
    page.get_by_role("button", name="Take these points").click()
    page.get_by_role("heading", name="Two moons: 200 points").wait_for()
    trains(page, 300)
    looked_at(page, 300)
    field = page.get_by_role("application")
    assert page.locator(".field .mark").count() == 200
    shapes = page.locator(".field .mark").evaluate_all("all => all.map((each) => each.getAttribute('d').includes('a'))")
    assert sum(shapes) == 100  # round ones: the other class has another shape
    assert page.locator(".thumb canvas").count() == 16
    painted = "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    assert page.locator(".field canvas").evaluate(painted) > 20
    # a point picks its sample, and its output opens
    dot = page.locator(".field .mark").nth(40)
    box = dot.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_role("heading", name=re.compile(r"out_o1@\d+ = ")).wait_for()
    sample = int(re.search(r"@(\d+)", page.locator(".opened h2").inner_text())[1])
    known = derive(datasets.drawn("moons", 200, 0.1, 1), 300)
    assert known[f"out_o1@{sample}"].shown in page.locator(".opened h2").inner_text()
    # a hidden unit opens its number
    page.locator(".thumb").nth(3).click()
    page.get_by_role("heading", name=re.compile(rf"out_h1_4@{sample} = ")).wait_for()
    # anywhere else it says what the network gives there
    field.press("ArrowLeft")
    for _ in range(40):
        field.press("ArrowDown")
    for _ in range(60):
        field.press("ArrowLeft")
    field.press("Enter")
    page.get_by_text(re.compile(r"At i1 = .*out_o1 = .*class [01]")).wait_for()
    assert not axe(page)


def test_a_table_of_ones_own_and_what_is_wrong_with_one(open_page, tmp_path):
    x, kind = datasets.points("circles", 80, 0.05, 3)
    rows = "".join(f"{a},{b},{'in' if k else 'out'}\n" for (a, b), k in zip(x, kind, strict=True))
    right, wrong, empty = tmp_path / "rings <b>.csv", tmp_path / "wrong.csv", tmp_path / "empty.csv"
    right.write_text("across,up,<img src=x onerror=alert(1)>\n" + rows)
    wrong.write_text("a,b,c\n1,2,3\n4,5\n")
    empty.write_text("")
    page = train_tab(open_page("mazur", expected=[REFUSAL]))
    page.get_by_text("Train on other data").click()
    chooser = page.locator("input[type=file][accept*=csv]").first
    chooser.set_input_files(empty)
    page.get_by_text("empty.csv is empty").wait_for()
    chooser.set_input_files(wrong)
    page.get_by_text("this row has 2 cells").wait_for()
    assert "wrong.csv:3" in page.get_by_role("alert").first.inner_text()
    chooser.set_input_files(right)
    page.get_by_label("Learn to tell").wait_for()
    assert page.get_by_label("Learn to tell").input_value() == "<img src=x onerror=alert(1)>"
    assert page.get_by_role("checkbox", name="across").is_checked()
    page.get_by_role("button", name="Take this table").click()
    page.get_by_role("heading", name="rings _b_").wait_for()
    page.get_by_text("class out").wait_for()
    assert page.locator(".plane .name").all_inner_texts() == ["up", "across"]


def test_penguins_have_no_plane(open_page):
    page = train_tab(open_page("penguins"))
    trains(page, 50)
    looked_at(page, 50)
    assert not page.locator(".plane").count()
    assert loss_of(page) == repr(float(derive(load_example("penguins"), 50).loss))


def test_a_recorded_run(open_page, tmp_path, monkeypatch):
    trained(monkeypatch, tmp_path / "run", hidden=(5,), epochs=4, batch_size=40, validation=0.2)
    from chainrule.replay import open_run

    known = open_run(tmp_path / "run")
    page = train_tab(open_page(tmp_path / "run", expected=[REFUSAL]))
    slider = page.get_by_role("slider", name="Step that is looked at")
    assert (slider.get_attribute("aria-valuemin"), slider.get_attribute("aria-valuemax")) == ("1", str(known.updates))
    assert page.locator(".curve polyline").count() == 2
    slider.press("End")
    looked_at(page, known.updates)
    page.get_by_role("heading", name=f"Update {known.updates} of the run run", level=1).wait_for()
    trace = known.trace(known.updates)
    assert loss_of(page) == repr(float(trace.loss))
    page.locator(".replayed").get_by_text("agrees with the recorded run to the last bit").wait_for()
    assert "line " in page.locator(".place .soft").inner_text()
    name = page.locator(".replayed td button").first
    label = name.inner_text()
    name.click()
    page.locator(".opened h2").wait_for()
    assert trace[label].shown in page.locator(".opened h2").inner_text()
    assert not page.get_by_role("button", name="Train", exact=True).count()
    assert not axe(page)
    screenshot(page, "train-recorded-1280-light")


def test_the_keyboard_alone_trains_and_goes_back(open_page):
    page = open_page("mazur")
    page.keyboard.press("Tab")
    for _ in range(60):
        if page.evaluate("document.activeElement?.getAttribute('role')") == "tab":
            break
        page.keyboard.press("Tab")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    reach(page, "document.activeElement?.getAttribute('aria-label') === 'Number of updates'")
    page.keyboard.press("Control+a")
    page.keyboard.type("60")
    page.keyboard.press("Enter")
    looked_at(page, 60)
    reach(page, "document.activeElement?.classList.contains('curve')")
    page.keyboard.press("Home")
    looked_at(page, 0)
    page.keyboard.press("ArrowRight")
    looked_at(page, 1)
    reach(page, "document.activeElement?.getAttribute('role') === 'application'")
    for _ in range(10):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.get_by_text(re.compile(r"At i1 = .*out_o1 = ")).wait_for()
    reach(page, "document.activeElement?.classList.contains('thumb')")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=re.compile("out_h1 = ")).wait_for()


def reach(page, here):
    """Tabs on until the focus is where it is wanted."""
    for _ in range(120):
        if page.evaluate(here):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {here}")


@pytest.mark.parametrize(("width", "height", "scheme"), SIZES)
def test_it_looks_as_it_should(open_page, width, height, scheme):
    page = train_tab(open_page("mazur", width=width, height=height, scheme=scheme))
    page.get_by_text("Train on other data").click()
    page.get_by_label("Points").select_option("spirals")
    page.get_by_role("button", name="Take these points").click()
    page.get_by_role("heading", name="Two spirals").wait_for()
    page.get_by_text("Train on other data").click()
    trains(page, 600)
    looked_at(page, 600)
    page.locator(".thumb").first.click()
    page.locator(".opened h2").wait_for()
    screenshot(page, f"train-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not axe(page)
    assert json.loads(page.locator(".thumb").first.evaluate("each => JSON.stringify(each.getBoundingClientRect().width > 40)"))
