"""Mutated tables, runs, models, settings and options: a few hundred of the ten thousand cases of `tests/hostile.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

import hostile

HERE = Path(__file__).parent


@pytest.mark.parametrize("first", [0, 100, 200])
def test_no_command_ends_in_a_mistake_of_its_own(first):
    command = [sys.executable, HERE / "hostile.py", "--cases", "100", "--first", str(first)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100 cases" in done.stdout
    assert "0 faults" in done.stdout


FAULTS = {
    "it hangs": (["train"], None, "", "", [hostile.Hang()]),
    "exit code": (["train"], 3, "", "error: x", []),
    "its own mistake": (["train"], 1, "", "error: KeyError: this is a mistake of chainrule", [KeyError()]),
    "a control character on stderr": (["train"], 1, "", "error: \x1b[31m", []),
    "a control character on stdout": (["train"], 0, "\u202e", "", []),
    "it fails and says nothing": (["train"], 1, "", "", []),
    "no word about what to do": (["train"], 1, "", "error: it failed", [hostile.InputError("it failed")]),
}


@pytest.mark.parametrize("wanted", FAULTS)
def test_each_fault_is_found(wanted):
    assert [found.split(":")[0] for found in hostile.faults(*FAULTS[wanted])] == [wanted] or wanted in str(
        hostile.faults(*FAULTS[wanted])
    )
    assert hostile.faults(["train"], 0, "done\n", "a word\n", []) == []


def test_a_case_is_made_from_its_seed_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = []
    (tmp_path / "world").mkdir()
    world = hostile.World(tmp_path / "world")  # one for both: what the clock says stands in its runs
    for _ in range(2):
        made = []
        for seed in range(40):
            words, folder = world.case(seed)
            made.append((words, {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}))
        found.append(made)
    assert found[0] == found[1]
