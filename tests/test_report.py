"""report.html: what stands in it, that it is whole and legible whatever the run was, and that no text becomes markup."""

import base64
import csv
import dataclasses
import hashlib
import html.parser
import itertools
import json
import math
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule
from chainrule import draws, models, report
from chainrule.cli import main
from chainrule.doctor import Finding
from chainrule.errors import printable
from chainrule.explain.markup import Markup, el, h, together
from chainrule.report import charts, facts, figures
from injections import PAYLOADS

PENGUINS = Path(chainrule.__file__).parent / "examples" / "penguins.csv"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(PENGUINS, "penguins.csv")
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def train(*args):
    with pytest.raises(SystemExit) as ended:
        main(["train", *args, "--quiet", "-o", "run", "--overwrite"])
    return ended.value.code, Path("run/report.html").read_text("utf-8") if Path("run/report.html").exists() else ""


class Page(html.parser.HTMLParser):
    """A page taken apart: its elements with their attributes, its text; every element must be closed where it was opened."""

    VOID = ("meta", "link")

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.text, self.open, self.style = [], [], [], ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        elif data.strip():
            self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    @property
    def shape(self):
        """Elements and the names of their attributes, in order."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]

    def values(self, *names):
        return [attributes[name] for _, attributes in self.elements for name in names if name in attributes]


def check(text):
    """What must hold of every page."""
    page = Page(text)
    (policy,) = [a["content"] for tag, a in page.elements if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    names = {name for _, attributes in page.elements for name in attributes}
    assert not {name for name in names if name.startswith("on")} | {"style", "src", "srcdoc", "action", "xlink:href"} & names
    assert {tag for tag, _ in page.elements} <= ELEMENTS
    assert all(value.startswith("#") or value == "data:," for value in page.values("href"))
    anchors = set(page.values("id"))
    assert {value[1:] for value in page.values("href") if value.startswith("#")} <= anchors
    for tag, attributes in page.elements:
        if tag == "svg" and attributes.get("class") != "inner":
            assert (attributes.get("role") == "img" and attributes["aria-label"]) or attributes.get("aria-hidden") == "true"
        for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "d", "dx"):
            assert not re.search("nan|inf|e[+-]", attributes.get(name, "")), (tag, attributes)
    assert not [each for each in page.text if each.strip() in ("nan", "inf", "-inf", "None")]
    return page


ELEMENTS = {
    "a", "b", "body", "caption", "circle", "code", "div", "em", "figcaption", "figure", "h1", "h2", "h3", "head", "header",
    "html", "li", "line", "link", "main", "meta", "nav", "p", "path", "pre", "rect", "section", "span", "strong", "style",
    "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr", "ul",
}  # fmt: skip


# what stands in it


def test_the_penguins():
    code, text = train("penguins.csv", "--target", "species")
    assert code == 0
    page = check(text)
    told = " ".join(page.text)
    assert page.values("id") == [
        "result",
        "findings",
        "learning",
        "answers",
        "importance",
        "inside",
        "data",
        "settings",
        "again",
    ]
    about = models.load("run/model.safetensors").about
    assert f"{about['scores']['model']['accuracy']:.1%}" in told
    assert "species from penguins.csv" in told
    for name in ("bill_length_mm", "island", "year", "Chinstrap", "learning rate", "this model", "a linear model", "W[1][3,2]"):
        assert name in told, name
    assert "chainrule train --config run/run.toml -o again" in told
    assert about["data"]["fingerprint"] in told
    assert "--row" in told
    assert "--step" in told
    weighs = [name for name, _ in about["record"]["weighs"]]
    section = text[text.index('id="importance"') : text.index('id="inside"')]
    assert re.findall(r'<th scope="row">([^<]*)</th>', section) == weighs


def test_the_command_that_does_it_again_does(capsys):
    _, text = train("penguins.csv", "--target", "species", "--epochs", "5")
    first = json.loads(Path("run/history.jsonl").read_text().splitlines()[-1])["parameters"]
    (command,) = re.findall(r"<code>chainrule (train [^<]*)</code>", text)
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--quiet"])
    assert ended.value.code == 0
    assert json.loads(Path("again/history.jsonl").read_text().splitlines()[-1])["parameters"] == first


def test_a_report_that_was_lost_is_written_again_on_resume():
    _, text = train("penguins.csv", "--target", "species", "--epochs", "5")
    Path("run/report.html").unlink()
    with pytest.raises(SystemExit):
        main(["train", "--resume", "run", "--quiet"])

    def settled(page):  # what the target means is not found out a second time: the settings say it
        return re.sub(r"<li>Classification[^<]*</li>", "", page)

    assert settled(Path("run/report.html").read_text("utf-8")) == settled(text)


def test_the_mass_of_the_penguins():
    code, text = train("penguins.csv", "--target", "body_mass_g", "--validation", "0.2")
    assert code == 0
    page = check(text)
    told = " ".join(page.text)
    assert "kept: epoch" in told
    assert "Predicted and actual" in told
    held = int(re.search(r"(\d+)\s+held out", told.replace(",", "")).group(1))
    assert sum(attributes.get("class") == "point" for _, attributes in page.elements) == held
    assert "Growth of the mean absolute error of body_mass_g" in told


def table(name, header, rows):
    with open(name, "w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def many_classes():
    x = draws.normal(1, "probe", 0, 0, (600, 3))
    table("t.csv", ["a", "b", "c", "y"], [[*row, f"class {int(10 * abs(row[0])) % 25:02}"] for row in x.tolist()])


def dates():
    x = draws.normal(1, "probe", 0, 0, (200, 3))
    days = [str(np.datetime64("2020-01-01") + int(50 * row[0] + 300)) for row in x]
    table("t.csv", ["a", "b", "c", "y"], [[*row, day] for row, day in zip(x.tolist(), days, strict=True)])


def only_categories():
    words = ["red", "green", "blue"]
    rows = [(words[k % 3], words[k // 3 % 3], words[(k % 3 + k // 3) % 3]) for k in range(120)]
    table("t.csv", ["a", "b", "y"], rows)


def far_out():
    x = draws.normal(1, "probe", 0, 0, (150, 2))
    table("t.csv", ["a", "y"], [[a * 1e12, b * 1e-9] for a, b in x.tolist()])


def wide():
    x = draws.normal(1, "probe", 0, 0, (150, 45))
    table("t.csv", [*(f"column number {k}" for k in range(45)), "y"], [[*row, row[0] + row[1]] for row in x.tolist()])


def weighted():
    x = draws.normal(1, "probe", 0, 0, (150, 3))
    table("t.csv", ["a", "b", "w", "y"], [[a, b, abs(c), a + b] for a, b, c in x.tolist()])


SPECIES = ("penguins.csv", "--target", "species")
TABLE = ("t.csv", "--target", "y")
RUNS = {
    "one epoch": (None, (*SPECIES, "--epochs", "1"), 0),
    "two epochs": (None, (*SPECIES, "--epochs", "2"), 0),
    "nothing held out": (None, (*SPECIES, "--test", "0"), 0),
    "no hidden layer": (None, (*SPECIES, "--hidden", "none"), 0),
    "deep": (None, (*SPECIES, "--hidden", "8,8,8,8,8,8,8,8,8,8,8,8,8,8", "--epochs", "4"), 0),
    "norms and dropout": (None, (*SPECIES, "--norm", "batch", "--dropout", "0.3"), 0),
    "textbook": (None, (*SPECIES, "--preset", "textbook"), 0),
    "folds": (None, (*SPECIES, "--folds", "3"), 0),
    "no time": (None, (*SPECIES, "--epochs", "1000000", "--time-limit", "0.2"), 0),
    "yes or no": (None, ("penguins.csv", "--target", "sex"), 0),
    "many classes": (many_classes, TABLE, 0),
    "dates": (dates, TABLE, 0),
    "only categories": (only_categories, TABLE, 0),
    "numbers far out": (far_out, TABLE, 0),
    "45 columns": (wide, TABLE, 0),
    "rows that count more": (weighted, (*TABLE, "--weights", "w"), 0),
    "classes that count more": (None, (*SPECIES, "--class-weight", "balanced"), 0),
    "float32": (None, (*SPECIES, "--dtype", "float32"), 0),
    "rows on disk": (None, (*SPECIES, "--memory", "1"), 0),
    "broken down": (
        None,
        ("penguins.csv", "--target", "species", "--learning-rate", "30", "--activation", "relu", "--schedule", "constant"),
        1,
    ),
}


@pytest.mark.parametrize("case", list(RUNS))
def test_a_page_for_every_run(case):
    make, command, expected = RUNS[case]
    if make is not None:
        make()
    code, text = train(*command)
    assert code == expected
    if case == "broken down" and not text:
        pytest.fail("the run had no good epoch: choose another learning rate for this test")
    page = check(text)
    told = " ".join(page.text)
    assert {"result", "findings", "data", "settings", "again"} <= set(page.values("id"))
    epochs = len(Path("run/history.jsonl").read_text().splitlines())
    assert ("learning" in page.values("id")) == (epochs > 1)
    assert {
        "no time": "unfinished",
        "many classes": "the pairs that are confused most",
        "dates": "20",
        "45 columns": "The other 25 columns matter less",
        "folds": "Cross-validation",
        "broken down": "diverged",
        "nothing held out": "No rows were held out",
    }.get(case, "Settings") in told


# no text becomes markup

CODED = {"severity", "measure", "task", "curve", "use"}
"""Texts that are ours: what they may be stands in the code."""


@pytest.fixture(scope="module")
def pages():
    """The facts of two runs, a classification with findings and a regression."""
    import os
    import tempfile

    kept, before = [], os.getcwd()
    gather = report.gather

    def keep(*args):
        kept.append(gather(*args))
        return kept[-1]

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        shutil.copy(PENGUINS, "penguins.csv")
        report.gather = keep
        try:
            for target in ("species", "body_mass_g"):
                with pytest.raises(SystemExit):
                    main(
                        ["train", "penguins.csv", "--target", target, "--folds", "2", "--epochs", "9", "--quiet", "-o", target]
                    )
        finally:
            report.gather = gather
            os.chdir(before)
    species, mass = kept
    told = tuple(Finding(f"kind {k}", severity, "What.", "Do.") for k, severity in enumerate(("serious", "warning", "note")))
    return dataclasses.replace(species, findings=told), dataclasses.replace(mass, findings=told)


def with_every_text(value, put, name=""):
    """The same data with every text put through a function, but for those that are ours."""
    if name in CODED:
        return value
    if isinstance(value, str):
        return put(value)
    if isinstance(value, tuple):
        return tuple(with_every_text(each, put) for each in value)
    if dataclasses.is_dataclass(value):
        changed = {each.name: with_every_text(getattr(value, each.name), put, each.name) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **changed)
    return value


def test_there_are_enough_payloads():
    assert len(PAYLOADS) == len(set(PAYLOADS)) == 250


@pytest.mark.parametrize("which", [0, 1], ids=["classification", "regression"])
def test_no_text_becomes_markup(pages, which):
    tame = Page(report.tell(with_every_text(pages[which], lambda text: "x"))).shape
    for payload in PAYLOADS:
        made = report.tell(with_every_text(pages[which], lambda text: payload))  # noqa: B023 - called at once
        page = check(made)
        assert page.shape == tame, payload
        assert any(printable(payload) in text for text in page.text), payload


@pytest.mark.parametrize("which", [0, 1], ids=["classification", "regression"])
def test_every_sink_by_itself(pages, which):
    """Each text of the facts alone, so that none is forgotten: it must appear, as it is, and change nothing else."""
    sinks = []
    with_every_text(pages[which], lambda text: sinks.append(text) or text)
    payload = "\"'><script>alert(1)</script>"
    tame = Page(report.tell(pages[which])).shape
    for number in range(len(sinks)):
        count = iter(range(len(sinks)))
        made = with_every_text(pages[which], lambda text: payload if next(count) == number and text else text)  # noqa: B023
        page = Page(report.tell(made))
        assert page.shape == tame, sinks[number]
    assert len(sinks) > 100


def test_a_table_of_hostile_names():
    """From the file to the page: columns, levels, classes and the file's own name."""
    names = ["<script>a", "b'\"><img src=x>", "c&amp;\u202e", "d</table>"]
    classes = ["A<b>bold", "B</td>\x1b[31m"]

    def write(file, header, levels, kinds):
        x = draws.normal(1, "probe", 0, 0, (120, 3))
        rows = [[*row, levels[k % 2], kinds[int(row[0] > 0)]] for k, row in enumerate(x.round(4).tolist())]
        table(file, header, rows)

    write("<i>name.csv", [*names, "kind</h1>"], ["L<u>", "M<u>"], classes)
    write("tame.csv", ["a", "b", "c", "d", "kind"], ["L", "M"], ["A", "B"])
    code, hostile = train("<i>name.csv", "--target", "kind</h1>", "--epochs", "5")
    assert code == 0
    code, tame = train("tame.csv", "--target", "kind", "--epochs", "5")
    assert code == 0
    page = check(hostile)
    assert page.shape == check(tame).shape
    told = " ".join(page.text)
    for name in (*names, *classes, "<i>name.csv", "kind</h1>"):
        assert printable(name) in told


# elements, charts and figures


def test_what_is_no_markup_is_made_safe():
    assert el("p", "<b>", class_='"x"') == '<p class="&quot;x&quot;">&lt;b&gt;</p>'
    assert el("p", el("b", "a"), None, "&") == "<p><b>a</b>&amp;</p>"
    assert el("a", open=True, href=None, hidden=False, stroke_width=2) == '<a open stroke-width="2"></a>'
    assert together("<", Markup("<")) == "&lt;<"
    assert h("\u202e'") == "\\u202e&#x27;"


finite = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(finite, min_size=1, max_size=8), st.booleans())
def test_linear_axes(values, snug):
    axis = charts.linear(values, snug=snug)
    slack = 1e-6 * (axis.high - axis.low)
    assert axis.low - slack <= min(values)
    assert max(values) <= axis.high + slack
    assert len(axis.ticks) <= 8
    places = [axis.part(value) for value, _ in axis.ticks]
    assert places == sorted(places)
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)
    assert len({text for _, text in axis.ticks}) == len(axis.ticks)


@given(st.lists(st.floats(1e-30, 1e30), min_size=1, max_size=8))
def test_logarithmic_axes(values):
    axis = charts.logarithmic(values)
    assert axis.low <= min(values) * (1 + 1e-6)
    assert all(-0.01 <= axis.part(value) <= 1.3 for value in values)
    assert 1 <= len(axis.ticks) <= 12
    assert all(-1e-6 <= axis.part(value) <= 1 + 1e-6 for value, _ in axis.ticks)


def test_round_axes():
    assert [text for _, text in charts.linear([0.0, 0.93]).ticks] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert [text for _, text in charts.linear([2700, 6300]).ticks] == ["2,000", "3,000", "4,000", "5,000", "6,000", "7,000"]
    assert [text for _, text in charts.logarithmic([0.003, 2.0]).ticks] == ["0.001", "0.01", "0.1", "1", "10"]
    assert [text for _, text in charts.logarithmic([0.3, 0.9]).ticks] == ["0.2", "0.5", "1"]


@given(st.lists(st.floats(0, charts.HEIGHT), min_size=1, max_size=12))
def test_labels_do_not_cover_each_other(downs):
    moved = [down for down, _ in charts._apart([(down, charts.Curve("", (), "")) for down in downs])]
    assert all(b - a >= 14 - 1e-6 for a, b in itertools.pairwise(moved))
    assert max(moved) <= charts.HEIGHT or len(downs) > 12


def test_a_curve_with_gaps():
    axis = charts.Axis(0, 3)
    made = charts._path(charts.Curve("", ((0, 1), (1, math.nan), (2, 2), (3, 3)), ""), axis, axis)
    assert re.findall("[ML]", made) == ["M", "M", "L"]


def test_figures_stand_under_each_other():
    assert figures.aligned(["1.5", "22", "0.125"]) == ["1.5\u2007\u2007", "22\u2008\u2007\u2007\u2007", "0.125"]
    assert figures.aligned(["12", "3"]) == ["12", "3"]
    assert figures.aligned(["", "-1.5", "text"]) == ["", "-1.5", "text"]
    assert figures.alike([224.901, 676.62, 0.5]) == ["224.9", "676.6", "0.5"]
    assert figures.alike([0.98765, 1 / 3]) == ["0.9877", "0.3333"]
    assert figures.alike([math.nan, 0.0]) == ["-", "0"]
    assert [figures.compact(value) for value in (0, 0.12345, 1234.5, 1.5e7, 2e-9, None, math.nan)] == [
        "0", "0.123", "1,234", "1.5e7", "2.0e-9", "", "",
    ]  # fmt: skip


def test_intervals_are_wilsons():
    low, high = facts.interval(69, 69)
    assert high == pytest.approx(1.0)
    assert low == pytest.approx(0.9473, abs=1e-4)
    low, high = facts.interval(50, 100)  # as in any table of it
    assert (low, high) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))
