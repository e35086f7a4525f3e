"""What the README and the docs show is what the program prints."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

from chainrule.cli import main
from chainrule.spec import load_example, parse_spec

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(kind):
    for page in PAGES:
        for number, text in enumerate(re.findall(rf"```{kind}\n(.*?)```", page.read_text("utf-8"), re.S), 1):
            yield pytest.param(text, id=f"{page.name}-{number}")


@pytest.mark.parametrize("block", list(blocks("console")))
def test_commands_print_what_is_shown(block, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    parts = re.split(r"^\$ (.*)\n", block, flags=re.M)[1:]
    assert parts
    for command, expected in zip(parts[::2], parts[1::2], strict=True):
        words = shlex.split(command)
        assert words[0] == "chainrule"
        with pytest.raises(SystemExit) as ended:
            main(words[1:])
        captured = capsys.readouterr()
        assert ended.value.code in (0, 1, 2)
        printed = captured.out + captured.err
        pattern = ".*".join(re.escape(piece) for piece in re.split(r"^\.\.\.\n", expected, flags=re.M))
        assert re.fullmatch(pattern, printed, re.S), f"{command} prints\n{printed}"


@pytest.mark.parametrize("block", list(blocks("pycon")))
def test_python_prints_what_is_shown(block):
    test = doctest.DocTestParser().get_doctest(block, {}, "block", None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    said = []
    runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)


@pytest.mark.parametrize("block", list(blocks("toml")))
def test_specs_are_specs(block):
    assert parse_spec(block).network.size > 0


def test_the_spec_of_the_readme_is_mazur():
    (block,) = re.findall(r"```toml\n(.*?)```", PAGES[0].read_text("utf-8"), re.S)
    shown, bundled = parse_spec(block), load_example("mazur")
    assert (shown.network.parameters == bundled.network.parameters).all()
    assert shown.conventions == bundled.conventions
    assert shown.optimizer == bundled.optimizer
