"""Arrows point one way: each room imports what it is allowed to, and nothing else. And the front door holds."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule

ROOT = Path(__file__).parent.parent
SOURCE = Path(chainrule.__file__).parent

# A room, and the rooms it may look into. `errors` is open to all: it knows nobody.
ROOMS = {
    "errors": set(),
    "rules": set(),
    "conventions": {"phrases"},
    "naming": set(),
    "textbook": {"naming"},
    "tables": set(),
    "draws": {"_native"},
    "examples": set(),
    "_native": set(),
    "readers": {"rules"},
    "raw": {"rules"},
    "preparing": {"rules", "readers", "raw", "tables", "phrases"},
    "terms": {"rules", "readers", "naming", "phrases"},
    "network": {"rules", "readers", "textbook", "draws"},
    "files": {"rules", "network"},
    "models": {"files", "network", "preparing"},
    "engines": {"rules", "readers", "draws", "network", "conventions", "_native"},
    "diagnosis": {"readers", "network", "engines"},
    "training": {"rules", "readers", "draws", "network", "conventions", "engines"},
    "course": {"rules", "engines", "training"},
    "epochs": {"rules", "draws", "network", "engines", "diagnosis", "training", "course"},
    "lbfgs": {"rules", "readers", "network", "engines", "course", "epochs"},
    "recipes": {"rules", "network", "course"},
    "trials": {"engines", "course", "epochs", "recipes", "splits"},
    "splits": {"draws"},
    "scores": set(),
    "settings": {"rules"},
    "experiment": {
        "trials",
        "rules",
        "course",
        "engines",
        "files",
        "models",
        "network",
        "preparing",
        "recipes",
        "settings",
        "splits",
        "tables",
        "phrases",
    },
    "judging": {"draws", "experiment", "files", "models", "preparing", "scores", "tables"},
    "predicting": {"files", "models", "tables"},
    "folding": {"epochs", "experiment", "judging", "preparing", "scores", "splits"},
    "history": {"files"},
    "standing": {"rules", "course", "files", "network"},
    "runs": {"files", "history", "settings"},
    "prediction": {
        "rules",
        "readers",
        "naming",
        "network",
        "conventions",
        "terms",
        "raw",
        "steps",
        "rehearsal",
        "tracing",
        "explain",
        "models",
        "tables",
        "phrases",
    },
    "replay": {
        "rules",
        "readers",
        "naming",
        "textbook",
        "network",
        "engines",
        "terms",
        "course",
        "epochs",
        "experiment",
        "files",
        "models",
        "runs",
        "settings",
        "standing",
        "tables",
        "tracing",
        "explain",
        "prediction",
        "phrases",
    },
    "signals": {"rules", "readers", "draws", "network", "engines", "course"},
    "evidence": {"settings"},
    "doctor": {"evidence"},
    "importance": {"draws", "models", "tables"},
    "examining": {
        "course",
        "evidence",
        "experiment",
        "files",
        "importance",
        "judging",
        "models",
        "runs",
        "scores",
        "standing",
    },
    "report": {
        "course",
        "doctor",
        "evidence",
        "experiment",
        "explain",
        "files",
        "folding",
        "importance",
        "judging",
        "models",
        "preparing",
        "recipes",
        "runs",
        "scores",
        "settings",
        "signals",
        "tables",
    },
    "recording": {
        "course",
        "doctor",
        "epochs",
        "examining",
        "experiment",
        "files",
        "folding",
        "history",
        "importance",
        "judging",
        "models",
        "report",
        "runs",
        "settings",
        "signals",
        "standing",
    },
    "estimators": {"rules", "readers", "network", "course", "epochs", "lbfgs", "tracing"},
    "reasons": {"naming", "textbook", "network", "phrases"},
    "steps": {"terms"},
    "rehearsal": {"rules", "readers", "naming", "network", "engines", "terms", "raw", "phrases"},
    "tracing": {
        "rules",
        "readers",
        "naming",
        "textbook",
        "network",
        "conventions",
        "engines",
        "terms",
        "rehearsal",
        "raw",
        "steps",
        "reasons",
        "explain",
        "phrases",
    },
    "comparing": {"rules", "conventions", "phrases", "tracing"},
    "phrases": set(),
    "widths": set(),
    "drawing": {"naming", "terms", "tracing"},
    "explain": {"rules", "readers", "drawing", "naming", "phrases", "terms", "steps", "tracing", "widths"},
    "spec": {"raw", "rules", "readers", "network", "naming", "textbook", "conventions", "tables", "examples", "phrases"},
    "meant": {"spec"},
    "derivation": {"raw", "rules", "textbook", "network", "conventions", "training", "tracing", "spec", "phrases"},
    "marking": {
        "rules",
        "readers",
        "naming",
        "textbook",
        "conventions",
        "network",
        "terms",
        "steps",
        "tracing",
        "derivation",
        "explain",
        "spec",
        "phrases",
        "widths",
    },
    "cli": {
        "rules",
        "comparing",
        "conventions",
        "course",
        "derivation",
        "doctor",
        "examining",
        "experiment",
        "explain",
        "folding",
        "judging",
        "marking",
        "meant",
        "models",
        "page",
        "phrases",
        "predicting",
        "prediction",
        "preparing",
        "recording",
        "replay",
        "runs",
        "settings",
        "spec",
        "tables",
        "tracing",
        "widths",
    },
    "page": {
        "comparing",
        "conventions",
        "derivation",
        "diagnosis",
        "drawing",
        "draws",
        "explain",
        "marking",
        "meant",
        "naming",
        "network",
        "phrases",
        "preparing",
        "raw",
        "readers",
        "replay",
        "rules",
        "spec",
        "tables",
        "terms",
        "tracing",
        "training",
        "steps",
    },
    "__main__": {"cli"},
}
# `tracing` may ask `explain` only when a trace is told to tell itself: inside a function.
LATE = {("tracing", "explain")}
OUTSIDE = {
    "numpy": None,
    "click": {"cli"},
    "scipy": {"readers", "lbfgs", "estimators"},
    "sklearn": {"estimators", "scores"},
    "mpmath": {"readers", "terms"},
    "duckdb": {"tables"},
    "starlette": {"page"},
    "uvicorn": {"page"},
    "h11": {"page"},  # what uvicorn reads with
}
NO_NUMPY = {"errors", "rules", "conventions", "naming", "phrases", "cli"}
ONLY_WHEN_USED = {"scipy", "mpmath", "sklearn"}
LOADED_WHEN_USED = {"estimators"}  # a whole room that nothing imports before it is used: it brings scikit-learn and scipy


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path):
    """(module, whether it is imported when the file is) for every import of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    late = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            if node.module == "chainrule":
                yield from ((f"chainrule.{alias.name}", id(node) not in late) for alias in node.names)
            else:
                yield node.module, id(node) not in late


FILES = sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE or path.name != "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_imports_only_what_its_room_may(path):
    room = room_of(path)
    assert room in ROOMS, f"{path.name} is in no room: name it in ROOMS and ARCHITECTURE.md"
    for module, at_once in imports(path):
        top, _, rest = module.partition(".")
        if top == "chainrule":
            other = room_of(SOURCE / (rest.split(".")[0] + ".py"))
            assert other in ROOMS[room] | {room, "errors"}, f"{path} looks into {other}"
            assert room == other or not (at_once and other in LOADED_WHEN_USED), f"{path} loads scikit-learn"
            assert not (at_once and (room, other) in LATE), f"{path} imports {other} when it is imported"
        elif top not in sys.stdlib_module_names:
            assert top in OUTSIDE, f"{path} imports {top}"
            assert OUTSIDE[top] is None or room in OUTSIDE[top], f"{path} imports {top}"
            assert not (top == "numpy" and room in NO_NUMPY), f"{path} imports numpy"
            assert room in LOADED_WHEN_USED or not (at_once and top in ONLY_WHEN_USED), (
                f"{path} imports {top} before it is used"
            )


def test_the_rooms_have_no_circles():
    seen, done = set(), set()

    def visit(room):
        assert room not in seen, f"a circle through {room}"
        if room in done:
            return
        seen.add(room)
        for other in ROOMS[room]:
            if (room, other) not in LATE:
                visit(other)
        seen.discard(room)
        done.add(room)

    for room in ROOMS:
        visit(room)


def test_every_room_stands_in_the_architecture():
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    for room in ROOMS:
        if room != "__main__":
            assert f"`{room}" in text, f"ARCHITECTURE.md does not name {room}"


def test_the_front_door_is_what_is_public():
    for name in chainrule.__all__:
        assert getattr(chainrule, name) is not None
    assert sorted(chainrule.__all__) == sorted(chainrule._HOME)
    assert dir(chainrule) == sorted(chainrule.__all__)


def test_public_things_say_what_they_are():
    for name in chainrule.__all__:
        thing = getattr(chainrule, name)
        assert (thing.__doc__ or "").strip(), f"{name} has no docstring"
        assert not thing.__doc__.startswith(f"{name}("), f"{name} has only the docstring that dataclass makes"


@pytest.mark.parametrize("heavy", ["scipy", "sklearn", "torch", "mpmath", "matplotlib", "pandas"])
def test_explaining_does_not_import(heavy):
    code = (
        "import sys; from chainrule.derivation import derive; from chainrule.explain import tell; "
        "from chainrule.spec import load_example; tell(derive(load_example('mazur'))); "
        f"assert {heavy!r} not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_room_is_named_after_nothing():
    for path in SOURCE.rglob("*"):
        assert path.stem not in {"utils", "util", "core", "common", "base", "helpers", "misc"}
