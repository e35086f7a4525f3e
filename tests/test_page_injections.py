"""X3 in a real browser: 250 texts that would run somewhere, in every place where a text of a user's stands. None runs."""

import csv
import json

import pytest

import chainrule as cr
from browser import REFUSAL, watch
from injections import PAYLOADS

WIDTH = 16
GROUPS = [PAYLOADS[start : start + WIDTH] for start in range(0, len(PAYLOADS), WIDTH)]
READABLE = str.maketrans("", "", "\x00\r\n")
"""A table cannot hold a NUL (it is refused), and a name that spans lines is another test."""

# what a page of ours consists of; anything else would be a payload's
HTML = """html head meta link title style script body div section article header main nav form fieldset legend label input
select option button p span strong em small b i a ul ol li dl dt dd table caption thead tbody tfoot tr th td h1 h2 h3 h4
details summary code pre br hr output progress canvas noscript time abbr figure figcaption optgroup textarea kbd"""
MATHS = "math mrow mi mn mo mtext mfrac msup msub msubsup msqrt munder mover mtable mtr mtd mspace mstyle"
DRAWN = "svg g line circle rect path text tspan title desc polyline polygon defs marker clippath ellipse"

FOREIGN = """allowed => [...document.querySelectorAll('*')].filter(each =>
    !allowed.includes(each.localName.toLowerCase())
    || [...each.attributes].some(one => one.name.startsWith('on') || /^\\s*javascript:/i.test(one.value))
    || (each.localName === 'script' && each.textContent.includes('alert(1)') && each.type !== 'application/json')
    || (['link', 'a'].includes(each.localName) && /evil/.test(each.getAttribute('href') ?? ''))
).map(each => each.outerHTML.slice(0, 200))"""


def spec_of(folder, payloads, number):
    """A spec in which payloads are the title, notes, names of columns and classes."""
    columns = [f"{place} {payload}".translate(READABLE).strip() for place, payload in enumerate(payloads)]
    classes = [payload.translate(READABLE) for payload in payloads[:3]]
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "class"])
        for row in range(6):
            writer.writerow(
                [*(f"{(row * 7 + place * 3) % 10 / 10}" for place in range(len(columns))), classes[row % len(classes)]]
            )
    quoted = {key: json.dumps(value, ensure_ascii=True) for key, value in (("title", payloads[number % len(payloads)]),)}
    text = f"""title = {quoted["title"]}
source = {quoted["title"]}
notes = {json.dumps(payloads)}
[network]
loss = "cross_entropy"
seed = 1
[[network.layers]]
units = {len(set(classes))}
activation = "softmax"
initializer = "glorot_uniform"
[data]
table = "table.csv"
target = "class"
columns = {json.dumps(columns)}
standardize = true
[update]
learning_rate = 0.1
"""
    path = folder / "spec.toml"
    path.write_text(text, "utf-8")
    return path


def must_be_clean(page):
    found = page.evaluate(FOREIGN, f"{HTML} {MATHS} {DRAWN}".split())
    assert not found, found
    assert page.evaluate("window.ran === undefined && document.body.innerText.length > 100")


@pytest.fixture
def spied(browser):
    """A context in which a payload that runs is noticed."""
    wrong = []
    context = browser.new_context()
    context.add_init_script("window.alert = () => { window.ran = true; }")
    context.on("dialog", lambda dialog: wrong.append(dialog.message))
    yield context, wrong
    context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("number", range(len(GROUPS)))
def test_a_file_runs_none_of_them(tmp_path, spied, number):
    context, wrong = spied
    spec = spec_of(tmp_path, GROUPS[number], number)
    file = tmp_path / "step.html"
    file.write_text(cr.trace(cr.read_spec(spec)).explain(format="html"), "utf-8")
    watch(context, file.parent.as_uri(), wrong)
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector(".page h1")
    must_be_clean(page)
    assert page.locator("script").count() == 2


def test_the_served_page_runs_none_of_them(tmp_path, spied, page_server):
    context, wrong = spied
    server = page_server(spec_of(tmp_path, GROUPS[0], 0))
    watch(context, server.origin, wrong, [REFUSAL])
    page = context.new_page()
    page.goto(server.link)
    page.wait_for_selector(".page h1")
    for tab in ("change", "try", "train", "keep", "walk"):
        page.locator(f"#tab-{tab}").click()
        must_be_clean(page)
    page.locator("#tab-try").click()
    blanks = page.locator(".try .blank input")
    for place, payload in enumerate(PAYLOADS):
        if place and place % blanks.count() == 0:
            page.locator(".try button[type=submit]").click()
            page.wait_for_selector(".try .said p")
            must_be_clean(page)
        blanks.nth(place % blanks.count()).fill(payload)
    page.locator(".try button[type=submit]").click()
    page.wait_for_selector(".try .said p")
    must_be_clean(page)
