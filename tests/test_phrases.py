"""Two languages through one table: nothing is left out, nothing is too much, and no number depends on the language."""

import html
import json
import re
import subprocess
import sys
from collections import Counter

import click.testing
import pytest

import chainrule as cr
from chainrule import rules
from chainrule.cli import chainrule
from chainrule.derivation import derive
from chainrule.errors import InputError
from chainrule.explain import FORMATS, tell
from chainrule.phrases import LANGUAGES, Listed, language, listed, phrase, phrases, say, speaking, table, tables
from chainrule.rules.rule import Rule
from chainrule.spec import example_names, load_example
from chainrule.widths import left, right, width, wrap
from spoken import in_front_end, missing, templates, unused

HOLE = re.compile(r"\{(\w+)\}")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")
EXAMPLES = example_names()


def chinese(template):
    return table("zh")[template]


# the table


def test_every_phrase_has_its_chinese():
    lines = [f'{json.dumps(template, ensure_ascii=False)} = ""  # {place}' for template, place in missing().items()]
    assert not lines, "add to phrases/zh.toml (python tests/spoken.py lists them):\n" + "\n".join(lines)


def test_no_phrase_of_the_table_is_unused():
    assert unused() == []


def test_no_phrase_stands_twice():
    counted = Counter(template for room in tables("zh").values() for template in room)
    assert [template for template, count in counted.items() if count > 1] == []


def test_the_page_is_sent_all_that_it_says():
    assert sorted({template for template, _ in in_front_end()} - set(tables("zh")["web"])) == []


@pytest.mark.parametrize("template", sorted(table("zh")))
def test_a_phrase_holds_the_same_in_both_languages(template):
    said = chinese(template)
    assert said.strip()
    assert set(HOLE.findall(said)) == set(HOLE.findall(template)), said
    assert said.count("{") == len(HOLE.findall(said)), f"{said}: values are put in as they are"
    assert Counter(NUMBER.findall(said)) == Counter(NUMBER.findall(template)), f"{said}: other numbers"
    assert re.search(r"[\u3000-\u9fff\uff00-\uffef]", said) or not re.search(r"[A-Za-z]{2}", HOLE.sub("", template)), said


# saying


def test_english_is_the_template_itself():
    assert speaking() == "en"
    assert phrases() == {}
    assert say("{n} parameters", n=3) == "3 parameters"


def test_another_language_is_spoken_for_a_while():
    with language("zh"):
        assert say("Output layer") == "输出层"
        with language(None):
            assert speaking() == "zh"
        with language("en"):
            assert say("Output layer") == "Output layer"
        assert say("a phrase that no table knows") == "a phrase that no table knows"
    assert say("Output layer") == "Output layer"


def test_a_phrase_is_said_later_with_the_phrases_in_it():
    inner = Listed([phrase("{name} is {what}", name="i1", what="age"), phrase("{name} is {what}", name="i2", what="size")])
    told = phrase("{parts}.", parts=inner)
    assert told == "i1 is age, i2 is size."
    with language("zh"):
        assert say(told) == "i1 是 age、i2 是 size。"
        assert listed(["a", phrase("Output layer")]) == "a、输出层"


def test_a_blank_stands_between_chinese_and_other_signs_only():
    with language("zh"):
        assert say("{what} left out", what="w5") == "漏掉 w5"
        assert say("{what} left out", what=say("the bias {what}", what="b1")) == "漏掉偏置 b1"


def test_an_unknown_language_is_told():
    with pytest.raises(InputError, match="unknown language"):
        derive(load_example("mazur")).explain("w5", language="de")


def test_english_reads_no_table():
    code = (
        "from chainrule import phrases; from chainrule.derivation import derive; from chainrule.spec import load_example\n"
        "derive(load_example('mazur')).explain()\n"
        "assert phrases.tables.cache_info().currsize == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# whole derivations


def traced(name):
    """An example; of a table's many rows a few."""
    example = load_example(name)
    return derive(example.with_settings([("data.rows", "[1, 180, 300, 310]")]) if len(example.x) > 5 else example)


def allowed(trace):
    """Words that are no words of a sentence: names, ids, settings, and what the examples' columns are called."""
    every = tell(trace, "json", sample="all", timed=False)
    steps = json.loads(every)["steps"]
    texts = [step[key] for step in steps for key in ("id", "name", "formula", "substituted", "latex")]
    texts += [note for note in json.loads(every)["notes"] if " is " in note]  # what inputs and outputs stand for
    texts += ["--of NAME --sample R --format json float64 chainrule explain penguins.csv"]
    for kind in ("activation", "loss", "optimizer", "clipping", "penalty", "layer", "schedule", "initializer"):
        texts += rules.names(kind)
        for name in rules.names(kind):
            found = rules.find(kind, name)
            assert issubclass(found, Rule)
            texts += [found.name, *getattr(found, "__dataclass_fields__", ())]
    return {word for text in texts for word in re.findall(r"[A-Za-z]+", text)}


def plain(text, form):
    """What a reader reads of a format."""
    if form == "html":
        text = re.sub(r"<(style|script)\b.*?</\1>", " ", text, flags=re.DOTALL)
        return html.unescape(re.sub(r"<[^>]*>", " ", text))
    if form in ("latex", "markdown"):
        text = re.sub(r"\\begin\{tabular\}\{@\{\}.*?@\{\}\}", " ", text)
        text = re.sub(r"\\(?:begin|end|documentclass|usepackage)(?:\[[^\]]*\])?\{[^}]*\}", " ", text)
        return re.sub(r"\\[A-Za-z]+|\dp[tc]m?|\dcm|\d(?:pt|cm)", " ", text)
    if form == "json":
        data = json.loads(text)
        words = [data["title"], *data["notes"], *data["conventions"]["words"].values()]
        return "\n".join([*words, *(step["because"] for step in data["steps"])])
    return text


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_told_in_chinese(name, form):
    trace = traced(name)
    sample = 1 if trace.scope.rows > 1 else None
    english = tell(trace, form, sample=sample, timed=False)
    told = tell(trace, form, sample=sample, timed=False, language="zh")
    strange = set(re.findall(r"[A-Za-z]{4,}", plain(told, form))) - allowed(trace)
    assert not strange
    assert Counter(NUMBER.findall(plain(told, form))) == Counter(NUMBER.findall(plain(english, form)))
    assert "前向传播" in told or form == "json"
    assert "[U+" not in told


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_data_for_programs_keeps_its_ids_and_values(name):
    trace = traced(name)
    told = [json.loads(tell(trace, "json", timed=False, language=each)) for each in LANGUAGES]
    keys = ("id", "name", "phase", "sample", "value", "uses")
    one, other = ([[step[key] for key in keys] for step in each["steps"]] for each in told)
    assert one == other
    assert told[0]["changes"] == told[1]["changes"]
    assert told[0]["conventions"].keys() == told[1]["conventions"].keys()
    assert told[0]["conventions"]["words"].keys() == told[1]["conventions"]["words"].keys()
    assert all(
        one["because"] != other["because"]
        for one, other in zip(told[0]["steps"], told[1]["steps"], strict=True)
        if one["because"]
    )


def test_the_same_trace_tells_itself_in_either_language():
    trace = cr.trace(load_example("penguins"))
    assert "i1 是 bill_length_mm" in trace.explain("w1", language="zh")
    assert "i1 is bill_length_mm" in trace.explain("w1")


def test_a_page_says_its_language():
    trace = derive(load_example("mazur"))
    assert '<html lang="zh">' in tell(trace, "html", timed=False, language="zh")
    assert '<html lang="en">' in tell(trace, "html", timed=False)


def test_chinese_latex_asks_for_ctex():
    trace = derive(load_example("mazur"))
    assert "\\usepackage{ctex}" in tell(trace, "latex", timed=False, language="zh")
    assert "ctex" not in tell(trace, "latex", timed=False)


@pytest.mark.parametrize("cells", [50, 64, 80])
def test_lines_of_text_fit_the_terminal(cells):
    told = tell(derive(load_example("mazur")), "text", timed=False, language="zh", width=cells)
    assert all(width(line) <= cells for line in told.splitlines() if re.search(r"[\u3000-\u9fff]", line))


# marking


WRONG = {"net_h1": "0.3775", "delta_o1": "0.069249281", "w5+": "0.44", "foo": "1", "net_h2": "abc", "E": "0.479218302"}


def test_check_speaks_chinese():
    with language("zh"):
        report = cr.check(load_example("mazur"), WRONG)
        told = report.text()
        data = report.data()
    assert "若损失及其导数都对各输出取平均：delta_o1 = 0.06924928081" in told
    assert "6 个数：1 个正确、3 个新错误、2 个无法检查。" in told
    assert set(re.findall(r"[A-Za-z]{4,}", told)) <= {
        "delta",
        "total",
        "chainrule",
        "explain",
        "pinball",
        "mean",
        "absolute",
        "error",
        "half",
        "squared",
    }
    english = cr.check(load_example("mazur"), WRONG).data()
    keys = ("name", "id", "given", "exact", "verdict", "digits")
    assert [[each[key] for key in keys] for each in data["answers"]] == [
        [each[key] for key in keys] for each in english["answers"]
    ]


def test_why_speaks_chinese():
    with language("zh"):
        found = str(cr.why(load_example("mazur"), "0.291027924", "E"))
    assert "若隐藏层经由已更新的权重汇集误差（逐层更新）：第 1 次更新后的 E_total" in found.replace("\n  ", "")


def run(*args):
    return click.testing.CliRunner().invoke(chainrule, args)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("explain", "mazur", "--of", "w5"), "反向传播"),
        (("check", "mazur"), "个正确"),
        (("why", "mazur", "E", "0.298371109"), "正确；"),
        (("compare", "mazur", "--vary", "update.order"), "更新前的损失"),
    ],
)
def test_commands_take_a_language(args, words):
    told = run(*args, "--language", "zh")
    assert words in told.stdout
    assert speaking() == "en"
    assert words not in run(*args).stdout
    assert run(*args, "--language", "fr").exit_code == 2


# cells


def test_a_chinese_sign_takes_two_cells():
    assert width("权重 w5") == 7
    assert width("η·δ ✓") == 5
    assert left("权", 4) + "|" == "权  |"
    assert right("权", 4) == "  权"


def test_chinese_lines_break_between_signs_but_not_before_a_comma():
    text = "损失在第 1 次更新前是 0.298371109，更新后是 0.291027774。" * 3
    for cells in range(20, 60):
        lines = wrap(text, cells, "- ", "  ")
        assert all(width(line) <= cells for line in lines)
        assert not any(line.lstrip()[0] in "，。" for line in lines)
        assert re.sub(r"\s", "", "".join(lines)) == "-" + re.sub(r"\s", "", text)


def test_every_phrase_is_found_where_it_is_said():
    assert templates()["The gradient is the sum of what every sample adds."].startswith("reasons.py")
