"""The answers of a class: marks, feedback, and the mistakes that are made most often."""

import csv
import io
import json
import time

import pytest

import chainrule as cr
from chainrule.errors import InputError
from chainrule.marking.check import Checker
from chainrule.marking.grading import grade

SHEETS = {
    "ada.toml": "net_h1 = 0.41\nout_h1 = 0.6011\nE_total = 0.0026\n",
    "ben.csv": "net_h1,0.31\nout_h1,0.577\nE_total,0.5\n",
    "cem.md": "0.31<!-- net_h1 --> and 0.6011<!-- out_h1 -->",
    "dan.toml": "net_h1 = 0.31\nout_h1 = abc\nnet_h7 = 1\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in SHEETS.items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / ".hidden.toml").write_text("E = 1", "utf-8")
    (tmp_path / "notes.pdf").write_text("E = 1", "utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def checker():
    return Checker(cr.load_example("two-two-one"))


def rows(marks):
    return list(csv.DictReader(io.StringIO(marks.csv())))


def test_a_row_for_each_student(folder, checker):
    found = rows(grade(checker, folder))
    assert [row["student"] for row in found] == ["ada", "ben", "cem", "dan"]
    assert list(found[0]) == ["student", "net_h1", "out_h1", "E_total", "total", "of", "feedback"]
    assert [row["total"] for row in found] == ["3", "0", "1", "0"]
    assert {row["of"] for row in found} == {"3"}
    assert [row["out_h1"] for row in found] == ["1", "0", "1", "0"]
    assert [row["E_total"] for row in found] == ["1", "0", "", ""]
    assert found[0]["feedback"] == ""
    assert "net_h1 = 0.31 is not 0.4100" in found[1]["feedback"]
    assert "out_h1: not a number" in found[3]["feedback"]
    assert "net_h7" in found[3]["feedback"]


def test_marks_for_what_is_carried_forward(folder, checker):
    assert [row["out_h1"] for row in rows(grade(checker, folder, carried=0.5))] == ["1", "0.5", "1", "0"]
    assert [row["total"] for row in rows(grade(checker, folder, carried=1))] == ["3", "1", "1", "0"]


def test_only_some_numbers_count(folder, checker):
    found = rows(grade(checker, folder, of=["a[1][1]", "net_o1"]))
    assert list(found[0]) == ["student", "out_h1", "net_o1", "total", "of", "feedback"]
    assert [row["total"] for row in found] == ["1", "0", "1", "0"]
    with pytest.raises(InputError, match="no number is called"):
        grade(checker, folder, of=["net_h7"])


def test_the_most_frequent_mistakes(folder, checker):
    marks = grade(checker, folder)
    (count, name, _, who), *_ = marks.mistakes
    assert (count, name, who) == (3, "net_h1", ["ben", "cem", "dan"])
    text = marks.text()
    assert "Most frequent mistakes:" in text
    assert "3 x  net_h1: " in text
    assert "4 students, 3 numbers, 1 of 3 on average." in text
    assert max(map(len, text.splitlines())) <= 80
    data = json.loads(json.dumps(marks.data()))
    assert data["of"] == 3
    assert data["students"][1]["marks"] == {"net_h1": 0.0, "out_h1": 0.0, "E_total": 0.0}
    assert data["mistakes"][0]["students"] == ["ben", "cem", "dan"]


def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_marked(folder, checker):
    (folder / "eve.toml").write_bytes(b"\xff\xfe")
    (folder / "fay.toml").write_text("net_h9 = 1\n")
    marks = grade(checker, folder)
    assert not marks.ok
    assert len(marks.problems) == 2
    found = {row["student"]: row for row in rows(marks)}
    assert found["eve"]["total"] == ""
    assert "UTF-16" in found["eve"]["feedback"]
    assert "no name in these answers" in found["fay"]["feedback"]
    assert found["ada"]["total"] == "3"


def test_two_values_for_one_number_count_as_the_worse(folder, checker):
    (folder / "ada.toml").write_text("net_h1 = 0.41\nnet_h1 = 0.31\n", "utf-8")
    assert rows(grade(checker, folder))[0]["net_h1"] == "0"


def test_two_files_of_one_name(folder, checker):
    (folder / "ada.csv").write_text("net_h1,0.41\n", "utf-8")
    assert [row["student"] for row in rows(grade(checker, folder))][:2] == ["ada.csv", "ada.toml"]


def test_numbers_of_several_steps(folder):
    (folder / "ada.toml").write_text("E_total = 0.0026\n[after.1]\nE_total = 0.002570\n", "utf-8")
    found = rows(grade(Checker(cr.load_example("two-two-one")), folder))
    assert "E_total after 1" in found[0]
    assert found[0]["E_total after 1"] == "1"
    assert found[1]["E_total after 1"] == ""


def test_no_cell_is_a_formula(folder, checker):
    (folder / "=cmd.toml").write_text("net_h1 = 0.31\n", "utf-8")
    assert any(row["student"] == "'=cmd" for row in rows(grade(checker, folder)))


def test_a_folder_without_answers(tmp_path, checker):
    with pytest.raises(InputError, match="no answers are in this folder"):
        grade(checker, tmp_path)


def test_a_class_of_two_hundred(tmp_path, checker):
    for number in range(200):
        (tmp_path / f"s{number:03}.toml").write_text("".join(SHEETS["ada.toml"]) + f"net_o1 = 1.{number:03}\n", "utf-8")
    start = time.process_time()
    marks = grade(checker, tmp_path)
    assert time.process_time() - start < 20
    assert len(marks.students) == 200
