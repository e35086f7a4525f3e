"""Training that is killed and resumed: 25 kills of the thousand that `scripts/torture` does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.errors import InputError
from chainrule.runs import Run

HERE = Path(__file__).parent


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_killed_runs_go_on_to_the_same_bits(seed, tmp_path):
    done = subprocess.run(
        [sys.executable, HERE / "torture.py", "--kills", "5", "--seed", str(seed)],
        capture_output=True, text=True, timeout=300, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "5 kills" in done.stdout
    assert "no file unreadable, no checkpoint lost" in done.stdout
    assert "ended with the same bits" in done.stdout


def test_a_run_that_was_killed_before_it_began_leaves_no_folder_that_is_refused(tmp_path):
    folder = tmp_path / "run"
    run = Run.create(folder)
    with run.lock():
        (folder / "cache").mkdir()
        (folder / "run.toml.tmp-123-0123abcd").write_text("[da")
    with Run.create(folder).lock():
        assert not (folder / "run.toml.tmp-123-0123abcd").exists()
    (run.checkpoints / "mine.txt").write_text("not a run's")
    with pytest.raises(InputError, match="not empty, and not a run folder"):
        Run.create(folder)
