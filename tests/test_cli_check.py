"""`chainrule check` and `chainrule why` as a user meets them."""

import csv
import json
import os
import signal
import subprocess
import sys

import pytest

from chainrule.cli import main


def run(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


@pytest.fixture(autouse=True)
def _quiet_signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_the_printed_numbers_of_an_example(capsys):
    code, out, err = run(capsys, "check", "two-two-one")
    assert (code, err) == (1, "")
    assert "13 numbers: 0 right, 6 new mistakes, 7 follow from an earlier number." in out
    assert max(len(line) for line in out.splitlines()) <= 80
    code, out, _ = run(capsys, "check", "lamsal")
    assert code == 0
    assert "truncated to 5 decimals" in out


def test_answers_of_an_example_are_a_start(capsys, tmp_path):
    _, text, _ = run(capsys, "examples", "lamsal", "--answers")
    file = tmp_path / "mine.toml"
    file.write_text(text.replace("0.45187", "0.45188"), "utf-8")
    code, _, _ = run(capsys, "check", "lamsal", str(file))
    assert code == 0
    assert run(capsys, "examples", "penguins", "--answers")[0] == 2
    assert run(capsys, "check", "penguins")[0] == 2


def test_a_document_names_file_and_line(capsys, tmp_path):
    file = tmp_path / "article.md"
    file.write_text("# T\n\nIt is 0.3775<!-- net_h1 -->\nand 0.5<!-- net_h2 -->.\n", "utf-8")
    code, out, _ = run(capsys, "check", "mazur", str(file))
    assert code == 1
    assert f"{file}:4" in out
    assert f"{file}:3" not in out
    code, out, _ = run(capsys, "check", "mazur", str(file), "--brief")
    assert "net_h1" not in out


def test_json(capsys, tmp_path):
    code, out, _ = run(capsys, "check", "lamsal", "--json")
    data = json.loads(out)
    assert (code, data["right"], data["wrong"]) == (0, 6, 0)
    assert {"right", "right_truncated"} == {each["verdict"] for each in data["answers"]}
    one, two = tmp_path / "a.toml", tmp_path / "b.csv"
    one.write_text("net_h1 = 0.41\n")
    two.write_text("net_h1,0.42\n")
    code, out, _ = run(capsys, "check", "lamsal", str(one), str(two), "--json")
    assert (code, len(json.loads(out)["files"])) == (1, 2)


def test_after_set_and_names(capsys, tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("E_total = 0.291027924\n")
    assert run(capsys, "check", "mazur", str(file), "--after", "1")[0] == 1
    code, _, _ = run(capsys, "check", "mazur", str(file), "--after", "1", "--set", "update.order=sequential")
    assert code == 0
    file.write_text("net_h1 = 0.3775\n")
    assert "z[1][1]" in run(capsys, "check", "mazur", str(file), "--names", "matrix")[1]


def test_many_files_and_one_that_is_missing(capsys, tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("net_h1 = 0.3775\n")
    code, out, err = run(capsys, "check", "mazur", str(file), str(tmp_path / "b.toml"))
    assert code == 1
    assert "The number is right." in out
    assert "no such file" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("net_h7 = 0.5\n", "no name in these answers"),
        ('[about]\nexample = "lamsal"\n[answers]\nnet_h1 = 0.5\n', "another example"),
        ("# none\n", "no answers are in this file"),
    ],
)
def test_answers_that_do_not_fit_end_with_2(capsys, tmp_path, text, said):
    file = tmp_path / "a.toml"
    file.write_text(text)
    code, out, err = run(capsys, "check", "mazur", str(file))
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert "a.toml" in err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("check",), "Missing argument 'WHAT'"),
        (("check", "mazur", "no.toml"), "no such file"),
        (("check", "mazur", "--csv", "marks.csv"), "--csv is for the folder of a class"),
        (("check", "mazur", "--carried", "1"), "--carried is for the folder of a class"),
        (("check", "mazur", "--of", "w5"), "--of is for the folder of a class"),
        (("check", "mazur", "x.pdf"), "no such file"),
        (("check", "mazzur"), "mazur"),
        (("check", "mazur", "--set", "a"), "--set needs KEY=VALUE"),
        (("why", "mazur"), "VALUE"),
        (("why", "mazur", "abc"), "not a number"),
        (("why", "mazur", "w5", "0.1", "0.2"), "one name and one value"),
        (("why", "mazur", "w55", "0.1"), "did you mean w5"),
        (("why", "mazur", "w5+", "0.1", "--updates", "x"), "--updates"),
        (("why", "mazur", "--bad", "0.1"), "--bad"),
    ],
)
def test_a_wrong_command_line_ends_with_2(capsys, args, said):
    code, out, err = run(capsys, *args)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert "Traceback" not in err


def test_a_class(capsys, tmp_path):
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "ada.toml").write_text("net_h1 = 0.3775\nout_h1 = 0.593\n")
    (folder / "ben.csv").write_text("net_h1,0.0275\nout_h1,0.507\n")
    marks = tmp_path / "marks.csv"
    code, out, err = run(capsys, "check", "mazur", str(folder), "--csv", str(marks), "--carried", "1")
    assert (code, err) == (0, "")
    assert "Most frequent mistakes" in out
    with open(marks, encoding="utf-8") as stream:
        assert [row["total"] for row in csv.DictReader(stream)] == ["2", "1"]
    (folder / "cem.toml").write_text("nothing\n")
    code, _, err = run(capsys, "check", "mazur", str(folder), "--json")
    assert code == 1
    assert "cem.toml" in err


def test_why_with_a_name_without_and_negative(capsys):
    code, out, err = run(capsys, "why", "mazur", "E_total", "0.291027924", "--after", "1")
    assert (code, err) == (0, "")
    assert "sequential" in out
    code, out, _ = run(capsys, "why", "two-two-one", "dE/dw6", "-0.04", "--json")
    data = json.loads(out)
    assert code == 0
    assert data["value"] == "-0.04"
    assert {"value", "matches", "searched"} <= set(data)


def test_an_ascii_terminal_gets_ascii():
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "chainrule", "check", "two-two-one"]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert result.returncode == 1
    assert result.stdout.isascii()
    assert "x net_h1" in result.stdout
    assert "\x1b" not in result.stdout
