"""The formats: what another program makes of them."""

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

import chainrule as cr

EXAMPLES = ["mazur", "two-two-one", "three-layer", "penguins"]


@pytest.fixture(scope="module")
def traces():
    return {name: cr.trace(cr.load_example(name)) for name in EXAMPLES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_latex_compiles_with_amsmath_alone(traces, name, tmp_path):
    source = traces[name].explain(format="latex")
    assert re.findall(r"\\usepackage(?:\[.*?\])?\{(.*?)\}", source) == ["amsmath"]
    if shutil.which("pdflatex") is None:
        assert os.environ.get("CI") != "true", "CI must have LaTeX"
        pytest.skip("there is no pdflatex on this machine")
    (tmp_path / "step.tex").write_text(source, "utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "step.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
    assert result.returncode == 0, result.stdout[-2000:]
    assert not re.search(r"Overfull \\hbox \((?:[2-9]\d|\d{3,})", result.stdout), "a line runs out of the page"


def test_latex_fragment_has_no_preamble(traces):
    fragment = traces["mazur"].explain(format="latex", fragment=True)
    assert "documentclass" not in fragment
    assert r"\begin{align*}" in fragment


class Page(HTMLParser):
    """Collects what a browser would act on."""

    VOID = ("meta", "link", "br", "hr", "img")

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.urls = [], set(), [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for key, value in attributes:
            assert not key.startswith("on"), f"{tag} has {key}"
            if key == "id":
                self.ids.append(value)
            if key in ("href", "src"):
                (self.links if value.startswith("#") else self.urls).append(value)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", EXAMPLES)
def test_html_is_one_file_with_one_script(traces, name):
    source = traces[name].explain(format="html")
    page = Page()
    page.feed(source)
    assert page.open == []
    assert len(re.findall("<script", source)) == 2  # the data of the page, and what draws it
    assert source.count("script-src 'sha256-") == 1
    assert page.urls == ["data:,"]
    assert len(source.encode()) < 400_000 or name == "penguins"
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    for piece in re.findall(r"<math.*?</math>", source, re.S):
        ET.fromstring(piece)


def test_markdown_tables_have_equal_columns(traces):
    blocks = re.findall(r"(?:^\|.*\|\n)+", traces["mazur"].explain(format="markdown"), re.M)
    assert len(blocks) >= 3
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1


def test_text_is_no_wider_than_the_terminal(traces):
    for name in EXAMPLES:
        for width in (60, 80, 120):
            lines = traces[name].explain(width=width).splitlines()
            too_long = [line for line in lines if len(line) > width and re.search(r" [-+=] .* [-+] ", line)]
            assert not too_long


def test_text_columns_are_aligned(traces):
    lines = traces["mazur"].explain().splitlines()
    start = lines.index("Before and after") + 3
    rows = lines[start + 1 : start + 11]
    places = [[match.start() for match in re.finditer(r"\.", row)][:2] for row in rows]
    assert all(row == places[0] for row in places)


def test_notebook_representations(traces):
    for thing in (traces["mazur"], traces["mazur"]["w5+"]):
        bundle = thing._repr_mimebundle_()
        assert set(bundle) == {"text/plain", "text/latex", "text/html"}
    assert "<math" in traces["mazur"]["w5+"]._repr_mimebundle_()["text/html"]
    frame = traces["mazur"]._repr_html_()
    assert frame.startswith("<iframe srcdoc=")
    assert 'sandbox="allow-scripts"' in frame
    assert frame.count("<") == 2, "all of the page is quoted"
    assert str(traces["mazur"]["dE/dw5"]).splitlines()[0] == "dE/dw5 = dE/dout_o1·dout_o1/dnet_o1·dnet_o1/dw5"


def test_softmax_with_cross_entropy_both_ways(traces):
    trace = traces["penguins"]
    for sample in (1, 200):
        for unit in (1, 2, 3):
            full, short = trace[f"dE/dz[2][{unit}]@{sample}"], trace[f"dE/dz[2][{unit}]@{sample} shortcut"]
            assert full.value == pytest.approx(short.value, abs=1e-16)
            assert len(full.uses) == 3, "the sum over all outputs"
            assert short.formula == f"(out_o{unit}@{sample} - target_o{unit}@{sample})/342"
            shares = [trace[f"dE/dz[2][{unit}]@{sample} via a[2][{k}]"].value for k in (1, 2, 3)]
            assert sum(shares) == pytest.approx(full.value, abs=1e-15)


def test_standardising_is_a_step(traces):
    step = traces["penguins"]["x[1]@1"]
    assert step.formula == "(raw_i1@1 - average_i1)/deviation_i1"
    assert step.substituted.startswith("(39.1 - 43.9")


def test_a_gradient_over_samples_is_the_sum_of_their_contributions():
    network = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], inputs=2, seed=3)
    trace = cr.trace(network, [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]], [[1.0], [0.0], [0.5]], optimizer=cr.SGD(0.1))
    step = trace["dE/dw1"]
    assert step.formula == "dE/dw1@1 + dE/dw1@2 + dE/dw1@3"
    assert trace["dE/dw1@2"].formula == "dE/dout_h1@2·dout_h1/dnet_h1@2·dnet_h1/dw1@2"


def test_a_saturated_softmax_is_still_explained():
    network = cr.Network([cr.Dense(2, "softmax")], inputs=1, loss="cross_entropy", parameters=np.array([2000.0, -2000.0, 0, 0]))
    trace = cr.trace(network, [[1.0]], [[0.0, 1.0]], optimizer=cr.SGD(0.1))
    assert trace.loss == 4000.0
    assert trace["delta_o1"].value == 1.0
    assert all(np.isfinite(step.value) for step in trace.steps)


def test_long_sums_show_their_largest_addends_and_an_exact_rest():
    network = cr.Network([cr.Dense(1)], inputs=40, seed=1)
    x = np.linspace(-1, 1, 40)
    trace = cr.trace(network, x.reshape(1, -1), [[0.0]], digits=17)
    step = trace["z[1][1]"]
    assert "[35 more terms, together " in step.substituted
    number = float(re.search(r"together (\S+)\]", step.substituted)[1])
    shown = re.sub(r" \+ \[.*\]", "", step.substituted).replace("·", "*")
    assert eval(shown) + number == pytest.approx(step.value, abs=1e-15)


def test_tiny_numbers_are_never_printed_as_nothing():
    network = cr.Network([cr.Dense(1, "sigmoid")], inputs=1, parameters=np.array([30.0, 0.0]))
    trace = cr.trace(network, [[1.0]], [[0.5]], digits=4)
    for step in trace.steps:
        assert step.value == 0 or float(step.shown) != 0, step
