"""Keep in a real browser: files handed over, pictures, and files opened again to the same numbers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect

from browser import REFUSAL, SCREENS, axe, screenshot
from chainrule.derivation import derive
from chainrule.spec import example_names, example_text, load, load_example, parse_spec


def start(open_page, what="mazur", **options):
    page = open_page(what, **options)
    page.get_by_role("tab", name="Keep").click()
    page.get_by_role("button", name="Spec (TOML)").wait_for()
    return page


def keep(page, name, folder):
    """Presses a button, and puts the file that comes in a folder."""
    with page.expect_download() as kept:
        page.get_by_role("button", name=name, exact=True).click()
    path = folder / kept.value.suggested_filename
    kept.value.save_as(path)
    page.get_by_role("status").filter(has_text=f"{path.name} was handed").wait_for()
    return path


def choose(page, path):
    page.locator(".keep input[type=file]").set_input_files(path)


def change(page, name, text):
    page.get_by_role("tab", name="Change").click()
    one = page.get_by_role("textbox", name=name)
    one.fill(text)
    one.press("Enter")
    page.locator(".changed .kind").first.wait_for()
    page.get_by_role("tab", name="Keep").click()


@pytest.mark.parametrize("what", ["mazur", "penguins"])
@pytest.mark.parametrize("button", ["Spec (TOML)", "Page (HTML)"])
def test_what_is_kept_opens_again(open_page, tmp_path, what, button):
    page = start(open_page, what)
    change(page, "learning rate", "0.3125")
    path = keep(page, button, tmp_path)
    expected = derive(load_example(what, [("update.learning_rate", 0.3125)]))
    if path.suffix == ".html" or what == "mazur":
        assert derive(load(path)).loss_after == expected.loss_after  # by the command as well
    page.get_by_label("An example that comes along").select_option("lamsal")
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_role("heading", name=load_example("lamsal").title).wait_for()
    choose(page, path)
    page.get_by_role("heading", name=expected.title).wait_for()
    page.get_by_role("status").filter(has_text=f"{path.name} is open now").wait_for()
    page.get_by_role("tab", name="Change").click()
    assert page.get_by_role("textbox", name="learning rate").input_value() == "0.3125"
    expect(page.get_by_role("button", name=f"E_total: {expected.digits.text(expected.loss)}")).to_have_count(1)
    assert page.locator(".drawing .old").count() == 0  # another example has no values of before
    if what == "mazur":  # the JSON of 342 penguins is long
        page.get_by_role("tab", name="Keep").click()
        told = json.loads(keep(page, "JSON", tmp_path).read_text("utf-8"))
        assert told["loss"] == {"before": expected.loss, "after": expected.loss_after}


def test_a_table_goes_along_or_stands_in_the_spec(open_page, tmp_path):
    page = start(open_page, "penguins")
    paths = [keep(page, name, tmp_path) for name in ("Spec (TOML)", "Table (penguins.csv)")]
    assert [path.name for path in paths] == ["penguins.toml", "penguins.csv"]
    assert derive(load(paths[0])).loss == derive(load_example("penguins")).loss
    (tmp_path / "inline").mkdir()
    path = keep(page, "Spec with its numbers (TOML)", tmp_path / "inline")
    assert derive(load(path)).loss == derive(load_example("penguins")).loss


@pytest.mark.parametrize(("button", "form"), [("LaTeX", "latex"), ("Markdown", "markdown"), ("JSON", "json")])
def test_the_derivation_is_that_of_the_command(open_page, tmp_path, button, form):
    page = start(open_page)
    path = keep(page, button, tmp_path)
    command = [sys.executable, "-m", "chainrule", "explain", "mazur", "--format", form, "--no-time"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text = path.read_text("utf-8")
    if form == "json":
        assert {**json.loads(text), "timing": 0} == {**json.loads(told), "timing": 0}
    else:
        assert text == told


def test_pictures(open_page, tmp_path):
    page = start(open_page)
    path = keep(page, "SVG", tmp_path)
    root = ElementTree.parse(path).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "h1" in texts
    for each in root.iter():
        assert not {"class", "style", "onclick", "tabindex"} & set(each.attrib)
        assert not each.tag.endswith(("script", "style", "foreignObject", "image"))
    assert "url(" not in path.read_text("utf-8")
    picture = keep(page, "PNG", tmp_path).read_bytes()
    assert picture.startswith(b"\x89PNG")
    width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
    assert abs(width - 2 * float(root.get("width"))) <= 2
    assert height > 200
    SCREENS.mkdir(parents=True, exist_ok=True)
    (SCREENS / "kept-picture.png").write_bytes(picture)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("mine.csv", b"a,b\n1,2\n", "is no file of an example"),
        ("mine.toml", b"", "is empty"),
        ("mine.toml", b"#" * (16 * 2**20 + 1), "at most 16 MB are read"),
    ],
)
def test_a_file_of_the_wrong_kind_or_size_is_refused_before_it_is_sent(open_page, tmp_path, name, content, said):
    page = start(open_page)
    (tmp_path / name).write_bytes(content)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    choose(page, tmp_path / name)
    page.locator(".fault").filter(has_text=said).wait_for()
    assert not [url for url in asked if url.endswith("/begin")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("mine.toml", b"title = ", "this is not valid TOML"),
        ("mine.html", b"<!doctype html><p>hello", "this page holds no step of chainrule"),
        ("mine.json", b'{"network": 3}', "must be a table"),
    ],
)
def test_a_file_that_is_wrong_inside_is_refused_in_words(open_page, tmp_path, name, content, said):
    page = start(open_page, expected=[REFUSAL])
    (tmp_path / name).write_bytes(content)
    choose(page, tmp_path / name)
    page.locator(".problems").filter(has_text=said).wait_for()
    assert page.locator(".problems").filter(has_text=name).count() == 1
    assert page.get_by_role("heading", level=1).inner_text() == load_example("mazur").title


def test_a_file_can_be_dropped(open_page, tmp_path):
    page = start(open_page)
    text = re.sub("title = .*\n", 'title = "dropped"\n', example_text("mazur"))
    transfer = page.evaluate_handle(
        "text => { const made = new DataTransfer(); made.items.add(new File([text], 'dropped.toml')); return made; }", text
    )
    page.dispatch_event(".keep .drop", "drop", {"dataTransfer": transfer})
    page.get_by_role("heading", name="dropped", level=1).wait_for()
    assert derive(parse_spec(text)).title == "dropped"


def test_bundled_examples_are_offered(open_page):
    page = start(open_page)
    options = page.get_by_label("An example that comes along").locator("option").all_inner_texts()
    assert [option.partition(":")[0] for option in options[1:]] == list(example_names())


def test_the_keyboard_alone(open_page, tmp_path):
    page = open_page("mazur")
    page.get_by_role("tab", name="Walk").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Spec (TOML)").wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Spec (TOML)":
            break
    with page.expect_download() as kept:
        page.keyboard.press("Enter")
    kept.value.save_as(tmp_path / "kept.toml")
    assert derive(load(tmp_path / "kept.toml")).loss == derive(load_example("mazur")).loss
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "keep-example":
            break
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=load_example("lamsal").title).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("what", ["mazur", "penguins"])
def test_it_looks_good_and_axe_finds_nothing(open_page, what, width, scheme):
    page = start(open_page, what, width=width, scheme=scheme)
    screenshot(page, f"keep-{what}-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []
