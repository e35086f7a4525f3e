"""What the WHAT of a command means: the folder of a run, or else a spec's file or the name of an example."""

from __future__ import annotations

from pathlib import Path


def is_recorded(what: str) -> bool:
    """Whether this is the folder of a run, and no spec or example."""
    path = Path(what)
    if path.name == "run.toml" or (path / "run.toml").is_file():
        return True
    if not path.is_dir():
        return False
    from chainrule.spec import example_names

    return what not in example_names()  # a folder may be called like an example


def folder_of(what: str) -> Path:
    """The folder that such a name means: itself, or the one that its run.toml lies in."""
    path = Path(what)
    return path.parent if path.name == "run.toml" else path
