"""A save that fails, at every call to the system and in every way, leaves the old file or the new one: whole, and readable."""

import errno
import json
import os
import subprocess
import sys

import pytest

import chainrule as cr
from chainrule import files, models
from chainrule.files import disk
from made_files import network, small_checkpoint, small_model

CALLS = [name for name in vars(disk.Calls) if not name.startswith("_")]


class Stopped(BaseException):
    """As when a program is interrupted."""


class Faulty:
    """The calls of a save, counted; the call number `at` (from 1) goes wrong in some way."""

    def __init__(self, at=0, fault=None):
        self.at, self.fault, self.made = at, fault, []

    def __getattr__(self, name):
        real = getattr(disk.Calls, name)

        def call(*args):
            self.made.append(name)
            if name == "close" and len(self.made) == self.at:
                real(*args)  # a close that fails has closed all the same
                return self.fault(name, lambda *_: None, args)
            return self.fault(name, real, args) if len(self.made) == self.at else real(*args)

        return call


def fails(number):
    def fault(name, real, args):
        raise OSError(number, os.strerror(number))

    return fault


def fails_afterwards(name, real, args):
    """It is done, and the program never hears of it."""
    result = real(*args)
    if name == "open":
        os.close(result)
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def stops(name, real, args):
    raise Stopped


def stops_afterwards(name, real, args):
    result = real(*args)
    if name == "open":
        os.close(result)
    raise Stopped


def does_less(name, real, args):
    """Writes or reads a part of what it is given; the caller has to ask again."""
    if name == "write":
        return real(args[0], args[1][: max(1, len(args[1]) // 3)])
    if name == "read":
        return real(args[0], max(1, args[1] // 3))
    return real(*args)


def does_nothing(name, real, args):
    """Writes nothing, or finds nothing to read, and says so."""
    return {"write": 0, "read": b""}[name] if name in ("write", "read") else real(*args)


def lies(name, real, args):
    """Writes something else, as a failing disk may."""
    if name == "write":
        data = bytearray(args[1])
        data[len(data) // 2] ^= 4
        return real(args[0], data)
    return real(*args)


FAULTS = {
    "no space": fails(errno.ENOSPC),
    "no quota": fails(errno.EDQUOT),
    "I-O error": fails(errno.EIO),
    "no permission": fails(errno.EACCES),
    "read-only": fails(errno.EROFS),
    "file too large": fails(errno.EFBIG),
    "too many files": fails(errno.EMFILE),
    "exists": fails(errno.EEXIST),
    "error afterwards": fails_afterwards,
    "interrupted": stops,
    "interrupted afterwards": stops_afterwards,
    "does less": does_less,
    "does nothing": does_nothing,
    "lies": lies,
}


def calls_of_a_save(folder, existing, monkeypatch):
    path = folder / "counted.safetensors"
    if existing:
        small_model(path)
    counted = Faulty()
    with monkeypatch.context() as patch:
        patch.setattr(disk, "calls", counted)
        small_model(path)
    return counted.made


def test_a_save_uses_every_call_there_is(tmp_path, monkeypatch):
    made = calls_of_a_save(tmp_path, True, monkeypatch)
    assert set(CALLS) - set(made) == {"fstat", "readv", "unlink"}  # the first two read; unlink: only if something goes wrong
    assert made.index("fsync") < made.index("replace") < len(made) - 1 - made[::-1].index("fsync")


@pytest.mark.parametrize("existing", [True, False], ids=["old-file", "no-file"])
@pytest.mark.parametrize("fault", FAULTS)
def test_m17_a_fault_at_any_call_loses_nothing(fault, existing, tmp_path, monkeypatch):
    made = calls_of_a_save(tmp_path, existing, monkeypatch)
    folder = tmp_path / "run"
    folder.mkdir()
    path, open_before = folder / "m.safetensors", len(os.listdir("/proc/self/fd"))
    replaced = made.index("replace") + 1
    raised = 0
    for at in range(1, len(made) + 1):
        path.unlink(missing_ok=True)
        if existing:
            small_model(path, title="old")
        faulty = Faulty(at, FAULTS[fault])
        told = None
        with monkeypatch.context() as patch:
            patch.setattr(disk, "calls", faulty)
            try:
                models.Model(network(), about={"title": "new"}).save(path)
            except (files.SaveError, Stopped) as error:
                told, raised = error, raised + 1
        what = f"{fault} at call {at} ({made[at - 1]})"
        assert os.listdir(folder) in ([path.name], []), f"{what} leaves {os.listdir(folder)}"
        found = cr.load_model(path).about["title"] if path.exists() else None
        if told is None:
            assert found == "new", what
        else:
            before = "old" if existing else None
            done = at > replaced or (at == replaced and "afterwards" in fault)
            assert found == ("new" if done else before), f"{what}: {told}"
            if isinstance(told, files.SaveError):
                (problem,) = told.problems
                assert problem.file == str(path)
                assert problem.do, what
    assert raised or fault == "does less", f"{fault} was never noticed"
    assert len(os.listdir("/proc/self/fd")) == open_before, "files stay open"


def test_a_folder_that_cannot_be_tidied_hides_no_checkpoint(tmp_path, monkeypatch):
    """The disk fills up, and even the half-written file cannot be deleted."""
    small_checkpoint(tmp_path / files.step_name(1), 1)

    class Broken(Faulty):
        def __getattr__(self, name):
            if name == "unlink":
                return lambda *args: FAULTS["I-O error"](name, None, args)
            return super().__getattr__(name)

    faulty = Broken(5, FAULTS["no space"])
    monkeypatch.setattr(disk, "calls", faulty)
    with pytest.raises(files.SaveError, match=r"untouched.*no space left.*free some space"):
        small_checkpoint(tmp_path / files.step_name(2), 2)
    monkeypatch.undo()
    assert len(os.listdir(tmp_path)) == 2
    assert files.newest(tmp_path) == (tmp_path / files.step_name(1), ())
    files.tidy(tmp_path)
    assert os.listdir(tmp_path) == [files.step_name(1)]


def test_a_real_limit_on_a_file_s_size_loses_nothing(tmp_path):
    """No stand-ins: the system itself refuses to write on."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from made_files import small_checkpoint\n"
        "from chainrule import files\n"
        "path = small_checkpoint(Path(sys.argv[1]) / files.step_name(1), 1)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    small_checkpoint(Path(sys.argv[1]) / files.step_name(2), 2)\n"
        "except files.SaveError as error:\n"
        "    print(error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "file too large - raise the limit on a file's size (ulimit -f)" in done.stdout
    assert os.listdir(tmp_path) == [files.step_name(1)]
    assert files.newest(tmp_path)[0].name == files.step_name(1)


@pytest.mark.parametrize("fault", ["I-O error", "does less", "does nothing"])
def test_a_disk_that_fails_while_a_file_is_read_is_named(fault, tmp_path, monkeypatch):
    path = small_model(tmp_path / "m.safetensors")
    counted = Faulty()
    with monkeypatch.context() as patch:
        patch.setattr(disk, "calls", counted)
        cr.load_model(path)
    spots = [at for at, name in enumerate(counted.made, 1) if name == "readv"]
    assert len(spots) == 4  # length, first bytes, header, tensors

    def less(name, real, args):
        return real(args[0], [args[1][0][: max(1, len(args[1][0]) // 3)]])

    def nothing(name, real, args):
        return 0

    chosen = {"does less": less, "does nothing": nothing}.get(fault, FAULTS[fault])
    for at in spots:
        with monkeypatch.context() as patch:
            patch.setattr(disk, "calls", Faulty(at, chosen))
            if fault == "does less":
                assert cr.load_model(path).size == network().size
            else:
                with pytest.raises(cr.RunError) as caught:
                    cr.load_model(path)
                assert str(path) in str(caught.value)


# A child is killed at (or after, or in the middle of) each call of a save, for good: no `finally` runs.
KILLED = """
import json, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from made_files import small_checkpoint
from chainrule import files
from chainrule.files import disk
from test_files_faults import Faulty

def dies(name, real, args):
    os.kill(os.getpid(), signal.SIGKILL)

def dies_afterwards(name, real, args):
    try:
        real(*args)
    finally:
        os.kill(os.getpid(), signal.SIGKILL)

def dies_in_the_middle(name, real, args):
    if name == "write":
        real(args[0], args[1][: len(args[1]) // 2])
    os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
disk.calls = counted = Faulty()
small_checkpoint(folder / "counted", 2)
disk.calls = disk.Calls()
os.unlink(folder / "counted")
for fault in (dies, dies_afterwards, dies_in_the_middle):
    for at in range(1, len(counted.made) + 1):
        for path in folder.iterdir():
            path.unlink()
        small_checkpoint(folder / files.step_name(1), 1)
        child = os.fork()
        if not child:
            disk.calls = Faulty(at, fault)
            small_checkpoint(folder / files.step_name(2), 2)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        path, skipped = files.newest(folder)
        left = [name.name for name in folder.iterdir() if disk.TEMPORARY.search(name.name)]
        held = files.read_checkpoint(path)["parameters"].tolist()
        print(json.dumps({"fault": fault.__name__, "at": at, "call": counted.made[at - 1], "status": status, "held": held,
                          "path": path.name, "skipped": len(skipped), "left": len(left)}))
        files.tidy(folder)
        assert not any(disk.TEMPORARY.search(name.name) for name in folder.iterdir())
"""


def test_a_process_killed_at_any_call_leaves_a_checkpoint_that_can_be_used(tmp_path):
    (tmp_path / "run").mkdir()
    here = os.path.dirname(__file__)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "run"), here], capture_output=True, text=True, timeout=300,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    from made_files import state

    wanted = {files.step_name(step): state(step)["parameters"].tolist() for step in (1, 2)}
    assert len(lines) > 40
    for line in lines:
        assert line["status"] == 9, line
        assert not line["skipped"], line
        assert line["held"] == wanted[line["path"]], line
    assert {line["path"] for line in lines} == set(wanted), "kills before and after the new file has its name"
    assert any(line["left"] for line in lines), "some kills leave a file that is not finished"
