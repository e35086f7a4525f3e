"""Every phrase that the program says, found in its source; as a script, what the Chinese table lacks and has too much.

python tests/spoken.py
"""

import ast
import json
import re
import tomllib
from functools import cache
from pathlib import Path

import chainrule
from chainrule.phrases import table
from chainrule.rules import find, names

SOURCE = Path(chainrule.__file__).parent
FRONT_END = Path(__file__).parent.parent / "web" / "src"
CALL = re.compile(r"\bt\(")
TEXT = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"")
TABLE = r"\b(?:const|let) {name}\b[^=]*=\s*\{{(.*?)\}};"


@cache
def templates():
    """Each template, and where it is said."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for template, line in in_python(path):
            found.setdefault(template, f"{path.relative_to(SOURCE)}:{line}")
    for kind in ("activation", "loss", "optimizer"):
        for name in names(kind):
            sentence = " ".join(find(kind, name).__doc__.split("\n\n")[0].split())
            found.setdefault(sentence, f"the docstring of {name}")
    for path in sorted((SOURCE / "examples").glob("*.toml")):
        found.setdefault(tomllib.loads(path.read_text("utf-8"))["title"], path.name)
    for template, place in in_front_end():
        found.setdefault(template, place)
    return {template: place for template, place in found.items() if re.sub(r"\{\w+\}", "", template)}


def in_python(path):
    """The templates of say("...") and phrase("...") in a file; a name stands for the texts that its function assigns to it."""
    tree = ast.parse(path.read_text("utf-8"))
    tables = {
        target.id: [node.value]
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        for target in node.targets
    }
    for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
        assigned = {name: list(values) for name, values in tables.items()}
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign) and scope is not tree:
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        assigned.setdefault(target.id, []).append(node.value)
        for node in ast.walk(scope):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if called and node.func.id in ("say", "phrase") and node.args:
                yield from ((text, node.lineno) for text in texts(node.args[0], assigned, path))


def in_front_end():
    """The templates of t("...") in the front end; of t(NAMES[each]), or of t(name) beside Object.entries(NAMES), those in the
    table NAMES."""
    sources = {path: path.read_text("utf-8") for path in sorted(FRONT_END.rglob("*.ts*")) if path.name != "phrases.ts"}
    for path, source in sources.items():
        for match in CALL.finditer(source):
            said = first_argument(source[match.end() :])
            tables = re.findall(r"\b(\w+)\[", said)
            if re.fullmatch(r"\w+", said):
                tables = re.findall(r"Object\.(?:entries|values)\((\w+)\)", source)
            outside = re.sub(r"\[[^\]]*\]", "", said)
            found = ["".join(TEXT.findall(outside))] if "+" in outside else TEXT.findall(outside)
            for name in tables:
                here = [source, *sources.values()]
                bodies = [body for each in here for body in re.findall(TABLE.format(name=name), each, re.DOTALL)]
                assert bodies, f"{path.name}: {name} is no table of phrases"
                found += TEXT.findall(re.sub(r"\"[^\"]*\"\s*:", "", bodies[0]))
            assert found, f"{path.name}: t({said}) has no phrase that can be found"
            yield from ((json.loads(f'"{text}"'), str(path.relative_to(FRONT_END))) for text in found)


def first_argument(source):
    """What stands in a call up to its first comma or its end."""
    depth, place = 0, 0
    while depth >= 0:
        text = TEXT.match(source, place)
        if text:
            place = text.end()
            continue
        sign = source[place]
        depth += (sign in "([{") - (sign in ")]}")
        if (depth == 0 and sign == ",") or depth < 0:
            return source[:place]
        place += 1
    raise AssertionError


def texts(node, assigned, path):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body, assigned, path)
        yield from texts(node.orelse, assigned, path)
    elif isinstance(node, ast.Name):
        for value in assigned.get(node.id, ()):
            if isinstance(value, (ast.Constant, ast.IfExp, ast.Subscript)):
                yield from texts(value, {key: each for key, each in assigned.items() if key != node.id}, path)
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        for value in assigned.get(node.value.id, ()):
            yield from (each.value for each in getattr(value, "values", ()) if isinstance(each, ast.Constant))
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
