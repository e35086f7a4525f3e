"""The command line as a user meets it: what it prints, where, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import chainrule
from chainrule.cli import main


def run(capsys, *args):
    """Exit code, stdout and stderr of a command, run in this process."""
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def process(*args, **options):
    command = [sys.executable, "-m", "chainrule", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


@pytest.fixture(autouse=True)
def _quiet_signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


# what it does


@pytest.mark.parametrize("name", ["mazur", "lamsal", "two-two-one", "three-layer", "penguins"])
@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html", "json"])
def test_every_example_in_every_format(capsys, name, form):
    code, out, err = run(capsys, "explain", name, "--format", form)
    assert (code, err) == (0, "")
    assert len(out) > 1000


def test_the_json_of_the_interface(capsys):
    _, out, _ = run(capsys, "explain", "mazur", "--format", "json")
    data = json.loads(out)
    assert data["chainrule"] == 1
    assert data["update"] == 1
    steps = {step["id"]: step for step in data["steps"]}
    first = steps["z[1][1]"]
    assert (first["name"], first["phase"], first["sample"]) == ("net_h1", "forward", 1)
    assert first["formula"] == "w1·i1 + w2·i2 + b1"
    assert first["substituted"] == "0.15·0.05 + 0.2·0.1 + 0.35"
    assert first["value"] == pytest.approx(0.3775, abs=1e-15)
    assert set(first["uses"]) == {"W[1][1,1]", "x[1]", "W[1][1,2]", "x[2]", "b[1]"}
    assert {"given", "forward", "loss", "backward", "update"} == {step["phase"] for step in data["steps"]}
    known = set()
    for step in data["steps"]:
        assert set(step["uses"]) <= known, f"{step['id']} uses what comes later"
        known.add(step["id"])


def test_only_what_leads_to_a_number(capsys):
    code, out, _ = run(capsys, "explain", "mazur", "--of", "w5", "--no-time")
    assert code == 0
    assert "dE/dw5 = dE/dout_o1·dout_o1/dnet_o1·dnet_o1/dw5" in out
    assert "w5+ = w5 - η·dE/dw5" in out
    assert "dE/dw1" not in out
    assert "net_o2" not in out


def test_either_kind_of_name(capsys):
    one = run(capsys, "explain", "mazur", "--of", "dE/dw5", "--no-time")
    other = run(capsys, "explain", "mazur", "--of", "dE/dW[2][1,1]", "--no-time")
    assert one == other
    _, out, _ = run(capsys, "explain", "mazur", "--of", "dE/dw5", "--names", "matrix")
    assert "dE/dW[2][1,1] = dE/da[2][1]·da/dz[2][1]·dz[2][1]/dW[2][1,1]" in out


def test_after_ten_thousand_updates(capsys):
    _, out, _ = run(capsys, "explain", "mazur", "--after", "10000")
    assert "3.510187782978859e-05 before update 10001" in out
    _, out, _ = run(capsys, "explain", "mazur", "--after", "10000", "--set", "update.order=sequential")
    assert "3.5084786296" in out


def test_until_a_loss(capsys):
    _, out, _ = run(capsys, "explain", "mazur", "--until", "0.001")
    (line,) = [line for line in out.splitlines() if line.startswith("The loss is")]
    loss, update = float(line.split()[3]), int(line.split()[6])
    assert loss <= 0.001
    _, out, _ = run(capsys, "explain", "mazur", "--after", str(update - 2))
    (line,) = [line for line in out.splitlines() if line.startswith("The loss is")]
    assert float(line.split()[3]) > 0.001, "one update earlier it was not there yet"


def test_compare_side_by_side(capsys):
    code, out, _ = run(capsys, "compare", "mazur", "--vary", "update.order,update.biases", "--after", "10000")
    assert code == 0
    for loss in ("3.510187783e-05", "3.5084786296e-05", "2.4475622359e-06"):
        assert loss in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_compare_with_values_and_json(capsys):
    _, out, _ = run(capsys, "compare", "mazur", "--vary", "update.learning_rate=0.1|0.5", "--json")
    columns = json.loads(out)["columns"]
    assert [column["label"] for column in columns] == ["learning_rate 0.1", "learning_rate 0.5"]
    assert columns[1]["numbers"]["w5+"] == pytest.approx(0.358916479717885, abs=1e-14)


def test_examples_are_listed_and_printed(capsys, tmp_path):
    _, out, _ = run(capsys, "examples")
    assert [line.split()[0] for line in out.splitlines()] == ["mazur", "lamsal", "two-two-one", "three-layer", "penguins"]
    _, spec, _ = run(capsys, "examples", "mazur")
    file = tmp_path / "mine.toml"
    file.write_text(spec, "utf-8")
    code, out, _ = run(capsys, "explain", str(file), "--no-time")
    assert code == 0
    assert out == run(capsys, "explain", "mazur", "--no-time")[1]


def test_output_goes_to_a_file_whose_name_says_the_format(capsys, tmp_path):
    for name, start in (("a.html", "<!doctype html>"), ("a.tex", "\\documentclass"), ("a.json", "{"), ("a.md", "# ")):
        code, out, _ = run(capsys, "explain", "mazur", "-o", str(tmp_path / name))
        assert (code, out) == (0, "")
        assert (tmp_path / name).read_text("utf-8").startswith(start)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.json", "a.md", "a.tex"]


def test_digits(capsys):
    _, out, _ = run(capsys, "explain", "mazur", "--of", "out_h1", "--digits", "4")
    assert "= 0.5933\n" in out
    _, out, _ = run(capsys, "explain", "mazur", "--of", "out_h1", "--digits", "17")
    assert "0.5932699921071872" in out


def test_samples(capsys):
    _, out, _ = run(capsys, "explain", "penguins", "--sample", "7")
    assert "net_h1@7" in out
    assert "net_h1@1 " not in out
    code, _, err = run(capsys, "explain", "penguins", "--sample", "9999")
    assert code == 2
    assert "samples 1 to 342" in err


# what it refuses: exit code 2, place and remedy, no traceback

REFUSED = [
    ((), "a command is missing"),
    (("trian",), "there is no command 'trian'"),
    (("explian", "mazur"), "did you mean explain?"),
    (("explain",), "Missing argument 'WHAT'"),
    (("explain", "mazur", "--foo"), "--foo"),
    (("explain", "mazur", "--ofx", "w5"), "--of"),
    (("explain", "mazur", "--of"), "requires an argument"),
    (("explain", "mazur", "extra"), "extra"),
    (("explain", "mazur", "--after", "abc"), "'abc' is not a valid integer"),
    (("explain", "mazur", "--after", "1e3"), "'1e3' is not a valid integer"),
    (("explain", "mazur", "--after", "-1"), "-1"),
    (("explain", "mazur", "--until", "0,1"), "'0,1' is not a valid float"),
    (("explain", "mazur", "--until", "nan"), "--until needs a finite loss"),
    (("explain", "mazur", "--after", "3", "--until", "0.1"), "exclude each other"),
    (("explain", "mazur", "--digits", "0"), "0"),
    (("explain", "mazur", "--digits", "99"), "99"),
    (("explain", "mazur", "--format", "pdf"), "'pdf' is not one of"),
    (("explain", "mazur", "--names", "french"), "'french' is not one of"),
    (("explain", "mazur", "--sample", "x"), "--sample needs a whole number or all"),
    (("explain", "mazur", "--sample", "2"), "samples 1 to 1"),
    (("explain", "mazur", "--step", "3"), "--step is for recorded runs"),
    (("explain", "mazur", "--of", "w55"), "did you mean w5"),
    (("explain", "mazur", "--of", "dE/dW[9][1,1]"), "no number is called"),
    (("explain", "mazur", "--set", "update.order"), "--set needs KEY=VALUE"),
    (("explain", "mazur", "--set", "update.ordr=sequential"), "did you mean order?"),
    (("explain", "mazur", "--set", "update.order=backwards"), "order"),
    (("explain", "mazur", "--set", "update.learning_rate=-1"), "learning_rate"),
    (("explain", "mazzur"), "mazur"),
    (("explain", "no/such/file.toml"), "file.toml"),
    (("explain", "mazur", "-o", "no/such/folder/out.txt"), "folder does not exist"),
    (("explain", "mazur", "-o", "."), "folder"),
    (("examples", "mazurr"), "mazur"),
    (("explain", "mazur", "--after", "3", "--after", "4"), "--after is given twice"),
    (("explain", "mazur", "--sample", "9", "--format", "json"), "samples 1 to 1"),
    (("explain", "mazur", "--of", "w5", "--sample", "9"), "samples 1 to 1"),
    (("explain", "mazur", "--fragment"), "--fragment is for latex and html"),
    (("explain", "mazur", "-o", "a.pdf"), "no format goes with this file name"),
    (("explain", "mazur", "--of", "W[" + "9" * 5000 + "][1,1]"), "no number is called"),
    (("explain", "mazur", "--set", "network.layers[1].units=1000000000"), "units"),
    (("compare", "mazur"), "--vary"),
    (("compare", "mazur", "--vary", "update.order,update.order"), "twice"),
    (("compare", "mazur", "--vary", "update.odrer"), "update.order"),
    (("compare", "mazur", "--vary", "update.order=sideways"), "sideways"),
]


@pytest.mark.parametrize(("args", "said"), REFUSED, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_a_wrong_command_line_ends_with_2(capsys, args, said):
    code, out, err = run(capsys, *args)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert said in err
    assert "Traceback" not in err


def test_all_mistakes_of_a_spec_at_once(capsys, tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text(
        '[network]\nloss = "half_squared_eror"\n[[network.layers]]\nactivaton = "sigmoid"\nunits = 0\n'
        "[data]\ninputs = [[1, 2], [3]]\n[update]\nlearning_rate = -1\n",
        "utf-8",
    )
    code, _, err = run(capsys, "explain", str(file))
    assert code == 2
    names = ("half_squared_error", "did you mean activation?", "learning_rate")
    for said in (*names, "wrong.toml:2", "wrong.toml:4", "wrong.toml:5"):
        assert said in err
    assert err.count("error: ") >= 5


def test_a_run_that_fails_ends_with_1(capsys):
    linear = [f"network.layers[{layer}].activation=identity" for layer in (1, 2)]
    sets = [part for text in (*linear, "update.learning_rate=50") for part in ("--set", text)]
    code, out, err = run(capsys, "explain", "mazur", *sets, "--after", "50")
    assert (code, out) == (1, "")
    assert "not finite after update" in err
    assert "try a learning rate of" in err


# how it ends where a process meets its surroundings


@pytest.mark.parametrize("args", [("-h",), ("--help",), ("explain", "-h"), ("compare", "mazur", "-h"), ("examples", "--help")])
def test_help_anywhere(capsys, args):
    code, out, err = run(capsys, *args)
    assert code == 0
    assert out.startswith("Usage: chainrule")
    assert err == ""


def test_no_control_codes_and_no_colour():
    for environment in ({"TERM": "dumb"}, {"NO_COLOR": "1"}, {"COLUMNS": "20"}):
        result = process("explain", "mazur", env={**os.environ, **environment})
        assert result.returncode == 0
        assert "\x1b" not in result.stdout + result.stderr


def test_an_ascii_terminal_gets_ascii():
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    result = process("explain", "mazur", env=environment)
    assert result.returncode == 0
    assert "w1*i1 + w2*i2 + b1" in result.stdout
    assert result.stdout.isascii()


def test_a_reader_that_leaves():
    command = f"{sys.executable} -m chainrule explain penguins --sample all | head -n 1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert result.returncode in (0, 141)
    assert "Traceback" not in result.stderr


def test_a_full_disk():
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "chainrule", "explain", "mazur"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    result = process("explain", "mazur", "-o", "/dev/full")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals(sent, code):
    command = [sys.executable, "-m", "chainrule", "explain", "mazur", "--after", "100000000"]
    heard = signal.signal(sent, signal.SIG_DFL)  # a suite in the background is told to ignore SIGINT, and hands that on
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        signal.signal(sent, heard)
        try:
            time.sleep(2)
            running.send_signal(sent)
            out, err = running.communicate(timeout=10)
        finally:
            running.kill()  # not waited for, if it hears nothing
    assert running.returncode == code
    assert out == ""
    assert "Traceback" not in err


def test_odd_paths(tmp_path, capsys):
    _, spec, _ = run(capsys, "examples", "two-two-one")
    for name in ("a b.toml", "it's.toml", "-x.toml", "line\nbreak.toml", "é.toml", "n" * 200 + ".toml"):
        file = tmp_path / name
        file.write_text(spec, "utf-8")
        assert run(capsys, "explain", "--no-time", "--", str(file))[0] == 0


def test_a_deleted_folder(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"cd {gone} && rmdir {gone} && exec {sys.executable} -m chainrule explain mazur"
    environment = {key: value for key, value in os.environ.items() if key != "HOME"}
    environment["PYTHONPATH"] = str(Path(chainrule.__file__).parent.parent)
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment, timeout=60)
    assert result.returncode == 0, result.stderr


def test_names_cannot_steer_the_terminal(capsys, tmp_path):
    _, spec, _ = run(capsys, "examples", "mazur")
    file = tmp_path / "steer.toml"
    file.write_text(spec.replace('title = "', 'title = "\\u001b[31m\\u202E<script>alert(1)</script>'), "utf-8")
    for form in ("text", "markdown", "latex", "html"):
        code, out, _ = run(capsys, "explain", str(file), "--format", form)
        assert code == 0
        assert "\x1b" not in out
        assert "\u202e" not in out
        assert "<script>alert" not in out or form == "text"


def test_the_output_never_replaces_what_is_read(capsys, tmp_path):
    _, spec, _ = run(capsys, "examples", "mazur")
    file = tmp_path / "self.toml"
    file.write_text(spec, "utf-8")
    code, _, err = run(capsys, "explain", str(file), "--format", "text", "-o", str(file))
    assert code == 2
    assert "would replace what is read" in err
    assert file.read_text("utf-8") == spec


def test_a_link_is_followed_and_rights_are_kept(capsys, tmp_path):
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    assert run(capsys, "explain", "mazur", "-o", str(link))[0] == 0
    assert link.is_symlink()
    assert target.read_text("utf-8").startswith("A step by step")
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_closed_stderr_keeps_the_exit_code():
    command = f"{sys.executable} -m chainrule explain nosuch 2>&-"
    assert subprocess.run(["bash", "-c", command], timeout=60).returncode == 2
    command = f"{sys.executable} -m chainrule explain nosuch 2>/dev/full"
    assert subprocess.run(["bash", "-c", command], timeout=60).returncode == 2


@pytest.mark.parametrize(
    "name", ["\\u001bc", "a|b", "<script>", "w*2", "0.5", "-1", "ln", "net_h1", "E_total", "i1", "η", "b1"]
)
def test_names_that_would_be_something_else_are_refused(capsys, tmp_path, name):
    _, spec, _ = run(capsys, "examples", "mazur")
    file = tmp_path / "names.toml"
    names = f'[["{name}", "p"], ["q", "r"]], [["s", "t"], ["u", "v"]]'
    file.write_text(f"{spec}\n[names]\nweights = [{names}]\n", "utf-8")
    code, _, err = run(capsys, "explain", str(file))
    assert code == 2
    assert "names.weights" in err


def test_what_overflows_is_said(capsys):
    settings = [f"network.layers[{layer}].activation=identity" for layer in (1, 2)]
    sets = [part for text in (*settings, "network.layers[2].weights=[[1e300, 1e300], [1, 1]]") for part in ("--set", text)]
    code, out, err = run(capsys, "explain", "mazur", *sets)
    assert code == 0
    assert err == ""
    assert "beyond what float64 can hold" in " ".join(out.split())
