"""Every phrase that the program says, found in its source; as a script, what the Chinese table lacks and has too much.

python tests/spoken.py
"""

import ast
import json
import re
import tomllib
from pathlib import Path

import chainrule
from chainrule.phrases import table
from chainrule.rules import find, names

SOURCE = Path(chainrule.__file__).parent
FRONT_END = Path(__file__).parent.parent / "web" / "src"
SAID = re.compile(r"\b(?:t|phrase)\(\s*((?:\"(?:[^\"\\\n]|\\.)*\"\s*\+?\s*)+)")
TEXT = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"")


def templates():
    """Each template, and where it is said."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for template, line in in_python(path):
            found.setdefault(template, f"{path.relative_to(SOURCE)}:{line}")
    for kind in ("activation", "loss"):
        for name in names(kind):
            sentence = " ".join(find(kind, name).__doc__.split("\n\n")[0].split())
            found.setdefault(sentence, f"the docstring of {name}")
    for path in sorted((SOURCE / "examples").glob("*.toml")):
        found.setdefault(tomllib.loads(path.read_text("utf-8"))["title"], path.name)
    for path in sorted(FRONT_END.rglob("*.ts*")):
        if path.name != "phrases.ts":
            for match in SAID.finditer(path.read_text("utf-8")):
                template = "".join(json.loads(part) for part in TEXT.findall(match[1]))
                found.setdefault(template, str(path.relative_to(FRONT_END)))
    return {template: place for template, place in found.items() if re.sub(r"\{\w+\}", "", template)}


def in_python(path):
    """The templates of say("...") and phrase("...") in a file; a name stands for the texts that are assigned to it there."""
    tree = ast.parse(path.read_text("utf-8"))
    assigned = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    assigned.setdefault(target.id, []).append(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "phrase") and node.args:
            yield from ((text, node.lineno) for text in texts(node.args[0], assigned, path))


def texts(node, assigned, path):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body, assigned, path)
        yield from texts(node.orelse, assigned, path)
    elif isinstance(node, ast.Name):
        for value in assigned.get(node.id, ()):
            if isinstance(value, (ast.Constant, ast.IfExp)):
                yield from texts(value, {}, path)
    else:
        assert not isinstance(node, ast.JoinedStr), f"{path}:{node.lineno}: a template is no f-string"


def missing():
    return {template: place for template, place in templates().items() if template not in table("zh")}


def unused():
    return [template for template in table("zh") if template not in templates()]


if __name__ == "__main__":
    for template, place in missing().items():
        print(f'{json.dumps(template, ensure_ascii=False)} = ""  # {place}')
    for template in unused():
        print(f"# nobody says: {template}")
