"""Answers as they stand in files: lists, tables, and documents in which numbers are marked."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import InputError
from chainrule.marking.answers import latex, lines, markdown, read_answers, table
from chainrule.marking.answers.answer import Answer


def told(answers):
    return [(each.name, each.text, each.line) for each in answers]


# lines


def test_lines_keep_their_digits_and_need_no_quotes():
    text = 'net_h1 = 0.50\n"dE/dw5" = 0.082 # a comment\ndE/dw6 = 0,0820\n\n# no\nw5+ = "1/3"\nE: 2.5e-3\nW[1][1,2]=0.20\n'
    assert told(lines.read(text, "a.toml")) == [
        ("net_h1", "0.50", 1),
        ("dE/dw5", "0.082", 2),
        ("dE/dw6", "0,0820", 3),
        ("w5+", "1/3", 6),
        ("E", "2.5e-3", 7),
        ("W[1][1,2]", "0.20", 8),
    ]


def test_tables_of_lines_say_the_example_and_the_step():
    found = lines.read('E = 1\n[after.10]\nE = 2\n[about]\nexample = "mazur"\nstudent = "Ada"\n[answers]\nE = 3\n', "")
    assert [(each.text, each.after, each.example) for each in found] == [
        ("1", None, "mazur"),
        ("2", 10, "mazur"),
        ("3", None, "mazur"),
    ]


@pytest.mark.parametrize("line", ["[after.x]", "[after.1.2]", "[marks]", "[answers.1]", "net_h1", '"net_h1"', "0.5", "[1, 2]"])
def test_a_line_that_is_none_has_a_fault_and_the_rest_is_read(line):
    first, second = lines.read(f"{line}\nnet_h2 = 0.5\n", "a.toml")
    assert first.fault
    assert first.line == 1
    assert (second.name, second.text) == ("net_h2", "0.5")


# tables


@pytest.mark.parametrize(
    "text",
    [
        "name,value\nnet_h1,0.50\nw5+,0.1\n",
        "net_h1,0.50\nw5+,0.1\n",
        "net_h1;0.50\nw5+;0.1\n",
        "net_h1\t0.50\nw5+\t0.1\n",
        "Value,Name\n0.50,net_h1\n0.1,w5+\n",
        '"net_h1","0.50"\n\n"w5+","0.1"\n',
        "number,answer\r\nnet_h1,0.50\r\nw5+,0.1\r\n".replace("\r\n", "\n"),
    ],
)
def test_tables_of_all_kinds(text):
    assert [(each.name, each.text) for each in table.read(text, "a.csv")] == [("net_h1", "0.50"), ("w5+", "0.1")]


def test_commas_in_a_table():
    found = table.read('W[1][1,2],0.20\nnet_h1,"0,31"\nnet_h2,0,29\n', "a.csv")
    assert told(found)[:2] == [("W[1][1,2]", "0.20", 1), ("net_h1", "0,31", 2)]
    assert "put quotes around" in found[2].fault
    assert [each.text for each in table.read("a;0,31\nb;0,29\n", "")] == ["0,31", "0,29"]


def test_a_table_may_say_the_step():
    found = table.read("name,value,after\nE,0.5,1\nE,0.6,\nE,0.7,x\n", "a.csv")
    assert [each.after for each in found] == [1, None, None]
    assert "whole number" in found[2].fault


# Markdown


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.31<!-- h -->", "0.31"),
        ("**0.31**<!-- h -->", "0.31"),
        ("*0.31*<!--h-->", "0.31"),
        ("`0.31`<!-- h -->", "0.31"),
        ("$0.31$<!-- h -->", "0.31"),
        ("$net_{h1} = 0.25 + 0.06 = 0.31$<!-- h -->", "0.31"),
        ("$w_5^+ = w_5 - 0.31$<!-- h -->", "0.31"),
        ("$w_{5}^{2} = -0.31$<!-- h -->", "-0.31"),
        ("0.31 V<!-- h -->", "0.31"),
        ("0.31 m²<!-- h -->", "0.31"),
        ("(0.31)<!-- h -->", "0.31"),
        ("0.31 <!-- net_h1 -->", "0.31"),
        ("| a | 0.31<!-- h --> |", "0.31"),
        ("-0.31<!-- h -->", "-0.31"),
        ("−0.31<!-- h -->", "-0.31"),
        ("0.41-0.31<!-- h -->", "0.31"),
        ("0.41 - 0.31<!-- h -->", "0.31"),
        ("0.1–0.31<!-- h -->", "0.31"),
        ("x=-.5<!-- h -->", "-.5"),
        ("0,31<!-- h -->", "0,31"),
        ("0{,}31<!-- h -->", "0,31"),
        ("1,234.5<!-- h -->", "1,234.5"),
        ("1/3<!-- h -->", "1/3"),
        (r"$\frac{1}{3}$<!-- h -->", r"\frac{1}{3}"),
        ("31 %<!-- h -->", "31 %"),
        ("0.1666…<!-- h -->", "0.1666…"),
        ("0.1666...<!-- h -->", "0.1666..."),
        ("2.5e-3<!-- h -->", "2.5e-3"),
        ("2.5·10^-3<!-- h -->", "2.5·10^-3"),
        ("2.5×10⁻³<!-- h -->", "2.5×10⁻³"),
        ("2.5×10<sup>-3</sup><!-- h -->", "2.5×10^-3"),
        (r"$2.5 \cdot 10^{-3}$<!-- h -->", r"2.5 \cdot 10^{-3}"),
        ("out_h1 is 0.31. The next: 5<!-- h -->", "5"),
        ("$$\n0.31\n\n$$\n<!-- net_h1 -->", "0.31"),
        ("```\na = 0.31\n\n```\n\n<!-- net_h1 -->", "0.31"),
        ("~~0.3~~ 0.31<!-- h -->", "0.31"),
    ],
)
def test_the_number_before_a_mark(text, number):
    (answer,) = markdown.read(f"# Title 7\n\n{text}\n\nthe end, 9\n", "a.md")
    assert answer.text == number
    assert not answer.fault


@pytest.mark.parametrize(
    "text",
    [
        "0.5 <!-- TODO -->",
        "<!-- a comment 5 -->",
        "text\n\n<!-- toc -->",
        "`0.5<!-- h1 -->`",
        "```\n0.5<!-- h1 -->\n```",
        "0.5<!-- h1",
        "0.5 <!-- prettier-ignore -->",
        "~~~\n0.5<!-- h1 -->\n",
        "<!-- " + "long " * 100 + "-->",
    ],
)
def test_what_is_no_mark(text):
    assert markdown.read(text, "a.md") == []


def test_several_names_in_one_mark():
    text = "[sigmoid(0.31), sigmoid(0.29)]\n ≈ [0.57,\n 0.58]<!-- out_h1, W[1][1,2] -->"
    assert told(markdown.read(text, "a.md")) == [("out_h1", "0.57", 2), ("W[1][1,2]", "0.58", 3)]


def test_a_mark_never_takes_what_another_took_nor_another_paragraph():
    first, second = markdown.read("0.57<!-- out_h1 --><!-- out_h2 -->", "a.md")
    assert (first.text, bool(second.fault)) == ("0.57", True)
    (answer,) = markdown.read("0.57\n\nnothing<!-- out_h1 -->", "a.md")
    assert "no number stands before this mark" in answer.fault
    assert answer.line == 3


def test_a_document_says_whose_numbers_follow():
    text = (
        "1<!-- E -->\n<!-- chainrule: mazur after=1 -->\n2<!-- E -->\n<!-- chainrule: after=10 -->\n3<!-- E -->\n"
        "<!-- chainrule: lamsal -->\n4<!-- E -->\n<!-- chainrule: mazur later -->5<!-- E -->"
    )
    found = markdown.read(text, "a.md")
    assert [(each.text, each.example, each.after) for each in found] == [
        ("1", "", None),
        ("2", "mazur", 1),
        ("3", "mazur", 10),
        ("4", "lamsal", None),
        ("5", "later", None),
    ]
    (fault, _) = markdown.read("<!-- chainrule: after=x -->\n5<!-- E -->", "a.md")
    assert fault.fault


# LaTeX


def test_latex():
    text = r"""
\begin{align}  % an ordinary comment, 7
  net_{h1} &= 0.25 + 0.06 = 0.31 \\  %= net_h1
  out_{h1} &= \num{0{,}57}, \quad out_{h2} = 0.58 %= out_h1, out\_h2
\end{align}
A bias of 50\% and \checked{dE/dw5}{\num{-0.03}}, \checked{w5+}{$0.36$}.
% chainrule: mazur after=1
$0.291$
%= E_total
\begin{verbatim}
0.5 %= net_h1
\end{verbatim}

%= E_o1
"""
    assert [(each.name, each.text, each.line, each.after) for each in latex.read(text, "a.tex")] == [
        ("net_h1", "0.31", 3, None),
        ("out_h1", "0,57", 4, None),
        ("out_h2", "0.58", 4, None),
        ("dE/dw5", "-0.03", 6, None),
        ("w5+", "0.36", 6, None),
        ("E_total", "0.291", 8, 1),
        ("E_o1", "", 14, 1),
    ]


# files


def test_files_by_their_names(tmp_path):
    for name, text in (
        ("a.toml", "E = 0.50"),
        ("a.txt", "E = 0.50"),
        ("a.csv", "E,0.50"),
        ("a.tsv", "E\t0.50"),
        ("a.md", "0.50<!-- E -->"),
        ("a.tex", "0.50 %= E"),
    ):
        file = tmp_path / name
        file.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n")
        (answer,) = read_answers(file)
        assert (answer.name, answer.text, answer.place) == ("E", "0.50", f"{file}:1")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.pdf", b"E = 1", "no kind of answers goes with this file name"),
        ("a.toml", b"# nothing\n", "no answers are in this file"),
        ("a.md", b"# nothing\n", "mark a number as"),
        ("a.tex", b"nothing\n", "%="),
        ("a.csv", b"", "no answers"),
        ("a.toml", b"E = \xff", "not UTF-8"),
        ("a.toml", "E = 1".encode("utf-16"), "UTF-16"),
    ],
)
def test_files_that_hold_no_answers(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=said):
        read_answers(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        read_answers(tmp_path / f"b{name}")


def test_answers_from_python():
    assert told(read_answers({"E": 0.5, "net_h1": "0.50"})) == [("E", "0.5", None), ("net_h1", "0.50", None)]
    assert told(read_answers([("E", 1), Answer("E", "2", "f", 3)])) == [("E", "1", None), ("E", "2", 3)]


pieces = st.sampled_from(
    [
        "0.5",
        "<!-- ",
        " -->",
        "net_h1",
        "\n",
        "\n\n",
        "```",
        "$$",
        "`",
        "%=",
        "%",
        "\\checked{E}{",
        "}",
        "[after.1]",
        "=",
        ",",
        ";",
        '"',
        "'",
        "[",
        "]",
        "chainrule: mazur after=1",
        "#",
        " ",
        "\\",
        "…",
        "\t",
        "−",
        "1e999",
        "\\begin{verbatim}",
        "\0",
        "\x1b",
    ]
)


@given(st.lists(pieces | st.text(max_size=5), max_size=40).map("".join))
@settings(deadline=None, max_examples=400)
def test_any_text_is_read_without_an_accident(text):
    text = text.replace("\r", "\n")  # as it is when a file is read
    for reader in (lines, table, markdown, latex):
        for answer in reader.read(text, "f"):
            assert answer.line is not None
            assert 1 <= answer.line <= text.count("\n") + 2


@pytest.mark.parametrize(
    "text",
    [
        "0.5<!-- E -->" * 30_000,
        "\n" * 200_000 + "<!-- E1 -->" * 5_000,
        "`" * 300_000 + "<!-- E1 -->",
        "1," * 200_000 + "<!-- E1 -->",
        "[" * 200_000,
        "%" * 200_000,
        "\\checked{E}{" * 20_000,
        "0" * 100_000 + "<!-- E1 -->",
        " " * 200_000 + "=",
        "<!--" * 60_000,
        "1/" * 100_000 + "<!-- E1 -->",
    ],
)
def test_long_texts_take_no_longer(text):
    for reader in (lines, table, markdown, latex):
        start = time.perf_counter()
        reader.read(text, "f")
        assert time.perf_counter() - start < 3
