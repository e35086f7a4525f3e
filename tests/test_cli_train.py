"""The catalogue's rows on the command line (C), for the commands around a training run: train, predict, evaluate, explain RUN,
why-changed, doctor."""

import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest

import chainrule
from chainrule.cli import main
from chainrule.files import disk
from chainrule.runs import Run

PENGUINS = Path(chainrule.__file__).parent / "examples" / "penguins.csv"
TRAIN = ("train", "penguins.csv", "--target", "species", "--epochs", "2", "--hidden", "4", "--quiet")
LONG = ("--epochs", "100000000")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    place = tmp_path_factory.mktemp("trained")
    shutil.copy(PENGUINS, place)
    done = process(*TRAIN, "-o", "run", cwd=place)
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(autouse=True)
def here(trained, tmp_path, monkeypatch):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)


def run(capsys, *args):
    """Exit code, stdout and stderr of a command, run in this process."""
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def process(*args, environment=None, **options):
    command = [sys.executable, "-m", "chainrule", *args]
    changed = {**os.environ, **(environment or {})}
    given = {name: value for name, value in changed.items() if value is not None}
    streams = {} if {"stdout", "stderr"} & set(options) else {"capture_output": True}
    return subprocess.run(command, text=True, timeout=120, env=given, errors="surrogateescape", **streams, **options)


def started(*args, **options):
    """A command that runs on; a suite in the background ignores SIGINT, and its children would."""
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "chainrule", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )
    finally:
        signal.signal(signal.SIGINT, heard)


def until(found, seconds=60):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.02)


def trains(folder="new"):
    """Waits until an epoch is written down."""
    history = Path(folder) / "history.jsonl"
    until(lambda: history.exists() and history.stat().st_size)


ON_RUNS = {
    "predict": ("predict", "run", "penguins.csv"),
    "evaluate": ("evaluate", "run", "penguins.csv"),
    "doctor": ("doctor", "run"),
    "explain a step": ("explain", "run", "--step", "1"),
    "explain a row": ("explain", "run", "--row", "3"),
    "why-changed": ("why-changed", "run", "W[1][1,1]"),
}

WRONG = {
    "C01 unknown command": (("trian",), "did you mean train?"),
    "C01 unknown command, predict": (("predct", "run"), "did you mean predict?"),
    "C02 unknown option": ((*TRAIN, "--learning-rat", "1"), "--learning-rate"),
    "C02 unknown option, predict": ((*ON_RUNS["predict"], "--probability"), "--probabilities"),
    "C02 missing value": ((*TRAIN, "--seed"), "requires an argument"),
    "C02 missing argument": (("predict", "run"), "Missing argument 'DATA"),
    "C02 given twice": ((*TRAIN, "--seed", "1", "--seed", "2"), "--seed is given twice"),
    "C02 given twice, why-changed": ((*ON_RUNS["why-changed"], "--to", "1", "--to", "2"), "--to is given twice"),
    "C02 two that exclude each other": ((*TRAIN, "--header", "--no-header"), "--header and --no-header exclude each other"),
    "C02 step and after": (("explain", "run", "--step", "1", "--after", "1"), "exclude each other"),
    "C02 row and step": (("explain", "run", "--row", "3", "--step", "1"), "does not go with this"),
    "C03 epochs": ((*TRAIN[:4], "--epochs", "abc"), "for example --epochs 20"),
    "C03 step": (("explain", "run", "--step", "1e3"), "'1e3' is not a valid integer"),
    "C03 most": ((*ON_RUNS["why-changed"], "--most", "0,1"), "'0,1' is not a valid integer"),
    "C03 unseen": ((*ON_RUNS["evaluate"], "--unseen", "x"), "'x' is not one of"),
    "C05 a file as folder": (("train", "no.csv", "--target", "y", "-o", "penguins.csv"), "the run folder is a file"),
    "C05 in a file": (("train", "no.csv", "--target", "y", "-o", "penguins.csv/run"), "the run folder cannot be made"),
    "C05 name too long": (("train", "no.csv", "--target", "y", "-o", "n" * 300), "file name too long"),
    "C05 predict into no folder": (("predict", "none", "no.csv", "-o", "no/such.csv"), "the output's folder does not exist"),
    "C05 predict into a folder": (("predict", "none", "no.csv", "-o", "run"), "the output is a folder"),
    "C05 explain into no folder": (
        ("explain", "none", "--step", "1", "-o", "no/such.txt"),
        "the output's folder does not exist",
    ),
    "C05 why-changed into a folder": (("why-changed", "none", "w", "-o", "run"), "the output is a folder"),
    "C14 threads": ((*TRAIN, "-o", "new"), "CHAINRULE_THREADS must be a whole number from 1 to 256 - got 'abc'"),
    "C14 ISA": ((*TRAIN, "-o", "new"), "CHAINRULE_ISA"),
    "C14 file of settings": (("train", "--config", "gone.toml"), "the settings cannot be read"),
    "C17 epochs": (("train", "--resume", "run", "--epochs", "7"), "got 7, and the run has 2"),
    "C17 what may change": (("train", "--resume", "run", "--hidden", "7"), "what may change is data, engine"),
}


@pytest.mark.parametrize("row", WRONG)
def test_a_wrong_command_ends_with_2_and_writes_nothing(capsys, monkeypatch, row):
    args, says = WRONG[row]
    if row.startswith("C14") and "--config" not in args:
        monkeypatch.setenv("CHAINRULE_" + row.split()[1].upper(), "abc")
    before = sorted(path for path in Path().rglob("*") if path.name != "lock")
    code, out, err = run(capsys, *args)
    assert (code, out) == (2, ""), err
    assert err.startswith("error: ")
    assert says in err
    assert "Traceback" not in err
    assert sorted(path for path in Path().rglob("*") if path.name != "lock") == before


@pytest.mark.parametrize("command", ["train", "predict", "evaluate", "explain", "why-changed", "doctor"])
def test_c04_help_needs_nothing_heavy(command):
    program = "import sys; from chainrule.cli import main\ntry: main(sys.argv[1:])\nfinally: assert 'numpy' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program, command, "-h"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: chainrule")


@pytest.mark.parametrize("name", ON_RUNS)
def test_c06_a_reader_that_leaves(name):
    words = " ".join(f"'{word}'" for word in ON_RUNS[name])
    command = f"{sys.executable} -m chainrule {words} | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 141), done.stderr
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr


def test_c06_nobody_reads_what_training_says():
    command = f"{sys.executable} -m chainrule {' '.join(TRAIN)} -o new >&- 2>&-"
    assert subprocess.run(["bash", "-c", command], timeout=120).returncode == 0
    assert Run(Path("new")).history()
    assert Path("new/model.safetensors").exists()


@pytest.mark.parametrize("name", [*ON_RUNS, "train"])
def test_c07_a_full_standard_output(name):
    with open("/dev/full", "w") as full:
        words = (*TRAIN, "-o", "new") if name == "train" else ON_RUNS[name]
        done = process(*words, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert "error: No space left on device - standard output - free some space" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {"COLUMNS": "20"}], ids=lambda each: str(each))
def test_c08_plain_text(environment):
    for words in ((*TRAIN[:-1], "-o", "new", "--overwrite"), *ON_RUNS.values()):
        done = process(*words, environment=environment)
        assert done.returncode == 0, done.stderr
        assert not set(done.stdout + done.stderr) & {"\x1b", "\r", "\x07", "\x08"}


def test_c08_a_terminal_that_can_do_nothing():
    """A real terminal, which says that it is dumb: lines, and none written over."""
    for kind, written_over in (("dumb", False), ("xterm", True)):
        ours, theirs = pty.openpty()
        words = (*TRAIN[:-1], "-o", "new", "--overwrite")
        done = subprocess.Popen(
            [sys.executable, "-m", "chainrule", *words],
            stderr=theirs,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "TERM": kind},
        )
        os.close(theirs)
        said = b""
        try:
            while block := os.read(ours, 65536):
                said += block
        except OSError:  # the other end is gone
            pass
        os.close(ours)
        assert done.wait(60) == 0
        assert (b"\r" in said.replace(b"\r\n", b"")) == written_over
        assert b"\x1b" not in said


def test_c09_an_ascii_terminal():
    text = PENGUINS.read_text().replace("Adelie", "Adélie").replace("island", "île")
    Path("accents.csv").write_text(text, "utf-8")
    environment = {"LC_ALL": "C", "LANG": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = process("train", "accents.csv", *TRAIN[2:-1], "-o", "accents", environment=environment)
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).isascii()
    for words in (("predict", "accents", "accents.csv", "--probabilities"), ("evaluate", "accents", "accents.csv")):
        done = process(*words, environment=environment)
        assert done.returncode == 0, done.stderr
        assert done.stdout.isascii()
        assert "Ad\\u00e9lie" in done.stdout
    done = process("predict", "accents", "accents.csv", "-o", "found.csv", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "Adélie" in Path("found.csv").read_text("utf-8")


def test_c09_names_that_are_not_utf_8():
    name = os.fsdecode(b"t\xff.csv")
    shutil.copy("penguins.csv", name)
    done = process("train", name, *TRAIN[2:], "-o", "new")
    assert done.returncode == 2
    assert "the name of the file is not UTF-8" in done.stderr
    assert "rename the file" in done.stderr
    for words in ((*TRAIN, "--target-too", "\udcff"), ("train", "penguins.csv", "--target", "\udcff"), ("doctor", "\udcff")):
        done = process(*words)
        assert done.returncode in (1, 2)
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stderr


# --- signals --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "said"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
def test_c10_while_a_table_is_read(number, said):
    rows = PENGUINS.read_text().splitlines()
    Path("large.csv").write_text("\n".join([rows[0], *rows[1:] * 9000]) + "\n")
    with started("train", "large.csv", "--target", "species", "-o", "new") as running:
        until(lambda: Path("new/lock").exists())
        time.sleep(0.3)
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 128 + number
    assert out == ""
    assert f"{said}; nothing was written" in err
    assert "Traceback" not in err
    assert not Path("new").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_c10_c11_while_it_trains(number):
    with started(*TRAIN[:4], *LONG, "-o", "new") as running:
        trains()
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 128 + number, err
    assert out == ""
    assert "Traceback" not in err
    assert "saved; go on with: chainrule train --resume new" in err
    done = process("train", "--resume", "new", "--time-limit", "0.1", "--quiet")
    assert done.returncode == 0, done.stderr


def test_c10_twice():
    """The second ends it now, and what was saved before is whole."""
    with started(*TRAIN[:4], *LONG, "-o", "new", "--checkpoint-every", "0.05") as running:
        until(lambda: any(Path("new/checkpoints").glob("step-*")))
        os.kill(running.pid, signal.SIGSTOP)  # both arrive before it goes on
        os.kill(running.pid, signal.SIGINT)
        os.kill(running.pid, signal.SIGTERM)
        os.kill(running.pid, signal.SIGCONT)
        _, err = running.communicate(timeout=60)
    assert running.returncode in (130, 143)
    assert "Traceback" not in err
    done = process("train", "--resume", "new", "--time-limit", "0.1", "--quiet")
    assert done.returncode == 0, done.stderr


def test_c10_while_it_saves(capsys, monkeypatch):
    """A signal in the middle of a save: the save is completed, and the run goes on from it."""
    sync, count = disk.Calls.fsync, [0]

    def interrupted(self, *given):
        count[0] += 1
        if count[0] == 9:
            os.kill(os.getpid(), signal.SIGINT)
        return sync(*given)

    monkeypatch.setattr(disk.Calls, "fsync", interrupted)
    code, out, err = run(capsys, *TRAIN[:4], *LONG, "-o", "new", "--checkpoint-every", "0")
    assert (code, out) == (130, "")
    assert "chainrule train --resume new" in err
    monkeypatch.undo()
    assert not list(Path("new").rglob("*.tmp*"))


@pytest.mark.parametrize("name", ON_RUNS)
def test_c10_other_commands(name, capsys, monkeypatch):
    from chainrule import models, tables

    for module, function in ((models, "load"), (tables, "read")):
        monkeypatch.setattr(module, function, lambda *given, **more: (_ for _ in ()).throw(KeyboardInterrupt))
    code, out, err = run(capsys, *ON_RUNS[name])
    assert (code, out) == (130, "")
    assert err.strip() == "error: interrupted; nothing was written"


# --- surroundings ---------------------------------------------------------------------------------------------------------


def test_c12_a_deleted_folder(here):
    gone = here / "gone"
    gone.mkdir()
    source = Path(chainrule.__file__).parent.parent
    words = {
        0: f"train {here}/penguins.csv {' '.join(TRAIN[2:])} -o {here}/new",
        2: f"train {here}/penguins.csv {' '.join(TRAIN[2:])}",
    }
    words_0 = [
        words[0],
        f"predict {here}/run {here}/penguins.csv",
        f"evaluate {here}/run {here}/penguins.csv",
        f"doctor {here}/run",
    ]
    for code, each in [*((0, word) for word in words_0), (2, words[2]), (1, "predict run penguins.csv"), (1, "doctor run")]:
        gone.mkdir(exist_ok=True)
        command = f"cd {gone} && rmdir {gone} && PYTHONPATH={source} exec {sys.executable} -m chainrule {each}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        assert done.returncode == code, (each, done.stderr)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "environment",
    [{"HOME": None}, {"HOME": "/nonexistent"}, {"HOME": "/proc"}, {"TMPDIR": "/nonexistent"}, {"TMPDIR": "/proc"}],
    ids=str,
)
def test_c12_homes_and_temporary_folders(environment):
    done = process(*TRAIN, "-o", "new", environment=environment)
    assert done.returncode == 0, done.stderr
    done = process(*ON_RUNS["predict"], environment=environment)
    assert done.returncode == 0, done.stderr


def limited(kind, most):
    def limit():
        resource.setrlimit(kind, (most, most))

    return limit


@pytest.mark.parametrize("megabytes", [150, 300, 500, 700, 900, 1100])
def test_c13_little_memory(megabytes):
    environment = {"OPENBLAS_NUM_THREADS": "1"}
    done = process(*TRAIN, "-o", "new", environment=environment, preexec_fn=limited(resource.RLIMIT_AS, megabytes * 2**20))
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
    assert "a mistake of chainrule" not in done.stderr
    if done.returncode:
        assert "memory" in done.stderr, done.stderr


@pytest.mark.parametrize("count", [5, 6, 8, 12])
def test_c13_few_open_files(count):
    done = process(*TRAIN, "-o", "new", preexec_fn=limited(resource.RLIMIT_NOFILE, count))
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
    assert "a mistake of chainrule" not in done.stderr
    if done.returncode:
        assert "open files" in done.stderr


@pytest.mark.parametrize("most", [0, 100, 4096, 20_000])
def test_c13_small_files(most):
    before = Path("run/model.safetensors").read_bytes()
    done = process(*TRAIN, "-o", "run", "--overwrite", preexec_fn=limited(resource.RLIMIT_FSIZE, most))
    assert done.returncode == 1 or "the report is not written" in done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert "file too large" in done.stderr.lower()
        assert "ulimit -f" in done.stderr
    if most < 2000:
        assert Path("run/model.safetensors").read_bytes() == before


ODD = [
    "a b",
    "it's",
    '"q"',
    "-x",
    "line\nbreak",
    unicodedata.normalize("NFD", "é"),
    "n" * 251,
    "[a]",
    "*",
    "%s",
    "#",
    "~",
    "ü=ö",
    "\x1b[31m",
]


@pytest.mark.parametrize("name", ODD, ids=lambda name: ascii(name[:9]))
def test_c15_odd_paths(capsys, name):
    table = f"{name}.csv"
    shutil.copy("penguins.csv", table)
    code, _, err = run(capsys, "train", *TRAIN[2:-1], "-o", f"./{name}", "--", table)
    assert code == 0, err
    assert Run(Path(name)).history()
    for words in (
        ("predict", "-o", f"./{name[:200]} found.csv", "--", name, table),
        ("evaluate", "--", name, table),
        ("explain", "--step", "1", "--", name),
        ("explain", "--row", "3", "--", name),
        ("doctor", "--", name),
        ("why-changed", "--", name, "W[1][1,1]"),
        ("train", "--resume", f"./{name}"),
    ):
        code, out, err = run(capsys, *words)
        assert code == 0, err
        assert "\x1b" not in out + err
    assert len(Path(f"{name[:200]} found.csv").read_text().splitlines()) == 345


def test_c15_a_run_is_named_by_its_table(capsys):
    shutil.copy("penguins.csv", "-odd [name]*.csv")
    code, _, err = run(capsys, *TRAIN[:1], *TRAIN[2:], "--", "./-odd [name]*.csv")
    assert code == 0, err
    assert len(list(Path("runs").iterdir())) == 1


def test_c16_a_pattern_without_a_match(capsys):
    for words in (("train", "no*.csv", "--target", "y"), ("predict", "run", "no*.csv"), ("evaluate", "run", "no*.csv")):
        code, _, err = run(capsys, *words)
        assert code == 1
        assert "no file matches this pattern - no*.csv" in err
    assert not Path("runs").exists()


def test_c17_what_may_change(capsys):
    for words in (
        ("--threads", "1"),
        ("--engine", "reference"),
        ("--time-limit", "3"),
        ("--checkpoint-every", "1"),
        ("--memory", "5"),
    ):
        code, _, err = run(capsys, "train", "--resume", "run", *words)
        assert code == 0, err
    assert json.loads(run(capsys, "evaluate", "run", "penguins.csv", "--json")[1])["rows"] == 344


def test_c20_a_compiled_part_of_another_version_is_not_used():
    """The engine's own tests hold what is refused (`test_native.py`); a run on a machine without it trains all the same."""
    done = process(*TRAIN, "-o", "new", environment={"CHAINRULE_ISA": "nonsense"})
    assert done.returncode == 2
    assert "CHAINRULE_ISA" in done.stderr
    done = process(*TRAIN, "-o", "new", "--engine", "reference")
    assert done.returncode == 0, done.stderr
