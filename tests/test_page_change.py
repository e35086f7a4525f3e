"""Change in a real browser: every number on the page after a change is the one that `explain --set` derives."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from browser import REFUSAL, axe, screenshot
from chainrule.derivation import derive
from chainrule.rules.rule import names
from chainrule.spec import load_example

LOST = r"Failed to load resource: net::ERR_"
"""What Chromium itself says on the console when nobody answers."""


def explained(what, *settings):
    """The JSON of `chainrule explain` with settings: values by id, and the losses."""
    options = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-m", "chainrule", "explain", what, "--format", "json", "--no-time", *options]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {step["id"]: step["value"] for step in told["steps"]}, told


def start(open_page, what="mazur", **options):
    page = open_page(what, **options)
    page.get_by_role("tab", name="Change").click()
    page.get_by_role("button", name="Undo").wait_for()
    return page


def field(page, name):
    return page.get_by_role("textbox", name=name)


def write(page, name, text, settle=True):
    """Fills a field and presses Enter; waits until it is done."""
    one = field(page, name)
    one.fill(text)
    one.press("Enter")
    if settle:
        expect(page.locator(".change input.draft")).to_have_count(0)


def changed(page, kind):
    """The rows under a heading of What changed: name -> (before, now)."""
    rows = page.locator(".changed .kind").filter(has=page.get_by_role("heading", name=kind)).locator("tbody tr")
    cells = [row.locator("th, td").all_inner_texts() for row in rows.all()]
    return {name.strip(): (before.strip(), now.replace("→", "").strip()) for name, before, now, *_ in cells}


def shown(value, places=9):
    return f"{value:.{places}f}"


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_a_changed_weight_and_what_follows_from_it(open_page):
    page = start(open_page)
    write(page, "w3, weight", "0.7")
    page.get_by_text("before 0.298371109, now 0.298594708").wait_for()
    before, _ = explained("mazur")
    after, told = explained("mazur", "network.layers[1].weights[2][1]=0.7")
    assert changed(page, "Loss") == {
        "E_total": (shown(before["E"]), shown(after["E"])),
        "E_total after": (shown(explained("mazur")[1]["loss"]["after"]), shown(told["loss"]["after"])),
    }
    outputs = {f"out_o{i}": f"a[2][{i}]" for i in (1, 2)}
    assert changed(page, "Outputs") == {name: (shown(before[each]), shown(after[each])) for name, each in outputs.items()}
    gradients = changed(page, "Gradients")
    assert gradients["dE/dw5"] == (shown(before["dE/dW[2][1,1]"]), shown(after["dE/dW[2][1,1]"]))
    assert changed(page, "New weights")["w3+"] == (shown(before["W+[1][2,1]"]), shown(after["W+[1][2,1]"]))
    assert field(page, "w3, weight").input_value() == "0.7"
    assert page.get_by_role("status").filter(has_text="E_total: before").count() == 1  # read out as soon as it is there


@pytest.mark.parametrize(
    ("what", "label", "text", "setting"),
    [
        ("mazur", "b2", "-1.5", "network.layers[2].biases=-1.5"),
        ("mazur", "Input i2", "3", "data.inputs[1][2]=3"),
        ("mazur", "w1, weight", "0,41", "network.layers[1].weights[1][1]=0.41"),
        ("mazur", "Target of o1", ".5", "data.targets[1][1]=0.5"),
        ("mazur", "learning rate", "1e-3", "update.learning_rate=1e-3"),
        ("two-two-one", "w2, weight to h1 from i2", "0.9", "network.layers[1].weights[2][1]=0.9"),
        ("penguins", "b_o3", "\u22120.25", "network.layers[2].biases[3]=-0.25"),
        ("penguins", "learning rate", "0.5", "update.learning_rate=0.5"),
    ],
)
def test_numbers_on_the_page_are_those_of_the_command(open_page, what, label, text, setting):
    page = start(open_page, what)
    write(page, label, text)
    page.locator(".changed .kind").first.wait_for()
    trace = derive(load_example(what, [tuple(setting.split("="))]))  # as `explain --set` derives it
    places = 6 if what == "penguins" else 9
    for name, (_, now) in changed(page, "Loss").items():
        assert now == shown(trace.loss_after if name.endswith("after") else trace.loss, places)
    after = {f"{change.name}+": change.after for change in trace.changes}
    assert changed(page, "New weights")
    for name, (_, now) in changed(page, "New weights").items():
        assert float(now) == pytest.approx(after[name], abs=0.51 * 10**-places)


@pytest.mark.parametrize("path", ["activation", "loss", "optimizer"])
def test_menus_come_from_the_catalogue(open_page, path):
    page = start(open_page)
    label = {"activation": "Activation", "loss": "Loss", "optimizer": "Optimizer"}[path]
    menu = page.get_by_role("combobox", name=label, exact=True).first
    assert menu.locator("option").all_inner_texts() == list(names(path))


def test_choices_and_conventions(open_page):
    page = start(open_page)
    page.get_by_label("Optimizer", exact=True).select_option("adam")
    field(page, "beta1").wait_for()
    write(page, "beta1", "0.8")
    page.get_by_label("Order of the update").select_option("sequential")
    page.get_by_label("Rounding at every step").select_option("rounded")
    write(page, "Decimals", "4")
    expect(page.locator(".drawing")).to_contain_text("0.5932")
    after, _ = explained(
        "mazur", "update.optimizer=adam", "update.beta1=0.8", "update.order=sequential", "numbers.intermediate=rounded",
        "numbers.places=4",
    )  # fmt: skip
    page.get_by_role("tab", name="Walk").click()
    page.get_by_role("tab", name="Change").click()
    page.get_by_role("tab", name="Keep").click()
    with page.expect_download() as kept:
        page.get_by_role("button", name="JSON").click()
    steps = json.loads(kept.value.path().read_text("utf-8"))["steps"]
    assert {step["id"]: step["value"] for step in steps} == after


def test_what_cannot_go_together_is_refused_in_the_rules_own_words(open_page):
    page = start(open_page, expected=[REFUSAL])
    loss = page.get_by_role("combobox", name="Loss", exact=True)
    loss.select_option("cross_entropy")
    page.get_by_text("cross_entropy over 2 sigmoid outputs never counts the wrong classes").wait_for()
    page.get_by_text("use activation softmax").wait_for()
    assert loss.get_attribute("aria-invalid") == "true"
    page.get_by_role("button", name="Leave it as it was").click()
    assert loss.input_value() == "half_squared_error"
    assert page.get_by_role("button", name="Undo").get_attribute("aria-disabled") == "true"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,500", "behind a point, as in 1.500"),
        ("", "Write a number"),
        ("1e999", "larger than a number can be"),
        ("٣", "digits 0 to 9"),
        ("one", "This is no number"),
        ("0x10", "This is no number"),
        ("NaN", "This is no number"),
        ("1 5", "This is no number"),
    ],
)
def test_what_is_no_number_is_marked_and_not_sent(open_page, text, said):
    page = start(open_page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    one = field(page, "w1, weight")
    one.fill(text)
    one.press("Tab")
    beside = page.locator(".fault").filter(has_text=said)
    beside.wait_for()
    assert one.get_attribute("aria-invalid") == "true"
    assert beside.get_attribute("id") in one.get_attribute("aria-describedby")
    page.wait_for_timeout(1200)  # longer than the pause after which a number is sent
    assert not [url for url in asked if url.endswith("/change")]
    one.press("Escape")
    assert one.input_value() == "0.15"
    assert beside.count() == 0


def test_a_number_that_does_not_fit_is_refused_at_its_field(open_page):
    page = start(open_page, expected=[REFUSAL])
    write(page, "learning rate", "-1", settle=False)
    page.locator(".fault").filter(has_text="must be a number above 0").wait_for()
    assert field(page, "learning rate").get_attribute("aria-invalid") == "true"
    assert field(page, "learning rate").input_value() == "-1"  # as it was written, to be put right


def test_a_short_pause_sends_a_number_too(open_page):
    page = start(open_page)
    field(page, "w1, weight").fill("0.75")
    page.locator(".changed .kind").first.wait_for()
    assert "w1+" in changed(page, "New weights")


# --- taking back ------------------------------------------------------------------------------------------------------


def test_undo_and_redo_with_the_keyboard(open_page):
    page = start(open_page)
    write(page, "w1, weight", "0.9")
    page.locator(".changed .kind").first.wait_for()
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Control+z")
    expect(field(page, "w1, weight")).to_have_value("0.15")
    page.keyboard.press("Control+Shift+z")
    expect(field(page, "w1, weight")).to_have_value("0.9")
    page.get_by_role("button", name="As it was at first").click()
    expect(field(page, "w1, weight")).to_have_value("0.15")
    page.get_by_role("button", name="Undo").click()
    expect(field(page, "w1, weight")).to_have_value("0.9")


def test_undo_in_a_field_belongs_to_the_field(open_page):
    page = start(open_page)
    write(page, "w1, weight", "0.9")
    page.locator(".changed .kind").first.wait_for()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    field(page, "w2, weight").focus()
    page.keyboard.press("Control+z")
    page.wait_for_timeout(300)
    assert not [url for url in asked if url.endswith("/undo")]


# --- structure --------------------------------------------------------------------------------------------------------


def test_layers_and_units_come_and_go(open_page):
    page = start(open_page)

    def widths():
        return page.evaluate("[...document.querySelectorAll('.change legend')].map(each => each.textContent)")[:3]

    page.get_by_role("button", name="Add a unit").first.click()
    page.get_by_text("4 new weights were drawn at random, with the seed 0").wait_for()
    page.get_by_text("Layer 1: 2 to 3").wait_for()
    assert field(page, "w1, weight").input_value() == "0.15"
    page.get_by_role("button", name="Add a layer in front of layer 2").click()
    page.get_by_text("Layer 3: 3 to 2").wait_for()
    assert widths()[:2] == ["Layer 1: 2 to 3", "Layer 2: 3 to 3"]
    page.get_by_role("button", name="Remove layer 2").click()
    page.get_by_text("Layer 2: 3 to 2").wait_for()
    page.get_by_role("button", name="Remove unit h3").click()
    page.get_by_text("Layer 1: 2 to 2").wait_for()
    values, _ = explained("mazur")
    page.get_by_role("tab", name="Keep").click()
    with page.expect_download() as kept:
        page.get_by_role("button", name="JSON").click()
    steps = json.loads(kept.value.path().read_text("utf-8"))["steps"]
    assert {step["id"]: step["value"] for step in steps} == values  # everything that stayed kept its number


def test_quick_clicks_are_done_one_after_the_other(open_page):
    page = start(open_page)
    page.get_by_role("button", name="Add a sample").evaluate("button => { button.click(); button.click(); button.click(); }")
    page.get_by_text("Inputs and targets: 4 samples").wait_for()
    page.get_by_role("button", name="Remove sample 2").click()
    page.get_by_text("Inputs and targets: 3 samples").wait_for()
    assert page.locator(".banner").count() == 0


def test_a_tables_numbers_are_taken_over(open_page):
    page = start(open_page, "penguins")
    page.get_by_role("button", name=re.compile("Take them into the example")).click()
    write(page, "Input i1, sample 1", "2.5")
    page.get_by_label("Class of sample 1").select_option("Gentoo")
    expect(page.locator(".changed .kind")).to_have_count(4)
    assert field(page, "Input i1, sample 1").input_value() == "2.5"


def test_a_number_chosen_in_the_drawing_can_be_changed(open_page):
    page = start(open_page)
    page.locator('[data-key="e1.0.0"]').focus()
    page.keyboard.press("Enter")
    chosen = page.get_by_role("group", name="Chosen in the drawing").get_by_role("textbox")
    chosen.fill("0.35")
    chosen.press("Enter")
    expect(field(page, "w1, weight")).to_have_value("0.35")


# --- side by side -----------------------------------------------------------------------------------------------------


def test_two_conventions_side_by_side(open_page):
    page = start(open_page)
    page.get_by_label("Vary").select_option("update.order")
    page.get_by_role("button", name="Put side by side").click()
    table = page.locator("table.sides")
    table.wait_for()
    assert table.locator("thead th").all_inner_texts() == ["order simultaneous", "order sequential"]
    one, _ = explained("mazur")
    other, _ = explained("mazur", "update.order=sequential")
    row = table.locator("tbody tr").filter(has=page.get_by_role("rowheader", name=re.compile(r"^w1\+")))
    assert row.locator("td").all_inner_texts() == [shown(one["W+[1][1,1]"]), shown(other["W+[1][1,1]"])]
    assert row.get_by_role("img", name="differs").count() == 1
    same = table.locator("tbody tr").filter(has=page.get_by_role("rowheader", name="out_o1"))
    assert same.get_by_role("img").count() == 0


def test_rounded_numbers_side_by_side_and_a_failure_beside_the_button(open_page):
    page = start(open_page, expected=[r"Failed to load resource: .* 500"])
    page.get_by_label("Vary").select_option(label="Rounding at every step")
    button = page.get_by_role("button", name="Put side by side")
    button.click()
    table = page.locator("table.sides")
    table.wait_for()
    expect(table.locator("thead")).to_be_in_viewport()
    assert table.locator("thead th").count() == 4
    page.route("**/api/compare", lambda route: route.fulfill(status=500, body="{}"))
    button.click()
    page.locator(".compare .fault").wait_for()
    assert table.count() == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_undo_and_the_loss_stay_in_sight(open_page, width):
    page = start(open_page, width=width)
    page.get_by_role("textbox", name="learning rate").scroll_into_view_if_needed()
    write(page, "w3, weight", "0.7")
    field(page, "learning rate").focus()
    page.mouse.wheel(0, 300)
    strip = page.locator(".change .bar")
    expect(strip).to_be_in_viewport(ratio=1)
    assert "0.298371109 → 0.298594708" in " ".join(strip.inner_text().split())
    undo = strip.get_by_role("button", name="Undo")
    assert undo.get_attribute("title") == "Undo (Ctrl+Z)"
    undo.click()
    expect(field(page, "w3, weight")).to_have_value("0.25")


def test_from_a_trained_step_back_to_what_is_changed(open_page):
    page = start(open_page)
    page.get_by_role("tab", name="Train").click()
    page.get_by_label("Number of updates").fill("1")
    page.get_by_role("button", name="Train", exact=True).click()
    page.locator("[aria-valuetext^='after 1 update, loss']").wait_for()
    page.get_by_role("tab", name="Change").click()
    back = page.get_by_role("button", name="Look at the step before the first update")
    back.click()
    expect(back).to_have_count(0)


# --- other tabs, a lost connection ------------------------------------------------------------------------------------


def test_two_tabs(open_page):
    page = start(open_page, expected=[REFUSAL])
    other = page.context.new_page()
    other.goto(page.server.link)  # it works once; whoever tries it again has a fresh one printed
    other.get_by_text("this link was used before").wait_for()
    other.goto(page.server.fresh_link())
    other.reload()
    other.wait_for_selector(".page h1")
    other.get_by_role("tab", name="Change").click()
    write(page, "w1, weight", "0.6")
    write(other, "w1, weight", "0.4", settle=False)
    banner = other.locator(".banner").filter(has_text="changed in another tab")
    banner.wait_for()
    banner.get_by_role("button", name="Load what is there now").click()
    expect(field(other, "w1, weight")).to_have_value("0.6")
    assert banner.count() == 0
    write(other, "w1, weight", "0.4")
    expect(field(other, "w1, weight")).to_have_value("0.4")


def test_no_edit_is_lost_with_the_network(open_page):
    page = start(open_page, expected=[LOST])
    page.context.set_offline(True)
    write(page, "w1, weight", "0.6", settle=False)
    banner = page.locator(".banner").filter(has_text="The program does not answer")
    banner.wait_for()
    write(page, "w2, weight", "0.7", settle=False)
    banner.get_by_text("2 changes wait").wait_for()
    page.get_by_role("tab", name="Walk").click()
    page.get_by_role("tab", name="Change").click()
    assert field(page, "w1, weight").input_value() == "0.6"
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".banner")).to_have_count(0)
    expect(page.locator(".change input.draft")).to_have_count(0)
    after, _ = explained("mazur", "network.layers[1].weights[1]=[0.6, 0.7]")
    page.get_by_text(shown(after["E"])).first.wait_for()


# --- for everyone -----------------------------------------------------------------------------------------------------


def test_the_keyboard_alone(open_page):
    page = open_page("mazur")
    page.get_by_role("tab", name="Walk").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Add a sample").wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "change-W-1-1-1-":
            break
    page.keyboard.press("Control+a")
    page.keyboard.type("0.5")
    page.keyboard.press("Enter")
    page.locator(".changed .kind").first.wait_for()
    assert changed(page, "New weights")["w1+"][1] == shown(
        explained("mazur", "network.layers[1].weights[1][1]=0.5")[0]["W+[1][1,1]"]
    )
    seen = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.textContent || document.activeElement.id"))
    assert any("Put side by side" in each for each in seen)
    assert any("Add a layer in front of layer 2" in each for each in seen)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("what", ["mazur", "penguins"])
def test_it_looks_good_and_axe_finds_nothing(open_page, what, width, scheme):
    page = start(open_page, what, width=width, scheme=scheme)
    write(page, "w1, weight", "0.7")
    page.locator(".changed .kind").first.wait_for()
    one = field(page, "w2, weight")
    one.fill("1,500")
    one.press("Tab")
    page.get_by_role("button", name="Put side by side").click()
    page.locator("table.sides").wait_for()
    screenshot(page, f"change-{what}-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []
