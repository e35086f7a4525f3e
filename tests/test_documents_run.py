"""What the README and the docs show is what the program prints."""

import doctest
import re
import shlex
import shutil
from pathlib import Path

import pytest

from chainrule.cli import main
from chainrule.spec import EXAMPLES, load_example, parse_spec

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


ON_A_TABLE = {"runs.md", "training.md"}
"""Pages that write files: they are played in a folder with the penguins in it, where the page's first command was run."""


def blocks(kind):
    for page in PAGES:
        for number, text in enumerate(re.findall(rf"```{kind}\n(.*?)```", page.read_text("utf-8"), re.S), 1):
            yield pytest.param(page, text, id=f"{page.name}-{number}")


def commands(block):
    """Each command of a block, and what it prints."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.M)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Where a page is played."""
    folders = {}

    def get(page, block):
        if page.name not in ON_A_TABLE and "penguins.csv" not in block:
            return ROOT
        if page not in folders:
            folders[page] = tmp_path_factory.mktemp("page")
            shutil.copy(EXAMPLES / "penguins.csv", folders[page])
        return folders[page]

    return get


def begun(page, folder, block, monkeypatch, capsys):
    """Goes to the page's folder; the first command of a page that writes files has been run there."""
    monkeypatch.chdir(folder)
    first = (
        commands(next(text.values[1] for text in blocks("console") if text.values[0] == page))[0][0]
        if folder != ROOT and page.name in ON_A_TABLE
        else ""
    )
    if first and first not in block and len(list(folder.iterdir())) == 1:
        with pytest.raises(SystemExit):
            main(shlex.split(first)[1:])
        capsys.readouterr()


@pytest.mark.parametrize(("page", "block"), list(blocks("console")))
def test_commands_print_what_is_shown(page, block, folder_of, capsys, monkeypatch):
    begun(page, folder_of(page, block), block, monkeypatch, capsys)
    assert commands(block)
    for command, expected in commands(block):
        words = shlex.split(command)
        assert words[0] == "chainrule"
        with pytest.raises(SystemExit) as ended:
            main(words[1:])
        captured = capsys.readouterr()
        assert ended.value.code in (0, 1, 2)
        printed = captured.out + captured.err
        pattern = ".*".join(re.escape(piece) for piece in re.split(r"^\.\.\.\n", expected, flags=re.M))
        assert re.fullmatch(pattern, printed, re.S), f"{command} prints\n{printed}"


@pytest.mark.parametrize(("page", "block"), list(blocks("pycon")))
def test_python_prints_what_is_shown(page, block, folder_of, capsys, monkeypatch):
    begun(page, folder_of(page, block), block, monkeypatch, capsys)
    test = doctest.DocTestParser().get_doctest(block, {}, "block", None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    said = []
    runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)


@pytest.mark.parametrize(("page", "block"), list(blocks("toml")))
def test_specs_are_specs(page, block):
    assert parse_spec(block).network.size > 0


def test_the_spec_of_the_readme_is_mazur():
    (block,) = re.findall(r"```toml\n(.*?)```", PAGES[0].read_text("utf-8"), re.S)
    shown, bundled = parse_spec(block), load_example("mazur")
    assert (shown.network.parameters == bundled.network.parameters).all()
    assert shown.conventions == bundled.conventions
    assert shown.optimizer == bundled.optimizer
